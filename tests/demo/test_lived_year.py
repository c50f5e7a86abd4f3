"""A lived year of the sample agency: what its forecasts were worth, honest ones and those of an optimist (docs/method.md 9.1)."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.lived import live_year
from tests.support.outcomes import written
from worker.domain.document import markdown
from worker.domain.entities import Card
from worker.domain.values import Ref
from worker.method.delivery.progress import measure_progress
from worker.method.hindsight.calibration import keep_score
from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import ENOUGH, Calibration
from worker.method.hindsight.told import Log, Told, write_log
from worker.world.memory import Memory
from worker.world.world import World

SAFE = Decimal("0.85")
START = date(2026, 10, 1)
A_YEAR = 247
"""Working days."""
A_WEEK = 5
HOPE = 0.5


@pytest.fixture(scope="module")
def year() -> World:
    """Return the agency after a year in which the worker looked once a week."""
    return live_year(7, start=START, days=A_YEAR, every=A_WEEK)


def scored(seen: World) -> tuple[Calibration, dict[Ref, date | None]]:
    """Return what forecasts were worth, and the corrected date of each running card."""
    found = keep_score(seen, measure_progress(seen).value)
    assert found.value is not None
    read = {}
    for fact in found.facts:
        if fact.field == "p85_read" and isinstance(fact.value, date | None):
            read[fact.ref] = fact.value
    return found.value, read


def by_an_optimist(seen: World) -> World:
    """Return the year as if all dates had been told by somebody who hopes for half of the days; nothing else is known."""
    cards = {}
    for ref, card in seen.cards.items():
        log = msgspec.json.decode(card.forecasts or "{}", type=Log)
        told = tuple(hoped(forecast) for forecast in log.told)
        text = write_log(replace(log, told=told))
        cards[ref] = replace(card, forecasts=text)
    return replace(seen, cards=cards, memory=Memory(first_run=False))


def hoped(told: Told) -> Told:
    """Return a forecast with so much of the days ahead as is hoped for."""
    days = []
    for safe in (told.p50, told.p85):
        ahead = (safe - told.day).days
        day = told.day + timedelta(math.ceil(HOPE * ahead))
        days.append(day)
    return replace(told, p50=days[0], p85=days[1])


def portfolio(seen: World) -> str:
    """Return the portfolio page."""
    for section in written(seen).sections:
        if section.ref.key.endswith("portfolio"):
            return markdown(section.blocks)
    raise AssertionError("no portfolio page")


def safe_dates(text: str) -> str:
    """Return what a page says of safe dates."""
    (line,) = (one for one in text.splitlines() if "85% dates were kept" in one)
    return line


def counted(cards: dict[Ref, Card], today: date) -> Share:
    """Return the safe dates that were kept, counted from the rows by hand."""
    hits = tries = 0
    for card in cards.values():
        log = msgspec.json.decode(card.forecasts or "{}", type=Log)
        for told in log.told:
            is_running = card.stage == "in_progress"
            if told.p85 >= today or not (log.ended or is_running):
                continue
            tries += 1
            hits += log.ended is not None and log.ended <= told.p85
    return Share(hits, tries)


def test_safe_dates_of_a_lived_year_are_kept_as_told(year: World) -> None:
    calibration, _ = scored(year)
    assert calibration.safe.tries > 2 * ENOUGH
    assert calibration.safe.holds(SAFE)
    assert calibration.safe == counted(dict(year.cards), year.today)
    assert "read them as they stand" in safe_dates(portfolio(year))


def test_the_rows_of_a_lived_year_alone_tell_the_same(year: World) -> None:
    lost = replace(year, memory=Memory(first_run=False))
    assert scored(lost) == scored(year)


def test_an_optimist_is_exposed_and_corrected(year: World) -> None:
    bold = by_an_optimist(year)
    calibration, read = scored(bold)
    assert calibration.safe.high < SAFE
    assert calibration.correction is not None
    assert calibration.correction.is_better
    put_off = [day for day in read.values() if day is not None]
    assert put_off
    measured = measure_progress(bold).value
    for ref, day in read.items():
        forecast = measured[ref].forecast
        if day is not None:
            assert forecast is not None
            assert day > forecast.p85

    text = portfolio(bold)
    assert "read them as they stand" not in safe_dates(text)
    assert "did better on the second" in text
