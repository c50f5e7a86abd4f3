"""Jira into the snapshot: one JQL over everything the cards link to, worklogs by their own feed.

An idle delta is three requests: the JQL, worklogs updated, worklogs deleted. Whatever the cards newly link to is read
in full once, by the same JQL that asks for what changed of everything else (`covered`). Only a complete full read drops
issues that no longer answer (docs/facts/jira-api.md 2.2, 2.3, 2.4); those that no card links any more go at once.

What Jira refuses is the problem of the cards that name it: left out of the common JQL, remembered, and asked again by
a full read or when the cell changes. What such a card came to before stands, with its age.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from worker.domain.entities import Above, Category, Issue, JiraProject, Move
from worker.domain.messages import ENGLISH, literal, render, tell
from worker.errors import Code, Denied, Missing, Problem, Rejected
from worker.jira.beyond import count_beyond, gather_branches
from worker.jira.paging import EVERYTHING, changed_since, epoch_ms
from worker.jira.vanished import Lost, find_hidden
from worker.ports.tracker import IssueBatch, Tracker, Unread, WorklogBatch
from worker.read.beside import condition_in, find_strange, find_watched
from worker.read.lookup import LOOKUP, LinkedEpic, Lookup, Standing
from worker.read.parents import read_above
from worker.read.renames import follow_renames, renamed_keys
from worker.read.unlinked import branch_of, find_unlinked
from worker.read.unread import problems_of
from worker.read.worklogs import read_feeds, read_logged, worklog_bound
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Tx
from worker.world.attach import (
    EPIC_LEVEL,
    find_boughs,
    find_covered,
    find_work,
    index_issues,
    with_parents,
)
from worker.world.links import (
    Link,
    LinkKind,
    ResolvedLink,
    links_of,
    name_of,
    named,
    parts_of,
    shown_of,
    texts_of,
)
from worker.world.listing import Listing, compose
from worker.world.passing import is_passing

T = TypeVar("T")
FORBIDDEN = 403
OVERLAP = timedelta(minutes=5)
PASSING = timedelta(hours=1)
"""How long an answer counts that may change while no issue does."""
IDS_AT_ONCE = 500
"""Jira Cloud refuses lists of more than a thousand values."""
CHUNK = 5_000
"""Issues in hand at a time."""
UPDATED = "jira:updated"
NO_ISSUES = IssueBatch((), complete=True)


@dataclass(frozen=True, slots=True)
class TrackerRead:
    """What one read of Jira gave: links by card page id, the projects that may be read, problems, and why it was
    incomplete."""

    links: Mapping[str, ResolvedLink]
    projects: tuple[JiraProject, ...] = ()
    problems: tuple[Problem, ...] = ()
    incomplete: str = ""
    hidden: Mapping[str, datetime] = field(default_factory=dict)
    """Since when issues are not visible any more, by id."""
    above: Mapping[str, Above] = field(default_factory=dict)
    """Parents that are not read themselves, by id."""


def recall_tracker(site: Site, links: Mapping[str, Link]) -> TrackerRead:
    """Return what the last read made of the links, asking nobody."""
    with site.reading() as tx:
        lookup = LOOKUP.load(tx)
    return TrackerRead(
        lookup.resolved(links),
        lookup.listing.projects,
        hidden=lookup.hidden,
        above=lookup.above,
    )


@dataclass(slots=True)
class _Reader:
    """One read under way; a full one asks for the histories in `doubted` again, and for all when statuses were not
    understood (`doubts_all`)."""

    jira: Tracker
    site: Site
    links: Mapping[str, Link]
    full: bool
    now: datetime
    lookup: Lookup
    problems: list[Problem] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    doubts_all: bool = False
    proven: set[str] = field(default_factory=set)
    """Conditions that Jira found nothing wrong with in this read."""
    logged_to: int | None = None
    """The bound of the worklogs' feeds (epoch ms); without one all worklogs are read, whatever the snapshot has."""
    covered: frozenset[str] = frozenset()
    """What is asked for changes alone, by the names of `_names_of_parts`: it was read in full before."""
    is_narrower: bool = False
    """Something that was read before is linked no more."""
    forgets: bool = False
    """Whether issues that are not visible any more are dropped."""
    has_projects: bool = False
    """Whether the projects were read in this read."""
    newest: datetime | None = None
    """The newest change up to which all issues came, None when that is what it was."""
    seen: set[str] = field(default_factory=set)
    """The ids of the issues that came."""
    parents: set[str] = field(default_factory=set)
    """The ids of what is above the issues that were kept."""
    aside: Sequence[Issue] = ()
    """What came and is not linked, but changed in a project of which something is."""

    @property
    def listing(self) -> Listing:
        """The projects that may be read."""
        return self.lookup.listing

    def reading(self) -> AbstractContextManager[Tx]:
        """Return a transaction that only reads the state."""
        return self.site.reading()

    def transaction(self) -> AbstractContextManager[Tx]:
        """Return a transaction that may write the state."""
        return self.site.transaction()


def read_tracker(
    jira: Tracker,
    site: Site,
    *,
    links: Mapping[str, Link],
    full: bool,
    now: datetime,
    forgets: bool = False,
) -> TrackerRead:
    """Bring the snapshot's issues and worklogs up to date; raises the API errors of the gateway.

    What Jira refuses of a card's link is that card's problem alone. `forgets` drops what is not visible any more.
    """
    with site.reading() as tx:
        lookup = LOOKUP.load(tx)
        logged_to = worklog_bound(tx, now=now)
    reader = _Reader(jira, site, links, full, now, lookup, forgets=forgets)
    if lookup.covered:
        reader.logged_to = logged_to
    if full:
        _doubt_unread(reader)
        lookup.above = {}

    _list_projects(reader)
    _resolve(reader, afresh=full)
    bound = lookup.listing.bound
    read = _read_linked(reader, full=full or bound != lookup.bound)
    incomplete = read.incomplete
    if not incomplete:
        incomplete = _match(reader, refresh=read.changed)
    if not incomplete:
        _forget_unlinked(reader)
        read_above(site, lookup, reader.parents, lambda ids: _read_ids(reader, ids))
    if read.scope and not incomplete:
        incomplete = _read_worklogs(reader)
    if not incomplete:
        lookup.bound = bound

    _remember(reader, whole=not incomplete)
    keys = _save(reader)
    reader.problems += problems_of(lookup.unread, keys)
    if incomplete:
        reader.problems.append(
            Problem(
                code=Code.INCOMPLETE_READ,
                where=literal("Jira"),
                message=tell("not everything could be read: {why}", why=incomplete),
                hint=tell("nothing is dropped until a complete read"),
            )
        )
    return TrackerRead(
        lookup.resolved(links),
        lookup.listing.projects,
        tuple(reader.problems),
        incomplete,
        lookup.hidden,
        lookup.above,
    )


