"""The risk map: every condition the chapters looked at is one row while it lasts (docs/method.md 6.1).

A row opens with its condition and closes when the condition was absent on two days; it opens again in the same row
after closing by itself, in a new one after a person's closure. What a person wrote into a mark stands; their own lines
are never touched.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.money import round_money
from worker.domain.values import Ref, Value
from worker.mapping.playbooks import Playbooks, Response
from worker.method.figures import show_day
from worker.method.formulas.bands import CHANCES, mark_above
from worker.method.formulas.hysteresis import debounce, follow, to_change
from worker.method.formulas.occurrences import Rules, Sight, advance, name_of, recall
from worker.method.formulas.roles import person_for
from worker.method.formulas.stakes import committed_money
from worker.method.formulas.steps import read_steps, write_steps
from worker.method.measures import Condition, RiskMeasure, Step
from worker.method.run import Findings
from worker.method.sprint.risk_reasons import Marked, give_answers, give_reasons
from worker.plan.facts import Fact, Why
from worker.world.memory import Closing, Occurrence, Track
from worker.world.rows import RiskRow, by_key, is_asleep, read_key, risk_key
from worker.world.world import World

KINDS = ("team", "money", "deadline", "other")
MARKS = ("1", "2", "3", "4", "5")


@dataclass(slots=True)
class _RiskRows:
    """What one run works on: rows by key, what is remembered, and the money at stake."""

    world: World
    rows: dict[str, RiskRow]
    known: dict[str, Occurrence]
    tracks: ChainMap[str, Track]
    committed: Mapping[Ref, Decimal]
    portfolio: Decimal
    playbooks: Playbooks
    answered: frozenset[str]


def plan_risks(
    world: World,
    playbooks: Playbooks,
    conditions: Iterable[Condition],
    *,
    is_whole: bool,
) -> Findings[tuple[RiskMeasure, ...] | None]:
    """Return the risk rows of all conditions, and the occurrences to remember.

    `is_whole` is false when a rule failed: then a condition nobody spoke of is not known to be gone.
    """
    board = _board_of(world, playbooks)
    occurrences: dict[str, Occurrence] = {}
    risks: list[RiskMeasure] = []
    facts: list[Fact] = []
    for key, condition in _conditions(board, conditions, is_whole=is_whole):
        if not condition.holds and key not in board.known:
            continue
        now = _advanced(board, key, condition)
        if now is None:
            continue
        client = condition.client
        occurrences[key] = now = replace(
            now, client=str(client) if client else now.client
        )
        ref = Ref("risks", name_of(key, now.number))
        own = board.rows.get(ref.key)
        if now.closed is not None:
            facts += _closing(ref, now, own, world)
        elif condition.holds:
            risk = _risk(board, ref, condition, now=now)
            risks.append(risk)
            facts += _facts(board, risk, condition, now=now)
        elif own is not None:
            risks.append(_standing(board, ref, condition, row=own))
    return Findings(
        tuple(risks), tuple(facts), tracks=board.tracks.maps[0], occurrences=occurrences
    )


def _board_of(world: World, playbooks: Playbooks) -> _RiskRows:
    rows = by_key(world.risk_rows())
    opened = {key: row.opened for key, row in rows.items()}
    known = recall("risks", opened, world.trashed, known=world.memory.occurrences)
    committed = committed_money(world)
    return _RiskRows(
        world,
        rows,
        known,
        to_change(world.memory.tracks),
        committed,
        sum(committed.values(), Decimal(0)),
        playbooks,
        frozenset(book.signal for book in playbooks.tasks.values()),
    )


def _conditions(
    board: _RiskRows, conditions: Iterable[Condition], *, is_whole: bool
) -> Iterator[tuple[str, Condition]]:
    """Give every condition by its key, the strongest where two share one, then what is remembered but was not told.

    What nobody spoke of any more has lost its subject and is gone, unless the rule that speaks of it has failed.
    """
    spoken: dict[str, Condition] = {}
    for condition in conditions:
        key = risk_key(condition.signal, condition.subject)
        if key not in spoken or _weight(condition) > _weight(spoken[key]):
            spoken[key] = condition
    yield from spoken.items()

    evaluated = {condition.signal for condition in spoken.values()}
    unspoken = board.known.keys() - spoken.keys()
    for key in sorted(unspoken):
        signal, name = read_key(key)
        subject = Ref("gone", name)
        is_gone = signal in evaluated or is_whole
        holds = False if is_gone else None
        yield key, Condition(signal, "", subject, holds)


def _weight(condition: Condition) -> tuple[bool, bool, int]:
    return bool(condition.holds), condition.holds is None, condition.probability


def _advanced(board: _RiskRows, key: str, condition: Condition) -> Occurrence | None:
    world = board.world
    before = board.known.get(key)
    row = board.rows.get(name_of(key, before.number)) if before else None
    trashed = (
        before is not None
        and Ref("risks", name_of(key, before.number)) in world.trashed
    )
    sight = Sight(
        condition.holds,
        world.today,
        row.status if row else None,
        trashed=trashed,
        may_close=not world.memory.first_run,
    )
    return advance(
        before,
        key,
        sight,
        rules=Rules(gone_days=world.thresholds.risk_gone_days, reuse_row=True),
    )


def _risk(
    board: _RiskRows, ref: Ref, condition: Condition, *, now: Occurrence
) -> RiskMeasure:
    world = board.world
    tracks = board.tracks
    row = board.rows.get(ref.key)
    stake = _stake(board, condition)
    impact = condition.impact or _impact(board, condition, stake)
    held = debounce(
        tracks.get(f"{ref}#probability"),
        str(condition.probability),
        world.today,
        order=MARKS,
    )
    chance = _effective(
        row.probability if row else None,
        int(held.value),
        written=tracks.get(f"{ref}#probability"),
        is_ours=(ref, "probability") in world.own_cells,
    )
    weight = _effective(
        row.impact if row else None,
        impact,
        written=tracks.get(f"{ref}#impact"),
        is_ours=(ref, "impact") in world.own_cells,
    )
    tracks[f"{ref}#probability"] = held
    tracks[f"{ref}#impact"] = follow(
        tracks.get(f"{ref}#impact"), str(impact), world.today
    )
    tracks[f"{ref}#score"] = follow(
        tracks.get(f"{ref}#score"), str(chance * weight), world.today
    )
    exposure = round_money(CHANCES[chance] * stake, world.minor_unit) if stake else None
    risk = RiskMeasure(
        ref,
        condition.signal,
        condition.title,
        condition.client,
        condition.card,
        chance,
        weight,
        level_of(chance * weight),
        exposure,
        condition.evidence,
        _asleep(row, world),
        condition.kind,
        condition.subject,
        _unit(condition, world),
        condition.horizon,
        now.opened,
        answered=condition.signal in board.answered,
    )
    if row is not None:
        return _as_kept(risk, row, world)
    response = _response(board, condition)
    if response is None:
        return risk
    return replace(
        risk,
        owner=person_for(response.role, condition.client, world, unit=risk.unit),
        steps=_steps(response, world),
    )


def level_of(score: int) -> str:
    """Return `low` up to 6, `medium` up to 12, else `high` (docs/facts/definitions.md 10: the simple 5 x 5 form)."""
    if score >= 15:
        return "high"
    return "medium" if score >= 8 else "low"


def _unit(condition: Condition, world: World) -> Ref | None:
    client = world.client(condition.client)
    return condition.unit or (client.unit if client else None)


def _stake(board: _RiskRows, condition: Condition) -> Decimal:
    """Return what may be lost: as told, else the card's budget or a quarter of the fee, else all of the client's."""
    if condition.stake is not None:
        return condition.stake
    card = board.world.card(condition.card)
    client = board.world.client(condition.client)
    if card is not None:
        return card.budget or 3 * (
            (client.monthly_fee if client else None) or Decimal(0)
        )
    return (
        board.committed.get(condition.client, Decimal(0))
        if condition.client
        else Decimal(0)
    )


def _whole(board: _RiskRows, condition: Condition) -> Decimal:
    """Return what a stake is weighed against: for a card what its client has committed, else the portfolio of all."""
    if condition.card is None:
        return board.portfolio
    if condition.client is None:
        return Decimal(0)
    return board.committed.get(condition.client, Decimal(0))


def _impact(board: _RiskRows, condition: Condition, stake: Decimal) -> int:
    """Mark 2..5 by the share of the money (bands 10, 20, 40 %); 3 when no money is known."""
    whole = _whole(board, condition)
    if not stake or not whole:
        return 3
    tenth = Decimal("0.1")
    return mark_above(stake / whole, tenth, 2 * tenth, 4 * tenth, least=2)


def _effective(
    standing: Decimal | None, desired: int, *, written: Track | None, is_ours: bool
) -> int:
    """Return the mark that will stand: ours, or a person's own, recognised as being neither what was last written nor
    what we tried to write."""
    if is_ours or standing is None or not 1 <= standing <= 5:
        return desired
    if written is not None and Decimal(written.value) == standing:
        return desired
    return int(standing)


def _standing(
    board: _RiskRows, ref: Ref, condition: Condition, *, row: RiskRow
) -> RiskMeasure:
    """Return an open risk as its row tells it: its condition is not seen now, but it has not closed either."""
    world = board.world
    card = condition.card or row.card
    subject = card if card and card.key == condition.subject.key else condition.subject
    risk = RiskMeasure(
        ref,
        condition.signal,
        row.title,
        condition.client or row.client,
        card,
        int(row.probability) if row.probability is not None else 1,
        int(row.impact) if row.impact is not None else 1,
        row.level or "low",
        row.exposure,
        row.evidence or "",
        _asleep(row, world),
        row.kind or condition.kind or "other",
        subject,
        condition.unit or row.unit,
        row.horizon,
        row.first_seen,
        answered=condition.signal in board.answered,
    )
    return _as_kept(risk, row, world)


def _as_kept(risk: RiskMeasure, row: RiskRow, world: World) -> RiskMeasure:
    """Return the risk with the owner and the steps as people keep them on its row."""
    steps = read_steps(row.steps or "", world.today, world.words)
    return replace(risk, owner=row.owner, steps=steps)


def _asleep(row: RiskRow | None, world: World) -> bool:
    return row is not None and is_asleep(row, world.today)


def _closing(
    ref: Ref, now: Occurrence, row: RiskRow | None, world: World
) -> Iterator[Fact]:
    if now.closing is Closing.CONDITION and row is not None:
        text = world.words.say(
            "closed automatically: the condition is gone since {day}",
            day=world.words.date(now.gone or world.today),
        )
        yield Fact(
            ref,
            "status",
            "closed",
            Why(
                "riskmap",
                (show_day(world.words.say("gone since"), now.gone),),
                text,
                world.words.say(
                    "days ≥ {limit}", limit=world.thresholds.risk_gone_days
                ),
            ),
        )


def _facts(
    board: _RiskRows, risk: RiskMeasure, condition: Condition, *, now: Occurrence
) -> Iterator[Fact]:
    world = board.world
    marked = _marked(board, risk, condition, now=now)
    reasons = give_reasons(marked, world)
    values = _values(risk, now, changed=marked.changed)
    if not risk.asleep:
        values["status"] = "open"
    for name, value in values.items():
        yield Fact(risk.ref, name, value, reasons[name])
    if risk.ref.key not in board.rows:
        yield from _answers(board, marked)


def _marked(
    board: _RiskRows, risk: RiskMeasure, condition: Condition, *, now: Occurrence
) -> Marked:
    scored = board.tracks[f"{risk.ref}#score"].since
    return Marked(
        risk,
        condition,
        stake=_stake(board, condition),
        whole=_whole(board, condition),
        chance=CHANCES[risk.probability],
        changed=max(scored, now.opened or board.world.today),
    )


def _values(risk: RiskMeasure, now: Occurrence, *, changed: date) -> dict[str, Value]:
    return {
        "name": risk.title,
        "kind": risk.kind,
        "signal": risk.signal,
        "client": (risk.client,) if risk.client else (),
        "unit": (risk.unit,) if risk.unit else (),
        "project": (risk.card,) if risk.card else (),
        "probability": Decimal(risk.probability),
        "impact": Decimal(risk.impact),
        "score": Decimal(risk.score),
        "level": risk.level,
        "exposure": risk.exposure,
        "evidence": risk.evidence,
        "first_seen": now.opened,
        "last_change": changed,
        "horizon": risk.horizon,
    }


def _response(board: _RiskRows, condition: Condition) -> Response | None:
    responses = board.playbooks.responses
    return responses.get(condition.signal) or responses.get(condition.kind)


def _steps(response: Response, world: World) -> tuple[Step, ...]:
    return tuple(
        Step(
            world.calendar.add(world.today, step.days),
            step.in_locale(world.words.locale),
        )
        for step in response.steps
    )


def _answers(board: _RiskRows, marked: Marked) -> Iterator[Fact]:
    """State the response of a new risk: its dated steps, its owner and the day to look again."""
    response = _response(board, marked.condition)
    if response is None:
        return
    world = board.world
    risk = marked.risk
    tomorrow = world.today + timedelta(days=1)
    values: dict[str, Value] = {
        "steps": write_steps(risk.steps, world.words),
        "owner": (risk.owner,) if risk.owner else (),
        "review": world.calendar.add(tomorrow, response.review),
    }
    reasons = give_answers(marked, response, world)
    for name, value in values.items():
        yield Fact(risk.ref, name, value, reasons[name])
