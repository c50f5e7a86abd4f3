"""The figures behind a field, as its reason shows them: each a line with a name, a value and where to open it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Protocol

from worker.domain.entities import Card, Unit
from worker.domain.messages import message, stage_label
from worker.domain.period_titles import period_name, period_title
from worker.domain.periods import Period, WorkCalendar, children
from worker.domain.values import Ref, Span
from worker.domain.words import Words
from worker.plan.facts import Input
from worker.world.world import World

UNKNOWN = "-"
"""Shown for what is not known."""
ZERO = Decimal(0)


class Named(Protocol):
    """A row with a name and an address."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def url(self) -> str:
        """Where a person opens it."""


def name_row(name: str, row: Named) -> Input:
    """Return the row that a field stands in, or that it was taken from."""
    return Input(name, row.name, row.url)


def show_money(name: str, amount: Decimal | None, words: Words) -> Input:
    """Return an amount of money."""
    return Input(name, UNKNOWN if amount is None else words.money(amount))


def show_number(
    name: str, value: Decimal | int | None, words: Words, *, digits: int = 1
) -> Input:
    """Return a number with at most so many digits after the point."""
    if value is None:
        return Input(name, UNKNOWN)
    return Input(name, words.number(Decimal(value), digits))


def show_share(row: Named, share: Decimal | None, words: Words) -> Input:
    """Return a share of a row in hundredths of a percent."""
    if share is None:
        return Input(row.name, UNKNOWN, row.url)
    percent = words.number(100 * share, 2)
    return Input(row.name, f"{percent} %", row.url)


def show_percent(name: str, share: Decimal | None, words: Words) -> Input:
    """Return a share in whole percent."""
    return Input(name, UNKNOWN if share is None else words.percent(share))


def show_span(name: str, span: Span | None) -> Input:
    """Return a range of days."""
    return Input(name, f"{span.start} – {span.end}" if span else UNKNOWN)


def count_days(name: str, span: Span | None, calendar: WorkCalendar) -> Input:
    """Return the working days of a range."""
    if span is None:
        return Input(name, UNKNOWN)
    days = calendar.working_days(span.start, span.end)
    return Input(name, str(days))


def show_text(name: str, value: object | None) -> Input:
    """Return a word or a count as it is."""
    return Input(name, UNKNOWN if value is None else str(value))


def show_day(name: str, day: date | None) -> Input:
    """Return a day as the boards write it."""
    return Input(name, UNKNOWN if day is None else day.isoformat())


def name_cards(cards: Iterable[Card], words: Words) -> Iterator[Input]:
    """Yield cards with their stages."""
    for card in cards:
        yield Input(stage_label(card.stage, words), card.name, card.url)


CORNERS = (message("account manager"), message("team lead"), message("project manager"))


def name_triangle(unit: Unit, world: World) -> Iterator[Input]:
    """Yield who has each role of a unit's triangle."""
    for role, refs in zip(CORNERS, (unit.am, unit.tls, unit.pms), strict=True):
        yield from name_people(world.words.say(role), refs, world)


def name_people(name: str, refs: Iterable[Ref], world: World) -> Iterator[Input]:
    """Yield people, or one line without a value where there is nobody."""
    people = [world.people[ref] for ref in refs if ref in world.people]
    for person in people:
        yield Input(name, person.name, person.url)
    if not people:
        yield Input(name, UNKNOWN)


Amounts = Iterable[tuple[date, Decimal]]
"""Money by day."""


def list_parts(period: Period, amounts: Amounts, words: Words) -> Iterator[Input]:
    """Yield a period, then the money of each week or month inside it, those without any left out."""
    yield Input(words.say("period"), period_name(period, words))
    days = tuple(amounts)
    for part in children(period):
        amount = sum((amount for day, amount in days if day in part), ZERO)
        if amount:
            yield Input(period_title(part, words), words.money(amount))


def list_years(amounts: Amounts, words: Words) -> Iterator[Input]:
    """Yield the money of each year."""
    years: dict[int, Decimal] = defaultdict(Decimal)
    for day, amount in amounts:
        years[day.year] += amount
    for year, amount in sorted(years.items()):
        yield Input(words.say("recognised in {year}", year=year), words.money(amount))


def list_months(months: Iterable[date], words: Words) -> Iterator[Input]:
    """Yield how many of the months are of each year, and which."""
    years: dict[int, list[str]] = defaultdict(list)
    for month in months:
        years[month.year].append(f"{month:%m}")
    for year, numbers in sorted(years.items()):
        listed = ", ".join(numbers)
        name = words.say("months of {year}", year=year)
        yield Input(name, f"{len(numbers)} ({listed})")
    if not years:
        yield Input(words.say("months"), "0")
