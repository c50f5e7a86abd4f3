"""Rays: horizons, gaps, the break and its answer (docs/method.md 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, people_see
from tests.support.worlds import TODAY, applied, at, card, client, person, unit, world
from worker.domain.entities import Card, Service, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.clients.rays import measure_rays
from worker.method.formulas.rays import (
    AHEAD,
    Offers,
    add_months,
    best_ideas,
    follower,
    gap_weeks,
    horizon_of,
    planned_until,
)
from worker.method.measures import CardMeasure, Condition, Forecast, Signal
from worker.method.outcome import Outcome
from worker.method.outlook import Basis, RayMeasure
from worker.method.run import Findings
from worker.world.world import World

C1 = Ref("clients", "c1")
PORTAL, SHOP = Ref("services", "portal"), Ref("services", "shop")
SERVICES = {
    PORTAL: Service(PORTAL, "Portal", "endless", Decimal(900)),
    SHOP: Service(SHOP, "Shop", "one_off"),
}


OFFERS = Offers(
    TODAY, Decimal("0.4"), {"proposal": Decimal("0.5"), "agreed": Decimal(1)}
)


def day(offset: int) -> date:
    """Return a day counted from today."""
    return TODAY + timedelta(days=offset)


def judged(
    seen: World, cards: Mapping[Ref, CardMeasure] | None = None
) -> Findings[Mapping[Ref, RayMeasure]]:
    """Return what the rule alone says."""
    return measure_rays(seen, cards or {})


def ray(seen: World) -> RayMeasure:
    """Return the ray of client c1."""
    return judged(seen).value[C1]


def condition(seen: World) -> Condition:
    """Return the one condition of the rule."""
    (found,) = judged(seen).conditions
    return found


def signals(seen: World) -> dict[str, Signal]:
    """Return the rule's signals by playbook and subject."""
    return {f"{one.playbook}:{one.subject.key}": one for one in judged(seen).signals}


def idea(key: str, *, probability: str = "", age: int = 0, **fields: object) -> Card:
    """Return an idea of client c1 that was typed `age` days ago."""
    return card(
        key,
        Stage.IDEA,
        jira=None,
        probability=Decimal(probability) if probability else None,
        created=at(day(-age)),
        **fields,
    )


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 11, 18), 3, date(2027, 2, 18)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 5, 18), 18, date(2026, 11, 18)),
        (date(2027, 1, 31), -2, date(2026, 11, 30)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
    ],
)
def test_months_keep_the_day_or_end_with_a_shorter_month(
    start: date, months: int, expected: date
) -> None:
    assert add_months(start, months) == expected


def test_the_horizon_is_the_latest_p85_due_date_or_contract_end() -> None:
    running, agreed = card(due=day(20)), card("p2", Stage.AGREED, due=day(30))
    late = {
        running.ref: CardMeasure(
            running.ref, forecast=Forecast(day(35), day(40), 5, 100), due=day(20)
        )
    }
    idle = card("p3", Stage.PROPOSAL, due=day(90))
    found = horizon_of(None, [running, agreed, idle], late)
    assert found is not None
    assert (found.day, found.basis, found.card) == (day(40), Basis.P85, running.ref)
    found = horizon_of(None, [running, agreed, idle], {})
    assert found is not None
    assert (found.day, found.basis, found.card) == (day(30), Basis.DUE, agreed.ref)
    found = horizon_of(day(31), [running, agreed], {})
    assert found is not None
    assert (found.day, found.basis, found.card) == (day(31), Basis.CONTRACT, None)
    assert horizon_of(None, [card(due=None), idle], {}) is None


@pytest.mark.parametrize(
    ("after", "weeks"), [(-3, 0), (0, 0), (1, 1), (7, 1), (8, 2), (15, 3)]
)
def test_begun_weeks_of_the_gap_count(after: int, weeks: int) -> None:
    assert gap_weeks(TODAY, day(after)) == weeks


def test_the_gap_is_to_the_next_expected_start() -> None:
    cards = (
        card(due=day(20)),
        card("p2", Stage.PROPOSAL, jira=None, expected_start=day(50)),
        idea("p3", expected_start=day(41)),
    )
    seen = world(client(), *cards)
    assert facts_of(judged(seen), "clients", "c1") == {"horizon": day(20), "ray_gap": 3}
    assert ray(seen).next_card == Ref("projects", "p3")
    assert facts_of(judged(world(client())), "clients", "c1") == {
        "horizon": None,
        "ray_gap": None,
    }


