"""Work given away, each case worked out by hand (docs/method.md 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of
from tests.support.worlds import card, client, issue, person, unit, worklog, world
from worker.config import Thresholds
from worker.domain.entities import Client
from worker.domain.values import Unset, Value
from worker.method.measures import Condition
from worker.method.money.revenue import measure_revenue
from worker.method.money.servicing import measure_servicing
from worker.world.world import World

DECEMBER = date(2026, 12, 10)
RETAINER = client(
    engagement="retainer", monthly_fee=Decimal(100_000), since=date(2026, 1, 1)
)


def scene(
    hours: Mapping[date, float], payer: Client = RETAINER, *, today: date = DECEMBER
) -> World:
    """Return a client whose one card took some hours at 1,000 by day."""
    logs = [
        worklog(number, day, spent) for number, (day, spent) in enumerate(hours.items())
    ]
    dev = person("dev", rate=Decimal(1000))
    work = {"p1": [issue(1)]}
    return world(payer, unit(), dev, card(), work=work, logs=logs, today=today)


def given(seen: World) -> Condition:
    """Return what is said of work given away to the one client."""
    (found,) = measure_servicing(seen, measure_revenue(seen).value).conditions
    return found


def shown(seen: World) -> dict[str, Value | Unset]:
    """Return the facts of client c1."""
    return facts_of(
        measure_servicing(seen, measure_revenue(seen).value), "clients", "c1"
    )


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
    assert measure_servicing(scene({}), None).value is None
