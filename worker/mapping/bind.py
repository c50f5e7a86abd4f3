"""Ties the schema to a real workspace: by property id once known, by label the first time.

A known property may have been renamed: its id holds; one that is gone is looked for by label again. What is gone for
good, retyped or never found stays unbound, is reported with what to do, and the fields that need it are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from worker.domain.messages import message, tell
from worker.errors import Problem, Severity
from worker.mapping.codecs import Json, plain_text
from worker.mapping.schema import Binding, Owner, Property, Source


class Columns(msgspec.Struct, frozen=True, gc=False):
    """The raw properties of a data source by id and by folded name."""

    by_id: Mapping[str, Json]
    by_name: Mapping[str, Json]


def find_source(
    source: Source, data_sources: Iterable[Json], locale: str
) -> Json | None:
    """Return the raw data source (or database) that carries the source's title, the locale's before any other's.

    Things in the trash do not count; of several the first wins.
    """
    living = [
        one for one in data_sources if not (one.get("in_trash") or one.get("archived"))
    ]
    for wanted in _in_order(source.title, locale):
        for one in living:
            if plain_text(one.get("title") or ()).strip().casefold() == wanted:
                return one
    return None


def _in_order(labels: Mapping[str, str], locale: str) -> list[str]:
    first = [labels[locale]] if locale in labels else []
    return [label.casefold() for label in (*first, *labels.values())]


def bind(
    source: Source, data_source: Json, *, locale: str, known: Binding | None = None
) -> tuple[Binding, tuple[Problem, ...]]:
    """Return how a raw data source carries `source`, and everything that does not fit.

    Problem codes: `schema-missing`, `schema-deleted`, `schema-retyped`, `schema-option`.
    """
    if known is not None and known.data_source_id != data_source["id"]:
        known = None
    columns = read_columns(data_source)
    taken = frozenset(known.properties.values()) if known else frozenset()
    properties: dict[str, str] = {}
    options: dict[str, Mapping[str, tuple[str, str]]] = {}
    problems: list[Problem] = []
    report = Reporter(source, data_source, locale)
    for prop in source.properties.values():
        raw = _find(prop, columns, locale, known, taken)
        complaint = report.about(prop, raw, known)
        if complaint or raw is None:
            problems += complaint
            continue
        properties[prop.name] = raw["id"]
        if prop.options:
            options[prop.name] = match_options(prop, raw, _known_options(known, prop))
            problems += report.options(prop, raw, options[prop.name])
    return Binding(
        source.name, database_of(data_source), data_source["id"], properties, options
    ), tuple(problems)


def read_columns(data_source: Json) -> Columns:
    """Return the columns of a raw data source."""
    raw = [
        one
        for one in (data_source.get("properties") or {}).values()
        if isinstance(one, dict)
    ]
    return Columns(
        {one["id"]: one for one in raw},
        {str(one["name"]).strip().casefold(): one for one in raw},
    )


def database_of(data_source: Json) -> str:
    """Return the id of a raw data source's database."""
    parent = data_source.get("parent") or {}
    return str(parent.get("database_id") or "")


def _find(
    prop: Property,
    columns: Columns,
    locale: str,
    known: Binding | None,
    taken: frozenset[str],
) -> Json | None:
    if known is not None and known.properties.get(prop.name) in columns.by_id:
        return columns.by_id[known.properties[prop.name]]
    if prop.type == "title":
        return columns.by_id.get("title")
    candidates = [columns.by_name.get(label) for label in _in_order(prop.label, locale)]
    free = [one for one in candidates if one is not None and one["id"] not in taken]
    return next(
        (one for one in free if one.get("type") == prop.type), free[0] if free else None
    )


def _known_options(
    known: Binding | None, prop: Property
) -> Mapping[str, tuple[str, str]]:
    return known.options.get(prop.name, {}) if known else {}


def match_options(
    prop: Property, raw: Json, known: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """Return {option key: (option id, name in Notion)} of a raw choice property: by known id, else by any label."""
    present = raw_options(raw)
    by_id = {one["id"]: one for one in present}
    by_name = {str(one["name"]).casefold(): one for one in present}
    found = {}
    for option in prop.options:
        labels = [label.casefold() for label in option.label.values()]
        one = by_id.get(known.get(option.key, ("", ""))[0]) or next(
            (by_name[label] for label in labels if label in by_name), None
        )
        if one is not None:
            found[option.key] = (str(one["id"]), str(one["name"]))
    return found


def raw_options(raw: Json) -> Sequence[Json]:
    """Return the options of a raw select, multi-select or status property."""
    return (raw.get(raw["type"]) or {}).get("options") or ()


class Reporter(msgspec.Struct, frozen=True, gc=False):
    """Words for what does not fit, for one data source."""

    source: Source
    data_source: Json
    locale: str

    def about(
        self, prop: Property, raw: Json | None, known: Binding | None
    ) -> list[Problem]:
        """Return what keeps a property from being bound."""
        label = prop.label.get(self.locale, prop.name)
        if raw is None and known is not None and prop.name in known.properties:
            return [
                self._problem(
                    "schema-deleted",
                    prop,
                    tell("the property {label} was deleted", label=repr(label)),
                    message(
                        "restore it in Notion or run `rayline init` to create it again"
                    ),
                )
            ]
        if raw is None:
            return [
                self._problem(
                    "schema-missing",
                    prop,
                    tell(
                        "there is no property {label} of type {type}",
                        label=repr(label),
                        type=prop.type,
                    ),
                    tell(
                        "rename the one you use to {label} or run `rayline init` to create it again",
                        label=repr(label),
                    ),
                )
            ]
        if raw.get("type") != prop.type:
            return [
                self._problem(
                    "schema-retyped",
                    prop,
                    tell(
                        "the property {label} is a {type}, not a {wanted}",
                        label=repr(raw["name"]),
                        type=raw.get("type"),
                        wanted=prop.type,
                    ),
                    tell(
                        "change its type back to {type}, or rename it and run `rayline init`",
                        type=prop.type,
                    ),
                )
            ]
        return []

    def options(
        self, prop: Property, raw: Json, found: Mapping[str, object]
    ) -> list[Problem]:
        """Return the options that are not there."""
        missing = [
            option.label.get(self.locale, option.key)
            for option in prop.options
            if option.key not in found
        ]
        if not missing:
            return []
        listed = ", ".join(repr(label) for label in missing)
        return [
            self._problem(
                "schema-option",
                prop,
                tell(
                    "the property {label} has no option {options}",
                    label=repr(raw["name"]),
                    options=listed,
                ),
                message("add it in Notion, or rename the option you use back"),
            )
        ]

    def _problem(self, code: str, prop: Property, fault: str, hint: str) -> Problem:
        severity = (
            Severity.INFO
            if prop.owner is Owner.HUMAN and code == "schema-missing"
            else Severity.WARNING
        )
        return Problem(
            code,
            self.source.title.get(self.locale, self.source.name),
            prop.name,
            fault,
            hint,
            str(self.data_source.get("url") or ""),
            severity,
        )