@pytest.mark.parametrize(
    ("due", "follows", "breaks"),
    [
        (55, None, True),
        (56, None, False),
        (-4, None, True),
        (30, card("p2", Stage.PROPOSAL, jira=None, expected_start=day(30)), False),
        (30, card("p2", Stage.PROPOSAL, jira=None, expected_start=day(31)), True),
        (30, card("p2", Stage.PROPOSAL, jira=None), True),
        (30, card("p2", Stage.AGREED, jira=None, start=day(10)), False),
        (30, card("p2", Stage.SHAPING, jira=None, expected_start=day(10)), True),
        (30, card("p2", Stage.LOST, jira=None, expected_start=day(10)), True),
    ],
)
def test_a_ray_breaks_inside_the_lead_time_unless_something_offered_starts_before(
    due: int, follows: Card | None, breaks: bool
) -> None:
    seen = world(
        client(), card(due=day(due), jira=None), *([follows] if follows else [])
    )
    assert ray(seen).breaks is breaks


@pytest.mark.parametrize(
    ("cards", "breaks"),
    [
        ([], None),
        ([card(due=None, jira=None)], None),
        ([card(stage=Stage.DONE, jira=None)], True),
        ([card(stage=Stage.LOST, jira=None)], None),
        (
            [
                card(stage=Stage.DONE, jira=None),
                card("p2", Stage.AGREED, jira=None, due=None),
            ],
            None,
        ),
        (
            [
                card(stage=Stage.DONE, jira=None),
                card("p2", Stage.PROPOSAL, jira=None, expected_start=TODAY),
            ],
            False,
        ),
    ],
)
def test_work_that_ended_has_broken_and_work_without_dates_is_unknown(
    cards: list[Card], breaks: bool | None
) -> None:
    assert ray(world(client(), *cards)).breaks is breaks


def offer(
    start: int, chance: str = "", stage: Stage = Stage.PROPOSAL, **fields: object
) -> Card:
    """Return an offered card of client c1 that is expected to start so many days from today."""
    probability = Decimal(chance) if chance else None
    return card(
        "p2",
        stage,
        jira=None,
        expected_start=day(start),
        probability=probability,
        **fields,
    )


@pytest.mark.parametrize(
    ("follows", "breaks"),
    [
        (offer(-300), True),
        (offer(-1), True),
        (offer(0), False),
        (offer(20, "0.05"), True),
        (offer(20, "0.39"), True),
        (offer(20, "0.4"), False),
        # Nobody gave a probability: the stage's usual one, a half and one.
        (offer(20), False),
        (offer(20, stage=Stage.AGREED), False),
        (offer(-1, stage=Stage.AGREED), True),
        (offer(20, "0.1", stage=Stage.AGREED), True),
    ],
)
def test_what_was_to_start_in_the_past_or_is_unlikely_keeps_no_ray_whole(
    follows: Card, breaks: bool
) -> None:
    seen = world(client(), card(due=day(30), jira=None), follows)
    assert ray(seen).breaks is breaks


def test_work_that_is_overdue_goes_on_today() -> None:
    running = card(due=day(-10), jira=None)
    assert ray(world(client(), running, offer(0))).breaks is False
    assert ray(world(client(), running, offer(1))).breaks is True


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        (offer(-300), "“Card p2” does not count: it was to start on Jan 22, 2026."),
        (offer(20, "0.05"), "“Card p2” does not count: its probability is 5%."),
    ],
)
def test_the_evidence_says_why_an_offered_card_does_not_count(
    offered: Card, why: str
) -> None:
    seen = world(client(), card(due=day(30), jira=None), offered)
    assert condition(seen).evidence.endswith(why)


def test_the_gap_is_to_no_start_that_has_passed() -> None:
    # 20 days is the horizon; what was to start 300 days ago is no next work, what starts on day 41 is: 21 days, 3 weeks.
    cards = (card(due=day(20), jira=None), offer(-300))
    assert facts_of(judged(world(client(), *cards)), "clients", "c1") == {
        "horizon": day(20),
        "ray_gap": None,
    }
    seen = world(client(), *cards, idea("p3", expected_start=day(41)))
    assert facts_of(judged(seen), "clients", "c1")["ray_gap"] == 3


@pytest.mark.parametrize(
    ("cards", "horizon", "breaks"),
    [
        ((), None, True),
        ((card(stage=Stage.DONE, jira=None),), None, True),
        ((offer(20),), None, True),
        ((idea("p3"),), None, True),
        # What runs or is agreed runs under the contract.
        ((card(due=None, jira=None),), 400, False),
        ((card(stage=Stage.AGREED, due=day(10), jira=None),), 400, False),
    ],
)
def test_a_contract_alone_is_no_horizon(
    cards: tuple[Card, ...], horizon: int | None, breaks: bool
) -> None:
    seen = ray(world(client(contract_end=day(400)), *cards))
    found = seen.horizon.day if seen.horizon else None
    assert found == (None if horizon is None else day(horizon))
    assert seen.breaks is breaks


