"""Worlds and facts by value, and the plan expected of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.effort import count_calls
from worker.config import Thresholds
from worker.domain.document import Bullet, Heading
from worker.domain.entities import Row
from worker.domain.messages import literal
from worker.domain.values import UNSET, Ref, Span, Unset, Value
from worker.domain.words import Words
from worker.errors import Code, Problem, RenderedProblem, Severity
from worker.mapping.schema import (
    KEY_PROPERTY,
    Binding,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.plan.diff import Written, known_pages, make_plan
from worker.plan.facts import Fact, Input, PageFact, Why
from worker.plan.plan import (
    Adopted,
    Change,
    FieldChange,
    Kept,
    Kind,
    Plan,
    decode,
    from_data,
    to_data,
    write_json,
)
from worker.world.world import World

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CLIENT, OTHER = Ref("clients", "c1"), Ref("clients", "c2")
RISK, TASK = Ref("risks", "risk:late:c1"), Ref("tasks", "task:ray:c1")


def _source(name: str, rows: Rows, *properties: tuple[str, str, Owner]) -> Source:
    return Source(
        name,
        rows,
        {"en": name},
        "",
        {
            prop: Property(
                prop,
                kind,
                owner,
                {"en": prop},
                target="tasks" if kind == "relation" else "",
            )
            for prop, kind, owner in properties
        },
    )


SCHEMA = Schema(
    {
        source.name: source
        for source in (
            _source(
                "clients",
                Rows.PEOPLE,
                ("name", "title", Owner.HUMAN),
                ("health", "select", Owner.WORKER),
                ("score", "number", Owner.WORKER),
                ("due", "date", Owner.SHARED),
                ("next", "relation", Owner.WORKER),
            ),
            _source(
                "risks",
                Rows.WORKER,
                ("name", "title", Owner.WORKER),
                ("probability", "number", Owner.SHARED),
                ("steps", "rich_text", Owner.SEED),
                ("score", "number", Owner.WORKER),
                (KEY_PROPERTY, "rich_text", Owner.WORKER),
            ),
            _source(
                "tasks",
                Rows.WORKER,
                ("name", "title", Owner.SEED),
                (KEY_PROPERTY, "rich_text", Owner.WORKER),
            ),
        )
    }
)
BINDINGS = {
    name: Binding(name, "db", "ds", {prop: f"id-{prop}" for prop in source.properties})
    for name, source in SCHEMA.sources.items()
}


def _row(ref: Ref, page_id: str = "", *, age: int = 0, **fields: Value) -> Row:
    people = SCHEMA.sources[ref.source].rows is Rows.PEOPLE
    empty: dict[str, Value] = dict.fromkeys(SCHEMA.sources[ref.source].properties)
    page = page_id or (ref.key if people else f"page of {ref.key}")
    return Row(
        ref,
        page,
        "" if people else ref.key,
        str(fields.get("name", "")),
        f"https://notion.test/{page}",
        NOW - timedelta(days=age),
        NOW,
        "",
        {**empty, **fields},
    )


def _world(*rows: Row, **extra: Any) -> World:
    by_source = {
        name: tuple(row for row in rows if row.ref.source == name)
        for name in SCHEMA.sources
    }
    return World(
        "main",
        NOW,
        NOW.date(),
        Thresholds(),
        Words(),
        **{"sources": frozenset(SCHEMA.sources), "rows": by_source, **extra},
    )


def _fact(ref: Ref, field: str, value: Value | Unset, rule: str = "rule") -> Fact:
    return Fact(ref, field, value, Why(rule))


def _plan(
    world: World,
    *facts: Fact,
    bases: Mapping[tuple[str, str], Value] | None = None,
    **extra: Any,
) -> Plan:
    known = {
        name: extra.pop(name) for name in ("attempted", "ours", "made") if name in extra
    }
    return make_plan(
        world,
        facts,
        SCHEMA,
        extra.pop("bindings", BINDINGS),
        Written(bases or {}, **known),
        **extra,
    )


def _change(
    field: str, before: Value, after: Value, *, drift: bool = False
) -> FieldChange:
    return FieldChange(field, before, after, Why("rule"), drift)


def test_a_row_gets_one_update_with_only_the_fields_that_differ() -> None:
    plan = _plan(
        _world(_row(CLIENT, name="Нептун", health="red", score=Decimal(40))),
        _fact(CLIENT, "health", "red"),
        _fact(CLIENT, "score", Decimal(45)),
        _fact(CLIENT, "due", NOW.date()),
    )
    assert plan.changes == (
        Change(
            Kind.UPDATE,
            CLIENT,
            "c1",
            "Нептун",
            (
                _change("due", None, NOW.date()),
                _change("score", Decimal(40), Decimal(45)),
            ),
        ),
    )
    assert plan.adopted == (Adopted("c1", "health", "red"),)


def test_values_that_notion_would_store_alike_are_not_written() -> None:
    world = _world(
        _row(CLIENT, score=Decimal("0.5"), next=(TASK, RISK)), _row(TASK), _row(RISK)
    )
    plan = _plan(
        world,
        _fact(CLIENT, "score", Decimal("0.50000000000000000000001")),
        _fact(CLIENT, "next", (RISK, TASK, TASK)),
        _fact(CLIENT, "health", ""),
    )
    assert plan.changes == ()


def test_an_unknown_key_is_created_whole_with_seeds_and_without_empty_fields() -> None:
    plan = _plan(
        _world(),
        _fact(RISK, "name", "Late"),
        _fact(RISK, "probability", Decimal("0.3")),
        _fact(RISK, "steps", "call"),
        _fact(RISK, "score", None),
    )
    assert plan.changes == (
        Change(
            Kind.CREATE,
            RISK,
            "",
            "Late",
            (
                _change("name", None, "Late"),
                _change("probability", None, Decimal("0.3")),
                _change("steps", None, "call"),
            ),
        ),
    )


def test_a_people_row_that_is_not_there_is_a_problem() -> None:
    plan = _plan(_world(), _fact(CLIENT, "health", "red"))
    assert (plan.changes, [problem.code for problem in plan.problems]) == (
        (),
        ["missing-row"],
    )


def test_rules_that_disagree_leave_the_field_alone_and_the_rest_goes_on() -> None:
    plan = _plan(
        _world(_row(CLIENT)),
        _fact(CLIENT, "health", "red", "b"),
        _fact(CLIENT, "health", "green", "a"),
        _fact(CLIENT, "score", Decimal(1)),
        _fact(CLIENT, "score", UNSET, "silent"),
    )
    assert [
        (problem.code, problem.field, problem.severity) for problem in plan.problems
    ] == [("rule-clash", "health", Severity.ERROR)]
    assert "a, b" in plan.problems[0].message
    assert [item.field for change in plan.changes for item in change.fields] == [
        "score"
    ]


def test_rules_that_agree_are_one_fact() -> None:
    plan = _plan(
        _world(_row(CLIENT)),
        _fact(CLIENT, "health", "red", "b"),
        _fact(CLIENT, "health", "red", "a"),
    )
    assert [item.why.rule for change in plan.changes for item in change.fields] == ["a"]
    assert plan.problems == ()


def test_trashed_rows_are_neither_created_nor_pointed_at() -> None:
    world = _world(_row(CLIENT), trashed=frozenset({RISK, TASK}))
    plan = _plan(world, _fact(RISK, "name", "Late"), _fact(CLIENT, "next", (TASK,)))
    assert plan == Plan("main", adopted=(Adopted("c1", "next", None),))


def test_a_key_of_ours_that_the_read_did_not_show_is_not_created() -> None:
    assert _plan(_world(), _fact(RISK, "name", "Late"), ours={RISK: "p1"}) == Plan(
        "main"
    )


def test_a_relation_to_a_row_created_in_the_same_plan_is_written() -> None:
    plan = _plan(
        _world(_row(CLIENT)),
        _fact(TASK, "name", "Call"),
        _fact(CLIENT, "next", (TASK,)),
    )
    assert [change.kind for change in plan.changes] == [Kind.CREATE, Kind.UPDATE]
    assert plan.changes[1].fields == (_change("next", None, (TASK,)),)


def test_a_relation_to_a_row_nobody_makes_is_left_out() -> None:
    assert _plan(_world(_row(CLIENT)), _fact(CLIENT, "next", (TASK,))).changes == ()
    unread = replace(_world(_row(CLIENT)), rows={"clients": (_row(CLIENT),)})
    assert _plan(unread, _fact(CLIENT, "next", (TASK,))).changes[0].fields == (
        _change("next", None, (TASK,)),
    )


@pytest.mark.parametrize(
    ("world", "bindings"),
    [
        (_world(_row(CLIENT), sources=frozenset({"risks"})), BINDINGS),
        (_world(_row(CLIENT)), {}),
        (
            _world(_row(CLIENT)),
            {"clients": replace(BINDINGS["clients"], properties={"name": "title"})},
        ),
    ],
)
def test_what_is_absent_or_not_bound_is_skipped(
    world: World, bindings: dict[str, Binding]
) -> None:
    assert _plan(world, _fact(CLIENT, "health", "red"), bindings=bindings) == Plan(
        "main"
    )


def test_an_unreadable_cell_is_left_alone() -> None:
    row = _row(CLIENT)
    unreadable = replace(
        row,
        fields={name: value for name, value in row.fields.items() if name != "health"},
    )
    assert _plan(_world(unreadable), _fact(CLIENT, "health", "red")) == Plan("main")


def test_no_row_is_created_where_its_key_cannot_be_written() -> None:
    bindings = {
        **BINDINGS,
        "risks": replace(BINDINGS["risks"], properties={"name": "title"}),
    }
    plan = _plan(_world(), _fact(RISK, "name", "Late"), bindings=bindings)
    assert (plan.changes, [problem.code for problem in plan.problems]) == (
        (),
        ["unbound-key"],
    )


@pytest.mark.parametrize("field", ["name", "absent", KEY_PROPERTY])
def test_rules_cannot_state_peoples_fields_unknown_ones_or_the_key(field: str) -> None:
    ref = RISK if field == KEY_PROPERTY else CLIENT
    plan = _plan(_world(_row(ref)), _fact(ref, field, "x"))
    assert (plan.changes, [problem.code for problem in plan.problems]) == (
        (),
        ["unstatable-field"],
    )


def test_a_fact_on_an_unknown_source_is_a_problem() -> None:
    assert [
        problem.code
        for problem in _plan(_world(), _fact(Ref("moon", "x"), "name", "y")).problems
    ] == ["unknown-source"]


def test_drift_keeping_and_conflict_are_told_apart() -> None:
    world = _world(
        _row(CLIENT, health="green", due=date(2026, 12, 1)),
        _row(RISK, probability=Decimal("0.9")),
    )
    page = f"page of {RISK.key}"
    plan = _plan(
        world,
        _fact(CLIENT, "health", "red"),
        _fact(CLIENT, "due", date(2026, 12, 24)),
        _fact(RISK, "probability", Decimal("0.5")),
        bases={("c1", "health"): "red", (page, "probability"): Decimal("0.3")},
    )
    assert plan.changes[0].fields == (_change("health", "green", "red", drift=True),)
    assert plan.kept == (
        Kept(
            CLIENT, "c1", "due", date(2026, 12, 1), date(2026, 12, 24), conflict=False
        ),
        Kept(RISK, page, "probability", Decimal("0.9"), Decimal("0.5"), conflict=True),
    )


def test_a_write_whose_answer_was_lost_is_ours() -> None:
    world = _world(_row(CLIENT, due=date(2026, 12, 1)))
    plan = _plan(
        world,
        _fact(CLIENT, "due", date(2026, 12, 24)),
        bases={("c1", "due"): None},
        attempted={("c1", "due"): date(2026, 12, 1)},
    )
    assert plan.changes[0].fields == (
        _change("due", date(2026, 12, 1), date(2026, 12, 24)),
    )


def test_a_write_whose_answer_was_lost_is_known_once_it_is_seen() -> None:
    value = date(2026, 12, 1)
    world = _world(_row(CLIENT, due=value))
    wanted, written = _fact(CLIENT, "due", value), {("c1", "due"): value}
    plan = _plan(world, wanted, attempted=written)
    assert (plan.changes, plan.adopted) == ((), (Adopted("c1", "due", value),))
    plan = _plan(world, wanted, bases=written, attempted=written)
    assert (plan.changes, plan.adopted) == ((), ())


def test_a_copied_row_is_reported_and_only_the_journals_page_updated() -> None:
    world = _world(
        _row(RISK, "copy", age=9, name="Late (1)"), _row(RISK, "own", name="Late")
    )
    plan = _plan(
        world, _fact(RISK, "name", "Later"), ours={RISK: "own"}, made=frozenset({"own"})
    )
    assert [(change.kind, change.page_id) for change in plan.changes] == [
        (Kind.UPDATE, "own")
    ]
    assert [(problem.code, problem.url) for problem in plan.problems] == [
        ("duplicate-key", "https://notion.test/copy")
    ]
    assert known_pages(world, SCHEMA, {RISK: "own"}) == {RISK: "own"}
    assert known_pages(world, SCHEMA) == {RISK: "copy"}


def test_a_duplicate_the_mapping_reported_is_not_reported_again() -> None:
    known = Problem(
        code=Code.DUPLICATE_KEY,
        where=literal("risks: Late (1)"),
        field=KEY_PROPERTY,
        url="https://notion.test/copy",
    )
    world = _world(_row(RISK, "own"), _row(RISK, "copy"), problems=(known,))
    assert _plan(world, _fact(RISK, "name", "Late"), ours={RISK: "own"}).problems == ()


def test_a_surplus_row_the_journal_made_is_archived() -> None:
    world = _world(_row(RISK, "own", name="Late"), _row(RISK, "surplus", name="Late"))
    plan = _plan(world, ours={RISK: "own"}, made=frozenset({"own", "surplus"}))
    assert plan == Plan(
        "main", (Change(Kind.ARCHIVE, RISK, "surplus", "Late", surplus=True),)
    )
    assert from_data(to_data(plan)) == plan


@pytest.mark.parametrize(
    ("cells", "base", "attempt", "archived"),
    [
        ({}, {}, {}, True),
        ({"probability": Decimal("0.3")}, {"probability": Decimal("0.3")}, {}, True),
        ({"probability": Decimal("0.3")}, {}, {"probability": Decimal("0.3")}, True),
        ({"probability": Decimal("0.9")}, {"probability": Decimal("0.3")}, {}, False),
        ({"probability": Decimal("0.9")}, {}, {}, False),
        ({}, {"probability": Decimal("0.3")}, {}, False),
        ({"probability": Decimal("0.7")}, {"probability": Decimal("0.3")}, {}, True),
        ({"steps": "call"}, {}, {}, False),
        ({"name": "Very late"}, {"name": "Late"}, {}, False),
        ({"name": "Late"}, {}, {}, True),
    ],
    ids=[
        "empty",
        "as written",
        "as attempted",
        "a person's",
        "never written",
        "emptied",
        "as the row that stands",
        "a seed",
        "renamed",
        "the same title",
    ],
)
def test_a_surplus_row_is_archived_only_while_it_holds_nothing_of_its_own(
    cells: dict[str, Value],
    base: dict[str, Value],
    attempt: dict[str, Value],
    *,
    archived: bool,
) -> None:
    own = _row(RISK, "own", name="Late", probability=Decimal("0.7"))
    surplus = _row(RISK, "surplus")
    plan = _plan(
        _world(own, replace(surplus, fields={**surplus.fields, **cells})),
        ours={RISK: "own"},
        made=frozenset({"own", "surplus"}),
        bases={("surplus", name): value for name, value in base.items()},
        attempted={("surplus", name): value for name, value in attempt.items()},
    )
    assert bool(plan.changes) == archived
    assert [one.code for one in plan.problems] == (
        [] if archived else ["duplicate-key"]
    )


@pytest.mark.parametrize("author", ["bot", "person"])
def test_a_surplus_row_somebody_else_edited_last_is_left_alone(author: str) -> None:
    surplus = replace(_row(RISK, "surplus"), created_by="bot", edited_by=author)
    plan = _plan(
        _world(_row(RISK, "own"), surplus),
        ours={RISK: "own"},
        made=frozenset({"own", "surplus"}),
    )
    assert bool(plan.changes) == (author == "bot")


def test_a_cell_of_a_surplus_row_that_cannot_be_read_keeps_it() -> None:
    surplus = _row(RISK, "surplus")
    fields = {name: value for name, value in surplus.fields.items() if name != "score"}
    plan = _plan(
        _world(_row(RISK, "own"), replace(surplus, fields=fields)),
        ours={RISK: "own"},
        made=frozenset({"own", "surplus"}),
    )
    assert plan.changes == ()


def test_peoples_rows_never_enter_the_journal_as_known_to_us() -> None:
    stray = replace(_row(RISK, "stray"), key="")
    world = _world(_row(CLIENT), _row(TASK, "own"), stray)
    assert known_pages(world, SCHEMA) == {TASK: "own"}


def test_what_is_kept_and_what_is_wrong_comes_in_order_whatever_came_first() -> None:
    world = _world(
        *(
            _row(ref, due=NOW.date(), probability=Decimal(1))
            for ref in (OTHER, RISK, CLIENT)
        )
    )
    later = NOW.date() + timedelta(days=1)
    facts = [
        *(_fact(ref, "due", later) for ref in (OTHER, CLIENT)),
        _fact(RISK, "probability", Decimal("0.5")),
        *(_fact(ref, "name", "x") for ref in (OTHER, CLIENT, OTHER)),
        _fact(Ref("attic", "1"), "name", "x"),
    ]
    for seed in range(6):
        Random(seed).shuffle(facts)
        plan = _plan(world, *facts)
        assert [(one.ref, one.field) for one in plan.kept] == [
            (CLIENT, "due"),
            (OTHER, "due"),
            (RISK, "probability"),
        ]
        assert [(one.code, one.where) for one in plan.problems] == [
            ("unknown-source", "attic/1"),
            ("unstatable-field", "clients/c1"),
            ("unstatable-field", "clients/c2"),
        ]


def test_what_is_adopted_comes_by_page_whatever_came_first() -> None:
    world = _world(_row(OTHER, health="red"), _row(CLIENT, health="red"))
    facts = [_fact(ref, "health", "red") for ref in (OTHER, CLIENT)]
    for order in (facts, facts[::-1]):
        assert _plan(world, *order).adopted == (
            Adopted("c1", "health", "red"),
            Adopted("c2", "health", "red"),
        )


def test_what_is_wrong_with_several_rows_alike_is_told_once() -> None:
    facts = [
        _fact(Ref("risks", f"risk:late:c{number}"), "name", "x") for number in (1, 2)
    ]
    plan = _plan(_world(), *facts, unread={"risks": frozenset({"strange"})})
    assert [one.code for one in plan.problems] == ["unreadable-key"]
    assert plan.changes == ()


@pytest.mark.parametrize(
    "without",
    [
        {"bindings": {name: one for name, one in BINDINGS.items() if name != "risks"}},
        {"sources": frozenset({"clients"})},
        {"trashed": frozenset({RISK})},
    ],
    ids=["not bound", "not read", "in the trash"],
)
def test_a_section_is_planned_only_for_a_row_that_can_have_one(
    without: dict[str, Any],
) -> None:
    section = PageFact(RISK, (Bullet("New"),), Why("rule"))
    bindings = without.pop("bindings", BINDINGS)
    plan = _plan(_world(_row(RISK), **without), sections=[section], bindings=bindings)
    assert plan.changes == ()
    whole = _plan(_world(_row(RISK)), sections=[section])
    assert [one.kind for one in whole.changes] == [Kind.SECTION]


def test_the_order_of_facts_and_rows_does_not_matter() -> None:
    facts = [
        _fact(ref, field, value)
        for ref in (RISK, TASK, Ref("risks", "z"), Ref("risks", "a"))
        for field, value in (("name", ref.key), ("probability", Decimal("0.1")))
        if field in SCHEMA.sources[ref.source].properties
    ]
    facts += [
        _fact(CLIENT, "health", "red"),
        _fact(OTHER, "health", "red"),
        _fact(CLIENT, "score", Decimal(2)),
    ]
    rows = [_row(CLIENT), _row(OTHER)]
    expected = _plan(_world(*rows), *facts)
    for seed in range(20):
        Random(seed).shuffle(facts)
        Random(seed).shuffle(rows)
        assert _plan(_world(*rows), *facts) == expected
    assert [str(change.ref) for change in expected.changes] == [
        "risks/a",
        "risks/risk:late:c1",
        "risks/z",
        "tasks/task:ray:c1",
        "clients/c1",
        "clients/c2",
    ]


def test_a_plan_survives_json_and_keeps_its_checksum() -> None:
    why = Why(
        "health",
        (Input("score", "42", "https://notion.test"),),
        "sum of weights",
        "< 50",
    )
    values: tuple[Value, ...] = (
        "Срыв 🚨",
        True,
        None,
        Decimal("-0.50"),
        date(2026, 11, 20),
        NOW,
        Span(NOW.date(), NOW.date()),
        ("a", "b"),
        (),
        (RISK, TASK),
    )
    plan = Plan(
        "main",
        (
            Change(
                Kind.UPDATE,
                CLIENT,
                "c1",
                "Нептун",
                tuple(
                    FieldChange(f"f{number}", None, value, why, drift=True)
                    for number, value in enumerate(values)
                ),
                (Heading("text"), Bullet("a", (Bullet("b"),))),
            ),
        ),
        (Kept(CLIENT, "c1", "due", NOW.date(), None, conflict=True),),
        (
            RenderedProblem(
                code="bad-date",
                where="ACME-1",
                field="due",
                message="?",
                hint="!",
                url="https://x",
                severity=Severity.INFO,
            ),
        ),
        (Adopted("c1", "x", (RISK,)),),
    )
    body = bytearray()
    checksum = write_json(plan, body.extend)
    whole = msgspec.json.encode(to_data(plan))
    assert msgspec.json.decode(body) == msgspec.json.decode(whole)
    assert checksum == plan.checksum()
    again = from_data(msgspec.json.decode(body))
    assert again == plan
    assert again.checksum() == plan.checksum() != replace(plan, changes=()).checksum()
    assert replace(plan, adopted=(), kept=()).checksum() == plan.checksum(), (
        "only writes count"
    )


def test_a_plan_counts_its_changes_by_kind() -> None:
    kinds = (Kind.CREATE, Kind.UPDATE, Kind.UPDATE, Kind.SECTION)
    plan = Plan("main", tuple(Change(kind, RISK, "", "") for kind in kinds))
    assert plan.counts() == {"create": 1, "update": 2, "archive": 0, "sections": 1}


@pytest.mark.parametrize("data", [{"moon": 1}, 5, ["x"], {}])
def test_what_is_not_an_encoded_value_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="not an encoded value"):
        decode(data)


def _compare_rows(size: int) -> int:
    """Return how many steps it takes to compare so many rows of twenty facts, one in ten of which changed."""
    names = [f"f{number:02}" for number in range(20)]
    source = _source(
        "cards",
        Rows.PEOPLE,
        ("name", "title", Owner.HUMAN),
        *((name, "number", Owner.WORKER) for name in names),
    )
    schema = Schema({"cards": source})
    refs = [Ref("cards", f"p{number:04}") for number in range(size)]
    rows = tuple(
        Row(
            ref, ref.key, "", "", "", NOW, NOW, "", {name: Decimal(7) for name in names}
        )
        for ref in refs
    )
    world = replace(_world(), sources=frozenset({"cards"}), rows={"cards": rows})
    facts = [
        _fact(ref, name, Decimal(7 if index % 10 else 8))
        for index, ref in enumerate(refs)
        for name in names
    ]
    bases = {(ref.key, name): Decimal(7) for ref in refs for name in names}
    bindings = {"cards": Binding("cards", "db", "ds", {name: name for name in names})}
    plans: list[Plan] = []
    calls = count_calls(
        lambda: plans.append(make_plan(world, facts, schema, bindings, Written(bases)))
    )
    assert len(plans[0].changes) == size // 10
    return calls


def test_rows_are_compared_in_steps_in_proportion_to_their_number() -> None:
    assert _compare_rows(1200) < 5 * _compare_rows(300)


MANY = tuple(Ref("tasks", f"task:{number:03}") for number in range(120))
CUT = [
    (CLIENT, "next", MANY, "lists 120, of which a request to Notion takes 100"),
    (CLIENT, "score", Decimal("1e400"), "is too large a number"),
    (CLIENT, "due", date(1899, 12, 31), "is a date before 1900"),
    (RISK, "steps", "x" * 200_001, "has 200001 characters"),
    (RISK, "name", "x" * 200_001, "has 200001 characters"),
]


@pytest.mark.parametrize(("ref", "field", "value", "words"), CUT)
@pytest.mark.parametrize("stands", [True, False])
def test_what_notions_limits_take_from_a_value_is_told_until_it_fits(
    ref: Ref, field: str, value: Value, words: str, *, stands: bool
) -> None:
    rows = [_row(one) for one in MANY]
    if stands or ref == CLIENT:
        rows.append(_row(ref))
    facts = [_fact(ref, field, value)]
    if ref == RISK and field != "name":
        facts.append(_fact(RISK, "name", "Late"))
    plan = _plan(_world(*rows), *facts)
    (problem,) = plan.problems
    assert (problem.code, problem.where, problem.field) == (
        "value-cut",
        str(ref),
        field,
    )
    assert words in problem.message

    # What was written in part is what Notion holds: it is told again, and not written again.
    if ref != CLIENT or not plan.changes:
        return
    (written,) = plan.changes[0].fields
    again = _plan(
        _world(*rows[:-1], replace(_row(ref), fields={field: written.after})),
        *facts,
        bases={(ref.key, field): written.after},
    )
    assert (again.changes, again.problems) == ((), plan.problems)
    fits = _plan(_world(*rows), _fact(ref, field, MANY[:100]))
    assert fits.problems == ()


def test_a_value_of_people_that_stands_is_not_told_as_cut() -> None:
    row = _row(RISK, name="Late", steps="theirs")
    plan = _plan(
        _world(row),
        _fact(RISK, "steps", "x" * 200_001),
        bases={(row.page_id, "steps"): "ours"},
    )
    assert (plan.changes, plan.problems) == ((), ())


def test_nothing_leads_to_a_row_of_ours_that_is_gone_while_its_copy_stands() -> None:
    copy = _row(TASK, "a copy")
    stated = _fact(CLIENT, "next", (TASK,))
    gone = _plan(_world(_row(CLIENT), copy), stated, ours={TASK: "gone"})
    assert gone.changes == ()
    both = _world(_row(CLIENT), copy, _row(TASK, "ours"))
    (change,) = _plan(both, stated, ours={TASK: "ours"}).changes
    assert change.fields[0].after == (TASK,)
