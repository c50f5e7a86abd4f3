"""The one formula the sandbox evaluates: whole days since or until a date of the same row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, Request

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def _value(expression: str, day: str | None) -> dict[str, Any]:
    """Return the formula's value of a row dated `day`, as people and clients see it."""
    sandbox = NotionSandbox(Clock(NOW), limit=None)
    from_api = _call(
        sandbox,
        "POST",
        "/v1/databases",
        {
            "parent": {"type": "page_id", "page_id": sandbox.root_page_id},
            "title": [],
            "initial_data_source": {
                "properties": {
                    "Name": {"title": {}},
                    "Day": {"date": {}},
                    "Days": {"formula": {"expression": expression}},
                }
            },
        },
    )
    source = from_api["data_sources"][0]["id"]
    page = sandbox.control(
        "create",
        {
            "data_source_id": source,
            "properties": {"Day": {"date": {"start": day} if day else None}},
        },
    )
    found: dict[str, Any] = _call(sandbox, "GET", f"/v1/pages/{page['id']}")[
        "properties"
    ]["Days"]["formula"]
    return found


def _call(
    sandbox: NotionSandbox, method: str, path: str, body: Any = None
) -> dict[str, Any]:
    response = sandbox.handle(
        Request(
            method,
            path,
            (),
            {
                "authorization": f"Bearer {sandbox.token}",
                "notion-version": "2026-03-11",
            },
            msgspec.json.encode(body) if body is not None else b"",
        )
    )
    assert response.status == 200, response.body
    found: dict[str, Any] = msgspec.json.decode(response.body)
    return found


@pytest.mark.parametrize(
    ("expression", "day", "expected"),
    [
        ('dateBetween(now(), prop("Day"), "days")', "2026-11-01", 20),
        ('dateBetween(prop("Day"), now(), "days")', "2026-12-01", 10),
        ('dateBetween(prop("Day"), now(), "days")', "2026-11-19", -2),
        ('dateBetween(now(), prop("Day"), "days")', None, None),
    ],
)
def test_days_between_now_and_a_date_are_counted(
    expression: str, day: str | None, expected: int | None
) -> None:
    assert _value(expression, day) == {"type": "number", "number": expected}


def test_any_other_formula_is_an_empty_text() -> None:
    assert _value('prop("Day") + 1', "2026-11-01") == {"type": "string", "string": None}
