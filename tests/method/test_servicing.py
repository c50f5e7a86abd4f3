"""Work given away, each case worked out by hand (docs/method.md 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, keys_of
from tests.support.worlds import at, card, client, issue, person, unit, worklog, world
from worker.config import Thresholds
from worker.domain.dated import Dated
from worker.domain.entities import CardWork, Client, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.delivery.progress import measure_progress
from worker.method.measures import Condition
from worker.method.money.retainer_hours import measure_hours
from worker.method.money.revenue import measure_revenue
from worker.method.money.servicing import measure_servicing
from worker.method.run import Findings
from worker.world.world import World

DECEMBER = date(2026, 12, 10)
RETAINER = client(
    engagement="retainer", monthly_fee=Decimal(100_000), since=date(2026, 1, 1)
)


def scene(
    hours: Mapping[date, float], payer: Client = RETAINER, *, today: date = DECEMBER
) -> World:
    """Return a client whose one card took some hours at 1,000 by day."""
    logs = [worklog(day, spent) for day, spent in hours.items()]
    dev = person("dev", rate=Decimal(1000))
    work = {"p1": [issue(1)]}
    return world(payer, unit(), dev, card(), work=work, logs=logs, today=today)


def serviced(seen: World) -> Findings[Mapping[Ref, Decimal] | None]:
    """Return what is found of work given away."""
    cards = measure_progress(seen).value
    revenue = measure_revenue(seen).value
    return measure_servicing(seen, revenue, cards, measure_hours(seen).value)


def given(seen: World, source: str = "clients") -> Condition:
    """Return what is said of work given away to the one client, or on its one card."""
    (found,) = [
        one for one in serviced(seen).conditions if one.subject.source == source
    ]
    return found


def shown(seen: World) -> dict[str, Value | Unset]:
    """Return the facts of client c1."""
    return facts_of(serviced(seen), "clients", "c1")


def test_a_retainer_that_is_worked_four_times_its_fee_gives_three_quarters_away() -> (
    None
):
    seen = scene({date(2026, 11, 5): 200, date(2026, 11, 20): 200})
    found = given(seen)
    assert (found.holds, found.stake) == (True, Decimal(300_000))
    assert found.evidence == (
        "November 2026: 400 h worth €400,000 for a fee of €100,000: €300,000 given away."
    )
    assert shown(seen)["realisation"] == Decimal("0.25")


@pytest.mark.parametrize(
    ("hours", "share", "score"),
    [
        # From 0 at a realisation of 50 % to 100 at 100 %; the pace of a quiet retainer is 100.
        (400, "25%", 50),
        (200, "50%", 50),
        (125, "80%", 80),
        (100, "100%", 100),
        (50, "200%", 100),
    ],
)
def test_the_health_of_money_knows_what_hours_bring(
    hours: float, share: str, score: int
) -> None:
    measure = judge(scene({date(2026, 11, 5): hours})).measures.clients
    (money,) = [
        factor
        for factor in measure[Ref("clients", "c1")].factors
        if factor.name == "money"
    ]
    assert money.score == score
    assert money.reason == f"pace 100%, realisation {share} in the last finished month"


@pytest.mark.parametrize(("hours", "holds"), [(119, False), (120, False), (121, True)])
def test_a_fifth_more_than_the_fee_is_borne(hours: int, holds: bool) -> None:
    assert given(scene({date(2026, 11, 5): hours})).holds is holds


def test_how_much_is_borne_may_be_set() -> None:
    seen = scene({date(2026, 11, 5): 130})
    wide = replace(seen, thresholds=Thresholds(over_servicing=Decimal("0.5")))
    assert (given(seen).holds, given(wide).holds) == (True, False)


def test_the_running_month_speaks_once_its_whole_fee_is_worked_off() -> None:
    """On 10 December 7 of 23 working days are over; what counts is the whole month's fee, not 7/23 of it."""
    assert given(scene({date(2026, 12, 2): 60})).holds is False
    over = given(scene({date(2026, 12, 2): 150}))
    assert (over.holds, over.stake) == (True, Decimal(50_000))


def test_a_contract_that_began_in_mid_month_has_its_part_of_the_fee() -> None:
    """From 16 November 11 of 21 working days: 52,380.95; 80 hours give 27,619.05 away."""
    payer = replace(RETAINER, since=date(2026, 11, 16))
    found = given(scene({date(2026, 11, 20): 80}, payer))
    assert (found.holds, found.stake) == (True, Decimal("27619.05"))


