"""What looks on in a simulated world sees each broken promise; a failing life is shrunk to the steps that matter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rayline_sandbox.wire import Request
from tests.soak.findings import Findings, Kept
from tests.soak.ground import REQUESTS
from tests.soak.seeds import find_differences, grown_ground
from tests.soak.shrink import shrink
from tests.soak.situations import SITUATIONS
from tests.soak.steps import DEEDS, draw_comparable, draw_steps
from tests.soak.world import World
from worker.mapping.schema import KEY_PROPERTY

ROGUE = "rogue"
"""A process that keeps no promise."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    standing = World(grown_ground(), tmp_path)
    yield standing
    standing.close()


def _send(
    world: World, method: str, path: str, body: dict[str, Any], *, in_gap: bool = False
) -> None:
    headers = {
        "authorization": f"Bearer {world.notion.token}",
        "notion-version": "2026-03-11",
    }
    request = Request(method, path, (), headers, json.dumps(body).encode())
    world.witness.serve_notion(ROGUE, request, in_gap=in_gap)


def _row(world: World, source: str) -> str:
    """Return a living row of the worker's."""
    rows = world.notion.store.data_sources[
        world.ground.bindings[source].data_source_id
    ].rows
    return next(
        page_id
        for page_id in rows
        if world.notion.store.pages[page_id].created_by == world.notion.bot_id
    )


def _cell(world: World, source: str, field: str) -> str:
    return world.ground.bindings[source].properties[field]


def _kinds(world: World) -> set[str]:
    return {violation.split()[0] for violation in world.story.violations}


def _type_title(world: World, page: str, text: str) -> None:
    cell = {"title": {"title": [{"text": {"content": text}}]}}
    payload = {"page_id": page, "properties": cell}
    world.witness.person("edit", payload, world.ground.person)


def test_a_value_of_a_person_that_is_overwritten_is_seen(world: World) -> None:
    page = _row(world, "tasks")
    _type_title(world, page, "mine")
    cell = {"title": {"title": [{"text": {"content": "ours"}}]}}
    _send(world, "PATCH", f"/v1/pages/{page}", {"properties": cell})
    assert "I2" in _kinds(world)


def test_a_row_that_a_person_wrote_into_is_seen_when_it_goes(world: World) -> None:
    page = _row(world, "tasks")
    _type_title(world, page, "mine")
    _send(world, "PATCH", f"/v1/pages/{page}", {"in_trash": True})
    assert _kinds(world) == {"I3"}


def test_a_persons_block_that_is_deleted_is_seen(world: World) -> None:
    page = _row(world, "tasks")
    paragraph = {"paragraph": {"rich_text": [{"text": {"content": "mine"}}]}}
    payload = {"block_id": page, "children": [{"type": "paragraph", **paragraph}]}
    world.witness.person("append", payload, world.ground.person)
    block = world.notion.store.body_of(page)[-1]
    _send(world, "DELETE", f"/v1/blocks/{block}", {})
    assert _kinds(world) == {"I3"}


def test_a_second_row_of_a_key_and_one_without_an_intent_are_seen(world: World) -> None:
    page = world.notion.store.pages[_row(world, "tasks")]
    key_id = _cell(world, "tasks", KEY_PROPERTY)
    key = page.values[world.witness.property_id("tasks", KEY_PROPERTY)]
    text = "".join(part["plain_text"] for part in key)
    cell = {"rich_text": [{"text": {"content": text}}]}
    _send(
        world,
        "POST",
        "/v1/pages",
        {"parent": {"data_source_id": page.parent.id}, "properties": {key_id: cell}},
    )
    world.witness.check_keys()
    assert _kinds(world) == {"I1", "I8"}


def test_a_request_before_a_retry_after_has_passed_is_seen(world: World) -> None:
    rule = {"kind": "429", "retry_after": 60}
    world.notion.control("faults", {"rules": [rule]})
    for _ in range(2):
        _send(world, "GET", "/v1/users/me", {})
    assert _kinds(world) == {"I6"}


def test_a_request_after_a_retry_after_has_passed_is_fine(world: World) -> None:
    rule = {"kind": "429", "retry_after": 60}
    world.notion.control("faults", {"rules": [rule]})
    _send(world, "GET", "/v1/users/me", {})
    world.clock.advance(timedelta(seconds=60))
    _send(world, "GET", "/v1/users/me", {})
    assert _kinds(world) == set()


