"""Risks of deadlines: unlikely to be on time, behind schedule, overdue, without a date, stalled (method 6).

One condition of one card is one row. A row opens with its condition and closes when the condition was absent on two
days; it opens again in the same row after closing by itself, in a new one after a person's closure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from worker.domain.hysteresis import follow, settle
from worker.domain.measures import CardMeasure, Measures, RiskMeasure
from worker.domain.memory import Closing, Occurrence, Track
from worker.domain.messages import message
from worker.domain.model import RUNNING, Card, Row, Stage
from worker.domain.money import round_money
from worker.domain.occurrences import Rules, Sight, advance, name_of, recall
from worker.domain.periods import month_of, week_of
from worker.domain.roles import person_for
from worker.domain.titles import period_title
from worker.domain.values import Ref, Value
from worker.domain.world import World
from worker.mapping.playbooks import Playbooks
from worker.sync.facts import Fact, Input, Outcome, Why

PREFIX = "risk:deadline."
CHANCES = {1: Decimal("0.1"), 2: Decimal("0.3"), 3: Decimal("0.5"), 4: Decimal("0.7"), 5: Decimal("0.9")}
"""PMBOK's probabilities of the five marks (facts/definitions.md, risk)."""


@dataclass(frozen=True, slots=True)
class _Look:
    """One signal of one card today: the condition (None: unknown), how likely it bites (1..5), and why."""

    holds: bool | None
    probability: int = 3
    evidence: str = ""
    threshold: str = ""


NO = _Look(holds=False)
UNKNOWN = _Look(holds=None)


def find_deadline_risks(world: World, playbooks: Playbooks, measures: Measures) -> Outcome:
    """Return the risk rows of all cards, and the occurrences to remember."""
    rules = Rules(gone_days=world.thresholds.risk_gone_days, reuse_row=True)
    rows = {row.key: row for row in reversed(world.rows.get("risks", ())) if row.key}
    known = recall("risks", rows.values(), world.trashed, known=world.memory.occurrences)
    tracks, occurrences = dict(world.memory.tracks), dict(world.memory.occurrences)
    stakes = _stakes(world)
    found: list[RiskMeasure] = []
    facts: list[Fact] = []
    for key, signal, subject in _subjects(known, world):
        card = world.cards.get(subject)
        look = _look(signal, card, measures, world=world)
        before = known.get(key)
        row = rows.get(name_of(key, before.number)) if before else None
        now = advance(before, key, _sight(look, before, row, world=world), rules=rules)
        if now is None:
            continue
        occurrences[key] = now = replace(now, client=str(card.client) if card and card.client else now.client)
        ref = Ref("risks", name_of(key, now.number))
        if now.closed is not None:
            facts += _closing(ref, now, row, world)
        elif card is not None and look.holds:
            own = rows.get(ref.key)
            risk = _risk(ref, signal, card, look=look, row=own, stakes=stakes, world=world, tracks=tracks)
            found.append(risk)
            facts += _facts(risk, now, own, look=look, world=world, playbooks=playbooks, measures=measures,
                            tracks=tracks)
        elif row is not None:
            found.append(_standing(ref, signal, subject, row=row, card=card, today=world.today))
    memory = replace(world.memory, tracks=tracks, occurrences=occurrences)
    return Outcome(tuple(facts), replace(measures, risks=tuple(found)), memory)


def _subjects(known: dict[str, Occurrence], world: World) -> Iterator[tuple[str, str, Ref]]:
    seen = set()
    for ref in world.cards:
        for signal in SIGNALS:
            key = f"risk:{signal}:{ref.key}"
            seen.add(key)
            yield key, signal, ref
    for key in sorted(known):
        if key.startswith(PREFIX) and key not in seen:
            _, signal, subject = key.split(":", 2)
            yield key, signal, Ref("projects", subject)


def _sight(look: _Look, before: Occurrence | None, row: Row | None, *, world: World) -> Sight:
    status = row.fields.get("status") if row else None
    trashed = before is not None and Ref("risks", name_of(before.key, before.number)) in world.trashed
    return Sight(look.holds, world.today, status if isinstance(status, str) else None, trashed=trashed,
                 may_close=not world.memory.first_run)


def _look(signal: str, card: Card | None, measures: Measures, *, world: World) -> _Look:
    if card is None:
        return NO
    measure = measures.cards.get(card.ref)
    if measure is None or not measure.known:
        return UNKNOWN
    if card.stage not in (Stage.AGREED, *RUNNING) or (measure.total and not measure.open):
        return NO
    return SIGNALS[signal](card, measure, world) if signal in SIGNALS else NO


def _p_on_time(card: Card, measure: CardMeasure, world: World) -> _Look:
    if card.stage not in RUNNING or measure.due is None or not measure.total:
        return NO
    if measure.forecast is None or measure.forecast.on_time is None:
        return UNKNOWN
    words, chance = world.words, measure.forecast.on_time
    limit = world.thresholds.on_time.amber
    probability = 5 if chance < limit / 5 else 4 if chance < limit / 2 else 3
    return _Look(chance < limit, probability, words.say(
        "P(on time) {chance} for {due}: half of the runs end by {p50}, 85 % by {p85}.", chance=words.percent(chance),
        due=words.date(measure.due), p50=words.date(measure.forecast.p50), p85=words.date(measure.forecast.p85)),
        f"P(on time) < {limit}")


