"""Reads the mapping files into a `Schema`, and says everything that is wrong with them at once.

Shipped files come with the package; a file of the same name in the user's folder replaces the shipped one whole, and
`overlay.toml` there changes single words (`worker/mapping/overlay.py`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from worker.domain.messages import NOTHING, Text, literal, tell
from worker.domain.os_errors import say_os_error
from worker.domain.validation import say_fault
from worker.errors import Code, ConfigError, Problem, Severity
from worker.mapping.check import check_schema
from worker.mapping.overlay import FILE as OVERLAY
from worker.mapping.overlay import Overlay, PartTable, apply_overlay
from worker.mapping.schema import (
    Condition,
    FormerLabels,
    Labels,
    Option,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
    View,
)
from worker.toml import BadToml, read_toml

T = TypeVar("T")
OVERLAY_TABLES = TypeAdapter(dict[str, PartTable])
LOCALES = ("en", "ru")
FOLDER = "workspace"
NAME_IN_FORMULA = re.compile(r"\[(\w+)\]")

TypeName = Literal[
    "title",
    "rich_text",
    "number",
    "select",
    "multi_select",
    "status",
    "date",
    "people",
    "relation",
    "checkbox",
    "url",
    "email",
    "phone_number",
    "formula",
]
Color = Literal[
    "default",
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
]
ViewType = Literal["table", "board", "list", "calendar", "timeline", "gallery"]
Span = Literal[
    "this_week",
    "past_week",
    "past_month",
    "past_year",
    "next_week",
    "next_month",
    "next_year",
]
# Notion has some forty; these are the ones an agency meets.
NumberFormat = Literal[
    "money",
    "number",
    "number_with_commas",
    "percent",
    "dollar",
    "euro",
    "pound",
    "ruble",
    "yuan",
    "rupee",
    "won",
    "yen",
    "real",
    "lira",
    "franc",
    "zloty",
    "dirham",
    "",
]
MONEY = "money"
CURRENCIES: Mapping[str, str] = {
    "AED": "dirham",
    "AUD": "australian_dollar",
    "BRL": "real",
    "CAD": "canadian_dollar",
    "CHF": "franc",
    "CNY": "yuan",
    "EUR": "euro",
    "GBP": "pound",
    "HKD": "hong_kong_dollar",
    "INR": "rupee",
    "JPY": "yen",
    "KRW": "won",
    "PLN": "zloty",
    "RUB": "ruble",
    "SGD": "singapore_dollar",
    "TRY": "lira",
    "USD": "dollar",
}
"""Notion's number formats by ISO code."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ShortText = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(min_length=1, max_length=260)]
Icon = Annotated[str, Field(min_length=1, max_length=16)]


