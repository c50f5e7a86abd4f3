"""From a request to an answer: API roots, deployments, authentication, limits, faults, and the error envelope."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rayline_sandbox.faults import BEFORE, FaultPlan, spoil
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.faults import ERRORS
from rayline_sandbox.jira.limits import Limiter
from rayline_sandbox.jira.routes import Outcome, Route
from rayline_sandbox.jira.site import Call, Site
from rayline_sandbox.routing import Routes
from rayline_sandbox.server_date import ServerDate
from rayline_sandbox.wire import Request, Response, json_response

_ROOTS = re.compile(
    r"(?:/ex/jira/[^/]+)?"
    r"(?:/rest/(?P<root>api|agile|software|auth|webhooks)/(?P<version>latest|1\.0|1|2|3))?/(?P<rest>.*)"
)
_VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "api": {"cloud": ("2", "3", "latest"), "datacenter": ("2", "latest")},
    "agile": {"cloud": ("1.0", "latest"), "datacenter": ("1.0", "latest")},
    "auth": {"cloud": (), "datacenter": ("1", "latest")},
    "software": {"cloud": ("1.0",), "datacenter": ()},
    "webhooks": {"cloud": ("1.0",), "datacenter": ("1.0",)},
}
_WRITES = frozenset({"POST", "PUT", "DELETE"})


class Router:
    """Finds the handler for a request and turns its answer or refusal into a response."""

    def __init__(
        self,
        site: Site,
        routes: Iterable[Route],
        *,
        email: str,
        token: str,
        limiter: Limiter,
        faults: FaultPlan,
        date: ServerDate,
    ) -> None:
        self._site = site
        self._date = date
        self._deployment = "cloud" if site.cloud else "datacenter"
        self._credentials = (email, token)
        self._limiter = limiter
        self._faults = faults
        self._table = Routes(
            (route.method, f"/{route.root}/{route.template}", route)
            for route in routes
            if self._deployment in route.on
        )

    def answer(self, request: Request) -> tuple[Response, str, str]:
        """Return the response, the endpoint's name and what befell it (empty: nothing)."""
        route, call, others = self._find(request)
        endpoint = (
            f"{request.method} {route.root}:{route.template}"
            if route
            else f"{request.method} ?"
        )
        shapes = self._faults.shaping(request)
        rule = self._faults.strike(request)
        kinds = list(shapes)
        if rule is not None:
            kinds.append(rule.kind)
        befell = "+".join(kinds)
        if rule is not None and rule.kind in BEFORE:
            return BEFORE[rule.kind], endpoint, befell
        if rule is not None and rule.kind in ERRORS:
            fail = ERRORS[rule.kind]
            response = fail(rule, self._site.clock.now(), self._date.now())
            return response, endpoint, befell

        if call is not None:
            call.shapes = shapes
        response = self._guarded(request, route, call, endpoint=endpoint, others=others)
        if rule is not None:
            response = spoil(rule, response, now=self._date.now())
        return response, endpoint, befell

    def _find(self, request: Request) -> tuple[Route | None, Call | None, bool]:
        match = _ROOTS.fullmatch(request.path)
        if match is None:
            return None, None, False
        root = match["root"] or ""
        version = match["version"] or ""
        if root and version not in _VERSIONS[root][self._deployment]:
            return None, None, False
        path = f"/{root}/{match['rest']}"
        matched = self._table.find(request.method, path)
        if matched is None:
            return None, None, self._table.has_path(path)
        call = Call(
            request, dict(matched.params), 3 if version == "3" else 2, base_of(request)
        )
        return matched.endpoint, call, False

    def _guarded(
        self,
        request: Request,
        route: Route | None,
        call: Call | None,
        *,
        endpoint: str,
        others: bool,
    ) -> Response:
        try:
            self._authenticate(request, anonymous=route is not None and route.anonymous)
            if route is None or call is None:
                raise Refusal(
                    405 if others else 404,
                    f"{'Method not allowed' if others else 'No endpoint'} "
                    f"for {request.method} {request.path}",
                )
            issue = None
            if request.method in _WRITES:
                issue = call.parameters.get("issue")
            verdict = self._limiter.admit(endpoint, issue)
            if not verdict.allowed:
                raise Refusal(429, "Rate limit exceeded.", headers=verdict.headers)
            answer = route.handler(self._site, call)
            return _response(answer, verdict.headers)
        except Refusal as refusal:
            body = {"errorMessages": list(refusal.messages), "errors": refusal.errors}
            return json_response(refusal.status, body, refusal.headers)

    def _authenticate(self, request: Request, *, anonymous: bool) -> None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        scheme = scheme.casefold()
        if not self._site.cloud and scheme == "basic":
            raise Refusal(
                403, "Basic Authentication has been disabled on this instance."
            )
        if anonymous:
            return
        email, token = self._credentials
        expected = ("bearer", token)
        if self._site.cloud:
            expected = ("basic", _basic(email, token))
        if (scheme, value.strip()) != expected:
            raise Refusal(
                401,
                "Client must be authenticated to access this resource.",
                headers={"WWW-Authenticate": 'Basic realm="Jira"'},
            )


def _basic(email: str, token: str) -> str:
    joined = f"{email}:{token}"
    coded = base64.b64encode(joined.encode())
    return coded.decode()


def base_of(request: Request) -> str:
    """Return the address at which the site was called."""
    host = request.headers.get("host", "sandbox.invalid")
    local = host.split(":")[0] in ("localhost", "127.0.0.1", "[")
    scheme = request.headers.get("x-forwarded-proto") or ("http" if local else "https")
    return f"{scheme}://{host}"


def _response(answer: Any, headers: dict[str, str]) -> Response:
    if isinstance(answer, Response):
        return replace(answer, headers={**answer.headers, **headers})
    if isinstance(answer, Outcome):
        if answer.value is None:
            return Response(
                answer.status,
                {"content-type": "application/json;charset=UTF-8", **headers},
            )
        return json_response(answer.status, answer.value, headers)
    return json_response(200, answer, headers)