def test_the_month_before_the_last_is_over() -> None:
    assert given(scene({date(2026, 10, 5): 400})).holds is False


def test_hours_by_the_hour_give_nothing_away_and_are_realised_in_full() -> None:
    seen = scene({date(2026, 11, 5): 400}, client(engagement="tm"))
    assert given(seen).holds is False
    assert shown(seen)["realisation"] == 1


def test_a_card_by_the_hour_is_not_in_the_fee_of_its_client() -> None:
    seen = scene({date(2026, 11, 5): 400})
    apart = {ref: replace(one, engagement="tm") for ref, one in seen.cards.items()}
    seen = replace(seen, cards=apart)
    assert given(seen).holds is False
    # The fee of 100,000 and 400 hours at 1,000 are recognised, for work worth 400,000.
    assert shown(seen)["realisation"] == Decimal("1.25")


def test_without_hours_or_rates_nothing_is_known_of_realisation() -> None:
    assert shown(scene({}))["realisation"] is None
    unpriced = scene({date(2026, 11, 5): 400})
    nobody = {ref: replace(one, rate=None) for ref, one in unpriced.people.items()}
    unpriced = replace(unpriced, people=nobody)
    assert shown(unpriced)["realisation"] is None
    assert given(unpriced).holds is False


def test_without_money_nothing_is_said() -> None:
    seen = scene({})
    hours = measure_hours(seen).value
    revenue = measure_revenue(seen).value
    assert measure_servicing(seen, None, {}, hours).value is None
    assert measure_servicing(seen, revenue, {}, None).value is None


def test_hours_without_a_rate_make_realisation_unknown_and_not_too_high() -> None:
    """100 hours at 1,000 and 100 at nobody knows what, for a fee of 100,000: not 100 %."""
    seen = scene({date(2026, 11, 5): 100})
    stranger = worklog(date(2026, 11, 6), 100, author="stranger")
    works = {
        ref: replace(one, worklogs=(*one.worklogs, stranger))
        for ref, one in seen.work.items()
    }
    assert shown(seen)["realisation"] == 1
    assert shown(replace(seen, work=works))["realisation"] is None


def test_hours_the_client_does_not_pay_are_not_realised_and_not_given_away() -> None:
    """400 hours on a card that is not billable, 50 on the one that is: 100,000 / 50,000."""
    seen = scene({date(2026, 11, 5): 50})
    free = (worklog(date(2026, 11, 6), 400),)
    inner = card("p2", billable=False)
    work = CardWork("project ACME", (issue(9),), free)
    seen = replace(
        seen,
        cards={**seen.cards, inner.ref: inner},
        work={**seen.work, inner.ref: work},
    )
    assert shown(seen)["realisation"] == 2
    assert given(seen).holds is False


def test_realisation_counts_what_was_recognised_whatever_counts_as_revenue() -> None:
    """A fee of 100,000 nobody has paid, for 200 hours at 1,000."""
    seen = scene({date(2026, 11, 5): 200})
    paid = replace(seen, thresholds=Thresholds(revenue_basis="paid"))
    assert shown(seen)["realisation"] == Decimal("0.5")
    assert shown(paid)["realisation"] == Decimal("0.5")


def test_a_rate_that_rose_later_makes_earlier_hours_worth_no_more() -> None:
    """200 h on 5 November at 500, at 1,000 from the 16th: worth the fee of 100,000, nothing is given away."""
    seen = scene({date(2026, 11, 5): 200})
    rates = Dated[Decimal | None](Decimal(500), ((date(2026, 11, 16), Decimal(1000)),))
    risen = {key: replace(one, rates=rates) for key, one in seen.people.items()}
    risen_world = replace(seen, people=risen)
    assert given(seen).holds is True
    assert given(risen_world).holds is False
    assert shown(risen_world)["realisation"] == 1


def test_a_retainer_that_became_one_in_mid_month_serves_its_fee_from_then_on() -> None:
    """By the hour until 15 November; then 11 of 21 days of the fee, 52,380.95, for 80 h: 27,619.05 given away."""
    seen = scene({date(2026, 11, 5): 400, date(2026, 11, 20): 80})
    dated = Dated[str | None]("tm", ((date(2026, 11, 16), "retainer"),))
    grown = {key: replace(one, models=dated) for key, one in seen.clients.items()}
    found = given(replace(seen, clients=grown))
    assert (found.holds, found.stake) == (True, Decimal("27619.05"))


