"""Rows on a time axis: timeline bars in percent of a window of whole months, and the grid of one month."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rayline_sandbox.boards.groups import Card, Group
from rayline_sandbox.boards.texts import parse_day
from rayline_sandbox.boards.words import Words

Json = dict[str, Any]

MONTHS_BEFORE = 14
MONTHS_AFTER = 18


@dataclass(frozen=True, slots=True)
class Span:
    """The days a row covers, first and last included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Window:
    """The days a timeline shows: whole months, `last` included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days are shown."""
        return (self.last - self.first).days + 1

    def place(self, day: date) -> float:
        """Return where a day begins, in percent of the width."""
        return round(100 * (day - self.first).days / self.days, 3)


@dataclass(frozen=True, slots=True)
class Tick:
    """A month on the axis; `year` is set where a year begins or the axis does."""

    name: str
    year: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A row's bar; `cut_left` and `cut_right` when it goes on outside the window."""

    card: Card
    left: float
    width: float
    dates: str
    cut_left: bool
    cut_right: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A group of bars; `group` without a title when rows are not grouped."""

    group: Group
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawn timeline; `today` in percent or None when outside."""

    ticks: tuple[Tick, ...]
    bands: tuple[Band, ...]
    today: float | None
    undated: tuple[Card, ...]
    outside: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One square of a month."""

    day: date
    inside: bool
    today: bool
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """A drawn month with its neighbours as `YYYY-MM`."""

    title: str
    weekdays: tuple[str, ...]
    weeks: tuple[tuple[CalendarDay, ...], ...]
    previous: str
    next: str
    undated: tuple[Card, ...]
    nearest: date | None


def span_of(row: Json, start_name: str, end_name: str = "") -> Span | None:
    """Return the days a row covers by one date property (range) or two; None without a readable date."""
    values = row.get("properties") or {}
    begin = parse_day((values.get(start_name) or {}).get("date"))
    finish = parse_day((values.get(end_name) or {}).get("date")) if end_name else None
    known = [one for one in (begin, finish) if one is not None]
    if not known:
        return None
    first = known[0].start
    last = known[-1].end or known[-1].start
    return Span(first, max(first, last))


def window_of(spans: list[Span], today: date) -> Window:
    """Return whole months around the spans and today, at most 14 months back and 18 ahead of today."""
    earliest = shift_month(today, -MONTHS_BEFORE)
    latest = shift_month(today, MONTHS_AFTER)
    firsts = [max(span.first, earliest) for span in spans if span.last >= earliest]
    lasts = [min(span.last, latest) for span in spans if span.first <= latest]
    first = min([*firsts, today - timedelta(days=20)])
    last = max([*lasts, today + timedelta(days=75)])
    return Window(first.replace(day=1), month_end(last))


def ticks_of(window: Window, words: Words) -> tuple[Tick, ...]:
    """Return one tick for each month of a window."""
    ticks: list[Tick] = []
    month = window.first
    while month <= window.last:
        following = shift_month(month, 1)
        year = str(month.year) if month.month == 1 or not ticks else ""
        left = window.place(month)
        ticks.append(
            Tick(
                words.month_name(month.month),
                year,
                left,
                round(window.place(following) - left, 3),
            )
        )
        month = following
    return tuple(ticks)


def make_bar(card: Card, span: Span, *, window: Window, words: Words) -> Bar | None:
    """Return the bar of a span; None when it lies outside the window."""
    if span.last < window.first or span.first > window.last:
        return None
    left = window.place(max(span.first, window.first))
    right = window.place(min(span.last, window.last) + timedelta(days=1))
    dates = words.day(span.first) + (
        f" → {words.day(span.last)}" if span.last != span.first else ""
    )
    return Bar(
        card,
        left,
        round(right - left, 3),
        dates,
        span.first < window.first,
        span.last > window.last,
    )


def draw_timeline(
    groups: list[Group], spans: dict[str, Span], *, today: date, words: Words
) -> Timeline:
    """Return groups of rows as bands of bars, in the order of the rows."""
    window = window_of(list(spans.values()), today)
    bands: list[Band] = []
    for group in groups:
        bars = [
            make_bar(card, spans[card.id], window=window, words=words)
            for card in group.cards
            if card.id in spans
        ]
        shown = tuple(bar for bar in bars if bar is not None)
        if shown:
            bands.append(Band(group, shown))
    cards = list({card.id: card for group in groups for card in group.cards}.values())
    drawn = {bar.card.id for band in bands for bar in band.bars}
    undated = tuple(card for card in cards if card.id not in spans)
    outside = tuple(card for card in cards if card.id in spans and card.id not in drawn)
    return Timeline(
        ticks_of(window, words), tuple(bands), window.place(today), undated, outside
    )


def draw_month(
    cards: list[Card], spans: dict[str, Span], *, month: date, today: date, words: Words
) -> Month:
    """Return the grid of a month, Monday first, each row on every day it covers."""
    weeks = tuple(
        tuple(
            CalendarDay(
                day, day.month == month.month, day == today, _on(cards, spans, day)
            )
            for day in week
        )
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    )
    undated = tuple(card for card in cards if card.id not in spans)
    return Month(
        words.month(month),
        tuple(words.weekdays()),
        weeks,
        f"{shift_month(month, -1):%Y-%m}",
        f"{shift_month(month, 1):%Y-%m}",
        undated,
        nearest_month(list(spans.values()), month),
    )


def nearest_month(spans: list[Span], month: date) -> date | None:
    """Return the closest other month that has rows, when `month` has none: ahead first; None when it is not empty."""
    last = month_end(month)
    if any(span.first <= last and span.last >= month for span in spans):
        return None
    ahead = min((span.first for span in spans if span.first > last), default=None)
    behind = max((span.last for span in spans if span.last < month), default=None)
    found = ahead or behind
    return found.replace(day=1) if found else None


def _on(cards: list[Card], spans: dict[str, Span], day: date) -> tuple[Card, ...]:
    return tuple(
        card
        for card in cards
        if card.id in spans and spans[card.id].first <= day <= spans[card.id].last
    )


def shift_month(day: date, by: int) -> date:
    """Return the first day of the month `by` months away."""
    months = day.year * 12 + day.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def month_end(day: date) -> date:
    """Return the last day of a month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def parse_month(text: str | None, today: date) -> date:
    """Return the first day of `YYYY-MM`, this month for anything else."""
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        day = today
    return day.replace(day=1) if 1900 < day.year < 2200 else today.replace(day=1)
