"""Rollup functions over the values of related rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

UNSUPPORTED = frozenset(
    {"show_unique", "unique", "median", "count_per_group", "percent_per_group"}
)


def rolled_up(
    function: str, values: Sequence[Any], originals: Callable[[], list[dict[str, Any]]]
) -> dict[str, Any]:
    """Return the typed rollup value; functions the API does not compute are `unsupported`.

    Source: docs/facts/notion-api.md 2.27.
    """
    if function in UNSUPPORTED:
        return {"type": "unsupported", "unsupported": {}, "function": function}
    if function == "show_original":
        return {"type": "array", "array": originals(), "function": function}
    if function in DATES:
        return {
            "type": "date",
            "date": DATES[function](_moments(values)),
            "function": function,
        }
    return {"type": "number", "number": NUMBERS[function](values), "function": function}


def is_empty(value: Any) -> bool:
    """Return whether a compared value counts as empty."""
    return value is None or value == "" or value == [] or value is False


def _numbers(values: Sequence[Any]) -> list[float]:
    return [
        value
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _filled(values: Sequence[Any]) -> int:
    return sum(not is_empty(value) for value in values)


def _share(part: int, values: Sequence[Any]) -> float | None:
    return part / len(values) if values else None


def _average(values: Sequence[Any]) -> float | None:
    numbers = _numbers(values)
    if numbers:
        return sum(numbers) / len(numbers)
    return None


def _range(values: Sequence[Any]) -> float | None:
    numbers = _numbers(values)
    if numbers:
        return max(numbers) - min(numbers)
    return None


def _items(values: Sequence[Any]) -> int:
    return sum(
        len(value) if isinstance(value, list) else not is_empty(value)
        for value in values
    )


NUMBERS: dict[str, Callable[[Sequence[Any]], float | None]] = {
    "count": len,
    "count_values": _items,
    "empty": lambda values: len(values) - _filled(values),
    "not_empty": _filled,
    "percent_empty": lambda values: _share(len(values) - _filled(values), values),
    "percent_not_empty": lambda values: _share(_filled(values), values),
    "sum": lambda values: sum(_numbers(values)),
    "average": _average,
    "min": lambda values: min(_numbers(values), default=None),
    "max": lambda values: max(_numbers(values), default=None),
    "range": _range,
    "checked": _filled,
    "unchecked": lambda values: len(values) - _filled(values),
    "percent_checked": lambda values: _share(_filled(values), values),
    "percent_unchecked": lambda values: _share(len(values) - _filled(values), values),
}


def _moments(values: Sequence[Any]) -> list[str]:
    dates = [
        value for value in values if isinstance(value, dict) and value.get("start")
    ]
    texts = [
        text for value in dates for text in (value["start"], value.get("end")) if text
    ]
    return sorted(texts, key=_instant)


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _date(start: str, end: str | None = None) -> dict[str, Any]:
    return {"start": start, "end": end, "time_zone": None}


DATES: dict[str, Callable[[list[str]], dict[str, Any] | None]] = {
    "earliest_date": lambda texts: _date(texts[0]) if texts else None,
    "latest_date": lambda texts: _date(texts[-1]) if texts else None,
    "date_range": lambda texts: _date(texts[0], texts[-1]) if texts else None,
}
FUNCTIONS = UNSUPPORTED | NUMBERS.keys() | DATES.keys() | {"show_original"}
