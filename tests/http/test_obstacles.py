"""What stands between this program and a service, over real sockets, on both sides: told by kind, at once, with its way out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from rayline_sandbox.wire import Request, Response, json_response
from tests.support.certificates import Authority
from tests.support.network import Server, proxying, serving
from tests.support.waiting import LONG
from worker.cli.exits import USAGE, exit_code
from worker.cli.prose import explain
from worker.config import JiraSettings, NotionSettings
from worker.domain.messages import ENGLISH
from worker.errors import ApiError, Denied, Missing, Transient, Unknown, Unreachable
from worker.http.obstacles import Place, find_obstacle, find_stranger
from worker.jira.gateway import JiraGateway
from worker.locales import load_words
from worker.notion.gateway import NotionGateway

TOKEN = "canary-0123456789-abcdefgh"
PASSWORD = "canary/p%ssword"
TYPED = "canary%2Fp%25ssword"
AUTHORITY = Authority()
OTHERS = Authority("Somebody else", seed=2)


@dataclass(slots=True)
class Side:
    """One of the two services: how it is asked something small, and who answers."""

    name: str
    slept: list[float] = field(default_factory=list)

    def ask(self, base_url: str, **settings: Any) -> object:
        """Ask who one is, over the network."""
        given: dict[str, Any] = {
            "base_url": base_url,
            "token": SecretStr(TOKEN),
            "timeout": LONG,
            **settings,
        }
        if self.name == "jira":
            jira = JiraGateway(
                JiraSettings(email="rayline@example.net", **given),
                sleep=self.slept.append,
                random=Random(1),
            )
            return jira.server_info().account
        notion = NotionGateway(
            NotionSettings(**given), sleep=self.slept.append, random=Random(1)
        )
        return notion.me().id

    def fails(self, base_url: str, **settings: Any) -> ApiError:
        """Ask, and return the error."""
        with pytest.raises(ApiError) as caught:
            self.ask(base_url, **settings)
        return caught.value


def answer(request: Request) -> Response:
    """Answer as both services would."""
    if request.path.endswith("/serverInfo"):
        now = "2026-11-20T10:00:00.000+0000"
        return json_response(200, {"serverTime": now, "deploymentType": "Cloud"})
    if request.path.endswith("/users/me"):
        return json_response(200, {"object": "user", "id": "ann", "type": "bot"})
    return json_response(200, {"accountId": "ann", "timeZone": "UTC"})


@pytest.fixture(params=["jira", "notion"])
def side(request: pytest.FixtureRequest) -> Side:
    return Side(request.param)


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """Return a file with the certificate of the authority, and words that are none."""
    file = tmp_path / "authority.pem"
    file.write_text(f"# Наш центр\n{AUTHORITY.pem}\n", encoding="utf-8")
    return file


def tell(error: ApiError) -> str:
    """Return an error as people read it; both languages say all of it, without secrets."""
    russian = explain(error, load_words("ru", "RUB"))
    english = explain(error, ENGLISH)
    assert english != russian
    for text in (russian, english, repr(vars(error)), str(error)):
        assert TOKEN not in text
        assert PASSWORD not in text
        assert TYPED not in text
    return english


def check_lasting(error: ApiError, side: Side, *parts: str) -> None:
    """Check that an error is told at once, with its way out, and ends a command with 2."""
    assert isinstance(error, Unreachable), error
    assert side.slept == []
    assert exit_code(error) == USAGE
    text = tell(error)
    for part in parts:
        assert part.format(side=side.name) in text


# Certificates


@contextmanager
def secure(
    tmp_path: Path, *hosts: str, by: Authority = AUTHORITY, **more: Any
) -> Iterator[Server]:
    with serving(answer, tmp_path, by.issue(*hosts, **more)) as server:
        yield server


def test_a_private_authority_is_trusted_when_its_file_is_named(
    side: Side, tmp_path: Path, trusted: Path
) -> None:
    with secure(tmp_path, "localhost") as server:
        assert side.ask(server.url(), ca_file=trusted) == "ann"


@pytest.mark.parametrize(
    ("hosts", "more", "trust", "parts"),
    [
        (("localhost",), {}, False, ("not known", "{side}.ca_file")),
        (("localhost",), {"by": OTHERS}, True, ("not known", "{side}.ca_file")),
        (("localhost",), {"days": (-20, -10)}, True, ("has expired", "renewed")),
        (("localhost",), {"days": (10, 20)}, True, ("not valid yet", "clock")),
        (("jira.example.net",), {}, True, ("of another host", "{side}.base_url")),
    ],
    ids=["unknown", "other authority", "expired", "not yet", "other host"],
)
def test_a_certificate_that_is_refused_is_told_by_its_fault(
    side: Side,
    tmp_path: Path,
    trusted: Path,
    hosts: tuple[str, ...],
    more: dict[str, Any],
    trust: bool,
    parts: tuple[str, ...],
) -> None:
    with secure(tmp_path, *hosts, **more) as server:
        given = {"ca_file": trusted} if trust else {}
        error = side.fails(server.url(), **given)
        check_lasting(error, side, f"localhost:{server.port}", *parts)
        assert server.asked == []


def test_an_authority_sent_along_is_told_as_unknown_too(
    side: Side, tmp_path: Path
) -> None:
    issued = AUTHORITY.issue("localhost")
    chain = type(issued)(issued.pem + AUTHORITY.pem, issued.key_pem)
    with serving(answer, tmp_path, chain) as server:
        check_lasting(side.fails(server.url()), side, "{side}.ca_file")


def test_a_certificate_signed_by_itself_is_told_as_that(
    side: Side, tmp_path: Path
) -> None:
    with serving(answer, tmp_path, OTHERS.own()) as server:
        check_lasting(side.fails(server.url()), side, "signed by itself")


def test_a_server_without_tls_behind_https_is_told(side: Side) -> None:
    with serving(answer) as server:
        error = side.fails(server.url())
    check_lasting(error, side, "speaks no TLS", "http://")


def test_a_server_with_tls_behind_http_is_told(side: Side, tmp_path: Path) -> None:
    def refuse(_: Request) -> Response:
        page = b"<html><title>400 The plain HTTP request was sent to HTTPS port</title>"
        return Response(400, {"content-type": "text/html"}, page)

    with serving(refuse) as server:
        error = side.fails(server.url(scheme="http"))
    check_lasting(error, side, "speaks TLS only", "https://")


def test_a_tls_alert_instead_of_an_answer_is_told(side: Side) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def alert() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

        threading.Thread(target=alert, daemon=True).start()
        error = side.fails(f"http://127.0.0.1:{listener.getsockname()[1]}")
    check_lasting(error, side, "speaks TLS only")


# Proxies


def test_a_proxy_is_used_with_and_without_credentials(
    side: Side, tmp_path: Path, trusted: Path
) -> None:
    with secure(tmp_path, "service.example.net") as server:
        ways = {"service.example.net:443": server.port}
        for login, shown in (("", ""), (f"rayline:{PASSWORD}", f"rayline:{TYPED}@")):
            with proxying(ways, login=login) as proxy:
                address = proxy.url.replace("://", f"://{shown}")
                asked = side.ask(
                    "https://service.example.net",
                    ca_file=trusted,
                    proxy=SecretStr(address),
                )
            assert asked == "ann"
            assert {target for target, _ in proxy.asked} == set(ways)
            assert all(TOKEN not in given for _, given in proxy.asked)
        assert all("proxy-authorization" not in one.headers for one in server.asked)


def test_the_password_of_a_proxy_comes_from_a_file(
    side: Side, tmp_path: Path, trusted: Path
) -> None:
    with secure(tmp_path, "service.example.net") as server:
        ways = {"service.example.net:443": server.port}
        with proxying(ways, login=f"rayline:{PASSWORD}") as proxy:
            file = tmp_path / "proxy"
            file.write_text(proxy.url.replace("://", f"://rayline:{TYPED}@") + "\n")
            asked = side.ask(
                "https://service.example.net", ca_file=trusted, proxy_file=file
            )
    assert asked == "ann"


@pytest.mark.parametrize(
    ("refusal", "parts"),
    [
        (407, ("wants a name and a password", "{side}.proxy_file")),
        (403, ("let anybody through to service.example.net (status 403)",)),
        (405, ("status 405", "{side}.proxy")),
    ],
)
def test_a_proxy_that_refuses_is_told_with_its_reason(
    side: Side, refusal: int, parts: tuple[str, ...]
) -> None:
    with proxying({}, refusal=refusal) as proxy:
        address = proxy.url.replace("://", f"://rayline:{TYPED}@")
        error = side.fails("https://service.example.net", proxy=SecretStr(address))
    check_lasting(error, side, f"127.0.0.1:{proxy.port}", *parts)
    assert len(proxy.asked) == 1


def test_a_proxy_that_cannot_get_through_now_is_asked_again(side: Side) -> None:
    with proxying({}) as proxy:
        error = side.fails("https://service.example.net", proxy=SecretStr(proxy.url))
    assert isinstance(error, Transient)
    assert len(proxy.asked) == len(side.slept) + 1 == 6


def test_a_certificate_behind_a_proxy_is_told_as_the_services(
    side: Side, tmp_path: Path
) -> None:
    with (
        secure(tmp_path, "service.example.net") as server,
        proxying({"service.example.net:443": server.port}) as proxy,
    ):
        error = side.fails("https://service.example.net", proxy=SecretStr(proxy.url))
    check_lasting(error, side, "the certificate of service.example.net", "ca_file")


def test_a_proxy_that_is_not_there_is_told(side: Side) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    address = SecretStr(f"http://rayline:{TYPED}@127.0.0.1:{port}")
    error = side.fails("https://service.example.net", proxy=address)
    check_lasting(error, side, f"127.0.0.1:{port} does not answer", "{side}.proxy")


def test_the_environment_counts_only_when_it_is_trusted(
    side: Side, tmp_path: Path, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text(
        "machine service.example.net login thief password stolen\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with secure(tmp_path, "service.example.net", "localhost") as server:
        with proxying({"service.example.net:443": server.port}) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("https_proxy", proxy.url)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
            assert side.ask("https://service.example.net", trust_env=True) == "ann"
            assert len(proxy.asked) == 1
            signed = {one.headers["authorization"] for one in server.asked}
            assert not any("dGhpZWY6" in one for one in signed), "thief:"
            monkeypatch.setenv("no_proxy", "localhost")
            assert side.ask(server.url(), trust_env=True) == "ann"
            error = side.fails(server.url())
            check_lasting(error, side, "not known")
        assert len(proxy.asked) == 1


# Names and addresses


def test_a_host_that_is_not_there_is_told(side: Side) -> None:
    place = Place(side.name, "https://nowhere.example.net")
    cause = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    later = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    obstacle = find_obstacle(cause, place)
    assert obstacle is not None
    check_lasting(
        place.fails("GET /", obstacle), side, "no host nowhere.example.net", "{side}.b"
    )
    assert find_obstacle(later, place) is None


def test_a_name_under_invalid_is_told_over_the_network(side: Side) -> None:
    try:
        socket.getaddrinfo("nowhere.invalid", 443)
    except socket.gaierror as error:
        if error.errno != socket.EAI_NONAME:
            pytest.skip(f"this machine cannot look names up: {error}")
    check_lasting(side.fails("https://nowhere.invalid"), side, "no host")


def test_a_port_where_nobody_listens_is_tried_again_and_told_with_both_reasons(
    side: Side,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = side.fails(f"http://127.0.0.1:{port}")
    assert isinstance(error, Transient)
    assert len(side.slept) == 5
    assert "being started" in tell(error)
    assert "its port is wrong" in tell(error)


# Who else answers


def page(title: str, body: str = "", status: int = 200, **headers: str) -> Response:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head>{body}</html>"
    return Response(
        status, {"content-type": "text/html;charset=UTF-8", **headers}, text.encode()
    )


LOGIN = "a login page answered instead"
STRANGERS: dict[str, tuple[Response, str]] = {
    "login.jsp": (
        page("Log in - Jira", '<form action="/login.jsp"><input name="os_username">'),
        LOGIN,
    ),
    "single sign-on": (page("Sign in to your account"), LOGIN),
    "SAML": (page("Redirecting", '<input name="SAMLRequest" value="x">'), LOGIN),
    "a password field": (page("Welcome", "<input type='password'>"), LOGIN),
    "a page without a type": (
        Response(200, {}, b"\n  <!doctype html><title>Portal</title>"),
        "a web page answered instead of",
    ),
    "a portal": (page("Hotel Wi-Fi"), "Hotel Wi-Fi"),
    "a redirect to a login": (
        Response(302, {"location": "https://id.example.net/login?dest=secret"}),
        LOGIN,
    ),
    "a redirect to SSO": (
        Response(303, {"location": "/plugins/servlet/saml/auth"}),
        LOGIN,
    ),
    "a redirect to https": (
        Response(301, {"location": "https://jira.example.net/x?y=secret"}),
        "sends to another address: https://jira.example.net",
    ),
    "a redirect to nowhere": (Response(302, {"location": "http://[broken"}), "?"),
    "the network's sign-in": (page("x", status=511), "wants somebody to sign in"),
}


@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_who_else_answers_is_told_at_once(side: Side, name: str) -> None:
    said, part = STRANGERS[name]
    with serving(lambda _: said) as server:
        error = side.fails(server.url(scheme="http"))
        check_lasting(error, side, part)
        assert len(server.asked) == 1
        assert "secret" not in tell(error)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_of_an_error_that_passes_is_asked_again(side: Side, status: int) -> None:
    said = page("Log in after the maintenance", status=status)
    with serving(lambda _: said) as server:
        error = side.fails(server.url(scheme="http"))
    assert isinstance(error, Transient)
    assert len(side.slept) == 5


@pytest.mark.parametrize(
    "said",
    [page("Not Found", status=404), json_response(404, {"detail": "Not Found"})],
    ids=["page", "json"],
)
def test_another_product_is_told_as_such(side: Side, said: Response) -> None:
    with serving(lambda _: said) as server:
        error = side.fails(server.url(scheme="http"))
    check_lasting(error, side, "answer", "{side}.base_url")


def test_a_page_after_a_creation_is_no_proof_that_nothing_was_made() -> None:
    with serving(lambda _: page("Sign in")) as server:
        gateway = NotionGateway(
            NotionSettings(
                base_url=server.url(scheme="http"), token=SecretStr(TOKEN), timeout=LONG
            )
        )
        with pytest.raises(Unknown):
            gateway.create_page("source", {})


@pytest.mark.parametrize(
    "message",
    [
        "Notion-Version header failed validation: should be a valid version",
        "missing_version",
    ],
)
def test_a_version_that_notion_refuses_is_told(message: str) -> None:
    side = Side("notion")
    refused = json_response(
        400, {"object": "error", "code": "validation_error", "message": message}
    )
    with serving(lambda _: refused) as server:
        error = side.fails(server.url(scheme="http"))
    check_lasting(error, side, "does not know the version", "notion.version")


def test_a_missing_page_of_notion_stays_a_missing_page() -> None:
    side = Side("notion")
    refused = json_response(
        404, {"object": "error", "code": "object_not_found", "message": "no"}
    )
    with serving(lambda _: refused) as server:
        error = side.fails(server.url(scheme="http"))
    assert isinstance(error, Missing)
    assert exit_code(error) == USAGE


# Jira's own ways to refuse


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}, "AUTHENTICATED_FAILED"),
        ({"x-seraph-loginreason": "AUTHENTICATION_DENIED"}, "AUTHENTICATION_DENIED"),
        ({"X-Seraph-LoginReason": "OUT,AUTHENTICATED_FAILED"}, "AUTHENTICATED_FAILED"),
    ],
)
def test_an_answer_to_a_stranger_is_no_answer(
    headers: dict[str, str], part: str
) -> None:
    side = Side("jira")
    with serving(
        lambda request: Response(200, headers, answer(request).body)
    ) as server:
        error = side.fails(server.url(scheme="http"))
    assert isinstance(error, Denied)
    assert part in tell(error)
    assert side.slept == []


def test_a_captcha_is_told_with_its_way_out() -> None:
    side = Side("jira")
    reason = "CAPTCHA_CHALLENGE; login-url=https://jira.example.net/login.jsp"
    said = page("Forbidden", status=403, **{"X-Authentication-Denied-Reason": reason})
    with serving(lambda _: said) as server:
        error = side.fails(server.url(scheme="http"))
    assert isinstance(error, Denied)
    assert "sign in once with this account in a browser" in tell(error)


def on(kind: str) -> Callable[[Request], Response]:
    """Return a Jira of one kind that knows the other's addresses and tokens no more than the real ones."""

    def reply(request: Request) -> Response:
        if request.path.endswith("/api/2/serverInfo"):
            return json_response(200, {"deploymentType": kind})
        if kind == "Cloud":
            return json_response(401, {"message": "no"})
        if "authorization" in request.headers and request.path.startswith(
            "/rest/api/2"
        ):
            return json_response(401, {"message": "no"})
        return json_response(404, {"message": "null for uri"})

    return reply


@pytest.mark.parametrize(
    ("configured", "real", "part"),
    [
        ("cloud", "Server", 'deployment = "datacenter"'),
        ("datacenter", "Cloud", 'deployment = "cloud"'),
    ],
)
def test_the_other_kind_of_jira_is_told(configured: str, real: str, part: str) -> None:
    side = Side("jira")
    with serving(on(real)) as server:
        error = side.fails(server.url(scheme="http"), deployment=configured)
        check_lasting(error, side, "of the other kind", part)
        assert "authorization" not in server.asked[-1].headers


def test_the_table_of_strangers_leaves_the_services_own_answers_alone(
    side: Side,
) -> None:
    place = Place(side.name, "https://service.example.net")
    for status in (200, 201, 400, 401, 403, 404, 409, 429, 500, 503):
        body = b'{"message": "log in <html>"}'
        json = {"content-type": "application/json"}
        assert find_stranger(status, json, body, place) is None
