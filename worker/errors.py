"""Every way a run can go wrong, as values.

Errors carry fields; they become prose in one place (`worker.cli.prose`). Two kinds live here:

* `Problem`: one thing a person should know of (a bad record, a missing property). Collected, never raised.
* exceptions: what stops a call, a change or a run. The five API errors are the only ones that leave a gateway.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad a `Problem` is: `error` stops what needs the thing, `warning` and `info` do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Problem(msgspec.Struct, frozen=True, order=True, gc=False, kw_only=True):
    """One thing wrong, named so that a person can find and mend it.

    `code` is stable and machine-readable (`bad-date`, `duplicate-key`, `unmatched-card`, ...); `where` names the file,
    page, issue or row; `field` the key or property, empty when it is the whole thing; `message` is one plain English
    sentence and `hint` the way out; `url` opens the place when there is one.
    """

    code: str
    where: str
    field: str = ""
    message: str = ""
    hint: str = ""
    url: str = ""
    severity: Severity = Severity.WARNING


FAULTS = frozenset({"rule-failed", "page-failed"})
"""Codes of problems that are faults of this program: the run went on without that rule or page."""


class RaylineError(Exception):
    """The root of every error this program raises on purpose."""


class ConfigError(RaylineError):
    """Configuration, mappings or credentials cannot be used; holds every problem found, not just the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(
            "; ".join(f"{p.where}: {p.field}: {p.message}" for p in problems)
        )
        self.problems = problems


class Busy(RaylineError):
    """Another process holds the workspace's lease."""

    def __init__(self, workspace: str, holder: str) -> None:
        super().__init__(f"workspace {workspace} is being synced by {holder}")
        self.workspace = workspace
        self.holder = holder


class AlreadyRunning(Busy):
    """A workspace has a daemon, `since` an instant (None: it has just ended); `is_loss` when it took over from us."""

    def __init__(
        self,
        workspace: str,
        holder: str,
        *,
        since: datetime | None,
        is_loss: bool = False,
    ) -> None:
        super().__init__(workspace, holder)
        self.since = since
        self.is_loss = is_loss


class Stopped(RaylineError):
    """The process was asked to end before anything was written."""


class ApiError(RaylineError):
    """An answer (or the lack of one) from Notion or Jira, translated once at the gateway's edge.

    `api` is `notion` or `jira`; `request` names method and path without query or secrets; `detail` holds at most 200
    redacted characters of what the server said.
    """

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{api}: {request}: {detail}".rstrip(": "))
        self.api = api
        self.request = request
        self.detail = detail
        self.status = status
        self.request_id = request_id


class Transient(ApiError):
    """Did certainly not happen and may be tried again; `retry_after` in seconds when the server named it."""

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.retry_after = retry_after


class Denied(ApiError):
    """Wrong or expired credentials, or a missing capability (401, 403)."""


class Missing(ApiError):
    """No such thing, or not shared with this connection (404, 410): the APIs do not tell the two apart."""


class Rejected(ApiError):
    """The server understood and refused the content (400, 409, 422); `field` names the property if known."""

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        field: str = "",
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.field = field


class Unknown(ApiError):
    """The outcome of an unsafe call is not known (time-out, 5xx, dropped connection): it may or may not have happened.

    `committed_id` is the id Notion reports in a saved-but-503 answer (docs/facts/notion-api.md 5.5), else empty.
    """

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        committed_id: str = "",
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.committed_id = committed_id


class Incomplete(RaylineError):
    """A read did not see everything (truncated query, repeated token, clipped list): absence proves nothing."""

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"{scope}: {reason}")
        self.scope = scope
        self.reason = reason