def test_the_delay_of_a_late_card_lengthens_no_ray() -> None:
    """Due 20 days ago and done in 91 days (13 weeks) at the earliest guess: sold until its due date; nothing scores 0.

    On time until day 40 the card counts to P85, later than due it counts to the due date.
    """
    late, early = card(due=day(-20)), card("p2", due=day(60))
    measures = {
        one.ref: CardMeasure(
            one.ref, due=one.due, forecast=Forecast(day(1), day(end), 5, 100)
        )
        for one, end in ((late, 91), (early, 40))
    }
    assert planned_until(None, [late], measures) == day(-20)
    assert planned_until(None, [late, early], measures) == day(40)
    assert planned_until(day(50), [late], measures) == day(50)
    assert planned_until(day(50), [], measures) is None
    found = horizon_of(None, [late], measures)
    assert found is not None
    assert found.day == day(91)


def test_newbiz_has_no_ray_to_break() -> None:
    seen = world(client(group="newbiz"), card(due=day(3), jira=None))
    assert ray(seen).breaks is False
    assert judged(seen).conditions == ()


def test_the_break_is_a_high_risk_that_says_what_ends_and_what_is_next() -> None:
    seen = world(
        client(monthly_fee=Decimal(100)),
        unit(),
        card(due=day(55), jira=None),
        idea("p2", expected_start=day(90)),
    )
    found = condition(seen)
    assert (
        found.signal,
        found.holds,
        found.probability,
        found.impact,
        found.stake,
    ) == ("ray.breaks", True, 4, 4, Decimal(300))
    assert (found.horizon, found.client, found.unit) == (
        day(55),
        C1,
        Ref("units", "u1"),
    )
    assert found.evidence == (
        "Work is secured until Jan 12, 2027, the due date of “Card p1”. Next is “Card p2” (idea), expected on Feb 16, 2027."
    )
    assert condition(world(client(), card(due=day(27), jira=None))).probability == 5
    assert condition(world(client(), card(due=day(28), jira=None))).probability == 4


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (
            world(client(contract_end=day(9)), card(due=None, jira=None)),
            "Work is secured until Nov 27, 2026, the end of the contract. ",
        ),
        (
            world(client(), card(stage=Stage.DONE, jira=None)),
            "No work is running or agreed. ",
        ),
    ],
)
def test_the_evidence_names_its_basis(seen: World, said: str) -> None:
    assert condition(seen).evidence == f"{said}No next start is expected."


def test_the_p85_is_named_as_such() -> None:
    running = card(due=day(20))
    late = {
        running.ref: CardMeasure(
            running.ref, forecast=Forecast(day(35), day(40), 5, 100), due=day(20)
        )
    }
    (found,) = judged(world(client(), running), late).conditions
    assert found.evidence.startswith(
        "Work is secured until Dec 28, 2026, the P85 of “Card p1”."
    )


def test_ideas_rank_by_probability_times_value_then_age() -> None:
    cheap = idea("a", probability="0.5", budget=Decimal(1000))  # 500
    likely = idea("b", probability="0.9", service=PORTAL)  # 0.9 x 900 = 810
    dear = idea("c", probability="0.1", budget=Decimal(9000))  # 900
    bare_old, bare_new = (
        idea("d", age=50),
        idea("e", age=5, budget=Decimal(10**6)),
    )  # no probability: 0
    offered = card(
        "f", Stage.PROPOSAL, jira=None, probability=Decimal(1), budget=Decimal(10**6)
    )
    cards = [bare_new, offered, cheap, bare_old, likely, dear]
    assert [one.ref.key for one in best_ideas(cards, SERVICES, number=9)] == [
        "c",
        "b",
        "a",
        "d",
        "e",
    ]
    assert [one.ref.key for one in best_ideas(cards, SERVICES, number=2)] == ["c", "b"]
    assert [
        one.ref.key for one in best_ideas(cards, SERVICES, number=2, begun={cheap.ref})
    ] == ["a", "c"]


