"""Queries as people write them, and the projects outside of which no issue of theirs lies."""

from __future__ import annotations

import pytest

from worker.world.reach import find_mentions, find_reach, split_query

pytestmark = pytest.mark.timeout(60)
"""A parser that takes no word goes on for ever."""

BOUNDED = {
    "project = ACME": "ACME",
    "PROJECT = acme": "acme",
    "'project' = ACME": "ACME",
    "project=10001": "10001",
    'project = "Acme Site"': "Acme Site",
    r'project = "The \"A\" team"': 'The "A" team',
    "project in (ACME)": "ACME",
    "project IN (ACME, 'Beta', \"x y\")": "ACME, Beta, x y",
    "key = ACME-1": "ACME",
    "issuekey in (ACME-1, 'beta-22')": "ACME, beta",
    "issue = ACME-1": "ACME",
    "id in (ACME-1, ACME-2)": "ACME",
    "project = ACME AND labels = x": "ACME",
    "labels = x AND project = ACME": "ACME",
    "labels = x && project = ACME & type = Bug": "ACME",
    "project in (ACME, BETA) AND project = ACME": "ACME",
    "project = ACME AND project in (ACME, BETA)": "ACME",
    "project = ACME OR project = BETA": "ACME, BETA",
    "project = ACME || project = BETA | key = GAMMA-3": "ACME, BETA, GAMMA",
    "project = ACME OR project = BETA AND labels = x": "ACME, BETA",
    "project = ACME AND labels = x OR project = BETA": "ACME, BETA",
    "NOT project = ACME AND project = BETA": "BETA",
    "(project = ACME)": "ACME",
    "((project = ACME OR labels = x)) AND project = BETA": "BETA",
    "project = ACME AND (labels in (x, y) OR NOT labels = z)": "ACME",
    "project = ACME AND summary ~ 'a) OR (b'": "ACME",
    'project = ACME AND summary ~ "OR project = HR"': "ACME",
    r'project = ACME AND summary ~ "\" OR project = HR OR \""': "ACME",
    "project = ACME AND sprint in openSprints()": "ACME",
}
UNBOUNDED = [
    "",
    "labels = x",
    "labels = project",
    "project",
    "project != ACME",
    "project not in (ACME)",
    "project is not EMPTY",
    "project was in (ACME)",
    "project in ()",
    "project in (,)",
    "project in projectsLeadByUser()",
    "project in (ACME, projectsLeadByUser())",
    "project = ACME labels = x",
    "key = 10001",
    "key = ACME",
    "key in ()",
    "key in (ACME-1, 10001)",
    "key in (10001, ACME-1)",
    "key > ACME-1",
    "parent = ACME-1",
    "NOT project = ACME",
    "!project = ACME",
    "NOT NOT project = ACME",
    "not (project = ACME)",
    "project = ACME OR labels = x",
    "labels = x OR project = ACME",
    "project = ACME OR project = BETA OR labels = x",
    "labels = x AND (project = ACME OR labels = y)",
    "labels = x AND labels = y",
    'summary ~ "project = ACME"',
]
BROKEN = [
    "(",
    ")",
    "(project = ACME",
    "project = ACME)",
    "project = ACME) OR (project = HR",
    "project in (ACME",
    "labels in (x AND project = ACME",
    "project = ACME AND (labels = x",
    'labels = "x',
    "labels = 'x",
    'labels = "x\\") OR (project = HR',
]


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(", ")))


@pytest.mark.parametrize("jql", BOUNDED)
def test_no_issue_lies_outside_of_the_projects_that_a_query_asks_for(jql: str) -> None:
    assert find_reach(jql) == _names(BOUNDED[jql])


@pytest.mark.parametrize("jql", UNBOUNDED)
def test_a_query_that_asks_for_no_project_may_reach_any(jql: str) -> None:
    assert find_reach(jql) is None


@pytest.mark.parametrize("jql", BROKEN)
def test_what_breaks_out_of_its_brackets_or_quotes_is_no_query(jql: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|quote"):
        find_reach(jql)


@pytest.mark.parametrize(
    ("opening", "closing", "reach"), [("(", ")", {"ACME"}), ("NOT ", "", None)]
)
def test_what_a_person_would_nest_is_read_and_a_heap_of_it_is_refused(
    opening: str, closing: str, reach: set[str] | None
) -> None:
    def nested(depth: int) -> str:
        return opening * depth + "project = ACME" + closing * depth

    assert find_reach(nested(60)) == reach
    with pytest.raises(ValueError, match="too deep"):
        find_reach(nested(50_000))


MENTIONS = {
    "": "",
    "labels = x": "",
    "project = ACME": "ACME",
    "project in (ACME, 'x y') AND labels = z": "ACME, x y",
    "labels = x OR project = ACME OR labels = y": "ACME",
    "project = ACME && labels = x": "ACME",
    "project != HR": "HR",
    "project not in (HR, ops)": "HR, ops",
    "NOT project = HR": "HR",
    "project was HR": "HR",
    "project is not EMPTY AND labels = x": "",
    "'project' = HR": "HR",
    "key = HR-12": "HR",
    "key in (HR-1, ops-2)": "HR, ops",
    "parent = 'HR-1' AND labels = x": "HR",
    "project = ACME AND key = HR-1 AND labels = x": "ACME, HR",
    "labels = x ORDER BY project": "",
}


@pytest.mark.parametrize("jql", MENTIONS)
def test_every_project_that_a_query_names_is_found(jql: str) -> None:
    assert find_mentions(jql) == _names(MENTIONS[jql])


def test_what_a_query_that_does_not_close_names_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="quote"):
        find_mentions('project = "HR')


@pytest.mark.parametrize(
    ("jql", "tokens"),
    [
        ("", []),
        ("  \n ", []),
        ("a", ["a"]),
        (" project= ACME ", ["project", "=", "ACME"]),
        (
            "a!=b AND(c~'d e',f>=-7d)",
            ["a", "!=", "b", "AND", "(", "c", "~", "'d e'", ",", "f", ">=", "-7d", ")"],
        ),
        (r'"a \" b"c', [r'"a \" b"', "c"]),
        ("a&&b||c&d|e", ["a", "&&", "b", "||", "c", "&", "d", "|", "e"]),
    ],
)
def test_a_query_falls_into_words_signs_and_texts(jql: str, tokens: list[str]) -> None:
    assert split_query(jql) == tokens
