"""The record of cycles and of the plans they made."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, delete, func, select

from worker.domain.values import Ref
from worker.plan.facts import Why
from worker.plan.plan import Plan, from_data, write_json
from worker.state.store import Tx, from_micros, next_number, to_micros, upsert
from worker.state.tables import counters, plans, runs, settings

PROBLEMS, KEPT_UNDER = "problems", "problems_of"
"""The problems of a run stand in its outcome as it is read; in the table there is the digest of their list, which hundreds
of runs have in common."""
_LIST = "run_problems:"
LOST = "the process ended before the run did"


class RunStatus(StrEnum):
    """How a run ended; `running` has not, or its process died and no other run has begun since."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: its phase, and in it how much of how much is done."""

    phase: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One cycle: `outcome` as printed by `sync --json`, `requests` by system; `scope` is empty for all clients."""

    id: int
    trigger: str
    started: datetime
    ended: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    outcome: Mapping[str, Any] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    scope: str = ""
    dry_run: bool = False
    progress: Progress = Progress()

    def was_stopped(self) -> bool:
        """Tell whether it was ended before it was through, by no fault of what it did."""
        return self.status is RunStatus.RUNNING or bool(self.outcome.get("stopped"))

    def is_in_doubt(self) -> bool:
        """Tell whether it ended without knowing what became of something it wrote."""
        return bool(self.outcome.get("in_doubt"))

    def was_cut_off(self) -> bool:
        """Tell whether its process ended before it did, or was asked to."""
        return self.was_stopped() or self.outcome.get("error") == LOST


def start(
    tx: Tx, trigger: str, *, now: datetime, scope: str = "", dry_run: bool = False
) -> int:
    """Record that a run begins; return its number, counted from 1 in each workspace."""
    number = next_number(tx, "run", counters)
    upsert(
        tx,
        runs,
        [
            {
                "id": number,
                "trigger": trigger,
                "started": to_micros(now),
                "ended": None,
                "status": RunStatus.RUNNING,
                "outcome": b"{}",
                "requests": b"{}",
                "scope": scope,
                "dry_run": int(dry_run),
                "phase": "",
                "done": 0,
                "total": 0,
            }
        ],
    )
    return number


def finish(
    tx: Tx,
    run_id: int,
    status: RunStatus,
    *,
    outcome: Mapping[str, Any],
    requests: Mapping[str, int],
    now: datetime,
) -> None:
    """Record how a run ended; a list of problems that a run before had is not kept again."""
    outcome = _with_list_apart(tx, outcome)
    tx.connection.execute(
        runs.update()
        .where(runs.c.workspace == tx.workspace, runs.c.id == run_id)
        .values(
            ended=to_micros(now),
            status=status,
            outcome=msgspec.json.encode(outcome),
            requests=msgspec.json.encode(requests),
        )
    )


def save_progress(tx: Tx, run_id: int, progress: Progress) -> None:
    """Record how far a run has come."""
    tx.connection.execute(
        runs.update()
        .where(runs.c.workspace == tx.workspace, runs.c.id == run_id)
        .values(phase=progress.phase, done=progress.done, total=progress.total)
    )


def progress(tx: Tx, run_id: int) -> Progress | None:
    """Return how far a run has come, by its number."""
    run = get(tx, run_id)
    if run:
        return run.progress
    return None


def get(tx: Tx, run_id: int) -> Run | None:
    """Return one run."""
    rows = tx.connection.execute(
        select(runs).where(runs.c.workspace == tx.workspace, runs.c.id == run_id)
    ).all()
    return next(iter(_read(tx, rows)), None)


def recent(tx: Tx, limit: int = 20) -> tuple[Run, ...]:
    """Return the latest runs, newest first."""
    query = (
        select(runs)
        .where(runs.c.workspace == tx.workspace)
        .order_by(runs.c.id.desc())
        .limit(limit)
    )
    return _read(tx, tx.connection.execute(query).all())


def since(tx: Tx, run_id: int, *, limit: int = 500) -> tuple[Run, ...]:
    """Return the runs after a number, oldest first."""
    is_ours = runs.c.workspace == tx.workspace
    query = select(runs).where(is_ours, runs.c.id > run_id)
    return _read(
        tx, tx.connection.execute(query.order_by(runs.c.id).limit(limit)).all()
    )


def requests_since(tx: Tx, instant: datetime) -> dict[str, int]:
    """Return how many requests the runs begun since an instant made, by service."""
    query = select(runs.c.requests).where(
        runs.c.workspace == tx.workspace, runs.c.started >= to_micros(instant)
    )
    sums: Counter[str] = Counter()
    for body in tx.connection.execute(query).scalars():
        sums.update(msgspec.json.decode(body, type=dict[str, int]))
    return dict(sums)


def last_success(tx: Tx, mode: str) -> Run | None:
    """Return the newest run of a mode that was done, of all clients, for catching up after a pause."""
    query = select(runs).where(
        runs.c.workspace == tx.workspace,
        runs.c.status == RunStatus.DONE,
        runs.c.scope == "",
        runs.c.dry_run == 0,
    )
    rows = tx.connection.execute(query.order_by(runs.c.id.desc()))
    fitting = (row for row in rows if _HEAD.decode(row.outcome).mode == mode)
    newest = next(fitting, None)
    if newest is not None:
        return _read(tx, [newest])[0]
    return None


def known_until(tx: Tx) -> datetime | None:
    """Return when the last run ended that has ended: what was written later, only a run under way may have written."""
    newest = func.max(runs.c.ended)
    query = select(newest).where(runs.c.workspace == tx.workspace)
    latest = tx.connection.execute(query).scalar()
    if latest is None:
        return None
    return from_micros(latest)


def under_way_since(tx: Tx) -> datetime | None:
    """Return when the run began that is under way, None when there is none."""
    query = select(func.max(runs.c.started)).where(
        runs.c.workspace == tx.workspace, runs.c.ended.is_(None)
    )
    latest = tx.connection.execute(query).scalar()
    if latest is None:
        return None
    return from_micros(latest)


def close_lost(
    tx: Tx, *, now: datetime, reason: str = LOST, stopped: bool = False
) -> None:
    """Record that the runs under way ended with their process; to be called by who holds the workspace alone."""
    tx.connection.execute(
        runs.update()
        .where(runs.c.workspace == tx.workspace, runs.c.status == RunStatus.RUNNING)
        .values(
            ended=to_micros(now),
            status=RunStatus.FAILED,
            outcome=msgspec.json.encode(
                {"error": reason, **({"stopped": True} if stopped else {})}
            ),
        )
    )


def save_plan(tx: Tx, plan: Plan, run_id: int | None, *, now: datetime) -> None:
    """Keep a plan under its checksum."""
    checksum, body = _pack(plan)
    upsert(
        tx,
        plans,
        [
            {
                "checksum": checksum,
                "run_id": run_id,
                "made_at": to_micros(now),
                "body": body,
            }
        ],
    )


def _pack(plan: Plan) -> tuple[str, bytes]:
    """Return a plan's checksum, and the plan as it is kept: JSON, compressed, for it is mostly words that come again."""
    packer = zlib.compressobj()
    body = bytearray()
    checksum = write_json(plan, lambda piece: body.extend(packer.compress(piece)))
    body += packer.flush()
    return checksum, bytes(body)


