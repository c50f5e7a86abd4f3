"""Counterparts by the queue: an operator who does not sit at the terminal asks for a look, accepts, or declines.

The console asks no service: who is known to both is kept as the last look saw it, and what was accepted waits under a
checksum of its own until a run writes it down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from worker.cycle.context import Context, CycleRequest
from worker.cycle.errands import Draft, Standing, draft, from_fresh_boards, run_errand
from worker.cycle.matching import plan_matches, read_directory
from worker.cycle.planning import normalize, recall_links
from worker.cycle.report import Report
from worker.cycle.triggering import ask_cycle
from worker.errors import in_words
from worker.plan.matching import RULE, Decision
from worker.plan.plan import Plan
from worker.state.settings import Setting
from worker.state.store import Tx
from worker.state.triggers import Asked, Asker, Order
from worker.world.proposals import Directory, Gap

LOOK = "counterparts"
"""In place of a checksum: the order to look who is known to both services."""
DIRECTORY = Setting("directory", Directory, Directory)
ACCEPTED = Setting("accepted_matches", dict[str, tuple[Decision, ...]], dict)
"""What was accepted and is not written yet, by the checksum of the order."""
WRITTEN = Setting("written_matches", tuple[int, tuple[Decision, ...]], lambda: (0, ()))
"""The last run that wrote decisions down, and which: what is kept of the boards is from before it."""
DECLINED = Setting("declined_matches", frozenset[str], frozenset)
"""The proposals that people declined, by name."""


def name_of(gap: Gap, value: str) -> str:
    """Return the name of a proposal: what would stand in which cell."""
    return f"{gap.ref} {gap.field} {value}"


def without_written(gaps: Sequence[Gap], tx: Tx, run_id: int) -> tuple[Gap, ...]:
    """Return the gaps but those that a run has filled, which only the next run will read."""
    number, decisions = WRITTEN.load(tx)
    filled = {(one.ref, one.field) for one in decisions if number == run_id}
    return tuple(gap for gap in gaps if (gap.ref, gap.field) not in filled)


def without_declined(gaps: Sequence[Gap], declined: frozenset[str]) -> tuple[Gap, ...]:
    """Return the gaps without the proposals that people declined; no other one becomes sure by that."""
    kept = []
    for gap in gaps:
        likely = [
            candidate
            for candidate in gap.candidates
            if name_of(gap, candidate.value) not in declined
        ]
        is_sure = gap.is_sure and likely[:1] == list(gap.candidates[:1])
        kept.append(replace(gap, candidates=tuple(likely), is_sure=is_sure))
    return tuple(kept)


def accept(context: Context, decisions: Sequence[Decision], asker: Asker) -> Asked:
    """Have decisions written by the next run, which reads the boards anew first; raises `QueueFull`."""
    body = msgspec.json.encode(tuple(decisions))
    checksum = blake2b(body, digest_size=8).hexdigest()
    with context.transaction() as tx:
        waiting = ACCEPTED.hold(tx)
        ACCEPTED.save(tx, {**waiting, checksum: tuple(decisions)})
    return ask_cycle(context, Order(full=True, checksum=checksum), asker)


def decline(context: Context, names: Sequence[str]) -> None:
    """Propose no more what goes by these names."""
    with context.transaction() as tx:
        DECLINED.save(tx, DECLINED.hold(tx) | set(names))


def propose_again(context: Context) -> None:
    """Forget what was declined."""
    with context.transaction() as tx:
        DECLINED.save(tx, frozenset())


def is_errand(tx: Tx, order: Order | CycleRequest) -> bool:
    """Tell whether an order is about counterparts."""
    return order.checksum == LOOK or order.checksum in ACCEPTED.load(tx)


def run_matches(
    context: Context,
    order: CycleRequest,
    *,
    on_start: Callable[[int], None] = lambda run_id: None,
) -> Report:
    """Carry an order about counterparts out and return how it went. Raises the API errors, and `Busy`."""
    with context.reading() as tx:
        decisions = ACCEPTED.load(tx).get(order.checksum, ())
    errand = replace(order, checksum="", trigger=RULE)
    report, _ = run_errand(
        context,
        errand,
        lambda leased: _draw(leased, errand, decisions),
        rule=RULE,
        on_start=on_start,
    )
    with context.transaction() as tx:
        left = {**ACCEPTED.hold(tx)}
        left.pop(order.checksum, None)
        ACCEPTED.save(tx, left)
        if not (report.refused or report.failures()):
            WRITTEN.save(tx, (report.run_id, _written(decisions, report)))
    return report


def _written(decisions: Sequence[Decision], report: Report) -> tuple[Decision, ...]:
    done = {change.ref for change in report.plan.changes}
    return tuple(decision for decision in decisions if decision.ref in done)


def _draw(
    context: Context, order: CycleRequest, decisions: Sequence[Decision]
) -> Draft:
    if decisions:
        return plan_matches(context, order, decisions)
    return from_fresh_boards(
        context, order, lambda watched, standing: _look(watched, order, standing)
    )


def _look(context: Context, order: CycleRequest, standing: Standing) -> Draft:
    """Keep who is known to both services; nothing is to be written."""
    directory, problems = read_directory(context)
    with context.transaction() as tx:
        DIRECTORY.save(tx, directory)
    links = recall_links(context, standing.bound)
    world = normalize(context, standing.bound, links, now=context.now())
    drawn = draft(context, order, standing, world=world, plan=Plan(context.name))
    unseen = tuple(in_words(problem, context.words) for problem in problems)
    return replace(drawn, notes=(*drawn.notes, *unseen))
