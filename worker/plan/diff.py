"""From facts to a plan: what the rules want, compared with what stands in Notion and with what we last wrote.

**Planting a row among people's** (a card from a revolution or from an accepted idea): a source file that says
`seeded = true` and has a `worker_key` lets a rule state facts on `Ref(source, "<kind>:<what>:<subject>")`, a key with a
colon, which no page id has. The first time the row is created with all of them, people's fields included; from then on
it is people's. Facts on the key are silently void for ever after, whether the row stands, was changed, or was thrown
away, since the journal keeps the key; so a rule may state them on every run. A relation may point to the key: it means
the row's page. `World.seeds` gives the page's ref by the key's, for reading what became of it. The worker's own fields
of such a row follow in the cycle's second round, which reads it like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from worker.codecs.notion import canonicalize, loss
from worker.domain import document
from worker.domain.entities import Row
from worker.domain.messages import NOTHING, literal, tell
from worker.domain.values import UNSET, Ref, Unset, Value
from worker.errors import Code, Problem, Severity, in_words
from worker.mapping.schema import (
    KEY_PROPERTY,
    Binding,
    Bindings,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.plan.facts import Fact, PageFact
from worker.plan.merge import Verdict, decide, is_empty, last_written
from worker.plan.outdated import Tidying, plan_outdated
from worker.plan.plan import Adopted, Change, FieldChange, Kept, Kind, Plan
from worker.plan.refusals import is_same, place_of, problems_of, unpack
from worker.plan.surplus import holds_more
from worker.world.world import CLIENT_PAGES, Place, World

Cells = Mapping[tuple[str, str], Value]
Wanted = Mapping[Ref, Mapping[str, Fact]]
Unread = Mapping[str, AbstractSet[str]]

SECTION = "§"
"""The field under which the digest of a page's section has its base."""
_WRITES = (Verdict.WRITE, Verdict.DRIFT)
_KIND_ORDER = {kind: order for order, kind in enumerate(Kind)}
_NO_CELLS: Cells = MappingProxyType({})
_NO_PAGES: Mapping[Ref, str] = MappingProxyType({})
_NO_REFS: Mapping[Ref, Ref] = MappingProxyType({})
_NOTHING_SENT: Mapping[Ref, Mapping[str, Value]] = MappingProxyType({})
_ALL_READ: Unread = MappingProxyType({})
_NOTHING_OLD = Tidying()


class Written(msgspec.Struct, frozen=True, gc=False):
    """What the state knows of earlier writes.

    `bases` holds what was last written by (page id, field), `attempted` what was tried without an answer; `ours` is the
    page of every key the journal has, `made` every page it proves we created; `held` are rows that are not to be made,
    `unsettled` those of which nobody knows yet whether they were, with what they were sent with; `tidying` names those
    that may be archived.
    """

    bases: Cells = _NO_CELLS
    attempted: Cells = _NO_CELLS
    ours: Mapping[Ref, str] = _NO_PAGES
    made: AbstractSet[str] = frozenset()
    held: AbstractSet[Ref] = frozenset()
    unsettled: Mapping[Ref, Mapping[str, Value]] = _NOTHING_SENT
    tidying: Tidying = _NOTHING_OLD


@dataclass(slots=True)
class _Draft:
    """The plan being gathered."""

    changes: list[Change] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)


