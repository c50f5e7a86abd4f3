"""Health, money and rays of clients and units (docs/method.md 4.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    SOURCES,
    TODAY,
    applied,
    at,
    card,
    client,
    contact,
    issue,
    person,
    revenue,
    row,
    steady,
    unit,
    worklog,
    world,
)
from worker.domain.entities import Feedback, Issue, Move, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.clients.health import mean
from worker.method.formulas.hysteresis import keep_past
from worker.method.measures import Factor
from worker.world.memory import Track
from worker.world.world import World


def seen_client(seen: World) -> dict[str, Value | Unset]:
    """Return the facts of client c1."""
    return facts_of(judge(seen), "clients", "c1")


def factor(seen: World, name: str) -> Factor:
    """Return one health factor of client c1."""
    factors = judge(seen).measures.clients[Ref("clients", "c1")].factors
    return next(found for found in factors if found.name == name)


def reopened() -> tuple[Move, ...]:
    """Return the history of an item that was done and is worked on again."""
    return (
        Move(at(TODAY - days(9)), "new", "indeterminate"),
        Move(at(TODAY - days(8)), "indeterminate", "done"),
        Move(at(TODAY - days(7)), "done", "indeterminate"),
    )


def days(count: int) -> timedelta:
    """Return so many days."""
    return timedelta(days=count)


def test_the_mean_leaves_out_what_is_not_known_and_says_how_much_is() -> None:
    # (3 x 80 + 1 x 40) / 4 = 70; 4 of 6 weights.
    factors = [
        Factor("a", Decimal(3), Decimal(80)),
        Factor("b", Decimal(1), Decimal(40)),
        Factor("c", Decimal(2), None),
    ]
    assert mean(factors) == (Decimal("70.0"), Decimal("0.6667"))
    assert mean(factors[2:]) == (None, Decimal(0))


def test_little_knowledge_is_grey_never_green() -> None:
    facts = seen_client(world(client(), unit()))
    # Team (1) and risks (1) of 13 weights.
    assert (facts["health"], facts["coverage"]) == ("grey", Decimal("0.1538"))
    assert str(facts["why"]).startswith("Only 15% of the picture is known: ")


def test_a_well_known_client_has_a_colour_with_its_reasons() -> None:
    seen = world(
        client(last_contact=TODAY - days(3), contract_end=TODAY + days(200)),
        unit(),
        card(due=TODAY + days(90)),
        work={"p1": steady(40, 4, step=1)},
    )
    facts = seen_client(seen)
    # Everything at its best (100) but for money, which is not known: 11 of 13 weights.
    assert (facts["health"], facts["score"], facts["coverage"]) == (
        "green",
        100,
        Decimal("0.8462"),
    )
    assert "ray 100: work secured until Jun 6, 2027" in str(facts["why"])
    assert str(facts["why"]).endswith("no data: money")


def test_contact_is_the_newest_with_anyone_there() -> None:
    # Anchors 30 and 7 days: (30 - 18) / 23 = 52.17.
    seen = world(
        client(last_contact=TODAY - days(40)),
        unit(),
        contact("ivan", last_contact=TODAY - days(18)),
    )
    assert round(factor(seen, "relations").score or 0, 2) == Decimal("52.17")
    assert seen_client(seen)["data_as_of"] == TODAY - days(18)


def test_work_far_beyond_its_due_date_does_not_lift_the_ray() -> None:
    """12 items in 12 weeks (60 working days) and 30 still open: P85 lies beyond 13 weeks, whose score would be 100.

    The card was due 60 days ago: nothing that was sold lies ahead, 0. Due in 46 days it scores 46 / 91 = 51.
    """
    work = {"p1": steady(12, 30, step=7)}
    scores = {}
    for due in (-60, 0, 46):
        seen = world(client(), unit(), card(due=TODAY + days(due)), work=work)
        horizon = seen_client(seen)["horizon"]
        assert isinstance(horizon, date)
        assert horizon > TODAY + days(91)
        ray = factor(seen, "ray")
        assert ray.reason.endswith(
            f", by plan until {seen.words.date(TODAY + days(due))}"
        )
        scores[due] = round(ray.score or 0)
    assert scores == {-60: 0, 0: 0, 46: 51}


def test_feedback_and_late_requests_weigh_on_relations() -> None:
    said = [
        Feedback(
            Ref("feedback", f"f{number}"),
            client=Ref("clients", "c1"),
            person=about,
            score=Decimal(score),
            day=TODAY - days(ago),
        )
        for number, (about, score, ago) in enumerate(
            [(None, 1, 91), (None, 2, 40), (None, 3, 9), (Ref("people", "dev"), 4, 20)]
        )
    ]
    asked = [
        row(
            "tasks",
            f"r{number}",
            worker=False,
            source="lawyer",
            client=(Ref("clients", "c1"),),
            due=due,
        )
        for number, due in enumerate([TODAY - days(1), TODAY])
    ]
    seen = world(
        client(last_contact=TODAY - days(7)),
        unit(),
        sources=SOURCES | {"feedback"},
        feedback={one.ref: one for one in said},
        rows={"tasks": tuple(asked)},
    )
    found = factor(seen, "relations")
    # Contact 100; the last words 3 and 4 are 3.5: (3.5 - 2) / 3 = 50; one late, three at worst: (3 - 1) / 3 = 66.67.
    assert found.score is not None
    assert round(found.score, 2) == Decimal("72.22")
    assert (
        found.reason
        == "last contact Nov 11, 2026, feedback 3.5 of 5, 1 unanswered request of 2"
    )


def test_a_broken_triangle_costs_the_team_factor() -> None:
    assert factor(world(client(), unit(pms=())), "team").score == 0
    assert (
        facts_of(judge(world(client(), unit(am=()))), "units", "u1")["triangle"]
        == "broken"
    )
    assert factor(world(client(unit=None)), "team").score is None


def test_spending_ahead_of_progress_costs_money() -> None:
    # Burn 10 h x 1000 / 40,000 = 25 %, progress 10 %: 15 points ahead; anchors 30 and 0: 50.
    issues = [issue(1, done=TODAY), *(issue(n) for n in range(2, 11))]
    seen = world(
        client(),
        unit(),
        person("dev"),
        card(budget=Decimal(40000)),
        work={"p1": issues},
        logs=[worklog(TODAY, 10)],
    )
    found = factor(seen, "money")
    assert (found.score, found.reason) == (
        Decimal(50),
        "spending ahead of progress by 15%",
    )
    calm = replace(seen, cards={Ref("projects", "p1"): card(budget=Decimal(400000))})
    assert factor(calm, "money").reason == "spending is not ahead of progress"


def test_the_pace_of_a_client_is_revenue_over_its_fee_so_far() -> None:
    # October and 12 of November's 21 days: 22,000 + 12,571.43; 25,928.57 is 75 %; anchors 50 % and 100 %: 50.
    seen = world(
        client(monthly_fee=Decimal(22000)),
        unit(),
        revenue("25928.57", date(2026, 10, 1)),
    )
    assert (factor(seen, "money").score, factor(seen, "money").reason) == (
        Decimal(50),
        "pace 75%",
    )


def test_quality_looks_at_reopened_work_and_defects() -> None:
    # Defects: 1 of 5 = 20 %, anchors 40 and 10: 66.67; the open one is 100 days old: 0; the finished item was not
    # reopened: 100. (66.67 + 0 + 100) / 3 = 55.56.
    seen = world(
        client(),
        unit(),
        card(),
        work={
            "p1": [
                issue(1, type="Bug"),
                *(issue(n) for n in range(2, 5)),
                issue(5, done=TODAY - days(1)),
            ]
        },
    )
    found = factor(seen, "quality")
    assert found.score is not None
    assert (round(found.score, 2), found.reason) == (
        Decimal("55.56"),
        "open defects: 100 days is the median age",
    )


def test_a_client_of_whom_nothing_is_evidence_is_grey() -> None:
    # Five open items, none done, no due date, no contact: of 13 weights only team (1) and risks (1) are known.
    seen = world(client(), unit(), card(), work={"p1": [issue(n) for n in range(5)]})
    facts = seen_client(seen)
    assert (facts["health"], facts["coverage"]) == ("grey", Decimal("0.1538"))
    unknown = ("delivery", "quality", "money", "ray", "relations")
    assert [name for name in unknown if factor(seen, name).score is not None] == []


@pytest.mark.parametrize(
    ("issues", "due", "score"),
    [
        # No date anywhere: nothing can be late, which says nothing.
        ([issue(1), issue(2)], None, None),
        # One item of two is late (50 %; anchors 30 % and 0): 0. The dates of the items are enough.
        ([issue(1, due=TODAY - days(1)), issue(2, due=TODAY + days(9))], None, 0),
        ([issue(1, due=TODAY), issue(2)], None, 100),
        # Before the card's date nothing is late; after it everything that is open is.
        ([issue(1), issue(2)], TODAY, 100),
        ([issue(1), issue(2)], TODAY - days(1), 0),
    ],
)
def test_delivery_is_judged_by_dates_alone_where_dates_are(
    issues: list[Issue], due: date | None, score: int | None
) -> None:
    seen = world(client(), unit(), card(due=due), work={"p1": issues})
    assert factor(seen, "delivery").score == score


def test_a_card_without_a_date_does_not_make_late_work_of_another_look_better() -> None:
    # p1: 1 of 2 items late; p2 has 98 open items without any date: 1 of 2, not 1 of 100.
    seen = world(
        client(),
        unit(),
        card(),
        card("p2"),
        work={
            "p1": [issue(1, due=TODAY - days(1)), issue(2)],
            "p2": [issue(n) for n in range(3, 101)],
        },
    )
    assert factor(seen, "delivery").score == 0


def test_quality_of_what_was_never_finished_is_not_known() -> None:
    # p1 has only open items: nothing to judge. On p2 one item was finished once, and is open again.
    fresh = world(client(), unit(), card(), work={"p1": [issue(1, type="Bug")]})
    assert factor(fresh, "quality").score is None

    again = issue(3, category="indeterminate", moves=reopened())
    seen = world(
        client(),
        unit(),
        card(),
        card("p2"),
        work={"p1": [issue(1)], "p2": [issue(2), again]},
    )
    # Reopened 1 of the 1 that were ever done: 0; defects 0 of 2: 100.
    assert factor(seen, "quality").score == 50


def test_the_worst_open_risk_weighs_on_the_client() -> None:
    own = row(
        "risks",
        "page",
        worker=False,
        status="watching",
        client=(Ref("clients", "c1"),),
        probability=Decimal(4),
        impact=Decimal(5),
    )
    bare = row(
        "risks", "bare", worker=False, status="open", client=(Ref("clients", "c1"),)
    )
    found = factor(world(client(), unit(), rows={"risks": (own, bare)}), "risks")
    assert (found.score, found.reason) == (Decimal(20), "2 open risks")


def test_the_ray_ends_with_the_latest_work_and_the_gap_is_in_weeks() -> None:
    seen = world(
        client(contract_end=TODAY + days(5)),
        unit(),
        card(due=TODAY + days(20)),
        card("p2", Stage.AGREED, jira=None, due=TODAY + days(30)),
        card("p3", Stage.PROPOSAL, jira=None, expected_start=TODAY + days(45)),
        card("p4", Stage.IDEA, jira=None, due=TODAY + days(300)),
        work={"p1": [issue(1)]},
    )
    facts = seen_client(seen)
    # 15 days after the horizon: 3 weeks, begun ones counted.
    assert (facts["horizon"], facts["ray_gap"]) == (TODAY + days(30), 3)
    assert (facts["active_projects"], facts["ideas"]) == (1, 1)


def test_progress_and_chances_come_from_running_cards() -> None:
    seen = world(
        client(),
        unit(),
        card(due=TODAY + days(1)),
        card("p2", due=TODAY + days(300)),
        card("p3", Stage.DONE),
        work={"p1": steady(12, 8), "p2": steady(12, 0), "p3": [issue(1)]},
    )
    facts = seen_client(seen)
    assert (facts["progress"], facts["on_time"]) == (Decimal("0.7500"), 0)


def test_revenue_is_shown_for_month_and_quarter() -> None:
    seen = world(
        client(),
        unit(),
        revenue(100, date(2026, 10, 1)),
        revenue(10, date(2026, 11, 1)),
        revenue(1000, date(2026, 9, 1)),
    )
    outcome = judge(seen)
    facts = facts_of(outcome, "clients", "c1")
    # November's act counts by the 12 of its 21 working days that are over.
    brought = Decimal("5.71")
    assert (facts["revenue_month"], facts["revenue_quarter"]) == (
        brought,
        100 + brought,
    )
    unit_facts = facts_of(outcome, "units", "u1")
    assert (
        unit_facts["revenue_month"],
        unit_facts["revenue_quarter"],
        unit_facts["pace"],
    ) == (brought, 100 + brought, None)


def test_a_unit_has_the_mean_health_of_its_known_clients() -> None:
    seen = world(
        client(last_contact=TODAY, contract_end=TODAY + days(200)),
        client("c2"),
        unit(),
        card(due=TODAY + days(90)),
        work={"p1": steady(40, 4, step=1)},
    )
    assert facts_of(judge(seen), "units", "u1")["health"] == "green"
    assert facts_of(judge(world(unit())), "units", "u1")["health"] == "grey"


def test_the_workers_own_edits_do_not_move_the_data_date() -> None:
    seen = world(
        client(),
        unit(),
        card(edited=at(TODAY)),
        work={"p1": [issue(1, updated=at(TODAY - days(4)))]},
    )
    assert seen_client(seen)["data_as_of"] == TODAY - days(4)
    outcome = judge(seen)
    later = replace(
        applied(seen, outcome, today=TODAY + days(1)),
        cards={Ref("projects", "p1"): card(edited=at(TODAY + days(1)))},
    )
    assert seen_client(later)["data_as_of"] == TODAY - days(4)


@pytest.mark.parametrize(("age", "trend"), [(20, "flat"), (30, "down"), (0, "up")])
def test_the_trend_is_the_score_against_four_weeks_ago(age: int, trend: str) -> None:
    # The last contact was 20 days ago and scored 43; four weeks later it is as old, older, or of that day.
    before = world(client(last_contact=TODAY - days(20)), unit())
    outcome = judge(before)
    assert facts_of(outcome, "clients", "c1")["trend"] is None
    then = TODAY + days(28)
    later = replace(
        applied(before, outcome, today=then),
        clients={Ref("clients", "c1"): client(last_contact=then - days(age))},
    )
    assert seen_client(later)["trend"] == trend


def test_what_is_looked_back_at_is_four_to_eight_weeks_old() -> None:
    track = None
    seen = {}
    for day in range(0, 100, 7):
        track = keep_past(track, str(day), TODAY + days(day), days=28)
        seen[day] = day - int(track.value)
    assert [seen[day] for day in (0, 28, 49, 56, 77, 84, 98)] == [
        0,
        28,
        49,
        28,
        49,
        28,
        42,
    ]


@pytest.mark.parametrize(
    ("change", "weeks", "trend"),
    [
        (5, 4, "up"),
        (4, 4, "flat"),
        (0, 4, "flat"),
        (-4, 4, "flat"),
        (-5, 4, "down"),
        (50, 3, None),
    ],
)
def test_five_points_in_four_weeks_are_a_trend(
    change: int, weeks: int, trend: str | None
) -> None:
    seen = world(client(last_contact=TODAY - days(20)), unit())
    score = judge(seen).measures.clients[Ref("clients", "c1")].score
    assert score is not None
    then = Track(str(score - change), TODAY - days(7 * weeks), seen=TODAY - days(1))
    memory = replace(seen.memory, tracks={"clients/c1#score": then})
    assert seen_client(replace(seen, memory=memory))["trend"] == trend


@pytest.mark.parametrize(
    ("status", "count"),
    [("open", 1), ("watching", 1), ("closed", 0), ("snoozed", 0), (None, 0)],
)
def test_a_persons_own_risk_counts_while_it_is_open(
    status: str | None, count: int
) -> None:
    own = row(
        "risks", "page", worker=False, status=status, client=(Ref("clients", "c1"),)
    )
    seen = world(client(), unit(), rows={"risks": (own,)})
    assert seen_client(seen)["open_risks"] == count
