"""A token whose last day is known is a problem two weeks before it, in every list of problems."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.stages import TODAY, small_play
from worker.config import JiraSettings, NotionSettings, Workspace
from worker.cycle.tokens import expiring
from worker.errors import Severity

LAST = date(2027, 3, 31)


@pytest.mark.parametrize(
    ("days", "severities"),
    [
        (15, []),
        (14, [Severity.WARNING]),
        (1, [Severity.WARNING]),
        (0, [Severity.WARNING]),
        (-1, [Severity.ERROR]),
        (-400, [Severity.ERROR]),
    ],
)
@pytest.mark.parametrize("side", ["jira", "notion"])
def test_a_token_is_a_problem_as_its_last_day_comes_near(
    days: int, severities: list[Severity], side: str
) -> None:
    settings = (
        Workspace(jira=JiraSettings(token_expires=LAST))
        if side == "jira"
        else Workspace(notion=NotionSettings(token_expires=LAST))
    )
    found = list(expiring(settings, LAST - timedelta(days=days)))
    assert [problem.severity for problem in found] == severities


def test_a_token_without_a_last_day_is_no_problem() -> None:
    assert list(expiring(Workspace(), LAST)) == []


def test_a_plan_tells_a_token_that_ends_and_stays_the_same_the_day_after(
    tmp_path: Path,
) -> None:
    with small_play(tmp_path) as play:
        jira = play.stage.context.settings.jira
        last = TODAY + timedelta(days=5)
        told = play.with_settings(jira=jira.model_copy(update={"token_expires": last}))
        found = [
            problem
            for problem in told.draw().plan.problems
            if problem.code == "token-expires"
        ]
    assert [problem.where for problem in found] == ["jira.token"]
    assert "Nov 23, 2026" in found[0].message
