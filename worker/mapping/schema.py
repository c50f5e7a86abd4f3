"""The workspace as the mapping files describe it: data sources, properties, owners, views; and how a real one is bound.

Logical names never change; titles and labels are per locale; a binding ties them to data source ids and property ids,
so that renames in Notion break nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec


class Owner(StrEnum):
    """Who wins over a field (docs/facts/reliability.md 1.1)."""

    WORKER = "worker"
    SHARED = "shared"
    SEED = "seed"
    HUMAN = "human"


class Rows(StrEnum):
    """Who makes the rows of a data source: `people` rows are named by page id, `worker` rows by their Worker key.

    People may add rows of their own to a `worker` source; having no key, those are never touched.
    """

    PEOPLE = "people"
    WORKER = "worker"


Labels = Mapping[str, str]
FormerLabels = Mapping[str, tuple[str, ...]]


def names_of(labels: Labels, formerly: FormerLabels, locale: str = "") -> list[str]:
    """Return all names under which a thing may stand in a workspace, each once: the locale's first, former ones last."""
    in_order = dict.fromkeys((locale, *labels))
    present = [labels[one] for one in in_order if one in labels]
    former = [name for one in in_order for name in formerly.get(one, ())]
    return list(dict.fromkeys((*present, *former)))


KEPT: Labels = {"en": "Kept by Rayline.", "ru": "Ведёт Rayline."}


class Option(msgspec.Struct, frozen=True, gc=False):
    """One option of a select, multi-select or status; `group` (status only): `to_do`, `in_progress`, `complete`.

    `also` are further labels that mean it: read as it, never written.
    """

    key: str
    label: Labels
    color: str = "default"
    group: str = ""
    formerly: FormerLabels = msgspec.field(default_factory=dict)
    also: tuple[str, ...] = ()

    def names(self, locale: str = "") -> list[str]:
        """Return its names, former ones and those that mean it too last."""
        return [*names_of(self.label, self.formerly, locale), *self.also]


class Property(msgspec.Struct, frozen=True, gc=False):
    """One property. `type` is Notion's type name; `target` the source a relation points to, `mirror` the logical name
    of the property on the other side when the relation goes both ways; `rule` names the rule that states it; `format`
    is Notion's number format; `transient` tells that emptying it takes nothing away, since empty is an answer that
    every agency gets on some days: a period is too young to be measured, nothing runs, is next or is wrong, a fact is not
    known yet and stands beside it; `of_period` that it takes nothing away once the row's `period` is over. `expression`
    is a formula in Notion's own language by locale, computed there and never read here.
    `formerly` are names that it had: a column of an older workspace is recognised by them. A `technical` one is for the
    worker alone: no view shows it, and it is made last. `is_own` tells that people's own column carries it, `left_out`
    that it is neither looked for nor made."""

    name: str
    type: str
    owner: Owner
    label: Labels
    options: tuple[Option, ...] = ()
    target: str = ""
    mirror: str = ""
    format: str = ""
    rule: str = ""
    transient: bool = False
    of_period: bool = False
    expression: Labels = msgspec.field(default_factory=dict)
    description: Labels = msgspec.field(default_factory=dict)
    formerly: FormerLabels = msgspec.field(default_factory=dict)
    technical: bool = False
    is_own: bool = False
    left_out: bool = False

    def names(self, locale: str = "") -> list[str]:
        """Return its names, former ones last."""
        return names_of(self.label, self.formerly, locale)

    def told(self, locale: str) -> str:
        """Return its description with whose it is, empty without one; what people tick is not only the worker's."""
        text = self.description.get(locale, "")
        is_kept = self.owner is Owner.WORKER and self.type != "checkbox"
        return f"{text} {KEPT[locale]}" if text and is_kept else text


class Condition(msgspec.Struct, frozen=True, gc=False):
    """What a row of a view must be like: one test of one property.

    `one_of` names options, `within` a span around today as Notion names it; `at_most` counts a number or a formula's.
    """

    property: str
    one_of: tuple[str, ...] = ()
    within: str = ""
    is_empty: bool | None = None
    at_most: int | None = None


Clause = tuple[Condition, ...]


