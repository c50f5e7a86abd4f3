"""Who may read a comment or booked time: members of a project role or of a group; nobody named is everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import ROLES, Audience, Json, User
from rayline_sandbox.jira.store import Store

GROUPS = {
    "jira-software-users": "276f955c-63d7-42c8-9520-92d01dca0625",
    "jira-administrators": "6e87dc72-4f1f-421f-9382-2fee8b652487",
}
_NAMES = {"role": frozenset(ROLES.values()), "group": frozenset(GROUPS)}
OWN_GROUPS = ("jira-software-users",)
"""Groups the calling account is a member of; it has every role."""


def members_of(group: str, store: Store) -> list[User]:
    """Return who is in a group: everybody uses Jira, nobody is known to administer it."""
    return list(store.users.values()) if group in OWN_GROUPS else []


def read_audience(value: Any) -> Audience | None:
    """Return the audience a `visibility` names, None for none; 400 for one that is not there."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise _refuse("Can not deserialize 'visibility': an object was expected.")
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _NAMES:
        raise _refuse("The type of 'visibility' must be group or role.")
    name = _named(value)
    if name is None:
        raise _refuse(
            "The value of 'visibility' must be the name of a group or of a project role."
        )
    if name not in _NAMES[kind]:
        raise _refuse(f"{kind.capitalize()}: {name} does not exist.")
    return Audience(kind, name)


def _named(value: Mapping[str, Any]) -> str | None:
    name = value.get("value")
    if isinstance(name, str):
        return name
    identity = value.get("identifier")
    by_identity = {each: group for group, each in GROUPS.items()}
    if isinstance(identity, str):
        return by_identity.get(identity, identity)
    return None


def _refuse(message: str) -> Refusal:
    return Refusal(400, errors={"commentLevel": message})


def check_membership(audience: Audience | None) -> None:
    """Refuse an audience the calling account is not part of, since it could not read what it wrote."""
    if not is_within(audience):
        name = audience.name if audience else ""
        raise _refuse(f"You are currently not a member of the group: {name}.")


def is_within(audience: Audience | None) -> bool:
    """Tell whether the calling account may read what an audience may."""
    return audience is None or audience.kind == "role" or audience.name in OWN_GROUPS


def show_audience(audience: Audience | None, *, cloud: bool) -> Json:
    """Return the `visibility` part of a record, nothing for everybody; only Cloud tells the identifier."""
    if audience is None:
        return {}
    shown = {"type": audience.kind, "value": audience.name}
    if cloud:
        shown["identifier"] = GROUPS.get(audience.name, audience.name)
    return {"visibility": shown}
