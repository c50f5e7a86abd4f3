"""What calls for a task today: the conditions of the playbooks, looked at one by one (method 8).

It only looks; making, limiting, closing and carrying tasks over is the chapter of the account sprint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from worker.domain.measures import ClientMeasure, Measures, RiskMeasure, Signal
from worker.domain.messages import stage_label
from worker.domain.model import HUNTED, RUNNING, Card, Client, Stage
from worker.domain.sprints import next_yearly
from worker.domain.values import Ref, Value
from worker.domain.world import World
from worker.mapping.playbooks import Playbooks
from worker.sync.facts import Outcome

OPEN = ("new", "this_sprint", "doing", "waiting")


def find_signals(world: World, playbooks: Playbooks, measures: Measures) -> Outcome:
    """Return the signals of every playbook that is known and switched on; it states no facts itself."""
    found = [signal for name, book in playbooks.tasks.items() if name in FINDERS
             for signal in FINDERS[name](world, measures, book.days or 0)]
    return Outcome((), replace(measures, signals=(*(measures.signals or ()), *found)), world.memory)


def _next_steps(world: World, measures: Measures, _days: int) -> Iterator[Signal]:
    busy = _cards_with_tasks(world)
    words = world.words
    for card in world.cards.values():
        track = world.memory.tracks.get(f"{card.ref}#stage")
        since = track.since if track else world.today
        still = (world.today - since).days >= world.thresholds.next_step_days
        yield Signal(
            "next_step", card.ref, card.client, card.ref, card.stage in HUNTED and still,
            reason=words.say("No movement since {day} (stage: {stage}).", day=words.date(since),
                             stage=stage_label(card.stage, words)),
            ended=words.say("closed by itself: the card stands at “{stage}” since {day}",
                            stage=stage_label(card.stage, words), day=words.date(since)),
            may_open=card.ref not in busy, values=_names(card, world))


def _cards_with_tasks(world: World) -> set[Ref]:
    """Return the cards that have an open task of a person's own; the worker's own are known to its chapter."""
    return {card for row in world.rows.get("tasks", ()) if not row.key and row.fields.get("status") in (*OPEN, None)
            for card in _refs(row.fields.get("project"))}


def _refs(value: Value) -> tuple[Ref, ...]:
    return tuple(item for item in value if isinstance(item, Ref)) if isinstance(value, tuple) else ()


def _names(card: Card, world: World) -> dict[str, str]:
    client = world.clients.get(card.client) if card.client else None
    return {"card": card.name, "client": client.name if client else ""}


def _risk_answers(world: World, measures: Measures, _days: int) -> Iterator[Signal]:
    if measures.risks is None:
        return
    worst: dict[Ref, RiskMeasure] = {}
    for risk in sorted(measures.risks, key=lambda risk: (risk.score, risk.exposure or 0, risk.signal)):
        subject = risk.card or risk.subject
        if subject and risk.level == "high" and not risk.asleep and not risk.answered:
            worst[subject] = risk
    for subject in dict.fromkeys((*world.cards, *world.clients, *world.units, *worst)):
        yield _risk_answer(subject, worst.get(subject), world)


def _risk_answer(subject: Ref, risk: RiskMeasure | None, world: World) -> Signal:
    card = world.cards.get(subject)
    client = card.client if card else subject if subject in world.clients else risk.client if risk else None
    names = _names(card, world) if card else {}
    return Signal(
        "answer_risk", subject, client, card.ref if card else None, risk is not None,
        reason=f"{risk.title}. {risk.evidence}" if risk else "",
        ended=world.words.say("closed by itself: there is no high risk any more"),
        strength=risk.score if risk else 0, values=names | {"risk": risk.title if risk else ""},
        role=_answerer(risk) if risk else "", unit=risk.unit if risk else None)


def _answerer(risk: RiskMeasure) -> str:
    """Return the role that answers: the lead of a card's team, the HoA where a whole unit or client lacks people."""
    if risk.kind == "team":
        return "tl" if risk.card else "hoa"
    return "pm" if risk.kind == "deadline" else "am"


def _missing_dates(world: World, measures: Measures, _days: int) -> Iterator[Signal]:
    if measures.risks is None:
        return
    risks = {risk.subject: risk for risk in measures.risks if risk.signal == "deadline.no_due" and not risk.asleep}
    for card in world.cards.values():
        risk = risks.get(card.ref)
        yield Signal("ask_due_date", card.ref, card.client, card.ref, risk is not None,
                     reason=risk.evidence if risk else "",
                     ended=world.words.say("closed by itself: there is a date now"), values=_names(card, world))


def _active_clients(world: World) -> set[Ref]:
    return {card.client for card in world.cards.values() if card.client and card.stage in (Stage.AGREED, *RUNNING)}