@pytest.mark.parametrize(("in_gap", "seen"), [(False, {"I6"}), (True, set())])
def test_a_request_beyond_the_budget_is_seen_unless_its_process_was_paused_with_its_turn(
    world: World, in_gap: bool, seen: set[str]
) -> None:
    for _ in range(REQUESTS):
        _send(world, "GET", "/v1/users/me", {}, in_gap=in_gap)
    assert _kinds(world) == set()
    _send(world, "GET", "/v1/users/me", {}, in_gap=in_gap)
    assert world.notion.log[-1].outcome == "limited"
    assert _kinds(world) == seen


@pytest.mark.parametrize("needed", [(3,), (0, 9), (2, 3, 17), ()])
def test_a_failing_life_is_shrunk_to_the_steps_that_matter(
    needed: tuple[int, ...],
) -> None:
    def fails(left: Sequence[int]) -> bool:
        return set(needed) <= set(left)

    assert shrink(range(20), fails) == list(needed)


def test_the_same_seed_draws_the_same_steps_and_every_kind_is_drawn() -> None:
    assert draw_steps(11, 4) == draw_steps(11, 4)
    drawn = {
        step.kind
        for seed in range(200)
        for step in (*draw_steps(seed, 4), *draw_comparable(seed, 1))
    }
    assert drawn == DEEDS.keys()


def test_the_documentation_names_every_situation() -> None:
    text = (Path(__file__).parents[2] / "docs/reliability.md").read_text("utf-8")
    assert [one.name for one in SITUATIONS if one.name not in text] == []


def _duplicate_with_note(world: World) -> tuple[str, str]:
    """Copy a page that holds a section and a person's line; return the copies of a block of each."""
    store, bot = world.notion.store, world.notion.bot_id
    page = next(
        one
        for one in store.data_sources[
            world.ground.bindings["clients"].data_source_id
        ].rows
        if store.body_of(one)
    )
    line = {"paragraph": {"rich_text": [{"text": {"content": "mine"}}]}}
    note = {"block_id": page, "children": [{"type": "paragraph", **line}]}
    world.witness.person("append", note, world.ground.person)
    ours = [store.blocks[one].created_by == bot for one in store.body_of(page)]
    standing = set(store.pages)
    world.witness.person("duplicate", {"page_id": page}, world.ground.person)
    (copy,) = store.pages.keys() - standing
    blocks = store.body_of(copy)
    return blocks[ours.index(True)], blocks[ours.index(False)]


def test_a_section_that_was_copied_with_its_page_is_ours_and_a_copied_line_is_not(
    world: World,
) -> None:
    section, line = _duplicate_with_note(world)
    _send(world, "DELETE", f"/v1/blocks/{section}", {})
    assert _kinds(world) == set()
    _send(world, "DELETE", f"/v1/blocks/{line}", {})
    assert _kinds(world) == {"I3"}


def test_memory_of_an_empty_cell_is_no_difference_and_of_a_value_is_one() -> None:
    empty, value = {"state bases p unit": "null"}, {"state bases p unit": '"x"'}
    assert find_differences(empty, {}) == []
    assert len(find_differences(value, {})) == 1
    assert len(find_differences(empty, value)) == 1


def test_a_soak_that_was_interrupted_goes_on_with_what_was_found(
    tmp_path: Path,
) -> None:
    file = tmp_path / "soak.jsonl"
    first, second = range(10), range(10, 15)
    fault = {12: ["I1 a row stands twice"]}
    Kept(file).add(first, Findings(10, Counter(requests=7), {}, Counter({"a": 2})))
    Kept(file).add(second, Findings(5, Counter(requests=1), fault, Counter({"a": 1})))
    again = Kept(file)
    assert again.groups.keys() == {first, second}
    whole = Findings(15, Counter(requests=8), fault, Counter({"a": 3}))
    assert again.findings() == whole


def test_what_was_found_on_other_code_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "soak.jsonl"
    file.write_text("another digest\n", "utf-8")
    with pytest.raises(ValueError, match="other code"):
        Kept(file)
