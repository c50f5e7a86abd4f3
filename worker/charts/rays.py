"""The timeline of cards: a bar each, coloured by stage, with the far end of its forecast."""

from __future__ import annotations

from datetime import timedelta

from worker.charts.style import INK, MUTED, STAGES, WIDTH, Json, frame
from worker.domain.charts import Rays

ROW = 30


def rays(chart: Rays) -> Json:
    """Return the chart as Vega-Lite."""
    names = dict(chart.stages)
    used = {ray.stage for ray in chart.rays}
    values = [
        {
            "row": _short(ray.label),
            "start": ray.start.isoformat(),
            "end": ray.end.isoformat(),
            "stage": names.get(ray.stage, ray.stage),
            "p85": ray.p85.isoformat() if ray.p85 else None,
        }
        for ray in chart.rays
    ]
    legend = {
        names[key]: STAGES.get(key, "#cccccc") for key, _ in chart.stages if key in used
    }
    order = list(dict.fromkeys(str(value["row"]) for value in values))
    return frame(
        chart.title,
        width=WIDTH - 180,
        height=max(1, len(order)) * ROW,
        layers=_layers(chart, order, legend),
        data={"values": values},
    )


def _layers(chart: Rays, order: list[str], legend: dict[str, str]) -> list[Json]:
    y: Json = {
        "field": "row",
        "type": "ordinal",
        "sort": order,
        "axis": {
            "title": None,
            "labelLimit": 230,
            "labelColor": INK,
            "labelFontSize": 12,
            "domain": False,
            "ticks": False,
            "labelPadding": 8,
        },
        "scale": {"paddingInner": 0.38},
    }
    x: Json = {
        "field": "start",
        "type": "temporal",
        "axis": {
            "title": None,
            "format": "%b %Y",
            "tickCount": 6,
            "labelOverlap": True,
        },
    }
    shades = {"domain": list(legend), "range": list(legend.values())}
    color: Json = {"field": "stage", "type": "nominal", "scale": shades}
    whisker: Json = {"transform": [{"filter": "datum.p85 != null"}]}
    return [
        _week(chart, x),
        {
            "mark": {"type": "bar", "cornerRadius": 4},
            "encoding": {"y": y, "x": x, "x2": {"field": "end"}, "color": color},
        },
        {
            **whisker,
            "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
            "encoding": {"y": y, "x": {**x, "field": "end"}, "x2": {"field": "p85"}},
        },
        {
            **whisker,
            "mark": {"type": "tick", "color": INK, "thickness": 2, "size": 12},
            "encoding": {"y": y, "x": {**x, "field": "p85"}},
        },
        _week_label(chart, x),
    ]


def _week(chart: Rays, x: Json) -> Json:
    end = (chart.week + timedelta(days=7)).isoformat()
    return {
        "data": {"values": [{"start": chart.week.isoformat(), "end": end}]},
        "mark": {"type": "rect", "color": "#d4574c", "opacity": 0.16},
        "encoding": {"x": x, "x2": {"field": "end"}},
    }


def _week_label(chart: Rays, x: Json) -> Json:
    label = f"{chart.week_label}   {'┤ ' + chart.p85_label if any(ray.p85 for ray in chart.rays) else ''}".rstrip()
    return {
        "data": {"values": [{"start": chart.week.isoformat(), "label": label}]},
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "bottom",
            "color": MUTED,
            "fontSize": 10,
            "dy": -3,
        },
        "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "label"}},
    }


def _short(label: str) -> str:
    return label if len(label) <= 34 else label[:33].rstrip() + "…"
