"""The `update` block of creations, edits and transitions: single values added, removed or set, remarks and bookings.

It is read whole before anything is stored, so that what cannot be carried out leaves the issue as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rayline_sandbox.jira.audiences import check_membership, read_audience
from rayline_sandbox.jira.documents import to_wiki
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.instants import LONGEST, parse_stamp
from rayline_sandbox.jira.model import Audience, Issue, Json
from rayline_sandbox.jira.setters import member, refuse, rich, seconds_of
from rayline_sandbox.jira.store import Store

_HELD: dict[str, Callable[[Issue], Sequence[Any]]] = {
    "labels": lambda issue: issue.labels,
    "fixVersions": lambda issue: issue.fix_versions,
    "versions": lambda issue: issue.versions,
    "components": lambda issue: issue.components,
}


@dataclass(frozen=True, slots=True)
class Booking:
    """Time to book: milliseconds and seconds, None where not said."""

    started: int | None
    seconds: int | None
    comment: Any
    audience: Audience | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment to add, and who may read it."""

    body: Any
    audience: Audience | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """A block that was read: fields to set, remarks to add, time to book."""

    fields: Json
    remarks: tuple[Remark, ...] = ()
    bookings: tuple[Booking, ...] = ()


def read_update(store: Store, issue: Issue, update: Any, fields: Json) -> Update:
    """Return what an update block asks for beside `fields`; 400 for what cannot be carried out."""
    if update is None:
        return Update({})
    if not isinstance(update, Mapping):
        raise Refusal(400, "Can not deserialize 'update': an object was expected.")
    if twice := [name for name in update if name in fields]:
        raise Refusal(
            400,
            errors={
                name: f"Field '{name}' cannot be in both 'fields' and 'update'."
                for name in twice
            },
        )
    changes: Json = {}
    remarks: list[Remark] = []
    bookings: list[Booking] = []
    for name, verb, value in _operations(update):
        if name == "comment":
            added = _added(name, verb, value)
            remarks.append(read_remark(added))
        elif name == "worklog":
            booking = read_booking(_added(name, verb, value))
            bookings.append(_worth_booking(booking))
        else:
            held = changes.get(name)
            if name not in changes and name in _HELD:
                held = _HELD[name](issue)
            changes[name] = _operate(
                store, issue, name, verb=verb, value=value, held=held
            )
    return Update(changes, tuple(remarks), tuple(bookings))


def _operations(update: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, operations in update.items():
        listed = operations if isinstance(operations, list) else [operations]
        for operation in listed:
            if not isinstance(operation, Mapping) or len(operation) != 1:
                raise refuse(
                    name, "Can not deserialize the operation: an object was expected."
                )
            ((verb, value),) = operation.items()
            yield name, verb, value


def _added(name: str, verb: str, value: Any) -> Mapping[str, Any]:
    if verb != "add":
        raise refuse(name, f"The operation '{verb}' is not supported.")
    if not isinstance(value, Mapping):
        raise refuse(name, "Can not deserialize the operation: an object was expected.")
    return value


def _operate(
    store: Store, issue: Issue, name: str, *, verb: str, value: Any, held: Any
) -> Any:
    if verb == "set" or (verb, name) == ("edit", "timetracking"):
        return value
    if name not in _HELD or verb not in ("add", "remove"):
        raise refuse(name, f"The operation '{verb}' is not supported.")
    meant = _identity(store, issue, name, value)
    have = [_identity(store, issue, name, each) for each in held or ()]
    if verb == "add":
        return [*have, meant]
    return [each for each in have if each != meant]


def _identity(store: Store, issue: Issue, name: str, value: Any) -> Any:
    if name == "labels":
        return value
    return member(store, issue, name, value)


# Remarks and bookings -------------------------------------------------------


def remark_body(body: Any) -> Any:
    """Return the body of a comment; 400 for none."""
    if not to_wiki(rich(body, "comment")):
        raise refuse("comment", "Comment body can not be empty!")
    return body


def read_remark(asked: Mapping[str, Any]) -> Remark:
    """Return the comment a body adds; 400 for none, or for an audience it cannot have."""
    return Remark(remark_body(asked.get("body")), _audience(asked))


def _audience(asked: Mapping[str, Any]) -> Audience | None:
    audience = read_audience(asked.get("visibility"))
    check_membership(audience)
    return audience


def read_booking(asked: Mapping[str, Any]) -> Booking:
    """Return the time a body books; 400 for values that are none."""
    return Booking(
        _started(asked),
        _spent(asked),
        rich(asked.get("comment"), "comment"),
        _audience(asked),
    )


def _worth_booking(booking: Booking) -> Booking:
    booked_seconds(booking.seconds)
    return booking


def booked_seconds(seconds: int | None) -> int:
    """Return a duration that can be booked; 400 for none."""
    if seconds is None or not 0 < seconds <= LONGEST:
        raise refuse(
            "timeLogged", "You must indicate the time spent working on this issue."
        )
    return seconds


def _spent(asked: Mapping[str, Any]) -> int | None:
    number = asked.get("timeSpentSeconds")
    text = asked.get("timeSpent")
    if number is None:
        return seconds_of(text if text is None else str(text), "timeLogged")
    if isinstance(number, str):
        raise refuse("timeLogged", "Invalid time duration entered.")
    return seconds_of(number, "timeLogged")


def _started(asked: Mapping[str, Any]) -> int | None:
    if not asked.get("started"):
        return None
    try:
        return parse_stamp(str(asked["started"]))
    except ValueError:
        raise Refusal(
            400, "Unrecognized token: the value of started is not a date and time."
        ) from None
