"""Query filters, compiled once per query into a predicate over rows (docs/facts/notion-api.md 2.19, 2.20)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rayline_sandbox.notion.dates import instant, is_day, read_moment
from rayline_sandbox.notion.errors import MISSING, invalid, should_be
from rayline_sandbox.notion.rollups import is_empty
from rayline_sandbox.notion.schema import find_property
from rayline_sandbox.notion.store import DataSource, Page, Property, Store, plain_id
from rayline_sandbox.notion.values import raw, rollup_columns, rollup_values

Predicate = Callable[[Any], bool]
RowPredicate = Callable[[Page], bool]
NESTING = 2
TIMESTAMPS = ("created_time", "last_edited_time")
TEXTS = frozenset({"title", "rich_text", "url", "email", "phone_number"})
COMPUTED = frozenset({"formula", "rollup"})
QUANTIFIERS: Mapping[str, Callable[[Iterable[bool]], bool]] = {
    "any": any,
    "every": lambda found: _holds_for_every(list(found)),
    "none": lambda found: not any(found),
}
# Which conditions a formula takes, and as which kind they are read.
RESULTS = {
    "string": "rich_text",
    "checkbox": "checkbox",
    "number": "number",
    "date": "date",
}
# Which conditions the rows of a rollup take, and the columns each reads beside computed ones.
ITEMS: Mapping[str, frozenset[str]] = {
    **{
        kind: frozenset({kind})
        for kind in (
            "checkbox",
            "select",
            "multi_select",
            "relation",
            "files",
            "status",
        )
    },
    "rich_text": TEXTS,
    "number": frozenset({"number", "unique_id"}),
    "date": frozenset({"date", *TIMESTAMPS}),
    "people": frozenset({"people", "created_by", "last_edited_by"}),
}
# Which computed values a condition of that kind can read.
FITS: Mapping[str, Callable[[Any], bool]] = {
    "rich_text": lambda value: isinstance(value, str),
    "checkbox": lambda value: isinstance(value, bool),
    "number": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool)
    ),
    "date": lambda value: isinstance(value, dict) and bool(value.get("start")),
}


def _holds_for_every(found: list[bool]) -> bool:
    """Tell whether a condition holds for every related row; without any it does not (recorded)."""
    return bool(found) and all(found)


def compile_filter(
    store: Store,
    source: DataSource,
    given: Any,
    path: str = "body.filter",
    *,
    depth: int = 0,
) -> RowPredicate:
    """Return the predicate for a filter object; groups nest two levels deep."""
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    if "and" in given and "or" in given:
        raise should_be(f"{path}.or", "not present", given["or"])
    for word, quantifier in (("and", all), ("or", any)):
        if word in given:
            return _group(
                store, source, given[word], f"{path}.{word}", depth, quantifier
            )
    if "timestamp" in given:
        return _timestamp(store, source, given, path)
    if not isinstance(given.get("property"), str):
        raise should_be(f"{path}.property", "defined", given.get("property", MISSING))
    prop = find_property(source, given["property"])
    if prop is None:
        raise invalid(f"Could not find property with name or id: {given['property']}")
    kind = _filter_kind(given, path)
    if kind != prop.type and not (kind == "rich_text" and prop.type in TEXTS):
        raise invalid(f"database property {prop.type} does not match filter {kind}")
    return _on_property(store, source, prop, given[kind], f"{path}.{kind}")


def _group(
    store: Store,
    source: DataSource,
    given: Any,
    path: str,
    depth: int,
    quantifier: Callable[[Any], bool],
) -> RowPredicate:
    if not isinstance(given, list):
        raise should_be(path, "an array", given)
    if depth >= NESTING:
        raise should_be(path, "not present", given)
    parts = [
        compile_filter(store, source, one, f"{path}[{index}]", depth=depth + 1)
        for index, one in enumerate(given)
    ]
    if quantifier is all:
        return lambda page: all(part(page) for part in parts)
    return lambda page: any(part(page) for part in parts) if parts else True


def _timestamp(
    store: Store, source: DataSource, given: dict[str, Any], path: str
) -> RowPredicate:
    kind = given["timestamp"]
    if kind not in TIMESTAMPS:
        raise should_be(
            f"{path}.timestamp", '`"created_time"` or `"last_edited_time"`', kind
        )
    if kind not in given:
        raise should_be(f"{path}.{kind}", "defined", MISSING)
    return _on_property(
        store, source, Property("", kind, kind), given[kind], f"{path}.{kind}"
    )


def _filter_kind(given: dict[str, Any], path: str) -> str:
    kinds = [key for key in given if key not in ("property", "type")]
    if len(kinds) != 1:
        raise should_be(f"{path}.title", "defined", MISSING)
    return str(kinds[0])


def _on_property(
    store: Store, source: DataSource, prop: Property, condition: Any, path: str
) -> RowPredicate:
    if prop.type == "formula":
        return _on_formula(store, prop, condition, path)
    if prop.type == "rollup":
        return _on_rollup(store, source, prop, condition, path)
    test = compile_condition(store, prop, condition, path)
    return lambda page: test(raw(store, page, prop))


def _on_formula(
    store: Store, prop: Property, condition: Any, path: str
) -> RowPredicate:
    kind, inner = _single(condition, path)
    if kind not in RESULTS:
        raise should_be(f"{path}.string", "defined", MISSING)
    test = _on_result(store, RESULTS[kind], inner, f"{path}.{kind}")
    return lambda page: test(raw(store, page, prop))


def _on_rollup(
    store: Store, source: DataSource, prop: Property, condition: Any, path: str
) -> RowPredicate:
    kind, inner = _single(condition, path)
    if kind in ("number", "date"):
        result = _on_result(store, kind, inner, f"{path}.{kind}")
        return lambda page: result(raw(store, page, prop))
    if kind not in QUANTIFIERS:
        raise should_be(f"{path}.any", "defined", MISSING)
    holds = QUANTIFIERS[kind]
    test = _on_item(store, source, prop, inner, f"{path}.{kind}")
    return lambda page: holds(test(value) for value in rollup_values(store, page, prop))


def _on_item(
    store: Store, source: DataSource, prop: Property, given: Any, path: str
) -> Predicate:
    """Return the test of one related row's value, by the column the rollup lists."""
    kind, condition = _single(given, path)
    path = f"{path}.{kind}"
    if kind not in ITEMS:
        raise should_be(path, "not present", condition)
    found = rollup_columns(store, source, prop)
    if found is None:  # nothing is listed, so nothing is asked
        return lambda _: False
    target = found[1]
    if target.type in COMPUTED:
        return _on_result(store, kind, condition, path)
    if target.type not in ITEMS[kind]:
        raise invalid(f"database property {target.type} does not match filter {kind}")
    return compile_condition(store, target, condition, path)


