"""What Jira refuses of one card's link stays with that card: every other is served, and a known refusal costs nothing.

Both kinds of Jira, in process, without Notion; the cycle as a whole is in `test_fetch`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from rayline_sandbox.jira.model import Kind
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Request, Response, json_response
from tests.support.english import english
from tests.support.jira_site import FACES, NOW, LinkedSite, create
from tests.support.jira_wire import BASE
from worker.errors import Rejected, Transient
from worker.read.tracker import read_tracker
from worker.state import bindings as registry
from worker.state import snapshots
from worker.world.links import LinkKind, parse_link


@pytest.fixture(params=FACES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> LinkedSite:
    made = LinkedSite(tmp_path, request.param)
    made.cells = {
        "acme": "ACME",
        "beta": 'project = BETA AND fixVersion = "1.0"',
        "gamma": f"filter={made.filter}",
    }
    made.read(full=True)
    # Which asks once about what changed lately beside what is linked.
    made.read()
    return made


REFUSED = (
    "nofield = 1",
    "ACME ~ 50%",
    "labels in ()",
    "project = ACME;",
    "projct = ACME",
    "project = NOSUCH",
    'project = BETA AND fixVersion = "9.9"',
    "status = Nowhere",
    "project = ACME AND",
    "project = ACME) OR (project = BETA",
    'summary ~ "half a quote',
    "project = ACME OR OR project = BETA",
    "assignee is EMPTY AND",
)
SENTENCES = (
    "ask Bob -> ACME",
    "=> see ACME",
    "was ACME, now BETA",
    "спросить у Пети = и у Маши",
    "x" * 5_000,
    "project = ACME AND " * 400,
)


@pytest.mark.parametrize("cell", REFUSED)
def test_what_jira_refuses_is_the_problem_of_its_card_and_all_others_are_served(
    site: LinkedSite, cell: str
) -> None:
    site.cells["beta"] = cell
    site.touch("ACME-2")
    for full in (False, True, False):
        read = site.read(full=full)
        assert read.incomplete == ""
        assert read.links["beta"].problem
        assert [english(read.links[card].problem) for card in ("acme", "gamma")] == [
            "",
            "",
        ]
        assert site.category("ACME-2") == "done"
        assert site.work(read, "beta") == ["BETA-1", "BETA-2"]
        assert read.links["beta"].as_of is not None
        assert site.recall().links == read.links


@pytest.mark.parametrize("cell", REFUSED)
def test_a_refusal_tells_the_link_as_written_and_jiras_own_words(
    site: LinkedSite, cell: str
) -> None:
    site.cells["beta"] = cell
    said = english(site.read().links["beta"].problem)
    assert said.startswith(f"Jira does not accept “{cell}”: ")
    assert len(said) > len(f"Jira does not accept “{cell}”: ") + 20


@pytest.mark.parametrize("cell", SENTENCES)
def test_a_sentence_is_never_asked_of_jira(site: LinkedSite, cell: str) -> None:
    usual = site.asked()
    site.cells["beta"] = cell
    assert parse_link(cell).kind in (LinkKind.BAD, LinkKind.JQL)
    site.read()
    read = site.read(full=True)
    assert site.work(read, "beta") == ["BETA-1", "BETA-2"]
    assert site.work(read, "acme") == ["ACME-1", "ACME-2", "ACME-3", "ACME-4"]
    assert site.asked() == usual


@pytest.mark.parametrize("cell", [*REFUSED, "NOSUCH", "NOSUCH-1", "filter=99999"])
def test_a_known_bad_link_costs_no_request_until_the_cell_changes_or_a_full_pass(
    site: LinkedSite, cell: str
) -> None:
    usual = site.asked()
    site.cells["beta"] = cell
    site.read()
    assert site.asked() == usual
    assert site.asked() == usual
    site.cells["beta"] = "project = BETA"
    assert site.work(site.read(), "beta") == ["BETA-1", "BETA-2", "BETA-3", "BETA-4"]


def test_the_age_is_that_of_the_last_whole_read_and_stands(site: LinkedSite) -> None:
    last = site.clock.now()
    site.cells["beta"] = "nofield = 1"
    for full in (False, True, False):
        assert site.read(full=full).links["beta"].as_of == last
    site.cells["beta"] = "was BETA, now GAMMA"
    assert site.read().links["beta"].as_of == last


def test_a_card_that_never_had_a_link_keeps_nothing(site: LinkedSite) -> None:
    site.cells["new"] = "nofield = 1"
    read = site.read()
    assert read.links["new"].as_of is None
    assert site.work(read, "new") == []


def test_a_cell_that_is_emptied_on_purpose_keeps_nothing(site: LinkedSite) -> None:
    site.cells["beta"] = ""
    assert "beta" not in site.read(full=True).links
    site.cells["beta"] = "nofield = 1"
    assert site.read().links["beta"].as_of is None


def test_an_order_is_dropped_even_by_a_field_that_does_not_exist(
    site: LinkedSite,
) -> None:
    for cell in (
        "project = BETA ORDER BY nofield DESC",
        "project = BETA order by created;",
        "project = BETA ORDER BY",
    ):
        site.cells["beta"] = cell
        for full in (False, True):
            read = site.read(full=full)
            assert english(read.links["beta"].problem) == ""
            assert len(site.work(read, "beta")) == 4


# What goes away in Jira


def rename_version(site: LinkedSite) -> None:
    site.jira.control("edit_version", {"id": site.version, "name": "1.1"})


@pytest.mark.parametrize("full", [False, True])
def test_a_renamed_version_is_the_problem_of_its_card_by_the_next_read_of_any_kind(
    site: LinkedSite, full: bool
) -> None:
    rename_version(site)
    site.touch("ACME-3")
    read = site.read(full=full)
    assert "'1.0' does not exist" in english(read.links["beta"].problem)
    assert site.work(read, "beta") == ["BETA-1", "BETA-2"]
    assert site.category("ACME-3") == "done"
    site.touch("ACME-4")
    site.read()
    assert site.category("ACME-4") == "done"
    site.jira.control("edit_version", {"id": site.version, "name": "1.0"})
    assert english(site.read(full=True).links["beta"].problem) == ""


@pytest.mark.parametrize("act", ["hide", "archive", "delete"])
@pytest.mark.parametrize("full", [False, True])
def test_a_project_that_is_gone_takes_no_other_card_with_it(
    site: LinkedSite, full: bool, act: str
) -> None:
    site.jira.control(f"{act}_project", {"key": "ACME"})
    site.touch("GAMMA-3")
    site.read(full=full)
    assert site.category("GAMMA-3") == "done"
    read = site.read(full=True)
    assert "ACME" in english(read.links["acme"].problem)
    assert site.work(read, "acme") == ["ACME-1", "ACME-2", "ACME-3", "ACME-4"]
    assert [english(read.links[card].problem) for card in ("beta", "gamma")] == ["", ""]


def test_a_renamed_project_key_takes_no_other_card_with_it(site: LinkedSite) -> None:
    site.jira.control("rename_project", {"key": "ACME", "new_key": "OMEGA"})
    site.touch("GAMMA-3")
    site.read()
    assert site.category("GAMMA-3") == "done"
    read = site.read(full=True)
    assert [english(read.links[card].problem) for card in ("beta", "gamma")] == ["", ""]


def test_a_filter_that_is_gone_or_spoilt_is_the_problem_of_its_card(
    site: LinkedSite,
) -> None:
    store = site.jira._site.store
    saved = store.filters[int(site.filter)]
    saved.jql = "fixVersion = nothing"
    read = site.read(full=True)
    assert "'nothing' does not exist" in english(read.links["gamma"].problem)
    assert f"filter {site.filter}" in english(read.links["gamma"].problem)
    assert len(site.work(read, "gamma")) == 4
    del store.filters[int(site.filter)]
    read = site.read(full=True)
    assert "filter" in english(read.links["gamma"].problem)
    assert len(site.work(read, "gamma")) == 4
    assert len(site.work(read, "acme")) == 4


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_filter_jira_does_not_show_is_its_cards_problem_whatever_the_status(
    site: LinkedSite, status: int
) -> None:
    said = "The selected filter is not available to you"

    def hide(request: Request) -> Response:
        if f"/filter/{site.filter}" in request.path:
            return json_response(status, {"errorMessages": [said], "errors": {}})
        return site.jira.handle(request)

    site.gateway._session._adapter._inner = HandlerAdapter(hide)
    read = site.read(full=True)
    assert said in english(read.links["gamma"].problem)
    assert len(site.work(read, "gamma")) == 4
    assert [english(read.links[card].problem) for card in ("acme", "beta")] == ["", ""]


def test_an_epic_that_is_gone_keeps_what_it_had(site: LinkedSite) -> None:
    parent = site.jira.control(
        "create",
        {
            "project": "GAMMA",
            "fields": {"summary": "Epic", "issuetype": {"name": "Epic"}},
        },
    )["key"]
    site.cells["epic"] = parent
    assert english(site.read().links["epic"].problem) == ""
    site.jira.control("delete", {"issue": parent, "subtasks": True})
    read = site.read(full=True)
    assert parent in english(read.links["epic"].problem)
    assert read.links["epic"].as_of is not None
    assert english(read.links["acme"].problem) == ""


def test_what_only_the_search_refuses_is_found_by_halves(site: LinkedSite) -> None:
    for number in range(1, 9):
        site.cells[f"more{number}"] = f"project = ACME AND summary ~ 'Work{number}'"
    site.read()
    site.refuse = "Work5"
    site.touch("ACME-1")
    for full in (False, True):
        read = site.read(full=full)
        bad = [card for card, link in read.links.items() if link.problem]
        assert bad == ["more5"]
        assert "too complex" in english(read.links["more5"].problem)
        assert site.category("ACME-1") == "done"
    usual = site.asked()
    assert usual == 3


def test_two_that_are_refused_together_and_not_alone_are_both_served(
    site: LinkedSite,
) -> None:
    handle = site.jira.handle

    def too_long(request: Request) -> Response:
        text = repr((request.query, request.body)).replace("ORDER BY", "")
        if "search" in request.path and "OR" in text:
            return json_response(400, {"errorMessages": ["Too many clauses."]})
        return handle(request)

    site.gateway._session._adapter._inner = HandlerAdapter(too_long)
    site.touch("ACME-1")
    site.touch("GAMMA-1")
    read = site.read(full=True)
    assert [english(link.problem) for link in read.links.values()] == ["", "", ""]
    assert (site.category("ACME-1"), site.category("GAMMA-1")) == ("done", "done")


def test_a_jira_that_refuses_every_query_is_no_cards_fault(site: LinkedSite) -> None:
    site.refuse = "updated"
    with pytest.raises(Rejected):
        site.read()
    site.refuse = ""
    assert [english(link.problem) for link in site.read().links.values()] == [
        "",
        "",
        "",
    ]


# Silence


def test_silence_is_asked_about_once_and_no_more(site: LinkedSite) -> None:
    usual = site.asked()
    for key in ("ACME", "BETA", "GAMMA"):
        for number in range(1, 5):
            site.jira.control("delete", {"issue": f"{key}-{number}"})
    first = site.asked()
    assert first > usual
    assert site.asked() == usual


def test_an_idle_delta_stays_at_three_requests(site: LinkedSite) -> None:
    assert site.asked() == 3
    site.cells["beta"] = "nofield = 1"
    site.read()
    assert site.asked() == 3


# What a key names


@dataclass
class Family:
    """The keys of an epic of GAMMA and of its children, of whom some lie in projects that nobody links."""

    epic: str
    children: dict[str, str]


@pytest.fixture
def family(site: LinkedSite) -> Family:
    """Make an epic with one child in GAMMA, three in WEB, two in API, and a sub-task of one in WEB: 7 issues."""
    for key in ("WEB", "API"):
        site.jira.control("add_project", {"key": key, "name": key})
    epic = create(site, "GAMMA", issuetype="Epic")
    children = {
        f"{project}{number}": create(site, project, parent=epic)
        for project, count in (("GAMMA", 1), ("WEB", 3), ("API", 2))
        for number in range(count)
    }
    children["deep"] = create(
        site, "WEB", parent=children["WEB0"], issuetype="Sub-task"
    )
    create(site, "WEB")
    create(site, "API")
    return Family(epic, children)


@pytest.mark.parametrize("full", [False, True])
def test_an_epic_has_its_whole_branch_in_whatever_projects_it_lies(
    site: LinkedSite, family: Family, full: bool
) -> None:
    site.cells["epic"] = family.epic
    read = site.read(full=full)
    assert site.work(read, "epic") == sorted(family.children.values())
    assert read.links["epic"].shown == f"epic {family.epic}"


@pytest.mark.parametrize("other", ["API", "WEB", "project = API", "WEB-1"])
def test_what_an_epic_has_does_not_depend_on_what_other_cards_link(
    site: LinkedSite, family: Family, other: str
) -> None:
    site.cells["epic"] = family.epic
    alone = site.work(site.read(full=True), "epic")
    site.cells["other"] = other
    assert site.work(site.read(), "epic") == alone
    assert site.work(site.read(full=True), "epic") == alone
    del site.cells["other"]
    assert site.work(site.read(), "epic") == alone


@pytest.mark.parametrize("name", ["GAMMA0", "WEB0", "API1", "deep"])
def test_a_change_anywhere_below_an_epic_is_seen_by_the_next_delta(
    site: LinkedSite, family: Family, name: str
) -> None:
    site.cells["epic"] = family.epic
    site.read(full=True)
    site.touch(family.children[name])
    site.read()
    assert site.category(family.children[name]) == "done"


def test_what_newly_comes_below_an_epic_is_seen_by_the_next_delta_with_its_sub_tasks(
    site: LinkedSite, family: Family
) -> None:
    late = create(site, "API")
    below = create(site, "API", parent=late, issuetype="Sub-task")
    site.cells["epic"] = family.epic
    site.read(full=True)
    site.later(60)
    site.jira.control(
        "edit", {"issue": late, "fields": {"parent": {"key": family.epic}}}
    )
    new = create(site, "WEB", parent=family.children["WEB1"], issuetype="Sub-task")
    expected = sorted([*family.children.values(), late, below, new])
    assert site.work(site.read(), "epic") == expected


def test_an_ordinary_issue_is_itself_with_its_sub_tasks_and_told_as_such(
    site: LinkedSite,
) -> None:
    below = create(site, "ACME", parent="ACME-2", issuetype="Sub-task")
    site.cells["acme"] = "ACME-2"
    read = site.read()
    assert site.work(read, "acme") == ["ACME-2", below]
    assert read.links["acme"].shown == "issue ACME-2"
    assert read.links["acme"].plain
    assert site.recall().links == read.links


def test_keys_of_issues_and_of_epics_in_one_project_cost_no_request_in_a_delta(
    site: LinkedSite,
) -> None:
    epic = create(site, "GAMMA", issuetype="Epic")
    create(site, "GAMMA", parent=epic)
    site.cells |= {"epic": epic, "issue": "ACME-2"}
    site.read(full=True)
    assert site.asked() == 3


# Several links in one cell


def test_a_card_has_the_work_of_all_links_of_its_cell_each_issue_once(
    site: LinkedSite,
) -> None:
    """BETA-1 and BETA-2 have the version, BETA-2 is named besides; GAMMA has four by the filter."""
    site.cells["beta"] = (
        'project = BETA AND fixVersion = "1.0"\n'
        f"{BASE}/browse/BETA-2\n{BASE}/browse/BETA-4, filter={site.filter}, ACME-1"
    )
    site.cells["acme"] = "ACME-3, GAMMA"
    read = site.read()
    gamma = [f"GAMMA-{number}" for number in range(1, 5)]
    assert site.work(read, "beta") == ["ACME-1", "BETA-1", "BETA-2", "BETA-4", *gamma]
    assert site.work(read, "acme") == ["ACME-3", *gamma]
    assert read.links["acme"].shown == "issue ACME-3, project GAMMA"
    assert site.recall().links == read.links
    assert site.asked() == 3


@pytest.mark.parametrize("bad", ["NOSUCH", "NOSUCH-7", "filter=99999"])
def test_one_bad_link_of_several_is_told_and_the_last_whole_figures_stand(
    site: LinkedSite, bad: str
) -> None:
    site.cells["beta"] = "BETA-1, BETA-3"
    site.read()
    site.cells["beta"] = f"BETA-1, {bad}"
    for full in (False, True):
        read = site.read(full=full)
        assert bad.removeprefix("filter=") in english(read.links["beta"].problem)
        assert site.work(read, "beta") == ["BETA-1", "BETA-3"]
        assert read.links["beta"].as_of is not None


def test_a_filter_among_several_that_is_gone_keeps_what_it_had(
    site: LinkedSite,
) -> None:
    site.cells["gamma"] = f"BETA-1, filter={site.filter}"
    site.read()
    del site.jira._site.store.filters[int(site.filter)]
    for _ in range(2):
        read = site.read(full=True)
        assert read.links["gamma"].problem
        assert len(site.work(read, "gamma")) == 5


# Addresses of versions and boards


def test_the_address_of_a_version_means_its_issues_whatever_it_is_called(
    site: LinkedSite,
) -> None:
    for path in (
        f"projects/BETA/versions/{site.version}",
        f"browse/BETA/fixforversion/{site.version}",
    ):
        site.cells["beta"] = f"{BASE}/{path}"
        assert site.work(site.read(), "beta") == ["BETA-1", "BETA-2"]
    rename_version(site)
    read = site.read(full=True)
    assert english(read.links["beta"].problem) == ""
    assert site.work(read, "beta") == ["BETA-1", "BETA-2"]


def test_the_address_of_a_board_means_what_its_filter_matches(site: LinkedSite) -> None:
    board = site.jira.control("add_board", {"project": "BETA"})["id"]
    site.cells["beta"] = f"{BASE}/secure/RapidBoard.jspa?rapidView={board}"
    for full in (False, True):
        read = site.read(full=full)
        assert english(read.links["beta"].problem) == ""
        assert site.work(read, "beta") == [f"BETA-{number}" for number in range(1, 5)]
    assert site.recall().links["beta"].shown == f"board {board}"
    assert site.asked() == 3


def test_a_board_that_is_gone_is_the_problem_of_its_card(site: LinkedSite) -> None:
    site.cells["beta"] = f"{BASE}/secure/RapidBoard.jspa?rapidView=99999"
    assert site.asked() > 3
    read = site.read()
    assert "99999" in english(read.links["beta"].problem)
    assert site.work(read, "beta") == ["BETA-1", "BETA-2"]
    assert english(read.links["acme"].problem) == ""
    assert site.asked() == 3


# Bounds


@pytest.mark.parametrize("until", ["9999999999999", "4102444800000"])
def test_a_bound_of_the_feeds_that_lies_ahead_is_forgotten(
    site: LinkedSite, until: str
) -> None:
    with site.store.transaction("studio") as tx:
        registry.set_cursor(tx, "jira:worklogs", until)
    site.jira.control(
        "worklog", {"issue": "ACME-1", "seconds": 3600, "started": NOW.isoformat()}
    )
    site.read()
    with site.store.reading("studio") as tx:
        assert [log.seconds for log in snapshots.load_worklogs(tx)] == [3600]
        found = registry.load_cursors(tx)["jira:worklogs"]
    assert int(found) <= site.clock.now().timestamp() * 1000


def test_a_feed_that_claims_the_future_is_told_and_what_came_later_is_seen(
    site: LinkedSite,
) -> None:
    handle = site.jira.handle

    def boast(request: Request) -> Response:
        answer = handle(request)
        if request.path.endswith("worklog/updated"):
            body = msgspec.json.decode(answer.body) | {"until": 9_999_999_999_999}
            return json_response(200, body)
        return answer

    site.gateway._session._adapter._inner = HandlerAdapter(boast)
    read = site.read()
    assert "2286-11-20" in read.incomplete
    assert "incomplete-read" in [problem.code for problem in read.problems]
    site.gateway._session._adapter._inner = HandlerAdapter(site.jira.handle)
    site.jira.control(
        "worklog", {"issue": "ACME-1", "seconds": 3600, "started": NOW.isoformat()}
    )
    assert site.read().incomplete == ""
    with site.store.reading("studio") as tx:
        assert [log.seconds for log in snapshots.load_worklogs(tx)] == [3600]


def test_an_unread_search_is_no_refusal(site: LinkedSite) -> None:
    site.gateway._session._adapter._inner = HandlerAdapter(
        lambda request: Response(503, {}, b"")
    )
    with pytest.raises(Transient):
        site.read()
    site.gateway._session._adapter._inner = HandlerAdapter(site.jira.handle)
    assert [english(link.problem) for link in site.read().links.values()] == [
        "",
        "",
        "",
    ]


# A word between links


@pytest.mark.parametrize("word", ["later", "спросить у Пети", "NOSUCH", "NOSUCH-7"])
def test_what_is_no_link_is_told_and_the_links_beside_it_count(
    site: LinkedSite, word: str
) -> None:
    site.cells["new"] = f"ACME-1, {word}, BETA-2"
    for full in (False, True):
        read = site.read(full=full)
        assert site.work(read, "new") == ["ACME-1", "BETA-2"]
        assert [word in english(note.said) for note in read.links["new"].notes] == [
            True
        ]
        assert site.recall().links == read.links


def test_an_address_of_another_jira_beside_one_of_ours_is_told(
    site: LinkedSite,
) -> None:
    links = {
        "new": parse_link(f"{BASE}/browse/ACME-1 https://a.example/browse/B-1", BASE)
    }
    site.later(10)
    read = read_tracker(
        site.gateway, site.workspace(), links=links, full=True, now=site.clock.now()
    )
    assert site.work(read, "new") == ["ACME-1"]
    assert "a.example" in english(read.links["new"].notes[0].said)


@pytest.mark.parametrize("face", FACES)
def test_initiatives_have_the_work_of_the_epics_below_them(
    tmp_path: Path, face: str
) -> None:
    """Below one lie epics of two projects; Data Center names it in a field of its own."""
    site = LinkedSite(tmp_path, face)
    kinds = site.jira._site.store.kinds
    level = Kind("10900", "Initiative", 2)
    kinds[level.id] = level
    top = create(site, "ACME", issuetype="Initiative")
    epics = [
        create(site, key, issuetype="Epic", parent=top) for key in ("ACME", "BETA")
    ]
    work = [create(site, "GAMMA", parent=epic) for epic in epics]
    below = create(site, "GAMMA", parent=work[0], issuetype="Sub-task")
    site.cells["top"] = top
    read = site.read(full=True)
    assert site.work(read, "top") == sorted([*work, below])
    site.touch(below)
    assert site.work(site.read(), "top") == sorted([*work, below])
    assert site.category(below) == "done"
