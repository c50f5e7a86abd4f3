"""Makes, adopts and recognises a workspace: the schema's data sources under one page, through the public API alone.

Private data sources stand under a page of their own, which is shared with few; without it there are none.

Making is idempotent: what stands there by title and label is adopted, and only what is missing is added. Nothing is
ever retyped or removed, and renamed is only the mirror of a relation just made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from msgspec.structs import replace

from worker.codecs.records import Column, DataSource, Json, Parent, Target
from worker.domain.messages import literal, tell
from worker.domain.structs import make_ready
from worker.errors import Code, ConfigError, Missing, Problem, Severity
from worker.mapping.schema import (
    Binding,
    Bindings,
    Owner,
    Property,
    Schema,
    Source,
    View,
)
from worker.notion.bind import bind, find_sources, is_theirs, read_columns
from worker.notion.shapes import (
    added_description,
    added_options,
    database_body,
    property_config,
    relation_config,
    view_body,
)
from worker.ports.notion import BoardAdmin, BoardReader

LAYOUT = (
    "column_list",
    "column",
    "toggle",
    "callout",
    "synced_block",
    "heading_1",
    "heading_2",
    "heading_3",
    "tab",
)
DEPTH = 4
DEFAULT_VIEW = "Default view"

Progress = Callable[[str, int, int], None]


def _silent(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""


# -- making ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Roots:
    """The pages under which the data sources stand; `private` may be empty."""

    public: str
    private: str = ""

    def of(self, source: Source) -> str:
        """Return the page of a data source."""
        return self.private if source.private else self.public

    def parts(self, schema: Schema) -> Iterator[tuple[Schema, str]]:
        """Yield the data sources that can be there, by page."""
        yield schema.part(private=False), self.public
        if self.private:
            yield schema.part(private=True), self.private

    def available(self, schema: Schema) -> Schema:
        """Return the schema as far as there is a page for it."""
        return schema if self.private else schema.part(private=False)


def create_workspace(
    notion: BoardAdmin,
    schema: Schema,
    *,
    parent_page_id: str,
    locale: str,
    private_page_id: str = "",
    known: Bindings | None = None,
    progress: Progress = _silent,
) -> Bindings:
    """Create under a page whatever of the schema is not there yet, and return how the workspace carries it.

    Private data sources are made under the page `private_page_id` and left out when there is none. What is `known` is
    recognised by id, whatever its name. `progress` hears step, done and total. Raises the API errors, and `ConfigError`
    when several databases could be meant; running it again goes on where it stopped.
    """
    roots = _Roots(parent_page_id, private_page_id)
    recognised = _recognise_all(notion, schema, roots, locale=locale, known=known or {})
    if recognised.doubtful:
        raise ConfigError(_doubts(schema, recognised, locale))
    lost = [
        _absent(source, locale, root=roots.of(source))
        for name, source in schema.sources.items()
        if source.board and name not in recognised.data_sources
    ]
    if lost:
        raise ConfigError(lost)
    build = _Build(notion, roots.available(schema), locale, progress, known or {})
    build.adopt(recognised.data_sources)
    build.create_databases(roots)
    build.relate()
    build.finish()
    bindings = dict(build.bindings())
    for done, (name, binding) in enumerate(bindings.items()):
        progress("views", done, len(bindings))
        if schema.sources[name].board:
            continue  # An agency's own board keeps the views it has.
        views = _make_views(notion, schema.sources[name], binding, locale)
        bindings[name] = replace(binding, views=views)
    progress("views", len(bindings), len(bindings))
    return bindings


@dataclass(slots=True)
class _Build:
    """A workspace in the making: `data_sources` holds those so far by logical name."""

    notion: BoardAdmin
    schema: Schema
    locale: str
    progress: Progress
    known: Bindings
    data_sources: dict[str, DataSource] = field(default_factory=dict)
    _renames: dict[str, dict[str, Json]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def adopt(self, data_sources: Mapping[str, DataSource]) -> None:
        """Take what stands there already, adding its missing properties and options."""
        # A board that plays several parts gets the columns of each, one part after the other.
        latest = {raw.id: raw for raw in data_sources.values()}
        for name, first in data_sources.items():
            source = self.schema.sources[name]
            raw = latest[first.id]
            bound = self._bind(source, raw)
            missing = _missing(source, raw, bound, self.locale, technical=False)
            if missing:
                latest[raw.id] = self._change(raw.id, missing)
        self.data_sources |= {
            name: latest[raw.id] for name, raw in data_sources.items()
        }

    def create_databases(self, roots: _Roots) -> None:
        """Create the databases that are not there, without their relations."""
        absent = [
            source
            for name, source in self.schema.sources.items()
            if name not in self.data_sources
        ]
        for done, source in enumerate(absent):
            self.progress("databases", done, len(absent))
            made = self.notion.create_database(
                database_body(
                    source, parent_page_id=roots.of(source), locale=self.locale
                )
            )
            self.data_sources[source.name] = self.notion.data_source(
                made.data_sources[0].id
            )
        self.progress("databases", len(absent), len(absent))

    def relate(self) -> None:
        """Create the missing relations; of a pair, the side declared first makes the other, which is then renamed."""
        made = set(self._half_made())
        for done, (name, source) in enumerate(self.schema.sources.items()):
            self.progress("relations", done, len(self.schema.sources))
            wanted = [
                prop
                for prop in self._unrelated(source)
                if (name, prop.name) not in made
            ]
            wanted = [prop for prop in wanted if not _made_by_sibling(prop, wanted)]
            made |= {(prop.target, prop.mirror) for prop in wanted if prop.mirror}
            if wanted:
                self._add_relations(source, wanted)
        for name, changes in self._renames.items():
            self._change(self.data_sources[name].id, changes)
        self.progress("relations", len(self.schema.sources), len(self.schema.sources))

    def _half_made(self) -> Iterator[tuple[str, str]]:
        """Yield the mirrors that stand without their own label: made by a run that was cut off before it renamed them.
        What a person called one is left to them."""
        for name, source in self.schema.sources.items():
            columns = read_columns(self.data_sources[name]).by_id
            present = self._bind(source, self.data_sources[name]).properties
            for prop in source.properties.values():
                column = columns.get(present.get(prop.name, ""))
                if not prop.mirror or column is None or column.relation is None:
                    continue
                if not self._lacks_label(prop, column.relation):
                    continue
                yield prop.target, prop.mirror
                label = f"({prop.label[self.locale]})"
                mirror = column.relation.dual_property
                if mirror and (mirror.synced_property_name or "").endswith(label):
                    self._plan_rename(prop, column)

    def _lacks_label(self, prop: Property, relation: Target) -> bool:
        """Tell whether the mirror of a relation is there, and none of the properties we know."""
        target = self.data_sources[prop.target]
        mirror = relation.dual_property
        if mirror is None or relation.data_source_id != target.id:
            return False
        bound = self._bind(self.schema.sources[prop.target], target).properties
        is_there = mirror.synced_property_id in read_columns(target).by_id
        return is_there and prop.mirror not in bound

    def _unrelated(self, source: Source) -> list[Property]:
        """Return the relations that are not there, and those whose mirror is gone."""
        binding = self._bind(source, self.data_sources[source.name])
        columns = read_columns(self.data_sources[source.name])
        missing = []
        for prop in source.properties.values():
            if prop.type != "relation" or prop.left_out:
                continue
            if prop.target not in self.data_sources:
                continue
            raw = columns.by_id.get(binding.properties.get(prop.name, ""))
            taken = columns.has_name(prop.label[self.locale])
            if (raw is None and not taken) or (
                raw is not None and prop.mirror and _is_single(raw)
            ):
                missing.append(prop)
        return missing

    def _add_relations(self, source: Source, wanted: list[Property]) -> None:
        present = self._bind(source, self.data_sources[source.name]).properties
        changes = {
            present.get(prop.name, prop.label[self.locale]): relation_config(
                prop, self.data_sources[prop.target].id
            )
            for prop in wanted
        }
        answer = read_columns(self._change(self.data_sources[source.name].id, changes))
        for prop in wanted:
            by_name = answer.by_name.get(prop.label[self.locale].casefold())
            raw = (
                answer.by_id.get(present[prop.name])
                if prop.name in present
                else by_name
            )
            if raw is not None:
                self._plan_rename(prop, raw)

    def _plan_rename(self, prop: Property, column: Column) -> None:
        """Note the rename of a new mirror to its own label, unless another property has that name."""
        mirror = column.relation.dual_property if column.relation else None
        if not prop.mirror or mirror is None or not mirror.synced_property_id:
            return
        label = (
            self.schema.sources[prop.target].properties[prop.mirror].label[self.locale]
        )
        if mirror.synced_property_name != label and not read_columns(
            self.data_sources[prop.target]
        ).has_name(label):
            self._renames[prop.target][mirror.synced_property_id] = {"name": label}

    def _change(
        self, data_source_id: str, properties: Mapping[str, Json]
    ) -> DataSource:
        return self.notion.update_data_source(
            data_source_id, {"properties": dict(properties)}
        )

    def _bind(self, source: Source, raw: DataSource) -> Binding:
        return bind(source, raw, locale=self.locale, known=self.known.get(source.name))[
            0
        ]

    def finish(self) -> None:
        """Read all anew and add, with one change a data source, technical columns behind all others and descriptions."""
        for name, raw in self.data_sources.items():
            source, fresh = self.schema.sources[name], self.notion.data_source(raw.id)
            bound = self._bind(source, fresh)
            changes = _missing(source, fresh, bound, self.locale, technical=True)
            changes |= _undescribed(source, fresh, bound, self.locale)
            done = self._change(raw.id, changes) if changes else fresh
            self.data_sources[name] = done

    def bindings(self) -> Bindings:
        """Return how the workspace carries the schema."""
        return {
            name: self._bind(self.schema.sources[name], raw)
            for name, raw in self.data_sources.items()
        }


def _is_single(column: Column) -> bool:
    return column.relation is not None and column.relation.type == "single_property"


def _made_by_sibling(prop: Property, wanted: list[Property]) -> bool:
    """Tell whether an earlier relation of the same source will make this one as its mirror (parent and children)."""
    earlier = wanted[: wanted.index(prop)]
    return any(
        (one.mirror, one.target) == (prop.name, prop.target) and one.name == prop.mirror
        for one in earlier
    )


def _missing(
    source: Source, raw: DataSource, binding: Binding, locale: str, *, technical: bool
) -> dict[str, Json]:
    """Return the schema changes that add missing properties, technical or other ones, and options to a data source."""
    columns = read_columns(raw)
    changes: dict[str, Json] = {}
    for prop in source.properties.values():
        if prop.type in ("relation", "title") or prop.left_out:
            continue
        if prop.technical != technical:
            continue
        property_id = binding.properties.get(prop.name)
        if property_id is None:
            if not columns.has_name(prop.label[locale]):
                made = property_config(prop, locale)
                changes[prop.label[locale]] = _as_named(made, source, raw, binding)
        elif (property_id in columns.by_id and not is_theirs(prop)) and (
            absent := [
                one for one in prop.options if one.key not in binding.options[prop.name]
            ]
        ):
            changes[property_id] = added_options(
                prop, columns.by_id[property_id], absent, locale
            )
    return changes


def _as_named(made: Json, source: Source, raw: DataSource, binding: Binding) -> Json:
    """Return a new column's schema; a formula calls the columns it counts with as they are called here."""
    if "formula" not in made:
        return made
    columns = read_columns(raw).by_id
    expression = made["formula"]["expression"]
    for name, property_id in binding.properties.items():
        if property_id in columns:
            present = f'prop("{columns[property_id].name}")'
            for label in source.properties[name].label.values():
                expression = expression.replace(f'prop("{label}")', present)
    return {**made, "formula": {"expression": expression}}


