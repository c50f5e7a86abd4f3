"""What says more than the score of a client: a veto against green, and the colour people gave it (docs/method.md 4.1).

Bad feedback of late, and a risk that is nearly certain and grave, keep a client from green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from worker.domain.entities import Client
from worker.method.measures import FeedbackMeasure, Rag, RiskMeasure
from worker.world.rows import RiskRow
from worker.world.world import World


def find_vetoes(
    feedback: Iterable[FeedbackMeasure],
    risks: Iterable[RiskMeasure],
    own_risks: Iterable[RiskRow],
    *,
    world: World,
) -> Iterator[str]:
    """Yield the reasons, each with its number, in the workspace's language.

    Feedback and risks are those of one client; risks are open and not asleep. Of the feedback only score and day are
    told: whom it is about stays private.
    """
    words = world.words
    for score, day in sorted(set(_low_scores(feedback, world))):
        yield words.say(
            "feedback {score} of 5 on {day}",
            score=words.number(score),
            day=words.date(day),
        )

    marked = [(Decimal(risk.score), risk.title) for risk in risks]
    marked += list(own_marks(own_risks))
    for score, title in sorted(marked, reverse=True):
        if score >= world.thresholds.veto_risk:
            yield words.say(
                "risk “{risk}” of {score}", risk=title, score=words.number(score)
            )


def _low_scores(
    feedback: Iterable[FeedbackMeasure], world: World
) -> Iterator[tuple[Decimal, date]]:
    limits = world.thresholds
    oldest = world.today - timedelta(days=limits.veto_days)
    for entry in feedback:
        is_low = entry.score <= limits.feedback_low
        if is_low and entry.day >= oldest:
            yield entry.score, entry.day


def own_marks(rows: Iterable[RiskRow]) -> Iterator[tuple[Decimal, str]]:
    """Yield the score and title of the risks people wrote, as far as they are marked."""
    for row in rows:
        if row.probability is not None and row.impact is not None:
            yield row.probability * row.impact, row.title


class ByHand(msgspec.Struct, frozen=True, gc=False):
    """What people say of a client's colour: `rag` while it holds, and the `reason`, empty where they say nothing."""

    rag: Rag | None = None
    reason: str = ""


def read_colour(client: Client, world: World) -> ByHand:
    """Return the colour people gave a client: it holds with a note and up to a date."""
    words = world.words
    if client.by_hand is None:
        return ByHand()
    note = (client.by_hand_note or "").strip()
    until = client.by_hand_until
    if not note or until is None:
        return ByHand(reason=words.say("the colour by hand needs a note and a date"))
    if until < world.today:
        return ByHand()
    day = words.date(until)
    reason = words.say("by hand until {day}: {note}", day=day, note=note)
    rag = Rag(client.by_hand)
    return ByHand(rag, reason)
