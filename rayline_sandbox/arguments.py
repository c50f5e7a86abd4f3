"""What the control API is given, checked before anything is done: a bad value changes nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]
CENTURY = 36_525 * 86_400.0
"""Longest time in seconds that a payload may name."""
MOST = 10**9
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""The clock stays a thousand years short of the calendar's end, so that what is added to it is a date."""


def seconds_of(payload: Json, name: str, *, least: float = 0.0) -> float:
    """Return a time in seconds; ValueError for none, KeyError when it is not there."""
    value = payload[name]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Whoever wrote "3600" meant it, as JSON from a form does.
    if not is_number and not isinstance(value, str):
        raise ValueError(f"{name} is a number of seconds, not {_shown(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not least <= number <= CENTURY:
        raise ValueError(
            f"{name} is from {least:g} to {CENTURY:g} seconds, not {_shown(value)}"
        )
    return number


def count_of(payload: Json, name: str, *, least: int = 1) -> int | None:
    """Return a whole number, None for none; ValueError for anything else."""
    value = payload.get(name)
    if value is None:
        return None
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not least <= value <= MOST:
        raise ValueError(
            f"{name} is a whole number from {least} to {MOST} or null, not {_shown(value)}"
        )
    return int(value)


def like(value: object, example: object, *, name: str) -> bool | float | str:
    """Return a value of the kind of `example`; ValueError for any other."""
    match example:
        case bool() if isinstance(value, bool):
            return value
        case str() if isinstance(value, str):
            return value
        case int() if not isinstance(example, bool):
            return count_of({name: value}, name, least=0) or 0
        case float():
            return seconds_of({name: value}, name)
    raise ValueError(f"{name} is like {example!r}, not {_shown(value)}")


def text_of(payload: Json, name: str) -> str | None:
    """Return a text, None for none or an empty one; ValueError for anything else."""
    value = payload.get(name)
    if not isinstance(value, str | None):
        raise ValueError(f"{name} is a text, not {_shown(value)}")
    return value or None


def objects_of(payload: Json, name: str) -> list[Json]:
    """Return a list of objects; ValueError for anything else, KeyError when it is not there."""
    value = payload[name]
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"{name} is a list of objects, not {_shown(value)}")
    return value


def texts_of(payload: Json, name: str) -> Iterable[str]:
    """Return a list of texts; ValueError for anything else, KeyError when it is not there."""
    value = payload[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name} is a list of texts, not {_shown(value)}")
    return value


def check_end(now: datetime, seconds: float) -> None:
    """Refuse a move of the clock towards the end of the calendar."""
    if now > _LATEST - timedelta(seconds=seconds):
        raise ValueError(f"the clock does not go beyond {_LATEST:%Y-%m-%d}")


def _shown(value: object) -> str:
    return repr(value)[:60]
