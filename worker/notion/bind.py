"""Ties the schema to a real workspace: by property id once known, by label, else a former one, the first time.

A known property may have been renamed: its id holds (docs/facts/notion-api.md 2.29); one that is gone is looked for by label again. What is gone for
good, retyped or never found stays unbound, is reported with what to do, and the fields that need it are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from worker.codecs.records import Column, DataSource, UnreadColumn, plain_text
from worker.domain.messages import Text, listed, literal, tell
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import (
    Binding,
    BoundFilter,
    Owner,
    Property,
    RowFilter,
    Source,
)

CHOICES = ("select", "status")
"""The types of column by which the rows of a merged board are parted: a new row gets the option of its part there."""


class Columns(msgspec.Struct, frozen=True, gc=False):
    """The columns of a data source by id and by folded name, and those that could not be read."""

    by_id: Mapping[str, Column]
    by_name: Mapping[str, Column]
    unread: tuple[UnreadColumn, ...] = ()

    def has_name(self, label: str) -> bool:
        """Tell whether a column has this name, readable or not."""
        name = _folded(label)
        return name in self.by_name or any(
            _folded(one.name) == name for one in self.unread
        )


def find_sources(
    source: Source, data_sources: Iterable[DataSource], locale: str
) -> list[DataSource]:
    """Return the data sources that carry the source's title, the locale's before any other's: mostly one or none.

    Things in the trash do not count.
    """
    living = {one.id: one for one in data_sources if not one.is_gone}
    for wanted in map(_folded, source.names(locale)):
        named = [
            data_source
            for data_source in living.values()
            if _folded(plain_text(data_source.title)) == wanted
        ]
        if named:
            return named
    return []


def _folded(name: str) -> str:
    return name.strip().casefold()


def bind(
    source: Source,
    data_source: DataSource,
    *,
    locale: str,
    known: Binding | None = None,
) -> tuple[Binding, tuple[Problem, ...]]:
    """Return how a data source carries `source`, and everything that does not fit.

    A known column that cannot be read now stays bound as it was. Problem codes: `schema-missing`, `schema-deleted`,
    `schema-retyped`, `schema-option`, `schema-unreadable`.
    """
    if known is not None and known.data_source_id != data_source.id:
        known = None
    columns = read_columns(data_source)
    taken = frozenset(known.properties.values()) if known else frozenset()
    properties: dict[str, str] = {}
    options: dict[str, Mapping[str, tuple[str, str]]] = {}
    problems: list[Problem] = []
    report = Reporter(source, data_source, locale)
    for prop in source.properties.values():
        if prop.left_out:
            continue
        known_id = known.properties.get(prop.name, "") if known else ""
        column = _find(prop, columns, locale, known_id, taken)
        unread = None if column else _find_unread(prop, columns, known_id)
        if unread is not None:
            problems.append(report.unread(prop, unread))
            if known_id:
                properties[prop.name] = known_id
                options |= _kept_options(known, prop)
            continue
        complaint = report.about(prop, column, known)
        if complaint or column is None:
            problems += complaint
            continue
        properties[prop.name] = column.id
        if prop.options:
            options[prop.name] = match_options(
                prop, column, _known_options(known, prop)
            )
            problems += report.options(prop, column, options[prop.name])
    only, faults = _bind_filter(source, columns, report)
    binding = Binding(
        source.name,
        database_of(data_source),
        data_source.id,
        properties,
        options,
        only,
        known.views if known else {},
    )
    return binding, (*problems, *faults)


def _bind_filter(
    source: Source, columns: Columns, report: Reporter
) -> tuple[BoundFilter | None, list[Problem]]:
    """Return which rows are meant, by ids; where that cannot be told no row is."""
    if source.only is None:
        return None, []
    column = columns.by_name.get(_folded(source.only.column))
    if column is not None and column.type not in CHOICES:
        return BoundFilter(column.id, column.type, ()), [report.no_choice(column)]
    offered = {_folded(one.name): one.id for one in column.options} if column else {}
    wanted = [_folded(label) for label in source.only.labels]
    options = tuple(offered[label] for label in wanted if label in offered)
    bound = BoundFilter(
        column.id if column else "", column.type if column else "select", options
    )
    return bound, [] if len(options) == len(wanted) else [report.filter(source.only)]


def read_columns(data_source: DataSource) -> Columns:
    """Return the columns of a data source."""
    return Columns(
        {one.id: one for one in data_source.properties},
        {_folded(one.name): one for one in data_source.properties},
        data_source.unread,
    )


def database_of(data_source: DataSource) -> str:
    """Return the id of a data source's database."""
    parent = data_source.parent
    return (parent.database_id if parent else None) or ""


def _find(
    prop: Property, columns: Columns, locale: str, known_id: str, taken: frozenset[str]
) -> Column | None:
    if known_id in columns.by_id:
        return columns.by_id[known_id]
    if known_id and any(column.id == known_id for column in columns.unread):
        return None
    if prop.type == "title":
        return columns.by_id.get("title")
    candidates = [columns.by_name.get(_folded(name)) for name in prop.names(locale)]
    free = [
        column for column in candidates if column is not None and column.id not in taken
    ]
    return next(
        (column for column in free if column.type == prop.type),
        free[0] if free else None,
    )


def _find_unread(
    prop: Property, columns: Columns, known_id: str
) -> UnreadColumn | None:
    """Return the column that this property may be; one whose id could not be read may be any that is known."""
    labels = set(map(_folded, prop.names()))
    for one in columns.unread:
        if one.id in ("", known_id) if known_id else _folded(one.name) in labels:
            return one
    return None


