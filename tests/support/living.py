"""An office of the small agency in one process: people to play a script with, and a worker to look on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from rayline_demo.agency.model import Agency
from rayline_demo.agency.populate import Cast, Scribe
from rayline_demo.checks import last_entry, writes
from rayline_demo.developers import Developers, Ticket
from rayline_demo.live.office import Office
from rayline_demo.live.script import Script
from rayline_demo.rig import Rig, make_empty, open_rig
from rayline_demo.stage import LONG_AGO
from tests.support.stages import NOW, small_agency, type_rows
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.messages import ENGLISH, render

SEED = 11


@dataclass(slots=True)
class Living:
    """An office, its script, and what was told so far."""

    office: Office
    script: Script
    told: list[str] = field(default_factory=list)

    def play(self, minutes: int) -> None:
        """Let minutes pass, an act in each."""
        for _ in range(minutes):
            self.office.rig.clock.advance(timedelta(minutes=1))
            act = self.script.play()
            if act is not None:
                self.told.append(render(act, ENGLISH))

    def look(self, mode: Mode = Mode.DELTA) -> Report:
        """Let the worker look once."""
        report = sync(self.office.rig.context, CycleRequest(mode, "test"))
        self.office.deeds.hand_back(report.plan.adopted)
        return report

    def idle_writes(self) -> int:
        """Return how much the worker writes when nobody has done anything."""
        before = last_entry(self.office.rig)
        self.look()
        return writes(self.office.rig, before)


def _developers(agency: Agency, rig: Rig) -> Developers:
    """Return the two teams; who does not log on to Jira builds nothing."""
    teams = {project: ["acc-developer", "acc-tl"] for project in ("ACME", "BETA")}
    tickets: dict[str, list[Ticket]] = {project: [] for project in teams}
    for issue in agency.jira["issues"]:
        project = issue["key"].partition("-")[0]
        if issue["type"] != "Epic" and project in teams:
            ticket = Ticket(issue["key"], project, issue["status"], issue["assignee"])
            tickets[project].append(ticket)
    return Developers(rig, Random(SEED), teams, tickets)


@contextmanager
def living(folder: Path, *, locale: str = "en", seed: int = SEED) -> Iterator[Living]:
    """Yield the small agency in its office; the worker has looked at everything once."""
    rig = open_rig(make_empty(locale, folder), folder, start=NOW - LONG_AGO)
    try:
        agency = small_agency(locale)
        rig.jira.control("load", agency.jira)
        scribe = Scribe(rig.notion, rig.context.schema, rig.bindings())
        users = tuple(
            rig.notion.control("add_user", {"name": one.name, "email": one.email})["id"]
            for one in agency.staff
        )
        scribe.user = users[0]
        cast = Cast(type_rows(agency, scribe), users)
        rig.clock.advance(LONG_AGO)
        office = Office(rig, agency, cast, scribe, _developers(agency, rig))
        alive = Living(office, Script(office, seed))
        alive.look(Mode.FULL)
        yield alive
    finally:
        rig.close()
