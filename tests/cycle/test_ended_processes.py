"""`rayline sync` as a process of its own that is ended in the middle, and people who type while it runs."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.postgres import new_state
from tests.support.stages import (
    Play,
    one_object,
    rayline,
    small_play,
    start_rayline,
    write_config,
)
from tests.support.waiting import LONG, end, wait_for
from worker.app.build import build_context, open_store
from worker.config import Thresholds
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.story import sync
from worker.state import history, memory
from worker.state.store import Store

FEW = "[workspaces.studio.thresholds]\ntasks_per_client = 2\n"
WRITES, SEED = 20, 13
PACE = "requests = 40\nwindow = 1.0\nwidth = 1"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def _config(play: Play) -> Path:
    path = write_config(play, extra=FEW)
    text = path.read_text("utf-8")
    path.write_text(text.replace("requests = 100000\nwindow = 1.0", PACE, 1), "utf-8")
    return path


def _quiet(play: Play, config: Path) -> None:
    """Run until nothing is left to write, at once: the lease of a process that was killed keeps nobody out."""
    for _ in range(6):
        ended = rayline("sync", "--json", "-c", str(config), home=play.folder)
        assert ended.returncode == 0, ended.stderr
        if not any(one_object(ended.stdout)["changes"].values()):
            return
    raise AssertionError("the plan never became empty")


def _picture(play: Play, url: str) -> Mapping[str, Any]:
    """Return all rows and all that is remembered, with the worker's rows named by their keys."""
    cards = [
        (source, card)
        for source in play.stage.bindings()
        for card in living(play.stage, source)
    ]
    names = {
        card.page_id: card.values.get("worker_key") or card.page_id for _, card in cards
    }
    assert len(set(names.values())) == len(names), "two rows carry one key"

    def named(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return sorted(str(names.get(item, item)) for item in value)
        return value

    store = Store(url)
    with store.reading("studio") as tx:
        remembered, past = memory.load(tx), history.load(tx)
    store.close()
    rows = {
        f"{source} {names[card.page_id]} {name}": named(value)
        for source, card in cards
        for name, value in card.values.items()
    }
    return rows | {
        **{f"track {key}": one for key, one in remembered.tracks.items()},
        **{f"signal {key}": one for key, one in remembered.occurrences.items()},
        **{f"baseline {key}": one for key, one in remembered.baselines.items()},
        "first run": remembered.first_run,
        "history": past,
    }


def _finish(play: Play, url: str) -> None:
    """Run until nothing is left to write, in this process, on the clock of the ones that were ended."""
    given = play.stage.context
    notion = given.settings.notion.model_copy(update={"settle": 0.0})
    changed = {"notion": notion, "thresholds": Thresholds(tasks_per_client=2)}
    settings = given.settings.model_copy(update=changed)
    store = open_store(url)
    context = build_context("studio", settings, store)
    for _ in range(6):
        report = sync(context, CycleRequest(Mode.FULL))
        if not (any(report.applied.counts().values()) or report.applied.unknown):
            break
    else:
        raise AssertionError("the plan never became empty")
    store.close()


@dataclass(frozen=True)
class Ending:
    """How a process ends: by a signal, while a request that is the `nth` of its kind is held, before or after its work
    was done; with no such request while it goes on writing."""

    signal: signal.Signals
    method: str = ""
    path: str = ""
    nth: int = 1
    hold: str = ""

    def hold_up(self, play: Play) -> None:
        match = {"method": self.method, "path_regex": self.path, "nth": self.nth}
        rule = {"kind": f"hang_{self.hold}", "match": match}
        play.stage.notion.control("faults", {"rules": [rule]})

    def is_held(self, play: Play, mark: int) -> bool:
        entries = play.stage.notion.entries(mark)
        return any(entry.outcome.startswith("fault:hang") for entry in entries)


PAGES, CELLS, BLOCKS = "^/v1/pages$", "^/v1/pages/[^/]+$", "/children$"
CREATIONS = Random(SEED).sample(range(1, 60), 3)
KILL, TERM = signal.SIGKILL, signal.SIGTERM
ENDINGS = {
    "killed, its row made": Ending(KILL, "POST", PAGES, CREATIONS[0], "after"),
    "killed, its row not made": Ending(KILL, "POST", PAGES, CREATIONS[1], "before"),
    "killed, its cells written": Ending(KILL, "PATCH", CELLS, 3, "after"),
    "killed in a section": Ending(KILL, "PATCH", BLOCKS, 3, "after"),
    "asked to end, its row made": Ending(TERM, "POST", PAGES, CREATIONS[2], "after"),
    "asked to end": Ending(TERM),
}


def _golden(play: Play) -> Mapping[str, Any]:
    url = f"sqlite:///{play.folder / 'calm.db'}"
    _finish(play, url)
    return _picture(play, url)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    with small_play(tmp_path_factory.mktemp("golden")) as play:
        return _golden(play)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a state that nobody has used."""
    with new_state(request.param, tmp_path) as url:
        yield url


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ENDINGS)
def test_a_first_sync_ended_by_a_signal_is_finished_by_the_next_as_if_undisturbed(
    play: Play, golden: Mapping[str, Any], state: str, name: str
) -> None:
    ending, mark = ENDINGS[name], play.mark()
    config = write_config(play, extra=FEW) if ending.hold else _config(play)
    text = config.read_text("utf-8")
    config.write_text(re.sub("(?m)^state = .*", f'state = "{state}"', text), "utf-8")
    if ending.hold:
        ending.hold_up(play)
    process = start_rayline("sync", "--json", "-c", str(config), home=play.folder)
    if ending.hold:
        wait_for(lambda: ending.is_held(play, mark))
    else:
        wait_for(lambda: len(play.writes(mark)) >= WRITES)
    out, said = end(process, ending.signal)
    if ending.signal is TERM:
        assert process.returncode == 75, said
        assert one_object(out)
    play.stage.notion.control("clear_faults", {})
    _finish(play, state)
    found = _picture(play, state)
    assert {
        key: (found.get(key), golden.get(key))
        for key in sorted({*found, *golden})
        if found.get(key) != golden.get(key)
    } == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_targets_typed_while_a_process_writes_a_changed_quarter_stand_and_are_told(
    play: Play,
) -> None:
    _quiet(play, write_config(play))
    config = _config(play)
    plans = [card for card in play.keyed("plans") if card.values["target"]]
    quarter = next(card for card in plans if "2026-Q4" in card.values["worker_key"])
    play.edit(
        "plans", quarter.page_id, target=quarter.values["target"] * 2, pinned=True
    )
    others = [card for card in plans if card is not quarter]
    assert len(others) > 10
    mark = play.mark()
    process = start_rayline("sync", "--json", "-c", str(config), home=play.folder)
    wait_for(lambda: bool(play.writes(mark)))
    typed: dict[str, Decimal] = {}
    for number, card in enumerate(reversed(others)):
        typed[card.page_id] = Decimal(1000 + number)
        play.edit("plans", card.page_id, target=typed[card.page_id], pinned=True)
    out, err = process.communicate(timeout=LONG)
    assert process.returncode == 0, err
    report = one_object(out)
    assert report["kept"] + report["conflicts"] > 0
    for page_id in _typed_unseen(play, mark, typed):
        del typed[page_id]
    assert len(typed) > 5
    quick = write_config(play)
    for _ in range(3):
        now = {card.page_id: card.values["target"] for card in play.keyed("plans")}
        assert {page_id: now[page_id] for page_id in typed} == typed
        ended = rayline("sync", "--json", "-c", str(quick), home=play.folder)
        assert ended.returncode == 0, ended.stderr


def _typed_unseen(play: Play, mark: int, typed: Mapping[str, Any]) -> set[str]:
    """Return the pages typed into just between being read again and being written, which no API shows."""
    unseen = set()
    for page_id in typed:
        about = [
            one for one in play.stage.notion.entries(mark) if one.page_id == page_id
        ]
        steps = [
            "edit" if one.method == "CONTROL" else one.method
            for one in sorted(about, key=lambda one: one.seq)
        ]
        edit = steps.index("edit")
        if steps[:edit][-1:] == ["GET"] and "PATCH" in steps[edit:]:
            unseen.add(page_id)
    return unseen
