"""When work ends whose scope grows, and of cards without a history of their own (docs/method.md 1.1).

Days and shares are worked out by hand in the comments; what chance leaves open is bounded from both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import TODAY, at, card, client, issue, steady, unit, world
from worker.domain.entities import Issue, Stage
from worker.domain.values import Ref
from worker.method.delivery.forecasting import (
    chance_within,
    simulate,
    simulate_any,
    survival,
)
from worker.method.measures import CardMeasure, Rag
from worker.world.world import World

P1 = Ref("projects", "p1")
A_DAY = timedelta(days=1)
BEGIN = TODAY - timedelta(days=119)
"""A Wednesday 17 weeks ago: the scope is known 4 weeks later, before the 12 weeks that are looked at."""


def weekdays(until: date = TODAY, *, weeks: int = 12) -> Iterator[date]:
    """Yield the weekdays of some weeks that end the day before a day, oldest first."""
    day = until - timedelta(weeks=weeks)
    while day < until:
        if day.weekday() < 5:
            yield day
        day += A_DAY


def project(
    *, done_every: int, come_every: int = 0, still_open: int = 20, begin: date = BEGIN
) -> list[Issue]:
    """Return issues of which one was finished every so many weekdays, and one came every so many; with the open ones."""
    days = list(weekdays())
    finished = [
        issue(n, created=begin, done=day) for n, day in enumerate(days[::done_every])
    ]
    came = days[::come_every] if come_every else []
    rest = [issue(500 + n, created=day) for n, day in enumerate(came[:still_open])]
    old = still_open - len(rest)
    more = [
        issue(800 + n, created=day, done=TODAY - timedelta(weeks=13))
        for n, day in enumerate(came[still_open:])
    ]
    return [
        *finished,
        *rest,
        *more,
        *(issue(200 + n, created=begin) for n in range(old)),
    ]


def measured(seen: World, key: str = "p1") -> CardMeasure:
    """Return what was measured of a card."""
    return judge(seen).measures.cards[Ref("projects", key)]


def alone(issues: Sequence[Issue], **fields: Any) -> World:
    """Return a world of one running card."""
    return world(client(), unit(), card(**fields), work={"p1": issues})


def working_days_to(end: date) -> int:
    """Return how many weekdays lie from today to a day, both included."""
    span = (end - TODAY).days + 1
    return sum((TODAY + n * A_DAY).weekday() < 5 for n in range(span))


# -- scope that grows --------------------------------------------------------------------------------------------------


def test_new_items_put_the_end_off() -> None:
    """One a day is finished, 20 are left: 20 days. One new item every second day leaves half a day's work: 40 days."""
    calm = measured(alone(project(done_every=1)))
    assert calm.forecast is not None
    assert working_days_to(calm.forecast.p50) == 20
    growing = measured(alone(project(done_every=1, come_every=2)))
    assert growing.forecast is not None
    assert 36 <= working_days_to(growing.forecast.p50) <= 41
    assert growing.forecast.p85 > growing.forecast.p50


def test_the_chance_to_be_on_time_falls_with_the_growth() -> None:
    due = TODAY + timedelta(weeks=6)
    calm = measured(alone(project(done_every=1), due=due))
    growing = measured(alone(project(done_every=1, come_every=2), due=due))
    # Thirty-one weekdays: enough for 20 items, not for what comes beside them.
    assert calm.on_time == 1
    assert growing.on_time is not None
    assert growing.on_time < Decimal("0.2")


@pytest.mark.parametrize("come_every", [1, 2])
def test_there_is_no_date_where_as_much_comes_as_is_finished(come_every: int) -> None:
    # One is finished every second day; one comes every day, or every second one.
    due = TODAY + timedelta(weeks=20)
    seen = alone(project(done_every=2, come_every=come_every), due=due)
    facts = facts_of(judge(seen), "projects", "p1")
    assert (facts["p50"], facts["p85"]) == (None, None)
    # Where one comes every day the work never shrinks. Else what is left wanders by 0.7 a day: twenty less within a
    # hundred days is a chance of 0.5 %.
    assert isinstance(facts["on_time"], Decimal)
    assert 0 <= facts["on_time"] < Decimal("0.02")
    coming = {1: "5", 2: "2.5"}[come_every]
    assert (
        f"As much work comes in as is finished ({coming} new issues a week): there is no date."
        in str(facts["why"])
    )
    assert facts["health"] == "red"
    risk = facts_of(judge(seen), "risks", "risk:deadline.p_on_time:p1")
    assert risk["evidence"] == (
        f"As much work comes in as is finished ({coming} new issues a week): there is no date."
    )
    assert risk["probability"] == 4


