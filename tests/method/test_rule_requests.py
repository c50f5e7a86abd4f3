"""Tasks from outside: routed once, with an answer time, steps and candidates; people's values stand (docs/method.md 6.5)."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import judge, outcome_of
from tests.support.worlds import (
    PLAYBOOKS,
    TODAY,
    card,
    client,
    contact,
    person,
    row,
    unit,
    world,
)
from worker.domain.entities import Row, Stage
from worker.domain.values import Ref, Unset, Value
from worker.errors import Severity, in_words
from worker.locales import load_words
from worker.mapping.playbooks import load_playbooks
from worker.method.run import Run
from worker.method.sprint.requests import candidates_for, measure_requests
from worker.world.memory import Memory
from worker.world.rows import read_task
from worker.world.world import World

C1, LENS = Ref("clients", "c1"), Ref("contacts", "lens")
ROOT = Path(__file__).parents[2]


def asked(
    title: str = "Sign the act",
    *,
    source: str = "lawyer",
    created: date = TODAY,
    **fields: Value,
) -> Row:
    """Return a row that a form added."""
    return row(
        "tasks",
        "page",
        worker=False,
        title=title,
        created=created,
        source=source,
        **{"client": (C1,), **fields},
    )


def office(*rows: Row, **fields: Any) -> World:
    """Return a world with a whole unit, a head of accounts and three contractors."""
    people = [
        person("am", role="am"),
        person("tl", role="tl"),
        person("pm", role="pm"),
        person("hoa", role="hoa"),
    ]
    sides = {"side": "contractor", "client": None}
    others = [
        contact(
            "lens",
            offers="photographer, drone filming",
            last_contact=date(2026, 9, 1),
            **sides,
        ),
        contact(
            "flash",
            offers="Photographers; retouching",
            last_contact=date(2026, 11, 1),
            **sides,
        ),
        contact("cook", offers="catering", **sides),
        contact("ivan", offers="photographer", side="client"),
    ]
    return world(
        client(),
        unit(),
        *people,
        *others,
        card("p1", Stage.IDEA, jira=None),
        rows={"tasks": rows},
        **fields,
    )


def given(seen: World, *, at: str = "page") -> dict[str, Value | Unset]:
    """Return what a row from outside is given."""
    found = measure_requests(seen, PLAYBOOKS).facts
    return {fact.field: fact.value for fact in found if fact.ref.key == at}


def remembered(seen: World) -> Memory:
    """Return what is remembered of the rule's run."""
    run = Run(seen)
    run(measure_requests, None, PLAYBOOKS)
    return outcome_of(run).memory


@pytest.mark.parametrize(
    ("source", "due"),
    [
        # Working days after Wednesday 18 November 2026.
        ("lawyer", date(2026, 11, 23)),
        ("finance", date(2026, 11, 20)),
        ("concierge", date(2026, 11, 20)),
        ("other", date(2026, 11, 25)),
    ],
)
def test_a_task_from_outside_goes_to_the_am_with_an_answer_time(
    source: str, due: date
) -> None:
    assert given(office(asked(source=source))) == {
        "kind": "external",
        "due": due,
        "assignee": (Ref("people", "am"),),
        "client": (C1,),
        "sprint": "2026-S24",
    }


def test_the_client_is_found_by_the_card() -> None:
    facts = given(office(asked(client=(), project=(Ref("projects", "p1"),))))
    assert (facts["client"], facts["assignee"]) == ((C1,), (Ref("people", "am"),))


def test_without_a_client_it_goes_to_the_head_of_accounts_and_is_reported_with_its_link() -> (
    None
):
    found = measure_requests(office(asked(client=())), PLAYBOOKS)
    (problem,) = found.problems
    assert (problem.code, problem.field, problem.url) == (
        "request-without-client",
        "client",
        "https://notion.so/page",
    )
    assert {fact.field: fact.value for fact in found.facts}["assignee"] == (
        Ref("people", "hoa"),
    )


@pytest.mark.parametrize(
    "left",
    [
        row("tasks", "task:next_step:p1", source="lawyer"),
        asked(source="worker"),
        asked(source="gossip"),
        row("tasks", "page", worker=False),
        asked(status="done"),
        asked(status="cancelled"),
    ],
)
def test_what_is_not_an_open_task_from_outside_is_left_alone(left: Row) -> None:
    found = measure_requests(office(left), PLAYBOOKS)
    assert (found.facts, found.value) == ((), ())


