"""A whole plan carried out: creations parents first, then updates, sections and archives; pages side by side."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import structlog

from worker.domain.messages import ENGLISH, literal, render, tell
from worker.domain.structs import make_ready
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import (
    ApiError,
    Busy,
    Code,
    Denied,
    Missing,
    Postponed,
    Problem,
    RaylineError,
    Rejected,
    RenderedProblem,
    Severity,
    StateFault,
    Stopped,
    Transient,
    Unreachable,
    WrongClock,
    in_words,
)
from worker.mapping.schema import Bindings, Rows
from worker.plan.plan import Change, Kept, Kind, Plan
from worker.ports.notion import PlanWriter, is_gone
from worker.site import Site
from worker.state import bases, journal
from worker.world.world import CLIENT_PAGES, parent_of
from worker.write.changes import perform
from worker.write.context import Pages, PlanBasis, Result, RunControl, WriteContext
from worker.write.creation_order import Arrangement, arrange
from worker.write.uploads import open_engines

log = structlog.get_logger("worker.write")
Progress = Callable[[str, int, int], None]
_NAMES = {
    Kind.CREATE: "create",
    Kind.UPDATE: "update",
    Kind.SECTION: "sections",
    Kind.ARCHIVE: "archive",
}


class Applied(msgspec.Struct, frozen=True, gc=False):
    """What became of a plan: changes done by kind, failures as problems, creations whose outcome is not known yet.

    `warnings` tell what was left out of changes that were done.
    `gone` are the pages that turned out to be deleted since they were read, so that there was nothing to write to, and
    those put away for good.
    `stopped` when the end was asked for, or access was lost, before all changes were tried. `taken_by` names who took
    the workspace over meanwhile: what stands here was done before that. `kept` are values that people typed while the
    run was under way and that stand. `halted_by` is why nothing more could be written in this run.
    """

    done: Mapping[str, int] = msgspec.field(default_factory=dict)
    failures: tuple[RenderedProblem, ...] = ()
    unknown: tuple[Ref, ...] = ()
    gone: frozenset[str] = frozenset()
    stopped: bool = False
    taken_by: str = ""
    kept: tuple[Kept, ...] = ()
    warnings: tuple[RenderedProblem, ...] = ()
    halted_by: ApiError | None = None

    def counts(self) -> dict[str, int]:
        """Return how many changes of each kind were done, keys as in `sync --json`."""
        return {
            name: self.done.get(name, 0)
            for name in ("create", "update", "archive", "sections")
        }


@dataclass(slots=True)
class _ApplyRun:
    """One apply under way. `halted` once no further change may begin, `stopped` once one was left to the next run; its
    lock guards what is counted."""

    target: WriteContext
    stop: threading.Event
    progress: Progress
    total: int
    halted: threading.Event = field(default_factory=threading.Event)
    tried: int = 0
    stopped: bool = False
    done: Counter[str] = field(default_factory=Counter)
    failures: list[Problem] = field(default_factory=list)
    unknown: list[Ref] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    taken_by: str = ""
    halted_by: ApiError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def apply(
    plan: Plan,
    notion: PlanWriter,
    site: Site,
    bindings: Bindings,
    *,
    basis: PlanBasis,
    control: RunControl,
) -> Applied:
    """Carry out a plan and return what became of it; the only writer in the program.

    A lost lease ends the apply, as a stop does: nothing is sent any more; the site's store refuses its transactions
    then. As many changes as the settings say run side by side, no two of them on one page; 1 is deterministic.
    """
    now = site.store.now
    width = site.settings.notion.side_by_side(notion.latency)
    with site.transaction() as tx:
        bases.adopt(tx, plan.adopted)
        journal.adopt(
            tx,
            basis.known,
            now=now(),
            schema=site.schema,
            bindings=bindings,
            made=basis.made(),
        )
        pages = Pages(dict(journal.canonical_pages(tx)), _sources_of_people(site))

    def check() -> None:
        if control.stop.is_set():
            raise Stopped("ended before the request left")
        control.fence()

    order = _arrange(plan.changes)
    phases = tuple(_phases(plan.changes, order))
    warnings: list[Problem] = []
    with open_engines() as engines:
        target = WriteContext(
            workspace=site.name,
            notion=notion.guarded(check),
            store=site.store,
            schema=site.schema,
            bindings=bindings,
            pages=pages,
            now=now,
            claim=control.claim,
            draw=engines.draw,
            warn=warnings.append,
            settle_after=timedelta(seconds=site.settings.notion.settle),
            root=site.settings.notion.root_page_id,
            seen=basis.seen,
            pending=basis.pending,
            bodies=order.bodies,
            is_first=basis.is_first,
        )
        total = sum(len(phase) for phase in phases)
        apply_run = _ApplyRun(target, control.stop, control.progress, total)
        _work(apply_run, phases, width)

    failures = (*apply_run.failures, *target.notes.problems)
    kept = sorted(target.notes.kept, key=lambda kept: (kept.ref, kept.field))
    return Applied(
        dict(apply_run.done),
        _rendered(failures, site.words),
        tuple(sorted(apply_run.unknown)),
        frozenset(apply_run.gone),
        apply_run.stopped,
        apply_run.taken_by,
        tuple(kept),
        _rendered(warnings, site.words),
        apply_run.halted_by,
    )


def _rendered(problems: Iterable[Problem], words: Words) -> tuple[RenderedProblem, ...]:
    found = {in_words(problem, words) for problem in problems}
    return tuple(sorted(found))


def _sources_of_people(site: Site) -> frozenset[str]:
    return frozenset(
        name
        for name, source in site.schema.sources.items()
        if source.rows is Rows.PEOPLE
    )


def _arrange(changes: Sequence[Change]) -> Arrangement:
    creations = [change for change in changes if change.kind is Kind.CREATE]
    sections = [change for change in changes if change.kind is Kind.SECTION]
    return arrange(creations, sections)


def _phases(
    changes: Sequence[Change], order: Arrangement
) -> Iterator[tuple[Change, ...]]:
    """Yield groups of changes that do not depend on each other, in the order in which they must be done."""
    yield from order.levels
    yield order.later
    for kind in (Kind.UPDATE, Kind.SECTION):
        yield tuple(change for change in changes if change.kind is kind)
    archives = [change for change in changes if change.kind is Kind.ARCHIVE]
    yield tuple(change for change in archives if change.ref != CLIENT_PAGES)
    yield tuple(change for change in archives if change.ref == CLIENT_PAGES)


def _work(apply_run: _ApplyRun, phases: Iterable[Sequence[Change]], width: int) -> None:
    if width == 1:
        for change in (change for phase in phases for change in phase):
            _try(apply_run, change)
        return
    make_ready()
    with ThreadPoolExecutor(width, thread_name_prefix="apply") as pool:
        for phase in phases:
            for _ in pool.map(lambda change: _try(apply_run, change), phase):
                pass


def _try(apply_run: _ApplyRun, change: Change) -> None:
    """Do one change; whatever goes wrong with it is that change's problem and nobody else's."""
    if apply_run.halted.is_set() or apply_run.stop.is_set():
        _skip(apply_run)
        return
    try:
        _count(apply_run, change, perform(apply_run.target, change))
    except Busy as taken:
        _skip(apply_run, taken_by=taken.holder)
    except Stopped:
        _skip(apply_run)
    except WrongClock:
        _skip(apply_run)
        apply_run.halted.set()
    except StateFault:
        # Nothing is sent that cannot be noted first; the end of the run meets the same, and tells it.
        apply_run.halted.set()
        _skip(apply_run)
    except Exception as error:  # noqa: BLE001 - the one place where any failure of a change becomes a Problem
        if isinstance(error, Transient) and apply_run.stop.is_set():
            _skip(apply_run)  # its wait was cut short
            return
        is_closed = isinstance(error, _CLOSED) and _is_place(apply_run.target, change)
        if is_closed and not _was_deleted(apply_run, change, error):
            apply_run.target.warn(_closed_place(change, error))
            _count(apply_run, change, Result.SETTLED)
            return
        if isinstance(error, Denied | Postponed | Unreachable):
            _halt(apply_run, error)
        _count(
            apply_run,
            change,
            Result.SETTLED
            if _was_deleted(apply_run, change, error)
            else _failure(
                change,
                error,
                private=apply_run.target.schema.is_private(change.ref.source),
            ),
        )


def _is_place(target: WriteContext, change: Change) -> bool:
    """Tell whether a change is of a page that is no row: nothing but itself hangs on it."""
    return change.ref.source not in target.schema.sources


def _closed_place(change: Change, error: Exception) -> Problem:
    return Problem(
        code=Code.PLACE_CLOSED,
        where=literal(change.title),
        message=tell(
            "“{title}” may not be written to: {error}",
            title=change.title,
            error=str(error),
        ),
        hint=tell(
            "share the page with the connection, with the right to change content; all else was written"
        ),
    )


def _halt(apply_run: _ApplyRun, error: ApiError) -> None:
    """Begin nothing more: whatever is written next would meet the same."""
    with apply_run.lock:
        apply_run.halted.set()
        apply_run.halted_by = error


def _skip(apply_run: _ApplyRun, *, taken_by: str = "") -> None:
    """Leave a change to the next run; nothing more is begun once another owner has the workspace."""
    with apply_run.lock:
        apply_run.stopped = True
        if taken_by and not apply_run.taken_by:
            apply_run.halted.set()
            apply_run.taken_by = taken_by
            log.warning(
                "lease.lost", workspace=apply_run.target.workspace, holder=taken_by
            )


def _was_deleted(apply_run: _ApplyRun, change: Change, error: Exception) -> bool:
    """Tell whether a change failed because somebody deleted its page since it was read: then it is settled.

    A refusal does not say so by itself: one with the same status may be about a value or a related page.
    """
    page_id = _page_in_question(apply_run.target, change)
    if not isinstance(error, Missing | Rejected) or not page_id:
        return False
    try:
        gone = is_gone(apply_run.target.notion, page_id)
    except RaylineError:
        return False
    if gone:
        with apply_run.lock:
            apply_run.gone.add(page_id)
    return gone


def _page_in_question(target: WriteContext, change: Change) -> str:
    """Return the page that a change is about, of one that is made the page above it; empty where neither is known."""
    pages = target.pages.by_ref
    if change.page_id:
        return change.page_id
    for ref in (change.ref, parent_of(change.ref)):
        if ref in pages:
            return pages[ref]
    return ""


def _log(target: WriteContext, change: Change, result: Result | Problem) -> None:
    if isinstance(result, Problem):
        outcome = "failed"
        fault = {
            "problem": result.code.value,
            "message": render(result.message, ENGLISH),
        }
    else:
        outcome = result.value
        fault = {}

    fields = [item.field for item in change.fields]
    made = target.pages.by_ref.get(change.ref, "")
    log.info(
        "change",
        workspace=target.workspace,
        kind=change.kind.value,
        ref=str(change.ref),
        page=change.page_id or made,
        outcome=outcome,
        fields=fields,
        **fault,
    )


def _count(apply_run: _ApplyRun, change: Change, result: Result | Problem) -> None:
    _log(apply_run.target, change, result)
    with apply_run.lock:
        apply_run.tried += 1
        if isinstance(result, Problem):
            apply_run.failures.append(result)
        elif result is Result.DONE:
            apply_run.done[_NAMES[change.kind]] += 1
            if change.kind is Kind.ARCHIVE and not change.surplus:
                apply_run.gone.add(change.page_id)
        elif result is Result.UNKNOWN:
            apply_run.unknown.append(change.ref)
        apply_run.progress("apply", apply_run.tried, apply_run.total)


def _failure(change: Change, error: Exception, *, private: bool) -> Problem:
    """Return a failed change as a problem; of a private row neither the title nor the server's words, which quote."""
    name = ""
    if isinstance(error, Rejected):
        name = error.field
    kinds = (kind.__name__ for kind in type(error).__mro__)
    code = next((_CODES[kind] for kind in kinds if kind in _CODES), Code.APPLY_FAILED)
    is_told = isinstance(error, ApiError | ValueError) and not private
    title = change.title
    if private:
        title = change.ref.key
    reason = type(error).__name__
    if is_told:
        reason = str(error)
    fault = tell(
        "“{title}” could not be written ({kind}): {error}",
        title=title,
        kind=change.kind.value,
        error=reason,
    )

    return Problem(
        code=code,
        where=literal(change.ref),
        field=name,
        message=fault,
        hint=error.way_out
        if isinstance(error, Unreachable)
        else _HINTS.get(code, _TRIED_AGAIN),
        severity=Severity.ERROR,
    )


_CLOSED = (Denied, Missing, Rejected)
_CODES = {
    "Denied": Code.WRITE_DENIED,
    "Missing": Code.PAGE_GONE,
    "Rejected": Code.WRITE_REJECTED,
    "Transient": Code.WRITE_FAILED,
    "Unknown": Code.WRITE_UNKNOWN,
    "Unencodable": Code.VALUE_UNWRITABLE,
    "Unreachable": Code.UNREACHABLE,
    "Postponed": Code.POSTPONED,
}
_TRIED_AGAIN = tell("it will be tried again in the next run")
_HINTS = {
    Code.WRITE_DENIED: tell(
        "check the token and that the connection may insert and update content"
    ),
    Code.PAGE_GONE: tell(
        "check that the page exists and is shared with the connection"
    ),
    Code.VALUE_UNWRITABLE: tell("run `rayline check` to see what the workspace lacks"),
}
