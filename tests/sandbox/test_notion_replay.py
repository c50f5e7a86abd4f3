"""Recorded exchanges with the real Notion, replayed into the emulator: the share of answers with the same values."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from replay import (
    Cassette,
    IdMap,
    Outcome,
    difference,
    load_cassettes,
    replay,
    shape_of,
)
from replay_seed import seed
from replay_values import differing, name_people, set_the_rest

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, from_parts

RECORDINGS = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "notion"
FLOOR = 0.99
VERSION = "2026-03-11"
FIRST = "393abc1e-edcd-80f3-813b-e205934558c6"
SECOND = "00000000-0000-4000-8000-000000000009"


def form(body: dict[str, Any]) -> bytes:
    """Return a multipart form with a small file."""
    return (
        f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{body["filename"]}"\r\n'
        f"Content-Type: {body['content_type']}\r\n\r\ncontent\r\n--edge--\r\n"
    ).encode()


def play(cassette: Cassette) -> list[Outcome]:
    """Replay one cassette into a fresh workspace that holds what the cassette presupposes."""
    sandbox = NotionSandbox(Clock(datetime(2026, 7, 4, 9, 8, tzinfo=UTC)), limit=None)
    ids = IdMap()

    def api(method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {
            "authorization": f"Bearer {sandbox.token}",
            "notion-version": VERSION,
        }
        raw = json.dumps(body).encode() if body is not None else b""
        if method == "SEND" and body is not None:
            raw, headers["content-type"] = (
                form(body),
                "multipart/form-data; boundary=edge",
            )
        response = sandbox.handle(
            from_parts("POST" if method == "SEND" else method, path, headers, raw)
        )
        value: dict[str, Any] = json.loads(response.body)
        return value if response.status == 200 else {}

    def control(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        return sandbox.control(action, payload)

    name_people(sandbox, cassette, ids)
    seed(cassette, api, control, ids, root=sandbox.root_page_id)
    set_the_rest(sandbox, cassette, ids)
    return list(replay(cassette, sandbox.handle, sandbox.token, ids, compare=differing))


def table(outcomes: list[Outcome]) -> list[str]:
    """Return the lines of the report: the share, then every kind of miss with its count."""
    missed = [one for one in outcomes if one.reason]
    share = 100 * (len(outcomes) - len(missed)) / len(outcomes)
    rows = Counter((one.exchange.title(), one.reason, one.cassette) for one in missed)
    head = f"notion replay: {len(outcomes) - len(missed)} of {len(outcomes)} exchanges same values ({share:.1f} %)"
    return [
        head,
        *(
            f"  {count} x {title} [{name}]: {reason[:300]}"
            for (title, reason, name), count in rows.items()
        ),
    ]


@pytest.mark.shared
def test_recorded_requests_get_answers_of_the_recorded_values(
    capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config
) -> None:
    if not RECORDINGS.exists():
        pytest.skip("../shared/recordings is not there")
    outcomes = [
        one for cassette in load_cassettes(RECORDINGS) for one in play(cassette)
    ]
    lines = table(outcomes)
    with capsys.disabled():
        print(  # noqa: T201
            *([""] + (lines if pytestconfig.get_verbosity() > 0 else lines[:1])),
            sep="\n",
        )
    matched = sum(not one.reason for one in outcomes)
    assert len(outcomes) >= 392
    assert matched / len(outcomes) >= FLOOR, "\n".join(lines)


@pytest.mark.parametrize(
    ("recorded", "actual", "path"),
    [
        ({"a": 1}, {"a": 2.5}, ""),
        ({"a": 1}, {"a": "1"}, ".a"),
        ({"a": 1}, {}, "."),
        ({}, {"a": 1}, "."),
        ({"object": "page"}, {"object": "block"}, ".object"),
        ({"a": None}, {"a": {}}, ".a"),
        ({"a": []}, {"a": [1]}, ""),
        ({"results": []}, {"results": [1]}, ".results"),
        ({"a": [{"type": "x", "n": 1}]}, {"a": [{"type": "y"}]}, ".a[]"),
        ({"a": [{"n": 1}, {"n": None}]}, {"a": [{"n": None}, {"n": 2}]}, ""),
    ],
)
def test_shapes_part_where_structure_does(
    recorded: dict[str, Any], actual: dict[str, Any], path: str
) -> None:
    found = difference(shape_of(recorded), shape_of(actual))
    assert found.partition(":")[0] == path


@pytest.mark.parametrize(
    ("recorded", "actual", "path"),
    [
        ({"a": [1, 2]}, {"a": [2, 1]}, ".a[0]"),
        ({"a": [1, 2]}, {"a": [1]}, ".a"),
        ({"a": "x"}, {"a": "y"}, ".a"),
        ({"a": True}, {"a": 1}, ".a"),
        ({"a": None}, {"a": ""}, ".a"),
        ({"a": 1}, {}, ".a"),
        ({"id": FIRST}, {"id": SECOND}, ""),
        ({"id": FIRST}, {"id": FIRST}, ".id"),
        ({"a": f"/{FIRST}"}, {"a": f"/{SECOND}"}, ""),
        ({"id": "a%3Ab"}, {"id": "title"}, ".id"),
        ({"at": "2026-07-01T10:00:00Z"}, {"at": "2026-08-01T11:00:00.000Z"}, ""),
        ({"at": "2026-07-01"}, {"at": "2026-07-02"}, ".at"),
        ({"request_id": "a"}, {"request_id": "b"}, ""),
    ],
    ids=str,
)
def test_values_part_where_they_differ_and_ids_where_they_are_not_the_mapped_ones(
    recorded: dict[str, Any], actual: dict[str, Any], path: str
) -> None:
    ids = IdMap()
    ids.pair(FIRST, SECOND)
    found = next(differing(recorded, actual, ids), "")
    assert found.partition(":")[0] == path


def test_ids_are_learnt_from_the_places_they_stand_in() -> None:
    ids = IdMap()
    ids.learn(
        {"id": "393abc1e-edcd-80f3-813b-e205934558c6", "next_cursor": "s:1"},
        {"id": "00000000-0000-4000-8000-000000000009", "next_cursor": "opaque"},
    )
    assert (
        ids.translate("/v1/pages/393abc1eedcd80f3813be205934558c6")
        == "/v1/pages/00000000000040008000000000000009"
    )
    assert ids.segment("s:1") == "opaque"
