"""Of projects that the configuration does not list nothing is read, whatever people write into a card: it is told.

Both kinds of Jira, in process, without Notion.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rayline_sandbox.wire import Request, Response
from tests.support.english import english
from tests.support.jira_site import FACES, LinkedSite, create
from tests.support.jira_wire import BASE
from worker.domain.entities import JiraProject
from worker.errors import Code
from worker.state import snapshots
from worker.world.links import ResolvedLink
from worker.world.listing import Listing, Within

SECRET = "dismissal of Bob"


class Listed(LinkedSite):
    """The site with a project HR whose every text is a secret, and what Jira answered."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.answers: list[bytes] = []
        self.asked_for: list[str] = []
        self.jira.control("add_project", {"key": "HR", "name": f"People: {SECRET}"})
        for _ in range(3):
            self.jira.control(
                "create",
                {"project": "HR", "fields": {"summary": SECRET, "labels": ["shared"]}},
            )
        self.hr_version = self.jira.control(
            "add_version", {"project": "HR", "name": SECRET}
        )["id"]
        self.jira.control(
            "edit",
            {"issue": "HR-1", "fields": {"fixVersions": [{"id": self.hr_version}]}},
        )
        self.jira.control("edit", {"issue": "ACME-1", "fields": {"labels": ["shared"]}})

    def handle(self, request: Request) -> Response:
        """Answer, and keep what was said."""
        answer = super().handle(request)
        self.asked_for.append(f"{request.path} {request.query} {request.body!r}")
        # The list of projects is all that may tell of others: their names go no further than the account's own sight.
        if not request.path.rstrip("/").endswith(("/project", "/project/search")):
            self.answers.append(answer.body)
        return answer

    def leaks(self) -> list[bytes]:
        """Return the answers in which a text of HR reached us."""
        return [answer for answer in self.answers if SECRET.encode() in answer]


