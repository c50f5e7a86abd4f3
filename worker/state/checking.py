"""Whether a state is sound: its file, its tables, what each row holds, and what one row says of another.

Everything is read by the very functions that a cycle reads it with, so that what passes here does not break a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import msgspec
from sqlalchemy import Table, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from worker.domain.messages import Text, literal, tell
from worker.errors import Code, Problem, Severity, StateFault
from worker.state import (
    bases,
    bindings,
    history,
    journal,
    leases,
    memory,
    problems,
    runs,
    snapshots,
    triggers,
)
from worker.state.faults import DatabaseFault, Kind, find_kind
from worker.state.processes import is_gone
from worker.state.store import Store, Tx
from worker.state.tables import issues, metadata, pages, plans, settings
from worker.state.tables import triggers as trigger_table

UNREADABLE = (
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
)
"""What reading a row raises that does not hold what it should."""
STUCK = timedelta(days=1)
"""Age at which a creation nobody settled is told: each run settles what is a few minutes old."""
AHEAD = timedelta(days=2)
"""How long a lease may run: one that runs longer was taken by a clock that was wrong."""
_ALL = 1_000_000_000

_READERS: Mapping[str, Callable[[Tx], object]] = {
    "bases": bases.load,
    "bindings": bindings.load,
    "cursors": bindings.load_cursors,
    "history": history.load,
    "intents": journal.load,
    "issues": snapshots.load_issues,
    "memory": memory.load,
    "pages": snapshots.load_pages,
    "plans": lambda tx: [
        msgspec.json.decode(runs.unpack(body)) for body in _bodies(tx, plans)
    ],
    "problems": problems.load,
    "runs": lambda tx: runs.recent(tx, _ALL),
    "settings": lambda tx: [
        msgspec.json.decode(body) for body in _bodies(tx, settings)
    ],
    "triggers": lambda tx: triggers.recent(tx, _ALL),
    "worklogs": snapshots.load_worklogs,
}
"""How what each table holds is read. The other tables hold names and numbers alone."""
_WRONG = tell(
    "put the latest backup back with `rayline restore FILE`; without one, move the file away: rows are found again by "
    "their keys"
)


def check_state(store: Store) -> tuple[Problem, ...]:
    """Return all that is wrong with a state, the worst first; errors want a restore, the rest mends itself."""
    try:
        return tuple(_check(store))
    except StateFault as fault:
        return (_problem(store, fault.fault, fault.way_out),)


def find_damage(store: Store, error: Exception) -> StateFault | None:
    """Return the fault of the state behind an error that nobody foresaw; None when the state is sound."""
    if isinstance(error, DatabaseFault):
        return error
    kind = find_kind(error) or find_kind(error.__cause__)
    if kind is not None:
        return DatabaseFault(kind, store.place)
    if not isinstance(error, (*UNREADABLE, SQLAlchemyError)):
        return None
    found = check_state(store)
    is_damaged = any(one.severity is Severity.ERROR for one in found)
    if is_damaged:
        return DatabaseFault(Kind.DAMAGED, store.place)
    return None


def workspaces(store: Store) -> tuple[str, ...]:
    """Return every workspace of which something is kept, sorted."""
    names: set[str] = set()
    with store.reading("") as tx:
        for table in metadata.tables.values():
            query = select(table.c.workspace).distinct()
            names.update(tx.connection.execute(query).scalars())
    return tuple(sorted(names))


def _check(store: Store) -> Iterator[Problem]:
    faults = _count_faults(store)
    if faults:
        yield _problem(
            store,
            tell("the file is damaged in {number} places or more", number=faults),
            _WRONG,
        )
        return
    lacking = _missing_columns(store)
    if lacking:
        yield _problem(
            store,
            tell("tables or columns are missing: {names}", names=", ".join(lacking)),
            _WRONG,
        )
        return
    problems_found: list[Problem] = []
    for name in workspaces(store):
        unreadable = list(_check_rows(store, name))
        problems_found += unreadable or _check_claims(store, name)
    yield from sorted(
        problems_found, key=lambda problem: problem.severity is not Severity.ERROR
    )


def _count_faults(store: Store) -> int:
    """Return how many faults the database itself finds in its pages, its indexes and its keys."""
    with store.reading("") as tx:
        if tx.connection.dialect.name != "sqlite":
            return 0
        lines = tx.connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars()
        return sum(line != "ok" for line in lines)


def _missing_columns(store: Store) -> list[str]:
    with store.reading("") as tx:
        seen = inspect(tx.connection)
        names = set(seen.get_table_names())
        missing = [name for name in metadata.tables if name not in names]
        for name, table in metadata.tables.items():
            if name in names:
                standing = {column["name"] for column in seen.get_columns(name)}
                lacking = {column.name for column in table.columns} - standing
                missing += [f"{name}.{column}" for column in lacking]
    return sorted(missing)


def _check_rows(store: Store, workspace: str) -> Iterator[Problem]:
    """Yield a problem for each table of which something cannot be read."""
    for table, read in sorted(_READERS.items()):
        with store.reading(workspace) as tx:
            try:
                read(tx)
                wrong = 0
                if table in _SEALS:
                    wrong = _SEALS[table](tx)
            except UNREADABLE:
                wrong = 1
        if wrong:
            fault = tell(
                "what is kept in the table {table} cannot be read, or was changed by another hand",
                table=table,
            )
            yield _problem(store, fault, _WRONG, workspace=workspace)


_SEALS: Mapping[str, Callable[[Tx], int]] = {
    "pages": lambda tx: snapshots.count_changed(tx, pages),
    "issues": lambda tx: snapshots.count_changed(tx, issues),
}
"""Tables that keep a digest beside what they hold: how many rows do not go with theirs."""


def _check_claims(store: Store, workspace: str) -> Iterator[Problem]:
    """Yield what runs left behind: creations nobody settled, leases of the dead, requests of runs that are not there."""
    now = store.now()
    with store.reading(workspace) as tx:
        stuck = journal.unsettled(tx, before=now - STUCK)
        homeless = [
            ref for ref, page in journal.canonical_pages(tx).items() if not page
        ]
        lost = _count_lost(tx)
        lease = leases.current(tx)
    if homeless:
        yield _problem(
            store,
            tell("{number} rows of the journal name no page", number=len(homeless)),
            _WRONG,
            workspace=workspace,
        )
    if stuck:
        yield _problem(
            store,
            tell(
                "{number} creations are not settled since {day}",
                number=len(stuck),
                day=min(one.sent_at for one in stuck).date().isoformat(),
            ),
            tell("run `rayline sync`: it looks what became of them"),
            workspace=workspace,
            severity=Severity.WARNING,
        )
    if lost:
        yield _problem(
            store,
            tell("{number} requests wait for a run that is not there", number=lost),
            tell("the next run takes them up"),
            workspace=workspace,
            severity=Severity.WARNING,
        )
    if lease and lease.until - now > AHEAD and not is_gone(lease.owner):
        yield _problem(
            store,
            tell(
                "the lease runs until {instant}: a clock was wrong when it was taken",
                instant=f"{lease.until:%Y-%m-%d %H:%M}",
            ),
            tell("end the process that holds it and set the clock"),
            workspace=workspace,
            severity=Severity.WARNING,
        )


def _count_lost(tx: Tx) -> int:
    known = {run.id for run in runs.recent(tx, _ALL)}
    query = select(trigger_table.c.run_id).where(
        trigger_table.c.workspace == tx.workspace,
        trigger_table.c.state == triggers.TriggerState.RUNNING,
    )
    return sum(number not in known for number in tx.connection.execute(query).scalars())


def _bodies(tx: Tx, table: Table) -> list[bytes]:
    query = select(table.c.body).where(table.c.workspace == tx.workspace)
    return list(tx.connection.execute(query).scalars())


def count_rows(tx: Tx) -> dict[str, int]:
    """Return how many rows each table of the state holds, of all workspaces."""
    return {
        name: tx.connection.execute(
            select(func.count()).select_from(table)
        ).scalar_one()
        for name, table in sorted(metadata.tables.items())
    }


def _problem(
    store: Store,
    fault: Text,
    way_out: Text,
    *,
    workspace: str = "",
    severity: Severity = Severity.ERROR,
) -> Problem:
    return Problem(
        code=Code.STATE,
        where=literal(store.place),
        field=workspace,
        message=fault,
        hint=way_out,
        severity=severity,
    )
