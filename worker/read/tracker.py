"""Jira into the snapshot: one JQL over everything the cards link to, worklogs by their own feed.

An idle delta is three requests: the JQL, worklogs updated, worklogs deleted. Whatever the cards newly link to is read
in full once. Only a complete full read drops issues that no longer answer (facts/jira-api.md 2.2-2.4).

What Jira refuses is the problem of the cards that name it: left out of the common JQL, remembered, and asked again by
a full read or when the cell changes. What such a card came to before stands, with its age.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from worker.domain.entities import Issue, JiraProject, Move
from worker.domain.messages import message, tell
from worker.errors import Denied, Missing, Problem, Rejected
from worker.jira.paging import EVERYTHING, condition_of
from worker.ports.tracker import IssueBatch, Tracker, Unread
from worker.read.unread import problems_of, still_unread
from worker.site import Site
from worker.state import bindings as registry
from worker.state import snapshots
from worker.state.settings import Setting
from worker.state.store import Store, Tx
from worker.world.attach import EPIC_LEVEL, IssueIndex, find_work, index_issues
from worker.world.links import Link, LinkKind, ResolvedLink

T = TypeVar("T")
FORBIDDEN = 403
OVERLAP = timedelta(minutes=5)
FIRST_WORKLOGS = timedelta(days=400)
CLOCK_SKEW = timedelta(days=1)
SHOWN = 120
"""How much of a link is told in a problem."""
CHUNK = 5_000  # issues in hand at a time: histories come by the thousand, and memory stays small
UPDATED, WORKLOGS = "jira:updated", "jira:worklogs"


class Standing(msgspec.Struct, frozen=True):
    """The link of a card when it last came to something, with its condition if it had one; `at` is when that was, None
    while it still does."""

    link: Link
    condition: str = ""
    at: datetime | None = None


class Lookup(msgspec.Struct):
    """What links were resolved to, kept between cycles: epic key -> (issue id, project key), filter id -> JQL,
    condition -> ids it matched, the site's projects as (id, key, name), and what could not be read and was not read
    since.

    `refused` holds what Jira does not accept, with its words (none for what does not exist), by `_name`; `standing` each
    card's last good link; `read` is the moment of the last whole read; `quiet` the bound from which Jira, its names
    proven, had nothing to tell.
    """

    epics: dict[str, tuple[str, str]] = {}
    filters: dict[str, str] = {}
    matched: dict[str, list[str]] = {}
    projects: list[tuple[str, str, str]] = []
    scope: str = ""
    unread: list[Unread] = []
    refused: dict[str, str] = {}
    standing: dict[str, Standing] = {}
    read: datetime | None = None
    quiet: str = ""


LOOKUP = Setting("jira.lookup", Lookup, Lookup)
"""What links were resolved to by the last read."""


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
        _resolved(lookup, links), tuple(JiraProject(*row) for row in lookup.projects)
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
    jira: Tracker,
    site: Site,
    *,
    links: Mapping[str, Link],
    full: bool,
    now: datetime,
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


def _name(link: Link) -> str:
    return f"{link.kind.value} {link.text}"


def _named(reader: _Reader, kind: LinkKind) -> set[str]:
    return {link.text for link in reader.links.values() if link.kind is kind}


def _resolve(reader: _Reader, *, afresh: bool) -> None:
    """Look up what the links name and was not looked up before, nor refused; `afresh`: everything."""
    lookup = reader.lookup
    if afresh:
        lookup.refused = {}
    keys = _not_refused(lookup, LinkKind.PROJECT, _named(reader, LinkKind.PROJECT))
    if afresh or not lookup.projects or keys - _project_keys(lookup):
        _read_projects(reader)
        _refuse(lookup, LinkKind.PROJECT, keys - _project_keys(lookup))
    epics = _not_refused(lookup, LinkKind.EPIC, _named(reader, LinkKind.EPIC))
    wanted = epics if afresh else epics - lookup.epics.keys()
    if wanted:
        found = reader.jira.by_keys(sorted(wanted))
        lookup.epics |= {key: (issue.id, issue.project) for key, issue in found.items()}
        _refuse(lookup, LinkKind.EPIC, wanted - found.keys())
    filters = _not_refused(lookup, LinkKind.FILTER, _named(reader, LinkKind.FILTER))
    for filter_id in sorted(filters if afresh else filters - lookup.filters.keys()):
        _look_up_filter(reader, filter_id)
    _validate(reader, _conditions(reader), afresh=afresh)


def _project_keys(lookup: Lookup) -> set[str]:
    return {key for _, key, _ in lookup.projects}


def _not_refused(lookup: Lookup, kind: LinkKind, texts: Iterable[str]) -> set[str]:
    return {text for text in texts if _name(Link(kind, text)) not in lookup.refused}


def _refuse(
    lookup: Lookup, kind: LinkKind, texts: Iterable[str], said: str = ""
) -> None:
    lookup.refused |= {_name(Link(kind, text)): said for text in texts}


def _read_projects(reader: _Reader) -> None:
    """Read the projects; one that cannot be read stays what it was."""
    lookup, batch = reader.lookup, reader.jira.projects()
    lookup.unread = still_unread(lookup.unread, batch.unread, kinds={"project"})
    strange = {one.name for one in batch.unread}
    lookup.projects = [(one.id, one.key, one.name) for one in batch.projects] + [
        row for row in lookup.projects if strange & {row[0], row[1]}
    ]


def _look_up_filter(reader: _Reader, filter_id: str) -> None:
    """Look up a filter's JQL; Jira says 404, 400 or 403 of one that is gone or not shared."""
    try:
        reader.lookup.filters[filter_id] = reader.jira.filter_jql(filter_id)
    except (Missing, Rejected) as error:
        _refuse(reader.lookup, LinkKind.FILTER, [filter_id], error.detail)
    except Denied as error:
        if error.status != FORBIDDEN:
            raise
        _refuse(reader.lookup, LinkKind.FILTER, [filter_id], error.detail)


