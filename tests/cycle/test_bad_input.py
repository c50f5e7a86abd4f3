"""Malformed records, changed schemas and closed doors: each named, the rest goes on, nothing is destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.english import english
from tests.support.stages import ACME, BETA, EPIC, PITCH, Play, small_play
from worker.app.build import Surroundings, build_context
from worker.cli import exits, prose
from worker.config import Workspace
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import ConfigError, RaylineError
from worker.mapping.schema import KEY_PROPERTY
from worker.state import runs

HUGE = "д" * 100_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("records")) as found:
        found.sync()
        yield found


@pytest.fixture
def play(shared: Play) -> Play:
    shared.later(minutes=10)
    return shared


def problems_of(report: Report, code: str) -> set[tuple[str, str]]:
    return {
        (problem.where, problem.field)
        for problem in report.plan.problems
        if problem.code == code
    }


CELLS: tuple[tuple[str, int, str, Any], ...] = (
    (
        "projects",
        PITCH,
        "due",
        {"start": "51502-01-01", "end": None, "time_zone": None},
    ),
    ("projects", PITCH, "start", {"start": "soon"}),
    (
        "projects",
        PITCH,
        "stage",
        {"id": "zzz", "name": "Brand new stage", "color": "mauve"},
    ),
    ("projects", PITCH, "client", [{"id": 7}]),
    ("projects", PITCH, "engagement", 42),
    ("clients", 2, "monthly_fee", {"value": 1}),
    ("clients", 2, "group", {"name": "whale"}),
    ("contacts", 0, "birthday", {"start": "1988-02-30"}),
    ("people", 4, "capacity", "forty"),
    ("people", 4, "rate", 1e308),
    ("projects", PITCH, "budget", 1e-30),
    (
        "clients",
        2,
        "last_contact",
        {"start": "9999-12-31T23:59:00.000+00:00", "end": None, "time_zone": None},
    ),
)


def test_each_cell_that_cannot_be_read_is_named_and_all_else_goes_on(
    play: Play,
) -> None:
    for source, index, name, value in CELLS:
        play.garble(source, play.page(source, index), name, value)
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = play.sync()
    named = {(problem.where, problem.field) for problem in report.plan.problems}
    titles = {
        ("projects", PITCH): "Projects: Gamma idea",
        ("clients", 2): "Clients: Gamma Pitch",
        ("contacts", 0): "Contacts: Carla Client",
        ("people", 4): "People: Founder Person",
    }
    missing = {
        (titles[source, index], name) for source, index, name, _ in CELLS
    } - named
    assert not missing
    assert not [
        problem for problem in report.plan.problems if problem.code == "rule-failed"
    ]
    assert all(
        problem.url
        for problem in report.plan.problems
        if problem.code == "unreadable-field"
    )
    assert play.row("projects", ACME).values["progress"] == Decimal("0.8333")
    assert report.applied.failures == ()
    play.later(minutes=5)
    mark = play.mark()
    assert play.sync().plan.changes == ()
    assert play.writes(mark) == []


def test_texts_of_any_length_and_script_pass_through(play: Play) -> None:
    play.garble(
        "projects",
        play.page("projects", PITCH),
        "name",
        [
            {
                "type": "text",
                "text": {"content": HUGE},
                "plain_text": HUGE,
                "annotations": {},
                "href": None,
            }
        ],
    )
    for index, name in ((0, "Ёлки 🎄 مرحبا ‮abc"), (1, "Ёлки 🎄 مرحبا ‮abc")):
        play.edit("clients", play.page("clients", index), name=name)
    report = play.sync()
    assert report.applied.failures == ()
    assert len(str(report.data()["problems"])) < 60_000
    play.edit("clients", play.page("clients", 0), name="Acme Bank")
    play.edit("clients", play.page("clients", 1), name="Beta Travel")


def test_a_user_who_left_is_no_obstacle(play: Play) -> None:
    user = play.stage.cast.users[0]
    play.stage.notion.control("remove_user", {"id": user})
    assert play.sync().applied.failures == ()


def test_issues_whose_parents_go_in_a_circle_are_named_and_still_counted(
    play: Play,
) -> None:
    store = play.stage.jira._site.store
    first, second = (store.find_issue(key) for key in ("ACME-7", "ACME-9"))
    assert first is not None
    assert second is not None
    first.parent, second.parent = second.id, first.id
    first.updated = second.updated = int(play.stage.clock.now().timestamp() * 1000)
    before = play.row("projects", ACME).values["done_total"]
    report = play.sync()
    told = [
        problem
        for problem in report.plan.problems
        if "ACME-7" in problem.where + problem.message
    ]
    assert told
    assert play.row("projects", ACME).values["done_total"] == before


def test_an_issue_with_an_absurd_date_is_named_with_its_field_and_set_aside(
    play: Play,
) -> None:
    issue = play.stage.jira._site.store.find_issue("BETA-11")
    assert issue is not None
    issue.due, issue.updated = (
        "51502-01-01",
        int(play.stage.clock.now().timestamp() * 1000),
    )
    report = play.sync()
    told = [problem for problem in report.plan.problems if "BETA-11" in problem.where]
    assert [problem.field for problem in told] == ["duedate"]
    assert play.row("projects", BETA).values["done_total"].startswith("9 / 11")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path) as found:
        found.sync()
        found.later(minutes=10)
        yield found


def change(play: Play, act: str, source: str, field: str, **more: Any) -> None:
    play.stage.notion.control(
        act,
        {
            "data_source_id": play.data_source(source),
            "property": play.label(source, field),
            **more,
        },
    )


def test_a_renamed_property_goes_on_working(fresh: Play) -> None:
    change(fresh, "rename_property", "projects", "progress", name="How far")
    change(fresh, "rename_property", "projects", "jira", name="Tracker")
    fresh.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = fresh.sync()
    assert fresh.row("projects", ACME).values["progress"] == Decimal("0.8333")
    assert not [
        problem
        for problem in report.plan.problems
        if problem.code in ("schema-missing", "schema-deleted")
    ]


@pytest.mark.parametrize(
    ("act", "code", "more", "mode"),
    [
        ("delete_property", "schema-deleted", {}, Mode.DELTA),
        ("retype_property", "schema-retyped", {"type": "rich_text"}, Mode.FULL),
    ],
)
def test_what_needs_a_property_that_is_gone_is_left_alone_and_all_else_goes_on(
    fresh: Play, act: str, code: str, more: dict[str, str], mode: Mode
) -> None:
    before = fresh.row("projects", ACME).values
    for source, name in (
        ("projects", "due"),
        ("clients", "monthly_fee"),
        ("projects", "health"),
        ("plans", "pinned"),
    ):
        change(fresh, act, source, name, **more)
    fresh.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = fresh.sync(mode)
    told = {
        problem.field: problem
        for problem in report.plan.problems
        if problem.code == code
    }
    assert told.keys() == {"due", "monthly_fee", "health", "pinned"}
    assert "Notion" in told["due"].hint or "type back" in told["due"].hint
    after = fresh.row("projects", ACME).values
    assert after["progress"] == Decimal("0.8333")
    assert after["on_time"] == before["on_time"]
    assert not report.refused
    assert report.applied.failures == ()
    assert {one.ref.source for one in report.plan.changes} <= {"projects", "clients"}
    fresh.later(minutes=10)
    again = fresh.sync(Mode.DELTA)
    assert again.plan.changes == ()
    assert {
        problem.field for problem in again.plan.problems if problem.code == code
    } == told.keys()


@pytest.mark.parametrize("source", ["tasks", "risks", "plans"])
@pytest.mark.parametrize(
    ("act", "more"), [("delete_property", {}), ("retype_property", {"type": "number"})]
)
def test_a_board_without_its_key_column_is_let_be_and_relations_to_it_stand(
    fresh: Play, source: str, act: str, more: dict[str, str]
) -> None:
    before = fresh.row("projects", ACME).values["next_task"]
    change(fresh, act, source, KEY_PROPERTY, **more)
    assert {one.code for one in fresh.sync(Mode.FULL).refused} <= {"source-empty"}
    fresh.later(minutes=10)
    fresh.sync(Mode.FULL, force=True)
    fresh.later(minutes=10)
    again = fresh.sync(Mode.FULL)
    assert (again.plan.changes, again.refused) == ((), ())
    assert fresh.row("projects", ACME).values["next_task"] == before


def test_a_link_property_that_is_gone_empties_no_progress(fresh: Play) -> None:
    change(fresh, "delete_property", "projects", "jira")
    report = fresh.sync()
    assert report.plan.changes == ()
    assert fresh.row("projects", EPIC).values["progress"] == Decimal("0.8")


def test_a_property_made_again_is_taken_up_again(fresh: Play) -> None:
    change(fresh, "delete_property", "projects", "progress")
    fresh.sync()
    fresh.stage.notion.control(
        "add_property",
        {
            "data_source_id": fresh.data_source("projects"),
            "name": fresh.label("projects", "progress"),
            "config": {"number": {"format": "percent"}},
        },
    )
    report = fresh.sync()
    assert fresh.row("projects", ACME).values["progress"] == Decimal("0.8")
    assert not [
        problem
        for problem in report.plan.problems
        if problem.code.startswith("schema-d")
    ]


def refusal(play: Play, settings: Workspace | None = None) -> tuple[str, int]:
    """Return what the command would say and end with when a cycle cannot be done; checks that nothing was written."""
    context = build_context(
        "studio",
        settings or play.stage.context.settings,
        play.stage.store,
        Surroundings(play.stage.clock.now),
    )
    mark = play.mark()
    with pytest.raises(RaylineError) as caught:
        sync(context, CycleRequest(Mode.FULL))
    assert play.writes(mark) == []
    with play.stage.store.reading("studio") as tx:
        assert runs.recent(tx, 1)[0].status is runs.RunStatus.FAILED
    return prose.explain(caught.value, Words()), exits.exit_code(caught.value)


def test_closed_doors_are_told_in_a_sentence_and_nothing_is_written(
    fresh: Play,
) -> None:
    settings, notion = fresh.stage.context.settings, fresh.stage.notion
    wrong = settings.model_copy(
        update={
            "jira": settings.jira.model_copy(update={"email": "nobody@example.com"})
        }
    )
    sentence, code = refusal(fresh, wrong)
    assert (code, "Jira" in sentence, "jira.token" in sentence) == (2, True, True)
    notion.control("revoke_token", {})
    sentence, code = refusal(fresh)
    assert (code, "Notion" in sentence, "notion.token" in sentence) == (2, True, True)
    notion.control("revoke_token", {"revoked": False})
    notion.control("set_capabilities", {"read": False})
    sentence, code = refusal(fresh)
    assert (code, "capabilit" in sentence or "allowed" in sentence) == (2, True)
    notion.control("set_capabilities", {"read": True})
    notion.control("unshare", {"id": notion.root_page_id})
    sentence, code = refusal(fresh)
    assert (code, "Connections" in sentence) == (2, True)


def test_a_root_page_without_boards_is_told(tmp_path: Path) -> None:
    with small_play(tmp_path, known=False) as play:
        page = play.stage.notion.control(
            "create", {"page_id": play.stage.notion.root_page_id, "properties": {}}
        )["id"]
        settings = play.stage.context.settings
        settings = settings.model_copy(
            update={"notion": settings.notion.model_copy(update={"root_page_id": page})}
        )
        context = build_context(
            "studio", settings, play.stage.store, Surroundings(play.stage.clock.now)
        )
        with pytest.raises(ConfigError) as caught:
            sync(context, CycleRequest(Mode.FULL))
        assert caught.value.problems[0].code == "no-boards"
        assert page in english(caught.value.problems[0].where)


def test_one_board_that_is_no_longer_shared_stops_itself_alone(fresh: Play) -> None:
    fresh.stage.notion.control(
        "unshare", {"id": fresh.stage.bindings()["clients"].database_id}
    )
    fresh.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = fresh.sync()
    told = {one.code: one for one in report.plan.problems}
    assert "share it again" in told["board-unseen"].hint
    assert (report.refused, report.applied.failures) == ((), ())
    assert fresh.row("projects", ACME).values["progress"] == Decimal("0.8333")


def test_what_people_typed_amiss_is_named_with_its_row_and_every_rule_goes_on(
    fresh: Play,
) -> None:
    scribe, (north, acme) = (
        fresh.stage.scribe,
        (
            Ref("units", fresh.page("units", 0)),
            Ref("clients", fresh.page("clients", 0)),
        ),
    )
    before = {fact.why.rule for fact in fresh.draw().outcome.facts}
    month, managers = (
        date(2026, 10, 1),
        tuple(Ref("people", fresh.page("people", index)) for index in (0, 1)),
    )
    scribe.add("units", name="Empty unit")
    fresh.edit("clients", fresh.page("clients", 1), unit=())
    fresh.edit("units", north.key, am=managers)
    fresh.edit(
        "projects",
        fresh.page("projects", ACME),
        start=date(2026, 12, 30),
        due=date(2026, 11, 1),
    )
    scribe.add(
        "revenue",
        name="Below zero",
        client=(acme,),
        month=month,
        amount=Decimal(-500),
        kind="payment",
    )
    scribe.add(
        "revenue",
        name="Dollars",
        client=(acme,),
        month=month,
        amount=Decimal(5),
        kind="act",
        currency="USD",
    )
    scribe.add("goals", name="Vague goal", unit=(north,))
    scribe.add(
        "contacts",
        name="Ageless",
        side="client",
        client=(acme,),
        birthday=date(1900, 5, 5),
    )
    drawn = fresh.draw()
    told = {problem.code: problem for problem in drawn.plan.problems}
    named = {
        "unit-without-people": "Empty unit",
        "client-without-unit": "Beta Travel",
        "two-ams": "North",
        "reversed-dates": "Acme portal",
        "negative-amount": "Below zero",
        "other-currency": "Dollars",
        "goal-without-measure": "Vague goal",
        "no-birth-year": "Ageless",
    }
    assert {code: told[code].where.partition(": ")[2] for code in named} == named
    assert [code for code in named if "/p/" not in told[code].url] == []
    assert "rule-failed" not in told
    assert {fact.why.rule for fact in drawn.outcome.facts} >= before
