"""From what both systems say to the plan: read, normalize, evaluate, diff, check; nothing is written in Notion."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from worker.codecs.records import Page
from worker.cycle.clock import odd_clock, with_right_clock
from worker.cycle.context import (
    FINGERPRINT,
    MANAGED,
    PAGE_SIZES,
    Context,
    CycleRequest,
    Footing,
    Mode,
    PlannedCycle,
    step,
)
from worker.cycle.idling import PAST, Idle, Look, digest, find_reasons, name_software
from worker.cycle.remembering import MARKS
from worker.cycle.stale_memory import (
    DOUBTS,
    HELD,
    Known,
    Recent,
    is_new,
    tell_doubts,
    tell_held,
)
from worker.cycle.tokens import expiring
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import local_day
from worker.domain.values import Ref, Span
from worker.errors import Code, Problem, RenderedProblem, Severity, in_words
from worker.mapping.playbooks import Playbooks
from worker.mapping.schema import Bindings, Rows, Schema
from worker.method import evaluate
from worker.method.formulas.occurrences import row_of
from worker.method.outcome import Outcome
from worker.method.whatif.asking import answer_scenarios
from worker.pages import write_pages
from worker.plan import limits
from worker.plan.diff import SECTION, Unread, Written, make_plan
from worker.plan.natural import is_brought_in
from worker.plan.outdated import Tidying, part_within, without_old
from worker.plan.plan import Kind, Plan
from worker.plan.provenance import find_ours
from worker.plan.scope import find_scope, in_scope, of_rules
from worker.plan.waiting import find_waiting
from worker.read.absent import GONE
from worker.read.address import read_address, recall_address
from worker.read.boards import UNSEEN, BoardsRead, read_boards
from worker.read.missing_columns import (
    NOTHING_LOST,
    Losses,
    restored,
    unaffected_facts,
    with_lost,
)
from worker.read.schema import Bound, read_schema, recall_schema
from worker.read.tracker import TrackerRead, read_tracker, recall_tracker
from worker.state import bases, journal, memory, runs, snapshots
from worker.state.settings import Setting
from worker.state.store import Tx
from worker.world.links import Link
from worker.world.logged import on_days
from worker.world.normalize import Seen, build_world, card_links
from worker.world.world import PLACES, World
from worker.write.settle import settle

_ALL_READ: Unread = MappingProxyType({})


def plan_cycle(context: Context, order: CycleRequest) -> PlannedCycle:
    """Read both systems, apply the rules and return the plan; writes nothing but the snapshot.

    Raises the API errors, `ConfigError`, and `WrongClock`, with nothing written.
    """
    now = context.now()
    full = order.mode is Mode.FULL
    context.begin()
    with page_sizes(context, full=full):
        return with_right_clock(
            context,
            lambda watched: _plan_read(
                watched, order, _read(watched, order, full=full, now=now), now=now
            ),
        )


def plan_unless_idle(
    context: Context, order: CycleRequest, run_id: int
) -> PlannedCycle | Idle:
    """Do as `plan_cycle` does, for a run; when there is nothing to think about, end once both systems were read."""
    now = context.now()
    full = order.mode is Mode.FULL

    def act(watched: Context) -> PlannedCycle | Idle:
        read = _read(watched, order, full=full, now=now)
        with watched.reading() as tx:
            footing = find_footing(watched, tx, read, now=now)
            look = Look(order, run_id, footing, PAST.load(tx))
        idle = None if find_reasons(look) else _stay_idle(watched, look)
        if idle is not None:
            return idle
        drawn = _plan_read(watched, order, read, now=now)
        return replace(drawn, footing=look.now)

    context.begin()
    with page_sizes(context, full=full):
        return with_right_clock(context, act)


def _stay_idle(context: Context, look: Look) -> Idle | None:
    """Make the last run's plan this one's; None when it is not kept any more."""
    past = look.last
    with context.transaction() as tx:
        plan = runs.renew_plan(
            tx, past.checksum, look.run, before=past.run, now=context.now()
        )
        if plan is None:
            return None
        PAST.save(tx, replace(past, run=look.run))
    return Idle(plan)


class Read(NamedTuple):
    """What both systems told beside the snapshot; `pending` when a creation was in doubt before it was read."""

    bound: Bound
    boards: BoardsRead
    tracker: TrackerRead
    problems: tuple[RenderedProblem, ...]
    pending: bool


BESIDE: Mapping[str, str] = {
    "trusted": "columns are the same, read just now or remembered",
    "drifted": "a read that shows another schema begins anew under that",
    "problems": "all of them go in as people are told of them",
}
"""What of a read no plan rests on, and why; all other fields are part of the footing, those added later as well."""


def find_footing(context: Context, tx: Tx, read: Read, *, now: datetime) -> Footing:
    """Return what a plan will rest on."""
    settings = context.settings
    memories = (HELD, DOUBTS, FINGERPRINT, MANAGED)
    return Footing(
        snapshot=snapshots.count_changes(tx),
        today=local_day(now, ZoneInfo(settings.time_zone)),
        version=name_software(),
        settings=digest(
            settings.model_dump_json(), context.fingerprint, context.playbooks
        ),
        schema=_digest_of(read.bound),
        boards=digest(_digest_of(read.boards), GONE.load(tx)),
        tracker=digest(_digest_of(read.tracker), recall_address(context)),
        problems=digest(sorted(read.problems)),
        memory=digest([setting.load(tx) for setting in memories]),
        pending=read.pending,
    )


def _digest_of(part: Bound | BoardsRead | TrackerRead) -> str:
    """Return a digest of all that a plan may rest on in a part of a read."""
    names = sorted(field.name for field in fields(part) if field.name not in BESIDE)
    return digest([(name, getattr(part, name)) for name in names])


@contextmanager
def page_sizes(context: Context, *, full: bool) -> Iterator[None]:
    """Go by the sizes of pages found before, and remember those found now; a full read tries larger ones."""
    with context.reading() as tx:
        before = PAGE_SIZES.load(tx)
    context.sizes.restore(before)
    if full:
        context.sizes.grow()
    try:
        yield
    finally:
        sizes = context.sizes.known()
        if sizes != before:
            # Not the workspace's but the servers', so that whoever found it may tell.
            with context.store.unguarded().transaction(context.name) as tx:
                PAGE_SIZES.save(tx, sizes)


def _read(context: Context, order: CycleRequest, *, full: bool, now: datetime) -> Read:
    with context.reading() as tx:
        is_pending = bool(journal.unsettled(tx))
    bound = read_schema(context.notion, context, afresh=full, forgets=order.force)
    unsettled = settle(context.notion, context, bound.bindings).problems
    boards, bound = fetch_boards(context, bound, order, now=now)
    tracker = fetch_tracker(context, bound, order, now=now)
    odd = odd_clock(context)
    today = local_day(now, ZoneInfo(context.settings.time_zone))
    ending = expiring(context.settings, today)
    found = {*unsettled, *boards.problems, *tracker.problems, *odd, *ending}
    problems = tuple(in_words(problem, context.words) for problem in found)
    return Read(bound, boards, tracker, problems, is_pending)


def _plan_read(
    context: Context, order: CycleRequest, read: Read, *, now: datetime
) -> PlannedCycle:
    boards = read.boards
    unread = {
        name: frozenset(one.id for one in rows) for name, rows in boards.unread.items()
    }
    drawn = evaluate_snapshot(
        context, read.bound, read.tracker, order, now=now, unread=unread
    )
    problems = {*drawn.plan.problems, *read.bound.drift, *read.problems}
    changes = without_old(drawn.plan.changes, boards.incomplete)
    plan = replace(drawn.plan, changes=changes, problems=tuple(sorted(problems)))
    managed = managed_rows(context, drawn.world, read.bound)
    refused = find_refusals(
        context, order, plan, boards=boards, managed=managed, world=drawn.world
    )
    return replace(
        drawn,
        plan=plan,
        managed=managed,
        refused=tuple(in_words(reason, context.words) for reason in refused),
    )


def recall(context: Context) -> PlannedCycle:
    """Return what would be drawn from the snapshot alone, asking nobody: for `explain`."""
    with context.reading() as tx:
        bound = recall_schema(tx)
    tracker = recall_links(context, bound)
    return evaluate_snapshot(context, bound, tracker, CycleRequest(), now=context.now())


def recall_links(context: Context, bound: Bound) -> TrackerRead:
    """Return what the snapshot knows of the tracker, asking nobody."""
    links = _links(context, bound, recall_address(context))
    return recall_tracker(context, links)


def evaluate_snapshot(
    context: Context,
    bound: Bound,
    tracker: TrackerRead,
    order: CycleRequest,
    *,
    now: datetime,
    unread: Unread = _ALL_READ,
) -> PlannedCycle:
    """Return what the rules want of the snapshot: normalize, evaluate, diff; no network.

    `unread` are page ids by source that could not be read now, see `make_plan`. A full read plans again what Notion
    refused before, and archives what has had its time.
    """
    step(context, "rules")
    with gc_paused():
        return _conclude(context, bound, tracker, order, now=now, unread=unread)


def _conclude(
    context: Context,
    bound: Bound,
    tracker: TrackerRead,
    order: CycleRequest,
    *,
    now: datetime,
    unread: Unread,
) -> PlannedCycle:
    veiled = bound.veiled(context.schema)
    world = normalize(context, bound, tracker, now=now, losses=veiled)
    outcome = _apply_method(world, context.playbooks)
    if bound.losses != veiled:
        earlier = normalize(context, bound, tracker, now=now, losses=bound.losses)
        outcome = unaffected_facts(_apply_method(earlier, context.playbooks), outcome)
    unseen = bound.unseen.keys()
    waiting = find_waiting(outcome.facts, world, context.schema, unseen)
    outcome = _hold_steps(outcome, world, waiting, unseen)
    outcome, wanted = _narrow(outcome, world, order)
    insists = order.mode is Mode.FULL
    terms = _Terms(unread, insists, order.force, now, waiting)
    plan, held, doubts = _diff(context, bound.bindings, world, wanted, terms=terms)
    told = {in_words(one, world.words) for one in (*world.problems, *outcome.problems)}
    plan = replace(plan, problems=tuple(sorted({*plan.problems, *told})))
    return PlannedCycle(world, outcome, plan, bound.bindings, held=held, doubts=doubts)


def _apply_method(world: World, playbooks: Playbooks) -> Outcome:
    """Return what the rules say of a world, what its scenarios would change, and what pages tell of both."""
    outcome = evaluate(world, playbooks)
    outcome = answer_scenarios(world, outcome, playbooks)
    return write_pages(world, outcome)


def _hold_steps(
    outcome: Outcome, world: World, waiting: AbstractSet[Ref], unseen: AbstractSet[str]
) -> Outcome:
    """Return an outcome in which rows that cannot be written stay as they were remembered: else a row would count as
    made, closed or marked that is not."""
    before = world.memory
    occurrences = dict(outcome.memory.occurrences)
    for key, now in outcome.memory.occurrences.items():
        row = row_of(now)
        if row is None or not (row in waiting or row.source in unseen):
            continue
        if key in before.occurrences:
            occurrences[key] = before.occurrences[key]
        else:
            del occurrences[key]

    tracks = dict(outcome.memory.tracks)
    for name in outcome.memory.tracks:
        if name in before.tracks and Ref.parse(name).source in unseen:
            tracks[name] = before.tracks[name]
    memory = replace(outcome.memory, occurrences=occurrences, tracks=tracks)
    return replace(outcome, memory=memory)


def _narrow(
    outcome: Outcome, world: World, order: CycleRequest
) -> tuple[Outcome, Outcome]:
    """Return what is to be remembered and what is to be written, of one client or some rules where it is asked so.

    Signals whose rows are left out stay as they were remembered: else a row would count as made that is not.
    """
    if not order.in_short():
        return outcome, outcome
    facts = of_rules(outcome.facts, order.rules)
    sections = [
        one
        for one in outcome.sections
        if not order.rules or one.why.rule in order.rules
    ]
    if order.scope:
        client = find_scope(world, order.scope)
        facts = in_scope(facts, world, client)
        sections = [section for section in sections if section.ref == client]

    rows = {fact.ref for fact in facts}
    occurrences = dict(world.memory.occurrences)
    for key, now in outcome.memory.occurrences.items():
        if row_of(now) in rows:
            occurrences[key] = now
    memory = replace(outcome.memory, occurrences=occurrences)
    kept = replace(outcome, memory=memory)
    return kept, replace(kept, facts=facts, sections=tuple(sections), outdated=())


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


def _links(context: Context, bound: Bound, address: str) -> dict[str, Link]:
    """Return the Jira links of the cards, Jira being at an `address`; the last known ones where the property is gone."""
    with context.reading() as tx:
        pages = restored(snapshots.load_pages(tx, "projects"), bound.losses)
    return card_links(
        pages.get("projects", ()),
        context.schema,
        with_lost(bound.whole(), bound.losses),
        site_url=address,
    )


class CardLinks(msgspec.Struct, frozen=True):
    """The links of the cards, and a digest of what they were made from."""

    basis: str = ""
    links: dict[str, Link] = {}


LINKS = Setting("card_links", CardLinks, CardLinks)


def _links_by_change(
    context: Context, bound: Bound, address: str
) -> Mapping[str, Link]:
    """Return what `_links` does, from what was kept as long as it was made from the same rows and columns."""
    with context.reading() as tx:
        rows = snapshots.count_changes(tx, snapshots.ROWS)
        kept = LINKS.load(tx)
    columns = (context.fingerprint, _digest_of(bound))
    basis = digest(name_software(), rows, columns, address)
    if kept.basis == basis:
        return kept.links

    links = _links(context, bound, address)
    with context.transaction() as tx:
        LINKS.save(tx, CardLinks(basis, links))
    return links


def fetch_boards(
    context: Context, bound: Bound, order: CycleRequest, *, now: datetime
) -> tuple[BoardsRead, Bound]:
    """Read the boards into the snapshot; when they show another schema than the one known, that first."""
    step(context, "notion")
    full = order.mode is Mode.FULL
    boards = read_boards(context.notion, context, bound, full=full, now=now)
    if boards.drifted:
        forgets = order.force and not order.undoes
        afresh = read_schema(context.notion, context, afresh=True, forgets=forgets)
        return fetch_boards(context, afresh, order, now=now)
    return boards, bound


def fetch_tracker(
    context: Context, bound: Bound, order: CycleRequest, *, now: datetime
) -> TrackerRead:
    """Read what the cards name in Jira into the snapshot."""
    step(context, "jira")
    full = order.mode is Mode.FULL
    address = read_address(context.jira, context, afresh=full)
    links = _links_by_change(context, bound, address)
    return read_tracker(
        context.jira, context, links=links, full=full, now=now, forgets=order.force
    )


DUE = ("projects", "due")
WHOSE = (DUE, *(("risks", field) for field in MARKS))
"""Columns that people share with the worker of which rules ask whose value stands there. A mark of a risk is known by
memory, but for one whose writing was not seen to end."""


def normalize(
    context: Context,
    bound: Bound,
    tracker: TrackerRead,
    *,
    now: datetime,
    losses: Losses = NOTHING_LOST,
) -> World:
    """Return the world of the snapshot, with the last known values in the place of some losses."""
    zone = ZoneInfo(context.settings.time_zone)
    with context.reading() as tx:
        pages = snapshots.load_pages(tx)
        issues = snapshots.load_issues(tx)
        worklogs = tuple(on_days(snapshots.load_worklogs(tx), zone))
        remembered = memory.load(tx)
        gone = GONE.load(tx)
        written, tried = bases.load(tx, only={field for _, field in WHOSE})
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
        bindings=with_lost(bound.whole(), losses),
        seen=Seen(
            restored(pages, losses),
            issues,
            worklogs,
            tracker.links,
            tracker.projects,
            tracker.hidden,
            recall_address(context),
        ),
        memory=remembered,
        trashed=trashed,
    )
    ours: set[tuple[Ref, str]] = set()
    for source, field in WHOSE:
        column = context.schema.sources[source].properties[field]
        known = written if (source, field) == DUE else {}
        ours.update(find_ours(world.rows.get(source, ()), column, known, tried))
    return replace(world, own_cells=frozenset(ours), above=tracker.above)


class _Terms(msgspec.Struct, frozen=True, gc=False):
    """How a plan is drawn: without which pages, whether what was refused is tried again, past what is held back, when;
    `waiting` are rows that are not made yet, see `find_waiting`."""

    unread: Unread
    insists: bool
    force: bool
    now: datetime
    waiting: AbstractSet[Ref]


def _diff(
    context: Context,
    bindings: Bindings,
    world: World,
    wanted: Outcome,
    *,
    terms: _Terms,
) -> tuple[Plan, tuple[str, ...], Mapping[str, str]]:
    """Return the plan, the rows that are held back, and the cells in doubt."""
    written = recall_written(context)
    with context.reading() as tx:
        held = frozenset(Ref.parse(name) for name in HELD.load(tx))
        fingerprint = FINGERPRINT.load(tx)
    recent = _look_back(context, world, terms.now)
    own = recent.own_cells(context.schema, written.attempted)
    remembered = replace(written, bases=own | dict(written.bases))
    # Nothing is archived in the first run with another mapping: the limits would refuse the whole plan.
    tidies = terms.insists and fingerprint == context.fingerprint
    part = part_within(context.settings.limits.destructive_share)
    tidying = Tidying(wanted.outdated if tidies else (), part)

    def draw(held: AbstractSet[Ref]) -> Plan:
        return make_plan(
            world,
            wanted.facts,
            context.schema,
            bindings,
            replace(remembered, held=held | terms.waiting, tidying=tidying),
            sections=wanted.sections,
            unread=terms.unread,
            insists=terms.insists,
        )

    known = {
        ref
        for ref in written.ours.keys() | written.unsettled.keys()
        if not is_brought_in(ref)
    }
    is_lost = is_new(world, known)
    waiting = frozenset() if terms.force else held - written.ours.keys()
    plan = draw(waiting)
    if is_lost and not terms.force:
        creations = (one.ref for one in plan.changes if one.kind is Kind.CREATE)
        # A page that is no row is looked for when it is to be made, in the trash as well.
        waiting = frozenset(ref for ref in creations if ref.source != PLACES)
        plan = draw(waiting)

    problems = [tell_held(context.name, waiting)] if is_lost or waiting else []
    doubts = recent.find_doubts(plan.kept)
    problems += tell_doubts(plan.kept, doubts.keys())
    told = {in_words(problem, context.words) for problem in problems}
    plan = replace(plan, problems=tuple(sorted({*plan.problems, *told})))
    return plan, tuple(sorted(map(str, waiting))), doubts


def _look_back(context: Context, world: World, now: datetime) -> Recent:
    """Return what was edited since the last run that the memory knows of."""
    rows = tuple(row for some in world.rows.values() for row in some if row.key)
    pages: Mapping[str, Page] = {}
    with context.reading() as tx:
        known = Known(runs.known_until(tx), runs.under_way_since(tx) or now)
        # Before the first rows of ours every page was edited since, and none of them can be ours.
        if rows:
            pages = snapshots.load_edited(tx, known.written())
        doubted = DOUBTS.load(tx)
    return Recent(known, pages, rows, doubted)


def recall_written(context: Context) -> Written:
    """Return what the state knows of earlier writes."""
    with context.reading() as tx:
        last, attempted = bases.load(tx)
        ours = journal.canonical_pages(tx)
        made = journal.created_pages(tx)
        unsettled = {intent.ref: intent.wanted for intent in journal.unsettled(tx)}
    return Written(last, attempted, ours, made, unsettled=unsettled)


ASKED = frozenset({"scenarios"})
"""Boards that people empty as a matter of course: nothing else rests on their rows."""


def managed_rows(context: Context, world: World, bound: Bound) -> dict[str, int]:
    """Return how many rows each board has; one that is not shown has as many as it had, those made since it was read last
    included."""
    peoples = _peoples_rows(context, world)
    counts = {
        name: len(rows) - len(peoples[name])
        for name, rows in world.rows.items()
        if name not in ASKED
    }
    with context.reading() as tx:
        before = MANAGED.load(tx)
    return counts | {name: before[name] for name in bound.unseen if name in before}


def _peoples_rows(context: Context, world: World) -> dict[str, frozenset[str]]:
    """Return the pages of each board that people made beside the worker's rows; none where all rows are theirs."""
    pages: dict[str, frozenset[str]] = {}
    for name, rows in world.rows.items():
        is_theirs = context.schema.sources[name].rows is Rows.PEOPLE
        beside = () if is_theirs else (row for row in rows if not row.key)
        pages[name] = frozenset(row.page_id for row in beside)
    return pages


