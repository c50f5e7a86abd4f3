"""The development of a unit's product by role, as its meeting looks at it; what was said of people is only counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from worker.domain.document import Block, Bullet, Paragraph, link, plain
from worker.domain.entities import Card, Client, Stage
from worker.domain.messages import message, stage_label
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.method.growth.development import development_of
from worker.method.growth.hypotheses import find_unmeasured
from worker.method.measures import BacklogItem
from worker.pages.view import NONE, View, client_link, join_parts

MOST, SPOTS = 15, 3


def write_development(view: View, unit: Ref, past: Period) -> Iterator[Block]:
    """Yield TL's features, PM's hypotheses, AM's ideas and white spots, HoA's feedback as a count, cards to present."""
    backlog = development_of(unit, view.measures.backlog or ())
    yield from _inbox(view, message("TL: validated features"), backlog.features)
    yield from _inbox(view, message("PM: strategic hypotheses"), backlog.hypotheses)
    if backlog.operational:
        yield Bullet(
            view.count(
                "and {n} operational hypothesis",
                "and {n} operational hypotheses",
                backlog.operational,
            )
        )
    unmeasured = find_unmeasured(unit, view.measures.backlog or (), view.world)
    if unmeasured:
        yield view.heading("PM: effects to be measured", 3)
        for item in unmeasured[:MOST]:
            line = _waiting(view, item)
            yield Bullet(line)
    yield from _inbox(view, message("AM: ideas for the client"), backlog.ideas)
    yield from _white_spots(view, unit)
    yield from _feedback(view, unit, past, len(backlog.feedback))
    yield from _cards(view, unit)


def _inbox(view: View, title: str, items: Iterable[BacklogItem]) -> Iterator[Block]:
    shown = tuple(items)[:MOST]
    yield view.heading(title, 3)
    if not shown:
        yield view.paragraph("Nothing this time.")
    yield from (Bullet(_item(view, item)) for item in shown)


def _item(view: View, item: BacklogItem) -> str:
    client = view.world.client(item.client)
    impact = (
        view.say("impact {n}", n=view.number(item.impact, 1))
        if item.impact is not None
        else ""
    )
    effort = (
        view.say("effort {n}", n=view.number(item.effort, 1))
        if item.effort is not None
        else ""
    )
    parts = (
        link(item.title, item.url),
        plain(client.name) if client else "",
        impact,
        effort,
        describe_effect(view, item),
    )
    return join_parts(parts)


def describe_effect(view: View, item: BacklogItem) -> str:
    """Return the metric of a hypothesis with what was expected and measured of it."""
    effect = item.effect
    if effect is None:
        return ""
    expected = measured = ""
    if effect.expected:
        expected = view.say("expected {effect}", effect=plain(effect.expected))
    if effect.measured:
        measured = view.say("measured {effect}", effect=plain(effect.measured))
    return join_parts((plain(effect.metric), expected, measured))


def _waiting(view: View, item: BacklogItem) -> str:
    """Return a hypothesis whose effect nobody measured, with the day it was validated."""
    name = link(item.title, item.url)
    effect = describe_effect(view, item)
    since = None
    if item.effect is not None:
        since = item.effect.waits_since
    day = view.date(since)
    validated = view.say("validated on {day}", day=day)
    return join_parts((name, effect, validated))


def _white_spots(view: View, unit: Ref) -> Iterator[Block]:
    lines = []
    for client in view.clients_of(unit):
        names = _spots(view, client)
        if names:
            name = link(client.name, client.url)
            lines.append(f"{name}: {', '.join(names)}")
    if lines:
        yield view.heading("AM: white space", 3)
        yield from (Bullet(line) for line in lines[:MOST])


def _spots(view: View, client: Client) -> list[str]:
    """Return the services a client does not buy, with how many like it do."""
    if view.measures.services is None:
        return []
    names = []
    for spot in view.measures.services.white_spots.get(client.ref, ())[:SPOTS]:
        service = view.world.service(spot.service)
        if service is None:
            continue
        similar = view.count(
            "{n} similar client buys it", "{n} similar clients buy it", spot.similar
        )
        name = plain(service.name)
        names.append(f"{name} ({similar})")
    return names


def _feedback(view: View, unit: Ref, past: Period, items: int) -> Iterator[Block]:
    """Count what clients said: names, scores and words stand on the HoA's private page alone."""
    mine = {client.ref for client in view.clients_of(unit)}
    entries = items
    for entry in view.measures.feedback or ():
        if entry.client in mine and entry.day in past:
            entries += 1
    if entries:
        yield view.heading("HoA: feedback", 3)
        yield Paragraph(
            view.count(
                "{n} entry; the Head of Accounts tells each member in person.",
                "{n} entries; the Head of Accounts tells each member in person.",
                entries,
            )
        )


def _cards(view: View, unit: Ref) -> Iterator[Block]:
    cards: list[Card] = []
    for stage in (Stage.SHAPING, Stage.IDEA):
        at_stage = [card for card in view.cards_of(unit) if card.stage is stage]
        cards += sorted(at_stage, key=lambda card: card.name.casefold())

    yield view.heading("Idea cards ready to present", 3)
    if not cards:
        yield view.paragraph("No card is at the idea or shaping stage.")
    for card in cards[:MOST]:
        yield Bullet(_card(view, card))


def _card(view: View, card: Card) -> str:
    start = ""
    if card.expected_start:
        day = view.date(card.expected_start)
        start = view.say("expected start {day}", day=day)
    parts = (
        link(card.name, card.url),
        client_link(view, card.client) or NONE,
        stage_label(card.stage, view.words),
        start,
    )
    return join_parts(parts)
