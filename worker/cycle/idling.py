"""Whether a cycle has anything to think about: what it goes by, against what the runs before it went by.

The rules see no clock but the local date, so that the same input and the same memory give the same plan. A cycle ends
before anything is loaded only when the one before it went by the same as its own predecessor, wrote nothing and learnt
nothing: another would do just that again. In any doubt it is run whole, as a full one always is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec.structs import replace

import worker
from worker.cycle.context import CycleRequest, Footing, Mode, PlannedCycle
from worker.errors import RenderedProblem
from worker.pages.sync_now import ticked
from worker.plan.plan import Plan, write_json
from worker.state.settings import Setting
from worker.world.memory import Memory
from worker.write.writer import Applied


class Past(msgspec.Struct, frozen=True, gc=False):
    """The last run of all: what it went by, and where it had nothing to change the checksum of its plan, a digest of the
    whole plan, and whether the next one is the same where it goes by the same."""

    run: int = 0
    footing: Footing | None = None
    checksum: str = ""
    plan: str = ""
    steady: bool = False


class Idle(msgspec.Struct, frozen=True, gc=False):
    """A cycle that has nothing to think about, and the plan of the one before, which is its own."""

    plan: Plan
    refused: tuple[RenderedProblem, ...] = ()


class Reason(StrEnum):
    """Why a cycle is not idle."""

    ORDER = "more was asked for than what changed"
    RUN = "another run came between"
    RESTLESS = "the last run wrote, learnt or put off something"
    PENDING = "a creation waits to be looked up, or did when the last run began"
    SNAPSHOT = "rows, issues or worklogs changed"
    TODAY = "the date turned"
    VERSION = "another version of the software"
    SETTINGS = "settings, mapping or playbooks changed"
    SCHEMA = "columns changed"
    BOARDS = "boards were read otherwise"
    TRACKER = "links or projects of Jira changed"
    PROBLEMS = "other problems were met"
    MEMORY = "what people are asked for changed"


class Look(msgspec.Struct, frozen=True, gc=False):
    """What a run is asked for, its number, what it goes by, and the last run."""

    order: CycleRequest
    run: int
    now: Footing
    last: Past


def _differs(name: str) -> Callable[[Look], bool]:
    """Return the question whether one part of the footing is not what it was."""
    return lambda look: (
        getattr(look.last.footing, name, None) != getattr(look.now, name)
    )


_QUESTIONS: Mapping[Reason, Callable[[Look], bool]] = {
    Reason.ORDER: lambda look: not is_plain(look.order),
    Reason.RUN: lambda look: look.last.run != look.run - 1,
    Reason.RESTLESS: lambda look: not look.last.steady,
    Reason.PENDING: lambda look: look.now.pending or _differs("pending")(look),
    Reason.SNAPSHOT: _differs("snapshot"),
    Reason.TODAY: _differs("today"),
    Reason.VERSION: _differs("version"),
    Reason.SETTINGS: _differs("settings"),
    Reason.SCHEMA: _differs("schema"),
    Reason.BOARDS: _differs("boards"),
    Reason.TRACKER: _differs("tracker"),
    Reason.PROBLEMS: _differs("problems"),
    Reason.MEMORY: _differs("memory"),
}
INSTALLED = frozenset({".py", ".toml", ".po", ".mo"})
PAST = Setting("last_footing", Past, Past)


def find_reasons(look: Look) -> tuple[Reason, ...]:
    """Return why a run is not idle; nothing when it is."""
    return tuple(reason for reason, holds in _QUESTIONS.items() if holds(look))


def is_plain(order: CycleRequest) -> bool:
    """Tell whether an order is for what changed, of everything, within the limits, and to be carried out."""
    is_special = order.force or order.dry_run or order.checksum or order.undoes
    is_delta = order.mode is Mode.DELTA
    return is_delta and not (is_special or order.in_short())


def digest(*values: object) -> str:
    """Return a digest of plain values, the same in every process."""
    # Models of the configuration are no structs, but say all they hold.
    body = msgspec.json.encode(values, order="deterministic", enc_hook=repr)
    return blake2b(body, digest_size=16).hexdigest()


@cache
def name_software() -> str:
    """Return the version, a digest of the installed files, for a copy under development keeps its version, and one of
    the libraries beside it: calendars of holidays and names of months come from there."""
    files = stamp_files(Path(worker.__file__).parent)
    libraries = digest(sys.version, _name_libraries())
    return f"{worker.__version__} {files} {libraries}"


def stamp_files(folder: Path) -> str:
    """Return a digest of the names, sizes and times of all files below a folder that say what a run does."""
    files = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in INSTALLED:
            now = path.stat()
            files.append((str(path), now.st_size, now.st_mtime_ns))
    return digest(files)


def _name_libraries() -> list[str]:
    """Return the libraries that can be imported, each with its version, as their folders are called."""
    names: set[str] = set()
    for place in sys.path:
        names.update(path.name for path in Path(place).glob("*.dist-info"))
    return sorted(names)


def past_after(
    run: int, drawn: PlannedCycle, applied: Applied, *, last: Past, order: CycleRequest
) -> Past:
    """Return what the next run is to know of this one."""
    plan = drawn.plan
    if plan.changes:
        return Past(run, drawn.footing)  # what was to be written is not the next one's
    whole = blake2b(digest_size=16)
    checksum = write_json(plan, whole.update)
    is_same = last.footing == drawn.footing and last.plan == whole.hexdigest()
    return Past(
        run,
        drawn.footing,
        checksum,
        whole.hexdigest(),
        steady=is_plain(order)
        and last.run == run - 1
        and is_same
        and _did_nothing(drawn, applied),
    )


def _did_nothing(drawn: PlannedCycle, applied: Applied) -> bool:
    """Tell whether a run wrote nothing, learnt nothing and has nothing left over."""
    plan = drawn.plan
    is_waiting = (
        drawn.refused or drawn.held or drawn.doubts or ticked(drawn.world, None)
    )
    is_written = plan.changes or plan.adopted or applied != Applied()
    return not (is_waiting or is_written) and _is_same(drawn)


def _is_same(drawn: PlannedCycle) -> bool:
    """Tell whether what the rules remember is what they remembered before."""
    after = drawn.outcome.memory
    before: Memory = drawn.world.memory
    return not before.first_run and replace(after, first_run=False) == before
