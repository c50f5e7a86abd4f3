"""What people type into a card's Jira field, and what it turned out to mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, urlsplit

import msgspec

from worker.domain.messages import NOTHING, Text, literal, message, tell
from worker.errors import Code


class LinkKind(StrEnum):
    """How a card names its Jira work."""

    PROJECT = "project"
    EPIC = "epic"
    JQL = "jql"
    FILTER = "filter"
    BOARD = "board"
    NONE = "none"
    SEVERAL = "several"
    FOREIGN = "foreign"
    BAD = "bad"


class Link(msgspec.Struct, frozen=True, gc=False):
    """A link as typed: `text` is the project key, the issue key, the JQL or the id of the filter or board (the typed text if bad, the
    host if it is not the site's); of several links `parts` are each."""

    kind: LinkKind
    text: str = ""
    parts: tuple[Link, ...] = ()

    def each(self) -> tuple[Link, ...]:
        """Return the links of a cell one by one."""
        return self.parts or (self,)


class LinkNote(msgspec.Struct, frozen=True, gc=False):
    """What is to be said of a link that counts all the same: a word in it, or where it leads beside."""

    code: Code
    said: Text


class ResolvedLink(msgspec.Struct, frozen=True, gc=False):
    """What Jira made of a link: a project key, the id of an epic (or other issue), or the ids a JQL or filter matched.

    `shown` is how it is told to people: `project ACME`, `epic ACME-12`, `jql ...`. `project` may be given for an epic
    too. An epic that is `plain` is an ordinary issue, without any but sub-tasks below it. Of several links
    `parts` are what each came to. `problem` says why the link could not be resolved: the rest is then what the card's last good link came to at
    `as_of`, or nothing, and the card counts as unlinked; `code` is its kind. `notes` are said though the link counts.
    """

    kind: LinkKind
    shown: str = ""
    project: str = ""
    epic: str = ""
    plain: bool = False
    ids: frozenset[str] = frozenset()
    parts: tuple[ResolvedLink, ...] = ()
    problem: Text = NOTHING
    as_of: datetime | None = None
    code: Code = Code.UNRESOLVED_LINK
    notes: tuple[LinkNote, ...] = ()

    def each(self) -> tuple[ResolvedLink, ...]:
        """Return what the links of a cell came to one by one."""
        return self.parts or (self,)


PROJECT_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,79}\Z")
ISSUE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]+-[0-9]{1,12}\Z")
FILTER = re.compile(r"filter\s*[=:]\s*([0-9]{1,18})\Z", re.IGNORECASE)
# A query begins with a field and an operator, a sentence with a word and a word (docs/facts/jira-api.md 1.1). What only
# looks like a query is asked of Jira, and refused by it.
QUERY = re.compile(
    r"""
    (?: [(!\s] | not\b )*+
    (?! (?: and | or | not | in | is | was | changed | empty | null | order | by ) \b )
    (?: "(?:\\.|[^"\\])+" | '(?:\\.|[^'\\])+' | cf\[\d+\] | [^\W\d_][\w.\-]* (?: \[[^\]]*\][\w.]* )? )
    \s*
    (?: != | !~ | [<>]=? | = (?! [>=] ) | ~
      | \b (?: not\s+ )? in \s* \(
      | \b (?: not\s+ )? in \s+ \w+ \s* \(
      | \b is \s+ (?: not\s+ )? (?: empty | null ) \b
      | \b was \b
      | \b changed \b \s* (?: \Z | \) | (?: after | and | before | by | during | from | on | or | order | to ) \b )
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The addresses of Jira's pages, Cloud and Data Center; the first that fits wins.
PATHS = (
    (re.compile(r"/browse/([^/]+)/?\Z"), PROJECT_KEY, LinkKind.PROJECT),
    (re.compile(r"/projects/([^/]+)(?:/|\Z)"), PROJECT_KEY, LinkKind.PROJECT),
)
# The page of an issue is told by its path, whatever list it was opened from stands in its query.
ISSUE = re.compile(
    r"/(?:browse|issues|queues/(?:issue|custom/[0-9]+))/([^/]+-[0-9]+)/?\Z"
)
QUERIES = (
    ("selectedIssue", LinkKind.EPIC),
    ("jql", LinkKind.JQL),
    ("filter", LinkKind.FILTER),
    ("filterId", LinkKind.FILTER),
    ("requestId", LinkKind.FILTER),
    ("projectKey", LinkKind.PROJECT),
    ("rapidView", LinkKind.BOARD),
)
# A version and a component are conditions, by id: their names may change, and are not in the address.
CONDITIONS = (
    (re.compile(r"/projects/[^/]+/versions/([0-9]{1,18})(?:/|\Z)"), "fixVersion"),
    (re.compile(r"/browse/[^/]+/fixforversion/([0-9]{1,18})(?:/|\Z)"), "fixVersion"),
    (re.compile(r"/browse/[^/]+/component/([0-9]{1,18})(?:/|\Z)"), "component"),
)
# The board of a person: those of a project are told by the project.
BOARD = re.compile(r"/boards/([0-9]{1,18})(?:/|\Z)")
GATEWAY = "api.atlassian.com"
"""The host of Atlassian's gateway: it does not tell at which address people see the site behind it."""
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
BETWEEN = re.compile(
    r"\s+|[,;](?=\s|https?://|\Z)|(?<=\d)[,;](?=[A-Za-z])", re.IGNORECASE
)
AROUND = " \t.,;:!?<>[]\"'«»„“”"
"""What may stand around a link as in a sentence; brackets besides."""
HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
"""What editors make of the hyphen in a key."""
ENTRY = re.compile(r"[,;](?=\s|https?://|\Z)", re.IGNORECASE)
JOINING = frozenset({"&", "+"})
OPERATORS = frozenset({"AND", "OR", "NOT", "IN", "IS", "WAS", "ORDER", "BY"})
PORTS = frozenset({80, 443})
LIMIT = 2_000
SHOWN = 120
"""How much of a link is told in a problem."""
_SHOWN_AS = {
    LinkKind.PROJECT: message("project {key}"),
    LinkKind.EPIC: message("epic {key}"),
    LinkKind.FILTER: message("filter {key}"),
    LinkKind.BOARD: message("board {key}"),
    LinkKind.JQL: message("“{key}”"),
}


def parse_link(text: str | None, site: str = "") -> Link:
    """Return what a card's Jira field names; keys may be typed in any case.

    An address is compared with that of the `site`, by host, port and the path below which it stands; without one all
    hosts count as the site's. Several links stand in lines, or with spaces or commas between them.
    """
    typed = (text or "").strip()
    if not typed:
        return Link(LinkKind.NONE)
    if len(typed) > LIMIT:
        return Link(LinkKind.BAD, typed[:LIMIT])

    link = _parse_several(typed, site)
    if link is not None:
        return link
    link = Link(LinkKind.BAD, typed)
    if len(ADDRESS.findall(typed)) <= 1:
        link = _parse_one(typed, site)
    if link.kind is LinkKind.BAD:
        return _parse_some(typed, site) or link
    return link


def _parse_several(typed: str, site: str) -> Link | None:
    """Return the links of a cell with more than one, None when it does not consist of such.

    A query alone may hold spaces, commas and lines: beside others it stands on a line of its own, and addresses do.
    """
    lines = [line.strip(" ,;\t\r") for line in typed.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > 1:
        links = [parse_link(line, site) for line in lines]
        kinds = {link.kind for link in links}
        has_address = any(ADDRESS.match(line) for line in lines)
        if LinkKind.BAD not in kinds and (has_address or LinkKind.JQL not in kinds):
            return _joined(links)
    return _parse_words(typed, site)


def _parse_words(typed: str, site: str) -> Link | None:
    words = [word for word in BETWEEN.split(typed) if word]
    if len(words) < 2:
        return None
    links = [_parse_word(word, site) for word in words]
    if any(link.kind is LinkKind.BAD for link in links):
        return None
    return _joined(links)


def _parse_word(word: str, site: str) -> Link:
    """Return what a word among others names: keys of projects are told from a sentence by their capitals."""
    link = _parse_one(word, site)
    is_key = _bare(word) == link.text and link.text not in OPERATORS
    is_address = bool(ADDRESS.match(_bare(word)))
    if link.kind is LinkKind.PROJECT and not is_address and not is_key:
        return Link(LinkKind.BAD, word)
    if link.kind is LinkKind.JQL and not is_address:
        return Link(LinkKind.BAD, word)
    return link


def _parse_some(typed: str, site: str) -> Link | None:
    """Return the links of a cell beside words that are none, which are parts of their own; None when it is not clear
    what is meant: then words and keys stand in one sentence, and one may take the other back."""
    lines = [line.strip(" ,;\t\r") for line in typed.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > 1:
        links = [parse_link(line, site) for line in lines]
    else:
        entries = [entry.strip() for entry in ENTRY.split(typed)]
        links = [_parse_entry(entry, site) for entry in entries if entry]

    kinds = {part.kind for link in links for part in link.each()}
    has_address = ADDRESS.search(typed) is not None
    if kinds == {LinkKind.BAD} or (LinkKind.JQL in kinds and not has_address):
        return None
    for link in links:
        if link.kind is LinkKind.BAD and _names_work(link.text, site):
            return None
    return _joined(links)


def _parse_entry(entry: str, site: str) -> Link:
    """Return the links between two commas: an address that is none, or one word between links, is told beside them."""
    words = [word for word in BETWEEN.split(entry) if word]
    links = [_parse_word(word, site) for word in words]
    is_bad = [link.kind is LinkKind.BAD for link in links]
    prose = [
        place
        for place, word in enumerate(words)
        if is_bad[place] and not ADDRESS.match(_bare(word))
    ]
    if all(is_bad) or len(prose) > 1:
        return Link(LinkKind.BAD, entry)
    if prose and not _stands_between(prose[0], words, links):
        return Link(LinkKind.BAD, entry)
    return _joined(links)


def _stands_between(place: int, words: list[str], links: list[Link]) -> bool:
    """Tell whether a word joins links that cannot be taken for words: arrows do not join, they lead away."""
    others = [link for at, link in enumerate(links) if at != place]
    is_inside = 0 < place < len(words) - 1
    is_joining = words[place].isalpha() or words[place] in JOINING
    return is_inside and is_joining and all(_is_plain(link) for link in others)


def _is_plain(link: Link) -> bool:
    return link.kind is not LinkKind.PROJECT


def _names_work(text: str, site: str) -> bool:
    """Tell whether a text that is no link holds words that would be."""
    words = [word for word in BETWEEN.split(text) if word]
    kinds = {_parse_word(word, site).kind for word in words}
    return kinds != {LinkKind.BAD}


def _joined(links: Iterable[Link]) -> Link:
    """Return several links as one, each once."""
    parts: dict[Link, None] = {}
    for link in links:
        parts |= dict.fromkeys(link.each())
    if len(parts) == 1:
        return next(iter(parts))
    text = ", ".join(part.text for part in parts)
    return Link(LinkKind.SEVERAL, text, tuple(parts))


def _parse_one(typed: str, site: str) -> Link:
    bare = _bare(typed)
    if ADDRESS.match(bare):
        return _parse_address(bare, site)
    if match := FILTER.match(bare):
        return Link(LinkKind.FILTER, match[1])
    key = bare.translate(HYPHENS)
    if ISSUE_KEY.match(key):
        return Link(LinkKind.EPIC, key.upper())
    if PROJECT_KEY.match(key):
        return Link(LinkKind.PROJECT, key.upper())
    return Link(LinkKind.JQL if QUERY.match(typed) else LinkKind.BAD, typed)


def _bare(typed: str) -> str:
    """Return a link without what stands around it; a bracket that an address itself opened is its own."""
    bare = typed.rstrip(AROUND).lstrip(AROUND + "(")
    while bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = bare[:-1].rstrip(AROUND)
    return bare


def _parse_address(address: str, site: str) -> Link:
    parts = _split(address)
    if parts is None:
        return Link(LinkKind.BAD, address)
    link = (
        _issue_of(parts.path)
        or _named_by_query(parts.query)
        or _named_by_path(parts.path)
    )
    if link is None:
        return Link(LinkKind.BAD, address)
    if not _is_at(parts, site):
        return Link(LinkKind.FOREIGN, _place(parts))
    return link


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address, None when it is none; a port out of range makes it none."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_at(parts: SplitResult, site: str) -> bool:
    """Tell whether an address is one of the site's; a site known by its gateway alone may be anywhere."""
    own = _split(site)
    if own is None or not own.hostname or is_gateway(site):
        return True
    root = own.path.rstrip("/") + "/"
    return _place(parts) == _place(own) and parts.path.startswith(root)


def is_gateway(address: str) -> bool:
    """Tell whether an address is one of Atlassian's gateway, at which no person looks."""
    parts = _split(address)
    return parts is not None and parts.hostname == GATEWAY


def _place(parts: SplitResult) -> str:
    """Return the host of an address, with the port where it is not the usual one; the scheme says nothing."""
    host = (parts.hostname or "").rstrip(".")
    if parts.port is None or parts.port in PORTS:
        return host
    return f"{host}:{parts.port}"


def _issue_of(path: str) -> Link | None:
    match = ISSUE.search(path)
    if match and ISSUE_KEY.match(match[1]):
        return Link(LinkKind.EPIC, match[1].upper())
    return None


def _named_by_query(query: str) -> Link | None:
    values = parse_qs(query)
    for name, kind in QUERIES:
        value = values.get(name, [""])[0].strip()
        match kind:
            case LinkKind.EPIC if ISSUE_KEY.match(value):
                return Link(kind, value.upper())
            case LinkKind.JQL if value:
                return Link(kind, value)
            case LinkKind.PROJECT if PROJECT_KEY.match(value):
                return Link(kind, value.upper())
            case LinkKind.FILTER | LinkKind.BOARD if (
                value.isdecimal() and value.isascii()
            ):
                return Link(kind, value)
    return None


def _named_by_path(path: str) -> Link | None:
    for pattern, name in CONDITIONS:
        if match := pattern.search(path):
            return Link(LinkKind.JQL, f"{name} = {match[1]}")
    for pattern, key, kind in PATHS:
        match = pattern.search(path)
        if match and key.match(match[1]):
            return Link(kind, match[1].upper())
    if match := BOARD.search(path):
        return Link(LinkKind.BOARD, match[1])
    return None


def name_of(link: Link) -> str:
    """Return the name under which a refusal of a link is kept."""
    return named(link.kind, link.text)


def named(kind: LinkKind, text: str) -> str:
    """Return the name under which what a text names is kept."""
    return f"{kind.value} {text}"


def parts_of(links: Iterable[Link]) -> set[Link]:
    """Return the links of some cells one by one."""
    parts: set[Link] = set()
    for link in links:
        parts |= set(link.each())
    return parts


def links_of(kind: LinkKind, texts: Iterable[str]) -> list[Link]:
    """Return links of one kind, in order."""
    return [Link(kind, text) for text in sorted(texts)]


def texts_of(links: Iterable[Link], kind: LinkKind) -> set[str]:
    """Return the texts of the links of one kind."""
    return {link.text for link in parts_of(links) if link.kind is kind}


def shown_of(link: Link) -> Text:
    """Return a link as it is told to people, cut when it is long."""
    text = link.text
    if len(text) > SHOWN:
        text = text[: SHOWN - 1] + "…"
    pattern = _SHOWN_AS.get(link.kind)
    return tell(pattern, key=text) if pattern else literal(text)