def _condition(lookup: Lookup, link: Link) -> str:
    """Return the condition of a link by JQL or filter, empty for any other."""
    match link.kind:
        case LinkKind.JQL:
            return condition_of(link.text)
        case LinkKind.FILTER if link.text in lookup.filters:
            return condition_of(lookup.filters[link.text])
    return ""


def _conditions(reader: _Reader) -> list[str]:
    """Return the conditions of all cards that Jira does not refuse."""
    lookup = reader.lookup
    links = {
        link for link in reader.links.values() if _name(link) not in lookup.refused
    }
    found = {_condition(lookup, link) for link in links} - {""}
    return sorted(_not_refused(lookup, LinkKind.JQL, found))


def _validate(
    reader: _Reader, conditions: Iterable[str], *, afresh: bool = False
) -> None:
    """Note which conditions Jira does not understand, of those that were never matched or all."""
    asked = [one for one in conditions if afresh or one not in reader.lookup.matched]
    wrong = reader.jira.validate(asked) if asked else {}
    reader.proven |= set(asked) - wrong.keys()
    for condition, said in wrong.items():
        _refuse(reader.lookup, LinkKind.JQL, [condition], said)


def _parts(reader: _Reader) -> list[Link]:
    """Return what the common JQL is made of: projects and conditions, without what Jira refuses."""
    lookup = reader.lookup
    keys = _named(reader, LinkKind.PROJECT) & _project_keys(lookup)
    epics = _not_refused(lookup, LinkKind.EPIC, _named(reader, LinkKind.EPIC))
    keys |= {lookup.epics[key][1] for key in epics & lookup.epics.keys()}
    projects = sorted(_not_refused(lookup, LinkKind.PROJECT, keys))
    return [Link(LinkKind.PROJECT, key) for key in projects] + [
        Link(LinkKind.JQL, one) for one in _conditions(reader)
    ]


def _jql(parts: Iterable[Link]) -> str:
    """Return one JQL over some parts, empty for none."""
    parts = tuple(parts)
    keys = [f'"{part.text}"' for part in parts if part.kind is LinkKind.PROJECT]
    listed = f"project in ({', '.join(keys)})"
    return " OR ".join(
        [listed] * bool(keys)
        + [f"({part.text})" for part in parts if part.kind is LinkKind.JQL]
    )


def _search(
    reader: _Reader, parts: Sequence[Link], since: datetime | None
) -> IssueBatch:
    """Return the issues of all parts; when Jira refuses them, by halves until it is known which, and those are noted."""
    try:
        return reader.jira.issues(_jql(parts), since=since)
    except Rejected as error:
        refusal = error
    if len(parts) == 1:
        _refuse(reader.lookup, parts[0].kind, [parts[0].text], refusal.detail)
        return IssueBatch((), complete=True)
    half = len(parts) // 2
    return _joined(
        _search(reader, parts[:half], since), _search(reader, parts[half:], since)
    )