class Table(BaseModel):
    """A table of a mapping file; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FormerTable(Table):
    """The names that a thing had before, in every locale."""

    en: tuple[ShortText, ...] = ()
    ru: tuple[ShortText, ...] = ()


class LabelTable(Table):
    """One text in every locale, and what it was before."""

    en: ShortText
    ru: ShortText
    formerly: FormerTable = FormerTable()

    @property
    def labels(self) -> Labels:
        """Return the text by locale."""
        return {"en": self.en, "ru": self.ru}

    @property
    def former(self) -> FormerLabels:
        """Return the former texts by locale."""
        return {"en": self.formerly.en, "ru": self.formerly.ru}


class OptionTable(LabelTable):
    """One option of a select, multi-select or status."""

    key: Name
    color: Color = "default"
    group: Literal["to_do", "in_progress", "complete", ""] = ""
    also: tuple[ShortText, ...] = ()


class DescriptionTable(Table):
    """A property's description in every locale: with what is added to it, it fits into Notion's 280 characters."""

    en: Description
    ru: Description

    @property
    def labels(self) -> Labels:
        """Return the text by locale."""
        return {"en": self.en, "ru": self.ru}


class PropertyTable(LabelTable):
    """One property."""

    type: TypeName
    owner: Owner
    options: tuple[OptionTable, ...] = ()
    target: Name | Literal[""] = ""
    mirror: Name | Literal[""] = ""
    format: NumberFormat = ""
    rule: Name | Literal[""] = ""
    transient: bool = False
    of_period: bool = False
    expression: Annotated[str, Field(max_length=1000)] = ""
    technical: bool = False
    description: DescriptionTable | None = None


class ConditionTable(Table):
    """One test of one property, in a view."""

    property: Name
    one_of: tuple[Name, ...] = ()
    within: Span | Literal[""] = ""
    is_empty: bool | None = None
    at_most: int | None = None


class ViewTable(LabelTable):
    """One view."""

    type: ViewType
    group_by: str = ""
    date: str = ""
    until: str = ""
    show: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    step: Literal["day", "week", "month", "year", "relative", ""] = ""
    only: tuple[tuple[ConditionTable, ...], ...] = ()


class SourceTable(Table):
    """One mapping file; a description stands on its property's line or, by name, under `descriptions`."""

    rows: Rows
    title: LabelTable
    icon: Icon
    seeded: bool = False
    private: bool = False
    properties: dict[Name, PropertyTable]
    descriptions: dict[Name, DescriptionTable] = {}
    views: tuple[ViewTable, ...] = ()


def shipped_folder() -> Path:
    """Return the folder of mappings that came with the program: `worker/mappings` installed, else the repository's."""
    package = Path(str(resources.files("worker")))
    installed = package / "mappings"
    return installed if installed.is_dir() else package.parent / "mappings"


def mapping_files(part: str, folder: Path | None = None) -> dict[str, Path]:
    """Return the TOML files of a part (`workspace`; `.` for the top) by stem, the user's in place of the shipped."""
    files: dict[str, Path] = {}
    for root in (shipped_folder(), folder):
        if root is not None:
            files |= {path.stem: path for path in sorted((root / part).glob("*.toml"))}
    return files


def load_schema(folder: Path | None = None, *, currency: str = "") -> Schema:
    """Return the schema of the shipped mappings with a user's folder over them; raise `ConfigError` with all problems.

    The user's folder holds `workspace/<source>.toml`, where a name not shipped adds a data source, and the agency's own
    words in `overlay.toml`. Money gets Notion's format
    for the currency (ISO code), plain with commas where it has none.
    """
    # Not `Path.is_dir`, which raises for a name that is too long.
    if folder is not None and not os.path.isdir(folder):
        raise ConfigError(
            [
                _problem(
                    folder,
                    "",
                    tell("there is no such folder"),
                    hint=tell("set `mappings` to a folder"),
                )
            ]
        )
    problems: list[Problem] = []
    sources: dict[str, Source] = {}
    files = mapping_files(FOLDER, folder)
    for name, path in files.items():
        table, faults = read_table(path)
        problems += faults
        if table is not None:
            sources[name] = _source(
                name, table, CURRENCIES.get(currency, "number_with_commas")
            )
    schema = Schema(sources)
    where = {name: str(path) for name, path in files.items()}
    if folder is not None and (folder / OVERLAY).exists():
        overlay, faults = read_overlay(folder / OVERLAY)
        schema, strange = apply_overlay(schema, overlay, folder / OVERLAY)
        problems += [*faults, *strange]
        where |= {name: str(folder / OVERLAY) for name in overlay}
    problems += check_schema(schema, where, broken=files.keys() - sources.keys())
    if problems:
        raise ConfigError(problems)
    return schema


def read_table(path: Path) -> tuple[SourceTable | None, list[Problem]]:
    """Return one mapping file as read, or None with what is wrong in it."""
    table, problems = _read(path, SourceTable.model_validate)
    if table is not None:
        problems += [
            _problem(path, f"descriptions.{name}", message)
            for name, message in _misplaced(table)
        ]
    return table, problems


