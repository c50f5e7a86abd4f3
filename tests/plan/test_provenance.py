"""Whose value stands in a shared cell."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.support.worlds import row
from worker.domain.values import Ref, Value
from worker.mapping.load import load_schema
from worker.plan.provenance import find_ours

DUE = load_schema().sources["projects"].properties["due"]
DAY, OTHER = date(2027, 2, 1), date(2029, 7, 7)


@pytest.mark.parametrize(
    ("current", "written", "attempted", "is_ours"),
    [
        (DAY, (), (), False),
        (DAY, (DAY,), (), True),
        (DAY, (OTHER,), (), False),
        (DAY, (None,), (), False),
        (DAY, (), (DAY,), True),
        (DAY, (OTHER,), (DAY,), True),
        (DAY, (DAY,), (OTHER,), True),
        (DAY, (OTHER,), (OTHER,), False),
        (None, (DAY,), (), False),
        (None, (None,), (), True),
        (datetime(2027, 2, 1, 9, tzinfo=UTC), (DAY,), (), False),
    ],
)
def test_a_cell_is_ours_while_it_holds_what_we_wrote_last(
    current: Value,
    written: tuple[Value, ...],
    attempted: tuple[Value, ...],
    is_ours: bool,
) -> None:
    one = row("projects", "p1", worker=False, due=current)
    cell = (one.page_id, "due")
    found = find_ours(
        [one],
        DUE,
        dict(zip([cell], written, strict=False)),
        dict(zip([cell], attempted, strict=False)),
    )
    assert list(found) == ([(one.ref, "due")] if is_ours else [])


def test_a_cell_that_could_not_be_read_is_nobodys() -> None:
    one = row("projects", "p1", worker=False)
    assert list(find_ours([one], DUE, {(one.page_id, "due"): DAY}, {})) == []


def test_only_the_cell_asked_for_counts() -> None:
    rows = [row("projects", key, worker=False, due=DAY) for key in ("p1", "p2")]
    cells = {(rows[0].page_id, "start"): DAY, (rows[1].page_id, "due"): DAY}
    assert list(find_ours(rows, DUE, cells, {})) == [(Ref("projects", "p2"), "due")]
