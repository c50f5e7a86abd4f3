"""The plan/fact line of a period: both cumulative, with the day of the cut."""

from __future__ import annotations

from decimal import Decimal

from worker.charts.style import BLUE, GREY, INK, MUTED, WIDTH, Json, frame
from worker.domain.charts import PlanFact

_UNITS = (
    (Decimal(1_000_000), {"en": "M", "ru": "млн"}),
    (Decimal(1_000), {"en": "K", "ru": "тыс."}),
)


def plan_fact(chart: PlanFact) -> Json:
    """Return the chart as Vega-Lite."""
    largest = max(
        (
            amount
            for point in chart.points
            for amount in (point.plan, point.fact)
            if amount is not None
        ),
        default=Decimal(0),
    )
    scale, unit = next(
        (
            (size, names.get(chart.locale, names["en"]))
            for size, names in _UNITS
            if largest >= size
        ),
        (Decimal(1), ""),
    )
    values = [
        {"day": point.day.isoformat(), "series": label, "amount": float(amount / scale)}
        for point in chart.points
        for label, amount in (
            (chart.plan_label, point.plan),
            (chart.fact_label, point.fact),
        )
        if amount is not None
    ]
    facts = [value for value in values if value["series"] == chart.fact_label]
    axis = " ".join(part for part in (unit, chart.money) if part)
    return frame(
        chart.title,
        width=WIDTH,
        height=300,
        layers=_layers(chart, axis, facts),
        data={"values": values},
    )


def _layers(chart: PlanFact, axis: str, facts: list[Json]) -> list[Json]:
    x: Json = {
        "field": "day",
        "type": "temporal",
        "axis": {
            "format": "%d.%m" if chart.locale == "ru" else "%b %-d",
            "title": None,
            "grid": False,
            "tickCount": 8,
            "labelOverlap": True,
        },
    }
    y: Json = {
        "field": "amount",
        "type": "quantitative",
        "axis": {"title": axis, "tickCount": 5, "format": ",~f"},
        "scale": {"zero": True},
    }
    color: Json = {
        "field": "series",
        "type": "nominal",
        "legend": {"symbolType": "stroke"},
        "scale": {
            "domain": [chart.plan_label, chart.fact_label],
            "range": [GREY, BLUE],
        },
    }
    done: Json = {"data": {"values": facts}}
    last: Json = {"data": {"values": facts[-1:]}}
    return [
        {
            **done,
            "mark": {"type": "area", "color": BLUE, "opacity": 0.10},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "strokeCap": "round"},
            "encoding": {
                "x": x,
                "y": y,
                "color": color,
                "strokeDash": {
                    "field": "series",
                    "type": "nominal",
                    "legend": None,
                    "scale": {
                        "domain": [chart.plan_label, chart.fact_label],
                        "range": [[6, 4], [1, 0]],
                    },
                },
            },
        },
        {
            **last,
            "mark": {
                "type": "point",
                "filled": True,
                "size": 70,
                "color": BLUE,
                "opacity": 1,
            },
            "encoding": {"x": x, "y": y},
        },
        {
            **last,
            "mark": {
                "type": "text",
                "dy": -14,
                "fontSize": 12,
                "fontWeight": "bold",
                "align": "right",
                "color": INK,
            },
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "amount", "type": "quantitative", "format": ",.1f"},
            },
        },
        *_now(chart, x),
    ]


def _now(chart: PlanFact, x: Json) -> list[Json]:
    data = {"values": [{"day": chart.now.isoformat(), "label": chart.now_label}]}
    days = [point.day for point in chart.points] or [chart.now]
    is_late = 4 * (chart.now - days[0]) > 3 * (
        days[-1] - days[0]
    )  # the label would leave the picture on the right
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3]},
            "encoding": {"x": x},
        },
        {
            "data": data,
            "mark": {
                "type": "text",
                "align": "right" if is_late else "left",
                "baseline": "top",
                "dx": -5 if is_late else 5,
                "color": MUTED,
                "fontSize": 11,
            },
            "encoding": {
                "x": x,
                "y": {"value": 284 if is_late else 2},
                "text": {"field": "label"},
            },
        },
    ]
