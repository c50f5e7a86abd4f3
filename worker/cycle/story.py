"""One cycle, told on one page: lease, fetch, normalize, rules, settle, diff, show and check, apply, report.

`draw` does everything up to the plan and writes nothing in Notion; `sync` holds the lease, draws, checks the limits and
applies. Nothing is remembered of a plan that was only looked at, or refused.
"""

from __future__ import annotations

import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from worker.codecs.notion import canonicalize
from worker.config import Workspace
from worker.domain.messages import in_words, message, tell
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import (
    Busy,
    Missing,
    Problem,
    RaylineError,
    Rejected,
    Severity,
    Stopped,
    Transient,
)
from worker.mapping.playbooks import Playbooks
from worker.mapping.schema import Bindings, Rows, Schema
from worker.method import evaluate
from worker.method.formulas.occurrences import is_step, row_of
from worker.method.outcome import Outcome
from worker.pages import write_pages
from worker.plan.diff import SECTION, Unread, known_pages, make_plan
from worker.plan.limits import check
from worker.plan.plan import Kept, Kind, Plan
from worker.plan.provenance import find_ours
from worker.plan.scope import find_scope, in_scope
from worker.ports import Jira, Notion
from worker.read.boards import BoardsRead, read_boards
from worker.read.missing_columns import (
    NOTHING_LOST,
    Losses,
    restored,
    unaffected_facts,
    with_lost,
)
from worker.read.schema import Bound, mark_stale, read_schema, recall_schema
from worker.read.tracker import TrackerRead, read_tracker, recall_tracker
from worker.state import (
    bases,
    history,
    journal,
    leases,
    memory,
    problems,
    runs,
    snapshots,
    triggers,
)
from worker.state import bindings as registry
from worker.state.store import Store, Tx
from worker.world.links import Link
from worker.world.memory import Memory, Turn
from worker.world.normalize import build_world, card_links
from worker.world.world import World
from worker.write.settle import settle
from worker.write.writer import Applied, apply

log = structlog.get_logger("worker.cycle.story")
KEPT = timedelta(days=90)
"""How long runs and their plans can be looked at."""
TEXT = 400
_ALL_READ: Unread = MappingProxyType({})
GONE, FINGERPRINT, MANAGED = "gone_pages", "mapping_fingerprint", "managed_rows"


class Mode(StrEnum):
    """How much a cycle reads: what changed, or everything (which alone notices deletions)."""

    DELTA = "delta"
    FULL = "full"


class CycleRequest(msgspec.Struct, frozen=True, gc=False):
    """What is asked of a cycle: how much to read, who asked, of which client, past the limits, only this plan."""

    mode: Mode = Mode.DELTA
    trigger: str = "manual"
    scope: str = ""
    force: bool = False
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a cycle works with; built in one place (`worker.app.build`). `now` tells UTC, `begin` starts the
    run's deadline."""

    name: str
    settings: Workspace
    schema: Schema
    playbooks: Playbooks
    words: Words
    notion: Notion
    jira: Jira
    store: Store
    fingerprint: str
    owner: str
    now: Callable[[], datetime]
    begin: Callable[[], None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[str, int, int], None] = lambda phase, done, total: None


class PlannedCycle(msgspec.Struct, frozen=True, gc=False):
    """What a cycle saw and would write, and why it may not (`refused`)."""

    world: World
    outcome: Outcome
    plan: Plan
    bindings: Bindings
    refused: tuple[Problem, ...] = ()
    managed: Mapping[str, int] = msgspec.field(default_factory=dict)