class _DiffInputs(msgspec.Struct, frozen=True, gc=False):
    """All that deciding on one row needs, with rows indexed by ref (the canonical one of each)."""

    world: World
    schema: Schema
    bindings: Bindings
    bases: Cells
    attempted: Cells
    ours: Mapping[Ref, str]
    rows: Mapping[Ref, Row]
    wanted: Wanted
    draft: _Draft
    unread: Unread
    insists: bool = False
    held: AbstractSet[Ref] = frozenset()
    unkeyed: Mapping[Ref, Ref] = _NO_REFS
    """Rows of ours as they are read while the key column of their board is gone: by their pages, as people's are."""
    copied: AbstractSet[Ref] = frozenset()
    """Refs of which a copy that somebody made is read. Where our own row is not, nothing can lead to it."""
    unsettled: Mapping[Ref, Mapping[str, Value]] = _NOTHING_SENT

    def is_unread(self, ref: Ref, page_id: str) -> bool:
        """Tell whether a page is there but could not be read: what stands in it now is not known."""
        return page_id in self.unread.get(ref.source, ())

    def may_hide(self, source: str) -> bool:
        """Tell whether a row that could not be read may be one of ours that nothing else knows of."""
        unread = self.unread.get(source)
        if not unread:
            return False
        strange = unread - {*self.ours.values()}
        return bool(strange - {row.page_id for row in self.rows.values()})

    def wants_row(self, ref: Ref) -> bool:
        """Tell whether `ref` will be a row once the plan is applied (facts on rows not read cannot tell: yes)."""
        source = self.schema.sources.get(ref.source)
        if (
            ref.source not in self.world.rows
            or source is None
            or ref in self.rows
            or ref in self.world.seeds
        ):
            return True
        return ref not in self.world.trashed | self.held | self.copied and (
            ref in self.ours
            or (
                source.has_key(ref.key)
                and ref in self.wanted
                and _creatable(self, source)
            )
        )

    def place(self, ref: Ref) -> Ref:
        """Return how a relation that is read names a row: one that was planted by its page, as soon as it has one."""
        source = self.schema.sources.get(ref.source)
        if source is None or not source.is_seed(ref.key):
            return ref
        return (
            Ref(ref.source, self.ours[ref])
            if ref in self.ours
            else self.world.seeds.get(ref, ref)
        )


def make_plan(
    world: World,
    facts: Iterable[Fact],
    schema: Schema,
    bindings: Bindings,
    written: Written,
    *,
    sections: Iterable[PageFact] = (),
    unread: Unread = _ALL_READ,
    insists: bool = False,
) -> Plan:
    """Return the plan that makes Notion say what the facts say; pure, sorted, the same for any order of facts.

    A key the journal knows but the read did not show is neither created nor changed. `unread` are page ids by source
    that are there but could not be read now: nothing is written to them, and no row is made that one of them may be.
    `insists` plans again what Notion refused before.
    """
    draft = _Draft()
    wanted = _group(facts, draft.problems)
    rows, copies = _index(world, schema, written.ours)
    inputs = _DiffInputs(
        world,
        schema,
        bindings,
        written.bases,
        written.attempted,
        written.ours,
        rows,
        wanted,
        draft,
        unread,
        insists,
        written.held,
        _find_unkeyed(schema, bindings, written.ours),
        frozenset(copy.ref for copy in copies),
        written.unsettled,
    )
    for ref, fields in wanted.items():
        _plan_row(inputs, ref, fields)
    created = {
        change.ref: change for change in draft.changes if change.kind is Kind.CREATE
    }
    for section in sections:
        _plan_section(inputs, section, created.get(section.ref))
    for copy in copies:
        _plan_copy(inputs, copy, written.made)

    def find_own(ref: Ref) -> Row | None:
        return _find_own(inputs, ref, written.made)

    draft.changes += plan_outdated(written.tidying, world, written.bases, find_own)
    return Plan(
        world.workspace,
        tuple(
            sorted(
                draft.changes,
                key=lambda change: (
                    _KIND_ORDER[change.kind],
                    change.ref,
                    change.page_id,
                ),
            )
        ),
        tuple(sorted(draft.kept, key=lambda kept: (kept.ref, kept.field))),
        tuple(sorted({in_words(one, world.words) for one in draft.problems})),
        tuple(
            sorted(draft.adopted, key=lambda adopted: (adopted.page_id, adopted.field))
        ),
    )


def _find_unkeyed(
    schema: Schema, bindings: Bindings, ours: Mapping[Ref, str]
) -> dict[Ref, Ref]:
    unkeyed = {}
    for ref, page_id in ours.items():
        source, binding = schema.sources.get(ref.source), bindings.get(ref.source)
        if source is None or binding is None or source.rows is not Rows.WORKER:
            continue
        if KEY_PROPERTY not in binding.properties:
            unkeyed[Ref(ref.source, page_id)] = ref
    return unkeyed


