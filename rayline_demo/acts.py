"""What people do between two cycles: in Notion they move, rewrite, pin, override, cancel, copy, trash; Jira moves on.

Every act in Notion that must survive leaves an `Expected` value behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rayline_demo.board import Card, living
from rayline_demo.rig import Rig
from rayline_demo.stage import Stage
from worker.domain.values import Value
from worker.plan.plan import Adopted

LOYALTY_MILES = 5
PINNED = Decimal(2_500_000)


@dataclass(frozen=True, slots=True)
class Expected:
    """A value a person left in a cell and must find there again."""

    source: str
    page_id: str
    field: str
    value: Any
    act: str


@dataclass(slots=True)
class HumanEdits:
    """All that people did: what must still stand, which rows they copied or trashed, and a line for each deed."""

    expected: list[Expected] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    trashed: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def expect(self, source: str, page_id: str, name: str, value: Any) -> None:
        """Expect a value in a cell from now on."""
        act = f"{source} {name} typed"
        self.expected.append(Expected(source, page_id, name, value, act))

    def forget(self, source: str, page_id: str, name: str) -> None:
        """Expect no more of a cell: somebody is about to write it again."""
        self.expected = [
            one
            for one in self.expected
            if (one.source, one.page_id, one.field) != (source, page_id, name)
        ]

    def throw_away(self, source: str, page_id: str, key: str) -> list[Expected]:
        """Expect a row to stay in the trash; return what was expected of its cells."""
        aside = [one for one in self.expected if one.page_id == page_id]
        self.expected = [one for one in self.expected if one.page_id != page_id]
        self.trashed.append((source, key))
        return aside

    def bring_back(self, source: str, key: str, aside: list[Expected]) -> None:
        """Expect a row and its cells again."""
        self.trashed.remove((source, key))
        self.expected += aside

    def hand_back(self, adopted: Iterable[Adopted]) -> None:
        """Expect no more of cells in which people typed just what the rules wanted: those are the worker's again."""
        cells = {(one.page_id, one.field) for one in adopted}
        self.expected = (
            [one for one in self.expected if (one.page_id, one.field) not in cells]
            if cells
            else self.expected
        )


def live_a_little(stage: Stage) -> HumanEdits:
    """Let people work in Notion and Jira, then let ten minutes pass."""
    deeds = HumanEdits()
    _in_notion(stage, deeds)
    deeds.told += _in_jira(stage)
    stage.clock.advance(timedelta(minutes=10))
    return deeds


def _in_notion(stage: Stage, deeds: HumanEdits) -> None:
    card = stage.cast.pages["projects"][LOYALTY_MILES]
    _edit(
        stage,
        deeds,
        "projects",
        card,
        "a card is moved to proposal",
        {"stage": "proposal"},
    )
    tasks = [task for task in living(stage, "tasks") if task.values["worker_key"]]
    calm = [task for task in tasks if card not in task.values["project"]]
    rewritten = calm[0]
    cancelled = calm[1]
    trashed = calm[2]
    _edit(
        stage,
        deeds,
        "tasks",
        rewritten.page_id,
        "a task is rewritten",
        {"name": "Позвонить сегодня! · Call today!", "due": _in_days(stage, 3)},
    )
    _edit(
        stage,
        deeds,
        "tasks",
        cancelled.page_id,
        "a task is cancelled",
        {"status": "cancelled"},
    )
    stage.notion.control("trash", {"id": trashed.page_id, "user": stage.cast.users[1]})
    deeds.trashed.append(("tasks", trashed.values["worker_key"]))
    month = _future_month(stage)
    _edit(
        stage,
        deeds,
        "plans",
        month.page_id,
        "a month is pinned",
        {"target": PINNED, "pinned": True},
    )
    risks = [risk for risk in living(stage, "risks") if risk.values["worker_key"]]
    _edit(
        stage,
        deeds,
        "risks",
        risks[0].page_id,
        "a shared field is overridden",
        {
            "probability": Decimal(2)
            if risks[0].values["probability"] != 2
            else Decimal(3)
        },
    )
    copy = stage.notion.control(
        "duplicate", {"page_id": risks[-1].page_id, "user": stage.cast.users[2]}
    )
    deeds.copies.append(copy["id"])
    deeds.told += [expected.act for expected in deeds.expected] + [
        "a task is trashed",
        "a risk is duplicated",
    ]


def _edit(
    stage: Stage,
    deeds: HumanEdits,
    source: str,
    page_id: str,
    act: str,
    values: dict[str, Value],
) -> None:
    stage.scribe.edit(source, page_id, values)
    now = next(card for card in living(stage, source) if card.page_id == page_id)
    deeds.expected += [
        Expected(source, page_id, name, now.values[name], act) for name in values
    ]


def _future_month(stage: Stage) -> Card:
    """Return the last month of the running quarter of the first unit."""
    unit = stage.cast.pages["units"][0]
    months = [
        plan
        for plan in living(stage, "plans")
        if plan.values["worker_key"].count("-") >= 1
        and unit in plan.values["unit"]
        and plan.values["worker_key"].rpartition(":")[2].count("-") == 1
        and "Q" not in plan.values["worker_key"].rpartition(":")[2]
    ]
    return max(months, key=lambda plan: plan.values["worker_key"])


def _in_days(stage: Stage, days: int) -> date:
    return stage.clock.now().date() + timedelta(days=days)


def _in_jira(stage: Stage) -> Iterator[str]:
    jira = stage.jira
    for issue in _issues(stage, "ZEL", is_done=False)[:6]:
        jira.control("transition", {"issue": issue, "status": "Done"})
    yield "six issues of ZEL are done"
    for issue in _issues(stage, "MED", is_done=True)[:2]:
        jira.control("transition", {"issue": issue, "status": "In Progress"})
    yield "two issues of MED are reopened"
    for number in range(12):
        jira.control(
            "create",
            {
                "project": "POLET",
                "fields": {
                    "summary": f"Change request {number + 1}",
                    "issuetype": {"name": "Task"},
                },
            },
        )
    yield "POLET grows by twelve issues"
    moved = jira.control(
        "move", {"issue": _issues(stage, "SEVB", is_done=False)[-1], "project": "LUK"}
    )["key"]
    yield f"an issue of SEVB becomes {moved}"
    jira.control("delete", {"issue": _leaf(stage, "KVA"), "subtasks": True})
    yield "an issue of KVA is deleted"
    for issue in _issues(stage, "RASS", is_done=False)[:3]:
        jira.control(
            "worklog",
            {
                "issue": issue,
                "author": stage.agency.staff[-1].jira,
                "seconds": 5400,
                "started": (stage.clock.now() - timedelta(hours=1)).isoformat(),
            },
        )
    yield "three worklogs come to RASS"


def _issues(stage: Stage, project: str, *, is_done: bool) -> list[str]:
    return [
        issue["key"]
        for issue in stage.jira.control("dump", {})["issues"]
        if issue["key"].startswith(f"{project}-")
        and is_work(stage, issue)
        and (issue["status_name"] == "Done") is is_done
    ]


def _leaf(stage: Stage, project: str) -> str:
    issues = stage.jira.control("dump", {})["issues"]
    parents = {issue["parent"] for issue in issues}
    return next(
        str(issue["key"])
        for issue in reversed(issues)
        if issue["key"].startswith(f"{project}-")
        and issue["id"] not in parents
        and is_work(stage, issue)
    )


def is_work(stage: Rig, issue: dict[str, Any]) -> bool:
    """Tell whether a dumped issue is work and not an epic."""
    return issue["key"] not in stage.epics
