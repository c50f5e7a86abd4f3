"""What parts of the method cannot speak without: taken away from the sample agency, nobody gets what the part gives."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.agency import first_morning
from tests.support.english import english
from worker.config import QuarterTargets
from worker.cycle.silence import EMPTY, PARTS, Ground, find_silent_parts
from worker.domain.messages import render
from worker.locales import load_words
from worker.mapping.load import load_schema, shipped_folder
from worker.mapping.overlay import PartTable, apply_overlay
from worker.mapping.playbooks import Playbooks, load_playbooks
from worker.method import evaluate
from worker.world.world import World

SCHEMA = load_schema()
PLAYBOOKS = load_playbooks(shipped_folder())
RUSSIAN = load_words("ru", "RUB")
ENTITIES = {"projects": "cards", "backlog": "ideas"}
"""Where the typed rows of a board stand, if not under its name."""
ATTRIBUTES = {
    "people.jira_account": ("jira",),
    "people.rate": ("rate", "rates"),
    "projects.budget": ("budget", "budgets"),
    "goals.target": ("target",),
}
"""What of a typed row a column fills, if not what is called as it."""


def ground_of(world: World, **changes: Any) -> Ground:
    bindings = {
        name: binding
        for name, binding in first_morning("en").bindings.items()
        if name in world.sources
    }
    return replace(Ground(world, SCHEMA, bindings), **changes)


@cache
def agency() -> World:
    world = first_morning("en").world
    # Whether there is a date matters here, not which.
    quick = world.thresholds.model_copy(update={"forecast_draws": 100})
    return replace(world, thresholds=quick)


def without(world: World, need: str) -> World:
    """Return the world in which nobody gives one need."""
    source, _, field = need.partition(".")
    if source == "jira":
        return _without_jira(world, field)
    if need == "targets.policy":
        return replace(world, targets=QuarterTargets(policy="none"))
    if need == "thresholds.default_rate":
        return world
    if not field:
        return replace(
            world,
            sources=world.sources - {source},
            rows={**world.rows, source: ()},
            **_no_entities(world, source),
        )
    rows = tuple(
        replace(row, fields={**row.fields, field: None})
        for row in world.rows.get(source, ())
    )
    blank = {**world.rows, source: rows}
    emptied = replace(world, rows=blank, **_blank_entities(world, source, field))
    # Without links nothing of Jira is on cards.
    is_link = need == "projects.jira"
    return _without_jira(emptied, "issues") if is_link else emptied


def _no_entities(world: World, source: str) -> Mapping[str, Any]:
    name = ENTITIES.get(source, source)
    standing = getattr(world, name, None)
    return {} if standing is None else {name: type(standing)()}


def _blank_entities(world: World, source: str, field: str) -> Mapping[str, Any]:
    name = ENTITIES.get(source, source)
    standing = getattr(world, name)
    if not isinstance(standing, Mapping):
        return {name: ()}
    names = ATTRIBUTES.get(f"{source}.{field}", (field,))
    return {name: {ref: _blank(entity, names) for ref, entity in standing.items()}}


def _blank(entity: Any, names: tuple[str, ...]) -> Any:
    empty = {
        name: () if isinstance(getattr(entity, name), tuple) else None for name in names
    }
    return replace(entity, **empty)


def _without_jira(world: World, what: str) -> World:
    match what:
        case "worklogs":
            works = {
                ref: replace(work, worklogs=()) for ref, work in world.work.items()
            }
            return replace(world, worklogs=(), work=works)
        case "issues":
            return replace(world, work={}, issues={})
        case "history":
            changes = {"category": "new", "resolved": None, "moves": ()}
        case "spent":
            changes = {"spent": None}
        case "estimates":
            changes = {"estimate": None, "remaining": None}
        case _:
            changes = {what: None}
    issues = {id_: replace(one, **changes) for id_, one in world.issues.items()}
    works = {
        ref: replace(work, issues=tuple(issues[one.id] for one in work.issues))
        for ref, work in world.work.items()
    }
    return replace(world, issues=issues, work=works)


@cache
def lacking(need: str) -> World:
    """Return the agency in which nobody gives a need, nor what stands in for it."""
    world = agency()
    for one in need.split("|"):
        world = without(world, one)
    return world


@cache
def given(need: str = "") -> frozenset[str]:
    """Return what people get: columns with a value, and signals of conditions that hold."""
    outcome = evaluate(lacking(need) if need else agency(), PLAYBOOKS)
    assert not outcome.measures.failed
    columns = {
        f"{fact.ref.source}.{fact.field}"
        for fact in outcome.facts
        if fact.value not in EMPTY
    }
    conditions = outcome.measures.conditions
    return frozenset(columns) | {one.signal for one in conditions if one.holds}


CASES = [
    pytest.param(part, need, id=f"{part.name}: {need}")
    for part in PARTS
    for need in part.needs
]


@pytest.mark.parametrize(("part", "need"), CASES)
def test_nobody_gets_what_a_part_gives_while_a_need_of_it_is_missing(
    part: Any, need: str
) -> None:
    assert not set(part.gives) & given(need)
    ground = ground_of(lacking(need))
    told = [english(one.message) for one in find_silent_parts(ground, PLAYBOOKS)]
    assert any(part.name in sentence for sentence in told)


def test_the_sample_agency_lacks_what_it_does_not_fill_in_and_nothing_else() -> None:
    problems = find_silent_parts(ground_of(agency()), PLAYBOOKS)
    assert [english(one.where) for one in problems] == [
        "Clients: Hours a month",
        "Costs",
    ]
    spoken = {
        name
        for part in PARTS
        for name in part.gives
        if name.split(".")[0] in SCHEMA.sources
    }
    pages = {"meetings.name"}
    unheard = {"clients.hours_used", "margins.margin", "terms.value"}
    assert spoken - given() == unheard | pages


def sentences(ground: Ground, playbooks: Playbooks = PLAYBOOKS) -> list[str]:
    return [
        f"{english(one.where)}: {english(one.message)}. {english(one.hint)}"
        for one in find_silent_parts(ground, playbooks)
    ]


def test_a_column_that_is_left_out_is_named_with_the_line_to_change() -> None:
    part = PartTable(without=("contract_end", "ray_gap"))
    schema, _ = apply_overlay(SCHEMA, {"clients": part}, Path("overlay.toml"))
    told = sentences(ground_of(agency(), schema=schema))
    assert (
        "Clients: Contract end: the column is left out by overlay.toml; so nothing is told of: contracts that end. "
        "take “contract_end” out of the line `without` of [clients], then `rayline init` makes the column"
    ) in told
    # The rule could speak, and has no column to write into.
    assert any(
        sentence.startswith("Clients: ⚙ Gap before next work, weeks: ")
        and sentence.partition(". ")[0].endswith(
            "nothing is told of: gap before next work"
        )
        for sentence in told
    )


def test_a_private_board_is_made_where_few_people_see_it() -> None:
    world = lacking("bonuses")
    told = sentences(ground_of(world))
    assert (
        "Bonuses: there is no such board; so nothing is told of: bonus fund. `rayline init` makes it"
    ) in told
    told = sentences(ground_of(world, has_private_page=False))
    assert (
        "notion.private_root_page_id: there is no private root page; so nothing is told of: bonus fund. "
        "set it to a page that few people see, then `rayline init` makes the boards"
    ) in told


def test_each_part_is_named_once_with_the_next_step() -> None:
    world = replace(lacking("projects.jira"), people={}, worklogs=())
    rows = {**world.rows, "people": (), "documents": ()}
    told = sentences(ground_of(replace(world, rows=rows)))
    for part in PARTS:
        naming = [
            one for one in told if f": {part.name}" in one or f", {part.name}" in one
        ]
        assert len(naming) <= 1
    assert "People: the board has no rows; so nothing is told of: " in "".join(told)


def test_a_column_nobody_made_is_not_taken_for_an_empty_one() -> None:
    ground = ground_of(agency())
    clients = ground.bindings["clients"]
    columns = {
        key: id_ for key, id_ in clients.properties.items() if key != "contract_end"
    }
    bindings = {**ground.bindings, "clients": replace(clients, properties=columns)}
    told = sentences(replace(ground, bindings=bindings))
    assert any(
        one.startswith("Clients: Contract end: there is no such column") for one in told
    )


def test_a_factor_without_weight_and_a_playbook_without_section_are_named() -> None:
    world = agency()
    weights = {**world.thresholds.health_weights, "ray": Decimal(0)}
    thresholds = world.thresholds.model_copy(update={"health_weights": weights})
    told = sentences(ground_of(replace(world, thresholds=thresholds)))
    assert (
        "thresholds.health_weights.ray: the factor “ray” does not count in the health of clients. "
        "give it a weight above zero in the configuration"
    ) in told

    tasks = {key: one for key, one in PLAYBOOKS.tasks.items() if key != "ray_break"}
    told = sentences(ground_of(world), replace(PLAYBOOKS, tasks=tasks))
    assert told[-1].startswith(
        "playbooks.toml: no tasks are made by playbooks that are not in it: ray_break"
    )


def test_before_there_is_a_client_nothing_is_missed() -> None:
    assert sentences(ground_of(lacking("clients"))) == []


def test_every_lack_is_told_in_russian() -> None:
    told = find_silent_parts(ground_of(lacking("jira.issues")), PLAYBOOKS)
    russian = [render(one.message, RUSSIAN) for one in told]
    assert any("прогресс проектов" in sentence for sentence in russian)
