"""A board in the trash, or not shared any more, stops itself alone: it counts as it was read last until it is back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.stages import ACME, Play, small_play
from worker.cycle.context import Mode
from worker.cycle.foresight import find_missing_views
from worker.errors import ConfigError
from worker.read.schema import read_schema

WAYS = {"unshare": "share", "trash": "restore"}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as play:
        yield play


@pytest.fixture
def play(fresh: Play) -> Play:
    fresh.sync()
    fresh.later(minutes=10)
    return fresh


def _hide(play: Play, *sources: str, way: str = "unshare") -> dict[str, str]:
    """Hide boards; return their databases, to be shown again."""
    databases = {one: play.stage.bindings()[one].database_id for one in sources}
    for database in databases.values():
        play.stage.notion.control(way, {"id": database})
    return databases


def _show(play: Play, databases: dict[str, str], way: str = "unshare") -> None:
    for database in databases.values():
        play.stage.notion.control(WAYS[way], {"id": database})


def _told(play: Play, mode: Mode = Mode.DELTA) -> list[str]:
    report = play.sync(mode)
    play.later(minutes=10)
    assert (report.refused, report.applied.failures) == ((), ())
    return [one.where for one in report.plan.problems if one.code == "board-unseen"]


def _is_quiet(play: Play) -> bool:
    mark = play.mark()
    report = play.sync(Mode.FULL)
    play.later(minutes=10)
    return report.plan.changes == () and play.writes(mark) == []


def _standing(play: Play) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all boards, a row that is named by its key or title instead of its page."""
    boards = {name: living(play.stage, name) for name in play.stage.bindings()}
    names = {}
    for source, cards in boards.items():
        title = play.stage.context.schema.sources[source].title_property.name
        for card in cards:
            name = card.values.get("worker_key") or card.values[title]
            names[card.page_id] = f"{source}/{name}"

    def said(value: Any) -> Any:
        if isinstance(value, tuple):
            return sorted(_renamed(str(one), names) for one in value)
        return _renamed(value, names) if isinstance(value, str) else value

    found = {}
    for source, cards in boards.items():
        rows = [
            {name: said(one) for name, one in card.values.items()} for card in cards
        ]
        found[source] = sorted(rows, key=repr)
    return found


def _renamed(text: str, names: dict[str, str]) -> str:
    for page_id, name in names.items():
        text = text.replace(page_id, name)
    return text


def _live(play: Play, *, hides: bool) -> None:
    """Let people and Jira go on while one board after the other is hidden, and all are shown again."""
    for number, source in enumerate(sorted(play.stage.bindings())):
        way = sorted(WAYS)[number % 2]
        title = play.stage.context.schema.sources[source].title["en"]
        databases = _hide(play, source, way=way) if hides else {}
        _change(play, number, besides=source)
        assert _told(play) == ([title] if hides else [])
        _show(play, databases, way)
        assert _told(play) == []
    assert _is_quiet(play)


def _change(play: Play, number: int, *, besides: str) -> None:
    status = ("Done", "To Do")[number % 2]
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": status})
    for source, values in (
        ("people", {"capacity": Decimal(30 + number % 3)}),
        ("clients", {"monthly_fee": Decimal(600_000 + 1000 * number)}),
    ):
        if source != besides:
            play.edit(source, play.page(source, 0), **values)


def test_each_board_hidden_in_its_turn_leaves_the_workspace_as_if_none_had_been(
    tmp_path: Path,
) -> None:
    stood = []
    for hides in (True, False):
        (tmp_path / str(hides)).mkdir()
        with small_play(tmp_path / str(hides)) as play:
            play.sync()
            play.later(minutes=10)
            _live(play, hides=hides)
            stood.append(_standing(play))
    assert stood[0] == stood[1]


def test_two_boards_at_once_stop_themselves_alone(play: Play) -> None:
    keyed = set(play.all_keyed())
    databases = _hide(play, "risks", "clients")
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    assert _told(play, Mode.FULL) == ["Clients", "Risks"]
    assert play.row("projects", ACME).values["progress"] == Decimal("0.8333")
    _show(play, databases)
    assert _told(play) == []
    assert set(play.all_keyed()) >= keyed
    assert _is_quiet(play)


