"""The pages that only show: overview, runs with their diffs, problems, clients, risks, plan and load, settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse
from msgspec.structs import replace

from worker.cycle.context import Context
from worker.cycle.phases import PHASES
from worker.cycle.tokens import Expiry, expiries
from worker.daemon.maintenance import current_window, next_window
from worker.daemon.standing import JOBS, Standing, read_standing
from worker.domain.entities import FIRM, RUNNING, Client
from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.domain.periods import local_day, quarter_of
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import Code, RenderedProblem, Severity
from worker.mapping.labels import label_field, label_fields
from worker.method.clients.health import NAMES
from worker.pages.pictures import (
    chart_cards,
    chart_clients,
    chart_load,
    chart_plan,
    chart_risks,
)
from worker.pages.view import View
from worker.plan.reading import conflicts
from worker.state import pauses, problems, runs, triggers
from worker.state.pauses import Pause
from worker.state.triggers import Trigger
from worker.web.access import Visitor
from worker.web.desk import Desk, NotThere, desk_of, nearest
from worker.web.drawing import (
    PlanDrawing,
    draw_load,
    draw_plan,
    draw_rays,
    draw_risks,
    levels_of,
)
from worker.web.health import Health, judge, pause_sign, window_sign
from worker.web.metrics import budget_used
from worker.web.plan_table import PlanTables, list_plans
from worker.web.screens import reader_for, show, voice_for, words_for, words_for_all
from worker.web.shown_settings import shown_settings

router = APIRouter(include_in_schema=False)

UNMATCHED = frozenset(
    {
        Code.UNMATCHED_CARD.value,
        Code.UNMATCHED_PROJECT.value,
        Code.UNRESOLVED_LINK.value,
        Code.BAD_LINK.value,
        Code.CARD_WITHOUT_CLIENT.value,
        Code.UNKNOWN_ACCOUNT.value,
    }
)
"""What has no counterpart on the other side."""
FORCED = frozenset({Code.TOO_DESTRUCTIVE.value, Code.MAPPING_CHANGED.value})
"""Reasons whose one way out is to read the plan and to force it."""
MODES = {"delta": message("what changed"), "full": message("everything")}
RAYS = {"green": message("green"), "amber": message("amber"), "red": message("red")}
Here = Annotated[Desk, Depends(desk_of)]


def signed_in(request: Request, desk: Here) -> Visitor:
    """Return who looks; raises `NotSignedIn`."""
    return desk.visitor(request)


Guest = Annotated[Visitor, Depends(signed_in)]


def chosen(
    desk: Here, _visitor: Guest, workspace: Annotated[str, Path(max_length=200)]
) -> Context:
    """Return the workspace of the address, to who is signed in; raises `NotThere`."""
    return desk.workspace(workspace)


Chosen = Annotated[Context, Depends(chosen)]


class Card(msgspec.Struct, frozen=True):
    """One workspace on the overview."""

    context: Context
    standing: Standing
    health: Health
    voice: Any
    budget: float
    problems: Mapping[Severity, int]
    pause: Pause | None


def card_of(request: Request, context: Context, words: Words | None = None) -> Card:
    """Return how a workspace stands, for its card on a page that speaks `words` (usually the workspace's own)."""
    standing = read_standing(context)
    asleep = _asleep(context)
    with context.reading() as tx:
        pause = pauses.current(tx, now=standing.now)
    window = current_window(context.settings, standing.now)
    counts = dict.fromkeys(Severity, 0)
    for problem in standing.problems:
        counts[problem.severity] += problems.name_of(problem) not in asleep
    health = judge(
        standing,
        context.settings.schedule,
        snoozed=lambda problem: problems.name_of(problem) in asleep,
        pause=pause_sign(pause) or window_sign(window),
    )
    voice = voice_for(request, context, words)
    return Card(
        context, standing, health, voice, budget_used(standing, context), counts, pause
    )


def _asleep(context: Context) -> Mapping[str, Any]:
    now = context.now()
    with context.reading() as tx:
        snoozes = problems.SNOOZES.load(tx)
    return {name: until for name, until in snoozes.items() if until > now}


@router.get("/")
def overview(request: Request, desk: Here, visitor: Guest) -> HTMLResponse:
    """Show how all workspaces stand."""
    contexts = desk.contexts().values()
    words = words_for_all(request, contexts)
    cards = [card_of(request, context, words) for context in contexts]
    values = {"cards": cards, "jobs": JOBS}
    return show(request, "overview.html", values, visitor=visitor, words=words)


def workspace_screen(
    request: Request,
    template: str,
    context: Context,
    *,
    visitor: Visitor,
    **values: Any,
) -> HTMLResponse:
    """Return a page of a workspace."""
    words = words_for(request, context)
    voice = voice_for(request, context, words)
    given = {
        "workspace": context.name,
        "voice": voice,
        "modes": MODES,
        "phases": PHASES,
        "label_field": lambda problem: label_field(
            problem, context.schema, words.locale
        ),
    }
    return show(request, template, {**given, **values}, visitor=visitor, words=words)


@router.get("/w/{workspace}")
def workspace_page(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show one workspace: how it stands, what comes next, what may be asked of it."""
    card = card_of(request, context)
    names = desk.insights.names(context)
    return workspace_screen(
        request,
        "workspace.html",
        context,
        visitor=visitor,
        card=card,
        jobs=JOBS,
        window=next_window(context.settings, card.standing.now),
        tokens=_tokens(context),
        clients=sorted(name for ref, name in names.items() if ref.source == "clients"),
    )


def _tokens(context: Context) -> list[tuple[Expiry, int]]:
    """Return the last days of tokens, as far as they are known, each with the days left until then."""
    zone = ZoneInfo(context.settings.time_zone)
    today = local_day(context.now(), zone)
    tokens = []
    for expiry in expiries(context.settings):
        left = expiry.day - today
        tokens.append((expiry, left.days))
    return tokens


@router.get("/w/{workspace}/runs")
def runs_page(request: Request, context: Chosen, visitor: Guest) -> HTMLResponse:
    """List the latest runs."""
    with context.reading() as tx:
        latest = runs.recent(tx, 100)
    return workspace_screen(request, "runs.html", context, visitor=visitor, runs=latest)


@router.get("/w/{workspace}/runs/{run_id}")
def run_page(
    request: Request, desk: Here, context: Chosen, visitor: Guest, run_id: int
) -> HTMLResponse:
    """Show one run: its steps, its plan as a diff, its problems."""
    run = _run(context, run_id)
    checksum = str(run.outcome.get("checksum", ""))
    with context.reading() as tx:
        plan = runs.load_plan(tx, checksum) if checksum else None
        asked = triggers.of_run(tx, run.id)
    reader = reader_for(desk, context, words_for(request, context))
    diff = reader.read_plan(plan) if plan else None
    names = askers_of(asked)
    shown = [_told(problem) for problem in run.outcome.get("problems") or ()]
    refused = [_refused(reason) for reason in run.outcome.get("refused") or ()]
    return workspace_screen(
        request,
        "run.html",
        context,
        visitor=visitor,
        run=run,
        askers=", ".join(names),
        diff=diff,
        conflicts=conflicts(diff.kept) if diff else (),
        problems=_labelled(desk, context, request, shown),
        refused=_labelled(desk, context, request, refused),
    )


def askers_of(asked: Iterable[Trigger]) -> list[str]:
    """Return who asked, each once, those who joined a request that waited included."""
    names: dict[str, None] = {}
    for trigger in asked:
        for asker in (trigger.asker, *trigger.also):
            names[asker.name] = None
    return list(names)


def _run(context: Context, run_id: int) -> runs.Run:
    with context.reading() as tx:
        run = runs.get(tx, run_id) if 0 < run_id < 2**31 else None
        newest = next(iter(runs.recent(tx, 1)), None)
    if run is None:
        raise NotThere("run", str(run_id), str(newest.id) if newest else "")
    return run


def _told(data: Mapping[str, str]) -> RenderedProblem:
    return msgspec.convert(data, RenderedProblem)


def _refused(data: Mapping[str, str]) -> RenderedProblem:
    """Return why a plan was refused; what is said of the command line has a form on this page."""
    reason = _told(data)
    if reason.code in FORCED:
        return replace(reason, hint="")
    return reason


def _labelled(
    desk: Desk, context: Context, request: Request, rendered: Iterable[RenderedProblem]
) -> list[RenderedProblem]:
    """Return problems as people call what they are about: boards and rows by their titles, fields by their columns."""
    words = words_for(request, context)
    names = desk.insights.names(context)
    return label_fields(rendered, context.schema, words.locale, names)


@router.get("/w/{workspace}/plans/{checksum}")
def planworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest, checksum: str
) -> HTMLResponse:
    """Show a plan as a diff, to be reviewed and applied."""
    with context.reading() as tx:
        plan = runs.load_plan(tx, checksum)
    if plan is None or not checksum:
        raise NotThere("plan", checksum)
    diff = reader_for(desk, context, words_for(request, context)).read_plan(plan)
    return workspace_screen(
        request,
        "plan_diff.html",
        context,
        visitor=visitor,
        diff=diff,
        conflicts=conflicts(diff.kept),
        problems=_labelled(desk, context, request, plan.problems),
    )


@router.get("/w/{workspace}/problems")
def problems_page(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """List the problems that stand, what has no counterpart apart, and those that people put to sleep."""
    standing = read_standing(context)
    asleep = _asleep(context)
    awake = []
    sleeping = []
    unmatched = []
    for kept, since in sorted(standing.problems.items(), key=_place):
        name = problems.name_of(kept)
        (problem,) = _labelled(desk, context, request, [kept])
        if name in asleep:
            row = (problem, since, name, asleep[name])
            sleeping.append(row)
        elif problem.code in UNMATCHED:
            unmatched.append((problem, since, name))
        else:
            awake.append((problem, since, name))
    return workspace_screen(
        request,
        "problems.html",
        context,
        visitor=visitor,
        open=awake,
        unmatched=unmatched,
        asleep=sleeping,
    )


def _place(
    row: tuple[RenderedProblem, datetime],
) -> tuple[int, datetime, RenderedProblem]:
    """Return the place of a problem that has stood since an instant: the worst and then the oldest come first."""
    problem, since = row
    severities = list(Severity)
    badness = severities.index(problem.severity)
    return badness, since, problem


def _view(request: Request, desk: Desk, context: Context) -> View | None:
    return desk.insights.view(context, words_for(request, context))


@router.get("/w/{workspace}/clients")
def clientsworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show the rays of all clients, and how each is."""
    view = _view(request, desk, context)
    chart = chart_clients(view) if view else None
    return workspace_screen(
        request,
        "clients.html",
        context,
        visitor=visitor,
        view=view,
        rays=draw_rays(chart) if chart else None,
        clients=_clients(view) if view else (),
        health_words=RAYS,
    )


def _clients(view: View) -> list[tuple[Client, Any]]:
    order = {"red": 0, "amber": 1, "green": 2, "grey": 3}
    measures = view.measures.clients

    def place(client: Client) -> tuple[int, str]:
        name = client.name.casefold()
        measure = measures.get(client.ref)
        if measure is None:
            return len(order), name
        colour = order[measure.rag.value]
        return colour, name

    clients = sorted(view.world.clients.values(), key=place)
    return [(client, measures.get(client.ref)) for client in clients]


@router.get("/w/{workspace}/clients/{key}")
def clientworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest, key: str
) -> HTMLResponse:
    """Show one client: its ray, its health with the reasons, its cards and risks."""
    view = _view(request, desk, context)
    client = view.world.clients.get(Ref("clients", key)) if view else None
    if view is None or client is None:
        names = {one.name: one for one in view.world.clients.values()} if view else {}
        raise NotThere("client", key, nearest(key, names))
    cards = view.cards.get(client.ref, ())
    chart = chart_cards(view, cards, title=view.say("Rays of the cards"))
    return workspace_screen(
        request,
        "client.html",
        context,
        visitor=visitor,
        view=view,
        client=client,
        measure=view.measures.clients.get(client.ref),
        factor_names=NAMES,
        health_words=RAYS,
        cards=cards,
        running=RUNNING,
        risks=view.shelf(client.ref).risks,
        rays=draw_rays(chart) if chart else None,
    )


@router.get("/w/{workspace}/risks")
def risksworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show the risk map and the risks on it."""
    view = _view(request, desk, context)
    chart = chart_risks(view, view.risks, title=view.say("Risk map")) if view else None
    return workspace_screen(
        request,
        "risks.html",
        context,
        visitor=visitor,
        view=view,
        map=draw_risks(chart) if chart else None,
        chart=chart,
    )


@router.get("/w/{workspace}/plan")
def cascadeworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show plan and fact of the quarter: the firm's, each unit's, and how they split."""
    view = _view(request, desk, context)
    tables: PlanTables = []
    drawings: list[PlanDrawing] = []
    if view is not None:
        tables = list_plans(view)
        drawings += _drawings(view)
    return workspace_screen(
        request,
        "plan.html",
        context,
        visitor=visitor,
        view=view,
        drawings=drawings,
        tables=tables,
        title_of=period_title,
        health_words=RAYS,
    )


def _drawings(view: View) -> Iterator[PlanDrawing]:
    quarter = quarter_of(view.today)
    for unit in (FIRM, *view.world.units):
        chart = chart_plan(view, unit, quarter, until=view.today)
        if chart is not None:
            amounts = tuple(view.brief_money(level) for level in levels_of(chart))
            yield draw_plan(chart, amounts)


@router.get("/w/{workspace}/load")
def loadworkspace_screen(
    request: Request, desk: Here, context: Chosen, visitor: Guest
) -> HTMLResponse:
    """Show the load of the weeks ahead as a heat map."""
    view = _view(request, desk, context)
    title = view.say("Load of the weeks ahead") if view else ""
    chart = chart_load(view, view.measures.people, title=title) if view else None
    return workspace_screen(
        request,
        "load.html",
        context,
        visitor=visitor,
        view=view,
        chart=chart,
        rows=draw_load(chart) if chart else (),
    )


@router.get("/w/{workspace}/settings")
def settings_page(request: Request, context: Chosen, visitor: Guest) -> HTMLResponse:
    """Show the settings in force, without secrets."""
    groups = shown_settings(context.settings)
    return workspace_screen(
        request, "settings.html", context, visitor=visitor, groups=groups
    )
