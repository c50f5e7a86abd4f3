"""What code, tests and docs cite exists: the page, its chapter, and what the chapter says of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
CITING = (
    "worker",
    "rayline_sandbox",
    "rayline_demo",
    "tests",
    "benchmarks",
    "mappings",
    "docs",
)
SUFFIXES = (".py", ".toml", ".md")
NUMBER = r"[0-9]+(?:\.[0-9]+)*"
CITATION = re.compile(
    rf"(?P<page>docs/(?:[a-z]+/)*[a-z-]+\.md)[`)]?\s+(?P<chapters>{NUMBER}(?:,\s+{NUMBER})*)"
)
OTHERWISE = re.compile(
    rf"(?<![\w/(])(?:facts/)?(?:notion-api|jira-api|reliability|definitions|method|design)\.md\b"
    rf"|\b(?:method|design|facts) {NUMBER}\b"
)
"""Citations in a form that nothing resolves."""
HEADING = re.compile(rf"^#+ (?P<number>{NUMBER})\.? (?P<title>.+)$", re.MULTILINE)
FACTS = sorted((ROOT / "docs/facts").glob("*.md"))
OWN = "tests/test_citations.py"


class Citation(NamedTuple):
    """One chapter as somebody cites it: `place` is the citing file and its line."""

    place: str
    page: str
    chapter: str

    @property
    def file(self) -> str:
        return self.place.partition(":")[0]


class Chapter(NamedTuple):
    """One numbered chapter of a page, without the chapters below it."""

    page: str
    number: str
    text: str


def cited_in(text: str, file: str) -> Iterator[Citation]:
    """Yield what a text cites, one chapter at a time."""
    for match in CITATION.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        for chapter in re.split(r",\s+", match["chapters"]):
            yield Citation(f"{file}:{line}", match["page"], chapter)


def unresolved(citations: list[Citation]) -> list[Citation]:
    """Return the citations whose page or chapter does not exist."""
    return [one for one in citations if one.chapter not in chapters_of(one.page)]


@cache
def chapters_of(page: str) -> dict[str, Chapter]:
    """Return the chapters of a page by number; of a page that does not exist, none."""
    path = ROOT / page
    if not path.is_file():
        return {}
    text = path.read_text("utf-8")
    headings = list(HEADING.finditer(text))
    ends = [*(one.start() for one in headings[1:]), len(text)][: len(headings)]
    return {
        one["number"]: Chapter(page, one["number"], text[one.end() : end])
        for one, end in zip(headings, ends, strict=True)
    }


@cache
def texts() -> dict[str, str]:
    """Return the text of every file that may cite, by its path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for name in CITING
        for path in sorted((ROOT / name).rglob("*"))
        if path.suffix in SUFFIXES and str(path.relative_to(ROOT)) != OWN
    }


@cache
def citations() -> list[Citation]:
    return [one for file, text in texts().items() for one in cited_in(text, file)]


FACT_CHAPTERS = [
    chapter
    for path in FACTS
    for chapter in chapters_of(str(path.relative_to(ROOT))).values()
    if chapter.text.strip()
]


def test_every_citation_leads_to_a_chapter() -> None:
    assert unresolved(citations()) == []


def test_there_are_citations_of_every_page_of_facts() -> None:
    assert {one.page for one in citations()} >= {
        str(path.relative_to(ROOT)) for path in FACTS
    }


@pytest.mark.parametrize(
    "text",
    [
        '"""Sizes are Notion\'s (docs/facts/notion-api.md 9.99)."""',
        "# see docs/facts/no-such-page.md 1.1",
        "docs/facts/jira-api.md 1.1, 77",
        "what it reads (docs/facts/jira-api.md\n7.7)",
        "`docs/method.md 42.1`",
    ],
)
def test_an_invented_citation_is_found(text: str) -> None:
    assert len(unresolved(list(cited_in(text, "it.py")))) == 1


def test_a_true_citation_is_none_of_those() -> None:
    text = "as docs/facts/notion-api.md 2.9, 2.10, and the end of docs/facts/definitions.md 6."
    found = list(cited_in(text, "it.py"))
    assert [one.chapter for one in found] == ["2.9", "2.10", "6"]
    assert unresolved(found) == []


def test_nothing_is_cited_in_another_form() -> None:
    found = [
        f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for file, text in texts().items()
        for match in OTHERWISE.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["(method 5)", "facts/notion-api.md 2.27", "see design 3", "notion-api.md"]
)
def test_a_citation_in_another_form_is_found(text: str) -> None:
    assert OTHERWISE.search(text)


@pytest.mark.parametrize(
    "chapter", FACT_CHAPTERS, ids=lambda one: f"{Path(one.page).stem}-{one.number}"
)
def test_a_fact_has_its_source_and_the_files_that_rest_on_it(chapter: Chapter) -> None:
    """Each file a chapter names exists and cites it: what nothing rests on has no place here."""
    source, _, users = chapter.text.partition("\nUsed in: ")
    assert "\nSource: " in source
    named = set(re.findall(r"`([^`]+)`", users))
    citing = {
        one.file
        for one in citations()
        if (one.page, one.chapter) == (chapter.page, chapter.number)
    }
    assert named, "nothing rests on it"
    assert sorted(named - citing) == []
