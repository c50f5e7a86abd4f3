"""What is noted of forecasts while cards live, and what is said of them once work ended (docs/method.md 9.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge, written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    card,
    client,
    issue,
    unit,
    world,
)
from worker.domain.document import markdown
from worker.domain.entities import Card, CardWork, Stage
from worker.domain.values import Ref
from worker.method.delivery.progress import measure_progress
from worker.method.hindsight.calibration import keep_score
from worker.method.hindsight.told import Log, Moment, Told, write_log
from worker.method.outcome import Outcome
from worker.world.memory import Memory
from worker.world.world import World

A_DAY = timedelta(days=1)
P1 = Ref("projects", "p1")
TOLD_ON = date(2026, 3, 2)
AHEAD = 40
"""Days from the forecast to its P85; its P50 lies ten days before."""


def running(done: int, left: int, **fields: Any) -> World:
    """Return a world of one card of which one item was finished on each of so many days before today."""
    finished = [issue(n, done=TODAY - n * A_DAY) for n in range(1, done + 1)]
    still_open = [issue(100 + n) for n in range(left)]
    return world(
        client(),
        unit(),
        card(due=date(2026, 12, 31), **fields),
        work={"p1": [*finished, *still_open]},
        sources=SOURCES | {"meetings"},
    )


def noted(outcome: Outcome) -> Log:
    """Return the log that the card's row is to hold."""
    text = facts_of(outcome, "projects", "p1")["forecasts"]
    assert isinstance(text, str)
    return msgspec.json.decode(text, type=Log)


def closed(late: int, number: int, *, chance: str = "0.9") -> Card:
    """Return a card that ended so many days after its P85, as its row alone tells; it was due on its P85."""
    told_on = TOLD_ON + number * A_DAY
    safe = told_on + AHEAD * A_DAY
    forecast = Told(
        Moment.BEGIN, told_on, safe - 10 * A_DAY, safe, Decimal(chance), safe
    )
    log = Log((forecast,), safe + late * A_DAY)
    return card(f"d{number}", Stage.DONE, forecasts=write_log(log))


def portfolio(*cards: Card) -> str:
    """Return the portfolio page of an agency that did this work."""
    seen = world(client(), unit(), *cards, sources=SOURCES | {"meetings"})
    for section in written(seen).sections:
        if section.ref.key.endswith("portfolio"):
            return markdown(section.blocks)
    raise AssertionError("no portfolio page")


def test_the_first_forecast_of_each_half_is_noted_and_later_ones_are_not() -> None:
    seen = running(12, 20)
    first = judge(seen)
    begin = noted(first).told
    assert [(one.moment, one.day) for one in begin] == [(Moment.BEGIN, TODAY)]
    assert begin[0].p85 == facts_of(first, "projects", "p1")["p85"]

    seen = applied(seen, first, today=TODAY + A_DAY)
    assert noted(judge(seen)).told == begin
    assert noted(judge(seen)) == noted(judge(applied(seen, judge(seen))))

    later = running(20, 12)
    seen = replace(seen, work=later.work, issues=later.issues)
    both = noted(judge(seen)).told
    assert both[0] == begin[0]
    assert [one.moment for one in both] == [Moment.BEGIN, Moment.HALF]


def test_the_end_is_the_day_of_the_last_item_and_stays_after_a_lost_state() -> None:
    seen = running(12, 1)
    outcome = judge(seen)
    seen = applied(seen, outcome, today=TODAY + 5 * A_DAY)
    over = running(13, 0, stage=Stage.DONE)
    work: CardWork = over.work[P1]
    own = replace(seen.cards[P1], stage=Stage.DONE)
    seen = replace(seen, cards={P1: own}, work={P1: work}, issues=over.issues)
    log = noted(judge(seen))
    assert log.ended == TODAY - A_DAY

    own = replace(own, forecasts=write_log(log))
    lost = replace(seen, cards={P1: own}, memory=Memory(), today=TODAY + 9 * A_DAY)
    assert noted(judge(lost)) == log


