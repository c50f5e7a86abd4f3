"""A living demo: the same seed plays the same acts, nobody's work is lost, mistakes show and are mended, days do not tire."""

from __future__ import annotations

import re
import threading
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from rayline_demo.checks import duplicates, lost
from rayline_demo.live import accounts, mistakes
from rayline_demo.live.lines import CycleLines
from rayline_demo.live.office import Deed
from rayline_demo.live.pace import played
from rayline_demo.live.script import Script
from tests.support.living import SEED, Living, living
from tests.support.waiting import wait_for
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.undoing import undo
from worker.domain.messages import ENGLISH, Text, render
from worker.locales import load_words
from worker.plan.undo import RULE

HOUR, DAY = 60, 24 * 60
LOOK_EVERY = 5


def boards(alive: Living) -> dict[str, list[tuple[str, str]]]:
    """Return what stands on the boards, cell by cell as people read it."""
    return {
        source: sorted((row.page_id, repr(sorted(row.values.items()))) for row in rows)
        for source in ("projects", "clients", "tasks", "risks", "plans", "people")
        if (rows := alive.office.rows(source))
    }


def an_hour(folder: Path) -> tuple[list[str], dict[str, list[tuple[str, str]]]]:
    """Return what was told in an hour, and how the boards look after it."""
    folder.mkdir()
    with living(folder) as alive:
        for _ in range(HOUR // LOOK_EVERY):
            alive.play(LOOK_EVERY)
            report = alive.look()
            assert not report.refused
            assert report.applied.failures == ()
            assert lost(alive.office.rig, alive.office.deeds) == []
            assert duplicates(alive.office.rig) == 0
            assert alive.idle_writes() == 0
        return alive.told, boards(alive)


@pytest.mark.slow
def test_an_hour_is_the_same_for_the_same_seed_and_loses_nothing(
    tmp_path: Path,
) -> None:
    told, stands = an_hour(tmp_path / "first")
    again, stands_again = an_hour(tmp_path / "second")
    assert told == again
    assert stands == stands_again
    assert len(told) > 50
    assert len(set(told)) > 40, "the same thing over and over shows nothing"


def test_another_seed_plays_other_acts(tmp_path: Path) -> None:
    with living(tmp_path) as alive:
        alive.play(20)
        first = list(alive.told)
        alive.told.clear()
        alive.script = Script(alive.office, SEED + 1)
        alive.play(20)
    assert alive.told != first


@pytest.mark.slow
def test_three_days_neither_grow_without_end_nor_run_dry(tmp_path: Path) -> None:
    sizes = []
    with living(tmp_path) as alive:
        for _ in range(3):
            alive.told.clear()
            for _ in range(4):
                alive.play(DAY // 4)
                alive.look()
            sizes.append(size(alive))
            assert len(alive.told) > DAY * 9 // 10
            assert len(kinds(alive)) >= 12, kinds(alive)
        assert lost(alive.office.rig, alive.office.deeds) == []
        assert duplicates(alive.office.rig) == 0
    first, _, last = sizes
    for name in first:
        assert last[name] <= first[name] * 1.5 + 20, (name, sizes)


def size(alive: Living) -> Counter[str]:
    """Return how much there is of what people add."""
    counts = alive.office.rig.jira.control("counts", {})
    sizes = Counter({name: counts[name] for name in ("issues", "worklogs")})
    dump = alive.office.rig.notion.control("dump", {})
    living_pages = [one for one in dump["pages"].values() if not one["in_trash"]]
    sizes["comments"] = len(dump["shelves"].get("comments", {}))
    sizes["pages"] = len(living_pages)
    return sizes


def kinds(alive: Living) -> Counter[str]:
    """Return which verbs were told, how often."""
    return Counter(line.split(" ", 3)[2] for line in alive.told)


@pytest.mark.parametrize("slip", mistakes.SLIPS, ids=lambda slip: str(slip.__name__))
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_mistake_shows_and_is_gone_once_it_is_mended(
    tmp_path: Path, slip: Deed, locale: str
) -> None:
    with living(tmp_path, locale=locale) as alive:
        before = set(alive.look(Mode.FULL).standing())
        cells = boards(alive)
        done = slip(alive.office, Random(SEED))
        assert done is not None
        assert done.undo is not None
        wrong = set(alive.look(Mode.FULL).standing()) - before
        assert bool(wrong) is (slip is not mistakes.trash_task)
        assert lost(alive.office.rig, alive.office.deeds) == []
        mended = done.undo()
        assert mended is not None
        assert render(mended, ENGLISH)
        assert not wrong & set(alive.look(Mode.FULL).standing())
        assert boards(alive).keys() == cells.keys()
        assert lost(alive.office.rig, alive.office.deeds) == []


def test_people_act_on_real_time_until_the_block_ends(tmp_path: Path) -> None:
    told: list[Text] = []
    stop = threading.Event()
    with living(tmp_path) as alive:
        with played(alive.script, seconds=0.01, stop=stop, say=told.append):
            wait_for(lambda: len(told) > 3, "four acts")
        assert not any(one.name == "demo-people" for one in threading.enumerate())
        played_so_far = alive.script.minute
        with played(alive.script, seconds=0, stop=stop, say=told.append):
            pass
        assert alive.script.minute == played_so_far


def test_what_a_visitor_deletes_stops_nobody(tmp_path: Path) -> None:
    with living(tmp_path) as alive:
        office = alive.office
        for ticket in office.developers.tickets["ACME"][::2]:
            office.jira("delete", issue=ticket.key, subtasks=True)
        for task in office.rows("tasks")[::2]:
            office.control(office.account_manager(), "delete_forever", id=task.page_id)
        alive.play(HOUR)
        assert len(alive.told) > HOUR * 3 // 4


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_cycle_is_told_in_a_line_and_what_is_wrong_once(
    tmp_path: Path, locale: str
) -> None:
    words = load_words(locale, "EUR")
    with living(tmp_path, locale=locale) as alive:
        office = alive.office
        lines = CycleLines(words, office.rig.context.schema)
        card = office.rows("projects")[0]
        name = card.values["name"]
        first = lines.of(alive.look(Mode.FULL))
        assert len(first) <= 2
        assert lines.of(alive.look()) == []
        done = mistakes.mistype_days(office, Random(SEED))
        assert done is not None
        assert done.undo is not None
        wrong = lines.of(alive.look())
        assert [line[0] for line in wrong if line[0] in "!✓"] == ["!"]
        assert {"en": "Time off", "ru": "Отпуска и отсутствия"}[locale] in wrong[-1]
        assert lines.of(alive.look()) == []
        looked = undo(
            office.rig.context, CycleRequest(Mode.FULL, RULE, dry_run=True, undoes=1)
        )
        assert lines.of(looked) == []
        done.undo()
        right = lines.of(alive.look())
        assert [line[0] for line in right if line[0] in "!✓"] == ["✓"]
        office.jira("transition", issue="ACME-5", status="Done")
        (line,) = lines.of(alive.look())
        assert name in line
        assert {"en": "changed", "ru": "измен"}[locale] in line


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_an_act_tells_a_day_as_its_reader_writes_it(
    tmp_path: Path, locale: str
) -> None:
    with living(tmp_path) as alive:
        done = accounts.move_due(alive.office, Random(SEED))
        assert done is not None
        assert done.undo is not None
        back = done.undo()
        assert back is not None
        for told in (done.told, back):
            line = render(told, load_words(locale, "EUR"))
            assert re.search(r"\d{4}-\d\d", line) is None, line
            assert re.search(r"20\d\d", line), line
