"""The past of money on a workspace that is lived in: dated prices, closed months, long absences and lost databases."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.stages import Play, small_play

ACME = 0
MONEY = ("ltv", "months_active", "months_silent")


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


def _retainer(play: Play, fee: int) -> None:
    play.edit(
        "clients",
        play.page("clients", ACME),
        engagement="retainer",
        monthly_fee=Decimal(fee),
    )


def _money(play: Play) -> list[tuple[Any, ...]]:
    """Return what the clients' rows say of their money."""
    return [
        (card.values["name"], *(card.values[name] for name in MONEY))
        for card in living(play.stage, "clients")
    ]


def _rows(play: Play, source: str) -> dict[str, dict[str, Any]]:
    return {
        str(card.values["worker_key"]): dict(card.values) for card in play.keyed(source)
    }


def _is_quiet(play: Play) -> None:
    """See that another run of the day writes nothing."""
    mark = play.mark()
    assert play.sync(force=True).plan.changes == ()
    assert play.writes(mark) == []


def test_a_raise_has_its_rows_and_all_months_outlive_a_lost_database(
    play: Play,
) -> None:
    _retainer(play, 600_000)
    play.sync()
    play.later(days=5)
    _retainer(play, 700_000)
    play.sync()
    terms = _rows(play, "terms")
    assert sorted(key.rpartition(":")[2] for key in terms) == ["2026-11-23", "first"]
    assert {values["value"] for values in terms.values()} == {600_000, 700_000}
    _is_quiet(play)

    play.later(days=70)
    play.sync(force=True)
    _is_quiet(play)
    before = _money(play), _rows(play, "ledger"), _rows(play, "plans")
    assert any(key.endswith("2026-12") for key in before[1])
    lost = play.forgetful()
    for _ in range(2):
        lost.sync(force=True)
        after = _money(lost), _rows(lost, "ledger"), _rows(lost, "plans")
        assert after == before
    _is_quiet(lost)
    lost.later(days=1)
    lost.sync(force=True)
    assert _rows(lost, "ledger") == before[1]


def test_a_quarter_may_end_while_the_worker_is_away(play: Play) -> None:
    _retainer(play, 600_000)
    play.sync()
    play.later(days=70)
    report = play.sync()
    assert report.refused == ()
    ledger = _rows(play, "ledger")
    assert {"2026-11", "2026-12"} <= {key.rpartition(":")[2] for key in ledger}
    _is_quiet(play)


@pytest.mark.parametrize("source", ["ledger", "terms"])
def test_without_its_data_source_a_rule_writes_nothing_and_money_is_the_same(
    play: Play, source: str
) -> None:
    _retainer(play, 600_000)
    play.sync()
    play.later(days=30)
    play.sync(force=True)
    before = _money(play)
    play.stage.notion.control("trash", {"id": play.data_source(source)})
    for _ in range(2):
        report = play.sync(force=True)
        assert report.applied.failures == ()
        assert _money(play) == before
