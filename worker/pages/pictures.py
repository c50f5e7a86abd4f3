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
    OddsPoint,
    PlanFact,
    PlanPoint,
    Ray,
    Rays,
    Reliability,
    RiskCell,
    RiskMap,
)
from worker.domain.entities import HUNTED, RUNNING, Card, Client, Stage
from worker.domain.messages import STAGES
from worker.domain.period_titles import period_title
from worker.domain.periods import Period, monday_of
from worker.domain.values import Ref
from worker.method.formulas.cascade import weeks_of
from worker.method.formulas.rays import start_of
from worker.method.hindsight.scoring import Odds
from worker.method.measures import RiskMeasure
from worker.method.outlook import RayMeasure
from worker.pages.view import View, by_stage

USUAL = timedelta(weeks=12)
"""How long a card without an end is drawn: long enough to be seen, faint enough to mean nothing."""
MOST_RAYS, MOST_PEOPLE = 24, 20
PLACES = 4
"""Decimals of a share: more would draw the same picture anew."""


def weekly(view: View, *shown: object) -> str:
    """Return the edition of a picture that is drawn anew each week, and at once when `shown` changes.

    Forecasts and load move a little every day; a timeline of months need not be uploaded again for that.
    """
    monday = monday_of(view.today)
    digest = hashlib.sha256(repr(shown).encode()).hexdigest()
    return f"{monday.isoformat()}:{digest[:12]}"


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
        seen = fact if week.end < until else None
        point = PlanPoint(week.end, plan, seen)
        points.append(point)
    if not is_planned:
        return None
    parts = (
        view.say("Plan and actual"),
        period_title(quarter, view.words),
        view.unit_name(unit),
    )
    return PlanFact(
        " · ".join(parts),
        tuple(points),
        until,
        view.say("plan"),
        view.say("actual"),
        view.say("snapshot of {day}", day=view.words.day_month(until)),
        get_currency_symbol(view.words.currency, locale=view.words.locale),
        view.words.locale,
    )


def chart_cards(view: View, cards: Iterable[Card], *, title: str) -> Rays | None:
    """Return the timeline of cards that are not over; None when none has a place in time."""
    rays = []
    for card in by_stage(cards):
        ray = _card_ray(view, card)
        if ray is not None:
            rays.append(ray)
    return _rays(view, rays, title)


def _card_ray(view: View, card: Card) -> Ray | None:
    start = card.start or card.expected_start
    if start is None or card.stage is None:
        return None
    measure = view.measures.cards.get(card.ref)
    forecast = measure.forecast if measure else None
    usual = forecast.p50 if forecast else start + USUAL
    end = _visible_end(start, view.due_of(card) or usual)
    late = None
    if forecast is not None and forecast.p85 > end:
        late = forecast.p85
    return Ray(label=card.name, start=start, end=end, stage=card.stage.value, p85=late)


def _visible_end(start: date, end: date) -> date:
    """Return where a bar ends: one of no length is not seen."""
    return max(end, start + timedelta(days=1))


def chart_clients(view: View) -> Rays | None:
    """Return the rays of all clients: from the first known work to the horizon."""
    rays = []
    for client in view.world.clients.values():
        measure = view.measures.clients.get(client.ref)
        if measure is None or measure.horizon is None:
            continue
        ray = _client_ray(view, client, measure.horizon)
        if ray is not None:
            rays.append(ray)
    rays.sort(key=lambda ray: (ray.end, ray.label))
    return _rays(view, rays, view.say("Rays of the clients"))


def _client_ray(view: View, client: Client, horizon: date) -> Ray | None:
    cards = [card for card in view.cards.get(client.ref, ()) if card.stage in RUNNING]
    starts = [card.start for card in cards if card.start]
    if client.since:
        starts.append(client.since)
    if not starts:
        return None

    last_year = date(view.today.year - 1, 1, 1)
    begin = max(min(starts), last_year)
    evolves = any(card.stage is Stage.EVOLUTION for card in cards)
    stage = Stage.EVOLUTION if evolves else Stage.IN_PROGRESS
    ray = view.measures.rays.get(client.ref)
    return Ray(
        label=client.name,
        start=begin,
        end=_visible_end(begin, horizon),
        stage=stage.value,
        follows=_after_gap(view, ray, horizon),
        breaks=ray is not None and bool(ray.breaks),
    )


def _after_gap(view: View, ray: RayMeasure | None, horizon: date) -> date | None:
    """Return when the next card starts, where that leaves a gap after the horizon."""
    following = view.world.card(ray.next_card) if ray else None
    start = start_of(following) if following else None
    return start if start is not None and start > horizon else None


def _rays(view: View, rays: list[Ray], title: str) -> Rays | None:
    if not rays:
        return None
    week = monday_of(view.today)
    return Rays(
        title,
        tuple(rays[:MOST_RAYS]),
        week,
        view.say("this week"),
        view.say("P85"),
        tuple((stage.value, view.say(STAGES[stage])) for stage in (*HUNTED, *RUNNING)),
        view.words.locale,
        view.say("work runs out"),
        view.say("gap until the next work"),
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
    busy = list(peaks)
    busy.sort(key=lambda ref: (-peaks[ref], view.names((ref,))))

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


def chart_odds(view: View, odds: Odds) -> Reliability | None:
    """Return on-time chances beside what came; None while it is too early to tell."""
    points = []
    for own in odds.bins:
        share = own.came
        chance = round(Decimal(float(own.told)), PLACES)
        came = round(share.value, PLACES)
        low = round(share.low, PLACES)
        high = round(share.high, PLACES)
        point = OddsPoint(chance, came, low, high, share.tries)
        points.append(point)
    if not points:
        return None
    return Reliability(
        view.say("On-time chances and what came"),
        tuple(points),
        view.say("chance told"),
        view.say("on time"),
        view.say("as told"),
        view.words.locale,
    )
