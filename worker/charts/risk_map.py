"""The 5x5 risk map: how many risks stand at each probability and impact, and which."""

from __future__ import annotations

from worker.charts.style import INK, MUTED, Json, frame
from worker.domain.charts import RiskCell, RiskMap

LOW, MEDIUM, HIGH = "#cfe9d7", "#fadf9f", "#f3aca4"
CELL, ROW, NAMES, LENGTH = 132, 92, 3, 18
FAINT = 0.4
"""How strongly a place is coloured where there is no risk."""


def risk_map(chart: RiskMap) -> Json:
    """Return the chart as Vega-Lite; levels as the method has them: 1-6 low, 8-12 medium, 15-25 high."""
    known = {(cell.probability, cell.impact): cell for cell in chart.cells}
    values = [
        _value(known.get((probability, impact)), probability, impact)
        for probability in range(1, 6)
        for impact in range(1, 6)
    ]
    return frame(
        chart.title,
        width=5 * CELL,
        height=5 * ROW,
        layers=_layers(chart),
        data={"values": values},
    )


def _value(cell: RiskCell | None, probability: int, impact: int) -> Json:
    score = probability * impact
    names = [_short(name) for name in cell.labels] if cell else []
    rest = cell.count - NAMES if cell else 0
    shown = names[:NAMES] + ([f"+{rest}"] if rest > 0 else [])
    return {
        "probability": probability,
        "impact": impact,
        "count": cell.count if cell else 0,
        "names": shown,
        "color": _colour(score),
        "opacity": 1 if cell else FAINT,
    }


def _layers(chart: RiskMap) -> list[Json]:
    x: Json = {
        "field": "impact",
        "type": "ordinal",
        "axis": _axis(chart.impact_label, angle=0),
        "scale": {"paddingInner": 0.03, "paddingOuter": 0},
    }
    y: Json = {
        "field": "probability",
        "type": "ordinal",
        "sort": "descending",
        "axis": _axis(chart.probability_label),
        "scale": {"paddingInner": 0.04, "paddingOuter": 0},
    }
    some = {"transform": [{"filter": "datum.count > 0"}]}
    place = {"x": x, "y": y}
    return [
        {
            "mark": {"type": "rect", "cornerRadius": 5},
            "encoding": {
                **place,
                "color": {
                    "field": "color",
                    "type": "nominal",
                    "scale": None,
                    "legend": None,
                },
                "opacity": {"field": "opacity", "type": "quantitative", "scale": None},
            },
        },
        {
            **some,
            "mark": {
                "type": "text",
                "fontSize": 28,
                "fontWeight": "bold",
                "dy": -27,
                "color": INK,
            },
            "encoding": {**place, "text": {"field": "count", "type": "quantitative"}},
        },
        {
            **some,
            "mark": {
                "type": "text",
                "fontSize": 11,
                "dy": -10,
                "baseline": "top",
                "color": INK,
                "lineHeight": 12,
            },
            "encoding": {**place, "text": {"field": "names"}},
        },
    ]


def _axis(title: str, *, angle: int | None = None) -> Json:
    return {
        "title": title,
        "grid": False,
        "domain": False,
        "ticks": False,
        "labelFontSize": 15,
        "labelColor": MUTED,
        "titleFontSize": 14,
        "titlePadding": 10,
        **({"labelAngle": angle} if angle is not None else {}),
    }


def _short(name: str) -> str:
    return name if len(name) <= LENGTH else name[: LENGTH - 1].rstrip() + "…"


def _colour(score: int) -> str:
    if score <= 6:
        return LOW
    return MEDIUM if score <= 12 else HIGH
