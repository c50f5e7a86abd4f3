"""Charts as values: what a picture shows, every word in it already in the workspace's language.

Two equal specs are the same picture, so that a picture is drawn and uploaded once (`digest`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal

import msgspec


class PlanPoint(msgspec.Struct, frozen=True):
    """Plan and fact at the end of a day, in money; `fact` is None for days still ahead."""

    day: date
    plan: Decimal | None
    fact: Decimal | None = None


class PlanFact(msgspec.Struct, frozen=True, tag=True):
    """Cumulative plan against fact over a period; `now` is the day of the cut, `money` the unit of the amounts."""

    title: str
    points: tuple[PlanPoint, ...]
    now: date
    plan_label: str
    fact_label: str
    now_label: str
    money: str
    locale: str = "en"


class Ray(msgspec.Struct, frozen=True):
    """One bar of a timeline: `stage` is a stage's key; `p85` the far end of the forecast. A bar has an end or a P85.

    `follows` is when the next work starts, if that is after a gap; `breaks` that work is about to run out.
    """

    label: str
    start: date
    end: date
    stage: str
    p85: date | None = None
    follows: date | None = None
    breaks: bool = False


class Rays(msgspec.Struct, frozen=True, tag=True):
    """Bars on a time axis; the week that begins on `week` is marked. `stages` names the stage keys in order, `break_label`
    and `gap_label` what breaks and gaps are called."""

    title: str
    rays: tuple[Ray, ...]
    week: date
    week_label: str
    p85_label: str
    stages: tuple[tuple[str, str], ...]
    locale: str = "en"
    break_label: str = ""
    gap_label: str = ""


class RiskCell(msgspec.Struct, frozen=True):
    """The risks of one probability and impact (1..5 each)."""

    probability: int
    impact: int
    count: int
    labels: tuple[str, ...] = ()


class RiskMap(msgspec.Struct, frozen=True, tag=True):
    """The 5x5 map of open risks."""

    title: str
    cells: tuple[RiskCell, ...]
    probability_label: str
    impact_label: str
    locale: str = "en"


class LoadCell(msgspec.Struct, frozen=True):
    """Load of one person in one week: a share of capacity (1 is full), None where there is no capacity."""

    person: str
    week: str
    load: Decimal | None


class LoadMap(msgspec.Struct, frozen=True, tag=True):
    """People by weeks; `people` and `weeks` give the order."""

    title: str
    people: tuple[str, ...]
    weeks: tuple[str, ...]
    cells: tuple[LoadCell, ...]
    locale: str = "en"


class OddsPoint(msgspec.Struct, frozen=True):
    """Chances of one tenth: what was told on the mean, the share that came, and the ends of its interval (all 0..1)."""

    told: Decimal
    came: Decimal
    low: Decimal
    high: Decimal
    count: int


class Reliability(msgspec.Struct, frozen=True, tag=True):
    """What was told beside what came, by tenths; `ideal_label` names the line on which both are the same."""

    title: str
    points: tuple[OddsPoint, ...]
    told_label: str
    came_label: str
    ideal_label: str
    locale: str = "en"


Chart = PlanFact | Rays | RiskMap | LoadMap | Reliability


def digest(chart: Chart) -> str:
    """Return the name of a picture: equal for equal specs."""
    return hashlib.sha256(msgspec.json.encode(chart)).hexdigest()[:16]
