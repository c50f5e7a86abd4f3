"""A whole plan carried out: creations parents first, then updates, sections and archives; pages side by side."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec
import structlog

from worker.apply.bench import Bench, Pages, Result
from worker.apply.changes import perform
from worker.apply.order import arrange
from worker.apply.pictures import open_engines
from worker.domain.messages import message, tell
from worker.domain.values import Ref
from worker.errors import ApiError, Busy, Denied, Missing, Problem, Rejected, Severity
from worker.mapping.schema import Bindings, Rows, Schema
from worker.ports import Notion, is_gone
from worker.state import bases, journal
from worker.state.store import Store
from worker.sync.plan import Change, Kind, Plan

log = structlog.get_logger("worker.apply")
Progress = Callable[[str, int, int], None]
_NAMES = {
    Kind.CREATE: "create",
    Kind.UPDATE: "update",
    Kind.SECTION: "sections",
    Kind.ARCHIVE: "archive",
}
_NOBODY: Mapping[Ref, str] = MappingProxyType({})


class Applied(msgspec.Struct, frozen=True, gc=False):
    """What became of a plan: changes done by kind, failures as problems, creations whose outcome is not known yet.

    `warnings` tell what was left out of changes that were done.
    `gone` are the pages that turned out to be deleted since they were read: there was nothing to write to any more.
    `stopped` when the end was asked for, or access was lost, before all changes were tried.
    """

    done: Mapping[str, int] = msgspec.field(default_factory=dict)
    failures: tuple[Problem, ...] = ()
    unknown: tuple[Ref, ...] = ()
    gone: frozenset[str] = frozenset()
    stopped: bool = False
    warnings: tuple[Problem, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many changes of each kind were done, keys as in `sync --json`."""
        return {
            name: self.done.get(name, 0)
            for name in ("create", "update", "archive", "sections")
        }


@dataclass(slots=True)
class _Shift:
    """One apply under way. `halted` once no further change may begin; its lock guards what is counted."""

    bench: Bench
    stop: threading.Event
    fence: Callable[[], None]
    progress: Progress
    total: int
    halted: threading.Event = field(default_factory=threading.Event)
    tried: int = 0
    skipped: int = 0
    done: Counter[str] = field(default_factory=Counter)
    failures: list[Problem] = field(default_factory=list)
    unknown: list[Ref] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def apply(
    plan: Plan,
    *,
    notion: Notion,
    store: Store,
    workspace: str,
    schema: Schema,
    bindings: Bindings,
    now: Callable[[], datetime],
    width: int = 1,
    stop: threading.Event | None = None,
    fence: Callable[[], None] = lambda: None,
    progress: Progress = lambda phase, done, total: None,
    known: Mapping[Ref, str] = _NOBODY,
    settle_after: timedelta = timedelta(0),
) -> Applied:
    """Carry out a plan and return what became of it; the only writer in the program.

    `fence` is called before each change and raises `Busy` when the lease is lost, which ends the apply. `stop` lets the
    changes in hand finish. `known` names the pages of rows that were read, for a journal that lost them (diff's
    `known_pages`). `width` changes run side by side, no two of them on one page; 1 is deterministic.
    `settle_after` is how long a section whose append has an unknown outcome is left alone.
    """
    with store.transaction(workspace) as tx:
        bases.adopt(tx, plan.adopted)
        journal.adopt(tx, known, now=now())
        pages = Pages(
            dict(journal.canonical_pages(tx)),
            frozenset(
                name
                for name, source in schema.sources.items()
                if source.rows is Rows.PEOPLE
            ),
        )
    phases = tuple(_phases(plan.changes))
    warnings: list[Problem] = []
    with open_engines(width) as engines:
        bench = Bench(
            workspace,
            notion,
            store,
            schema,
            bindings,
            pages,
            now,
            engines.draw,
            warnings.append,
            settle_after,
        )
        shift = _Shift(
            bench,
            stop or threading.Event(),
            fence,
            progress,
            sum(len(phase) for phase in phases),
        )
        _work(shift, phases, width)
    return Applied(
        dict(shift.done),
        tuple(sorted(shift.failures)),
        tuple(sorted(shift.unknown)),
        frozenset(shift.gone),
        shift.skipped > 0,
        tuple(sorted(warnings)),
    )