class Report(msgspec.Struct, frozen=True, gc=False):
    """How a cycle went; `data` is what `sync --json` prints. `doubts` name what was perhaps created,
    `notes` that it was ended early."""

    run_id: int
    workspace: str
    seconds: float
    requests: Mapping[str, int]
    plan: Plan
    refused: tuple[Problem, ...] = ()
    applied: Applied = msgspec.field(default_factory=Applied)
    trigger: str = "manual"
    doubts: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    def data(self) -> dict[str, Any]:
        """Return the report as JSON data: `changes` counts what was written, `refused` is null or the reasons."""
        return {
            "run_id": self.run_id,
            "workspace": self.workspace,
            "seconds": round(self.seconds, 3),
            "requests": dict(self.requests),
            "changes": self.applied.counts(),
            "kept": sum(not kept.conflict for kept in self.kept()),
            "conflicts": sum(kept.conflict for kept in self.kept()),
            "problems": [problem_data(problem) for problem in self.problems()],
            "refused": [problem_data(reason) for reason in self.refused] or None,
        }

    def kept(self) -> tuple[Kept, ...]:
        """Return the values of people that stand, those typed while the run was under way included."""
        return (*self.plan.kept, *self.applied.kept)

    def problems(self) -> tuple[Problem, ...]:
        """Return everything that was wrong: with what was read, and with what could not be written."""
        return (*self.standing(), *self.failures(), *self.notes)

    def standing(self) -> tuple[Problem, ...]:
        """Return what stays wrong until somebody mends it: with what was read, and with what is shown of it."""
        return (*self.plan.problems, *self.applied.warnings)

    def failures(self) -> tuple[Problem, ...]:
        """Return what could not be written, and what perhaps was."""
        return (*self.applied.failures, *self.doubts)

    def is_denied(self) -> bool:
        """Tell whether the connection may not write at all: nothing was written, and access was the reason."""
        return not any(self.applied.counts().values()) and any(
            failure.code == "write-denied" for failure in self.applied.failures
        )


def _in_doubt(ref: Ref) -> Problem:
    return Problem(
        "creation-in-doubt",
        str(ref),
        "",
        message("Notion did not say whether the row was made"),
        message("a later cycle looks it up before it is made again"),
    )


def _early_ends(workspace: str, applied: Applied) -> Iterator[Problem]:
    """Yield why a run ended before all was written."""
    if applied.taken_by:
        yield _taken_over(workspace, applied.taken_by)
    elif applied.stopped:
        yield _unfinished(workspace)


def _taken_over(workspace: str, holder: str) -> Problem:
    return Problem(
        "taken-over",
        workspace,
        "",
        tell(
            "this run gave no sign of life for a while, so {holder} took the workspace over; what is counted here was "
            "written before that",
            holder=holder,
        ),
        message("the next cycle writes the rest"),
    )


def _unfinished(workspace: str) -> Problem:
    return Problem(
        "ended-early",
        workspace,
        "",
        message("the run was ended before all was written"),
        message("the next cycle writes the rest"),
    )


def problem_data(problem: Problem) -> dict[str, str]:
    """Return a problem as JSON data."""
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "where": problem.where,
        "field": problem.field,
        "message": problem.message,
        "hint": problem.hint,
        "url": problem.url,
    }