@pytest.fixture(params=FACES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Listed:
    made = Listed(tmp_path, request.param)
    made.projects = ("ACME", "BETA", "GAMMA")
    made.cells = {
        "acme": "ACME",
        "beta": 'project = BETA AND fixVersion = "1.0"',
        "gamma": f"filter={made.filter}",
    }
    made.read(full=True)
    return made


def told(link: ResolvedLink) -> str:
    """Return all that is said of a card's link."""
    return "; ".join(
        filter(
            None, [english(link.problem), *(english(one.said) for one in link.notes)]
        )
    )


def keys(site: LinkedSite) -> set[str]:
    with site.store.reading("studio") as tx:
        return {issue.key for issue in snapshots.load_issues(tx)}


UNREAD = (
    "HR",
    "hr",
    "HR-1",
    f"{BASE}/browse/HR-2",
    f"{BASE}/browse/HR",
    "project = HR",
    'project in ("HR")',
    "project = HR AND summary ~ dismissal",
    f'project = "People: {SECRET}"',
    "key in (HR-1, HR-2)",
    "(project = HR OR project = HR) AND labels = shared",
    "NOSUCH",
    "NOSUCH-4",
)


@pytest.mark.parametrize("cell", UNREAD)
def test_what_lies_wholly_beyond_the_list_is_told_with_the_key_and_not_asked_for(
    site: Listed, cell: str
) -> None:
    site.cells["new"] = cell
    for full in (False, True, False):
        read = site.read(full=full)
        assert read.links["new"].code is Code.UNLISTED_PROJECT
        assert read.links["new"].as_of is None
        assert site.work(read, "new") == []
        assert site.recall().links == read.links
        said = told(read.links["new"])
        assert "may be read" in said
        assert "HR" in said or SECRET in cell or "NOSUCH" in said
    assert not [key for key in keys(site) if key.startswith("HR")]
    assert site.leaks() == []


ACROSS = (
    "labels = shared",
    "project in (ACME, HR) AND labels = shared",
    "labels = shared OR project = HR",
    "project != BETA AND labels = shared",
    "NOT project = BETA AND labels = shared",
    "(project = ACME OR key = HR-1) AND labels = shared",
)


@pytest.mark.parametrize("cell", ACROSS)
def test_a_query_counts_what_it_matches_in_listed_projects_and_the_rest_is_told(
    site: Listed, cell: str
) -> None:
    site.cells["new"] = cell
    for full in (False, True, False):
        read = site.read(full=full)
        assert english(read.links["new"].problem) == ""
        assert [note.code for note in read.links["new"].notes] == [
            Code.UNLISTED_PROJECT
        ]
        assert site.work(read, "new") == ["ACME-1"]
    assert site.leaks() == []


@pytest.mark.parametrize(
    "cell",
    [
        "project = ACME AND labels = shared",
        "labels = shared and PROJECT in (acme, 'Beta')",
        "key in (ACME-1) AND (labels = shared OR labels = other)",
        'project = ACME AND (labels = shared OR summary ~ "project HR")',
    ],
)
def test_a_query_within_listed_projects_is_told_nothing(
    site: Listed, cell: str
) -> None:
    site.cells["new"] = cell
    for full in (False, True):
        read = site.read(full=full)
        assert told(read.links["new"]) == ""
        assert site.work(read, "new") == ["ACME-1"]


@pytest.mark.parametrize(
    "cell",
    [
        "project = ACME) OR (project = HR",
        "labels = shared) OR project = HR OR (labels = none",
        'labels = "shared',
        "project = HR ORDER BY project",
        "project = ACME ORDER BY summary) OR (project = HR",
        'labels = "x\\") OR (project = HR',
    ],
)
def test_no_query_breaks_out_of_the_listed_projects(site: Listed, cell: str) -> None:
    site.cells["new"] = cell
    for full in (False, True):
        read = site.read(full=full)
        assert {key.partition("-")[0] for key in keys(site)} <= {
            "ACME",
            "BETA",
            "GAMMA",
        }
        assert site.work(read, "acme") == [f"ACME-{number}" for number in range(1, 5)]
    assert site.leaks() == []


def test_a_filter_and_a_board_beyond_the_list_are_told_without_a_word_of_them(
    site: Listed,
) -> None:
    theirs = site.jira.control(
        "add_filter", {"name": SECRET, "jql": "project = HR AND labels = shared"}
    )["id"]
    board = site.jira.control("add_board", {"project": "HR"})["id"]
    site.cells |= {
        "filter": f"filter={theirs}",
        "board": f"{BASE}/secure/RapidBoard.jspa?rapidView={board}",
    }
    for full in (False, True):
        read = site.read(full=full)
        for card in ("filter", "board"):
            assert read.links[card].code is Code.UNLISTED_PROJECT
            assert "HR" not in told(read.links[card])
            assert site.work(read, card) == []
    assert not [key for key in keys(site) if key.startswith("HR")]


@pytest.mark.parametrize(
    "jql",
    [
        f'project = ACME OR fixVersion = "no {SECRET}"',
        f'project in (ACME, "no {SECRET}") AND statusCategory = "{SECRET}"',
        f'status = "{SECRET}"',
    ],
)
@pytest.mark.parametrize("beside", ["", "ACME-1 "])
def test_jiras_words_of_a_filter_that_reaches_beyond_the_list_are_not_told_on(
    site: Listed, jql: str, beside: str
) -> None:
    theirs = site.jira.control("add_filter", {"name": "Theirs", "jql": jql})["id"]
    site.cells["filter"] = f"{beside}filter={theirs}"
    for full in (False, True, False):
        read = site.read(full=full)
        said = [english(one.message) for one in read.problems]
        said.append(told(read.links["filter"]))
        assert f"filter {theirs}" in said[-1]
        assert SECRET not in repr(said)


def test_jiras_words_of_a_filter_within_the_list_are_told(site: Listed) -> None:
    jql = 'project = ACME AND fixVersion = "Spring"'
    ours = site.jira.control("add_filter", {"name": "Ours too", "jql": jql})["id"]
    site.cells["filter"] = f"filter={ours}"
    assert "'Spring' does not exist" in told(site.read().links["filter"])


def test_a_version_of_an_unlisted_project_has_no_issue(site: Listed) -> None:
    site.cells["new"] = f"{BASE}/projects/HR/versions/{site.hr_version}"
    read = site.read(full=True)
    assert site.work(read, "new") == []
    assert told(read.links["new"])
    assert site.leaks() == []


def test_issues_below_an_epic_count_as_far_as_they_are_listed_and_the_rest_is_told(
    site: Listed,
) -> None:
    epic = create(site, "ACME", issuetype="Epic")
    other = create(site, "ACME", issuetype="Epic")
    ours = [create(site, "ACME", parent=epic), create(site, "BETA", parent=epic)]
    for _ in range(2):
        create(site, "HR", parent=epic)
    create(site, "ACME", parent=other)
    site.cells |= {"epic": epic, "other": other}
    for full in (False, True, False):
        read = site.read(full=full)
        assert site.work(read, "epic") == sorted(ours)
        assert told(read.links["epic"]).endswith(": 2")
        assert told(read.links["other"]) == ""
        assert site.recall().links == read.links
    assert not [key for key in keys(site) if key.startswith("HR")]

    site.jira.control("rename_project", {"key": "ACME", "new_key": "OMEGA"})
    site.cells["epic"] = epic.replace("ACME", "OMEGA")
    assert told(site.read().links["epic"]).endswith(": 2")


def test_an_epic_that_moved_into_an_unlisted_project_is_told_and_its_title_stays_there(
    site: Listed,
) -> None:
    made = site.jira.control(
        "create",
        {
            "project": "ACME",
            "fields": {"summary": SECRET, "issuetype": {"name": "Epic"}},
        },
    )["key"]
    site.jira.control("move", {"issue": made, "project": "HR"})
    site.cells["new"] = made
    site.answers.clear()
    for full in (False, True):
        read = site.read(full=full)
        assert read.links["new"].code is Code.UNLISTED_PROJECT
    assert site.leaks() == []


@pytest.mark.parametrize("cell", ["ACME, HR", "HR-1\nACME", "HR, ACME, NOSUCH"])
def test_of_several_links_the_listed_ones_count_and_the_others_are_told(
    site: Listed, cell: str
) -> None:
    site.cells["new"] = cell
    for full in (False, True):
        read = site.read(full=full)
        assert english(read.links["new"].problem) == ""
        assert "HR" in told(read.links["new"])
        assert site.work(read, "new") == [f"ACME-{number}" for number in range(1, 5)]


def test_people_are_not_told_of_projects_that_are_not_listed(site: Listed) -> None:
    read = site.read(full=True)
    assert [project.key for project in read.projects] == ["ACME", "BETA", "GAMMA"]
    assert [project.key for project in site.recall().projects] == [
        "ACME",
        "BETA",
        "GAMMA",
    ]


def test_hours_on_issues_that_are_not_listed_are_not_kept(site: Listed) -> None:
    for key in ("HR-1", "ACME-1"):
        site.jira.control(
            "worklog",
            {"issue": key, "seconds": 3600, "started": site.clock.now().isoformat()},
        )
    for full in (False, True):
        site.read(full=full)
        with site.store.reading("studio") as tx:
            logs = [*snapshots.load_worklogs(tx)]
            ids = {issue.id for issue in snapshots.load_issues(tx)}
        assert [log.seconds for log in logs] == [3600]
        assert logs[0].issue in ids


@pytest.mark.parametrize("full", [False, True])
def test_a_listed_project_is_read_under_its_new_key_too(
    site: Listed, full: bool
) -> None:
    site.jira.control("rename_project", {"key": "ACME", "new_key": "OMEGA"})
    site.cells["acme"] = "OMEGA"
    site.cells["old"] = "ACME-1"
    for again in (full, False):
        read = site.read(full=again)
        assert told(read.links["acme"]) == ""
        assert site.work(read, "acme") == [f"OMEGA-{number}" for number in range(1, 5)]
        assert site.work(read, "old") == ["OMEGA-1"]


@pytest.mark.parametrize(
    "cell",
    [
        "OMEGA-2",
        "project = OMEGA AND key = OMEGA-2",
        'project in ("omega") AND key = OMEGA-2',
        "project = 'New Name' AND key = OMEGA-2",
    ],
)
def test_a_new_name_is_known_in_whatever_a_card_links(site: Listed, cell: str) -> None:
    store = site.jira._site.store
    project = store.find_project("ACME")
    assert project is not None
    store.rename_project(project, key="OMEGA", name="New Name")
    site.cells["new"] = cell
    read = site.read()
    assert told(read.links["new"]) == ""
    assert site.work(read, "new") == ["OMEGA-2"]


@pytest.mark.parametrize(
    "cell", ["NOSUCH", "NOSUCH-4", "project = NOSUCH", "filter={filter}"]
)
def test_for_a_name_that_no_project_has_the_projects_are_asked_for_once(
    site: Listed, cell: str
) -> None:
    asked = {"name": "Theirs", "jql": "project = NOSUCH"}
    number = site.jira.control("add_filter", asked)["id"]
    site.cells["new"] = cell.format(filter=number)
    known = 1 if "filter" in cell else 0
    assert site.asked() == 4 + known
    assert site.asked() == 3
    site.cells["hr"] = "HR-1 HR"
    assert site.asked() == 3


def test_a_renamed_project_is_found_by_its_old_key_after_the_state_was_lost(
    site: Listed, tmp_path: Path
) -> None:
    site.jira.control("rename_project", {"key": "ACME", "new_key": "OMEGA"})
    (tmp_path / "lost").mkdir()
    afresh = Listed(tmp_path / "lost", site.deployment)
    afresh.jira = site.jira
    afresh.projects = site.projects
    afresh.cells = {"acme": "OMEGA"}
    afresh.gateway = site.gateway
    afresh.clock = site.clock
    read = afresh.read(full=True)
    assert afresh.work(read, "acme") == [f"OMEGA-{number}" for number in range(1, 5)]


def test_another_project_does_not_become_listed_by_taking_the_key(site: Listed) -> None:
    site.jira.control("rename_project", {"key": "ACME", "new_key": "OMEGA"})
    site.read(full=True)
    store = site.jira._site.store
    project = store.find_project("HR")
    assert project is not None
    store.rename_project(project, key="ACME", name=None)
    for full in (True, False):
        read = site.read(full=full)
        assert site.work(read, "acme") == []
    assert site.leaks() == []


@pytest.mark.parametrize(
    "cell", ["ACME", "ACME-1", "project = ACME", "ACME, BETA", "labels = shared"]
)
@pytest.mark.parametrize("other", ["OLD", "HR"])
def test_nothing_of_a_project_that_took_the_key_of_a_listed_one_is_ever_read(
    site: Listed, cell: str, other: str
) -> None:
    site.projects = ("ACME", "BETA")
    site.cells = {"web": cell, "shop": "BETA"}
    site.read()
    for old, new in (("ACME", "FREE"), ("HR", "ACME"), ("FREE", other)):
        site.jira.control("rename_project", {"key": old, "new_key": new})
    for key in ("ACME-1", "ACME-2", f"{other}-1"):
        site.touch(key)
    site.cells["new"] = "BETA-1"
    for full in (False, False, True, False):
        site.read(full=full)
        assert site.leaks() == []
        with site.store.reading("studio") as tx:
            kept = {issue.summary for issue in snapshots.load_issues(tx)}
        assert SECRET not in kept


def test_a_project_may_be_listed_by_its_id(site: Listed) -> None:
    store = site.jira._site.store
    acme = store.find_project("ACME")
    assert acme is not None
    site.projects = (str(acme.id),)
    read = site.read()
    assert len(site.work(read, "acme")) == 4
    assert read.links["beta"].code is Code.UNLISTED_PROJECT


def test_a_project_that_is_taken_off_the_list_leaves_and_comes_back_with_it(
    site: Listed,
) -> None:
    site.projects = ("BETA", "GAMMA")
    read = site.read()
    assert read.links["acme"].code is Code.UNLISTED_PROJECT
    assert site.work(read, "acme") == []
    assert not [key for key in keys(site) if key.startswith("ACME")]
    site.projects = ("ACME", "BETA", "GAMMA")
    assert len(site.work(site.read(), "acme")) == 4


def test_an_empty_list_reads_nothing(site: Listed) -> None:
    site.projects = ()
    site.cells["any"] = "labels = shared"
    for full in (False, True):
        read = site.read(full=full)
        assert {link.code for link in read.links.values()} == {Code.UNLISTED_PROJECT}
        assert keys(site) == set()


def test_without_a_list_all_that_the_account_sees_is_read(site: Listed) -> None:
    site.projects = None
    site.cells["hr"] = "HR"
    site.cells["any"] = "labels = shared"
    read = site.read()
    assert site.work(read, "hr") == ["HR-1", "HR-2", "HR-3"]
    assert len(site.work(read, "any")) == 4
    assert told(read.links["any"]) == ""


@pytest.mark.parametrize("act", ["hide", "delete", "archive"])
@pytest.mark.parametrize("full", [False, True])
def test_a_listed_project_out_of_view_takes_no_other_card_with_it(
    site: Listed, act: str, full: bool
) -> None:
    site.cells["any"] = "labels = shared"
    site.read(full=True)
    site.jira.control(f"{act}_project", {"key": "GAMMA"})
    site.touch("BETA-1")
    read = site.read(full=full)
    assert site.category("BETA-1") == "done"
    for card in ("acme", "beta", "any"):
        assert english(read.links[card].problem) == ""
    assert site.work(read, "any") == ["ACME-1"]


def test_a_listed_project_that_comes_into_view_is_read_by_the_next_full_pass(
    site: Listed,
) -> None:
    site.projects = ("ACME", "BETA", "GAMMA", "LATE")
    site.cells["late"] = "LATE"
    read = site.read(full=True)
    assert "no project LATE" in told(read.links["late"])
    site.jira.control("add_project", {"key": "LATE", "name": "Late"})
    made = create(site, "LATE")
    assert site.work(site.read(full=True), "late") == [made]


def test_a_quiet_delta_costs_three_requests_with_a_list_too(site: Listed) -> None:
    site.cells |= {"any": "labels = shared", "hr": "HR", "epic": "ACME-1"}
    site.read(full=True)
    assert site.asked() == 3


PROBING = (
    "labels = shared OR key = {0}",
    "project = ACME OR key in ({0}, ACME-1)",
    "key = {0} OR project = ACME",
    "parent = {0} OR project = ACME",
    "project = ACME AND (key = {0} OR labels = shared)",
    'project = ACME AND "parent" = "{0}"',
    "project = ACME AND issue not in ({0})",
    "project = ACME AND NOT (key = {0})",
    "project = ACME AND (labels = shared OR project = NOSUCH)",
    'project = ACME AND project not in (BETA, "NOSUCH")',
)


@pytest.mark.parametrize("cell", PROBING)
def test_of_a_query_that_asks_beyond_the_list_it_is_told_that_it_was_refused_not_why(
    site: Listed, cell: str
) -> None:
    site.cells["new"] = cell.format("HR-77")
    for full in (False, True, False):
        read = site.read(full=full)
        said = told(read.links["new"])
        everything = [said, *(english(one.message) for one in read.problems)]
        for words in ("does not exist", "permission", "no value"):
            assert words not in repr(everything)
        if english(read.links["new"].problem):
            assert "which names what is not listed" in said


def test_jiras_words_of_a_query_within_the_list_are_told(site: Listed) -> None:
    for cell in (
        'project = ACME AND fixVersion = "Spring"',
        'project in (ACME, BETA) AND (fixVersion = "Spring" OR key = ACME-1)',
    ):
        site.cells["new"] = cell
        assert "'Spring' does not exist" in told(site.read().links["new"])


def test_another_project_under_the_key_of_a_listed_one_that_is_gone_is_not_listed() -> (
    None
):
    seen = {"ACME": ("1", "ACME")}
    other = JiraProject("2", "ACME", "Another")
    listing = Listing(("ACME",), seen, [other])
    assert listing.projects == ()
    assert not listing.allows("ACME")
    assert listing.missing() == ("ACME",)
    assert listing.bounded("labels = web").startswith('created < "1970')
    assert listing.place("project = ACME") is Within.OUTSIDE
    by_id = Listing(("2",), seen, [other])
    assert by_id.projects == (other,)
    first = Listing(("ACME",), {}, [other])
    assert first.projects == (other,)
    swapped = [JiraProject("1", "BETA", "Ours"), JiraProject("2", "ACME", "Theirs")]
    follows = Listing(("ACME",), seen, swapped)
    assert [project.id for project in follows.projects] == ["1"]
    assert (follows.allows("ACME"), follows.allows("BETA")) == (False, True)
