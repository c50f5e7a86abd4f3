"""Who belongs to whom, when every pair has a score: one of each side at most, and what is nearly as likely is asked."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from worker.domain.messages import Text

SURE = 0.8
WORTH_ASKING = 0.55
MARGIN = 0.08
"""How much likelier than every other a pair must be to be sure of it."""
SHOWN = 4


class Verdict(StrEnum):
    """What a proposal is worth: taken when consented to, asked first, or nothing."""

    SURE = "sure"
    ASK = "ask"
    NONE = "none"


class Pair(msgspec.Struct, frozen=True, gc=False):
    """One of ours and one of theirs, how likely they are the same, and why."""

    ours: str
    theirs: str
    score: float
    reason: Text


class Settled(msgspec.Struct, frozen=True, gc=False):
    """What became of one of ours: the choices, likeliest first; a sure one has one."""

    verdict: Verdict
    choices: tuple[Pair, ...] = ()


NOBODY = Settled(Verdict.NONE)


def settle(pairs: Iterable[Pair], *, sure: float = SURE) -> dict[str, Settled]:
    """Return what became of each of ours that has a likely partner, the likeliest pairs first."""
    likely = [pair for pair in pairs if pair.score >= WORTH_ASKING]
    open_pairs = sorted(likely, key=lambda pair: (-pair.score, pair.ours, pair.theirs))
    settled: dict[str, Settled] = {}
    while open_pairs:
        best = open_pairs[0]
        rivals = [pair for pair in open_pairs[1:] if _is_rival(pair, best, open_pairs)]
        if best.score >= sure and not rivals:
            settled[best.ours] = Settled(Verdict.SURE, (best,))
            taken = best.theirs
        else:
            settled[best.ours] = Settled(Verdict.ASK, _choices(best.ours, open_pairs))
            taken = ""
        open_pairs = [
            pair
            for pair in open_pairs
            if pair.ours != best.ours and pair.theirs != taken
        ]
    return settled


def _is_rival(pair: Pair, best: Pair, pairs: list[Pair]) -> bool:
    """Tell whether a pair could be meant instead: it shares a side, is nearly as likely, and is not better off."""
    shares_ours = pair.ours == best.ours
    shares_theirs = pair.theirs == best.theirs
    if not (shares_ours or shares_theirs) or pair.score < best.score - MARGIN:
        return False
    return not any(
        other.score >= pair.score + MARGIN / 2
        and (
            (shares_ours and other.theirs == pair.theirs)
            or (shares_theirs and other.ours == pair.ours)
        )
        for other in pairs
    )


def _choices(ours: str, pairs: list[Pair]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.ours == ours)[:SHOWN]
