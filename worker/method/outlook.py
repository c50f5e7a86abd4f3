"""What lies ahead of clients, services and account managers, as values: rays, white spots, portfolios (docs/method.md 4.2, 5.3, 5.4, 2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from worker.domain.entities import Stage
from worker.domain.periods import Period
from worker.domain.values import Ref


class Basis(StrEnum):
    """What tells how far work is known."""

    P85 = "p85"
    DUE = "due"
    CONTRACT = "contract"


class Horizon(msgspec.Struct, frozen=True, gc=False):
    """How far work is known: the day, by what, and of which card (None for a contract)."""

    day: date
    basis: Basis
    card: Ref | None = None


class RayMeasure(msgspec.Struct, frozen=True, gc=False):
    """The ray of one client: its horizon, and in `gap_weeks` from there the expected start of `next_card`.

    `planned` is how far work was sold: the horizon without the delay of what is late. `breaks` is None when it cannot be
    known. `ideas` are those worth moving forward now, best first, only while the ray
    breaks.
    """

    client: Ref
    horizon: Horizon | None = None
    next_card: Ref | None = None
    gap_weeks: int | None = None
    breaks: bool | None = None
    ideas: tuple[Ref, ...] = ()
    planned: date | None = None


class Graduation(msgspec.Struct, frozen=True, gc=False):
    """Why a newbiz client is ready to be an account, and the unit and money model that are proposed."""

    client: Ref
    evidence: tuple[str, ...]
    unit: Ref | None
    model: str


class Revolution(msgspec.Struct, frozen=True, gc=False):
    """An endless service on its way to a redesign: `since` its start or last revolution, `due` 18 months later.

    `seed` names the idea card by its key, `page` is the card while it lives; `number` counts from 1.
    """

    card: Ref
    client: Ref | None
    number: int
    since: date
    due: date
    seed: Ref
    page: Ref | None = None


class Spot(StrEnum):
    """What stands at a client and a service."""

    DOING = "doing"
    DONE = "done"
    IDEA = "idea"
    BLANK = "blank"
    NOT_APPLICABLE = "not_applicable"


class WhiteSpot(msgspec.Struct, frozen=True, gc=False):
    """A service a client does not buy and `similar` clients like it do; `value` is its usual money a month."""

    service: Ref
    similar: int
    value: Decimal | None


class ServiceMap(msgspec.Struct, frozen=True, gc=False):
    """Clients x services, and each client's white spots, the most promising first: for agendas, not for the board."""

    matrix: Mapping[Ref, Mapping[Ref, Spot]] = msgspec.field(default_factory=dict)
    white_spots: Mapping[Ref, tuple[WhiteSpot, ...]] = msgspec.field(
        default_factory=dict
    )


class Loyalty(msgspec.Struct, frozen=True, gc=False):
    """Projects begun since a day: how many, how many of them by referral or return, and of how many that is unknown."""

    since: date
    new: int
    loyal: int
    unknown: int

    @property
    def share(self) -> Decimal | None:
        """Return the loyal part of those whose source is known, 0..1 to four decimals; None when none is."""
        known = self.new - self.unknown
        return (
            (Decimal(self.loyal) / known).quantize(Decimal("0.0001")) if known else None
        )


class Portfolio(msgspec.Struct, frozen=True, gc=False):
    """The accounts of one AM against the limit; `load` is the AM's own of the next 4 weeks, if known.

    `free` is how many clients more may be hunted: none when the load is at its limit.
    """

    manager: Ref
    accounts: tuple[Ref, ...]
    limit: int
    load: Decimal | None
    free: int


class StageValue(msgspec.Struct, frozen=True, gc=False):
    """The cards of newbiz at one stage: `value` of their budgets, `weighted` by probability; `unvalued` have no budget.

    `days` is the median of the days that cards stayed at it, as far as both ends were seen.
    """

    stage: Stage
    cards: int
    value: Decimal
    weighted: Decimal
    unvalued: int = 0
    days: Decimal | None = None


class Feed(msgspec.Struct, frozen=True, gc=False):
    """What newbiz is to bring in a quarter, and what feeds it."""

    quarter: Period
    target: Decimal
    fact: Decimal
    committed: Decimal
    weighted: Decimal

    @property
    def fed(self) -> Decimal:
        """Return what is recognised, committed and may come by probability."""
        return self.fact + self.committed + self.weighted

    @property
    def short(self) -> Decimal:
        """Return what is missing; zero when the target is fed."""
        return max(Decimal(0), self.target - self.fed)


class Pipeline(msgspec.Struct, frozen=True, gc=False):
    """The pipeline of newbiz: `won` of the cards `decided` since a day, those that are `due` to start this month or
    before it, and those that stand `still`. `feed` is None where the target is not known."""

    stages: tuple[StageValue, ...]
    since: date
    won: int = 0
    decided: int = 0
    due: tuple[Ref, ...] = ()
    still: tuple[Ref, ...] = ()
    feed: Feed | None = None

    @property
    def win_rate(self) -> Decimal | None:
        """Return the part of decided cards that was won, 0..1 to four decimals; None while none was decided."""
        if not self.decided:
            return None
        return (Decimal(self.won) / self.decided).quantize(Decimal("0.0001"))


class DataNote(msgspec.Struct, frozen=True, gc=False):
    """What is amiss in a row: its title and address, and the sentences that stand on it."""

    title: str
    url: str
    lines: tuple[str, ...]
