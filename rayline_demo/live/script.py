"""The script of a living demo: one act a minute, the same ones for the same seed as long as the worker does the same.

Every kind of act takes back its oldest one when as many stand as it may leave behind, so that a demo of days neither
grows without end nor runs dry. Mistakes are mended by who made them, some minutes later.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from rayline_demo.live import accounts, delivery, mistakes
from rayline_demo.live.office import Deed, Done, Office, Undo
from worker.domain.messages import Text

STANDING = 12
"""So many acts of a kind stand; then the oldest is taken back."""
MENDED_AFTER = (4, 9)
"""Minutes until a mistake is noticed, at least and at most."""
SLIP_EVERY = 13
"""Minutes from one mistake to the next."""
FIRST_SLIP = 3


@dataclass(slots=True)
class Script:
    """What happens in the office minute by minute; `minute` counts those that were played."""

    office: Office
    seed: int
    minute: int = 0
    standing: dict[Deed, deque[Undo]] = field(default_factory=dict)
    mends: list[tuple[int, Undo]] = field(default_factory=list)

    def play(self) -> Text | None:
        """Play the next minute and return what was done, None when nobody found anything to do."""
        self.minute += 1
        random = Random(f"{self.seed}:{self.minute}")
        mended = self._mend()
        if mended is not None:
            return mended
        if self.minute % SLIP_EVERY == FIRST_SLIP:
            return self._slip(random)

        sides = [delivery.DEEDS, accounts.DEEDS]
        if random.choice((False, False, True)):
            sides.reverse()
        for side in sides:
            told = self._try(random, side)
            if told is not None:
                return told
        return None

    def _mend(self) -> Text | None:
        for mend in self.mends:
            minute, undo = mend
            if minute <= self.minute:
                self.mends.remove(mend)
                return _attempt(undo)
        return None

    def _try(self, random: Random, deeds: tuple[tuple[int, Deed], ...]) -> Text | None:
        """Return what came of the first deed for which there is something to do, drawn by how often they happen."""
        left = list(deeds)
        while left:
            weights = [weight for weight, _ in left]
            chosen = random.choices(left, weights)[0]
            left.remove(chosen)
            _, deed = chosen
            told = self._do(deed, random)
            if told is not None:
                return told
        return None

    def _do(self, deed: Deed, random: Random) -> Text | None:
        standing = self.standing.setdefault(deed, deque())
        if len(standing) >= STANDING:
            return _attempt(standing.popleft())
        done = self._look(deed, random)
        if done is None:
            return None
        if done.undo is not None:
            standing.append(done.undo)
        return done.told

    def _slip(self, random: Random) -> Text | None:
        """Let somebody get something wrong: each kind in its turn, or the next for which there is an occasion."""
        turn = self.minute // SLIP_EVERY
        slips = deque(mistakes.SLIPS)
        slips.rotate(-turn)
        for slip in slips:
            done = self._look(slip, random)
            if done is None or done.undo is None:
                continue
            after = random.randint(*MENDED_AFTER)
            self.mends.append((self.minute + after, done.undo))
            return done.told
        return None

    def _look(self, deed: Deed, random: Random) -> Done | None:
        try:
            return deed(self.office, random)
        except ValueError:
            # Whoever watches may have deleted what somebody was about to change.
            return None


def _attempt(undo: Undo) -> Text | None:
    try:
        return undo()
    except ValueError:
        return None