def _silences(world: World, measures: Measures, _days: int) -> Iterator[Signal]:
    active, words = _active_clients(world), world.words
    for client in world.clients.values():
        measure = measures.clients.get(client.ref)
        last = measure.last_contact if measure else None
        served = client.group == "account" or client.ref in active
        silent = last is not None and (world.today - last).days > world.thresholds.no_contact_days
        yield Signal("contact_client", client.ref, client.ref, None, _known(measure, served and silent),
                     reason=words.say("Last contact on {day}.", day=words.date(last)) if last else "",
                     ended=words.say("closed by itself: there was contact"), values={"client": client.name})


def _known(measure: ClientMeasure | None, holds: bool) -> bool | None:  # noqa: FBT001 - a condition, not an option
    return holds if measure is not None else None


def _old_rates(world: World, _measures: Measures, days: int) -> Iterator[Signal]:
    words = world.words
    for client in world.clients.values():
        last = client.rate_indexed or client.since
        old = last is not None and (world.today - last).days >= days
        yield Signal("index_rate", client.ref, client.ref, None, client.group == "account" and old,
                     reason=words.say("Rates stand since {day}.", day=words.date(last)) if last else "",
                     ended=words.say("closed by itself: the rates were indexed"), values={"client": client.name})


def _contract_ends(world: World, _measures: Measures, days: int) -> Iterator[Signal]:
    active, words = _active_clients(world), world.words
    for client in world.clients.values():
        end = client.contract_end
        near = end is not None and end <= world.today + timedelta(days=days)
        alive = end is not None and (end >= world.today or client.ref in active)
        yield Signal("contract_end", client.ref, client.ref, None, near and alive,
                     reason=words.say("The contract ends on {day}.", day=words.date(end)) if end else "",
                     ended=words.say("closed by itself: the contract does not end soon"),
                     values={"client": client.name, "date": words.date(end) if end else ""})


def _document_ends(world: World, _measures: Measures, days: int) -> Iterator[Signal]:
    words = world.words
    for document in world.documents.values():
        end = document.expires
        client = world.clients.get(document.client) if document.client else None
        near = end is not None and abs((end - world.today).days) <= days and (
            end >= world.today or (world.today - end).days <= 30)
        yield Signal("document_end", document.ref, document.client, None, near,
                     reason=words.say("The document is valid until {day}.", day=words.date(end)) if end else "",
                     ended=words.say("closed by itself: the document does not end soon"),
                     values={"name": document.name, "client": client.name if client else "",
                             "date": words.date(end) if end else ""})


def _birthdays(world: World, _measures: Measures, days: int) -> Iterator[Signal]:
    for contact in world.contacts.values():
        yield from _birthday(contact.ref, contact.name, contact.birthday, client=contact.client, days=days, world=world)
    for person in world.people.values():
        yield from _birthday(person.ref, person.name, person.birthday, client=None, days=days, world=world)


def _birthday(ref: Ref, name: str, born: date | None, *, client: Ref | None, days: int,
              world: World) -> Iterator[Signal]:
    if born is None:
        return
    words, coming = world.words, next_yearly(born, world.today)
    found = world.clients.get(client) if client else None
    yield Signal("birthday", ref, client, None, (coming - world.today).days <= days, due=coming,
                 reason=words.say("The birthday is on {day}.", day=words.day_month(coming)),
                 ended=words.say("closed by itself: the birthday has passed"),
                 values={"name": name, "date": words.day_month(coming), "client": found.name if found else ""})


def _ray_breaks(world: World, measures: Measures, _days: int) -> Iterator[Signal]:
    words = world.words
    for client in world.clients.values():
        measure = measures.clients.get(client.ref)
        horizon = measure.horizon if measure else None
        near = horizon is not None and horizon < world.today + timedelta(weeks=world.thresholds.ray_lead_weeks)
        followed = horizon is not None and any(_follows(card, client, horizon) for card in world.cards.values())
        yield Signal("ray_break", client.ref, client.ref, None,
                     _known(measure, client.group == "account" and near and not followed),
                     reason=words.say("Work ends on {day} and nothing agreed follows it.", day=words.date(horizon))
                     if horizon else "", ended=words.say("closed by itself: there is work ahead again"),
                     values={"client": client.name, "date": words.date(horizon) if horizon else ""})


def _follows(card: Card, client: Client, horizon: date) -> bool:
    """Tell whether a card at proposal or later starts before the client's work ends."""
    return (card.client == client.ref and card.stage in (Stage.PROPOSAL, Stage.AGREED)
            and card.expected_start is not None and card.expected_start <= horizon)


FINDERS: dict[str, Callable[[World, Measures, int], Iterator[Signal]]] = {
    "answer_risk": _risk_answers, "ask_due_date": _missing_dates, "contact_client": _silences,
    "index_rate": _old_rates, "contract_end": _contract_ends, "document_end": _document_ends, "birthday": _birthdays,
    "ray_break": _ray_breaks, "next_step": _next_steps}
