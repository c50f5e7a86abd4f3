"""Refusals with the envelope Jira answers: `{"errorMessages": [...], "errors": {...}}`."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """A request that is answered with an error status."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})


def missing_issue() -> Refusal:
    """Return the refusal for an issue that is absent or not permitted: the two look alike."""
    return Refusal(404, "Issue does not exist or you do not have permission to see it.")


def missing(what: str, ref: object) -> Refusal:
    """Return the refusal for an absent or unseen resource."""
    return Refusal(404, f"No {what} could be found with id or key '{ref}'.")
