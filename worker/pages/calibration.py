"""What forecasts were worth, on the portfolio page; the arithmetic is `worker.method.hindsight`'s."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from worker.domain.document import Block, Bullet, Picture, bold, plain
from worker.domain.messages import message
from worker.domain.periods import Grain
from worker.domain.values import Ref
from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import (
    ENOUGH,
    Brier,
    Calibration,
    Group,
    Odds,
    Punctuality,
    Takings,
)
from worker.pages.pictures import chart_odds
from worker.pages.view import NONE, View

LIKELY = Decimal("0.5")
SAFE = Decimal("0.85")
STEP = Decimal("0.05")


MONEY = {
    Grain.MONTH: message("Forecasts of months"),
    Grain.QUARTER: message("Forecasts of quarters"),
}


def write_calibration(view: View) -> Iterator[Block]:
    """Yield the section."""
    calibration = view.measures.calibration
    if calibration is None:
        return
    yield view.heading("What forecasts were worth")
    yield from _cards(view, calibration)
    yield from _chart(view, calibration.odds)
    yield _starts(view, calibration.starts)
    for grain, takings in view.measures.takings.items():
        yield _takings(view, MONEY[grain], takings)
    yield from _risks(view)


def _cards(view: View, calibration: Calibration) -> Iterator[Block]:
    if calibration.outcomes < ENOUGH:
        yield _too_early(view, calibration.outcomes)
        return
    yield Bullet(_kept(view, SAFE, calibration.safe))
    yield Bullet(_kept(view, LIKELY, calibration.likely))
    yield from _late(view, calibration.late)
    yield from _corrected(view, calibration)
    yield _groups(view, calibration.groups)
    odds = calibration.odds
    if odds.brier is None:
        yield view.paragraph("On-time chances:")
        yield _too_early(view, odds.count)
        return
    text = message("On-time chances")
    yield Bullet(_scored(view, text, odds.brier))
    yield _deciles(view, message("On time"), odds)


def _chart(view: View, odds: Odds) -> Iterator[Block]:
    chart = chart_odds(view, odds)
    if chart is None:
        return
    caption = view.say(
        "A point on the line was kept as often as told; below it, less often. "
        "The bars are the intervals of what was counted."
    )
    yield Picture(chart, caption)


def _starts(view: View, starts: Punctuality) -> Block:
    title = view.say("Expected starts of proposals")
    share = starts.kept
    if share.tries < ENOUGH or starts.late is None:
        return _early(view, title, share.tries)
    text = message("kept {share}; on the mean work began {days} d later")
    if starts.late < 0:
        text = message("kept {share}; on the mean work began {days} d earlier")
    days = view.number(abs(starts.late))
    kept = view.say(text, share=tell_share(view, share), days=days)
    return Bullet(f"{title}: {kept}.")


def _takings(view: View, name: str, takings: Takings) -> Block:
    title = view.say(name)
    share = takings.sure
    bias = takings.bias
    if share.tries < ENOUGH or bias is None:
        return _early(view, title, share.tries)
    text = message(
        "at least the sure part came {share}; on the mean {amount} more came than told ({part})"
    )
    if bias.mean < 0:
        text = message(
            "at least the sure part came {share}; on the mean {amount} less came than told ({part})"
        )
    part = NONE
    if bias.share is not None:
        part = view.percent(abs(bias.share))
    came = view.say(
        text,
        share=tell_share(view, share),
        amount=view.money(abs(bias.mean)),
        part=part,
    )
    return Bullet(f"{title}: {came}.")


def _risks(view: View) -> Iterator[Block]:
    odds = view.measures.risk_odds
    if odds is None:
        return
    title = message("Probabilities of risks")
    if odds.brier is None:
        yield _early(view, view.say(title), odds.count)
        return
    yield Bullet(_scored(view, title, odds.brier))
    yield _deciles(view, message("Came true"), odds)


def _early(view: View, title: str, count: int) -> Block:
    early = tell_early(view, count)
    return Bullet(f"{title}: {early}")


def _too_early(view: View, count: int) -> Block:
    return view.paragraph("Too early to tell ({n} of {all}).", n=count, all=ENOUGH)


def _kept(view: View, nominal: Decimal, share: Share) -> str:
    """Return how often dates were kept, and how to read them where that is not as told."""
    values = {
        "told": view.percent(nominal),
        "share": bold(view.percent(share.value)),
        "counted": _counted(view, share),
    }
    if share.holds(nominal):
        return view.say(
            "{told} dates were kept {share} of the time ({counted}): read them as they stand.",
            **values,
        )
    read = round(share.value / STEP) * STEP
    return view.say(
        "{told} dates were kept {share} of the time ({counted}): read them as {read}.",
        read=view.percent(read),
        **values,
    )


def _counted(view: View, share: Share) -> str:
    return view.say(
        "{n} of {all}, interval {low} to {high}",
        n=share.hits,
        all=share.tries,
        low=view.percent(share.low),
        high=view.percent(share.high),
    )


def _late(view: View, late: Decimal | None) -> Iterator[Block]:
    if late is None:
        return
    days = view.number(abs(late))
    text = message("On the mean work ended {days} d after its likely date (P50).")
    if late < 0:
        text = message("On the mean work ended {days} d before its likely date (P50).")
    yield Bullet(view.say(text, days=days))


def _corrected(view: View, calibration: Calibration) -> Iterator[Block]:
    correction = calibration.correction
    if correction is None:
        return
    before = float(correction.before)
    after = float(correction.after)
    text = message(
        "A correction learnt on the first half of the outcomes did not do better on the second: none is shown."
    )
    if correction.is_better:
        text = message(
            "A correction learnt on the first half of the outcomes did better on the second "
            "(loss of {after} d instead of {before} d): it stands beside P85 on each card."
        )
    yield Bullet(
        view.say(
            text, before=view.words.number(before, 2), after=view.words.number(after, 2)
        )
    )


def _groups(view: View, groups: tuple[Group, ...]) -> Block:
    rows = []
    for group in groups:
        row = _group(view, group)
        rows.append(row)
    header = (
        message("Unit or service"),
        message("P85 kept"),
        message("Days after P50, mean"),
    )
    return view.table(header, rows)


def _group(view: View, group: Group) -> tuple[str, ...]:
    name = plain(_name(view, group.ref))
    share = group.kept
    if share.tries < ENOUGH:
        return name, tell_early(view, share.tries), NONE
    kept = tell_share(view, share)
    late = NONE
    if group.late is not None:
        late = view.number(group.late)
    return name, kept, late


def tell_early(view: View, count: int) -> str:
    """Return that so many outcomes tell nothing yet."""
    return view.say("too early to tell ({n} of {all})", n=count, all=ENOUGH)


def tell_share(view: View, share: Share) -> str:
    """Return a share with what it was counted from and its interval."""
    counted = _counted(view, share)
    return f"{view.percent(share.value)} ({counted})"


def _name(view: View, owner: Ref) -> str:
    service = view.world.service(owner)
    if service is not None:
        return service.name
    return view.unit_name(owner)


def _scored(view: View, title: str, brier: Brier) -> str:
    def number(value: Fraction) -> str:
        return view.words.number(float(value), 3)

    return view.say(
        "{title}, Brier score {score} (0 is best): reliability {reliability} − resolution {resolution} "
        "+ uncertainty {uncertainty} + within tenths {within}.",
        title=view.say(title),
        score=bold(number(brier.score)),
        reliability=number(brier.reliability),
        resolution=number(brier.resolution),
        uncertainty=number(brier.uncertainty),
        within=number(brier.within),
    )


def _deciles(view: View, came: str, odds: Odds) -> Block:
    rows = []
    for own in odds.bins:
        told = view.words.percent(float(own.told))
        share = own.came
        counted = _counted(view, share)
        row = (told, view.percent(share.value), counted)
        rows.append(row)
    header = (message("Chance told"), came, message("Counted"))
    return view.table(header, rows)
