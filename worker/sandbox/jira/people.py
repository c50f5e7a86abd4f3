"""What people and circumstances do to the site: the actions of the control channel."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from worker.sandbox.jira.faults import Faults
from worker.sandbox.jira.load import Loader
from worker.sandbox.jira.model import Json
from worker.sandbox.jira.site import Site


class People:
    """The control channel of one site."""

    def __init__(self, site: Site, faults: Faults, log: deque[Json], requests: Counter[str]) -> None:
        self.site = site
        self.store = site.store
        self.problems: list[str] = []
        self._faults = faults
        self._log = log
        self._requests = requests

    def act(self, action: str, payload: dict[str, Any]) -> Json:
        """Do one action; raises `ValueError` for one that does not exist."""
        actions: dict[str, Callable[[Json], Json]] = {
            "load": self._load, "faults": self._set_faults, "clear_faults": self._clear_faults,
            "set_lag": self._set_lag, "advance": self._advance,
        }
        if action not in actions:
            raise ValueError(f"unknown action: {action}")
        return actions[action](payload)

    def _load(self, payload: Json) -> Json:
        report = Loader(self.site).load(payload)
        self.problems.extend(report["problems"])
        return report

    def _set_faults(self, payload: Json) -> Json:
        return {"rules": self._faults.set(payload.get("rules") or ())}

    def _clear_faults(self, _: Json) -> Json:
        self._faults.clear()
        return {}

    def _set_lag(self, payload: Json) -> Json:
        self.store.lag = int(float(payload["seconds"]) * 1000)
        return {}

    def _advance(self, payload: Json) -> Json:
        return {"now": self.site.clock.advance(timedelta(seconds=float(payload["seconds"]))).isoformat()}
