"""Firms of any kind, for properties of their money: clients with and without a unit, cards, work, hours and acts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from tests.support.worlds import (
    TODAY,
    card,
    client,
    issue,
    person,
    ref,
    unit,
    worklog,
    world,
)
from worker.domain.entities import Card, Client, Issue, Revenue, Stage
from worker.world.world import World

DEV = person("dev", rate=Decimal(1000))
DAYS = st.dates(date(2026, 7, 1), date(2027, 3, 31))
AMOUNTS = st.integers(0, 5_000_000).map(lambda cents: Decimal(cents) / 100)
STAGES = st.sampled_from([None, *Stage])
MODELS = st.sampled_from([None, "fixed_price", "tm", "retainer"])


@st.composite
def firms(draw: st.DrawFn) -> World:
    """Return a firm of up to three clients, some without a unit, with cards, work, hours and acts of any kind."""
    things: list[Client | Card | Revenue] = []
    work: dict[str, list[Issue]] = {}
    for number in range(draw(st.integers(1, 3))):
        own = client(
            f"c{number}",
            engagement=draw(MODELS),
            monthly_fee=draw(st.none() | AMOUNTS),
            unit=draw(st.sampled_from([None, ref("units", "u1"), ref("units", "u2")])),
            since=draw(st.none() | DAYS),
            contract_end=draw(st.none() | DAYS),
        )
        things.append(own)
        for index in range(draw(st.integers(0, 3))):
            key = f"p{number}{index}"
            things.append(
                card(
                    key,
                    stage=draw(STAGES),
                    client=own.ref,
                    engagement=draw(MODELS),
                    budget=draw(st.none() | AMOUNTS),
                    expected_start=draw(st.none() | DAYS),
                    due=draw(st.none() | DAYS),
                    probability=draw(st.none() | st.sampled_from([0, 1]).map(Decimal)),
                )
            )
            ended = draw(st.lists(st.none() | DAYS, max_size=4))
            work[key] = [
                issue(1000 * number + 10 * index + place, done=day)
                if day and day < TODAY
                else issue(1000 * number + 10 * index + place)
                for place, day in enumerate(ended)
            ]
        for place, (day, amount) in enumerate(
            draw(st.lists(st.tuples(DAYS, AMOUNTS), max_size=3))
        ):
            project = draw(st.none() | st.just(ref("projects", f"p{number}0")))
            things.append(
                Revenue(
                    ref("revenue", f"r{number}{place}"),
                    own.ref,
                    project,
                    day,
                    amount,
                    "act",
                )
            )
    logged = draw(st.lists(st.dates(date(2026, 9, 1), date(2026, 11, 17)), max_size=4))
    logs = [worklog(day, 8) for day in logged]
    return world(unit(), unit("u2"), DEV, *things, work=work, logs=logs)
