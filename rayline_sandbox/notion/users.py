"""The users endpoints and how a user looks, given what the connection may know (docs/facts/notion-api.md 3.21)."""

from __future__ import annotations

from typing import Any

from rayline_sandbox.notion.call import Answer, Call, Route, listing, paginate
from rayline_sandbox.notion.store import Store, User, plain_id

UPLOAD_LIMIT = 5 * 1024**3
FREE_UPLOAD_LIMIT = 5 * 1024**2
"""What a paid and a free workspace tell. Source: docs/facts/notion-api.md 3.19."""


def user_object(store: Store, user: User) -> dict[str, Any]:
    """Return the complete user object; the e-mail only at the `email` level."""
    shown: dict[str, Any] = {
        "object": "user",
        "id": user.id,
        "name": user.name,
        "avatar_url": user.avatar_url,
    }
    if user.is_bot:
        return shown | {"type": "bot", "bot": bot_object(store)}
    known = user.email and store.capabilities.users == "email"
    person = {"email": user.email, "email_verified": True} if known else {}
    return shown | {"type": "person", "person": person}


def bot_object(store: Store) -> dict[str, Any]:
    """Return the bot's own part: owner, workspace and limits."""
    largest = UPLOAD_LIMIT
    if store.is_free:
        largest = FREE_UPLOAD_LIMIT

    return {
        "owner": {"type": "workspace", "workspace": True},
        "workspace_name": store.workspace_name,
        "workspace_id": store.workspace_id,
        "workspace_limits": {"max_file_upload_size_in_bytes": largest},
    }


def user_value(store: Store, user_id: str) -> dict[str, Any]:
    """Return a user as property values show it: a bot's part is empty, a deleted user is a bare reference."""
    user = store.users.get(user_id)
    if user is None or store.capabilities.users == "none":
        return {"object": "user", "id": user_id}
    shown = user_object(store, user)
    if user.is_bot:
        shown["bot"] = {}
    return shown


def list_users(call: Call) -> Answer:
    """GET /v1/users: people before bots, as recorded."""
    users = call.store.users
    ids, cursor = paginate(call, sorted(users, key=lambda one: users[one].is_bot))
    return listing(
        "user", [user_object(call.store, call.store.users[one]) for one in ids], cursor
    )


def retrieve_user(call: Call) -> Answer:
    """GET /v1/users/{user_id}."""
    store = call.store
    asked = call.params["user_id"]
    user = store.users.get(plain_id(asked))
    if user is None:
        raise store.missing("user", asked)
    return user_object(store, user)


def retrieve_me(call: Call) -> Answer:
    """GET /v1/users/me: the bot; open to every connection."""
    store = call.store
    return user_object(store, store.users[store.bot_id])


ROUTES = (
    Route("GET", "/v1/users/me", retrieve_me, "users.me", ""),
    Route("GET", "/v1/users", list_users, "users.list", "users"),
    Route("GET", "/v1/users/{user_id}", retrieve_user, "users.retrieve", "users"),
)
