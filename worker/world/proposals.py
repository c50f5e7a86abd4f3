"""What lacks its counterpart, and which it may be: cards and their client or Jira work, people and their accounts. Pure.

Each proposal says by what it is made. Only a proposal that nothing else comes near to is sure; nothing is joined here.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec.structs import replace
from rapidfuzz import fuzz, utils

from worker.domain.entities import Account, Card, Client, Issue, JiraProject, Person
from worker.domain.entities import Row as BoardRow
from worker.domain.messages import NOTHING, Text, tell
from worker.domain.values import Ref
from worker.mapping.likeness import SAME as SAME_NAME
from worker.mapping.likeness import likeness
from worker.world.attach import EPIC_LEVEL
from worker.world.links import LinkKind, parse_link
from worker.world.match import ENDED
from worker.world.world import World

NAMED = 100
"""A key that stands in the name, or one e-mail address on both sides."""
SAME = 95
LETTERS = 85
"""The same name in the letters of another alphabet."""
SHARED = 80
"""Work of one Jira project, on a card that has no client and on one that has."""
CLIENT = 55
BESIDE = 50
"""What holds for every card of a client says little about one of them."""
NEAR = 75
"""At most so much says a name that is only similar."""
SIMILAR = 60
"""From here on, of 100, two names are similar."""
SURE = 95
MARGIN = 10
"""By so much the best of several has to be ahead of all others."""
TAKEN = 60
"""At most so much where a card has the same work already: its figures would be counted twice."""
PROPOSED = 5
BOARDS = ("projects", "people")
ISSUE_KEY = re.compile(r"(?<![\w-])([A-Z][A-Z0-9_]+)-[0-9]+(?!\w)")
LATIN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziiklmnoprstufye", strict=True)),
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ъ": "",
        "ь": "",
        "ю": "iu",
        "я": "ia",
        "ё": "e",
    }
)
"""The letters of Russian names in Latin passports. Source: ICAO Doc 9303-3, section 6."""


class Directory(msgspec.Struct, frozen=True, gc=False):
    """Who is known to the two services: accounts of Jira, and users of Notion."""

    accounts: tuple[Account, ...] = ()
    members: tuple[Account, ...] = ()


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What a cell may be meant to hold: the `value` that would stand in it, how people call that, how likely it is, of
    100, and by what."""

    value: str
    name: str
    score: int
    reason: Text


class Gap(msgspec.Struct, frozen=True, gc=False):
    """An empty cell of people's in which something is to be named, with the likeliest first; `is_sure` when the first
    is the only one it can be."""

    ref: Ref
    field: str
    name: str
    url: str
    candidates: tuple[Candidate, ...] = ()
    is_sure: bool = False


Evidence = tuple[int, Text]


def find_gaps(world: World, directory: Directory) -> tuple[Gap, ...]:
    """Return what lacks its counterpart: living cards without a client or Jira work, staff without accounts."""
    scene = _Scene(world, directory)
    cards, people = _card_gaps(scene), _person_gaps(scene)
    return _mark_sure([*_in_order(cards), *_in_order(people)])


def _in_order(gaps: Iterable[Gap | None]) -> list[Gap]:
    found = [gap for gap in gaps if gap is not None]
    return sorted(found, key=lambda gap: (gap.name.casefold(), gap.ref, gap.field))


@dataclass(frozen=True)
class _Scene:
    """What is compared, and what is somebody's already."""

    world: World
    directory: Directory

    @cached_property
    def epics(self) -> Sequence[Issue]:
        """The epics on which work is not done."""
        issues = self.world.issues.values()
        return [one for one in issues if one.level >= EPIC_LEVEL and not one.done]

    @cached_property
    def named(self) -> Mapping[str, Card]:
        """The cards by the key of the project or epic that they name."""
        named: dict[str, Card] = {}
        for card in self.world.cards.values():
            for link in parse_link(card.jira, self.world.jira_url).each():
                if link.kind in (LinkKind.PROJECT, LinkKind.EPIC):
                    named.setdefault(link.text, card)
        return named

    @cached_property
    def projects_of(self) -> Mapping[Ref, frozenset[str]]:
        """The keys of the projects in which cards of a client have work."""
        keys: defaultdict[Ref, set[str]] = defaultdict(set)
        for ref, work in self.world.work.items():
            card = self.world.cards.get(ref)
            if card is not None and card.client is not None:
                keys[card.client] |= {issue.project for issue in work.issues}
        return {client: frozenset(some) for client, some in keys.items()}

    def client_of(self, card: Card) -> Client | None:
        return self.world.clients.get(card.client) if card.client else None

    @cached_property
    def rows(self) -> Mapping[Ref, BoardRow]:
        """The rows in which something may be missing."""
        some = self.world.rows
        return {row.ref: row for name in BOARDS for row in some.get(name, ())}


