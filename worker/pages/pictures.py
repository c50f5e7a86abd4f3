"""The charts of the pages, as specs in the workspace's language."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from babel.numbers import get_currency_symbol

from worker.domain.charts import (
    LoadCell,
    LoadMap,
    PlanFact,
    PlanPoint,
    Ray,
    Rays,
    RiskCell,
    RiskMap,
)
from worker.domain.entities import HUNTED, RUNNING, Card, Stage
from worker.domain.messages import STAGES
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, monday_of
from worker.domain.values import Ref
from worker.method.formulas.cascade import weeks_of
from worker.method.measures import RiskMeasure
from worker.pages.view import View

USUAL = timedelta(weeks=12)
"""How long a card without an end is drawn: long enough to be seen, faint enough to mean nothing."""
MOST_RAYS, MOST_PEOPLE = 24, 20


def weekly(view: View, *shown: object) -> str:
    """Return the edition of a picture that is drawn anew each week, and at once when `shown` changes.

    Forecasts and load move a little every day; a timeline of months need not be uploaded again for that.
    """
    monday = monday_of(view.today)
    return (
        f"{monday.isoformat()}:{hashlib.sha256(repr(shown).encode()).hexdigest()[:12]}"
    )


def chart_plan(
    view: View, unit: Ref, quarter: Period, *, until: date
) -> PlanFact | None:
    """Return the quarter's cumulative plan and its fact before `until`; None when the unit has neither."""
    plan = fact = Decimal(0)
    points = [PlanPoint(quarter.start, plan, fact)]
    is_planned = False
    for week in weeks_of(quarter):
        measure = view.plans.get((unit, week))
        is_planned = is_planned or bool(measure and (measure.target or measure.fact))
        plan += (measure.target if measure else None) or Decimal(0)
        fact += (measure.fact if measure else None) or Decimal(0)
        points.append(PlanPoint(week.end, plan, fact if week.end < until else None))
    if not is_planned:
        return None
    title = " · ".join(
        (
            view.say("Plan and fact"),
            period_title(quarter, view.words),
            view.unit_name(unit),
        )
    )
    return PlanFact(
        title,
        tuple(points),
        until,
        view.say("plan"),
        view.say("fact"),
        view.say("cut of {day}", day=view.words.day_month(until)),
        get_currency_symbol(view.words.currency, locale=view.words.locale),
        view.words.locale,
    )


def chart_cards(view: View, cards: Iterable[Card], *, title: str) -> Rays | None:
    """Return the timeline of cards that are not over; None when none has a place in time."""
    order = {stage: index for index, stage in enumerate((*RUNNING, *reversed(HUNTED)))}
    found = [
        ray
        for card in sorted(
            (card for card in cards if card.stage in order),
            key=lambda card: (order[card.stage or Stage.IDEA], card.name),
        )
        if (ray := _card_ray(view, card)) is not None
    ]
    return _rays(view, found, title)


def _card_ray(view: View, card: Card) -> Ray | None:
    measure = view.measures.cards.get(card.ref)
    forecast = measure.forecast if measure else None
    start = card.start or card.expected_start
    if start is None or card.stage is None:
        return None
    usual = forecast.p50 if forecast else start + USUAL
    due = view.due_of(card) or usual
    # A bar of no length is not seen.
    end = max(due, start + timedelta(days=1))
    late = None
    if forecast is not None and forecast.p85 > end:
        late = forecast.p85
    return Ray(label=card.name, start=start, end=end, stage=card.stage.value, p85=late)


def chart_clients(view: View) -> Rays | None:
    """Return the rays of all clients: from the first known work to the horizon."""
    found = []
    for client in view.world.clients.values():
        measure = view.measures.clients.get(client.ref)
        cards = [
            card for card in view.cards.get(client.ref, ()) if card.stage in RUNNING
        ]
        starts = [day for day in (client.since, *(card.start for card in cards)) if day]
        if measure is not None and measure.horizon is not None and starts:
            begin = max(min(starts), date(view.today.year - 1, 1, 1))
            evolves = any(card.stage is Stage.EVOLUTION for card in cards)
            stage = Stage.EVOLUTION if evolves else Stage.IN_PROGRESS
            ray = Ray(
                label=client.name,
                start=begin,
                end=max(measure.horizon, begin + timedelta(days=1)),
                stage=stage.value,
            )
            found.append(ray)
    return _rays(
        view,
        sorted(found, key=lambda ray: (ray.end, ray.label)),
        view.say("Rays of the clients"),
    )


def _rays(view: View, found: list[Ray], title: str) -> Rays | None:
    if not found:
        return None
    week = monday_of(view.today)
    return Rays(
        title,
        tuple(found[:MOST_RAYS]),
        week,
        view.say("this week"),
        view.say("P85"),
        tuple((stage.value, view.say(STAGES[stage])) for stage in (*HUNTED, *RUNNING)),
        view.words.locale,
    )


def chart_risks(
    view: View, risks: Iterable[RiskMeasure], *, title: str
) -> RiskMap | None:
    """Return the 5x5 map; None without risks."""
    places: dict[tuple[int, int], list[str]] = defaultdict(list)
    for risk in risks:
        places[risk.probability, risk.impact].append(risk.title)
    if not places:
        return None

    cells = []
    for (probability, impact), titles in sorted(places.items()):
        cell = RiskCell(
            probability=probability,
            impact=impact,
            count=len(titles),
            labels=tuple(titles[:3]),
        )
        cells.append(cell)
    return RiskMap(
        title=title,
        cells=tuple(cells),
        probability_label=view.say("Probability"),
        impact_label=view.say("Impact"),
        locale=view.words.locale,
    )


def chart_load(view: View, people: Iterable[Ref], *, title: str) -> LoadMap | None:
    """Return the load of the most loaded people in the weeks ahead; None when nobody has planned work."""
    peaks = {}
    for ref in people:
        peak = _peak(view, ref)
        if peak:
            peaks[ref] = peak
    busy = sorted(peaks, key=lambda ref: (-peaks[ref], view.names((ref,))))

    cells = tuple(_load_cells(view, busy[:MOST_PEOPLE]))
    if not cells:
        return None
    names = dict.fromkeys(cell.person for cell in cells)
    weeks = dict.fromkeys(cell.week for cell in cells)
    return LoadMap(
        title=title,
        people=tuple(names),
        weeks=tuple(weeks),
        cells=cells,
        locale=view.words.locale,
    )


def _peak(view: View, person: Ref) -> Decimal:
    """Return the load of a person's fullest week."""
    load = view.measures.people.get(person)
    if load is None:
        return Decimal(0)
    ratios = [week.ratio or Decimal(0) for week in load.weeks]
    return max(ratios, default=Decimal(0))


def _load_cells(view: View, people: Iterable[Ref]) -> Iterator[LoadCell]:
    for ref in people:
        load = view.measures.people.get(ref)
        person = view.world.people.get(ref)
        if load is None or person is None:
            continue
        if all(week.ratio is None for week in load.weeks):
            continue
        for week in load.weeks:
            yield LoadCell(
                person=person.name,
                week=view.words.day_month(week.monday),
                load=week.ratio,
            )
