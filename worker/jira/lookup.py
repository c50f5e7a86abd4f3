"""Issues by the keys people wrote: moved issues answer to their old keys, unknown ones are absent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from worker.domain.messages import literal
from worker.errors import Incomplete, Missing, Problem
from worker.jira.records import Page, PageReader, read_bulk
from worker.jira.search import search_server
from worker.jira.session import JiraSession

AT_ONCE = 100
TRIES = 3


class _Named(msgspec.Struct):
    id: str


_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[1-9][0-9]*|[1-9][0-9]*")


def find_by_keys(
    session: JiraSession, keys: Sequence[str], reader: PageReader, fields: Sequence[str]
) -> tuple[Mapping[str, Any], tuple[Problem, ...]]:
    """Return raw issues by the keys (or ids) asked for, and the problems of unreadable ones.

    Raises `Incomplete` when Jira keeps saying that it cannot return some: those are not absent.
    """
    wanted = list(dict.fromkeys(key for key in keys if _KEY.fullmatch(key)))
    rows: list[Any] = []
    problems: list[Problem] = []
    ask = _bulk if session.cloud else _server
    for issues, bad in session.sizes.pieces(
        "jira.issues",
        wanted,
        AT_ONCE,
        attempt=lambda piece, heavy_attempts: ask(
            session.for_heavy(heavy_attempts), piece, reader, fields
        ),
    ):
        rows += issues
        problems += bad
    named = {name: row for row in rows for name in (row.id, row.key)}
    result = {key: named[key] for key in wanted if key in named}
    for key in _left_over(session, wanted, rows, problems):
        if (row := _issue_by_key(session, key, reader, fields)) is not None:
            result[key] = row
    return result, tuple(problems)


def _left_over(
    session: JiraSession,
    wanted: Sequence[str],
    rows: Sequence[Any],
    problems: Sequence[Problem],
) -> list[str]:
    """Return the keys worth a question each: bulk answers carry a moved issue's new key, not the one asked for.

    On Cloud there are such only when an answer bears a name nobody asked for; Data Center may not find old keys.
    """
    asked = set(wanted)
    moved = any(row.id not in asked and row.key not in asked for row in rows)
    if session.cloud and not moved:
        return []
    answered = {literal(name) for row in rows for name in (row.id, row.key)}
    answered |= {problem.where for problem in problems}
    return [key for key in wanted if literal(key) not in answered]


def _bulk(
    session: JiraSession, keys: Sequence[str], reader: PageReader, fields: Sequence[str]
) -> tuple[list[Any], list[Problem]]:
    rows: list[Any] = []
    problems: list[Problem] = []
    left: Sequence[str] = keys
    for _ in range(TRIES):
        page, left = session.ask(
            "POST",
            "issue/bulkfetch",
            lambda content: read_bulk(content, reader),
            body={"issueIdsOrKeys": list(left), "fields": list(fields)},
        )
        rows += page.rows
        problems += page.problems
        left = [identity for identity in left if identity]
        if not left:
            return rows, problems
    raise Incomplete(
        "issue/bulkfetch", f"{len(left)} issues could not be returned in {TRIES} tries"
    )


def _server(
    session: JiraSession, keys: Sequence[str], reader: PageReader, fields: Sequence[str]
) -> tuple[list[Any], list[Problem]]:
    page = search_server(
        session,
        f"key in ({','.join(keys)})",
        reader.read,
        size=len(keys),
        fields=fields,
        strict=False,
    )
    return list(page.rows), list(page.problems)


def _issue_by_key(
    session: JiraSession, key: str, reader: PageReader, fields: Sequence[str]
) -> Any | None:
    """Return an issue by a key no answer carried: an old key of a moved issue, or nothing."""
    try:
        page = session.ask(
            "GET",
            f"issue/{key}",
            lambda content: _read_one(content, reader),
            params={"fields": ",".join(fields)},
        )
    except Missing:
        return None
    return page.rows[0] if page.rows else None


def _read_one(content: bytes, reader: PageReader) -> Page:
    """Return the one issue of an answer, or its problem; raises `msgspec.DecodeError` when it is no issue at all."""
    msgspec.json.decode(content, type=_Named)
    return reader.read(b'{"issues":[' + content + b"]}")