def _joined(first: IssueBatch, second: IssueBatch) -> IssueBatch:
    issues = {issue.id: issue for issue in (*first.issues, *second.issues)}
    return IssueBatch(
        tuple(issues.values()),
        first.complete and second.complete,
        first.reason or second.reason,
        tuple(dict.fromkeys((*first.problems, *second.problems))),
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

    Cloud answers names that are gone with nothing, not with an error (facts/jira-api.md 1.1): silence is asked about.
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
        changed += _keep(reader, batch.issues[start : start + CHUNK], arrived)
    with reader.store.transaction(reader.workspace) as tx:
        gone = (
            snapshots.issue_ids(tx)
            - {issue.id for issue in batch.issues}
            - _held(reader, tx)
            if full and batch.complete
            else set()
        )
        snapshots.forget_issues(tx, sorted(gone))
        _advance(tx, cursor, batch.issues, now=reader.now)
    return _IssuesRead(
        _jql(_parts(reader)),
        bool(changed or gone or full),
        tuple(arrived),
        "" if batch.complete else batch.reason or "not read to the end",
        silent=cursor is not None
        and batch.complete
        and not batch.issues
        and not batch.problems,
    )


def _held(reader: _Reader, tx: Tx) -> set[str]:
    """Return the ids of the issues that links Jira does not answer to any more came to, with their parents."""
    links = [
        link
        for link in _resolved(reader.lookup, reader.links).values()
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


def _match(reader: _Reader, *, refresh: bool) -> str:
    """Bring what each condition matches up to date; return why that was incomplete, nothing when it was not."""
    matched, incomplete = reader.lookup.matched, ""
    for condition in _conditions(reader):
        if condition in matched and not refresh:
            continue
        ids = _census(reader, condition)
        if ids is None:
            incomplete = incomplete or f"not all ids of {condition[:SHOWN]}"
        elif not ids and matched.get(condition) and condition not in reader.proven:
            # A name that is gone matches nothing on Cloud, as a query may that is done with: Jira is asked which.
            _validate(reader, [condition], afresh=True)
        if ids is not None and _not_refused(reader.lookup, LinkKind.JQL, [condition]):
            matched[condition] = ids
    return incomplete


def _census(reader: _Reader, condition: str) -> list[str] | None:
    """Return the ids a condition matches, None when not all came; a refused one is noted."""
    try:
        census = reader.jira.ids(condition)
    except Rejected as error:
        _refuse(reader.lookup, LinkKind.JQL, [condition], error.detail)
        return []
    return sorted(census.ids) if census.complete else None


def _remember(reader: _Reader, *, whole: bool) -> None:
    """Note which links came to something and since when others do not; forget what no card names."""
    lookup, links = reader.lookup, reader.links
    standing = {
        card: found
        for card, link in links.items()
        if (found := _standing(reader, card, link)) is not None
    }
    used = {*links.values(), *(one.link for one in standing.values())}
    conditions = {_condition(lookup, link) for link in links.values()} | {
        one.condition for one in standing.values()
    }
    names = {_name(link) for link in used} | {
        _name(Link(LinkKind.JQL, one)) for one in conditions
    }
    names |= {_name(Link(LinkKind.PROJECT, key)) for _, key in lookup.epics.values()}
    texts = {kind: {one.text for one in used if one.kind is kind} for kind in LinkKind}
    lookup.standing = standing
    lookup.refused = _only(lookup.refused, names)
    lookup.epics = _only(lookup.epics, texts[LinkKind.EPIC])
    lookup.filters = _only(lookup.filters, texts[LinkKind.FILTER])
    lookup.matched = _only(lookup.matched, conditions)
    if whole:
        lookup.read = reader.now


def _only(found: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: value for name, value in found.items() if name in names}


def _standing(reader: _Reader, card: str, link: Link) -> Standing | None:
    """Return the last good link of a card, none when it never had one or has none on purpose."""
    lookup = reader.lookup
    if link.kind is LinkKind.NONE:
        return None
    if link.kind is not LinkKind.BAD and not _fault(lookup, link):
        return Standing(link, _condition(lookup, link))
    last = lookup.standing.get(card)
    if last is None or last.at is not None:
        return last
    return msgspec.structs.replace(last, at=lookup.read or reader.now)


def _read_worklogs(reader: _Reader, *, arrived: Iterable[Issue], afresh: bool) -> str:
    """Read worklogs since the last bound; earlier ones too for issues that came from elsewhere with time on them."""
    with reader.store.reading(reader.workspace) as tx:
        cursor = None if afresh else _worklog_bound(tx, now=reader.now)
        linked = snapshots.issue_ids(tx)
    first = _millis(reader.now - FIRST_WORKLOGS)
    bounds = [
        first if cursor is None else cursor,
        *(max(first, _millis(one.created)) for one in arrived if one.spent),
    ]
    since = min(bounds)
    batch = reader.jira.worklogs(since, now=_millis(reader.now))
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
            reached = min(batch.until, _millis(reader.now))
            registry.set_cursor(tx, WORKLOGS, str(reached))
    return "" if batch.complete else batch.reason or "worklogs not read to the end"


def _worklog_bound(tx: Tx, *, now: datetime) -> int | None:
    """Return where the feeds were read to; none that lies ahead of us, for a read from there on would see nothing."""
    text = registry.load_cursors(tx).get(WORKLOGS)
    found = int(text) if text else None
    return found if found is not None and found <= _millis(now + CLOCK_SKEW) else None


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
    """Return what each card's link came to; where it came to nothing, what the last good one did, with its age."""
    found = {}
    for card, link in links.items():
        last = lookup.standing.get(card)
        if link.kind is LinkKind.NONE:
            continue
        fault = "" if link.kind is LinkKind.BAD else _fault(lookup, link)
        if link.kind is not LinkKind.BAD and not fault:
            found[card] = _resolve_one(lookup, link, _condition(lookup, link))
        elif last is not None and (last.at or lookup.read) is not None:
            found[card] = msgspec.structs.replace(
                _resolve_one(lookup, last.link, last.condition),
                problem=fault,
                as_of=last.at or lookup.read,
            )
        elif fault:
            found[card] = ResolvedLink(link.kind, _name(link), problem=fault)
    return found


def _fault(lookup: Lookup, link: Link) -> str:
    """Return why a link comes to nothing, in Jira's words where it has any; empty when it comes to something."""
    match link.kind:
        case LinkKind.PROJECT:
            concerned, known = [link], link.text in _project_keys(lookup)
        case LinkKind.EPIC:
            _, project = lookup.epics.get(link.text, ("", ""))
            concerned = [link, Link(LinkKind.PROJECT, project)]
            known = link.text in lookup.epics
        case LinkKind.JQL | LinkKind.FILTER:
            condition = _condition(lookup, link)
            concerned = [link, Link(LinkKind.JQL, condition)]
            known = condition in lookup.matched
        case _:
            return ""
    refusals = [
        lookup.refused[name] for name in map(_name, concerned) if name in lookup.refused
    ]
    said = next(filter(None, refusals), "")
    if said:
        return tell("Jira does not accept {link}: {why}", link=_shown(link), why=said)
    if known and not refusals:
        return ""
    return tell(
        "Jira has no {kind} {name}, or the account may not see it",
        kind=link.kind.value,
        name=link.text[:SHOWN],
    )


def _shown(link: Link) -> str:
    cut = link.text if len(link.text) <= SHOWN else f"{link.text[: SHOWN - 1]}…"
    return repr(cut) if link.kind is LinkKind.JQL else f"{link.kind.value} {cut}"


def _resolve_one(lookup: Lookup, link: Link, condition: str) -> ResolvedLink:
    """Return what a link, by its condition if it has one, came to when it was last looked up."""
    match link.kind:
        case LinkKind.PROJECT:
            return ResolvedLink(link.kind, _name(link), project=link.text)
        case LinkKind.EPIC:
            issue, project = lookup.epics.get(link.text, ("", ""))
            return ResolvedLink(link.kind, _name(link), project, issue)
        case LinkKind.JQL | LinkKind.FILTER:
            matched = lookup.matched.get(condition, ())
            return ResolvedLink(link.kind, _name(link), ids=frozenset(matched))
    return ResolvedLink(link.kind, link.text)
