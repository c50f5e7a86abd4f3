"""The pipeline of newbiz: value by stage, wins, days, and whether it feeds the target (docs/method.md 2.14), by hand.

TODAY is Wednesday 18 November 2026; of Q4's 66 working days 32 are ahead: 9 in November, 23 in December.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    card,
    client,
    person,
    ref,
    row,
    unit,
    world,
)
from worker.config import Thresholds
from worker.domain.document import Heading, Table, markdown, shown
from worker.domain.entities import Card, Stage
from worker.method.measures import Condition
from worker.method.outlook import Feed, Pipeline, StageValue
from worker.world.memory import Memory
from worker.world.world import World

HEAD = person("head", role="head_newbiz", rate=None)
NEW = client("n1", name="Acme", group="newbiz", unit=None, engagement="fixed_price")
BIG = client(
    "c1", engagement="retainer", monthly_fee=Decimal(100_000), since=date(2026, 1, 1)
)
"""One account: 300,000 a quarter. Of the firm's target newbiz is to bring a fifth, 60,000."""
SIGNAL = "money.pipeline_short"


def lead(key: str, stage: Stage, budget: int | None, **fields: Any) -> Card:
    """Return a card of the newbiz client."""
    value = Decimal(budget) if budget is not None else None
    return card(key, stage, client=NEW.ref, budget=value, jira=None, **fields)


def proposal(budget: int, chance: str, **fields: Any) -> Card:
    """Return a proposal for all of December."""
    dated = {"expected_start": date(2026, 12, 1), "due": date(2026, 12, 31)}
    return lead(
        "p9", Stage.PROPOSAL, budget, probability=Decimal(chance), **(dated | fields)
    )


def firm(*things: object, **fields: Any) -> World:
    """Return a firm with an account and a newbiz client, its head of newbiz, and cards."""
    return world(
        unit(), HEAD, BIG, NEW, *things, sources=SOURCES | {"meetings"}, **fields
    )


def pipeline(seen: World) -> Pipeline:
    """Return the pipeline of a firm."""
    measure = judge(seen).measures.pipeline
    assert measure is not None
    return measure


def condition(seen: World) -> Condition:
    """Return what is found of the target of newbiz."""
    (one,) = [one for one in judge(seen).measures.conditions if one.signal == SIGNAL]
    return one


def numbers(feed: Feed) -> tuple[int, int, int, int]:
    """Return target, fact, committed and weighted pipeline."""
    return int(feed.target), int(feed.fact), int(feed.committed), int(feed.weighted)


# -- by stage ----------------------------------------------------------------------------------------------------------


def test_the_pipeline_tells_value_and_weighted_value_by_stage() -> None:
    seen = firm(
        lead("p1", Stage.IDEA, 10_000),
        lead("p2", Stage.IDEA, None),
        lead("p3", Stage.SHAPING, 20_000, probability=Decimal("0.2")),
        # A proposal has a half by its stage, an agreed card is sure, unless people say.
        lead("p4", Stage.PROPOSAL, 30_000),
        lead("p5", Stage.PROPOSAL, 10_000, probability=Decimal("0.9")),
        lead("p6", Stage.AGREED, 40_000),
        lead("p7", Stage.LOST, 90_000),
        lead("p8", Stage.IN_PROGRESS, 90_000),
        card("p9", Stage.PROPOSAL, budget=Decimal(90_000)),
    )
    assert pipeline(seen).stages == (
        StageValue(Stage.IDEA, 2, Decimal(10_000), Decimal(0), unvalued=1),
        StageValue(Stage.SHAPING, 1, Decimal(20_000), Decimal(4_000)),
        StageValue(Stage.PROPOSAL, 2, Decimal(40_000), Decimal(24_000)),
        StageValue(Stage.AGREED, 1, Decimal(40_000), Decimal(40_000)),
    )


def test_without_newbiz_clients_there_is_no_pipeline() -> None:
    seen = world(unit(), HEAD, BIG, card())
    assert judge(seen).measures.pipeline is None
    assert condition(seen).holds is None


