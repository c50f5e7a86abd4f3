"""What a question costs, in a process of its own: `python -m benchmarks.scenarios SIZE`.

A synthetic agency is read once, over real sockets; then each kind of change is asked as a cycle and the console ask it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.agency import NOW, Size, jira_load, type_proposal, type_rows, type_staff
from rayline_demo.stage import workspace_settings
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import serve
from rayline_sandbox.wire import Clock
from worker.app import logs
from worker.app.build import Surroundings, build_context, open_store
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.planning import gc_paused, plan_cycle
from worker.domain.entities import Row, Scenario, Stage
from worker.domain.periods import quarter_of
from worker.domain.values import Ref
from worker.method.whatif.asking import after_run, answer_rows
from worker.method.whatif.questions import Seen
from worker.notion.workspace import create_workspace
from worker.world.rows import plan_key
from worker.world.world import World

LATER = (NOW + timedelta(days=30)).date()
FAR = (NOW + timedelta(days=90)).date()


TIMES = 3
"""So often each question is asked; the least of it counts, for what else the machine does only adds."""
Line = tuple[str, float]


def main() -> None:
    """Print one JSON line: each kind of change, and the CPU seconds of its answer."""
    logs.configure(level="ERROR")
    size = msgspec.json.decode(sys.argv[1], type=Size)
    with tempfile.TemporaryDirectory() as folder:
        took = list(_measure(size, Path(folder)))
    sys.stdout.buffer.write(msgspec.json.encode(took) + b"\n")


def _measure(size: Size, folder: Path) -> Iterator[Line]:
    clock = Clock(NOW)
    notion = NotionSandbox(clock, limit=None)
    jira = JiraSandbox(clock)
    with serve(notion, jira) as sockets:
        settings = workspace_settings(sockets, locale="en")
        store = open_store(f"sqlite:///{folder / 'bench.db'}")
        context = build_context("bench", settings, store, Surroundings(clock.now))
        _fill(notion, context, size)
        jira.control("load", jira_load(size))
        drawn = plan_cycle(context, CycleRequest(Mode.FULL))
        context.notion.close()
        context.jira.close()
        store.close()
    world = _with_plan(drawn.world)
    seen = after_run(world, drawn.outcome)
    for row in questions(seen):
        yield row.name, min(_ask_once(row, seen, context) for _ in range(TIMES))


def _ask_once(row: Scenario, seen: Seen, context: Context) -> float:
    with gc_paused():
        start = time.process_time()
        answer = answer_rows((row,), seen, context.playbooks)
        took = time.process_time() - start
    if answer.faults or answer.failed:
        sys.exit(f"{row.name}: {answer.faults or answer.failed}")
    return took


def _fill(notion: NotionSandbox, context: Context, size: Size) -> None:
    bindings = create_workspace(
        context.notion,
        context.schema,
        locale="en",
        parent_page_id=context.settings.notion.root_page_id,
    )
    people = type_rows(notion, context.schema, bindings, size)
    type_staff(people)
    type_proposal(people)


def _with_plan(world: World) -> World:
    """Return the world with the row of a plan, as a run that writes leaves it."""
    ref = _plan(world)
    row = Row(ref, "", ref.key, "Plan", "", world.now, world.now, "", {})
    return replace(world, rows={**world.rows, "plans": (row,)})


def _plan(world: World) -> Ref:
    unit = next(iter(world.units))
    return Ref("plans", plan_key(unit, quarter_of(world.today)))


def questions(seen: Seen) -> Iterator[Scenario]:
    """Yield a question of each kind."""
    world = seen.world
    unit = next(iter(world.units))
    client = next(iter(world.clients))
    person = next(iter(world.people))
    cards = world.cards.values()
    running = next(card.ref for card in cards if card.stage is Stage.IN_PROGRESS)
    offer = next(card.ref for card in cards if card.stage is Stage.PROPOSAL)

    yield _ask("pin", _plan(world), value=Decimal(90_000_000))
    yield _ask("lose_client", client, start=LATER)
    yield _ask("add_person", unit, role="developer", start=LATER)
    yield _ask("lose_person", person, start=LATER)
    yield _ask("move_start", offer, start=LATER)
    yield _ask("move_due", running, start=FAR)
    yield _ask("fee", client, value=Decimal(900_000), start=LATER)
    yield _ask("rate", person, value=Decimal(3_000), start=LATER)
    yield _ask("win", offer)


def _ask(what: str, subject: Ref, **fields: Any) -> Scenario:
    return Scenario(
        Ref("scenarios", what), what, what=what, subjects=(subject,), **fields
    )


if __name__ == "__main__":
    main()
