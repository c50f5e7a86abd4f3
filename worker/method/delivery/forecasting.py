"""When will the rest be done: 10,000 draws of daily throughput, made cheaply (docs/facts/definitions.md 9).

The plain way draws a past day again and again until nothing remains, 10,000 times over. All those runs are independent
draws of one number, the count of days needed, whose distribution follows exactly from the sample: after d days, the
chance that fewer than n items are done is the sum of the first n coefficients of f(z)**d, f being the sample's
generating function with its zero days. So that distribution is computed (baby steps, giant steps) and the 10,000 draws
are taken from it: the same in distribution, and some hundred times faster.

Where new items keep coming, a day takes away what was finished and adds what came, each drawn from its own sample. The
work is then a walk that ends where nothing is left; its distribution is followed day by day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

LONGEST = 2_500
"""Runs are cut after so many working days (ten years): later dates would say nothing."""

SMALL = 300
"""Up to so many remaining items plain products are faster than transforms."""

MOST_MORE = 2_000
"""A walk is followed up to so many items above what was left at first: from there it hardly comes back."""

UNENDING = 0.15
"""Where so many runs do not end within ten years, their 85th has no date."""

Floats = NDArray[np.float64]


class Runs(msgspec.Struct, frozen=True, gc=False):
    """The outcome of all draws: `finished[d]` is how many of `draws` ended within `d` days."""

    finished: NDArray[np.int64]
    draws: int

    def quantile(self, percent: int) -> int:
        """Return the fewest days within which `percent` of the draws ended."""
        return int(np.searchsorted(self.finished, -(-self.draws * percent // 100)))

    def within(self, days: int) -> float:
        """Return the share of draws that ended within `days` days."""
        return (
            float(self.finished[min(days, len(self.finished) - 1)]) / self.draws
            if days > 0
            else 0.0
        )


def seed_of(*names: object) -> int:
    """Return a generator seed that depends on nothing but the names."""
    return int.from_bytes(
        blake2b("|".join(map(str, names)).encode(), digest_size=8).digest(), "big"
    )


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
    usable = sorted(tuple(samples) for samples in paces if any(samples))
    if remaining <= 0 or not usable:
        return None
    coming = tuple(arrivals) if any(arrivals) else ()
    return _simulate(tuple(usable), remaining, coming, draws, seed)


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
        if arrivals:
            parts.append(walk(samples, arrivals, remaining))
        else:
            parts.append(survival(samples, remaining))
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
    days = max(len(part) for part in parts)
    padded = [
        np.pad(part, (0, days - len(part)), mode="edge") if len(part) < days else part
        for part in parts
    ]
    return np.asarray(np.mean(padded, axis=0))


def walk(samples: Sequence[int], arrivals: Sequence[int], remaining: int) -> Floats:
    """Return the chance that work is still left after 0, 1, 2... days on which new items come too.

    One chance of 1 for ever where no fewer come than are finished.
    """
    done = np.asarray(samples)
    come = np.asarray(arrivals)
    net = float(done.mean() - come.mean())
    if net <= 0:
        return np.ones(1)

    variance = float(done.var() + come.var())
    spread = 8 * math.sqrt(remaining * variance / net**3)
    days = min(LONGEST, math.ceil(remaining / net + spread) + 10)
    room = remaining + min(MOST_MORE, math.ceil(8 * variance / net) + 10)
    most = int(done.max())
    finished = np.bincount(done) / len(done)
    coming = np.bincount(come) / len(come)
    change = np.convolve(coming, finished[::-1])
    chances = np.zeros(room)
    chances[remaining - 1] = 1.0
    left = [1.0]
    for _ in range(days):
        # Place 0 stands for one item: what falls below it is at an end, what rises above the last stays on it.
        moved = np.convolve(chances, change)[most:]
        chances = moved[:room].copy()
        chances[-1] += moved[room:].sum()
        left.append(float(chances.sum()))
    return np.asarray(left)


def survival(samples: Sequence[int], remaining: int) -> Floats:
    """Return the chance that work is still left after 0, 1, 2... days, as far as it matters."""
    past = np.asarray(samples)
    sizes = np.bincount(past) / len(samples)
    days = _reach(past.astype(float), remaining)
    steps = math.isqrt(days) + 1
    chances = np.zeros(remaining)
    chances[: len(sizes)] = sizes[:remaining]
    small = _powers(chances, steps, remaining)
    giant = _multiply(small[-1], chances, remaining)
    large = _powers(giant, steps, remaining)
    upto = np.cumsum(small, axis=1)[:, ::-1]
    left = large @ upto.T
    return left.reshape(-1)[: days + 1]


def _reach(samples: Floats, remaining: int) -> int:
    mean = float(samples.mean())
    variance = float(samples.var())
    spread = 8 * math.sqrt(remaining * variance / mean**3)
    most = math.ceil(remaining / mean + spread)
    return min(LONGEST, most + 10)


def _powers(factor: Floats, count: int, size: int) -> Floats:
    rows = np.zeros((count, size))
    rows[0, 0] = 1.0
    if size > SMALL:
        for index in range(1, count):
            rows[index] = _multiply(rows[index - 1], factor, size)
        return rows
    known = 1
    while known < count:
        # All powers known so far, times the highest known one times the factor, are as many new ones.
        fresh = rows[: min(known, count - known)] @ _shifts(factor, size)
        rows[known : known + len(fresh)] = fresh
        factor = _multiply(factor, factor, size)
        known += len(fresh)
    return rows


def _shifts(factor: Floats, size: int) -> Floats:
    """Return the matrix that multiplies a row of coefficients by `factor`, cut at `size`."""
    padded = np.concatenate((np.zeros(size - 1), factor))
    step = padded.strides[0]
    return np.lib.stride_tricks.as_strided(
        padded[size - 1 :], (size, size), (-step, step)
    )


def _multiply(left: Floats, right: Floats, size: int) -> Floats:
    if size <= SMALL:
        return np.convolve(left, right)[:size]
    length = 1 << (2 * size - 1).bit_length()
    spectrum = np.fft.rfft(left, length) * np.fft.rfft(right, length)
    return np.fft.irfft(spectrum, length)[:size]