def _way_out(order: CycleRequest, plan: Plan) -> limits.WayOut:
    """Return the commands for who is refused: an undo is looked at and insisted on by its own."""
    if not order.undoes:
        return limits.WayOut()
    look = f"rayline undo {order.undoes}"
    return limits.WayOut(look, f"{look} --apply {plan.checksum()} --force")


def find_refusals(
    context: Context,
    order: CycleRequest,
    plan: Plan,
    *,
    boards: BoardsRead,
    managed: Mapping[str, int],
    world: World,
) -> tuple[Problem, ...]:
    """Return why a plan may not be carried out: it is not the one that was looked at, or goes past the limits."""
    if order.checksum and order.checksum != plan.checksum():
        return (
            Problem(
                code=Code.OTHER_PLAN,
                where=literal(context.name),
                message=tell(
                    "the plan is now {now}, not the reviewed {reviewed}",
                    now=plan.checksum(),
                    reviewed=order.checksum,
                ),
                hint=tell("look at `rayline plan` again"),
            ),
        )
    if order.force:
        return ()
    with context.reading() as tx:
        before = MANAGED.load(tx)
        fingerprint = FINGERPRINT.load(tx) or context.fingerprint
        sectioned = bases.pages_with(tx, SECTION)
    unknown = tuple(
        _never_read(name, boards.incomplete.get(name, tell(UNSEEN)))
        for name in sorted(boards.unknown)
    )
    return unknown + limits.check(
        plan,
        limits.Rows(managed, before, _peoples_rows(context, world)),
        settings=context.settings.limits,
        incomplete=boards.incomplete,
        mapping_changed=fingerprint != context.fingerprint,
        transient=context.schema.transient()
        | cells_of_ended_periods(context.schema, world),
        sectioned=sectioned,
        way=_way_out(order, plan),
    )


def cells_of_ended_periods(schema: Schema, world: World) -> frozenset[tuple[str, str]]:
    """Return the cells (page, name) that measured a period which is over by now."""
    return frozenset(
        (row.page_id, name)
        for source, name in schema.of_period()
        for row in world.rows.get(source, ())
        if isinstance(span := row.fields.get("period"), Span) and span.end < world.today
    )


def _never_read(name: str, why: Text) -> Problem:
    """Return why nothing is written while nobody knows what stands on a board that is shown.

    Holding creations alone back would not do: closed months, baselines, the first sight of dated cells and what a row
    is given once are kept as they are first worked out, and a board that counts as empty would make them wrong for good.
    """
    return Problem(
        code=Code.NEVER_READ,
        where=literal(name),
        message=tell("this board was never read in full: {why}", why=why),
        hint=tell(
            "nothing is written until it was; share it with the connection, or take it away from the workspace"
        ),
        severity=Severity.ERROR,
    )
