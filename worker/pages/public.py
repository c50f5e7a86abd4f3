"""The two pages for a client's eyes. They are written from `PublicClientView` alone, and that holds nothing internal.

No money, load, risk, health or reason has a place in it, and of people only the name of the one to call; what is not on this list cannot reach a client. Nor is
a field's name enough: what a person gave may be shown, and the share done, but nothing that was taken over from Jira.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import msgspec

from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Heading,
    Paragraph,
    bold,
    plain,
)
from worker.domain.entities import RUNNING, Card, Client, Stage
from worker.domain.messages import STAGES, message
from worker.domain.words import Words
from worker.pages.view import View, is_doubtful, join_parts

OFFERED = (Stage.SHAPING, Stage.PROPOSAL)
"""Stages at which a card is brought to its client; one at `idea` only once the growth group accepted it."""
DECIDED = ("for_group", "presented", "accepted")
"""What a growth group takes for a client stands at one of these; what it rejects leaves them."""
INTERNAL = ("feedback",)


STATUS, PRESENTATION = "status", "presentation"
"""The kinds of pages for a client's eyes."""


class PublicProject(msgspec.Struct, frozen=True, gc=False):
    """A project as its client may see it: name, share done 0..1, and the dates that people gave.

    A promised date that is rather missed than held is `under_review`: it stands as what was last agreed, not as a promise.
    """

    name: str
    stage: Stage
    progress: Decimal | None = None
    promised: date | None = None
    start: date | None = None
    under_review: bool = False


class PublicClientView(msgspec.Struct, frozen=True, gc=False):
    """All that a client may see: the allow-list. `contact` is the name of the client's account manager."""

    name: str
    running: tuple[PublicProject, ...] = ()
    coming: tuple[PublicProject, ...] = ()
    ideas: tuple[PublicProject, ...] = ()
    contact: str = ""


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
                is_doubtful(view.measure_of(card)),
            )
            projects.append(project)
    return PublicClientView(
        client.name,
        tuple(project for project in projects if project.stage in RUNNING),
        tuple(project for project in projects if project.stage is Stage.AGREED),
        _final_set(view, client),
        _contact(view, client),
    )


def pages_for(view: View, client: Client, shown: PublicClientView) -> dict[str, str]:
    """Return the pages that a client's row asks for, each kind with its title."""
    titles = {}
    if client.status_page:
        titles[STATUS] = view.say("Status · {client}", client=client.name)
    if client.presentation and shown.ideas:
        titles[PRESENTATION] = view.say("Ideas · {client}", client=client.name)
    return titles


def _contact(view: View, client: Client) -> str:
    """Return whom the client calls: the account manager of its unit."""
    unit = view.world.unit(client.unit)
    if unit is None or not unit.am:
        return ""
    manager = view.world.person(unit.am[0])
    if manager is None:
        return ""
    return manager.name


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


def write_status(
    shown: PublicClientView, words: Words, today: date
) -> tuple[Block, ...]:
    """Return the status page: the cover, progress, the next dates, what comes after, and whom to call."""
    return (
        _cover(shown, words),
        Heading(words.say("Where we are"), 2),
        *_running(shown, words),
        *_dates(shown, words, today),
        Heading(words.say("What is next"), 2),
        *_coming(shown, words),
        *_whom_to_call(shown, words),
    )


def _cover(shown: PublicClientView, words: Words) -> Block:
    number = len(shown.running)
    running = words.count("{n} project in progress", "{n} projects in progress", number)
    cover = join_parts((bold(shown.name), running))
    return Callout(cover, "🤝", "blue_background")


def _dates(shown: PublicClientView, words: Words, today: date) -> Iterator[Block]:
    """Yield the dates ahead, the nearest first."""
    ahead = []
    for day, name, event in _events(shown):
        if day is not None and day >= today:
            ahead.append((day, name, event))
    if not ahead:
        return
    ahead.sort()
    yield Heading(words.say("Next dates"), 2)
    for day, name, event in ahead:
        what = words.say(event, project=plain(name))
        yield Bullet(f"**{words.date(day)}** — {what}")


def _events(shown: PublicClientView) -> Iterator[tuple[date | None, str, str]]:
    """Yield day, project and what happens then; a date under review is none."""
    for project in shown.running:
        if not project.under_review:
            yield project.promised, project.name, message("result of “{project}”")
    for project in shown.coming:
        yield project.start, project.name, message("start of “{project}”")


def _whom_to_call(shown: PublicClientView, words: Words) -> Iterator[Block]:
    if not shown.contact:
        return
    yield Heading(words.say("Whom to call"), 2)
    role = words.say("your account manager")
    yield Bullet(join_parts((f"**{plain(shown.contact)}**", role)))


def _running(shown: PublicClientView, words: Words) -> Iterator[Block]:
    if not shown.running:
        yield Paragraph(words.say("No project is in progress."))
    for project in shown.running:
        done = (
            words.say("{share} done", share=words.percent(project.progress))
            if project.progress is not None
            else ""
        )
        due = _due(project, words)
        parts = [f"**{plain(project.name)}**", _bar(project.progress), done, due]
        yield Bullet(join_parts(parts))


def _due(project: PublicProject, words: Words) -> str:
    if project.promised is None:
        return ""
    day = words.date(project.promised)
    if project.under_review:
        return words.say("last agreed for {day}, date under review", day=day)
    return words.say("planned for {day}", day=day)


def _bar(share: Decimal | None) -> str:
    if share is None:
        return ""
    full = int(min(Decimal(1), max(Decimal(0), share)) * 10)
    return "▰" * full + "▱" * (10 - full)


def _coming(shown: PublicClientView, words: Words) -> Iterator[Block]:
    if not shown.coming:
        nothing = words.say("Nothing new is agreed yet.")
        yield Paragraph(nothing)
    for project in shown.coming:
        name = plain(project.name)
        start = ""
        if project.start:
            day = words.date(project.start)
            start = words.say("starts on {day}", day=day)
        line = join_parts((f"**{name}**", start))
        yield Bullet(line)


def write_presentation(shown: PublicClientView, words: Words) -> tuple[Block, ...]:
    """Return the presentation: the cover, and the ideas the agency brings."""
    cover = words.say(
        "Ideas for {client} that we would like to discuss.", client=bold(shown.name)
    )
    return (Callout(cover, "💡", "blue_background"), *_ideas(shown, words))


def _ideas(shown: PublicClientView, words: Words) -> Iterator[Block]:
    for number, project in enumerate(shown.ideas, 1):
        yield Heading(f"{number}. {plain(project.name)}", 2)
        start = (
            words.say("could start on {day}", day=words.date(project.start))
            if project.start
            else ""
        )
        stage = ""
        if project.stage is not Stage.IDEA:
            stage = words.say(STAGES[project.stage])
        line = join_parts((stage, start))
        if line:
            yield Paragraph(line[:1].upper() + line[1:])
