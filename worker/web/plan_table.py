"""The plans of a quarter as one table shows them: each unit's periods in order, with amounts that add up as they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import FIRM, OUTSIDE
from worker.domain.periods import Grain, Period, quarter_of
from worker.domain.values import Ref
from worker.method.measures import PlanMeasure
from worker.pages.view import View

PARTS = {Grain.QUARTER: Grain.MONTH, Grain.MONTH: Grain.WEEK}
AMOUNTS = ("target", "fact", "forecast")
ZERO = Decimal(0)
PlanTables = list[tuple[str, list[PlanMeasure]]]
Amounts = Mapping[Period, Decimal | None]


def list_plans(view: View) -> PlanTables:
    """Return the name of each unit, the firm first and what is outside of units last, and its plans of this quarter, wide periods before their parts.

    Amounts are rounded as `view.money` shows them, and so that months come to their quarter and weeks to their month.
    """
    tables = []
    for unit in (FIRM, *view.world.units, OUTSIDE):
        rows = _rows_of(view, unit)
        if rows:
            name = view.unit_name(unit)
            footed = _foot(view, rows)
            tables.append((name, footed))
    return tables


def _rows_of(view: View, unit: Ref) -> list[PlanMeasure]:
    quarter = quarter_of(view.today)
    rows = []
    for row in view.plans.values():
        if row.unit == unit and row.period.start in quarter:
            rows.append(row)
    rows.sort(key=_place)
    return rows


def _place(row: PlanMeasure) -> tuple[date, int]:
    last = row.period.end.toordinal()
    return row.period.start, -last


def _foot(view: View, rows: Sequence[PlanMeasure]) -> list[PlanMeasure]:
    """Return the rows with their amounts as they are shown."""
    for name in AMOUNTS:
        amounts = {row.period: getattr(row, name) for row in rows}
        shown = _foot_column(view, amounts)
        changed = []
        for row in rows:
            amount = {name: shown[row.period]}
            changed.append(replace(row, **amount))
        rows = changed
    return list(rows)


def _foot_column(view: View, amounts: Amounts) -> dict[Period, Decimal | None]:
    """Return the amounts as they are shown; those of wide periods come first."""
    shown: dict[Period, Decimal | None] = {}
    for period, amount in amounts.items():
        whole = amount or ZERO
        if period not in shown:
            (shown[period],) = view.whole([whole])

        parts = []
        exact = []
        for part, known in amounts.items():
            if _is_part(part, period):
                parts.append(part)
                exact.append(known or ZERO)

        total = None
        if sum(exact) == whole:
            total = shown[period]
        footed = view.whole(exact, total)
        shown |= zip(parts, footed, strict=True)

    for period, amount in amounts.items():
        if amount is None:
            shown[period] = None
    return shown


def _is_part(part: Period, whole: Period) -> bool:
    grain = PARTS.get(whole.grain)
    return part.grain is grain and part.start in whole