def _group(facts: Iterable[Fact], problems: list[Problem]) -> Wanted:
    wanted: dict[Ref, dict[str, Fact]] = defaultdict(dict)
    clashes: dict[tuple[Ref, str], set[str]] = defaultdict(set)
    for fact in facts:
        if fact.value is UNSET:
            continue
        fields = wanted[fact.ref]
        other = fields.setdefault(fact.field, fact)
        if other.value != fact.value:
            clashes[fact.ref, fact.field] |= {other.why.rule, fact.why.rule}
        elif fact.why.rule < other.why.rule:
            fields[fact.field] = fact
    for (ref, name), rules in clashes.items():
        del wanted[ref][name]
        problems.append(
            Problem(
                code=Code.RULE_CLASH,
                where=literal(ref),
                field=name,
                message=tell(
                    "the rules {rules} state different values; the field is left alone",
                    rules=", ".join(sorted(rules)),
                ),
                hint=tell("one field must have one rule"),
                severity=Severity.ERROR,
            )
        )
    return wanted


def _index(
    world: World, schema: Schema, ours: Mapping[Ref, str]
) -> tuple[dict[Ref, Row], list[Row]]:
    """Return the canonical row of every ref, and the other rows with the same key.

    Canonical is the journal's page; for a key the journal does not know (lost state), the first read.
    """
    canonical: dict[Ref, Row] = {}
    copies: list[Row] = []
    for row in (
        row
        for name, rows in world.rows.items()
        if name in schema.sources
        for row in rows
    ):
        page_id = ours.get(row.ref)
        if page_id is not None and row.page_id != page_id:
            copies.append(row)
            continue
        if canonical.setdefault(row.ref, row) is not row:
            copies.append(row)
    return canonical, copies


def known_pages(
    world: World, schema: Schema, ours: Mapping[Ref, str] = _NO_PAGES
) -> dict[Ref, str]:
    """Return the canonical page of every row that carries a Rayline key: what a lost journal can be rebuilt from."""
    rows, _ = _index(world, schema, ours)
    return {ref: row.page_id for ref, row in rows.items() if row.key} | {
        ref: page.key for ref, page in world.seeds.items()
    }


def _plan_row(inputs: _DiffInputs, ref: Ref, fields: Mapping[str, Fact]) -> None:
    source = inputs.schema.sources.get(ref.source)
    if source is None:
        inputs.draft.problems.append(
            Problem(
                code=Code.UNKNOWN_SOURCE,
                where=literal(ref),
                message=tell("there is no data source “{source}”", source=ref.source),
                severity=Severity.ERROR,
            )
        )
        return
    binding = inputs.bindings.get(ref.source)
    if (
        binding is None
        or ref.source not in inputs.world.sources
        or ref in inputs.world.trashed
    ):
        return
    stated = list(_stated(inputs, source, binding, fields=fields, ref=ref))
    row = inputs.rows.get(ref)
    if row is not None:
        if not inputs.is_unread(ref, row.page_id):
            _plan_update(inputs, row, stated)
    elif not source.has_key(ref.key):
        inputs.draft.problems.append(
            Problem(
                code=Code.MISSING_ROW,
                where=literal(ref),
                message=tell("a rule speaks of a row that is not there"),
            )
        )
    elif ref in inputs.held:
        return
    elif ref not in inputs.ours and ref not in inputs.world.seeds and stated:
        _plan_create(inputs, ref, source, stated=stated)


def _stated(
    inputs: _DiffInputs,
    source: Source,
    binding: Binding,
    *,
    fields: Mapping[str, Fact],
    ref: Ref,
) -> Iterator[tuple[Property, Fact]]:
    """Yield the facts on fields that exist, are bound and may be stated."""
    for name in sorted(fields):
        prop = source.properties.get(name)
        if (
            prop is None
            or (prop.owner is Owner.HUMAN and not source.is_seed(ref.key))
            or name == KEY_PROPERTY
        ):
            sentence = (
                tell("no such field")
                if prop is None
                else tell("the field is not the rules' to state")
            )
            inputs.draft.problems.append(
                Problem(
                    code=Code.UNSTATABLE_FIELD,
                    where=literal(ref),
                    field=name,
                    message=sentence,
                    severity=Severity.ERROR,
                )
            )
        elif name in binding.properties:
            yield prop, fields[name]


