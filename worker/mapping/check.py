"""What the mapping files must agree on among themselves: references, labels, options, views.

The shape of each file is checked by `worker.mapping.load`; here every rule is a function from a property or view to
complaints, so that all of them are found in one pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from worker.errors import Code, Problem, Severity
from worker.mapping.schema import (
    KEY_PROPERTY,
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

Complaint = tuple[str, str]


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
    return [
        Problem(
            code=Code.MAPPING,
            where=files.get(name, name),
            field=key,
            message=message,
            severity=Severity.ERROR,
        )
        for name, key, message in complaints
    ]


def _titles(schema: Schema) -> Iterator[tuple[str, str, str]]:
    for locale, twice in _twice(
        (locale, title)
        for source in schema.sources.values()
        for locale, title in source.title.items()
    ):
        for source in schema.sources.values():
            if source.title[locale].casefold() == twice:
                yield (
                    source.name,
                    f"title.{locale}",
                    f"another data source is called {source.title[locale]!r} too",
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
            f"exactly one property must be the title, found {len(titles)}",
        )
    key = source.properties.get(KEY_PROPERTY)
    if (source.rows is Rows.WORKER or source.seeded) and (
        key is None or key.type != "rich_text"
    ):
        yield (
            f"properties.{KEY_PROPERTY}",
            "rows made by the worker need this rich_text property",
        )
    if source.rows is Rows.WORKER and source.seeded:
        yield "seeded", "only rows of people can be seeded"
    for locale, text in _twice(
        (locale, label)
        for prop in source.properties.values()
        for locale, label in prop.label.items()
    ):
        yield "properties", f"two properties have the {locale} label {text!r}"
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
        yield "rule", "a human's property cannot have a rule"
    if prop.periodic and prop.owner is not Owner.WORKER:
        yield "periodic", "only a worker's property is emptied when its period ends"
    if prop.format and prop.type != "number":
        yield "format", "only a number has a format"
    if bool(prop.expression) != (prop.type == "formula") or (
        prop.expression and prop.owner is not Owner.HUMAN
    ):
        yield (
            "expression",
            "a formula has an expression and owner human (Notion computes it); others have none",
        )
    yield from _options(prop)
    yield from _relation(schema, source, prop, broken)


def _options(prop: Property) -> Iterator[Complaint]:
    if bool(prop.options) != (prop.type in CHOICES):
        yield (
            "options",
            f"a {prop.type} must have options"
            if prop.type in CHOICES
            else "only choices have options",
        )
    for _, key in _twice(("", option.key) for option in prop.options):
        yield "options", f"the option {key} is listed twice"
    for locale, text in _twice(
        (locale, label)
        for option in prop.options
        for locale, label in option.label.items()
    ):
        yield "options", f"two options have the {locale} label {text!r}"
    for index, option in enumerate(prop.options):
        # docs/facts/notion-api.md 2.12
        if any("," in label for label in option.label.values()):
            yield f"options.{index}", "Notion takes no commas in option names"
        if bool(option.group) != (prop.type == "status"):
            yield (
                f"options.{index}.group",
                "a status option needs a group, others have none",
            )


def _relation(
    schema: Schema, source: Source, prop: Property, broken: Collection[str]
) -> Iterator[Complaint]:
    if bool(prop.target) != (prop.type == "relation"):
        yield (
            "target",
            "a relation needs a target"
            if prop.type == "relation"
            else "only a relation has a target",
        )
    if prop.mirror and prop.type != "relation":
        yield "mirror", "only a relation has a mirror"
    if prop.type != "relation" or not prop.target or prop.target in broken:
        return
    target = schema.sources.get(prop.target)
    if target is None:
        yield "target", f"there is no data source {prop.target}"
    elif target.private and not source.private:
        yield "target", f"{prop.target} is private, nothing outside may lead to it"
    elif source.private and prop.mirror and not target.private:
        yield "mirror", f"would show the rows of a private data source in {prop.target}"
    elif prop.mirror:
        other = target.properties.get(prop.mirror)
        if other is None or (other.type, other.target, other.mirror) != (
            "relation",
            source.name,
            prop.name,
        ):
            yield (
                "mirror",
                f"{prop.target}.{prop.mirror} must be a relation to {source.name} with mirror {prop.name}",
            )


def _view(source: Source, view: View) -> Iterator[Complaint]:
    named = [("group_by", view.group_by), ("date", view.date), ("until", view.until)]
    named += [("show", name) for name in view.show] + [
        ("sort", name.removeprefix("-")) for name in view.sort
    ]
    for field, name in named:
        if name and name not in source.properties:
            yield field, f"there is no property {name}"
    if view.type == "board" and not view.group_by:
        yield "group_by", "a board needs one"
    if view.type in ("calendar", "timeline") and not view.date:
        yield "date", f"a {view.type} needs one"
    group = source.properties.get(view.group_by)
    if group is not None and group.type not in GROUPABLE:
        yield "group_by", f"cannot group by a {group.type}"
    for field, name in (("date", view.date), ("until", view.until)):
        prop = source.properties.get(name)
        if prop is not None and prop.type != "date":
            yield field, f"{name} is a {prop.type}, not a date"
