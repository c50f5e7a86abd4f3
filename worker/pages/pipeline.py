"""The pipeline of newbiz on the portfolio page, for the head of newbiz; the arithmetic is `worker.method.money.pipeline`'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from worker.domain.document import Block, Bullet, bold, link, plain
from worker.domain.messages import message, stage_label
from worker.domain.period_titles import period_name
from worker.domain.values import Ref
from worker.method.formulas.rays import start_of
from worker.method.outlook import Feed, Pipeline, StageValue
from worker.pages.view import NONE, View, client_link, first_lines, join_parts

MOST = 10


def write_pipeline(view: View) -> Iterator[Block]:
    """Yield the section, where there are newbiz clients."""
    pipeline = view.measures.pipeline
    if pipeline is None:
        return
    yield view.heading("Pipeline")
    if pipeline.feed is not None:
        yield from _feed(view, pipeline.feed)
    yield view.paragraph("All cards by stage, whenever they are to start:")
    yield _stages(view, pipeline)
    yield Bullet(_wins(view, pipeline))
    yield from _cards(view, message("To start this month or earlier:"), pipeline.due)
    still = message("No move for {days} days and more:")
    yield from _cards(view, still, pipeline.still)


def _feed(view: View, feed: Feed) -> Iterator[Block]:
    yield view.paragraph(
        "Target of newbiz for {quarter}: {target}.",
        quarter=period_name(feed.quarter, view.words),
        target=bold(view.money(feed.target)),
    )
    parts = [
        (message("Recognised"), feed.fact),
        (message("Committed"), feed.committed),
        (message("Weighted pipeline"), feed.weighted),
    ]
    if feed.short:
        missing = (message("Missing"), feed.short)
        parts.append(missing)
    amounts = view.whole([amount for _, amount in parts])
    rows = []
    for (name, _), amount in zip(parts, amounts, strict=True):
        row = (view.say(name), view.money(amount))
        rows.append(row)
    total = (_together(view), _total(view, amounts))
    header = (message("Money"), message("Amount"))
    yield view.table(header, (*rows, total))


def _together(view: View) -> str:
    return bold(view.say("Together"))


def _total(view: View, amounts: Iterable[Decimal]) -> str:
    total = sum(amounts, Decimal(0))
    return bold(view.money(total))


def _stages(view: View, pipeline: Pipeline) -> Block:
    stages = pipeline.stages
    values = view.whole([stage.value for stage in stages])
    weighted = view.whole([stage.weighted for stage in stages])
    rows = []
    for stage, value, part in zip(stages, values, weighted, strict=True):
        days = NONE
        if stage.days is not None:
            days = view.number(stage.days, 0)
        row = (
            stage_label(stage.stage, view.words),
            _count(view, stage),
            view.money(value),
            view.money(part),
            days,
        )
        rows.append(row)
    cards = sum(stage.cards for stage in stages)
    total = (
        _together(view),
        str(cards),
        _total(view, values),
        _total(view, weighted),
        "",
    )
    return view.table(
        (
            message("Stage"),
            message("Cards"),
            message("Value"),
            message("Weighted"),
            message("Days at the stage"),
        ),
        (*rows, total),
    )


def _count(view: View, stage: StageValue) -> str:
    unvalued = ""
    if stage.unvalued:
        unvalued = view.say("{n} without a budget", n=stage.unvalued)
    return join_parts((str(stage.cards), unvalued))


def _wins(view: View, pipeline: Pipeline) -> str:
    since = view.date(pipeline.since)
    if pipeline.win_rate is None:
        return view.say("No decision was seen since {day}: no win rate yet.", day=since)
    return view.say(
        "Win rate since {day}: {rate}, {won} of {decided} decided.",
        day=since,
        rate=bold(view.percent(pipeline.win_rate)),
        won=pipeline.won,
        decided=pipeline.decided,
    )


def _cards(view: View, title: str, refs: Iterable[Ref]) -> Iterator[Block]:
    lines = []
    for ref in refs:
        card = view.world.cards[ref]
        start = start_of(card)
        day = ""
        if start is not None:
            day = view.say("starts {day}", day=view.date(start))
        parts = (
            link(card.name, card.url),
            client_link(view, card.client),
            plain(stage_label(card.stage, view.words)),
            day,
        )
        lines.append(join_parts(parts))
    if lines:
        days = view.world.thresholds.next_step_days
        name = view.say(title, days=days)
        below = first_lines(view, lines, MOST)
        yield Bullet(name, below)
