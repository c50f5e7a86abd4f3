from __future__ import annotations

import httpx
import pytest
from gateway_rig import CANARY, Script, VirtualTime, limited, make, page, refusal

from worker.errors import (
    ApiError,
    Denied,
    Missing,
    Rejected,
    Transient,
    Unknown,
    Unreachable,
)

CREATED = httpx.Response(200, json=page(1))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.Response(502, html="<html>bad gateway</html>"),
        refusal(500, "internal_server_error"),
        refusal(503, "database_connection_unavailable"),
        refusal(504, "gateway_timeout"),
        httpx.Response(200, html="<html>Just a moment...</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200),
    ],
)
def test_a_create_whose_outcome_is_unknown_is_not_sent_again(
    answer: httpx.Response | Exception,
) -> None:
    script = Script(answer, CREATED)
    with pytest.raises(Unknown) as caught:
        make(script).create_page("source", {})
    assert len(script.requests) == 1
    assert caught.value.committed_id == ""


@pytest.mark.parametrize(
    "answer",
    [
        limited(3),
        refusal(529, "service_overload", headers={"retry-after": "3"}),
        refusal(409, "conflict_error"),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("no route"),
    ],
)
def test_a_create_that_certainly_did_not_happen_is_sent_again(
    answer: httpx.Response | Exception,
) -> None:
    script = Script(answer, answer, CREATED)
    assert make(script).create_page("source", {}).id == "page-1"
    assert len(script.requests) == 3


def test_a_saved_but_503_names_the_page_it_made() -> None:
    answer = refusal(
        503,
        "service_unavailable",
        committed_resource_id="page-9",
        retry_guidance="read it",
    )
    with pytest.raises(Unknown) as caught:
        make(Script(answer)).create_page("source", {})
    assert caught.value.committed_id == "page-9"


def test_property_patches_and_the_trash_survive_server_errors() -> None:
    script = Script(
        httpx.ReadTimeout("slow"), refusal(500, "internal_server_error"), CREATED
    )
    assert make(script).update_page("page-1", {"a": {"number": 1}}).id == "page-1"
    assert script.bodies() == [{"properties": {"a": {"number": 1}}}] * 3
    gone = httpx.Response(200, json=page(1, in_trash=True))
    script = Script(refusal(409, "conflict_error"), gone)
    make(script).archive_page("page-1")
    assert script.bodies() == [{"in_trash": True}] * 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, "unauthorized"), Denied),
        (refusal(403, "restricted_resource"), Denied),
        (limited(1, "public_api_request_blocked"), Denied),
        (refusal(404, "object_not_found"), Missing),
        (refusal(400, "validation_error"), Rejected),
        (refusal(409, "row_limit_exceeded"), Rejected),
        (httpx.Response(413), Rejected),
        (
            httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
            Unreachable,
        ),
    ],
)
def test_refusals_are_reported_at_once(
    answer: httpx.Response, kind: type[ApiError]
) -> None:
    script = Script(answer)
    with pytest.raises(kind):
        make(script).me()
    with pytest.raises(kind):
        make(script).create_page("source", {})
    assert len(script.requests) == 2


def test_trashing_what_is_in_the_trash_succeeds_and_a_real_refusal_does_not() -> None:
    refused = refusal(400, "validation_error", "Can't edit block that is archived.")
    assert (
        make(Script(refused, httpx.Response(200, json=page(1, in_trash=True))))
        .archive_page("page-1")
        .in_trash
    )
    with pytest.raises(Rejected):
        make(
            Script(refused, httpx.Response(200, json=page(1, in_trash=False)))
        ).archive_page("page-1")


def test_a_refusal_names_the_property_the_request_and_its_id() -> None:
    message = "body failed validation: body.properties.Due.date.start should be a valid ISO 8601 date string."
    with pytest.raises(Rejected) as caught:
        make(Script(refusal(400, "validation_error", message))).update_page(
            "page-1", {}
        )
    assert caught.value.field == "Due"
    assert caught.value.request == "PATCH /v1/pages/page-1"
    assert caught.value.request_id == "request-1"


def test_the_whole_wait_is_kept_and_named_when_it_does_not_fit() -> None:
    time = VirtualTime()
    make(Script(limited(120), CREATED), time=time, seconds=300).create_page(
        "source", {}
    )
    assert time.slept == [120.0]
    with pytest.raises(Transient) as caught:
        make(Script(limited(120), CREATED), seconds=60).create_page("source", {})
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"retry-after": "1.5"}, 1.5),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT",
                "date": "Sat, 21 Nov 2026 12:00:00 GMT",
            },
            30,
        ),
        ({"retry-after": "soon"}, 0.1),
        ({}, 0.1),
    ],
)
def test_any_form_of_retry_after_is_understood(
    headers: dict[str, str], least: float
) -> None:
    time = VirtualTime()
    make(
        Script(refusal(429, "rate_limited", headers=headers), CREATED), time=time
    ).create_page("source", {})
    assert least <= sum(time.slept) <= max(least, 2)


def test_failures_never_hold_the_token() -> None:
    echo = refusal(
        400,
        "validation_error",
        f"header Authorization: Bearer {CANARY} and ntn_{'x' * 40} \x1b[31m",
    )
    gateway = make(Script(echo))
    with pytest.raises(Rejected) as caught:
        gateway.me()
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__context__ is None
    assert error.__cause__ is None
    shown = f"{error} {error!r} {gateway!r} {gateway._client.options!r}"
    assert CANARY not in shown
    assert "ntn_" not in shown
    assert "\x1b" not in shown
    assert len(caught.value.detail) <= 200


def test_an_identity_from_a_cell_cannot_reach_another_path() -> None:
    script = Script(CREATED)
    make(script).page("users?x=1#y/z")
    assert script.requests[0].url.raw_path == b"/v1/pages/users%3Fx%3D1%23y%2Fz"
    with pytest.raises(Rejected):
        make(script).page("../users")
    assert len(script.requests) == 1


# --- leaving


class Refused(Exception):
    """The check said no."""


def test_each_attempt_is_checked_after_its_wait_and_none_leaves_once_refused() -> None:
    time, script = VirtualTime(), Script(limited(800), limited(60), CREATED)
    checked: list[tuple[float, int]] = []

    def check() -> None:
        checked.append((sum(time.slept), len(script.requests)))
        if len(checked) == 3:
            raise Refused

    with pytest.raises(Refused):
        make(script, time=time).guarded(check).create_page("source", {})
    assert checked == [(0, 0), (800, 1), (860, 2)]
    assert len(script.requests) == 2


def test_a_request_is_checked_after_it_had_its_turn() -> None:
    time, script = VirtualTime(), Script(CREATED)
    checked: list[float] = []
    gateway = make(script, time=time, requests=1, window=60.0)
    guarded = gateway.guarded(lambda: checked.append(sum(time.slept)))
    for _ in range(3):
        guarded.create_page("source", {})
    assert checked == [0, 60, 120]


def test_checks_are_made_from_the_oldest_to_the_newest_and_bind_no_other_gateway() -> (
    None
):
    script, checked = Script(CREATED), list[str]()
    gateway = make(script)
    first = gateway.guarded(lambda: checked.append("first"))
    second = first.guarded(lambda: checked.append("second"))
    second.update_page("page-1", {})
    first.page("page-1")
    gateway.update_page("page-1", {})
    assert checked == ["first", "second", "first"]
    assert second.requests() == 3, "all count together"
