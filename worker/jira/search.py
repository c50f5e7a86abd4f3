"""The two searches: Cloud's by token, Data Center's by offset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from worker.jira.session import JiraSession

T = TypeVar("T")
LONGEST_IN_URL = 1_500
"""Longest JQL sent by GET; servers refuse addresses of some thousand characters."""


def search_cloud(
    session: JiraSession,
    jql: str,
    read: Callable[[bytes], T],
    *,
    token: str | None,
    size: int,
    fields: Sequence[str],
) -> T:
    """Return one page. `failFast`: without it a field that cannot be loaded looks empty.

    Source: docs/facts/jira-api.md 1.1.
    """
    body: dict[str, Any] = {
        "jql": jql,
        "maxResults": size,
        "fields": list(fields),
        "failFast": True,
    }
    return session.ask(
        "POST",
        "search/jql",
        read,
        body=body | ({"nextPageToken": token} if token else {}),
    )


def search_server(
    session: JiraSession,
    jql: str,
    read: Callable[[bytes], T],
    *,
    start: int = 0,
    size: int,
    fields: Sequence[str],
    expand: str = "",
    strict: bool = True,
) -> T:
    """Return one page; unless `strict`, unknown keys and ids match nothing instead of failing the query."""
    asked: dict[str, Any] = {"jql": jql, "startAt": start, "maxResults": size}
    if len(jql) > LONGEST_IN_URL:
        return session.ask(
            "POST",
            "search",
            read,
            body=asked
            | {"fields": list(fields), "validateQuery": strict}
            | ({"expand": [expand]} if expand else {}),
        )
    return session.ask(
        "GET",
        "search",
        read,
        params=asked
        | {"fields": ",".join(fields), "validateQuery": str(strict).lower()}
        | ({"expand": expand} if expand else {}),
    )