# -- cards -------------------------------------------------------------------------------------------------------------


def _card_gaps(scene: _Scene) -> Iterator[Gap | None]:
    for card in scene.world.cards.values():
        if card.stage in ENDED:
            continue
        if card.client is None:
            yield _gap(scene, card, "client", _clients_for(card, scene))
        if not (card.jira or "").strip():
            yield _gap(scene, card, "jira", _work_for(card, scene))


def _clients_for(card: Card, scene: _Scene) -> Iterator[Candidate]:
    projects = {issue.project for issue in _issues_of(card, scene)}
    for ref, client in scene.world.clients.items():
        evidence = [_similar(card.name, client.name)]
        if _holds(card.name, client.name):
            evidence.append((SAME, tell("the card's name holds the client's")))
        if projects & scene.projects_of.get(ref, frozenset()):
            reason = tell("other cards of the client are in the same Jira project")
            evidence.append((SHARED, reason))
        yield _candidate(str(ref), client.name, evidence)


def _issues_of(card: Card, scene: _Scene) -> Sequence[Issue]:
    work = scene.world.work.get(card.ref)
    return work.issues if work else ()


def _work_for(card: Card, scene: _Scene) -> Iterator[Candidate]:
    """Yield the projects and epics that a card may mean, and the issues whose keys stand in its name."""
    for project in scene.world.jira_projects:
        evidence = list(_for_project(card, project, scene))
        shown = f"{project.name} ({project.key})"
        yield _beside_others(_candidate(project.key, shown, evidence), scene)

    keys = {project.key for project in scene.world.jira_projects}
    named = {match[0] for match in ISSUE_KEY.finditer(card.name) if match[1] in keys}
    known = {epic.key: epic for epic in scene.epics}
    for key in sorted(named | known.keys()):
        evidence = []
        shown = key
        if key in named:
            evidence.append((NAMED, tell("its name holds the key {key}", key=key)))
        if key in known:
            evidence += _by_name(card.name, known[key].summary)
            shown = f"{known[key].summary} ({key})"
        yield _beside_others(_candidate(key, shown, evidence), scene)


def _for_project(card: Card, project: JiraProject, scene: _Scene) -> Iterator[Evidence]:
    yield from _by_name(card.name, project.name)
    if re.search(rf"(?<![\w-]){re.escape(project.key)}(?![\w-])", card.name):
        yield NAMED, tell("its name holds the key {key}", key=project.key)
    client = scene.client_of(card)
    if client is None:
        return
    if likeness(client.name, [project.name]) == SAME_NAME:
        yield CLIENT, tell("the project is called as the client")
    if project.key in scene.projects_of.get(client.ref, frozenset()):
        yield BESIDE, tell("other cards of the client are in it")


def _beside_others(candidate: Candidate, scene: _Scene) -> Candidate:
    """Return a candidate with what speaks against it: work that a card has already."""
    other = scene.named.get(candidate.value)
    if other is None:
        return candidate
    reason = tell(
        "{reason}; “{card}” has it already", reason=candidate.reason, card=other.name
    )
    return replace(candidate, score=min(candidate.score, TAKEN), reason=reason)


# -- people ------------------------------------------------------------------------------------------------------------


def _person_gaps(scene: _Scene) -> Iterator[Gap | None]:
    world = scene.world
    for person in world.people.values():
        if not person.is_staff(world.today):
            continue
        if person.jira is None:
            gap = _gap(scene, person, "jira_account", _accounts_for(person, scene))
            is_needed = person.role in world.thresholds.producing_roles
            yield gap if gap is not None and (is_needed or gap.candidates) else None
        if person.notion_user is None:
            gap = _gap(scene, person, "notion_user", _members_for(person, scene))
            is_known = gap is not None and _is_likely(gap)
            yield gap if is_known else None