def _spi(card: Card, measure: CardMeasure, world: World) -> _Look:
    if card.stage not in RUNNING or not measure.total:
        return NO
    if measure.spi_t is None:
        return UNKNOWN
    words, limit = world.words, world.thresholds.spi.amber
    probability = 5 if measure.spi_t < Decimal("0.6") else 4 if measure.spi_t < Decimal("0.7") else 3
    return _Look(measure.spi_t < limit, probability, words.say(
        "SPI(t) {spi}: {progress} of the work is done.", spi=words.number(measure.spi_t, 2),
        progress=words.percent(measure.progress or Decimal(0))), f"SPI(t) < {limit}")


def _overdue(card: Card, measure: CardMeasure, world: World) -> _Look:
    if card.stage not in RUNNING:
        return NO
    words, limit = world.words, world.thresholds.overdue_share
    passed = measure.due is not None and measure.due < world.today
    many = measure.open > 0 and Decimal(measure.overdue) / measure.open >= limit
    items = words.count("{n} overdue item of {open}.", "{n} overdue items of {open}.", measure.overdue,
                        open=measure.open)
    text = words.say("Due {due} has passed.", due=words.date(measure.due)) if passed and measure.due else ""
    return _Look(passed or many, 5 if passed else 4, f"{text} {items}".strip() if measure.total else text,
                 f"due < {world.today} or overdue items >= {limit}")


def _no_due(card: Card, measure: CardMeasure, world: World) -> _Look:
    client = world.clients.get(card.client) if card.client else None
    endless = (card.engagement or (client.engagement if client else None)) == "retainer"
    holds = card.stage in (Stage.AGREED, Stage.IN_PROGRESS) and measure.due is None and not endless
    return _Look(holds, 3, world.words.say("Neither the card nor its open items have a due date."))


def _stalled(card: Card, measure: CardMeasure, world: World) -> _Look:
    if card.stage not in RUNNING or measure.last_activity is None:
        return NO
    days = (world.today - measure.last_activity).days
    limit = world.thresholds.stalled_days
    return _Look(days > limit, 4 if days > 2 * limit else 3, world.words.say(
        "Nothing has moved in Jira since {day}.", day=world.words.date(measure.last_activity)), f"days > {limit}")


SIGNALS: dict[str, Callable[[Card, CardMeasure, World], _Look]] = {
    "deadline.p_on_time": _p_on_time, "deadline.spi": _spi, "deadline.overdue": _overdue, "deadline.no_due": _no_due,
    "deadline.stalled": _stalled}

TITLES = {
    "deadline.p_on_time": message("{card}: unlikely to be on time"),
    "deadline.spi": message("{card}: behind schedule"),
    "deadline.overdue": message("{card}: overdue"),
    "deadline.no_due": message("{card}: no due date"),
    "deadline.stalled": message("{card}: work has stopped"),
}


def _stakes(world: World) -> dict[Ref, Decimal]:
    """Return the committed money of every client: budgets of agreed and running cards, and a quarter of fees."""
    sums: dict[Ref, Decimal] = defaultdict(Decimal)
    for card in world.cards.values():
        if card.client and card.budget and card.stage in (Stage.AGREED, *RUNNING):
            sums[card.client] += card.budget
    for ref, client in world.clients.items():
        sums[ref] += 3 * (client.monthly_fee or Decimal(0))
    return sums


def _risk(ref: Ref, signal: str, card: Card, *, look: _Look, row: Row | None, stakes: dict[Ref, Decimal],
          world: World, tracks: dict[str, Track]) -> RiskMeasure:
    stake = _stake(card, world)
    impact = _impact(stake, stakes.get(card.client, Decimal(0)) if card.client else Decimal(0))
    held = settle(tracks.get(f"{ref}#probability"), str(look.probability), world.today)
    chance = _effective("probability", int(held.value), ref, row=row, tracks=tracks)
    weight = _effective("impact", impact, ref, row=row, tracks=tracks)
    tracks[f"{ref}#probability"] = held
    tracks[f"{ref}#impact"] = follow(tracks.get(f"{ref}#impact"), str(impact), world.today)
    score = chance * weight
    tracks[f"{ref}#score"] = follow(tracks.get(f"{ref}#score"), str(score), world.today)
    level = "high" if score >= 15 else "medium" if score >= 8 else "low"
    return RiskMeasure(ref, signal, world.words.say(TITLES[signal], card=card.name), card.client, card.ref, chance,
                       weight, level, round_money(CHANCES[chance] * stake) if stake else None, look.evidence,
                       _asleep(row, world.today))


def _stake(card: Card, world: World) -> Decimal:
    client = world.clients.get(card.client) if card.client else None
    return card.budget or 3 * ((client.monthly_fee if client else None) or Decimal(0))


