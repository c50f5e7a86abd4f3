"""Rows about money that cannot be meant: each is named with its link, and all else is counted, in either language.

One workspace has all of them at once. Its account is Acme, a retainer of 600,000 a month; Gamma, of newbiz, has no fee
and no work, so that nothing can be written off. Today is 18 November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from tests.support.stages import Play, small_play
from worker.cycle.report import Report
from worker.domain.values import Ref, Span

OCTOBER = date(2026, 10, 5)
BAD = {
    "reversed": {"unreadable-field", "incomplete-revenue"},
    "dollars": {"other-currency"},
    "mixed": {"other-currency"},
    "fee again": {"overlapping-terms"},
    "budget again": {"overlapping-terms"},
    "written off": {"write-off-too-large"},
    "written off twice": {"write-off-too-large"},
    "early": {"early-close"},
    "nobody": {"incomplete-cost"},
    "no amount": {"incomplete-cost"},
}
"""What is wrong with each row that is added: a range of days that is reversed is none, so that the act has no month."""


def type_bad_rows(play: Play) -> dict[str, str]:
    """Type the rows; return their page ids."""
    acme = play.page("clients", 0)
    client = (Ref("clients", acme),)
    newbiz = (Ref("clients", play.page("clients", 2)),)
    project = (Ref("projects", play.page("projects", 0)),)
    founder = (Ref("people", play.page("people", 4)),)
    million = Decimal(1_000_000)

    def add(source: str, name: str, **values: object) -> str:
        return play.stage.scribe.add(source, name=name, **values)  # type: ignore[arg-type]

    def act(name: str, **values: object) -> str:
        fields = {"client": client, "month": OCTOBER, "amount": million, "kind": "act"}
        return add("revenue", name, **fields | values)

    def term(name: str, **values: object) -> str:
        return add("terms", name, **{"from": date(2026, 12, 1)} | values)

    # The rows that these say otherwise than.
    term("fee", client=client, what="fee", value=Decimal(650_000))
    term("budget", project=project, what="budget", value=Decimal(950_000))
    play.later(minutes=2)
    november = Span(date(2026, 11, 1), date(2026, 11, 30))
    pages = {
        "reversed": act("reversed"),
        "dollars": act("dollars", currency="USD"),
        "mixed": act("mixed", currency="EUR, USD"),
        "fee again": term(
            "fee again", client=client, what="fee", value=Decimal(700_000)
        ),
        "budget again": term(
            "budget again", project=project, what="budget", value=Decimal(990_000)
        ),
        "written off": act("written off", kind="write_off", client=newbiz),
        "written off twice": act("written off twice", kind="write_off", client=newbiz),
        "early": add(
            "ledger",
            "early",
            client=client,
            period=november,
            recognised=million,
            worker_key=f"ledger:{acme}:2026-11",
        ),
        "nobody": add("costs", "nobody", cost_rate=Decimal(1_500)),
        "no amount": add("costs", "no amount", person=founder),
    }
    days = {"start": "2026-10-31", "end": "2026-10-01", "time_zone": None}
    play.garble("revenue", pages["reversed"], "month", days)
    return pages


def told(report: Report, pages: dict[str, str]) -> dict[str, set[str]]:
    """Return the codes of the problems that link to each row."""
    found: dict[str, set[str]] = {name: set() for name in pages}
    for problem in report.plan.problems:
        for name, page in pages.items():
            if page.replace("-", "") in problem.url.replace("-", ""):
                found[name].add(problem.code)
    return found


@pytest.fixture(scope="module", params=["en", "ru"])
def play(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("money")
    with small_play(folder, locale=request.param, private=True) as found:
        found.sync()
        found.later(minutes=10)
        yield found


def test_each_row_that_cannot_be_meant_is_named_and_the_rest_goes_on(
    play: Play,
) -> None:
    before = play.row("clients", 0).values
    plans = [row.values["target"] for row in play.keyed("plans", ":2026-Q4")]
    pages = type_bad_rows(play)
    report = play.sync()

    assert report.applied.failures == ()
    assert not [one for one in report.plan.problems if one.code == "rule-failed"]
    assert told(report, pages) == BAD

    # The fee of November stands, no act of these counts, and the targets of the quarter are what they were.
    after = play.row("clients", 0).values
    assert after["revenue_month"] == before["revenue_month"] == 330_000
    assert after["ltv"] == before["ltv"]
    assert [row.values["target"] for row in play.keyed("plans", ":2026-Q4")] == plans
    assert play.row("projects", 0).values["progress"] is not None

    # They are told until they are mended, and nothing is written for that.
    play.later(minutes=10)
    mark = play.mark()
    again = play.sync()
    assert told(again, pages) == BAD
    assert again.plan.changes == ()
    assert play.writes(mark) == []