def test_cards_due_this_month_or_late_and_cards_that_stand_still_are_named() -> None:
    def lately(days: int) -> Any:
        return row("projects", "x", created=TODAY - timedelta(days=days)).edited

    seen = firm(
        lead("p1", Stage.IDEA, None, expected_start=date(2026, 11, 30)),
        lead("p2", Stage.PROPOSAL, None, expected_start=date(2026, 12, 1)),
        lead("p3", Stage.SHAPING, None, expected_start=date(2026, 9, 1)),
        # Edited last 14 and 13 days ago: it has not moved at least since.
        lead("p4", Stage.IDEA, None, edited=lately(14)),
        lead("p5", Stage.IDEA, None, edited=lately(13)),
    )
    measure = pipeline(seen)
    assert [one.key for one in measure.due] == ["p1", "p3"]
    assert [one.key for one in measure.still] == ["p4"]


# -- the history of stages ---------------------------------------------------------------------------------------------


def move(seen: World, day: date, **stages: Stage) -> World:
    """Return the world on a day, after cards were moved to other stages."""
    later = applied(seen, judge(seen), today=day)
    cards = dict(later.cards)
    for key, stage in stages.items():
        cards[ref("projects", key)] = replace(cards[ref("projects", key)], stage=stage)
    return replace(later, cards=cards)


def started(*cards: Card) -> World:
    """Return a firm that was looked at first on 1 September."""
    return firm(*cards, today=date(2026, 9, 1), memory=Memory(first_run=True))


def test_the_win_rate_is_of_decisions_that_were_seen() -> None:
    seen = started(
        lead("p1", Stage.PROPOSAL, 1),
        lead("p2", Stage.PROPOSAL, 1),
        lead("p3", Stage.SHAPING, 1),
        # Both were over when Rayline came: nobody knows since when.
        lead("p4", Stage.LOST, 1),
        lead("p5", Stage.DONE, 1),
        lead("p6", Stage.AGREED, 1),
    )
    assert pipeline(seen).win_rate is None
    seen = move(seen, date(2026, 9, 21), p1=Stage.AGREED, p2=Stage.LOST)
    # What was agreed before goes on; what was agreed here goes on too, and is one win.
    seen = move(seen, date(2026, 10, 1), p1=Stage.IN_PROGRESS, p6=Stage.IN_PROGRESS)
    seen = move(seen, date(2026, 10, 5), p1=Stage.DONE, p3=Stage.LOST)
    measure = pipeline(seen)
    assert (measure.won, measure.decided) == (1, 3)
    assert measure.win_rate == Decimal("0.3333")
    # A year later those of September are out; p3 was lost on 5 October.
    late = move(seen, date(2027, 10, 5))
    assert (pipeline(late).won, pipeline(late).decided) == (0, 1)
    assert pipeline(move(late, date(2027, 10, 6))).win_rate is None
    short = replace(seen, thresholds=Thresholds(win_months=1))
    assert pipeline(short).decided == 3
    assert pipeline(replace(short, today=date(2026, 10, 22))).decided == 1


def test_a_client_that_graduates_stays_won() -> None:
    seen = started(lead("p1", Stage.PROPOSAL, 1))
    seen = move(seen, date(2026, 9, 21), p1=Stage.IN_PROGRESS)
    seen = move(seen, date(2026, 10, 1))
    account = replace(NEW, group="account", unit=ref("units", "u1"))
    other = client("n2", group="newbiz", unit=None)
    clients = {**seen.clients, account.ref: account, other.ref: other}
    assert pipeline(replace(seen, clients=clients)).won == 1


