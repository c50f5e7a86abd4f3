"""Notion's error envelope: one exception the handlers raise, rendered to JSON in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class NotionError(Exception):
    """A refusal with Notion's status, code and message (docs/facts/notion-api.md 5.1, 5.2)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        additional: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.additional = additional
        self.headers = dict(headers or {})

    def envelope(self, request_id: str) -> dict[str, Any]:
        """Return the body of the error answer."""
        body: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": self.message,
        }
        if self.additional is not None:
            body["additional_data"] = dict(self.additional)
        return body | {"request_id": request_id}


def invalid(message: str) -> NotionError:
    """Return a 400 `validation_error` with a free message."""
    return NotionError(400, "validation_error", message)


def shown(value: Any) -> str:
    """Return a value as Notion quotes it in validation messages: JSON between back-ticks."""
    return (
        "`undefined`"
        if value is MISSING
        else f"`{json.dumps(value, ensure_ascii=False, default=str)[:200]}`"
    )


MISSING: Any = object()


def should_be(path: str, expected: str, value: Any = MISSING) -> NotionError:
    """Return a 400 in the form `body failed validation: PATH should be EXPECTED, instead was ...`."""
    return invalid(
        f"body failed validation: {path} should be {expected}, instead was {shown(value)}."
    )


def an_object(value: Any, path: str) -> dict[str, Any]:
    """Return a value that must be a JSON object (absent and null count as empty), or raise the 400."""
    if value is None or value is MISSING:
        return {}
    if not isinstance(value, dict):
        raise should_be(path, "an object", value)
    return value


def too_long(path: str, limit: int, length: int) -> NotionError:
    """Return the 400 for a text or array over its limit (docs/facts/notion-api.md 2.9)."""
    return invalid(
        f"body failed validation: {path}.length should be ≤ `{limit}`, instead was `{length}`."
    )


def not_found(
    kind: str, record_id: str, *, integration_id: str, integration: str
) -> NotionError:
    """Return the 404 for something missing or not shared; the two look alike on purpose."""
    return NotionError(
        404,
        "object_not_found",
        f"Could not find {kind} with ID: {record_id}. Make sure the relevant pages and databases are "
        f'shared with your integration "{integration}".',
        additional={"integration_id": integration_id},
    )


def in_trash(kind: str, *, ancestor: bool = False) -> NotionError:
    """Return the 400 for an edit of something in the trash (or below something in the trash)."""
    if ancestor:
        return invalid(
            f"Can't edit {kind} on block with an archived ancestor. You must unarchive the ancestor "
            f"before editing {kind}."
        )
    return invalid(
        f"Can't edit {kind} that is archived. You must unarchive the {kind} before editing."
    )


def restricted() -> NotionError:
    """Return the 403 for a capability the connection lacks."""
    return NotionError(
        403, "restricted_resource", "Insufficient permissions for this endpoint."
    )


def bad_url() -> NotionError:
    """Return the 400 for a route that does not exist."""
    return NotionError(400, "invalid_request_url", "Invalid request URL.")
