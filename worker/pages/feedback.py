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
from worker.domain.period_titles import period_name
from worker.domain.periods import Period
from worker.domain.values import Ref
from worker.method.measures import FeedbackMeasure
from worker.pages.view import View, client_link, join_parts

TRENDS = {
    "up": message("rising"),
    "flat": message("steady"),
    "down": message("falling"),
}


def write_feedback(view: View, past: Period) -> tuple[Block, ...]:
    """Return the page of a quarter: the team first, then every member, each with what was said, oldest first."""
    entries: dict[Ref | None, list[FeedbackMeasure]] = defaultdict(list)
    for entry in view.measures.feedback or ():
        if entry.day in past:
            entries[entry.person].append(entry)
    head = view.say(
        "Feedback of {period}. Private: tell each member in person.",
        period=bold(period_name(past, view.words)),
    )
    blocks: list[Block] = [Callout(head, "🔒", "red_background")]
    if not entries:
        blocks.append(view.paragraph("Clients said nothing in this quarter."))
    if None in entries:
        team = view.say("The team as a whole")
        blocks += _about(view, team, entries[None])

    names = {ref: view.names((ref,)) for ref in entries if ref is not None}
    for ref in sorted(names, key=lambda ref: names[ref].casefold()):
        blocks += _about(view, names[ref], entries[ref])
    return tuple(blocks)


def _about(view: View, name: str, entries: list[FeedbackMeasure]) -> Iterator[Block]:
    """Yield what was said of a member, or of the team: how many entries, their mean score and trend, and each."""
    scores = [entry.score for entry in entries]
    mean = sum(scores, Decimal(0)) / len(scores)
    trend = entries[-1].trend
    count = view.count(
        "{n} entry, average mark {mean} of 5",
        "{n} entries, average mark {mean} of 5",
        len(entries),
        mean=view.number(mean, 1),
    )

    yield Heading(name)
    yield Paragraph(
        join_parts((count, view.say(TRENDS[trend]) if trend in TRENDS else ""))
    )
    for entry in entries:
        yield Bullet(_entry_line(view, entry))


def _entry_line(view: View, entry: FeedbackMeasure) -> str:
    mark = "🔴 " if entry.negative else ""
    day = link(view.date(entry.day), entry.url)
    parts = (
        f"{mark}{day}",
        bold(view.number(entry.score, 1)),
        client_link(view, entry.client),
        plain(entry.text),
    )
    return join_parts(parts)
