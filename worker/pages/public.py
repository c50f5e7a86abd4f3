"""The two pages for a client's eyes. They are written from `PublicClientView` alone, and that holds nothing internal.

No money, load, risk, health, person or reason has a place in it; what is not on this list cannot reach a client. Nor is
a field's name enough: what a person gave may be shown, and the share done, but nothing that was taken over from Jira.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.document import Block, Bullet, Heading, Paragraph, plain
from worker.domain.entities import RUNNING, Card, Client, Stage
from worker.domain.messages import STAGES
from worker.domain.words import Words
from worker.pages.view import View, join_parts

OFFERED = (Stage.SHAPING, Stage.PROPOSAL)
"""Stages at which a card is brought to its client; one at `idea` only once the growth group accepted it."""
DECIDED = ("for_group", "presented", "accepted")
"""What a growth group takes for a client stands at one of these; what it rejects leaves them."""
INTERNAL = ("feedback",)


class PublicProject(msgspec.Struct, frozen=True, gc=False):
    """A project as its client may see it: name, share done 0..1, and the dates that people gave."""

    name: str
    stage: Stage
    progress: Decimal | None = None
    promised: date | None = None
    start: date | None = None


class PublicClientView(msgspec.Struct, frozen=True, gc=False):
    """All that a client may see: the allow-list."""

    name: str
    running: tuple[PublicProject, ...] = ()
    coming: tuple[PublicProject, ...] = ()
    ideas: tuple[PublicProject, ...] = ()


def public_view(view: View, client: Client) -> PublicClientView:
    """Return what of a client's world is the client's to see."""
    projects = []
    for card in sorted(view.cards.get(client.ref, ()), key=lambda card: card.name):
        if card.stage is not None:
            project = PublicProject(
                card.name,
                card.stage,
                _progress(view, card),
                _promised(view, card),
                card.expected_start,
            )
            projects.append(project)
    return PublicClientView(
        client.name,
        tuple(project for project in projects if project.stage in RUNNING),
        tuple(project for project in projects if project.stage is Stage.AGREED),
        _final_set(view, client),
    )


def _final_set(view: View, client: Client) -> tuple[PublicProject, ...]:
    """Return the final set of ideas: what the group took, and cards already on their way to the client; by name."""
    cards = {card.ref: card for card in view.cards.get(client.ref, ())}
    taken = [
        item
        for item in view.measures.backlog or ()
        if item.client == client.ref
        and item.status in DECIDED
        and item.kind not in INTERNAL
    ]
    accepted = {item.card for item in taken}
    ideas = [
        PublicProject(item.title, Stage.IDEA)
        for item in taken
        if item.card not in cards
    ]
    for card in cards.values():
        stage = card.stage
        is_accepted = stage is Stage.IDEA and card.ref in accepted
        if stage is not None and (stage in OFFERED or is_accepted):
            idea = PublicProject(card.name, stage, start=card.expected_start)
            ideas.append(idea)
    return tuple(sorted(ideas, key=lambda project: project.name))


def _promised(view: View, card: Card) -> date | None:
    """Return the date that a person gave on the card; what came from Jira is a plan of the agency's, not a promise."""
    measure = view.measures.cards.get(card.ref)
    return measure.promised if measure else None


def _progress(view: View, card: Card) -> Decimal | None:
    measure = view.measures.cards.get(card.ref)
    return measure.progress if measure else None


def write_status(shown: PublicClientView, words: Words) -> tuple[Block, ...]:
    """Return the status page: progress, promised dates, what is next."""
    return (
        Heading(words.say("Where we are"), 2),
        *_running(shown, words),
        Heading(words.say("What is next"), 2),
        *_coming(shown, words),
    )


def _running(shown: PublicClientView, words: Words) -> Iterator[Block]:
    if not shown.running:
        yield Paragraph(words.say("No project is in progress."))
    for project in shown.running:
        done = (
            words.say("{share} done", share=words.percent(project.progress))
            if project.progress is not None
            else ""
        )
        due = (
            words.say("planned for {day}", day=words.date(project.promised))
            if project.promised
            else ""
        )
        parts = [f"**{plain(project.name)}**", _bar(project.progress), done, due]
        yield Bullet(join_parts(parts))


def _bar(share: Decimal | None) -> str:
    if share is None:
        return ""
    full = int(min(Decimal(1), max(Decimal(0), share)) * 10)
    return "▰" * full + "▱" * (10 - full)


def _coming(shown: PublicClientView, words: Words) -> Iterator[Block]:
    if not shown.coming:
        yield Paragraph(words.say("Nothing new is agreed yet."))
    for project in shown.coming:
        start = (
            words.say("starts on {day}", day=words.date(project.start))
            if project.start
            else ""
        )
        name = plain(project.name)
        line = join_parts((f"**{name}**", start))
        yield Bullet(line)


def write_presentation(shown: PublicClientView, words: Words) -> tuple[Block, ...]:
    """Return the presentation: the ideas the agency brings."""
    return (
        Paragraph(
            words.say(
                "Ideas for {client} that we would like to discuss.",
                client=plain(shown.name),
            )
        ),
        *_ideas(shown, words),
    )


def _ideas(shown: PublicClientView, words: Words) -> Iterator[Block]:
    for number, project in enumerate(shown.ideas, 1):
        yield Heading(f"{number}. {plain(project.name)}", 2)
        start = (
            words.say("could start on {day}", day=words.date(project.start))
            if project.start
            else ""
        )
        stage = words.say(STAGES[project.stage])
        yield Paragraph(join_parts((stage, start)))