def delivery(seen: World) -> tuple[Decimal | None, str]:
    """Return the score of a client's factor of delivery, and its reason."""
    measure = judge(seen).measures.clients[Ref("clients", "c1")]
    (factor,) = (one for one in measure.factors if one.name == "delivery")
    return factor.score, factor.reason


def test_a_client_whose_work_never_ends_does_not_deliver_perfectly() -> None:
    """Nothing is overdue (100), but no run ends in time (0): 50. A card beside it that is surely on time: (50 + 100) / 2."""
    due = TODAY + timedelta(weeks=20)
    growing = project(done_every=2, come_every=1)
    single = alone(growing, due=due)
    assert delivery(single) == (Decimal(50), "on-time chance 0%, 0 overdue issues")
    assert facts_of(judge(single), "clients", "c1")["on_time"] == 0

    cards = (card(due=due), card("p2", due=due))
    work = {"p1": growing, "p2": steady(30, 2)}
    both = world(client(), unit(), *cards, work=work)
    assert delivery(both) == (Decimal(75), "on-time chance 0%, 0 overdue issues")


def test_little_work_may_end_in_time_though_as_much_comes_as_is_finished() -> None:
    """Two are left and come and go at one rate: without an end that could be told, but often done within twenty weeks."""
    due = TODAY + timedelta(weeks=20)
    issues = project(done_every=2, come_every=2, still_open=2)
    found = measured(alone(issues, due=due))
    assert (found.is_outgrown, found.forecast) == (True, None)
    assert found.on_time is not None
    assert found.on_time > Decimal("0.5")
    assert measured(alone(issues)).on_time is None


def test_the_chance_of_one_item_that_comes_as_often_as_it_goes() -> None:
    """Each day one is finished and one comes, each by the toss of a coin: one less with 1/4, one more with 1/4.

    One day: 1/4. Two days: 1/4, or half of the time as before and then 1/4: 3/8.
    """
    coin = [0, 1]
    told = [chance_within(days, [coin], 1, arrivals=coin) for days in range(3)]
    assert told == [0.0, pytest.approx(1 / 4), pytest.approx(3 / 8)]


def counted_chance(
    days: int, done: Sequence[int], left: int, come: Sequence[int]
) -> Fraction:
    """Return the chance by trying every pair of days in every order."""
    if left <= 0:
        return Fraction(1)
    if days == 0:
        return Fraction(0)
    ways = [left - out + more for out in done for more in come]
    ended = [counted_chance(days - 1, done, way, come) for way in ways]
    return sum(ended, Fraction(0)) / len(ways)


