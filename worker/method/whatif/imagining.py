"""The rules over a changed world: those alone whose findings an answer states, the same as in any run (docs/method.md 10).

What a scenario does not touch stays as it was measured: progress and forecasts of the other cards, and with them the
greater part of the work of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec.structs import replace

from worker.domain.values import Ref
from worker.mapping.playbooks import Playbooks
from worker.method import evaluate
from worker.method.capacity.ripple import find_ripples
from worker.method.capacity.staffing import find_staffing_needs
from worker.method.capacity.triangle import find_broken_triangles
from worker.method.capacity.utilization import measure_utilization
from worker.method.clients.churn import end_conditions, find_churn
from worker.method.clients.contacts import find_relation_conditions
from worker.method.clients.feedback import measure_feedback
from worker.method.clients.rays import measure_rays
from worker.method.delivery.deadlines import find_deadline_conditions
from worker.method.delivery.progress import measure_progress
from worker.method.delivery.quality import find_quality_conditions
from worker.method.growth.graduation import find_graduations
from worker.method.measures import CardMeasure, Measures
from worker.method.money.billing import find_unbilled
from worker.method.money.budgets import find_spent_budgets
from worker.method.money.finance import measure_client_money
from worker.method.money.forecasts import forecast_money
from worker.method.money.pipeline import measure_pipeline
from worker.method.money.plans import plan_money
from worker.method.money.retainer_hours import measure_hours
from worker.method.money.revenue import measure_revenue
from worker.method.money.servicing import measure_servicing
from worker.method.run import Findings, Run
from worker.method.whatif.questions import Seen
from worker.world.world import World

Given = ParamSpec("Given")
Value = TypeVar("Value")

NEEDED: frozenset[Callable[..., Any]] = frozenset(
    {
        measure_revenue,
        forecast_money,
        plan_money,
        measure_utilization,
        find_deadline_conditions,
        find_quality_conditions,
        find_relation_conditions,
        measure_feedback,
        find_broken_triangles,
        find_staffing_needs,
        find_ripples,
        measure_rays,
        find_graduations,
        measure_client_money,
        measure_pipeline,
        find_unbilled,
        measure_hours,
        find_spent_budgets,
        measure_servicing,
        find_churn,
        end_conditions,
    }
)
"""The rules whose findings an answer states, and those that they need."""


class Imagined(Run):
    """A run over a changed world: its `cards` are measured already, and it loses the clients in `lost`."""

    def __init__(
        self, world: World, cards: Mapping[Ref, CardMeasure], lost: Mapping[Ref, date]
    ) -> None:
        super().__init__(world)
        self._cards = cards
        self._lost = lost

    def __call__(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        value: Any = unknown
        if rule is measure_progress:
            value = self._cards
        elif rule in NEEDED:
            value = super().__call__(rule, unknown, *given, **named)
        if rule is find_churn:
            value = {**value, **self._lost}
        found: Value = value
        return found

    def private(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        """Call of the rules that read private rows only those whose conditions are open to all."""
        if rule not in NEEDED:
            return unknown
        return super().private(rule, unknown, *given, **named)


def imagine(
    world: World, playbooks: Playbooks, seen: Seen, *, lost: Mapping[Ref, date]
) -> Measures:
    """Return what the rules measure of a changed world; a rule that fails on it is named in `failed`."""
    cards = {**seen.measures.cards, **_measure_touched(world, seen)}
    outcome = evaluate(
        world, playbooks, start=lambda changed: Imagined(changed, cards, lost)
    )
    return outcome.measures


def _measure_touched(world: World, seen: Seen) -> Mapping[Ref, CardMeasure]:
    """Return what the cards that a scenario changes measure now, beside those whose pace they borrow."""
    before = seen.world.cards
    touched = [ref for ref, card in world.cards.items() if card != before.get(ref)]
    if not touched:
        return {}
    near = dict.fromkeys(touched)
    for ref in touched:
        measure = seen.measures.cards.get(ref)
        if measure is not None:
            near |= dict.fromkeys(measure.lenders)
    measured = measure_progress(_only(near, world)).value
    return {ref: measured[ref] for ref in touched}


def _only(cards: Iterable[Ref], world: World) -> World:
    """Return the world with no other cards than some, and their work."""
    few = {ref: world.cards[ref] for ref in cards}
    work = {ref: world.work[ref] for ref in few if ref in world.work}
    return replace(world, cards=few, work=work)
