"""Forecasts held against what happened: chances, dates and amounts (docs/facts/definitions.md 14).

Nothing here depends on the order in which outcomes are given. Sums are exact fractions, so that the parts of a score
add up to it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec

from worker.domain.values import Ref
from worker.method.hindsight.intervals import Share

ENOUGH = 10
"""Outcomes below which nothing is said."""
TENTHS = 10


class Chance(msgspec.Struct, frozen=True, gc=False):
    """A probability (0..1) as it was told, and whether what it spoke of came."""

    told: Decimal
    came: bool


class Brier(msgspec.Struct, frozen=True, gc=False):
    """The score of Brier (0 is best) and Murphy's parts: score = reliability - resolution + uncertainty + `within`.

    `within` is what chances of one group differ among themselves: zero where each group is one chance.
    """

    score: Fraction
    reliability: Fraction
    resolution: Fraction
    uncertainty: Fraction
    within: Fraction


class Bin(msgspec.Struct, frozen=True, gc=False):
    """The chances of one decile: their mean, and how many of them came."""

    told: Fraction
    came: Share


def exactly(chance: Chance) -> Decimal:
    """Return the group of a chance: those with the very same one."""
    return chance.told


def by_decile(chance: Chance) -> Decimal:
    """Return the group of a chance: its tenth, the last one with both ends."""
    tenth = int(chance.told * TENTHS)
    return Decimal(min(tenth, TENTHS - 1))


Grouping = Callable[[Chance], Decimal]


def list_bins(
    chances: Iterable[Chance], group: Grouping = by_decile
) -> tuple[Bin, ...]:
    """Return the groups that hold chances, the lowest first."""
    groups: dict[Decimal, list[Chance]] = defaultdict(list)
    for chance in chances:
        place = group(chance)
        groups[place].append(chance)

    bins = []
    for place in sorted(groups):
        own = _summarise(groups[place])
        bins.append(own)
    return tuple(bins)


def _summarise(chances: Sequence[Chance]) -> Bin:
    """Return the mean of some chances, and how many of them came."""
    total = Fraction(0)
    came = 0
    for chance in chances:
        total += Fraction(chance.told)
        came += chance.came
    tries = len(chances)
    return Bin(total / tries, Share(came, tries))


def score_chances(
    chances: Sequence[Chance], group: Grouping = by_decile
) -> Brier | None:
    """Return the score of some chances with its parts; None of none."""
    count = len(chances)
    if not count:
        return None

    missed = Fraction(0)
    came = 0
    for chance in chances:
        came += chance.came
        error = Fraction(chance.told) - chance.came
        missed += error**2

    base = Fraction(came, count)
    off = Fraction(0)
    apart = Fraction(0)
    for own in list_bins(chances, group):
        tries = own.came.tries
        observed = Fraction(own.came.hits, tries)
        off += tries * (own.told - observed) ** 2
        apart += tries * (observed - base) ** 2

    score = missed / count
    reliability = off / count
    resolution = apart / count
    uncertainty = base * (1 - base)
    explained = reliability - resolution + uncertainty
    return Brier(score, reliability, resolution, uncertainty, score - explained)


class Odds(msgspec.Struct, frozen=True, gc=False):
    """What chances were worth: how many can be judged, and from `ENOUGH` of them on their score by tenths."""

    count: int = 0
    brier: Brier | None = None
    bins: tuple[Bin, ...] = ()


def weigh_odds(chances: Sequence[Chance]) -> Odds:
    """Return what some chances were worth."""
    count = len(chances)
    if count < ENOUGH:
        return Odds(count)
    brier = score_chances(chances)
    bins = list_bins(chances)
    return Odds(count, brier, bins)


class Day(msgspec.Struct, frozen=True, order=True, gc=False):
    """A day `told` on another one, and the day that `came`."""

    came: date
    told: date
    told_on: date

    @property
    def horizon(self) -> int:
        """Return how many days ahead it lay; at least one."""
        ahead = self.told - self.told_on
        return max(ahead.days, 1)

    @property
    def late(self) -> int:
        """Return by how many days it came later than told; below zero where it came earlier."""
        error = self.came - self.told
        return error.days

    @property
    def stretch(self) -> Fraction:
        """Return how late it was as a share of its horizon."""
        return Fraction(self.late, self.horizon)


def kept(days: Iterable[Day]) -> Share:
    """Return how many days came no later than told."""
    tries = 0
    hits = 0
    for day in days:
        tries += 1
        hits += day.late <= 0
    return Share(hits, tries)


def mean(numbers: Sequence[int]) -> Decimal | None:
    """Return the mean; None of nothing."""
    if not numbers:
        return None
    total = Decimal(sum(numbers))
    return total / len(numbers)


class Correction(msgspec.Struct, frozen=True, gc=False):
    """How far days are to be put off, as a share of their horizon, as the first half of the outcomes taught it.

    `before` and `after` are the mean losses on the second half, in days, of the days as told and as put off.
    """

    stretch: Fraction
    before: Fraction
    after: Fraction

    @property
    def is_better(self) -> bool:
        """Tell whether the days put off would have been the better ones."""
        return self.after < self.before

    def apply(self, safe: date, told_on: date) -> date:
        """Return a day put off, never before the day on which it is told."""
        ahead = safe - told_on
        horizon = max(ahead.days, 1)
        days = math.ceil(self.stretch * horizon)
        put_off = safe + timedelta(days)
        return max(put_off, told_on)


def correct_days(days: Iterable[Day], share: Fraction) -> Correction | None:
    """Return what days told with a chance of `share` teach of themselves; None of fewer outcomes than say anything.

    The first half, in the order in which the days came, teaches the stretch: the least that `share` of it stayed within.
    The second half judges it.
    """
    ordered = sorted(days)
    if len(ordered) < ENOUGH:
        return None

    half = len(ordered) // 2
    taught = [day.stretch for day in ordered[:half]]
    stretch = quantile(taught, share)
    correction = Correction(stretch, Fraction(0), Fraction(0))
    before = Fraction(0)
    after = Fraction(0)
    for day in ordered[half:]:
        put_off = correction.apply(day.told, day.told_on)
        error = day.came - put_off
        before += lose(day.late, share)
        after += lose(error.days, share)
    count = len(ordered) - half
    return Correction(stretch, before / count, after / count)


def quantile(numbers: Iterable[Fraction], share: Fraction) -> Fraction:
    """Return the least number that at least `share` (above 0) of the numbers do not exceed."""
    ordered = sorted(numbers)
    place = math.ceil(share * len(ordered))
    return ordered[place - 1]


def lose(error: int, share: Fraction) -> Fraction:
    """Return the pinball loss of a quantile that was missed by `error` (above 0: what came lay beyond it)."""
    if error > 0:
        return share * error
    return (share - 1) * error


class Amount(msgspec.Struct, frozen=True, gc=False):
    """An amount `told`, and the one that `came`."""

    told: Decimal
    came: Decimal


class Bias(msgspec.Struct, frozen=True, gc=False):
    """By how much amounts came above what was told (below zero: less): on the mean, and as a share of all that was told
    (None where that is nothing)."""

    mean: Decimal
    share: Decimal | None


def weigh_amounts(amounts: Sequence[Amount]) -> Bias | None:
    """Return the bias of some amounts; None of none."""
    if not amounts:
        return None
    total = Decimal(0)
    missed = Decimal(0)
    for amount in amounts:
        total += amount.told
        missed += amount.came - amount.told
    mean_missed = missed / len(amounts)
    share = None
    if total:
        share = missed / total
    return Bias(mean_missed, share)


class Group(msgspec.Struct, frozen=True, gc=False):
    """The safe days (P85) of one unit or service that were kept, and by how many days the likely ones (P50) were missed
    on the mean (above zero: too early)."""

    ref: Ref
    kept: Share
    late: Decimal | None


class Punctuality(msgspec.Struct, frozen=True, gc=False):
    """How many days came no later than told, and by how many they came later on the mean (below zero: earlier)."""

    kept: Share = Share(0, 0)
    late: Decimal | None = None


def weigh_days(days: Sequence[Day]) -> Punctuality:
    """Return how punctual some days were."""
    late = []
    for day in days:
        late.append(day.late)
    return Punctuality(kept(days), mean(late))


class Takings(msgspec.Struct, frozen=True, gc=False):
    """What forecasts of revenue were worth: of so many periods the `sure` part that was at least reached, and the bias
    of the whole."""

    sure: Share = Share(0, 0)
    bias: Bias | None = None


def weigh_takings(outcomes: Sequence[tuple[Amount, Amount]]) -> Takings:
    """Return what pairs of a whole forecast and its sure part were worth."""
    hits = 0
    wholes = []
    for whole, sure in outcomes:
        hits += sure.came >= sure.told
        wholes.append(whole)
    share = Share(hits, len(outcomes))
    bias = weigh_amounts(wholes)
    return Takings(share, bias)


class Calibration(msgspec.Struct, frozen=True, gc=False):
    """What forecasts of cards were worth; nothing but the counts while there are fewer than `ENOUGH` outcomes.

    `likely` and `safe` are the days told with 50 and 85 % that were kept, `late` the mean of days by which the likely ones
    were missed, `odds` those to be on time. `starts` are the expected starts of proposals.
    """

    likely: Share
    safe: Share
    late: Decimal | None
    odds: Odds
    starts: Punctuality = Punctuality()
    correction: Correction | None = None
    groups: tuple[Group, ...] = ()

    @property
    def outcomes(self) -> int:
        """Return how many forecasts of days can be judged."""
        return self.safe.tries
