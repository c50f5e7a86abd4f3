"""Jira into the snapshot: one JQL over everything the cards link to, worklogs by their own feed.

An idle delta is three requests: the JQL, worklogs updated, worklogs deleted. Whatever the cards newly link to is read
in full once. Only a complete full read drops issues that no longer answer (docs/facts/jira-api.md 2.2, 2.3, 2.4).

What Jira refuses is the problem of the cards that name it: left out of the common JQL, remembered, and asked again by
a full read or when the cell changes. What such a card came to before stands, with its age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from worker.domain.entities import Issue, JiraProject, Move
from worker.domain.messages import literal, tell
from worker.errors import Code, Denied, Missing, Problem, Rejected
from worker.jira.paging import EVERYTHING
from worker.ports.tracker import IssueBatch, Tracker, WorklogBatch
from worker.read.lookup import LOOKUP, SHOWN, Lookup, Standing, name_of, texts_of
from worker.read.unread import problems_of, still_unread
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Store, Tx
from worker.world.attach import EPIC_LEVEL, IssueIndex, find_work, index_issues
from worker.world.links import Link, LinkKind, ResolvedLink

T = TypeVar("T")
FORBIDDEN = 403
OVERLAP = timedelta(minutes=5)
FIRST_WORKLOGS = timedelta(days=400)
CLOCK_SKEW = timedelta(days=1)
CHUNK = 5_000  # issues in hand at a time: histories come by the thousand, and memory stays small
UPDATED, WORKLOGS = "jira:updated", "jira:worklogs"


@dataclass(frozen=True, slots=True)
class TrackerRead:
    """What one read of Jira gave: links by card page id, the site's projects, problems, and why it was incomplete."""

    links: Mapping[str, ResolvedLink]
    projects: tuple[JiraProject, ...] = ()
    problems: tuple[Problem, ...] = ()
    incomplete: str = ""


def recall_tracker(site: Site, links: Mapping[str, Link]) -> TrackerRead:
    """Return what the last read made of the links, asking nobody."""
    with site.store.reading(site.name) as tx:
        lookup = LOOKUP.load(tx)
    return TrackerRead(
        lookup.resolved(links), tuple(JiraProject(*row) for row in lookup.projects)
    )


@dataclass(slots=True)
class _Reader:
    """One read under way; a full one asks for the histories in `doubted` again, and for all when statuses were not
    understood (`doubts_all`)."""

    jira: Tracker
    store: Store
    workspace: str
    links: Mapping[str, Link]
    full: bool
    now: datetime
    lookup: Lookup
    problems: list[Problem] = field(default_factory=list)
    doubted: frozenset[str] = frozenset()
    doubts_all: bool = False
    proven: set[str] = field(default_factory=set)
    """Conditions that Jira found nothing wrong with in this read."""


def read_tracker(
    jira: Tracker, site: Site, *, links: Mapping[str, Link], full: bool, now: datetime
) -> TrackerRead:
    """Bring the snapshot's issues and worklogs up to date; raises the API errors of the gateway.

    What Jira refuses of a card's link is that card's problem alone.
    """
    with site.store.reading(site.name) as tx:
        lookup = LOOKUP.load(tx)
    doubts = lookup.unread if full else []
    reader = _Reader(
        jira,
        site.store,
        site.name,
        links,
        full,
        now,
        lookup,
        doubted=frozenset(one.issue for one in doubts if one.kind == "history"),
        doubts_all=any(one.kind == "status" for one in doubts),
    )
    _resolve(reader, afresh=full)
    read = _read_linked(reader, full=full)
    incomplete = read.incomplete or _match(reader, refresh=read.changed or full)
    if read.scope:
        incomplete = incomplete or _read_worklogs(
            reader, arrived=read.arrived, afresh=read.scope != lookup.scope
        )
    lookup.scope = "" if incomplete else read.scope
    _remember(reader, whole=not incomplete)
    with site.store.transaction(site.name) as tx:
        concerned = {one.issue for one in lookup.unread if one.issue}
        keys = {
            issue.id: issue.key
            for issue in snapshots.find_issues(tx, sorted(concerned))
        }
        lookup.unread = [
            one for one in lookup.unread if not one.issue or one.issue in keys
        ]
        LOOKUP.save(tx, lookup)
    projects = tuple(JiraProject(*row) for row in lookup.projects)
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
        lookup.resolved(links), projects, tuple(reader.problems), incomplete
    )


