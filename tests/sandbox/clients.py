"""Published clients as tables: what each public method must give against the emulator, and what is known to be missing.

A table names every public method of a client once. What the client gains in a new release is in no table and fails a
test; what the emulator lacks is named with the reason, and counts against the share.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jira_rig import Site, small_site

from rayline_sandbox.server import Listener

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"
Claim = Callable[["Desk"], object]


@dataclass(frozen=True)
class Desk:
    """A client beside the site it talks to."""

    client: Any
    site: Site
    cloud: bool

    def pick(self, cloud: Any, server: Any) -> Any:
        """Return what is true on this deployment."""
        return cloud if self.cloud else server


@dataclass(frozen=True)
class Client:
    """A client and what is said of its methods, per deployment where that differs."""

    name: str
    kind: type
    claims: Mapping[str, Claim]
    missing: Mapping[str, str]
    plumbing: frozenset[str] = frozenset()
    only: Mapping[str, str] = field(default_factory=dict)
    """Methods that one deployment alone has a route for."""

    def methods(self) -> set[str]:
        """Return the public methods that make requests."""
        known = inspect.getmembers(self.kind, callable)
        return {name for name, _ in known if not name.startswith("_")} - self.plumbing

    def tried(self, face: str) -> list[str]:
        """Return the methods with a claim on a deployment."""
        return [name for name in self.claims if self.only.get(name, face) == face]

    def share(self, face: str) -> str:
        """Return how much of the client works on a deployment, as the documentation says it."""
        works = len(self.tried(face))
        lacking = [name for name in self.missing if self.only.get(name, face) == face]
        return f"{works} of {works + len(lacking)}"


def documented(sentence: str) -> bool:
    """Tell whether the documentation of the sandbox says something."""
    return " ".join(sentence.split()) in " ".join(DOCS.read_text("utf-8").split())


def untold(reasons: Iterable[str]) -> list[str]:
    """Return the reasons the documentation does not name."""
    return [reason for reason in set(reasons) if not documented(reason)]


class Stage:
    """One real socket on which one site after another plays, since to stop a listener takes longer than most tests."""

    def __init__(self) -> None:
        self._site = small_site()
        self._listener = Listener(
            lambda request: self._site.jira.handle(request),
            name="jira",
            host="127.0.0.1",
            port=0,
        )
        self.url = self._listener.url

    def __enter__(self) -> Stage:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.ask_to_stop()
        self._listener.join()

    def play(self, face: str) -> Site:
        """Return a new small site that answers from now on."""
        self._site = small_site(face)
        return self._site


def person(desk: Desk, login: str = "ada") -> str:
    """Return how a deployment calls a person: by account, or by login."""
    users = desk.site.act("dump")["users"]
    (account,) = (user["account"] for user in users if user["name"] == login)
    return str(account if desk.cloud else login)
