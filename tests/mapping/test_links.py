"""Whatever people type into the Jira field is read as one of few kinds, or said to be unreadable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.world.links import Link, LinkKind, parse_link

BAD = LinkKind.BAD
SITE = "https://studio.atlassian.net"


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("ACME", LinkKind.PROJECT, "ACME"),
        (" acme ", LinkKind.PROJECT, "ACME"),
        ("ACME-12", LinkKind.EPIC, "ACME-12"),
        ("acme_2-12", LinkKind.EPIC, "ACME_2-12"),
        (f"{SITE}/browse/ACME-12", LinkKind.EPIC, "ACME-12"),
        (f"{SITE}/browse/ACME", LinkKind.PROJECT, "ACME"),
        (f"{SITE}/projects/ACME/issues/", LinkKind.PROJECT, "ACME"),
        (f"{SITE}/jira/software/c/projects/ACME/boards/7", LinkKind.PROJECT, "ACME"),
        (
            f"{SITE}/jira/software/projects/ACME/boards/7?selectedIssue=ACME-9",
            LinkKind.EPIC,
            "ACME-9",
        ),
        (f"{SITE}/projects/ACME/issues/ACME-77", LinkKind.EPIC, "ACME-77"),
        (f"{SITE}/issues/?filter=10021", LinkKind.FILTER, "10021"),
        (f"{SITE}/secure/Dashboard.jspa?filterId=10021", LinkKind.FILTER, "10021"),
        (
            f"{SITE}/issues/?jql=project%20%3D%20ACME%20AND%20labels%20%3D%20web",
            LinkKind.JQL,
            "project = ACME AND labels = web",
        ),
        (f"{SITE}/projects/ACME/versions/10012", LinkKind.JQL, "fixVersion = 10012"),
        (
            f"{SITE}/projects/ACME/versions/10012/tab/release-report-all-issues",
            LinkKind.JQL,
            "fixVersion = 10012",
        ),
        (f"{SITE}/browse/ACME/fixforversion/10012", LinkKind.JQL, "fixVersion = 10012"),
        (f"{SITE}/browse/ACME/component/10013", LinkKind.JQL, "component = 10013"),
        (f"{SITE}/projects/ACME/versions", LinkKind.PROJECT, "ACME"),
        (f"{SITE}/secure/RapidBoard.jspa?rapidView=7", LinkKind.BOARD, "7"),
        (
            f"{SITE}/secure/RapidBoard.jspa?rapidView=7&projectKey=ACME&view=planning",
            LinkKind.PROJECT,
            "ACME",
        ),
        (f"{SITE}/jira/people/5b10ac/boards/7", LinkKind.BOARD, "7"),
        (
            f"{SITE}/jira/software/projects/ACME/boards/7/backlog",
            LinkKind.PROJECT,
            "ACME",
        ),
        (
            f"{SITE}/secure/IssueNavigator.jspa?mode=hide&requestId=10021",
            LinkKind.FILTER,
            "10021",
        ),
        ("https://jira.example.com/jira/browse/ACME-12", LinkKind.EPIC, "ACME-12"),
        ("filter=10021", LinkKind.FILTER, "10021"),
        ("Filter: 10021", LinkKind.FILTER, "10021"),
        (
            "project = ACME AND component in (Web)",
            LinkKind.JQL,
            "project = ACME AND component in (Web)",
        ),
        ("assignee is not EMPTY", LinkKind.JQL, "assignee is not EMPTY"),
        ('summary ~ "сайт"', LinkKind.JQL, 'summary ~ "сайт"'),
        ("", LinkKind.NONE, ""),
        (None, LinkKind.NONE, ""),
        ("  \n", LinkKind.NONE, ""),
        ("спросить у Пети", LinkKind.BAD, "спросить у Пети"),
        ("work in progress", LinkKind.BAD, "work in progress"),
        (f"{SITE}/wiki/spaces/HOME", LinkKind.BAD, f"{SITE}/wiki/spaces/HOME"),
        ("sprint in openSprints()", LinkKind.JQL, "sprint in openSprints()"),
        ("NOT (labels = x)", LinkKind.JQL, "NOT (labels = x)"),
        ("'Epic Link' = ACME-1", LinkKind.JQL, "'Epic Link' = ACME-1"),
        ("cf[10020] is not empty", LinkKind.JQL, "cf[10020] is not empty"),
        ("status changed to Done", LinkKind.JQL, "status changed to Done"),
        ("проект = ACME", LinkKind.JQL, "проект = ACME"),
        ("nofield = 1", LinkKind.JQL, "nofield = 1"),
        ("ask Bob -> ACME", LinkKind.BAD, "ask Bob -> ACME"),
        ("=> see ACME", LinkKind.BAD, "=> see ACME"),
        ("ACME => BETA", LinkKind.BAD, "ACME => BETA"),
        ("was ACME, now BETA", LinkKind.BAD, "was ACME, now BETA"),
        ("see: project = ACME", LinkKind.BAD, "see: project = ACME"),
        ("(" * 1_500 + "x", LinkKind.BAD, "(" * 1_500 + "x"),
        ("not " * 490 + "x y", LinkKind.BAD, "not " * 490 + "x y"),
        ("http://[broken", LinkKind.BAD, "http://[broken"),
        (
            "http://host:99999/browse/AB-1",
            LinkKind.BAD,
            "http://host:99999/browse/AB-1",
        ),
        (f"{SITE}/issues/?filter=-4", LinkKind.BAD, f"{SITE}/issues/?filter=-4"),
    ],
)
def test_links_are_read_as_people_type_them(
    text: str | None, kind: LinkKind, meant: str
) -> None:
    assert parse_link(text) == Link(kind, meant)


PROJECT, EPIC = LinkKind.PROJECT, LinkKind.EPIC


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ACME-12, ACME-13", [(EPIC, "ACME-12"), (EPIC, "ACME-13")]),
        ("ACME-12,ACME-13", [(EPIC, "ACME-12"), (EPIC, "ACME-13")]),
        ("acme-12 acme-13;", [(EPIC, "ACME-12"), (EPIC, "ACME-13")]),
        ("ACME BETA", [(PROJECT, "ACME"), (PROJECT, "BETA")]),
        ("ACME\nbeta\n", [(PROJECT, "ACME"), (PROJECT, "BETA")]),
        (
            f"{SITE}/browse/ACME-1\n{SITE}/browse/BETA-2",
            [(EPIC, "ACME-1"), (EPIC, "BETA-2")],
        ),
        (
            f"{SITE}/browse/ACME-1,{SITE}/issues/?filter=7 BETA",
            [(EPIC, "ACME-1"), (LinkKind.FILTER, "7"), (PROJECT, "BETA")],
        ),
        (
            f"labels = web\n{SITE}/browse/ACME-1",
            [(LinkKind.JQL, "labels = web"), (EPIC, "ACME-1")],
        ),
        (
            f"{SITE}/browse/ACME-1 and {SITE}/browse/ACME-2",
            [(EPIC, "ACME-1"), (BAD, "and"), (EPIC, "ACME-2")],
        ),
        ("ACME-1 и ACME-2", [(EPIC, "ACME-1"), (BAD, "и"), (EPIC, "ACME-2")]),
        ("ACME-1 + filter=7", [(EPIC, "ACME-1"), (BAD, "+"), (LinkKind.FILTER, "7")]),
        (
            f"{SITE}/browse/ACME-1 {SITE}/wiki/spaces/HOME",
            [(EPIC, "ACME-1"), (BAD, f"{SITE}/wiki/spaces/HOME")],
        ),
        (
            "ACME, later, BETA",
            [(LinkKind.PROJECT, "ACME"), (BAD, "later"), (LinkKind.PROJECT, "BETA")],
        ),
        ("ACME-1, спросить у Пети", [(EPIC, "ACME-1"), (BAD, "спросить у Пети")]),
        (
            f"спросить у Пети\n{SITE}/browse/ACME-1\nlabels = web",
            [
                (BAD, "спросить у Пети"),
                (EPIC, "ACME-1"),
                (LinkKind.JQL, "labels = web"),
            ],
        ),
        (
            f"{SITE}/browse/ACME-1 https://other.example/browse/ACME-2",
            [(EPIC, "ACME-1"), (LinkKind.FOREIGN, "other.example")],
        ),
    ],
)
def test_several_links_of_a_cell_are_all_read(
    text: str, parts: list[tuple[LinkKind, str]]
) -> None:
    link = parse_link(text, SITE)
    assert link.kind is LinkKind.SEVERAL
    assert [(part.kind, part.text) for part in link.parts] == parts


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("ACME-1, acme-1", EPIC, "ACME-1"),
        (f"{SITE}/browse/ACME-1 ACME-1", EPIC, "ACME-1"),
        ("project = ACME AND\nlabels = web", LinkKind.JQL, None),
        ("project = ACME\nAND labels = web", LinkKind.JQL, None),
        ("project in (ACME,\nBETA)", LinkKind.JQL, None),
        ("labels in (a, b)", LinkKind.JQL, None),
        ("project=ACME OR project=BETA", LinkKind.JQL, None),
        (
            f"{SITE}/issues/?jql=project=ACME AND labels=web",
            LinkKind.JQL,
            "project=ACME AND labels=web",
        ),
        (f"{SITE}/issues/?jql=key in (A-1, B-2)", LinkKind.JQL, "key in (A-1, B-2)"),
        ("ACME-1 or so", LinkKind.BAD, None),
        ("ACME-1 -> ACME-2", LinkKind.BAD, None),
        ("ACME-1 → ACME-2", LinkKind.BAD, None),
        ("ACME not BETA", LinkKind.BAD, None),
        ("ACME-1 is now of ACME-2", LinkKind.BAD, None),
        ("BETA, was ACME before", LinkKind.BAD, None),
        ("BETA\nask Bob about ACME-7", LinkKind.BAD, None),
        ("projects: ACME, BETA", LinkKind.BAD, None),
        ("see ACME", LinkKind.BAD, None),
    ],
)
def test_what_only_looks_like_several_is_one_or_is_told(
    text: str, kind: LinkKind, meant: str | None
) -> None:
    assert parse_link(text, SITE) == Link(kind, text if meant is None else meant)


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("ACME-12;", EPIC, "ACME-12"),
        ("acme-12.", EPIC, "ACME-12"),
        ("ACME:", PROJECT, "ACME"),
        ("(ACME-12)", EPIC, "ACME-12"),
        ("«ACME».", PROJECT, "ACME"),
        ('"ACME-12",', EPIC, "ACME-12"),
        ("[ACME-12]", EPIC, "ACME-12"),
        ("filter=10021;", LinkKind.FILTER, "10021"),
        (f"{SITE}/browse/ACME-12.", EPIC, "ACME-12"),
        (f"{SITE}/browse/ACME-12?focusedId=7,", EPIC, "ACME-12"),
        (f"<{SITE}/browse/ACME>", PROJECT, "ACME"),
        (f"({SITE}/issues/?filter=10021).", LinkKind.FILTER, "10021"),
        ("ACME\u201112", EPIC, "ACME-12"),
        ("acme\u201312", EPIC, "ACME-12"),
        ("labels in (a, b)", LinkKind.JQL, "labels in (a, b)"),
        ("(labels = a)", LinkKind.JQL, "(labels = a)"),
        ('"Epic Link" = "ACME-1"', LinkKind.JQL, '"Epic Link" = "ACME-1"'),
        ("project = ACME;", LinkKind.JQL, "project = ACME;"),
        ("()", LinkKind.BAD, "()"),
        ("...", LinkKind.BAD, "..."),
        ("(a b)", LinkKind.BAD, "(a b)"),
        ("«ACME", PROJECT, "ACME"),
        ("(" * 900 + "A" + ")" * 900, LinkKind.BAD, "(" * 900 + "A" + ")" * 900),
    ],
)
def test_what_stands_around_a_link_as_in_a_sentence_is_no_part_of_it(
    text: str, kind: LinkKind, meant: str
) -> None:
    assert parse_link(text, SITE) == Link(kind, meant)


@pytest.mark.parametrize(
    "text",
    [
        "(ACME-1, BETA).",
        f"ACME-1; <{SITE}/browse/BETA>",
        "ACME-1.\nBETA.",
        f"({SITE}/browse/ACME-1)\n«BETA»",
    ],
)
def test_what_stands_around_each_of_several_links_is_no_part_of_them(text: str) -> None:
    parts = (Link(EPIC, "ACME-1"), Link(PROJECT, "BETA"))
    assert parse_link(text, SITE).parts == parts


@pytest.mark.parametrize(
    "path",
    [
        "browse/ACME-12?jql=project%20%3D%20ACME",
        "browse/ACME-12?filter=10021",
        "browse/acme-12?filter=-1",
        "issues/ACME-12?jql=labels%20%3D%20web",
        "projects/ACME/issues/ACME-12?filter=10021",
        "jira/software/c/projects/ACME/issues/ACME-12?jql=labels=web",
        "jira/servicedesk/projects/ACME/queues/custom/4/ACME-12",
        "jira/servicedesk/projects/ACME/queues/issue/ACME-12",
        "projects/ACME/queues/custom/4/ACME-12",
    ],
)
def test_the_address_of_an_issue_means_it_from_whatever_list_it_was_opened(
    path: str,
) -> None:
    assert parse_link(f"{SITE}/{path}", SITE) == Link(EPIC, "ACME-12")


@pytest.mark.parametrize(
    ("address", "site", "host"),
    [
        ("https://other.example/browse/ACME-1", SITE, "other.example"),
        ("https://other.atlassian.net/browse/ACME", SITE, "other.atlassian.net"),
        (
            "https://other.atlassian.net/issues/?filter=10000",
            SITE,
            "other.atlassian.net",
        ),
        ("https://other.example/issues/?jql=project=ACME", SITE, "other.example"),
        (
            "https://studio.atlassian.net.evil.example/browse/AB-1",
            SITE,
            "studio.atlassian.net.evil.example",
        ),
        ("https://studio.atlassian.net@evil.example/browse/AB-1", SITE, "evil.example"),
        (
            "http://lab.example:8081/browse/AB-1",
            "http://lab.example:8080",
            "lab.example:8081",
        ),
        (
            "https://lab.example/old/browse/AB-1",
            "https://lab.example/jira",
            "lab.example",
        ),
        (
            "https://lab.example/jira2/browse/AB-1",
            "https://lab.example/jira/",
            "lab.example",
        ),
    ],
)
def test_an_address_of_another_jira_is_known_as_such(
    address: str, site: str, host: str
) -> None:
    assert parse_link(address, site) == Link(LinkKind.FOREIGN, host)


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://studio.atlassian.net/browse/ACME-1", SITE),
        ("HTTPS://Studio.Atlassian.NET/browse/ACME-1", SITE),
        ("http://studio.atlassian.net/browse/ACME-1", f"{SITE}/"),
        ("https://studio.atlassian.net:443/browse/ACME-1", SITE),
        ("https://studio.atlassian.net./browse/ACME-1", SITE),
        ("https://lab.example/jira/browse/ACME-1", "https://lab.example/jira/"),
        ("http://lab.example:8080/browse/ACME-1", "http://lab.example:8080"),
        (
            "https://studio.atlassian.net/browse/ACME-1",
            "https://api.atlassian.com/ex/jira/7",
        ),
        ("https://any.example/browse/ACME-1", ""),
    ],
)
def test_an_address_of_the_site_counts_however_it_is_spelt(
    address: str, site: str
) -> None:
    assert parse_link(address, site) == Link(LinkKind.EPIC, "ACME-1")


@pytest.mark.parametrize(
    "text", ["ACME-1", "filter=7", "project = ACME", "https://doc.example/a", ""]
)
def test_a_site_changes_nothing_for_what_is_no_address_of_a_jira(text: str) -> None:
    assert parse_link(text, SITE) == parse_link(text)


@given(st.text() | st.text().map(lambda path: f"{SITE}/{path}"))
def test_no_text_raises(text: str) -> None:
    parse_link(text)
    parse_link(text, SITE)


def test_an_endless_text_is_bad_and_cut() -> None:
    found = parse_link("a = b " * 20_000)
    assert found.kind is LinkKind.BAD
    assert len(found.text) == 2_000