def _undescribed(
    source: Source, raw: DataSource, binding: Binding, locale: str
) -> dict[str, Json]:
    """Return the schema changes that describe columns without a description; one that is there may be a person's."""
    columns = read_columns(raw).by_id
    changes = {}
    for name, property_id in binding.properties.items():
        prop, column = source.properties[name], columns.get(property_id)
        is_ours = prop.owner is not Owner.HUMAN and not prop.is_own
        is_told = is_ours and bool(prop.told(locale))
        if is_told and column is not None and not column.description:
            changes[property_id] = added_description(prop, column, locale)
    return changes


def _make_views(
    notion: BoardAdmin, source: Source, binding: Binding, locale: str
) -> dict[str, str]:
    """Create the views that are not there, in order, and return the ids of all by English name; the automatic table
    becomes the first table."""
    present = notion.views(database_id=binding.database_id)
    named = {(view.type, view.name.casefold()): view for view in present}
    spare = [
        view for view in present if view.name == DEFAULT_VIEW and view.type == "table"
    ]
    before = ""
    made: dict[str, str] = {}
    for view in source.views:
        body = view_body(view, source, binding, locale=locale)
        if body is None:
            continue
        notion_view = next(
            (named[key] for key in _view_names(view) if key in named), None
        )
        if notion_view is None and view.type == "table" and spare:
            notion_view = notion.update_view(
                spare.pop().id, {key: body[key] for key in body if key != "type"}
            )
        elif notion_view is None:
            notion_view = notion.create_view(
                {
                    "database_id": binding.database_id,
                    "data_source_id": binding.data_source_id,
                    **body,
                    "position": _position(before),
                }
            )
        before = notion_view.id
        made[view.label["en"]] = notion_view.id
    return made


