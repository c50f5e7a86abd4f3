"""What holds a shared person up moves other clients' dates: told with whose work it is, worked out by hand.

Dan works 40 hours a week, eight a day. Card p1 is of client c1, card p2 of client c2. Today is Wednesday, 18 November
2026. Of p2 Dan has 64 of 80 hours (80 %): eight days, 18 to 20 and 23 to 27 November, so that it ends on Friday the
27th; it is due on Monday, 30 November.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import judge
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
from worker.config import Thresholds
from worker.domain.entities import Card, CardWork, Issue, LoggedTime, Stage
from worker.domain.periods import Week
from worker.domain.values import Ref, Span
from worker.locales import load_words
from worker.method.capacity.ripple import find_ripples
from worker.method.capacity.utilization import measure_utilization
from worker.method.delivery.progress import measure_progress
from worker.method.measures import Condition, Forecast
from worker.world.world import World

P1, P2 = ref("projects", "p1"), ref("projects", "p2")
AM1, AM2 = ref("people", "am1"), ref("people", "am2")
FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 30)
HELD_UP = (
    "Dan (80% of the open work) is held up for 5 working days by “Card p1” of C1: due Nov 20, 2026, it goes on until "
    "Nov 27, 2026. The end moves from Nov 27, 2026 to Dec 4, 2026; it is due on Nov 30, 2026."
)


def task(number: int, hours: float | None, who: str = "dan", **fields: Any) -> Issue:
    seconds = None if hours is None else int(hours * 3600)
    return issue(number, assignee=who, estimate=seconds, **fields)


def first(**fields: Any) -> Card:
    """Return the card of c1, due on Friday."""
    return card("p1", **{"due": FRIDAY, **fields})


def second(**fields: Any) -> Card:
    """Return the card of c2, due on Monday week."""
    return card("p2", **{"client": ref("clients", "c2"), "due": MONDAY, **fields})


OWN = (task(21, 64), task(22, 16, "eve"))
"""The open work of p2."""


def scene(
    *cards: Card,
    left: Sequence[Issue] = (task(11, 64),),
    own: Sequence[Issue] = OWN,
    away: tuple[Span, ...] = (),
    logs: tuple[LoggedTime, ...] = (),
    **fields: Any,
) -> World:
    """Return a world of two clients whose cards share Dan; `left` is the open work of p1, `logs` are of p1."""
    seen = world(
        *(cards or (first(), second())),
        client("c1"),
        client("c2", unit=ref("units", "u2")),
        unit("u1", am=(AM1,)),
        unit("u2", am=(AM2,)),
        person("am1"),
        person("am2"),
        person("dan", role="developer", capacity=Decimal(40), time_off=away),
        person("eve", role="developer", capacity=Decimal(40)),
        **fields,
    )
    work = {P1: CardWork("project ONE", tuple(left), logs)}
    work[P2] = CardWork("project TWO", tuple(own))
    return replace(seen, work=work)


def ripple(
    seen: World, key: Ref = P2, *, ends: dict[Ref, date] | None = None
) -> Condition:
    """Return the condition of a card; `ends` gives cards a P85 in place of what hours say."""
    cards = dict(measure_progress(seen).value)
    for place, day in (ends or {}).items():
        forecast = Forecast(day, day, 1, 1)
        cards[place] = replace(cards[place], forecast=forecast)
    people = measure_utilization(seen, cards, ()).value.people
    conditions = find_ripples(seen, cards, people).conditions
    assert {one.signal for one in conditions} == {"deadline.ripple"}
    (condition,) = [one for one in conditions if one.subject == key]
    return condition


def days(start: date, end: date) -> Span:
    return Span(start, end)


def test_a_card_that_overruns_moves_the_date_of_another_client() -> None:
    """The 64 hours left of p1 end on the 27th too: the five days from Monday the 23rd, after its due date, are taken.

    The end of p2 moves five working days, from the 27th to 4 December, four of them past its due date.
    """
    condition = ripple(scene())
    assert condition.holds
    assert condition.evidence == HELD_UP
    assert (condition.card, condition.client) == (P2, ref("clients", "c2"))
    assert condition.probability == 3
    assert condition.horizon == MONDAY
    assert condition.inputs[1:] == (
        ("share of the open work", "80%", ""),
        ("working days taken", "5", ""),
        ("delay, working days", "5", ""),
    )


def test_the_card_that_overruns_is_not_touched_by_itself() -> None:
    """The P85 of p2 keeps its date: nothing is held up by it."""
    assert ripple(scene(), P1).holds is False


def test_a_forecast_counts_before_hours() -> None:
    """The P85 of p2 is the 26th: past 23 to 26 November, and 27 on the way, it moves to 3 December."""
    condition = ripple(scene(), ends={P2: date(2026, 11, 26)})
    assert "from Nov 26, 2026 to Dec 3, 2026" in condition.evidence


@pytest.mark.parametrize(
    ("hours", "moved"),
    [
        # p1 goes on until 11 December by its P85, but Dan has two days' work on it: a delay of two days is no ripple.
        (16, ""),
        # Three days, 23 to 25 November: the end moves to 2 December.
        (24, "Dec 2, 2026"),
        # Ten days, 23 November to 4 December: all of them lie before the end or on its way, to 11 December.
        (80, "Dec 11, 2026"),
    ],
)
def test_nobody_is_held_up_for_longer_than_their_own_work_takes(
    hours: int, moved: str
) -> None:
    seen = scene(left=(task(11, hours),))
    condition = ripple(seen, ends={P1: date(2026, 12, 11)})
    assert condition.holds is bool(moved)
    assert moved in condition.evidence


def test_a_card_that_is_overdue_takes_the_days_from_today_on() -> None:
    """Forty hours left of p1, due on the 2nd: five days from the 18th to the 24th."""
    seen = scene(first(due=date(2026, 11, 2)), second(), left=(task(11, 40),))
    condition = ripple(seen)
    assert "for 5 working days" in condition.evidence
    assert "until Nov 24, 2026" in condition.evidence
    assert "to Dec 4, 2026" in condition.evidence


@pytest.mark.parametrize(
    ("away", "moved"),
    [
        (days(date(2026, 11, 23), date(2026, 11, 27)), "Dec 4, 2026"),
        # 26 and 27 November lie before the end; 30 November to 2 December are met on its way.
        (days(date(2026, 11, 26), date(2026, 12, 2)), "Dec 4, 2026"),
        # After the end nothing waits.
        (days(date(2026, 11, 30), date(2026, 12, 11)), ""),
        # Two days are no ripple.
        (days(date(2026, 11, 26), date(2026, 11, 27)), ""),
        # A weekend takes nothing.
        (days(date(2026, 11, 21), date(2026, 11, 22)), ""),
    ],
)
def test_an_absence_moves_the_date(away: Span, moved: str) -> None:
    seen = scene(first(due=None), second(), away=(away,))
    condition = ripple(seen)
    assert condition.holds is bool(moved)
    assert moved in condition.evidence


WEEK_OFF = (days(date(2026, 11, 23), date(2026, 11, 27)),)


def test_an_absence_is_told_with_the_other_clients_of_the_person() -> None:
    assert ripple(scene(first(due=None), second(), away=WEEK_OFF)).evidence == (
        "Dan (80% of the open work) is away for 5 working days between Nov 23, 2026 and Nov 27, 2026, and also works "
        "for C1. The end moves from Nov 27, 2026 to Dec 4, 2026; it is due on Nov 30, 2026."
    )


def test_work_logged_of_late_shares_a_person_too() -> None:
    """Nothing is left of p1, but Dan logged on it in October."""
    lately = (worklog(date(2026, 10, 28), 8, author="dan"),)
    alone = scene(first(), second(), left=(), away=WEEK_OFF)
    shared = scene(first(), second(), left=(), away=WEEK_OFF, logs=lately)
    assert ripple(alone).holds is False
    assert ripple(shared).holds is True


def with_dan(seen: World, **fields: Any) -> World:
    """Return the world with other cells in Dan's row."""
    dan = ref("people", "dan")
    return replace(
        seen, people={**seen.people, dan: replace(seen.people[dan], **fields)}
    )


