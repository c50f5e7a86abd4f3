"""What the mapping tests share: a sandbox workspace behind the real gateway, and a source with every property type."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.config import NotionSettings
from worker.mapping.schema import (
    Bindings,
    Option,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.notion.gateway import NotionGateway
from worker.notion.workspace import create_workspace

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A sandbox, the gateway to it, and what was made there."""

    sandbox: NotionSandbox
    notion: NotionGateway
    schema: Schema
    bindings: Bindings


def open_sandbox() -> tuple[NotionSandbox, NotionGateway]:
    """Return an empty sandbox without a rate limit and a gateway to it."""
    sandbox = NotionSandbox(Clock(NOW), limit=None, empty=False)
    settings = NotionSettings(token=SecretStr(sandbox.token), requests=1_000_000)
    return sandbox, NotionGateway(settings, transport=HandlerTransport(sandbox.handle))


def make(schema: Schema, *, locale: str = "en") -> Workspace:
    """Return a workspace made from a schema."""
    sandbox, notion = open_sandbox()
    bindings = create_workspace(
        notion, schema, parent_page_id=sandbox.root_page_id, locale=locale
    )
    return Workspace(sandbox, notion, schema, bindings)


def prop(
    name: str,
    kind: str,
    *,
    owner: Owner = Owner.HUMAN,
    options: tuple[Option, ...] = (),
    target: str = "",
    mirror: str = "",
) -> Property:
    """Return a property labelled by its name."""
    return Property(
        name,
        kind,
        owner,
        {"en": name.title(), "ru": f"{name.title()} (рус)"},
        options,
        target,
        mirror,
    )


def source(name: str, *properties: Property, rows: Rows = Rows.PEOPLE) -> Source:
    """Return a source titled by its name."""
    return Source(
        name,
        rows,
        {"en": name.title(), "ru": f"{name.title()} (рус)"},
        "📌",
        {one.name: one for one in properties},
    )


def option(key: str, *, group: str = "") -> Option:
    """Return an option labelled by its key."""
    return Option(key, {"en": key.title(), "ru": f"{key.title()} (рус)"}, "blue", group)


COLORS = ("red", "green", "blue")
EVERY_TYPE = source(
    "things",
    prop("name", "title"),
    prop("text", "rich_text"),
    prop("number", "number"),
    prop("choice", "select", options=tuple(map(option, COLORS))),
    prop("choices", "multi_select", options=tuple(map(option, COLORS))),
    prop(
        "state", "status", options=tuple(option(key, group="to_do") for key in COLORS)
    ),
    prop("day", "date"),
    prop("who", "people"),
    prop("others", "relation", target="things"),
    prop("flag", "checkbox"),
    prop("site", "url"),
    prop("mail", "email"),
    prop("phone", "phone_number"),
)
