"""The agency's own words over the mapping files, key by key: `overlay.toml` beside the user's other mapping files.

Each line is one difference: which board plays a part, what a column and its labels are called there, which columns are
not wanted. Nothing else of the mappings changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Annotated

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field

from worker.domain.messages import NOTHING, Text, literal, tell
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import (
    FormerLabels,
    Labels,
    Option,
    Property,
    RowFilter,
    Schema,
    Source,
)

FILE = "overlay.toml"
LOCALES = ("en", "ru")
INTERCHANGEABLE = (
    frozenset({"select", "status"}),
    frozenset({"rich_text", "url", "email", "phone_number"}),
)
"""Types that are read alike, so that a column of the one can carry a property of the other."""
ShortText = Annotated[str, Field(min_length=1, max_length=100)]


class Table(BaseModel):
    """A table of the overlay; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OnlyTable(Table):
    """Which rows of a board play the part: those whose choice `column` holds one of the labels."""

    column: ShortText
    labels: Annotated[tuple[ShortText, ...], Field(min_length=1)]


class PartTable(Table):
    """The differences of one part. `columns` and `types` by property, `labels` by property and option key.

    `without` are properties the board does not have and is not to get.
    """

    board: str = ""
    title: ShortText | None = None
    only: OnlyTable | None = None
    columns: dict[str, ShortText] = {}
    types: dict[str, ShortText] = {}
    labels: dict[
        str, dict[str, Annotated[tuple[ShortText, ...], Field(min_length=1)]]
    ] = {}
    without: tuple[str, ...] = ()


Overlay = Mapping[str, PartTable]
Found = tuple[str, Text, Text]
"""A key, what is wrong with it, and what may be meant."""


def apply_overlay(
    schema: Schema, overlay: Overlay, path: Path
) -> tuple[Schema, list[Problem]]:
    """Return the schema in the agency's words, and a problem for each line that fits nothing."""
    complaints: list[Found] = []
    sources = dict(schema.sources)
    for name, part in overlay.items():
        source = schema.sources.get(name)
        if source is None:
            complaints.append(_unknown(name, name, schema.sources))
            continue
        complaints += _strange(name, source, part)
        sources[name] = _in_words(source, part)
    problems = [
        Problem(
            code=Code.MAPPING,
            where=literal(path),
            field=key,
            message=message,
            hint=hint,
            severity=Severity.ERROR,
        )
        for key, message, hint in complaints
    ]
    return Schema(_one_way(sources)), problems


def _unknown(key: str, name: str, known: Iterable[str]) -> Found:
    near = get_close_matches(name, list(known), n=1)
    hint = tell("did you mean {name}?", name=near[0]) if near else NOTHING
    return key, tell("is not a known key"), hint


def _strange(name: str, source: Source, part: PartTable) -> Iterator[Found]:
    """Yield the keys of a part that name nothing, and types that cannot carry their property."""
    places = [(f"columns.{key}", key) for key in part.columns]
    places += [(f"types.{key}", key) for key in part.types]
    places += [(f"labels.{key}", key) for key in part.labels]
    places += [("without", key) for key in part.without]
    for place, key in places:
        if key not in source.properties:
            yield _unknown(f"{name}.{place}", key, source.properties)
    for key, wanted in part.types.items():
        prop = source.properties.get(key)
        if prop is not None and not _can_carry(wanted, prop.type):
            refusal = tell("a {type} cannot carry it", type=wanted)
            yield f"{name}.types.{key}", refusal, NOTHING
    for key, labels in part.labels.items():
        prop = source.properties.get(key)
        known = [option.key for option in prop.options] if prop else []
        for option in labels:
            if prop is not None and option not in known:
                yield _unknown(f"{name}.labels.{key}.{option}", option, known)


def _can_carry(theirs: str, ours: str) -> bool:
    return theirs == ours or any({theirs, ours} <= group for group in INTERCHANGEABLE)


def _in_words(source: Source, part: PartTable) -> Source:
    """Return a part in the agency's words."""
    renamed = {
        prop.label[locale]: part.columns[prop.name]
        for prop in source.properties.values()
        if prop.name in part.columns
        for locale in LOCALES
    }
    properties = {
        name: _property(prop, part, renamed) for name, prop in source.properties.items()
    }
    only = RowFilter(part.only.column, part.only.labels) if part.only else None
    named = replace(source, properties=properties, board=part.board, only=only)
    if part.title:
        return replace(named, title=_alike(part.title), formerly={})
    return named


def _alike(text: str) -> Labels:
    return dict.fromkeys(LOCALES, text)


def _property(prop: Property, part: PartTable, renamed: Mapping[str, str]) -> Property:
    name = prop.name
    kind = part.types.get(name, prop.type)
    labels = part.labels.get(name, {})
    taken = list(chain.from_iterable(labels.values()))
    options = tuple(_option(one, labels, kind, taken) for one in prop.options)
    label = _alike(part.columns[name]) if name in part.columns else prop.label
    return replace(
        prop,
        type=kind,
        label=label,
        formerly=_not_taken(prop.formerly, part.columns.values()),
        options=options,
        expression=_renamed(prop.expression, renamed),
        is_own=name in part.columns,
        left_out=name in part.without,
    )


def _not_taken(formerly: FormerLabels, taken: Iterable[str]) -> FormerLabels:
    """Return former names but those by which the agency calls something: what is called so now is meant."""
    folded = {name.casefold() for name in taken}
    return {
        locale: tuple(name for name in names if name.casefold() not in folded)
        for locale, names in formerly.items()
    }


def _option(
    option: Option,
    labels: Mapping[str, tuple[str, ...]],
    kind: str,
    taken: Collection[str],
) -> Option:
    group = option.group if kind == "status" else ""
    if kind == "status" and not group:
        group = "in_progress"
    formerly = _not_taken(option.formerly, taken)
    words = labels.get(option.key)
    if words is None:
        return replace(option, group=group, formerly=formerly)
    first, *others = words
    return replace(
        option, label=_alike(first), also=tuple(others), group=group, formerly=formerly
    )


def _renamed(expression: Labels, renamed: Mapping[str, str]) -> Labels:
    """Return a formula that calls the columns by their own names."""
    texts = dict(expression)
    for old, new in renamed.items():
        for locale, text in texts.items():
            texts[locale] = text.replace(f'prop("{old}")', f'prop("{new}")')
    return texts


def _one_way(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Return the parts with relations one way where the other side is not wanted: no column appears by itself."""
    unwanted = {
        (name, prop.name)
        for name, source in sources.items()
        for prop in source.properties.values()
        if prop.left_out
    }

    def one_way(name: str, prop: Property) -> Property:
        is_alone = (prop.target, prop.mirror) in unwanted or (
            name,
            prop.name,
        ) in unwanted
        return replace(prop, mirror="") if prop.mirror and is_alone else prop

    return {
        name: replace(
            source,
            properties={
                key: one_way(name, prop) for key, prop in source.properties.items()
            },
        )
        for name, source in sources.items()
    }
