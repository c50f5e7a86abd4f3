"""One part of one answer of Notion is of another kind: no cycle breaks, nothing is lost or made twice, all heals."""

from __future__ import annotations

import copy
import dataclasses
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rayline_demo.board import living
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import HandlerTransport, Request, Response
from tests.support.json_schemas import SPECS, Drawing, document
from tests.support.mutations import (
    UNTOUCHED,
    Exchange,
    Mutant,
    Mutating,
    choose,
    is_write,
)
from tests.support.stages import ACME, BETA, TODAY, Play, small_play
from worker.app.build import open_store
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.ownership import claim_boards
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.document import CLOSING, OPENING
from worker.domain.values import Ref
from worker.errors import RaylineError
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.mapping.schema import Owner
from worker.notion.gateway import NotionGateway
from worker.plan.plan import Kind

READING = int(os.environ.get("RAYLINE_MUTANTS", "64"))
WRITING = ROWS = READING // 8
SEED = os.environ.get("RAYLINE_MUTANTS_SEED", "1")
"""More of them, or others: `RAYLINE_MUTANTS=2000 RAYLINE_MUTANTS_SEED=7 pytest tests/cycle/test_malformed_answers.py`."""


@dataclass
class Trial:
    """A small agency in process, its context over a transport that can spoil answers."""

    play: Play
    context: Context
    wire: Mutating

    def cycle(self, mutant: Mutant | None = None, mode: Mode = Mode.FULL) -> str:
        """Run one cycle and return how it ended; only errors of our own may end it."""
        try:
            report = self.report(mutant, mode)
        except RaylineError as error:
            return type(error).__name__
        broken = [one for one in report.problems() if one.code == "rule-failed"]
        assert not broken, mutant
        return "refused" if report.refused else "done"

    def report(self, mutant: Mutant | None = None, mode: Mode = Mode.FULL) -> Report:
        """Run one cycle and return its report."""
        self.play.later(seconds=1)
        self.wire.mutant, self.wire.struck = mutant, 0
        self.wire.seen.clear()
        try:
            return sync(self.context, CycleRequest(mode))
        finally:
            self.wire.mutant = None

    def forced(self) -> str:
        """Do what was refused because it would empty much: a wrong cell was corrected that many figures hung on."""
        report = sync(self.context, CycleRequest(Mode.FULL, force=True))
        return "refused" if report.refused else "done"

    def forgetful(self, folder: Path) -> Trial:
        """Return the same agency with a worker that remembers nothing, and was told to take the boards."""
        store = open_store(f"sqlite:///{folder / 'lost.db'}")
        stage = dataclasses.replace(self.play.stage, store=store)
        context = dataclasses.replace(self.context, store=store)
        claim_boards(context, context.notion, take_over=True)
        return Trial(dataclasses.replace(self.play, stage=stage), context, self.wire)

    def rows(self) -> dict[str, Any]:
        """Return what stands in every row, trashed ones too."""
        pages = self.play.stage.notion.store.pages.values()
        return {page.id: (page.in_trash, _filled(page.values)) for page in pages}

    def typed(self) -> dict[tuple[str, str], str]:
        """Return what people's rows hold in the columns that are theirs alone."""
        sources, cast = self.play.stage.context.schema.sources, self.play.stage.cast
        return {
            (name, card.page_id): _filled(
                {
                    column: value
                    for column, value in card.values.items()
                    if sources[name].properties[column].owner is Owner.HUMAN
                }
            )
            for name, pages in cast.pages.items()
            for card in living(self.play.stage, name)
            if card.page_id in pages
        }

    def cycle_under_ambush(self) -> Mutant | None:
        """Run a cycle into the ambush that was laid; return what was done to its answers."""
        self.play.later(seconds=1)
        self.wire.mutant, self.wire.struck = None, 0
        with suppress(RaylineError):
            sync(self.context, CycleRequest(Mode.FULL))
        mutant, self.wire.mutant, self.wire.ambush = self.wire.mutant, None, None
        return mutant

    def written(self) -> list[str]:
        """Return what the last cycle wrote."""
        return [f"{one.key[0]} {one.key[1]}" for one in self.wire.seen if is_write(one)]

    def doubles(self) -> list[str]:
        """Return the Worker keys that more than one living row carries."""
        keys = Counter(
            card.values["worker_key"] for card in self.play.all_keyed().values()
        )
        return [key for key, count in keys.items() if count > 1]

    def broken_sections(self) -> list[str]:
        """Return the pages that do not have one section from its opening to its end, or none."""
        store = self.play.stage.notion.store
        found = []
        for page_id in store.pages:
            icons = [
                (block.payload.get("icon") or {}).get("emoji")
                for one in store.children.get(page_id, ())
                if (block := store.blocks.get(one)) and not block.in_trash
            ]
            marks = [icon for icon in icons if icon in (OPENING, CLOSING)]
            if marks not in ([], [OPENING, CLOSING]):
                found.append(page_id)
        return found


