"""What leaves a query or a branch, and what enters or leaves it by the clock alone, is seen by a look at changes.

Both kinds of Jira, in process, counted at the wire; the measure is a fresh read of everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.busy_jira import FACES, NOW, PROJECTS, BusyJira
from tests.support.english import english
from worker.errors import Code
from worker.world.attach import find_work
from worker.world.passing import is_passing

IDLE = Counter(search=1, feeds=2)
OPEN = "project = BRAVO AND status != Done"
WEB = "project = BRAVO AND labels = web"


@pytest.fixture(params=FACES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BusyJira:
    """A site of which nothing is linked."""
    return BusyJira(tmp_path, request.param)


def link(site: BusyJira, *cells: str) -> None:
    """Link some work, and read it until nothing is new."""
    site.cells = {f"card{number}": cell for number, cell in enumerate(cells)}
    site.read(full=True)
    site.standing()


def edit(site: BusyJira, issue: str, **fields: Any) -> None:
    site.jira.control("edit", {"issue": issue, "fields": fields})


def finish(site: BusyJira, issue: str) -> None:
    site.jira.control("transition", {"issue": issue, "status": "Done"})


def works(site: BusyJira, card: str = "card0") -> set[str]:
    """Return the keys of a card's work after one look at changes."""
    site.later()
    read = site.read()
    assert read.incomplete == ""
    return {issue.key for issue in find_work(read.links[card], site.forest()).issues}


LEAVING: dict[str, tuple[str, Callable[[BusyJira], None], str]]
LEAVING = {
    "done leaves what is open": (OPEN, lambda site: finish(site, "BRAVO-3"), "BRAVO-3"),
    "a label is taken off": (
        WEB,
        lambda site: edit(site, "BRAVO-3", labels=[]),
        "BRAVO-3",
    ),
    "a label is taken off what a filter matched": (
        "filter",
        lambda site: edit(site, "BRAVO-3", labels=[]),
        "BRAVO-3",
    ),
    "a query over all projects": (
        "labels = web",
        lambda site: edit(site, "CHARLY-6", labels=[]),
        "CHARLY-6",
    ),
    "a child elsewhere is taken out of its epic": (
        "ALFA-1",
        lambda site: edit(site, "BRAVO-7", parent=None),
        "BRAVO-7",
    ),
    "a child elsewhere goes to an epic that nothing links": (
        "ALFA-1",
        lambda site: edit(site, "BRAVO-7", parent={"key": "CHARLY-1"}),
        "BRAVO-7",
    ),
}


@pytest.mark.parametrize("listed", [None, PROJECTS])
@pytest.mark.parametrize("case", LEAVING)
def test_what_leaves_what_is_linked_leaves_its_card_with_the_next_look(
    site: BusyJira, case: str, listed: tuple[str, ...] | None
) -> None:
    cell, leave, key = LEAVING[case]
    site.listed = listed
    edit(site, "BRAVO-7", parent={"key": "ALFA-1"})
    if cell == "filter":
        made = site.jira.control("add_filter", {"name": "Ours", "jql": WEB})
        cell = f"filter={made['id']}"
    link(site, cell)
    before = works(site)
    assert key in before
    leave(site)
    assert works(site) == before - {key}
    assert site.standing()[:2] == site.anew()[:2]
    site.later()
    site.read()
    assert site.sent == IDLE


def test_a_branch_leaves_with_all_that_hangs_below_it(site: BusyJira) -> None:
    fields = {"summary": "Part", "issuetype": {"name": "Sub-task"}}
    asked = {"project": "BRAVO", "fields": {**fields, "parent": {"key": "BRAVO-7"}}}
    below = str(site.jira.control("create", asked)["key"])
    edit(site, "BRAVO-7", parent={"key": "ALFA-1"})
    link(site, "ALFA-1")
    before = works(site)
    assert {"BRAVO-7", below} <= before
    edit(site, "BRAVO-7", parent=None)
    assert works(site) == before - {"BRAVO-7", below}
    edit(site, "BRAVO-7", parent={"key": "ALFA-1"})
    assert works(site) == before
    assert site.standing()[:2] == site.anew()[:2]


