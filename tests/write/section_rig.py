"""The worker's sections on the emulated Notion: planned and written as a cycle would, and people beside them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board
from pydantic import SecretStr

from rayline_sandbox.wire import HandlerTransport
from worker.codecs.blocks import text_of
from worker.config import NotionSettings, Thresholds
from worker.domain.document import CLOSING, OPENING, Block
from worker.domain.values import Ref
from worker.locales import load_words
from worker.notion.gateway import NotionGateway
from worker.plan.diff import Written, known_pages, make_plan
from worker.plan.facts import Fact, PageFact, Why
from worker.plan.plan import Plan
from worker.state import bases, journal
from worker.world.world import World
from worker.write.writer import Applied

SIGNS = (f"paragraph:{OPENING}", f"paragraph:{CLOSING}")
Version = Literal["2025-09-03", "2026-03-11"]
VERSIONS: tuple[Version, ...] = get_args(Version)


def open_board(folder: Path, version: Version) -> Board:
    """Return a board whose gateway speaks one version of the API."""
    found = Board(folder)
    settings = NotionSettings(
        base_url="http://notion.test",
        token=SecretStr(found.sandbox.token),
        requests=10**6,
        version=version,
    )
    found.notion = NotionGateway(
        settings,
        transport=HandlerTransport(found.sandbox.handle),
        sleep=lambda seconds: None,
    )
    return found


def plan_section(
    board: Board,
    ref: Ref,
    blocks: tuple[Block, ...],
    facts: list[Fact],
    *,
    settled: bool = False,
    locale: str = "en",
) -> tuple[Plan, dict[Ref, str]]:
    """Return the plan for one section, and the pages of the keyed rows read."""
    rows = board.rows()
    with board.store.reading(WORKSPACE) as tx:
        ours, (written, attempted) = journal.canonical_pages(tx), bases.load(tx)
    world = World(
        WORKSPACE,
        board.clock.now(),
        board.clock.now().date(),
        Thresholds(),
        load_words(locale, "EUR"),
        sources=frozenset(SCHEMA.sources),
        rows=rows,
    )
    section = PageFact(ref, blocks, Why("pages"), settled)
    return make_plan(
        world,
        facts,
        SCHEMA,
        board.bindings,
        Written(written, attempted, ours),
        sections=(section,),
    ), known_pages(world, SCHEMA, ours)


def write(
    board: Board,
    ref: Ref,
    blocks: tuple[Block, ...],
    facts: list[Fact] | None = None,
    **options: Any,
) -> Applied:
    """Plan and write one section, as a cycle would."""
    plan, known = plan_section(board, ref, blocks, facts or [], **options)
    return board.apply(plan, known=known, settle_after=SETTLE)


def texts(board: Board, page_id: str) -> list[str]:
    """Return what the page says, block by block, without the markers."""
    found = [f"{raw['type']}:{text_of(raw)}" for raw in board.notion.children(page_id)]
    return [text for text in found if not text.startswith(SIGNS)]


def requests(board: Board, since: int) -> list[str]:
    """Return the worker's requests after an entry of the log, as method and the path's last word."""
    return [
        f"{entry.method} {entry.path.rstrip('/').rpartition('/')[2].partition('?')[0][:12]}"
        for entry in board.sandbox.log
        if entry.seq > since and entry.actor == board.sandbox.bot_id
    ]


def mark(board: Board) -> int:
    """Return the last entry of the log."""
    return board.sandbox.log[-1].seq


def note(board: Board, page_id: str, text: str) -> str:
    """Let a person write a paragraph at the end of a page or below a block; return its id."""
    children = [
        {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": text}}]}}
    ]
    return str(
        board.person("append", block_id=page_id, children=children)["block_ids"][0]
    )


def forget(board: Board) -> None:
    """Lose what is remembered of the clients' pages."""
    with board.store.transaction(WORKSPACE) as tx:
        bases.forget(tx, [row.page_id for row in board.rows()["clients"]])


def converge(board: Board, client: Ref, blocks: tuple[Block, ...]) -> None:
    """Run until nothing is left to write, past every wait."""
    for _ in range(6):
        plan, known = plan_section(board, client, blocks, [])
        if not plan.changes:
            return
        board.apply(plan, known=known, settle_after=SETTLE)
        board.clock.advance(SETTLE + timedelta(seconds=1))
    pytest.fail("the section does not settle")


class Crash(BaseException):
    """The process is gone: nothing may catch this."""


class MortalNotion:
    """A port that dies at the chosen step: before a request is sent, or after it was answered."""

    def __init__(self, inner: Any, fatal: int) -> None:
        self._inner, self._left = inner, fatal

    def _step(self) -> None:
        self._left -= 1
        if not self._left:
            raise Crash

    def guarded(self, check: Callable[[], None]) -> MortalNotion:
        """Return the same port."""
        self._inner = self._inner.guarded(check)
        return self

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def mortal(*args: Any, **kwargs: Any) -> Any:
            self._step()
            answer = call(*args, **kwargs)
            self._step()
            return answer

        return mortal
