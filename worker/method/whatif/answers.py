"""What a scenario would change, as values: each figure before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from worker.domain.entities import Scenario
from worker.domain.messages import Text
from worker.domain.periods import Period
from worker.domain.values import Ref

Value = TypeVar("Value")


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Why a row of a scenario counts nowhere, and the way out; `part` is what of it is wrong."""

    row: Scenario
    said: Text
    hint: Text
    part: str = ""


class Pair(msgspec.Struct, Generic[Value], frozen=True, gc=False):
    """A figure without the scenario and with it; None is unknown, or not there."""

    before: Value
    after: Value

    @property
    def differs(self) -> bool:
        """Tell whether the scenario changes it."""
        return self.before != self.after


Amount = Pair[Decimal | None]


class MoneyLine(msgspec.Struct, frozen=True, gc=False):
    """Target and forecast of a unit (or of the firm) in a month or quarter."""

    unit: Ref
    period: Period
    target: Amount
    forecast: Amount


class Hours(msgspec.Struct, frozen=True, gc=False):
    """Planned hours of a role in a week (None: unknown), and those its people have."""

    load: Decimal | None
    capacity: Decimal


class LoadLine(msgspec.Struct, frozen=True, gc=False):
    """The weeks ahead of a role in a unit, by their Mondays."""

    unit: Ref
    role: str
    weeks: Mapping[date, Pair[Hours]]


class RayLine(msgspec.Struct, frozen=True, gc=False):
    """Until when a client's work is secured."""

    client: Ref
    horizon: Pair[date | None]


class BonusLine(msgspec.Struct, frozen=True, gc=False):
    """The bonus fund of a unit at the forecast of a quarter, as a whole: whose it is stays private."""

    unit: Ref
    period: Period
    fund: Amount


class RiskLine(msgspec.Struct, frozen=True, gc=False):
    """A condition that would begin or end, by its signal and the row it is about; `score` 1..25 where it is known."""

    signal: str
    subject: Ref
    title: str
    evidence: str
    probability: int


class NeedLine(msgspec.Struct, frozen=True, gc=False):
    """Hours a week that somebody is asked for, of a role in a unit; None: nobody is."""

    unit: Ref
    role: str
    hours: Amount


class Answer(msgspec.Struct, frozen=True, gc=False):
    """All that a scenario would change; the lines hold what differs alone.

    `assumed` are the rows that count, `faults` those that do not. `failed` names rules that broke on the changed world:
    then nothing else is told.
    """

    assumed: tuple[Scenario, ...] = ()
    faults: tuple[Fault, ...] = ()
    money: tuple[MoneyLine, ...] = ()
    load: tuple[LoadLine, ...] = ()
    rays: tuple[RayLine, ...] = ()
    bonuses: tuple[BonusLine, ...] = ()
    opening: tuple[RiskLine, ...] = ()
    closing: tuple[RiskLine, ...] = ()
    needs: tuple[NeedLine, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would change."""
        lines = (self.money, self.load, self.rays, self.bonuses)
        rest = (self.opening, self.closing, self.needs)
        return not any((*lines, *rest))
