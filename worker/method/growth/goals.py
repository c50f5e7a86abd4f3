"""Development goals: split into months and weeks, rolled up again, their pace against the working days (docs/method.md 5.6).

A goal is a person's row. Its months are made at once, its weeks when their month begins; a part belongs to people from
then on (its target while nobody changed it follows the goal's). A part that a person deleted stays deleted. Only goals
with a measure, a target and a period are split and judged; the others are reported and grey.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from decimal import Decimal

import msgspec

from worker.domain.entities import Goal
from worker.domain.period_titles import period_title
from worker.domain.periods import Grain, Period
from worker.domain.values import Ref, Span, Value
from worker.method.figures import (
    count_days,
    name_row,
    show_number,
    show_span,
    show_text,
)
from worker.method.formulas.bands import colour_of
from worker.method.formulas.cascade import parts_of
from worker.method.formulas.hysteresis import Tracks, debounce, to_change
from worker.method.formulas.phasing import passed_share
from worker.method.growth.parts import (
    LATEST,
    OVER,
    is_measured,
    period_of,
    roll_up,
    shares,
    value_of,
)
from worker.method.measures import GoalMeasure, Rag
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.world import World

GREY = frozenset({Rag.GREY.value})
Tree = dict[Ref, list[Goal]]
Own = Set[tuple[Ref | None, Period | None]]


class _Sight(msgspec.Struct, frozen=True, gc=False):
    """How a goal looks today."""

    rolled: Decimal | None
    value: Decimal | None
    expected: Decimal | None
    pace: Decimal | None
    rag: Rag
    why: str


def measure_goals(world: World) -> Findings[tuple[GoalMeasure, ...] | None]:
    """Return the parts of all goals, and how each goal and part stands."""
    tracks = to_change(world.memory.tracks)
    goals = dict(world.goals)
    own = {
        (goal.parent, period_of(goal))
        for goal in world.goals.values()
        if goal.parent and not goal.key
    }
    facts = [
        fact
        for goal in _roots(world)
        for fact in _plant(goal, goal, goals, own=own, world=world)
    ]
    children: Tree = defaultdict(list)
    for goal in goals.values():
        if goal.parent is not None:
            children[goal.parent].append(goal)
    measures = []
    for goal in goals.values():
        seen = _look(goal, children, world=world, tracks=tracks)
        facts += _facts(goal, seen, children, world)
        if (period := period_of(goal)) is not None and goal.target is not None:
            measures.append(_measure(goal, seen, period))
    return Findings(tuple(measures), tuple(facts), tracks=tracks.maps[0])


def _roots(world: World) -> list[Goal]:
    """Return people's own goals that are still to be reached, which the worker splits."""
    return [
        goal
        for goal in world.goals.values()
        if not goal.key
        and is_measured(goal)
        and goal.status not in OVER
        and not _is_past(goal, world)
    ]


def _is_past(goal: Goal, world: World) -> bool:
    period = period_of(goal)
    return period is not None and period.end < world.today


def _plant(
    root: Goal, parent: Goal, goals: dict[Ref, Goal], *, own: Own, world: World
) -> Iterator[Fact]:
    """Yield the facts of the parts below a goal that people have not made themselves, adding them to `goals`."""
    period = period_of(parent)
    if period is None or (period.grain is Grain.MONTH and world.today not in period):
        return
    for part, target in shares(parent, parts_of(period), world.calendar).items():
        key = f"goal:{root.ref.key}:{part.code}"
        ref = Ref("goals", key)
        if (
            ref in world.trashed
            or (parent.ref, part) in own
            or not target
            or not world.calendar.in_period(part)
        ):
            continue
        made = Goal(
            ref,
            _title(root, part, world),
            key=ref.key,
            owner=root.owner,
            unit=root.unit,
            grain=part.grain.value,
            period=Span(part.start, part.end),
            measure=root.measure,
            rollup=root.rollup,
            target=target,
            parent=parent.ref,
        )
        yield from _part_facts(made, parent, root, world)
        kept = goals.setdefault(ref, made)
        if kept.target is not None:
            yield from _plant(root, kept, goals, own=own, world=world)


def _title(root: Goal, part: Period, world: World) -> str:
    return f"{root.name} · {period_title(part, world.words)}"


