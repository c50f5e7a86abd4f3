"""The problems that stand now, since when, and which came or went: alerts speak of a change, not of a state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import msgspec
from sqlalchemy import select

from worker.errors import RenderedProblem
from worker.state.settings import Setting
from worker.state.store import Tx, delete_keys, from_micros, to_micros, upsert
from worker.state.tables import problems

SNOOZES = Setting("problem_snoozes", dict[str, datetime], dict)
"""Until when people let problems sleep, by `name_of`."""


@dataclass(frozen=True, slots=True)
class Flips:
    """The problems that came and those that went, sorted."""

    opened: tuple[RenderedProblem, ...]
    closed: tuple[RenderedProblem, ...]


def replace(tx: Tx, current: Iterable[RenderedProblem], *, now: datetime) -> Flips:
    """Make `current` the problems that stand; return what changed."""
    wanted = {_digest(problem): problem for problem in current}
    standing = {_digest(problem): problem for problem in load(tx)}
    opened = wanted.keys() - standing.keys()
    closed = standing.keys() - wanted.keys()
    upsert(
        tx,
        problems,
        [
            {
                "digest": digest,
                "first_seen": to_micros(now),
                "body": msgspec.json.encode(wanted[digest]),
            }
            for digest in sorted(opened)
        ],
    )
    delete_keys(tx, problems, "digest", sorted(closed))
    return Flips(
        tuple(sorted(wanted[digest] for digest in opened)),
        tuple(sorted(standing[digest] for digest in closed)),
    )


def load(tx: Tx) -> Mapping[RenderedProblem, datetime]:
    """Return the problems that stand, sorted, each with the instant it was first seen."""
    rows = tx.connection.execute(
        select(problems.c.body, problems.c.first_seen).where(
            problems.c.workspace == tx.workspace
        )
    ).all()
    return dict(
        sorted(
            (msgspec.json.decode(body, type=RenderedProblem), from_micros(seen))
            for body, seen in rows
        )
    )


def snooze(tx: Tx, name: str, until: datetime, *, now: datetime) -> bool:
    """Let a problem that stands sleep until an instant (one that is over wakes it); tell whether it stands."""
    standing = {name_of(problem) for problem in load(tx)}
    kept = {
        asleep: end
        for asleep, end in SNOOZES.load(tx).items()
        if asleep in standing and end > now and asleep != name
    }
    if name in standing and until > now:
        kept[name] = until
    SNOOZES.save(tx, kept)
    return name in standing


def name_of(problem: RenderedProblem) -> str:
    """Return the name by which one problem is meant, the same as long as it says the same."""
    return _digest(problem)


def _digest(problem: RenderedProblem) -> str:
    return blake2b(msgspec.json.encode(problem), digest_size=16).hexdigest()
