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
    bars: Json = {
        "mark": {"type": "bar", "cornerRadius": 4},
        "encoding": {"y": y, "x": x, "x2": {"field": "end"}, "color": color},
    }
    return [_week(chart, x), bars, *_signs(chart, {"y": y, "x": x}), _today(chart, x)]


def _signs(chart: Rays, place: Json) -> list[Json]:
    """Return the layers of the signs that are there: one without data costs as much drawing as one with it."""
    layers: list[Json] = []
    if _has_late(chart):
        layers += _late(place)
    if _has_gaps(chart):
        layers += _gaps(place)
    if _has_breaks(chart):
        layers.append(_breaks(place))
    return layers


def _late(place: Json) -> list[Json]:
    """Return what leads from the end of a bar to the far end of its forecast."""
    late: Json = {"transform": [{"filter": "datum.p85 != null"}]}
    return [
        {
            **late,
            "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
            "encoding": {**_at(place, "end"), "x2": {"field": "p85"}},
        },
        {
            **late,
            "mark": {"type": "tick", "color": INK, "thickness": 2, "size": 14},
            "encoding": _at(place, "p85"),
        },
    ]


def _gaps(place: Json) -> list[Json]:
    """Return what leads from the end of a bar to the next work."""
    gap: Json = {"transform": [{"filter": "datum.follows != null"}]}
    shade: Json = {"condition": {"test": "datum.breaks", "value": RED}, "value": MUTED}
    arrow: Json = {
        "type": "point",
        "shape": "triangle-right",
        "filled": True,
        "opacity": 1,
        "size": 90,
    }
    return [
        {
            **gap,
            "mark": {"type": "rule", "strokeWidth": 3, "strokeDash": [3, 4]},
            "encoding": {
                **_at(place, "end"),
                "x2": {"field": "follows"},
                "color": shade,
            },
        },
        {**gap, "mark": arrow, "encoding": {**_at(place, "follows"), "color": shade}},
    ]


def _breaks(place: Json) -> Json:
    """Return the red end of a bar after which there is no work."""
    end: Json = {"type": "tick", "color": RED, "thickness": 6, "size": 26, "opacity": 1}
    return {
        "transform": [{"filter": "datum.breaks"}],
        "mark": end,
        "encoding": _at(place, "end"),
    }


def _at(place: Json, field: str) -> Json:
    """Return a place in time by another date of its ray."""
    return {**place, "x": {**place["x"], "field": field}}


def _has_late(chart: Rays) -> bool:
    return any(ray.p85 for ray in chart.rays)


def _has_gaps(chart: Rays) -> bool:
    return any(ray.follows for ray in chart.rays)


def _has_breaks(chart: Rays) -> bool:
    return any(ray.breaks for ray in chart.rays)


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
        (_has_late(chart), f"┤ {chart.p85_label}"),
        (_has_gaps(chart), f"┅▶ {chart.gap_label}"),
        (_has_breaks(chart), f"▌ {chart.break_label}"),
    )
    return "\u2003".join(words for is_shown, words in signs if is_shown)


def _short(label: str) -> str:
    return label if len(label) <= SIGNS else label[: SIGNS - 1].rstrip() + "…"
