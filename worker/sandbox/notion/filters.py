"""Query filters, compiled once per query into a predicate over rows (facts/notion-api.md 2.19, 2.20)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.sandbox.notion.errors import MISSING, invalid, should_be
from worker.sandbox.notion.rollups import is_empty
from worker.sandbox.notion.schema import find_property
from worker.sandbox.notion.store import DataSource, Page, Property, Store, plain_id
from worker.sandbox.notion.values import raw, rollup_object, show

Predicate = Callable[[Any], bool]
RowPredicate = Callable[[Page], bool]
NESTING = 2
TIMESTAMPS = ("created_time", "last_edited_time")


def compile_filter(store: Store, source: DataSource, given: Any, path: str = "body.filter", *,
                   depth: int = 0) -> RowPredicate:
    """Return the predicate for a filter object; groups nest two levels deep."""
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    for word, quantifier in (("and", all), ("or", any)):
        if word in given:
            return _group(store, source, given[word], f"{path}.{word}", depth, quantifier)
    if "timestamp" in given:
        return _timestamp(store, source, given, path)
    if not isinstance(given.get("property"), str):
        raise should_be(f"{path}.property", "defined", given.get("property", MISSING))
    prop = find_property(source, given["property"])
    if prop is None:
        raise invalid(f"Could not find property with name or id: {given['property']}")
    kind = _filter_kind(given, path)
    if kind != prop.type:
        raise invalid(f"database property {prop.type} does not match filter {kind}")
    return _on_property(store, source, prop, given[kind], f"{path}.{kind}")


def _group(store: Store, source: DataSource, given: Any, path: str, depth: int,
           quantifier: Callable[[Any], bool]) -> RowPredicate:
    if not isinstance(given, list):
        raise should_be(path, "an array", given)
    if depth >= NESTING:
        raise should_be(path, "not present", given)
    parts = [compile_filter(store, source, one, f"{path}[{index}]", depth=depth + 1)
             for index, one in enumerate(given)]
    if quantifier is all:
        return lambda page: all(part(page) for part in parts)
    return lambda page: any(part(page) for part in parts) if parts else True


def _timestamp(store: Store, source: DataSource, given: dict[str, Any], path: str) -> RowPredicate:
    kind = given["timestamp"]
    if kind not in TIMESTAMPS:
        raise should_be(f"{path}.timestamp", '`"created_time"` or `"last_edited_time"`', kind)
    if kind not in given:
        raise should_be(f"{path}.{kind}", "defined", MISSING)
    return _on_property(store, source, Property("", kind, kind), given[kind], f"{path}.{kind}")


def _filter_kind(given: dict[str, Any], path: str) -> str:
    kinds = [key for key in given if key not in ("property", "type")]
    if len(kinds) != 1:
        raise should_be(f"{path}.title", "defined", MISSING)
    return str(kinds[0])


def _on_property(store: Store, source: DataSource, prop: Property, condition: Any, path: str) -> RowPredicate:
    if prop.type == "formula":
        return _on_formula(store, source, prop, condition, path)
    if prop.type == "rollup":
        return _on_rollup(store, prop, condition, path)
    test = compile_condition(store, prop, condition, path)
    return lambda page: test(raw(store, page, prop))


def _on_formula(store: Store, _: DataSource, prop: Property, condition: Any, path: str) -> RowPredicate:
    kind, inner = _single(condition, path)
    test = compile_condition(store, _like(kind), inner, f"{path}.{kind}")

    def matches(page: Page) -> bool:
        shown = show(store, page, prop)
        return test(shown.get(kind))
    return matches


def _on_rollup(store: Store, prop: Property, condition: Any, path: str) -> RowPredicate:
    kind, inner = _single(condition, path)
    if kind in ("number", "date"):
        test = compile_condition(store, _like(kind), inner, f"{path}.{kind}")
        return lambda page: test(rollup_object(store, page, prop).get(kind))
    if kind not in ("any", "every", "none"):
        raise should_be(f"{path}.any", "defined", MISSING)
    item_kind, item_condition = _single(inner, f"{path}.{kind}")
    item_test = compile_condition(store, _like(item_kind), item_condition, f"{path}.{kind}.{item_kind}")
    combine: dict[str, Callable[[list[bool]], bool]] = {"any": any, "every": all, "none": lambda found: not any(found)}
    return lambda page: combine[kind]([item_test(one.get(item_kind) or one.get(one["type"])) for one in
                                       rollup_object(store, page, prop).get("array", [])])


def _like(kind: str) -> Property:
    return Property("", kind, "rich_text" if kind == "string" else kind)


def _single(condition: Any, path: str) -> tuple[str, Any]:
    if not isinstance(condition, dict) or len(condition) != 1:
        raise should_be(path, "an object with one key", condition)
    key, value = next(iter(condition.items()))
    return str(key), value


# -- conditions on values ------------------------------------------------------------------------------------------


def compile_condition(store: Store, prop: Property, condition: Any, path: str) -> Predicate:
    """Return the predicate of one condition over a raw value; several operators must all hold."""
    if not isinstance(condition, dict) or not condition:
        raise should_be(path, "an object", condition)
    tests = [_operator(store, prop, operator, operand, f"{path}.{operator}")
             for operator, operand in condition.items()]
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _operator(store: Store, prop: Property, operator: str, operand: Any, path: str) -> Predicate:
    if operator in ("is_empty", "is_not_empty") and prop.type != "checkbox":
        if operand is not True:
            raise should_be(path, "`true`", operand)
        return is_empty if operator == "is_empty" else lambda value: not is_empty(value)
    build = FAMILIES.get(prop.type, {}).get(operator)
    if build is None:
        raise should_be(path, "not present", operand)
    return build(store, prop, operand, path)


Builder = Callable[[Store, Property, Any, str], Predicate]


def _typed(kind: type | tuple[type, ...], words: str, test: Callable[[Any, Any], bool]) -> Builder:
    def build(_store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        if not isinstance(operand, kind) or (isinstance(operand, bool) and kind is not bool):
            raise should_be(path, words, operand)
        return lambda value: test(value, operand)
    return build


def _string(test: Callable[[str, str], bool]) -> Builder:
    return _typed(str, "a string", lambda value, operand: test(value or "", operand))


def _numeric(test: Callable[[Any, Any], bool], *, empty: bool = False) -> Builder:
    return _typed((int, float), "a number", lambda value, operand: empty if value is None else test(value, operand))


TEXT: Mapping[str, Builder] = {
    "equals": _string(lambda value, operand: value == operand),
    "does_not_equal": _string(lambda value, operand: value != operand),
    "contains": _string(lambda value, operand: operand.lower() in value.lower()),
    "does_not_contain": _string(lambda value, operand: operand.lower() not in value.lower()),
    "starts_with": _string(lambda value, operand: value.lower().startswith(operand.lower())),
    "ends_with": _string(lambda value, operand: value.lower().endswith(operand.lower())),
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
    "does_not_equal": _typed(bool, "a boolean", lambda value, operand: bool(value) != operand),
}


def _option_ids(prop: Property, operand: Any, path: str) -> frozenset[str]:
    wanted = operand if isinstance(operand, list) else [operand]
    found: set[str] = set()
    for name in wanted:
        if not isinstance(name, str):
            raise should_be(path, "a string", name)
        ids = _named_ids(prop, name)
        if not ids:
            raise invalid(f'{prop.type} option "{name}" not found for property "{prop.name}".')
        found |= ids
    return frozenset(found)


def _named_ids(prop: Property, name: str) -> set[str]:
    options = {str(option["id"]) for option in prop.config.get("options", ()) if option["name"] == name}
    groups = [group for group in prop.config.get("groups", ()) if group["name"] == name]
    return options or {str(one) for group in groups for one in group["option_ids"]} or {
        f"empty-group-{group['id']}" for group in groups}


def _option(*, wanted: bool) -> Builder:
    def build(_: Store, prop: Property, operand: Any, path: str) -> Predicate:
        if "options" not in prop.config:  # a rollup's item: compare names
            names = set(operand if isinstance(operand, list) else [operand])
            return lambda value: (isinstance(value, dict) and value.get("name") in names) is wanted
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


SELECT: Mapping[str, Builder] = {"equals": _option(wanted=True), "does_not_equal": _option(wanted=False)}
MULTI: Mapping[str, Builder] = {"contains": _options(wanted=True), "does_not_contain": _options(wanted=False)}
REFERENCE: Mapping[str, Builder] = {"contains": _reference(wanted=True), "does_not_contain": _reference(wanted=False)}


# -- dates ---------------------------------------------------------------------------------------------------------


def _moment(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _date(test: Callable[[Any, Any], bool]) -> Builder:
    def build(_store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        try:
            bound = _moment(operand)
        except (TypeError, ValueError):
            raise should_be(path, "a valid ISO 8601 date string", operand) from None
        if len(operand) == 10:
            day = bound.date()
            return lambda value: bool(value) and test(_moment(value["start"]).date(), day)
        return lambda value: bool(value) and test(_moment(value["start"]), bound)
    return build


def _span(limits: Callable[[datetime], tuple[datetime, datetime]]) -> Builder:
    def build(store: Store, _prop: Property, operand: Any, path: str) -> Predicate:
        if operand != {}:
            raise should_be(path, "an empty object", operand)
        first, last = (limit.date() for limit in limits(store.now()))
        return lambda value: bool(value) and first <= _moment(value["start"]).date() <= last
    return build


def _this_week(now: datetime) -> tuple[datetime, datetime]:
    monday = now - timedelta(days=now.weekday())
    return monday, monday + timedelta(days=6)


DATE: Mapping[str, Builder] = {
    "equals": _date(lambda value, bound: value == bound),
    "before": _date(lambda value, bound: value < bound),
    "after": _date(lambda value, bound: value > bound),
    "on_or_before": _date(lambda value, bound: value <= bound),
    "on_or_after": _date(lambda value, bound: value >= bound),
    "this_week": _span(_this_week),
    **{f"past_{word}": _span(lambda now, days=days: (now - timedelta(days=days), now))  # type: ignore[misc]
       for word, days in (("week", 7), ("month", 30), ("year", 365))},
    **{f"next_{word}": _span(lambda now, days=days: (now, now + timedelta(days=days)))  # type: ignore[misc]
       for word, days in (("week", 7), ("month", 30), ("year", 365))},
}
FAMILIES: Mapping[str, Mapping[str, Builder]] = {
    **dict.fromkeys(("title", "rich_text", "url", "email", "phone_number"), TEXT),
    **dict.fromkeys(("number", "unique_id"), NUMBER),
    **dict.fromkeys(("date", "created_time", "last_edited_time"), DATE),
    **dict.fromkeys(("people", "relation", "created_by", "last_edited_by"), REFERENCE),
    **dict.fromkeys(("select", "status"), SELECT),
    "checkbox": CHECKBOX, "multi_select": MULTI, "files": {},
}
