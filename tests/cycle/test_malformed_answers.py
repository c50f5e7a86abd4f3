"""One part of one answer of Notion is of another kind: no cycle breaks, nothing is lost or made twice, all heals."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.mutations import Mutant, Mutating, choose, is_write
from tests.support.stages import TODAY, Play, small_play
from worker.cycle import Context, Mode, Order, sync
from worker.domain.document import CLOSING, OPENING
from worker.domain.values import Ref
from worker.errors import RaylineError
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.notion.gateway import NotionGateway
from worker.sandbox.requests_adapter import HandlerAdapter
from worker.sandbox.wire import HandlerTransport

READING = int(os.environ.get("RAYLINE_MUTANTS", "100"))
WRITING = READING // 8
SEED = os.environ.get("RAYLINE_MUTANTS_SEED", "1")
"""More of them, or others: `RAYLINE_MUTANTS=2000 RAYLINE_MUTANTS_SEED=7 pytest tests/cycle/test_malformed_answers.py`."""


@dataclass
class Bench:
    """A small agency in process, its context over a transport that can spoil answers."""

    play: Play
    context: Context
    wire: Mutating

    def cycle(self, mutant: Mutant | None = None, mode: Mode = Mode.FULL) -> str:
        """Run one cycle and return how it ended; only errors of our own may end it."""
        self.play.later(seconds=1)
        self.wire.mutant, self.wire.struck = mutant, 0
        self.wire.seen.clear()
        try:
            report = sync(self.context, Order(mode))
        except RaylineError as error:
            return type(error).__name__
        finally:
            self.wire.mutant = None
        broken = [one for one in report.problems() if one.code == "rule-failed"]
        assert not broken, mutant
        return "refused" if report.refused else "done"

    def rows(self) -> dict[str, Any]:
        """Return what stands in every row, trashed ones too."""
        pages = self.play.stage.notion.store.pages.values()
        return {page.id: (page.in_trash, repr(page.values)) for page in pages}

    def cycle_under_ambush(self) -> Mutant | None:
        """Run a cycle into the ambush that was laid; return what was done to its answers."""
        self.play.later(seconds=1)
        self.wire.mutant, self.wire.struck = None, 0
        with suppress(RaylineError):
            sync(self.context, Order(Mode.FULL))
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


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with small_play(tmp_path) as play:
        settings, stage = play.stage.context.settings, play.stage
        wire = Mutating(HandlerTransport(stage.notion.handle))
        time = [0.0]

        def sleep(seconds: float) -> None:
            time[0] += seconds

        calm: Mapping[str, Callable[..., Any]] = {
            "sleep": sleep,
            "monotonic": lambda: time[0],
        }
        notion = settings.notion.model_copy(update={"width": 1, "settle": 0})
        context = dataclasses.replace(
            stage.context,
            settings=settings.model_copy(update={"notion": notion}),
            begin=lambda: None,
            stop=threading.Event(),
            notion=NotionGateway(notion, transport=wire, **calm),
            jira=JiraGateway(
                settings.jira,
                mapping=load_jira_mapping(),
                adapter=HandlerAdapter(stage.jira.handle),
                **calm,
            ),
        )
        bench = Bench(play, context, wire)
        assert bench.cycle() == "done"
        yield bench


def test_whatever_part_of_what_is_read_is_malformed_nothing_is_lost_or_made_twice(
    bench: Bench,
) -> None:
    bench.cycle()
    calm, answers = bench.rows(), list(bench.wire.seen)
    random, struck = Random(SEED), 0
    for number in range(READING):
        mutant = choose(answers, random)
        how = bench.cycle(mutant)
        struck += bench.wire.struck > 0
        after = bench.rows()
        assert {one for one, (gone, _) in after.items() if gone} == {
            one for one, (gone, _) in calm.items() if gone
        }, f"{number}: {mutant}: {how}: something was thrown away"
        assert bench.cycle() == "done", f"{number}: {mutant}: {how}: not healed"
        assert bench.rows() == calm, f"{number}: {mutant}: {how}: not as it was"
    assert struck > READING / 2


def test_whatever_part_of_an_answer_to_a_write_is_malformed_it_is_written_once(
    bench: Bench,
) -> None:
    random, jira = Random(SEED), bench.play.stage.jira
    clients = bench.play.stage.cast.pages["clients"]
    struck = 0
    for number in range(WRITING):
        status = "To Do" if number % 2 else "Done"
        jira.control("transition", {"issue": "ACME-5", "status": status})
        client = Ref("clients", clients[number % 2])
        late = TODAY - timedelta(days=5)
        name = f"Late card {number}"
        bench.play.stage.scribe.add(
            "projects", name=name, client=(client,), stage="in_progress", due=late
        )
        bench.wire.ambush = (random.randrange(12), random)
        mutant = bench.cycle_under_ambush()
        struck += mutant is not None
        ends = [bench.cycle() for _ in range(3)]
        assert ends == ["done"] * 3, f"{number}: {mutant}"
        assert not bench.written(), f"{number}: {mutant}: not at rest"
        assert bench.doubles() == [], f"{number}: {mutant}"
        assert bench.broken_sections() == [], f"{number}: {mutant}"
        assert not any(gone for gone, _ in bench.rows().values()), str(mutant)
    assert struck > WRITING / 2
