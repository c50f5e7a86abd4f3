"""Who owns a lease: a process, named so that others can tell whether it still lives.

A process id alone does not name a process: ids are used again, and each container counts its own. The owner's name
therefore carries a mark of the boot and the space of ids it counts in, and when it was started (proc(5): `stat` fields
3 and 22). Where the system does not tell these, only an id that nobody has any more says that its process is gone.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19
"""Places in `/proc/PID/stat` behind the command's closing bracket: the state, and the ticks from boot to its start."""
_ENDED = frozenset("ZXx")
"""States of a process that has ended and only waits to be asked how."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its host, its id there, and what tells it from others with this id (`SPACE.START`, empty: nothing)."""

    host: str
    pid: int
    mark: str = ""

    def is_gone(self) -> bool:
        """Tell whether it certainly lives no more; of another host, or of a container beside this one, nobody here can
        know."""
        space, _, start = self.mark.partition(".")
        if (self.host, space) != (socket.gethostname(), _space()):
            return False
        if not _answers(self.pid):
            return True
        seen = _look(self.pid)
        return seen is not None and (seen.has_ended or seen.start != start)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the system shows of a process: when it was started, in ticks since boot, and whether it has ended."""

    start: str
    has_ended: bool


def name_owner() -> str:
    """Return how this process is called as an owner: `host:pid:mark`."""
    pid = os.getpid()
    seen = _look(pid)
    host = socket.gethostname()
    start = seen.start if seen else ""
    return f"{host}:{pid}:{_space()}.{start}"


def read_owner(owner: str) -> Process | None:
    """Return the process that an owner's name tells of; None when it is not one of `name_owner`."""
    match owner.rsplit(":", 2):
        case [host, pid, mark] if pid.isdecimal():
            return Process(host, int(pid), mark)
    return None


def is_gone(owner: str) -> bool:
    """Tell whether the process that an owner's name tells of certainly lives no more."""
    process = read_owner(owner)
    return process is not None and process.is_gone()


def _space() -> str:
    """Return what the ids of processes here are counted in: this boot and this container; empty where nothing tells."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_bytes()
        container = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return blake2b(b"%b%d" % (boot, container), digest_size=4).hexdigest()


def _look(pid: int) -> _Seen | None:
    """Return what the system shows of a process; None when it shows nothing."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return _Seen(fields[_START], fields[_STATE] in _ENDED)


def _answers(pid: int) -> bool:
    """Tell whether a process of this id may live. Windows has no harmless signal: there it may."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
