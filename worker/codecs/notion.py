"""Raw Notion property values to plain values and back: one table, a row a property type (`PROPERTY_TYPES`, at the end).

What cannot be read becomes `Unreadable`, never an exception and never a guess. Every type has one empty value (`None`,
`False` for a checkbox) and lists are sorted sets, so that values can be compared as they are:
`decode(encode(x)) == canonicalize(x)`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from worker.domain.messages import NOTHING, Text, tell
from worker.domain.text import clean, clean_line, cut
from worker.domain.values import Ref, Span, Value
from worker.mapping.schema import Binding, Property

Json = dict[str, Any]
Payload = Json | list[Json] | str | float | bool | None
"""What stands under a property's type in a request."""
Index = Mapping[str, Ref]
Resolve = Callable[[Ref], str | None]

PIECE = 2_000
PIECES = 100
TEXT = PIECE * PIECES
LISTED = 100
URL = 2_000
EMAIL = 200
PHONE = 200
FIRST_YEAR = 1900
LAST_YEAR = 9999
EXCERPT = 80
"""How much of a strange value is told."""


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A property value that could not be read, and why, for a person."""

    message: Text


class Unencodable(ValueError):
    """The value cannot be written as it is: an option that is not bound, a row that does not exist yet."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """The property a value stands in, with what ties it to a workspace; `resolve` only for writing."""

    prop: Property
    options: Mapping[str, tuple[str, str]]
    index: Index
    resolve: Resolve = lambda ref: None


class PropertyType(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How the values of one property type are read, written, compared, and what Notion's limits take from them.

    `read` takes what stands under the type in a page, `write` a canonical value; `canonical` gives what Notion would
    give back for a value; `limit` says what writing a value would lose, empty when nothing (docs/facts/notion-api.md 2.9).
    """

    read: Callable[[Place, Any], Value | Unreadable]
    write: Callable[[Place, Any], Payload]
    canonical: Callable[[Any], Value]
    limit: Callable[[Any], Text] = lambda value: NOTHING


def decode(
    prop: Property, raw: Any, binding: Binding, index: Index
) -> Value | Unreadable:
    """Return the value of one raw property of a page; `index` names pages of worker rows by page id."""
    if not isinstance(raw, dict) or raw.get("type", prop.type) != prop.type:
        found = raw.get("type") if isinstance(raw, dict) else tell("nothing")
        return Unreadable(
            tell("should be a {type} but is {found}", type=prop.type, found=found)
        )

    options = binding.options.get(prop.name, {})
    place = Place(prop, options, index)
    try:
        kind = PROPERTY_TYPES[prop.type]
        return kind.read(place, raw[prop.type])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return Unreadable(
            tell(
                "is not a readable {type}: {text}",
                type=prop.type,
                text=_excerpt(raw.get(prop.type)),
            )
        )


def encode(prop: Property, value: Value, binding: Binding, resolve: Resolve) -> Json:
    """Return the request's form of a value, cut to Notion's limits (docs/facts/notion-api.md 2.9).

    `resolve` gives a row's page id. Raises `Unencodable` for an option that is not bound or a row without a page.
    """
    kind = PROPERTY_TYPES[prop.type]
    options = binding.options.get(prop.name, {})
    place = Place(prop, options, {}, resolve)
    canonical = kind.canonical(value)
    return {prop.type: kind.write(place, canonical)}


def canonicalize(prop: Property, value: Value) -> Value:
    """Return what Notion would give back for a value once written: the form to compare."""
    return PROPERTY_TYPES[prop.type].canonical(value)


def loss(prop: Property, value: Value) -> Text:
    """Return what writing a value would lose; says nothing when nothing is lost."""
    return PROPERTY_TYPES[prop.type].limit(value)


def _excerpt(raw: Any) -> str:
    text = json.dumps(raw, ensure_ascii=False, default=str)
    if len(text) <= EXCERPT:
        return text
    return text[: EXCERPT - 1] + "…"


