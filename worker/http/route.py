"""The way to a service: whom its certificate is checked by, and through which proxy it is reached.

One host is reached one way, so that both HTTP libraries are given the same two things, and nothing else of the environment
reaches them: never the credentials of a .netrc.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from requests.utils import get_environ_proxies, select_proxy

from worker.config import Connection
from worker.http.obstacles import Place
from worker.http.token import secret_from

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name a file of certificates."""
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one service: `trusted` are certificates in PEM beside the usual ones, `proxy` an address that may hold a
    password, empty when there is none."""

    trusted: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)

    def context(self, api: str) -> ssl.SSLContext:
        """Return what checks the certificates of one service; the libraries change it, so that no two share one."""
        return _context(self.trusted, api)

    def place(self, api: str, base_url: str) -> Place:
        """Return where a service is, as faults on the way tell it."""
        return Place(api, base_url, _host(self.proxy))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what of this must not be shown."""
        return passwords_in(self.proxy)


def find_route(settings: Connection) -> Route:
    """Return the way to a service; OSError and ValueError when a file that is named cannot be used."""
    files = [] if settings.ca_file is None else [settings.ca_file]
    proxy = secret_from(settings.proxy, settings.proxy_file).get_secret_value()
    if settings.trust_env:
        files += _bundles()
        proxy = proxy or proxy_of_environment(settings.base_url)
    return Route("\n".join(map(read_certificates, files)), proxy)


def read_certificates(file: Path) -> str:
    """Return the certificates in a file, as PEM; OSError when it cannot be read, ValueError when it holds none."""
    certificates = "\n".join(_CERTIFICATE.findall(file.read_text("utf-8", "replace")))
    if not certificates:
        raise ValueError("no certificate in it")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=certificates
        )
    except ssl.SSLError as error:
        # An OSError, but of what stands in the file.
        raise ValueError(error.reason or "damaged") from None
    return certificates


def passwords_in(proxy: str) -> tuple[str, ...]:
    """Return the password in the address of a proxy, as typed and as meant."""
    typed = urlsplit(proxy).password or ""
    return tuple({one for one in (typed, unquote(typed)) if one})


def _bundles() -> Iterator[Path]:
    named = {os.environ.get(name, "") for name in BUNDLES}
    for file in sorted(filter(None, named)):
        if Path(file).is_file():
            yield Path(file)


def proxy_of_environment(url: str) -> str:
    """Return the proxy that the usual variables name for an address, NO_PROXY regarded."""
    proxies = get_environ_proxies(url)
    named = select_proxy(url, proxies) or ""
    return named if "://" in named or not named else f"http://{named}"


def _host(proxy: str) -> str:
    parts = urlsplit(proxy)
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""


@lru_cache(maxsize=16)
def _context(trusted: str, _api: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if trusted:
        context.load_verify_locations(cadata=trusted)
    return context