def _view_names(view: View) -> Iterator[tuple[str, str]]:
    for name in view.names():
        yield view.type, name.casefold()


def _position(before: str) -> Json:
    return {"type": "after_view", "view_id": before} if before else {"type": "start"}


# -- recognising -------------------------------------------------------------------------------------------------------


def read_bindings(
    notion: BoardReader,
    schema: Schema,
    *,
    root_page_id: str,
    locale: str,
    known: Bindings,
    private_root_page_id: str = "",
    width: int = 1,
) -> tuple[Bindings, tuple[Problem, ...]]:
    """Return how the workspace carries the schema now, and all that does not fit.

    Known data sources are read by id wherever they stand, `width` at a time; others are looked for by title under the root page, then by
    search. Private ones are looked for under the private root page alone. A source that is not found, or of which it is
    not clear which it is, is absent from the bindings. Raises the API errors.
    """
    roots = _Roots(root_page_id, private_root_page_id)
    recognised = _recognise_all(
        notion, schema, roots, locale=locale, known=known, width=width
    )
    data_sources = recognised.data_sources
    bindings: dict[str, Binding] = {}
    problems = _doubts(schema, recognised, locale)
    problems += [
        _absent(source, locale, root=roots.of(source))
        for name, source in schema.sources.items()
        if name not in data_sources and name not in recognised.doubtful
    ]
    for name in schema.sources:
        if name in data_sources:
            bindings[name], complaints = bind(
                schema.sources[name],
                data_sources[name],
                locale=locale,
                known=known.get(name),
            )
            problems += [
                one
                for one in complaints
                if not _leads_nowhere(schema.sources[name], one.field, data_sources)
            ]
    for name in bindings:
        bindings[name], astray = _check_targets(
            schema.sources[name], bindings[name], data_sources, bindings, locale=locale
        )
        problems += astray
    return bindings, tuple(problems)