def _filled(values: Mapping[str, Any]) -> str:
    """Return the cells that are not empty: one that was emptied is as one never filled."""
    empty: tuple[object, ...] = (None, "", [])
    return repr(sorted((name, one) for name, one in values.items() if one not in empty))


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Trial]:
    with small_play(tmp_path) as play:
        settings, stage = play.stage.context.settings, play.stage
        wire = Mutating(HandlerTransport(stage.notion.handle))
        time = [0.0]

        def sleep(seconds: float) -> None:
            time[0] += seconds

        def monotonic() -> float:
            return time[0]

        notion = settings.notion.model_copy(update={"width": 1, "settle": 0})
        context = dataclasses.replace(
            stage.context,
            settings=settings.model_copy(update={"notion": notion}),
            begin=lambda: None,
            stop=threading.Event(),
            notion=NotionGateway(
                notion, transport=wire, sleep=sleep, monotonic=monotonic
            ),
            jira=JiraGateway(
                settings.jira,
                mapping=load_jira_mapping(),
                adapter=HandlerAdapter(stage.jira.handle),
                sleep=sleep,
                monotonic=monotonic,
            ),
        )
        trial = Trial(play, context, wire)
        assert trial.cycle() == "done"
        yield trial


@pytest.mark.timeout(300 + 30 * READING)
def test_whatever_part_of_what_is_read_is_malformed_nothing_is_lost_or_made_twice(
    trial: Trial,
) -> None:
    trial.cycle()
    calm, answers = trial.rows(), list(trial.wire.seen)
    random, struck = Random(SEED), 0
    for number in range(READING):
        mutant = choose(answers, random)
        how = trial.cycle(mutant)
        struck += trial.wire.struck > 0
        after = trial.rows()
        assert {one for one, (gone, _) in after.items() if gone} == {
            one for one, (gone, _) in calm.items() if gone
        }, f"{number}: {mutant}: {how}: something was thrown away"
        assert trial.cycle() == "done", f"{number}: {mutant}: {how}: not healed"
        assert trial.rows() == calm, f"{number}: {mutant}: {how}: not as it was"
    assert struck > READING / 2


@pytest.mark.timeout(300 + 240 * WRITING)
def test_whatever_part_of_an_answer_to_a_write_is_malformed_it_is_written_once(
    trial: Trial,
) -> None:
    random, jira = Random(SEED), trial.play.stage.jira
    clients = trial.play.stage.cast.pages["clients"]
    struck = 0
    for number in range(WRITING):
        status = "To Do" if number % 2 else "Done"
        jira.control("transition", {"issue": "ACME-5", "status": status})
        client = Ref("clients", clients[number % 2])
        late = TODAY - timedelta(days=5)
        name = f"Late card {number}"
        trial.play.stage.scribe.add(
            "projects", name=name, client=(client,), stage="in_progress", due=late
        )
        trial.wire.ambush = (random.randrange(12), random)
        mutant = trial.cycle_under_ambush()
        struck += mutant is not None
        ends = [trial.cycle() for _ in range(3)]
        assert ends == ["done"] * 3, f"{number}: {mutant}"
        assert not trial.written(), f"{number}: {mutant}: not at rest"
        assert trial.doubles() == [], f"{number}: {mutant}"
        assert trial.broken_sections() == [], f"{number}: {mutant}"
        assert not any(gone for gone, _ in trial.rows().values()), str(mutant)
    assert struck > WRITING / 2


