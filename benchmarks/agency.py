"""Synthetic agencies of any size: clients, cards linked to epics, issues with history and worklogs below them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import msgspec

from rayline_demo.agency.populate import Scribe
from rayline_sandbox.notion import NotionSandbox
from worker.domain.values import Ref
from worker.mapping.schema import Bindings, Schema

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PROJECTS, UNITS, ACCOUNTS = 100, 20, 200
CREW = ("am", "tl", "pm", "developer", "developer", "qa", "designer", "analyst")
SPARE = "P000-99"
"""An epic with `BELOW_SPARE` issues that no card names at first."""
BELOW_SPARE = 20


class Size(msgspec.Struct, frozen=True):
    """How large an agency is; without a number of worklogs half of the begun issues have one."""

    issues: int = 10_000
    worklogs: int | None = None
    cards: int = 1_000
    clients: int = 300

    @property
    def projects(self) -> int:
        """Return how many Jira projects the cards' epics lie in."""
        return min(PROJECTS, self.cards)

    def epic(self, card: int) -> str:
        """Return the key of a card's epic."""
        return f"P{card % self.projects:03d}-{card // self.projects + 1}"


def jira_load(size: Size, seed: int = 1) -> dict[str, Any]:
    """Return a load of the Jira sandbox."""
    random = Random(seed)
    users = [
        {
            "id": f"u{number}",
            "name": f"User {number}",
            "email": f"u{number}@example.com",
        }
        for number in range(ACCOUNTS)
    ]
    projects = [
        {"key": f"P{number:03d}", "name": f"Project {number}"}
        for number in range(size.projects)
    ]
    return {
        "users": users,
        "projects": projects,
        "issues": [*_epics(size), *_issues(size, random), *_below_spare(random)],
    }


def _epics(size: Size) -> Iterator[dict[str, Any]]:
    start = (NOW - timedelta(days=300)).isoformat()
    keys = [size.epic(card) for card in range(size.cards)]
    for key in (*keys, SPARE):
        yield {
            "key": key,
            "project": key.partition("-")[0],
            "type": "Epic",
            "summary": f"Epic {key}",
            "status": "In Progress",
            "created": start,
            "updated": start,
        }


def _below_spare(random: Random) -> Iterator[dict[str, Any]]:
    project = SPARE.partition("-")[0]
    for number in range(BELOW_SPARE):
        yield issue_at(project, 900_001 + number, SPARE, random)


def _issues(size: Size, random: Random) -> Iterator[dict[str, Any]]:
    numbers = [100] * size.projects
    for index in range(size.issues):
        card = index % size.cards
        project = card % size.projects
        numbers[project] += 1
        key = f"P{project:03d}"
        issue = issue_at(key, numbers[project], size.epic(card), random)
        issue["summary"] = f"Issue {index} of the synthetic agency"
        if size.worklogs is not None:
            before = size.worklogs * index // size.issues
            until = size.worklogs * (index + 1) // size.issues
            issue["worklogs"] = _logs(issue, until - before, random)
        yield issue


def _logs(issue: dict[str, Any], count: int, random: Random) -> list[dict[str, Any]]:
    """Return time logged on an issue by many people, within a month of its creation."""
    created = datetime.fromisoformat(issue["created"])
    longest = min(30.0, (NOW - created).days)
    logs: list[dict[str, Any]] = []
    for _ in range(count):
        started = created + timedelta(days=random.uniform(0, longest))
        author = f"u{random.randrange(ACCOUNTS)}"
        seconds = 900 * random.randrange(1, 33)
        logs.append(
            {"author": author, "started": started.isoformat(), "seconds": seconds}
        )
    return logs


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
    author = f"u{random.randrange(ACCOUNTS)}"
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


class People(NamedTuple):
    """Who types rows, and the pages of the units and clients."""

    scribe: Scribe
    units: list[str]
    clients: list[str]


def type_rows(
    notion: NotionSandbox, schema: Schema, bindings: Bindings, size: Size
) -> People:
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
        for number in range(size.clients)
    ]
    people = People(scribe, units, clients)
    for card in range(size.cards):
        type_card(people, card, size.epic(card))
    return people


def type_card(people: People, number: int, epic: str) -> None:
    """Type a card that is linked to an epic."""
    client = people.clients[number % len(people.clients)]
    people.scribe.add(
        "projects",
        name=f"Card {number}",
        client=(Ref("clients", client),),
        stage="in_progress",
        budget=Decimal(2_000_000),
        due=(NOW + timedelta(days=60)).date(),
        jira=epic,
        start=(NOW - timedelta(days=200)).date(),
    )


def type_staff(people: People) -> None:
    """Type a person for every account that issues are assigned to, spread over units and roles."""
    for number in range(ACCOUNTS):
        people.scribe.add(
            "people",
            name=f"Person {number}",
            role=CREW[number // UNITS % len(CREW)],
            jira_account=f"u{number}",
            capacity=Decimal(40),
            rate=Decimal(2_000),
            unit=(Ref("units", people.units[number % UNITS]),),
        )


def type_proposal(people: People) -> None:
    """Type a card that is not won yet."""
    people.scribe.add(
        "projects",
        name="Proposal",
        client=(Ref("clients", people.clients[0]),),
        stage="proposal",
        budget=Decimal(3_000_000),
        probability=Decimal("0.5"),
        expected_start=(NOW + timedelta(days=14)).date(),
    )
