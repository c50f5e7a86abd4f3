"""The process dies at every step in turn, before and after every call and every commit; nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from board_rig import SETTLE, WORKSPACE, Board, BoardStore, fact

from tests.support.crashes import Crash, MortalNotion, Steps
from worker.domain.values import Ref, Value
from worker.plan.facts import Fact
from worker.plan.plan import canonical
from worker.ports.notion import Notion
from worker.state.store import Tx

Content = dict[str, dict[str, Value]]
RISK = Ref("risks", "risk:late:c1")
QUARTER, MONTH = Ref("plans", "plan:firm:2026-Q4"), Ref("plans", "plan:firm:2026-11")


class MortalStore(BoardStore):
    """A state that may die before and after each commit."""

    steps = Steps()

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Tx]:
        """Yield a transaction."""
        with super().transaction(workspace) as tx:
            yield tx
            self.steps.take()
        self.steps.take()


def _facts(client: Ref, *, moved: bool) -> list[Fact]:
    return [
        fact(RISK, "name", "Later" if moved else "Late"),
        fact(RISK, "client", (client,)),
        fact(RISK, "probability", Decimal("0.5" if moved else "0.3")),
        fact(RISK, "steps", "call"),
        fact(QUARTER, "name", "Q4"),
        fact(QUARTER, "target", Decimal(200 if moved else 100)),
        fact(MONTH, "name", "November"),
        fact(MONTH, "parent", (QUARTER,)),
        fact(MONTH, "target", Decimal(30)),
        fact(client, "health", "red" if moved else "green"),
        fact(client, "score", Decimal(40)),
    ]


def _converge(board: Board, facts: list[Fact], steps: Steps) -> None:
    """Run cycles until nothing is left to do, as a new process after each crash."""
    for _ in range(8):
        try:
            store = MortalStore(str(board.store.engine.url))
            store.steps, store.clock = steps, board.clock
            board.store = store
            if not _cycle(board, facts, steps):
                return
        except Crash:
            board.clock.advance(SETTLE)
    raise AssertionError("the plan never became empty")


def _cycle(board: Board, facts: list[Fact], steps: Steps) -> bool:
    """Run one cycle; tell whether there was anything to do."""
    mortal = cast(Notion, MortalNotion(board.notion, steps))
    board.settle(mortal)
    plan, known = board.draw(facts)
    board.apply(plan, mortal, known=known)
    return bool(plan.changes or plan.adopted)


def _live(folder: Path, steps: Steps) -> Content:
    """Live through a quarter: create, people edit, the source moves; return what Notion shows in the end."""
    folder.mkdir()
    board = Board(folder)
    client = board.client("Нептун")
    _converge(board, _facts(client, moved=False), steps)
    board.edit(board.row(MONTH).page_id, "target", Decimal(45))
    board.edit(board.row(RISK).page_id, "note", "we talked")
    _converge(board, _facts(client, moved=True), steps)
    with board.store.reading(WORKSPACE) as tx:
        assert tx.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    return board.content()


def _by_name(content: Content) -> dict[str, dict[str, str]]:
    """Return the content with page ids left out, which depend on the order of requests."""
    names = {
        ref: str(fields["name"]) if ref.startswith("clients/") else ref
        for ref, fields in content.items()
    }
    return {
        names[ref]: {
            field: ", ".join(
                names[str(item)] for item in value if isinstance(item, Ref)
            )
            if isinstance(value, tuple)
            else _spoken(value)
            for field, value in fields.items()
        }
        for ref, fields in content.items()
    }


def _spoken(value: Value) -> str:
    return canonical(value) if isinstance(value, Decimal) else str(value)


@pytest.mark.slow
def test_a_crash_at_any_step_ends_in_the_same_rows_with_none_doubled(
    tmp_path: Path,
) -> None:
    counting = Steps()
    golden = _by_name(_live(tmp_path / "golden", counting))
    assert golden[str(MONTH)]["target"] == "45", "the person's target stands"
    assert golden[str(QUARTER)]["target"] == "200"
    assert (
        golden[str(RISK)]
        | {"client": "Нептун", "probability": "0.5", "note": "we talked"}
        == golden[str(RISK)]
    )
    assert counting.taken > 40
    for fatal in range(1, counting.taken + 1):
        assert _by_name(_live(tmp_path / str(fatal), Steps(fatal))) == golden, (
            f"died at step {fatal}"
        )