def _on_result(store: Store, kind: str, condition: Any, path: str) -> Predicate:
    """Return the test of a computed value, whose type only the value tells: one of another type counts as empty."""
    test = compile_condition(store, Property("", kind, kind), condition, path)
    fits = FITS.get(kind, lambda _: False)
    return lambda value: test(value if fits(value) else None)


def _single(condition: Any, path: str) -> tuple[str, Any]:
    if not isinstance(condition, dict) or len(condition) != 1:
        raise should_be(path, "an object with one key", condition)
    key, value = next(iter(condition.items()))
    return str(key), value


# -- conditions on values ------------------------------------------------------------------------------------------


def compile_condition(
    store: Store, prop: Property, condition: Any, path: str
) -> Predicate:
    """Return the predicate of one condition over a raw value; several operators must all hold."""
    if not isinstance(condition, dict) or not condition:
        raise should_be(path, "an object", condition)
    tests = [
        _operator(store, prop, operator, operand, f"{path}.{operator}")
        for operator, operand in condition.items()
    ]
    return (
        tests[0]
        if len(tests) == 1
        else lambda value: all(test(value) for test in tests)
    )


def _operator(
    store: Store, prop: Property, operator: str, operand: Any, path: str
) -> Predicate:
    if operator in ("is_empty", "is_not_empty") and prop.type != "checkbox":
        if operand is not True:
            raise should_be(path, "`true`", operand)
        if operator == "is_empty":
            return is_empty
        return lambda value: not is_empty(value)
    build = FAMILIES.get(prop.type, {}).get(operator)
    if build is None:
        raise should_be(path, "not present", operand)
    return build(store, prop, operand, path)


Builder = Callable[[Store, Property, Any, str], Predicate]


