"""What systemd is told, by datagrams to the socket it names (sd_notify(3)); where there is none nobody is told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells a service manager how the daemon is. `address` is empty where there is none; `watchdog` are the seconds
    after which it takes silence for death, None when it does not watch."""

    address: str = ""
    watchdog: float | None = None

    def ready(self, status: str) -> None:
        """Tell that the start, or a reload, is over."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell that the configuration is being read again."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Tell that the end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Tell that everybody is at work."""
        if self.watchdog is not None:
            self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        """Send one datagram; a manager that does not listen keeps nobody from working."""
        if not self.address:
            return
        # An address in the abstract namespace is written with @ in place of its first byte.
        place = f"\0{self.address[1:]}" if self.address[0] == "@" else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
                link.connect(place)
                link.sendall("\n".join(lines).encode())
        except OSError:
            return


def open_notifier(environment: Mapping[str, str] = os.environ) -> Notifier:
    """Return the notifier that the environment of this process asks for."""
    address = environment.get("NOTIFY_SOCKET", "")
    period = environment.get("WATCHDOG_USEC", "")
    own = str(os.getpid())
    is_watched = environment.get("WATCHDOG_PID", own) == own
    if is_watched and period.isdecimal():
        return Notifier(address, int(period) / _MICROSECONDS)
    return Notifier(address)
