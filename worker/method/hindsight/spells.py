"""How risks went: what was told when one opened, and when it was gone (docs/method.md 9.2).

A risk that opens again has another spell on the same row. Spells stand in its row alone, from which they are read back
after a lost state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec
from msgspec.structs import replace

from worker.domain.values import Ref
from worker.method.figures import show_day, show_text
from worker.method.formulas.bands import CHANCES
from worker.method.formulas.occurrences import row_of
from worker.method.hindsight.scoring import Chance, Odds, weigh_odds
from worker.method.measures import RiskMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Why
from worker.world.memory import Closing, Occurrence
from worker.world.rows import RiskRow
from worker.world.world import World

MOST = 12
"""Spells a row keeps, the latest ones: what a cell of Notion surely holds."""


class Spell(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One time a risk was open: the probability told first (a mark, 1..5), the day on which it was to bite, the first
    day its condition was `gone`, and the day people `closed` it although it held."""

    opened: date
    mark: int
    bites: date | None = None
    gone: date | None = None
    closed: date | None = None

    @property
    def over(self) -> date | None:
        """Return the day from which on it was no open risk any more."""
        return self.closed or self.gone

    def ended_within(self, first: date, last: date) -> bool:
        """Tell whether it was gone after one day and no later than another."""
        return self.gone is not None and first < self.gone <= last

    def holds_on(self, day: date) -> bool:
        """Tell whether it was open on a day."""
        return self.opened <= day and (self.gone is None or day < self.gone)


Spells = Mapping[Ref, tuple[Spell, ...]]
"""The spells of risks by their rows, the oldest first."""


class RiskHistory(msgspec.Struct, frozen=True, gc=False):
    """How all risks went, and what the probabilities told of them were worth."""

    spells: Spells
    odds: Odds


def follow_risks(
    world: World,
    risks: Iterable[RiskMeasure] | None,
    occurrences: Mapping[str, Occurrence],
) -> Findings[RiskHistory | None]:
    """Return the spells of all risks as of today, with what their rows are to say; `occurrences` are today's."""
    if risks is None:
        return Findings(None)
    spells = {}
    for row in world.risk_rows():
        if row.key:
            spells[row.ref] = read_spells(row)

    current = {}
    for risk in risks:
        current[risk.ref] = risk
    facts = []
    for life in occurrences.values():
        ref = row_of(life)
        if ref is None or ref.source != "risks":
            continue
        if ref not in spells and ref not in current:
            continue
        known = spells.get(ref, ())
        open_one = current.get(ref)
        own = follow_spells(known, life, open_one, world.today)
        spells[ref] = own
        # On the day of a step it is stated again: a write whose answer was lost is known by that.
        is_fresh = world.today in (life.opened, life.ended, life.closed)
        if own != known or (own and is_fresh):
            fact = _noted(ref, own, world)
            facts.append(fact)

    chances: list[Chance] = []
    for own in spells.values():
        for spell in own:
            chances += _judged(spell, world.today)
    odds = weigh_odds(chances)
    history = RiskHistory(spells, odds)
    return Findings(history, tuple(facts))


def _judged(spell: Spell, today: date) -> Iterator[Chance]:
    """Yield the chance told of a risk whose day is over; it came true where its condition still held on that day."""
    bites = spell.bites
    chance = CHANCES.get(spell.mark)
    if bites is None or chance is None:
        return
    if spell.opened < bites < today:
        came = spell.holds_on(bites)
        yield Chance(chance, came)


def read_spells(row: RiskRow) -> tuple[Spell, ...]:
    """Return the spells that a row tells; none where that cannot be read."""
    try:
        return msgspec.json.decode(row.spells or "[]", type=tuple[Spell, ...])
    except msgspec.MsgspecError:
        return ()


def write_spells(spells: tuple[Spell, ...]) -> str:
    """Return spells as a row holds them."""
    encoded = msgspec.json.encode(spells)
    return encoded.decode()


def follow_spells(
    known: tuple[Spell, ...], life: Occurrence, risk: RiskMeasure | None, today: date
) -> tuple[Spell, ...]:
    """Return the spells of a row as of today; `risk` is what is open of it. A day that is not ahead foretells nothing."""
    if life.opened is None:
        return known
    spells = list(known)
    if not spells or spells[-1].opened < life.opened:
        if risk is None:
            return known
        bites = risk.horizon
        if bites is not None and bites <= today:
            bites = None
        first = Spell(life.opened, risk.probability, bites)
        spells.append(first)
    last = spells.pop()
    gone = _gone(last, life)
    closed = _closed(last, life)
    last = replace(last, gone=gone, closed=closed)
    spells.append(last)
    return tuple(spells[-MOST:])


def _gone(last: Spell, life: Occurrence) -> date | None:
    """Return since when a condition is believed gone. What was known before a state was lost stays known."""
    if life.ended is not None:
        return last.gone or life.gone
    if life.closed is not None:
        return last.gone
    return None


def _closed(last: Spell, life: Occurrence) -> date | None:
    """Return the day people closed a row whose condition held; none once they opened it again."""
    if life.closed is None:
        return None
    known = last.closed
    if known is not None or last.gone is not None:
        return known
    if life.closing is Closing.PERSON:
        return life.closed
    return None


def _noted(ref: Ref, spells: tuple[Spell, ...], world: World) -> Fact:
    say = world.words.say
    last = spells[-1]
    mark = show_text(say("probability"), last.mark)
    opened = show_day(say("opened"), last.opened)
    bites = show_day(say("bites on"), last.bites)
    gone = show_day(say("gone since"), last.gone)
    closed = show_day(say("closed by people on"), last.closed)
    formula = say(
        "what was told on the first day, and since when the condition is gone"
    )
    inputs = (opened, mark, bites, gone, closed)
    why = Why("spells", inputs, formula)
    text = write_spells(spells)
    return Fact(ref, "spells", text, why)
