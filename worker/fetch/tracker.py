"""Jira into the snapshot: one JQL over everything the cards link to, worklogs by their own feed.

An idle delta is three requests: the JQL, worklogs updated, worklogs deleted. Whatever the cards newly link to is read
in full once. Only a complete full read drops issues that no longer answer (facts/jira-api.md 2.2-2.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from worker.domain.messages import message, tell
from worker.domain.model import Issue, JiraProject, Move
from worker.errors import ConfigError, Missing, Problem, Severity
from worker.fetch.unread import problems_of, still_unread
from worker.jira.paging import condition_of
from worker.mapping.links import Link, LinkKind, ResolvedLink
from worker.ports import Jira, Unread
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.store import Store, Tx

OVERLAP = timedelta(minutes=5)
FIRST_WORKLOGS = timedelta(days=400)
EPIC_LEVEL = 1
CHUNK = 5_000  # issues in hand at a time: histories come by the thousand, and memory stays small
LOOKUP, UPDATED, WORKLOGS = "jira.lookup", "jira:updated", "jira:worklogs"


class Lookup(msgspec.Struct):
    """What links were resolved to, kept between cycles: epic key -> (issue id, project key), filter id -> JQL,
    JQL -> ids it matched, the site's projects as (id, key, name), and what could not be read and was not read since."""

    epics: dict[str, tuple[str, str]] = {}
    filters: dict[str, str] = {}
    matched: dict[str, list[str]] = {}
    projects: list[tuple[str, str, str]] = []
    scope: str = ""
    unread: list[Unread] = []


@dataclass(frozen=True, slots=True)
class TrackerRead:
    """What one read of Jira gave: links by card page id, the site's projects, problems, and why it was incomplete."""

    links: Mapping[str, ResolvedLink]
    projects: tuple[JiraProject, ...] = ()
    problems: tuple[Problem, ...] = ()
    incomplete: str = ""


def recall_tracker(
    store: Store, workspace: str, *, links: Mapping[str, Link]
) -> TrackerRead:
    """Return what the last read made of the links, asking nobody."""
    with store.reading(workspace) as tx:
        lookup = _lookup(tx)
    return TrackerRead(
        _resolved(lookup, links), tuple(JiraProject(*row) for row in lookup.projects)
    )


@dataclass(slots=True)
class _Reader:
    """One read under way; a full one asks for the histories in `doubted` again, and for all when statuses were not
    understood (`doubts_all`)."""

    jira: Jira
    store: Store
    workspace: str
    links: Mapping[str, Link]
    full: bool
    now: datetime
    lookup: Lookup
    problems: list[Problem] = field(default_factory=list)
    doubted: frozenset[str] = frozenset()
    doubts_all: bool = False


def read_tracker(
    jira: Jira,
    store: Store,
    workspace: str,
    *,
    links: Mapping[str, Link],
    full: bool,
    now: datetime,
) -> TrackerRead:
    """Bring the snapshot's issues and worklogs up to date.

    Raises `ConfigError` when a card's JQL names what Jira does not know (such a JQL would silently match nothing), and
    the API errors of the gateway.
    """
    with store.reading(workspace) as tx:
        lookup = _lookup(tx)
    doubts = lookup.unread if full else []
    reader = _Reader(
        jira,
        store,
        workspace,
        links,
        full,
        now,
        lookup,
        doubted=frozenset(one.issue for one in doubts if one.kind == "history"),
        doubts_all=any(one.kind == "status" for one in doubts),
    )
    _resolve(reader)
    queries = sorted(set(_queries(reader).values()))
    scope = _scope(reader, queries)
    is_new_scope = scope != lookup.scope
    read = (
        _read_issues(reader, scope, full=full or is_new_scope)
        if scope
        else _IssuesRead()
    )
    _match(reader, queries, refresh=read.changed or is_new_scope or full)
    incomplete = read.incomplete
    if scope:
        incomplete = incomplete or _read_worklogs(
            reader, arrived=read.arrived, afresh=is_new_scope
        )
    lookup.scope = "" if incomplete else scope
    with store.transaction(workspace) as tx:
        concerned = {one.issue for one in lookup.unread if one.issue}
        keys = {
            issue.id: issue.key
            for issue in snapshots.find_issues(tx, sorted(concerned))
        }
        lookup.unread = [
            one for one in lookup.unread if not one.issue or one.issue in keys
        ]
        registry.set_setting(tx, LOOKUP, msgspec.to_builtins(lookup))
    projects = tuple(JiraProject(*row) for row in lookup.projects)
    reader.problems += problems_of(lookup.unread, keys)
    if incomplete:
        reader.problems.append(
            Problem(
                "incomplete-read",
                "Jira",
                "",
                tell("not everything could be read: {why}", why=incomplete),
                message("nothing is dropped until a complete read"),
            )
        )
    return TrackerRead(
        _resolved(lookup, links), projects, tuple(reader.problems), incomplete
    )


