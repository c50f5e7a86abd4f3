"""What keeps a client from green whatever its score: bad feedback of late, a risk that is nearly certain and grave (docs/method.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from worker.method.measures import FeedbackMeasure, RiskMeasure
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
        if entry.score <= limits.feedback_low and entry.day >= oldest:
            yield entry.score, entry.day


def own_marks(rows: Iterable[RiskRow]) -> Iterator[tuple[Decimal, str]]:
    """Yield the score and title of the risks people wrote, as far as they are marked."""
    for row in rows:
        if row.probability is not None and row.impact is not None:
            yield row.probability * row.impact, row.title
