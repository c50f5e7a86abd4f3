"""What calls for a task today: the conditions of the playbooks, looked at one by one (docs/method.md 6.2).

It only looks; making, limiting, closing and carrying tasks over is the chapter of the account sprint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial

import msgspec
from msgspec.structs import replace

from worker.domain.entities import HUNTED, Card
from worker.domain.messages import stage_label
from worker.domain.values import Ref
from worker.mapping.playbooks import Playbooks
from worker.method.conditions import ANSWERED, TYPES, Sighting, Subject, state_signal
from worker.method.formulas.budgets import is_nearly_spent
from worker.method.formulas.stages import stage_since
from worker.method.measures import CardMeasure, RiskMeasure, Signal
from worker.method.run import Findings
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
) -> Findings[tuple[Signal, ...] | None]:
    """Return the signals of every playbook that is known and switched on."""
    seen = _Seen(world, cards, risks)
    signals = tuple(
        signal
        for name in playbooks.tasks
        if name in FINDERS
        for signal in FINDERS[name](seen)
    )
    return Findings(signals, signals=signals)


def _next_steps(seen: _Seen) -> Iterator[Signal]:
    world = seen.world
    busy = _cards_with_tasks(world)
    words = world.words
    for card in world.cards.values():
        since = stage_since(card, world, seen.cards) or world.today
        standing = (world.today - since).days
        still = standing >= world.thresholds.next_step_days
        names = {"stage": stage_label(card.stage, words), "day": words.date(since)}
        sighting = Sighting(
            card.stage in HUNTED and still,
            evidence=words.say("No movement since {day} (stage: {stage}).", **names),
        )
        subject = _subject(card, world, **names)
        signal = state_signal("next_step", subject, sighting, words=words)
        yield replace(signal, may_open=card.ref not in busy)


def _cards_with_tasks(world: World) -> set[Ref]:
    """Return the cards that have an open task of a person's own; the worker's own are known to its chapter."""
    return {
        card
        for row in world.task_rows()
        if not row.key and row.status in (*OPEN, None)
        for card in row.cards
    }


def _subject(card: Card, world: World, **names: str) -> Subject:
    client = world.client(card.client)
    payer = client.name if client else ""
    own = {"card": card.name, "client": payer}
    known = own | names
    return Subject(card.ref, known, client=card.client, card=card.ref)


def _risk_answers(seen: _Seen) -> Iterator[Signal]:
    world = seen.world
    if seen.risks is None:
        return
    worst: dict[Ref, RiskMeasure] = {}
    for risk in sorted(seen.risks, key=_weight):
        subject = risk.card or risk.subject
        is_open = not risk.asleep and not risk.answered
        if _is_told(risk, seen):
            continue
        if subject and risk.level == "high" and is_open:
            worst[subject] = risk
    for subject in dict.fromkeys((*world.cards, *world.clients, *world.units, *worst)):
        yield _risk_answer(subject, worst.get(subject), world)


def _is_told(risk: RiskMeasure, seen: _Seen) -> bool:
    """Tell whether a card's task about its nearly spent budget says already what its risk would."""
    card = seen.world.card(risk.card)
    if card is None or risk.signal != "money.burn":
        return False
    limit = seen.world.thresholds.budget_warning
    return bool(is_nearly_spent(card, seen.cards.get(card.ref), limit))


def _weight(risk: RiskMeasure) -> tuple[int, Decimal, str]:
    return risk.score, risk.exposure or Decimal(0), risk.signal


def _risk_answer(subject: Ref, risk: RiskMeasure | None, world: World) -> Signal:
    card = world.cards.get(subject)
    named = {"risk": risk.title if risk else ""}
    about = (
        _subject(card, world, **named)
        if card
        else Subject(subject, named, client=_client_of(subject, risk, world))
    )
    sighting = Sighting(
        risk is not None, evidence=f"{risk.title}. {risk.evidence}" if risk else ""
    )
    signal = state_signal(
        "answer_risk",
        replace(about, ref=subject, unit=risk.unit if risk else None),
        sighting,
        words=world.words,
        strength=risk.score if risk else 0,
    )
    return replace(signal, role=_answerer(risk), risk=risk.ref) if risk else signal


def _client_of(subject: Ref, risk: RiskMeasure | None, world: World) -> Ref | None:
    if subject in world.clients:
        return subject
    return risk.client if risk else None


def _answerer(risk: RiskMeasure) -> str:
    """Return the role that answers: the lead of a card's team, the HoA where a whole unit or client lacks people."""
    if risk.kind == "team":
        return "tl" if risk.card else "hoa"
    return "pm" if risk.kind == "deadline" else "am"


def _answers_of_cards(playbook: str, seen: _Seen) -> Iterator[Signal]:
    """Look for the risk of each card that a playbook answers; a risk that sleeps asks for nothing."""
    world = seen.world
    if seen.risks is None:
        return
    answered = ANSWERED[playbook].signal
    risks = {
        risk.subject: risk
        for risk in seen.risks
        if risk.signal == answered and not risk.asleep
    }
    for card in world.cards.values():
        risk = risks.get(card.ref)
        sighting = Sighting(risk is not None, evidence=risk.evidence if risk else "")
        signal = state_signal(
            playbook, _subject(card, world), sighting, words=world.words
        )
        yield replace(signal, risk=risk.ref if risk else None)


Finder = Callable[[_Seen], Iterator[Signal]]

FINDERS: dict[str, Finder] = {"answer_risk": _risk_answers, "next_step": _next_steps}
FINDERS |= {
    playbook: partial(_answers_of_cards, playbook)
    for row in TYPES
    if row.of_cards
    for playbook in row.playbooks
}