def test_days_at_a_stage_are_the_median_of_stays_seen_from_end_to_end() -> None:
    seen = started(
        lead("p1", Stage.IDEA, 1), lead("p2", Stage.IDEA, 1), lead("p3", Stage.IDEA, 1)
    )
    day = date(2026, 9, 3)
    seen = move(seen, day, p1=Stage.PROPOSAL, p2=Stage.PROPOSAL, p3=Stage.PROPOSAL)
    seen = move(seen, date(2026, 9, 7), p1=Stage.AGREED)
    seen = move(seen, date(2026, 9, 13), p2=Stage.LOST)
    seen = move(seen, date(2026, 10, 3), p3=Stage.AGREED)
    days = {one.stage: one.days for one in pipeline(seen).stages}
    # At proposal 4, 10 and 30 days; since when they were ideas, and how long two stay agreed, nobody saw.
    assert days == {
        Stage.IDEA: None,
        Stage.SHAPING: None,
        Stage.PROPOSAL: 10,
        Stage.AGREED: None,
    }


def test_a_second_run_on_a_day_changes_nothing() -> None:
    seen = move(
        started(lead("p1", Stage.PROPOSAL, 1)), date(2026, 9, 21), p1=Stage.AGREED
    )
    again = applied(seen, judge(seen))
    assert pipeline(again) == pipeline(seen)
    assert judge(again).memory.tracks == judge(seen).memory.tracks


# -- the target --------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_cannot_feed_the_target_is_a_risk_and_a_task() -> None:
    # Target: 300,000 x 20 % = 60,000. Nothing recognised; agreed 10,000; 50,000 x 0.6 = 30,000. Short of 20,000.
    agreed = lead(
        "p1",
        Stage.AGREED,
        10_000,
        expected_start=date(2026, 11, 23),
        due=date(2026, 12, 4),
    )
    seen = firm(agreed, proposal(50_000, "0.6"))
    feed = pipeline(seen).feed
    assert feed is not None
    assert feed.quarter.code == "2026-Q4"
    assert numbers(feed) == (60_000, 0, 10_000, 30_000)
    assert feed.short == 20_000

    found = condition(seen)
    assert (found.holds, found.kind) == (True, "money")
    assert found.stake == 20_000
    assert found.evidence == (
        "Newbiz is to bring €60,000 in Q4 2026: recognised €0, committed €10,000, "
        "weighted pipeline €30,000; €20,000 are missing."
    )
    # 40,000 of 60,000 are less than three quarters.
    assert found.probability == 4

    outcome = judge(seen)
    (key,) = [key for key in keys_of(outcome, "tasks") if "feed_pipeline" in key]
    task = facts_of(outcome, "tasks", key)
    assert task["assignee"] == (HEAD.ref,)
    assert "€20,000 are missing" in str(task["reason"])
    (risk,) = [key for key in keys_of(outcome, "risks") if SIGNAL in key]
    assert facts_of(outcome, "risks", risk)["kind"] == "money"


@pytest.mark.parametrize(
    ("budget", "chance", "probability", "holds"),
    [
        (120_000, "0.5", 3, False),
        (119_000, "0.5", 3, True),
        (90_000, "0.5", 3, True),
        (89_000, "0.5", 4, True),
        (60_000, "0.5", 4, True),
        (59_000, "0.5", 5, True),
        (600_000, "0", 5, True),
    ],
)
def test_the_target_is_fed_or_not(
    budget: int, chance: str, probability: int, *, holds: bool
) -> None:
    found = condition(firm(proposal(budget, chance)))
    assert (found.holds, found.probability) == (holds, probability)


def test_an_empty_pipeline_feeds_nothing() -> None:
    assert condition(firm()).holds is True
    assert condition(firm(lead("p1", Stage.IDEA, 900_000))).stake == 60_000


def test_what_newbiz_brought_and_its_contracts_feed_the_target() -> None:
    # 20,000 a month from October on: the firm's target is 360,000, a fifth 72,000; 60,000 come.
    paying = replace(NEW, engagement="retainer", monthly_fee=Decimal(20_000))
    seen = firm()
    seen = replace(seen, clients={**seen.clients, NEW.ref: paying})
    feed = pipeline(seen).feed
    assert feed is not None
    # October whole; of November's weeks two of 4,761.91 and 2 of 5 days of one of 4,761.90.
    assert (feed.target, feed.fact) == (Decimal(72_000), Decimal("31428.58"))
    assert feed.fed == 60_000
    assert feed.short == 12_000


