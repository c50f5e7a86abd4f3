"""What a card's link costs when it is new, and that reading it so comes to what a fresh read of everything comes to.

Both kinds of Jira, in process, counted at the wire.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.support.busy_jira import FACES, PROJECTS, BusyJira
from tests.support.english import english
from tests.support.jira_wire import BASE
from worker.errors import Code
from worker.world.attach import find_work


class Killed(BaseException):
    """The end of a process, which nothing catches."""


@pytest.fixture(params=FACES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> BusyJira:
    """A site of which ALFA is linked, read twice."""
    made = BusyJira(tmp_path, request.param)
    made.cells = {"alfa": "ALFA", "web": "project = ALFA AND labels = web"}
    made.read(full=True)
    made.standing()
    return made


def _filter(site: BusyJira, jql: str) -> str:
    number = site.jira.control("add_filter", {"name": "Ours", "jql": jql})["id"]
    return f"filter={number}"


def _board(site: BusyJira) -> str:
    board = site.jira.control("add_board", {"name": "B", "project": "BRAVO"})["id"]
    return f"{BASE}/jira/people/1/boards/{board}"


IDLE = Counter(search=1, feeds=2)
"""What a read costs when nothing changed."""
NEW = Counter(history=1, worklogs=1)
"""What issues cost that come for the first time, by the hundred."""
EPIC = {"cloud": Counter(issues=1), "datacenter": Counter(search=1)}
QUERY = {"cloud": Counter(validation=1, census=1), "datacenter": Counter(census=2)}
PARENTS = {"cloud": Counter(search=1), "datacenter": Counter(search=1, census=1)}
"""Parents that are not read are asked for, for what their labels say; Data Center names an epic by its key, of which the
id is asked first."""
LEVEL = {"cloud": Counter[str](), "datacenter": Counter(census=1)}
"""Data Center tells some epics by their name: of ordinary issues that are linked it is asked which have one."""
ASKED: dict[str, tuple[Callable[[BusyJira], str], Callable[[str], Counter[str]], int]]
ASKED = {
    "a project": (lambda _: "BRAVO", lambda _: NEW, 9),
    "an epic of a project that is read": (
        lambda _: "ALFA-1",
        lambda face: EPIC[face],
        0,
    ),
    "an issue of a project that is read": (
        lambda _: "ALFA-7",
        lambda face: EPIC[face] + LEVEL[face],
        0,
    ),
    "an epic of a new project": (lambda _: "BRAVO-1", lambda face: EPIC[face] + NEW, 9),
    "two projects": (lambda _: "BRAVO CHARLY", lambda _: NEW, 18),
    "a query": (
        lambda _: "project = BRAVO AND labels = web",
        lambda face: QUERY[face] + NEW + PARENTS[face],
        3,
    ),
    "a query of a project that is read": (
        lambda _: "project = ALFA AND status = Done",
        lambda face: QUERY[face],
        0,
    ),
    "a query of all projects": (
        lambda _: "labels = web",
        lambda face: QUERY[face] + NEW + PARENTS[face],
        9,
    ),
    "a filter": (
        lambda site: _filter(site, "project = BRAVO ORDER BY Rank"),
        lambda face: QUERY[face] + NEW + Counter(filter=1),
        9,
    ),
    "a board": (
        _board,
        lambda face: (
            QUERY[face] + NEW + Counter({"filter": 1, "board/configuration": 1})
        ),
        9,
    ),
}


@pytest.mark.parametrize("form", ASKED)
def test_a_new_card_is_asked_for_alone(site: BusyJira, form: str) -> None:
    cell, costs, arriving = ASKED[form]
    site.cells["new"] = cell(site)
    known = {issue.id: issue for issue in site.kept()[0]}
    newest = max(issue.updated for issue in known.values())
    seen = site.standing()
    assert site.sent == IDLE + costs(site.deployment)
    told = {known[each].key for each in site.told & known.keys()}
    named = {issue.key for issue in known.values() if issue.updated == newest}
    assert told <= named | {site.cells["new"]}
    parents = {issue.parent for issue in seen[0]} - {issue.id for issue in seen[0]}
    assert len(site.told - known.keys() - parents) == arriving
    assert len(seen[0]) == len(known) + arriving
    assert seen == site.anew()
    site.later()
    site.read()
    assert site.sent == IDLE


WITHIN: dict[str, Counter[str]] = {
    "a project": Counter(),
    # What hangs below it elsewhere is counted.
    "an epic of a project that is read": Counter(census=1),
    "an epic of a new project": Counter(census=1),
    "an issue of a project that is read": Counter(),
    "a query": Counter(),
    "a board": Counter(),
}


@pytest.mark.parametrize("form", WITHIN)
def test_a_new_card_is_asked_for_alone_within_the_listed_projects(
    site: BusyJira, form: str
) -> None:
    site.listed = ("ALFA", "BRAVO", "CHARLY")
    site.standing()
    cell, costs, arriving = ASKED[form]
    site.cells["new"] = cell(site)
    known = {issue.id for issue in site.kept()[0]}
    seen = site.standing()
    assert site.sent == IDLE + costs(site.deployment) + WITHIN[form]
    parents = {issue.parent for issue in seen[0]} - {issue.id for issue in seen[0]}
    assert len(site.told - known - parents) == arriving
    assert seen == site.anew()
    site.later()
    site.read()
    assert site.sent == IDLE


def test_a_link_that_changes_costs_what_a_new_one_does(site: BusyJira) -> None:
    site.cells["web"] = "BRAVO"
    seen = site.standing()
    assert site.sent == IDLE + NEW
    assert seen == site.anew()


def test_what_is_linked_no_more_is_dropped_without_a_question(site: BusyJira) -> None:
    site.cells["new"] = "BRAVO-1"
    site.standing()
    del site.cells["new"]
    seen = site.standing()
    assert site.sent == IDLE
    assert {issue.project for issue in seen[0]} == {"ALFA"}
    assert seen == site.anew()
    site.cells["new"] = "BRAVO-1"
    assert site.standing() == site.anew()


def test_with_no_link_left_nothing_is_kept_and_the_next_begins_anew(
    site: BusyJira,
) -> None:
    site.cells.clear()
    assert site.standing() == ((), [], {})
    site.later(60 * 24 * 300)
    site.cells["new"] = "BRAVO"
    site.later()
    site.read()
    assert site.sent == IDLE + NEW
    assert site.hours("new") == 20


@pytest.mark.parametrize("cell", ["BRAVO", "BRAVO-1", "project = BRAVO"])
def test_time_of_long_ago_counts_on_what_is_newly_linked(
    site: BusyJira, cell: str
) -> None:
    for _ in range(30):
        site.log("BRAVO-2", seconds=3_600, days=450)
    site.later(60 * 24 * 30)
    site.standing()
    site.cells["new"] = cell
    expected = 6 if cell == "BRAVO-1" else 20
    assert site.hours("new") == expected + 30
    assert site.hours("new") == expected + 30


@pytest.mark.parametrize("kind", ["search", "history", "worklogs", "feeds"])
def test_time_that_is_logged_during_the_read_counts_once(
    site: BusyJira, kind: str
) -> None:
    for issue in ("BRAVO-3", "BRAVO-4"):
        site.log(issue)
    site.later(60)
    logged: list[str] = []

    def log_once(asked: str) -> None:
        if asked == kind and not logged:
            logged.extend(
                [site.log("BRAVO-3"), site.log("BRAVO-5"), site.log("ALFA-3")]
            )
            dropped = site.log("BRAVO-4")
            site.jira.control("delete_worklog", {"id": dropped})

    site.before = log_once
    site.cells["new"] = "BRAVO"
    site.standing()
    assert len(logged) == 3
    assert site.standing() == site.anew()
    assert site.hours("new") == 24


def test_a_run_that_is_killed_anywhere_is_gone_on_with_rightly(site: BusyJira) -> None:
    forms = iter(
        ["BRAVO", "CHARLY-1", "DELTA", "labels = web", "BRAVO-1 CHARLY", "DELTA-1"]
    )
    for cell, last in zip(forms, range(1, 7), strict=True):
        site.cells["new"] = cell
        site.log("BRAVO-3")
        site.log("ALFA-3")
        left = iter(range(last))

        def die(_: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        site.before = die
        site.later()
        with pytest.raises(Killed):
            site.read()
        site.before = lambda kind: None
        site.log("BRAVO-4")
        assert site.standing() == site.anew()


@pytest.mark.parametrize(
    ("cell", "listed"),
    [
        ("ALFA", None),
        ("ALFA-1", None),
        ("alfa-1 alfa", None),
        ("ALFA", PROJECTS[:2]),
        ("ALFA-1", PROJECTS[:2]),
    ],
)
def test_a_renamed_project_is_known_again_by_its_id(
    site: BusyJira, cell: str, listed: tuple[str, ...] | None
) -> None:
    site.listed = listed
    site.cells = {"alfa": cell, "bravo": "BRAVO-1"}
    site.standing()
    site.jira.control("rename_project", {"key": "ALFA", "new_key": "OMEGA"})
    site.cells["alfa"] = cell.upper().replace("ALFA", "OMEGA")
    seen = site.standing()
    named = EPIC[site.deployment] if "-" in cell else Counter[str]()
    assert site.sent - IDLE - named == Counter(projects=1)
    assert seen == site.anew()
    assert {issue.key.split("-")[0] for issue in seen[0]} == {"OMEGA", "BRAVO"}


def test_projects_that_swap_their_keys_are_followed_once(site: BusyJira) -> None:
    site.cells = {"alfa": "ALFA", "bravo": "BRAVO"}
    site.standing()
    for old, new in (("ALFA", "TEMP"), ("BRAVO", "ALFA"), ("TEMP", "BRAVO")):
        site.jira.control("rename_project", {"key": old, "new_key": new})
    site.cells["new"] = "NOSUCH"
    for _ in range(2):
        assert site.standing()[:2] == site.anew()[:2]


def test_a_rename_nobody_told_of_is_noticed_by_what_changes_there(
    site: BusyJira,
) -> None:
    site.cells = {"alfa": "ALFA", "bravo": "BRAVO"}
    site.standing()
    site.jira.control("rename_project", {"key": "ALFA", "new_key": "OMEGA"})
    site.jira.control("transition", {"issue": "OMEGA-3", "status": "Done"})
    read = site.standing()[2]["alfa"]
    assert "ALFA" in english(read.problem)
    work = find_work(read, site.forest()).issues
    assert sorted(issue.key for issue in work) == [f"OMEGA-{n}" for n in range(2, 10)]
    site.standing()
    assert site.sent["projects"] == 0


def test_a_linked_epic_that_moves_is_followed(site: BusyJira) -> None:
    site.cells = {"alfa": "ALFA-7", "bravo": "BRAVO"}
    site.standing()
    site.jira.control("move", {"issue": "ALFA-7", "project": "BRAVO"})
    seen = site.standing()
    assert seen[2]["alfa"].project == "BRAVO"
    assert seen == site.anew()


def test_one_log_that_cannot_be_read_leaves_the_others_of_its_issue(
    site: BusyJira,
) -> None:
    spoilt = site.log("BRAVO-2", days=450)
    site.log("BRAVO-2", days=450)
    site.jira._site.store.worklogs[int(spoilt)].seconds = 2**64
    site.later(60)
    site.cells["new"] = "BRAVO"
    assert site.hours("new") == 21
    read = site.read()
    told = [one for one in read.problems if one.code is Code.BAD_WORKLOG]
    assert [english(one.where) for one in told] == [f"time log {spoilt} of BRAVO-2"]


@pytest.mark.parametrize("kind", ["worklogs", "issue/worklog"])
def test_an_issue_that_is_deleted_before_its_time_is_read_is_absent_and_named(
    site: BusyJira, kind: str
) -> None:
    for _ in range(25):
        site.log("BRAVO-2")
    site.later(60)
    left = ["BRAVO-2"]

    def delete_once(asked: str) -> None:
        if asked == kind and left:
            site.jira.control("delete", {"issue": left.pop()})

    site.before = delete_once
    site.cells["new"] = "BRAVO"
    read = site.read()
    assert read.incomplete == ""
    named = [english(one.where) for one in read.problems if one.code is Code.BAD_ISSUE]
    assert named == ["BRAVO-2"]
    assert "BRAVO-2" not in {issue.key for issue in site.kept()[0]}
    assert site.standing() == site.anew()


def test_worklogs_read_by_chunk_are_those_read_as_a_whole(
    site: BusyJira, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2, 10):
        site.log(f"BRAVO-{number}", days=number)
    site.later(60)
    site.cells["new"] = "BRAVO"
    whole = site.anew()
    monkeypatch.setattr("worker.read.worklogs.AT_ONCE", 3)
    monkeypatch.setattr("worker.state.snapshots.CHUNK", 4)
    assert site.anew() == whole
    assert site.standing() == whole


def test_a_second_workspace_reads_what_it_links_and_nothing_of_the_first(
    site: BusyJira,
) -> None:
    site.cells = {"bravo": "BRAVO"}
    site.later()
    site.read(workspace="second")
    first = Counter(search=1, feeds=2, projects=1) + NEW
    assert site.sent == first
    assert {issue.project for issue in site.kept("second")[0]} == {"BRAVO"}
    assert {issue.project for issue in site.kept()[0]} == {"ALFA"}


# Any sequence of what people do

CELLS = (
    "{0}",
    "{0}-1",
    "{0}-4",
    "{0} {1}-1",
    "project = {0} AND labels = web",
    "labels = web AND project in ({0}, {1})",
    "filter={filter}",
    "",
)


class People:
    """What people do in Jira and to the cells, drawn from a seed."""

    def __init__(self, site: BusyJira, seed: int) -> None:
        self.site = site
        self.random = Random(seed)
        self.keys = list(PROJECTS)
        self.logged: list[str] = []
        jql = "project = DELTA AND labels = web"
        self.filter = _filter(site, jql).removeprefix("filter=")
        self.acts = (
            self.link,
            self.link,
            self.rename,
            self.move,
            self.adopt,
            self.log,
            self.unlog,
            self.create,
            self.finish,
        )

    def act(self) -> list[str]:
        """Do one to three things, the cells first: what leaves all that is linked, a delta does not see; return which."""
        count = self.random.randint(1, 3)
        acts = [self.random.choice(self.acts) for _ in range(count)]
        acts.sort(key=lambda act: act != self.link)
        for act in acts:
            act()
        return [act.__name__ for act in acts]

    def link(self) -> None:
        """Type another link into one of three cells."""
        card = self.random.choice("abc")
        cell = self.random.choice(CELLS)
        keys = self.random.sample(self.keys, 2)
        self.site.cells[card] = cell.format(*keys, filter=self.filter)

    def rename(self) -> None:
        """Give a project another key, in the cells too."""
        place = self.random.randrange(3)
        old = self.keys[place]
        new = f"{old[:4]}{self.random.randrange(1_000)}"
        if new in self.keys:
            return
        self.site.jira.control("rename_project", {"key": old, "new_key": new})
        self.keys[place] = new
        for card, cell in self.site.cells.items():
            self.site.cells[card] = re.sub(rf"\b{old}\b", new, cell)

    def whole(self) -> list[str]:
        """Return the projects that are read whole: what changes there, a delta sees."""
        typed = " ".join(cell for cell in self.site.cells.values() if "=" not in cell)
        words = re.split(r"[\s-]", typed)
        listed = self.keys if self.site.listed is None else self.keys[:3]
        return [key for key in listed if key in words]

    def issues(self) -> list[str]:
        """Return the keys of all work in projects that are read whole."""
        whole = self.whole()
        dumped = self.site.jira.control("dump", {})["issues"]
        keys = [str(issue["key"]) for issue in dumped]
        works = [key for key in keys if not key.endswith("-1")]
        return [key for key in works if key.split("-")[0] in whole]

    def pick(self) -> str:
        """Return one issue of those, or none."""
        return self.random.choice(self.issues() or [""])

    def move(self) -> None:
        """Move an issue into a project that is read whole too."""
        issue = self.pick()
        target = self.random.choice(self.whole() or [""])
        if issue and target != issue.split("-")[0]:
            self.site.jira.control("move", {"issue": issue, "project": target})

    def adopt(self) -> None:
        """Hang an issue below the epic of any project."""
        issue = self.pick()
        epic = f"{self.random.choice(self.keys)}-1"
        if issue:
            fields = {"parent": {"key": epic}}
            self.site.jira.control("edit", {"issue": issue, "fields": fields})

    def log(self) -> None:
        """Log time on any issue, read or not."""
        dumped = self.site.jira.control("dump", {})["issues"]
        issue = self.random.choice(dumped)["key"]
        days = self.random.choice((0.1, 3, 700))
        self.logged.append(self.site.log(issue, days=days))

    def unlog(self) -> None:
        """Take back time that was logged."""
        if self.logged:
            place = self.random.randrange(len(self.logged))
            self.site.jira.control("delete_worklog", {"id": self.logged.pop(place)})

    def create(self) -> None:
        """Create an issue in any project."""
        fields = {"summary": "More", "labels": self.random.choice(([], ["web"]))}
        asked = {"project": self.random.choice(self.keys), "fields": fields}
        self.site.jira.control("create", asked)

    def finish(self) -> None:
        """Finish an issue."""
        issue = self.pick()
        if issue:
            self.site.jira.control("transition", {"issue": issue, "status": "Done"})


@pytest.mark.parametrize("seed", range(6))
def test_deltas_come_to_what_a_fresh_read_comes_to(site: BusyJira, seed: int) -> None:
    people = People(site, seed)
    done: list[str] = []
    for _ in range(10):
        done += people.act()
        seen = site.standing(full=people.random.random() < 0.1)
        assert seen == site.anew(), done


@pytest.mark.parametrize("seed", range(6, 10))
def test_deltas_within_the_listed_projects_come_to_what_a_fresh_read_comes_to(
    site: BusyJira, seed: int
) -> None:
    site.listed = PROJECTS[:3]
    people = People(site, seed)
    done: list[str] = []
    for _ in range(10):
        done += people.act()
        issues, logs, links = site.standing(full=people.random.random() < 0.1)
        dumped = site.jira.control("dump", {})["issues"]
        unlisted = {row["id"] for row in dumped if row["key"].startswith("DELTA-")}
        assert not site.told & unlisted, done
        fresh = site.anew()
        assert (issues, logs) == fresh[:2], done
        for card, link in links.items():
            # What lies beyond the list is told as the last full read found it.
            assert replace(link, notes=()) == replace(fresh[2][card], notes=()), done