def _typed(
    kind: type | tuple[type, ...], words: str, test: Callable[[Any, Any], bool]
) -> Builder:
    def build(_store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        if not isinstance(operand, kind) or (
            isinstance(operand, bool) and kind is not bool
        ):
            raise should_be(path, words, operand)
        return lambda value: test(value, operand)

    return build


def _string(test: Callable[[str, str], bool]) -> Builder:
    return _typed(str, "a string", lambda value, operand: test(value or "", operand))


def _numeric(test: Callable[[Any, Any], bool], *, empty: bool = False) -> Builder:
    return _typed(
        (int, float),
        "a number",
        lambda value, operand: empty if value is None else test(value, operand),
    )


TEXT: Mapping[str, Builder] = {
    "equals": _string(lambda value, operand: value == operand),
    "does_not_equal": _string(lambda value, operand: value != operand),
    "contains": _string(lambda value, operand: operand.lower() in value.lower()),
    "does_not_contain": _string(
        lambda value, operand: operand.lower() not in value.lower()
    ),
    "starts_with": _string(
        lambda value, operand: value.lower().startswith(operand.lower())
    ),
    "ends_with": _string(
        lambda value, operand: value.lower().endswith(operand.lower())
    ),
}
NUMBER: Mapping[str, Builder] = {
    "equals": _numeric(lambda value, operand: value == operand),
    "does_not_equal": _numeric(lambda value, operand: value != operand, empty=True),
    "greater_than": _numeric(lambda value, operand: value > operand),
    "less_than": _numeric(lambda value, operand: value < operand),
    "greater_than_or_equal_to": _numeric(lambda value, operand: value >= operand),
    "less_than_or_equal_to": _numeric(lambda value, operand: value <= operand),
}
CHECKBOX: Mapping[str, Builder] = {
    "equals": _typed(bool, "a boolean", lambda value, operand: bool(value) == operand),
    "does_not_equal": _typed(
        bool, "a boolean", lambda value, operand: bool(value) != operand
    ),
}


def _option_ids(prop: Property, operand: Any, path: str) -> frozenset[str]:
    wanted = operand if isinstance(operand, list) else [operand]
    option_ids: set[str] = set()
    for name in wanted:
        if not isinstance(name, str):
            raise should_be(path, "a string", name)
        ids = _named_ids(prop, name)
        if not ids:
            raise invalid(
                f'{prop.type} option "{name}" not found for property "{prop.name}".'
            )
        option_ids |= ids
    return frozenset(option_ids)


def _named_ids(prop: Property, name: str) -> set[str]:
    options = {
        str(option["id"])
        for option in prop.config.get("options", ())
        if option["name"] == name
    }
    groups = [group for group in prop.config.get("groups", ()) if group["name"] == name]
    return (
        options
        or {str(one) for group in groups for one in group["option_ids"]}
        or {f"empty-group-{group['id']}" for group in groups}
    )


def _option(*, wanted: bool) -> Builder:
    def build(_: Store, prop: Property, operand: Any, path: str) -> Predicate:
        ids = _option_ids(prop, operand, path)
        return lambda value: (value in ids) is wanted

    return build


def _options(*, wanted: bool) -> Builder:
    def build(_: Store, prop: Property, operand: Any, path: str) -> Predicate:
        ids = _option_ids(prop, operand, path)
        return lambda value: any(one in ids for one in value) is wanted

    return build


def _reference(*, wanted: bool) -> Builder:
    def build(store: Store, _: Property, operand: Any, path: str) -> Predicate:
        if not isinstance(operand, str):
            raise should_be(path, "a string", operand)
        target = store.bot_id if operand == "me" else plain_id(operand)
        if not re.fullmatch(r"[0-9a-f-]{36}", target):
            raise should_be(path, "a valid uuid", operand)
        return lambda value: (target in value) is wanted

    return build


SELECT: Mapping[str, Builder] = {
    "equals": _option(wanted=True),
    "does_not_equal": _option(wanted=False),
}
MULTI: Mapping[str, Builder] = {
    "contains": _options(wanted=True),
    "does_not_contain": _options(wanted=False),
}
REFERENCE: Mapping[str, Builder] = {
    "contains": _reference(wanted=True),
    "does_not_contain": _reference(wanted=False),
}


# -- dates ---------------------------------------------------------------------------------------------------------


def _date(test: Callable[[Any, Any], bool]) -> Builder:
    def build(_store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        bound = read_moment(operand, path)
        if is_day(operand):
            day = bound.date()
            return lambda value: (
                bool(value) and test(instant(value["start"]).date(), day)
            )
        return lambda value: bool(value) and test(instant(value["start"]), bound)

    return build


def _span(limits: Callable[[datetime], tuple[datetime, datetime]]) -> Builder:
    def build(store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        if operand != {}:
            raise should_be(path, "an empty object", operand)
        first, last = (limit.date() for limit in limits(store.now()))
        return lambda value: (
            bool(value) and first <= instant(value["start"]).date() <= last
        )

    return build


def _this_week(now: datetime) -> tuple[datetime, datetime]:
    monday = now - timedelta(days=now.weekday())
    return monday, monday + timedelta(days=6)


def _months(now: datetime, count: int) -> datetime:
    """Return the same day some months away, or the last day of a shorter month."""
    year, month = divmod(now.year * 12 + now.month - 1 + count, 12)
    return now.replace(
        year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1])
    )


DATE: Mapping[str, Builder] = {
    "equals": _date(lambda value, bound: value == bound),
    "before": _date(lambda value, bound: value < bound),
    "after": _date(lambda value, bound: value > bound),
    "on_or_before": _date(lambda value, bound: value <= bound),
    "on_or_after": _date(lambda value, bound: value >= bound),
    "this_week": _span(_this_week),
    "past_week": _span(lambda now: (now - timedelta(days=7), now)),
    "past_month": _span(lambda now: (_months(now, -1), now)),
    "past_year": _span(lambda now: (_months(now, -12), now)),
    "next_week": _span(lambda now: (now, now + timedelta(days=7))),
    "next_month": _span(lambda now: (now, _months(now, 1))),
    "next_year": _span(lambda now: (now, _months(now, 12))),
}
FAMILIES: Mapping[str, Mapping[str, Builder]] = {
    **dict.fromkeys(TEXTS, TEXT),
    **dict.fromkeys(("number", "unique_id"), NUMBER),
    **dict.fromkeys(("date", "created_time", "last_edited_time"), DATE),
    **dict.fromkeys(("people", "relation", "created_by", "last_edited_by"), REFERENCE),
    **dict.fromkeys(("select", "status"), SELECT),
    "checkbox": CHECKBOX,
    "multi_select": MULTI,
    "files": {},
}