def test_what_changes_beside_what_is_linked_is_asked_about_once_and_not_kept(
    site: BusyJira,
) -> None:
    link(site, WEB)
    before = site.kept()
    site.jira.control("transition", {"issue": "BRAVO-4", "status": "In Progress"})
    site.later()
    site.read()
    assert site.sent == IDLE + Counter(search=1)
    assert site.kept() == before
    for _ in range(3):
        site.later(2)
        site.read()
        assert site.sent == IDLE


def test_what_changes_where_nothing_is_linked_costs_nothing(site: BusyJira) -> None:
    link(site, WEB, "ALFA")
    finish(site, "CHARLY-4")
    site.later()
    site.read()
    assert site.sent == IDLE
    assert {site.jira.control("dump", {})["issues"][0]["id"]} - site.told


def test_a_bad_issue_beside_what_is_linked_is_nobodys_problem(site: BusyJira) -> None:
    link(site, WEB)
    for key in ("BRAVO-4", "BRAVO-6"):
        finish(site, key)
        site.jira._site.store.issues[_number(site, key)].estimate = 2**80
    site.later()
    read = site.read()
    told = [str(one.where) for one in read.problems if one.code is Code.BAD_ISSUE]
    assert len(told) == 1
    assert "BRAVO-6" in told[0]


def _number(site: BusyJira, key: str) -> int:
    for issue in site.jira.control("dump", {})["issues"]:
        if issue["key"] == key:
            return int(issue["id"])
    raise KeyError(key)


def test_beside_what_is_linked_nothing_beyond_the_list_is_asked_for(
    site: BusyJira,
) -> None:
    edit(site, "DELTA-7", parent={"key": "ALFA-1"})
    site.listed = PROJECTS[:3]
    link(site, "labels = web", "ALFA-1")
    finish(site, "DELTA-3")
    finish(site, "DELTA-7")
    site.later()
    site.read()
    dumped = site.jira.control("dump", {})["issues"]
    beyond = {one["id"] for one in dumped if one["key"].startswith("DELTA-")}
    assert not site.told & beyond


def test_a_project_that_went_out_of_view_refuses_no_query_beside_it(
    site: BusyJira,
) -> None:
    link(site, "labels = web", "ALFA")
    site.jira.control("hide_project", {"key": "CHARLY"})
    finish(site, "ALFA-3")
    edit(site, "BRAVO-3", labels=[])
    site.later()
    read = site.read()
    assert [str(one.problem) for one in read.links.values() if one.problem] == []
    keys = {one.key for one in find_work(read.links["card0"], site.forest()).issues}
    assert "BRAVO-3" not in keys
    assert {one.key for one in site.kept()[0] if one.category == "done"} >= {"ALFA-3"}


# By the clock

DUE = "project = BRAVO AND duedate < now()"
SOON = "project = BRAVO AND duedate <= endOfWeek()"
FRESH = "project = BRAVO AND updated > -7d"
SPRINT = "project = BRAVO AND sprint in openSprints()"


def test_what_a_query_takes_in_by_the_clock_alone_comes_within_the_hour(
    site: BusyJira,
) -> None:
    edit(site, "BRAVO-4", duedate="2026-11-20")
    edit(site, "BRAVO-5", duedate="2026-11-22")
    link(site, DUE, SOON)
    assert works(site) == set()
    site.later(60 * 24)
    assert works(site) == {"BRAVO-4"}
    site.later(60 * 48)
    assert works(site) == {"BRAVO-4", "BRAVO-5"}
    assert site.standing()[:2] == site.anew()[:2]