def test_the_two_best_ideas_get_a_task_while_the_ray_breaks() -> None:
    ideas = (
        idea("a", probability="0.5", budget=Decimal(1000)),
        idea("b", probability="0.2", budget=Decimal(100)),
        idea("c", age=9),
    )
    seen = world(client(), unit(), person("am"), card(due=day(30), jira=None), *ideas)
    found = signals(seen)
    assert [key for key, one in found.items() if one.holds] == [
        "move_idea:a",
        "move_idea:b",
    ]
    assert found["move_idea:a"].strength > found["move_idea:b"].strength
    assert found["move_idea:a"].reason == (
        "Work with C1 ends on Dec 18, 2026 and nothing agreed follows it. The idea is worth €500 (probability × value), among the most."
    )
    assert found["move_idea:c"].reason.endswith(
        "The idea has no value yet; it is among the oldest."
    )
    task = facts_of(judge(seen), "tasks", "task:move_idea:a")
    assert (task["name"], task["assignee"]) == (
        "Bring “Card a” to a proposal: work with C1 ends Dec 18, 2026",
        (Ref("people", "am"),),
    )


def test_without_ideas_the_client_itself_gets_the_task() -> None:
    seen = world(client(), unit(), card(due=day(30), jira=None))
    assert {key: one.holds for key, one in signals(seen).items()} == {
        "ray_break:c1": True
    }
    with_idea = replace(seen, cards={**seen.cards, Ref("projects", "a"): idea("a")})
    assert {key: one.holds for key, one in signals(with_idea).items()} == {
        "ray_break:c1": False,
        "move_idea:a": True,
    }


def test_a_ray_that_cannot_be_judged_leaves_its_tasks_alone() -> None:
    seen = world(client(), card(due=None, jira=None), idea("a"))
    assert {key: one.holds for key, one in signals(seen).items()} == {
        "ray_break:c1": None,
        "move_idea:a": None,
    }


def test_an_idea_that_was_begun_stays_chosen_and_one_that_moved_is_closed_with_its_stage() -> (
    None
):
    first, second = (
        idea("a", probability="0.5", budget=Decimal(100)),
        idea("b", probability="0.4", budget=Decimal(100)),
    )
    seen = world(client(), unit(), card(due=day(30), jira=None), first, second)
    seen = replace(seen, thresholds=seen.thresholds.model_copy(update={"ray_ideas": 1}))
    later = applied(seen, judge(seen), today=day(1))
    grown = replace(
        later,
        cards={**later.cards, second.ref: replace(second, probability=Decimal(1))},
    )
    assert [key for key, one in signals(grown).items() if one.holds] == ["move_idea:a"]
    moved = replace(
        later, cards={**later.cards, first.ref: replace(first, stage=Stage.PROPOSAL)}
    )
    assert {key: one.holds for key, one in signals(moved).items()} == {
        "ray_break:c1": False,
        "move_idea:a": False,
        "move_idea:b": True,
    }
    assert (
        signals(moved)["move_idea:a"].ended
        == "closed automatically: the card stands at “proposal” now"
    )


def test_a_broken_ray_is_a_high_risk_and_heals_two_days_after_a_proposal() -> None:
    seen = world(client(), unit(), card(due=day(30), jira=None), idea("a"))

    def status(outcome: Outcome) -> dict[str, Value | Unset]:
        return facts_of(outcome, "risks", "risk:ray.breaks:c1")

    outcome = judge(seen)
    assert (status(outcome)["level"], status(outcome)["status"]) == ("high", "open")
    offered = replace(idea("a"), stage=Stage.PROPOSAL, expected_start=day(20))
    for number in (1, 2):
        seen = replace(
            applied(seen, outcome, today=day(number)),
            cards={**seen.cards, offered.ref: offered},
        )
        outcome = judge(seen)
    assert people_see(status(outcome)) == {"status": "closed"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Stage)), st.integers(-50, 200), st.integers(-50, 200)
        ),
        max_size=8,
    ),
    st.one_of(st.none(), st.integers(-50, 400)),
)
def test_a_ray_with_a_follower_never_breaks_and_a_broken_one_is_short(
    shapes: list[tuple[Stage, int, int]], contract: int | None
) -> None:
    cards = [
        card(f"p{number}", stage, jira=None, due=day(due), expected_start=day(start))
        for number, (stage, due, start) in enumerate(shapes)
    ]
    found = ray(
        world(client(contract_end=None if contract is None else day(contract)), *cards)
    )
    until = found.horizon.day if found.horizon else TODAY
    if follower(cards, max(until, TODAY), OFFERS):
        assert not found.breaks
    if not any(one.stage in AHEAD for one in cards):
        assert found.horizon is None
    if found.breaks:
        assert until < TODAY + timedelta(weeks=8)
    assert set(found.ideas) <= {
        one.ref for one in cards if one.stage in (Stage.IDEA, Stage.SHAPING)
    }
