"""One view per client and per unit: health with its reasons, money, ray and work (docs/method.md 4.1; docs/facts/definitions.md 12).

Health is the weighted mean of the factors that have data, with the coverage beside it; below 60 % it is grey. Every
factor is linear between two anchors of the configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from worker.config import Thresholds
from worker.domain.entities import RUNNING, Card, Client, Contact, Stage, Unit
from worker.domain.messages import message
from worker.domain.period_titles import period_name
from worker.domain.periods import Grain, month_of, quarter_of
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.method.clients.silence import last_contact
from worker.method.clients.veto import find_vetoes, own_marks, read_colour
from worker.method.figures import (
    list_parts,
    name_cards,
    name_row,
    name_triangle,
    show_day,
    show_money,
    show_number,
    show_share,
)
from worker.method.formulas.bands import colour_of, direction_of
from worker.method.formulas.flow import ratio, share
from worker.method.formulas.hysteresis import Tracks, debounce, keep_past, to_change
from worker.method.formulas.lateness import count_late
from worker.method.formulas.triangle import is_triangle
from worker.method.measures import (
    CardMeasure,
    ClientMeasure,
    Factor,
    FeedbackMeasure,
    MoneyFact,
    MoneyMeasure,
    PlanMeasure,
    Rag,
    RequestMeasure,
    RiskMeasure,
    UnitLoad,
)
from worker.method.outlook import RayMeasure
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Track
from worker.world.rows import RiskRow
from worker.world.world import World

GREY = frozenset({Rag.GREY.value})
NOTHING = Decimal(0)
HUNDRED = Decimal(100)
WORST_RISK = 25
"""Probability 5 x impact 5."""


class HasClient(Protocol):
    """What belongs to a client, or to none."""

    @property
    def client(self) -> Ref | None:
        """The client."""


OfClient = TypeVar("OfClient", bound=HasClient)


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """What other rules found that health rests on; None: not known."""

    cards: Mapping[Ref, CardMeasure] = msgspec.field(default_factory=dict)
    money: MoneyMeasure | None = None
    paces: Mapping[Ref, Decimal | None] | None = None
    plans: tuple[PlanMeasure, ...] = ()
    units: Mapping[Ref, UnitLoad] = msgspec.field(default_factory=dict)
    rays: Mapping[Ref, RayMeasure] = msgspec.field(default_factory=dict)
    feedback: tuple[FeedbackMeasure, ...] | None = None
    requests: tuple[RequestMeasure, ...] | None = None
    risks: tuple[RiskMeasure, ...] | None = None
    realisations: Mapping[Ref, Decimal] | None = None


Revenue = tuple[Decimal | None, Decimal | None]
"""Money of the month and of the quarter of today; None when it is not known."""


class _View(msgspec.Struct, frozen=True, gc=False):
    """All that belongs to one client."""

    client: Client
    cards: tuple[Card, ...]
    measures: tuple[CardMeasure, ...]
    contacts: tuple[Contact, ...]
    risks: tuple[RiskMeasure, ...]
    own_risks: tuple[RiskRow, ...]
    revenue: Revenue
    marks: tuple[Decimal, ...] = ()
    requests: tuple[RequestMeasure, ...] = ()
    vetoes: tuple[str, ...] = ()
    ray: RayMeasure | None = None
    pace: Decimal | None = None
    team: UnitLoad | None = None
    knows_risks: bool = False
    money: tuple[MoneyFact, ...] = ()
    realisation: Decimal | None = None

    @property
    def running(self) -> list[CardMeasure]:
        """Return the measures of running cards."""
        running = {card.ref for card in self.cards if card.stage in RUNNING}
        return [measure for measure in self.measures if measure.card in running]


def measure_health(
    world: World, measures: Evidence
) -> Findings[Mapping[Ref, ClientMeasure]]:
    """Return the facts of clients and units, and what was measured of every client."""
    tracks = to_change(world.memory.tracks)
    clients: dict[Ref, ClientMeasure] = {}
    facts: list[Fact] = []
    views = _views(world, measures)
    for view in views:
        measure = _measure(view, world, tracks)
        clients[view.client.ref] = measure
        facts += _client_facts(view, measure, world, tracks=tracks)
    for unit in world.units.values():
        facts += _unit_facts(
            unit,
            [clients[v.client.ref] for v in views if v.client.unit == unit.ref],
            world,
            measures=measures,
            tracks=tracks,
        )
    return Findings(clients, tuple(facts), tracks=tracks.maps[0])


def _views(world: World, measures: Evidence) -> list[_View]:
    cards = _by_client(world.cards.values())
    contacts = _by_client(world.contacts.values())
    risks = _by_client(risk for risk in measures.risks or () if not risk.asleep)
    requests = _by_client(measures.requests or ())
    feedback = _by_client(measures.feedback or ())
    own = _own_risks(world)
    revenue = _revenues(world, measures)
    marks = _last_words(world, measures)
    paces = measures.paces or {}
    money = _by_client(measures.money.weeks if measures.money else ())
    realisations = measures.realisations or {}

    views = []
    for ref, client in world.clients.items():
        measured = []
        for card in cards[ref]:
            if card.ref in measures.cards:
                measured.append(measures.cards[card.ref])
        team = measures.units.get(client.unit) if client.unit else None
        vetoes = find_vetoes(feedback[ref], risks[ref], own[ref], world=world)
        view = _View(
            client,
            tuple(cards[ref]),
            tuple(measured),
            tuple(contacts[ref]),
            tuple(risks[ref]),
            tuple(own[ref]),
            revenue(ref),
            marks.get(ref, ()),
            tuple(requests[ref]),
            tuple(vetoes),
            measures.rays.get(ref),
            paces.get(ref),
            team,
            measures.risks is not None,
            tuple(money[ref]),
            realisation=realisations.get(ref),
        )
        views.append(view)
    return views


def _by_client(rows: Iterable[OfClient]) -> defaultdict[Ref | None, list[OfClient]]:
    by_client: defaultdict[Ref | None, list[OfClient]] = defaultdict(list)
    for row in rows:
        by_client[row.client].append(row)
    return by_client


def _own_risks(world: World) -> Mapping[Ref, list[RiskRow]]:
    """Return the open risks that people wrote themselves, by client."""
    risks_by_client: defaultdict[Ref, list[RiskRow]] = defaultdict(list)
    for row in world.risk_rows():
        is_open = row.status in ("open", "watching")
        if is_open and not row.key:
            for client in row.clients:
                risks_by_client[client].append(row)
    return risks_by_client


def _measure(view: _View, world: World, tracks: Tracks) -> ClientMeasure:
    ray = view.ray
    horizon = ray.horizon.day if ray and ray.horizon else None
    month, quarter = view.revenue
    factors = tuple(_factors(view, world))
    score, coverage = mean(factors)
    seen = _colour(score, coverage, world)
    has_veto = bool(view.vetoes)
    rag = _hold(tracks, view.client.ref, seen, world.today, has_veto=has_veto)
    why = _why(factors, coverage, view.vetoes, world=world)
    by_hand = read_colour(view.client, world)
    if by_hand.reason:
        why = f"{by_hand.reason}; {why}"
    return ClientMeasure(
        view.client.ref,
        tuple(card.ref for card in view.cards),
        factors,
        score,
        coverage,
        by_hand.rag or rag,
        why,
        month,
        quarter,
        horizon,
        ray.gap_weeks if ray else None,
        _last_contact(view),
        _trend(view.client.ref, score, world, tracks=tracks),
    )


def _hold(
    tracks: Tracks, ref: Ref, seen: Rag, today: date, *, has_veto: bool = False
) -> Rag:
    """Return the colour that is held; a veto takes green away at once, and gives it back after two days without one."""
    name = f"{ref}#health"
    if has_veto and seen is Rag.GREEN:
        seen = Rag.AMBER
    track = debounce(tracks.get(name), seen.value, today, instant=GREY)
    if has_veto and track.value == Rag.GREEN:
        track = Track(Rag.AMBER.value, today, seen=today)
    tracks[name] = track
    return Rag(track.value)


def _trend(
    client: Ref, score: Decimal | None, world: World, *, tracks: Tracks
) -> str | None:
    """Return where the score went since some four weeks ago; None while that is not known."""
    if score is None:
        return None
    name, days = f"{client}#score", 7 * world.thresholds.trend_weeks
    track = tracks[name] = keep_past(
        tracks.get(name), str(score), world.today, days=days
    )
    if (world.today - track.since).days < days:
        return None
    change = score - Decimal(track.value)
    return direction_of(change, world.thresholds.trend_points)


def mean(factors: Sequence[Factor]) -> tuple[Decimal | None, Decimal]:
    """Return H = sum(w s) / sum(w) over factors with data, and the coverage sum(w with data) / sum(w)."""
    weighted = weight = whole = NOTHING
    for factor in factors:
        whole += factor.weight
        if factor.score is not None:
            weight += factor.weight
            weighted += factor.weight * factor.score
    if not weight:
        return None, NOTHING

    score = weighted / weight
    return score.quantize(Decimal("0.1")), ratio(weight / whole)


def _colour(score: Decimal | None, coverage: Decimal, world: World) -> Rag:
    band = world.thresholds.health
    if score is None or coverage < world.thresholds.health_coverage:
        return Rag.GREY
    return colour_of(score, band)


def _why(
    factors: Iterable[Factor], coverage: Decimal, vetoes: Sequence[str], *, world: World
) -> str:
    """Name what keeps from green, the factors from the weakest up, each with its number, then what is not known."""
    words = world.words
    known = [factor for factor in factors if factor.score is not None]
    known.sort(key=_rank)
    lines = [_describe(factor, words) for factor in known]
    missing = [_describe(factor, words) for factor in factors if factor not in known]
    if missing:
        lines.append(words.say("no data: {factors}", factors=", ".join(missing)))
    if vetoes:
        reasons = ", ".join(vetoes)
        lines.insert(0, words.say("not green: {reasons}", reasons=reasons))

    reason = "; ".join(lines)
    if coverage >= world.thresholds.health_coverage:
        return reason
    return words.say(
        "Only {coverage} of the picture is known: {factors}",
        coverage=words.percent(coverage),
        factors=reason,
    )


def _rank(factor: Factor) -> tuple[Decimal, str]:
    return factor.score or NOTHING, factor.name


def _describe(factor: Factor, words: Words) -> str:
    name = words.say(NAMES[factor.name])
    if factor.score is not None:
        score = words.number(factor.score, 0)
        return f"{name} {score}: {factor.reason}"
    if not factor.reason:
        return name
    return f"{name} ({factor.reason})"


NAMES = {
    "delivery": message("delivery"),
    "quality": message("quality"),
    "money": message("money"),
    "ray": message("ray"),
    "relations": message("relations"),
    "team": message("team"),
    "risks": message("risks"),
}


def _factors(view: _View, world: World) -> Iterator[Factor]:
    weights = world.thresholds.health_weights
    for name, look in LOOKS.items():
        scores, reason = look(view, world)
        score = _average(scores) if scores else None
        yield Factor(name, weights.get(name, NOTHING), score, reason)


def _average(values: Sequence[Decimal]) -> Decimal:
    whole = sum(values, NOTHING)
    return whole / len(values)


Scores = tuple[list[Decimal], str]
"""The scores of one factor, 0..100 each, and the reason."""


def _scale(name: str, value: Decimal | float, world: World) -> Decimal:
    """Return 0..100, linear between the anchors (worst, best) of `name`."""
    worst, best = world.thresholds.health_anchors[name]
    part = (Decimal(value) - worst) / (best - worst)
    bounded = min(Decimal(1), max(Decimal(0), part))
    return HUNDRED * bounded


def _delivery(view: _View, world: World) -> Scores:
    words = world.words
    chances = _chances(view)
    scores = []
    reasons = []
    if chances:
        scores.append(HUNDRED * _average(chances))
        least = words.percent(min(chances))
        reasons.append(words.say("on-time chance {chance}", chance=least))

    dated = [m for m in view.running if m.due is not None and m.open]
    if dated:
        still_open = sum(m.open for m in dated)
        overdue = sum(count_late(m, world.today) for m in dated)
        late = Decimal(overdue) / still_open
        scores.append(_scale("overdue", late, world))
        reasons.append(words.count("{n} overdue issue", "{n} overdue issues", overdue))
    return scores, ", ".join(reasons)


def _chances(view: _View) -> list[Decimal]:
    """Return P(on time) of the running cards, where it is known."""
    chances = [measure.on_time for measure in view.running]
    return [chance for chance in chances if chance is not None]


def _quality(view: _View, world: World) -> Scores:
    """Look at the cards on which something was ever finished: the others have no quality to speak of yet."""
    scored_reasons: list[tuple[Decimal, str]] = []
    for measure in view.running:
        if measure.reopened_share is not None:
            scored_reasons += _quality_of(measure, world)
    if not scored_reasons:
        return [], ""

    _, worst_reason = min(scored_reasons)
    return [score for score, _ in scored_reasons], worst_reason


def _quality_of(measure: CardMeasure, world: World) -> Iterator[tuple[Decimal, str]]:
    """Yield the scores of one card with what each rests on."""
    words = world.words
    shares = (
        ("reopened", measure.reopened_share, message("reopened {share}")),
        ("defects", measure.defect_share, message("defects {share}")),
    )
    for name, part, sentence in shares:
        if part is not None:
            reason = words.say(sentence, share=words.percent(part))
            yield _scale(name, part, world), reason

    age = measure.defect_age
    if age is not None:
        reason = words.count(
            "open defects: {n} day is the median age",
            "open defects: {n} days is the median age",
            age,
        )
        yield _scale("defect_age", age, world), reason


def _money(view: _View, world: World) -> Scores:
    words = world.words
    scores = []
    reasons = []
    pace = view.pace
    if pace is not None:
        scores.append(_scale("pace", pace, world))
        reasons.append(words.say("pace {pace}", pace=words.percent(pace)))
    ahead = [
        m.burn - m.progress
        for m in view.running
        if m.burn is not None and m.progress is not None
    ]
    if ahead:
        worst = max(ahead)
        scores.append(_scale("burn_ahead", worst, world))
        reasons.append(_describe_burn(worst, words))
    brought = view.realisation
    if brought is not None:
        scores.append(_scale("realisation", brought, world))
        reasons.append(
            words.say(
                "realisation {share} in the last finished month",
                share=words.percent(brought),
            )
        )
    return scores, ", ".join(reasons)


def _describe_burn(ahead: Decimal, words: Words) -> str:
    if ahead <= 0:
        return words.say("spending is not ahead of progress")
    share = words.percent(ahead)
    return words.say("spending ahead of progress by {share}", share=share)


def _ray(view: _View, world: World) -> Scores:
    """Score how far work was sold: the delay of what is late lengthens no ray."""
    ray = view.ray
    if ray is None or ray.horizon is None or ray.planned is None:
        return [], ""
    words = world.words
    day = ray.horizon.day
    ahead = ray.planned - world.today
    weeks = Decimal(ahead.days) / 7
    reason = words.say("work secured until {day}", day=words.date(day))
    if ray.planned < day:
        reason = words.say(
            "work secured until {day}, by plan until {planned}",
            day=words.date(day),
            planned=words.date(ray.planned),
        )
    return [_scale("horizon_weeks", weeks, world)], reason


def _relations(view: _View, world: World) -> Scores:
    words = world.words
    last = _last_contact(view)
    scores = []
    reasons = []
    if last is not None:
        silence = world.today - last
        scores.append(_scale("contact_days", silence.days, world))
        reasons.append(words.say("last contact {day}", day=words.date(last)))
    else:
        reasons.append(words.say("no contact was ever noted"))
    if view.marks:
        mean = _average(view.marks)
        shown = words.number(mean)
        scores.append(_scale("feedback", mean, world))
        reasons.append(words.say("feedback {score} of 5", score=shown))
    if view.requests:
        late = sum(request.due < world.today for request in view.requests)
        scores.append(_scale("requests_late", late, world))
        reasons.append(
            words.count(
                "{n} unanswered request of {asked}",
                "{n} unanswered requests of {asked}",
                late,
                asked=len(view.requests),
            )
        )
    return scores, ", ".join(reasons)


def _last_words(
    world: World, measures: Evidence
) -> dict[Ref | None, tuple[Decimal, ...]]:
    """Return the last scores every client gave, about each person and about the team, of the last months."""
    oldest = world.today - timedelta(days=world.thresholds.feedback_days)
    scores_by_client: dict[Ref | None, dict[Ref | None, Decimal]] = defaultdict(dict)
    for entry in measures.feedback or ():  # the oldest first
        if entry.day >= oldest:
            scores_by_client[entry.client][entry.person] = entry.score
    last_words = {}
    for client, scores in scores_by_client.items():
        last_words[client] = tuple(scores.values())
    return last_words


def _last_contact(view: _View) -> date | None:
    return last_contact(view.client, view.contacts)


def _team(view: _View, world: World) -> Scores:
    unit = world.unit(view.client.unit)
    if unit is None:
        return [], ""
    words = world.words
    scores = [NOTHING]
    reasons = [words.say("the triangle is incomplete")]
    if is_triangle(unit, world):
        scores = [HUNDRED]
        reasons = [words.say("the triangle is complete")]

    team = view.team
    if team is not None and team.load is not None:
        scores.append(_scale("load", team.load, world))
        reason = words.say(
            "load of the next weeks {load} of {hours} h",
            load=words.percent(team.load),
            hours=words.number(team.capacity, 0),
        )
        reasons.append(reason)
    return scores, ", ".join(reasons)


def _risks(view: _View, world: World) -> Scores:
    if not view.knows_risks:
        return [], ""
    marks = [Decimal(risk.score) for risk in view.risks]
    marks += [score for score, _ in own_marks(view.own_risks)]
    worst = max(marks, default=NOTHING)
    score = HUNDRED * (1 - worst / WORST_RISK)

    count = len(view.risks) + len(view.own_risks)
    reason = world.words.count("{n} open risk", "{n} open risks", count)
    return [max(NOTHING, score)], reason


LOOKS: Mapping[str, Callable[[_View, World], Scores]] = {
    "delivery": _delivery,
    "quality": _quality,
    "money": _money,
    "ray": _ray,
    "relations": _relations,
    "team": _team,
    "risks": _risks,
}
"""How each factor is looked at."""


def _revenues(world: World, measures: Evidence) -> Callable[[Ref], Revenue]:
    if measures.money is None:
        return lambda _: (None, None)
    month = month_of(world.today)
    quarter = quarter_of(world.today)
    months: dict[Ref, Decimal] = defaultdict(Decimal)
    quarters: dict[Ref, Decimal] = defaultdict(Decimal)
    for fact in measures.money.weeks:
        day = fact.week.start
        if day in quarter:
            quarters[fact.client] += fact.amount
        if day in month:
            months[fact.client] += fact.amount
    return lambda client: (months[client], quarters[client])


def _client_facts(
    view: _View, measure: ClientMeasure, world: World, *, tracks: Tracks
) -> Iterator[Fact]:
    """State every field of a client with the figures of its own formula."""
    client = view.client
    row = name_row(world.words.say("client"), client)
    reasons = (
        *_health_reasons(view, measure, world, tracks=tracks),
        *_revenue_reasons(view, measure, world),
        *_count_reasons(view, world),
        *_work_reasons(view, world),
    )
    for field, value, why in reasons:
        yield Fact(client.ref, field, value, replace(why, inputs=(row, *why.inputs)))


Reasons = Iterator[tuple[str, Value, Why]]
"""Fields with their values and reasons."""


def _health_reasons(
    view: _View, measure: ClientMeasure, world: World, *, tracks: Tracks
) -> Reasons:
    words = world.words
    say = words.say
    limits = world.thresholds
    scored = [factor for factor in measure.factors if factor.score is not None]
    score = show_number(say("health score"), measure.score, words)
    coverage = words.percent(measure.coverage)
    by_hand = read_colour(view.client, world).reason
    colours = [
        score,
        Input(say("weights with data"), coverage),
        *(Input(say("veto"), reason) for reason in view.vetoes),
    ]
    if by_hand:
        colours.append(Input(say("by hand"), by_hand))
    yield (
        "health",
        measure.rag.value,
        _why_of(
            colours,
            say("weighted mean of the factors; held until seen on two days"),
            _thresholds(limits, words),
        ),
    )
    yield (
        "score",
        measure.score,
        _why_of(
            (
                Input(
                    say(NAMES[f.name]),
                    f"{words.number(f.score or 0, 2)} × {words.number(f.weight, 2)}",
                )
                for f in scored
            ),
            say("sum of weight × score / sum of weights, factors with data only"),
        ),
    )
    yield (
        "coverage",
        measure.coverage,
        _why_of(
            (_weigh(factor, words) for factor in measure.factors),
            say("weights with data / all weights"),
            f"≥ {words.share(limits.health_coverage)}",
        ),
    )
    past = tracks.get(f"{view.client.ref}#score")
    before = Input(say("health score before"), "-")
    if past is not None:
        shown = words.number(Decimal(past.value))
        before = Input(say("health score before"), f"{shown} ({past.since})")
    yield (
        "trend",
        measure.trend,
        _why_of(
            (score, before),
            say(
                "the health score against four to eight weeks ago; {points} points make a trend",
                points=limits.trend_points,
            ),
            f"± {limits.trend_points}",
        ),
    )
    reasons = [Input(say(NAMES[f.name]), f.reason or "-") for f in measure.factors]
    yield "why", measure.why, _why_of(reasons, say("the factors from the weakest up"))


def _why_of(inputs: Iterable[Input], formula: str, threshold: str = "") -> Why:
    return Why("clients", tuple(inputs), formula, threshold)


def _weigh(factor: Factor, words: Words) -> Input:
    shown = str(factor.weight)
    if factor.score is None:
        shown = words.say("{weight}, no data", weight=shown)
    return Input(words.say(NAMES[factor.name]), shown)


def _revenue_reasons(view: _View, measure: ClientMeasure, world: World) -> Reasons:
    if measure.revenue_month is None:
        return
    words = world.words
    amounts = [(fact.week.start, fact.amount) for fact in view.money]
    month = list_parts(month_of(world.today), amounts, words)
    quarter = list_parts(quarter_of(world.today), amounts, words)
    formula = words.say("sum of the client's money in the period")
    yield "revenue_month", measure.revenue_month, _why_of(month, formula)
    yield "revenue_quarter", measure.revenue_quarter, _why_of(quarter, formula)


def _thresholds(limits: Thresholds, words: Words) -> str:
    """Return what the colour of a client is compared with."""
    band = limits.health
    return words.say(
        "{green} / {amber}, coverage ≥ {coverage}, feedback > {feedback}, days ≥ {days}, risk < {risk}",
        green=band.green,
        amber=band.amber,
        coverage=limits.health_coverage,
        feedback=limits.feedback_low,
        days=limits.veto_days,
        risk=limits.veto_risk,
    )


def _count_reasons(view: _View, world: World) -> Reasons:
    """Return what is counted of a client's cards and risks, each of them named."""
    words = world.words
    say = words.say
    running = [card for card in view.cards if card.stage in RUNNING]
    ideas = [card for card in view.cards if card.stage is Stage.IDEA]
    yield (
        "active_projects",
        Decimal(len(running)),
        _why_of(name_cards(running, words), say("cards in progress or evolution")),
    )
    yield (
        "ideas",
        Decimal(len(ideas)),
        _why_of(name_cards(ideas, words), say("cards at the idea stage")),
    )
    if view.knows_risks:
        titles = [risk.title for risk in view.risks]
        titles += [row.title for row in view.own_risks]
        titles.sort()
        yield (
            "open_risks",
            Decimal(len(titles)),
            _why_of(
                (Input(say("risk"), title) for title in titles),
                say("open risks, snoozed ones left out"),
            ),
        )