def test_a_request_found_too_late_has_its_answer_time_from_today() -> None:
    assert given(office(asked(created=date(2026, 11, 2))))["due"] == date(2026, 11, 23)
    assert given(office(asked(created=date(2026, 11, 13))))["due"] == TODAY
    assert given(office(asked(created=date(2026, 11, 17), source="other")))[
        "due"
    ] == date(2026, 11, 24)


def test_the_sprint_is_given_once_although_it_is_the_workers_field() -> None:
    seen = office(asked())
    after = replace(seen, memory=remembered(seen))
    assert "sprint" in given(seen)
    assert "sprint" not in given(after)
    assert "sprint" not in given(office(asked(sprint="2026-S20")))


def test_a_concierge_request_gets_dated_steps_and_the_contractors_it_names() -> None:
    facts = given(
        office(
            asked(
                "Find a photographer for the report",
                source="concierge",
                request="find_contractor",
            )
        )
    )
    # Today, then 2, 3 and 5 working days after Wednesday the 18th; the lately met contractor first.
    assert facts["due"] == date(2026, 11, 23)
    assert facts["candidates"] == (Ref("contacts", "flash"), LENS)
    lines = str(facts["steps"]).split("\n")
    assert [line.split(" · ")[-1].split(":")[0] for line in lines] == [
        "Nov 18",
        "Nov 20",
        "Nov 23",
        "Nov 25",
    ]
    assert lines[3].endswith("Arrange the meeting with the chosen one")


@pytest.mark.parametrize(
    ("title", "note", "found"),
    [
        ("Who films from a drone?", "drone filming", {"lens"}),
        ("Фото", "", set()),
        ("Need catering", "", {"cook"}),
        ("Drone race", "", set()),
    ],
)
def test_every_word_of_an_offer_must_be_named(
    title: str, note: str, found: set[str]
) -> None:
    request = read_task(asked(title, note=note), UTC)
    assert {one.ref.key for one in candidates_for(request, office())} == found


def test_russian_cases_of_a_word_are_one_word() -> None:
    maker = contact("foto", offers="фотограф", side="contractor", client=None)
    request = read_task(asked("Найти фотографа"), UTC)
    assert [one.ref.key for one in candidates_for(request, world(maker))] == ["foto"]


def test_the_run_that_gives_a_request_its_answer_time_counts_it_among_the_tasks_with_it() -> (
    None
):
    tasks = {task.ref.key: task for task in judge(office(asked())).measures.tasks or ()}
    assert (tasks["page"].due, tasks["page"].assignee) == (
        date(2026, 11, 23),
        Ref("people", "am"),
    )


def test_open_requests_are_measured_for_the_agenda() -> None:
    request = asked(
        "Meet",
        source="concierge",
        request="arrange_meeting",
        due=date(2026, 12, 1),
        assignee=(Ref("people", "pm"),),
    )
    (found,) = measure_requests(office(request), PLAYBOOKS).value or ()
    assert (
        found.kind,
        found.source,
        found.client,
        found.assignee,
        found.asked,
        found.due,
    ) == (
        "arrange_meeting",
        "concierge",
        C1,
        Ref("people", "pm"),
        TODAY,
        date(2026, 12, 1),
    )


def test_a_playbook_for_a_role_nobody_has_is_left_out_and_named(tmp_path: Path) -> None:
    text = (ROOT / "mappings/playbooks.toml").read_text(encoding="utf-8")
    wrong = text.replace(
        'text = { en = "Get in touch', 'text = { en = "Do get in touch'
    ).replace('[requests.lawyer]\nrole = "am"', '[requests.lawyer]\nrole = "notary"')
    (tmp_path / "playbooks.toml").write_text(wrong, encoding="utf-8")
    books = load_playbooks(tmp_path)
    (problem,) = books.problems
    assert (problem.code, problem.field, problem.severity) == (
        "unknown-role",
        "requests.lawyer",
        Severity.ERROR,
    )
    assert "notary" in english(problem.message)
    russian = in_words(problem, load_words("ru", "RUB"))
    assert russian.message == "роли «notary» нет ни у кого, поэтому это не учтено"
    assert russian.hint == "назовите одну из ролей в mappings/workspace/people.toml"
    assert "lawyer" not in books.requests
    outcome = judge(office(asked(), asked(source="finance")), books)
    assert problem in outcome.problems
    assert load_playbooks(tmp_path, roles=frozenset({"notary"})).requests.keys() == {
        "lawyer"
    }
