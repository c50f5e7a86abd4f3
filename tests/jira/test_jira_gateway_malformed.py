"""Every endpoint and every shape an answer must not have: no answer is never a whole one, one bad record is itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from jira_gateway_rig import FIELDS, Script, found, issue, make

from rayline_sandbox.wire import Response, json_response
from tests.support.english import english
from worker.errors import Transient
from worker.jira.gateway import JiraGateway

NOW = 1_795_000_000_000
STATUS = {"id": "3", "name": "Doing", "statusCategory": {"key": "indeterminate"}}
DONE = {"id": "5", "name": "Done", "statusCategory": {"key": "done"}}
LOG = {
    "id": "7",
    "issueId": "10001",
    "author": {"accountId": "ann"},
    "timeSpentSeconds": 3600,
    "started": "2026-11-19T20:00:00.000-0500",
}
MARKS = {"values": [{"worklogId": 7}], "until": 10, "lastPage": True}
CHANGE = {
    "created": "2026-11-19T10:00:00.000+0000",
    "items": [{"field": "status", "fieldId": "status", "from": "3", "to": "5"}],
}
HISTORY = {"issueId": "10001", "changeHistories": [CHANGE]}
SERVER_HISTORY = {"id": "10001", "changelog": {"total": 1, "histories": [CHANGE]}}
PROJECT = {"id": "1", "key": "ACME", "name": "Acme"}
COMMON: dict[str, Any] = {
    "GET field": FIELDS,
    "GET status": [STATUS, DONE],
    "GET worklog/updated": MARKS,
    "GET worklog/deleted": {"values": [], "until": 5, "lastPage": True},
    "POST worklog/list": [LOG],
    "GET myself": {"accountId": "ann", "name": "ann", "timeZone": "UTC"},
    "GET serverInfo": {"serverTime": "2026-11-20T10:00:00.000+0000"},
    "GET filter/5": {"jql": "project = ACME"},
    "GET issue/ACME-9": issue(1),
}
CLOUD: dict[str, Any] = COMMON | {
    "GET project/search": {"values": [PROJECT], "isLast": True},
    "POST search/jql": {"issues": [issue(1)], "isLast": True},
    "POST jql/parse": {"queries": [{"query": "project = ACME"}]},
    "POST issue/bulkfetch": {"issues": [issue(1)]},
    "POST changelog/bulkfetch": {"issueChangeLogs": [HISTORY]},
}
SERVER: dict[str, Any] = COMMON | {
    "GET project": [PROJECT],
    "GET search": {"issues": [issue(1)], "total": 1},
}
SERVER_MOVES: dict[str, Any] = SERVER | {
    "GET search": {"issues": [SERVER_HISTORY], "total": 1}
}


@dataclass(frozen=True)
class Read:
    """A read of the gateway: where it asks, what a sound site answers, what the read gives."""

    endpoint: str
    answers: dict[str, Any]
    ask: Callable[[JiraGateway], Any]
    whole: Any
    records: str = ""
    """The list of records in the answer; `.` when it is the answer itself."""

    def gateway(self, answer: Response) -> JiraGateway:
        """Return a gateway to a site sound but for one endpoint."""
        script = {
            name: json_response(200, value) for name, value in self.answers.items()
        }
        return make(
            Script({**script, self.endpoint: answer}), cloud="GET project" not in script
        )


def keys(gateway: JiraGateway) -> list[str]:
    batch = gateway.issues("project = ACME")
    assert batch.complete
    return [each.key for each in batch.issues]


def moved(gateway: JiraGateway) -> list[str]:
    moves = gateway.moves(["10001"]).moves.get("10001", ())
    return sorted({move.after for move in moves})


def logged(gateway: JiraGateway) -> list[str]:
    batch = gateway.worklogs(5, now=NOW)
    assert batch.complete
    return sorted({each.id for each in batch.changed})


def matched(gateway: JiraGateway) -> list[str]:
    census = gateway.ids("project = ACME")
    assert census.complete
    return sorted(census.ids)


def named(gateway: JiraGateway) -> list[str]:
    return sorted({each.key for each in gateway.projects().projects})


def by_key(gateway: JiraGateway) -> list[str]:
    return sorted(gateway.by_keys(["ACME-1"]))


READS = {
    "search of Cloud": Read("POST search/jql", CLOUD, keys, ["ACME-1"], "issues"),
    "search of Data Center": Read("GET search", SERVER, keys, ["ACME-1"], "issues"),
    "census of Cloud": Read("POST search/jql", CLOUD, matched, ["10001"]),
    "census of Data Center": Read("GET search", SERVER, matched, ["10001"]),
    "fields": Read("GET field", CLOUD, keys, ["ACME-1"], "."),
    "statuses": Read("GET status", CLOUD, moved, ["done"], "."),
    "projects of Cloud": Read("GET project/search", CLOUD, named, ["ACME"], "values"),
    "projects of Data Center": Read("GET project", SERVER, named, ["ACME"], "."),
    "histories of Cloud": Read(
        "POST changelog/bulkfetch", CLOUD, moved, ["done"], "issueChangeLogs"
    ),
    "histories of Data Center": Read(
        "GET search", SERVER_MOVES, moved, ["done"], "issues"
    ),
    "keys of Cloud": Read("POST issue/bulkfetch", CLOUD, by_key, ["ACME-1"], "issues"),
    "keys of Data Center": Read("GET search", SERVER, by_key, ["ACME-1"], "issues"),
    "an old key": Read(
        "GET issue/ACME-9",
        SERVER,
        lambda one: sorted(one.by_keys(["ACME-9"])),
        ["ACME-9"],
    ),
    "worklogs changed": Read("GET worklog/updated", CLOUD, logged, ["7"], "values"),
    "worklogs deleted": Read("GET worklog/deleted", CLOUD, logged, ["7"], "values"),
    "worklogs": Read("POST worklog/list", CLOUD, logged, ["7"], "."),
    "validation": Read(
        "POST jql/parse", CLOUD, lambda one: dict(one.validate(["project = ACME"])), {}
    ),
    "a try": Read(
        "GET search", SERVER, lambda one: dict(one.validate(["project = ACME"])), {}
    ),
    "a filter": Read(
        "GET filter/5", CLOUD, lambda one: one.filter_jql("5"), "project = ACME"
    ),
    "the account": Read(
        "GET myself", CLOUD, lambda one: one.server_info().account, "ann"
    ),
    "the server": Read(
        "GET serverInfo", CLOUD, lambda one: one.server_info().account, "ann"
    ),
}
LISTS = frozenset({"GET field", "GET status", "GET project", "POST worklog/list"})
BODIES = {
    "an object": b"{}",
    "null": b"null",
    "a list": b"[]",
    "text": b'"nothing to see"',
    "a number": b"42",
    "truth": b"true",
    "nothing": b"",
    "a depth no machine follows": b"[" * 200_000,
}


def spoilt(read: Read, body: bytes) -> Response:
    return Response(200, {"content-type": "application/json"}, body)


def cases() -> list[tuple[str, str]]:
    return [
        (name, body)
        for name, read in READS.items()
        for body in BODIES
        if not (body == "a list" and read.endpoint in LISTS)
    ]


@pytest.mark.parametrize("name", READS)
def test_a_sound_site_is_read_whole(name: str) -> None:
    read = READS[name]
    answer = json_response(200, read.answers[read.endpoint])
    assert read.ask(read.gateway(answer)) == read.whole


@pytest.mark.parametrize(("name", "body"), cases())
def test_what_is_no_answer_is_asked_for_again_and_never_taken_for_the_whole(
    name: str, body: str
) -> None:
    read = READS[name]
    gateway = read.gateway(spoilt(read, BODIES[body]))
    with pytest.raises(Transient) as caught:
        read.ask(gateway)
    assert "JSON" in caught.value.detail
    assert caught.value.request == read.endpoint


@pytest.mark.parametrize(("name", "body"), cases())
def test_one_answer_that_is_none_is_forgotten_once_a_sound_one_comes(
    name: str, body: str
) -> None:
    read = READS[name]
    sound = json_response(200, read.answers[read.endpoint])
    script = {
        endpoint: json_response(200, value) for endpoint, value in read.answers.items()
    }
    gateway = make(
        Script({**script, read.endpoint: [spoilt(read, BODIES[body]), sound]}),
        cloud="GET project" not in script,
    )
    assert read.ask(gateway) == read.whole


NO_RECORDS: tuple[Any, ...] = (
    None,
    42,
    "text",
    [],
    {},
    True,
    {"id": None},
    {"id": {"a": 1}},
)
WITH_RECORDS = [name for name, read in READS.items() if read.records]


@pytest.mark.parametrize("value", [None, {}, "text", 7])
@pytest.mark.parametrize("name", WITH_RECORDS)
def test_a_list_of_another_type_is_no_answer(name: str, value: Any) -> None:
    read = READS[name]
    answer = (
        value
        if read.records == "."
        else read.answers[read.endpoint] | {read.records: value}
    )
    with pytest.raises(Transient):
        read.ask(read.gateway(json_response(200, answer)))


def complaints(name: str, gateway: JiraGateway) -> list[str]:
    """Return what a read says of the records it set aside."""
    match name.split()[0]:
        case "search" | "fields":
            return [each.code for each in gateway.issues("project = ACME").problems]
        case "projects":
            return [each.kind for each in gateway.projects().unread]
        case "histories" | "statuses":
            return [each.kind for each in gateway.moves(["10001"]).unread]
        case _:
            return [each.kind for each in gateway.worklogs(5, now=NOW).unread]


TOLD = [name for name in WITH_RECORDS if not name.startswith("keys")]


def with_record(read: Read, raw: bytes) -> Response:
    """Return the sound answer with one more record before the others."""
    answer = read.answers[read.endpoint]
    listed = answer if read.records == "." else answer[read.records]
    body = b"[" + b",".join([raw, *map(msgspec.json.encode, listed)]) + b"]"
    if read.records != ".":
        body = msgspec.json.encode(answer | {read.records: msgspec.Raw(body)})
    return spoilt(read, body)


@pytest.mark.parametrize("record", NO_RECORDS, ids=repr)
@pytest.mark.parametrize("name", TOLD)
def test_one_malformed_record_is_set_aside_and_told_and_the_others_are_read(
    name: str, record: Any
) -> None:
    read = READS[name]
    answer = with_record(read, msgspec.json.encode(record))
    assert read.ask(read.gateway(answer)) == read.whole
    assert len(complaints(name, read.gateway(answer))) == 1


@pytest.mark.parametrize("record", NO_RECORDS, ids=repr)
@pytest.mark.parametrize("name", ["keys of Cloud", "keys of Data Center"])
def test_one_malformed_issue_does_not_break_a_look_up(name: str, record: Any) -> None:
    read = READS[name]
    answer = with_record(read, msgspec.json.encode(record))
    assert read.ask(read.gateway(answer)) == read.whole


# Text that cannot be

DAMAGES = {
    "the first half of a pair": rb"x\ud83dy",
    "the second half of a pair": rb"x\ude00",
    "the halves the wrong way round": rb"\ude00\ud83d",
    "half a pair at the end": rb"x\uD83D",
    "half a pair behind a backslash": rb"x\\\ud83d",
    "half a pair before an escape": rb"\ud83d\n",
    "a byte that is no UTF-8": b"x\xffy",
    "half a letter": b"\xd0",
    "half a pair in bytes": b"\xed\xa0\xbd",
    "a bare control character": b"x\x01y",
}


def damaged(text: bytes, number: int = 2) -> bytes:
    raw = msgspec.json.encode(issue(number, summary="HERE"))
    return raw.replace(b"HERE", text)


@pytest.mark.parametrize("cloud", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_issue_with_damaged_text_is_named_with_its_field_and_the_others_are_read(
    damage: str, cloud: bool
) -> None:
    read = READS["search of Cloud" if cloud else "search of Data Center"]
    gateway = read.gateway(with_record(read, damaged(DAMAGES[damage])))
    batch = gateway.issues("project = ACME")
    assert [each.key for each in batch.issues] == ["ACME-1"]
    assert batch.complete
    assert [(english(each.where), each.field, each.url) for each in batch.problems] == [
        ("ACME-2", "summary", "https://acme.example.net/browse/ACME-2")
    ]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", TOLD)
def test_damage_anywhere_in_a_record_is_the_problem_of_that_record(
    name: str, damage: str
) -> None:
    read = READS[name]
    records = read.answers[read.endpoint]
    first = (records if read.records == "." else records[read.records] or [{}])[0]
    record = msgspec.json.encode({**first, "strange": "HERE"}).replace(
        b"HERE", DAMAGES[damage]
    )
    gateway = read.gateway(with_record(read, record))
    told = complaints(name, gateway)
    # A broken byte in a part nobody reads is nobody's problem; half a pair spoils the whole record.
    assert len(told) == 1 or (not told and b"\\u" not in DAMAGES[damage])
    # A history of which a piece is lost would tell another story: the issue's others are left out too.
    assert read.ask(gateway) == (
        [] if told and name == "histories of Cloud" else read.whole
    )


def test_whole_pairs_and_written_backslashes_are_no_damage() -> None:
    text = rb"\ud83d\ude00 \\ud83d caf\u00e9 \\\\ud83d \u0021"
    read = READS["search of Cloud"]
    body = (
        b'{"isLast":true,"issues":['
        + damaged(text, number=1)
        + b","
        + damaged(rb"\ud83d", number=2)
        + b"]}"
    )
    batch = read.gateway(spoilt(read, body)).issues("project = ACME")
    assert [each.summary for each in batch.issues] == [
        "\N{GRINNING FACE} \\ud83d caf\u00e9 \\\\ud83d !"
    ]
    assert [english(each.where) for each in batch.problems] == ["ACME-2"]


def test_damage_outside_every_record_is_no_answer_when_it_is_none() -> None:
    read = READS["search of Cloud"]
    with pytest.raises(Transient):
        read.ask(read.gateway(spoilt(read, b'{"issues":[{"id":"1","k\xff')))


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_error_answer_with_damaged_text_is_still_an_error(damage: str) -> None:
    body = b'{"errorMessages":["' + DAMAGES[damage] + b'"]}'
    read = READS["search of Cloud"]
    gateway = read.gateway(Response(503, {"content-type": "application/json"}, body))
    with pytest.raises(Transient):
        read.ask(gateway)


def test_a_field_that_cannot_be_read_is_named_with_every_read() -> None:
    script = Script(
        {
            "GET field": json_response(200, [{"id": 5, "name": "Odd"}, *FIELDS]),
            "POST search/jql": found(issue(1), isLast=True),
        }
    )
    gateway = make(script)
    for _ in range(2):
        batch = gateway.issues("project = ACME")
        assert [
            (one.code, english(one.where), one.field) for one in batch.problems
        ] == [("bad-field", "Jira field Odd", "id")]


# Bounds of the feeds

FAR = [9_999_999_999_999, 10**15, 2**62, NOW + 8 * 86_400_000]


@pytest.mark.parametrize("until", FAR)
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("feed", ["updated", "deleted"])
def test_a_feed_that_claims_the_future_is_incomplete_and_keeps_its_bound(
    feed: str, last: bool, until: int
) -> None:
    answers = CLOUD | {
        f"GET worklog/{feed}": MARKS | {"until": until, "lastPage": last}
    }
    gateway = make(
        Script({name: json_response(200, value) for name, value in answers.items()})
    )
    batch = gateway.worklogs(5, now=NOW)
    assert (batch.complete, batch.until) == (False, 5)
    assert f"worklog/{feed} claims" in batch.reason


def test_a_bound_a_little_ahead_of_a_slow_clock_is_believed() -> None:
    answers = CLOUD | {"GET worklog/updated": MARKS | {"until": NOW + 60_000}}
    gateway = make(
        Script({name: json_response(200, value) for name, value in answers.items()})
    )
    batch = gateway.worklogs(5, now=NOW)
    assert (batch.complete, batch.until) == (True, NOW + 60_001)
