"""The workspaces a daemon serves, and what becomes of them when its configuration is read again.

A workspace that is not touched by a change goes on undisturbed; one that is changed finishes the change in hand and
begins again with the new settings, under the same lease.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from worker.app.build import Surroundings, build_context
from worker.config import Workspace
from worker.cycle.abandoning import abandon
from worker.cycle.context import Context
from worker.cycle.report import Report
from worker.daemon.instance import hold_workspaces, lease_name
from worker.daemon.notify import Notifier
from worker.daemon.service import POLL, Desk, open_runner
from worker.errors import AlreadyRunning, ConfigError, StateFault
from worker.state.store import Store

log = structlog.get_logger("worker.daemon")
OnReport = Callable[[Report], None]


@dataclass(slots=True)
class Served:
    """A workspace that is served: what its cycles work with, the state of its mappings, its thread, and what comes after
    it: another of itself, or nothing when it leaves."""

    context: Context
    mapping: str
    desk: Desk
    is_ending: bool = False
    successor: Served | None = None

    def end(self, successor: Served | None = None) -> None:
        """Finish the change in hand and make room."""
        self.is_ending = True
        self.successor = successor
        self.desk.close()


class Roster:
    """Who is served: opened, closed and changed while the daemon runs. Used by one thread."""

    def __init__(self, store: Store, *, owner: str, on_report: OnReport) -> None:
        self._store = store
        self._owner = owner
        self._on_report = on_report
        self._served: dict[str, Served] = {}
        self._leases: dict[str, ExitStack] = {}
        self._checks: dict[str, Callable[[], None]] = {}

    @property
    def names(self) -> list[str]:
        """The workspaces that are served."""
        return sorted(self._served)

    @property
    def contexts(self) -> Mapping[str, Context]:
        """The workspaces that are served, each with all its cycles work with."""
        served = list(self._served.items())  # at once: other threads ask too
        return {name: one.context for name, one in served}

    def open(self, workspaces: Mapping[str, Workspace]) -> None:
        """Begin to serve workspaces: all, or none when one cannot be; raises `AlreadyRunning` and `ConfigError`."""
        newcomers = {}
        for name, workspace in workspaces.items():
            newcomers[name] = self._build(name, workspace)
        self.claim(workspaces)
        for name, newcomer in newcomers.items():
            self._served[name] = newcomer
            newcomer.desk.open()

    def claim(self, workspaces: Mapping[str, Workspace]) -> None:
        """Become the one daemon of workspaces, of all or of none that is new; raises `AlreadyRunning`."""
        new = [name for name in workspaces if name not in self._leases]
        try:
            for name in new:
                self._hold(name, workspaces[name])
        except (AlreadyRunning, SQLAlchemyError):
            self._let_go(new)
            raise

    def status(self) -> str:
        """Return in a line who is served."""
        names = ", ".join(self.names)
        return f"serving {names}"

    def turn(self) -> None:
        """Do what is to be done again and again: leases are checked, requests handed over, changes carried out.

        Raises `AlreadyRunning` when another daemon took a workspace over.
        """
        for check in self._checks.values():
            check()
        for name, served in list(self._served.items()):
            served.desk.hand_over()
            if served.is_ending and not served.desk.is_alive():
                self._replace(name, served.successor)

    def is_alive(self) -> bool:
        """Tell whether everybody is at work."""
        return all(
            served.is_ending or served.desk.is_alive()
            for served in self._served.values()
        )

    def reload(self, settings: Mapping[str, Workspace]) -> None:
        """Take a new configuration over; what cannot be taken over is told, and that workspace goes on as before."""
        names = {*self._served, *settings}
        for name in sorted(names):
            try:
                self._take_over(name, settings.get(name))
            except (AlreadyRunning, ConfigError, StateFault) as error:
                reason = str(error)
                log.error("workspace.not_reloaded", workspace=name, error=reason)
            except (SQLAlchemyError, OSError) as error:
                # A file is away, or what nobody foresaw: its text may hold what only they know, its kind says enough.
                kind = type(error).__name__
                log.error("workspace.not_reloaded", workspace=name, error=kind)

    def close(self) -> None:
        """Ask everybody to finish the change in hand, wait for them, and give the leases back."""
        everybody = list(self._served.values())
        for served in everybody:
            served.end()
        for served in everybody:
            served.desk.join()
        self._let_go(list(self._leases))

    def abandon(self) -> None:
        """End what hangs, and give the leases back, without waiting for anybody."""
        for name in self.names:
            run_id = abandon(self._store, name, self._owner)
            if run_id:
                log.warning("cycle.abandoned", workspace=name, run=run_id)
            abandon(self._store, lease_name(name), self._owner)

    def _take_over(self, name: str, workspace: Workspace | None) -> None:
        served = self._served.get(name)
        if served is None:
            if workspace is not None:
                self.open({name: workspace})
                log.info("workspace.added", workspace=name)
            return
        if workspace is None:
            served.end()
            log.info("workspace.removed", workspace=name)
            return
        newcomer = self._build(name, workspace)
        before = served.context.settings
        changed = list(changes(before, workspace))
        if newcomer.mapping != served.mapping:
            changed.append("mappings")
        if changed or served.is_ending:
            served.end(newcomer)
            log.info("workspace.changed", workspace=name, changed=changed)

    def _replace(self, name: str, successor: Served | None) -> None:
        if successor is not None:
            self._served[name] = successor
            successor.desk.open()
            return
        del self._served[name]
        self._let_go([name])

    def _build(self, name: str, workspace: Workspace) -> Served:
        stop = threading.Event()
        around = Surroundings(stop=stop)
        context = build_context(name, workspace, self._store, around)
        runner = open_runner(context, self._on_report)
        mapping = _digest(workspace.mappings)
        return Served(context, mapping, Desk(runner))

    def _hold(self, name: str, workspace: Workspace) -> None:
        silence = timedelta(seconds=workspace.schedule.lease)
        held = hold_workspaces(self._store, {name: silence}, owner=self._owner)
        stack = ExitStack()
        self._checks[name] = stack.enter_context(held)
        self._leases[name] = stack

    def _let_go(self, names: Iterable[str]) -> None:
        for name in names:
            self._checks.pop(name, None)
            stack = self._leases.pop(name, None)
            if stack is not None:
                stack.close()


def serve_roster(
    roster: Roster,
    stop: threading.Event,
    *,
    watch: Callable[[], None],
    notifier: Notifier,
) -> None:
    """Serve until `stop` is set; then finish the change in hand and return. `watch` is called again and again, and what
    it raises ends the daemon in the same way."""
    log.info("daemon.started", workspaces=roster.names)
    notifier.ready(roster.status())
    try:
        while not stop.is_set():
            watch()
            roster.turn()
            if roster.is_alive():
                notifier.alive()
            stop.wait(POLL)
    finally:
        stop.set()
        notifier.stopping()
        roster.close()
        log.info("daemon.stopped")


def changes(before: Workspace, after: Workspace) -> Iterator[str]:
    """Yield the settings that differ, by name: a value may be a secret."""
    yield from _differences(before.model_dump(), after.model_dump(), "")


def _differences(before: Any, after: Any, name: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted({*before, *after}, key=str)
        for key in keys:
            part = f"{name}.{key}" if name else str(key)
            yield from _differences(before.get(key), after.get(key), part)
    elif before != after:
        yield name


def _digest(folder: Path | None) -> str:
    """Return what tells one state of a folder of mappings from another."""
    state = blake2b(digest_size=8)
    files = sorted(folder.rglob("*.toml")) if folder else []
    for path in files:
        name = str(path).encode()
        text = path.read_bytes()
        state.update(b"%d %b" % (len(name), name))
        state.update(b"%d %b" % (len(text), text))
    return state.hexdigest()