def _phases(changes: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    """Yield groups of changes that do not depend on each other, in the order in which they must be done."""
    creations = arrange([change for change in changes if change.kind is Kind.CREATE])
    yield from creations.levels
    yield creations.later
    for kind in (Kind.UPDATE, Kind.SECTION, Kind.ARCHIVE):
        yield tuple(change for change in changes if change.kind is kind)


def _work(shift: _Shift, phases: Iterable[Sequence[Change]], width: int) -> None:
    if width == 1:
        for change in (change for phase in phases for change in phase):
            _try(shift, change)
        return
    with ThreadPoolExecutor(width, thread_name_prefix="apply") as pool:
        for phase in phases:
            for _ in pool.map(lambda change: _try(shift, change), phase):
                pass


def _try(shift: _Shift, change: Change) -> None:
    """Do one change; whatever goes wrong with it is that change's problem and nobody else's."""
    if shift.halted.is_set() or shift.stop.is_set():
        with shift.lock:
            shift.skipped += 1
        return
    try:
        shift.fence()
        result = perform(shift.bench, change)
    except Busy:
        shift.halted.set()
        raise
    except Exception as error:  # noqa: BLE001 - the one place where any failure of a change becomes a Problem
        if isinstance(error, Denied):
            shift.halted.set()
        _count(
            shift,
            change,
            Result.SETTLED
            if _was_deleted(shift, change, error)
            else _failure(
                change, error, private=shift.bench.schema.is_private(change.ref.source)
            ),
        )
    else:
        _count(shift, change, result)


def _was_deleted(shift: _Shift, change: Change, error: Exception) -> bool:
    """Tell whether a change failed because somebody deleted its page since it was read: then it is settled.

    A refusal does not say so by itself: one with the same status may be about a value or a related page.
    """
    page_id = change.page_id or shift.bench.pages.by_ref.get(change.ref, "")
    if not isinstance(error, Missing | Rejected) or not page_id:
        return False
    try:
        gone = is_gone(shift.bench.notion, page_id)
    except ApiError:
        return False
    if gone:
        with shift.lock:
            shift.gone.add(page_id)
    return gone


def _count(shift: _Shift, change: Change, result: Result | Problem) -> None:
    outcome = result.value if isinstance(result, Result) else "failed"
    log.info(
        "change",
        workspace=shift.bench.workspace,
        kind=change.kind.value,
        ref=str(change.ref),
        page=change.page_id or shift.bench.pages.by_ref.get(change.ref, ""),
        outcome=outcome,
        fields=[item.field for item in change.fields],
        **(
            {"problem": result.code, "message": result.message}
            if isinstance(result, Problem)
            else {}
        ),
    )
    with shift.lock:
        shift.tried += 1
        if isinstance(result, Problem):
            shift.failures.append(result)
        elif result is Result.DONE:
            shift.done[_NAMES[change.kind]] += 1
        elif result is Result.UNKNOWN:
            shift.unknown.append(change.ref)
        shift.progress("apply", shift.tried, shift.total)


def _failure(change: Change, error: Exception, *, private: bool) -> Problem:
    """Return a failed change as a problem; of a private row neither the title nor the server's words, which quote."""
    name = error.field if isinstance(error, Rejected) else ""
    code = _CODES.get(type(error).__name__, "apply-failed")
    is_told = isinstance(error, ApiError | ValueError) and not private
    fault = tell(
        "“{title}” could not be written ({kind}): {error}",
        title=change.ref.key if private else change.title,
        kind=change.kind.value,
        error=str(error) if is_told else type(error).__name__,
    )
    hint = _HINTS.get(code, message("it will be tried again in the next cycle"))
    return Problem(code, str(change.ref), name, fault, hint, severity=Severity.ERROR)


_CODES = {
    "Denied": "write-denied",
    "Missing": "page-gone",
    "Rejected": "write-rejected",
    "Transient": "write-failed",
    "Unknown": "write-unknown",
    "Unencodable": "value-unwritable",
}
_HINTS = {
    "write-denied": message(
        "check the token and that the connection may insert and update content"
    ),
    "page-gone": message(
        "check that the page exists and is shared with the connection"
    ),
    "value-unwritable": message("run `rayline check` to see what the workspace lacks"),
}
