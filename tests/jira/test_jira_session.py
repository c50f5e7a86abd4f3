"""What a connection or an answer that failed means, and which of them are asked for again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import requests
from jira_gateway_rig import CANARY, Answer, Script, make

from rayline_sandbox.wire import Response, json_response
from tests.support.jira_wire import VirtualTime
from worker.domain.messages import ENGLISH, render
from worker.errors import ApiError, Denied, Missing, Rejected, Transient, Unreachable

ME = json_response(200, {"accountId": "ann", "timeZone": "UTC"})
INFO = json_response(200, {"serverTime": "2026-11-20T10:00:00.000+0000"})
PASSING_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504, 599)
BROKEN = (
    requests.ConnectionError("reset"),
    requests.ConnectTimeout("slow"),
    requests.ReadTimeout("slow"),
    requests.exceptions.ChunkedEncodingError("short"),
    requests.exceptions.SSLError("bad certificate"),
)


def site(*answers: Answer) -> Script:
    return Script({"GET myself": list(answers), "GET serverInfo": INFO})


def refusal(status: int, body: Any = None, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, msgspec.json.encode(body or {}))


def times_asked(script: Script) -> int:
    return sum(one.path.endswith("/myself") for one in script.requests)


@pytest.mark.parametrize("cloud", [True, False])
@pytest.mark.parametrize("status", PASSING_STATUSES)
def test_a_passing_refusal_is_asked_again_until_it_is_answered(
    status: int, cloud: bool
) -> None:
    script = site(refusal(status), refusal(status), ME)
    make(script, cloud=cloud).server_info()
    assert times_asked(script) == 3


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_broken_connection_is_tried_again_until_it_holds(error: Exception) -> None:
    script = site(error, ME)
    assert make(script).server_info().account == "ann"
    assert times_asked(script) == 2


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_connection_that_never_holds_is_transient(error: Exception) -> None:
    with pytest.raises(Transient) as caught:
        make(site(error)).server_info()
    assert caught.value.request == "GET myself"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", [1, 7, 120])
def test_the_site_is_given_the_time_it_asks_for(status: int, seconds: int) -> None:
    time = VirtualTime()
    script = site(refusal(status, Retry_After=str(seconds)), ME)
    make(script, time=time).server_info()
    assert sum(time.slept) >= seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Denied),
        (402, Rejected),
        (403, Denied),
        (404, Missing),
        (405, Rejected),
        (410, Missing),
        (413, Rejected),
        (418, Rejected),
    ],
)
def test_a_lasting_refusal_is_told_at_once_as_what_it_is(
    status: int, kind: type[ApiError]
) -> None:
    script = site(refusal(status), ME)
    with pytest.raises(kind) as caught:
        make(script).server_info()
    assert caught.value.status == status
    assert times_asked(script) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_not_followed(status: int) -> None:
    script = site(refusal(status, Location="https://elsewhere.example/"), ME)
    with pytest.raises(Unreachable, match="another address: https://elsewhere") as told:
        make(script).server_info()
    assert "jira.base_url" in render(told.value.way_out, ENGLISH)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errorMessages": ["No such thing", "Ask me"]}, "No such thing; Ask me"),
        ({"errors": {"jql": "is wrong"}}, "jql: is wrong"),
        ({"errorMessages": ["Bad"], "errors": {"a": "b"}}, "Bad; a: b"),
        ({"errorMessage": "Site is asleep"}, "Site is asleep"),
        ({"message": "Unauthorised"}, "Unauthorised"),
        ({"errorMessages": None, "errors": []}, "HTTP 400"),
        ([], "HTTP 400"),
        ("text", "HTTP 400"),
    ],
)
def test_the_words_of_a_refusal_are_passed_on(body: Any, said: str) -> None:
    with pytest.raises(Rejected) as caught:
        make(site(refusal(400, body))).server_info()
    assert caught.value.detail == said


@pytest.mark.parametrize("header", ["atl-traceid", "x-arequestid"])
def test_the_number_by_which_support_finds_a_refusal_is_kept(header: str) -> None:
    with pytest.raises(Rejected) as caught:
        make(site(refusal(400, **{header: "4bf92f35"}))).server_info()
    assert caught.value.request_id == "4bf92f35"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_token_that_is_answered_back_is_not_told(status: int) -> None:
    answer = refusal(status, {"errorMessages": [f"Bad token {CANARY}"]})
    with pytest.raises(ApiError) as caught:
        make(site(answer)).server_info()
    assert CANARY not in str(caught.value) + repr(vars(caught.value))