def unpack(body: bytes) -> bytes:
    """Return the JSON of a plan that is kept; earlier releases kept it as it is, which begins with a brace.

    Raises `ValueError` of what is neither.
    """
    if body.startswith(b"{"):
        return body
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise ValueError(f"a plan that cannot be unpacked: {error}") from error


def _read_plan(body: bytes) -> Plan:
    return from_data(msgspec.json.decode(unpack(body)))


def renew_plan(
    tx: Tx, checksum: str, run_id: int, *, before: int, now: datetime
) -> Plan | None:
    """Make the plan of a run `before` that of another; None when it is that run's no more."""
    is_its = (
        plans.c.workspace == tx.workspace,
        plans.c.checksum == checksum,
        plans.c.run_id == before,
    )
    query = select(plans.c.body).where(*is_its)
    body = tx.connection.execute(query).scalar()
    if body is None:
        return None
    tx.connection.execute(
        plans.update().where(*is_its).values(run_id=run_id, made_at=to_micros(now))
    )
    return _read_plan(body)


def load_plan(tx: Tx, checksum: str = "") -> Plan | None:
    """Return the plan with a checksum, the latest made when none is given."""
    query = select(plans.c.body).where(plans.c.workspace == tx.workspace)
    if checksum:
        query = query.where(plans.c.checksum == checksum)
    body = tx.connection.execute(
        query.order_by(plans.c.made_at.desc()).limit(1)
    ).scalar()
    if body is not None:
        return _read_plan(body)
    return None