def _is_likely(gap: Gap) -> bool:
    """Tell whether more than a similar name speaks for the best: not everybody has to be a user of Notion."""
    return bool(gap.candidates) and gap.candidates[0].score >= LETTERS


def _accounts_for(person: Person, scene: _Scene) -> Iterator[Candidate]:
    taken = {one.jira for one in scene.world.people.values()}
    mail = _mail_of(person.notion_user, scene.directory.members)
    for account in scene.directory.accounts:
        if account.id not in taken:
            yield _account(person, account, mail)


def _members_for(person: Person, scene: _Scene) -> Iterator[Candidate]:
    taken = {one.notion_user for one in scene.world.people.values()}
    mail = _mail_of(person.jira, scene.directory.accounts)
    for member in scene.directory.members:
        if member.id not in taken:
            yield _account(person, member, mail)


def _mail_of(name: str | None, known: Iterable[Account]) -> str:
    mails = (one.email for one in known if one.id == name)
    return next(mails, "").casefold()


def _account(person: Person, account: Account, mail: str) -> Candidate:
    evidence = list(_by_name(person.name, account.name))
    if mail and mail == account.email.casefold():
        evidence.append((NAMED, tell("the same e-mail, {email}", email=account.email)))
    ours, theirs = _latin(person.name), _latin(account.name)
    is_other = person.name.casefold() != ours or account.name.casefold() != theirs
    if is_other and fuzz.token_sort_ratio(ours, theirs) >= LETTERS:
        evidence.append((LETTERS, tell("the same name in other letters")))
    shown = f"{account.name} <{account.email}>" if account.email else account.name
    return _candidate(account.id, shown, evidence)


def _latin(name: str) -> str:
    return name.casefold().translate(LATIN)


# -- evidence ----------------------------------------------------------------------------------------------------------


def _by_name(ours: str, theirs: str) -> Iterator[Evidence]:
    if likeness(ours, [theirs]) == SAME_NAME:
        yield SAME, tell("the same name")
    yield _similar(ours, theirs)


def _similar(ours: str, theirs: str) -> Evidence:
    ratio = fuzz.token_set_ratio(ours, theirs, processor=utils.default_process)
    score = round(NEAR * ratio / 100) if ratio >= SIMILAR else 0
    return score, tell("a similar name")


def _holds(name: str, part: str) -> bool:
    """Tell whether a name holds another one in whole words."""
    words = r"\W+".join(map(re.escape, part.casefold().split()))
    return bool(words and re.search(rf"(?<!\w){words}(?!\w)", name.casefold()))


def _candidate(value: str, name: str, evidence: Iterable[Evidence]) -> Candidate:
    """Return a candidate by the strongest evidence, of none with a score of zero."""
    score, reason = max(evidence, key=lambda one: one[0], default=(0, NOTHING))
    return Candidate(value, name, score, reason)


def _gap(
    scene: _Scene, entity: Card | Person, field: str, candidates: Iterable[Candidate]
) -> Gap | None:
    """Return an empty cell with its best candidates; None where there is no such column."""
    row = scene.rows.get(entity.ref)
    if row is None or field not in row.fields:
        return None
    likely = [one for one in candidates if one.score > 0]
    likely.sort(key=lambda one: (-one.score, one.name, one.value))
    return Gap(entity.ref, field, entity.name, entity.url, tuple(likely[:PROPOSED]))


def _mark_sure(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Return the gaps, sure where one candidate is far ahead and no other row lays claim to it."""
    marked = list(gaps)
    claims = Counter(
        (gap.field, one.value)
        for gap in marked
        for one in gap.candidates
        if one.score > SURE - MARGIN
    )
    return tuple(replace(gap, is_sure=_is_sure(gap, claims)) for gap in marked)


def _is_sure(gap: Gap, claims: Mapping[tuple[str, str], int]) -> bool:
    if not gap.candidates:
        return False
    best, *others = gap.candidates
    is_ahead = all(best.score - one.score >= MARGIN for one in others)
    is_alone = gap.field == "client" or claims[gap.field, best.value] == 1
    return best.score >= SURE and is_ahead and is_alone
