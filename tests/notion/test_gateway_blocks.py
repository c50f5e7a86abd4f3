"""Blocks and files through the gateway: what may be repeated, what may not, and both versions' way to name a place."""

from __future__ import annotations

import httpx
import pytest
from gateway_rig import Script, VirtualTime, listing, refusal
from pydantic import SecretStr

from worker.config import NotionSettings
from worker.errors import Missing, Rejected, Unknown
from worker.notion.gateway import NotionGateway

PARAGRAPH = {"type": "paragraph", "paragraph": {"rich_text": []}}
MADE = {"object": "block", "id": "b2", **PARAGRAPH}


def gateway(script: Script, version: str = "2026-03-11") -> NotionGateway:
    """Return a gateway that talks to a script."""
    time = VirtualTime()
    settings = NotionSettings.model_validate(
        {
            "base_url": "http://notion.test",
            "token": SecretStr("secret"),
            "version": version,
            "requests": 1000,
        }
    )
    return NotionGateway(
        settings,
        transport=httpx.MockTransport(script),
        sleep=time.sleep,
        monotonic=time.monotonic,
    )


def answer(**body: object) -> httpx.Response:
    """Return a plain answer."""
    return httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("version", "place"),
    [
        ("2025-09-03", {"after": "b1"}),
        (
            "2026-03-11",
            {"position": {"type": "after_block", "after_block": {"id": "b1"}}},
        ),
    ],
)
def test_each_version_names_the_place_in_its_way(
    version: str, place: dict[str, object]
) -> None:
    script = Script(listing([MADE]))
    assert gateway(script, version).append_children("p", [PARAGRAPH], after="b1") == (
        MADE,
    )
    assert script.bodies() == [{"children": [PARAGRAPH], **place}]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_append_without_an_answer_is_never_repeated(status: int) -> None:
    script = Script(refusal(status, "internal_server_error"))
    with pytest.raises(Unknown):
        gateway(script).append_children("p", [PARAGRAPH])
    assert len(script.requests) == 1


def test_an_append_that_lost_to_another_write_is_repeated() -> None:
    script = Script(refusal(409, "conflict_error"), listing([MADE]))
    assert len(gateway(script).append_children("p", [PARAGRAPH])) == 1


def test_a_change_of_a_block_is_repeated() -> None:
    script = Script(refusal(503, "service_unavailable"), answer(**MADE))
    assert gateway(script).update_block("b1", {"paragraph": {"rich_text": []}}) == MADE


def test_removing_what_is_in_the_trash_is_done_and_what_is_not_seen_stays() -> None:
    with pytest.raises(Missing):
        gateway(Script(refusal(404, "object_not_found"))).delete_block("b1")
    archived = refusal(400, "validation_error", "Can't edit block that is archived.")
    gateway(Script(archived, answer(id="b1", in_trash=True))).delete_block("b1")
    with pytest.raises(Rejected):
        gateway(
            Script(refusal(400, "validation_error"), answer(id="b1", in_trash=False))
        ).delete_block("b1")


def test_a_file_goes_up_as_a_form_and_a_lost_answer_is_looked_up() -> None:
    script = Script(
        answer(id="u1", status="pending"),
        refusal(504, "gateway_timeout"),
        refusal(400, "validation_error", "has status uploaded"),
        answer(id="u1", status="uploaded"),
    )
    assert gateway(script).upload("a.png", b"\x89PNG", content_type="image/png") == "u1"
    sent = script.requests[1]
    assert sent.headers["content-type"].startswith("multipart/form-data")
    assert b"\x89PNG" in sent.content
    assert [request.method for request in script.requests] == [
        "POST",
        "POST",
        "POST",
        "GET",
    ]


def test_a_file_that_is_refused_is_refused() -> None:
    pending = answer(id="u1", status="pending")
    script = Script(pending, refusal(400, "validation_error"), pending)
    with pytest.raises(Rejected):
        gateway(script).upload("a.png", b"x", content_type="image/png")