class View(msgspec.Struct, frozen=True, gc=False):
    """One view made with the workspace. `group_by`, `date`, `until`, `show`, `sort` name properties (`-x`: falling).

    `step` is how finely dates are grouped. A row is shown when of every clause of `only` at least one condition holds.
    """

    type: str
    label: Labels
    group_by: str = ""
    date: str = ""
    until: str = ""
    show: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    step: str = ""
    only: tuple[Clause, ...] = ()
    formerly: FormerLabels = msgspec.field(default_factory=dict)

    def names(self, locale: str = "") -> list[str]:
        """Return its names, former ones last."""
        return names_of(self.label, self.formerly, locale)


class RowFilter(msgspec.Struct, frozen=True, gc=False):
    """Which rows of a board are meant: those whose choice `column` holds one of the labels; a new row gets the first."""

    column: str
    labels: tuple[str, ...]


class Source(msgspec.Struct, frozen=True, gc=False):
    """One data source. In a `seeded` one the rows are people's, but the worker may plant a row once, by its key.

    A `private` one stands under the workspace's private root page alone, and nothing outside leads to it. `board` is
    the id of the agency's own data source that plays the part, of which `only` some rows may be meant.
    """

    name: str
    rows: Rows
    title: Labels
    icon: str
    properties: Mapping[str, Property]
    views: tuple[View, ...] = ()
    seeded: bool = False
    private: bool = False
    formerly: FormerLabels = msgspec.field(default_factory=dict)
    board: str = ""
    only: RowFilter | None = None

    def names(self, locale: str = "") -> list[str]:
        """Return its titles, former ones last."""
        return names_of(self.title, self.formerly, locale)

    def is_seed(self, key: str) -> bool:
        """Tell whether a ref's key names a planted row by its Worker key; a page id holds no colon."""
        return self.seeded and ":" in key

    def has_key(self, key: str) -> bool:
        """Tell whether a ref's key is a Worker key rather than a page id."""
        return self.rows is Rows.WORKER or self.is_seed(key)

    @property
    def title_property(self) -> Property:
        """Return the title property."""
        return next(p for p in self.properties.values() if p.type == "title")


KEY_PROPERTY = "worker_key"


class Schema(msgspec.Struct, frozen=True, gc=False):
    """All data sources by logical name."""

    sources: Mapping[str, Source]

    def is_private(self, source: str) -> bool:
        """Tell whether nothing of a data source's rows may be shown outside the private root page."""
        return source in self.sources and self.sources[source].private

    def part(self, *, private: bool) -> Schema:
        """Return the private data sources alone, or all others."""
        return Schema(
            {
                name: source
                for name, source in self.sources.items()
                if source.private == private
            }
        )

    def transient(self) -> frozenset[tuple[str, str]]:
        """Return the fields (source, name) whose emptying takes nothing away."""
        return self._marked(lambda prop: prop.transient)

    def of_period(self) -> frozenset[tuple[str, str]]:
        """Return the fields (source, name) whose emptying takes nothing away once the period of their row is over."""
        return self._marked(lambda prop: prop.of_period)

    def _marked(self, test: Callable[[Property], bool]) -> frozenset[tuple[str, str]]:
        return frozenset(
            (name, prop.name)
            for name, source in self.sources.items()
            for prop in source.properties.values()
            if test(prop)
        )


class BoundFilter(msgspec.Struct, frozen=True, gc=False):
    """A `RowFilter` as it stands in Notion: by ids."""

    property_id: str
    type: str
    options: tuple[str, ...]


class Binding(msgspec.Struct, frozen=True, gc=False):
    """How one data source of a real workspace carries the schema.

    `properties` maps logical names to property ids (as returned, still percent-encoded); a logical name that is absent
    could not be bound: the fields that need it are left alone. `options` maps a property's logical name to
    {option key: (option id, label as it stands in Notion)}. Where a data source plays several parts, `only` says which
    rows are meant. `views` are the ids of the views made with the board, by their English names.
    """

    source: str
    database_id: str
    data_source_id: str
    properties: Mapping[str, str]
    options: Mapping[str, Mapping[str, tuple[str, str]]] = msgspec.field(
        default_factory=dict
    )
    only: BoundFilter | None = None
    views: Mapping[str, str] = msgspec.field(default_factory=dict)


Bindings = Mapping[str, Binding]
