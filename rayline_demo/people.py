"""The Notion side of a lived agency: cards move, tasks are done or dropped, clients called, acts booked, plans pinned.

Odds are per day and seeded. Every cell a person writes is remembered, so that at the end nothing of it may be lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from rayline_demo.acts import Expected, HumanEdits
from rayline_demo.agency.model import Agency
from rayline_demo.agency.populate import Cast, Scribe
from rayline_demo.board import Card, living
from rayline_demo.developers import Developers
from rayline_demo.rig import Rig
from worker.domain.periods import WorkCalendar, month_of, previous_period
from worker.domain.values import Ref, Value

MOVES = {
    "idea": (("shaping", 0.025),),
    "shaping": (("proposal", 0.035), ("lost", 0.004)),
    "proposal": (("agreed", 0.04), ("lost", 0.012)),
    "agreed": (("in_progress", 0.09),),
}
CONTACT, RENEWAL = 0.09, timedelta(days=365)
BOARDS = ("projects", "tasks", "risks", "plans")
ACTS_DAY, PAYMENTS_DAY = 3, 9
"""The working days of a month on which acts of the last month are booked and payments come."""


@dataclass(slots=True)
class People:
    """Everybody who works in Notion. `labels` turns option labels into keys, by source and field."""

    rig: Rig
    agency: Agency
    cast: Cast
    scribe: Scribe
    random: Random
    calendar: WorkCalendar
    developers: Developers
    deeds: HumanEdits = field(default_factory=HumanEdits)
    counts: Counter[str] = field(default_factory=Counter)
    today: date = date.min
    rows: dict[str, tuple[Card, ...]] = field(default_factory=dict)
    labels: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    unpaid: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for fact in self.agency.revenue:
            self.unpaid[fact.client] += int(100 * fact.amount) * {
                "act": 1,
                "payment": -1,
            }.get(fact.kind, 0)

    def work(self, today: date) -> None:
        """Let everybody have their day."""
        self.today = today
        self.rows = {source: living(self.rig, source) for source in BOARDS}
        for deed in (
            self._move_cards,
            self._do_tasks,
            self._call_clients,
            self._book,
            self._look_at_risks,
            self._plan,
        ):
            deed()

    # Cells

    def _edit(
        self, source: str, page_id: str, act: str, values: dict[str, Value]
    ) -> None:
        self.scribe.edit(source, page_id, values)
        self.counts[act] += 1
        for name in values:
            self.deeds.forget(source, page_id, name)
            self.deeds.expected.append(
                Expected(
                    source, page_id, name, self._shown(source, name, values[name]), act
                )
            )

    def _shown(self, source: str, name: str, value: Value) -> Any:
        """Return a value as the boards' reader shows it."""
        match value:
            case date():
                return value.isoformat()
            case tuple():
                return tuple(
                    item.key if isinstance(item, Ref) else item for item in value
                )
            case str() if (source, name) in self.labels:
                return next(
                    label
                    for label, key in self.labels[source, name].items()
                    if key == value
                )
        return value

    def _key(self, source: str, card: Card, name: str) -> str:
        return self.labels[source, name].get(card.values[name] or "", "")

    def _happens(self, odds: float) -> bool:
        return self.random.random() < odds

    # HumanEdits

    def _move_cards(self) -> None:
        for card in self.rows["projects"]:
            stage = self._key("projects", card, "stage")
            for target, odds in MOVES.get(stage, ()):
                if self._happens(odds):
                    self._move(card, target)
                    break
            if stage == "in_progress" and card.values["progress"] == 1:
                self._edit("projects", card.page_id, "cards done", {"stage": "done"})

    def _move(self, card: Card, target: str) -> None:
        values: dict[str, Value] = {"stage": target}
        if target == "in_progress":
            index = self.cast.pages["clients"].index(card.values["client"][0])
            due = self.calendar.add(self.today, self.random.randint(25, 60))
            epic = self.developers.begin_epic(
                self.agency.clients[index].project,
                card.values["name"],
                self.random.randint(12, 30),
                due,
            )
            values |= {
                "start": self.today,
                "due": due,
                "jira": epic,
                "budget": Decimal(self.random.randint(6, 40)) * 100_000,
            }
        elif target in ("proposal", "agreed") and not card.values["expected_start"]:
            values |= {
                "expected_start": self.calendar.add(
                    self.today, self.random.randint(10, 40)
                )
            }
        self._edit("projects", card.page_id, f"cards moved to {target}", values)

    def _do_tasks(self) -> None:
        for task in self.rows["tasks"]:
            status = self._key("tasks", task, "status")
            key = task.values["worker_key"] or ""
            if status in ("done", "cancelled") or not key:
                continue
            chance = self.random.random()
            for limit, deed in TASK_DEEDS:
                if chance < limit:
                    deed(self, task, key.split(":")[1])
                    break

    def _finish_task(self, task: Card, playbook: str) -> None:
        self._edit("tasks", task.page_id, "tasks done", {"status": "done"})
        client = task.values["client"]
        project = task.values["project"]
        match playbook:
            case "contact_client" if client:
                self._edit(
                    "clients",
                    client[0],
                    "clients contacted",
                    {"last_contact": self.today},
                )
            case "index_rate" if client:
                self._edit(
                    "clients", client[0], "rates indexed", {"rate_indexed": self.today}
                )
            case "contract_end" if client:
                self._edit(
                    "clients",
                    client[0],
                    "contracts renewed",
                    {"contract_end": self.today + RENEWAL},
                )
            case "ask_due_date" if project:
                self._edit(
                    "projects",
                    project[0],
                    "due dates agreed",
                    {"due": self.calendar.add(self.today, self.random.randint(20, 50))},
                )
            case "next_step" if project and self._happens(0.6):
                self._step(project[0])

    def _step(self, page_id: str) -> None:
        card = next(
            (one for one in self.rows["projects"] if one.page_id == page_id), None
        )
        moves = MOVES.get(self._key("projects", card, "stage")) if card else None
        if card and moves:
            self._move(card, moves[0][0])

    def _take_task(self, task: Card, _: str) -> None:
        self._edit("tasks", task.page_id, "tasks taken", {"status": "doing"})

    def _cancel_task(self, task: Card, _: str) -> None:
        self._edit("tasks", task.page_id, "tasks cancelled", {"status": "cancelled"})

    def _note_task(self, task: Card, _: str) -> None:
        self._edit(
            "tasks", task.page_id, "notes written", {"note": f"{self.today}: 👍"}
        )

    def _postpone_task(self, task: Card, _: str) -> None:
        self._edit(
            "tasks",
            task.page_id,
            "tasks postponed",
            {
                "status": "waiting",
                "due": self.calendar.add(self.today, 5),
                "snooze_until": self.calendar.add(self.today, 5),
            },
        )

    def _throw_task(self, task: Card, _: str) -> None:
        self.rig.notion.control("trash", {"id": task.page_id, "user": self.scribe.user})
        self.deeds.expected = [
            one for one in self.deeds.expected if one.page_id != task.page_id
        ]
        self.deeds.trashed.append(("tasks", task.values["worker_key"]))
        self.counts["tasks deleted"] += 1

    def _call_clients(self) -> None:
        for client in self.cast.pages["clients"]:
            if self._happens(CONTACT):
                self._edit(
                    "clients", client, "clients contacted", {"last_contact": self.today}
                )
        for contact in self.cast.pages["contacts"]:
            if self._happens(CONTACT / 5):
                self._edit(
                    "contacts", contact, "contacts called", {"last_contact": self.today}
                )

    def _book(self) -> None:
        month = month_of(self.today)
        number = self.calendar.working_days(month.start, self.today)
        before = previous_period(month)
        for index, client in enumerate(
            self.agency.clients if self.calendar.is_working(self.today) else ()
        ):
            if number == ACTS_DAY and client.group == "account":
                usual = client.fee or Decimal(self.random.randint(900, 1500)) * 1000
                amount = (usual * self.random.randint(85, 110) / 100).quantize(
                    Decimal("0.01")
                )
                self.unpaid[index] += int(100 * amount)
                self._add_money(index, "act", amount, month=before.start)
            elif (
                number == PAYMENTS_DAY
                and self.unpaid[index] > 0
                and not self._happens(0.15)
            ):
                self._add_money(
                    index,
                    "payment",
                    Decimal(self.unpaid.pop(index)) / 100,
                    month=self.today,
                )

    def _add_money(
        self, client: int, kind: str, amount: Decimal, *, month: date
    ) -> None:
        self.scribe.add(
            "revenue",
            name=f"{self.agency.clients[client].name} · {month:%Y-%m}",
            month=month,
            amount=amount,
            client=(Ref("clients", self.cast.pages["clients"][client]),),
            kind=kind,
        )
        self.counts[f"{kind}s booked"] += 1

    def _look_at_risks(self) -> None:
        risks = [
            risk
            for risk in self.rows["risks"]
            if risk.values["worker_key"]
            and self._key("risks", risk, "status") == "open"
        ]
        if risks and self._happens(0.12):
            risk = self.random.choice(risks)
            mark = self.random.choice(
                [
                    one
                    for one in map(Decimal, range(1, 6))
                    if one != risk.values["probability"]
                ]
            )
            self._edit(
                "risks", risk.page_id, "risks weighed anew", {"probability": mark}
            )
        if risks and self._happens(0.08):
            self._edit(
                "risks",
                self.random.choice(risks).page_id,
                "risks answered",
                {"response": "reduce"},
            )
        if risks and self._happens(0.03):
            self.deeds.copies.append(
                self.rig.notion.control(
                    "duplicate",
                    {
                        "page_id": self.random.choice(risks).page_id,
                        "user": self.scribe.user,
                    },
                )["id"]
            )
            self.counts["risks duplicated"] += 1

    def _plan(self) -> None:
        ahead = [
            plan
            for plan in self.rows["plans"]
            if self._is_ahead(plan) and not plan.values["pinned"]
        ]
        if ahead and self._happens(0.06):
            plan = self.random.choice(ahead)
            part = Decimal(self.random.randint(85, 120)) / 100
            target = ((plan.values["target"] or Decimal(100_000)) * part).quantize(
                Decimal("0.01")
            )
            self._edit(
                "plans",
                plan.page_id,
                "plans pinned",
                {"target": target, "pinned": True},
            )
        if self.rows["plans"] and self._happens(0.1):
            plan = self.random.choice(self.rows["plans"])
            self._edit(
                "plans",
                plan.page_id,
                "plans commented",
                {"comment": f"{self.today}: ok"},
            )

    def _is_ahead(self, plan: Card) -> bool:
        """Tell whether a plan is a week part that lies ahead of today: those people promise something for."""
        return bool(
            plan.values["unit"]
            and plan.values["worker_key"].rpartition("-")[2].startswith("W")
            and plan.values["period"]
            and plan.values["period"] > self.today.isoformat()
        )


TASK_DEEDS: Sequence[tuple[float, Callable[[People, Card, str], None]]] = (
    (0.07, People._finish_task),
    (0.12, People._take_task),
    (0.13, People._cancel_task),
    (0.145, People._note_task),
    (0.155, People._postpone_task),
    (0.16, People._throw_task),
)
"""What befalls an open task on a day: upper bounds of one draw."""
