"""Where Notion and Jira tell of changes: a proven event wakes a look, and is believed in nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from worker.app.hearing import STATUS, Answer, hear
from worker.http.webhooks import Service
from worker.web.console import Here

router = APIRouter(include_in_schema=False)


async def raw_body(request: Request) -> bytes:
    """Return the body as it was sent: a signature is of its bytes."""
    return await request.body()


@router.post("/hooks/{service}/{workspace}")
def deliver(
    request: Request,
    desk: Here,
    workspace: str,
    service: Service,
    body: Annotated[bytes, Depends(raw_body)],
) -> JSONResponse:
    """Take one event in; the status tells what becomes of it. Who is not proven learns of no workspace."""
    context = desk.contexts().get(workspace)
    answer = (
        hear(context, service, body, dict(request.headers))
        if context is not None
        else Answer.NOT_SET_UP
    )
    return JSONResponse({"answer": answer.value}, STATUS[answer])
