"""Progress and forecast of every project card (docs/method.md 1.1).

Progress is by estimate when at least 80 % of the items carry one, else by count. The forecast counts working days from
today on, sampled from the working days of the last 12 weeks (from the card's first item on). What was finished today
counts as still to be done today: morning and evening tell the same days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from worker.domain.entities import RUNNING, Card, CardWork, Issue, Person
from worker.domain.messages import message, stage_label
from worker.domain.values import Ref, Value
from worker.domain.words import Words
from worker.method.delivery.bursts import leave_out, name_bursts
from worker.method.delivery.card_figures import choose, list_figures
from worker.method.delivery.completion import (
    count_arrivals,
    describe_pace,
    forecast_cards,
)
from worker.method.delivery.due_dates import (
    all_promises,
    describe_moves,
    follow_promises,
    keep_promises,
    read_promises,
    state_moves,
)
from worker.method.delivery.effort import (
    seconds_by_author,
    seconds_spent,
    worth_of_hours,
)
from worker.method.delivery.forecasting import LONGEST
from worker.method.delivery.implausible import find_implausible
from worker.method.delivery.records import CardFlow
from worker.method.delivery.schedule import keep_baseline, measure_schedule
from worker.method.delivery.scope import find_agreement, growth_since
from worker.method.figures import show_day
from worker.method.formulas import flow
from worker.method.formulas.flow import ACTIVE, DONE, HOUR, Sums, Trace, Window, share
from worker.method.formulas.hysteresis import Tracks, debounce, follow, to_change
from worker.method.formulas.lateness import count_late, tell_lateness
from worker.method.formulas.promises import follow_promise, promise_of, track_name
from worker.method.measures import CardMeasure, Rag
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.memory import Baseline, Track
from worker.world.world import World

GREY = frozenset({Rag.GREY.value})

Figures = dict[str, Any]
"""Some fields of a `CardMeasure`, gathered before one is made."""


class _Setting(msgspec.Struct, frozen=True, gc=False):
    """What all cards of one run share."""

    window: Window
    ahead: list[date]
    people: dict[str, Person]
    blocked: frozenset[str]
    defects: frozenset[str]
    scope_since: datetime


def measure_progress(world: World) -> Findings[Mapping[Ref, CardMeasure]]:
    """Return the facts of every card, with what was measured and the stages, colours and baselines to remember."""
    setting = _setting(world)
    cards: dict[Ref, CardMeasure] = {}
    tracks = to_change(world.memory.tracks)
    forgotten: list[str] = []
    baselines: dict[str, Baseline] = {}
    measured = {
        ref: _measure(card, world, setting) for ref, card in world.cards.items()
    }
    measured = forecast_cards(measured, world, ahead=setting.ahead)
    for ref, card in world.cards.items():
        stage = tracks[f"{ref}#stage"] = _stage_track(card, world)
        measure = measured[ref]
        promised = promise_of(card, world, jira_due=measure.jira_due)
        name = track_name(card)
        promise = follow_promise(tracks.get(name), promised, world.today)
        if promise is None:
            forgotten.append(name)
        else:
            tracks[name] = promise
        record = tracks.get(all_promises(card))
        promises = read_promises(record, card, promised)
        promises = follow_promises(promises, card, promised, world=world)
        if promises is not None:
            tracks[all_promises(card)] = keep_promises(record, promises, world.today)
        agreed = find_agreement(card, promises, world)
        baseline = keep_baseline(card, measure, world)
        if baseline is not None:
            baselines[str(ref)] = baseline
        schedule = measure_schedule(card, measure, world, baseline=baseline)
        measure = replace(
            measure,
            promised=promised,
            promises=promises,
            agreed=agreed,
            unagreed=_unagreed(measure, agreed, world),
            spi_t=schedule.index if schedule else None,
            earned_days=schedule.earned if schedule else None,
            actual_days=schedule.actual if schedule else None,
            stage_since=stage.since,
            days_in_stage=(world.today - stage.since).days,
        )
        cards[ref] = _coloured(card, measure, world, tracks=tracks)
    formulas = {
        name: (world.words.say(text), _threshold(name, world))
        for name, text, _ in FIELDS
    }
    facts = tuple(
        fact
        for ref, measure in cards.items()
        for fact in _facts(world.cards[ref], measure, world, formulas=formulas)
    )
    return Findings(
        cards,
        facts,
        tracks=tracks.maps[0],
        forgotten=tuple(forgotten),
        baselines=baselines,
        problems=tuple(find_implausible(world)),
    )


def _setting(world: World) -> _Setting:
    limits = world.thresholds
    window = flow.window_before(
        world.today, limits.throughput_weeks, calendar=world.calendar, zone=world.zone
    )
    scope_day = world.today - timedelta(weeks=limits.scope_weeks)
    defects = {name.casefold() for name in limits.defect_types}
    types = {issue.type for work in world.work.values() for issue in work.issues}
    return _Setting(
        window,
        _days_ahead(world),
        {person.jira: person for person in world.people.values() if person.jira},
        frozenset(name.casefold() for name in limits.blocked_statuses),
        frozenset(name for name in types if name.casefold() in defects),
        world.begin_of(scope_day),
    )


def _days_ahead(world: World) -> list[date]:
    """Return yesterday and the working days after it, as far as a forecast can reach."""
    days = [world.today - timedelta(days=1)]
    while len(days) <= LONGEST:
        days.append(world.calendar.add(days[-1], 1))
    return days


def _stage_track(card: Card, world: World) -> Track:
    # A card seen for the first time has stood in its stage at least since it was last edited.
    since = min(world.today, world.day_of(card.edited)) if card.edited else None
    return follow(
        world.memory.tracks.get(f"{card.ref}#stage"),
        card.stage or "",
        world.today,
        since=since,
    )


def _measure(card: Card, world: World, setting: _Setting) -> CardMeasure:
    work = world.work.get(card.ref)
    if work is None or work.as_of is not None:
        return CardMeasure(card.ref, due=card.due, known=not card.jira)
    if not work.link:
        return CardMeasure(card.ref, due=card.due)
    issues = work.issues
    still_open = [issue for issue in issues if issue.category != DONE]
    finished = [issue for issue in issues if issue.category == DONE]
    proposed = max(
        (issue.due for issue in still_open if issue.due is not None), default=None
    )
    new = [issue for issue in issues if issue.created >= setting.scope_since]
    lately = [issue for issue in work.rejected if _ended_since(issue, setting)]
    # What came and went in the same weeks was never known before them.
    gone = [issue for issue in lately if issue.created < setting.scope_since]
    least = world.thresholds.estimate_share
    sums = flow.weigh_sums(issues, (finished, new, gone), least)
    base = len(issues) - len(new) + len(gone)
    has_base = base >= world.thresholds.scope_minimum
    measure = CardMeasure(
        card.ref,
        by=sums.by,
        total=len(issues),
        done=len(finished),
        open=len(still_open),
        work_unit=sums.unit,
        due=card.due or proposed,
        jira_due=proposed,
        new_items=len(new),
        rejected=len(work.rejected),
        rejected_lately=len(lately),
        wip=sum(issue.category == ACTIVE for issue in still_open),
        blocked=sum(
            issue.flagged or issue.status.casefold() in setting.blocked
            for issue in still_open
        ),
        overdue=sum(
            issue.due is not None and issue.due < world.today for issue in still_open
        ),
    )
    done_traces = flow.read_traces(finished)
    open_traces = flow.read_traces(still_open)
    return replace(
        measure,
        **_weights(sums, has_base=has_base),
        **_hours(card, work, still_open, world=world, setting=setting),
        **_flow(
            measure,
            issues,
            _ends(finished, done_traces),
            cycles=flow.cycle_days(done_traces, world.zone),
            world=world,
            setting=setting,
        ),
        **_quality(issues, done_traces, open_traces, world=world, setting=setting),
        **_oldest(still_open, open_traces, world),
    )


def _weights(sums: Sums, *, has_base: bool) -> Figures:
    """Return the sums of work; growth is told only where enough was known before."""
    total = sums.whole
    done, added, gone = sums.parts
    before = total - added + gone
    return {
        "work_done": done,
        "work_total": total,
        "work_added": added,
        "work_gone": gone,
        "progress": share(done, total),
        "scope_change": share(added - gone, before) if has_base else None,
    }


def _unagreed(
    measure: CardMeasure, agreed: date | None, world: World
) -> Decimal | None:
    """Return the growth since a change was agreed; None without one, or where too little was known to speak of growth."""
    if agreed is None or measure.scope_change is None:
        return None
    return growth_since(agreed, world.work[measure.card], world)


def _ended_since(issue: Issue, setting: _Setting) -> bool:
    """Tell whether an issue was closed in the weeks over which growth is measured."""
    end = flow.ended_at(issue)
    return end is not None and end >= setting.scope_since


def _oldest(still_open: list[Issue], traces: list[Trace], world: World) -> Figures:
    """Return the longest running item, and its days with the first and today both included, as cycle times count."""
    starts = [
        (trace.since, issue.key)
        for issue, trace in zip(still_open, traces, strict=True)
        if trace.since is not None and issue.category == ACTIVE
    ]
    if not starts:
        return {}
    begun, key = min(starts)
    days = world.today - world.day_of(begun)
    return {"oldest": key, "oldest_age": days.days + 1}


def _ends(finished: list[Issue], traces: list[Trace]) -> list[datetime]:
    """Return when done items were finished: their resolution, else their last move to done, where either is told."""
    return [
        end
        for issue, trace in zip(finished, traces, strict=True)
        if (end := issue.resolved or trace.ended) is not None
    ]


def _flow(
    measure: CardMeasure,
    issues: tuple[Issue, ...],
    ends: list[datetime],
    *,
    cycles: list[int],
    world: World,
    setting: _Setting,
) -> Figures:
    first = min([issue.created for issue in issues], default=None)
    samples = flow.daily_throughput(
        ends, world.day_of(first) if first else None, window=setting.window
    )
    limits = world.thresholds
    usual, places = leave_out(
        samples, least=limits.burst_items, times=limits.burst_times
    )
    bursts = name_bursts(
        samples, places, window=setting.window, calendar=world.calendar
    )
    weeks = len(usual) / 5
    own = _own_flow(usual, ends, still_open=measure.open, world=world)
    card = world.cards[measure.card]
    came = count_arrivals(card, issues, window=setting.window, world=world)
    return {
        "bursts": bursts,
        "throughput": Decimal(sum(usual) / weeks).quantize(Decimal("0.1"))
        if weeks
        else None,
        "flow": replace(own, came=came),
        "sle": flow.percentile(cycles, 85)
        if len(cycles) >= limits.forecast_minimum
        else None,
    }


def _own_flow(
    usual: list[int], ends: list[datetime], *, still_open: int, world: World
) -> CardFlow:
    """Return what a forecast is drawn from; what was finished today counts as still to be done today."""
    midnight = world.begin_of(world.today)
    today = sum(1 for end in ends if end >= midnight)
    done = list(usual)
    # The days after the end of all work are no idle ones.
    while not still_open and done and not done[-1]:
        done.pop()
    last = world.day_of(max(ends)) if ends else None
    return CardFlow(tuple(done), left=still_open + today, last=last)


def _quality(
    issues: tuple[Issue, ...],
    done: list[Trace],
    still_open: list[Trace],
    *,
    world: World,
    setting: _Setting,
) -> Figures:
    ever_done = len(done) + sum(trace.ended is not None for trace in still_open)
    defects = [issue for issue in issues if issue.type in setting.defects]
    ages = [
        (world.today - world.day_of(issue.created)).days
        for issue in defects
        if issue.category != DONE
    ]
    reopened = sum(trace.reopened for trace in [*done, *still_open])
    return {
        "reopened_share": share(reopened, ever_done),
        "defect_share": share(len(defects), len(issues)),
        "defect_age": flow.percentile(ages, 50),
    }


def _hours(
    card: Card,
    work: CardWork,
    still_open: list[Issue],
    *,
    world: World,
    setting: _Setting,
) -> Figures:
    since = setting.window.start
    recent = [log for log in work.worklogs if log.day >= since]
    hours = Decimal(seconds_spent(work)) / HOUR
    top = flow.top_carrier(seconds_by_author(recent), still_open)
    carrier, carried = top or (None, None)
    person = setting.people.get(carrier) if carrier else None
    worth = worth_of_hours(card, work, world, people=setting.people)
    burn = None
    if worth is not None and card.budget:
        burn = share(worth, card.budget)
    return {
        "hours": hours.quantize(Decimal("0.1")),
        "worth": worth,
        "burn": burn,
        "top_share": carried,
        "last_activity": _last_activity(work, world),
        "top_person": person.name if person else carrier,
    }


def _last_activity(work: CardWork, world: World) -> date | None:
    """Return the day of the newest change or log; what is dated after today tells nothing."""
    days = [log.day for log in work.worklogs if log.day <= world.today]
    midnight = world.begin_of(world.today + timedelta(days=1))
    changes = [issue.updated for issue in (*work.issues, *work.rejected)]
    past = [change for change in changes if change < midnight]
    if past:
        changed = world.day_of(max(past))
        days.append(changed)
    return max(days, default=None)


def _coloured(
    card: Card, measure: CardMeasure, world: World, *, tracks: Tracks
) -> CardMeasure:
    seen, why = _colour(card, measure, world)
    notes = (
        _new_scope(measure, world),
        _lost_scope(measure, world),
        *_bursts(measure, world),
        describe_pace(measure, world),
        describe_moves(measure.promises, world.words),
    )
    why = " ".join(filter(None, (why, *notes)))
    if card.stage in RUNNING and not measure.known:
        # What the row showed stands, as do its figures; once they can be read again, the colour goes on from there.
        return replace(measure, rag=seen, why=why)

    name = f"{card.ref}#health"
    track = tracks[name] = debounce(
        tracks.get(name), seen.value, world.today, instant=GREY
    )
    if track.value != seen.value:
        why = world.words.say(
            "{why} Now {seen}; the colour changes when a second day confirms it.",
            why=why,
            seen=world.words.say(COLOURS[seen]),
        )
    return replace(measure, rag=Rag(track.value), why=why)


def _new_scope(measure: CardMeasure, world: World) -> str:
    """Return how many items are new, where too few were known before to speak of growth."""
    if measure.scope_change is not None or measure.new_items in (0, measure.total):
        return ""
    weeks = world.thresholds.scope_weeks
    return world.words.count(
        "{n} new issue in {weeks} weeks.",
        "{n} new issues in {weeks} weeks.",
        measure.new_items,
        weeks=weeks,
    )


def _lost_scope(measure: CardMeasure, world: World) -> str:
    """Return how many items were lately closed as rejected."""
    if not measure.rejected_lately:
        return ""
    weeks = world.thresholds.scope_weeks
    return world.words.count(
        "{n} issue was closed as rejected in {weeks} weeks and left the scope.",
        "{n} issues were closed as rejected in {weeks} weeks and left the scope.",
        measure.rejected_lately,
        weeks=weeks,
    )


def _bursts(measure: CardMeasure, world: World) -> Iterator[str]:
    """Yield what was finished at once."""
    words = world.words
    for burst in measure.bursts:
        yield words.count(
            "{n} issue was finished at once on {day}: no forecast rests on it.",
            "{n} issues were finished at once on {day}: no forecast rests on them.",
            burst.items,
            day=words.date(burst.day),
        )


COLOURS = {
    Rag.RED: message("red"),
    Rag.AMBER: message("amber"),
    Rag.GREEN: message("green"),
    Rag.GREY: message("grey"),
}


def _colour(card: Card, measure: CardMeasure, world: World) -> tuple[Rag, str]:
    words = world.words
    if card.stage not in RUNNING:
        return Rag.GREY, words.say(
            "Not running (stage: {stage}).", stage=stage_label(card.stage, words)
        )
    if not measure.known:
        return Rag.GREY, words.say("The Jira work of this card could not be read.")
    opinions = list(_opinions(measure, world))
    if opinions and (
        measure.spi_t is not None
        or measure.on_time is not None
        or min(rank for rank, _ in opinions) < SEVERITY.index(Rag.GREEN)
    ):
        reasons = " ".join(text for _, text in opinions if text)
        return SEVERITY[min(rank for rank, _ in opinions)], reasons
    return Rag.GREY, _unknown(measure, world)


SEVERITY = (Rag.RED, Rag.AMBER, Rag.GREEN)


def _opinions(measure: CardMeasure, world: World) -> Iterator[tuple[int, str]]:
    words = world.words
    limits = world.thresholds
    if measure.on_time is not None and measure.due:
        rank = _rank(measure.on_time, limits.on_time.green, limits.on_time.amber)
        yield rank, _say_chance(measure, measure.on_time, measure.due, words)
    if measure.spi_t is not None:
        yield (
            _rank(measure.spi_t, limits.spi.green, limits.spi.amber),
            words.say("SPI(t) {spi}.", spi=words.number(measure.spi_t, 2)),
        )
    if measure.is_outgrown and measure.due:
        # Its end is unknown, which is not well.
        yield SEVERITY.index(Rag.AMBER), ""
    if measure.open:
        late = Decimal(count_late(measure, world.today)) / measure.open
        yield (
            _rank_overdue(measure.overdue, late, limits.overdue_share),
            tell_lateness(measure, world.today, words),
        )


def _say_chance(measure: CardMeasure, on_time: Decimal, due: date, words: Words) -> str:
    chance = words.percent(on_time)
    day = words.date(due)
    if measure.forecast is None:
        return words.say("On-time chance {chance} for {due}.", chance=chance, due=day)
    return words.say(
        "On-time chance {chance} for {due}, safe finish {p85}.",
        chance=chance,
        due=day,
        p85=words.date(measure.forecast.p85),
    )


def _rank_overdue(overdue: int, share: Decimal, limit: Decimal) -> int:
    if share >= limit:
        return 0
    return 1 if overdue else 2


def _rank(value: Decimal, green: Decimal, amber: Decimal) -> int:
    return int(value >= green) + int(value >= amber)


def _unknown(measure: CardMeasure, world: World) -> str:
    words = world.words
    least = world.thresholds.forecast_minimum
    if not measure.total:
        return words.say("No Jira work is known for this card.")
    if measure.is_outgrown:
        return ""
    if measure.history < least and not measure.lenders:
        return words.count(
            "Too little history: {n} finished issue, {least} are needed.",
            "Too little history: {n} finished issues, {least} are needed.",
            measure.history,
            least=least,
        )
    if measure.due is None:
        return words.say("There is no due date to compare the forecast with.")
    return words.count(
        "Nothing was finished in the last {n} week.",
        "Nothing was finished in the last {n} weeks.",
        world.thresholds.throughput_weeks,
    )


def _done_total(measure: CardMeasure, words: Words) -> str | None:
    if not measure.total:
        return None
    done = words.number(measure.work_done)
    total = words.number(measure.work_total)
    match measure.work_unit:
        case "h":
            return words.say("{done} / {total} h by estimate", done=done, total=total)
        case "points":
            return words.say(
                "{done} / {total} story points by estimate", done=done, total=total
            )
        case _:
            return words.say("{done} / {total} by count", done=done, total=total)


Getter = Callable[[CardMeasure, Words], Value]


def _counted(number: Callable[[CardMeasure], int]) -> Getter:
    return lambda measure, _: Decimal(number(measure)) if measure.total else None


FIELDS: tuple[tuple[str, str, Getter], ...] = (
    ("progress", message("work done / all work"), lambda m, _: m.progress),
    ("done_total", message("work done and all work, with the unit"), _done_total),
    (
        "scope_change",
        message("work added in the last weeks, less work rejected / work known before"),
        lambda m, _: m.scope_change,
    ),
    (
        "p50",
        message("day by which half of the simulated scenarios finish"),
        lambda m, _: m.forecast.p50 if m.forecast else None,
    ),
    (
        "p85",
        message("day by which 85% of the simulated scenarios finish"),
        lambda m, _: m.forecast.p85 if m.forecast else None,
    ),
    (
        "on_time",
        message("share of simulated scenarios that finish by the due date"),
        lambda m, _: m.on_time,
    ),
    (
        "spi",
        message("earned schedule / actual time, in working days"),
        lambda m, _: m.spi_t,
    ),
    ("burn", message("hours spent × rates / budget"), lambda m, _: m.burn),
    (
        "hours",
        message("time spent on the issues, or their time logs where those are more"),
        lambda m, _: m.hours,
    ),
    (
        "overdue",
        message("open issues whose due date has passed"),
        _counted(lambda m: m.overdue),
    ),
    (
        "blocked",
        message("open issues flagged or in a blocked status"),
        _counted(lambda m: m.blocked),
    ),
    ("wip", message("issues in progress"), _counted(lambda m: m.wip)),
    (
        "last_activity",
        message("newest change or time log in Jira"),
        lambda m, _: m.last_activity,
    ),
    (
        "health",
        message(
            "worst of on-time chance, SPI(t) and overdue issues; held until seen on two days; empty while not running"
        ),
        lambda m, _: m.rag.value,
    ),
    ("why", message("the reasons of the colour"), lambda m, _: m.why),
)


def _facts(
    card: Card,
    measure: CardMeasure,
    world: World,
    *,
    formulas: dict[str, tuple[str, str]],
) -> Iterator[Fact]:
    say = world.words.say
    figures = list_figures(card, measure, world)
    yield Fact(
        card.ref,
        "days_in_stage",
        Decimal(measure.days_in_stage or 0),
        Why(
            "progress",
            (
                Input(say("stage"), stage_label(card.stage, world.words), card.url),
                show_day(say("since"), measure.stage_since),
                show_day(say("today"), world.today),
            ),
            say("today − the day the stage was first seen"),
        ),
    )
    if measure.promises is not None:
        yield from state_moves(card, measure.promises, world)
    if not measure.known:
        return
    for name, _, getter in FIELDS:
        is_empty = name == "health" and card.stage not in RUNNING
        yield Fact(
            card.ref,
            name,
            None if is_empty else getter(measure, world.words),
            Why("progress", choose(name, figures), *formulas[name]),
        )
    if measure.jira_due is not None:
        yield Fact(
            card.ref,
            "due",
            measure.jira_due,
            Why(
                "progress",
                choose("due", figures),
                say("latest due date of the open issues in Jira"),
            ),
        )


def _threshold(name: str, world: World) -> str:
    limits = world.thresholds
    say = world.words.say
    match name:
        case "progress" | "done_total":
            return say(
                "share of issues with an estimate ≥ {limit}",
                limit=limits.estimate_share,
            )
        case "p50" | "p85" | "on_time":
            return say(
                "finished issues ≥ {least}, scenarios: {draws}",
                least=limits.forecast_minimum,
                draws=limits.forecast_draws,
            )
        case "health":
            chance = limits.on_time
            spi = limits.spi
            return say(
                "on-time chance ≥ {green} / {amber}, SPI(t) ≥ {high} / {low}",
                green=chance.green,
                amber=chance.amber,
                high=spi.green,
                low=spi.amber,
            )
        case "spi":
            return say("share of time passed ≥ {limit}", limit=limits.spi_muted_share)
        case "scope_change":
            return say(
                "weeks: {weeks}, issues known before ≥ {least}",
                weeks=limits.scope_weeks,
                least=limits.scope_minimum,
            )
        case _:
            return ""
