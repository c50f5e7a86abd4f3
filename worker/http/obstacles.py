"""What stands between this program and a service, told by kind: what waiting does not mend, with its way out.

Both HTTP libraries wrap what happened in errors of their own, several deep; what is known of the cause is at the bottom.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from worker.domain.messages import NOTHING, Text, message, tell
from worker.errors import Unreachable
from worker.http.secrets import redact


@dataclass(frozen=True, slots=True)
class Place:
    """Which service is asked, and how: `api` is also its table of the configuration, `proxy` the host on the way."""

    api: str
    base_url: str
    proxy: str = ""

    @property
    def host(self) -> str:
        """Return the service's host, with its port if that is not the usual one."""
        return urlsplit(self.base_url).netloc

    def fails(
        self, request: str, obstacle: Obstacle, *, status: int | None = None
    ) -> Unreachable:
        """Return the error of a request that met an obstacle."""
        return Unreachable(
            self.api, request, obstacle.fault, way_out=obstacle.way_out, status=status
        )

    def tell(self, fault: str, way_out: str, **values: object) -> Obstacle:
        """Return an obstacle on the way to this place, from two patterns."""
        named = {
            "service": self.api.capitalize(),
            "side": self.api,
            "host": self.host,
            "proxy": self.proxy,
            **values,
        }
        return Obstacle(_filled(fault, named), _filled(way_out, named))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is in the way, and what to do: two sentences."""

    fault: Text
    way_out: Text


def _filled(pattern: str, values: Mapping[str, object]) -> Text:
    if not pattern:
        return NOTHING
    used = {name: value for name, value in values.items() if f"{{{name}}}" in pattern}
    return tell(pattern, **used)


# Certificates, by the numbers of X509_V_ERR in OpenSSL's x509_vfy.h.

_UNTRUSTED = (
    message("the certificate of {host} is signed by an authority that is not known"),
    message(
        "put the certificate of that authority (PEM) into a file and name it in {side}.ca_file"
    ),
)
_OTHER_HOST = (
    message("the certificate of {host} is of another host"),
    message("write the name that stands in the certificate into {side}.base_url"),
)
CERTIFICATES: Mapping[int, tuple[str, str]] = {
    2: _UNTRUSTED,
    9: (
        message("the certificate of {host} is not valid yet"),
        message("look at the clock of this machine, and at that of the server"),
    ),
    10: (
        message("the certificate of {host} has expired"),
        message("have it renewed on the server; look at the clock of this machine"),
    ),
    18: (
        message("the certificate of {host} is signed by itself"),
        message(
            "if it is the right one, put it (PEM) into a file and name that in {side}.ca_file"
        ),
    ),
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: _UNTRUSTED,
    62: _OTHER_HOST,
    64: _OTHER_HOST,
}
_REFUSED_CERTIFICATE = (
    message("the certificate of {host} is not accepted: {reason}"),
    message("have it mended on the server, or correct {side}.ca_file"),
)
_NO_TLS = (
    message("what answers at {host} speaks no TLS"),
    message(
        "correct the port in {side}.base_url, or write http:// where the server is on this machine"
    ),
)
_ONLY_TLS = (
    message("what answers at {host} speaks TLS only"),
    message("write https:// in {side}.base_url"),
)
_NO_TLS_REASONS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
    }
)
"""What OpenSSL's versions call an answer that is no TLS."""
_TLS_ALERT = re.compile(r"\\x1[56]\\x03|^illegal request line$")
"""What libraries say of a TLS record where a status line was expected: urllib3 quotes its bytes, h11 does not."""
_WANTS_TLS = re.compile(
    r"plain HTTP|HTTP request to an HTTPS|SSL-enabled|HTTPS port", re.IGNORECASE
)
"""What nginx, Apache and Go say to http at an https port."""

# The way: names and proxies.

