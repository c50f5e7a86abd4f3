"""Coming in and going out: sign-in by token or one-time code, sign-out, and the choice of language and colours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from worker.domain.messages import Text, message, render, tell
from worker.web.access import Pass, Visitor
from worker.web.desk import SESSION, Desk, NotAllowed, desk_of
from worker.web.screens import LANGUAGE, LANGUAGES, THEME, THEMES, show, words_for

router = APIRouter(include_in_schema=False)
Here = Annotated[Desk, Depends(desk_of)]
YEAR = 366 * 24 * 3600
SPENT = message("this link was used already, or is too old")
LONGEST = 4_000
"""Signs of an address to come back to: it may hold a whole question."""


@router.get("/sign-in")
def ask(
    request: Request,
    desk: Here,
    code: Annotated[str, Query(max_length=200)] = "",
    back: Annotated[str, Query(max_length=LONGEST)] = "/",
) -> Response:
    """Ask for a token, or for a press on the button where a link brought a code: to look at the page uses up nothing.

    Who is in already is led on; a viewer may become an operator by a link.
    """
    visitor = desk.known(request)
    if visitor is not None and (visitor.may_act or not code):
        return RedirectResponse(own_path(back), 303)
    if code and desk.access.look_at(code) is Pass.NEVER:
        return _door(request, fault=tell(SPENT), back=back, status=401)
    return _door(request, code=code, back=back)


@router.post("/sign-in")
def sign_in(
    request: Request,
    desk: Here,
    token: Annotated[str, Form(max_length=1000)] = "",
    code: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(max_length=LONGEST)] = "/",
) -> Response:
    """Open a session for whoever shows a token or a code."""
    wait = desk.attempts.wait(desk.caller(request))
    if wait:
        answer = _door(
            request,
            fault=tell(
                "too many attempts failed; try again in {seconds} s", seconds=wait
            ),
            back=back,
            status=429,
        )
        answer.headers["retry-after"] = str(wait)
        return answer
    if code:
        visitor = desk.access.redeem(code)
        fault = tell(SPENT)
    else:
        visitor = desk.access.by_token(token.strip())
        fault = tell("nobody has this token")

    if visitor is None and code and desk.known(request) is not None:
        # The button was pressed twice, or again after a step back: the first press let them in.
        return RedirectResponse(own_path(back), 303)
    if visitor is None:
        desk.note_failure(request)
        return _door(request, fault=fault, back=back, status=401)
    answer = RedirectResponse(own_path(back), 303)
    answer.set_cookie(
        SESSION,
        desk.access.open_session(visitor),
        httponly=True,
        samesite="strict",
        secure=desk.settings.https,
        path="/",
    )
    return answer


@router.post("/sign-out")
def sign_out(
    request: Request, desk: Here, form_key: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """End the session."""
    visitor: Visitor = desk.visitor(request)
    if not desk.access.is_form_key(visitor, form_key):
        raise NotAllowed(is_forged=True)
    desk.access.close_session(request.cookies.get(SESSION, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(SESSION, path="/")
    return answer


@router.post("/preferences")
def prefer(
    desk: Here,
    language: Annotated[str, Form(max_length=20)] = "",
    theme: Annotated[str, Form(max_length=20)] = "",
    back: Annotated[str, Form(max_length=LONGEST)] = "/",
) -> Response:
    """Remember a language or colours in a cookie; nothing else hangs on them."""
    answer = RedirectResponse(own_path(back), 303)
    for cookie, value, known in (
        (LANGUAGE, language, LANGUAGES),
        (THEME, theme, THEMES),
    ):
        if value in known:
            answer.set_cookie(
                cookie,
                value,
                max_age=YEAR,
                httponly=True,
                samesite="strict",
                secure=desk.settings.https,
                path="/",
            )
    return answer


def own_path(path: str) -> str:
    """Return a path of this console, the overview for anything that leads elsewhere."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_own and path.isprintable() and "\\" not in path else "/"


def _door(
    request: Request,
    *,
    code: str = "",
    fault: Text | None = None,
    back: str = "/",
    status: int = 200,
) -> Response:
    words = words_for(request, None)
    reason = render(fault, words) if fault else ""
    is_lasting = desk_of(request).access.look_at(code) is Pass.ALWAYS
    values = {
        "code": code,
        "is_lasting": is_lasting,
        "fault": reason,
        "back": own_path(back),
    }
    return show(request, "sign_in.html", values, words=words, status=status)
