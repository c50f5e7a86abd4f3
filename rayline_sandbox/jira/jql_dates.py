"""Dates in JQL: literals in the account's zone, unquoted milliseconds, periods from now, and the calendar functions.

Quoted literals have minute precision; `m` and `M` of a period are both minutes, months exist only inside functions
(docs/facts/jira-api.md 2.1). Weeks begin on Monday.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rayline_sandbox.jira.instants import EARLIEST, LATEST, from_millis, to_millis
from rayline_sandbox.jira.jql import Call, JqlSyntax, Literal
from rayline_sandbox.jira.numbers import as_whole

_LITERAL = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?: (\d{1,2}):(\d{2}))?")
_PERIOD = re.compile(r"[+-]?(?:[0-9]{1,9}[wdhmM]\s*)+")
_INCREMENT = re.compile(r"([+-]?[0-9]{1,9})([yMwdhm]?)")
_MINUTES = {"w": 10_080, "d": 1440, "h": 60, "m": 1, "M": 1}
_UNIT_OF = {"day": "d", "week": "w", "month": "M", "year": "y"}
_STARTS = frozenset(f"startof{unit}" for unit in _UNIT_OF)
_ENDS = frozenset(f"endof{unit}" for unit in _UNIT_OF)
DATE_FUNCTIONS = _STARTS | _ENDS | {"now"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """What dates are relative to: the present instant and the zone of the calling account."""

    now: int
    zone: ZoneInfo

    def local(self, millis: int) -> datetime:
        """Return the wall time of an instant in the account's zone; one beyond all dates counts as the last of them."""
        dated = max(EARLIEST, min(millis, LATEST))
        return from_millis(dated).astimezone(self.zone)

    def day(self, millis: int) -> str:
        """Return the plain date of an instant in the account's zone."""
        return self.local(millis).date().isoformat()


def read_date(value: Literal | Call, field: str, calendar_: Calendar) -> int:
    """Return the instant an operand means; raises `JqlSyntax` for what is no date."""
    if isinstance(value, Call):
        return _function(value, calendar_)
    text = value.text.strip()
    millis = None if value.quoted else as_whole(text)
    if millis is not None:
        return millis
    match = _LITERAL.fullmatch(text)
    if match is not None:
        return _literal(match, text, field=field, zone=calendar_.zone)
    if _PERIOD.fullmatch(text):
        return calendar_.now + _period(text) * 60_000
    raise _invalid(text, field)


def _literal(match: re.Match[str], text: str, *, field: str, zone: ZoneInfo) -> int:
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, tzinfo=zone)
        return to_millis(moment)
    except ValueError:
        raise _invalid(text, field) from None


def _invalid(text: str, field: str) -> JqlSyntax:
    return JqlSyntax(
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: "
        "'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. "
        "'-5d', '4w 2d'."
    )


def _period(text: str) -> int:
    """Return the minutes of a period."""
    minutes = 0
    for count, unit in re.findall(r"(\d+)([wdhmM])", text):
        minutes += int(count) * _MINUTES[unit]
    return -minutes if text.startswith("-") else minutes


def _function(call: Call, calendar_: Calendar) -> int:
    name = call.name.casefold()
    if name == "now":
        if call.arguments:
            raise JqlSyntax(
                "Function 'now' expected '0' arguments but received "
                f"'{len(call.arguments)}'."
            )
        return calendar_.now
    try:
        return _edge(call, name, calendar_)
    except (ValueError, OverflowError):
        raise _increment_refused(call) from None


def _edge(call: Call, name: str, calendar_: Calendar) -> int:
    edge, _, unit_name = name.partition("of")
    unit = _UNIT_OF[unit_name]
    now = calendar_.local(calendar_.now)
    here = _shift(now, _increment(call, unit))
    start = _floor(here, unit)
    if edge == "start":
        return to_millis(start)
    following = _shift(start, (1, unit))
    return to_millis(following) - 1


def _increment(call: Call, unit: str) -> tuple[int, str]:
    if not call.arguments:
        return 0, unit
    match = _INCREMENT.fullmatch(call.arguments[0].strip())
    if match is None or len(call.arguments) > 1:
        raise _increment_refused(call)
    return int(match[1]), match[2] or unit


def _increment_refused(call: Call) -> JqlSyntax:
    return JqlSyntax(
        f"Invalid date increment '{', '.join(call.arguments)}' of function "
        f"'{call.name}'."
    )


def _shift(moment: datetime, increment: tuple[int, str]) -> datetime:
    count, unit = increment
    match unit:
        case "y":
            return _add_months(moment, count * 12)
        case "M":
            return _add_months(moment, count)
        case _:
            minutes = count * _MINUTES[unit]
            return moment + timedelta(minutes=minutes)


def _add_months(moment: datetime, count: int) -> datetime:
    """Return the same time some months on, on the last day of a shorter month."""
    years, months = divmod(moment.month - 1 + count, 12)
    year = moment.year + years
    month = months + 1
    _, longest = calendar.monthrange(year, month)
    day = min(moment.day, longest)
    return moment.replace(year=year, month=month, day=day)


def _floor(moment: datetime, unit: str) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "w":
            return midnight - timedelta(days=midnight.weekday())
        case "M":
            return midnight.replace(day=1)
        case "y":
            return midnight.replace(month=1, day=1)
        case _:
            return midnight
