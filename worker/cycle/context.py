"""What one cycle works with and what is asked of it; what it saw and would write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import msgspec

from worker.errors import RenderedProblem, Stopped
from worker.http.clocks import Clocks
from worker.http.page_sizes import PageSizes
from worker.mapping.playbooks import Playbooks
from worker.mapping.schema import Bindings
from worker.method.outcome import Outcome
from worker.plan.plan import Plan
from worker.ports.notion import Notion
from worker.ports.tracker import Tracker
from worker.site import Site
from worker.state.settings import Setting
from worker.world.world import World

FINGERPRINT = Setting("mapping_fingerprint", str, str)
"""The mapping of the last apply, empty before the first one."""
MANAGED = Setting("managed_rows", dict[str, int], dict)
"""How many rows each data source had after the last apply."""
PAGE_SIZES = Setting("page_sizes", dict[str, int], dict)
"""How large a page of each kind may be, where a server could not put the usual ones together."""


class Mode(StrEnum):
    """How much a cycle reads: what changed, or everything (which alone notices deletions)."""

    DELTA = "delta"
    FULL = "full"


class CycleRequest(msgspec.Struct, frozen=True, gc=False):
    """What is asked of a cycle: how much to read, who asked, of which client, past the limits, only this plan;
    a `dry_run` is planned and not carried out; `undoes` is the run to be taken back, if any; `rules` are those whose
    facts alone are written, all if none."""

    mode: Mode = Mode.DELTA
    trigger: str = "manual"
    scope: str = ""
    force: bool = False
    checksum: str = ""
    dry_run: bool = False
    undoes: int = 0
    who: str = ""
    rules: tuple[str, ...] = ()

    def in_short(self) -> str:
        """Return what it is narrowed to, empty when it is of everything."""
        rules = f"rules={','.join(self.rules)}" if self.rules else ""
        return f"{self.scope} {rules}".strip()


@dataclass(frozen=True, slots=True)
class Context(Site):
    """Everything a cycle works with; built in one place (`worker.app.build`). `begin` starts the run's deadline, `limit`
    one of that many seconds in its place, `pause` waits for what others do meanwhile."""

    playbooks: Playbooks
    notion: Notion
    jira: Tracker
    fingerprint: str
    owner: str
    begin: Callable[[], None] = lambda: None
    limit: Callable[[float], None] = lambda seconds: None
    sizes: PageSizes = field(default_factory=PageSizes)
    clocks: Clocks = field(default_factory=Clocks)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[str, int, int], None] = lambda phase, done, total: None
    pause: Callable[[float], None] = lambda seconds: None


class Footing(msgspec.Struct, frozen=True, gc=False):
    """What a plan rests on: how often the snapshot was changed, the local date, and digests of the rest.

    `settings` are those of the workspace with its mapping and playbooks, `schema` is where the columns are, `boards`
    and `tracker` are what a read told beside the snapshot, `memory` is what was asked of people; `pending` when a
    creation waits to be looked up.
    """

    snapshot: int
    today: date
    version: str
    settings: str
    schema: str
    boards: str
    tracker: str
    problems: str
    memory: str
    pending: bool


class PlannedCycle(msgspec.Struct, frozen=True, gc=False):
    """What a cycle saw and would write, and why it may not (`refused`); what a new or stale memory keeps it from;
    `footing` is what it rests on, where a run may go by it."""

    world: World
    outcome: Outcome
    plan: Plan
    bindings: Bindings
    refused: tuple[RenderedProblem, ...] = ()
    managed: Mapping[str, int] = msgspec.field(default_factory=dict)
    held: tuple[str, ...] = ()
    doubts: Mapping[str, str] = msgspec.field(default_factory=dict)
    footing: Footing | None = None


def step(context: Context, phase: str) -> None:
    """Tell the watcher where the cycle is; end it here when the process was asked to end."""
    if context.stop.is_set():
        raise Stopped(f"ended before {phase}")
    context.progress(phase, 0, 1)
