"""Progress and forecast of a card (docs/method.md 1.1); numbers counted by hand in the comments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.outcomes import facts_of, judge
from tests.support.worlds import (
    TODAY,
    applied,
    at,
    card,
    client,
    issue,
    person,
    steady,
    unit,
    worked,
    worklog,
    world,
)
from worker.domain.entities import RUNNING, Issue, Move, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.delivery.forecasting import seed_of, simulate
from worker.method.measures import CardMeasure, Rag
from worker.world.memory import Memory, Track
from worker.world.world import World

P1 = Ref("projects", "p1")


def measured(seen: World) -> CardMeasure:
    """Return what was measured of card p1."""
    return judge(seen).measures.cards[P1]


def card_facts(seen: World) -> dict[str, Value | Unset]:
    """Return the facts of card p1."""
    return facts_of(judge(seen), "projects", "p1")


def days(count: int) -> timedelta:
    """Return so many days."""
    return timedelta(days=count)


def small(*issues: Issue, **fields: Any) -> World:
    """Return a world of one running card with the given issues."""
    return world(client(), unit(), card(**fields), work={"p1": issues})


def test_progress_is_by_count_while_few_items_are_estimated() -> None:
    # 3 of 4 done; 3 of 4 estimated is 75 %, less than 80 %.
    issues = [issue(n, done=TODAY - days(n), estimate=3600) for n in (1, 2, 3)] + [
        issue(4)
    ]
    facts = card_facts(small(*issues))
    assert facts["progress"] == Decimal("0.7500")
    assert facts["done_total"] == "3 / 4 by count"


def test_progress_is_by_hours_once_four_of_five_are_estimated() -> None:
    # 1 h + 2 h of 1 + 2 + 3 + 4 = 10 h; one of five has none.
    issues = [
        issue(1, done=TODAY, estimate=3600),
        issue(2, done=TODAY, estimate=7200),
        issue(3, estimate=3 * 3600),
        issue(4, estimate=4 * 3600),
        issue(5),
    ]
    facts = card_facts(small(*issues))
    assert facts["progress"] == Decimal("0.3000")
    assert facts["done_total"] == "3 / 10 h by estimate"


def test_points_weigh_where_there_are_no_hours() -> None:
    facts = card_facts(small(issue(1, done=TODAY, points=5.0), issue(2, points=3.0)))
    assert facts["progress"] == Decimal("0.6250")
    assert facts["done_total"] == "5 / 8 story points by estimate"


def test_scope_change_compares_four_weeks_with_what_was_there() -> None:
    # 10 known 28 days ago, 2 made since (one on the very first day of the four weeks).
    issues = [issue(n) for n in range(10)] + [
        issue(10, created=TODAY - days(28)),
        issue(11, created=TODAY),
    ]
    assert card_facts(small(*issues))["scope_change"] == Decimal("0.2000")


@pytest.mark.parametrize(
    ("old", "new", "share", "note"),
    [
        # One old ticket and a backlog of thirty: 3,000 % of nothing. Nine are still too few to be a base, ten are one.
        (1, 30, None, "30 new issues in 4 weeks."),
        (9, 1, None, "1 new issue in 4 weeks."),
        (10, 3, Decimal("0.3000"), ""),
        # A card that has just begun has nothing but new items: there is nothing to tell.
        (0, 30, None, ""),
        (9, 0, None, ""),
    ],
)
def test_few_known_items_are_no_base_for_growth(
    old: int, new: int, share: Decimal | None, note: str
) -> None:
    known = [issue(n, updated=at(TODAY)) for n in range(old)]
    fresh = [issue(100 + n, created=TODAY - days(7)) for n in range(new)]
    outcome = judge(small(*known, *fresh))
    measure = outcome.measures.cards[P1]
    assert measure.scope_change == share
    assert note in measure.why
    assert ("new issue" in measure.why) is bool(note)
    grown = "risk:scope.growth:p1" in {fact.ref.key for fact in outcome.facts}
    assert grown is (share is not None)


def test_open_items_are_counted_by_kind() -> None:
    issues = [
        issue(1, category="indeterminate"),
        issue(2, category="indeterminate", flagged=True),
        issue(3, status="Blocked"),
        issue(4, due=TODAY - days(1)),
        issue(5, due=TODAY),
        issue(6, done=TODAY, due=TODAY - days(9), flagged=True),
    ]
    facts = card_facts(small(*issues))
    assert (facts["wip"], facts["blocked"], facts["overdue"]) == (2, 2, 1)


def test_hours_and_burn_come_from_the_logs_of_people_with_a_rate() -> None:
    # 10 h x 1000 of 50,000.
    logs = [worklog(TODAY - days(n), 5) for n in range(2)]
    seen = world(
        client(),
        unit(),
        person("dev"),
        card(budget=Decimal(50000)),
        work={"p1": [issue(1)]},
        logs=logs,
    )
    assert (card_facts(seen)["hours"], card_facts(seen)["burn"]) == (
        10,
        Decimal("0.2000"),
    )
    assert card_facts(replace(seen, people={}))["burn"] is None


def test_throughput_counts_items_a_week_of_five_working_days() -> None:
    # 24 items in the last 12 weeks: 2 a week.
    issues = [issue(n, done=TODAY - days(3 * n + 1)) for n in range(24)]
    assert measured(small(*issues)).throughput == 2


def test_the_service_level_is_the_85th_percentile_of_cycle_time() -> None:
    # Cycle times 1..20 days: the 17th of 20 (nearest rank). Both ends count: begun 40 days ago is the 41st day.
    issues = [
        worked(n, TODAY - days(30), TODAY - days(30) + days(n)) for n in range(20)
    ]
    found = measured(
        small(
            *issues,
            issue(
                99,
                category="indeterminate",
                moves=(Move(at(TODAY - days(40)), "new", "indeterminate"),),
            ),
        )
    )
    assert (found.sle, found.oldest_age) == (17, 41)


def test_reopened_and_defects_are_shares() -> None:
    again = (
        Move(at(TODAY - days(5)), "new", "done"),
        Move(at(TODAY - days(4)), "done", "new"),
    )
    found = measured(
        small(
            issue(1, moves=again), issue(2, done=TODAY), issue(3, type="Bug"), issue(4)
        )
    )
    assert (found.reopened_share, found.defect_share, found.defect_age) == (
        Decimal("0.5000"),
        Decimal("0.2500"),
        100,
    )


def test_the_busiest_person_is_found_by_hours_then_by_assignment() -> None:
    seen = world(
        client(),
        unit(),
        card(),
        person("ann"),
        work={"p1": [issue(1, assignee="bob"), issue(2)]},
        logs=[worklog(TODAY, 3, author="ann"), worklog(TODAY, 1, author="bob")],
    )
    assert (measured(seen).top_person, measured(seen).top_share) == (
        "Ann",
        Decimal("0.7500"),
    )
    unlogged = small(
        issue(1, assignee="bob"), issue(2, assignee="bob"), issue(3, assignee="cat")
    )
    assert (measured(unlogged).top_person, measured(unlogged).top_share) == (
        "bob",
        Decimal("0.6667"),
    )


def test_nine_finished_items_are_too_few_for_a_forecast() -> None:
    facts = card_facts(small(*steady(9, 5), due=TODAY + days(30)))
    assert (facts["p50"], facts["p85"], facts["on_time"]) == (None, None, None)


def test_a_card_with_little_history_is_grey_and_says_why() -> None:
    facts = card_facts(small(*steady(9, 5)))
    assert facts["health"] == "grey"
    assert facts["why"] == "Too little history: 9 finished issues, 10 are needed."


def test_nothing_finished_lately_gives_no_date() -> None:
    facts = card_facts(
        small(
            *steady(12, 3, last=TODAY - days(100)),
            stage=Stage.EVOLUTION,
            due=TODAY + days(30),
        )
    )
    assert (facts["p50"], facts["why"]) == (
        None,
        "Nothing was finished in the last 12 weeks.",
    )


def test_one_item_every_working_day_ends_exactly_on_time() -> None:
    # One finished on each of the last 20 weekdays, 5 left: day 5, today among them, is Tuesday the 24th, in every draw...
    # and the card began with its first item, so that no idle days before it are drawn.
    weekdays = [
        TODAY - days(n) for n in range(1, 29) if (TODAY - days(n)).weekday() < 5
    ]
    start = min(weekdays)
    issues = [issue(n, done=day, created=start) for n, day in enumerate(weekdays)]
    issues += [issue(100 + n, created=start) for n in range(5)]
    facts = card_facts(small(*issues, due=date(2026, 11, 24)))
    assert (facts["p50"], facts["p85"], facts["on_time"]) == (
        date(2026, 11, 24),
        date(2026, 11, 24),
        1,
    )
    assert card_facts(small(*issues, due=date(2026, 11, 23)))["on_time"] == 0


def test_work_done_on_a_weekend_counts_on_the_next_working_day() -> None:
    saturday = date(2026, 11, 14)
    issues = [issue(n, done=saturday, created=saturday) for n in range(10)] + [
        issue(50, created=saturday)
    ]
    # Ten on the Monday of two drawable days (16th, 17th): half of the runs need one day, today.
    facts = card_facts(small(*issues, due=TODAY))
    assert facts["p50"] == TODAY
    assert abs(float(str(facts["on_time"])) - 0.5) < 0.02


def test_finished_work_has_a_date_and_no_draws() -> None:
    found = measured(small(*steady(12, 0), due=TODAY))
    assert found.on_time == 1
    assert found.forecast is not None
    assert (found.forecast.p50, found.forecast.remaining) == (TODAY - days(1), 0)


def test_the_forecast_is_the_same_twice_on_one_day() -> None:
    seen = small(*steady(25, 12), due=TODAY + days(40))
    assert measured(seen).forecast == measured(seen).forecast


@pytest.mark.parametrize(
    ("samples", "remaining"),
    [
        ([0, 0, 1, 0, 2, 0, 0, 3], 25),
        ([1, 0], 1),
        ([0] * 19 + [4], 7),
        ([5, 6, 7], 350),
    ],
)
def test_the_quick_draws_agree_with_plain_resampling(
    samples: Sequence[int], remaining: int
) -> None:
    generator = np.random.default_rng(7)
    drawn = generator.choice(np.array(samples), size=(4000, 800)).cumsum(axis=1)
    plain = (drawn < remaining).sum(axis=1) + 1
    runs = simulate(samples, remaining, draws=10_000, seed=seed_of("a", "b"))
    assert runs is not None
    for percent in (50, 85):
        expected = float(np.quantile(plain, percent / 100, method="inverted_cdf"))
        assert abs(runs.quantile(percent) - expected) <= max(1.0, 0.03 * expected)
    middle = int(np.quantile(plain, 0.7))
    assert abs(runs.within(middle) - float((plain <= middle).mean())) < 0.03


def test_nothing_left_or_nothing_done_gives_no_runs() -> None:
    assert simulate([1], 0, draws=10, seed=1) is None
    assert simulate([0, 0], 3, draws=10, seed=1) is None


def test_the_jira_date_is_proposed_and_used_until_people_set_one() -> None:
    issues = [
        *steady(12, 2),
        issue(70, due=TODAY + days(20)),
        issue(71, due=TODAY + days(10)),
    ]
    facts = card_facts(small(*issues))
    assert facts["due"] == TODAY + days(20)
    assert facts["on_time"] is not None
    assert measured(small(*issues, due=TODAY + days(3))).due == TODAY + days(3)


def test_a_baseline_is_frozen_once_and_gives_spi() -> None:
    # Plan: 2 to 27 November, 20 working days; 6 of 24 done earn 5 of them; 12 have passed (to the 17th): 5/12 = 0.42.
    seen = small(*steady(6, 18), start=date(2026, 11, 2), due=date(2026, 11, 27))
    outcome = judge(seen)
    baseline = outcome.memory.baselines["projects/p1"]
    assert (baseline.start, baseline.due, baseline.total) == (
        date(2026, 11, 2),
        date(2026, 11, 27),
        24,
    )
    assert facts_of(outcome, "projects", "p1")["spi"] == Decimal("0.42")
    later = applied(seen, outcome, today=TODAY + days(1))
    moved = replace(later, cards={P1: replace(later.cards[P1], due=date(2027, 3, 1))})
    assert judge(moved).memory.baselines["projects/p1"] == baseline


def test_a_plan_that_ends_before_it_begins_is_no_baseline() -> None:
    seen = small(*steady(6, 1), start=date(2026, 11, 2), due=date(2026, 11, 1))
    assert not judge(seen).memory.baselines


def test_days_in_stage_count_from_the_last_edit_and_then_from_the_move() -> None:
    seen = world(
        client(), unit(), card(stage=Stage.IDEA, jira=None, edited=at(TODAY - days(9)))
    )
    outcome = judge(seen)
    assert facts_of(outcome, "projects", "p1")["days_in_stage"] == 9
    later = applied(seen, outcome, today=TODAY + days(3))
    moved = replace(
        later,
        cards={P1: replace(later.cards[P1], stage=Stage.SHAPING, edited=at(TODAY))},
    )
    assert facts_of(judge(moved), "projects", "p1")["days_in_stage"] == 0
    assert facts_of(judge(later), "projects", "p1")["days_in_stage"] == 12


def test_unread_jira_work_leaves_the_figures_alone() -> None:
    facts = card_facts(world(client(), unit(), card()))
    assert set(facts) == {"days_in_stage", "next_task"}


def test_a_card_without_a_link_is_grey_with_empty_figures() -> None:
    facts = card_facts(world(client(), unit(), card(jira=None)))
    assert (facts["health"], facts["overdue"]) == ("grey", None)
    assert facts["why"] == "No Jira work is known for this card."


def test_a_colour_changes_only_when_a_second_day_confirms_it() -> None:
    good = small(*steady(40, 2, step=1), due=TODAY + days(60))
    outcome = judge(good)
    assert outcome.measures.cards[P1].rag is Rag.GREEN
    bad = {P1: replace(good.work[P1], issues=tuple(steady(40, 400, step=1)))}
    first = judge(replace(applied(good, outcome, today=TODAY + days(1)), work=bad))
    assert first.measures.cards[P1].rag is Rag.GREEN
    assert "Now red" in first.measures.cards[P1].why
    again = judge(replace(applied(good, first, today=TODAY + days(1)), work=bad))
    assert again.measures.cards[P1].rag is Rag.GREEN
    second = judge(replace(applied(good, again, today=TODAY + days(2)), work=bad))
    assert second.measures.cards[P1].rag is Rag.RED


def test_a_passed_due_date_is_red_and_some_overdue_items_are_amber() -> None:
    # No forecast (3 done), so that the colour comes from dates alone; 1 of 10 open items late is under 20 %.
    late = small(*steady(3, 5), due=TODAY - days(1))
    assert measured(late).rag is Rag.RED
    issues = [*steady(3, 9), issue(60, due=TODAY - days(2))]
    assert (
        measured(small(*issues, stage=Stage.EVOLUTION, due=TODAY + days(30))).rag
        is Rag.AMBER
    )


def test_a_colour_goes_on_from_where_it_was_before_the_work_could_not_be_read() -> None:
    name = f"{P1}#health"
    amber = Track("amber", TODAY - days(9), seen=TODAY - days(1))
    memory = Memory(first_run=False, tracks={name: amber})
    unread = judge(replace(world(client(), unit(), card()), memory=memory))
    assert unread.memory.tracks[name] == amber
    late = small(issue(1), due=TODAY - days(1))
    seen = judge(replace(late, memory=unread.memory))
    assert facts_of(seen, "projects", "p1")["health"] == "amber"
    assert seen.memory.tracks[name].candidate == "red"


def test_no_due_date_means_no_opinion_on_time() -> None:
    assert (
        card_facts(small(*steady(30, 3)))["why"]
        == "There is no due date to compare the forecast with."
    )


# --- what cannot be known, and the limits of what can


def test_work_that_could_not_be_read_is_not_work_nobody_knows() -> None:
    unread = measured(world(client(), unit(), card()))
    assert (unread.known, unread.rag) == (False, Rag.GREY)
    assert unread.why == "The Jira work of this card could not be read."
    for seen in (world(client(), unit(), card(jira=None)), small()):
        nothing = measured(seen)
        assert (nothing.known, nothing.rag) == (True, Rag.GREY)
        assert nothing.why == "No Jira work is known for this card."


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        (Stage.IDEA, "Not running (stage: idea)."),
        (Stage.DONE, "Not running (stage: done)."),
    ],
)
def test_a_card_that_does_not_run_has_no_colour_whatever_its_work(
    stage: Stage, says: str
) -> None:
    given = small(*steady(3, 5), stage=stage, due=TODAY - days(1))
    late = measured(given)
    assert (late.rag, late.why) == (Rag.GREY, says)
    facts = card_facts(given)
    assert (facts["health"], facts["why"]) == (None, says)


@pytest.mark.parametrize("stage", list(Stage))
def test_only_a_card_in_work_has_a_colour(stage: Stage) -> None:
    facts = card_facts(small(*steady(9, 5), stage=stage))
    assert (facts["health"] is not None) is (stage in RUNNING)


@pytest.mark.parametrize(
    ("still_open", "late", "rag"),
    [
        (5, 0, Rag.GREY),
        (5, 1, Rag.RED),
        (6, 1, Rag.AMBER),
        (10, 2, Rag.RED),
        (11, 2, Rag.AMBER),
    ],
)
def test_a_fifth_of_the_open_items_overdue_is_red_and_any_amber(
    still_open: int, late: int, rag: Rag
) -> None:
    issues = [
        issue(n, due=TODAY - days(1) if n < late else None) for n in range(still_open)
    ]
    seen = small(*issues, stage=Stage.EVOLUTION, due=TODAY + days(30))
    assert measured(seen).rag is rag


def test_a_due_date_has_passed_the_day_after_it_while_work_is_open() -> None:
    given = {"stage": Stage.EVOLUTION}
    assert measured(small(issue(1), due=TODAY, **given)).rag is Rag.GREY
    late = measured(small(issue(1), due=TODAY - days(1), **given))
    assert (late.rag, late.why.split(". ")[0]) == (
        Rag.RED,
        "Due Nov 17, 2026 has passed",
    )
    finished = issue(1, done=TODAY - days(1))
    done = measured(small(finished, due=TODAY - days(1), **given))
    assert done.rag is Rag.GREEN


@pytest.mark.parametrize(("done", "told"), [(9, False), (10, True)])
def test_ten_finished_items_are_enough_for_a_forecast_and_a_service_level(
    done: int, told: bool
) -> None:
    issues = [worked(n, TODAY - days(9), TODAY - days(2)) for n in range(done)]
    found = measured(small(*issues, issue(99), due=TODAY + days(30)))
    assert (found.forecast is not None) is told
    assert found.sle == (8 if told else None)


@pytest.mark.parametrize(
    ("due", "on_time"), [(TODAY - days(2), 0), (TODAY - days(1), 1), (None, None)]
)
def test_finished_work_was_on_time_if_it_ended_by_its_day(
    due: date | None, on_time: int | None
) -> None:
    found = measured(small(*steady(3, 0), due=due))
    assert found.forecast is not None
    assert (found.on_time, found.forecast.p85) == (on_time, TODAY - days(1))


def test_a_forecast_without_a_due_date_has_days_but_no_chance() -> None:
    found = measured(small(*steady(25, 5)))
    forecast = found.forecast
    assert forecast is not None
    assert found.on_time is None
    assert TODAY < forecast.p50 <= forecast.p85
    assert forecast.remaining == 5


def test_the_reasons_of_a_figure_name_the_threshold_that_decided() -> None:
    seen = small(*steady(25, 5), due=TODAY + days(30))
    told = {
        fact.field: fact.why.threshold
        for fact in judge(seen).facts
        if fact.ref == P1 and fact.why.rule == "progress"
    }
    decided = {
        "progress": "share of issues with an estimate ≥ 0.8",
        "done_total": "share of issues with an estimate ≥ 0.8",
        **dict.fromkeys(
            ("p50", "p85", "on_time"), "finished issues ≥ 10, scenarios: 10000"
        ),
        "health": "on-time chance ≥ 0.8 / 0.5, SPI(t) ≥ 0.95 / 0.85",
        "spi": "share of time passed ≥ 0.15",
        "scope_change": "weeks: 4, issues known before ≥ 10",
    }
    assert told == dict.fromkeys(told, "") | decided


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (
            24,
            "issue ACME-2, an ordinary issue with its sub-tasks; its project has 24 more",
        ),
        (None, "issue ACME-2"),
    ],
)
def test_a_card_of_an_ordinary_issue_says_so(others: int | None, told: str) -> None:
    seen = small(*steady(25, 5), due=TODAY + days(30))
    work = replace(seen.work[P1], link="issue ACME-2", others=others)
    facts = judge(replace(seen, work={P1: work})).facts
    (why,) = [fact.why for fact in facts if fact.ref == P1 and fact.field == "progress"]
    assert [one.value for one in why.inputs if one.name == "Jira link"] == [told]


@pytest.mark.parametrize(
    ("field", "figures"),
    [
        # 25 items in twelve weeks.
        ("progress", {"work done": "25", "all work": "30"}),
        (
            "on_time",
            {
                "open issues": "5",
                "finished a week": "2.1",
                "finished issues that tell of speed": "25",
                "due": "2026-12-18",
            },
        ),
        ("burn", {"hours spent": "0", "worth at standard rates": "-", "budget": "-"}),
        ("overdue", {"overdue issues": "0"}),
    ],
)
def test_a_field_names_what_its_own_formula_is_made_of(
    field: str, figures: dict[str, str]
) -> None:
    seen = small(*steady(25, 5), due=TODAY + days(30))
    (why,) = [
        fact.why for fact in judge(seen).facts if fact.ref == P1 and fact.field == field
    ]
    shown = {one.name: one.value for one in why.inputs}
    assert shown == {"Jira link": "project ACME"} | figures


@pytest.mark.parametrize(
    ("passed", "spi"),
    [
        # Plan: 2 to 27 November, 20 working days, of which 15 % are three; 12 of 24, all done on the first, earn ten days.
        (date(2026, 11, 4), None),
        (date(2026, 11, 5), Decimal("3.33")),
        (date(2026, 11, 16), Decimal(1)),
        (date(2026, 11, 30), Decimal("0.50")),
    ],
)
def test_earned_over_passed_days_is_told_from_fifteen_percent_on(
    passed: date, spi: Decimal | None
) -> None:
    start = date(2026, 11, 2)
    work = [issue(n, done=start) for n in range(12)]
    work += [issue(100 + n) for n in range(12)]
    seen = replace(small(*work, start=start, due=date(2026, 11, 27)), today=passed)
    assert measured(seen).spi_t == spi


def test_finished_work_earned_its_plan_on_the_day_it_ended() -> None:
    # 2 to 27 November are 20 working days; all was done on Friday the 13th, after ten.
    work = [issue(n, done=date(2026, 11, 13)) for n in range(4)]
    seen = small(*work, start=date(2026, 11, 2), due=date(2026, 11, 27))
    assert measured(seen).spi_t == 2


def test_a_plan_measured_otherwise_says_nothing_of_speed() -> None:
    seen = small(*steady(6, 18), start=date(2026, 11, 2), due=date(2026, 11, 27))
    kept = judge(seen).memory
    by_hours = {**kept.baselines}
    by_hours["projects/p1"] = replace(by_hours["projects/p1"], by="estimate")
    again = replace(seen, memory=replace(kept, baselines=by_hours))
    assert measured(seen).spi_t is not None
    assert measured(again).spi_t is None


@pytest.mark.parametrize(
    "fields",
    [
        {"stage": Stage.AGREED},
        {"stage": Stage.EVOLUTION},
        {"due": None},
        {"due": date(2026, 11, 2)},
    ],
)
def test_only_a_card_in_progress_with_days_to_go_gets_a_baseline(
    fields: dict[str, Any],
) -> None:
    given = {"start": date(2026, 11, 2), "due": date(2026, 11, 27)}
    assert judge(small(*steady(6, 18), **given)).memory.baselines
    assert not judge(small(*steady(6, 18), **given | fields)).memory.baselines
    assert not judge(small(**given)).memory.baselines, "nothing to be done yet"


def test_a_plan_without_a_start_begins_with_its_first_item() -> None:
    work = [issue(n, created=TODAY - days(n)) for n in range(30, 40)]
    baseline = judge(small(*work, due=TODAY + days(9))).memory.baselines["projects/p1"]
    assert (baseline.start, baseline.frozen) == (TODAY - days(39), TODAY)


@pytest.mark.parametrize(
    ("rate", "default", "budget", "burn"),
    [
        (Decimal(50), None, 1000, Decimal("0.5000")),
        (Decimal(0), Decimal(70), 1000, Decimal(0)),
        (None, Decimal(70), 1000, Decimal("0.7000")),
        (None, None, 1000, None),
        (Decimal(50), None, None, None),
        (Decimal(50), None, 0, None),
    ],
)
def test_burn_needs_a_budget_and_a_rate_for_every_hour(
    rate: Decimal | None,
    default: Decimal | None,
    budget: int | None,
    burn: Decimal | None,
) -> None:
    seen = world(
        client(),
        unit(),
        person("dev", rate=rate),
        card(budget=None if budget is None else Decimal(budget)),
        work={"p1": [issue(1)]},
        logs=[worklog(TODAY, 10)],
    )
    limits = seen.thresholds.model_copy(update={"default_rate": default})
    assert measured(replace(seen, thresholds=limits)).burn == burn


def long_project(*, rate: int | None = 2000, default: int | None = None) -> World:
    """Return a card with a budget of 400,000 and one item that is 600 days old, of whose 200 h only the last 40 are known by
    their logs: 160 h were logged 500 days ago, before the logs that are read."""
    old = issue(1, created=TODAY - days(600), spent=200 * 3600)
    logs = [worklog(TODAY - days(1 + n), 8) for n in range(5)]
    seen = world(
        client(),
        unit(),
        person("dev", rate=None if rate is None else Decimal(rate)),
        card(budget=Decimal(400_000)),
        work={"p1": [old]},
        logs=logs,
    )
    given = None if default is None else Decimal(default)
    limits = seen.thresholds.model_copy(update={"default_rate": given})
    return replace(seen, thresholds=limits)


@pytest.mark.parametrize(
    ("rate", "default", "burn"),
    [
        # 200 h x 2,000; the hours nobody knows the author of cost what the known ones do.
        (2000, None, Decimal("1.0000")),
        (2000, 500, Decimal("1.0000")),
        (None, 1000, Decimal("0.5000")),
        (None, None, None),
    ],
)
def test_time_spent_is_the_whole_and_logs_are_a_window(
    rate: int | None, default: int | None, burn: Decimal | None
) -> None:
    found = measured(long_project(rate=rate, default=default))
    assert (found.hours, found.burn) == (Decimal(200), burn)


def test_hours_without_any_log_cost_the_default_rate() -> None:
    """100 h stand on the item and no log is known: 100 x 1,000 of 400,000; without a default nothing can be told."""
    seen = long_project(default=1000)
    (work,) = seen.work.values()
    bare = {P1: replace(work, worklogs=(), issues=(issue(1, spent=360_000),))}
    assert measured(replace(seen, work=bare)).burn == Decimal("0.2500")
    unpriced = replace(long_project(), work=bare)
    assert measured(unpriced).burn is None
    assert measured(unpriced).hours == 100


def test_what_is_logged_since_the_item_was_read_counts_too() -> None:
    """One item says 10 h, its logs 12 h (two were added since it was read); another says 5 h and has none: 17 h."""
    logs = [worklog(TODAY - days(n), 6) for n in range(2)]
    seen = world(
        client(),
        unit(),
        card(),
        work={"p1": [issue(1, spent=36_000), issue(2, spent=18_000)]},
        logs=logs,
    )
    assert measured(seen).hours == 17


def test_the_busiest_of_the_window_is_not_the_busiest_of_all_time() -> None:
    """Ann logged 300 h last year and 10 h lately, Bob 30 h lately: Bob carries three quarters of the work."""
    logs = [
        worklog(TODAY - days(300), 300, author="ann"),
        worklog(TODAY - days(3), 10, author="ann"),
        worklog(TODAY - days(3), 30, author="bob"),
    ]
    seen = world(client(), unit(), card(), work={"p1": [issue(1)]}, logs=logs)
    assert (measured(seen).top_person, measured(seen).top_share) == (
        "bob",
        Decimal("0.7500"),
    )


def test_one_hour_without_a_rate_makes_the_burn_unknown() -> None:
    seen = world(
        client(),
        unit(),
        person("dev"),
        card(budget=Decimal(1000)),
        work={"p1": [issue(1)]},
        logs=[worklog(TODAY, 10), worklog(TODAY, 1, author="stranger")],
    )
    assert measured(seen).burn is None


def test_hours_come_from_the_items_where_nobody_logged_any() -> None:
    found = measured(small(issue(1, spent=3600), issue(2, spent=1800), issue(3)))
    assert (found.hours, found.burn) == (Decimal("1.5"), None)


def test_the_last_activity_is_the_newest_change_or_log() -> None:
    work = [
        issue(1, updated=at(TODAY - days(9))),
        issue(2, updated=at(TODAY - days(4))),
    ]
    assert measured(small(*work)).last_activity == TODAY - days(4)
    logged = world(
        client(), unit(), card(), work={"p1": work}, logs=[worklog(TODAY - days(2), 1)]
    )
    assert measured(logged).last_activity == TODAY - days(2)
    assert measured(small()).last_activity is None


def test_the_proposed_day_is_the_latest_of_open_items_only() -> None:
    work = [
        issue(1, due=TODAY + days(5)),
        issue(2, due=TODAY + days(9)),
        issue(3, done=TODAY, due=TODAY + days(30)),
        issue(4),
    ]
    found = measured(small(*work))
    assert (found.due, found.jira_due) == (TODAY + days(9), TODAY + days(9))
    facts = card_facts(small(issue(1), issue(2)))
    assert "due" not in facts