def _leads_nowhere(
    source: Source, field: str, data_sources: Mapping[str, DataSource]
) -> bool:
    """Tell whether a column is a relation to a board that is not shown: then Notion does not show the column either, and
    the board itself is told (docs/facts/notion-api.md 3.8)."""
    prop = source.properties.get(field)
    return (
        prop is not None and prop.type == "relation" and prop.target not in data_sources
    )


def _read_known(
    notion: BoardReader, source: Source, binding: Binding | None
) -> DataSource | None:
    """Return the board that the overlay names for a part, else the one it was bound to."""
    known_id = binding.data_source_id if binding else ""
    identity = source.board or known_id
    if not identity:
        return None
    try:
        raw = notion.data_source(identity)
    except Missing:
        return None
    return None if raw.is_gone else raw


@dataclass(frozen=True, slots=True)
class _Recognised:
    """The data sources by logical name, and where several could be meant, those."""

    data_sources: dict[str, DataSource] = field(default_factory=dict)
    doubtful: dict[str, list[DataSource]] = field(default_factory=dict)


def _recognise_all(
    notion: BoardReader,
    schema: Schema,
    roots: _Roots,
    *,
    locale: str,
    known: Bindings,
    width: int = 1,
) -> _Recognised:
    every = _Recognised()
    for part, root in roots.parts(schema):
        if part.sources:
            standing = _read_all_known(notion, part, known, width=width)
            _recognise(notion, part, every, standing, root_page_id=root, locale=locale)
    return every


def _read_all_known(
    notion: BoardReader, schema: Schema, known: Bindings, *, width: int
) -> dict[str, DataSource]:
    """Return the data sources that are known and stand, by logical name, read `width` at a time."""

    def read(name: str) -> DataSource | None:
        return _read_known(notion, schema.sources[name], known.get(name))

    names = list(schema.sources)
    if width == 1:
        read_ones = list(map(read, names))
    else:
        make_ready()
        with ThreadPoolExecutor(width, thread_name_prefix="schema") as pool:
            read_ones = list(pool.map(read, names))
    return {
        name: raw for name, raw in zip(names, read_ones, strict=True) if raw is not None
    }


def _recognise(
    notion: BoardReader,
    schema: Schema,
    recognised: _Recognised,
    data_sources: dict[str, DataSource],
    *,
    root_page_id: str,
    locale: str,
) -> None:
    """Add the data sources of a part: those that are known and stand, others by title on the root page or below it."""
    taken = {raw.id for raw in data_sources.values()}
    for look in (list_data_sources, _search):
        absent = [
            source
            for name, source in schema.sources.items()
            if name not in data_sources
            and name not in recognised.doubtful
            and not source.board
        ]
        listed = (
            [raw for raw in look(notion, root_page_id) if raw.id not in taken]
            if absent
            else []
        )
        for source in absent:
            match find_sources(source, listed, locale):
                case [raw]:
                    data_sources[source.name] = raw
                case [_, _, *_] as several:
                    recognised.doubtful[source.name] = several
    recognised.data_sources.update(data_sources)