def _work_reasons(view: _View, world: World) -> Reasons:
    """Return what the cards come to; what an unread card belongs in is left as it is."""
    words = world.words
    say = words.say
    running = view.running
    if not all(measure.known for measure in running):
        return
    done = sum(measure.done for measure in running)
    total = sum(measure.total for measure in running)
    yield (
        "progress",
        share(done, total),
        _why_of(
            (
                Input(say("finished issues"), str(done)),
                Input(say("issues"), str(total)),
            ),
            say("finished issues / all issues of running cards"),
        ),
    )
    yield (
        "on_time",
        min(_chances(view), default=None),
        _why_of(
            (_chance(measure, world) for measure in running),
            say("lowest on-time chance of the running cards"),
        ),
    )
    changes = [measure.last_activity for measure in view.measures]
    newest = max((day for day in changes if day), default=None)
    contact = _last_contact(view)
    yield (
        "data_as_of",
        max((day for day in (newest, contact) if day), default=None),
        _why_of(
            (
                show_day(say("newest change in Jira"), newest),
                show_day(say("last contact"), contact),
            ),
            say("newest change seen for the client"),
        ),
    )


def _chance(measure: CardMeasure, world: World) -> Input:
    return show_share(world.cards[measure.card], measure.on_time, world.words)


def _unit_facts(
    unit: Unit,
    clients: list[ClientMeasure],
    world: World,
    *,
    measures: Evidence,
    tracks: Tracks,
) -> Iterator[Fact]:
    say = world.words.say
    scores = [
        client.score
        for client in clients
        if client.score is not None and client.rag is not Rag.GREY
    ]
    score = _average(scores) if scores else None
    seen = _colour(score, Decimal(1), world)
    rag = _hold(tracks, unit.ref, seen, world.today)
    row = name_row(say("unit"), unit)
    reasons = (
        *_team_reasons(unit, clients, rag, world=world),
        *_plan_reasons(unit, measures.plans, world),
    )
    for field, value, why in reasons:
        yield Fact(unit.ref, field, value, replace(why, inputs=(row, *why.inputs)))


