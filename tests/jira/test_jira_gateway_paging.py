"""Walks over scripted pages: where each ends, what it asks for next, and what makes it incomplete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from jira_gateway_rig import Script, found, issue, make

from rayline_sandbox.wire import json_response
from worker.domain.messages import literal
from worker.errors import Code, Problem, Rejected
from worker.jira.paging import MOST_EMPTY, newest_of, walk_offsets, walk_tokens
from worker.jira.records import IssueId, Page

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FIRST = int(START.timestamp() * 1000)
BAD = Problem(code=Code.BAD_ISSUE, where=literal("ACME-9"))


def row(second: int | None, identity: str = "") -> IssueId:
    """Return a row updated so many seconds after the start."""
    fields: Any = (
        None if second is None else {"updated": START + timedelta(seconds=second)}
    )
    return msgspec.convert({"id": identity or str(second), "fields": fields}, IssueId)


def rows(*seconds: int | None, bad: int = 0, **more: Any) -> Page:
    return Page(tuple(map(row, seconds)), (BAD,) * bad, len(seconds) + bad, **more)


class Pages:
    """Answers pages one after the other and keeps what was asked."""

    def __init__(self, *pages: Page) -> None:
        self.pages = list(pages)
        self.asked: list[Any] = []

    def by_offset(self, bound: int | None, start: int) -> Page:
        """Answer a page of Data Center."""
        self.asked.append((None if bound is None else bound - FIRST, start))
        return self.pages.pop(0)

    def by_token(self, token: str | None) -> Page:
        """Answer a page of Cloud."""
        self.asked.append(token)
        return self.pages.pop(0)


Place = tuple[int | None, int]


@pytest.mark.parametrize(
    ("pages", "asked", "reason"),
    [
        ([rows(1, 2, total=2)], [(None, 0)], ""),
        ([rows(total=0)], [(None, 0)], ""),
        ([rows(1, 2, total=1)], [(None, 0)], ""),
        ([rows(1, 2)], [(None, 0)], "an answer without a total"),
        ([rows()], [(None, 0)], "an answer without a total"),
        ([rows(1, 2, total=3), rows(2, 3, total=2)], [(None, 0), (2000, 0)], ""),
        (
            [rows(1, 1, total=3), rows(1, 1, total=3), rows(1, total=3)],
            [(None, 0), (1000, 0), (1000, 2)],
            "",
        ),
        (
            [rows(1, total=3), rows(total=3)],
            [(None, 0), (1000, 0)],
            "an empty page before the end",
        ),
        ([rows(total=1)], [(None, 0)], "an empty page before the end"),
        ([rows(2, 1, total=3), rows(3, total=3)], [(None, 0), (None, 2)], ""),
        ([rows(1, None, total=3), rows(3, total=3)], [(None, 0), (None, 2)], ""),
        ([rows(1, bad=1, total=3), rows(3, total=3)], [(None, 0), (None, 2)], ""),
        ([rows(bad=2, total=3), rows(3, total=3)], [(None, 0), (None, 2)], ""),
        (
            [rows(1, total=2, warnings=("cut",)), rows(2, total=1)],
            [(None, 0), (1000, 0)],
            "Jira warned: cut",
        ),
        (
            [rows(1, total=2, warnings=("cut",)), rows(2, total=1, warnings=("late",))],
            [(None, 0), (1000, 0)],
            "Jira warned: cut",
        ),
        ([rows(1, warnings=("cut",))], [(None, 0)], "Jira warned: cut"),
    ],
)
def test_data_center_is_asked_on_from_the_newest_in_order_and_else_by_offset(
    pages: list[Page], asked: list[Place], reason: str
) -> None:
    script = Pages(*pages)
    walk = walk_offsets(script.by_offset, None)
    assert script.asked == asked
    assert (walk.reason, script.pages) == (reason, [])
    assert len(walk.rows) == sum(len(page.rows) for page in pages)
    assert len(walk.problems) == sum(len(page.problems) for page in pages)


def test_a_bound_given_is_the_first_and_never_goes_back() -> None:
    script = Pages(rows(1, 2, total=4), rows(1, 2, total=4), rows(3, total=4))
    walk = walk_offsets(script.by_offset, FIRST + 2000)
    assert script.asked == [(2000, 0), (2000, 2)]
    assert walk.reason == ""


@pytest.mark.parametrize(
    ("page", "newest"),
    [
        (rows(1), 1),
        (rows(1, 2, 3), 3),
        (rows(1, 1, 1), 1),
        (rows(1, 3, 3), 3),
        (rows(2, 1), None),
        (rows(1, 3, 2), None),
        (rows(3, 1, 4), None),
        (rows(), None),
        (rows(None), None),
        (rows(1, None), None),
        (rows(None, 1), None),
        (rows(1, 2, bad=1), None),
        (rows(bad=1), None),
    ],
)
def test_the_newest_is_the_last_of_rows_in_order_all_of_which_were_read(
    page: Page, newest: int | None
) -> None:
    assert newest_of(page) == (None if newest is None else FIRST + newest * 1000)


def test_the_window_is_used_to_its_end_and_not_beyond() -> None:
    same = [rows(*[1] * 500, total=10_100) for _ in range(21)]
    script = Pages(*same)
    walk = walk_offsets(script.by_offset, FIRST + 1000)
    assert script.asked == [(1000, start) for start in range(0, 10_000, 500)]
    assert walk.reason == "over 10000 issues in one second"


def tokens(*pages: tuple[int, str | None, bool | None]) -> list[Page]:
    return [
        Page(
            tuple(row(1, f"{number}.{each}") for each in range(count)),
            (),
            count,
            token=token,
            last=last,
        )
        for number, (count, token, last) in enumerate(pages)
    ]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([(1, None, True)], ""),
        ([(1, None, None)], ""),
        ([(0, None, True)], ""),
        ([(1, None, False)], "more issues announced without a token"),
        ([(1, "a", True)], ""),
        ([(1, "a", False), (1, None, True)], ""),
        ([(1, "a", None), (1, "b", None), (1, None, None)], ""),
        ([(1, "a", False), (1, "a", False)], "a repeated page token"),
        ([(1, "a", None), (1, "b", None), (1, "a", None)], "a repeated page token"),
        ([(0, "a", False), (0, "b", False), (1, "c", False), (1, None, True)], ""),
        (
            [
                (0, "a", False),
                (0, "b", False),
                (1, "c", False),
                (0, "d", False),
                (0, "e", False),
                (1, None, True),
            ],
            "",
        ),
        ([(0, "a", False), (0, "b", False), (0, "c", False)], "3 empty pages in a row"),
    ],
)
def test_cloud_is_walked_by_fresh_tokens_to_an_honest_end(
    pages: Sequence[tuple[int, str | None, bool | None]], reason: str
) -> None:
    script = Pages(*tokens(*pages))
    walk = walk_tokens(script.by_token)
    assert (walk.reason, script.pages) == (reason, [])
    assert script.asked == [None, *(token for _, token, _ in pages[:-1])]
    assert len(walk.rows) == sum(count for count, _, _ in pages)
    assert MOST_EMPTY == 3


def test_a_refusal_that_is_not_about_the_token_is_not_walked_again() -> None:
    asked = []

    def refuse(token: str | None) -> Page:
        asked.append(token)
        raise Rejected("jira", "POST search/jql", "Field 'x' does not exist")

    with pytest.raises(Rejected):
        walk_tokens(refuse)
    assert asked == [None]


@pytest.mark.parametrize("cloud", [True, False])
@pytest.mark.parametrize(
    "spoilt",
    [
        {"created": "0001-01-01T00:00:00.000+0300"},
        {"updated": "9999-12-31T23:59:59.000-0300"},
        {"duedate": "soon"},
        {"status": None},
    ],
)
def test_one_unreadable_issue_does_not_break_a_look_up(
    spoilt: dict[str, Any], cloud: bool
) -> None:
    issues = issue(1), issue(2, **spoilt), issue(3)
    fields = json_response(200, [])
    script = Script(
        {
            "GET field": fields,
            "POST issue/bulkfetch": found(*issues),
            "GET search": found(*issues, total=3),
        }
    )
    made = make(script, cloud=cloud)
    assert sorted(made.by_keys(["ACME-1", "ACME-2", "ACME-3"])) == ["ACME-1", "ACME-3"]