def _doubts(schema: Schema, recognised: _Recognised, locale: str) -> list[Problem]:
    """Return a problem for each data source that could be one of several."""
    problems = []
    for name, several in recognised.doubtful.items():
        source = schema.sources[name]
        places = [raw.url or raw.id for raw in several]
        problems.append(
            Problem(
                code=Code.SEVERAL_BOARDS,
                where=literal(source.title.get(locale, name)),
                message=tell(
                    "{count} databases under the root page have this title: {places}",
                    count=len(several),
                    places=", ".join(places),
                ),
                hint=tell(
                    "rename those that are not meant, or move them away; until then the rules that need it are off"
                ),
                url=several[0].url or "",
                severity=Severity.ERROR,
            )
        )
    return problems


def list_data_sources(
    notion: BoardReader, page_id: str, depth: int = DEPTH
) -> Iterator[DataSource]:
    """Yield the data sources of the databases in a page's body, also inside columns, toggles and the like."""
    for block in notion.children(page_id):
        if block.get("in_trash") or block.get("archived"):
            continue
        if block["type"] == "child_database":
            yield from _data_sources_of(notion, block["id"])
        elif depth and block.get("has_children") and block["type"] in LAYOUT:
            yield from list_data_sources(notion, block["id"], depth - 1)


def _data_sources_of(notion: BoardReader, database_id: str) -> Iterable[DataSource]:
    try:
        return [
            notion.data_source(one.id)
            for one in notion.database(database_id).data_sources
        ]
    except Missing:  # a linked view of a database that is not shared with us
        return []


def _search(notion: BoardReader, root_page_id: str) -> Iterator[DataSource]:
    """Yield the data sources that stand on pages below the root page, in full: search may leave out properties."""
    for hit in notion.search("", kind="data_source"):
        if _stands_below(notion, hit.database_parent, root_page_id):
            yield notion.data_source(hit.id)


def _stands_below(
    notion: BoardReader, parent: Parent | None, root_page_id: str
) -> bool:
    for _ in range(DEPTH):
        page_id = parent.page_id if parent else None
        if page_id is None:
            return False
        if _plain(page_id) == _plain(root_page_id):
            return True
        try:
            parent = notion.page(page_id).parent
        except Missing:
            return False
    return False


def _plain(identity: str) -> str:
    return identity.replace("-", "").lower()


def _absent(source: Source, locale: str, *, root: str) -> Problem:
    if not root:
        return Problem(
            code=Code.SCHEMA_PRIVATE,
            where=literal(source.title.get(locale, source.name)),
            message=tell(
                "there is no private root page, the rules that need this database are off"
            ),
            hint=tell(
                "make a page that only the right people share, share it with the connection and set "
                "`notion.private_root_page_id`"
            ),
            severity=Severity.INFO,
        )
    return Problem(
        code=Code.SCHEMA_SOURCE,
        where=literal(source.title.get(locale, source.name)),
        message=tell(
            "there is no such database under the root page, the rules that need it are off"
        ),
        hint=tell(
            "share it with the connection, move it under the root page, or run `rayline init` to create "
            "it"
        ),
        severity=Severity.WARNING,
    )


def _check_targets(
    source: Source,
    binding: Binding,
    data_sources: Mapping[str, DataSource],
    bindings: Bindings,
    *,
    locale: str,
) -> tuple[Binding, list[Problem]]:
    """Return the binding without relations that lead to other data sources than the schema's."""
    columns = read_columns(data_sources[source.name]).by_id
    astray = [
        prop
        for name, property_id in binding.properties.items()
        if (prop := source.properties[name]).type == "relation"
        and property_id in columns
        and _target(columns[property_id])
        != getattr(bindings.get(prop.target), "data_source_id", None)
    ]
    kept = {
        name: property_id
        for name, property_id in binding.properties.items()
        if name not in {prop.name for prop in astray}
    }
    problems = [
        Problem(
            code=Code.SCHEMA_RETYPED,
            where=literal(source.title.get(locale, source.name)),
            field=prop.name,
            message=tell(
                "the relation “{label}” does not lead to the database of {target}",
                label=prop.label.get(locale),
                target=prop.target,
            ),
            hint=tell("point it there, or rename it and run `rayline init`"),
            url=data_sources[source.name].url or "",
        )
        for prop in astray
        if prop.target in bindings
    ]
    return replace(binding, properties=kept), problems


def _target(column: Column) -> str:
    return column.relation.data_source_id if column.relation else ""
