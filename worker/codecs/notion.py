"""Raw Notion property values to plain values and back, one pair of functions per property type.

What cannot be read becomes `Unreadable`, never an exception and never a guess. Every type has one empty value (`None`,
`False` for a checkbox) and lists are sorted sets, so that values can be compared as they are:
`decode(encode(x)) == canonicalize(x)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from worker.domain.messages import tell
from worker.domain.text import clean, clean_line
from worker.domain.values import Ref, Span, Value
from worker.mapping.schema import Binding, Property

Json = dict[str, Any]
Index = Mapping[str, Ref]
Resolve = Callable[[Ref], str | None]

PIECE = 2_000
PIECES = 100
TEXT = PIECE * PIECES
LISTED = 100
LIMITS = {"url": 2_000, "email": 200, "phone_number": 200}
FIRST_YEAR, LAST_YEAR = 1900, 9999


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A property value that could not be read, and why, for a person."""

    message: str


class Unencodable(ValueError):
    """The value cannot be written as it is: an option that is not bound, a row that does not exist yet."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """The property a value stands in, with what ties it to a workspace; `resolve` only for writing."""

    prop: Property
    options: Mapping[str, tuple[str, str]]
    index: Index
    resolve: Resolve = lambda ref: None


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(
    prop: Property, raw: Any, binding: Binding, index: Index
) -> Value | Unreadable:
    """Return the value of one raw property of a page; `index` names pages of worker rows by page id."""
    if not isinstance(raw, dict) or raw.get("type", prop.type) != prop.type:
        found = str(raw.get("type")) if isinstance(raw, dict) else tell("nothing")
        return Unreadable(
            tell("should be a {type} but is {found}", type=prop.type, found=found)
        )
    place = Place(prop, binding.options.get(prop.name, {}), index)
    try:
        return _READ[prop.type](place, raw[prop.type])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return Unreadable(
            tell(
                "is not a readable {type}: {text}",
                type=prop.type,
                text=_excerpt(raw.get(prop.type)),
            )
        )


def _excerpt(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= 80 else text[:77] + "..."


def _items(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError(raw)
    return raw


def _read_title(_: Place, raw: Any) -> Value:
    return clean_line("".join([item["plain_text"] for item in _items(raw)])) or None


def _read_text(_: Place, raw: Any) -> Value:
    return clean("".join([item["plain_text"] for item in _items(raw)])) or None


def _read_number(_: Place, raw: Any) -> Value | Unreadable:
    if raw is None:
        return None
    if (
        isinstance(raw, bool)
        or not isinstance(raw, int | float)
        or not math.isfinite(raw)
    ):
        return Unreadable(tell("is not a number: {text}", text=_excerpt(raw)))
    return Decimal(raw) if isinstance(raw, int) else Decimal(repr(raw))


def _read_choice(place: Place, raw: Any) -> Value | Unreadable:
    return None if raw is None else _option_key(place, raw)


def _read_choices(place: Place, raw: Any) -> Value | Unreadable:
    keys = []
    for item in _items(raw):
        key = _option_key(place, item)
        if isinstance(key, Unreadable):
            return key
        keys.append(key)
    return tuple(sorted(set(keys))) or None


def _option_key(place: Place, raw: Json) -> str | Unreadable:
    wanted = raw["id"]
    for key, (option_id, _) in place.options.items():
        if option_id == wanted:
            return key
    name = clean_line(str(raw["name"])).casefold()
    for option in place.prop.options:
        if any(label.casefold() == name for label in option.label.values()):
            return option.key
    return Unreadable(
        tell(
            "has the option {option}, which the mapping does not know",
            option=repr(raw["name"]),
        )
    )


def _read_date(_: Place, raw: Any) -> Value | Unreadable:
    if raw is None:
        return None
    try:
        start = _moment(raw["start"], raw.get("time_zone"))
        last = raw.get("end")
        end = None if last is None else _moment(last, raw.get("time_zone"))
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return Unreadable(tell("is not a date: {text}", text=_excerpt(raw)))
    if end is None:
        return start.astimezone(UTC) if isinstance(start, datetime) else start
    first, last = _day(start), _day(end)
    return (
        Span(first, last)
        if first <= last
        else Unreadable(
            tell("ends before it starts: {first} to {last}", first=first, last=last)
        )
    )


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _moment(text: str, zone: str | None) -> date:
    day = date.fromisoformat(text) if len(text) == 10 else _instant(text, zone)
    if day.year < FIRST_YEAR:
        raise ValueError(text)
    return day


def _instant(text: str, zone: str | None) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.year >= LAST_YEAR:
        raise ValueError(text)  # the last instants have no day in some zones
    if moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC if zone is None else ZoneInfo(zone))


def _read_people(_: Place, raw: Any) -> Value:
    return tuple(sorted({_identity(item) for item in _items(raw)})) or None


def _read_relation(place: Place, raw: Any) -> Value:
    index, target = place.index, place.prop.target
    ids = [_identity(item) for item in _items(raw)]
    return tuple(sorted({index.get(one) or Ref(target, one) for one in ids})) or None


def _identity(raw: Json) -> str:
    found = raw["id"]
    if not isinstance(found, str):
        raise TypeError(found)
    return found


def _read_flag(_: Place, raw: Any) -> Value:
    if not isinstance(raw, bool):
        raise TypeError(raw)
    return raw


def _read_line(_: Place, raw: Any) -> Value:
    if not isinstance(raw, str | None):
        raise TypeError(raw)
    return clean_line(raw) if raw else None


_READ: dict[str, Callable[[Place, Any], Value | Unreadable]] = {
    "title": _read_title,
    "rich_text": _read_text,
    "number": _read_number,
    "select": _read_choice,
    "status": _read_choice,
    "multi_select": _read_choices,
    "date": _read_date,
    "people": _read_people,
    "relation": _read_relation,
    "checkbox": _read_flag,
    "url": _read_line,
    "email": _read_line,
    "phone_number": _read_line,
    "formula": lambda _place, _raw: None,
}


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(prop: Property, value: Value, binding: Binding, resolve: Resolve) -> Json:
    """Return the request's form of a value, cut to Notion's limits (facts/notion-api.md 2.9).

    `resolve` gives a row's page id. Raises `Unencodable` for an option that is not bound or a row without a page.
    """
    place = Place(prop, binding.options.get(prop.name, {}), {}, resolve)
    return {prop.type: _WRITE[prop.type](place, canonicalize(prop, value))}


def _write_text(_: Place, value: Any) -> Any:
    return [
        {"type": "text", "text": {"content": piece}} for piece in _pieces(value or "")
    ]


def _pieces(text: str) -> list[str]:
    """Return the text in pieces of at most 2,000 UTF-16 units, as Notion counts; no character is cut in two."""
    if text.isascii() or not text:
        return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    pieces, start, units = [], 0, 0
    for at, character in enumerate(text):
        width = 2 if character > "\uffff" else 1
        if units + width > PIECE:
            pieces.append(text[start:at])
            start, units = at, 0
        units += width
    return [*pieces, text[start:]]


def _write_number(_: Place, value: Any) -> Any:
    if value is None:
        return None
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _write_choice(place: Place, value: Any) -> Any:
    return None if value is None else _option(place, value)


def _write_choices(place: Place, value: Any) -> Any:
    return [_option(place, key) for key in value or ()]


def _option(place: Place, key: str) -> Json:
    if key not in place.options:
        raise Unencodable(
            f"the option {key} of {place.prop.name} does not exist in the workspace"
        )
    return {"id": place.options[key][0]}


def _write_date(_: Place, value: Any) -> Any:
    match value:
        case Span():
            return {"start": value.start.isoformat(), "end": value.end.isoformat()}
        case datetime():
            return {"start": value.isoformat(timespec="milliseconds")}
        case date():
            return {"start": value.isoformat()}
    return None


def _write_people(_: Place, value: Any) -> Any:
    return [{"object": "user", "id": one} for one in value or ()]


def _write_relation(place: Place, value: Any) -> Any:
    found = []
    for ref in value or ():
        page_id = place.resolve(ref)
        if page_id is None:
            raise Unencodable(f"{place.prop.name} points to {ref}, which has no page")
        found.append({"id": page_id})
    return found


def _write_plain(_: Place, value: Any) -> Any:
    return value


_WRITE: dict[str, Callable[[Place, Any], Any]] = {
    "title": _write_text,
    "rich_text": _write_text,
    "number": _write_number,
    "select": _write_choice,
    "status": _write_choice,
    "multi_select": _write_choices,
    "date": _write_date,
    "people": _write_people,
    "relation": _write_relation,
    "checkbox": _write_plain,
    "url": _write_plain,
    "email": _write_plain,
    "phone_number": _write_plain,
}


# -- the form Notion gives back ----------------------------------------------------------------------------------------


def canonicalize(prop: Property, value: Value) -> Value:
    """Return what Notion would give back for a value once written: the form to compare."""
    return _CANON[prop.type](value)


def loss(prop: Property, value: Value) -> str:
    """Return what writing a value would lose, in words; empty when nothing."""
    match value:
        case str() if prop.type in LIMITS and len(value) > LIMITS[prop.type]:
            return f"is longer than {LIMITS[prop.type]} characters and is left out"
        case str() if prop.type in _CLEAN and _is_cut(prop, value):
            return "is too long for Notion and is cut"
        case tuple() if len(set(value)) > LISTED:
            return f"lists more than {LISTED} and is cut"
        case Decimal() if canonicalize(prop, value) is None:
            return "is too large a number and is left out"
        case date() | Span() if canonicalize(prop, value) is None:
            return f"is a date before {FIRST_YEAR} or an instant of {LAST_YEAR} and is left out"
    return ""


def _is_cut(prop: Property, text: str) -> bool:
    return canonicalize(prop, text) != (_CLEAN[prop.type](text) or None)


def _canon_text(clean_up: Callable[[str], str]) -> Callable[[Any], Value]:
    def canon(value: Any) -> Value:
        if value is None:
            return None
        text = clean_up(str(value))
        if len(text) <= TEXT // 2:
            return text or None
        return "".join(_pieces(text)[:PIECES])

    return canon


def _canon_number(value: Any) -> Value:
    if value is None or not math.isfinite(number := float(value)):
        return None
    return Decimal(repr(number))


def _canon_choice(value: Any) -> Value:
    return value or None


def _canon_list(value: Any) -> Value:
    return tuple(sorted(set(value))[:LISTED]) if value else None


def _canon_date(value: Any) -> Value:
    match value:
        case None:
            return None
        case Span():
            first, last = sorted((value.start, value.end))
            return Span(first, last) if first.year >= FIRST_YEAR else None
        case datetime():
            moment = (
                value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            )
            moment = moment.replace(second=0, microsecond=0)  # Notion keeps the minute
            return moment if FIRST_YEAR <= moment.year < LAST_YEAR else None
    return value if value.year >= FIRST_YEAR else None


def _canon_flag(value: Any) -> Value:
    return bool(value)


def _canon_line(limit: int) -> Callable[[Any], Value]:
    def canon(value: Any) -> Value:
        text = clean_line(value or "")
        return text if text and len(text) <= limit else None

    return canon


_CLEAN: dict[str, Callable[[str], str]] = {"title": clean_line, "rich_text": clean}
_CANON: dict[str, Callable[[Any], Value]] = {
    **{kind: _canon_text(clean_up) for kind, clean_up in _CLEAN.items()},
    "number": _canon_number,
    "select": _canon_choice,
    "status": _canon_choice,
    "multi_select": _canon_list,
    "date": _canon_date,
    "people": _canon_list,
    "relation": _canon_list,
    "checkbox": _canon_flag,
    **{kind: _canon_line(limit) for kind, limit in LIMITS.items()},
}