def _plan_update(
    inputs: _DiffInputs, row: Row, stated: Iterable[tuple[Property, Fact]]
) -> None:
    changed = [
        change
        for prop, fact in stated
        if (change := _plan_field(inputs, row, prop, fact=fact)) is not None
    ]
    if changed:
        inputs.draft.changes.append(
            Change(Kind.UPDATE, row.ref, row.page_id, row.title, tuple(changed))
        )


def _plan_field(
    inputs: _DiffInputs, row: Row, prop: Property, *, fact: Fact
) -> FieldChange | None:
    desired = _desired(inputs, prop, fact)
    current = row.fields.get(prop.name, UNSET)
    if desired is UNSET or current is UNSET:
        return None
    cell = (row.page_id, prop.name)
    current = _comparable(inputs, prop, current)
    recorded = _canonical(inputs, prop, inputs.bases.get(cell, UNSET))
    attempted = _canonical(inputs, prop, inputs.attempted.get(cell, UNSET))
    base = last_written(recorded, attempted, current)
    if base is UNSET:
        base = _made_with(inputs, row, prop)
    verdict = decide(prop.owner, desired, base, current)
    if verdict is Verdict.NOTHING and base != recorded:
        # A write whose answer was never seen has been made: now it is known.
        verdict = Verdict.ADOPT
    if verdict in _WRITES or current == desired:
        _tell_loss(inputs, row.ref, prop, fact=fact, title=row.title)
    if verdict is Verdict.NOTHING:
        return None
    if verdict in _WRITES:
        if _is_refused(inputs, row, prop, desired):
            return None
        return FieldChange(
            prop.name, current, desired, fact.why, drift=verdict is Verdict.DRIFT
        )
    if verdict is Verdict.ADOPT:
        inputs.draft.adopted.append(Adopted(row.page_id, prop.name, current))
    else:
        conflict = verdict is Verdict.CONFLICT
        inputs.draft.kept.append(
            Kept(row.ref, row.page_id, prop.name, current, desired, conflict)
        )
    return None


def _made_with(inputs: _DiffInputs, row: Row, prop: Property) -> Value | Unset:
    """Return what a row that is read was sent with, while its creation is not settled.

    It stands there, so this is what it was made with. What a person has emptied since is not to be filled again.
    """
    sent = inputs.unsettled.get(row.ref, {})
    if prop.owner is Owner.HUMAN:
        return UNSET
    return _canonical(inputs, prop, sent.get(prop.name, UNSET))


def _is_refused(inputs: _DiffInputs, row: Row, prop: Property, desired: Value) -> bool:
    """Tell whether Notion refused this very value before; then that is told again instead of asked again."""
    refusal = unpack(inputs.bases.get((row.page_id, place_of(prop.name)), UNSET))
    binding = inputs.bindings[row.ref.source]
    if (
        inputs.insists
        or refusal is None
        or not is_same(refusal, desired, binding, prop.name)
    ):
        return False
    inputs.draft.problems += problems_of(refusal, row.ref, prop, inputs.schema)
    return True


def _desired(inputs: _DiffInputs, prop: Property, fact: Fact) -> Value | Unset:
    return _canonical(inputs, prop, _writable(inputs, prop, fact))


def _writable(inputs: _DiffInputs, prop: Property, fact: Fact) -> Value | Unset:
    value = fact.value
    if prop.type == "relation" and isinstance(value, tuple):
        # A relation to a row that is not there can never be written, and would be planned again for ever.
        value = tuple(
            inputs.place(item)
            for item in value
            if isinstance(item, Ref) and inputs.wants_row(item)
        )
    return value


