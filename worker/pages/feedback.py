"""What clients said of every member in a quarter: the head of accounting's own page, under the private root alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Heading,
    Paragraph,
    bold,
    link,
    plain,
)
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.method.measures import FeedbackMeasure
from worker.pages.view import View, join_parts

TRENDS = {
    "up": message("rising"),
    "flat": message("steady"),
    "down": message("falling"),
}


def write_feedback(view: View, past: Period) -> tuple[Block, ...]:
    """Return the page of a quarter: the team first, then every member, each with what was said, oldest first."""
    said: dict[Ref | None, list[FeedbackMeasure]] = defaultdict(list)
    for one in view.measures.feedback or ():
        if one.day in past:
            said[one.person].append(one)
    head = view.say(
        "Feedback of {period}. Private: tell each member in person.",
        period=bold(period_title(past, view.words)),
    )
    nothing = (
        (Paragraph(view.say("Clients said nothing in this quarter.")),)
        if not said
        else ()
    )
    people = sorted(
        (ref for ref in said if ref is not None),
        key=lambda ref: view.names((ref,)).casefold(),
    )
    order = ([None] if None in said else []) + list(people)
    return (
        Callout(head, "🔒", "red_background"),
        *nothing,
        *(block for ref in order for block in _member(view, ref, said[ref])),
    )


def _member(
    view: View, person: Ref | None, said: list[FeedbackMeasure]
) -> Iterator[Block]:
    yield Heading(view.names((person,)) if person else view.say("The team as a whole"))
    mean = sum((one.score for one in said), Decimal(0)) / len(said)
    trend = view.say(TRENDS[said[-1].trend]) if said[-1].trend in TRENDS else ""
    told = view.words.count(
        "{n} entry, mean score {mean} of 5",
        "{n} entries, mean score {mean} of 5",
        len(said),
        mean=view.words.number(mean, 1),
    )
    yield Paragraph(join_parts((told, trend)))
    yield from (Bullet(_entry(view, one)) for one in said)


def _entry(view: View, one: FeedbackMeasure) -> str:
    client = view.world.client(one.client)
    mark = "🔴 " if one.negative else ""
    head = f"{mark}{link(view.date(one.day), one.url)} · {bold(view.words.number(one.score, 1))}"
    parts = (head, link(client.name, client.url) if client else "", plain(one.text))
    return join_parts(parts)
