"""The control API: plays people, moves the clock and injects faults over HTTP, for demos and tests in any language.

It can change everything without a token, so it is off unless asked, answers only to names of this machine (a page on
the web can point a name of its own at 127.0.0.1) and takes only `application/json` (which no foreign page can post
without a preflight that is never granted).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from rayline_sandbox.wire import Handler, Request, Response, json_response

PREFIX = "/_sandbox"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
WILDCARDS = frozenset({"0.0.0.0", "::"})
SHARED_ACTIONS = frozenset({"advance", "log", "counts", "faults"})
"""Actions asked without a side: `advance`, `log` and `counts` of both, `faults` of those its payload names."""

Action = Callable[[str, dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """A control request that is not carried out: `status` and a plain `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Control:
    """The routes below `/_sandbox`."""

    def __init__(self, notion: Action, jira: Action, *, enabled: bool = False) -> None:
        self._sides: Mapping[str, Action] = {"notion": notion, "jira": jira}
        self._enabled = enabled

    def around(self, handler: Handler) -> Handler:
        """Return a handler that keeps `/_sandbox` for itself and leaves the rest to `handler`."""

        def routed(request: Request) -> Response:
            if request.path == PREFIX or request.path.startswith(f"{PREFIX}/"):
                return self.handle(request)
            return handler(request)

        return routed

    def handle(self, request: Request) -> Response:
        """Carry out one control request."""
        try:
            return json_response(200, self._act(request))
        except Refused as refusal:
            return json_response(refusal.status, {"error": refusal.message})

    def _act(self, request: Request) -> dict[str, Any]:
        if not self._enabled:
            raise Refused(404, "the control API is off: start the sandbox with it")
        side, action = _route(request.path)
        payload = _payload(request)
        if side:
            return self._carry_out(side, action, payload)
        match action:
            case "advance":
                return self._advance(payload)
            case "faults":
                return self._faults(payload)
        return {name: self._carry_out(name, action, payload) for name in self._sides}

    def _faults(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Plan faults per side: the two know different kinds, so the payload names the side first."""
        strange = payload.keys() - self._sides.keys()
        if strange or not all(isinstance(part, dict) for part in payload.values()):
            raise Refused(
                400,
                'faults: {"notion": {"rules": [...]}, "jira": {"rules": [...]}}, either or both',
            )
        return {
            side: self._carry_out(side, "faults", part)
            for side, part in payload.items()
        }

    def _advance(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Move the time of both sides, once where they share a clock: then Jira has already followed Notion."""
        notion = self._carry_out("notion", "advance", payload)
        jira = self._carry_out("jira", "advance", {"seconds": 0})
        behind = (
            datetime.fromisoformat(notion["now"]) - datetime.fromisoformat(jira["now"])
        ).total_seconds()
        if behind > float(payload["seconds"]) / 2:
            jira = self._carry_out("jira", "advance", payload)
        return {"notion": notion, "jira": jira}

    def _carry_out(
        self, side: str, action: str, payload: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            return self._sides[side](action, payload)
        except Exception as error:
            # Whatever a payload breaks is the caller's: the emulator goes on.
            raise Refused(400, f"{side} {action}: {_words(error)}") from error


def _words(error: Exception) -> str:
    return (
        f"missing {error.args[0]!r}"
        if isinstance(error, KeyError) and error.args
        else str(error)
    )


def _route(path: str) -> tuple[str, str]:
    """Return side (empty: both) and action of a path."""
    match path.removeprefix(PREFIX).strip("/").split("/"):
        case ["notion" | "jira" as side, action] if action:
            return side, action
        case [action] if action in SHARED_ACTIONS:
            return "", action
        case _:
            raise Refused(404, f"no such control action: {path}")


def _payload(request: Request) -> dict[str, Any]:
    if request.method != "POST":
        raise Refused(405, "control actions are POST requests")
    if (
        request.headers.get("content-type", "").partition(";")[0].strip().lower()
        != "application/json"
    ):
        raise Refused(415, "control actions take application/json")
    try:
        return msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
    except RecursionError:
        raise Refused(400, "the JSON is nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, f"not a JSON object: {error}") from error


def hosts_allowed(handler: Handler, names: Collection[str]) -> Handler:
    """Return `handler` behind a check of the Host header: loopback names and `names` pass.

    A wildcard among `names` lets any Host see the pages; the control API stays with the names given.
    """
    allowed = LOOPBACK_NAMES | (frozenset(names) - WILDCARDS)
    any_host = not WILDCARDS.isdisjoint(names)

    def checked(request: Request) -> Response:
        known = host_name(request.headers.get("host", "")) in allowed
        if known or (any_host and not request.path.startswith(PREFIX)):
            return handler(request)
        return json_response(421, {"error": "this host name is not served here"})

    return checked


def host_name(header: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    if ":" in host:
        return host.rpartition(":")[0]
    return host
