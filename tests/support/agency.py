"""The sample agency's first morning, drawn without sockets and without writing: what the rules say of a whole firm."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from rayline_demo.agency.generate import generate
from rayline_demo.agency.populate import populate
from rayline_demo.rig import SEED, make_empty, open_rig
from rayline_demo.stage import LONG_AGO
from worker.app import logs
from worker.cycle.context import CycleRequest, Mode, PlannedCycle
from worker.cycle.planning import plan_cycle
from worker.world.calendar import work_calendar

MORNING = datetime(2026, 11, 18, 6, 40, tzinfo=UTC)


@cache
def first_morning(locale: str) -> PlannedCycle:
    """Return the first plan of the sample agency in a locale, drawn once a session."""
    logs.configure(level="ERROR")
    with TemporaryDirectory(prefix="rayline-agency-") as name:
        folder = Path(name)
        empty = make_empty(locale, folder)
        rig = open_rig(empty, folder, start=MORNING - LONG_AGO)
        try:
            agency = generate(
                seed=SEED,
                now=MORNING,
                locale=locale,
                calendar=work_calendar(
                    rig.context.settings.calendar, range(2025, 2028)
                ),
            )
            populate(
                agency,
                rig.notion,
                rig.jira,
                schema=rig.context.schema,
                bindings=rig.bindings(),
            )
            rig.clock.advance(LONG_AGO)
            return plan_cycle(rig.context, CycleRequest(Mode.FULL, "test"))
        finally:
            rig.close()