def _tell_loss(
    inputs: _DiffInputs, ref: Ref, prop: Property, *, fact: Fact, title: str
) -> None:
    """Tell what Notion's limits take from a value: what it holds looks whole."""
    value = _writable(inputs, prop, fact)
    lost = NOTHING if isinstance(value, Unset) else loss(prop, value)
    if not lost:
        return
    is_private = inputs.schema.is_private(ref.source)
    inputs.draft.problems.append(
        Problem(
            code=Code.VALUE_CUT,
            where=literal(ref),
            field=prop.name,
            message=tell(
                "{field} of “{title}” {fault}",
                field=prop.label,
                title=ref.key if is_private else title,
                fault=lost,
            ),
            hint=tell(
                "the first in their order are kept; `rayline explain {ref}` tells of what the value is made",
                ref=f"{ref}#{prop.name}",
            ),
        )
    )


def _canonical(
    inputs: _DiffInputs, prop: Property, value: Value | Unset
) -> Value | Unset:
    return value if value is UNSET else _comparable(inputs, prop, value)


def _comparable(inputs: _DiffInputs, prop: Property, value: Value) -> Value:
    """Return a value in canonical form. Rows of ours go by their refs in it, also while the key column of their board is
    gone and they are read by their pages."""
    if inputs.unkeyed and prop.type == "relation" and isinstance(value, tuple):
        refs = (item for item in value if isinstance(item, Ref))
        value = tuple(inputs.unkeyed.get(ref, ref) for ref in refs)
    return canonicalize(prop, value)


def _plan_create(
    inputs: _DiffInputs,
    ref: Ref,
    source: Source,
    *,
    stated: Iterable[tuple[Property, Fact]],
) -> None:
    if inputs.may_hide(source.name):
        inputs.draft.problems.append(
            Problem(
                code=Code.UNREADABLE_KEY,
                where=tell("{source}", source=source.title),
                field=KEY_PROPERTY,
                message=tell(
                    "no row is made while one that is there cannot be read: it may be the same"
                ),
                hint=tell("mend the row, then the next run makes what is missing"),
            )
        )
        return
    if not _creatable(inputs, source):
        inputs.draft.problems.append(
            Problem(
                code=Code.UNBOUND_KEY,
                where=literal(source.name),
                field=KEY_PROPERTY,
                message=tell("rows cannot be created without the Rayline key property"),
                hint=tell("run `rayline check` to see how to restore it"),
                severity=Severity.ERROR,
            )
        )
        return
    fields = []
    title = ref.key
    for prop, fact in stated:
        value = _desired(inputs, prop, fact)
        if isinstance(value, Unset) or is_empty(value):
            continue
        fields.append(FieldChange(prop.name, None, value, fact.why))
        if prop.type == "title":
            title = str(value)
    for prop, fact in stated:
        _tell_loss(inputs, ref, prop, fact=fact, title=title)
    inputs.draft.changes.append(Change(Kind.CREATE, ref, "", title, tuple(fields)))


def _creatable(inputs: _DiffInputs, source: Source) -> bool:
    binding = inputs.bindings.get(source.name)
    return (
        binding is not None
        and KEY_PROPERTY in binding.properties
        and source.name in inputs.world.sources
        and not inputs.may_hide(source.name)
    )


def _plan_section(
    inputs: _DiffInputs, section: PageFact, created: Change | None
) -> None:
    """Plan a section that is not what was last written; a row that this plan creates gets one too."""
    if section.outside:
        standing = _page_outside(inputs, section)
        blocks = section.blocks
    else:
        standing = inputs.world.places.get(section.ref) or _row_of(
            inputs, section.ref, created
        )
        blocks = document.mark(section.blocks, inputs.world.words)
    if standing is None:
        return
    ref, page_id, title = section.ref, standing.page_id, standing.title
    base = inputs.bases.get((page_id, SECTION))
    is_whole = base is not None and (page_id, SECTION) not in inputs.attempted
    if not (is_whole and (section.settled or base == document.digest(blocks))):
        inputs.draft.changes.append(
            Change(Kind.SECTION, ref, page_id, title, blocks=blocks)
        )


