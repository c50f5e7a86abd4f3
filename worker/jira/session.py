"""The connection to Jira: the `jira` package's session, held to reading, to one host, and to time and size.

The package gives authentication and metadata; pages of issues are asked for directly, because its own paging takes one
page for the whole and loops on repeated tokens (docs/facts/jira-api.md 1.4).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from jira import JIRA
from pydantic import SecretStr
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import ProxyManager
from urllib3.exceptions import HTTPError

from worker.config import JiraSettings
from worker.domain.messages import message
from worker.errors import ApiError, Denied, Missing, Rejected, Transient, Unreachable
from worker.http.body import ACCEPT_ENCODING, LIMIT, Garbled, Slow, TooLarge, read_body
from worker.http.budget import SharedBudget
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.obstacles import judge_product
from worker.http.page_sizes import PageSizes
from worker.http.retry import Policy, Setback
from worker.http.route import Route, find_route
from worker.http.tally import Tally
from worker.http.token import secret_from
from worker.jira.damage import mark_damage
from worker.jira.errors import (
    API,
    Call,
    Forbidden,
    Oversized,
    check_answer,
    translate_failure,
)

T = TypeVar("T")
CONNECT_SECONDS = 10.0
CHUNK = 65_536
OTHER_DEPLOYMENT = (
    message("{host} is a Jira of the other kind"),
    message(
        'write deployment = "{kind}" into the table {side}, with its kind of token'
    ),
)


class _Deployment(msgspec.Struct, frozen=True):
    deploymentType: str | None = None  # noqa: N815 - Jira's own name


_DEPLOYMENT = msgspec.json.Decoder(_Deployment)
# Every POST that only reads. Whatever else would change something, and is refused before it leaves.
_READING_POSTS = re.compile(
    r"/rest/api/(2|3)/(search|search/jql|search/approximate-count|jql/parse|issue/bulkfetch|changelog/bulkfetch|"
    r"worklog/list)"
)


class RoutedAdapter(HTTPAdapter):
    """Connections that check certificates as a route says, to the service and to its proxy; never repeats by itself."""

    def __init__(self, route: Route) -> None:
        self._context = route.context(API)
        schemes = ("http", "https") if route.proxy else ()
        self._proxies = dict.fromkeys(schemes, route.proxy)
        super().__init__(max_retries=0, pool_maxsize=4)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        """Return the pool behind a proxy."""
        manager: ProxyManager = super().proxy_manager_for(
            proxy, ssl_context=self._context, proxy_ssl_context=self._context, **kwargs
        )
        return manager

    def send(
        self, request: requests.PreparedRequest, *given: Any, **named: Any
    ) -> requests.Response:
        """Send one request the way of the route, whatever proxies the session would use."""
        return super().send(request, *given, **{**named, "proxies": self._proxies})


class ReadingAdapter(BaseAdapter):
    """Sends through `inner` what only reads from the one host, bodies read whole within `seconds` and `limit`."""

    def __init__(
        self,
        inner: BaseAdapter,
        base_url: str,
        *,
        seconds: float,
        deadline: Deadline,
        monotonic: Callable[[], float] = time.monotonic,
        limit: int = LIMIT,
    ) -> None:
        super().__init__()
        self._inner = inner
        self._seconds = seconds
        self._deadline = deadline
        self._monotonic = monotonic
        self._limit = limit
        self.clocks = Clocks()
        self._origin = _origin(base_url)
        self._root = urlsplit(base_url).path.rstrip("/")
        self.tally = Tally()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - their signature
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request and return its answer, read to the end."""
        self._check(request)
        seconds = min(self._seconds, self._deadline.remaining())
        if seconds <= 0:
            raise requests.ConnectTimeout("no time left", request=request)
        ends = self._monotonic() + seconds
        request.headers["Accept-Encoding"] = ACCEPT_ENCODING
        self.tally.note_sent()
        response = self._inner.send(
            request,
            stream=True,
            timeout=(min(CONNECT_SECONDS, seconds), seconds),
            verify=verify,
            cert=cert,
            proxies={},
        )
        self.clocks.note(API, response.headers)
        self.tally.note_answer(response.status_code)
        try:
            self._read(response, ends)
        finally:
            response.close()
        return response

    def _check(self, request: requests.PreparedRequest) -> None:
        method = request.method or ""
        url = request.url or ""
        if _origin(url) != self._origin:
            raise Forbidden("a request to another host was refused")
        path = urlsplit(url).path.removeprefix(self._root)
        if method != "GET" and not (
            method == "POST" and _READING_POSTS.fullmatch(path)
        ):
            raise Forbidden(f"Jira is only read: {method} {path} was refused")

    def _read(self, response: requests.Response, ends: float) -> None:
        try:
            body = read_body(
                _chunks(response.raw),
                response.headers,
                limit=self._limit,
                expired=lambda: self._monotonic() > ends,
            )
        except Slow as error:
            raise requests.ReadTimeout(str(error)) from None
        except TooLarge as error:
            raise Oversized(str(error)) from None
        except (Garbled, HTTPError) as error:
            raise requests.exceptions.ChunkedEncodingError(
                f"{type(error).__name__}: the answer broke off"
            ) from None
        # What `Response.content` would do itself, without a total time or size.
        setattr(response, "_content", body)  # noqa: B010
        setattr(response, "_content_consumed", True)  # noqa: B010

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _chunks(raw: Any) -> Iterator[bytes]:
    while chunk := raw.read1(CHUNK):
        yield chunk


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


