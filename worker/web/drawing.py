"""Where the marks of a chart stand: pure geometry for the templates, in a box `WIDTH` wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from babel.dates import format_date

from worker.domain.charts import LoadMap, PlanFact, Ray, Rays, RiskCell, RiskMap

WIDTH = 960.0
LABELS = 190.0
"""What the names to the left of bars take."""
ROW, BAR = 26.0, 12.0
TOP = 26.0
MOST_TICKS = 14
TICK_ROOM = 48.0
"""What the words of a month take to the right of its line."""
PLAN_HEIGHT, PLAN_LEFT = 240.0, 104.0
STEPS = 4


class Tick(msgspec.Struct, frozen=True):
    """A line of the grid with its word."""

    at: float
    text: str


class Bar(msgspec.Struct, frozen=True):
    """One bar: its name and days in words, its row's middle, its ends; `far` is where the forecast may end."""

    label: str
    days: str
    middle: float
    left: float
    width: float
    stage: str
    far: float | None = None


class RaysDrawing(msgspec.Struct, frozen=True):
    """A timeline."""

    title: str
    height: float
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    week: float | None
    week_label: str
    stages: tuple[tuple[str, str], ...]


def draw_rays(rays: Rays) -> RaysDrawing:
    """Return a timeline: a row a ray, a grid of months."""
    first = min(ray.start for ray in rays.rays).replace(day=1)
    last = max(ray.p85 or ray.end for ray in rays.rays) + timedelta(days=14)
    scale = (WIDTH - LABELS) / max(1, (last - first).days)

    def place(day: date) -> float:
        return round(LABELS + (day - first).days * scale, 1)

    bars = []
    for index, ray in enumerate(rays.rays):
        bar = Bar(
            label=ray.label,
            days=_days(ray, rays.locale),
            middle=TOP + index * ROW + ROW / 2,
            left=place(ray.start),
            width=max(3.0, round(place(ray.end) - place(ray.start), 1)),
            stage=ray.stage,
            far=place(ray.p85) if ray.p85 else None,
        )
        bars.append(bar)
    used = {ray.stage for ray in rays.rays}
    return RaysDrawing(
        title=rays.title,
        height=TOP + len(bars) * ROW + 6,
        ticks=tuple(
            _tick(place(day), day, rays.locale) for day in _months(first, last)
        ),
        bars=tuple(bars),
        week=place(rays.week) if first <= rays.week <= last else None,
        week_label=rays.week_label,
        stages=tuple(pair for pair in rays.stages if pair[0] in used),
    )


def _days(ray: Ray, locale: str) -> str:
    ends = (ray.start, ray.end)
    return " – ".join(format_date(day, "medium", locale=locale) for day in ends)


def _tick(at: float, day: date, locale: str) -> Tick:
    """Return the line of a month, without its words where the picture ends before they do."""
    return Tick(at, _month(day, locale) if at + TICK_ROOM <= WIDTH else "")


def _month(day: date, locale: str) -> str:
    pattern = "LLL yy" if day.month == 1 else "LLL"
    return str(format_date(day, pattern, locale=locale))


def _months(first: date, last: date) -> Iterator[date]:
    """Yield the first days of months, so few that their words have room."""
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    step = -(-months // MOST_TICKS)
    for index in range(0, months, step):
        whole = first.month - 1 + index
        yield date(first.year + whole // 12, whole % 12 + 1, 1)


class PlanDrawing(msgspec.Struct, frozen=True):
    """Two lines over time, as points of SVG; the last of the fact has a dot."""

    title: str
    height: float
    levels: tuple[Tick, ...]
    days: tuple[Tick, ...]
    plan: str
    fact: str
    dot: tuple[float, float] | None
    now: float
    now_label: str
    plan_label: str
    fact_label: str


def draw_plan(chart: PlanFact, amounts: tuple[str, ...]) -> PlanDrawing:
    """Return plan and fact; `amounts` are the words of `levels_of`."""
    top = levels_of(chart)[-1]
    first, last = chart.points[0].day, chart.points[-1].day
    across = (WIDTH - PLAN_LEFT - 12) / max(1, (last - first).days)

    def x(day: date) -> float:
        return round(PLAN_LEFT + (day - first).days * across, 1)

    def y(amount: Decimal) -> float:
        share = float(amount / top)
        return round(TOP + (1 - share) * (PLAN_HEIGHT - TOP), 1)

    plan = [
        (x(each.day), y(each.plan)) for each in chart.points if each.plan is not None
    ]
    fact = [
        (x(each.day), y(each.fact)) for each in chart.points if each.fact is not None
    ]
    levels = zip(levels_of(chart), amounts, strict=True)
    return PlanDrawing(
        title=chart.title,
        height=PLAN_HEIGHT + 28,
        levels=tuple(Tick(y(level), text) for level, text in levels),
        days=tuple(
            Tick(x(day), _month(day, chart.locale))
            for day in _months(first, last)
            if day >= first
        ),
        plan=_points(plan),
        fact=_points(fact),
        dot=fact[-1] if fact else None,
        now=x(min(max(chart.now, first), last)),
        now_label=chart.now_label,
        plan_label=chart.plan_label,
        fact_label=chart.fact_label,
    )


def levels_of(chart: PlanFact) -> tuple[Decimal, ...]:
    """Return the amounts of the grid, from zero to a round one above everything."""
    highest = max(
        (
            amount
            for each in chart.points
            for amount in (each.plan, each.fact)
            if amount
        ),
        default=Decimal(1),
    )
    magnitude = Decimal(10) ** (highest.adjusted())
    unit = next(
        step * magnitude / 10
        for step in (5, 10, 15, 20, 25, 50)
        if step * magnitude / 10 * STEPS >= highest
    )
    return tuple(unit * index for index in range(STEPS + 1))


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in pairs)


class LoadSquare(msgspec.Struct, frozen=True):
    """One week of one person: the share in words, and one of six shades."""

    share: Decimal | None
    shade: str


class LoadRow(msgspec.Struct, frozen=True):
    """One person's weeks."""

    person: str
    squares: tuple[LoadSquare, ...]


def draw_load(chart: LoadMap) -> tuple[LoadRow, ...]:
    """Return the rows of the heat map in the chart's order."""
    loads = {(cell.person, cell.week): cell.load for cell in chart.cells}
    rows = []
    for person in chart.people:
        shares = (loads.get((person, week)) for week in chart.weeks)
        squares = tuple(LoadSquare(share, shade(share)) for share in shares)
        rows.append(LoadRow(person, squares))
    return tuple(rows)


SHADES = (
    (Decimal("0.01"), "none"),
    (Decimal("0.7"), "low"),
    (Decimal("0.9"), "fair"),
    (Decimal("1.1"), "full"),
    (Decimal("1.4"), "over"),
)


def shade(share: Decimal | None) -> str:
    """Return the shade of a load: nothing, low, fair, full, over, far over."""
    if share is None:
        return "unknown"
    return next((name for end, name in SHADES if share < end), "far")


def draw_risks(chart: RiskMap) -> tuple[tuple[int, tuple[RiskCell, ...]], ...]:
    """Return the rows of the map, the most probable first, each with its cells from the smallest impact on."""
    cells = {(cell.probability, cell.impact): cell for cell in chart.cells}
    scale = range(1, 6)
    return tuple(
        (
            probability,
            tuple(
                cells.get((probability, impact))
                or RiskCell(probability=probability, impact=impact, count=0)
                for impact in scale
            ),
        )
        for probability in reversed(scale)
    )