def test_what_a_query_loses_by_the_clock_alone_goes_within_the_hour(
    site: BusyJira,
) -> None:
    edit(site, "BRAVO-4", labels=["new"])
    link(site, FRESH)
    assert works(site) == {"BRAVO-4"}
    site.later(60 * 24 * 8)
    assert works(site) == set()
    assert site.standing()[:2] == site.anew()[:2]


def test_a_query_by_the_clock_is_asked_once_an_hour_and_any_other_not_at_all(
    site: BusyJira,
) -> None:
    link(site, DUE, WEB)
    spent: Counter[str] = Counter()
    for _ in range(12):
        site.later(10)
        site.read()
        spent += site.sent
    assert spent["census"] == 2
    assert spent["search"] == 12


def test_what_a_query_names_and_cannot_be_read_is_not_asked_for_again_and_again(
    site: BusyJira,
) -> None:
    edit(site, "BRAVO-4", duedate="2026-11-20")
    link(site, DUE)
    site.jira._site.store.issues[_number(site, "BRAVO-4")].estimate = 2**80
    site.later(60 * 24)
    site.read()
    for _ in range(2):
        site.later(61)
        site.read()
        assert site.sent == IDLE + Counter(census=1)


# What is above what a query takes in


def test_what_is_above_and_not_read_is_asked_for_once_with_its_labels(
    site: BusyJira,
) -> None:
    fields = {"summary": "Part", "issuetype": {"name": "Sub-task"}, "labels": ["web"]}
    asked = {"project": "BRAVO", "fields": {**fields, "parent": {"key": "BRAVO-4"}}}
    part = str(site.jira.control("create", asked)["key"])
    edit(site, "BRAVO-1", labels=["non-billable"])
    edit(site, "BRAVO-4", labels=[])
    site.later(60)
    site.cells = {"card0": WEB}
    above = site.read(full=True).above
    assert part in works(site)
    kept = {issue.key for issue in site.kept()[0]}
    assert not {"BRAVO-1", "BRAVO-4"} & kept
    story, epic = (str(_number(site, key)) for key in ("BRAVO-4", "BRAVO-1"))
    assert above[story].parent == epic
    assert (above[story].billable, above[epic].billable) == (True, False)
    site.later()
    assert site.read().above == above
    assert site.sent == IDLE


def test_nothing_is_asked_for_where_all_that_is_above_is_read_or_may_not_be(
    site: BusyJira,
) -> None:
    link(site, "BRAVO", "labels = web AND project = BRAVO")
    assert site.read().above == {}
    site.later()
    site.read(full=True)
    spent = site.sent["search"]
    edit(site, "BRAVO-9", labels=["web"], parent={"key": "DELTA-1"})
    site.listed = PROJECTS[:3]
    site.cells = {"card0": WEB}
    site.later()
    read = site.read(full=True)
    (number,) = (_number(site, "DELTA-1"),)
    assert read.above[str(number)].parent is None
    assert str(number) not in site.told
    assert spent == 1


# What cannot be read


class Killed(BaseException):
    """The end of a process, which nothing catches."""


def test_what_cannot_be_read_is_told_though_the_run_that_found_it_was_killed(
    site: BusyJira,
) -> None:
    link(site, "ALFA")
    spoilt = site.log("BRAVO-2", days=450)
    site.jira._site.store.worklogs[int(spoilt)].seconds = 2**64
    for _ in range(2):
        site.later(60)
        site.read()
    site.cells["card1"] = "BRAVO"

    def die(asked: str) -> None:
        if asked == "feeds":
            raise Killed

    site.before = die
    site.later()
    with pytest.raises(Killed):
        site.read()
    site.before = lambda kind: None
    for _ in range(2):
        site.later()
        told = [one for one in site.read().problems if one.code is Code.BAD_WORKLOG]
        assert [english(one.where) for one in told] == [f"time log {spoilt} of BRAVO-2"]


# Any sequence of what people do

