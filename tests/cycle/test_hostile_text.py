"""Names that hold what is no text: the cycle goes on, what is written is text, and a second one writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.stages import ACME, BETA, PITCH, Play, small_play
from worker.charts import specify
from worker.cycle.report import Report
from worker.domain.charts import Chart
from worker.domain.text import visible
from worker.plan.plan import Kind
from worker.state import problems, runs
from worker.write import uploads

SIGNS = {
    "vertical tab": "New\x0bsite",
    "null": "New\x00site",
    "escape": "New\x1b[2J\x1b[31mall is well",
    "carriage return": "New\rsite",
    "form feed": "New\x0csite",
    "file separator": "New\x1csite",
    "delete": "New\x7fsite",
    "c1": "New\x85\x9bsite",
    "line separator": "New\u2028site",
    "paragraph separator": "New\u2029site",
    "override": "New \u202egpj.exe",
    "isolate": "New \u2066site\u2069",
    "noncharacters": "New \ufffe\uffff\ufdd0\U0001ffff site",
    "breaks": "New\r\nsite\n",
    "nothing else": "\x0b\x1b\x00",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("hostile")) as found:
        found.sync()
        yield found


def rename(play: Play, source: str, index: int, name: str) -> None:
    """Let a person give a row a name, of whatever characters."""
    piece = {"type": "text", "text": {"content": name}, "plain_text": name}
    raw = {**piece, "annotations": {}, "href": None}
    title = play.stage.context.schema.sources[source].title_property.name
    play.garble(source, play.page(source, index), title, [raw])


def give_names(play: Play, sign: str) -> None:
    """Put a text into every kind of name the two systems have."""
    for source, index in (
        ("clients", 0),
        ("clients", 1),
        ("clients", 2),
        ("projects", ACME),
        ("projects", BETA),
        ("projects", PITCH),
        ("people", 0),
        ("people", 3),
        ("units", 0),
        ("services", 0),
        ("contacts", 0),
    ):
        rename(play, source, index, f"{sign} {source} {index}")
    control, summary = play.stage.jira.control, sign.replace("\n", "\v")
    for key in ("ACME-1", "ACME-5", "BETA-2"):
        control(
            "edit",
            {
                "issue": key,
                "fields": {"summary": f"{summary} {key}", "labels": ["web"]},
            },
        )
    control("rename_project", {"key": "OTHER", "name": f"{sign} other"})


def written(play: Play, report: Report) -> Iterator[Any]:
    """Yield what stands in Notion by the worker's hand: its rows, and the sections of a cycle."""
    yield from (card.values for card in play.all_keyed().values())
    for change in report.plan.changes:
        if change.kind is Kind.SECTION and change.page_id:
            yield play.stage.context.notion.children(change.page_id)


def hidden(values: Iterable[Any]) -> list[str]:
    """Return the texts among some JSON that hold what is no text."""
    found = (text for value in values for text in texts_in(value))
    return [text for text in found if visible(text, kept="\n\t") != text]


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of some JSON."""
    match value:
        case str():
            yield value
        case dict():
            for key, one in value.items():
                yield from texts_in(key)
                yield from texts_in(one)
        case list() | tuple():
            for one in value:
                yield from texts_in(one)


@pytest.mark.parametrize("name", SIGNS)
def test_names_of_any_characters_are_written_as_text_and_settle_at_once(
    shared: Play, name: str
) -> None:
    give_names(shared, SIGNS[name])
    shared.later(minutes=10)
    report = shared.sync()
    assert report.failures() == ()
    assert not [one for one in report.plan.problems if one.code == "rule-failed"]
    assert hidden(written(shared, report)) == []
    shared.later(minutes=10)
    mark = shared.mark()
    assert shared.sync().plan.changes == ()
    assert shared.writes(mark) == []


def test_a_first_sync_of_hostile_names_is_whole_and_the_second_writes_nothing(
    tmp_path: Path,
) -> None:
    with small_play(tmp_path, locale="ru") as play:
        give_names(play, "".join(SIGNS.values()))
        report = play.sync()
        assert report.failures() == ()
        assert report.applied.counts()["sections"] > 3
        play.later(minutes=10)
        mark = play.mark()
        assert play.sync().plan.changes == ()
        assert play.writes(mark) == []


def test_pictures_that_cannot_be_drawn_are_told_until_they_can_and_fail_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(chart: Chart) -> Any:
        return {**specify(chart), "title": f"{chart.title}\x0b"}

    with small_play(tmp_path) as play, monkeypatch.context() as broken:
        broken.setattr(uploads, "specify", deadly)
        report = play.sync()
        told = [one for one in report.problems() if one.code == "picture-not-drawn"]
        assert told
        assert report.failures() == ()
        with play.stage.store.reading("studio") as tx:
            assert runs.recent(tx, 1)[0].status is runs.RunStatus.DONE
            assert {*told} <= {*problems.load(tx)}
        broken.undo()
        play.later(minutes=10)
        assert play.sync().applied.counts()["sections"] == len(
            {one.where for one in told}
        )
        play.later(minutes=10)
        last = play.sync()
        assert last.plan.changes == ()
        assert last.standing() == last.plan.problems
