"""Synthetic agencies of any size: 300 clients, 1,000 cards linked to epics, N issues with history and worklogs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from rayline_demo.agency.populate import Scribe
from rayline_sandbox.notion import NotionSandbox
from worker.domain.values import Ref
from worker.mapping.schema import Bindings, Schema

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CARDS, CLIENTS, PROJECTS, UNITS = 1_000, 300, 100, 20


def jira_load(issues: int, seed: int = 1) -> dict[str, Any]:
    """Return a load of the Jira sandbox: 100 projects of 10 epics each, `issues` issues below the epics."""
    random = Random(seed)
    users = [
        {
            "id": f"u{number}",
            "name": f"User {number}",
            "email": f"u{number}@example.com",
        }
        for number in range(200)
    ]
    projects = [
        {"key": f"P{number:03d}", "name": f"Project {number}"}
        for number in range(PROJECTS)
    ]
    return {
        "users": users,
        "projects": projects,
        "issues": [*_epics(), *_issues(issues, random)],
    }


def _epics() -> Iterator[dict[str, Any]]:
    start = (NOW - timedelta(days=300)).isoformat()
    for card in range(CARDS):
        yield {
            "key": _epic(card),
            "project": f"P{card % PROJECTS:03d}",
            "type": "Epic",
            "summary": f"Epic {card}",
            "status": "In Progress",
            "created": start,
            "updated": start,
        }


def _epic(card: int) -> str:
    return f"P{card % PROJECTS:03d}-{card // PROJECTS + 1}"


def _issues(count: int, random: Random) -> Iterator[dict[str, Any]]:
    numbers = [100] * PROJECTS
    for index in range(count):
        card = index % CARDS
        project = card % PROJECTS
        numbers[project] += 1
        issue = issue_at(f"P{project:03d}", numbers[project], _epic(card), random)
        yield issue | {"summary": f"Issue {index} of the synthetic agency"}


def issue_at(project: str, number: int, parent: str, random: Random) -> dict[str, Any]:
    """Return an issue below a parent, with history and in half of the begun ones time on it."""
    created = NOW - timedelta(days=random.uniform(5, 280))
    begun = created + timedelta(days=random.expovariate(1 / 6))
    ended = begun + timedelta(days=random.expovariate(1 / 4))
    is_done, is_begun = random.random() < 0.78 and ended < NOW, begun < NOW
    history = [
        {
            "at": begun.isoformat(),
            "field": "status",
            "from": "To Do",
            "to": "In Progress",
        }
    ] * is_begun
    history += [
        {
            "at": ended.isoformat(),
            "field": "status",
            "from": "In Progress",
            "to": "Done",
        }
    ] * is_done
    author = f"u{random.randrange(200)}"
    return {
        "key": f"{project}-{number}",
        "project": project,
        "parent": parent,
        "type": random.choice(("Story", "Task", "Bug")),
        "summary": f"Issue {number}",
        "status": "Done" if is_done else "In Progress" if is_begun else "To Do",
        "created": created.isoformat(),
        "updated": (ended if is_done else created).isoformat(),
        "resolutiondate": ended.isoformat() if is_done else None,
        "assignee": author,
        "estimate": random.choice((7200, 14400, 28800)),
        "history": history,
        "worklogs": [{"author": author, "started": begun.isoformat(), "seconds": 7200}]
        if is_begun and random.random() < 0.5
        else [],
    }


def type_rows(notion: NotionSandbox, schema: Schema, bindings: Bindings) -> None:
    """Type the units, clients and cards into the Notion sandbox."""
    scribe = Scribe(notion, schema, bindings, notion.owner_id)
    units = [scribe.add("units", name=f"Unit {number}") for number in range(UNITS)]
    clients = [
        scribe.add(
            "clients",
            name=f"Client {number}",
            group="account",
            engagement="retainer",
            unit=(Ref("units", units[number % UNITS]),),
            monthly_fee=Decimal(500_000),
        )
        for number in range(CLIENTS)
    ]
    due = (NOW + timedelta(days=60)).date()
    for card in range(CARDS):
        scribe.add(
            "projects",
            name=f"Card {card}",
            client=(Ref("clients", clients[card % CLIENTS]),),
            stage="in_progress",
            budget=Decimal(2_000_000),
            due=due,
            jira=_epic(card),
            start=(NOW - timedelta(days=200)).date(),
        )