# -- cards -------------------------------------------------------------------------------------------------------------


def fixed(done: int, hours: float, **fields: Any) -> World:
    """Return a fixed price of 400,000 of ten items, so many of them done in November, and hours at 1,000."""
    month = date(2026, 11, 5)
    team = ("dev", "eve")
    items = [
        issue(number, done=month if number < done else None, updated=at(DECEMBER))
        for number in range(10)
    ]
    payer = client(engagement="fixed_price")
    price = card(**{"budget": Decimal(400_000), "due": date(2027, 6, 30), **fields})
    return world(
        payer,
        unit(),
        *(person(name, rate=Decimal(1000)) for name in team),
        price,
        work={"p1": items},
        logs=[worklog(month, hours / 2, author=name) for name in team],
        today=DECEMBER,
    )


def test_a_card_gives_away_what_its_hours_are_worth_beyond_the_work_done() -> None:
    """Six of ten are done: 240,000 earned. 320 h are worth 320,000, a third more: 80,000 given away."""
    found = given(fixed(6, 320), "projects")
    assert (found.holds, found.stake) == (True, Decimal(80_000))
    assert found.title == "Card p1: more work than the fee pays for"
    assert found.evidence == (
        "320 h worth €320,000 for 60% of a budget of €400,000: €80,000 given away."
    )
    assert (found.client, found.card) == (Ref("clients", "c1"), Ref("projects", "p1"))


@pytest.mark.parametrize(
    ("done", "hours", "holds"),
    [
        # Seven of ten: 280,000 earned, a fifth more is 336,000.
        (7, 336, False),
        (7, 337, True),
        # Under three quarters of the budget work under way may be what is spent.
        (5, 299, False),
        (5, 300, True),
        (0, 400, True),
        # All done: 400,000 earned, a fifth more is 480,000.
        (10, 480, False),
        (10, 481, True),
    ],
)
def test_a_fifth_more_than_a_card_earned_is_borne(
    done: int, hours: float, *, holds: bool
) -> None:
    assert given(fixed(done, hours), "projects").holds is holds


@pytest.mark.parametrize(
    "fields",
    [
        {"engagement": "tm"},
        {"engagement": "retainer"},
        {"budget": None},
        {"billable": False},
        {"stage": Stage.DONE},
    ],
)
def test_only_a_running_price_gives_away(fields: dict[str, Any]) -> None:
    assert given(fixed(5, 400, **fields), "projects").holds is False


def test_hours_without_a_rate_leave_it_open_whether_a_card_gives_away() -> None:
    seen = fixed(5, 400)
    nobody = {ref: replace(one, rate=None) for ref, one in seen.people.items()}
    assert given(replace(seen, people=nobody), "projects").holds is None


def test_a_card_gives_away_at_the_rates_of_its_days() -> None:
    """320 h at 500 are worth 160,000, not 320,000, though the rate is 1,000 by now."""
    seen = fixed(6, 320)
    rates = Dated[Decimal | None](Decimal(500), ((date(2026, 11, 16), Decimal(1000)),))
    risen = {key: replace(one, rates=rates) for key, one in seen.people.items()}
    assert given(seen, "projects").holds is True
    assert given(replace(seen, people=risen), "projects").holds is False


def test_a_fixed_price_realises_what_its_progress_was_recognised_for() -> None:
    """240,000 for 320 hours at 1,000 in November."""
    assert shown(fixed(6, 320))["realisation"] == Decimal("0.75")


def open_tasks(seen: World) -> set[str]:
    """Return the keys of all tasks of playbooks about money of cards or their risks."""
    names = ("limit_service", "spend_budget", "answer_risk")
    keys = keys_of(judge(seen), "tasks")
    return {key for key in keys if key.split(":")[1] in names}


def test_a_card_that_burns_gives_away_and_is_nearly_spent_has_one_task() -> None:
    """Half done for 95 % of the budget: both risks hold, one task tells of it."""
    outcome = judge(fixed(5, 380))
    risks = keys_of(outcome, "risks")
    assert {"risk:money.burn:p1", "risk:money.over_servicing:p1"} <= risks
    assert open_tasks(fixed(5, 380)) == {"task:spend_budget:p1"}


def test_a_finished_card_that_gave_away_is_the_account_managers_matter() -> None:
    assert open_tasks(fixed(10, 500)) == {"task:limit_service:p1"}
