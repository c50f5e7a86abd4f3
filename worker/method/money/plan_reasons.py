"""The figures behind every field of a plan row (docs/method.md 2.2): those that the field's own formula names."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from worker.domain.messages import BESIDE_UNITS, message
from worker.domain.period_titles import period_name
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.method.figures import (
    name_row,
    show_money,
    show_number,
    show_percent,
    show_text,
)
from worker.method.formulas.inputs import provisional_inputs
from worker.method.measures import PlanMeasure
from worker.plan.facts import Input
from worker.world.world import World

NAMED: Mapping[str, str] = {
    "target": "above now days days_above",
    "fact": "clients",
    "fact_basis": "fact",
    "forecast": "fact committed weighted",
    "committed": "clients_committed",
    "weighted": "clients_weighted",
    "carry": "short policy days_left",
    "per_day": "target fact days_left",
    "pace": "fact planned",
    "health": "pace passed",
    "why": "target fact planned pace",
}
"""The figures of each field; those of what a row is about, its period alone."""

POLICIES = {
    "spread": message("spread over the weeks that remain"),
    "next_week": message("all of it to the next week"),
    "none": message("not carried over"),
}
"""What becomes of a shortfall, by the setting `carry_over`."""


class Brought(msgspec.Struct, frozen=True, gc=False):
    """What a client brought in a period, and what it is still to bring."""

    fact: Decimal = Decimal(0)
    committed: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)

    def plus(self, other: Brought) -> Brought:
        """Return both together."""
        return Brought(
            self.fact + other.fact,
            self.committed + other.committed,
            self.weighted + other.weighted,
        )


class Basis(msgspec.Struct, frozen=True, gc=False):
    """What a plan row was made from.

    `above`: the period that this one is a part of, with its `target_above`; `now` what a frozen target comes to today;
    `short` what finished weeks of the quarter lack; `clients` what each brought and is to bring.
    """

    passed: Decimal
    above: Period | None = None
    target_above: Decimal | None = None
    now: Decimal | None = None
    short: Decimal = Decimal(0)
    clients: Mapping[Ref, Brought] = {}


Figures = Mapping[str, tuple[Input, ...]]


def choose(field: str, figures: Figures) -> tuple[Input, ...]:
    """Return the unit and the period, and the figures of a field."""
    chosen = list(figures["row"])
    for name in NAMED.get(field, "").split():
        chosen += figures[name]
    return tuple(chosen)


def list_figures(plan: PlanMeasure, basis: Basis, world: World) -> Figures:
    """Return all figures of a plan row."""
    words = world.words
    say = words.say
    return {
        "row": _row(plan, world),
        "target": (show_money(say("target"), plan.target, words),),
        "fact": (show_money(say("actual"), plan.fact, words),),
        "planned": (show_money(say("planned to date"), plan.planned, words),),
        "pace": (show_number(say("pace"), plan.pace, words, digits=4),),
        "passed": (
            show_percent(say("share of working days passed"), basis.passed, words),
        ),
        "short": (show_money(say("shortfall of finished weeks"), basis.short, words),),
        "policy": (
            show_text(say("policy"), say(POLICIES[world.thresholds.carry_over])),
        ),
        "now": _now(basis, world),
        "committed": (show_money(say("committed"), plan.committed, words),),
        "weighted": (show_money(say("weighted pipeline"), plan.weighted, words),),
        "clients": _clients(basis, "fact", world),
        "clients_committed": _clients(basis, "committed", world),
        "clients_weighted": _clients(basis, "weighted", world),
        **_days(plan, basis, world),
    }


def _row(plan: PlanMeasure, world: World) -> tuple[Input, ...]:
    say = world.words.say
    period = show_text(say("period"), period_name(plan.period, world.words))
    if plan.unit in BESIDE_UNITS:
        return Input(say("unit"), say(BESIDE_UNITS[plan.unit])), period
    return name_row(say("unit"), world.units[plan.unit]), period


def _now(basis: Basis, world: World) -> tuple[Input, ...]:
    if basis.now is None:
        return ()
    name = world.words.say("contracts and revenue come to now")
    return (show_money(name, basis.now, world.words),)


def _clients(basis: Basis, series: str, world: World) -> tuple[Input, ...]:
    """Return one series of each client that has any of it."""
    figures = []
    for ref, brought in basis.clients.items():
        amount = getattr(brought, series)
        client = world.clients.get(ref)
        if client is not None and amount:
            money = world.words.money(amount)
            figures.append(Input(client.name, money, client.url))
    return tuple(figures)


def _days(plan: PlanMeasure, basis: Basis, world: World) -> Figures:
    words = world.words
    say = words.say
    calendar = world.calendar
    period = plan.period
    above: tuple[Input, ...] = ()
    days_above: tuple[Input, ...] = ()
    if basis.above is not None:
        whole = calendar.in_period(basis.above)
        above = (
            show_money(say("target of the period above"), basis.target_above, words),
        )
        days_above = (show_text(say("working days of the whole"), whole),)
    first = max(period.start, world.today)
    left = calendar.working_days(first, period.end)
    return {
        "above": above,
        "days_above": days_above,
        "days": (
            show_text(say("working days"), calendar.in_period(period)),
            *provisional_inputs(period.end, world),
        ),
        "days_left": (show_text(say("working days left"), left),),
    }
