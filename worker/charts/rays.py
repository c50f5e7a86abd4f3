"""The timeline of cards or clients: a bar each, coloured by stage, what comes after it, and in red where nothing does."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from worker.charts.style import INK, MUTED, RED, STAGES, Json, frame
from worker.domain.charts import Ray, Rays

ROW, PLOT, LABEL, SIGNS = 34, 470, 14, 26


def rays(chart: Rays) -> Json:
    """Return the chart as Vega-Lite."""
    names = dict(chart.stages)
    used = {ray.stage for ray in chart.rays}
    values = [_value(ray, names) for ray in chart.rays]
    legend = {
        names[key]: STAGES.get(key, "#cccccc") for key, _ in chart.stages if key in used
    }
    order = list(dict.fromkeys(str(value["row"]) for value in values))
    return frame(
        chart.title,
        width=PLOT,
        height=max(1, len(order)) * ROW,
        layers=_layers(chart, order, legend),
        subtitle=_key(chart),
        data={"values": values},
    )


def _value(ray: Ray, names: dict[str, str]) -> Json:
    return {
        "row": _short(ray.label),
        "start": ray.start.isoformat(),
        "end": ray.end.isoformat(),
        "stage": names.get(ray.stage, ray.stage),
        "p85": ray.p85.isoformat() if ray.p85 else None,
        "follows": ray.follows.isoformat() if ray.follows else None,
        "breaks": ray.breaks,
    }


def _layers(chart: Rays, order: list[str], legend: dict[str, str]) -> list[Json]:
    y = _rows(order, [_short(ray.label) for ray in chart.rays if ray.breaks])
    x = _time()
    shades = {"domain": list(legend), "range": list(legend.values())}
    color: Json = {"field": "stage", "type": "nominal", "scale": shades}
    end: Json = {"y": y, "x": {**x, "field": "end"}}
    late: Json = {"transform": [{"filter": "datum.p85 != null"}]}
    gap: Json = {"transform": [{"filter": "datum.follows != null"}]}
    broken: Json = {"transform": [{"filter": "datum.breaks"}]}
    shade: Json = {"condition": {"test": "datum.breaks", "value": RED}, "value": MUTED}
    return [
        _week(chart, x),
        {
            "mark": {"type": "bar", "cornerRadius": 4},
            "encoding": {"y": y, "x": x, "x2": {"field": "end"}, "color": color},
        },
        {
            **late,
            "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
            "encoding": {**end, "x2": {"field": "p85"}},
        },
        {
            **late,
            "mark": {"type": "tick", "color": INK, "thickness": 2, "size": 14},
            "encoding": {"y": y, "x": {**x, "field": "p85"}},
        },
        {
            **gap,
            "mark": {"type": "rule", "strokeWidth": 3, "strokeDash": [3, 4]},
            "encoding": {**end, "x2": {"field": "follows"}, "color": shade},
        },
        {
            **gap,
            "mark": {
                "type": "point",
                "shape": "triangle-right",
                "filled": True,
                "opacity": 1,
                "size": 90,
            },
            "encoding": {"y": y, "x": {**x, "field": "follows"}, "color": shade},
        },
        {
            **broken,
            "mark": {
                "type": "tick",
                "color": RED,
                "thickness": 6,
                "size": 26,
                "opacity": 1,
            },
            "encoding": end,
        },
        _today(chart, x),
    ]


def _rows(order: list[str], broken: list[str]) -> Json:
    """Return the axis of names; those whose work runs out are red."""
    named = msgspec.json.encode(broken).decode()
    red = {"test": f"indexof({named}, datum.value) >= 0", "value": RED}
    return {
        "field": "row",
        "type": "ordinal",
        "sort": order,
        "axis": {
            "title": None,
            "labelLimit": 230,
            "labelColor": {"condition": red, "value": INK} if broken else INK,
            "labelFontSize": LABEL,
            "domain": False,
            "ticks": False,
            "labelPadding": 8,
        },
        "scale": {"paddingInner": 0.38},
    }


def _time() -> Json:
    axis = {
        "title": None,
        "format": "%b %Y",
        "tickCount": 5,
        "labelOverlap": True,
        "labelFontSize": 12,
    }
    return {"field": "start", "type": "temporal", "axis": axis}


def _week(chart: Rays, x: Json) -> Json:
    end = (chart.week + timedelta(days=7)).isoformat()
    return {
        "data": {"values": [{"start": chart.week.isoformat(), "end": end}]},
        "mark": {"type": "rect", "color": INK, "opacity": 0.09},
        "encoding": {"x": x, "x2": {"field": "end"}},
    }


def _today(chart: Rays, x: Json) -> Json:
    """Return the line of the present week, before which everything is past."""
    return {
        "data": {"values": [{"start": chart.week.isoformat()}]},
        "mark": {"type": "rule", "color": INK, "strokeWidth": 2},
        "encoding": {"x": x},
    }


def _key(chart: Rays) -> str:
    """Return in words what the signs mean, of those that are there."""
    signs = (
        (True, f"┃ {chart.week_label}"),
        (any(ray.p85 for ray in chart.rays), f"┤ {chart.p85_label}"),
        (any(ray.follows for ray in chart.rays), f"┅▶ {chart.gap_label}"),
        (any(ray.breaks for ray in chart.rays), f"▌ {chart.break_label}"),
    )
    return "\u2003".join(words for is_shown, words in signs if is_shown)


def _short(label: str) -> str:
    return label if len(label) <= SIGNS else label[: SIGNS - 1].rstrip() + "…"
