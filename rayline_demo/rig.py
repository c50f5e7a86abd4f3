"""Both emulators and the worker in one process, without sockets: for lived days and stories, where speed counts.

Making a workspace costs some hundred requests, so that an empty one can be kept and copied. All waiting is done on the
virtual clock, and nothing is left to the order of threads: the same script gives the same rows.
"""

from __future__ import annotations

import copy
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.events import Events
from rayline_sandbox.requests_adapter import HandlerAdapter
from rayline_sandbox.wire import Clock, HandlerTransport
from worker.app.build import Progress, Surroundings, build_context, open_store
from worker.config import JiraSettings, NotionSettings, Workspace
from worker.cycle.context import Context
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping
from worker.mapping.schema import Bindings
from worker.notion.gateway import NotionGateway
from worker.notion.workspace import create_workspace
from worker.state import bindings as registry
from worker.state.store import Store

SEED = 7
NOTION_URL, JIRA_URL = "http://notion.invalid", "http://jira.invalid"
CURRENCIES = {"ru": "RUB", "en": "EUR"}
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rig:
    """Sandboxes, the worker's context on them, its state, and the keys of Jira's epics."""

    clock: Clock
    notion: NotionSandbox
    jira: JiraSandbox
    context: Context
    store: Store
    epics: set[str] = field(default_factory=set)

    def bindings(self) -> Bindings:
        """Return how the workspace is bound now."""
        with self.store.reading(self.context.name) as tx:
            return registry.load(tx)

    def subscribe(self, address: str) -> None:
        """Have both sandboxes tell the console at an address of changes: its files of secrets are written anew.

        The workspace's settings name those files (`settings.webhooks`); both sides then know the secrets, so that no
        handshake is needed. Raises `ValueError` for another machine's address.
        """
        hooks = self.context.settings.webhooks
        sides = (
            ("notion", self.notion, hooks.notion_token_file, "token"),
            ("jira", self.jira, hooks.jira_secret_file, "secret"),
        )
        for side, sandbox, file, name in sides:
            if file is None:
                continue
            secret = secrets.token_urlsafe(32)
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(secret)
            url = f"{address}/hooks/{side}/{self.context.name}"
            sandbox.control("subscribe", {"url": url, name: secret})

    def close(self) -> None:
        """Close the state."""
        self.store.close()


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty workspace of one locale, ready to be copied."""

    locale: str
    notion: NotionSandbox
    bindings: Bindings


def make_empty(
    locale: str, folder: Path, *, start: datetime = EPOCH, private: bool = True
) -> Empty:
    """Make a workspace through the public API in a sandbox of its own; without `private` it has none of the boards that
    few people may see."""
    clock = Clock(start)
    notion = NotionSandbox(clock, seed=SEED, limit=None)
    jira = JiraSandbox(clock, seed=SEED)
    private_page_id = ""
    if private:
        private_page_id = notion.add_private_root()
    store = open_store(f"sqlite:///{folder / f'empty-{locale}.db'}")
    try:
        context = _context(
            notion, jira, store, workspace_settings(notion, jira, locale=locale)
        )
        bindings = create_workspace(
            context.notion,
            context.schema,
            parent_page_id=notion.root_page_id,
            private_page_id=private_page_id,
            locale=locale,
        )
    finally:
        store.close()
    return Empty(locale, notion, bindings)


def open_rig(
    empty: Empty,
    folder: Path,
    *,
    start: datetime,
    settings: Mapping[str, Any] | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Rig:
    """Return a rig on a copy of an empty workspace; `settings` overrides the workspace's configuration by table."""
    clock = Clock(start.astimezone(UTC))
    notion = copy_notion(empty.notion, clock)
    jira = JiraSandbox(clock, seed=SEED)
    store = hasty(open_store(f"sqlite:///{folder / 'rayline.db'}"))
    chosen = workspace_settings(notion, jira, locale=empty.locale, settings=settings)
    context = _context(notion, jira, store, chosen, stop=stop, progress=progress)
    with store.transaction(context.name) as tx:
        registry.save(tx, empty.bindings)
    return Rig(clock, notion, jira, context, store)


def hasty(store: Store) -> Store:
    """Return the store without waiting for the disk: what a power cut would lose is a demo's."""

    def hurry(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(store.engine, "connect", hurry)
    store.engine.dispose()
    return store


def copy_notion(old: NotionSandbox, clock: Clock) -> NotionSandbox:
    """Return a Notion of the same content on another clock."""
    new = NotionSandbox(clock, seed=SEED, limit=None)
    new.store = copy.deepcopy(old.store, {id(old.store.clock): clock})
    new.events = Events(new.store)
    new.token = old.token
    new.bot_id = old.bot_id
    new.owner_id = old.owner_id
    new.root_page_id = old.root_page_id
    new.private_root_page_id = old.private_root_page_id
    return new


def _context(
    notion: NotionSandbox,
    jira: JiraSandbox,
    store: Store,
    settings: Workspace,
    *,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Context:
    clock = notion.store.clock

    def monotonic() -> float:
        return clock.now().timestamp()

    def sleep(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    context = build_context(
        "studio", settings, store, Surroundings(clock.now, stop, progress or _silent)
    )
    return replace(
        context,
        begin=lambda: None,
        notion=NotionGateway(
            settings.notion,
            transport=HandlerTransport(notion.handle),
            sleep=sleep,
            monotonic=monotonic,
        ),
        jira=JiraGateway(
            settings.jira,
            mapping=load_jira_mapping(),
            adapter=HandlerAdapter(jira.handle),
            sleep=sleep,
            monotonic=monotonic,
        ),
    )


def _silent(_phase: str, _done: int, _total: int) -> None:
    """Report nothing."""


def workspace_settings(
    notion: NotionSandbox,
    jira: JiraSandbox,
    *,
    locale: str,
    settings: Mapping[str, Any] | None = None,
) -> Workspace:
    """Return the configuration of a workspace that lives in process."""
    given = {"locale": locale, "currency": CURRENCIES[locale], **(settings or {})}
    return Workspace.model_validate(
        {
            **given,
            "notion": NotionSettings(
                base_url=NOTION_URL,
                token=SecretStr(notion.token),
                root_page_id=notion.root_page_id,
                private_root_page_id=notion.private_root_page_id,
                requests=1_000_000,
                width=1,
            ),
            "jira": JiraSettings(
                base_url=JIRA_URL, email=jira.email, token=SecretStr(jira.token)
            ),
        }
    )