def test_a_row_that_cannot_be_read_tells_nothing() -> None:
    seen = running(12, 20, forecasts="not ours")
    assert [one.day for one in noted(judge(seen)).told] == [TODAY]


@pytest.mark.parametrize(
    ("days", "counted"),
    [
        # P85 lies ahead: neither work that has ended nor work that goes on is judged.
        (0, (0, 0)),
        (1, (1, 2)),
        (9, (1, 2)),
    ],
)
def test_a_day_is_judged_once_it_is_over_whether_or_not_work_ended(
    days: int, counted: tuple[int, int]
) -> None:
    today = TODAY + days * A_DAY
    forecast = Told(Moment.BEGIN, TOLD_ON, TODAY, TODAY, Decimal("0.9"), TODAY)
    early = Log((forecast,), TODAY - 5 * A_DAY)
    ended = card("d1", Stage.DONE, forecasts=write_log(early))
    seen = running(12, 20, forecasts=write_log(Log((forecast,))))
    seen = replace(seen, cards={**seen.cards, ended.ref: ended}, today=today)
    calibration = judge(seen).measures.calibration
    assert calibration is not None
    assert (calibration.safe.hits, calibration.safe.tries) == counted
    assert (calibration.likely.hits, calibration.likely.tries) == counted
    assert calibration.odds.count == counted[1]
    if counted[1]:
        # 5 days early, and so many days late by now.
        assert calibration.late == Decimal(days - 5) / 2


def test_work_that_is_over_before_people_say_so_ended_with_its_last_item() -> None:
    forecast = Told(Moment.BEGIN, TOLD_ON, TODAY - A_DAY, TODAY - A_DAY)
    seen = running(12, 0, forecasts=write_log(Log((forecast,))))
    calibration = judge(replace(seen, today=TODAY + 9 * A_DAY)).measures.calibration
    assert calibration is not None
    assert (calibration.safe.hits, calibration.safe.tries) == (1, 1)


@pytest.mark.parametrize("stage", [Stage.LOST, Stage.EVOLUTION, Stage.SHAPING])
def test_work_that_nobody_ends_has_no_outcome(stage: Stage) -> None:
    forecast = Told(Moment.BEGIN, TOLD_ON, TOLD_ON, TOLD_ON)
    seen = running(12, 20, stage=stage, forecasts=write_log(Log((forecast,))))
    calibration = judge(seen).measures.calibration
    assert calibration is not None
    assert calibration.outcomes == 0


def test_nothing_is_said_before_the_tenth_outcome() -> None:
    nine = [closed(0, number) for number in range(9)]
    assert "Too early to tell (9 of 10)." in portfolio(*nine)
    assert "Too early" not in portfolio(*nine, closed(0, 9))