_NO_SUCH_HOST = (
    message("there is no host {host}"),
    message("correct {side}.base_url, or look at the name service of this machine"),
)
_NO_SUCH_PROXY = (message("there is no proxy {proxy}"), message("correct {side}.proxy"))
_NO_PROXY = (
    message("the proxy {proxy} does not answer"),
    message("correct {side}.proxy, or look whether it runs"),
)
_PROXY_WANTS_LOGIN = (
    message("the proxy {proxy} wants a name and a password, or refused those it got"),
    message(
        "put http://NAME:PASSWORD@HOST:PORT into a file of its own and name it in {side}.proxy_file"
    ),
)
_PROXY_REFUSES = (
    message("the proxy {proxy} does not let anybody through to {host} (status {code})"),
    message("have the proxy let it through, or correct {side}.proxy"),
)
_UNKNOWN_NAMES = frozenset(
    {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
)
"""There is no such name, other than EAI_AGAIN: the name service does not answer now."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})|^(\d{3}) ")
PROXY_LOGIN = 407

# Who else answers.

_LOGIN_PAGE = (
    message("a login page answered instead of {service}"),
    message(
        "the token or the address is wrong: check {side}.token and {side}.base_url; where a single sign-on stands before "
        "the server, have it let this token through"
    ),
)
_OTHER_PAGE = (
    message("a web page answered instead of {service}: {title}"),
    message(
        "check {side}.base_url; a portal, firewall or proxy of the network may stand between"
    ),
)
_REDIRECTED = (
    message("{host} sends to another address: {target}"),
    message("write the address that answers into {side}.base_url"),
)
_PORTAL = (
    message("the network wants somebody to sign in before it lets anything through"),
    message("sign in to the network of this machine, or use another"),
)
_OTHER_PRODUCT = (
    message("what answers at {host} is not {service}"),
    message("correct {side}.base_url: host, port and path"),
)
PORTAL = 511
_LOGIN = re.compile(
    r"login\.jsp|log-?in|log on|sign-?in|sign in|signon|os_username|SAMLRequest|/saml|/sso|/oauth2?/|/adfs|"
    r"type=[\"']?password",
    re.IGNORECASE,
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|<head)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HTML = ("text/html", "application/xhtml+xml")
_LOOKED_AT = 20_000
"""How many bytes of a page are looked at for what it is."""


def find_obstacle(error: BaseException, place: Place) -> Obstacle | None:
    """Return what a connection failed of, if waiting does not mend it."""
    causes = list(_causes(error))
    for cause in causes:
        found = _of_tls(cause, place) or _of_names(cause, place)
        if found is not None:
            return found
    if place.proxy:
        return _of_proxy(causes, place)
    return None


def find_proxy_failure(error: BaseException) -> int | None:
    """Return the status with which a proxy refused to make a tunnel."""
    for cause in _causes(error):
        match = _TUNNEL.search(str(cause))
        if match is not None and "roxy" in _names(error):
            return int(match[1] or match[2])
    return None


def is_refused(error: BaseException) -> bool:
    """Tell whether nobody listens at the address."""
    return any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error))


def _names(error: BaseException) -> str:
    return " ".join(type(cause).__name__ for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came of: as Python links them, and as urllib3 and requests keep them."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        linked = (
            cause.__cause__,
            cause.__context__,
            getattr(cause, "reason", None),
            getattr(cause, "original_error", None),
            *cause.args,
        )
        waiting += [one for one in linked if isinstance(one, BaseException)]


def _of_tls(cause: BaseException, place: Place) -> Obstacle | None:
    match cause:
        case ssl.SSLCertVerificationError():
            patterns = CERTIFICATES.get(cause.verify_code, _REFUSED_CERTIFICATE)
            return place.tell(*patterns, reason=cause.verify_message)
        case ssl.SSLError() if cause.reason in _NO_TLS_REASONS:
            return place.tell(*_NO_TLS)
        case _ if _TLS_ALERT.search(str(cause)):
            return place.tell(*_ONLY_TLS)
    return None


def _of_names(cause: BaseException, place: Place) -> Obstacle | None:
    if isinstance(cause, socket.gaierror) and cause.errno in _UNKNOWN_NAMES:
        return place.tell(*(_NO_SUCH_PROXY if place.proxy else _NO_SUCH_HOST))
    return None


def _of_proxy(causes: list[BaseException], place: Place) -> Obstacle | None:
    code = find_proxy_failure(causes[0])
    if code is not None:
        return judge_proxy(code, place)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return place.tell(*_NO_PROXY)
    return None


def judge_proxy(code: int, place: Place) -> Obstacle | None:
    """Return what a proxy's refusal means; None when it only cannot get through now."""
    if code == PROXY_LOGIN:
        return place.tell(*_PROXY_WANTS_LOGIN)
    if code < 500:
        return place.tell(*_PROXY_REFUSES, code=code)
    return None


def find_stranger(
    status: int, headers: Mapping[str, str], body: bytes, place: Place
) -> Obstacle | None:
    """Return who else answered than the service, if waiting does not make it answer; `headers` finds names in any case.

    A page of an error that passes (5xx) is none, nor is one beside 401, 403 and 404, which the services also say so.
    """
    if status == PROXY_LOGIN:
        return judge_proxy(status, place)
    if status == PORTAL:
        return place.tell(*_PORTAL)
    text = body[:_LOOKED_AT].decode("utf-8", "replace")
    if 300 <= status < 400:
        return _redirected(headers.get("location", ""), place)
    if status == 400 and _WANTS_TLS.search(text):
        return place.tell(*_ONLY_TLS)
    if 200 <= status < 300 and is_page(headers, body):
        return judge_page(text, place)
    return None


def is_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether an answer is a page for people."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in _HTML or _PAGE.match(body) is not None


def judge_page(text: str, place: Place) -> Obstacle:
    """Return what a page for people says that stands where data was asked for."""
    if _LOGIN.search(text):
        return place.tell(*_LOGIN_PAGE)
    title = _TITLE.search(text)
    return place.tell(*_OTHER_PAGE, title=redact(title[1] if title else "?"))


def judge_product(place: Place) -> Obstacle:
    """Return that something answers which is not the service."""
    return place.tell(*_OTHER_PRODUCT)


def _redirected(target: str, place: Place) -> Obstacle:
    if _LOGIN.search(target):
        return place.tell(*_LOGIN_PAGE)
    try:
        parts = urlsplit(target)
    except ValueError:
        parts = urlsplit("")
    # The host alone: what stands behind it may hold a secret.
    where = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "?"
    return place.tell(*_REDIRECTED, target=redact(where))
