"""File uploads and the files themselves (docs/facts/notion-api.md 3.19).

Uploads live on the store's `file_uploads` shelf. A file is served at `/_files/{id}/{name}` for an hour per address,
signed as Notion's are, without a token.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_form

from rayline_sandbox.notion.call import Answer, Call, Route, paginate
from rayline_sandbox.notion.errors import MISSING, NotionError, invalid, should_be
from rayline_sandbox.notion.store import Store, exact, minute, plain_id
from rayline_sandbox.wire import Request, Response

MEGABYTE = 1024 * 1024
SINGLE_LIMIT = 20 * MEGABYTE
SMALLEST_PART = 5 * MEGABYTE
FILENAME_BYTES = 900
LIFETIME = timedelta(hours=1)
MODES = ("single_part", "multi_part", "external_url")
STATUSES = ("pending", "uploaded", "expired", "failed")
FILES_PATH = "/_files/"


@dataclass(slots=True)
class Upload:
    """One upload: `parts` maps part number to bytes; `attached` once a page, block or comment refers to it."""

    id: str
    mode: str
    filename: str | None
    content_type: str | None
    base: str
    created: datetime
    created_by: str
    total_parts: int = 1
    external_url: str = ""
    parts: dict[int, bytes] = field(default_factory=dict)
    complete: bool = False
    attached: bool = False

    def content(self) -> bytes:
        """Return the whole file."""
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def expires(self) -> datetime:
        """Return the instant after which an unattached upload is gone."""
        return self.created + LIFETIME


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part of a multipart/form-data body."""

    name: str
    filename: str | None
    content_type: str | None
    content: bytes


def uploads(store: Store) -> dict[str, Upload]:
    """Return all uploads by id."""
    return store.shelf("file_uploads")


def find_upload(store: Store, upload_id: str) -> Upload:
    """Return an upload or raise the 404."""
    found = uploads(store).get(plain_id(upload_id))
    if found is None:
        raise store.missing("file_upload", plain_id(upload_id))
    return found


def resolve_upload(store: Store, upload_id: str) -> Upload:
    """Return an upload that may be attached to a page, block or comment, and mark it attached; 400 if it may not."""
    upload = find_upload(store, upload_id)
    _import_external(upload)
    if status_of(store, upload) != "uploaded":
        raise invalid(
            f"File upload {upload.id} has status `{status_of(store, upload)}`; only uploads with status "
            "`uploaded` can be attached."
        )
    upload.attached = True
    return upload


def hosted_file(store: Store, upload_id: str) -> dict[str, str]:
    """Return `{url, expiry_time}` of an attached upload: an address good for one hour of the virtual clock."""
    upload = find_upload(store, upload_id)
    until = store.now() + LIFETIME
    name = quote(upload.filename or "file", safe="")
    expires = int(until.timestamp())
    signature = _signature(store, upload.id, expires)
    path = f"{FILES_PATH}{upload.id}/{name}"
    return {
        "url": f"{upload.base}{path}?expires={expires}&signature={signature}",
        "expiry_time": minute(until),
    }


def serve_file(store: Store, request: Request) -> Response | None:
    """Answer a request for a file's bytes; None when the path is not a file's."""
    if not request.path.startswith(FILES_PATH):
        return None
    upload_id, _, _ = request.path.removeprefix(FILES_PATH).partition("/")
    upload = uploads(store).get(unquote(upload_id))
    expires = request.first("expires") or ""
    if upload is None or not upload.complete:
        return Response(404, {"content-type": "text/plain"}, b"no such file")
    if not _fresh(store, upload.id, expires, request.first("signature") or ""):
        return Response(403, {"content-type": "text/plain"}, b"Request has expired")
    if upload.mode == "external_url":
        return Response(302, {"location": upload.external_url})
    return Response(
        200,
        {"content-type": upload.content_type or "application/octet-stream"},
        upload.content(),
    )


def _fresh(store: Store, upload_id: str, expires: str, signature: str) -> bool:
    if not expires.isdigit():
        return False
    until = datetime.fromtimestamp(int(expires), UTC)
    if until < store.now():
        return False
    expected = _signature(store, upload_id, int(expires))
    return hmac.compare_digest(signature, expected)


def _signature(store: Store, upload_id: str, expires: int) -> str:
    key = store.workspace_id.encode()
    signed = f"{upload_id}:{expires}".encode()
    return hmac.new(key, signed, hashlib.sha256).hexdigest()[:32]


def status_of(store: Store, upload: Upload) -> str:
    """Return `pending`, `uploaded` or `expired`."""
    if store.now() >= upload.expires() and not upload.attached:
        return "expired"
    return "uploaded" if upload.complete else "pending"


