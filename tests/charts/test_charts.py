"""Charts are valid Vega-Lite and say their words in their font."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import altair
import pytest
import vl_convert
from msgspec.structs import replace

from worker.charts import specify
from worker.domain.charts import (
    Chart,
    LoadCell,
    LoadMap,
    OddsPoint,
    PlanFact,
    PlanPoint,
    Ray,
    Rays,
    Reliability,
    RiskCell,
    RiskMap,
    digest,
)
from worker.write.uploads import options

MONDAY = date(2026, 11, 16)
STAGES = (("idea", "идея"), ("proposal", "КП"), ("in_progress", "в работе"))


def plan_fact(days: int = 30, *, locale: str = "ru", scale: int = 1) -> PlanFact:
    """Return a month of plan and half a month of fact."""
    first = date(2026, 11, 1)
    points = tuple(
        PlanPoint(
            first + timedelta(days=day),
            Decimal(90_000 * scale * day),
            Decimal(80_000 * scale * day) if day < 15 else None,
        )
        for day in range(days)
    )
    return PlanFact(
        "План и факт", points, MONDAY, "План", "Факт", "Срез 16 нояб.", "₽", locale
    )


RAYS = Rays(
    "Лучи",
    (
        Ray(
            "Интернет-банк с очень длинным названием проекта",
            date(2026, 5, 1),
            date(2027, 3, 1),
            "in_progress",
            date(2027, 4, 1),
        ),
        Ray("Идея", date(2027, 1, 10), date(2027, 4, 1), "idea"),
    ),
    MONDAY,
    "эта неделя",
    "P85",
    STAGES,
    "ru",
)
RISKS = RiskMap(
    "Карта рисков",
    (
        RiskCell(5, 4, 5, ("Склад", "Магазин", "Портал")),
        RiskCell(1, 2, 1, ("Договор",)),
    ),
    "Вероятность",
    "Влияние",
    "ru",
)
LOAD = LoadMap(
    "Загрузка",
    ("Анна", "Борис"),
    ("16 нояб.", "23 нояб."),
    (
        LoadCell("Анна", "16 нояб.", Decimal("1.31")),
        LoadCell("Анна", "23 нояб.", None),
        LoadCell("Борис", "16 нояб.", Decimal("0.4")),
        LoadCell("Борис", "23 нояб.", Decimal(1)),
    ),
    "ru",
)
ODDS = Reliability(
    "Вероятность успеть и что вышло",
    (
        OddsPoint(Decimal("0.35"), Decimal("0.3"), Decimal("0.1"), Decimal("0.6"), 12),
        OddsPoint(Decimal("0.97"), Decimal("0.8"), Decimal("0.7"), Decimal("0.9"), 61),
    ),
    "вероятность",
    "в срок",
    "как сказано",
    "ru",
)
CHARTS: tuple[Chart, ...] = (plan_fact(), RAYS, RISKS, LOAD, ODDS)
EMPTY: tuple[Chart, ...] = (
    PlanFact("x", (), MONDAY, "p", "f", "n", "EUR"),
    Rays("x", (), MONDAY, "w", "p", ()),
    RiskMap("x", (), "p", "i"),
    LoadMap("x", (), (), ()),
    Reliability("x", (), "t", "c", "i"),
)


@pytest.mark.parametrize(
    "chart", [*CHARTS, *EMPTY], ids=lambda chart: type(chart).__name__
)
def test_every_chart_is_valid_vega_lite(chart: Chart) -> None:
    altair.LayerChart.from_dict(specify(chart), validate=True)


def test_charts_that_differ_have_different_digests() -> None:
    assert len({digest(chart) for chart in (*CHARTS, *EMPTY)}) == 10
    assert digest(plan_fact()) == digest(plan_fact())


@dataclass(frozen=True, slots=True)
class _Said:
    """A chart and words that must be readable in it."""

    chart: Chart
    words: tuple[str, ...]


@pytest.mark.parametrize(
    "said",
    [
        _Said(plan_fact(), ("План и факт", "млн ₽", "Срез 16 нояб.", "1,1")),
        _Said(plan_fact(locale="en"), ("M ₽", "1.1")),
        _Said(
            PlanFact(
                "x",
                (PlanPoint(MONDAY, Decimal(900), Decimal(5_000)),),
                MONDAY,
                "p",
                "f",
                "n",
                "€",
            ),
            ("K €",),
        ),
        _Said(ODDS, ("вероятность", "в срок", "как сказано", "80\u00a0%", "61")),
        _Said(replace(ODDS, locale="en"), ("80%",)),
        _Said(RAYS, ("Интернет-банк с очень дли…", "в работе", "эта неделя", "P85")),
        _Said(RISKS, ("Вероятность", "Склад", "+2", ">5<")),
        _Said(LOAD, ("131\u00a0%", "–", "Борис")),
        _Said(replace(LOAD, locale="en"), ("131%",)),
    ],
    ids=lambda said: type(said.chart).__name__,
)
def test_a_picture_says_its_words_in_its_font(said: _Said) -> None:
    svg: str = vl_convert.vegalite_to_svg(specify(said.chart), **options(said.chart))
    svg = svg.replace(" ", " ")
    assert [word for word in said.words if word.replace(" ", " ") not in svg] == []
    assert "DejaVu Sans" in svg


def _values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["data"]["values"]
    return found


def test_a_fact_ahead_is_not_drawn() -> None:
    drawn = [
        value for value in _values(specify(plan_fact())) if value["series"] == "Факт"
    ]
    assert max(value["day"] for value in drawn) == "2026-11-15"


def test_the_risk_map_has_all_places_in_their_level() -> None:
    places = {
        (value["probability"], value["impact"]): value["color"]
        for value in _values(specify(RISKS))
    }
    assert len(places) == 25
    assert (
        places[2, 3]
        == places[1, 5]
        != places[2, 4]
        == places[3, 4]
        != places[3, 5]
        == places[4, 4]
    )


def test_overload_is_shaded_unlike_a_full_week() -> None:
    shades = {
        (value["person"], value["week"]): value["color"]
        for value in _values(specify(LOAD))
    }
    assert len(set(shades.values())) == 4