CELLS = (
    "{0}",
    "{0}-1",
    "{0} {1}-1",
    "project = {0} AND labels = web",
    "project = {0} AND status != Done",
    "labels = web AND project in ({0}, {1})",
    "labels = web AND status != Done",
    "project = {0} AND duedate < now()",
    "",
)


class Staff:
    """What people do to any issue and to the cells, drawn from a seed; nothing is moved to another project."""

    def __init__(self, site: BusyJira, seed: int) -> None:
        self.site = site
        self.random = Random(seed)
        self.acts = (
            self.link,
            self.label,
            self.finish,
            self.adopt,
            self.orphan,
            self.date,
            self.log,
        )

    def act(self) -> list[str]:
        """Do one to three things; return which."""
        count = self.random.randint(1, 3)
        acts = [self.random.choice(self.acts) for _ in range(count)]
        for act in acts:
            act()
        return [act.__name__ for act in acts]

    def pick(self) -> str:
        dumped = self.site.jira.control("dump", {})["issues"]
        keys = [str(issue["key"]) for issue in dumped]
        return self.random.choice([key for key in keys if not key.endswith("-1")])

    def link(self) -> None:
        card = self.random.choice("abc")
        keys = self.random.sample(PROJECTS, 2)
        self.site.cells[card] = self.random.choice(CELLS).format(*keys)

    def label(self) -> None:
        edit(self.site, self.pick(), labels=self.random.choice(([], ["web"])))

    def finish(self) -> None:
        status = self.random.choice(("Done", "To Do"))
        self.site.jira.control("transition", {"issue": self.pick(), "status": status})

    def adopt(self) -> None:
        epic = f"{self.random.choice(PROJECTS)}-1"
        edit(self.site, self.pick(), parent={"key": epic})

    def orphan(self) -> None:
        edit(self.site, self.pick(), parent=None)

    def date(self) -> None:
        day = (NOW + timedelta(days=self.random.randint(-3, 6))).date()
        edit(self.site, self.pick(), duedate=day.isoformat())

    def log(self) -> None:
        self.site.log(self.pick(), days=self.random.choice((0.1, 3, 700)))


@pytest.mark.parametrize("listed", [None, PROJECTS[:3]])
@pytest.mark.parametrize("seed", range(6))
def test_looks_at_changes_come_to_what_a_fresh_read_comes_to(
    site: BusyJira, seed: int, listed: tuple[str, ...] | None
) -> None:
    site.listed = listed
    staff = Staff(site, seed)
    staff.link()
    site.read(full=True)
    done: list[str] = []
    for _ in range(12):
        done += staff.act()
        site.later(staff.random.choice((1, 60, 60 * 24)))
        site.later(60)
        seen = site.standing()
        assert seen[:2] == site.anew()[:2], done


@pytest.mark.parametrize(
    "jql",
    [
        DUE,
        SOON,
        FRESH,
        SPRINT,
        'updated > "-7d"',
        "updated >= -1w AND labels = web",
        'created > "-4w 2d"',
        "fixVersion in releasedVersions()",
        "assignee in (currentUser(), Bob)",
        "issue in linkedIssues(ACME-1)",
        "status was Done before startOfDay(-1)",
        'status changed during ("2026/01/01", now())',
    ],
)
def test_a_query_that_calls_a_function_or_counts_from_now_may_change_by_itself(
    jql: str,
) -> None:
    assert is_passing(jql)


@pytest.mark.parametrize(
    "jql",
    [
        WEB,
        "project in (ACME, BETA) AND NOT (labels = web)",
        'summary ~ "now()"',
        'due < "2026-12-01"',
        "labels NOT IN (a7d, -x)",
        "key = ACME-7",
        'fixVersion = "1.0" AND(labels = a)OR(labels = b)',
        'summary ~ "half',
    ],
)
def test_any_other_query_changes_with_its_issues_alone(jql: str) -> None:
    assert not is_passing(jql)