def read_overlay(path: Path) -> tuple[Overlay, list[Problem]]:
    """Return the overlay as read, empty with what is wrong in it when it makes no sense."""
    tables, problems = _read(path, OVERLAY_TABLES.validate_python)
    return tables or {}, problems


def _read(
    path: Path, validate: Callable[[object], T]
) -> tuple[T | None, list[Problem]]:
    try:
        return validate(read_toml(path)), []
    except BadToml as error:
        return None, [_problem(path, "", error.reason)]
    except OSError as error:
        return None, [
            _problem(
                path, "", tell("cannot be read: {error}", error=say_os_error(error))
            )
        ]
    except ValidationError as error:
        return None, [
            _problem(path, _key(item["loc"]), _error_text(item))
            for item in error.errors(include_url=False)
        ]


def _misplaced(table: SourceTable) -> Iterator[tuple[str, Text]]:
    for name in table.descriptions:
        if name not in table.properties:
            yield name, tell("there is no property {name}", name=name)
        elif table.properties[name].description is not None:
            yield name, tell("the property {name} has a description already", name=name)


def _key(parts: Iterable[int | str]) -> str:
    return ".".join(
        str(part)
        for part in parts
        if part not in ("[key]", "literal['']", "constrained-str")
    )


def _error_text(item: ErrorDetails) -> Text:
    if item["type"] == "extra_forbidden":
        return tell("is not a known key")
    given = f"{item['input']!r:.80}"
    return tell("{wish}, not {given}", wish=say_fault(item), given=given)


def _problem(path: Path, key: str, message: Text, *, hint: Text = NOTHING) -> Problem:
    return Problem(
        code=Code.MAPPING,
        where=literal(path),
        field=key,
        message=message,
        hint=hint,
        severity=Severity.ERROR,
    )


def _source(name: str, table: SourceTable, money: str) -> Source:
    titles = {
        locale: {key: prop.labels[locale] for key, prop in table.properties.items()}
        for locale in LOCALES
    }
    properties = {
        key: _property(key, prop, titles, money, table.descriptions.get(key))
        for key, prop in table.properties.items()
    }
    return Source(
        name,
        table.rows,
        table.title.labels,
        table.icon,
        properties,
        tuple(map(_view, table.views)),
        table.seeded,
        table.private,
        table.title.former,
    )


def _view(table: ViewTable) -> View:
    only = tuple(tuple(map(_condition, clause)) for clause in table.only)
    return View(
        table.type,
        table.labels,
        table.group_by,
        table.date,
        table.until,
        table.show,
        table.sort,
        table.step,
        only,
        table.former,
    )


def _condition(table: ConditionTable) -> Condition:
    return Condition(
        table.property, table.one_of, table.within, table.is_empty, table.at_most
    )


def _property(
    name: str,
    table: PropertyTable,
    titles: Mapping[str, Mapping[str, str]],
    money: str,
    description: DescriptionTable | None,
) -> Property:
    """Return a property; `[name]` in its formula becomes the title, in each locale, of the property of that name."""
    shown = money if table.format == MONEY else table.format
    options = tuple(
        Option(one.key, one.labels, one.color, one.group, one.former, one.also)
        for one in table.options
    )
    text = table.description or description
    return Property(
        name,
        table.type,
        table.owner,
        table.labels,
        options,
        table.target,
        table.mirror,
        shown,
        table.rule,
        table.transient,
        table.of_period,
        _expression(table.expression, titles),
        text.labels if text else {},
        table.former,
        table.technical,
    )


def _expression(text: str, titles: Mapping[str, Mapping[str, str]]) -> Labels:
    def title(known: Mapping[str, str], name: str) -> str:
        return f'prop("{known.get(name, name)}")'

    return {
        locale: NAME_IN_FORMULA.sub(
            lambda match, known=known: title(known, match[1]),  # type: ignore[misc]
            text,
        )
        for locale, known in titles.items()
        if text
    }
