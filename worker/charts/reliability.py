"""Reliability: chances as told beside the share that came, by tenths, with the intervals of what was counted."""

from __future__ import annotations

from worker.charts.style import BLUE, GREY, INK, MUTED, Json, frame
from worker.domain.charts import OddsPoint, Reliability

SIDE = 440
GAP = 14
"""How far the count stands from its point."""
SIGNS = {"ru": "\u00a0%"}
"""How a percentage ends where it does not end in the bare sign."""


def reliability(chart: Reliability) -> Json:
    """Return the chart as Vega-Lite."""
    values = []
    for point in chart.points:
        value = _value(point)
        values.append(value)
    return frame(
        chart.title,
        width=SIDE,
        height=SIDE,
        layers=_layers(chart),
        data={"values": values},
    )


def _value(point: OddsPoint) -> Json:
    return {
        "told": float(point.told),
        "came": float(point.came),
        "low": float(point.low),
        "high": float(point.high),
        "count": point.count,
    }


def _layers(chart: Reliability) -> list[Json]:
    x = _share("told", chart.told_label, chart)
    y = _share("came", chart.came_label, chart)
    ends = {**y, "field": "low"}
    return [
        *_ideal(chart, {"x": x, "y": y}),
        {
            "mark": {"type": "rule", "color": BLUE, "opacity": 0.5, "strokeWidth": 3},
            "encoding": {"x": x, "y": ends, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "color": BLUE, "filled": True, "size": 90},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "text", "dx": GAP, "align": "left", "color": INK},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "count", "type": "quantitative"},
            },
        },
    ]


def _ideal(chart: Reliability, place: Json) -> list[Json]:
    """Return the line on which what is told comes as often as told, and its name."""
    ends = [{"told": 0, "came": 0}, {"told": 1, "came": 1}]
    words = {"value": chart.ideal_label}
    return [
        {
            "data": {"values": ends},
            "mark": {"type": "line", "color": GREY, "strokeDash": [5, 4]},
            "encoding": place,
        },
        {
            "data": {"values": ends[1:]},
            "mark": {"type": "text", "align": "right", "dy": -9, "color": MUTED},
            "encoding": {**place, "text": words},
        },
    ]


def _share(field: str, title: str, chart: Reliability) -> Json:
    sign = SIGNS.get(chart.locale, "%")
    label = f"round(100 * datum.value) + '{sign}'"
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": title, "labelExpr": label, "tickCount": 5},
    }