def _list_projects(reader: _Reader) -> None:
    """Take over which projects may be read; one that is newly listed may not have been there when they were read."""
    lookup = reader.lookup
    listed = reader.site.settings.jira.projects
    is_new = listed != lookup.listed
    lookup.relist(listed, lookup.projects)
    if is_new and lookup.listing.missing():
        _read_projects(reader)


def _doubt_unread(reader: _Reader) -> None:
    """Ask again for histories that could not be read, for all of them where it was statuses."""
    for one in reader.lookup.unread:
        match one.kind:
            case "history":
                reader.doubted.add(one.issue)
            case "status":
                reader.doubts_all = True


def _save(reader: _Reader) -> dict[str, str]:
    """Keep what the links came to; return the keys of issues of which something is unread, by id."""
    lookup = reader.lookup
    concerned = {unread.issue for unread in lookup.unread if unread.issue}
    with reader.transaction() as tx:
        keys = {}
        for issue in snapshots.find_issues(tx, sorted(concerned)):
            keys[issue.id] = issue.key
        # With an issue what is unread of it is gone too.
        gone = concerned - keys.keys()
        still_unread = []
        for unread in lookup.unread:
            if unread.issue not in gone:
                still_unread.append(unread)
        lookup.unread = still_unread
        LOOKUP.save(tx, lookup)
        # Not before: what a read that breaks off made of the changes is lost, and they are to be seen again.
        if reader.newest is not None:
            registry.set_cursor(tx, UPDATED, reader.newest.isoformat())
    return keys


def _named(reader: _Reader, kind: LinkKind) -> set[str]:
    return texts_of(reader.links.values(), kind)


def _asked(reader: _Reader, kind: LinkKind) -> set[str]:
    """Return what the links of a kind name, without what Jira refuses."""
    return reader.lookup.accepted(kind, _named(reader, kind))


def _resolve(reader: _Reader, *, afresh: bool) -> None:
    """Look up what the links name and was not looked up before, nor refused; `afresh`: everything."""
    if afresh:
        reader.lookup.refused = {}
    _look_up_filters(reader, afresh=afresh)
    _look_up_boards(reader, afresh=afresh)
    _look_up_projects(reader, afresh=afresh)
    _look_up_epics(reader, afresh=afresh)
    _validate(reader, _conditions(reader), afresh=afresh)


