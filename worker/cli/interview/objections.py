"""What is wrong with an answer."""

from __future__ import annotations

from worker.domain.messages import ENGLISH, NOTHING, Text, render, tell
from worker.errors import ApiError, Denied, Unreachable


class Objection(Exception):
    """An answer cannot be taken: why, what to do about it, and which questions are asked `again` (none: this one)."""

    def __init__(
        self, reason: Text, hint: Text = NOTHING, *, again: tuple[str, ...] = ()
    ) -> None:
        super().__init__(render(reason, ENGLISH))
        self.reason = reason
        self.hint = hint
        self.again = again


def objection_to(error: ApiError, *, again: tuple[str, ...] = ()) -> Objection:
    """Return what a service's failure says of the answer that was being tried."""
    api = error.api.capitalize()
    # What we say of a failure ourselves is in the catalogue; what a service says stays as it said it.
    detail = tell(error.detail)
    match error:
        case Unreachable():
            return Objection(error.fault, error.way_out, again=again)
        case Denied():
            reason = tell("{api} refuses it: {reason}", api=api, reason=detail)
            hint = tell(
                "allow this account or connection to read there, then answer again"
            )
            return Objection(reason, hint, again=again)
    reason = tell(
        "{api} does not answer as it should: {reason}", api=api, reason=detail
    )
    hint = tell("look whether it works in a browser, then answer again")
    return Objection(reason, hint, again=again)