def _named(reader: _Reader, kind: LinkKind) -> set[str]:
    return texts_of(reader.links.values(), kind)


def _asked(reader: _Reader, kind: LinkKind) -> set[str]:
    """Return what the links of a kind name, without what Jira refuses."""
    return reader.lookup.accepted(kind, _named(reader, kind))


def _resolve(reader: _Reader, *, afresh: bool) -> None:
    """Look up what the links name and was not looked up before, nor refused; `afresh`: everything."""
    if afresh:
        reader.lookup.refused = {}
    _look_up_projects(reader, afresh=afresh)
    _look_up_epics(reader, afresh=afresh)
    _look_up_filters(reader, afresh=afresh)
    _validate(reader, _conditions(reader), afresh=afresh)


def _look_up_projects(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    keys = _asked(reader, LinkKind.PROJECT)
    if afresh or not lookup.projects or keys - lookup.project_keys():
        _read_projects(reader)
        lookup.refuse(LinkKind.PROJECT, keys - lookup.project_keys())


def _look_up_epics(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    epics = _asked(reader, LinkKind.EPIC)
    wanted = epics if afresh else epics - lookup.epics.keys()
    if not wanted:
        return

    found = reader.jira.by_keys(sorted(wanted))
    for key, issue in found.items():
        lookup.epics[key] = (issue.id, issue.project)
    lookup.refuse(LinkKind.EPIC, wanted - found.keys())


def _look_up_filters(reader: _Reader, *, afresh: bool) -> None:
    lookup = reader.lookup
    filters = _asked(reader, LinkKind.FILTER)
    wanted = filters if afresh else filters - lookup.filters.keys()
    for filter_id in sorted(wanted):
        _look_up_filter(reader, filter_id)


def _read_projects(reader: _Reader) -> None:
    """Read the projects; one that cannot be read stays what it was."""
    lookup = reader.lookup
    batch = reader.jira.projects()
    lookup.unread = still_unread(lookup.unread, batch.unread, kinds={"project"})
    strange = {one.name for one in batch.unread}

    read = [(one.id, one.key, one.name) for one in batch.projects]
    kept = [
        (project_id, key, name)
        for project_id, key, name in lookup.projects
        if strange & {project_id, key}
    ]
    lookup.projects = read + kept


def _look_up_filter(reader: _Reader, filter_id: str) -> None:
    """Look up a filter's JQL; Jira says 404, 400 or 403 of one that is gone or not shared."""
    try:
        reader.lookup.filters[filter_id] = reader.jira.filter_jql(filter_id)
    except (Missing, Rejected) as error:
        reader.lookup.refuse(LinkKind.FILTER, [filter_id], error.detail)
    except Denied as error:
        if error.status != FORBIDDEN:
            raise
        reader.lookup.refuse(LinkKind.FILTER, [filter_id], error.detail)


def _conditions(reader: _Reader) -> list[str]:
    """Return the conditions of all cards that Jira does not refuse."""
    lookup = reader.lookup
    conditions = {
        lookup.condition_of(link)
        for link in reader.links.values()
        if name_of(link) not in lookup.refused
    }
    return sorted(lookup.accepted(LinkKind.JQL, conditions - {""}))


def _validate(
    reader: _Reader, conditions: Iterable[str], *, afresh: bool = False
) -> None:
    """Note which conditions Jira does not understand, of those that were never matched or all."""
    matched = reader.lookup.matched
    asked = [one for one in conditions if afresh or one not in matched]
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
    keys = _named(reader, LinkKind.PROJECT) & lookup.project_keys()
    for epic, (_, project) in lookup.epics.items():
        if epic in epics:
            keys.add(project)

    projects = sorted(lookup.accepted(LinkKind.PROJECT, keys))
    conditions = _conditions(reader)
    return [
        *(Link(LinkKind.PROJECT, key) for key in projects),
        *(Link(LinkKind.JQL, text) for text in conditions),
    ]


def _jql(parts: Iterable[Link]) -> str:
    """Return one JQL over some parts, empty for none."""
    keys: list[str] = []
    conditions: list[str] = []
    for part in parts:
        if part.kind is LinkKind.PROJECT:
            keys.append(f'"{part.text}"')
        elif part.kind is LinkKind.JQL:
            conditions.append(f"({part.text})")
    if keys:
        conditions.insert(0, f"project in ({', '.join(keys)})")
    return " OR ".join(conditions)


def _search(
    reader: _Reader, parts: Sequence[Link], since: datetime | None
) -> IssueBatch:
    """Return the issues of all parts; when Jira refuses them, by halves until it is known which, and those are noted."""
    try:
        return reader.jira.issues(_jql(parts), since=since)
    except Rejected as error:
        refusal = error

    if len(parts) == 1:
        (part,) = parts
        reader.lookup.refuse(part.kind, [part.text], refusal.detail)
        return IssueBatch((), complete=True)

    half = len(parts) // 2
    first = _search(reader, parts[:half], since)
    second = _search(reader, parts[half:], since)
    return _joined(first, second)


def _joined(first: IssueBatch, second: IssueBatch) -> IssueBatch:
    issues = {issue.id: issue for batch in (first, second) for issue in batch.issues}
    problems = dict.fromkeys((*first.problems, *second.problems))
    return IssueBatch(
        tuple(issues.values()),
        complete=first.complete and second.complete,
        reason=first.reason or second.reason,
        problems=tuple(problems),
    )


def _search_parts(
    reader: _Reader, parts: Sequence[Link], since: datetime | None
) -> IssueBatch:
    """Return the issues of all parts that Jira accepts; raises `Rejected` when it accepts no query at all."""
    batch = _search(reader, parts, since)
    if not set(parts) & set(_parts(reader)):
        reader.jira.issues(EVERYTHING, since=reader.now)
    return batch


@dataclass(frozen=True, slots=True)
class _IssuesRead:
    """What one read of issues gave: the JQL that was read, whether any changed, which are new to us, why it was
    incomplete (empty: was not)."""

    scope: str = ""
    changed: bool = False
    arrived: tuple[Issue, ...] = ()
    incomplete: str = ""
    silent: bool = False
    """Not even the newest issue we know answered, though it lies within the bound."""


def _read_linked(reader: _Reader, *, full: bool) -> _IssuesRead:
    """Read the issues of everything linked.

    Cloud answers names that are gone with nothing, not with an error: silence is asked about
    (docs/facts/jira-api.md 1.1).
    """
    lookup = reader.lookup
    with reader.store.reading(reader.workspace) as tx:
        bound = registry.load_cursors(tx).get(UPDATED, "")
    read = _read_issues(reader, full=full)
    if not read.silent or lookup.quiet == bound:
        return read
    _resolve(reader, afresh=True)
    if _jql(_parts(reader)) == read.scope:
        lookup.quiet = bound
        return read
    return _read_issues(reader, full=full)


def _read_issues(reader: _Reader, *, full: bool) -> _IssuesRead:
    """Read issues into the snapshot; all of them when anything else is linked than was read last."""
    parts = _parts(reader)
    if not parts:
        return _IssuesRead()

    full = full or _jql(parts) != reader.lookup.scope
    with reader.store.reading(reader.workspace) as tx:
        cursor = None if full else _cursor(tx, now=reader.now)
    since = None if cursor is None else cursor - OVERLAP
    batch = _search_parts(reader, parts, since)
    reader.problems += batch.problems

    arrived: list[Issue] = []
    changed = 0
    for start in range(0, len(batch.issues), CHUNK):
        chunk = batch.issues[start : start + CHUNK]
        changed += _keep(reader, chunk, arrived)
    is_census = full and batch.complete
    with reader.store.transaction(reader.workspace) as tx:
        gone = _forget_gone(reader, tx, batch) if is_census else 0
        _advance(tx, cursor, batch.issues, now=reader.now)

    is_empty = batch.complete and not batch.issues and not batch.problems
    return _IssuesRead(
        scope=_jql(_parts(reader)),
        changed=bool(changed or gone or full),
        arrived=tuple(arrived),
        incomplete=_why_not_whole(batch, "not read to the end"),
        silent=cursor is not None and is_empty,
    )


def _forget_gone(reader: _Reader, tx: Tx, batch: IssueBatch) -> int:
    """Drop the issues that a complete read did not show; return how many."""
    shown = {issue.id for issue in batch.issues}
    gone = snapshots.issue_ids(tx) - shown - _held(reader, tx)
    snapshots.forget_issues(tx, sorted(gone))
    return len(gone)


def _held(reader: _Reader, tx: Tx) -> set[str]:
    """Return the ids of the issues that links Jira does not answer to any more came to, with their parents."""
    links = [
        link
        for link in reader.lookup.resolved(reader.links).values()
        if link.as_of is not None
    ]
    if not links:
        return set()
    forest = index_issues(snapshots.load_issues(tx), ())
    return {
        identity
        for link in links
        for issue in find_work(link, forest).issues
        for identity in _with_parents(issue, forest)
    }


def _with_parents(issue: Issue, forest: IssueIndex) -> set[str]:
    found: set[str] = set()
    step: Issue | None = issue
    while step is not None and step.id not in found:
        found.add(step.id)
        step = forest.by_id.get(step.parent or "")
    return found


def _keep(reader: _Reader, issues: Sequence[Issue], arrived: list[Issue]) -> int:
    """Put some issues into the snapshot; add those it did not have to `arrived` and return how many changed."""
    with reader.store.reading(reader.workspace) as tx:
        known = {
            issue.id: issue
            for issue in snapshots.find_issues(tx, [issue.id for issue in issues])
        }
    fresh = [
        issue
        for issue in _with_moves(reader, issues, known)
        if known.get(issue.id) != issue
    ]
    with reader.store.transaction(reader.workspace) as tx:
        snapshots.save_issues(tx, fresh)
    arrived += (issue for issue in fresh if issue.id not in known)
    return len(fresh)


def _with_moves(
    reader: _Reader, issues: Sequence[Issue], known: Mapping[str, Issue]
) -> Iterator[Issue]:
    """Yield the issues with their history: read in bulk for those that changed, kept for the others."""
    changed = [
        issue.id
        for issue in issues
        if issue.level < EPIC_LEVEL
        and (
            reader.doubts_all
            or issue.id in reader.doubted
            or issue.id not in known
            or known[issue.id].updated != issue.updated
        )
    ]
    moves = _read_moves(reader, changed) if changed else {}
    for issue in issues:
        kept = known[issue.id].moves if issue.id in known else ()
        yield replace(issue, moves=moves.get(issue.id) or kept)


def _read_moves(reader: _Reader, ids: Sequence[str]) -> Mapping[str, tuple[Move, ...]]:
    """Return the histories of some issues; those that cannot be read are noted, and stay what they were."""
    batch = reader.jira.moves(ids)
    asked = {"", *ids}
    reader.lookup.unread = still_unread(
        reader.lookup.unread,
        batch.unread,
        kinds={"history", "status"},
        read=lambda one: one.kind == "status" or one.issue in asked,
    )
    return batch.moves


def _match(reader: _Reader, *, refresh: bool) -> str:
    """Bring what each condition matches up to date; return why that was incomplete, nothing when it was not."""
    matched = reader.lookup.matched
    incomplete = ""
    for condition in _conditions(reader):
        if condition in matched and not refresh:
            continue

        ids = _census(reader, condition)
        if ids is None:
            incomplete = incomplete or f"not all ids of {condition[:SHOWN]}"
            continue

        # A name that is gone matches nothing on Cloud, as a query may that is done with: Jira is asked which.
        had_some = bool(matched.get(condition))
        if not ids and had_some and condition not in reader.proven:
            _validate(reader, [condition], afresh=True)
        if reader.lookup.accepted(LinkKind.JQL, [condition]):
            matched[condition] = ids
    return incomplete


def _census(reader: _Reader, condition: str) -> list[str] | None:
    """Return the ids a condition matches, None when not all came; a refused one is noted."""
    try:
        census = reader.jira.ids(condition)
    except Rejected as error:
        reader.lookup.refuse(LinkKind.JQL, [condition], error.detail)
        return []
    return sorted(census.ids) if census.complete else None


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
    if link.kind is LinkKind.NONE:
        return None
    if link.kind is not LinkKind.BAD and not lookup.fault_of(link):
        return Standing(link, lookup.condition_of(link))

    last = lookup.standing.get(card)
    if last is None or last.at is not None:
        return last
    return replace(last, at=lookup.read or reader.now)


def _read_worklogs(reader: _Reader, *, arrived: Iterable[Issue], afresh: bool) -> str:
    """Read worklogs since the last bound; earlier ones too for issues that came from elsewhere with time on them."""
    with reader.store.reading(reader.workspace) as tx:
        cursor = None if afresh else _worklog_bound(tx, now=reader.now)
        linked = snapshots.issue_ids(tx)
    now = _millis(reader.now)
    since = _first_bound(reader, cursor, arrived)
    batch = reader.jira.worklogs(since, now=now)
    _note_unread_worklogs(reader, batch, linked, afresh=afresh)

    with reader.store.transaction(reader.workspace) as tx:
        changed = (log for log in batch.changed if log.issue in linked)
        snapshots.save_worklogs(tx, changed, batch.deleted)
        if batch.complete:
            reached = min(batch.until, now)
            registry.set_cursor(tx, WORKLOGS, str(reached))
    return _why_not_whole(batch, "worklogs not read to the end")


def _first_bound(reader: _Reader, cursor: int | None, arrived: Iterable[Issue]) -> int:
    """Return from where on worklogs are asked for, in epoch ms."""
    first = _millis(reader.now - FIRST_WORKLOGS)
    since = first if cursor is None else cursor
    for issue in arrived:
        if issue.spent:
            created = _millis(issue.created)
            since = min(since, max(first, created))
    return since


def _note_unread_worklogs(
    reader: _Reader, batch: WorklogBatch, linked: Collection[str], *, afresh: bool
) -> None:
    """Note the worklogs of linked issues that cannot be read; those told again are over."""
    told = {"", *batch.deleted}
    told |= {log.id for log in batch.changed}
    told |= {one.name for one in batch.unread}
    unread = [one for one in batch.unread if not one.issue or one.issue in linked]
    reader.lookup.unread = still_unread(
        reader.lookup.unread,
        unread,
        kinds={"worklog"},
        read=lambda one: afresh or one.name in told,
    )


def _why_not_whole(batch: IssueBatch | WorklogBatch, otherwise: str) -> str:
    """Return why a read was not complete, empty when it was."""
    if batch.complete:
        return ""
    return batch.reason or otherwise


def _worklog_bound(tx: Tx, *, now: datetime) -> int | None:
    """Return where the feeds were read to; none that lies ahead of us, for a read from there on would see nothing."""
    text = registry.load_cursors(tx).get(WORKLOGS)
    if not text:
        return None
    bound = int(text)
    return bound if bound <= _millis(now + CLOCK_SKEW) else None


def _millis(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _cursor(tx: Tx, *, now: datetime) -> datetime | None:
    """Return the newest change seen; none that lies ahead of us, for a read from there on would see nothing."""
    text = registry.load_cursors(tx).get(UPDATED)
    if not text:
        return None
    newest = datetime.fromisoformat(text)
    return newest if newest <= now else None


def _advance(
    tx: Tx, cursor: datetime | None, issues: Iterable[Issue], *, now: datetime
) -> None:
    """Remember the newest change; one dated ahead of us (imports, wrong clocks) says nothing of what was read."""
    newest = max(
        (issue.updated for issue in issues if issue.updated <= now), default=None
    )
    if newest is not None and (cursor is None or newest > cursor):
        registry.set_cursor(tx, UPDATED, newest.isoformat())
