"""Two thousand real issues: after one full sync every card shows what an independent count of the raw file gives."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.stages import Play, small_play

DATA = (
    Path(__file__).parents[2] / "shared" / "jira-data" / "titanium-sample-2000.jsonl.gz"
)
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there"),
]

Raw = Mapping[str, Any]


def read_issues() -> list[Raw]:
    return [
        json.loads(line)
        for line in gzip.decompress(DATA.read_bytes()).splitlines()
        if line.strip()
    ]


def is_epic(issue: Raw) -> bool:
    return str(issue["fields"]["issuetype"]["name"]) == "Epic"


def is_done(issue: Raw) -> bool:
    return str(issue["fields"]["status"]["statusCategory"]["key"]) == "done"


REJECTED = {
    "Cannot Reproduce",
    "Duplicate",
    "Invalid",
    "Needs more info",
    "Not Our Bug",
    "Won't Do",
    "Won't Fix",
}
"""What this team closes work with that was not done."""


def is_rejected(issue: Raw) -> bool:
    resolution = issue["fields"].get("resolution") or {}
    return is_done(issue) and resolution.get("name") in REJECTED


def parent_of(issue: Raw) -> str:
    """Return the key of what an issue hangs below: its parent, else its epic."""
    above = issue["fields"].get("parent") or issue["fields"].get("epic") or {}
    return str(above.get("key", ""))


def count(issues: list[Raw]) -> tuple[Decimal, str]:
    """Return share done and its text, counted apart from the worker: by estimate when four fifths carry one."""
    estimates = [issue["fields"].get("timeoriginalestimate") for issue in issues]
    by_estimate = sum(one is not None for one in estimates) * 5 >= len(issues) * 4
    weights = [(one or 0) if by_estimate else 1 for one in estimates]
    done = sum(
        weight for weight, issue in zip(weights, issues, strict=True) if is_done(issue)
    )
    return Decimal(done) / Decimal(sum(weights)), f"{done:g}"


def below(epic: str, children: Mapping[str, list[Raw]]) -> list[Raw]:
    found: list[Raw] = []
    waiting = [epic]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if not is_epic(child):
                found.append(child)
                waiting.append(str(child["key"]))
    return found


def work_by_link(raw: list[Raw]) -> dict[str, list[Raw]]:
    """Return the work of every project and of every epic that has any, by what people would type to name it."""
    children: dict[str, list[Raw]] = defaultdict(list)
    projects: dict[str, list[Raw]] = defaultdict(list)
    for issue in raw:
        children[parent_of(issue)].append(issue)
        if not is_epic(issue):
            projects[str(issue["key"]).rpartition("-")[0]].append(issue)
    epics = {
        str(issue["key"]): below(str(issue["key"]), children)
        for issue in raw
        if is_epic(issue)
    }
    return dict(projects) | {key: work for key, work in epics.items() if work}


def type_card(play: Play, text: str) -> str:
    """Have a person add a running project whose Jira field holds a text; return its page id."""
    properties = play.stage.scribe.raw(
        "projects", {"name": f"Card {text}", "jira": text, "stage": "in_progress"}
    )
    return str(
        play.stage.notion.control(
            "create",
            {"data_source_id": play.data_source("projects"), "properties": properties},
        )["id"]
    )


def test_every_card_shows_what_the_raw_file_holds(tmp_path: Path) -> None:
    raw = read_issues()
    assert len(raw) == 2000
    with small_play(tmp_path) as play:
        assert play.stage.jira.load_jsonl(
            gzip.decompress(DATA.read_bytes()).splitlines()
        ) == len(raw)
        cards = {
            type_card(play, text): work for text, work in work_by_link(raw).items()
        }
        report = play.sync()
        assert report.refused == ()
        assert report.applied.failures == ()
        shown = {card.page_id: card.values for card in living(play.stage, "projects")}
        assert len(cards) > 10
        for page_id, work in cards.items():
            scope = [issue for issue in work if not is_rejected(issue)]
            if not scope:
                assert shown[page_id]["progress"] is None
                continue
            share, done = count(scope)
            text = str(shown[page_id]["done_total"]).replace(",", "")
            assert abs(shown[page_id]["progress"] - share) <= Decimal("0.0001"), text
            if text.endswith("by count"):
                assert text == f"{done} / {len(scope)} by count"
        play.later(minutes=10)
        assert play.sync().plan.changes == ()
