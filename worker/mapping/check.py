"""What the mapping files must agree on among themselves: references, labels, options, views.

The shape of each file is checked by `worker.mapping.load`; here every rule is a function from a property or view to
complaints, so that all of them are found in one pass.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Protocol

from worker.domain.messages import Text, literal, tell
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import (
    KEY_PROPERTY,
    Condition,
    FormerLabels,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
    View,
)

CHOICES = ("select", "multi_select", "status")
GROUPABLE = (
    "select",
    "multi_select",
    "status",
    "people",
    "relation",
    "date",
    "checkbox",
)

Complaint = tuple[str, Text]


class Named(Protocol):
    """What has names and had others."""

    @property
    def formerly(self) -> FormerLabels:
        """Return the names it had, by locale."""

    def names(self, locale: str = "") -> list[str]:
        """Return all its names."""


def check_schema(
    schema: Schema, files: Mapping[str, str], *, broken: Collection[str] = ()
) -> list[Problem]:
    """Return every disagreement; `files` names each source's file, `broken` sources whose file could not be read."""
    complaints = [
        (name, key, message)
        for name, source in schema.sources.items()
        for key, message in _source(schema, source, broken)
    ]
    complaints += list(_titles(schema))
    complaints += [
        (name, "title.formerly", message)
        for name, message in _taken_over(schema.sources)
    ]
    return [
        Problem(
            code=Code.MAPPING,
            where=literal(files.get(name, name)),
            field=key,
            message=message,
            severity=Severity.ERROR,
        )
        for name, key, message in complaints
    ]


def _titles(schema: Schema) -> Iterator[tuple[str, str, Text]]:
    # Parts that one board plays have its title.
    apart = [source for source in schema.sources.values() if source.only is None]
    for locale, twice in _twice(
        (locale, title) for source in apart for locale, title in source.title.items()
    ):
        for source in apart:
            if source.title[locale].casefold() == twice:
                yield (
                    source.name,
                    f"title.{locale}",
                    tell(
                        "another data source is called “{title}” too",
                        title=source.title[locale],
                    ),
                )