def _lookup(tx: Tx) -> Lookup:
    return msgspec.convert(registry.get_setting(tx, LOOKUP, {}), Lookup, strict=False)


def _resolve(reader: _Reader) -> None:
    """Look up what the links name and was not looked up before (on the slow beat: everything)."""
    lookup, links = reader.lookup, reader.links.values()
    keys = {link.text for link in links if link.kind is LinkKind.PROJECT}
    if (
        reader.full
        or not lookup.projects
        or keys - {key for _, key, _ in lookup.projects}
    ):
        _read_projects(reader)
    epics = {link.text for link in links if link.kind is LinkKind.EPIC}
    wanted = epics if reader.full else epics - lookup.epics.keys()
    if wanted:
        found = reader.jira.by_keys(sorted(wanted))
        lookup.epics = {
            key: old
            for key, old in lookup.epics.items()
            if key in epics and key not in wanted
        } | {key: (issue.id, issue.project) for key, issue in found.items()}
    for link in links:
        if link.kind is LinkKind.FILTER and (
            reader.full or link.text not in lookup.filters
        ):
            _look_up_filter(reader, link.text)


def _read_projects(reader: _Reader) -> None:
    """Read the projects; one that cannot be read stays what it was."""
    lookup, batch = reader.lookup, reader.jira.projects()
    lookup.unread = still_unread(lookup.unread, batch.unread, kinds={"project"})
    strange = {one.name for one in batch.unread}
    lookup.projects = [(one.id, one.key, one.name) for one in batch.projects] + [
        row for row in lookup.projects if strange & {row[0], row[1]}
    ]


def _look_up_filter(reader: _Reader, filter_id: str) -> None:
    try:
        reader.lookup.filters[filter_id] = reader.jira.filter_jql(filter_id)
    except Missing:
        reader.lookup.filters.pop(filter_id, None)


def _queries(reader: _Reader) -> dict[str, str]:
    """Return the JQL of each card linked by JQL or filter."""
    found = {
        card: link.text
        if link.kind is LinkKind.JQL
        else reader.lookup.filters.get(link.text, "")
        for card, link in reader.links.items()
        if link.kind in (LinkKind.JQL, LinkKind.FILTER)
    }
    return {card: jql for card, jql in found.items() if jql}


def _scope(reader: _Reader, queries: Sequence[str]) -> str:
    """Return the one JQL over everything linked, empty when nothing is; refuse queries Jira does not understand."""
    lookup = reader.lookup
    new = [jql for jql in queries if reader.full or jql not in lookup.matched]
    wrong = reader.jira.validate(new) if new else {}
    if wrong:
        raise ConfigError(
            [_wrong_query(reader, jql, why) for jql, why in sorted(wrong.items())]
        )
    known = {key for _, key, _ in lookup.projects}
    keys = {
        link.text for link in reader.links.values() if link.kind is LinkKind.PROJECT
    } & known
    keys |= {project for _, project in lookup.epics.values()}
    listed = ", ".join(f'"{key}"' for key in sorted(keys))
    return " OR ".join(
        [f"project in ({listed})"] * bool(keys)
        + [f"({condition_of(jql)})" for jql in queries]
    )


def _wrong_query(reader: _Reader, jql: str, why: str) -> Problem:
    cards = sorted(card for card, text in _queries(reader).items() if text == jql)
    return Problem(
        "bad-jql",
        tell("project card {cards}", cards=", ".join(cards)),
        "jira",
        tell("Jira does not accept {jql}: {why}", jql=repr(jql), why=why),
        message("correct the Jira link on the card"),
        severity=Severity.ERROR,
    )


@dataclass(frozen=True, slots=True)
class _IssuesRead:
    """What one read of issues gave: whether any changed, which are new to us, why it was incomplete (empty: was not)."""

    changed: bool = False
    arrived: tuple[Issue, ...] = ()
    incomplete: str = ""


def _read_issues(reader: _Reader, scope: str, *, full: bool) -> _IssuesRead:
    """Read issues into the snapshot."""
    with reader.store.reading(reader.workspace) as tx:
        cursor = None if full else _cursor(tx, now=reader.now)
    since = None if cursor is None else cursor - OVERLAP
    batch = reader.jira.issues(scope, since=since)
    reader.problems += batch.problems
    arrived: list[Issue] = []
    changed = 0
    for start in range(0, len(batch.issues), CHUNK):
        changed += _keep(reader, batch.issues[start : start + CHUNK], arrived)
    with reader.store.transaction(reader.workspace) as tx:
        gone = (
            snapshots.issue_ids(tx) - {issue.id for issue in batch.issues}
            if full and batch.complete
            else set()
        )
        snapshots.forget_issues(tx, sorted(gone))
        _advance(tx, cursor, batch.issues, now=reader.now)
    return _IssuesRead(
        bool(changed or gone),
        tuple(arrived),
        "" if batch.complete else batch.reason or "not read to the end",
    )


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
        yield msgspec.structs.replace(issue, moves=moves.get(issue.id) or kept)


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