def sync(
    context: Context,
    order: CycleRequest,
    *,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> Report:
    """Run one cycle and return how it went; a refused plan is returned as such, with nothing written.

    Raises `Busy` when another process holds the workspace, `ConfigError` and the API errors when nothing can be done.
    """
    store, began = context.store, context.now()
    before = _requests(context)
    if context.stop.is_set():
        raise Stopped("ended before it began")
    with leases.hold(
        store,
        context.name,
        context.owner,
        ttl=timedelta(seconds=context.settings.schedule.lease),
        now=store.now,
        limit=timedelta(seconds=2 * context.settings.schedule.run_limit),
    ) as held:
        with store.transaction(context.name) as tx:
            runs.close_lost(tx, now=began)
            triggers.give_back(tx)
            run_id = runs.start(tx, order.trigger, now=began)
        on_start(run_id)
        leased = renew(context, store=store.guarded(held.confirm))
        try:
            drawn, applied = _round(leased, order, run_id, held.check)
            if _needs_second_pass(leased, order, drawn, applied):
                drawn, applied = _run_second_pass(
                    leased, order, run_id, held.check, (drawn, applied)
                )
        except Exception as error:
            _finish_failed(context, run_id, error, before)
            if context.stop.is_set() and isinstance(error, Transient):
                raise Stopped("ended while waiting for an answer") from error
            raise
        report = Report(
            run_id,
            context.name,
            (context.now() - began).total_seconds(),
            _since(context, before),
            drawn.plan,
            drawn.refused,
            applied,
            order.trigger,
            tuple(_readable(_in_doubt(ref), context.words) for ref in applied.unknown),
            tuple(
                _readable(note, context.words)
                for note in _early_ends(context.name, applied)
            ),
        )
        return _finish(leased, report, mode=order.mode)


def _round(
    context: Context, order: CycleRequest, run_id: int, fence: Callable[[], None]
) -> tuple[PlannedCycle, Applied]:
    """Draw a plan and carry it out; a refused one leaves no trace but itself.

    What was observed is remembered before anything is written, what follows from a write together with it; a run that
    was broken off has the next one go on where it ended.
    """
    drawn = plan_cycle(context, order)
    turns = _turns(drawn)
    with context.store.transaction(context.name) as tx:
        runs.save_plan(tx, drawn.plan, run_id, now=context.now())
        if not drawn.refused:
            memory.save(tx, _observed(drawn, turns))
            history.record(tx, _remembered(drawn.world), day=drawn.world.today)
    applied = (
        Applied()
        if drawn.refused
        else _apply(context, drawn, fence, turns, claim=str(run_id))
    )
    try:
        _conclude_round(context, drawn, applied)
    except Busy as taken:
        applied = replace(applied, stopped=True, taken_by=taken.holder)
    return drawn, applied


def _conclude_round(context: Context, drawn: PlannedCycle, applied: Applied) -> None:
    """Save what the next cycle goes by."""
    with context.store.transaction(context.name) as tx:
        if not drawn.refused and not applied.stopped:
            memory.end_first_run(tx)
            registry.set_setting(tx, FINGERPRINT, context.fingerprint)
            registry.set_setting(tx, MANAGED, _after(drawn))
        _forget_deleted(tx, applied.gone)


def _turns(drawn: PlannedCycle) -> dict[Ref, Turn]:
    """Return the steps in the lives of signals that are taken by writing their rows."""
    written = {
        change.ref
        for change in drawn.plan.changes
        if change.kind in (Kind.CREATE, Kind.UPDATE)
    }
    earlier = drawn.world.memory.occurrences
    found = {}
    for key, now in drawn.outcome.memory.occurrences.items():
        before, ref = earlier.get(key), row_of(now)
        if ref in written and is_step(before, now):
            found[ref] = Turn(before, now)
    return found


def _observed(drawn: PlannedCycle, turns: Mapping[Ref, Turn]) -> Memory:
    """Return the memory with the steps that are still to be written as they were before."""
    occurrences = dict(drawn.outcome.memory.occurrences)
    for turn in turns.values():
        if turn.before is None:
            del occurrences[turn.now.key]
        else:
            occurrences[turn.now.key] = turn.before
    return replace(
        drawn.outcome.memory,
        occurrences=occurrences,
        first_run=drawn.world.memory.first_run,
    )


def _needs_second_pass(
    context: Context, order: CycleRequest, drawn: PlannedCycle, applied: Applied
) -> bool:
    """Tell whether a second round follows: rows planted on people's boards are input as soon as they are there, and
    what follows from them belongs to this cycle. A plan that was reviewed is carried out as it was."""
    is_whole = not (
        drawn.refused or applied.failures or applied.unknown or applied.stopped
    )
    return (
        is_whole
        and not order.checksum
        and any(
            change.kind is Kind.CREATE
            and context.schema.sources[change.ref.source].seeded
            for change in drawn.plan.changes
        )
    )


def _run_second_pass(
    context: Context,
    order: CycleRequest,
    run_id: int,
    fence: Callable[[], None],
    first: tuple[PlannedCycle, Applied],
) -> tuple[PlannedCycle, Applied]:
    """Run the second round; when it cannot be done, what the first one wrote is reported all the same."""
    try:
        return _merge_passes(
            context,
            run_id,
            first,
            _round(context, replace(order, mode=Mode.DELTA), run_id, fence),
        )
    except RaylineError as error:
        log.warning(
            "cycle.second_round", workspace=context.name, run=run_id, error=str(error)
        )
        drawn, did = first
        unfinished = Problem(
            "second-round",
            context.name,
            "",
            tell(
                "what follows from the new rows could not be written: {error}",
                error=error,
            ),
            message("the next cycle writes the rest"),
            severity=Severity.ERROR,
        )
        return drawn, replace(
            did,
            failures=(*did.failures, _readable(unfinished, context.words)),
            stopped=did.stopped or isinstance(error, Stopped),
        )


def _merge_passes(
    context: Context,
    run_id: int,
    first: tuple[PlannedCycle, Applied],
    second: tuple[PlannedCycle, Applied],
) -> tuple[PlannedCycle, Applied]:
    """Return two rounds as one, what both wrote; a second one that was refused is the next cycle's to tell."""
    (before, did), (after, done) = first, second
    if after.refused:
        return first
    plan = replace(
        after.plan,
        changes=(*before.plan.changes, *after.plan.changes),
        adopted=(*before.plan.adopted, *after.plan.adopted),
    )
    with context.store.transaction(context.name) as tx:
        runs.save_plan(tx, plan, run_id, now=context.now())
    return replace(after, plan=plan), replace(
        done,
        done=Counter(did.done) + Counter(done.done),
        unknown=(*did.unknown, *done.unknown),
        kept=(*did.kept, *done.kept),
        warnings=tuple(sorted({*did.warnings, *done.warnings})),
    )


def plan_cycle(context: Context, order: CycleRequest) -> PlannedCycle:
    """Read both systems, apply the rules and return the plan; writes nothing but the snapshot."""
    now, full = context.now(), order.mode is Mode.FULL
    context.begin()
    bound = _bind(context, afresh=full)
    unsettled = _settle(context, bound.bindings)
    boards, bound = _fetch_boards(context, bound, full=full, now=now)
    _step(context, "jira")
    tracker = read_tracker(
        context.jira,
        context.store,
        context.name,
        links=_links(context, bound),
        full=full,
        now=now,
    )
    unread = {
        name: frozenset(one.id for one in rows) for name, rows in boards.unread.items()
    }
    drawn = evaluate_snapshot(
        context,
        bound,
        tracker,
        now=now,
        scope=order.scope,
        unread=unread,
        insists=full,
    )
    found = {
        *drawn.plan.problems,
        *bound.drift,
        *unsettled,
        *boards.problems,
        *tracker.problems,
    }
    plan = replace(
        drawn.plan,
        problems=tuple(sorted(_readable(problem, context.words) for problem in found)),
    )
    managed = _managed_rows(context, drawn.world)
    refused = _refusals(context, order, plan, boards=boards, managed=managed)
    return replace(
        drawn,
        plan=plan,
        managed=managed,
        refused=tuple(_readable(reason, context.words) for reason in refused),
    )


def _readable(problem: Problem, words: Words) -> Problem:
    """Return a problem that can be read: in the workspace's language, and cut, as titles may be of any length."""
    said = in_words(problem, words)
    return replace(
        said, where=_cut(said.where), message=_cut(said.message), hint=_cut(said.hint)
    )


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


def recall(context: Context) -> PlannedCycle:
    """Return what would be drawn from the snapshot alone, asking nobody: for `explain`."""
    with context.store.reading(context.name) as tx:
        bound = recall_schema(tx)
    tracker = recall_tracker(context.store, context.name, links=_links(context, bound))
    return evaluate_snapshot(context, bound, tracker, now=context.now())


def evaluate_snapshot(
    context: Context,
    bound: Bound,
    tracker: TrackerRead,
    *,
    now: datetime,
    scope: str = "",
    unread: Unread = _ALL_READ,
    insists: bool = False,
) -> PlannedCycle:
    """Return what the rules want of the snapshot: normalize, evaluate, diff; no network.

    `unread` are page ids by source that could not be read now, see `make_plan`; `insists` plans again what Notion
    refused before.
    """
    _step(context, "rules")
    with gc_paused():
        return _conclude(
            context,
            bound,
            tracker,
            now=now,
            scope=scope,
            unread=unread,
            insists=insists,
        )


def _conclude(
    context: Context,
    bound: Bound,
    tracker: TrackerRead,
    *,
    now: datetime,
    scope: str,
    unread: Unread,
    insists: bool,
) -> PlannedCycle:
    world = _normalize(context, bound.bindings, tracker, now=now)
    outcome = write_pages(world, evaluate(world, context.playbooks))
    if bound.losses:
        earlier = _normalize(
            context, bound.bindings, tracker, now=now, losses=bound.losses
        )
        outcome = unaffected_facts(
            write_pages(earlier, evaluate(earlier, context.playbooks)), outcome
        )
    wanted = _narrow(outcome, world, scope) if scope else outcome
    plan = _diff(context, bound.bindings, world, wanted, unread=unread, insists=insists)
    plan = replace(
        plan,
        problems=tuple(sorted({*plan.problems, *world.problems, *outcome.problems})),
    )
    return PlannedCycle(world, outcome, plan, bound.bindings)


def _narrow(outcome: Outcome, world: World, scope: str) -> Outcome:
    """Return the outcome with the facts and sections of one client only."""
    client = find_scope(world, scope)
    sections = (section for section in outcome.sections if section.ref == client)
    return replace(
        outcome,
        facts=in_scope(outcome.facts, world, client),
        sections=tuple(sections),
    )


@contextmanager
def gc_paused() -> Iterator[None]:
    """Put the search for garbage in rings off: values have none, and looking through a hundred thousand issues for
    them takes a third of the thinking's time. What was made meanwhile counts as old at once, unwalked."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _links(context: Context, bound: Bound) -> dict[str, Link]:
    """Return the Jira links of the cards; the last known ones where the property is gone."""
    with context.store.reading(context.name) as tx:
        pages = restored(snapshots.load_pages(tx, "projects"), bound.losses)
    return card_links(
        pages.get("projects", ()),
        context.schema,
        with_lost(bound.bindings, bound.losses),
    )


def _step(context: Context, phase: str) -> None:
    """Tell the watcher where the cycle is; end it here when the process was asked to end."""
    if context.stop.is_set():
        raise Stopped(f"ended before {phase}")
    context.progress(phase, 0, 1)


def _bind(context: Context, *, afresh: bool) -> Bound:
    return read_schema(
        context.notion,
        context.store,
        context.name,
        words=context.words,
        schema=context.schema,
        settings=context.settings,
        afresh=afresh,
    )


def _fetch_boards(
    context: Context, bound: Bound, *, full: bool, now: datetime
) -> tuple[BoardsRead, Bound]:
    """Read the boards into the snapshot; when they show another schema than the one known, that first."""
    store, name = context.store, context.name
    with store.reading(name) as tx:
        ours, buried = (
            journal.canonical_pages(tx),
            set(registry.get_setting(tx, GONE, [])),
        )
    _step(context, "notion")
    boards = read_boards(
        context.notion,
        store,
        name,
        schema=context.schema,
        bindings=bound.bindings,
        full=full,
        width=context.settings.notion.width,
        ours=ours,
        buried=buried,
        now=now,
        trusted=bound.trusted,
    )
    if boards.drifted:
        return _fetch_boards(context, _bind(context, afresh=True), full=full, now=now)
    with store.transaction(name) as tx:
        registry.set_setting(
            tx, GONE, sorted((boards.gone | buried) - snapshots.page_ids(tx))
        )
    return boards, bound


def _normalize(
    context: Context,
    bindings: Bindings,
    tracker: TrackerRead,
    *,
    now: datetime,
    losses: Losses = NOTHING_LOST,
) -> World:
    with context.store.reading(context.name) as tx:
        pages, issues, worklogs = (
            snapshots.load_pages(tx),
            snapshots.load_issues(tx),
            snapshots.load_worklogs(tx),
        )
        remembered = memory.load(tx)
        gone = set(registry.get_setting(tx, GONE, []))
        dues = bases.load(tx, only="due")
        trashed = frozenset(
            ref
            for ref, page_id in journal.canonical_pages(tx).items()
            if page_id in gone
        )
    world = build_world(
        workspace=context.name,
        now=now,
        settings=context.settings,
        words=context.words,
        schema=context.schema,
        bindings=with_lost(bindings, losses),
        pages=restored(pages, losses),
        issues=issues,
        worklogs=worklogs,
        links=tracker.links,
        jira_projects=tracker.projects,
        memory=remembered,
        trashed=trashed,
        site_url=context.settings.jira.base_url,
    )
    due = context.schema.sources["projects"].properties["due"]
    ours = find_ours(world.rows.get("projects", ()), due, *dues)
    return replace(world, taken_over=frozenset(ours))


def _diff(
    context: Context,
    bindings: Bindings,
    world: World,
    wanted: Outcome,
    *,
    unread: Unread,
    insists: bool,
) -> Plan:
    with context.store.reading(context.name) as tx:
        written, attempted = bases.load(tx)
        ours, made = journal.canonical_pages(tx), journal.created_pages(tx)
    return make_plan(
        world,
        wanted.facts,
        context.schema,
        bindings,
        written,
        canonicalize=canonicalize,
        ours=ours,
        made=made,
        attempted=attempted,
        sections=wanted.sections,
        unread=unread,
        insists=insists,
    )


def _managed_rows(context: Context, world: World) -> dict[str, int]:
    return {
        name: sum(
            bool(row.key) or context.schema.sources[name].rows is Rows.PEOPLE
            for row in rows
        )
        for name, rows in world.rows.items()
    }


def _refusals(
    context: Context,
    order: CycleRequest,
    plan: Plan,
    *,
    boards: BoardsRead,
    managed: Mapping[str, int],
) -> tuple[Problem, ...]:
    if order.checksum and order.checksum != plan.checksum():
        return (
            Problem(
                "other-plan",
                context.name,
                message=tell(
                    "the plan is now {now}, not the reviewed {reviewed}",
                    now=plan.checksum(),
                    reviewed=order.checksum,
                ),
                hint=message("look at `rayline plan` again"),
            ),
        )
    if order.force:
        return ()
    with context.store.reading(context.name) as tx:
        before = registry.get_setting(tx, MANAGED, {})
        fingerprint = registry.get_setting(tx, FINGERPRINT, context.fingerprint)
        sectioned = bases.pages_with(tx, SECTION)
    return check(
        plan,
        rows_by_source=managed,
        settings=context.settings.limits,
        rows_before=before,
        incomplete=boards.incomplete,
        mapping_changed=fingerprint != context.fingerprint,
        periodic=context.schema.periodic(),
        sectioned=sectioned,
    )


def _settle(context: Context, bindings: Bindings) -> tuple[Problem, ...]:
    """Find out what became of creations whose outcome nobody knows."""
    return settle(
        context.store,
        context.name,
        context.notion,
        schema=context.schema,
        bindings=bindings,
        now=context.store.now(),
        settle_after=timedelta(seconds=context.settings.notion.settle),
    ).problems


def _apply(
    context: Context,
    drawn: PlannedCycle,
    fence: Callable[[], None],
    turns: Mapping[Ref, Turn],
    *,
    claim: str,
) -> Applied:
    with context.store.reading(context.name) as tx:
        known = known_pages(drawn.world, context.schema, journal.canonical_pages(tx))
    applied = apply(
        drawn.plan,
        notion=context.notion,
        store=context.store,
        workspace=context.name,
        schema=context.schema,
        bindings=drawn.bindings,
        width=context.settings.notion.width,
        now=context.store.now,
        stop=context.stop,
        fence=fence,
        progress=context.progress,
        known=known,
        seen={row.page_id: row for rows in drawn.world.rows.values() for row in rows},
        turns=turns,
        settle_after=timedelta(seconds=context.settings.notion.settle),
        claim=claim,
    )
    return replace(
        applied,
        failures=tuple(
            _readable(failure, context.words) for failure in applied.failures
        ),
        warnings=tuple(
            _readable(warning, context.words) for warning in applied.warnings
        ),
    )


def _finish(context: Context, report: Report, *, mode: Mode) -> Report:
    """Record how the run went and return its report: what all runs share is the next one's once it took over."""
    try:
        with context.store.transaction(context.name) as tx:
            mark_stale(tx, stale=_hints_at_drift(report))
            problems.replace(tx, report.standing(), now=context.now())
            if mode is Mode.FULL:
                runs.prune(tx, before=context.now() - KEPT)
    except Busy as taken:
        if not report.applied.taken_by:
            note = _readable(_taken_over(context.name, taken.holder), context.words)
            report = replace(
                report,
                applied=replace(report.applied, stopped=True, taken_by=taken.holder),
                notes=(note,),
            )
    _record(context, report, mode=mode)
    return report


def _record(context: Context, report: Report, *, mode: Mode) -> None:
    """Record the run itself, which is nobody else's."""
    is_whole = not (report.failures() or report.applied.stopped)
    status = (
        runs.RunStatus.REFUSED
        if report.refused
        else runs.RunStatus.DONE
        if is_whole
        else runs.RunStatus.FAILED
    )
    with context.store.unguarded().transaction(context.name) as tx:
        runs.finish(
            tx,
            report.run_id,
            status,
            requests=report.requests,
            now=context.now(),
            outcome={
                **report.data(),
                "checksum": report.plan.checksum(),
                "mode": mode.value,
                "stopped": report.applied.stopped,
            },
        )
    log.info(
        "cycle.done",
        workspace=context.name,
        run=report.run_id,
        trigger=report.trigger,
        status=status.value,
        changes=sum(report.applied.counts().values()),
        problems=len(report.plan.problems),
        requests=dict(report.requests),
    )


def _forget_deleted(tx: Tx, gone: frozenset[str]) -> None:
    """Remember pages found deleted while writing, as a full read would have."""
    if gone:
        snapshots.forget_pages(tx, sorted(gone))
        registry.set_setting(
            tx, GONE, sorted({*registry.get_setting(tx, GONE, []), *gone})
        )


def _hints_at_drift(report: Report) -> bool:
    """Tell whether Notion's schema may have changed since it was read."""
    return any(
        failure.code in ("write-rejected", "field-refused")
        for failure in report.applied.failures
    ) or any(reason.code == "source-empty" for reason in report.refused)


def _after(drawn: PlannedCycle) -> dict[str, int]:
    created = Counter(
        change.ref.source for change in drawn.plan.changes if change.kind is Kind.CREATE
    )
    return {name: count + created[name] for name, count in drawn.managed.items()}


def _remembered(world: World) -> dict[tuple[Ref, str], str]:
    stages = {
        (ref, "stage"): card.stage.value
        for ref, card in world.cards.items()
        if card.stage
    }
    return stages | {
        (ref, "due"): card.due.isoformat()
        for ref, card in world.cards.items()
        if card.due
    }


def _finish_failed(
    context: Context, run_id: int, error: Exception, before: Mapping[str, int]
) -> None:
    told = str(error) if isinstance(error, RaylineError) else type(error).__name__
    with context.store.transaction(context.name) as tx:
        if isinstance(error, Rejected | Missing) and error.api == "notion":
            mark_stale(tx, stale=True)
        runs.finish(
            tx,
            run_id,
            runs.RunStatus.FAILED,
            outcome={"error": told},
            requests=_since(context, before),
            now=context.now(),
        )


def _requests(context: Context) -> dict[str, int]:
    return {"notion": context.notion.requests(), "jira": context.jira.requests()}


def _since(context: Context, before: Mapping[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in _requests(context).items()}
