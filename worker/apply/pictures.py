"""The one place where a chart becomes bytes."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import vl_convert

from worker.charts import specify
from worker.domain.charts import Chart

VERSION = "v6.4"
SCALE = 2.0
KEPT = 64
_LOCALES = {"ru": "ru-RU"}
_drawing = threading.Lock()
"""vl-convert runs one JavaScript engine; two charts at once would only take turns inside it."""


@lru_cache(maxsize=KEPT)
def draw(chart: Chart) -> bytes:
    """Return a chart as PNG; the same chart gives the same bytes on one machine.

    A drawing takes a quarter of a second: one whose page could not be written is there when it is tried again.
    """
    with _drawing:
        drawn: bytes = vl_convert.vegalite_to_png(
            specify(chart), vl_version=VERSION, scale=SCALE, **_locale(chart)
        )
    return drawn


def draw_svg(chart: Chart) -> str:
    """Return a chart as SVG."""
    with _drawing:
        drawn: str = vl_convert.vegalite_to_svg(
            specify(chart), vl_version=VERSION, **_locale(chart)
        )
    return drawn


def _locale(chart: Chart) -> dict[str, Any]:
    name = _LOCALES.get(chart.locale)
    return {"format_locale": name, "time_format_locale": name} if name else {}