@pytest.mark.parametrize(
    ("last", "gone"),
    [
        # The 27th is the end of p2: whoever leaves on that day or later has done their part of it.
        (date(2026, 11, 20), True),
        (date(2026, 11, 26), True),
        (date(2026, 11, 27), False),
        (date(2026, 12, 31), False),
    ],
)
def test_whoever_leaves_is_away_for_good(last: date, *, gone: bool) -> None:
    """Nobody takes the work up again: the end lies beyond all that is looked at, 13 January."""
    condition = ripple(with_dan(scene(first(due=None), second()), end=last))
    assert condition.holds is gone
    if gone:
        assert "beyond Jan 13, 2027; it is due on Nov 30, 2026." in condition.evidence
        assert "Dan (80% of the open work) leaves after" in condition.evidence
        assert condition.probability == 5


def test_time_off_after_the_last_day_is_no_absence_of_its_own() -> None:
    seen = scene(first(due=None), second(), away=WEEK_OFF)
    gone = with_dan(seen, end=date(2026, 11, 20))
    assert "leaves after Nov 20, 2026" in ripple(gone).evidence


FOUR_DAYS = tuple(Decimal(hours) for hours in (10, 10, 10, 10, 0, 0, 0))
TWO_DAYS = tuple(Decimal(hours) for hours in (0, 20, 0, 20, 0, 0, 0))


