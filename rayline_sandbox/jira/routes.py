"""How a route is declared: method, template under its API root, handler, and the deployments that have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.jira.site import Call, Site

CLOUD = frozenset({"cloud"})
SERVER = frozenset({"datacenter"})
BOTH = CLOUD | SERVER
Answer = Any


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint; `root` is `api`, `agile`, `software`, `auth`, `webhooks` or empty for a path from the site's root."""

    method: str
    template: str
    handler: Callable[[Site, Call], Answer]
    on: frozenset[str] = BOTH
    root: str = "api"
    anonymous: bool = False


def table(
    handlers: Mapping[str, Callable[[Site, Call], Answer]],
    *,
    on: frozenset[str] = BOTH,
    root: str = "api",
) -> tuple[Route, ...]:
    """Return routes written as `METHOD template` with their handlers."""
    routes = []
    for name, handler in handlers.items():
        method, _, template = name.partition(" ")
        routes.append(Route(method, template, handler, on, root))
    return tuple(routes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer with another status than 200; no value, no body."""

    status: int
    value: Any = None
