"""The heat map of load: people by weeks, as percent of their capacity."""

from __future__ import annotations

from decimal import Decimal

from worker.charts.style import INK, Json, frame
from worker.domain.charts import LoadMap

NONE = "#f1f1ef"
SHADES = (
    (0.5, "#dbe8f8"),
    (0.7, "#b9d6ee"),
    (0.9, "#a9d5b6"),
    (1.1, "#7dbf92"),
    (1.3, "#f3c56f"),
)
OVER = "#e0786d"
STEP, CELL, FONT_SIZE = 34, 62, 14


def load_map(chart: LoadMap) -> Json:
    """Return the chart as Vega-Lite."""
    values = [
        {
            "person": cell.person,
            "week": cell.week,
            "color": _shade(cell.load),
            "text": _text(cell.load, chart.locale),
        }
        for cell in chart.cells
    ]
    place: Json = {
        "y": {
            "field": "person",
            "type": "ordinal",
            "sort": list(chart.people),
            "scale": {"paddingInner": 0.08},
            "axis": {
                "title": None,
                "labelLimit": 190,
                "labelColor": INK,
                "labelFontSize": FONT_SIZE,
                "domain": False,
                "ticks": False,
            },
        },
        "x": {
            "field": "week",
            "type": "ordinal",
            "sort": list(chart.weeks),
            "scale": {"paddingInner": 0.06},
            "axis": {
                "title": None,
                "orient": "top",
                "labelAngle": 0,
                "labelFontSize": 12,
                "domain": False,
                "ticks": False,
            },
        },
    }
    layers = [
        {
            "mark": {"type": "rect", "cornerRadius": 4},
            "encoding": {
                **place,
                "color": {
                    "field": "color",
                    "type": "nominal",
                    "scale": None,
                    "legend": None,
                },
            },
        },
        {
            "mark": {"type": "text", "fontSize": FONT_SIZE, "color": INK},
            "encoding": {**place, "text": {"field": "text"}},
        },
    ]
    return frame(
        chart.title,
        width=max(1, len(chart.weeks)) * CELL,
        height=max(1, len(chart.people)) * STEP,
        layers=layers,
        data={"values": values},
    )


def _text(load: Decimal | None, locale: str) -> str:
    """Return a load as percent; a sign on its own where nobody is there to work."""
    if load is None:
        return "–"
    space = "" if locale == "en" else "\u00a0"
    return f"{round(load * 100)}{space}%"


def _shade(load: object) -> str:
    if load is None:
        return NONE
    return next((color for limit, color in SHADES if float(str(load)) < limit), OVER)