@pytest.mark.parametrize(
    ("week", "away", "evidence"),
    [
        # Ten hours from Monday to Thursday: 64 hours are seven days, 18, 19, 23 to 26 and 30 November. Off from the 23rd
        # to the 27th are four of Dan's days: past the 30th the end moves by 1 to 3 December and the 7th.
        (FOUR_DAYS, WEEK_OFF, "from Nov 30, 2026 to Dec 7, 2026"),
        # Fridays are no days of his: none is taken by a Friday off.
        (FOUR_DAYS, (days(FRIDAY, FRIDAY),), ""),
        # Twenty hours on Tuesdays and Thursdays: 64 hours are four days, 19, 24, 26 November and 1 December. The week
        # off takes two of them: the end moves by the 3rd to the 8th.
        (TWO_DAYS, WEEK_OFF, "from Dec 1, 2026 to Dec 8, 2026"),
    ],
)
def test_a_persons_days_are_those_of_their_week(
    week: Week, away: tuple[Span, ...], evidence: str
) -> None:
    seen = scene(first(due=None), second(), away=away)
    condition = ripple(with_dan(seen, week=week))
    assert condition.holds is bool(evidence)
    assert evidence in condition.evidence


def test_cards_of_one_client_share_nobody() -> None:
    c2 = ref("clients", "c2")
    for away in ((), WEEK_OFF):
        assert ripple(scene(first(client=c2), second(), away=away)).holds is False


@pytest.mark.parametrize(
    ("due", "holds"),
    [
        (date(2026, 12, 3), True),
        # The end moves to the 4th: the slack is as long as the delay.
        (date(2026, 12, 4), False),
        (date(2026, 12, 31), False),
        # What is over, or eight weeks and a day away, is not looked at.
        (date(2026, 11, 17), False),
        (TODAY + timedelta(weeks=8, days=1), False),
        (None, False),
    ],
)
def test_enough_slack_swallows_the_delay(due: date | None, *, holds: bool) -> None:
    assert ripple(scene(first(), second(due=due))).holds is holds


@pytest.mark.parametrize(
    ("own", "holds"),
    [
        # Half of the hours is not more than half.
        ((task(21, 64), task(22, 64, "eve")), False),
        ((task(21, 64), task(22, 63, "eve")), True),
        # Sub-tasks that carry estimates count in place of their story: Eve's 40 hours are not left twice.
        (
            (
                task(21, 64),
                task(22, 80, "eve"),
                task(23, 16, "eve", level=-1, parent="22"),
            ),
            True,
        ),
    ],
)
def test_a_card_depends_on_whoever_has_more_than_half(
    own: tuple[Issue, ...], *, holds: bool
) -> None:
    assert ripple(scene(own=own)).holds is holds