def _look_up_projects(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    if afresh or _unknown_projects(reader) or not lookup.projects:
        _read_projects(reader)


def _unknown_projects(reader: _Reader) -> set[str]:
    """Return the projects that links name and the account does not see, without those it was known not to see."""
    lookup = reader.lookup
    unseen: set[str] = set()
    for link in parts_of(reader.links.values()):
        unseen |= lookup.unseen_projects(link)
    refused = lookup.refused
    projects = set()
    for project in unseen:
        name = named(LinkKind.PROJECT, project)
        if name not in refused:
            projects.add(project)
    return projects


def _look_up_epics(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    wanted = set()
    for key in _named(reader, LinkKind.EPIC):
        name = name_of(Link(LinkKind.EPIC, key))
        if lookup.may_ask(key) and name not in lookup.refused:
            wanted.add(key)
    if not afresh:
        wanted -= lookup.epics.keys()
    if not wanted:
        return

    issues = reader.jira.by_keys(sorted(wanted))
    projects = {issue.project for issue in issues.values()}
    _look_up_strange(reader, projects)
    for key, issue in issues.items():
        epic = LinkedEpic(issue.id, issue.project, issue.key, issue.level)
        lookup.epics[key] = epic
    missing = wanted - issues.keys()
    lookup.refuse(LinkKind.EPIC, missing)


def _look_up_filters(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    wanted = _asked(reader, LinkKind.FILTER)
    if not afresh:
        wanted -= lookup.filters.keys()
    for filter_id in sorted(wanted):
        _look_up_filter(reader, filter_id)


def _look_up_boards(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    wanted = _asked(reader, LinkKind.BOARD)
    if not afresh:
        wanted -= lookup.boards.keys()
    for board_id in sorted(wanted):
        _look_up_board(reader, board_id)


def _read_projects(reader: _Reader) -> None:
    """Read the projects, follow those that have another key and refuse those that are not there; one that cannot be read
    stays what it was."""
    lookup = reader.lookup
    batch = reader.jira.projects()
    reader.has_projects = True
    kept = batch.unread_of(lookup.projects)
    projects = [*batch.projects, *kept]
    keys = renamed_keys(lookup.projects, projects)
    if keys:
        with reader.transaction() as tx:
            follow_renames(tx, lookup, projects, keys)
    lookup.relist(lookup.listed, projects)

    listing = lookup.listing
    allowed = []
    for unread in batch.unread:
        if listing.allows(unread.name):
            allowed.append(unread)
    lookup.note_unread(allowed, kinds={"project"})
    lookup.refuse(LinkKind.PROJECT, _unknown_projects(reader))


def _look_up_strange(reader: _Reader, keys: Collection[str]) -> None:
    """Read the projects when issues show one that is not known: it is new, or it was renamed."""
    lookup = reader.lookup
    strange = set(keys)
    strange -= lookup.project_keys()
    strange -= lookup.unread_projects()
    if strange:
        _read_projects(reader)


def _look_up_filter(reader: _Reader, filter_id: str) -> None:
    lookup = reader.lookup
    with _refusing(reader, LinkKind.FILTER, filter_id):
        lookup.filters[filter_id] = reader.jira.filter_jql(filter_id)


def _look_up_board(reader: _Reader, board_id: str) -> None:
    lookup = reader.lookup
    with _refusing(reader, LinkKind.BOARD, board_id):
        lookup.boards[board_id] = reader.jira.board_jql(board_id)


@contextmanager
def _refusing(reader: _Reader, kind: LinkKind, name: str) -> Iterator[None]:
    """Note a filter or board that Jira does not give: it says 404, 400 or 403 of one that is gone or not shared."""
    try:
        yield
    except (Denied, Missing, Rejected) as error:
        if isinstance(error, Denied) and error.status != FORBIDDEN:
            raise
        reader.lookup.refuse(kind, [name], error.detail)


def _conditions(reader: _Reader) -> list[str]:
    """Return the conditions of all cards that Jira does not refuse."""
    lookup = reader.lookup
    conditions = set()
    for link in parts_of(reader.links.values()):
        condition = lookup.condition_of(link)
        if condition and name_of(link) not in lookup.refused:
            conditions.add(condition)
    accepted = lookup.accepted(LinkKind.JQL, conditions)
    return sorted(accepted)


def _validate(
    reader: _Reader, conditions: Iterable[str], *, afresh: bool = False
) -> None:
    """Note which conditions Jira does not understand, of those that were never matched or all."""
    matched = reader.lookup.matched
    asked = []
    for condition in conditions:
        if afresh or condition not in matched:
            asked.append(condition)
    if not asked:
        return

    wrong = reader.jira.validate(asked)
    reader.proven |= set(asked) - wrong.keys()
    for condition, said in wrong.items():
        reader.lookup.refuse(LinkKind.JQL, [condition], said)


def _parts(reader: _Reader) -> list[Link]:
    """Return what the common JQL is made of: projects and conditions, without what Jira refuses."""
    lookup = reader.lookup
    epics = _asked(reader, LinkKind.EPIC)
    named = _named(reader, LinkKind.PROJECT)
    keys = named & lookup.project_keys()
    for key, epic in lookup.epics.items():
        if key in epics:
            keys.add(epic.project)

    projects = lookup.accepted(LinkKind.PROJECT, keys)
    branched: list[str] = []
    for key in epics:
        if _branches(lookup, key):
            branched.append(key)
    parts = links_of(LinkKind.PROJECT, projects)
    parts += links_of(LinkKind.EPIC, branched)
    parts += links_of(LinkKind.JQL, _conditions(reader))
    return parts


def _branches(lookup: Lookup, key: str) -> bool:
    """Tell whether issues of other projects may hang below what a key names: below ordinary ones none do."""
    epic = lookup.epics.get(key)
    return epic is not None and not epic.is_plain


def _jql(reader: _Reader, parts: Iterable[Link]) -> str:
    """Return one JQL over some parts, empty for none."""
    epics: list[str] = []
    keys: list[str] = []
    conditions: list[str] = []
    for part in parts:
        if part.kind is LinkKind.PROJECT:
            keys.append(part.text)
        elif part.kind is LinkKind.JQL:
            conditions.append(f"({part.text})")
        elif part.kind is LinkKind.EPIC:
            epic = reader.lookup.epics[part.text]
            epics.append(epic.key or part.text)
    if epics:
        below = reader.jira.below(epics)
        conditions.insert(0, f"({below})")
    projects = _ids_of_projects(reader, keys)
    return compose(projects, conditions, reader.listing)


def _ids_of_projects(reader: _Reader, keys: Iterable[str]) -> list[str]:
    """Return how a query names some projects: by id, for another may have got the key since the projects were read."""
    ids = reader.lookup.project_ids()
    names: list[str] = []
    for key in keys:
        name = ids.get(key, f'"{key}"')
        names.append(name)
    return names


def _scope(reader: _Reader) -> str:
    """Return the JQL over everything linked, and what lies beside it."""
    parts = _parts(reader)
    linked = _jql(reader, parts)
    watched = find_watched(reader.lookup, parts)
    if not linked or not watched:
        return linked
    beside = condition_in(watched)
    return f"{linked} OR {beside}"


def _names_of_parts(lookup: Lookup, parts: Iterable[Link]) -> dict[Link, str]:
    """Return under which names parts count as read: by ids, which stay when keys change."""
    projects = lookup.project_ids()
    names: dict[Link, str] = {}
    for part in parts:
        name = part.text
        match part.kind:
            case LinkKind.PROJECT:
                name = projects.get(part.text, part.text)
            case LinkKind.EPIC:
                name = lookup.epics[part.text].issue
        names[part] = f"{part.kind.value} {name}"
    return names


def _question(
    reader: _Reader, parts: Sequence[Link], since: datetime | None, *, beside: str = ""
) -> tuple[str, datetime | None]:
    """Return the JQL of some parts and its bound: of what was read before, and of what lies `beside`, the changes; the
    rest in full."""
    if since is None:
        return _jql(reader, parts), None

    read = _covered(reader, parts)
    fresh: list[Link] = []
    for part in parts:
        if part not in read:
            fresh.append(part)
    known = _jql(reader, read)
    if known and beside:
        known = f"{known} OR {beside}"
    elif beside:
        known = beside
    if not known:
        return _jql(reader, fresh), None
    if not fresh:
        return known, since

    bound = epoch_ms(since)
    changes = changed_since(known, bound)
    whole = texts_of(read, LinkKind.PROJECT)
    newly = _jql_of_fresh(reader, fresh, whole)
    return f"({changes}) OR {newly}", None


def _covered(reader: _Reader, parts: Iterable[Link]) -> dict[Link, str]:
    """Return those of some parts that were read in full before, with their names."""
    names = _names_of_parts(reader.lookup, parts)
    read: dict[Link, str] = {}
    for part, name in names.items():
        if name in reader.covered:
            read[part] = name
    return read


def _jql_of_fresh(
    reader: _Reader, parts: Sequence[Link], whole: Collection[str]
) -> str:
    """Return the JQL of parts that were never read, without what they have of projects that were."""
    projects: list[Link] = []
    others: list[Link] = []
    for part in parts:
        if part.kind is LinkKind.PROJECT:
            projects.append(part)
        else:
            others.append(part)

    conditions: list[str] = []
    if projects:
        jql = _jql(reader, projects)
        conditions.append(jql)
    if others:
        jql = _jql(reader, others)
        outside = _outside(reader, jql, whole)
        conditions.append(f"({outside})")
    return " OR ".join(conditions)


def _outside(reader: _Reader, jql: str, projects: Collection[str]) -> str:
    """Return a JQL without what lies in some projects."""
    if not projects:
        return jql
    names = _ids_of_projects(reader, sorted(projects))
    listed = ", ".join(names)
    return f"({jql}) AND project not in ({listed})"


def _search(
    reader: _Reader, parts: Sequence[Link], since: datetime | None, *, within: str = ""
) -> IssueBatch:
    """Return the issues of all parts, or what of them lies `within` a condition; when Jira refuses them, by halves until
    it is known which, and those are noted."""
    if not parts:
        return NO_ISSUES
    jql, bound = _question(reader, parts, since)
    if within:
        jql = f"({jql}) AND {within}"
    try:
        return reader.jira.issues(jql, since=bound)
    except Rejected as error:
        refusal = error

    if reader.listing.listed is not None and not reader.has_projects:
        # The bound itself is refused once one of its projects is out of view.
        _read_projects(reader)
        accepted = _parts(reader)
        left = [part for part in parts if part in accepted]
        return _search(reader, left, since, within=within)
    if len(parts) == 1:
        part = parts[0]
        reader.lookup.refuse(part.kind, [part.text], refusal.detail)
        return NO_ISSUES

    half = len(parts) // 2
    first = _search(reader, parts[:half], since, within=within)
    second = _search(reader, parts[half:], since, within=within)
    return first.joined(second)


def _search_parts(
    reader: _Reader, parts: Sequence[Link], since: datetime | None
) -> IssueBatch:
    """Return the issues of all parts that Jira accepts; raises `Rejected` when it accepts no query at all."""
    batch = _search(reader, parts, since)
    accepted = _parts(reader)
    if not set(parts).intersection(accepted):
        everything = reader.listing.bounded(EVERYTHING)
        reader.jira.issues(everything, since=reader.now)
    return batch


def _read_changes(
    reader: _Reader, parts: Sequence[Link], since: datetime | None
) -> IssueBatch:
    """Return the issues of all parts, and of what was read before what left them: no query of theirs shows that.

    So the question is also for what changed in the projects of known issues. Where that brings others, which may have
    come in, Jira is asked which of them have, once for each change.
    """
    watched = find_watched(reader.lookup, parts)
    if not watched or since is None:
        return _search_parts(reader, parts, since)

    beside = condition_in(watched)
    jql, bound = _question(reader, parts, since, beside=beside)
    try:
        batch = reader.jira.issues(jql, since=bound)
    except Rejected:
        return _read_changes_apart(reader, parts, since)

    strange = _strangers(reader, parts, batch)
    linked = NO_ISSUES
    if batch.problems:
        # What cannot be read is told of what is linked, not of its neighbours.
        linked = _search_parts(reader, parts, since)
    elif _has_new(reader, parts, strange):
        linked = _search(reader, parts, since, within=beside)
    return _set_aside(reader, batch, strange, linked)


def _read_changes_apart(
    reader: _Reader, parts: Sequence[Link], since: datetime
) -> IssueBatch:
    """Return what `_read_changes` does where Jira refuses its question: once the projects were read again, by two."""
    if not reader.has_projects:
        _read_projects(reader)
        accepted = _parts(reader)
        left = [part for part in parts if part in accepted]
        return _read_changes(reader, left, since)

    linked = _search_parts(reader, parts, since)
    watched = find_watched(reader.lookup, parts)
    try:
        beside = reader.jira.issues(condition_in(watched), since=since)
    except Rejected:
        return linked
    batch = linked.joined(beside)
    strange = _strangers(reader, parts, batch)
    return _set_aside(reader, batch, strange, linked)


def _set_aside(
    reader: _Reader, batch: IssueBatch, strange: Iterable[Issue], linked: IssueBatch
) -> IssueBatch:
    """Return a batch without what is neither known nor linked, and without the problems of that."""
    ids = linked.ids()
    aside: list[Issue] = []
    for issue in strange:
        if issue.id not in ids:
            aside.append(issue)
    reader.aside = aside
    kept = batch.without(aside, problems=linked.problems)
    return kept.joined(linked)


def _strangers(
    reader: _Reader, parts: Iterable[Link], batch: IssueBatch
) -> list[Issue]:
    """Return what of a batch lies in watched projects and is not known."""
    _look_up_strange(reader, batch.projects())
    known = _known(reader, batch)
    return find_strange(reader.lookup, parts, batch.issues, known)


def _known(reader: _Reader, batch: IssueBatch) -> set[str]:
    """Return the ids of those issues of a batch that the snapshot holds."""
    ids = sorted(batch.ids())
    with reader.reading() as tx:
        stored = snapshots.find_issues(tx, ids)
    return {issue.id for issue in stored}


def _has_new(reader: _Reader, parts: Sequence[Link], strange: Iterable[Issue]) -> bool:
    """Tell whether Jira was not asked yet which of some issues are linked, as they are now."""
    judged: Mapping[str, datetime] = {}
    covered = _covered(reader, parts)
    if len(covered) == len(parts):
        judged = reader.lookup.aside
    for issue in strange:
        last = judged.get(issue.id)
        if last != issue.updated:
            return True
    return False


def _with_branches(
    reader: _Reader, parts: Sequence[Link], batch: IssueBatch, since: datetime | None
) -> IssueBatch:
    """Return a batch with what hangs deeper below the epics, and is not read with its project.

    The common JQL has what hangs directly below them, and whole projects: most epics need no more.
    """
    lookup = reader.lookup
    accepted = _parts(reader)
    whole = texts_of(accepted, LinkKind.PROJECT)
    epics = [part for part in parts if part.kind is LinkKind.EPIC]
    reached = set()
    for part in epics:
        epic = lookup.epics[part.text]
        reached.add(epic.issue)
    issues: dict[str, Issue] = {}
    boughs: dict[str, str] = {}
    if epics and since is not None:
        boughs = dict(lookup.boughs)
        deeper = _read_below(reader, boughs.values(), since)
        batch = batch.joined(deeper)
        if len(_covered(reader, epics)) < len(epics):
            issues = _stored(reader)

    reached |= boughs.keys()
    issues |= {issue.id: issue for issue in batch.issues}
    while grown := find_boughs(issues.values(), reached, whole):
        boughs |= grown
        reached |= grown.keys()
        deeper = _read_below(reader, grown.values(), None, outside=whole)
        batch = batch.joined(deeper)
        issues |= {issue.id: issue for issue in deeper.issues}
    lookup.boughs = boughs
    return batch


def _stored(reader: _Reader) -> dict[str, Issue]:
    """Return the issues of the snapshot: what hangs below an epic that was never linked may have been read before."""
    with reader.reading() as tx:
        issues = snapshots.load_issues(tx)
    return {issue.id: issue for issue in issues}


def _count_beyond(reader: _Reader, parts: Iterable[Link]) -> dict[str, int]:
    """Return how many issues hang below each epic in projects that are not listed, by its id, none left out; of an epic
    that was counted before it is what a full read told."""
    lookup = reader.lookup
    read = texts_of(_covered(reader, parts), LinkKind.EPIC)
    counts: dict[str, int] = {}
    fresh: dict[str, str] = {}
    for key in texts_of(parts, LinkKind.EPIC):
        issue = lookup.epics[key].issue
        if key not in read:
            fresh[issue] = key
        elif issue in lookup.beyond:
            counts[issue] = lookup.beyond[issue]
    if not fresh:
        return counts

    with reader.reading() as tx:
        boughs = snapshots.find_issues(tx, sorted(lookup.boughs))
    branches = gather_branches(fresh, boughs)
    by_key = count_beyond(reader.jira, lookup.listing, branches)
    for issue, key in fresh.items():
        if key in by_key:
            counts[issue] = by_key[key]
    return counts


def _read_below(
    reader: _Reader,
    keys: Iterable[str],
    since: datetime | None,
    *,
    outside: Collection[str] = (),
) -> IssueBatch:
    """Return what hangs directly below some issues, outside of some projects; below those that are gone meanwhile there
    is nothing."""
    listed = list(keys)
    if not listed:
        return NO_ISSUES
    bounded = reader.listing.bounded(reader.jira.below(listed))
    jql = _outside(reader, bounded, outside)
    try:
        return reader.jira.issues(jql, since=since)
    except Rejected:
        if len(listed) == 1:
            return NO_ISSUES
    half = len(listed) // 2
    first = _read_below(reader, listed[:half], since, outside=outside)
    second = _read_below(reader, listed[half:], since, outside=outside)
    return first.joined(second)


@dataclass(frozen=True, slots=True)
class _IssuesRead:
    """What one read of issues gave: the JQL that was read, whether any changed, why it was incomplete (empty: was not)."""

    scope: str = ""
    changed: bool = False
    incomplete: str = ""
    silent: bool = False
    """Nothing answered, not even the newest issue we know, if that lies within the bound and is still linked."""
    since: datetime | None = None


def _read_linked(reader: _Reader, *, full: bool) -> _IssuesRead:
    """Read the issues of everything linked.

    Cloud answers names that are gone with nothing, not with an error: silence is asked about
    (docs/facts/jira-api.md 1.1).
    """
    lookup = reader.lookup
    with reader.reading() as tx:
        cursors = registry.load_cursors(tx)
    bound = cursors.get(UPDATED, "")
    read = _read_issues(reader, full=full)
    if not read.silent or lookup.quiet == bound:
        return read
    if not _expects_answer(reader, read.since):
        lookup.quiet = bound
        return read
    _resolve(reader, afresh=True)
    if _scope(reader) == read.scope:
        lookup.quiet = bound
        return read
    return _read_issues(reader, full=full)


def _expects_answer(reader: _Reader, since: datetime | None) -> bool:
    """Tell whether the snapshot holds an issue that a read from a bound on should have shown."""
    if since is None:
        return False

    lookup = reader.lookup
    parts = _parts(reader)
    issues = _stored(reader).values()
    recent: list[Issue] = []
    for issue in issues:
        if issue.updated >= since:
            recent.append(issue)
    unlinked = find_unlinked(recent, parts, lookup.matched)
    branch = branch_of(parts, lookup, issues)
    unlinked -= branch
    return len(unlinked) < len(recent)


def _read_issues(reader: _Reader, *, full: bool) -> _IssuesRead:
    """Read issues into the snapshot: changes of what was read in full before, and the rest in full."""
    parts = _parts(reader)
    if not parts:
        if full:
            _forget_gone(reader, NO_ISSUES)
        _cover(reader, ())
        return _IssuesRead()

    lookup = reader.lookup
    full = full or reader.logged_to is None
    cursor = None
    if not full:
        with reader.reading() as tx:
            cursor = _cursor(tx, now=reader.now)
    since = None
    reader.covered = frozenset()
    if cursor is not None:
        since = cursor - OVERLAP
        reader.covered = frozenset(lookup.covered)

    batch = _read_changes(reader, parts, since)
    batch = _with_branches(reader, parts, batch, since)
    reader.problems += batch.problems

    has_changed = full or _is_any_later(batch.issues, cursor, now=reader.now)
    projects: set[str] = set()
    for chunk in _chunks(batch.issues):
        fresh = _keep(reader, chunk)
        projects |= {issue.project for issue in fresh}
        has_changed |= _is_any_changed(fresh, since)
    reader.seen |= batch.ids()
    for identity in reader.seen:
        lookup.hidden.pop(identity, None)
    _look_up_strange(reader, projects)
    lookup.follow(batch.issues)
    around = batch.projects()
    is_afresh = since is None
    lookup.surround(around, afresh=is_afresh)
    # What is known of a project that is not read whole may have left by its change.
    if has_changed and find_watched(lookup, parts):
        reader.is_narrower = True
    lookup.beyond = _count_beyond(reader, parts)
    if batch.complete:
        _settle(reader, parts, batch, cursor, full=full)

    is_empty = batch.complete and not batch.issues and not batch.problems
    return _IssuesRead(
        scope=_scope(reader),
        changed=has_changed,
        incomplete=_why_not_whole(batch, "not read to the end"),
        silent=cursor is not None and is_empty,
        since=since,
    )


def _settle(
    reader: _Reader,
    parts: Iterable[Link],
    batch: IssueBatch,
    cursor: datetime | None,
    *,
    full: bool,
) -> None:
    """Note what counts as read after all that was asked for came."""
    if full:
        _forget_gone(reader, batch)
    came = [*batch.issues, *reader.aside]
    if _is_any_later(came, cursor, now=reader.now):
        reader.newest = _newest_change(came, now=reader.now)
    judged: dict[str, datetime] = {}
    for issue in reader.aside:
        judged[issue.id] = issue.updated
    reader.lookup.aside = judged
    accepted = set(_parts(reader))
    _cover(reader, accepted.intersection(parts))


def _cover(reader: _Reader, parts: Iterable[Link]) -> None:
    """Note that some parts are in the snapshot, and no others."""
    names = _names_of_parts(reader.lookup, parts)
    covered = set(names.values())
    reader.is_narrower |= not covered.issuperset(reader.lookup.covered)
    reader.lookup.covered = sorted(covered)


def _forget_unlinked(reader: _Reader) -> None:
    """Drop the issues that belong to nothing linked any more, nor to a link that Jira does not answer to."""
    if not reader.is_narrower:
        return

    lookup = reader.lookup
    parts = _parts(reader)
    with reader.transaction() as tx:
        held = _held(reader, tx)
        issues = snapshots.load_issues(tx)
        branch = branch_of(parts, lookup, issues)
        unlinked = find_unlinked(issues, parts, lookup.matched)
        unlinked -= branch
        unlinked -= held
        unlinked -= _linked_hidden(reader, issues)
        snapshots.forget_issues(tx, sorted(unlinked))
    for identity in unlinked:
        lookup.hidden.pop(identity, None)
    boughs: dict[str, str] = {}
    for issue, key in lookup.boughs.items():
        if issue in branch:
            boughs[issue] = key
    lookup.boughs = boughs


def _linked_hidden(reader: _Reader, issues: Sequence[Issue]) -> set[str]:
    """Return which of the issues that are not visible any more are linked still."""
    hidden = reader.lookup.hidden.keys()
    if not hidden:
        return set()
    links = reader.lookup.resolved(reader.links)
    index = index_issues(issues, ())
    covered, _ = find_covered(links.values(), index)
    return hidden & covered


def _is_any_changed(issues: Iterable[Issue], since: datetime | None) -> bool:
    """Tell whether one of some issues was updated since a bound; others come with what is newly linked."""
    if since is None:
        return any(issues)
    return any(issue.updated >= since for issue in issues)


def _is_any_later(
    issues: Iterable[Issue], cursor: datetime | None, *, now: datetime
) -> bool:
    """Tell whether one of some issues was updated after all that earlier reads made something of: a read that broke off
    may have kept it."""
    newest = _newest_change(issues, now=now)
    return newest is not None and (cursor is None or newest > cursor)


def _chunks(issues: Sequence[Issue]) -> Iterator[Sequence[Issue]]:
    """Yield the issues some at a time: histories come by the thousand, and memory stays small."""
    for start in range(0, len(issues), CHUNK):
        end = start + CHUNK
        yield issues[start:end]


def _forget_gone(reader: _Reader, batch: IssueBatch) -> None:
    """Drop the issues that a complete read did not show, but those that are there and not visible any more."""
    with reader.reading() as tx:
        held = _held(reader, tx)
        gone = snapshots.issue_ids(tx) - batch.ids()
        issues: Sequence[Issue] = ()
        if gone:
            issues = snapshots.load_issues(tx)
    # What cannot be read is told by itself: it is left out, and is no reason to hold a card.
    hidden = _find_hidden(reader, batch.without_bad(issues), gone)
    with reader.transaction() as tx:
        snapshots.forget_issues(tx, sorted(gone - hidden - held))
    reader.lookup.hidden = _since(reader, hidden)


def _find_hidden(
    reader: _Reader, issues: Sequence[Issue], gone: Collection[str]
) -> set[str]:
    """Return which of the issues that are gone from view are linked, and there all the same."""
    if not gone or reader.forgets:
        return set()
    links = reader.lookup.resolved(reader.links)
    index = index_issues(issues, ())
    covered, fixed = find_covered(links.values(), index)
    return _judge(reader, issues, lost=covered.intersection(gone), fixed=fixed)


def _judge(
    reader: _Reader,
    issues: Sequence[Issue],
    *,
    lost: Collection[str],
    fixed: Collection[str] = (),
) -> set[str]:
    """Return which of the lost issues are there and not visible any more, of all that are known."""
    if lost and not reader.has_projects:
        _read_projects(reader)
    return find_hidden(
        reader.jira,
        reader.listing,
        Lost(
            [issue for issue in issues if issue.id in lost],
            fixed,
            Counter(issue.project for issue in issues),
            reader.lookup.hidden.keys(),
        ),
        reader.site.settings.limits,
    )


def _since(reader: _Reader, hidden: Iterable[str]) -> dict[str, datetime]:
    """Return since when each issue is not visible: since the last whole read that showed it."""
    lookup = reader.lookup
    last = lookup.read or reader.now
    since: dict[str, datetime] = {}
    for identity in hidden:
        since[identity] = lookup.hidden.get(identity, last)
    return since


def _held(reader: _Reader, tx: Tx) -> set[str]:
    """Return the ids of the issues that links Jira does not answer to any more came to, with their parents."""
    resolved = reader.lookup.resolved(reader.links)
    stale: list[ResolvedLink] = []
    for link in resolved.values():
        if link.as_of is not None:
            stale.append(link)
    if not stale:
        return set()

    issues = snapshots.load_issues(tx)
    index = index_issues(issues, ())
    held: set[str] = set()
    for link in stale:
        for issue in find_work(link, index).issues:
            held |= with_parents(issue, index)
    return held


def _keep(reader: _Reader, issues: Sequence[Issue]) -> Sequence[Issue]:
    """Put some issues into the snapshot, each whole: with its history, and its worklogs where it had none of them yet.

    Returns those that are new or changed.
    """
    ids = [issue.id for issue in issues]
    with reader.reading() as tx:
        stored = snapshots.find_issues(tx, ids)
    known = {issue.id: issue for issue in stored}

    unlogged: list[Issue] = []
    for issue in issues:
        if reader.logged_to is None or issue.id not in known:
            unlogged.append(issue)
    logged = read_logged(reader.jira, reader.lookup, unlogged)
    reader.problems += logged.problems
    left_out = logged.left_out - known.keys()

    whole = _with_moves(reader, issues, known)
    fresh: list[Issue] = []
    for issue in whole:
        before = known.get(issue.id)
        if issue.id not in left_out and before != issue:
            fresh.append(issue)
        if issue.parent is not None:
            reader.parents.add(issue.parent)
    owned: list[str] = []
    for issue in unlogged:
        if issue.id not in logged.left_out:
            owned.append(issue.id)

    with reader.transaction() as tx:
        snapshots.save_issues(tx, fresh)
        snapshots.replace_worklogs(tx, owned, logged.logs)
        _keep_notes(reader, tx)
    return fresh


def _keep_notes(reader: _Reader, tx: Tx) -> None:
    """Keep what could not be read with the issues of which it is: what is known already is not asked for again."""
    stored = LOOKUP.load(tx)
    unread = reader.lookup.unread
    if stored.unread == unread:
        return
    stored.unread = unread
    LOOKUP.save(tx, stored)


def _with_moves(
    reader: _Reader, issues: Sequence[Issue], known: Mapping[str, Issue]
) -> Iterator[Issue]:
    """Yield the issues with their history: read in bulk for those that changed, kept for the others."""
    asked = []
    for issue in issues:
        before = known.get(issue.id)
        if _has_new_history(reader, issue, before):
            asked.append(issue.id)
    moves: Mapping[str, tuple[Move, ...]] = {}
    if asked:
        moves = _read_moves(reader, asked)
    untold: list[Unread] = []
    for issue in issues:
        before = known.get(issue.id)
        kept: tuple[Move, ...] = ()
        if before is not None:
            kept = before.moves
        read = moves.get(issue.id)
        if before is not None and _is_untold(issue, before, read):
            untold.append(Unread("history", issue=issue.id))
            read = None
        yield replace(issue, moves=read or kept)
    reader.lookup.note_unread(untold, kinds=())


def _is_untold(issue: Issue, before: Issue, read: tuple[Move, ...] | None) -> bool:
    """Tell whether a history lacks a change that was seen: of an issue that is out of sight by then, Jira's answer in
    bulk says nothing, as of one that never moved."""
    if read is None or issue.category in (before.category, Category.UNDEFINED):
        return False
    return not any(move.after == issue.category for move in read)


def _has_new_history(reader: _Reader, issue: Issue, before: Issue | None) -> bool:
    """Tell whether an issue's history is to be read: of an epic it never is."""
    if issue.level >= EPIC_LEVEL:
        return False
    if reader.doubts_all or issue.id in reader.doubted:
        return True
    return before is None or before.updated != issue.updated


def _read_moves(reader: _Reader, ids: Sequence[str]) -> Mapping[str, tuple[Move, ...]]:
    """Return the histories of some issues; those that cannot be read are noted, and stay what they were."""
    batch = reader.jira.moves(ids)
    asked = {"", *ids}
    reader.lookup.note_unread(
        batch.unread,
        kinds={"history", "status"},
        read=lambda one: one.kind == "status" or one.issue in asked,
    )
    return batch.moves


def _match(reader: _Reader, *, refresh: bool) -> str:
    """Bring what each condition matches up to date; return why that was incomplete, nothing when it was not.

    One whose answer may change while no issue does, as by the clock, is asked about once an hour besides.
    """
    lookup = reader.lookup
    matched = lookup.matched
    unmatched = set(lookup.unmatched)
    lookup.unmatched = []
    is_hour_over = _is_hour_over(reader)
    if refresh or is_hour_over:
        lookup.passed = reader.now
    incomplete = ""
    has_asked = False
    for condition in _conditions(reader):
        is_known = condition in matched and condition not in unmatched
        is_due = refresh
        if is_hour_over and is_passing(condition):
            is_due = True
        if is_known and not is_due:
            continue

        has_asked = True
        ids = _census(reader, condition)
        if ids is None:
            reader.lookup.unmatched.append(condition)
            if not incomplete:
                name = _name_of_query(reader, condition)
                incomplete = f"not all ids of {name}"
            continue

        # A name that is gone matches nothing on Cloud, as a query may that is done with: Jira is asked which.
        before = matched.get(condition, [])
        had_some = bool(before)
        if not ids and had_some and condition not in reader.proven:
            _validate(reader, [condition], afresh=True)
        if reader.lookup.accepted(LinkKind.JQL, [condition]):
            lost = set(before).difference(ids)
            kept = _still_there(reader, lost)
            matched[condition] = sorted(kept.union(ids))
            reader.is_narrower |= bool(lost)
    if has_asked and not incomplete:
        incomplete = _read_missing(reader)
    return incomplete


def _is_hour_over(reader: _Reader) -> bool:
    """Tell whether what may change by itself is to be asked again; a moment ahead of us says nothing."""
    last = reader.lookup.passed
    if last is None or last > reader.now:
        return True
    age = reader.now - last
    return age >= PASSING


def _read_missing(reader: _Reader) -> str:
    """Read what queries match and the snapshot does not hold: it came in while no issue changed. Return why that was
    incomplete.

    What cannot be read is not asked for again before it changes, or everything is read.
    """
    lookup = reader.lookup
    missing = _missing(reader)
    asked = set(missing)
    if not reader.full:
        asked -= set(lookup.lacking)
    if not asked:
        return ""

    batch = _read_ids(reader, sorted(asked))
    fresh = _keep(reader, batch.issues)
    reader.problems += batch.problems
    projects: set[str] = set()
    for issue in fresh:
        projects.add(issue.project)
        missing.discard(issue.id)
    _look_up_strange(reader, projects)
    lookup.surround(projects)
    if batch.complete:
        lookup.lacking = sorted(missing)
    return _why_not_whole(batch, "not read to the end")


def _missing(reader: _Reader) -> set[str]:
    """Return the ids that queries match and the snapshot does not hold."""
    matched = reader.lookup.matched
    missing: set[str] = set()
    for condition in _conditions(reader):
        ids = matched.get(condition, ())
        missing.update(ids)
    with reader.reading() as tx:
        missing -= snapshots.issue_ids(tx)
    return missing


def _read_ids(reader: _Reader, ids: Sequence[str]) -> IssueBatch:
    """Return issues by their ids, some at a time; of those that are gone meanwhile there is nothing."""
    if len(ids) <= IDS_AT_ONCE:
        listed = ", ".join(ids)
        jql = reader.listing.bounded(f"id in ({listed})")
        try:
            return reader.jira.issues(jql)
        except Rejected:
            if len(ids) == 1:
                return NO_ISSUES

    half = len(ids) // 2
    first = _read_ids(reader, ids[:half])
    second = _read_ids(reader, ids[half:])
    return first.joined(second)


def _name_of_query(reader: _Reader, condition: str) -> str:
    """Return how a query is told: a filter by its number, for what others wrote into it is not told on."""
    names: list[str] = []
    for link in parts_of(reader.links.values()):
        if reader.lookup.condition_of(link) == condition:
            name = render(shown_of(link), ENGLISH)
            names.append(name)
    return min(names, default="a query")


def _still_there(reader: _Reader, lost: set[str]) -> set[str]:
    """Return which issues that a condition does not match any more are only out of view."""
    lookup = reader.lookup
    hidden = lookup.hidden.keys() & lost
    asked = lost - hidden - reader.seen
    if not asked or reader.full or reader.forgets:
        return hidden

    with reader.reading() as tx:
        issues = snapshots.load_issues(tx)
    fresh = _judge(reader, issues, lost=asked)
    lookup.hidden |= _since(reader, fresh)
    return hidden | fresh


def _census(reader: _Reader, condition: str) -> list[str] | None:
    """Return the ids a condition matches, None when not all came; a refused one is noted."""
    try:
        bounded = reader.listing.bounded(condition)
        census = reader.jira.ids(bounded)
    except Rejected as error:
        reader.lookup.refuse(LinkKind.JQL, [condition], error.detail)
        return []
    if not census.complete:
        return None
    return sorted(census.ids)


def _remember(reader: _Reader, *, whole: bool) -> None:
    """Note which links came to something and since when others do not; forget what no card names."""
    standing: dict[str, Standing] = {}
    for card, link in reader.links.items():
        found = _standing(reader, card, link)
        if found is not None:
            standing[card] = found

    reader.lookup.keep(reader.links.values(), standing)
    if whole:
        reader.lookup.read = reader.now


def _standing(reader: _Reader, card: str, link: Link) -> Standing | None:
    """Return the last good link of a card, none when it never had one or has none on purpose."""
    lookup = reader.lookup
    if link.kind is LinkKind.NONE or lookup.unlisted_of(link):
        return None
    if link.kind is not LinkKind.BAD and not lookup.fault_of(link):
        return lookup.stand(link)

    last = lookup.standing.get(card)
    if last is None or last.at is not None:
        return last
    since = lookup.read or reader.now
    return replace(last, at=since)


def _read_worklogs(reader: _Reader) -> str:
    """Read what changed of worklogs; return why that was incomplete, empty when it was not."""
    batch = read_feeds(
        reader.jira, reader.site, reader.lookup, since=reader.logged_to, now=reader.now
    )
    return _why_not_whole(batch, "worklogs not read to the end")


def _why_not_whole(batch: IssueBatch | WorklogBatch, otherwise: str) -> str:
    """Return why a read was not complete, empty when it was."""
    if batch.complete:
        return ""
    return batch.reason or otherwise


def _cursor(tx: Tx, *, now: datetime) -> datetime | None:
    """Return the newest change seen; none that lies ahead of us, for a read from there on would see nothing."""
    cursors = registry.load_cursors(tx)
    text = cursors.get(UPDATED)
    if not text:
        return None
    newest = datetime.fromisoformat(text)
    if newest > now:
        return None
    return newest


def _newest_change(issues: Iterable[Issue], *, now: datetime) -> datetime | None:
    """Return the newest change; one dated ahead of us (imports, wrong clocks) says nothing of what was read."""
    newest = None
    for issue in issues:
        changed = issue.updated
        if changed <= now and (newest is None or changed > newest):
            newest = changed
    return newest
