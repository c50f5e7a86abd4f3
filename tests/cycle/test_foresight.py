"""What `check` sees coming: rights that a connection lacks, boards nobody has filled, a schedule that asks too much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.english import english
from tests.support.stages import NOW, Play, small_play
from tests.support.worlds import client, person, unit, world
from worker.config import NotionSettings, Schedule, Workspace
from worker.cycle.foresight import (
    NOWHERE,
    find_block_limit,
    find_gaps,
    find_missing_rights,
    find_missing_views,
    find_unused_boards,
    measure_demand,
    read_demand,
)
from worker.errors import Severity
from worker.mapping.load import load_schema
from worker.notion.gateway import NotionGateway
from worker.state.runs import Run, RunStatus
from worker.world.world import World


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        yield found


SCHEMA = load_schema()
ALL = {"read": True, "insert": True, "update": True}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (ALL, []),
        ({**ALL, "update": False}, ["update"]),
        ({**ALL, "insert": False}, ["insert"]),
        ({**ALL, "update": False, "insert": False}, ["update", "insert"]),
    ],
)
def test_a_missing_right_is_learnt_without_writing(
    play: Play, given: dict[str, bool], missing: list[str]
) -> None:

    mark = play.mark()
    play.stage.notion.control("set_capabilities", given)
    found = list(find_missing_rights(play.stage.context.notion))
    assert [english(one.message) for one in found] == [
        f"the connection may not {right} content" for right in missing
    ]
    assert {one.severity for one in found} <= {Severity.ERROR}
    asked = [e for e in play.stage.notion.entries(mark) if e.actor == play.bot_id]
    assert len(asked) == 2
    assert all(NOWHERE in entry.path for entry in asked)
    assert {entry.outcome for entry in asked} == {"refused"}


def gaps(seen: World) -> list[str]:
    """Return what is told of a world's gaps, with where."""
    return [f"{english(one.where)}: {english(one.message)}" for one in find_gaps(seen)]


@pytest.mark.parametrize(
    ("roles", "faults"),
    [
        ({}, []),
        ({"am": ()}, ["no account manager"]),
        ({"tls": ()}, ["no team lead"]),
        ({"pms": ()}, ["no project manager"]),
        ({"tls": (), "pms": ()}, ["no team lead", "no project manager"]),
    ],
)
def test_every_gap_of_a_units_triangle_is_told(
    roles: dict[str, Any], faults: list[str]
) -> None:
    people = [person(name) for name in ("am", "tl", "pm")]
    seen = world(client(), unit(**roles), *people)
    assert gaps(seen) == [f"North: in the unit there is {fault}" for fault in faults]


def test_a_board_that_lost_its_views_is_told_with_their_names_and_others_cost_one_request(
    play: Play,
) -> None:
    context = play.stage.context
    drawn = play.draw()
    mark = play.mark()
    assert list(find_missing_views(context.notion, SCHEMA, drawn.bindings)) == []
    assert len(play.reads(mark)) == len(drawn.bindings)

    board = drawn.bindings["projects"]
    views = context.notion.views(database_id=board.database_id)
    lost = next(view for view in views if view.type == "timeline")
    raw = context.notion
    assert isinstance(raw, NotionGateway)
    raw._call("DELETE", f"views/{lost.id}", lambda answer: answer)
    (problem,) = find_missing_views(context.notion, SCHEMA, drawn.bindings)
    assert (problem.code, problem.severity) == ("missing-view", Severity.INFO)
    assert english(problem.where) == "Projects"
    assert english(problem.message).endswith(f": {lost.name}")


def run(mode: str, requests: int, **fields: Any) -> Run:
    return Run(
        1,
        "timer",
        NOW,
        NOW + timedelta(seconds=9),
        RunStatus.DONE,
        {"mode": mode},
        {"notion": requests},
        **fields,
    )


def settings(**fields: Any) -> Workspace:
    return Workspace(
        notion=NotionSettings(requests=180, window=60),
        schedule=Schedule(delta=300, full=21_600),
        **fields,
    )


@pytest.mark.parametrize(
    ("latest", "full_cost", "expected"),
    [
        # Twelve looks at changes an hour, a whole one every six: 12 x 20 + 300 / 6.
        ([run("delta", 10), run("delta", 30), run("full", 300)], 999, 290),
        # Nothing ran yet: what the look just made has cost is the most that one can cost.
        ([], 120, 12 * 120 + 20),
        ([run("full", 60)], 120, 12 * 120 + 10),
    ],
)
def test_the_demand_of_a_schedule_is_that_of_its_latest_runs(
    latest: list[Run], full_cost: int, expected: int
) -> None:
    demand = measure_demand(settings(), latest, full_cost)
    assert (demand.expected, demand.allowed) == (expected, 10_800)
    assert demand.problem() is None


def test_from_four_fifths_of_what_is_allowed_on_the_schedule_is_a_problem() -> None:
    # 12 x cost + cost / 6 of 10,800: 710 is 8,638 and 711 is 8,650; four fifths are 8,640.
    assert measure_demand(settings(), [], 710).problem() is None
    problem = measure_demand(settings(), [], 711).problem()
    assert problem is not None
    assert problem.code == "request-budget"
    assert "8650" in english(problem.message)


def test_the_cost_of_a_look_is_what_was_just_asked(play: Play) -> None:
    context = play.stage.context
    before = read_demand(context).expected
    for _ in range(60):
        context.notion.me()
    schedule = context.settings.schedule
    more = 60 * (3600 / schedule.delta + 3600 / schedule.full)
    assert abs(read_demand(context).expected - before - more) <= 1


@pytest.mark.parametrize(
    ("users", "severity", "told"),
    [
        ("email", Severity.WARNING, "with 2 members the workspace may make 1000"),
        ("none", Severity.INFO, "once a second member joins"),
    ],
)
def test_a_free_plan_is_told_with_how_many_share_it(
    play: Play, users: str, severity: Severity, told: str
) -> None:
    notion = play.stage.context.notion
    assert list(find_block_limit(notion)) == []
    play.stage.notion.control("set_free", {"is_free": True})
    play.stage.notion.control("set_capabilities", {"users": users})
    (problem,) = find_block_limit(notion)
    assert (problem.code, problem.severity) == ("free-plan", severity)
    assert told in english(problem.message)


def test_an_own_board_that_lies_unused_is_named_and_others_are_not(play: Play) -> None:
    context = play.stage.context
    bindings = play.stage.bindings()
    assert list(find_unused_boards(context.notion, context.schema, bindings)) == []
    for title, columns in (
        ("Accounts", {"Company": "title", "Monthly retainer": "number"}),
        ("Lunch", {"Dish": "title"}),
    ):
        context.notion.create_database(
            {
                "parent": {
                    "type": "page_id",
                    "page_id": context.settings.notion.root_page_id,
                },
                "title": [{"type": "text", "text": {"content": title}}],
                "initial_data_source": {
                    "properties": {
                        name: {"type": kind, kind: {}} for name, kind in columns.items()
                    }
                },
            }
        )
    play.later(seconds=60)
    (problem,) = find_unused_boards(context.notion, context.schema, bindings)
    assert english(problem.where) == "Clients"
    assert "Accounts" in english(problem.message)
    assert problem.severity is Severity.INFO