def test_without_estimates_items_are_counted_and_a_forecast_is_needed() -> None:
    """Three of four items are Dan's; by which day they are done nobody knows without a P85."""
    own = [task(20 + number, None) for number in range(3)]
    own.append(task(24, None, "eve"))
    seen = scene(own=own)
    assert ripple(seen).holds is None
    condition = ripple(seen, ends={P2: date(2026, 11, 27)})
    assert condition.holds
    assert "Dan (75% of the open work)" in condition.evidence


def test_work_that_cannot_be_read_is_unknown() -> None:
    seen = scene()
    unread = CardWork("project TWO", OWN, as_of=seen.now)
    assert ripple(replace(seen, work={**seen.work, P2: unread})).holds is None


@pytest.mark.parametrize("stage", [Stage.IDEA, Stage.PROPOSAL, Stage.DONE, Stage.LOST])
def test_a_card_that_does_not_run_has_no_date_to_move(stage: Stage) -> None:
    assert ripple(scene(first(), second(stage=stage))).holds is False


def test_what_is_agreed_has_a_date_but_holds_nobody_up() -> None:
    assert ripple(scene(first(), second(stage=Stage.AGREED))).holds is True
    assert ripple(scene(first(stage=Stage.AGREED), second())).holds is False


@pytest.mark.parametrize(
    ("last", "probability"),
    [
        # Due on the 27th, the end moves by as many days as are taken from the 23rd on: 5, 6, 10 and 11 of them.
        (date(2026, 11, 27), 3),
        (date(2026, 11, 30), 4),
        (date(2026, 12, 4), 4),
        (date(2026, 12, 7), 5),
    ],
)
def test_the_further_past_its_date_the_likelier(last: date, probability: int) -> None:
    away = (days(date(2026, 11, 23), last),)
    seen = scene(first(due=None), second(due=date(2026, 11, 27)), away=away)
    assert ripple(seen).probability == probability


def test_the_longest_delay_is_told() -> None:
    """Away from 23 November to 4 December are ten days, the overrun of p1 only five."""
    away = (days(date(2026, 11, 23), date(2026, 12, 4)),)
    assert "is away for 10 working days" in ripple(scene(away=away)).evidence


def test_the_thresholds_are_those_of_the_configuration() -> None:
    for limits in (
        Thresholds(ripple_share=Decimal("0.8")),
        Thresholds(ripple_days=6),
        Thresholds(ripple_weeks=1),
    ):
        assert ripple(scene(thresholds=limits)).holds is False


def test_the_order_of_rows_never_matters() -> None:
    forth = scene(first(), second(), away=WEEK_OFF)
    back = scene(second(), first(), own=OWN[::-1], away=WEEK_OFF)
    assert ripple(forth) == ripple(back)


@pytest.mark.parametrize(
    ("locale", "title", "evidence", "text"),
    [
        (
            "en",
            "Card p2: people it needs are taken up elsewhere",
            HELD_UP,
            "Find a way out for “Card p2”: Dan is taken up elsewhere",
        ),
        (
            "ru",
            "Card p2: нужные люди заняты в другом месте",
            "5 рабочих дней уйдёт на карточку «Card p1» клиента «C1»",
            "Найти выход по карточке «Card p2»: нужный человек (Dan) занят в другом месте",
        ),
    ],
)
def test_the_account_manager_who_is_touched_is_told_in_both_languages(
    locale: str, title: str, evidence: str, text: str
) -> None:
    outcome = judge(scene(words=load_words(locale, "EUR")))
    (risk,) = [
        one for one in outcome.measures.risks or () if one.signal == "deadline.ripple"
    ]
    assert risk.title == title
    assert evidence in risk.evidence
    assert risk.owner == AM2
    assert len(risk.steps) == 3
    (task,) = [one for one in outcome.measures.tasks or () if one.title == text]
    assert (task.assignee, task.card) == (AM2, P2)