def shown(call: Call, upload: Upload) -> dict[str, Any]:
    """Return an upload as answers show it."""
    status = status_of(call.store, upload)
    is_kept = upload.attached or status == "expired"
    value: dict[str, Any] = {
        "object": "file_upload",
        "id": upload.id,
        "created_time": minute(upload.created),
        "created_by": {"id": upload.created_by, "type": "bot"},
        "last_edited_time": minute(upload.created),
        "expiry_time": None if is_kept else minute(upload.expires()),
        "in_trash": False,
        "status": status,
        "filename": upload.filename,
        "content_type": upload.content_type,
        "content_length": len(upload.content()) if upload.complete else None,
    }
    address = f"{upload.base}/v1/file_uploads/{upload.id}"
    if status == "pending":
        value["upload_url"] = f"{address}/send"
    if upload.mode == "multi_part":
        value["number_of_parts"] = {
            "total": upload.total_parts,
            "sent": len(upload.parts),
        }
        value |= {"complete_url": f"{address}/complete"} if status == "pending" else {}
    if upload.mode == "external_url" and upload.complete:
        value["file_import_result"] = {
            "type": "success",
            "success": {},
            "imported_time": exact(upload.created),
        }
    return value | ({"archived": False} if call.old else {})


def create(call: Call) -> Answer:
    """POST /v1/file_uploads."""
    body = call.body
    mode = body.get("mode", "single_part")
    if mode not in MODES:
        raise should_be(
            "body.mode", '`"single_part"`, `"multi_part"`, or `"external_url"`', mode
        )
    _check_name(mode, body.get("filename", MISSING))
    filename = body.get("filename") or None
    content_type = body.get("content_type") or (
        mimetypes.guess_type(filename)[0] if filename else None
    )
    upload = Upload(
        call.store.ids.content(),
        mode,
        filename,
        content_type,
        base_url(call.request),
        call.store.now(),
        call.actor,
        _total_parts(mode, body),
        _external_url(mode, body),
    )
    uploads(call.store)[upload.id] = upload
    return shown(call, upload)


def _check_name(mode: str, filename: Any) -> None:
    if filename is MISSING and mode == "single_part":
        return
    if not isinstance(filename, str) or not filename:
        raise should_be("body.filename", "a string", filename)
    if len(filename.encode()) > FILENAME_BYTES:
        raise invalid(
            f"body failed validation: body.filename should be at most {FILENAME_BYTES} bytes."
        )


def _total_parts(mode: str, body: dict[str, Any]) -> int:
    if mode != "multi_part":
        return 1
    parts = body.get("number_of_parts", MISSING)
    if not isinstance(parts, int) or not 1 <= parts <= 10_000:
        raise should_be("body.number_of_parts", "a number between 1 and 10000", parts)
    return parts


def _external_url(mode: str, body: dict[str, Any]) -> str:
    if mode != "external_url":
        return ""
    url = body.get("external_url", MISSING)
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise should_be("body.external_url", "a valid URL", url)
    return url


def base_url(request: Request) -> str:
    """Return the address the client reached this handler at."""
    host = request.headers.get("host", "api.notion.com")
    name, colon, _ = host.partition(":")
    is_local = name in ("localhost", "127.0.0.1", "0.0.0.0") or bool(colon)
    usual = "http" if is_local else "https"
    scheme = request.headers.get("x-forwarded-proto", usual)
    return f"{scheme}://{host}"


def send(call: Call) -> Answer:
    """POST /v1/file_uploads/{id}/send, multipart/form-data."""
    upload = find_upload(call.store, call.params["file_upload_id"])
    if status_of(call.store, upload) != "pending":
        raise invalid(
            f"File upload {upload.id} has status `{status_of(call.store, upload)}` and cannot be sent to."
        )
    form = {part.name: part for part in form_parts(call.request)}
    file = form.get("file")
    if file is None:
        raise should_be("body.file", "a file")
    _check_size(upload, file.content)
    _check_type(upload, file)
    upload.parts[_part_number(upload, form.get("part_number"))] = file.content
    upload.filename = upload.filename or file.filename
    upload.content_type = upload.content_type or file.content_type
    upload.complete = upload.mode == "single_part"
    return shown(call, upload)


def _check_size(upload: Upload, content: bytes) -> None:
    if not content:
        raise invalid("The file is empty.")
    if len(content) > SINGLE_LIMIT:
        raise NotionError(
            413,
            "validation_error",
            f"The file or part is larger than {SINGLE_LIMIT} bytes; send it in parts.",
        )


def _check_type(upload: Upload, file: FormPart) -> None:
    expected = upload.content_type
    given = file.content_type
    if expected and given and given != expected and given != "application/octet-stream":
        raise invalid(
            f"Provided file has content type `{given}`, but the upload was created with `{expected}`."
        )