def _items(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise TypeError(raw)
    return raw


# -- texts -------------------------------------------------------------------------------------------------------------


def _read_title(_: Place, raw: Any) -> Value:
    return clean_line(_plain_text(raw)) or None


def _read_text(_: Place, raw: Any) -> Value:
    return clean(_plain_text(raw)) or None


def _plain_text(raw: Any) -> str:
    return "".join([item["plain_text"] for item in _items(raw)])


def _write_text(_: Place, value: str | None) -> Payload:
    return [
        {"type": "text", "text": {"content": piece}}
        for piece in cut(value or "", PIECE)
    ]


def _canonical_title(value: Any) -> Value:
    if value is None:
        return None
    line = clean_line(str(value))
    return _cut_text(line)


def _canonical_text(value: Any) -> Value:
    if value is None:
        return None
    text = clean(str(value))
    return _cut_text(text)


def _cut_text(text: str) -> str | None:
    """Return as much of a clean text as a property holds."""
    if len(text) <= TEXT // 2:
        return text or None
    pieces = cut(text, PIECE)
    return "".join(pieces[:PIECES])


def _limit_title(value: Any) -> Text:
    if not isinstance(value, str):
        return NOTHING
    line = clean_line(value)
    return _tell_cut(line)


def _limit_text(value: Any) -> Text:
    if not isinstance(value, str):
        return NOTHING
    text = clean(value)
    return _tell_cut(text)


def _tell_cut(text: str) -> Text:
    kept = _cut_text(text)
    if kept == (text or None):
        return NOTHING
    return tell(
        "has {count} characters, of which Notion takes {limit}; the rest is left out",
        count=len(text),
        limit=len(kept or ""),
    )


# -- lines: addresses and telephone numbers ----------------------------------------------------------------------------


def _read_line(_: Place, raw: Any) -> Value:
    if not isinstance(raw, str | None):
        raise TypeError(raw)
    return clean_line(raw) if raw else None


def _write_line(_: Place, value: str | None) -> Payload:
    return value


def _line_type(longest: int) -> PropertyType:
    """Return the property type of a line of at most so many characters, left out when it is longer."""

    def canonical(value: Any) -> Value:
        text = clean_line(value or "")
        return text if text and len(text) <= longest else None

    def limit(value: Any) -> Text:
        text = clean_line(value) if isinstance(value, str) else ""
        if len(text) <= longest:
            return NOTHING
        return tell("is longer than {limit} characters and is left out", limit=longest)

    return PropertyType(
        read=_read_line, write=_write_line, canonical=canonical, limit=limit
    )


# -- numbers and checkboxes --------------------------------------------------------------------------------------------


def _read_number(_: Place, raw: Any) -> Value | Unreadable:
    if raw is None:
        return None
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    if not is_number or not math.isfinite(raw):
        return Unreadable(tell("is not a number: {text}", text=_excerpt(raw)))
    return Decimal(raw) if isinstance(raw, int) else Decimal(repr(raw))


def _write_number(_: Place, value: Decimal | None) -> Payload:
    if value is None:
        return None
    number = float(value)
    is_exact = number.is_integer() and abs(number) < 2**53
    return int(number) if is_exact else number


def _canonical_number(value: Any) -> Value:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        return None
    return Decimal(repr(number))


def _limit_number(value: Any) -> Text:
    is_lost = isinstance(value, Decimal) and _canonical_number(value) is None
    return tell("is too large a number and is left out") if is_lost else NOTHING


def _read_flag(_: Place, raw: Any) -> Value:
    if not isinstance(raw, bool):
        raise TypeError(raw)
    return raw


def _write_flag(_: Place, value: object) -> Payload:
    return bool(value)


# -- choices -----------------------------------------------------------------------------------------------------------


def _read_choice(place: Place, raw: Any) -> Value | Unreadable:
    return None if raw is None else _option_key(place, raw)


def _read_choices(place: Place, raw: Any) -> Value | Unreadable:
    keys: list[str] = []
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
        if any(known.casefold() == name for known in option.names()):
            return option.key
    return Unreadable(
        tell(
            "has the option “{option}”, which the mapping does not know",
            option=raw["name"],
        )
    )


def _write_choice(place: Place, value: str | None) -> Payload:
    return None if value is None else _option(place, value)


def _write_choices(place: Place, value: tuple[str, ...] | None) -> Payload:
    return [_option(place, key) for key in value or ()]


def _option(place: Place, key: str) -> Json:
    if key not in place.options:
        raise Unencodable(
            f"the option {key} of {place.prop.name} does not exist in the workspace"
        )
    return {"id": place.options[key][0]}


def _canonical_choice(value: Any) -> Value:
    return value or None


def _canonical_list(value: Any) -> Value:
    if not value:
        return None
    distinct = sorted(set(value))
    return tuple(distinct[:LISTED])


def _limit_list(value: Any) -> Text:
    count = len(set(value)) if isinstance(value, tuple) else 0
    if count <= LISTED:
        return NOTHING
    return tell(
        "lists {count}, of which a request to Notion takes {limit}; the others are left out",
        count=count,
        limit=LISTED,
    )


# -- dates -------------------------------------------------------------------------------------------------------------


def _read_date(_: Place, raw: Any) -> Value | Unreadable:
    if raw is None:
        return None
    try:
        zone = raw.get("time_zone")
        start = _moment(raw["start"], zone)
        last = raw.get("end")
        end = None if last is None else _moment(last, zone)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return Unreadable(tell("is not a date: {text}", text=_excerpt(raw)))

    if end is None:
        return start.astimezone(UTC) if isinstance(start, datetime) else start
    return _span(_day(start), _day(end))


def _span(first: date, last: date) -> Span | Unreadable:
    if first <= last:
        return Span(first, last)
    return Unreadable(
        tell("ends before it starts: {first} to {last}", first=first, last=last)
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
    place = UTC if zone is None else ZoneInfo(zone)
    return moment.replace(tzinfo=place)


def _write_date(_: Place, value: Span | date | None) -> Payload:
    match value:
        case Span():
            return {"start": value.start.isoformat(), "end": value.end.isoformat()}
        case datetime():
            return {"start": value.isoformat(timespec="milliseconds")}
        case date():
            return {"start": value.isoformat()}
    return None


def _canonical_date(value: Any) -> Value:
    match value:
        case None:
            return None
        case Span():
            first = min(value.start, value.end)
            last = max(value.start, value.end)
            return Span(first, last) if first.year >= FIRST_YEAR else None
        case datetime():
            return _canonical_instant(value)
    return value if value.year >= FIRST_YEAR else None


def _canonical_instant(value: datetime) -> datetime | None:
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    # Notion keeps no seconds.
    minute = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return minute if FIRST_YEAR <= minute.year < LAST_YEAR else None


def _limit_date(value: Any) -> Text:
    is_lost = isinstance(value, date | Span) and _canonical_date(value) is None
    if not is_lost:
        return NOTHING
    return tell(
        "is a date before {first} or an instant of {last} and is left out",
        first=FIRST_YEAR,
        last=LAST_YEAR,
    )


# -- people and relations ----------------------------------------------------------------------------------------------


def _read_people(_: Place, raw: Any) -> Value:
    people = {_identity(item) for item in _items(raw)}
    return tuple(sorted(people)) or None


def _read_relation(place: Place, raw: Any) -> Value:
    target = place.prop.target
    ids = [_identity(item) for item in _items(raw)]
    refs = {place.index.get(page_id) or Ref(target, page_id) for page_id in ids}
    return tuple(sorted(refs)) or None


def _identity(raw: Json) -> str:
    identity = raw["id"]
    if not isinstance(identity, str):
        raise TypeError(identity)
    return identity


def _write_people(_: Place, value: tuple[str, ...] | None) -> Payload:
    return [{"object": "user", "id": user_id} for user_id in value or ()]


def _write_relation(place: Place, value: tuple[Ref, ...] | None) -> Payload:
    pages: list[Json] = []
    for ref in value or ():
        page_id = place.resolve(ref)
        if page_id is None:
            raise Unencodable(f"{place.prop.name} points to {ref}, which has no page")
        pages.append({"id": page_id})
    return pages


# -- what Notion computes ----------------------------------------------------------------------------------------------


def _write_nothing(place: Place, _: object) -> Payload:
    raise Unencodable(f"{place.prop.name} is computed by Notion")


# -- the table ---------------------------------------------------------------------------------------------------------

_CHOICE = PropertyType(
    read=_read_choice, write=_write_choice, canonical=_canonical_choice
)

PROPERTY_TYPES: Mapping[str, PropertyType] = {
    "title": PropertyType(
        read=_read_title,
        write=_write_text,
        canonical=_canonical_title,
        limit=_limit_title,
    ),
    "rich_text": PropertyType(
        read=_read_text, write=_write_text, canonical=_canonical_text, limit=_limit_text
    ),
    "url": _line_type(URL),
    "email": _line_type(EMAIL),
    "phone_number": _line_type(PHONE),
    "number": PropertyType(
        read=_read_number,
        write=_write_number,
        canonical=_canonical_number,
        limit=_limit_number,
    ),
    "checkbox": PropertyType(read=_read_flag, write=_write_flag, canonical=bool),
    "select": _CHOICE,
    "status": _CHOICE,
    "multi_select": PropertyType(
        read=_read_choices,
        write=_write_choices,
        canonical=_canonical_list,
        limit=_limit_list,
    ),
    "date": PropertyType(
        read=_read_date, write=_write_date, canonical=_canonical_date, limit=_limit_date
    ),
    "people": PropertyType(
        read=_read_people,
        write=_write_people,
        canonical=_canonical_list,
        limit=_limit_list,
    ),
    "relation": PropertyType(
        read=_read_relation,
        write=_write_relation,
        canonical=_canonical_list,
        limit=_limit_list,
    ),
    "formula": PropertyType(
        read=lambda place, raw: None, write=_write_nothing, canonical=lambda value: None
    ),
}