@pytest.mark.parametrize("changes", [{"budget": None}, {"expected_start": None}])
def test_proposals_that_tell_nothing_are_no_alarm(changes: dict[str, Any]) -> None:
    blank = replace(proposal(50_000, "0.6"), **changes)
    assert condition(firm(blank)).holds is None


def test_proposals_without_any_probability_are_no_alarm() -> None:
    unsaid = replace(proposal(50_000, "0.6"), probability=None)
    unknown = Thresholds(stage_probability={"agreed": Decimal(1)})
    assert condition(firm(unsaid, thresholds=unknown)).holds is None
    assert condition(firm(unsaid)).stake == 35_000


def test_without_a_target_of_the_firm_there_is_no_alarm() -> None:
    seen = world(unit(), HEAD, client(), NEW, proposal(1, "0.1"))
    assert condition(seen).holds is None


def test_the_pinned_plan_of_a_unit_of_newbiz_is_the_target() -> None:
    own = unit("u2", name="Newbiz")
    pin = row(
        "plans", "plan:u2:2026-Q4", title="Plan", pinned=True, target=Decimal(90_000)
    )
    seen = firm(own, proposal(50_000, "0.6"), rows={"plans": (pin,)})
    there = {**seen.clients, NEW.ref: replace(NEW, unit=own.ref)}
    feed = pipeline(replace(seen, clients=there)).feed
    assert feed is not None
    assert numbers(feed) == (90_000, 0, 0, 30_000)
    # With an account among its clients the unit is no unit of newbiz: a fifth of 300,000 + 90,000.
    mixed = {**there, ref("clients", "c3"): client("c3", unit=own.ref)}
    feed = pipeline(replace(seen, clients=mixed)).feed
    assert feed is not None
    assert feed.target == 78_000


def test_near_the_end_of_a_quarter_the_next_one_is_fed() -> None:
    # Ten working days before January; Q1's fees are 300,000.
    later = proposal(
        80_000, "0.5", expected_start=date(2027, 1, 4), due=date(2027, 1, 29)
    )
    feed = pipeline(firm(later, today=date(2026, 12, 18))).feed
    assert feed is not None
    assert feed.quarter.code == "2027-Q1"
    assert numbers(feed) == (60_000, 0, 0, 40_000)


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_portfolio_has_a_pipeline_section() -> None:
    seen = firm(
        lead(
            "p1",
            Stage.AGREED,
            10_000,
            name="Big *deal*",
            expected_start=date(2026, 11, 2),
            due=date(2026, 12, 4),
        ),
        proposal(50_000, "0.6"),
        memory=Memory(first_run=True),
    )
    (section,) = [
        one for one in written(seen).sections if one.ref.key == "meeting:portfolio"
    ]
    blocks = section.blocks
    start = blocks.index(Heading("Pipeline", 2))
    end = next(
        index
        for index in range(start + 1, len(blocks))
        if isinstance(blocks[index], Heading)
    )
    feed, stages = [one for one in blocks[start:end] if isinstance(one, Table)]
    assert [line[1] for line in feed.rows] == [
        "€0",
        "€10,000",
        "€30,000",
        "€20,000",
        "**€60,000**",
    ]
    assert [line[:4] for line in stages.rows] == [
        ("idea", "0", "€0", "€0"),
        ("shaping", "0", "€0", "€0"),
        ("proposal", "1", "€50,000", "€30,000"),
        ("agreed", "1", "€10,000", "€10,000"),
        ("**Together**", "2", "**€60,000**", "**€40,000**"),
    ]
    text = shown(markdown(blocks[start:end]))
    assert "Target of newbiz for Q4 2026: €60,000." in text
    assert "no win rate yet" in text
    _, _, late = text.partition("To start this month or earlier:")
    assert "Big *deal*" in late
    assert "Card p9" not in late