def _impact(stake: Decimal, committed: Decimal) -> int:
    """Mark 2..5 by the share of the client's committed money (bands 10, 20, 40 %); 3 when no money is known."""
    if not stake or not committed:
        return 3
    part = stake / committed
    return 5 if part > Decimal("0.4") else 4 if part > Decimal("0.2") else 3 if part > Decimal("0.1") else 2


def _effective(field: str, desired: int, ref: Ref, *, row: Row | None, tracks: dict[str, Track]) -> int:
    """Return the mark that will stand: a person's own, recognised as being not what was last written, or ours."""
    current = row.fields.get(field) if row else None
    if not isinstance(current, Decimal) or not 1 <= current <= 5:
        return desired
    written = tracks.get(f"{ref}#{field}")
    ours = written is not None and Decimal(written.value) == current
    return desired if ours else int(current)


def _standing(ref: Ref, signal: str, subject: Ref, *, row: Row, card: Card | None, today: date) -> RiskMeasure:
    """Return an open risk as its row tells it: its condition is not seen now, but it has not closed either."""
    marks = [row.fields.get(name) for name in ("probability", "impact")]
    chance, weight = (int(mark) if isinstance(mark, Decimal) else 1 for mark in marks)
    return RiskMeasure(ref, signal, row.title, card.client if card else None, subject, chance, weight,
                       str(row.fields.get("level") or "low"), None, str(row.fields.get("evidence") or ""),
                       _asleep(row, today))


def _asleep(row: Row | None, today: date) -> bool:
    until = row.fields.get("snooze_until") if row else None
    if isinstance(until, date):
        return until > today
    return row is not None and row.fields.get("status") == "snoozed"


def _closing(ref: Ref, now: Occurrence, row: Row | None, world: World) -> Iterator[Fact]:
    if now.closing is Closing.CONDITION and row is not None:
        text = world.words.say("closed by itself: the condition is gone since {day}",
                               day=world.words.date(now.gone or world.today))
        yield Fact(ref, "status", "closed", Why("deadlines", (), text, f"days >= {world.thresholds.risk_gone_days}"))


def _facts(risk: RiskMeasure, now: Occurrence, row: Row | None, *, look: _Look, world: World, playbooks: Playbooks,
           measures: Measures, tracks: dict[str, Track]) -> Iterator[Fact]:
    say, card = world.words.say, world.cards[risk.card]
    inputs = (Input(say("card"), card.name, card.url), Input(say("evidence"), risk.evidence),
              Input(say("budget"), str(card.budget or "-")))
    formulas = {"score": say("probability x impact"), "level": say("1-6 low, 8-12 medium, 15-25 high"),
                "exposure": say("probability x money at stake"),
                "impact": say("share of the client's committed money")}
    values = _values(risk, now, world=world, measures=measures, tracks=tracks)
    if not risk.asleep:
        values["status"] = "open"
    for name, value in values.items():
        yield Fact(risk.ref, name, value, Why("deadlines", inputs, formulas.get(name, look.evidence), look.threshold))
    if row is None:
        yield from _answers(risk, world, playbooks, inputs=inputs)


def _values(risk: RiskMeasure, now: Occurrence, *, world: World, measures: Measures,
            tracks: dict[str, Track]) -> dict[str, Value]:
    client = world.clients.get(risk.client) if risk.client else None
    changed = max(tracks[f"{risk.ref}#score"].since, now.opened or world.today)
    return {"name": risk.title, "kind": "deadline", "signal": risk.signal,
            "client": (risk.client,) if risk.client else (),
            "unit": (client.unit,) if client and client.unit else (), "project": (risk.card,),
            "probability": Decimal(risk.probability), "impact": Decimal(risk.impact), "score": Decimal(risk.score),
            "level": risk.level, "exposure": risk.exposure, "evidence": risk.evidence, "first_seen": now.opened,
            "last_change": changed, "horizon": measures.cards[risk.card].due}


def _answers(risk: RiskMeasure, world: World, playbooks: Playbooks, *, inputs: tuple[Input, ...]) -> Iterator[Fact]:
    """State the response of a new risk: its dated steps, its owner and the day to look again."""
    response = playbooks.responses.get(risk.signal)
    if response is None:
        return
    why = Why("deadlines", inputs, world.words.say("the playbook's response to this signal"))
    lines = [_step(world.calendar.add(world.today, step.days), step.in_locale(world.words.locale), world)
             for step in response.steps]
    owner = person_for(response.role, risk.client, world)
    yield Fact(risk.ref, "steps", "\n".join(lines), why)
    yield Fact(risk.ref, "owner", (owner,) if owner else (), why)
    yield Fact(risk.ref, "review", world.calendar.add(world.today + timedelta(days=1), response.review), why)


def _step(day: date, text: str, world: World) -> str:
    words = world.words
    return f"{period_title(month_of(day), words)} · {period_title(week_of(day), words)} · {words.date(day)}: {text}"
