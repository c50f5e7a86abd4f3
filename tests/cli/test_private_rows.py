"""Cells of private data sources are never quoted: not in problems, plans, reasons, failures or logs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from rich.console import Console

from tests.support.agency import first_morning
from tests.support.english import english
from tests.support.rules import breaking
from tests.support.worlds import world
from worker.cli import prose, show
from worker.cli.look import _data_of, _title_of, _withheld
from worker.codecs.pages import decode_page
from worker.codecs.records import Page
from worker.config import Thresholds
from worker.domain.document import Paragraph
from worker.domain.values import Ref, Span, Value
from worker.domain.words import Words
from worker.errors import Problem, Rejected, in_words
from worker.locales import load_words
from worker.mapping.load import load_schema
from worker.mapping.playbooks import Playbooks
from worker.mapping.schema import Binding, Source
from worker.method import evaluate
from worker.plan.facts import Fact, Input, Why
from worker.plan.plan import (
    Change,
    FieldChange,
    Kept,
    Kind,
    Plan,
    to_data,
    withheld_data,
)
from worker.plan.reading import Reader
from worker.world import entities
from worker.world.world import World
from worker.write.writer import _failure

SAID = "Carla: hopeless"
FIGURE = 77123
SCHEMA = load_schema(None, currency="EUR")
READER = Reader(SCHEMA, Words(), ZoneInfo("UTC"), str)
PRIVATE = sorted(source.name for source in SCHEMA.sources.values() if source.private)
ENGLISH = Words()
RUSSIAN = load_words("ru", "RUB")
GARBAGE: tuple[Any, ...] = (
    {"value": SAID},
    [{"plain": SAID}],
    SAID,
    {"id": "x", "name": SAID},
    [{"id": "x", "name": SAID}],
    {"start": SAID},
    {"start": "7712-03-04", "end": "7712-03-01"},
    FIGURE * 10.0**20,
    [SAID],
)


def quotes(text: str) -> bool:
    """Tell whether a text shows what stands in the cells of these tests."""
    return any(one in text for one in (SAID, str(FIGURE), "Carla", "7712", "7.7123e"))


def told(problems: list[Problem]) -> str:
    """Return problems as people see them, in both languages."""
    return "\n".join(
        prose.line(in_words(each, words))
        for each in problems
        for words in (ENGLISH, RUSSIAN)
    )


def garbled(source: Source) -> Iterator[Problem]:
    """Yield the problems of a row each of whose cells holds something that cannot be read."""
    binding = Binding(source.name, "", "", {name: name for name in source.properties})
    for value in GARBAGE:
        cells = {
            name: {"id": name, "type": prop.type, prop.type: value}
            for name, prop in source.properties.items()
        }
        yield from decode_page(Page(id="p", properties=cells), source, binding, {})[1]


@pytest.mark.parametrize("name", PRIVATE)
def test_what_cannot_be_read_of_a_private_row_is_named_and_not_quoted(
    name: str,
) -> None:
    source = SCHEMA.sources[name]
    found = list(garbled(source))
    assert found
    assert not quotes(told(found))
    assert quotes(told(list(garbled(replace(source, private=False))))), (
        "of other rows it is quoted, so that people find it"
    )


def test_what_is_wrong_in_a_private_row_is_named_and_not_quoted() -> None:
    source = SCHEMA.sources["feedback"]
    fields: dict[str, Value] = {
        "name": SAID,
        "score": Decimal(FIGURE),
        "text": SAID,
        "date": Span(date(7712, 1, 1), date(7712, 1, 2)),
    }
    page = Page(id="p", properties={})
    row, _ = decode_page(page, source, Binding("feedback", "", "", {}), {})
    typed = replace(row, title=SAID, fields=fields)
    _, found = entities.read_rows(
        [typed], source, entities.read_feedback, zone=ZoneInfo("UTC"), present={}
    )
    assert {"out-of-range", "incomplete-feedback"} <= {one.code for one in found}
    assert not quotes(told(found))


WHY = Why("rule", (Input(SAID, SAID, SAID),), SAID, SAID)


def plan_of(source: str) -> Plan:
    """Return a plan that changes a row in every way."""
    ref = Ref(source, "key")
    name = SCHEMA.sources[source].title_property.name
    field = FieldChange(name, SAID, SAID, WHY, drift=True)
    return Plan(
        "studio",
        (
            Change(Kind.CREATE, ref, "", SAID, (field,)),
            Change(Kind.UPDATE, ref, "p", SAID, (field,)),
            Change(Kind.SECTION, ref, "p", SAID, blocks=(Paragraph(SAID),)),
        ),
        (Kept(ref, "p", name, SAID, SAID, conflict=False),),
    )


READER = Reader(SCHEMA, Words(), ZoneInfo("UTC"), str)


def shown(view: Any) -> str:
    """Return a view as people see it."""
    out = io.StringIO()
    Console(file=out, width=300).print(view)
    return out.getvalue()


@pytest.mark.parametrize("name", PRIVATE)
def test_a_plan_tells_that_private_rows_change_and_not_what_they_say(name: str) -> None:
    plan = plan_of(name)
    data = withheld_data(plan, SCHEMA.is_private)
    assert not quotes(json.dumps(data))
    assert data["checksum"] == plan.checksum()
    assert [one["ref"] for one in data["changes"]] == [f"{name}/key"] * 3
    assert not quotes(shown(show.plan_view(plan, READER)))
    assert not quotes(shown(show.digest_view(plan, world(), READER)))
    fact = Fact(Ref(name, "key"), plan.kept[0].field, SAID, WHY)
    view = show.why_view([fact], READER, title="")
    assert not quotes(shown(view) + json.dumps(_withheld(fact)))
    assert quotes(json.dumps(to_data(plan))), "what is kept to be written is whole"


def test_of_other_rows_all_is_shown() -> None:
    plan = plan_of("risks")
    data = withheld_data(plan, SCHEMA.is_private)
    assert data["changes"] == to_data(plan)["changes"]
    assert data["kept"] == to_data(plan)["kept"]
    view = show.plan_view(plan, READER)
    assert shown(view).count(SAID) == 9


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (Why("pages", formula="a month old"), "nothing of it is lost: a month old"),
        (None, "goes into the trash, from which people can restore it"),
    ],
)
def test_of_a_row_that_is_taken_away_its_fate_and_the_reason_are_told(
    why: Why | None, says: str
) -> None:
    away = Change(Kind.ARCHIVE, Ref("meetings", "key"), "p", "Daily", why=why)
    assert says in shown(show.plan_view(Plan("studio", (away,)), READER))
    private = Change(Kind.ARCHIVE, Ref("feedback", "key"), "p", SAID, why=why)
    assert "a month old" not in shown(
        show.plan_view(Plan("studio", (private,)), READER)
    )


def test_a_private_row_that_could_not_be_written_is_not_quoted_by_the_server() -> None:
    change = plan_of("feedback").changes[1]
    error = Rejected("notion", "PATCH", f'instead was "{SAID}"', field="text")
    assert not quotes(told([_failure(change, error, private=True)]))
    assert quotes(told([_failure(change, error, private=False)]))


@pytest.mark.fails_softly
@pytest.mark.parametrize(
    ("rule", "is_quoted"),
    [
        ("measure_feedback", False),
        ("plan_bonuses", False),
        ("measure_margins", False),
        ("plan_tasks", True),
    ],
)
def test_a_rule_on_private_rows_that_fails_quotes_nothing(
    rule: str, *, is_quoted: bool
) -> None:
    now = datetime(2026, 11, 16, tzinfo=UTC)
    world = World("studio", now, now.date(), Thresholds(), Words())
    start = breaking(rule, ValueError(SAID))
    outcome = evaluate(world, Playbooks(), start=start)
    (problem,) = outcome.problems
    assert f"{rule}: ValueError" in english(problem.message)
    assert quotes(told([problem])) is is_quoted


def test_of_a_private_data_source_explain_tells_the_rule_alone() -> None:
    drawn = first_morning("en")
    bonuses = [fact for fact in drawn.outcome.facts if fact.ref.source == "bonuses"]
    assert bonuses
    for fact in bonuses:
        told = _data_of(fact, SCHEMA)
        assert (told["rule"], told["formula"], told["inputs"]) == ("bonuses", "", [])
        assert told["value"] not in (fact.value, str(fact.value))
        assert _title_of(drawn, fact.ref, SCHEMA) == ""
