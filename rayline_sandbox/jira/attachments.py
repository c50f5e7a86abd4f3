"""Files at issues: sent in parts of a form, told of, read, dropped."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File, parse_form

from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.model import Attachment, Json
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import BOTH, CLOUD, SERVER, Outcome, Route, table
from rayline_sandbox.jira.site import Call, Site
from rayline_sandbox.wire import Response

UPLOAD_LIMIT = 10_485_760
_PLAIN = "application/octet-stream"


def get_settings(site: Site, call: Call) -> Json:
    """Answer whether files may be attached, and how large."""
    return {"enabled": True, "uploadLimit": UPLOAD_LIMIT}


def add_attachments(site: Site, call: Call) -> list[Json]:
    """Attach the files of a form; 403 without the header that tells a client from a web page."""
    issue = site.issue(call.parameters["issue"])
    if call.request.headers.get("x-atlassian-token") not in ("no-check", "nocheck"):
        raise Refusal(403, "XSRF check failed")
    files = _files(call)
    if not files:
        raise Refusal(
            400,
            "The form holds no part called 'file': send each file in one of this name.",
        )
    made = []
    for name, kind, content in files:
        if len(content) > UPLOAD_LIMIT:
            raise Refusal(
                413,
                f"The file {name} is larger than the {UPLOAD_LIMIT} bytes a file may have.",
            )
        file = Attachment(
            id=site.store.counters.take("attachment"),
            issue=issue.id,
            name=name,
            kind=kind,
            author=site.me.account,
            created=site.now(),
            content=content,
        )
        made.append(file)
    site.store.attachments |= {each.id: each for each in made}
    renderer = Renderer(site, call)
    return [renderer.attachment(each) for each in made]


def _files(call: Call) -> Sequence[tuple[str, str, bytes]]:
    """Return name, type and content of each file of a form; 415 for a body that is none."""
    kind = call.request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise Refusal(
            415,
            "The request body should be multipart/form-data, with a boundary that fits.",
        )
    files: list[tuple[str, str, bytes]] = []

    def keep(file: File) -> None:
        if file.field_name == b"file":
            file.file_object.seek(0)
            name = (file.file_name or b"").decode(errors="replace")
            content = file.file_object.read()
            files.append((name, file.content_type or _PLAIN, content))

    headers = {"Content-Type": kind.encode()}
    try:
        parse_form(headers, BytesIO(call.request.body), None, keep)
    except FormParserError:
        raise Refusal(
            400,
            "The request body should be multipart/form-data, with a boundary that fits.",
        ) from None
    return files


def _attachment_of(site: Site, call: Call) -> Attachment:
    ref = call.parameters["attachment"]
    file = site.store.attachments.get(as_identity(ref) or 0)
    if file is None:
        raise missing("attachment", ref)
    site.issue(file.issue)
    return file


def get_attachment(site: Site, call: Call) -> Json:
    """Answer what is told of a file; its number is one here, not a text."""
    file = _attachment_of(site, call)
    return {**Renderer(site, call).attachment(file), "id": file.id}


def get_content(site: Site, call: Call) -> Response:
    """Answer the bytes of a file."""
    file = _attachment_of(site, call)
    named = f'attachment; filename="{file.name}"'
    headers = {"content-type": file.kind, "content-disposition": named}
    return Response(200, headers, file.content)


def delete_attachment(site: Site, call: Call) -> Outcome:
    """Drop a file."""
    del site.store.attachments[_attachment_of(site, call).id]
    return Outcome(204)


ROUTES = (
    *table({"GET attachment/content/{attachment}": get_content}, on=CLOUD),
    Route("GET", "secure/attachment/{attachment}/{name}", get_content, SERVER, root=""),
    *table(
        {
            "GET attachment/meta": get_settings,
            "POST issue/{issue}/attachments": add_attachments,
            "GET attachment/{attachment}": get_attachment,
            "DELETE attachment/{attachment}": delete_attachment,
        },
        on=BOTH,
    ),
)
