from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from gateway_rig import Script, VirtualTime, limited, listing, make, page, refusal

from worker.errors import Rejected, Transient
from worker.ports.notion import CROWDED

CAPPED = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
SINCE = datetime(2026, 11, 20, 8, 58, tzinfo=UTC)


def test_a_query_follows_cursors_to_the_end() -> None:
    script = Script(
        listing([page(1), page(2)], "c1"), listing([], "c2"), listing([page(3)])
    )
    batch = make(script).query("source")
    assert [row.id for row in batch.pages] == ["page-1", "page-2", "page-3"]
    assert batch.complete
    assert [body.get("start_cursor") for body in script.bodies()] == [None, "c1", "c2"]


def test_a_recent_read_asks_for_the_edit_time_and_only_the_properties_wanted() -> None:
    script = Script(listing([]))
    make(script).query("source", since=SINCE, properties=["title", "%3FB%3AW"])
    assert script.bodies()[0]["filter"] == {
        "timestamp": "last_edited_time",
        "last_edited_time": {"on_or_after": "2026-11-20T08:58:00.000Z"},
    }
    assert script.requests[0].url.params.get_list("filter_properties") == [
        "title",
        "%3FB%3AW",
    ]


def test_a_query_over_ten_thousand_rows_goes_on_in_windows_of_creation_time() -> None:
    script = Script(
        listing([page(1), page(2)], request_status=CAPPED),
        listing([page(2), page(3)], request_status=CAPPED),
        listing([page(3)]),
    )
    batch = make(script).query("source", since=SINCE)
    assert [row.id for row in batch.pages] == ["page-1", "page-2", "page-3"]
    assert batch.complete
    bounds = [
        body["filter"]["and"][1]["created_time"]["on_or_after"]
        for body in script.bodies()[1:]
    ]
    assert bounds == [page(2)["created_time"], page(3)["created_time"]]


def test_a_window_that_cannot_move_ends_the_read_incomplete() -> None:
    batch = make(Script(listing([page(1)], request_status=CAPPED))).query("source")
    assert not batch.complete
    assert batch.reason == CROWDED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (listing([page(1)], "same"), "a repeated cursor"),
        (
            httpx.Response(200, json={"results": [page(1)], "has_more": True}),
            "more rows announced without a cursor",
        ),
    ],
)
def test_a_broken_walk_ends_incomplete(answer: httpx.Response, reason: str) -> None:
    batch = make(Script(answer)).query("source")
    assert (batch.complete, batch.reason) == (False, reason)


def test_empty_pages_with_fresh_cursors_do_not_loop_for_ever() -> None:
    script = Script(lambda request: listing([], f"c{id(request)}"))
    assert not make(script).query("source").complete
    assert len(script.requests) == 5


def test_a_forgotten_cursor_restarts_the_query_once() -> None:
    forgotten = refusal(
        400, "validation_error", "The start_cursor provided is invalid: c1"
    )
    script = Script(listing([page(1)], "c1"), forgotten, listing([page(1), page(2)]))
    batch = make(script).query("source")
    assert batch.complete
    assert len(batch.pages) == 2
    with pytest.raises(Rejected):
        make(Script(listing([page(1)], "c1"), forgotten, forgotten)).query("source")


def test_finding_a_row_never_takes_half_an_answer_for_none() -> None:
    with pytest.raises(Transient):
        make(Script(listing([page(1)], "same"))).find(
            "source", property_id="abc", text="task:x:y"
        )


def test_long_properties_are_read_to_the_end_with_their_encoded_id() -> None:
    items = [
        {"object": "property_item", "relation": {"id": str(number)}}
        for number in range(3)
    ]
    script = Script(listing(items[:2], "c1"), listing(items[2:]))
    assert list(make(script).property_items("page-1", "%3FB%3AW")) == items
    assert script.requests[1].url.raw_path.startswith(
        b"/v1/pages/page-1/properties/%3FB%3AW?"
    )


def test_a_property_that_is_no_list_is_returned_alone() -> None:
    item = {"object": "property_item", "type": "number", "number": 3}
    assert make(Script(httpx.Response(200, json=item))).property_items(
        "page-1", "abc"
    ) == (item,)


def test_reads_survive_passing_failures() -> None:
    time = VirtualTime()
    script = Script(
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.Response(502, html="<html>"),
        refusal(503, "service_unavailable"),
        limited(7),
        listing([page(1)]),
    )
    gateway = make(script, time=time)
    assert gateway.query("source").complete
    assert gateway.requests() == 6
    assert 7.0 in time.slept


def test_reads_give_up_within_the_runs_deadline() -> None:
    time = VirtualTime()
    with pytest.raises(Transient) as caught:
        make(Script(limited(631)), time=time, seconds=600).me()
    assert caught.value.retry_after == 631
    assert time.slept == []
