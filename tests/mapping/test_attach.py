"""Each card gets its own issues in one pass, and rings of parents end."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.english import english
from worker.domain.entities import Card, Issue, LoggedTime
from worker.domain.messages import literal
from worker.domain.values import Ref
from worker.world.attach import (
    attach,
    cycle_problems,
    descend,
    find_cycles,
    index_issues,
)
from worker.world.links import LinkKind, ResolvedLink

THEN = datetime(2026, 10, 1, tzinfo=UTC)
CARD = Card(Ref("projects", "card"), "Site")


def issue(
    number: int, *, project: str = "ACME", level: int = 0, parent: int | None = None
) -> Issue:
    """Return an issue with a numeric id."""
    return Issue(
        str(number),
        f"{project}-{number}",
        project,
        "Task",
        level,
        "Open",
        "new",
        THEN,
        THEN,
        parent=None if parent is None else str(parent),
    )


ISSUES = (
    issue(1, level=1),
    issue(2, parent=1),
    issue(3, level=-1, parent=2),
    issue(4),
    issue(5, level=1),
    issue(6, parent=5),
    issue(7, project="OTHER", parent=1),
    issue(8, level=2),
    issue(9, project="OTHER"),
)


def ids(link: ResolvedLink, issues: tuple[Issue, ...] = ISSUES) -> list[str]:
    """Return the ids of the issues a link gives its card."""
    work = attach([CARD], index_issues(issues, ()), {"card": link})
    return sorted(one.id for one in work[CARD.ref].issues)


def test_a_project_card_has_every_issue_but_epics() -> None:
    assert ids(ResolvedLink(LinkKind.PROJECT, "project ACME", project="ACME")) == [
        "2",
        "3",
        "4",
        "6",
    ]


def test_an_epic_card_has_all_below_it_even_from_other_projects() -> None:
    assert ids(ResolvedLink(LinkKind.EPIC, "epic ACME-1", epic="1")) == ["2", "3", "7"]


def test_a_card_of_one_story_has_the_story_and_its_sub_tasks() -> None:
    assert ids(ResolvedLink(LinkKind.EPIC, "epic ACME-2", epic="2")) == ["2", "3"]


def test_an_ordinary_issue_is_told_with_how_many_more_its_project_has() -> None:
    """ACME has the work items 2, 3, 4, 6 (epics are none): two besides 2 with its sub-task 3, three besides 4."""
    forest = index_issues(ISSUES, ())
    for name, others in (("2", 2), ("4", 3)):
        link = ResolvedLink(LinkKind.EPIC, project="ACME", epic=name, plain=True)
        assert attach([CARD], forest, {"card": link})[CARD.ref].others == others
    epic = ResolvedLink(LinkKind.EPIC, project="ACME", epic="1")
    assert attach([CARD], forest, {"card": epic})[CARD.ref].others is None


def test_a_query_card_has_what_was_matched_and_is_known() -> None:
    assert ids(
        ResolvedLink(LinkKind.JQL, "jql x", ids=frozenset({"1", "4", "9", "404"}))
    ) == ["4", "9"]


def test_worklogs_come_with_their_issues() -> None:
    logs = [LoggedTime(str(number), "anna", THEN.date(), 60) for number in (2, 4, 9)]
    work = attach(
        [CARD],
        index_issues(ISSUES, logs),
        {"card": ResolvedLink(LinkKind.PROJECT, "project ACME", project="ACME")},
    )
    assert {log.issue for log in work[CARD.ref].worklogs} == {"2", "4"}
    assert work[CARD.ref].link == "project ACME"


def test_an_unresolved_link_gives_no_work() -> None:
    forest = index_issues(ISSUES, ())
    assert attach([CARD], forest, {}) == {}
    assert (
        attach(
            [CARD],
            forest,
            {
                "card": ResolvedLink(
                    LinkKind.PROJECT, project="ACME", problem=literal("gone")
                )
            },
        )
        == {}
    )
    assert attach([CARD], forest, {"card": ResolvedLink(LinkKind.NONE)}) == {}


def test_rings_of_parents_are_found_once_each_and_named() -> None:
    ring = (
        issue(1, parent=3),
        issue(2, parent=1),
        issue(3, parent=2),
        issue(4, parent=3),
        issue(5, parent=5),
    )
    problems = cycle_problems(find_cycles(index_issues(ring, ())), "https://jira/")
    assert sorted(english(problem.where) for problem in problems) == [
        "ACME-1",
        "ACME-5",
    ]
    assert {problem.url for problem in problems} == {
        "https://jira/browse/ACME-1",
        "https://jira/browse/ACME-5",
    }
    assert ids(ResolvedLink(LinkKind.EPIC, epic="1"), ring) == ["1", "2", "3", "4"]


@given(st.lists(st.integers(-1, 12), min_size=1, max_size=12))
def test_any_parents_end_and_a_ring_is_reported_exactly_when_there_is_one(
    parents: list[int],
) -> None:
    issues = [
        issue(number, parent=None if parent < 0 else parent)
        for number, parent in enumerate(parents)
    ]
    forest = index_issues(issues, ())
    in_ring = {one for one in range(len(parents)) if _returns(one, parents)}
    assert {int(one.id) for ring in find_cycles(forest) for one in ring} == in_ring
    for number in range(len(parents)):
        below = descend(str(number), forest).issues
        assert len({one.id for one in below}) == len(below)


def _returns(start: int, parents: list[int]) -> bool:
    step = start
    for _ in parents:
        step = parents[step] if 0 <= step < len(parents) else -1
        if step == start:
            return True
    return False


def test_whether_a_sub_task_left_the_scope_depends_on_its_own_card_alone() -> None:
    """A condition matches the sub-task 12 and not its rejected parent 11, which another card may have read or not."""
    story = replace(issue(11), category="done", rejected=True)
    below = issue(12, level=-1, parent=11)
    matched = ResolvedLink(LinkKind.JQL, "labels = a", ids=frozenset({"12"}))
    for read in ((below,), (story, below)):
        work = attach([CARD], index_issues(read, ()), {"card": matched})[CARD.ref]
        assert [each.id for each in work.issues] == ["12"]
    whole = ResolvedLink(LinkKind.PROJECT, "ACME", project="ACME")
    work = attach([CARD], index_issues((story, below), ()), {"card": whole})[CARD.ref]
    assert [each.id for each in work.rejected] == ["11", "12"]


LOGGED = tuple(LoggedTime(issue.id, "anna", THEN.date(), 60) for issue in ISSUES[:8])


def logged(link: ResolvedLink) -> list[str]:
    """Return the ids of the issues whose logs a link gives its card, one for each log."""
    work = attach([CARD], index_issues(ISSUES, LOGGED), {"card": link})
    return sorted(log.issue for log in work[CARD.ref].worklogs)


def test_time_logged_on_an_epic_is_of_the_cards_that_name_it_or_what_it_is_in() -> None:
    whole = ResolvedLink(LinkKind.PROJECT, "ACME", project="ACME")
    assert logged(whole) == ["1", "2", "3", "4", "5", "6", "8"]
    epic = ResolvedLink(LinkKind.EPIC, "ACME-1", epic="1")
    assert logged(epic) == ["1", "2", "3", "7"]
    matched = ResolvedLink(LinkKind.JQL, "labels = a", ids=frozenset({"4", "5"}))
    assert logged(matched) == ["4", "5"]
    several = ResolvedLink(LinkKind.SEVERAL, "both", parts=(epic, whole))
    assert logged(several) == ["1", "2", "3", "4", "5", "6", "7", "8"]


def test_time_logged_on_epics_of_an_epic_is_of_the_card_that_names_what_is_above() -> (
    None
):
    issues = (issue(8, level=2), issue(1, level=1, parent=8), issue(2, parent=1))
    logs = [LoggedTime(one.id, "anna", THEN.date(), 60) for one in issues]
    link = ResolvedLink(LinkKind.EPIC, "ACME-8", epic="8")
    work = attach([CARD], index_issues(issues, logs), {"card": link})[CARD.ref]
    assert [each.id for each in work.issues] == ["2"]
    assert sorted(log.issue for log in work.worklogs) == ["1", "2", "8"]
