"""Plans made by hand, and a wire to the emulated Notion on which something happens while they are carried out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from board_rig import WORKSPACE, Board

from rayline_sandbox.wire import HandlerTransport, Request, Response, json_response
from worker.domain.values import Ref, Value
from worker.plan.facts import Why
from worker.plan.plan import Change, FieldChange, Kind, Plan
from worker.ports.notion import Notion
from worker.state import journal
from worker.state.transitions import Status

WHY = Why("test")
Before = Callable[[Request], Response | None]
After = Callable[[Request, Response], None]


def connect(
    board: Board,
    before: Before = lambda request: None,
    *,
    after: After = lambda request, response: None,
) -> Notion:
    """Return a gateway whose requests `before` sees as they arrive, and may answer, and `after` once they are answered."""

    def handle(request: Request) -> Response:
        response = before(request)
        if response is None:
            response = board.sandbox.handle(request)
        after(request, response)
        return response

    return board.connect(HandlerTransport(handle))


def refusal(message: str, *, status: int = 400) -> Response:
    """Return how Notion refuses a request in some words."""
    body = {
        "object": "error",
        "status": status,
        "code": "validation_error",
        "message": message,
        "request_id": "r",
    }
    return json_response(status, body)


def creates(request: Request) -> bool:
    """Tell whether a request makes a page."""
    return (request.method, request.path) == ("POST", "/v1/pages")


def writes(request: Request) -> bool:
    """Tell whether a request changes a page's cells."""
    return request.method == "PATCH" and request.path.startswith("/v1/pages/")


def sent_cells(request: Request) -> set[str]:
    """Return the ids of the columns that a request fills."""
    return set(msgspec.json.decode(request.body).get("properties", {}))


def plan(*changes: Change) -> Plan:
    """Return a plan of some changes, in this very order."""
    return Plan(WORKSPACE, changes)


def create(ref: Ref, **cells: Value) -> Change:
    """Return the creation of a row."""
    return Change(Kind.CREATE, ref, "", str(cells["name"]), _fields(cells))


def update(ref: Ref, page_id: str, **cells: Value) -> Change:
    """Return an update of a row."""
    return Change(Kind.UPDATE, ref, page_id, ref.key, _fields(cells))


def archive(
    ref: Ref, page_id: str, *, surplus: bool = False, why: Why | None = None
) -> Change:
    """Return the archive of a page: of a second row of its key, or for a reason of its own."""
    return Change(Kind.ARCHIVE, ref, page_id, ref.key, surplus=surplus, why=why)


def _fields(cells: dict[str, Value]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, None, value, WHY) for name, value in cells.items())


def status_of(board: Board, ref: Ref) -> Status | None:
    """Return how the journal knows a creation, None when it does not."""
    with board.store.reading(WORKSPACE) as tx:
        intent = journal.find(tx, ref)
    if intent is None:
        return None
    return intent.status