def _team_reasons(
    unit: Unit, clients: list[ClientMeasure], rag: Rag, *, world: World
) -> Reasons:
    say = world.words.say
    band = world.thresholds.health
    yield (
        "triangle",
        "complete" if is_triangle(unit, world) else "broken",
        _why_of(
            name_triangle(unit, world),
            say("exactly one AM, at least one TL and one PM"),
        ),
    )
    yield (
        "health",
        rag.value,
        _why_of(
            (_client_score(client, world) for client in clients),
            say("mean health score of the unit's clients that are not grey"),
            f"{band.green} / {band.amber}",
        ),
    )


def _client_score(client: ClientMeasure, world: World) -> Input:
    score = client.score if client.rag is not Rag.GREY else None
    row = world.clients[client.client]
    shown = show_number(row.name, score, world.words)
    return replace(shown, url=row.url)


def _plan_reasons(unit: Unit, measured: Iterable[PlanMeasure], world: World) -> Reasons:
    words = world.words
    band = world.thresholds.pace
    plans: dict[Grain, PlanMeasure] = {
        plan.period.grain: plan
        for plan in measured
        if plan.unit == unit.ref
        and world.today in plan.period
        and plan.period.grain is not Grain.WEEK
    }
    month = plans.get(Grain.MONTH)
    if month is not None and month.fact is not None:
        yield "revenue_month", month.fact, _from_plan(month, words)

    quarter = plans.get(Grain.QUARTER)
    if quarter is not None and quarter.fact is not None:
        yield "revenue_quarter", quarter.fact, _from_plan(quarter, words)
        yield (
            "pace",
            quarter.pace,
            _why_of(
                (
                    Input(words.say("period"), period_name(quarter.period, words)),
                    show_money(words.say("actual"), quarter.fact, words),
                    show_money(words.say("planned to date"), quarter.planned, words),
                ),
                words.say("actual / planned to date"),
                f"{words.number(band.green, 2)} / {words.number(band.amber, 2)}",
            ),
        )


def _from_plan(plan: PlanMeasure, words: Words) -> Why:
    return _why_of(
        (
            Input(words.say("period"), period_name(plan.period, words)),
            show_money(words.say("actual"), plan.fact, words),
        ),
        words.say("from the unit's plan {period}", period=plan.period.code),
    )
