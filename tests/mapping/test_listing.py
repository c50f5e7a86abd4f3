"""A list of projects beside what the account sees: what may be read, asked for and said."""

from __future__ import annotations

import pytest

from tests.support.english import english
from worker.domain.entities import JiraProject
from worker.errors import Code, Severity
from worker.world.listing import Listing, Within, compose, find_problems

ACME = JiraProject("100", "ACME", "Acme Site", ("OLD",))
BETA = JiraProject("9", "BETA", "Beta")
GAMMA = JiraProject("10", "GAMMA", "Gamma")
HR = JiraProject("20", "HR", "People", ("STAFF",))
VISIBLE = (ACME, BETA, GAMMA, HR)
LISTED = ("ACME", "BETA", "10")
BOUND = "project in (9, 10, 100)"
NOWHERE = 'created < "1970-01-01"'

OURS = Listing(LISTED, {}, VISIBLE)
OPEN = Listing(None, {"ACME": ("100", "ACME")}, VISIBLE)
EMPTY = Listing((), {}, VISIBLE)


def test_without_a_list_all_that_the_account_sees_may_be_read() -> None:
    assert OPEN.projects == VISIBLE
    assert OPEN.seen == {}
    assert OPEN.missing() == ()
    assert OPEN.allows("HR") is True
    assert OPEN.allows("NOSUCH") is True
    assert (OPEN.bound, OPEN.outside) == ("", "")
    assert OPEN.bounded("labels = x") == "labels = x"
    for query in ("project = HR", "labels = x", "labels = 'x"):
        assert OPEN.place(query) is Within.INSIDE
        assert OPEN.mentions_others(query) is False


def test_with_a_list_only_its_projects_are_read() -> None:
    assert OURS.projects == (ACME, BETA, GAMMA)
    assert OURS.seen == {
        "ACME": ("100", "ACME"),
        "BETA": ("9", "BETA"),
        "10": ("10", "GAMMA"),
    }
    assert OURS.missing() == ()
    assert (OURS.bound, OURS.outside) == (BOUND, BOUND.replace(" in ", " not in "))
    assert OURS.bounded("a = b OR c = d") == f"{BOUND} AND (a = b OR c = d)"


def test_an_empty_list_lets_nothing_be_read() -> None:
    assert EMPTY.projects == ()
    assert (EMPTY.bound, EMPTY.outside) == ("", "")
    assert EMPTY.bounded("labels = x") == f"{NOWHERE} AND (labels = x)"
    assert EMPTY.allows("ACME") is False
    assert EMPTY.place("labels = x") is Within.OUTSIDE
    assert EMPTY.place("project = ACME") is Within.OUTSIDE
    assert EMPTY.place("labels = 'x") is Within.UNCLEAR


@pytest.mark.parametrize(
    ("name", "project"),
    [("ACME", ACME), ("OLD", ACME), ("100", ACME), ("STAFF", HR), ("20", HR)],
)
def test_a_project_is_listed_by_a_key_it_has_or_had_or_by_its_id(
    name: str, project: JiraProject
) -> None:
    listing = Listing((name,), {}, VISIBLE)
    assert listing.projects == (project,)
    assert listing.seen == {name: (project.id, project.key)}
    assert all(listing.allows(key) for key in (project.key, *project.former))
    assert listing.missing() == ()


def test_a_key_is_whose_it_is_now_not_whose_it_was() -> None:
    heir = JiraProject("30", "OLD", "Heir")
    for visible in ((heir, ACME), (ACME, heir)):
        listing = Listing(("OLD",), {}, visible)
        assert listing.projects == (heir,)
        ours = Listing(("ACME",), {}, visible)
        assert (ours.allows("ACME"), ours.allows("OLD")) == (True, False)
        assert ours.place("project = OLD") is Within.OUTSIDE


def test_a_listed_project_that_was_seen_is_followed_by_its_id() -> None:
    moved = JiraProject("100", "OMEGA", "Acme Site")
    thief = JiraProject("31", "ACME", "Another")
    listing = Listing(("ACME",), {"ACME": ("100", "ACME")}, (moved, thief))
    assert listing.projects == (moved,)
    assert listing.seen == {"ACME": ("100", "OMEGA")}
    assert (listing.allows("OMEGA"), listing.allows("ACME")) == (True, False)


def test_what_was_taken_off_the_list_is_remembered_and_not_read() -> None:
    seen = {"HR": ("20", "HR"), "BETA": ("9", "BETA")}
    listing = Listing(("BETA",), seen, VISIBLE)
    assert listing.projects == (BETA,)
    assert listing.seen == seen
    assert listing.allows("HR") is False


def test_a_listed_project_out_of_sight_is_missing_and_stays_allowed() -> None:
    seen = {"GONE": ("77", "LATER"), "BETA": ("9", "BETA")}
    listing = Listing(("NEW", "GONE", "BETA"), seen, VISIBLE)
    assert listing.projects == (BETA,)
    assert listing.missing() == ("NEW", "GONE")
    assert listing.seen == seen
    for key in ("NEW", "GONE", "LATER"):
        assert listing.allows(key) is True
    for key in ("HR", "STAFF", "NOSUCH", ""):
        assert listing.allows(key) is False


