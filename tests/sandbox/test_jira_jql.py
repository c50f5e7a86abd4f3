"""JQL of the emulator: what is found, what is refused, and what is silently nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jira_rig import Site, small_site

from rayline_sandbox.jira.jql import (
    Clause,
    Empty,
    JqlSyntax,
    Literal,
    Logic,
    Many,
    Negation,
    Query,
    parse,
)
from rayline_sandbox.jira.jql_text import read_text


@pytest.fixture(scope="module")
def site() -> Site:
    return small_site()


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ("project = WEB order by key", "WEB-1 WEB-2 WEB-3 WEB-4 WEB-10"),
        ("project = 'Mobile app' order by key desc", "APP-2 APP-1"),
        ("project in (WEB, APP) and issuetype = Epic", "WEB-1"),
        ("project not in (WEB) order by created", "APP-1 APP-2"),
        ("key in (WEB-3, app-1) order by key", "APP-1 WEB-3"),
        ("issuekey > WEB-3 and project = WEB order by key", "WEB-4 WEB-10"),
        ("parent = WEB-1 order by key", "WEB-2 WEB-3"),
        ("'Epic Link' = WEB-1 order by key", "WEB-2 WEB-3"),
        ("parent in (WEB-1, WEB-3) order by key", "WEB-2 WEB-3 WEB-4"),
        ("parent is empty and project = WEB order by key", "WEB-1 WEB-10"),
        ("statusCategory = Done order by key", "APP-2 WEB-2"),
        (
            "statusCategory != done and project = WEB order by key",
            "WEB-1 WEB-3 WEB-4 WEB-10",
        ),
        ("statusCategory in (new, indeterminate) and project = APP", "APP-1"),
        ("status = 'In Review'", "WEB-3"),
        ("status was not in (x)", None),
        ("resolution = Unresolved and project = APP", "APP-1"),
        ("resolution is not EMPTY order by key", "APP-2 WEB-2"),
        ("assignee = ada@studio.invalid", None),
        ("assignee = 'ada@studio.invalid' order by key", "APP-1 WEB-2"),
        ("assignee != ada", "WEB-3"),
        ("assignee is empty and project = WEB order by key", "WEB-1 WEB-4 WEB-10"),
        ("assignee = currentUser()", ""),
        ("labels = seo order by key", "WEB-2 WEB-10"),
        ("labels not in (front) ", "WEB-10"),
        ("fixVersion = 1.0", "WEB-2"),
        ("fixVersion in unreleasedVersions()", "WEB-2"),
        ("component = api", "WEB-2"),
        ("sprint = 1 order by key", "WEB-2 WEB-3"),
        ("sprint = 'Sprint 2' order by key", "WEB-3 WEB-10"),
        ("sprint in openSprints() order by key", "WEB-3 WEB-10"),
        ("sprint in closedSprints() and sprint not in openSprints()", "WEB-2"),
        ("sprint in futureSprints()", ""),
        ("cf[10020] is not empty order by key", "WEB-2 WEB-3 WEB-10"),
        ("'Story Points' >= 5 order by 'Story Points' desc", "WEB-3 WEB-2"),
        ("cf[10024] = 5", "WEB-2"),
        ("cf[10016] < 3", "APP-1"),
        ("Flagged = Impediment", "WEB-3"),
        ("originalEstimate = 4h", "WEB-2"),
        ("timespent > 2h", "WEB-2"),
        ("worklogAuthor = grace", "WEB-2"),
        ("worklogDate >= 2026-11-03 and worklogAuthor = ada", "WEB-2"),
        ("worklogDate > '2026/11/03'", ""),
        ("summary ~ goods order by key", "WEB-3 WEB-4 WEB-10"),
        ("summary ~ 'good*' and summary !~ cart order by key", "WEB-3 WEB-4"),
        ("text ~ quotas", "APP-1"),
        ("text ~ '\"store about\"'", "APP-1"),
        ("description is empty and project = APP", "APP-2"),
        ("priority = High or priority is empty order by key", "WEB-3 WEB-10"),
        ("not project = WEB and not (status = Done)", "APP-1"),
        ("project = WEB && status = Done || key = APP-1 order by key", "APP-1 WEB-2"),
        ("due = 2026-11-25", "WEB-3"),
        ("due < now() order by key", "APP-2"),
        ("due <= endOfWeek('+1w') and due > startOfDay()", "WEB-3"),
        ("duedate is null and project = APP", "APP-1"),
        ("resolved >= '2026-11-06 12:30'", "WEB-2"),
        ("resolved >= '2026-11-06 12:31' and project = WEB", ""),
        (
            "assignee in (EMPTY, ada) order by key",
            "APP-1 APP-2 WEB-1 WEB-2 WEB-4 WEB-10",
        ),
        ("assignee not in (null, ada)", "WEB-3"),
        ("assignee in (EMPTY) and project = APP", "APP-2"),
        (
            "parent in (empty, WEB-1) and project = WEB order by key",
            "WEB-1 WEB-2 WEB-3 WEB-10",
        ),
        (
            "due in (empty, 2026-11-25) and project = WEB order by key",
            "WEB-1 WEB-2 WEB-3 WEB-4 WEB-10",
        ),
        ("due != EMPTY order by key", "APP-2 WEB-3"),
        ("due >= 0001-01-01 order by key", "APP-2 WEB-3"),
        ("due < '9999-12-31' order by key", "APP-2 WEB-3"),
        ("due >= 999999999999999", ""),
        ("due > '-99999999w' order by key", "APP-2 WEB-3"),
        ("created < '99999999w' and project = APP order by key", "APP-1 APP-2"),
        ("worklogDate < 999999999999999", "WEB-2"),
        ("fixVersion in unreleasedVersions(WEB)", "WEB-2"),
        ("fixVersion in unreleasedVersions(APP)", ""),
        ("fixVersion in releasedVersions(WEB)", ""),
    ],
)
def test_a_clause_finds_what_it_says(site: Site, jql: str, keys: str | None) -> None:
    if keys is None:
        assert site.refused("POST", "search/jql", {"jql": jql})[0] == 400
    else:
        assert site.keys(jql) == keys.split()


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ("updated >= '2026-11-21 00:30' order by updated", "WEB-3 WEB-4 WEB-10"),
        ("updated >= '2026-11-21 00:31' order by updated", "WEB-4 WEB-10"),
        ("updated >= '2026/11/21' order by updated", "WEB-3 WEB-4 WEB-10"),
        ("updated >= -30m order by updated", "WEB-4 WEB-10"),
        ("updated >= '-30M' order by updated", "WEB-4 WEB-10"),
        ("updated >= -1d order by updated", "WEB-3 WEB-4 WEB-10"),
        ("updated >= 1795261500000 order by updated", "WEB-4 WEB-10"),
        ("updated >= 1795261500001 order by updated", "WEB-10"),
        ("updated > startOfDay() order by updated", "WEB-3 WEB-4 WEB-10"),
        ("updated < startOfMonth(-1) order by key", ""),
        (
            "created >= startOfMonth('-1M') and created < startOfMonth() order by key",
            "",
        ),
        ("created < startOfYear() or created <= startOfMonth(-2) order by key", ""),
    ],
)
def test_dates_are_read_in_the_accounts_zone_or_as_exact_milliseconds(
    site: Site, jql: str, keys: str
) -> None:
    assert site.keys(jql) == keys.split()


def test_the_same_literal_means_another_instant_in_another_zone() -> None:
    site = small_site(time_zone="America/Chicago")
    assert site.keys("updated >= '2026-11-21 00:30' order by updated") == [
        "WEB-4",
        "WEB-10",
    ]
    assert site.keys("updated >= 1795210200000 order by updated") == [
        "WEB-3",
        "WEB-4",
        "WEB-10",
    ]


@pytest.mark.parametrize(
    "jql",
    [
        "project = NOSUCH",
        "nosuchfield = 1",
        "status = 'No such status'",
        "assignee = nobody",
        "sprint = 99",
        "project = WEB order by nosuchfield",
        "assignee = nosuchfunction()",
        "cf[99999] = 1",
        "filter = 77",
        "key > WEB-" + "9" * 5000,
        "key = " + "9" * 5000,
        "fixVersion in releasedVersions(NOSUCH)",
    ],
)
def test_an_unknown_name_is_answered_with_nothing_on_cloud_and_refused_on_data_center(
    jql: str,
) -> None:
    page = small_site().ask("POST", "search/jql", {"jql": jql})
    assert page == {"issues": [], "isLast": True}
    assert small_site("datacenter").refused("POST", "search", {"jql": jql})[0] == 400


@pytest.mark.parametrize(
    "jql",
    [
        "project = ",
        "project WEB",
        "project = WEB and",
        "(project = WEB",
        "project = WEB)",
        "project in WEB",
        "project in ()",
        "status was Done",
        "status changed",
        "summary = goods",
        "project > WEB",
        "due = 'soon'",
        "updated >= '2026-13-45'",
        "votes > 3",
        "assignee in membersOf(all)",
        "project = WEB order by",
        "order updated",
        "updated = '2026-01-01 10:00:30'",
        "project = WEB order by labels",
        "sprint in currentUser()",
        "project = {WEB}",
        "project = WEB order by " + ", ".join(["key"] * 8),
        "created >= startOfDay(x)",
        "key > EMPTY",
        "key >= currentUser()",
        "worklogDate != EMPTY",
        "worklogDate is empty",
        "summary = EMPTY",
        "worklogDate in (EMPTY)",
        "due >= 99999999999999999999",
        "due >= " + "9" * 5000,
        "due >= ²",
        "due > '" + "9" * 5000 + "w'",
        "created >= startOfYear('99999y')",
        "created >= startOfDay('-9999999d')",
        "created >= startOfYear('" + "9" * 5000 + "y')",
        "created >= endOfYear('7973y')",
        "created <= now('-3000d')",
        "sprint in openSprints('x')",
        "assignee = currentUser(5)",
        "'Story Points' = nan",
        "'Story Points' > 1e999",
        "timespent > '" + "9" * 400 + "'",
        "timespent > ''",
        "project in (EMPTY",
        "summary ~ ''",
        "summary ~ '  '",
        "summary ~ '!!!'",
        "summary ~ '...'",
        "summary ~ '*oods'",
        "summary ~ '?oods'",
        "summary ~ 'g*s'",
        "summary ~ '-goods'",
        "summary ~ 'NOT goods'",
        "summary ~ 'goods OR cart index'",
        "summary ~ 'goods OR cart AND index'",
        "summary ~ 'goods OR -cart'",
        "summary ~ 'AND goods'",
        "summary ~ 'goods AND'",
        "summary ~ 'goods NOT'",
        "summary ~ 'goods AND OR cart'",
        "summary ~ '(goods OR cart)'",
        "summary ~ 'goods~'",
        "summary ~ 'goods^2'",
        "summary ~ 'summary:goods'",
        "summary ~ '\"goods'",
        "summary ~ '\"\"'",
        "summary ~ '--goods'",
        "text ~ '\"of goods\"~3'",
        "(" * 3000 + "key = WEB-1" + ")" * 3000,
        "not " * 3000 + "key = WEB-1",
    ],
)
@pytest.mark.parametrize("deployment", ["cloud", "datacenter"])
def test_what_cannot_be_read_is_refused_never_ignored(
    deployment: str, jql: str
) -> None:
    path = "search/jql" if deployment == "cloud" else "search"
    assert small_site(deployment).refused("POST", path, {"jql": jql})[0] == 400


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("goods", "WEB-3 WEB-4 WEB-10"),
        ("search goods", "WEB-3"),
        ("search AND goods", "WEB-3"),
        ("search && goods", "WEB-3"),
        ("search OR cart", "WEB-3 WEB-10"),
        ("search || cart", "WEB-3 WEB-10"),
        ("goods -cart", "WEB-3 WEB-4"),
        ("goods NOT cart", "WEB-3 WEB-4"),
        ("goods !cart", None),
        ("goods AND NOT cart -index", "WEB-3"),
        ("+goods -cart", "WEB-3 WEB-4"),
        ("GOO*", "WEB-3 WEB-4 WEB-10"),
        ("g??ds cart", "WEB-10"),
        ("?oods", None),
        (r"\"of goods\"", "WEB-3 WEB-4"),
        (r"\"f goods\"", ""),
        (r"\"of goods\" -index", "WEB-3"),
        ("goods and cart", ""),
        ("index-of-goods", "WEB-4"),
        (r"goods\\!", "WEB-3 WEB-4 WEB-10"),
    ],
)
def test_a_text_search_reads_its_operators(
    site: Site, query: str, keys: str | None
) -> None:
    jql = f'summary ~ "{query}" order by key'
    if keys is None:
        assert site.refused("POST", "search/jql", {"jql": jql})[0] == 400
    else:
        assert site.keys(jql) == keys.split()


def test_parsing_shows_the_empty_value_of_a_list(site: Site) -> None:
    (parsed,) = site.ask(
        "POST", "jql/parse", {"queries": ["assignee in (EMPTY, ada)"]}
    )["queries"]
    assert parsed["structure"]["where"]["operand"] == {
        "values": [{"keyword": "empty"}, {"value": "ada"}]
    }


@given(st.text(max_size=20))
def test_any_text_is_searched_for_or_refused(text: str) -> None:
    try:
        found = read_text(text, "summary")
    except JqlSyntax:
        return
    assert found("") is False


def test_a_saved_filter_stands_for_its_query() -> None:
    site = small_site()
    identity = site.act(
        "add_filter", name="Goods", jql="summary ~ goods and project = WEB"
    )["id"]
    assert site.keys(f"filter = {identity} and status = 'To Do'") == ["WEB-10"]
    assert site.keys("filter = Goods and type = Bug") == ["WEB-10"]
    site.act("add_filter", name="Loop", jql="filter = Loop")
    assert site.refused("POST", "search/jql", {"jql": "filter = Loop"})[0] == 400


def test_empty_values_sort_last_and_keys_sort_by_number(site: Site) -> None:
    assert site.keys("project = WEB order by due, key desc") == [
        "WEB-3",
        "WEB-10",
        "WEB-4",
        "WEB-2",
        "WEB-1",
    ]


def test_precedence_is_not_then_and_then_or() -> None:
    tree = parse("a = 1 or not b = 2 and c in (3, 'x y')").where
    assert tree == Logic(
        "or",
        (
            Clause("a", "=", Literal("1", False)),
            Logic(
                "and",
                (
                    Negation(Clause("b", "=", Literal("2", False))),
                    Clause(
                        "c", "in", Many((Literal("3", False), Literal("x y", True)))
                    ),
                ),
            ),
        ),
    )
    assert parse("a is not null").where == Clause("a", "is not", Empty())


_NAMES = st.sampled_from(["project", "status", "cf[10016]", '"Epic Link"', "labels"])
_VALUES = st.one_of(
    st.integers(0, 10**12).map(str),
    st.text(max_size=12).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
)


@given(_NAMES, st.sampled_from(["=", "!=", "~", ">="]), _VALUES)
def test_any_quoted_value_survives_parsing(
    name: str, operator: str, value: str
) -> None:
    clause = parse(f"{name} {operator} {value}").where
    assert isinstance(clause, Clause)
    assert isinstance(clause.operand, Literal)
    expected = (
        value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if value.startswith('"')
        else value
    )
    assert clause.operand.text == expected


def outcome(text: str) -> Query | str:
    """Return the tree of a text, or why it is none."""
    try:
        return parse(text)
    except JqlSyntax as error:
        return str(error)


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_a_syntax_error_with_a_reason(text: str) -> None:
    assert outcome(text)


@pytest.mark.parametrize(
    ("jql", "said"),
    [
        (
            "ask Bob -> WEB",
            "Error in the JQL Query: Expecting operator but got 'Bob'. The valid operators are '=', '!=', '<', '>', "
            "'<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'. (line 1, character 5)",
        ),
        (
            "labels in ()",
            "Error in JQL Query: Expecting either a value, list or function but got ')'. You must surround ')' in "
            "quotation marks to use it as a value. (line 1, character 12)",
        ),
        (
            "project =",
            "Error in JQL Query: Expecting either a value, list or function before the end of the query.",
        ),
        (
            "project = WEB and",
            "Error in the JQL Query: Expecting a field name at the end of the query.",
        ),
        (
            "project = WEB;",
            "Error in the JQL Query: The character ';' is a reserved JQL character. You must enclose it in a string "
            "or use the escape '\\u003b' instead. (line 1, character 14)",
        ),
        (
            "(project = WEB",
            "Error in the JQL Query: Expecting ')' before the end of the query.",
        ),
        (
            "project = WEB labels = x",
            "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'labels'. (line 1, character 15)",
        ),
    ],
)
def test_syntax_is_refused_in_jiras_words(jql: str, said: str) -> None:
    with pytest.raises(JqlSyntax) as caught:
        parse(jql)
    assert str(caught.value) == said