def _taken_over(things: Mapping[str, Named]) -> Iterator[tuple[str, Text]]:
    """Yield what was formerly called as another is called, or was: a workspace could not tell them apart."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for key, thing in things.items():
        for name in thing.names():
            users[name.casefold()].add(key)
    for key, thing in things.items():
        for name in chain.from_iterable(thing.formerly.values()):
            for other in sorted(users[name.casefold()] - {key}):
                yield (
                    key,
                    tell(
                        "the former name “{name}” is one of {other} too",
                        name=name,
                        other=other,
                    ),
                )


def _twice(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    seen = Counter((locale, text.casefold()) for locale, text in pairs)
    return [pair for pair, number in seen.items() if number > 1]


def _source(
    schema: Schema, source: Source, broken: Collection[str]
) -> Iterator[Complaint]:
    titles = [prop.name for prop in source.properties.values() if prop.type == "title"]
    if len(titles) != 1:
        yield (
            "properties",
            tell(
                "exactly one property must be the title, found {number}",
                number=len(titles),
            ),
        )
    key = source.properties.get(KEY_PROPERTY)
    if (source.rows is Rows.WORKER or source.seeded) and (
        key is None or key.type != "rich_text"
    ):
        yield (
            f"properties.{KEY_PROPERTY}",
            tell("rows made by Rayline need this rich_text property"),
        )
    if source.rows is Rows.WORKER and source.seeded:
        yield "seeded", tell("only rows of people can be seeded")
    for locale, text in _twice(
        (locale, label)
        for prop in source.properties.values()
        if not prop.left_out
        for locale, label in prop.label.items()
    ):
        yield (
            "properties",
            tell(
                "two properties have the {locale} label “{label}”",
                locale=locale,
                label=text,
            ),
        )
    for name, message in _taken_over(source.properties):
        yield f"properties.{name}.formerly", message
    for prop in source.properties.values():
        for field, message in _property(schema, source, prop, broken):
            yield f"properties.{prop.name}.{field}", message
    for index, view in enumerate(source.views):
        for field, message in _view(source, view):
            yield f"views.{index}.{field}", message


def _property(
    schema: Schema, source: Source, prop: Property, broken: Collection[str]
) -> Iterator[Complaint]:
    if prop.rule and prop.owner is Owner.HUMAN:
        yield "rule", tell("a human's property cannot have a rule")
    if prop.owner is not Owner.WORKER:
        for flag in ("transient", "of_period"):
            if getattr(prop, flag):
                yield (
                    flag,
                    tell("only a property of Rayline may be emptied without a loss"),
                )
    elif prop.of_period and "period" not in source.properties:
        yield "of_period", tell("its board has no period that could be over")
    if prop.format and prop.type != "number":
        yield "format", tell("only a number has a format")
    if bool(prop.expression) != (prop.type == "formula") or (
        prop.expression and prop.owner is not Owner.HUMAN
    ):
        yield (
            "expression",
            tell(
                "a formula has an expression and owner human (Notion computes it); others have none"
            ),
        )
    yield from _options(prop)
    yield from _relation(schema, source, prop, broken)


def _options(prop: Property) -> Iterator[Complaint]:
    if bool(prop.options) != (prop.type in CHOICES):
        yield (
            "options",
            tell("a {type} must have options", type=prop.type)
            if prop.type in CHOICES
            else tell("only choices have options"),
        )
    for _, key in _twice(("", option.key) for option in prop.options):
        yield "options", tell("the option {key} is listed twice", key=key)
    for locale, text in _twice(
        (locale, label)
        for option in prop.options
        for locale, label in option.label.items()
    ):
        yield (
            "options",
            tell(
                "two options have the {locale} label “{label}”",
                locale=locale,
                label=text,
            ),
        )
    for _, message in _taken_over({option.key: option for option in prop.options}):
        yield "options", message
    for index, option in enumerate(prop.options):
        # docs/facts/notion-api.md 2.12
        if any("," in label for label in option.label.values()):
            yield f"options.{index}", tell("Notion takes no commas in option names")
        if bool(option.group) != (prop.type == "status"):
            yield (
                f"options.{index}.group",
                tell("a status option needs a group, others have none"),
            )


def _relation(
    schema: Schema, source: Source, prop: Property, broken: Collection[str]
) -> Iterator[Complaint]:
    if bool(prop.target) != (prop.type == "relation"):
        yield (
            "target",
            tell("a relation needs a target")
            if prop.type == "relation"
            else tell("only a relation has a target"),
        )
    if prop.mirror and prop.type != "relation":
        yield "mirror", tell("only a relation has a mirror")
    if prop.type != "relation" or not prop.target or prop.target in broken:
        return
    target = schema.sources.get(prop.target)
    if target is None:
        yield "target", tell("there is no data source “{source}”", source=prop.target)
    elif target.private and not source.private:
        yield (
            "target",
            tell(
                "{source} is private, nothing outside may lead to it",
                source=prop.target,
            ),
        )
    elif source.private and prop.mirror and not target.private:
        yield (
            "mirror",
            tell(
                "would show the rows of a private data source in {source}",
                source=prop.target,
            ),
        )
    elif prop.mirror:
        other = target.properties.get(prop.mirror)
        if other is None or (other.type, other.target, other.mirror) != (
            "relation",
            source.name,
            prop.name,
        ):
            yield (
                "mirror",
                tell(
                    "{mirror} must be a relation to {source} with mirror {property}",
                    mirror=f"{prop.target}.{prop.mirror}",
                    source=source.name,
                    property=prop.name,
                ),
            )


def _view(source: Source, view: View) -> Iterator[Complaint]:
    named = [("group_by", view.group_by), ("date", view.date), ("until", view.until)]
    named += [("show", name) for name in view.show] + [
        ("sort", name.removeprefix("-")) for name in view.sort
    ]
    for field, name in named:
        if name and name not in source.properties:
            yield field, tell("there is no property {name}", name=name)
    for name in view.show:
        if name in source.properties and source.properties[name].technical:
            yield "show", tell("{name} is for Rayline alone", name=name)
    for condition in chain.from_iterable(view.only):
        yield from _condition(source, condition)
    if view.type == "board" and not view.group_by:
        yield "group_by", tell("a board needs one")
    if view.type in ("calendar", "timeline") and not view.date:
        yield "date", tell("a {type} needs one", type=view.type)
    group = source.properties.get(view.group_by)
    if group is not None and group.type not in GROUPABLE:
        yield "group_by", tell("cannot group by a {type}", type=group.type)
    if view.step and (group is None or group.type != "date"):
        yield "step", tell("only dates are grouped by steps")
    for field, name in (("date", view.date), ("until", view.until)):
        prop = source.properties.get(name)
        if prop is not None and prop.type != "date":
            yield (
                field,
                tell("{name} is a {type}, not a date", name=name, type=prop.type),
            )


def _condition(source: Source, condition: Condition) -> Iterator[Complaint]:
    prop = source.properties.get(condition.property)
    if prop is None:
        yield "only", tell("there is no property {name}", name=condition.property)
        return
    tests = (
        (CHOICES, bool(condition.one_of)),
        (("date",), bool(condition.within)),
        (("number", "formula"), condition.at_most is not None),
        ((prop.type,), condition.is_empty is not None),
    )
    asked = [types for types, is_asked in tests if is_asked]
    if len(asked) != 1 or prop.type not in asked[0]:
        yield "only", tell("one test that fits a {type} is needed", type=prop.type)
        return
    known = {option.key for option in prop.options}
    for key in condition.one_of:
        if key not in known:
            yield "only", tell("there is no option {key}", key=key)
