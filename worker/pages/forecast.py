"""What a period is to come to, as a row of a table: its parts as they are shown add up to the forecast."""

from __future__ import annotations

from worker.domain.messages import message
from worker.domain.period_titles import period_title
from worker.method.measures import PlanMeasure
from worker.pages.view import View

FORECAST_HEADER = (
    message("Period"),
    message("Target"),
    message("Actual"),
    message("Committed"),
    message("Weighted pipeline"),
    message("Forecast"),
)


def forecast_row(view: View, plan: PlanMeasure | None) -> tuple[str, ...] | None:
    """Return the row of one period, None where its forecast is not known."""
    if plan is None or plan.forecast is None:
        return None
    parts = (plan.fact, plan.committed, plan.weighted)
    amounts, _ = view.parts(plan.forecast, parts)
    return (
        period_title(plan.period, view.words),
        view.money(plan.target),
        *(view.money(amount) for amount in amounts),
        view.money(plan.forecast),
    )