@pytest.mark.parametrize("listing", [OURS, OPEN, EMPTY])
def test_a_project_is_shown_by_a_key_that_it_has_or_had_listed_or_not(
    listing: Listing,
) -> None:
    for key in ("ACME", "OLD", "HR", "STAFF"):
        assert listing.shows(key) is True
    assert listing.shows("NOSUCH") is False
    assert listing.shows("100") is False


PLACES = {
    "project = ACME": Within.INSIDE,
    "project = acme": Within.INSIDE,
    "project in (old, 9, 'Gamma')": Within.INSIDE,
    'project = "ACME SITE" AND labels = x': Within.INSIDE,
    "key in (BETA-1, ACME-2)": Within.INSIDE,
    "project in (ACME, HR)": Within.ACROSS,
    "project = HR OR project = BETA": Within.ACROSS,
    "labels = x": Within.ACROSS,
    "project != BETA": Within.ACROSS,
    "project = HR": Within.OUTSIDE,
    "project in (STAFF, 20, People, NOSUCH)": Within.OUTSIDE,
    "key = HR-1": Within.OUTSIDE,
    "project = ACME) OR (project = HR": Within.UNCLEAR,
    "project = 'ACME": Within.UNCLEAR,
}


@pytest.mark.parametrize("query", PLACES)
def test_a_query_lies_where_the_projects_lie_that_bound_it(query: str) -> None:
    assert OURS.place(query) is PLACES[query]
    if PLACES[query] is not Within.INSIDE:
        assert OURS.mentions_others(query) is True


@pytest.mark.parametrize(
    ("query", "does"),
    [
        ("project = ACME", False),
        ("project = beta AND key != old-3 AND labels = HR", False),
        ("project = ACME AND project = HR", True),
        ("project = ACME AND parent = HR-1", True),
        ("project = ACME AND NOT project = nosuch", True),
    ],
)
def test_a_query_within_the_list_may_still_name_others(query: str, does: bool) -> None:
    assert OURS.place(query) is Within.INSIDE
    assert OURS.mentions_others(query) is does


def test_of_the_projects_that_a_query_asks_for_the_unlisted_are_named_as_typed() -> (
    None
):
    names = ["z9", "Staff", "HR", "nosuch", "People", "k2", "k1", "20"]
    query = ", ".join(f"'{name}'" for name in ("acme", "9", "gamma", *names))
    assert OURS.unlisted(f"project in ({query})") == tuple(sorted(names))
    assert OURS.unseen(f"project in ({query})") == {"z9", "nosuch", "k2", "k1"}
    assert OPEN.unseen(f"project in ({query})") == {"z9", "nosuch", "k2", "k1"}


@pytest.mark.parametrize("query", ["labels = x", "project = ACME", "project = 'HR"])
def test_a_query_that_asks_for_no_unlisted_project_names_none(query: str) -> None:
    assert OURS.unlisted(query) == ()
    assert OURS.unseen(query) == set()


@pytest.mark.parametrize(
    ("listing", "conditions", "bounded"),
    [
        (OPEN, ["a = b"], "a = b"),
        (OPEN, ["a = b", "c = d"], "a = b OR c = d"),
        (OURS, ["a = b"], f"({BOUND} AND (a = b))"),
        (OURS, ["a = b", "c = d"], f"({BOUND} AND (a = b OR c = d))"),
        (EMPTY, ["a = b"], f"({NOWHERE} AND (a = b))"),
    ],
)
def test_conditions_are_asked_within_the_list_and_projects_beside_them(
    listing: Listing, conditions: list[str], bounded: str
) -> None:
    assert compose([], conditions, listing) == bounded
    assert compose(["9", "10"], conditions, listing) == (
        f"project in (9, 10) OR {bounded}"
    )
    assert compose(["9", "10"], [], listing) == "project in (9, 10)"
    assert compose([], [], listing) == ""


def test_who_runs_rayline_is_told_that_no_list_is_set_with_the_line_that_sets_one() -> (
    None
):
    (problem,) = find_problems(OPEN)
    assert (problem.code, problem.severity) == (Code.OPEN_PROJECTS, Severity.INFO)
    assert 'projects = ["ACME", "BETA", "GAMMA", "HR"]' in english(problem.hint)


def test_each_name_of_the_list_that_the_account_does_not_see_is_told() -> None:
    problems = find_problems(Listing(("NEW", "BETA", "LATER"), {}, VISIBLE))
    assert [problem.code for problem in problems] == [Code.UNKNOWN_PROJECT] * 2
    assert [english(problem.message).split()[-1] for problem in problems] == [
        "NEW",
        "LATER",
    ]
    assert find_problems(OURS) == []
