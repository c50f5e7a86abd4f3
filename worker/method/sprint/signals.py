"""What calls for a task today: the conditions of the playbooks, looked at one by one (docs/method.md 6.2).

It only looks; making, limiting, closing and carrying tasks over is the chapter of the account sprint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from worker.domain.entities import HUNTED, Card
from worker.domain.messages import stage_label
from worker.domain.values import Ref, refs_of
from worker.mapping.playbooks import Playbooks
from worker.method.formulas.stages import stage_since
from worker.method.measures import CardMeasure, RiskMeasure, Signal
from worker.method.run import Found
from worker.world.world import World

OPEN = ("new", "this_sprint", "doing", "waiting")


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """What the finders of signals look at; `risks` is None when they are not known."""

    world: World
    cards: Mapping[Ref, CardMeasure]
    risks: tuple[RiskMeasure, ...] | None


def find_signals(
    world: World,
    playbooks: Playbooks,
    cards: Mapping[Ref, CardMeasure],
    risks: tuple[RiskMeasure, ...] | None,
) -> Found[tuple[Signal, ...] | None]:
    """Return the signals of every playbook that is known and switched on."""
    seen = _Seen(world, cards, risks)
    found = tuple(
        signal
        for name in playbooks.tasks
        if name in FINDERS
        for signal in FINDERS[name](seen)
    )
    return Found(found, signals=found)


def _next_steps(seen: _Seen) -> Iterator[Signal]:
    world = seen.world
    busy = _cards_with_tasks(world)
    words = world.words
    for card in world.cards.values():
        since = stage_since(card, world, seen.cards) or world.today
        still = (world.today - since).days >= world.thresholds.next_step_days
        yield Signal(
            "next_step",
            card.ref,
            card.client,
            card.ref,
            card.stage in HUNTED and still,
            reason=words.say(
                "No movement since {day} (stage: {stage}).",
                day=words.date(since),
                stage=stage_label(card.stage, words),
            ),
            ended=words.say(
                "closed by itself: the card stands at “{stage}” since {day}",
                stage=stage_label(card.stage, words),
                day=words.date(since),
            ),
            may_open=card.ref not in busy,
            values=_names(card, world),
        )


def _cards_with_tasks(world: World) -> set[Ref]:
    """Return the cards that have an open task of a person's own; the worker's own are known to its chapter."""
    return {
        card
        for row in world.rows.get("tasks", ())
        if not row.key and row.fields.get("status") in (*OPEN, None)
        for card in refs_of(row.fields.get("project"))
    }


def _names(card: Card, world: World) -> dict[str, str]:
    client = world.clients.get(card.client) if card.client else None
    return {"card": card.name, "client": client.name if client else ""}


def _risk_answers(seen: _Seen) -> Iterator[Signal]:
    world = seen.world
    if seen.risks is None:
        return
    worst: dict[Ref, RiskMeasure] = {}
    for risk in sorted(
        seen.risks, key=lambda risk: (risk.score, risk.exposure or 0, risk.signal)
    ):
        subject = risk.card or risk.subject
        if subject and risk.level == "high" and not risk.asleep and not risk.answered:
            worst[subject] = risk
    for subject in dict.fromkeys((*world.cards, *world.clients, *world.units, *worst)):
        yield _risk_answer(subject, worst.get(subject), world)


def _risk_answer(subject: Ref, risk: RiskMeasure | None, world: World) -> Signal:
    card = world.cards.get(subject)
    client = _client_of(subject, card, risk, world)
    names = _names(card, world) if card else {}
    return Signal(
        "answer_risk",
        subject,
        client,
        card.ref if card else None,
        risk is not None,
        reason=f"{risk.title}. {risk.evidence}" if risk else "",
        ended=world.words.say("closed by itself: there is no high risk any more"),
        strength=risk.score if risk else 0,
        values=names | {"risk": risk.title if risk else ""},
        role=_answerer(risk) if risk else "",
        unit=risk.unit if risk else None,
    )


def _client_of(
    subject: Ref, card: Card | None, risk: RiskMeasure | None, world: World
) -> Ref | None:
    if card is not None:
        return card.client
    if subject in world.clients:
        return subject
    return risk.client if risk else None


def _answerer(risk: RiskMeasure) -> str:
    """Return the role that answers: the lead of a card's team, the HoA where a whole unit or client lacks people."""
    if risk.kind == "team":
        return "tl" if risk.card else "hoa"
    return "pm" if risk.kind == "deadline" else "am"


def _missing_dates(seen: _Seen) -> Iterator[Signal]:
    world = seen.world
    if seen.risks is None:
        return
    risks = {
        risk.subject: risk
        for risk in seen.risks
        if risk.signal == "deadline.no_due" and not risk.asleep
    }
    for card in world.cards.values():
        risk = risks.get(card.ref)
        yield Signal(
            "ask_due_date",
            card.ref,
            card.client,
            card.ref,
            risk is not None,
            reason=risk.evidence if risk else "",
            ended=world.words.say("closed by itself: there is a date now"),
            values=_names(card, world),
        )


FINDERS: dict[str, Callable[[_Seen], Iterator[Signal]]] = {
    "answer_risk": _risk_answers,
    "ask_due_date": _missing_dates,
    "next_step": _next_steps,
}
