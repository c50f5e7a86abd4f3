"""The tester's side of the control interface: plan, rights, lag, faults, and looking inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from rayline_sandbox.arguments import check_end, count_of, like, objects_of, seconds_of
from rayline_sandbox.notion.properties import columns
from rayline_sandbox.notion.store import Capabilities, Lag, Page, Store
from rayline_sandbox.notion.values import page_parent, show, source_of

if TYPE_CHECKING:
    from rayline_sandbox.notion.sandbox import NotionSandbox

Payload = dict[str, Any]


def set_plan(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Change the connection's budget: `limit` (None: no limit), `window` in seconds."""
    limit, window = _budget(payload, sandbox.own.limit, sandbox.own.window)
    sandbox.own.limit = limit
    sandbox.own.window = window
    if payload.get("window") is not None:
        sandbox.space.window = window
    return {"limit": sandbox.own.limit, "window": sandbox.own.window}


def _budget(
    payload: Payload, limit: int | None, window: float
) -> tuple[int | None, float]:
    """Return the budget a payload sets, both parts checked, with these where it says nothing."""
    if "limit" in payload:
        limit = count_of(payload, "limit")
    if payload.get("window") is not None:
        window = seconds_of(payload, "window", least=0.001)
    return limit, window


def set_workspace_limit(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Change the budget all connections share: `limit` (None: no limit), `window`."""
    limit, window = _budget(payload, None, sandbox.space.window)
    sandbox.space.limit = limit
    sandbox.space.window = window
    return {"limit": sandbox.space.limit, "window": sandbox.space.window}


def set_capabilities(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Change what the connection may do: `read`, `insert`, `update`, `comments`, `users` (none, basic, email)."""
    _set_fields(sandbox.store.capabilities, payload, Capabilities)
    return {
        one.name: getattr(sandbox.store.capabilities, one.name)
        for one in fields(Capabilities)
    }


def set_free(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Put the workspace on the free plan or off it: `is_free`. Only what it tells of its limits changes."""
    unknown = payload.keys() - {"is_free"}
    if unknown:
        raise ValueError(f"unknown key {min(unknown)!r}; known: is_free")

    given = payload.get("is_free")
    is_free = like(given, False, name="is_free")
    store = sandbox.store
    store.is_free = bool(is_free)
    return {"is_free": store.is_free}


def set_lag(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Change how reads trail the truth: `query`, `search`, `page` seconds; `shifting`, `short_pages` (see `Lag`)."""
    _set_fields(sandbox.store.lag, payload, Lag)
    return {one.name: getattr(sandbox.store.lag, one.name) for one in fields(Lag)}


def _set_fields(target: Any, payload: Payload, kind: type) -> None:
    known = {one.name: one.default for one in fields(kind)}
    checked = {}
    for name, value in payload.items():
        if name not in known:
            raise ValueError(f"unknown key {name!r}; known: {', '.join(sorted(known))}")
        checked[name] = like(value, known[name], name=name)
    for name, value in checked.items():
        setattr(target, name, value)


def revoke_token(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Make the token invalid (or with `revoked: false` valid again)."""
    sandbox.revoked = bool(payload.get("revoked", True))
    return {"revoked": sandbox.revoked}


def set_site(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Change where people open pages: `url`, of which the addresses of pages and databases are made."""
    url = str(payload["url"])
    site = url.rstrip("/")
    sandbox.store.site = site
    return {"url": site}


def add_faults(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Plan faults: `rules`, each `{match: {method, path_regex, nth}, kind, times, retry_after, seconds}`."""
    sandbox.store.keeps_past = True
    return {"rules": sandbox.faults.add(objects_of(payload, "rules"))}


def late_commit(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Have the next write time out and commit after `seconds`; `match` and `times` as in `faults`."""
    rule = (
        {"match": {"method": "POST", "path_regex": r"/v1/pages/?$"}}
        | payload
        | {"kind": "late_commit"}
    )
    return add_faults(sandbox, {"rules": [rule]})


def clear_faults(sandbox: NotionSandbox, _: Payload) -> Payload:
    """Drop all planned faults; postponed commits still come."""
    sandbox.faults.clear()
    return {"rules": 0}


def read_log(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Return the log entries after sequence number `since`."""
    return {
        "entries": [
            entry.shown() for entry in sandbox.entries(int(payload.get("since") or 0))
        ]
    }


def read_counts(sandbox: NotionSandbox, _: Payload) -> Payload:
    """Return the request counts."""
    return sandbox.counts()


def advance(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Move the clock forward by `seconds`; writes that fall due are committed."""
    seconds = seconds_of(payload, "seconds")
    check_end(sandbox.store.clock.now(), seconds)
    now = sandbox.store.clock.advance(timedelta(seconds=seconds))
    sandbox.commit_late()
    return {"now": now.isoformat()}


def dump(sandbox: NotionSandbox, _: Payload) -> Payload:
    """Return the whole state, hidden and trashed things included, values by property name."""
    store = sandbox.store
    stated = {
        "users": store.users,
        "databases": store.databases,
        "data_sources": store.data_sources,
        "blocks": store.blocks,
        "children": store.children,
        "shared": store.shared,
        "shelves": {name: shelf for name, shelf in store.shelves.items() if shelf},
    }
    found: Payload = msgspec.to_builtins(stated)
    return found | {
        "now": store.now().isoformat(),
        "root_page_id": sandbox.root_page_id,
        "bot_id": store.bot_id,
        "pages": {page.id: dumped_page(store, page) for page in store.pages.values()},
    }


def dumped_page(store: Store, page: Page) -> Payload:
    """Return a page with its uncut values by name, exact times and states."""
    return {
        "id": page.id,
        "parent": page_parent(store, page),
        "created": page.created.isoformat(),
        "edited": page.edited.isoformat(),
        "created_by": page.created_by,
        "edited_by": page.edited_by,
        "in_trash": store.trashed(page),
        "is_archived": page.is_archived,
        "is_locked": page.is_locked,
        "icon": page.icon,
        "cover": page.cover,
        "properties": {
            prop.name: {
                "id": prop.id,
                "type": prop.type,
                prop.type: show(store, page, prop),
            }
            for prop in columns(source_of(store, page)).values()
        },
    }


def set_date(sandbox: NotionSandbox, payload: Payload) -> Payload:
    """Set the Date header of the answers: `clock` (machine, workspace, none), `ahead` in seconds."""
    return sandbox.date.set(payload)


ACTIONS: dict[str, Callable[[NotionSandbox, Payload], Payload]] = {
    "set_plan": set_plan,
    "set_workspace_limit": set_workspace_limit,
    "set_capabilities": set_capabilities,
    "set_free": set_free,
    "set_lag": set_lag,
    "set_site": set_site,
    "revoke_token": revoke_token,
    "date": set_date,
    "faults": add_faults,
    "late_commit": late_commit,
    "clear_faults": clear_faults,
    "log": read_log,
    "counts": read_counts,
    "advance": advance,
    "dump": dump,
}
