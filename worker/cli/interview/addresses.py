"""What people paste when they are asked for a page of Notion, or for their Jira: any form of it becomes the one we keep."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from worker.cli.interview.objections import Objection
from worker.domain.messages import Text, tell

NOTION_HOSTS = ("notion.so", "notion.com", "notion.site")
ATLASSIAN = "atlassian.net"
GATEWAY = "api.atlassian.com"
NO_SITES = ("atlassian.com", "bitbucket.org", "trello.com")
"""Hosts of Atlassian where no site is."""
_ID = re.compile(
    r"(?<![0-9a-f])([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?![0-9a-f])",
    re.IGNORECASE,
)
_WRAPPED = re.compile(
    r"""(?:\[[^\]]*\]\()?[<("'«“„]*((?:https?|notion)://\S+?)[>)"'»”“.,;]*""",
    re.IGNORECASE,
)
"""An address as it is copied from a text: in quotes or brackets, with a title, or at the end of a sentence."""
_SCREENS = re.compile(
    r"/(?:browse|projects|secure|issues|plugins|login|login\.jsp|rest|servicedesk|wiki|dashboards?|"
    r"jira/(?:software|core|servicedesk|your-work|for-you|people|plans)|"
    r"issue|agile|ViewProfile\.jspa)(?:[/?.]|$)"
)
"""What follows a Jira's own address in that of one of its screens."""
PAGE_HINT = tell(
    "open the page in Notion, choose Share, then Copy link, and paste that"
)
JIRA_HINT = tell("such as https://your-site.atlassian.net")
_NO_ADDRESS = tell("is not a web address")


def read_page_id(text: str) -> str:
    """Return the id of the page that an address, or an id, names; raises `Objection`.

    A page that lies open beside another is the one that is meant; a view and a block within the page are not.
    """
    if "://" not in text and "/" not in text:
        return _only_id(text)
    parts = _split(text, PAGE_HINT)
    host = parts.hostname or ""
    if not _is_of(host, NOTION_HOSTS):
        raise Objection(tell("is no address of Notion"), PAGE_HINT)
    beside = parse_qs(parts.query).get("p", [""])[0]
    found = _ids(beside) or _ids(parts.path.rpartition("/")[2]) or _ids(parts.path)
    if not found:
        raise Objection(tell("names no page: there is no id in it"), PAGE_HINT)
    return found[-1]


def _only_id(text: str) -> str:
    bare = text.partition("?")[0].partition("#")[0]
    found = _ids(bare)
    if not found:
        raise Objection(tell("is neither an address nor the id of a page"), PAGE_HINT)
    return found[-1]


def _ids(text: str) -> list[str]:
    """Return the ids in a text, with dashes; a title before one may end in signs that look like more of it."""
    found = ["-".join(parts).lower() for parts in _ID.findall(text)]
    tail = re.search(r"[0-9a-f]{32}$", text, re.IGNORECASE)
    if found or tail is None:
        return found
    return ["-".join(_ID.findall(f" {tail[0]}")[0]).lower()]


def read_jira_address(text: str) -> str:
    """Return the address of the Jira that an address of one of its screens belongs to; raises `Objection`."""
    parts = _split(text, JIRA_HINT)
    host = (parts.hostname or "").lower()
    if "@" in parts.netloc:
        raise Objection(
            tell("holds a user name or a password"),
            tell("leave only https://HOST/PATH"),
        )
    if "." not in host and ":" not in host and host != "localhost":
        raise Objection(_NO_ADDRESS, JIRA_HINT)
    if _is_of(host, NOTION_HOSTS):
        raise Objection(tell("is an address of Notion, not of Jira"), JIRA_HINT)
    if host != GATEWAY and _is_of(host, NO_SITES):
        raise Objection(
            tell("is a page of Atlassian, not your Jira"),
            tell("open an issue in the browser and paste its address"),
        )
    return f"{parts.scheme}://{parts.netloc}{_own_path(host, parts.path)}"


def _own_path(host: str, path: str) -> str:
    """Return what of a path is the Jira's own: nothing on Cloud, the site behind the gateway, else what comes first."""
    if host == GATEWAY:
        site = re.match(r"/ex/jira/[^/]+", path)
        if site is None:
            raise Objection(
                tell("names no site behind the gateway"),
                tell(
                    "paste the address of the site itself: https://your-site.atlassian.net"
                ),
            )
        return site[0]
    if _is_of(host, (ATLASSIAN,)):
        return ""
    screen = _SCREENS.search(path)
    own = path[: screen.start()] if screen else path
    return own.rstrip("/")


def _split(text: str, hint: Text) -> SplitResult:
    """Return the parts of an address, which may lack its scheme or have that of Notion's own program."""
    wrapped = _WRAPPED.fullmatch(text)
    bare = wrapped[1] if wrapped else text
    address = re.sub(r"^notion://", "https://", bare)
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        raise Objection(_NO_ADDRESS, hint) from None
    is_plain = address.isprintable() and " " not in address
    if not (is_web and parts.hostname and is_plain):
        raise Objection(_NO_ADDRESS, hint)
    return parts


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    """Tell whether a host is one of some domains, or of a part of them."""
    return any(host == one or host.endswith(f".{one}") for one in domains)