def _match(reader: _Reader, queries: Sequence[str], *, refresh: bool) -> None:
    lookup = reader.lookup
    lookup.matched = {jql: ids for jql, ids in lookup.matched.items() if jql in queries}
    for jql in queries:
        if refresh or jql not in lookup.matched:
            census = reader.jira.ids(jql)
            if census.complete:
                lookup.matched[jql] = sorted(census.ids)


def _read_worklogs(reader: _Reader, *, arrived: Iterable[Issue], afresh: bool) -> str:
    """Read worklogs since the last bound; earlier ones too for issues that came from elsewhere with time on them."""
    with reader.store.reading(reader.workspace) as tx:
        cursor = None if afresh else registry.load_cursors(tx).get(WORKLOGS)
        linked = snapshots.issue_ids(tx)
    first = _millis(reader.now - FIRST_WORKLOGS)
    bounds = [
        int(cursor) if cursor else first,
        *(max(first, _millis(one.created)) for one in arrived if one.spent),
    ]
    since = min(bounds)
    batch = reader.jira.worklogs(since)
    told = {
        "",
        *batch.deleted,
        *(log.id for log in batch.changed),
        *(one.name for one in batch.unread),
    }
    reader.lookup.unread = still_unread(
        reader.lookup.unread,
        [one for one in batch.unread if not one.issue or one.issue in linked],
        kinds={"worklog"},
        read=lambda one: afresh or one.name in told,
    )
    with reader.store.transaction(reader.workspace) as tx:
        snapshots.save_worklogs(
            tx, (log for log in batch.changed if log.issue in linked), batch.deleted
        )
        if batch.complete:
            registry.set_cursor(tx, WORKLOGS, str(batch.until))
    return "" if batch.complete else batch.reason or "worklogs not read to the end"


def _millis(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _cursor(tx: Tx, *, now: datetime) -> datetime | None:
    """Return the newest change seen; none that lies ahead of us, for a read from there on would see nothing."""
    text = registry.load_cursors(tx).get(UPDATED)
    found = datetime.fromisoformat(text) if text else None
    return found if found is not None and found <= now else None


def _advance(
    tx: Tx, cursor: datetime | None, issues: Iterable[Issue], *, now: datetime
) -> None:
    """Remember the newest change; one dated ahead of us (imports, wrong clocks) says nothing of what was read."""
    newest = max(
        (issue.updated for issue in issues if issue.updated <= now), default=None
    )
    if newest is not None and (cursor is None or newest > cursor):
        registry.set_cursor(tx, UPDATED, newest.isoformat())


def _resolved(lookup: Lookup, links: Mapping[str, Link]) -> dict[str, ResolvedLink]:
    return {
        card: _resolve_one(lookup, link)
        for card, link in links.items()
        if link.kind not in (LinkKind.NONE, LinkKind.BAD)
    }


def _resolve_one(lookup: Lookup, link: Link) -> ResolvedLink:
    """Return what a card's link came to; a link to nothing is a problem of that card alone."""
    nothing = tell(
        "Jira has no {kind} {name}, or the account may not see it",
        kind=link.kind.value,
        name=link.text,
    )
    match link.kind:
        case LinkKind.PROJECT:
            problem = (
                ""
                if any(key == link.text for _, key, _ in lookup.projects)
                else nothing
            )
            return ResolvedLink(
                link.kind, f"project {link.text}", project=link.text, problem=problem
            )
        case LinkKind.EPIC:
            issue, project = lookup.epics.get(link.text, ("", ""))
            return ResolvedLink(
                link.kind,
                f"epic {link.text}",
                project,
                issue,
                problem="" if issue else nothing,
            )
        case LinkKind.JQL | LinkKind.FILTER:
            jql = (
                link.text
                if link.kind is LinkKind.JQL
                else lookup.filters.get(link.text, "")
            )
            ids = frozenset(lookup.matched.get(jql, ()))
            return ResolvedLink(
                link.kind,
                f"{link.kind.value} {link.text}",
                ids=ids,
                problem="" if jql in lookup.matched else nothing,
            )
        case LinkKind.NONE | LinkKind.BAD:
            return ResolvedLink(link.kind, link.text)
