"""How every chart looks: one font, one palette, quiet axes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# Named explicitly: the default fallback of the renderer lacks the rouble sign and Cyrillic in one face.
FONT = "DejaVu Sans"
INK, MUTED, GRID, PAPER = "#37352f", "#787774", "#e9e9e7", "#ffffff"
BLUE, GREEN, AMBER, RED, GREY = "#2e6fdb", "#3f9868", "#e0a63a", "#d4574c", "#b9b8b4"
WIDTH = 760
UNLIMITED = 0
"""Words that are short as they come are not measured against a width: measuring is most of what a picture costs."""

STAGES = {
    "idea": "#d9d5e8",
    "shaping": "#c2b5e3",
    "proposal": "#f0c98b",
    "agreed": "#8fc3ea",
    "in_progress": "#2e6fdb",
    "evolution": "#3f9868",
}


def frame(
    title: str,
    *,
    width: int,
    height: int,
    layers: list[Json],
    subtitle: str = "",
    **more: Any,
) -> Json:
    """Return a whole specification with the common configuration."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": PAPER,
        "padding": 16,
        "width": width,
        "height": height,
        "title": _title(title, subtitle),
        "layer": layers,
        "config": CONFIG,
        **more,
    }


def _title(text: str, subtitle: str) -> Json:
    return {
        "text": text,
        "subtitle": subtitle,
        "subtitleColor": INK,
        "subtitleFontSize": 12,
        "subtitlePadding": 8,
        "anchor": "start",
        "fontSize": 15,
        "fontWeight": "bold",
        "color": INK,
        "offset": 14,
    }


CONFIG: Json = {
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFont": FONT,
        "titleFont": FONT,
        "labelLimit": UNLIMITED,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": MUTED,
        "labelFontSize": 11,
        "labelFont": FONT,
        "titleFont": FONT,
        "orient": "top",
        "title": None,
        "symbolType": "square",
        "offset": 8,
        "labelLimit": UNLIMITED,
    },
    "text": {"font": FONT, "color": INK},
    "title": {"font": FONT, "subtitleFont": FONT},
}
