"""The events of Notion's side: which follow from which change, their shape, the handshake, how they are gathered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from notion_rig import Rig

from rayline_sandbox.notion.events import TYPES
from tests.support.receiver import Receiver, listening
from tests.support.waiting import wait_for
from worker.http.webhooks import verify_notion

AT_ONCE = {"window": 0, "scale": 0}


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.sandbox.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def act(rig: Rig, action: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = rig.sandbox.control(action, payload)
    return answer


def subscribe(rig: Rig, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """Subscribe, and wait until the handshake is over."""
    made = act(rig, "subscribe", url=receiver.url, **{**AT_ONCE, **more})
    wait_for(lambda: is_verified(rig, made["id"]), "the handshake")
    return made


def is_verified(rig: Rig, identity: str) -> bool:
    listed = act(rig, "subscriptions")["subscriptions"]
    return any(one["id"] == identity and one["verified"] for one in listed)


def settled(rig: Rig, receiver: Receiver) -> list[dict[str, Any]]:
    """Wait until nothing is on its way any more, and return the events that came."""
    wait_for(lambda: act(rig, "deliveries")["waiting"] == 0, "the last delivery")
    return receiver.events("type")


def titled(text: str) -> dict[str, Any]:
    return {"title": [{"text": {"content": text}}]}


def test_a_handshake_comes_first_and_its_token_signs_every_event(
    rig: Rig, receiver: Receiver
) -> None:
    made = subscribe(rig, receiver)
    rig.page("News")
    settled(rig, receiver)
    handshake, *events = receiver.deliveries
    assert handshake.body == {"verification_token": made["verification_token"]}
    assert "x-notion-signature" not in handshake.headers
    assert events
    for event in events:
        signature = event.headers["x-notion-signature"]
        assert verify_notion(event.raw, signature, made["verification_token"])


def test_an_event_has_the_documented_shape_and_no_content(
    rig: Rig, receiver: Receiver
) -> None:
    _, source = rig.database({"Done": {"checkbox": {}}})
    database = rig.sandbox.store.data_sources[source].parent.id
    row = rig.row(source, "One")
    made = subscribe(rig, receiver)
    done = {"Done": {"checkbox": True}}
    rig.ok("PATCH", f"pages/{row['id']}", {"properties": done})
    (event,) = settled(rig, receiver)
    identity = row["properties"]["Done"]["id"]
    assert event.pop("id")
    assert event == {
        "timestamp": "2026-07-04T09:08:30.000Z",
        "workspace_id": rig.sandbox.store.workspace_id,
        "workspace_name": "Sandbox",
        "subscription_id": made["id"],
        "integration_id": rig.sandbox.store.integration_id,
        "authors": [{"id": rig.sandbox.bot_id, "type": "bot"}],
        "attempt_number": 1,
        "api_version": "2026-03-11",
        "type": "page.properties_updated",
        "entity": {"id": row["id"], "type": "page"},
        "data": {
            "parent": {"id": database, "type": "database", "data_source_id": source},
            "updated_properties": [identity],
        },
    }


def test_each_change_is_told_as_its_own_type(rig: Rig, receiver: Receiver) -> None:
    database, source = rig.database({"Points": {"number": {}}})
    row = rig.row(source, "One")["id"]
    page = rig.page("Home", children=[paragraph("first")])["id"]
    block = rig.ok("GET", f"blocks/{page}/children")["results"][0]["id"]
    subscribe(rig, receiver)

    def told(method: str, path: str, body: Any = None) -> set[str]:
        before = len(settled(rig, receiver))
        rig.ok(method, path, body)
        return {one["type"] for one in settled(rig, receiver)[before:]}

    new = {"parent": {"page_id": page}, "properties": titled("New")}
    assert told("POST", "pages", new) == {"page.created", "page.content_updated"}
    of_source = {"parent": {"data_source_id": source}, "properties": {}}
    assert told("POST", "pages", of_source) == {
        "page.created",
        "data_source.content_updated",
    }
    points = {"properties": {"Points": {"number": 3}}}
    assert told("PATCH", f"pages/{row}", points) == {"page.properties_updated"}
    assert told("PATCH", f"pages/{row}", points) == set()
    more = {"children": [paragraph("second")]}
    assert told("PATCH", f"blocks/{page}/children", more) == {"page.content_updated"}
    words = {"paragraph": {"rich_text": [{"text": {"content": "other"}}]}}
    assert told("PATCH", f"blocks/{block}", words) == {"page.content_updated"}
    assert told("DELETE", f"blocks/{block}") == {"page.content_updated"}
    assert told("PATCH", f"pages/{row}", {"in_trash": True}) == {
        "page.deleted",
        "data_source.content_updated",
    }
    assert told("PATCH", f"pages/{row}", {"in_trash": False}) == {
        "page.undeleted",
        "data_source.content_updated",
    }
    assert told("PATCH", f"pages/{row}", {"is_locked": True}) == {"page.locked"}
    assert told("PATCH", f"pages/{row}", {"is_locked": False}) == {"page.unlocked"}
    there = {"parent": {"page_id": page}}
    assert told("POST", f"pages/{row}/move", there) >= {"page.moved"}
    column: dict[str, Any] = {"properties": {"Extra": {"checkbox": {}}}}
    assert told("PATCH", f"data_sources/{source}", column) == {
        "data_source.schema_updated"
    }
    assert told("PATCH", f"databases/{database}", {"in_trash": True}) >= {
        "database.deleted"
    }
    comment = {"parent": {"page_id": page}, "rich_text": titled("Hm")["title"]}
    assert told("POST", "comments", comment) == {"comment.created"}
    made = rig.ok("GET", f"comments?block_id={page}")["results"][0]["id"]
    reworded = {"rich_text": titled("Ah")["title"]}
    assert told("PATCH", f"comments/{made}", reworded) == {"comment.updated"}
    assert told("DELETE", f"comments/{made}") == {"comment.deleted"}


def paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "paragraph": {"rich_text": titled(text)["title"]}}


def test_a_changed_column_is_told_by_its_id_and_what_became_of_it(
    rig: Rig, receiver: Receiver
) -> None:
    _, source = rig.database({"Old": {"number": {}}, "Kept": {"number": {}}})
    subscribe(rig, receiver)
    act(rig, "rename_property", data_source_id=source, property="Kept", name="New")
    act(rig, "delete_property", data_source_id=source, property="Old")
    named = {"data_source_id": source, "name": "More"}
    act(rig, "add_property", **named, config={"checkbox": {}})
    events = settled(rig, receiver)
    updated = [one for event in events for one in event["data"]["updated_properties"]]
    assert [(one["name"], one["action"]) for one in updated] == [
        ("New", "updated"),
        ("Old", "deleted"),
        ("More", "created"),
    ]
    assert {event["authors"][0]["type"] for event in events} == {"person"}


def test_changes_of_one_thing_are_gathered_with_all_their_authors(
    rig: Rig, receiver: Receiver
) -> None:
    _, source = rig.database({"A": {"number": {}}, "B": {"number": {}}})
    row = rig.row(source, "One")["id"]
    subscribe(rig, receiver, window=0.4)
    ann = act(rig, "add_user", name="Ann", email="ann@example.com")["id"]
    rig.ok("PATCH", f"pages/{row}", {"properties": {"A": {"number": 1}}})
    values = {"B": {"number": 2}}
    act(rig, "edit", page_id=row, properties=values, user=ann)
    receiver.wait(1, "type")
    events = settled(rig, receiver)
    authors = {one["id"] for event in events for one in event["authors"]}
    updated = [one for event in events for one in event["data"]["updated_properties"]]
    assert authors == {rig.sandbox.bot_id, ann}
    assert len(updated) == 2


def test_what_is_made_and_deleted_while_events_are_gathered_is_not_told(
    rig: Rig, receiver: Receiver
) -> None:
    subscribe(rig, receiver, window=3_600, types=["page.created", "page.deleted"])
    kept, gone = rig.page("Kept")["id"], rig.page("Gone")["id"]
    rig.ok("PATCH", f"pages/{gone}", {"in_trash": True})
    lanes = rig.sandbox.events.lanes.by_id.values()
    (lane,) = lanes
    assert lane.pending() == ["page.created"]
    rig.ok("PATCH", f"pages/{kept}", {"in_trash": True})
    assert lane.pending() == []


def test_only_the_types_asked_for_and_only_what_is_shared_are_told(
    rig: Rig, receiver: Receiver
) -> None:
    hidden = rig.page("Hidden")["id"]
    seen = rig.page("Seen")["id"]
    act(rig, "unshare", id=hidden)
    subscribe(rig, receiver, types=["page.properties_updated"])
    for page in (hidden, seen):
        act(rig, "edit", page_id=page, properties=titled("Other"))
    act(rig, "trash", id=seen)
    (event,) = settled(rig, receiver)
    assert (event["type"], event["entity"]["id"]) == ("page.properties_updated", seen)


def test_nothing_is_told_before_the_token_was_given_back(
    rig: Rig, receiver: Receiver
) -> None:
    made = act(rig, "subscribe", url=receiver.url, verify=False, **AT_ONCE)
    receiver.wait(1, "verification_token")
    rig.page("Too early")
    with pytest.raises(ValueError, match="not the token"):
        act(rig, "verify", id=made["id"], token="another")
    act(rig, "resend", id=made["id"])
    receiver.wait(2, "verification_token")
    token = receiver.deliveries[0].body["verification_token"]
    act(rig, "verify", id=made["id"], token=token)
    page = rig.page("In time")["id"]
    events = settled(rig, receiver)
    assert {
        event["entity"]["id"] for event in events if event["type"] == "page.created"
    } == {page}


def test_an_event_that_is_not_taken_comes_again_eight_times_at_most_under_its_id(
    rig: Rig,
) -> None:
    with listening(lambda number: 200 if number == 1 else 404) as deaf:
        subscribe(rig, deaf, types=["page.created"])
        rig.page("Unheard")
        events = settled(rig, deaf)
    assert [event["attempt_number"] for event in events] == list(range(1, 9))
    assert len({event["id"] for event in events}) == 1
    entries = act(rig, "deliveries")["entries"]
    assert [one["status"] for one in entries] == [200, *[404] * 8]


def test_who_unsubscribed_and_who_named_no_type_of_ours_is_told_nothing(
    rig: Rig, receiver: Receiver
) -> None:
    made = subscribe(rig, receiver)
    act(rig, "unsubscribe", id=made["id"])
    rig.page("Unheard")
    assert settled(rig, receiver) == []
    assert rig.sandbox.events.watch is None
    with pytest.raises(ValueError, match=r"page\.sung"):
        act(rig, "subscribe", url=receiver.url, types=["page.sung"])
    for action in ("unsubscribe", "verify", "resend"):
        with pytest.raises(ValueError, match="no subscription"):
            act(rig, action, id="nobody", token="x")


def test_a_write_that_was_refused_or_lost_on_the_way_tells_what_was_done(
    rig: Rig, receiver: Receiver
) -> None:
    _, source = rig.database({"Points": {"number": {}}})
    row = rig.row(source, "One")["id"]
    subscribe(rig, receiver)
    path = f"pages/{row}"
    rig.refused("PATCH", path, {"properties": {"Points": {"number": "three"}}})
    assert settled(rig, receiver) == []
    rule = {"match": {"method": "PATCH"}, "kind": "503_committed"}
    act(rig, "faults", rules=[rule])
    rig.refused("PATCH", path, {"properties": {"Points": {"number": 3}}})
    (event,) = settled(rig, receiver)
    assert event["type"] == "page.properties_updated"


def test_all_documented_types_but_those_of_what_is_not_here_are_known() -> None:
    assert {name.partition(".")[0] for name in TYPES} == {
        "page",
        "data_source",
        "database",
        "comment",
    }