def _page_outside(
    inputs: _DiffInputs, section: PageFact
) -> Row | Place | Change | None:
    """Return the page that is made for people outside, standing or to be made; None for one that a person threw away.

    The row of an earlier release goes on: its address may be in the client's hands.
    """
    former = section.former
    if former is not None and former not in inputs.world.trashed:
        if former in inputs.rows:
            return _row_of(inputs, former, None)
        if former in inputs.ours:
            return None  # it was not read now
    if section.ref in inputs.ours:
        if section.ref in inputs.world.trashed:
            return None
        return Place(inputs.ours[section.ref], section.title)
    if CLIENT_PAGES in inputs.world.trashed:
        return None
    folder = inputs.world.words.say("Pages for clients")
    _make_place(inputs, CLIENT_PAGES, folder)
    return _make_place(inputs, section.ref, section.title)


def _make_place(inputs: _DiffInputs, ref: Ref, title: str) -> Change:
    """Plan a page that is no row, unless it stands or is planned."""
    change = Change(Kind.CREATE, ref, "", title)
    if ref not in inputs.ours and change not in inputs.draft.changes:
        inputs.draft.changes.append(change)
    return change


def _row_of(
    inputs: _DiffInputs, ref: Ref, created: Change | None
) -> Row | Change | None:
    """Return the row that a section may be written into now, standing or to be created by this plan."""
    row = inputs.rows.get(ref)
    is_bound = ref.source in inputs.bindings and ref.source in inputs.world.sources
    if not is_bound or ref in inputs.world.trashed:
        return None
    if row is not None and inputs.is_unread(ref, row.page_id):
        return None
    return row or created


def _plan_copy(inputs: _DiffInputs, copy: Row, made: AbstractSet[str]) -> None:
    """Archive a surplus row the journal proves we created; leave one that people wrote in, and any other copy, alone
    and say so."""
    if inputs.is_unread(copy.ref, copy.page_id):
        return
    if (
        copy.page_id in made
        and copy.ref in inputs.rows
        and copy.ref not in inputs.world.trashed
        and not _is_peoples(inputs, copy, inputs.rows[copy.ref])
    ):
        inputs.draft.changes.append(
            Change(Kind.ARCHIVE, copy.ref, copy.page_id, copy.title, surplus=True)
        )
        return
    if any(
        problem.code == Code.DUPLICATE_KEY and problem.url == copy.url
        for problem in inputs.world.problems
    ):
        return
    inputs.draft.problems.append(
        Problem(
            code=Code.DUPLICATE_KEY,
            where=literal(copy.ref),
            field=KEY_PROPERTY,
            message=tell(
                "“{title}” carries the Rayline key of another row; it was not changed",
                title=copy.title,
            ),
            hint=tell("clear its Rayline key to keep it as your own row, or delete it"),
            url=copy.url,
        )
    )


def _find_own(inputs: _DiffInputs, ref: Ref, made: AbstractSet[str]) -> Row | None:
    """Return the row of a ref where we made it, nothing is said of it any more, and nobody wrote into its cells."""
    row = inputs.rows.get(ref)
    if row is None or ref in inputs.wanted or row.page_id not in made:
        return None
    is_strange = inputs.is_unread(ref, row.page_id) or _is_peoples(inputs, row, None)
    return None if is_strange else row


def _is_peoples(inputs: _DiffInputs, row: Row, standing: Row | None) -> bool:
    """Tell whether a row holds what is people's and the row that stands for its key, if any, does not."""

    def of_page(cells: Cells) -> dict[str, Value]:
        return {
            name: value
            for (page_id, name), value in cells.items()
            if page_id == row.page_id
        }

    source = inputs.schema.sources[row.ref.source]
    binding = inputs.bindings.get(row.ref.source)
    return binding is None or holds_more(
        row,
        standing,
        source,
        binding,
        written=of_page(inputs.bases),
        attempted=of_page(inputs.attempted),
    )
