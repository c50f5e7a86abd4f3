"""A cell the worker shares with people is read by its own rules: what follows from writing it belongs to the same cycle."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.living import living

OPEN = ("ACME-5", "ACME-7", "ACME-10", "ACME-15")
DAYS = ("2026-11-10", "2026-12-20", "2026-11-19", "2027-02-01")


@pytest.mark.parametrize("first", range(len(DAYS)))
def test_a_due_date_that_moves_in_jira_leaves_nothing_to_the_next_cycle(
    tmp_path: Path, first: int
) -> None:
    with living(tmp_path) as alive:
        written = []
        for day in (*DAYS[first:], *DAYS[:first]):
            for issue in OPEN:
                alive.office.jira("edit", issue=issue, fields={"duedate": day})
            report = alive.look()
            written += [
                str(cell.after)
                for change in report.plan.changes
                for cell in change.fields
                if (change.ref.source, cell.field) == ("projects", "due")
            ]
            assert alive.idle_writes() == 0, day
        assert set(written) == set(DAYS)