def _part_number(upload: Upload, part: FormPart | None) -> int:
    if upload.mode != "multi_part":
        return 1
    text = part.content.decode("ascii", "replace").strip() if part else ""
    if not text.isdigit() or not 1 <= int(text) <= upload.total_parts:
        raise should_be(
            "body.part_number",
            f"a number between 1 and {upload.total_parts}",
            text or MISSING,
        )
    return int(text)


def form_parts(request: Request) -> list[FormPart]:
    """Return the parts of a multipart/form-data body; 400 when it is none."""
    parts: list[FormPart] = []
    headers = {
        "Content-Type": request.headers.get("content-type", "").encode(),
        "Content-Length": str(len(request.body)).encode(),
    }
    if not headers["Content-Type"].startswith(b"multipart/form-data"):
        raise invalid("The request body should be multipart/form-data.")

    def add_field(part: Field) -> None:
        name = (part.field_name or b"").decode("utf-8", "replace")
        parts.append(FormPart(name, None, None, part.value or b""))

    def add_file(part: File) -> None:
        part.file_object.seek(0)
        parts.append(_file_part(part))

    try:
        parse_form(headers, io.BytesIO(request.body), add_field, add_file)
    except FormParserError:
        raise invalid("The request body should be multipart/form-data.") from None
    return parts


def _file_part(part: File) -> FormPart:
    with part.file_object as content:
        data = content.read()
    return FormPart(
        (part.field_name or b"").decode("utf-8", "replace"),
        (part.file_name or b"").decode("utf-8", "replace"),
        part.content_type,
        data,
    )


def complete(call: Call) -> Answer:
    """POST /v1/file_uploads/{id}/complete."""
    upload = find_upload(call.store, call.params["file_upload_id"])
    if upload.mode != "multi_part" or upload.complete:
        raise invalid(f"File upload {upload.id} cannot be completed.")
    missing = [
        number
        for number in range(1, upload.total_parts + 1)
        if number not in upload.parts
    ]
    if missing:
        raise invalid(
            f"File upload {upload.id} lacks part {missing[0]} of {upload.total_parts}."
        )
    if any(
        len(upload.parts[number]) < SMALLEST_PART
        for number in range(1, upload.total_parts)
    ):
        raise invalid(
            f"Every part but the last should be at least {SMALLEST_PART} bytes."
        )
    upload.complete = True
    return shown(call, upload)


def retrieve(call: Call) -> Answer:
    """GET /v1/file_uploads/{id}; an import from an external address is done by the time it is asked about."""
    upload = find_upload(call.store, call.params["file_upload_id"])
    _import_external(upload)
    return shown(call, upload)


def _import_external(upload: Upload) -> None:
    upload.complete = upload.complete or upload.mode == "external_url"


def list_uploads(call: Call) -> Answer:
    """GET /v1/file_uploads, newest first."""
    status = call.request.first("status")
    if status is not None and status not in STATUSES:
        raise should_be(
            "query.status", "`pending`, `uploaded`, `expired`, or `failed`", status
        )
    for upload in uploads(call.store).values():
        _import_external(upload)
    newest_first = [
        upload.id
        for upload in reversed(uploads(call.store).values())
        if status is None or status_of(call.store, upload) == status
    ]
    ids, cursor = paginate(call, newest_first)
    return {
        "object": "list",
        "results": [shown(call, uploads(call.store)[upload_id]) for upload_id in ids],
        "next_cursor": cursor,
        "has_more": cursor is not None,
        "type": "file_upload",
        "file_upload": {},
    }


def list_custom_emojis(call: Call) -> Answer:
    """GET /v1/custom_emojis: the workspace has none of its own."""
    return {
        "object": "list",
        "type": "custom_emoji",
        "results": [],
        "has_more": False,
        "next_cursor": None,
    }


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/custom_emojis", list_custom_emojis, "custom_emojis.list"),
    Route(
        "POST",
        "/v1/file_uploads",
        create,
        "file_uploads.create",
        "insert",
        True,
        frozenset(
            {"mode", "filename", "content_type", "number_of_parts", "external_url"}
        ),
    ),
    Route("GET", "/v1/file_uploads", list_uploads, "file_uploads.list"),
    Route(
        "POST",
        "/v1/file_uploads/{file_upload_id}/send",
        send,
        "file_uploads.send",
        "insert",
        True,
        raw=True,
    ),
    Route(
        "POST",
        "/v1/file_uploads/{file_upload_id}/complete",
        complete,
        "file_uploads.complete",
        "insert",
        True,
    ),
    Route(
        "GET", "/v1/file_uploads/{file_upload_id}", retrieve, "file_uploads.retrieve"
    ),
)
