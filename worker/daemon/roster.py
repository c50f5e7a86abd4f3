"""The workspaces a daemon serves, and what becomes of them when its configuration is read again.

A workspace that is not touched by a change goes on undisturbed; one that is changed finishes the change in hand and
begins again with the new settings, under the same lease.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import structlog

from worker.app.build import Surroundings, build_context
from worker.config import Workspace
from worker.cycle.abandoning import abandon
from worker.cycle.context import Context
from worker.cycle.report import Report
from worker.daemon.instance import hold_workspaces, lease_name
from worker.daemon.notify import Notifier
from worker.daemon.service import POLL, Desk, open_runner
from worker.errors import AlreadyRunning, ConfigError
from worker.state.store import Store

log = structlog.get_logger("worker.daemon")
OnReport = Callable[[Report], None]


class Roster:
    """Who is served: opened, closed and changed while the daemon runs. Used by one thread."""

    def __init__(self, store: Store, *, owner: str, on_report: OnReport) -> None:
        self._store = store
        self._owner = owner
        self._on_report = on_report
        self._leases: dict[str, ExitStack] = {}
        self._checks: dict[str, Callable[[], None]] = {}
        self._desks: dict[str, Desk] = {}
        self._contexts: dict[str, Context] = {}
        self._mappings: dict[str, str] = {}
        self._next: dict[str, tuple[Context, str] | None] = {}
        """Who begins anew, or leaves, as soon as the thread of before has ended."""

    @property
    def names(self) -> list[str]:
        """The workspaces that are served."""
        return sorted(self._desks)

    @property
    def contexts(self) -> Mapping[str, Context]:
        """The workspaces that are served, each with all its cycles work with."""
        return self._contexts

    def open(self, workspaces: Mapping[str, Workspace]) -> None:
        """Begin to serve workspaces: all, or none when one cannot be; raises `AlreadyRunning` and `ConfigError`."""
        built = {name: self._build(name, one) for name, one in workspaces.items()}
        try:
            for name, one in workspaces.items():
                self._hold(name, one)
        except AlreadyRunning:
            self._let_go(list(workspaces))
            raise
        for name, newcomer in built.items():
            self._seat(name, *newcomer)

    def status(self) -> str:
        """Return in a line who is served."""
        return f"serving {', '.join(self.names)}"

    def turn(self) -> None:
        """Do what is to be done again and again: leases are checked, requests handed over, changes carried out.

        Raises `AlreadyRunning` when another daemon took a workspace over.
        """
        for check in self._checks.values():
            check()
        for desk in self._desks.values():
            desk.hand_over()
        ended = [name for name in self._next if not self._desks[name].is_alive()]
        for name in ended:
            self._replace(name)

    def is_alive(self) -> bool:
        """Tell whether everybody is at work."""
        for name, desk in self._desks.items():
            is_leaving = name in self._next
            if not is_leaving and not desk.is_alive():
                return False
        return True

    def reload(self, settings: Mapping[str, Workspace]) -> None:
        """Take a new configuration over; what cannot be taken over is told, and that workspace goes on as before."""
        for name in sorted({*self._desks, *settings}):
            try:
                self._take_over(name, settings.get(name))
            except (AlreadyRunning, ConfigError) as error:
                log.error("workspace.not_reloaded", workspace=name, error=str(error))

    def close(self) -> None:
        """Ask everybody to finish the change in hand, wait for them, and give the leases back."""
        for desk in self._desks.values():
            desk.close()
        for desk in self._desks.values():
            desk.join()
        self._let_go(list(self._leases))

    def abandon(self) -> None:
        """End what hangs, and give the leases back, without waiting for anybody."""
        for name in list(self._desks):
            run_id = abandon(self._store, name, self._owner)
            if run_id:
                log.warning("cycle.abandoned", workspace=name, run=run_id)
            abandon(self._store, lease_name(name), self._owner)

    def _take_over(self, name: str, workspace: Workspace | None) -> None:
        if workspace is None:
            self._next[name] = None
            self._desks[name].close()
            log.info("workspace.removed", workspace=name)
        elif name not in self._desks:
            self.open({name: workspace})
            log.info("workspace.added", workspace=name)
        else:
            context, mapping = self._build(name, workspace)
            before = self._contexts[name].settings
            changed = list(changes(before, workspace))
            if mapping != self._mappings[name]:
                changed.append("mappings")
            if changed:
                self._next[name] = (context, mapping)
                self._desks[name].close()
                log.info("workspace.changed", workspace=name, changed=changed)

    def _replace(self, name: str) -> None:
        coming = self._next.pop(name)
        if coming:
            self._seat(name, *coming)
        else:
            del self._desks[name], self._contexts[name], self._mappings[name]
            self._let_go([name])

    def _build(self, name: str, workspace: Workspace) -> tuple[Context, str]:
        around = Surroundings(stop=threading.Event())
        context = build_context(name, workspace, self._store, around)
        return context, _digest(workspace.mappings)

    def _seat(self, name: str, context: Context, mapping: str) -> None:
        self._contexts[name], self._mappings[name] = context, mapping
        self._desks[name] = Desk(open_runner(context, self._on_report))
        self._desks[name].open()

    def _hold(self, name: str, workspace: Workspace) -> None:
        patience = {name: timedelta(seconds=workspace.schedule.lease)}
        held = hold_workspaces(self._store, patience, owner=self._owner)
        stack = ExitStack()
        self._checks[name] = stack.enter_context(held)
        self._leases[name] = stack

    def _let_go(self, names: list[str]) -> None:
        for name in names:
            self._checks.pop(name, None)
            if stack := self._leases.pop(name, None):
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
