"""What the safe dates (P85) that the worker told during lived days were worth, out of its reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from worker.cycle.report import Report
from worker.domain.values import Ref
from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import Day, kept
from worker.method.hindsight.told import Log

SAFE = Decimal("0.85")
TOLD = "forecasts"


@dataclass(slots=True)
class ForecastScore:
    """What stands on the cards about their forecasts, as last written."""

    texts: dict[Ref, str] = field(default_factory=dict)

    def note(self, report: Report) -> None:
        """Take over what a cycle wrote."""
        for change in report.plan.changes:
            for one in change.fields:
                if one.field == TOLD and isinstance(one.after, str):
                    self.texts[change.ref] = one.after

    def days(self) -> list[Day]:
        """Return the safe dates of work that ended, each with the day on which it did."""
        days = []
        for text in self.texts.values():
            log = msgspec.json.decode(text, type=Log)
            if log.ended is None:
                continue
            for told in log.told:
                if told.day <= log.ended:
                    day = Day(log.ended, told.p85, told.day)
                    days.append(day)
        return days

    def data(self) -> dict[str, Any]:
        """Return how many were kept, with the ends of the interval, and whether 85 % lies in it."""
        return describe_share(kept(self.days()))


def describe_share(share: Share) -> dict[str, Any]:
    """Return a share of safe dates that were kept as what is printed."""
    return {
        "kept": share.hits,
        "ended": share.tries,
        "share": round(float(share.value), 3),
        "low": round(float(share.low), 3),
        "high": round(float(share.high), 3),
        "as_told": share.holds(SAFE),
    }
