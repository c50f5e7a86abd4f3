"""Charts of the console: no word stands where the picture ends."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from worker.domain.charts import Ray, Rays
from worker.web.drawing import TICK_ROOM, WIDTH, draw_rays

FIRST = date(2025, 1, 1)


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("days", [1, 20, 45, 400, *range(1060, 1130), 5000])
def test_the_words_of_every_month_end_within_the_picture(
    days: int, locale: str
) -> None:
    ray = Ray("C", FIRST, FIRST + timedelta(days=days), "done")
    ticks = draw_rays(Rays("", (ray,), FIRST, "", "", (), locale)).ticks
    assert ticks[0].text
    assert all(tick.at + TICK_ROOM <= WIDTH for tick in ticks if tick.text)
    assert all(tick.text for tick in ticks if tick.at + TICK_ROOM <= WIDTH)
    assert all(tick.at <= WIDTH for tick in ticks)