def test_where_no_board_is_shown_nothing_is_written_and_it_is_said(play: Play) -> None:
    databases = _hide(play, *play.stage.bindings())
    mark = play.mark()
    for mode in Mode:
        with pytest.raises(ConfigError) as caught:
            play.sync(mode)
        assert [one.code for one in caught.value.problems][:1] == ["no-boards"]
    assert play.writes(mark) == []
    _show(play, databases)
    play.later(minutes=10)
    assert _is_quiet(play)


@pytest.mark.parametrize("source", ["clients", "people", "risks", "tasks"])
def test_a_board_hidden_before_it_was_ever_read_is_as_if_it_were_not_there_once_that_is_confirmed(
    fresh: Play, source: str
) -> None:
    databases = _hide(fresh, source)
    assert [one.code for one in fresh.sync().refused] == ["never-read"]
    report = fresh.sync(force=True)
    assert (report.refused, report.applied.failures) == ((), ())
    assert "schema-source" in {one.code for one in report.plan.problems}
    assert report.plan.changes != ()
    _show(fresh, databases)
    fresh.later(minutes=10)
    assert _told(fresh, Mode.FULL) == []
    assert fresh.stage.bindings()[source].database_id == databases[source]
    keys = [card.values["worker_key"] for card in fresh.all_keyed().values()]
    assert len(keys) == len(set(keys))
    assert _is_quiet(fresh)


def test_a_row_waits_that_would_name_a_hidden_row_at_its_making_alone(
    play: Play,
) -> None:
    stood = play.all_keyed()
    databases = _hide(play, "clients")
    play.later(days=21)  # much is due by now
    _told(play, Mode.FULL)
    made = [card for page, card in play.all_keyed().items() if page not in stood]
    assert made
    before = {card.page_id for card in play.keyed("tasks")}
    _show(play, databases)
    _told(play, Mode.FULL)
    late = [
        card
        for card in play.keyed("tasks")
        if card.page_id not in before and card.values["client"]
    ]
    assert late


def test_a_look_names_the_board_and_asks_nothing_of_it(play: Play) -> None:
    _hide(play, "risks")
    context = play.stage.context
    drawn = play.draw(trigger="check")
    codes = {one.code for one in drawn.plan.problems}
    assert "board-unseen" in codes
    assert not codes & {"schema-source", "schema-deleted", "incomplete-read"}
    assert "risks" not in drawn.bindings
    list(find_missing_views(context.notion, context.schema, drawn.bindings))
    drift = read_schema(context.notion, context, afresh=True).drift
    assert "board-unseen" in {one.code for one in drift}


def test_a_board_that_comes_back_empty_is_refused_as_an_emptied_one(play: Play) -> None:
    risks = play.keyed("risks")
    databases = _hide(play, "risks")
    _told(play)
    for card in risks:
        play.stage.notion.control("trash", {"id": card.page_id})
    _show(play, databases)
    mark = play.mark()
    report = play.sync(Mode.FULL)
    assert [one.code for one in report.refused] == ["source-empty"]
    assert play.writes(mark) == []


def test_force_takes_a_board_for_taken_away_on_purpose(play: Play) -> None:
    keyed = set(play.all_keyed())
    databases = _hide(play, "risks")
    assert _told(play) == ["Risks"]
    report = play.sync(Mode.DELTA, force=True)
    play.later(minutes=10)
    assert "schema-source" in {one.code for one in report.plan.problems}
    assert _told(play) == []
    _show(play, databases)
    assert _told(play, Mode.FULL) == []
    assert set(play.all_keyed()) >= keyed
    assert _is_quiet(play)


def test_private_boards_without_a_page_are_one_problem_that_names_them_all(
    fresh: Play,
) -> None:
    context = fresh.stage.context
    drift = read_schema(context.notion, context, afresh=True).drift
    (told,) = (one for one in drift if one.code == "schema-private")
    titles = [one.title["en"] for one in context.schema.sources.values() if one.private]
    assert told.where == ", ".join(sorted(titles))
    assert "these databases" in told.message