def _part_facts(part: Goal, parent: Goal, root: Goal, world: World) -> Iterator[Fact]:
    say = world.words.say
    goal = name_row(say("goal"), root)
    copied = Why("goals", (goal,), say("as the goal above says"))
    cut = Why(
        "goals",
        (goal, show_span(say("period"), parent.period)),
        say("a part of the period above"),
    )
    by_days = (
        say("the goal's target in every part")
        if root.rollup == LATEST
        else say("share of the parent's target by working days")
    )
    spread = Why(
        "goals",
        (
            goal,
            show_number(say("target"), parent.target, world.words, digits=2),
            count_days(say("working days"), part.period, world.calendar),
            count_days(say("working days of the whole"), parent.period, world.calendar),
        ),
        by_days,
    )
    values: dict[str, tuple[Value, Why]] = {
        "name": (part.name, cut),
        "unit": ((part.unit,) if part.unit else (), copied),
        "owner": (part.owner, copied),
        "grain": (part.grain, cut),
        "period": (part.period, cut),
        "measure": (part.measure, copied),
        "rollup": (part.rollup, copied),
        "target": (part.target, spread),
        "parent": ((part.parent,) if part.parent else (), cut),
    }
    for name, (value, why) in values.items():
        yield Fact(part.ref, name, value, why)


def _look(goal: Goal, children: Tree, *, world: World, tracks: Tracks) -> _Sight:
    say = world.words.say
    rolled = roll_up(goal, children)
    value = value_of(goal, children)
    period = period_of(goal)
    if not is_measured(goal) or period is None:
        return _Sight(
            rolled,
            value,
            None,
            None,
            Rag.GREY,
            say("The goal has no measure, target or period."),
        )
    passed = passed_share(period, world.today, world.calendar)
    expected = (
        goal.target if goal.rollup == LATEST else (goal.target or Decimal(0)) * passed
    )
    pace = value / expected if value is not None and expected else None
    seen, why = _colour(
        goal, value, passed=passed, expected=expected, pace=pace, world=world
    )
    place = f"{goal.ref}#health"
    track = tracks[place] = debounce(
        tracks.get(place), seen.value, world.today, instant=GREY
    )
    return _Sight(rolled, value, expected, pace, Rag(track.value), why)


def _colour(
    goal: Goal,
    value: Decimal | None,
    *,
    passed: Decimal,
    expected: Decimal | None,
    pace: Decimal | None,
    world: World,
) -> tuple[Rag, str]:
    words = world.words
    band = world.thresholds.pace
    if goal.status == "dropped":
        return Rag.GREY, words.say("The goal was dropped.")
    if goal.status == "reached":
        return Rag.GREEN, words.say("People say it is reached.")
    if value is None:
        return Rag.GREY, words.say("Nobody has entered where it stands.")
    if passed < world.thresholds.pace_muted_share or pace is None or expected is None:
        return Rag.GREY, words.say(
            "Too early: {share} of the working days have passed.",
            share=words.percent(passed),
        )
    colour = colour_of(pace, band)
    return colour, words.say(
        "{value} of {target} ({measure}); {expected} were due by now: pace {pace}.",
        value=words.number(value, 2),
        target=words.number(goal.target or Decimal(0), 2),
        measure=goal.measure,
        expected=words.number(expected, 1),
        pace=words.percent(pace),
    )


def _facts(goal: Goal, seen: _Sight, children: Tree, world: World) -> Iterator[Fact]:
    say = world.words.say
    band = world.thresholds.pace
    limits = say("pace ≥ {green} / {amber}", green=band.green, amber=band.amber)
    row = name_row(say("goal"), goal)
    words = world.words
    current = show_number(say("current"), seen.value, words, digits=2)
    planned = show_number(say("planned to date"), seen.expected, words, digits=2)
    target = show_number(say("target"), goal.target, words, digits=2)
    pace = seen.pace
    if pace is not None:
        pace = pace.quantize(Decimal("0.0001"))
    status = show_text(say("status"), goal.status)
    colour: str | None = seen.rag.value
    if goal.status == "dropped":
        colour = None
    parts = [
        show_number(part.name, value_of(part, children), words, digits=2)
        for part in children.get(goal.ref, ())
    ]
    yield Fact(
        goal.ref,
        "rolled_up",
        seen.rolled,
        Why(
            "goals",
            (row, *parts),
            say("the latest part's value")
            if goal.rollup == LATEST
            else say("sum of the parts' values"),
        ),
    )
    yield Fact(
        goal.ref,
        "pace",
        pace,
        Why(
            "goals",
            (row, current, planned),
            say("current / planned to date by working days"),
            limits,
        ),
    )
    yield Fact(
        goal.ref,
        "health",
        colour,
        Why(
            "goals",
            (row, show_number(say("pace"), pace, words, digits=4), status),
            say("pace against its band; held until seen on two days"),
            limits,
        ),
    )
    yield Fact(
        goal.ref,
        "why",
        seen.why,
        Why(
            "goals",
            (row, target, current, planned, status),
            say("the reasons of the colour"),
        ),
    )


def _measure(goal: Goal, seen: _Sight, period: Period) -> GoalMeasure:
    return GoalMeasure(
        goal.ref,
        goal.name,
        goal.url,
        goal.unit,
        next(iter(goal.owner), None),
        period,
        goal.measure or "",
        goal.target or Decimal(0),
        seen.value,
        seen.pace,
        seen.rag,
        goal.status or "open",
        goal.parent,
    )
