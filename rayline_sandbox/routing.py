"""Finding the endpoint of a request: one router for both emulators, on Starlette's path patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

from starlette.routing import compile_path

Endpoint = TypeVar("Endpoint")


@dataclass(frozen=True, slots=True)
class Match(Generic[Endpoint]):
    """An endpoint and its path parameters, decoded once."""

    endpoint: Endpoint
    params: Mapping[str, str]


class Routes(Generic[Endpoint]):
    """Endpoints by method and path pattern, as `/v1/pages/{page_id}`; a closing slash of a request does not count."""

    def __init__(self, endpoints: Iterable[tuple[str, str, Endpoint]]) -> None:
        # By the number of slashes: a pattern never matches a path with another number of them.
        self._table: dict[int, list[tuple[str, re.Pattern[str], Endpoint]]] = {}
        for method, pattern, endpoint in endpoints:
            compiled = compile_path(pattern)[0]
            row = (method, compiled, endpoint)
            self._table.setdefault(pattern.count("/"), []).append(row)

    def find(self, method: str, path: str) -> Match[Endpoint] | None:
        """Return the endpoint of a request, or None."""
        for known, pattern, endpoint in self._at(path):
            if known != method:
                continue
            match = pattern.match(_bare(path))
            if match is not None:
                return Match(
                    endpoint,
                    {name: unquote(value) for name, value in match.groupdict().items()},
                )
        return None

    def has_path(self, path: str) -> bool:
        """Tell whether any method is known for a path."""
        return any(pattern.match(_bare(path)) for _, pattern, _ in self._at(path))

    def _at(self, path: str) -> Iterable[tuple[str, re.Pattern[str], Endpoint]]:
        return self._table.get(_bare(path).count("/"), ())


def _bare(path: str) -> str:
    return path.rstrip("/") if len(path) > 1 else path
