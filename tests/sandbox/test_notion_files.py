"""File uploads: made, sent, completed, attached, served."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from notion_rig import Rig

from rayline_sandbox.notion.files import FormPart, form_parts
from rayline_sandbox.wire import Request, Response, from_parts

FORM = "multipart/form-data; boundary=edge"
PNG = b"\x89PNG\r\n\x1a\n--edge\r\r\n\n\x00\xff"


def form(
    content: bytes, *, content_type: str = "image/png", part_number: int | None = None
) -> bytes:
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: {content_type}'
    part = f'--edge\r\nContent-Disposition: form-data; name="part_number"\r\n\r\n{part_number}\r\n'
    return (
        (part.encode() if part_number else b"")
        + head.encode()
        + b"\r\n\r\n"
        + content
        + b"\r\n--edge--\r\n"
    )


@pytest.fixture
def rig() -> Rig:
    return Rig()


def uploaded(rig: Rig, content: bytes = PNG) -> str:
    made = rig.ok("POST", "file_uploads", {"filename": "a.png"})
    rig.ok("POST", f"file_uploads/{made['id']}/send", form(content), content_type=FORM)
    return str(made["id"])


def fetched(rig: Rig, url: str) -> Response:
    return rig.sandbox.handle(from_parts("GET", url, {}, b""))


def picture(rig: Rig, upload_id: str) -> dict[str, Any]:
    block = {"image": {"type": "file_upload", "file_upload": {"id": upload_id}}}
    made = rig.ok("PATCH", f"blocks/{rig.root}/children", {"children": [block]})
    image: dict[str, Any] = made["results"][0]["image"]
    return image


def test_a_form_is_cut_at_its_boundary_and_nowhere_else() -> None:
    parts = form_parts(
        Request(
            "POST", "/", headers={"content-type": FORM}, body=form(PNG, part_number=3)
        )
    )
    assert parts == [
        FormPart("part_number", None, None, b"3"),
        FormPart("file", "a.png", "image/png", PNG),
    ]


def test_a_sent_file_is_uploaded_and_knows_its_length(rig: Rig) -> None:
    made = rig.ok("POST", "file_uploads", {"filename": "a.png"})
    assert (made["status"], made["content_type"], made["content_length"]) == (
        "pending",
        "image/png",
        None,
    )
    assert made["upload_url"].endswith(f"/v1/file_uploads/{made['id']}/send")
    sent = rig.ok(
        "POST", f"file_uploads/{made['id']}/send", form(PNG), content_type=FORM
    )
    assert (sent["status"], sent["content_length"]) == ("uploaded", len(PNG))
    assert "upload_url" not in sent


def test_a_file_goes_from_upload_to_a_picture_block_to_its_bytes(rig: Rig) -> None:
    image = picture(rig, uploaded(rig))
    assert image["type"] == "file"
    response = fetched(rig, image["file"]["url"])
    assert (response.status, response.body, response.headers["content-type"]) == (
        200,
        PNG,
        "image/png",
    )


def test_a_file_address_ends_after_an_hour_and_a_new_read_gives_a_new_one(
    rig: Rig,
) -> None:
    image = picture(rig, uploaded(rig))
    rig.clock.advance(timedelta(minutes=61))
    assert fetched(rig, image["file"]["url"]).status == 403
    (block,) = rig.ok("GET", f"blocks/{rig.root}/children")["results"]
    assert fetched(rig, block["image"]["file"]["url"]).status == 200


def test_a_forged_signature_opens_nothing(rig: Rig) -> None:
    url = picture(rig, uploaded(rig))["file"]["url"]
    assert fetched(rig, url[:-4] + "0000").status == 403


def test_a_pending_upload_cannot_be_attached(rig: Rig) -> None:
    made = rig.ok("POST", "file_uploads", {"filename": "a.png"})
    block = {"image": {"type": "file_upload", "file_upload": {"id": made["id"]}}}
    refused = rig.refused("PATCH", f"blocks/{rig.root}/children", {"children": [block]})
    assert refused == (400, "validation_error")


def test_an_unattached_upload_expires_after_an_hour(rig: Rig) -> None:
    upload = uploaded(rig)
    rig.clock.advance(timedelta(hours=1))
    assert rig.ok("GET", f"file_uploads/{upload}")["status"] == "expired"


def test_a_file_column_holds_an_upload(rig: Rig) -> None:
    _, source = rig.database({"Docs": {"files": {}}})
    value = {
        "files": [
            {
                "type": "file_upload",
                "file_upload": {"id": uploaded(rig)},
                "name": "contract.png",
            }
        ]
    }
    (held,) = rig.row(source, "row", Docs=value)["properties"]["Docs"]["files"]
    assert (held["name"], held["type"]) == ("contract.png", "file")
    assert fetched(rig, held["file"]["url"]).body == PNG


def test_parts_are_joined_in_their_order(rig: Rig) -> None:
    made = rig.ok(
        "POST",
        "file_uploads",
        {"mode": "multi_part", "filename": "big.bin", "number_of_parts": 2},
    )
    big = b"a" * (5 * 1024 * 1024)
    path = f"file_uploads/{made['id']}"
    octets = "application/octet-stream"
    rig.ok(
        "POST",
        f"{path}/send",
        form(b"tail", content_type=octets, part_number=2),
        content_type=FORM,
    )
    assert rig.refused("POST", f"{path}/complete") == (400, "validation_error")
    half = rig.ok(
        "POST",
        f"{path}/send",
        form(big, content_type=octets, part_number=1),
        content_type=FORM,
    )
    assert half["number_of_parts"] == {"total": 2, "sent": 2}
    assert rig.ok("POST", f"{path}/complete")["content_length"] == len(big) + 4


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "both"},
        {"mode": "multi_part", "filename": "x"},
        {"mode": "external_url", "filename": "x"},
        {"mode": "external_url", "filename": "x", "external_url": "ftp://x"},
        {"filename": "я" * 451},
    ],
)
def test_a_wrong_create_is_refused(rig: Rig, body: dict[str, Any]) -> None:
    assert rig.refused("POST", "file_uploads", body) == (400, "validation_error")


def test_a_file_over_twenty_megabytes_needs_parts(rig: Rig) -> None:
    made = rig.ok("POST", "file_uploads", {"filename": "a.png"})
    response = rig.send(
        "POST",
        f"/v1/file_uploads/{made['id']}/send",
        form(b"x" * (20 * 1024 * 1024 + 1)),
        content_type=FORM,
    )
    assert response.status == 413
    assert json.loads(response.body)["code"] == "validation_error"


def test_uploads_are_listed_newest_first_and_by_status(rig: Rig) -> None:
    first = uploaded(rig)
    second = rig.ok("POST", "file_uploads", {"filename": "b.txt"})["id"]
    assert [one["id"] for one in rig.ok("GET", "file_uploads")["results"]] == [
        second,
        first,
    ]
    assert [
        one["id"] for one in rig.ok("GET", "file_uploads?status=uploaded")["results"]
    ] == [first]
    page = rig.ok("GET", "file_uploads?page_size=1")
    assert (page["has_more"], page["next_cursor"]) == (True, first)


def test_an_import_from_outside_is_done_when_asked_about(rig: Rig) -> None:
    made = rig.ok(
        "POST",
        "file_uploads",
        {
            "mode": "external_url",
            "filename": "d.pdf",
            "external_url": "https://example.com/d.pdf",
        },
    )
    assert made["status"] == "pending"
    done = rig.ok("GET", f"file_uploads/{made['id']}")
    assert (done["status"], done["file_import_result"]["type"]) == (
        "uploaded",
        "success",
    )


def test_what_is_told_of_the_upload_limit_is_what_is_taken(rig: Rig) -> None:
    limit = rig.ok("GET", "users/me")["bot"]["workspace_limits"][
        "max_file_upload_size_in_bytes"
    ]
    made = rig.ok("POST", "file_uploads", {"filename": "big.png"})
    content = b"x" * (6 * 1024 * 1024)
    sent = rig.ok(
        "POST", f"file_uploads/{made['id']}/send", form(content), content_type=FORM
    )
    assert (sent["status"], sent["content_length"]) == ("uploaded", len(content))
    assert limit >= len(content)