class JiraSession:
    """One authenticated session; every call of it is retried by one policy and fails as one of the five errors."""

    def __init__(
        self,
        settings: JiraSettings,
        *,
        adapter: BaseAdapter | None,
        monotonic: Callable[[], float],
        policy: Policy,
        sizes: PageSizes,
    ) -> None:
        self.sizes = sizes
        self._budget: SharedBudget | None = None
        token = secret_from(settings.token, settings.token_file)
        self.cloud = settings.deployment == "cloud"
        self.base_url = settings.base_url.rstrip("/")
        route = find_route(settings)
        self._place = route.place(API, self.base_url)
        self._secrets = (token.get_secret_value(), *route.secrets)
        self._policy = policy
        self._adapter = ReadingAdapter(
            adapter or RoutedAdapter(route),
            self.base_url,
            seconds=settings.timeout,
            deadline=policy.deadline,
            monotonic=monotonic,
        )
        self._jira = _connect(settings, token, self._adapter)
        self._root = f"{self.base_url}/rest/api/{'3' if self.cloud else '2'}"

    @property
    def tally(self) -> Tally:
        """Return the count of what went out."""
        return self._adapter.tally

    def oversee(self, budget: SharedBudget, clocks: Clocks) -> None:
        """Regard the pauses of other processes, and let `clocks` hear what time it is there."""
        self._budget = budget
        self._adapter.clocks = clocks

    def for_heavy(self, attempts: int | None) -> JiraSession:
        """Return the same session that tries what is `TooHeavy` so often, as `Policy.for_heavy`."""
        session = copy(self)
        session._policy = self._policy.for_heavy(attempts)
        return session

    def close(self) -> None:
        """Close the connections."""
        self._jira.close()  # type: ignore[no-untyped-call]

    def ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> T:
        """Return `read(content)` of one answer below `/rest/api/N`, or of a whole path of the site; content that cannot be read is asked for again.

        `headers` go over the usual ones (None: left out).
        """
        call = Call(f"{method} {path}", self._place, self._secrets)

        def send() -> bytes:
            data = None if body is None else msgspec.json.encode(body)
            return self._content(
                call,
                method,
                self._url(path),
                params=dict(params or {}),
                data=data,
                headers=headers,
                auth=None if headers is None else _as_anybody,
            )

        return self._policy.run(
            lambda: self._guarded(call, lambda: _read(send(), read))
        )

    def diagnose(self, refusal: ApiError) -> ApiError:
        """Return why a site refused what was asked of it first: it may be no Jira, or one of the other kind.

        Source: `serverInfo` answers anybody, on both kinds (docs/facts/jira-api.md 4).
        """
        if refusal.status is None:  # our own: nobody was asked
            return refusal
        try:
            info = self.ask(
                "GET",
                "/rest/api/2/serverInfo",
                _DEPLOYMENT.decode,
                headers={"Authorization": None},
            )
        except (Missing, Rejected):
            if isinstance(refusal, Denied):
                return refusal
            return self._place.fails(refusal.request, judge_product(self._place))
        except Unreachable as error:
            return error
        except ApiError:
            return refusal
        is_cloud = info.deploymentType == "Cloud"
        if not info.deploymentType or is_cloud == self.cloud:
            return refusal
        kind = "cloud" if is_cloud else "datacenter"
        obstacle = self._place.tell(*OTHER_DEPLOYMENT, kind=kind)
        return self._place.fails(refusal.request, obstacle)

    def _guarded(self, call: Call, attempt: Callable[[], T]) -> T:
        """Make one attempt, unless this or another process was asked to wait; what fails is a `Setback`."""
        self._wait_with_others(call)
        try:
            return attempt()
        except Setback as asked:
            if asked.wait and self._budget is not None:
                self._budget.pause(asked.wait)
            raise
        except (
            requests.RequestException,
            HTTPError,
            Forbidden,
            msgspec.DecodeError,
            ValueError,
            RecursionError,
        ) as error:
            setback = translate_failure(error, call)
        raise setback

    def _wait_with_others(self, call: Call) -> None:
        pause = self._budget.paused() if self._budget is not None else 0.0
        if pause > 0:
            asked = f"asked to wait {pause:.0f} s, of another process"
            error = Transient(API, call.name, asked, retry_after=pause)
            raise Setback(error, again=True, wait=pause)

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self.base_url}{path}"
        return f"{self._root}/{path}"

    def _content(self, call: Call, method: str, url: str, **given: Any) -> bytes:
        # Around the package's own `request`: that repeats, and fails on error bodies that are no objects.
        response = requests.Session.request(
            self._jira._session, method, url, allow_redirects=False, **given
        )
        check_answer(response, call)
        return response.content


def _as_anybody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Sign a request with nothing."""
    return request


def _read(content: bytes, read: Callable[[bytes], T]) -> T:
    """Return `read(content)`; damaged text in it does not keep the rest from being read."""
    try:
        return read(content)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeError):
        marked = mark_damage(content)
        if marked == content:
            raise
    return read(marked)


def _connect(settings: JiraSettings, token: SecretStr, adapter: ReadingAdapter) -> JIRA:
    """Return the package's client without asking Jira anything; its retries, redirects, proxies and cookies are off."""
    secret = token.get_secret_value()
    by_name = (
        {"basic_auth": (settings.email, secret)}
        if settings.deployment == "cloud"
        else {"token_auth": secret}
    )
    jira = JIRA(
        options={
            "server": settings.base_url.rstrip("/"),
            "check_update": False,
            "rest_api_version": "3" if settings.deployment == "cloud" else "2",
        },
        get_server_info=False,
        max_retries=0,
        timeout=settings.timeout,
        logging=False,
        **by_name,
    )
    session = jira._session
    session.trust_env = False
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return jira


__all__ = ["API", "JiraSession", "ReadingAdapter", "Setback"]
