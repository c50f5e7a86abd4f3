"""Whatever people type into the Jira field is read as one of few kinds, or said to be unreadable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.world.links import Link, LinkKind, parse_link

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
        ("ACME-12, ACME-13", LinkKind.BAD, "ACME-12, ACME-13"),
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
        (f"{SITE}/issues/?filter=-4", LinkKind.BAD, f"{SITE}/issues/?filter=-4"),
    ],
)
def test_links_are_read_as_people_type_them(
    text: str | None, kind: LinkKind, meant: str
) -> None:
    assert parse_link(text) == Link(kind, meant)


@given(st.text() | st.text().map(lambda path: f"{SITE}/{path}"))
def test_no_text_raises(text: str) -> None:
    parse_link(text)


def test_an_endless_text_is_bad_and_cut() -> None:
    found = parse_link("a = b " * 20_000)
    assert found.kind is LinkKind.BAD
    assert len(found.text) == 2_000
