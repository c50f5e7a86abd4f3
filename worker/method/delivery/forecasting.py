"""When will the rest be done: 10,000 draws of daily throughput, made cheaply (docs/facts/definitions.md 9).

The plain way draws a past day again and again until nothing remains, 10,000 times over. All those runs are independent
draws of one number, the count of days needed, whose distribution follows exactly from the samples: a day takes away
what was finished and adds what came, each drawn from its own sample, and the chances of what is left are followed from
day to day until nothing is. The 10,000 draws are taken from that: the same in distribution, and far faster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGEST = 2_500
"""Runs are cut after so many working days (ten years): later dates would say nothing."""

MOST_ABOVE = 2_000
"""Work that grows is followed up to so many items above what was left at first."""

NOTHING = 1e-12
"""A chance that is followed no further."""

AT_ONCE = 64
"""Days that are followed before it is looked whether anything is left."""

UNENDING = 0.15
"""Where so many runs do not end within ten years, their 85th has no date."""

Floats = NDArray[np.float64]

Counts = tuple[int, ...]
"""On how many days it was 0, 1, 2... items: all that matters of samples."""


class Runs(msgspec.Struct, frozen=True, gc=False):
    """The outcome of all draws: `finished[d]` is how many of `draws` ended within `d` days."""

    finished: NDArray[np.int64]
    draws: int

    def quantile(self, percent: int) -> int:
        """Return the fewest days within which `percent` of the draws ended."""
        rounded_down = -self.draws * percent // 100
        days = np.searchsorted(self.finished, -rounded_down)
        return int(days)

    def within(self, days: int) -> float:
        """Return the share of draws that ended within `days` days."""
        if days <= 0:
            return 0.0
        last = len(self.finished) - 1
        place = min(days, last)
        ended = float(self.finished[place])
        return ended / self.draws


def seed_of(*names: object) -> int:
    """Return a generator seed that depends on nothing but the names."""
    text = "|".join(map(str, names))
    digest = blake2b(text.encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


def simulate(
    samples: Sequence[int],
    remaining: int,
    *,
    arrivals: Sequence[int] = (),
    draws: int,
    seed: int,
) -> Runs | None:
    """Return `draws` runs over daily `samples` (zero days included), or None when nothing was ever finished in them."""
    return simulate_any([samples], remaining, arrivals=arrivals, draws=draws, seed=seed)


def simulate_any(
    paces: Sequence[Sequence[int]],
    remaining: int,
    *,
    arrivals: Sequence[int] = (),
    draws: int,
    seed: int,
) -> Runs | None:
    """Return `draws` runs, each over the daily samples of one of several paces, none of them likelier than another.

    Days on which nothing was finished are among the samples. `arrivals` are the items that came on past days. None when
    nothing was ever finished, or when the work of no pace ends within the days that are looked at: as much comes as is done.
    """
    usable = [tuple(samples) for samples in paces if any(samples)]
    if remaining <= 0 or not usable:
        return None
    usable.sort()
    coming: tuple[int, ...] = ()
    if any(arrivals):
        coming = tuple(arrivals)
    return _simulate(tuple(usable), remaining, coming, draws, seed)


def chance_within(
    days: int,
    paces: Sequence[Sequence[int]],
    remaining: int,
    *,
    arrivals: Sequence[int] = (),
) -> float:
    """Return the chance (0..1) that nothing is left after `days` working days, each pace as likely as another.

    It is told also of work that grows as fast as it is finished: a few items may run out before more of them come.
    """
    usable = tuple(sorted(tuple(samples) for samples in paces if any(samples)))
    if days <= 0 or not usable:
        return 0.0
    return _chance_within(min(days, LONGEST), usable, remaining, tuple(arrivals))


@lru_cache(maxsize=2048)
def _chance_within(
    days: int,
    paces: tuple[tuple[int, ...], ...],
    remaining: int,
    arrivals: tuple[int, ...],
) -> float:
    ended = []
    for samples in paces:
        left = _follow(
            samples, remaining, arrivals or (0,), days=days, above=MOST_ABOVE
        )
        ended.append(1.0 - float(left[-1]))
    return sum(ended) / len(ended)


@lru_cache(maxsize=2048)
def _simulate(
    paces: tuple[tuple[int, ...], ...],
    remaining: int,
    arrivals: tuple[int, ...],
    draws: int,
    seed: int,
) -> Runs | None:
    # A card on which nothing was finished since has the same forecast in every run of the day.
    parts = []
    for samples in paces:
        part = survival(samples, remaining, arrivals)
        parts.append(part)

    left = _average(parts)
    if arrivals and left[-1] > UNENDING:
        return None
    chances = np.clip(-np.diff(left), 0.0, None)
    chances[-1] += max(left[-1], 0.0)
    generator = np.random.Generator(np.random.PCG64(seed))
    ended = generator.multinomial(draws, chances / chances.sum())
    return Runs(np.concatenate(([0], np.cumsum(ended))), draws)


def _average(parts: Sequence[Floats]) -> Floats:
    """Return the mean chance that work is left; what a shorter one has at its end stays."""
    if len(parts) == 1:
        return parts[0]
    days = max(map(len, parts))
    padded = []
    for part in parts:
        missing = days - len(part)
        longer = np.pad(part, (0, missing), mode="edge")
        padded.append(longer)
    mean = np.mean(padded, axis=0)
    return np.asarray(mean)


def survival(
    samples: Sequence[int], remaining: int, arrivals: Sequence[int] = ()
) -> Floats:
    """Return the chance that work is still left after 0, 1, 2... days, as far as it matters.

    One chance of 1, for ever, where no fewer items arrive than are finished.
    """
    done = np.asarray(samples)
    come = np.asarray(arrivals or (0,))
    net = float(done.mean() - come.mean())
    if net <= 0:
        return np.ones(1)

    variance = float(done.var() + come.var())
    above = 0
    if come.any():
        above = _most_above(net, variance)
    days = _reach(net, variance, remaining)
    return _follow(done, remaining, come, days=days, above=above)


def _follow(
    samples: ArrayLike, remaining: int, arrivals: ArrayLike, *, days: int, above: int
) -> Floats:
    """Return the chance that work is left after 0 to `days` days, followed up to so many items `above` what is left."""
    done = _count_days(samples)
    come = _count_days(arrivals)
    return _follow_counts(done, remaining, come, days, above)


def _count_days(samples: ArrayLike) -> Counts:
    counts = np.bincount(np.asarray(samples))
    return tuple(counts.tolist())


@lru_cache(maxsize=2048)
def _follow_counts(
    done: Counts, remaining: int, come: Counts, days: int, above: int
) -> Floats:
    # Cards that borrow from one another go by the same days, in whatever order those were.
    change = _changes(done, come)
    backwards = np.ascontiguousarray(change[::-1])
    most = len(done) - 1
    grows = len(come) > 1
    room = remaining + above
    chances = np.zeros(room)
    chances[remaining - 1] = 1.0
    parts = [np.ones(1)]
    for start in range(0, days, AT_ONCE):
        rows = []
        for _ in range(min(AT_ONCE, days - start)):
            # Place 0 stands for one item: what falls below it is at an end, what rises above the last stays on it.
            moved = np.correlate(chances, backwards, "full")
            chances = moved[most : most + room]
            if grows:
                over = moved[most + room :].tolist()
                chances[-1] += sum(over)
            rows.append(chances)
        left = np.sum(rows, axis=1)
        ended = np.flatnonzero(left < NOTHING)
        if ended.size:
            parts.append(left[: ended[0] + 1])
            break
        parts.append(left)
    return np.concatenate(parts)


def _changes(done: Counts, come: Counts) -> Floats:
    """Return the chances of all changes of one day: first of the most that was ever done, last of the most that came."""
    finished = np.array(done) / sum(done)
    coming = np.array(come) / sum(come)
    backwards = finished[::-1]
    return np.convolve(coming, backwards)


def _most_above(net: float, variance: float) -> int:
    """Return from how many items above what was left at first hardly any run comes back."""
    above = math.ceil(8 * variance / net)
    return min(above + 10, MOST_ABOVE)


def _reach(net: float, variance: float, remaining: int) -> int:
    """Return after how many days hardly any run goes on."""
    spread = 8 * math.sqrt(remaining * variance / net**3)
    most = math.ceil(remaining / net + spread)
    return min(LONGEST, most + 10)
