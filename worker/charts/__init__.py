"""Chart specs as Vega-Lite: pure dictionaries, checked against Vega-Lite's own schema in the tests.

Written as dictionaries and not with altair's classes: importing those costs over a second at every start.
"""

from __future__ import annotations

from typing import Any

from worker.charts.load_map import load_map
from worker.charts.plan_fact import plan_fact
from worker.charts.rays import rays
from worker.charts.reliability import reliability
from worker.charts.risk_map import risk_map
from worker.domain.charts import Chart, LoadMap, PlanFact, Rays, Reliability, RiskMap


def specify(chart: Chart) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart."""
    match chart:
        case PlanFact():
            return plan_fact(chart)
        case Rays():
            return rays(chart)
        case RiskMap():
            return risk_map(chart)
        case LoadMap():
            return load_map(chart)
        case Reliability():
            return reliability(chart)
