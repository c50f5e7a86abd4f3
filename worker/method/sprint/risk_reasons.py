"""Why each field of a risk's row has its value: the figures of its own formula (docs/method.md 6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from worker.mapping.playbooks import Response
from worker.method.figures import show_day, show_money, show_text
from worker.method.formulas.inputs import name_rows
from worker.method.measures import Condition, RiskMeasure
from worker.plan.facts import Input, Why
from worker.world.world import World

BANDS = (Decimal("0.1"), Decimal("0.2"), Decimal("0.4"))
"""Shares of the money above which an impact is 3, 4 and 5."""


class Marked(msgspec.Struct, frozen=True, gc=False):
    """A risk with what its marks were made from.

    `stake` is the money that may be lost, `whole` what it is weighed against, `chance` that of the probability's mark;
    `changed` the last day its score changed.
    """

    risk: RiskMeasure
    condition: Condition
    stake: Decimal
    whole: Decimal
    chance: Decimal
    changed: date


def give_reasons(marked: Marked, world: World) -> dict[str, Why]:
    """Return the reason of every field that is kept true while the condition holds."""
    say = world.words.say
    risk = marked.risk
    condition = marked.condition
    about = _why(
        [show_text(say("signal"), risk.signal), *_rows(condition, world)],
        say("the condition, and what it is about"),
    )
    seen = _why(
        _seen(condition, world),
        condition.formula or condition.evidence,
        condition.threshold,
    )
    reasons = dict.fromkeys(
        ("name", "kind", "signal", "client", "unit", "project"), about
    )
    reasons["probability"] = reasons["evidence"] = seen
    reasons["impact"] = _impact(marked, world)
    reasons["exposure"] = _exposure(marked, world)
    reasons["score"] = _why(
        (
            show_text(say("probability"), risk.probability),
            show_text(say("impact"), risk.impact),
        ),
        say("probability × impact"),
    )
    reasons["level"] = _why(
        (show_text(say("risk score"), risk.score),),
        say("1–6 low, 8–12 medium, 15–25 high"),
    )
    reasons["first_seen"] = _why(
        (show_day(say("first seen"), risk.first_seen),),
        say("the day the condition opened this row"),
    )
    reasons["last_change"] = _why(
        (
            show_text(say("risk score"), risk.score),
            show_day(say("since"), marked.changed),
        ),
        say("the day the risk score became what it is, or the row opened"),
    )
    reasons["horizon"] = _why(
        (*_rows(condition, world), show_day(say("day"), condition.horizon)),
        say("the day the condition bites"),
    )
    reasons["status"] = _why(
        (show_text(say("signal"), risk.signal), show_day(say("today"), world.today)),
        say("open while the condition holds, unless people closed or snoozed it"),
        say("days ≥ {limit}", limit=world.thresholds.risk_gone_days),
    )
    return reasons


def give_answers(marked: Marked, response: Response, world: World) -> dict[str, Why]:
    """Return the reasons of a new risk's steps, owner and review."""
    say = world.words.say
    signal = show_text(say("signal"), marked.risk.signal)
    days = [str(step.days) for step in response.steps]
    return {
        "steps": _why(
            (signal, Input(say("working days from today"), ", ".join(days))),
            say("the playbook's response to this signal"),
        ),
        "owner": _why(
            (
                signal,
                show_text(say("role"), response.role),
                *_rows(marked.condition, world),
            ),
            say("who has the role of the playbook's response for the client"),
        ),
        "review": _why(
            (signal, show_text(say("working days"), response.review)),
            say("working days of the playbook's response after tomorrow"),
        ),
    }


def _why(inputs: Iterable[Input], formula: str, threshold: str = "") -> Why:
    return Why("riskmap", tuple(inputs), formula, threshold)


def _rows(condition: Condition, world: World) -> list[Input]:
    return name_rows(condition.card, condition.client, world)


def _seen(condition: Condition, world: World) -> list[Input]:
    inputs = _rows(condition, world)
    inputs.append(Input(world.words.say("evidence"), condition.evidence))
    for line in condition.inputs:
        given = Input(*line)
        if given not in inputs:
            inputs.append(given)
    return inputs


def _impact(marked: Marked, world: World) -> Why:
    words = world.words
    say = words.say
    condition = marked.condition
    if condition.impact is not None:
        mark = show_text(say("impact"), condition.impact)
        return _why((mark,), say("fixed for this signal"))
    formula = say("share of the money all clients have committed")
    if condition.card is not None:
        formula = say("share of the client's committed money")
    return _why(
        (
            show_money(say("money at stake"), marked.stake or None, words),
            show_money(say("committed"), marked.whole or None, words),
        ),
        formula,
        " / ".join(words.share(band) for band in BANDS),
    )


def _exposure(marked: Marked, world: World) -> Why:
    words = world.words
    say = words.say
    return _why(
        (
            Input(say("chance of this probability"), words.percent(marked.chance)),
            show_money(say("money at stake"), marked.stake or None, words),
        ),
        say("probability × money at stake"),
    )
