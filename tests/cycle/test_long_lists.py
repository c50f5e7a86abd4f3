"""A list longer than a request takes is written as far as it goes, and what is missing is told."""

from __future__ import annotations

from pathlib import Path

from rayline_demo.board import living
from tests.support.stages import Play, small_play
from worker.cycle.context import Mode
from worker.cycle.report import Report
from worker.domain.values import Ref

CARDS = 117


def _cards(play: Play) -> list[str]:
    """Return the cards that stand in a developer's row."""
    page = play.page("people", 3)
    (row,) = [card for card in living(play.stage, "people") if card.page_id == page]
    return list(row.values["projects"])


def _told(report: Report) -> list[str]:
    return [
        problem.message
        for problem in report.plan.problems
        if (problem.code, problem.field) == ("value-cut", "projects")
    ]


def test_a_developer_on_more_cards_than_a_request_takes(tmp_path: Path) -> None:
    with small_play(tmp_path) as play:
        client = (Ref("clients", play.page("clients", 0)),)
        made = [
            play.stage.scribe.add(
                "projects",
                name=f"Card {number}",
                client=client,
                stage="in_progress",
                jira="ACME-3",
            )
            for number in range(CARDS)
        ]
        play.stage.jira.control(
            "edit", {"issue": "ACME-3", "fields": {"assignee": "acc-developer"}}
        )
        report = play.sync()
        count = CARDS + 3
        assert len(_cards(play)) == 100
        (said,) = _told(report)
        assert f"lists {count}, of which a request to Notion takes 100" in said

        for mode in (Mode.DELTA, Mode.FULL):
            play.later(minutes=10)
            mark = play.mark()
            again = play.sync(mode)
            assert play.writes(mark) == []
            assert _told(again) == [said]

        for card in made[:30]:
            play.stage.notion.control("trash", {"id": card})
        play.later(minutes=10)
        assert _told(play.sync(Mode.FULL)) == []
        assert len(_cards(play)) == count - 30
