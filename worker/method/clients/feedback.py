"""What clients say about the team and its members: the trend of each, and what is bad enough to act upon (docs/method.md 4.4).

The rows are private. What leaves them is a condition about the client, with scores and days; who was meant and what was
said stays in the private rows and in the measure that private pages are made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import msgspec

from worker.domain.entities import Client, Feedback
from worker.domain.values import Ref
from worker.method.conditions import Sighting, Subject, state_condition
from worker.method.measures import Condition, FeedbackMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

SOURCE = "feedback"
SIGNAL = "relations.feedback"


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """A whole entry with the scores of the same client about the same person up to it, oldest first."""

    row: Feedback
    day: date
    score: Decimal
    scores: tuple[Decimal, ...]
    is_last: bool


def measure_feedback(world: World) -> Findings[tuple[FeedbackMeasure, ...] | None]:
    """Return the trend of every entry, the clients' conditions, and what was said for private pages."""
    if SOURCE not in world.sources:
        return Findings(None)
    entries = list(_entries(world))
    facts = tuple(_trend_fact(entry, world) for entry in entries)
    measures = tuple(
        sorted(
            (_measure(entry, world) for entry in entries),
            key=lambda measure: (measure.day, measure.ref),
        )
    )
    by_client: dict[Ref, list[_Entry]] = defaultdict(list)
    for entry in entries:
        if entry.row.client is not None:
            by_client[entry.row.client].append(entry)
    conditions = tuple(
        _condition(client, by_client[client.ref], world)
        for client in world.clients.values()
    )
    return Findings(measures, facts, conditions=conditions)


def _entries(world: World) -> Iterator[_Entry]:
    groups: dict[tuple[Ref, Ref | None], list[tuple[date, Ref, Decimal]]] = defaultdict(
        list
    )
    for row in world.feedback.values():
        if row.client is None or row.day is None or row.score is None:
            continue
        if row.day <= world.today:
            groups[row.client, row.person].append((row.day, row.ref, row.score))

    for group in groups.values():
        group.sort()
        scores: tuple[Decimal, ...] = ()
        _, last, _ = group[-1]
        for day, ref, score in group:
            scores += (score,)
            row = world.feedback[ref]
            yield _Entry(row, day, score, scores, is_last=ref == last)


def trend_of(scores: Sequence[Decimal], entries: int) -> str | None:
    """Return `up` or `down` when the last `entries` scores all rise or fall, else `flat`; None when there are fewer."""
    last = scores[-entries:]
    if len(last) < entries:
        return None
    steps = tuple(pairwise(last))
    if all(after > before for before, after in steps):
        return "up"
    if all(after < before for before, after in steps):
        return "down"
    return "flat"


def _trend_fact(entry: _Entry, world: World) -> Fact:
    say = world.words.say
    count = world.thresholds.feedback_entries
    shown = ", ".join(world.words.number(score) for score in entry.scores[-count:])
    return Fact(
        entry.row.ref,
        "trend",
        trend_of(entry.scores, count),
        Why(
            "feedback",
            (Input(say("marks"), shown, entry.row.url),),
            say(
                "the last marks of this client about the same person or the team all rise or all fall"
            ),
            say("entries ≥ {count}", count=count),
        ),
    )


def _is_negative(entry: _Entry, world: World) -> bool:
    """Tell whether an entry is the last word of its client, not too old, and low or the end of a fall."""
    limits = world.thresholds
    fresh = world.today - entry.day <= timedelta(days=limits.feedback_days)
    low = entry.score <= limits.feedback_low
    return (
        entry.is_last
        and fresh
        and (low or trend_of(entry.scores, limits.feedback_entries) == "down")
    )


def _measure(entry: _Entry, world: World) -> FeedbackMeasure:
    row = entry.row
    return FeedbackMeasure(
        row.ref,
        row.url,
        row.client,
        row.person,
        entry.day,
        entry.score,
        trend_of(entry.scores, world.thresholds.feedback_entries),
        _is_negative(entry, world),
        row.text,
    )


def _condition(client: Client, entries: list[_Entry], world: World) -> Condition:
    bad = sorted(
        (entry for entry in entries if _is_negative(entry, world)),
        key=lambda entry: (entry.score, entry.day),
    )
    words = world.words
    limits = world.thresholds
    subject = Subject(
        client.ref, {"client": client.name}, client=client.ref, unit=client.unit
    )
    seen = Sighting(
        bool(bad),
        _probability(bad, limits.feedback_low),
        " ".join(dict.fromkeys(_evidence(entry, world) for entry in bad)),
        words.say(
            "score ≤ {low} of 5, or {count} falling",
            low=limits.feedback_low,
            count=limits.feedback_entries,
        ),
        inputs=((words.say("client"), client.name, client.url),),
    )
    return state_condition(SIGNAL, subject, seen, words=words)


def _evidence(entry: _Entry, world: World) -> str:
    """Return what may be said outside: scores and days, never whom they are about."""
    words = world.words
    count = world.thresholds.feedback_entries
    if entry.score <= world.thresholds.feedback_low:
        return words.say(
            "Mark {score} of 5 on {day}.",
            score=words.number(entry.score),
            day=words.date(entry.day),
        )
    shown = ", ".join(words.number(score) for score in entry.scores[-count:])
    return words.say(
        "Marks fall: {scores} (until {day}).", scores=shown, day=words.date(entry.day)
    )


def _probability(bad: list[_Entry], low: Decimal) -> int:
    """Mark 5 for the worst score, 4 for a low one, 3 for a fall."""
    if not bad:
        return 3
    worst = bad[0].score
    if worst <= 1:
        return 5
    return 4 if worst <= low else 3