def find_reasons(
    tx: Tx, wanted: Iterable[tuple[Ref, str]]
) -> dict[tuple[Ref, str], Why]:
    """Return by row and field why the newest plan that changed it did, as far as plans are kept."""
    left = set(wanted)
    query = select(plans.c.body).where(plans.c.workspace == tx.workspace)
    newest_first = query.order_by(plans.c.made_at.desc())
    reasons: dict[tuple[Ref, str], Why] = {}
    for packed in tx.connection.execute(newest_first).scalars():
        body = unpack(packed)
        named = {ref for ref, _ in left if msgspec.json.encode(str(ref)) in body}
        if not named:
            continue
        plan = _read_plan(body)
        for change in plan.changes:
            for changed in change.fields:
                place = (change.ref, changed.field)
                if place in left:
                    left.remove(place)
                    reasons[place] = changed.why
    return reasons


def plan_of(tx: Tx, run: Run) -> Plan | None:
    """Return the plan that a run made, None when it made none; of one that was cut off, all its passes in one."""
    checksum = run.outcome.get("checksum")
    if checksum:
        return load_plan(tx, str(checksum))
    query = select(plans.c.body).where(
        plans.c.workspace == tx.workspace, plans.c.run_id == run.id
    )
    bodies = tx.connection.execute(query.order_by(plans.c.made_at)).scalars()
    whole: Plan | None = None
    for body in bodies:
        whole = _add_pass(whole, _read_plan(body))
    return whole


def _add_pass(before: Plan | None, plan: Plan) -> Plan:
    """Return a later plan of a run with what was planned before it, unless it holds that already."""
    if before is None or plan.changes[: len(before.changes)] == before.changes:
        return plan
    return replace(plan, changes=(*before.changes, *plan.changes))


def prune(tx: Tx, *, before: datetime) -> None:
    """Drop the runs and plans from before an instant."""
    limit = to_micros(before)
    tx.connection.execute(
        delete(runs).where(runs.c.workspace == tx.workspace, runs.c.started < limit)
    )
    tx.connection.execute(
        delete(plans).where(plans.c.workspace == tx.workspace, plans.c.made_at < limit)
    )
    _prune_lists(tx)


def _with_list_apart(tx: Tx, outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = outcome.get(PROBLEMS)
    if not listed:
        return outcome
    body = msgspec.json.encode(listed)
    digest = blake2b(body, digest_size=8).hexdigest()
    key = f"{_LIST}{digest}"
    query = select(settings.c.key).where(
        settings.c.workspace == tx.workspace, settings.c.key == key
    )
    if tx.connection.execute(query).first() is None:
        upsert(tx, settings, [{"key": key, "body": body}])
    own = {name: value for name, value in outcome.items() if name != PROBLEMS}
    return {**own, KEPT_UNDER: digest}


def _prune_lists(tx: Tx) -> None:
    """Drop the lists of problems that no run has any more."""
    outcomes = tx.connection.execute(
        select(runs.c.outcome).where(runs.c.workspace == tx.workspace)
    ).scalars()
    digests = {_HEAD.decode(body).problems_of for body in outcomes}
    kept = {f"{_LIST}{digest}" for digest in digests}
    keys = tx.connection.execute(
        select(settings.c.key).where(
            settings.c.workspace == tx.workspace,
            settings.c.key.startswith(_LIST, autoescape=True),
        )
    ).scalars()
    for key in sorted(set(keys) - kept):
        tx.connection.execute(
            delete(settings).where(
                settings.c.workspace == tx.workspace, settings.c.key == key
            )
        )


class _Head(msgspec.Struct):
    mode: str = ""
    problems_of: str = ""


_HEAD = msgspec.json.Decoder(_Head)


def _read(tx: Tx, rows: Sequence[Row[Any]]) -> tuple[Run, ...]:
    """Return the runs of rows with their problems in their outcomes."""
    outcomes = [msgspec.json.decode(row.outcome) for row in rows]
    digests = {outcome[KEPT_UNDER] for outcome in outcomes if KEPT_UNDER in outcome}
    keys = [f"{_LIST}{digest}" for digest in sorted(digests)]
    query = select(settings.c.key, settings.c.body).where(
        settings.c.workspace == tx.workspace, settings.c.key.in_(keys)
    )
    bodies = tx.connection.execute(query).all() if keys else []
    lists = {key.removeprefix(_LIST): msgspec.json.decode(body) for key, body in bodies}
    for outcome in outcomes:
        digest = outcome.pop(KEPT_UNDER, None)
        if digest is not None:
            outcome[PROBLEMS] = lists.get(digest, [])
    return tuple(
        _run(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)
    )


def _run(row: Row[Any], outcome: Mapping[str, Any]) -> Run:
    return Run(
        row.id,
        row.trigger,
        from_micros(row.started),
        from_micros(row.ended) if row.ended is not None else None,
        RunStatus(row.status),
        outcome,
        msgspec.json.decode(row.requests),
        row.scope,
        bool(row.dry_run),
        Progress(row.phase, row.done, row.total),
    )
