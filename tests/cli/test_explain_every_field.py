"""`rayline explain` over the sample agency after a sync: every value the worker wrote, in every data source, both languages."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rich.console import Console

from rayline_demo.agency.generate import generate
from rayline_demo.agency.populate import populate
from rayline_demo.rig import SEED, make_empty, open_rig
from rayline_demo.stage import LONG_AGO
from tests.support.agency import MORNING
from worker.app import logs
from worker.cli import show
from worker.cli.look import fact_data, find_row
from worker.cli.reader import names_in, reader_of
from worker.cli.reasons import find_reasons
from worker.cycle.context import Context, CycleRequest, Mode, PlannedCycle
from worker.cycle.planning import recall
from worker.cycle.story import sync
from worker.domain.values import Ref
from worker.plan.inputs import KEYS, MOMENT
from worker.state import bases
from worker.world.calendar import work_calendar

Explained = tuple[Context, PlannedCycle]
EMPTY = (None, "", (), False)


@pytest.fixture(scope="module", params=["en", "ru"])
def agency(request: pytest.FixtureRequest) -> Iterator[Explained]:
    """The sample agency, written once, and what `explain` recalls of it."""
    logs.configure(level="ERROR")
    with TemporaryDirectory(prefix="rayline-explained-") as name:
        folder = Path(name)
        empty = make_empty(request.param, folder)
        rig = open_rig(empty, folder, start=MORNING - LONG_AGO)
        calendar = work_calendar(rig.context.settings.calendar, range(2025, 2028))
        firm = generate(seed=SEED, now=MORNING, locale=request.param, calendar=calendar)
        populate(
            firm,
            rig.notion,
            rig.jira,
            schema=rig.context.schema,
            bindings=rig.bindings(),
        )
        rig.clock.advance(LONG_AGO)
        try:
            sync(rig.context, CycleRequest(Mode.FULL, "test"))
            sync(rig.context, CycleRequest(Mode.DELTA, "test"))
            yield rig.context, recall(rig.context)
        finally:
            rig.close()


def written(context: Context, drawn: PlannedCycle) -> Iterator[tuple[Ref, str]]:
    """Yield the fields that hold what the worker wrote there last."""
    with context.reading() as tx:
        last, _ = bases.load(tx)
    for source, rows in drawn.world.rows.items():
        properties = context.schema.sources[source].properties
        for row in rows:
            for name, value in row.fields.items():
                is_ours = last.get((row.page_id, name)) == value
                if properties[name].rule and value not in EMPTY and is_ours:
                    yield row.ref, name


def test_every_value_that_the_worker_wrote_is_explained_by_its_inputs(
    agency: Explained,
) -> None:
    context, drawn = agency
    facts = {}
    for fact in find_reasons(context, drawn, lambda ref: True):
        facts[fact.ref, fact.field] = fact
    bare = set()
    count = 0
    for ref, name in written(context, drawn):
        count += 1
        reason = facts.get((ref, name))
        if reason is None or not (reason.why.formula and reason.why.inputs):
            bare.add(f"{ref.source}.{name}")
    assert count > 1_000
    assert bare == set()


def test_a_row_of_each_data_source_is_explained_as_the_command_shows_it(
    agency: Explained,
) -> None:
    context, drawn = agency
    firsts: dict[str, Ref] = {}
    for ref, _ in written(context, drawn):
        firsts.setdefault(ref.source, ref)
    assert len(firsts) > 10
    rows = set(firsts.values())
    facts = find_reasons(context, drawn, rows.__contains__)
    for row in rows:
        assert find_row(drawn, str(row), context.schema) == row
        own = [fact for fact in facts if fact.ref == row]
        reader = reader_of(context, context.words, names_in(drawn, context.schema))
        view = show.why_view(own, reader, title=str(row))
        shown = StringIO()
        Console(file=shown, width=300).print(view)
        for fact in own:
            assert fact_data(fact)["inputs"]
            is_private = context.schema.is_private(row.source)
            assert is_private or fact.why.formula[:40] in shown.getvalue()


def test_the_figures_of_every_value_are_told_in_words(agency: Explained) -> None:
    context, drawn = agency
    reader = reader_of(context, context.words, names_in(drawn, context.schema))
    names = {context.words.say(name) for name in ("signal", "playbook")}
    raw = set()
    for fact in find_reasons(context, drawn, lambda ref: True):
        for figure in reader.say_inputs(fact.why, fact.ref):
            is_key = context.words.locale == "ru" and KEYS.fullmatch(figure.value)
            if figure.name not in names and (is_key or MOMENT.search(figure.value)):
                raw.add((fact.ref.source, fact.field, figure.name, figure.value))
    assert raw == set()