def _kept_options(
    known: Binding | None, prop: Property
) -> dict[str, Mapping[str, tuple[str, str]]]:
    return {prop.name: _known_options(known, prop)} if prop.options else {}


def _known_options(
    known: Binding | None, prop: Property
) -> Mapping[str, tuple[str, str]]:
    return known.options.get(prop.name, {}) if known else {}


def match_options(
    prop: Property, column: Column, known: Mapping[str, tuple[str, str]]
) -> dict[str, tuple[str, str]]:
    """Return {option key: (option id, name in Notion)} of a choice property: by known id, else by any name."""
    by_id = {notion_option.id: notion_option for notion_option in column.options}
    by_name = {
        notion_option.name.casefold(): notion_option for notion_option in column.options
    }
    matched = {}
    for option in prop.options:
        labels = [name.casefold() for name in option.names()]
        notion_option = by_id.get(known.get(option.key, ("", ""))[0]) or next(
            (by_name[label] for label in labels if label in by_name), None
        )
        if notion_option is not None:
            matched[option.key] = (notion_option.id, notion_option.name)
    return matched


def is_theirs(prop: Property) -> bool:
    """Tell whether a property stands in people's own column and only they write it."""
    return prop.is_own and prop.owner is Owner.HUMAN


class Reporter(msgspec.Struct, frozen=True, gc=False):
    """Words for what does not fit, for one data source."""

    source: Source
    data_source: DataSource
    locale: str

    def about(
        self, prop: Property, raw: Column | None, known: Binding | None
    ) -> list[Problem]:
        """Return what keeps a property from being bound."""
        label = prop.label.get(self.locale, prop.name)
        if raw is None and known is not None and prop.name in known.properties:
            return [
                self._problem(
                    Code.SCHEMA_DELETED,
                    prop,
                    tell("the property “{label}” was deleted", label=label),
                    tell(
                        "restore it in Notion or run `rayline init` to create it again"
                    ),
                )
            ]
        if raw is None:
            return [
                self._problem(
                    Code.SCHEMA_MISSING,
                    prop,
                    tell(
                        "there is no property “{label}” of type {type}",
                        label=label,
                        type=prop.type,
                    ),
                    tell(
                        "rename the one you use to “{label}” or run `rayline init` to create it again",
                        label=label,
                    ),
                )
            ]
        if raw.type != prop.type:
            return [
                self._problem(
                    Code.SCHEMA_RETYPED,
                    prop,
                    tell(
                        "the property “{label}” is a {type}, not a {wanted}",
                        label=raw.name,
                        type=raw.type,
                        wanted=prop.type,
                    ),
                    tell(
                        "change its type back to {type}, or rename it and run `rayline init`",
                        type=prop.type,
                    ),
                )
            ]
        return []

    def unread(self, prop: Property, column: UnreadColumn) -> Problem:
        """Return what is wrong with a column that cannot be read."""
        return self._problem(
            Code.SCHEMA_UNREADABLE,
            prop,
            tell(
                "the property “{label}” cannot be read: {error}",
                label=prop.label.get(self.locale, prop.name),
                error=column.said,
            ),
            tell(
                "until it can be read, it counts as it was read last; if it stays so, make the property "
                "again in Notion"
            ),
        )

    def options(
        self, prop: Property, raw: Column, matched: Mapping[str, object]
    ) -> list[Problem]:
        """Return the options that are not there."""
        missing = [
            option.label.get(self.locale, option.key)
            for option in prop.options
            if option.key not in matched
        ]
        # Whoever has a column of their own needs no words there that only they would use.
        if not missing or is_theirs(prop):
            return []
        labels = [tell("“{part}”", part=label) for label in missing]
        return [
            self._problem(
                Code.SCHEMA_OPTION,
                prop,
                tell(
                    "the property “{label}” has no option {options}",
                    label=raw.name,
                    options=listed(*labels),
                ),
                tell("add it in Notion, or rename the option you use back"),
            )
        ]

    def no_choice(self, raw: Column) -> Problem:
        """Return that rows are parted by a column of another kind, in which no new row can be given its own."""
        return Problem(
            code=Code.SCHEMA_OPTION,
            where=literal(self.source.title.get(self.locale, self.source.name)),
            message=tell(
                "the column “{column}” that parts its rows is a {type}: no row is taken, for a new one could not be "
                "told apart",
                column=raw.name,
                type=raw.type,
            ),
            hint=tell(
                "make a select or a status in Notion that says the same, and name it under `only` in {file}",
                file="overlay.toml",
            ),
            url=self.data_source.url or "",
            severity=Severity.WARNING,
        )

    def filter(self, only: RowFilter) -> Problem:
        """Return that it cannot be told which rows are meant."""
        return Problem(
            code=Code.SCHEMA_OPTION,
            where=literal(self.source.title.get(self.locale, self.source.name)),
            message=tell(
                "the column “{column}” that parts its rows has not all of {labels}",
                column=only.column,
                labels=", ".join(only.labels),
            ),
            hint=tell("put the names right in {file}", file="overlay.toml"),
            url=self.data_source.url or "",
            severity=Severity.WARNING,
        )

    def _problem(self, code: Code, prop: Property, fault: Text, hint: Text) -> Problem:
        severity = (
            Severity.INFO
            if prop.owner is Owner.HUMAN and code == Code.SCHEMA_MISSING
            else Severity.WARNING
        )
        return Problem(
            code=code,
            where=literal(self.source.title.get(self.locale, self.source.name)),
            field=prop.name,
            message=fault,
            hint=hint,
            url=self.data_source.url or "",
            severity=severity,
        )
