"""The method on one page: which rule reads what, and who takes what it finds.

Every rule gets the world as it was read and, by name, what earlier rules measured; it returns its own findings alone
(`worker.method.run`). The chapters: delivery, money, capacity, clients, growth, sprint, hindsight; what several of them
need stands in `formulas`. Risks come before the health of clients, which counts them, so that a second run on the same day
finds nothing new.
"""

from __future__ import annotations

from collections.abc import Callable

from worker.mapping.playbooks import Playbooks
from worker.method.capacity.hiring import plan_staff_requests
from worker.method.capacity.ripple import find_ripples
from worker.method.capacity.staffing import find_staffing_needs
from worker.method.capacity.triangle import find_broken_triangles
from worker.method.capacity.utilization import measure_utilization
from worker.method.clients.churn import end_conditions, end_signals, find_churn
from worker.method.clients.contacts import find_relation_conditions
from worker.method.clients.feedback import measure_feedback
from worker.method.clients.health import Evidence, measure_health
from worker.method.clients.rays import measure_rays
from worker.method.delivery.deadlines import find_deadline_conditions
from worker.method.delivery.progress import measure_progress
from worker.method.delivery.quality import find_quality_conditions
from worker.method.growth.backlog import plan_backlog
from worker.method.growth.evolution import plan_revolutions
from worker.method.growth.goals import measure_goals
from worker.method.growth.graduation import find_graduations
from worker.method.growth.hunting import measure_loyalty, measure_portfolios
from worker.method.growth.services import find_white_spots
from worker.method.hindsight.calibration import keep_score
from worker.method.hindsight.spells import follow_risks
from worker.method.hindsight.takings import keep_takings
from worker.method.hindsight.tries import weigh_answers
from worker.method.measures import LoadMeasure, Measures, SprintMeasure
from worker.method.money.billing import find_unbilled
from worker.method.money.bonuses import plan_bonuses
from worker.method.money.budgets import find_spent_budgets
from worker.method.money.finance import measure_client_money
from worker.method.money.forecasts import forecast_money
from worker.method.money.ledger import record_ledger
from worker.method.money.lifetime import measure_lifetimes
from worker.method.money.margins import measure_margins
from worker.method.money.pipeline import measure_pipeline
from worker.method.money.plans import plan_money
from worker.method.money.retainer_hours import measure_hours
from worker.method.money.revenue import measure_revenue
from worker.method.money.servicing import measure_servicing
from worker.method.money.terms import record_terms
from worker.method.outcome import Outcome
from worker.method.run import Run
from worker.method.sprint.data_notes import note_data
from worker.method.sprint.next_task import find_next_tasks
from worker.method.sprint.occasions import find_occasions
from worker.method.sprint.requests import measure_requests
from worker.method.sprint.retrospective import record_tasks
from worker.method.sprint.risks import plan_risks
from worker.method.sprint.signals import find_signals
from worker.method.sprint.tasks import plan_tasks
from worker.world.world import World


def evaluate(
    world: World, playbooks: Playbooks, *, start: Callable[[World], Run] = Run
) -> Outcome:
    """Return all facts, measures, memory and problems of one run.

    `run(rule, unknown, ...)` calls a rule with the world and what follows; one that fails leaves out only its own
    facts, and the rules after it get `unknown` in place of its value. `start` makes the run.
    """
    run = start(world)

    run(record_terms, None)
    cards = run(measure_progress, {})
    money = run(measure_revenue, None)
    coming = run(forecast_money, None, cards, money)
    plans = run(plan_money, (), money, coming, cards)
    load = run(measure_utilization, LoadMeasure(), cards, plans)

    run(find_deadline_conditions, None, cards)
    run(find_quality_conditions, None, cards)
    run(find_relation_conditions, None, playbooks)
    run(find_broken_triangles, None)
    needs = run(find_staffing_needs, None, load)
    run(plan_staff_requests, None, needs)
    run(find_ripples, None, cards, load.people)
    rays = run(measure_rays, {}, cards)
    graduations = run(find_graduations, {}, cards, load.units)
    revolutions = run(plan_revolutions, ())
    services = run(find_white_spots, None)
    portfolios = run(measure_portfolios, {}, load.people)
    loyalty = run(measure_loyalty, None)
    paces = run(measure_client_money, None, cards, money, plans)
    pipeline = run(measure_pipeline, None, cards, plans, money, coming)
    run(find_unbilled, None, money)
    run(record_ledger, None, money)
    hours = run(measure_hours, None)
    run(find_spent_budgets, None, cards)
    realisations = run(measure_servicing, None, money, cards, hours)
    run.private(plan_bonuses, None, money)
    run.private(measure_margins, None, money, hours)
    feedback = run.private(measure_feedback, None)
    requests = run(measure_requests, None, playbooks)

    # All conditions have been looked at: of a client that left, nothing but that it left is one any more.
    spoken = tuple(run.conditions)
    left = run(find_churn, {}, money)
    conditions = run(end_conditions, spoken, spoken, left)
    conditions += tuple(run.conditions[len(spoken) :])
    risks = run(plan_risks, None, playbooks, conditions, is_whole=not run.failed)

    evidence = Evidence(
        cards=cards,
        money=money,
        paces=paces,
        plans=plans,
        units=load.units,
        rays=rays,
        feedback=feedback,
        requests=requests,
        risks=risks,
        realisations=realisations,
    )
    clients = run(measure_health, {}, evidence)
    run(measure_lifetimes, None, money, clients, left)
    backlog = run(plan_backlog, None)
    goals = run(measure_goals, None)

    own_signals = run(find_signals, None, playbooks, cards, risks)
    run(find_occasions, None, playbooks)
    signals = run(end_signals, tuple(run.signals), run.signals, left)
    known = signals if own_signals is not None else None
    sprint = run(plan_tasks, SprintMeasure(), playbooks, known, requests or ())
    tasks = sprint.open
    records = run(record_tasks, None, cards, run.occurrences)
    run(find_next_tasks, None, tasks)
    calibration = run(keep_score, None, cards)
    history = run(follow_risks, None, risks, run.occurrences)
    worths = run(weigh_answers, None, playbooks, cards, tasks, history)
    takings = run(keep_takings, {}, plans)
    told = (*world.problems, *run.problems)
    notes = run(note_data, (), told, is_whole=not run.failed)

    measures = Measures(
        cards=cards,
        clients=clients,
        plans=plans,
        money=money.weeks if money else None,
        corrections=money.corrections if money else (),
        coming=coming,
        history=money.history if money else None,
        conditions=conditions,
        risks=risks,
        signals=known,
        tasks=tasks,
        waiting=sprint.waiting,
        failed=tuple(run.failed),
        left=left,
        paces=paces,
        people=load.people,
        units=load.units,
        requests=requests,
        records=records,
        backlog=backlog,
        feedback=feedback,
        goals=goals,
        rays=rays,
        graduations=graduations,
        revolutions=revolutions,
        services=services,
        loyalty=loyalty,
        portfolios=portfolios,
        hours=hours,
        pipeline=pipeline,
        notes=notes,
        calibration=calibration,
        risk_odds=history.odds if history else None,
        takings=takings,
        worths=worths,
        needs=needs,
    )
    problems = (*playbooks.problems, *run.problems)
    return Outcome(tuple(run.facts), measures, run.memory(), problems)