@given(
    done=st.lists(st.integers(0, 3), min_size=1, max_size=3).filter(any),
    come=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    left=st.integers(1, 6),
    days=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_the_chance_within_some_days_equals_the_count_of_all_ways(
    done: list[int], come: list[int], left: int, days: int
) -> None:
    found = chance_within(days, [done], left, arrivals=come)
    assert found == pytest.approx(float(counted_chance(days, done, left, come)))


def test_an_endless_service_is_forecast_by_what_is_known_now() -> None:
    issues = project(done_every=1, come_every=2)
    found = measured(alone(issues, stage=Stage.EVOLUTION)).forecast
    assert found is not None
    assert working_days_to(found.p50) == 20


def test_the_first_scope_of_a_card_is_no_growth() -> None:
    """The items of the first four weeks are typed in as the project begins: one a day, none after it.

    The project is eight weeks old, 20 of its items are open and one a day is finished: 20 days or so.
    """
    begin = TODAY - timedelta(weeks=8)
    typed = list(weekdays(begin + timedelta(weeks=4), weeks=4))
    assert len(typed) == 20
    issues = [issue(n, created=day) for n, day in enumerate(typed)]
    issues += [
        issue(100 + n, created=begin, done=day)
        for n, day in enumerate(weekdays(weeks=8))
    ]
    found = measured(alone(issues)).forecast
    assert found is not None
    assert working_days_to(found.p50) == 20


def test_growth_begins_with_the_start_of_the_card() -> None:
    # Everything that came every second day came before the card's own start, three weeks ago.
    issues = [
        one
        for one in project(done_every=1, come_every=2)
        if one.created.date() < TODAY - timedelta(weeks=3)
    ]
    still = sum(not one.done for one in issues)
    issues += [issue(900 + n, created=BEGIN) for n in range(20 - still)]
    found = measured(alone(issues, start=TODAY - timedelta(weeks=3))).forecast
    assert found is not None
    assert working_days_to(found.p50) == 20


def test_one_day_of_planning_is_no_growth() -> None:
    # Thirty items typed in one day are work to be done, and are not drawn again.
    issues = project(done_every=1, still_open=0)
    issues += [issue(600 + n, created=TODAY - timedelta(days=8)) for n in range(30)]
    found = measured(alone(issues)).forecast
    assert found is not None
    assert working_days_to(found.p50) == 30


def test_the_figure_names_how_much_comes() -> None:
    outcome = judge(alone(project(done_every=1, come_every=2)))
    (p50,) = (fact for fact in outcome.facts if fact.ref == P1 and fact.field == "p50")
    inputs = {given.name: given.value for given in p50.why.inputs}
    assert inputs["new a week"] == "2.5"


def exact_walk(
    done: Sequence[int], come: Sequence[int], remaining: int, days: int
) -> list[float]:
    """Return the chance that work is left after each day, every draw followed in whole fractions."""
    left = {remaining: Fraction(1)}
    chances = [Fraction(1)]
    part = Fraction(1, len(done) * len(come))
    for _ in range(days):
        after: dict[int, Fraction] = {}
        for items, chance in left.items():
            for finished in done:
                for new in come:
                    rest = items - finished + new
                    if rest > 0:
                        after[rest] = after.get(rest, Fraction(0)) + chance * part
        left = after
        chances.append(sum(left.values(), Fraction(0)))
    return [float(chance) for chance in chances]


@settings(max_examples=30)
@given(
    done=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    come=st.lists(st.integers(0, 2), min_size=1, max_size=5),
    remaining=st.integers(1, 9),
)
def test_the_walk_is_exact(done: list[int], come: list[int], remaining: int) -> None:
    found = survival(done, remaining, come)
    if sum(done) * len(come) <= sum(come) * len(done):
        assert found.tolist() == [1]
        return
    days = min(len(found) - 1, 12)
    assert found[: days + 1] == pytest.approx(
        exact_walk(done, come, remaining, days), abs=1e-9
    )


def test_without_arrivals_the_walk_is_the_plain_forecast() -> None:
    plain = simulate([0, 1, 2], 9, draws=10_000, seed=3)
    quiet = simulate([0, 1, 2], 9, arrivals=[0, 0, 0], draws=10_000, seed=3)
    assert plain is quiet


def test_the_order_of_the_days_and_the_paces_never_matters() -> None:
    one = simulate_any([[0, 1], [3, 2]], 9, arrivals=[0, 0, 1], draws=500, seed=3)
    other = simulate_any([[3, 2], [0, 1]], 9, arrivals=[0, 0, 1], draws=500, seed=3)
    assert one is not None
    assert other is not None
    assert one.finished.tolist() == other.finished.tolist()


# -- borrowed pace -----------------------------------------------------------------------------------------------------


def fresh(done: int = 0, still_open: int = 10) -> list[Issue]:
    """Return the items of a card that began a week ago."""
    begin = TODAY - timedelta(days=7)
    finished = [issue(5000 + n, created=begin, done=TODAY - A_DAY) for n in range(done)]
    return finished + [issue(5100 + n, created=begin) for n in range(still_open)]


def daily(*, step: int = 1) -> list[Issue]:
    """Return the items of a card on which one is finished every so many weekdays, and one is open."""
    return project(done_every=step, still_open=1)


def agency(**work: Sequence[Issue]) -> World:
    """Return a world of cards: p1 new, `own...` of its client, `unit...` of another client of its unit, `far` of none."""
    cards = [card("p1", start=TODAY, due=TODAY + timedelta(weeks=4))]
    owners = {"own": "c1", "unit": "c2", "far": "c3"}
    for key in work:
        name = key.rstrip("0123456789")
        if name in owners:
            owner = Ref("clients", owners[name])
            cards.append(card(key, client=owner))
    return world(
        client("c1"), client("c2"), client("c3", unit=None), unit(), *cards, work=work
    )


def test_a_new_card_borrows_the_pace_of_its_clients_other_cards() -> None:
    # One a day: ten open items take ten days.
    seen = agency(p1=fresh(), own=daily(), unit=daily(step=5))
    found = measured(seen)
    assert found.forecast is not None
    assert working_days_to(found.forecast.p50) == 10
    assert found.lenders == (Ref("projects", "own"),)
    assert found.rag is Rag.GREEN
    assert (
        "Too little history of its own: the pace is borrowed from other cards of C1 (Card own)."
        in found.why
    )


def test_without_one_it_borrows_from_the_unit() -> None:
    seen = agency(p1=fresh(), unit=daily(), far=daily(step=5))
    found = measured(seen)
    assert found.forecast is not None
    assert working_days_to(found.forecast.p50) == 10
    assert "borrowed from other cards of North (Card unit)." in found.why


def part_of_a_whole(*, waiting: int, touched: date) -> CardMeasure:
    """Return a card of ten items that lie in a project which finishes one a day and has more waiting."""
    queue = [issue(3000 + n, updated=at(touched)) for n in range(waiting)]
    lying = [issue(4000 + n, updated=at(TODAY)) for n in range(10)]
    whole = [*daily(), *queue, *lying]
    return measured(agency(p1=lying, own=whole, other=daily(step=2)))


def test_a_part_of_a_whole_ends_with_what_is_open_there() -> None:
    # One a day: ten items and the thirty before them take forty days. That the other card does half of it matters not.
    found = part_of_a_whole(waiting=30, touched=TODAY)
    assert found.lenders == (Ref("projects", "own"),)
    assert found.forecast is not None
    assert working_days_to(found.forecast.p50) == 40
    assert (
        "it is a part of Card own and is taken to end with what is open there (issues: 40)."
        in found.why
    )


def test_what_nobody_has_touched_for_twelve_weeks_is_no_queue() -> None:
    found = part_of_a_whole(waiting=30, touched=TODAY - timedelta(weeks=13))
    assert found.forecast is not None
    assert working_days_to(found.forecast.p50) == 10


def test_where_nobody_can_lend_the_card_stays_grey() -> None:
    found = measured(agency(p1=fresh(done=3), far=daily()))
    assert (found.forecast, found.lenders, found.rag) == (None, (), Rag.GREY)
    assert "Too little history: 3 finished issues, 10 are needed." in found.why


def test_ten_finished_items_are_a_pace_of_its_own() -> None:
    seen = agency(p1=steady(10, 5), own=daily())
    found = measured(seen)
    assert found.forecast is not None
    assert found.lenders == ()
    assert "borrowed" not in found.why


def test_nine_finished_items_are_not() -> None:
    assert measured(agency(p1=steady(9, 5), own=daily())).lenders == (
        Ref("projects", "own"),
    )


@pytest.mark.parametrize("items", [steady(9, 5), fresh(), []])
def test_a_card_without_a_pace_lends_none(items: list[Issue]) -> None:
    found = measured(agency(p1=fresh(), own=items, unit=daily()))
    assert found.lenders == (Ref("projects", "unit"),)


def test_borrowed_days_are_wider_than_the_mean_of_the_lenders() -> None:
    """One lender does one a day, another one every fifth day: ten items take 10 days in half of the runs, else 50.

    Of days drawn from both together six items were done in ten days: 17 days, with little spread.
    """
    found = measured(agency(p1=fresh(), own1=daily(), own2=daily(step=5)))
    assert found.forecast is not None
    assert working_days_to(found.forecast.p85) >= 40
    assert found.on_time is not None
    assert Decimal("0.45") <= found.on_time <= Decimal("0.6")


def test_a_card_that_is_over_lends_the_pace_it_had() -> None:
    """One a day for eight weeks, done four weeks ago: the idle weeks since are not its pace."""
    end = TODAY - timedelta(weeks=4)
    begin = TODAY - timedelta(weeks=8)
    over = [
        issue(n, created=begin, done=day)
        for n, day in enumerate(weekdays(end, weeks=4))
    ]
    seen = agency(p1=fresh(), own=over)
    done = replace(seen.cards[Ref("projects", "own")], stage=Stage.DONE)
    seen = replace(seen, cards={**seen.cards, done.ref: done})
    found = measured(seen)
    assert found.forecast is not None
    assert working_days_to(found.forecast.p50) == 10


@pytest.mark.parametrize("stage", [Stage.IDEA, Stage.AGREED, Stage.DONE, Stage.LOST])
def test_only_running_work_borrows(stage: Stage) -> None:
    seen = agency(p1=fresh(), own=daily())
    still = replace(seen.cards[P1], stage=stage)
    assert measured(replace(seen, cards={**seen.cards, P1: still})).lenders == ()


def test_a_lost_card_lends_nothing() -> None:
    seen = agency(p1=fresh(), own=daily())
    lost = replace(seen.cards[Ref("projects", "own")], stage=Stage.LOST)
    assert measured(replace(seen, cards={**seen.cards, lost.ref: lost})).lenders == ()


def test_a_risk_says_whose_pace_it_goes_by() -> None:
    # Fifty items at one a day until a date that is 20 days away.
    outcome = judge(agency(p1=fresh(still_open=50), own=daily()))
    facts = facts_of(outcome, "risks", "risk:deadline.p_on_time:p1")
    assert "borrowed from other cards of C1 (Card own)" in str(facts["evidence"])


def test_the_order_of_cards_never_matters() -> None:
    seen = agency(p1=fresh(), own1=daily(), own2=daily(step=5), own3=daily(step=2))
    turned = replace(seen, cards=dict(reversed(list(seen.cards.items()))))
    assert measured(seen).forecast == measured(turned).forecast
    assert measured(seen).why == measured(turned).why