@pytest.mark.parametrize("seed", range(3))
def test_five_hundred_forecasts_of_cards_score_as_sums_made_with_arrays(
    seed: int,
) -> None:
    """Units, services, chances and dates drawn as columns of numbers; the cards are made of them, the sums are not."""
    dice = np.random.default_rng(seed)
    size = 500
    owner = dice.integers(0, 3, size)
    service = dice.integers(0, 4, size)
    told_on = dice.integers(0, 90, size)
    likely = told_on + dice.integers(5, 60, size)
    safe = likely + dice.integers(0, 30, size)
    due = likely + dice.integers(-5, 40, size)
    chance = dice.integers(0, 10_001, size) / 10_000
    ended = told_on + dice.integers(1, 110, size)

    def day(number: int) -> date:
        return TOLD_ON + int(number) * A_DAY

    cards = []
    for n in range(size):
        p = Decimal(f"{chance[n]:.4f}")
        forecast = Told(
            Moment.BEGIN, day(told_on[n]), day(likely[n]), day(safe[n]), p, day(due[n])
        )
        own = card(
            f"d{n}",
            Stage.DONE,
            client=Ref("clients", f"c{owner[n]}"),
            service=Ref("services", f"s{service[n]}"),
            jira=None,
            forecasts=write_log(Log((forecast,), day(ended[n]))),
        )
        cards.append(own)
    clients = [client(f"c{n}", unit=Ref("units", f"u{n}")) for n in range(3)]
    units = [unit(f"u{n}") for n in range(3)]
    seen = world(*clients, *units, *cards, today=day(230), memory=Memory())
    found = keep_score(seen, measure_progress(seen).value).value
    assert found is not None
    assert found.odds.brier is not None

    late = ended - likely
    assert (found.safe.hits, found.safe.tries) == (int(np.sum(ended <= safe)), size)
    assert (found.likely.hits, found.likely.tries) == (int(np.sum(late <= 0)), size)
    assert float(found.late or 0) == pytest.approx(np.mean(late))

    came = ended <= due
    tenth = np.minimum(np.floor(chance * 10 + 1e-9), 9)
    assert float(found.odds.brier.score) == pytest.approx(np.mean((chance - came) ** 2))
    off = apart = 0.0
    for decile, place in zip(found.odds.bins, np.unique(tenth), strict=True):
        mine = tenth == place
        off += mine.mean() * (chance[mine].mean() - came[mine].mean()) ** 2
        apart += mine.mean() * (came[mine].mean() - came.mean()) ** 2
        assert float(decile.told) == pytest.approx(chance[mine].mean())
        assert (decile.came.hits, decile.came.tries) == (came[mine].sum(), mine.sum())
    assert float(found.odds.brier.reliability) == pytest.approx(off)
    assert float(found.odds.brier.resolution) == pytest.approx(apart)
    assert float(found.odds.brier.uncertainty) == pytest.approx(came.var())

    groups = {group.ref: group for group in found.groups}
    assert len(groups) == 3 + 4
    for source, letter, column in (("units", "u", owner), ("services", "s", service)):
        for number in np.unique(column):
            mine = column == number
            group = groups[Ref(source, f"{letter}{number}")]
            kept = int(np.sum(ended[mine] <= safe[mine]))
            assert (group.kept.hits, group.kept.tries) == (kept, mine.sum())
            assert float(group.late or 0) == pytest.approx(np.mean(late[mine]))


def test_dates_that_were_not_kept_are_to_be_read_as_what_they_were() -> None:
    # Six of sixteen are kept: 37.5 %, the interval ends at 61 %.
    kept = [closed(-1, number) for number in range(6)]
    late = [closed(20, number) for number in range(6, 16)]
    text = portfolio(*kept, *late)
    assert "85% dates were kept **38%** of the time (6 of 16" in text
    assert "read them as 40%" in text


def test_dates_that_were_kept_as_told_are_not_accused() -> None:
    cards = [closed(-1, number) for number in range(17)]
    cards += [closed(3, number) for number in range(17, 20)]
    text = portfolio(*cards)
    assert "85% dates were kept **85%** of the time (17 of 20" in text
    assert "read them as they stand" in text


@pytest.mark.parametrize("late", [20, 0])
def test_a_corrected_date_stands_beside_one_that_it_has_beaten(late: int) -> None:
    cards = [closed(late, number) for number in range(12)]
    seen = running(12, 20)
    more = {one.ref: one for one in cards}
    seen = replace(seen, cards={**seen.cards, **more})
    facts = facts_of(judge(seen), "projects", "p1")
    safe = facts["p85"]
    assert isinstance(safe, date)

    expected = None
    if late:
        # 20 days late of 40 ahead: half as long again, rounded up.
        ahead = Fraction((safe - TODAY).days)
        expected = safe + timedelta(-(-ahead // 2))
    assert facts["p85_read"] == expected