def cells_by_type(page: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Notion's own schema says of the cells of each type."""
    parts = page["definitions"]["PageObjectResponse"]["properties"]
    kinds = parts["properties"]["additionalProperties"]["anyOf"]
    return {one["properties"]["type"]["const"]: one for one in kinds}


def redraw(answers: list[Exchange], random: Random) -> Mutant:
    """Return a mutant that makes one row what somebody else could have typed: half of its cells are drawn anew."""
    read = [one for one in answers if one.body.get("results") and not is_write(one)]
    exchange = random.choice(read)
    place = random.randrange(len(exchange.body["results"]))
    row = copy.deepcopy(exchange.body["results"][place])
    page = document("notion-json-schemas/PageObjectResponse.json")
    kinds, drawing = cells_by_type(page), Drawing(page, random)
    for cell in row.get("properties", {}).values():
        if cell.get("type") in kinds and random.random() < 0.5:
            cell |= drawing.draw(kinds[cell["type"]]) | {"id": cell["id"]}
    return Mutant(exchange.key, ("results", place), row, once=False)


@pytest.mark.skipif(not SPECS.exists(), reason="../shared/specs is not there")
@pytest.mark.timeout(300 + 240 * ROWS)
def test_whatever_the_cells_of_a_row_hold_no_cycle_breaks_and_no_cell_of_people_is_lost(
    trial: Trial,
) -> None:
    trial.cycle()
    calm, answers = trial.typed(), list(trial.wire.seen)
    random, ends = Random(SEED), Counter[str]()
    for number in range(ROWS):
        mutant = redraw(answers, random)
        ends[trial.cycle(mutant)] += trial.wire.struck > 0
        assert trial.doubles() == [], f"{number}: {mutant.path}"
        after = [trial.cycle() for _ in range(3)]
        if after[-1] == "refused":
            after = [trial.forced(), *(trial.cycle() for _ in range(2))]
        assert after[-1] == "done", f"{number}: {mutant.path}: {after}"
        assert not trial.written(), f"{number}: {mutant.path}: not at rest"
        assert trial.typed() == calm, f"{number}: {mutant.path}"
    assert ends["done"] > ROWS / 2, ends


def spoil(trial: Trial, source: str, page_id: str, change: Any, *path: str) -> Mutant:
    """Return the mutant that changes a part of one row in every read of its board."""
    data_source = trial.play.data_source(source)
    for exchange in trial.wire.seen:
        rows = exchange.body.get("results") or []
        places = [place for place, row in enumerate(rows) if row.get("id") == page_id]
        if data_source in exchange.key[1] and places:
            return Mutant(
                exchange.key, ("results", places[0], *path), change, once=False
            )
    raise AssertionError("the row was not read")


def told(report: Report, code: str) -> list[tuple[str, str, str]]:
    return [
        (one.where, one.field, one.url) for one in report.problems() if one.code == code
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [(("properties",), "properties"), (("in_trash",), "in_trash"), (("url",), "url")],
)
def test_a_row_of_ours_that_cannot_be_read_is_named_and_neither_made_again_nor_touched(
    trial: Trial, path: tuple[str, ...], field: str
) -> None:
    trial.cycle()
    risk = trial.play.keyed("risks")[0]
    mutant = spoil(trial, "risks", risk.page_id, 7, *path)
    before = trial.rows()
    for _ in range(3):
        report = trial.report(mutant)
        ((where, named, url),) = told(report, "unreadable-page")
        assert named == field
        assert risk.page_id in where or risk.values["name"] in where
        assert risk.page_id.replace("-", "") in url or field == "url"
        assert not report.refused
        assert report.plan.changes == ()
    assert trial.rows() == before
    for mode in (Mode.DELTA, Mode.FULL):
        report = trial.report(mode=mode)
        assert told(report, "unreadable-page") == []
        assert report.plan.changes == ()


def test_a_row_that_cannot_be_read_is_told_in_every_cycle_until_it_can(
    trial: Trial,
) -> None:
    trial.cycle()
    card = trial.play.page("projects", ACME)
    mutant = spoil(trial, "projects", card, {}, "created_time")
    assert told(trial.report(mutant), "unreadable-page")
    trial.wire.seen.clear()
    asked_again = trial.report(mode=Mode.DELTA)
    assert told(asked_again, "unreadable-page") == []
    assert asked_again.plan.changes == ()


def test_with_a_lost_state_no_row_is_made_that_an_unreadable_one_may_be(
    trial: Trial, tmp_path: Path
) -> None:
    trial.cycle()
    risk = trial.play.keyed("risks")[0]
    mutant = spoil(trial, "risks", risk.page_id, None, "properties")
    lost = trial.forgetful(tmp_path)
    report = lost.report(mutant)
    made = {one.ref.source for one in report.plan.changes if one.kind is Kind.CREATE}
    assert "risks" not in made
    assert [one.field for one in report.problems() if one.code == "unreadable-key"]
    assert lost.doubles() == []
    assert lost.cycle() == "done"
    assert lost.cycle() == "done"
    assert lost.doubles() == []


@pytest.mark.parametrize("answer", [{}, [], None, {"object": "page"}, "made"])
def test_an_answer_that_says_nothing_of_what_was_made_makes_no_second_row(
    trial: Trial, answer: Any
) -> None:
    late = TODAY - timedelta(days=5)
    client = Ref("clients", trial.play.page("clients", 0))
    trial.play.stage.scribe.add(
        "projects", name="Late card", client=(client,), stage="in_progress", due=late
    )
    trial.wire.answer_creates = answer
    trial.cycle()
    trial.wire.answer_creates = UNTOUCHED
    assert [trial.cycle() for _ in range(3)] == ["done"] * 3
    assert trial.doubles() == []
    assert trial.written() == []


@pytest.mark.parametrize("spoilt", [b"wrong \xff byte", b"half \\ud83d of it"])
def test_a_name_that_is_no_text_costs_nothing_but_itself_over_real_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: bytes
) -> None:
    healthy, is_spoilt = NotionSandbox.handle, threading.Event()

    def handle(sandbox: NotionSandbox, request: Request) -> Response:
        answer = healthy(sandbox, request)
        body = answer.body.replace(b"Beta site", spoilt)
        return dataclasses.replace(answer, body=body) if is_spoilt.is_set() else answer

    monkeypatch.setattr(NotionSandbox, "handle", handle)
    with small_play(tmp_path) as play:
        play.sync()
        play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
        play.later(minutes=10)
        is_spoilt.set()
        report = play.sync()
        is_spoilt.clear()
        page_id = play.page("projects", BETA)
        assert [
            (where, field)
            for where, field, url in told(report, "unreadable-field")
            if page_id.replace("-", "") in url
        ] == [("Projects: Beta site", "name")]
        assert report.applied.failures == ()
        assert play.row("projects", ACME).values["progress"] == Decimal("0.8333")
        play.later(minutes=10)
        assert told(play.sync(Mode.DELTA), "unreadable-field") == []
