"""The console over real sockets: who gets in, what is refused, and what its pages say of a small agency."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from dataclasses import replace as renew  # noqa: TID251 - a stage is no struct
from datetime import time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text

from tests.support.console import PEOPLE, TOKENS, Console, answering, served
from tests.support.stages import Play, small_play
from tests.support.waiting import LONG, wait_for
from worker.cli.console import public_address
from worker.config import ConsoleSettings, Maintenance
from worker.cycle.context import Mode
from worker.errors import ConfigError
from worker.state import pauses, problems, runs, triggers
from worker.web.access import Access, Attempts
from worker.web.desk import Desk
from worker.web.guard import MOST_BODY
from worker.web.server import serve_console

PAGES = (
    "",
    "/runs",
    "/runs/1",
    "/problems",
    "/clients",
    "/risks",
    "/plan",
    "/load",
    "/settings",
)


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("console")
    with small_play(folder, private=True) as play:
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


def raw(console: Console, request: bytes) -> int:
    """Send bytes as they are and return the status of the answer."""
    where = urlsplit(console.address)
    with socket.create_connection((where.hostname, where.port), timeout=LONG) as sock:
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.status


def test_nobody_sees_a_page_without_signing_in(console: Console) -> None:
    client = console.client()
    for path in ("/", *(f"/w/studio{page}" for page in PAGES)):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?back=%2F")
        assert "Acme" not in answer.text


@pytest.mark.parametrize("path", ["/w/studoi", "/w/studoi/runs", "/w/nothing/plan"])
def test_who_is_not_signed_in_does_not_learn_which_workspaces_there_are(
    console: Console, path: str
) -> None:
    for answer in (
        console.client().get(path),
        console.client().post(f"{path}/sync"),
        console.client().post("/hooks/jira/studoi", content=b"{}"),
        console.client().get("/api/v1/workspaces/studoi/status"),
    ):
        assert answer.status_code in (303, 401, 404, 405)
        assert "studio" not in answer.text


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_page_is_shown_in_both_languages(console: Console, language: str) -> None:
    client = console.signed_in("vera")
    client.cookies.set("rayline_language", language)
    for path in ("/", *(f"/w/studio{page}" for page in PAGES)):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "built-in method" not in answer.text
        assert f'<html lang="{language}"' in answer.text
        heading = re.search(r"<h1>(.+?)</h1>", answer.text)
        assert heading is not None
        cyrillic = re.search("[а-я]", heading[1]) is not None
        assert cyrillic == (language == "ru" and heading[1] != "studio")


def test_a_run_is_read_as_a_diff_with_its_reasons(console: Console) -> None:
    page = console.signed_in().get("/w/studio/runs/1").text
    assert "Acme portal" in page
    assert "<ins>" in page
    assert '<span class="rule">progress</span>' in page


def test_a_client_shows_its_health_with_the_reasons(console: Console) -> None:
    client = console.signed_in()
    page = client.get("/w/studio/clients").text
    link = re.search(r'href="(/w/studio/clients/[^"]+)">Acme Bank', page)
    assert link is not None
    shown = client.get(link[1]).text
    assert "Acme portal" in shown
    assert "Health and its reasons" in shown


@pytest.mark.parametrize(
    "path",
    [
        "/w/studoi/runs",
        "/w/studio/runs/999",
        "/w/studio/runs/0",
        "/w/studio/runs/99999999999999999999",
        "/w/studio/clients/nobody",
        "/w/studio/plans/0000000000000000",
        "/w/studio/requests/12345",
        "/w/..%2f..%2fetc%2fpasswd/runs",
        "/static/..%2f..%2fapplication.py",
        "/static/../application.py",
        "/w/%00/runs",
        "/nowhere",
        "/w/studio/runs/%F0%9F%92%A9",
    ],
)
def test_what_is_not_there_is_said_so(console: Console, path: str) -> None:
    answer = console.signed_in().get(path)
    assert answer.status_code in (404, 422), answer.text[:300]
    assert "Traceback" not in answer.text


def test_a_workspace_that_is_misspelt_is_answered_with_the_nearest(
    console: Console,
) -> None:
    assert "studio" in console.signed_in().get("/w/studoi").text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": ""}, 401),
        ({"code": "wrong"}, 401),
        ({}, 401),
        ({"token": "x" * 2000}, 422),
    ],
)
def test_a_wrong_token_or_code_lets_nobody_in(
    console: Console, form: dict[str, str], status: int
) -> None:
    client = console.client()
    assert client.post("/sign-in", data=form).status_code == status
    assert client.get("/").status_code == 303


def test_a_link_signs_in_once_and_looking_at_it_uses_up_nothing(
    console: Console,
) -> None:
    code = console.desk.access.issue_code()
    link = f"/sign-in?code={code}"
    first, second = console.client(), console.client()
    for _ in range(2):
        page = first.get(link).text
        assert code in page
        assert "once" in page
    assert first.post("/sign-in", data={"code": code}).status_code == 303
    assert first.get("/").status_code == 200
    assert second.post("/sign-in", data={"code": code}).status_code == 401
    spent = second.get(link)
    assert spent.status_code == 401
    assert "used already" in spent.text
    assert 'name="token"' in spent.text


def test_a_lasting_link_says_so_and_signs_in_as_often_as_it_is_opened(
    console: Console,
) -> None:
    code = console.desk.access.issue_code(None)
    for _ in range(2):
        client = console.client()
        page = client.get(f"/sign-in?code={code}").text
        assert "as often as you like" in page
        assert "once" not in page
        assert client.post("/sign-in", data={"code": code}).status_code == 303
        assert client.get("/").status_code == 200


@pytest.mark.parametrize("life", [900.0, None])
def test_who_is_in_is_led_on_by_the_same_link_and_by_the_button_pressed_twice(
    console: Console, life: float | None
) -> None:
    code = console.desk.access.issue_code(life)
    client = console.client()
    for _ in range(2):
        pressed = client.post("/sign-in", data={"code": code, "back": "/w/studio"})
        assert pressed.headers["location"] == "/w/studio"
        opened = client.get(f"/sign-in?code={code}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/")


def test_a_viewer_becomes_an_operator_by_a_link(console: Console) -> None:
    client = console.signed_in("vera")
    assert client.get("/sign-in").status_code == 303
    code = console.desk.access.issue_code()
    assert code in client.get(f"/sign-in?code={code}").text
    client.post("/sign-in", data={"code": code})
    assert "/w/studio/sync" in client.get("/w/studio").text


def test_another_language_is_chosen_before_signing_in_without_losing_the_link(
    console: Console,
) -> None:
    code = console.desk.access.issue_code()
    client = console.client()
    back = re.search(
        r'name="back" value="([^"]+)"', client.get(f"/sign-in?code={code}").text
    )
    assert back is not None
    form = {"language": "ru", "back": back[1]}
    chosen = client.post("/preferences", data=form).headers["location"]
    page = client.get(chosen).text
    assert code in page
    assert "Войти" in page


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/w/studio/runs/999", "There is nothing here"),
        ("/w/studio/clients/nobody", "There is nothing here"),
        ("/w/studoi/runs", "“studoi”"),
        ("/nowhere", "There is nothing here"),
    ],
)
def test_who_is_signed_in_keeps_the_way_on_where_nothing_is(
    console: Console, path: str, says: str
) -> None:
    asked = {"accept-language": "ru"}
    page = console.signed_in().get(path, headers=asked).text
    assert says in page
    assert "<summary>anna</summary>" in page
    known = path.startswith("/w/studio/")
    assert ('href="/w/studio/runs"' in page) is known
    stranger = console.client().get("/nowhere", headers=asked).text
    assert "Здесь ничего нет" in stranger


@pytest.mark.parametrize(
    "back",
    ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/\r\nA: b", ""],
)
def test_signing_in_leads_to_no_other_site(console: Console, back: str) -> None:
    form = {"token": TOKENS["anna"], "back": back}
    answer = console.client().post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(
    console: Console,
) -> None:
    answer = console.client().post("/sign-in", data={"token": TOKENS["anna"]})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKENS["anna"] not in cookie


def test_behind_https_the_cookie_is_sent_encrypted_only(play: Play) -> None:
    with served(play, ConsoleSettings(people=PEOPLE, https=True)) as console:
        answer = console.client().post("/sign-in", data={"token": TOKENS["anna"]})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "max-age" in answer.headers["strict-transport-security"]


def test_signing_out_ends_the_session(console: Console) -> None:
    client = console.signed_in()
    cookies = dict(client.cookies)
    key = console.form_key(client)
    assert client.post("/sign-out", data={"form_key": "0" * 64}).status_code == 403
    assert client.post("/sign-out", data={"form_key": key}).status_code == 303
    assert console.client(cookies=cookies).get("/").status_code == 303


def test_after_too_many_wrong_tokens_nobody_is_listened_to_for_a_while(
    play: Play,
) -> None:
    settings = ConsoleSettings(people=PEOPLE)
    desk = Desk(
        lambda: {"studio": play.stage.context},
        settings,
        Access(PEOPLE),
        attempts=Attempts(of_one=3, span=1e6),
    )
    with serve_console(desk, "127.0.0.1:0") as address:
        statuses = [
            httpx.post(f"{address}/sign-in", data={"token": "wrong"}, timeout=LONG)
            for _ in range(4)
        ]
        right = {"token": TOKENS["anna"]}
        refused = httpx.post(f"{address}/sign-in", data=right, timeout=LONG)
    assert [each.status_code for each in statuses] == [401, 401, 401, 429]
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("proxies", "forwarded", "status"),
    [
        (("127.0.0.1",), "203.0.113.9", 429),
        (("127.0.0.1",), "203.0.113.7, 203.0.113.9", 429),
        (("127.0.0.1",), "203.0.113.7", 303),
        (("127.0.0.1",), "203.0.113.9, 203.0.113.7", 303),
        ((), "203.0.113.7", 429),
    ],
)
def test_behind_a_trusted_proxy_each_visitor_fails_for_himself_alone(
    play: Play, proxies: tuple[str, ...], forwarded: str, status: int
) -> None:
    desk = Desk(
        lambda: {"studio": play.stage.context},
        ConsoleSettings(people=PEOPLE, proxies=proxies),
        Access(PEOPLE),
        attempts=Attempts(of_one=3, span=1e6),
    )
    with (
        serve_console(desk, "127.0.0.1:0") as address,
        httpx.Client(base_url=address, timeout=LONG) as client,
    ):

        def sign_in(token: str, by: str) -> int:
            headers = {"x-forwarded-for": by}
            answer = client.post("/sign-in", data={"token": token}, headers=headers)
            return answer.status_code

        failed = [sign_in("wrong", "203.0.113.9") for _ in range(4)]
        assert failed == [401, 401, 401, 429]
        assert sign_in(TOKENS["anna"], forwarded) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost", 303),
        ("LOCALHOST:80", 303),
        ("127.0.0.1:99", 303),
        ("[::1]:8787", 303),
        ("", 400),
        ("a b", 400),
        ("x@127.0.0.1", 400),
        ("127.0.0.1/x", 400),
        ("[::1", 400),
        ("127.0.0.1:port", 400),
    ],
)
def test_only_its_own_names_are_answered(
    console: Console, host: str, status: int
) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert raw(console, request.encode()) == status


@pytest.mark.parametrize(
    "name", ["Rayline.Example.COM", "rayline.example.com", "RAYLINE.EXAMPLE.COM"]
)
def test_a_name_is_its_own_however_its_letters_are_written(
    play: Play, name: str
) -> None:
    settings = ConsoleSettings(people=PEOPLE, hosts=(name,))
    with served(play, settings) as console:
        client = console.client(headers={"host": "rayline.example.com"})
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (ConsoleSettings(), "http://127.0.0.1:8787"),
        (ConsoleSettings(hosts=("rayline.example",)), "http://127.0.0.1:8787"),
        (
            ConsoleSettings(https=True, hosts=("rayline.example", "other.example")),
            "https://rayline.example",
        ),
    ],
)
def test_people_are_sent_to_where_the_console_answers_them(
    settings: ConsoleSettings, address: str
) -> None:
    assert public_address(settings, "http://127.0.0.1:8787") == address


def test_a_request_without_a_host_or_with_two_is_refused(console: Console) -> None:
    for hosts in ("", "Host: localhost\r\nHost: localhost\r\n"):
        request = f"GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"
        assert raw(console, request.encode()) == 400


def test_a_body_that_is_too_large_is_not_read(console: Console) -> None:
    client = console.signed_in()
    assert client.post("/sign-in", content=b"x" * (MOST_BODY + 1)).status_code == 413
    pieces = (b"x" * 65_536 for _ in range(8))
    assert client.post("/sign-in", content=pieces).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_sent_from_another_site_is_refused(
    console: Console, headers: dict[str, str]
) -> None:
    client = console.signed_in()
    form = {"form_key": console.form_key(client), "what": "sync"}
    answer = client.post("/w/studio/sync", data=form, headers=headers)
    assert answer.status_code == 403


ACTIONS = {
    "sync": {"what": "sync"},
    "apply": {"checksum": "0" * 16},
    "snooze": {"problem": "x", "days": "1"},
    "pause": {"hours": "1"},
    "resume": {},
    "undo": {"run_id": "1"},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("key", ["", "0" * 64, "another's"])
def test_a_forged_form_asks_for_nothing(
    console: Console, play: Play, action: str, key: str
) -> None:
    client, other = console.signed_in(), console.signed_in()
    shown = console.form_key(other) if key == "another's" else key
    answer = client.post(
        f"/w/studio/{action}", data={**ACTIONS[action], "form_key": shown}
    )
    assert answer.status_code == 403
    assert client.get(f"/w/studio/{action}").status_code == 405


@pytest.mark.parametrize("action", ACTIONS)
def test_a_viewer_looks_and_does_not_act(console: Console, action: str) -> None:
    client = console.signed_in("vera")
    assert "/sync" not in client.get("/w/studio").text
    key = console.form_key(client)
    answer = client.post(
        f"/w/studio/{action}", data={**ACTIONS[action], "form_key": key}
    )
    assert answer.status_code == 403
    assert "viewer" in answer.text


def test_pages_allow_no_code_of_others_and_are_kept_nowhere(console: Console) -> None:
    client = console.signed_in()
    for path in ("/", "/sign-in", "/nowhere", "/api/v1/workspaces"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    for page in PAGES:
        shown = client.get(f"/w/studio{page}").text
        assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:|<script>", shown)


def test_a_request_is_answered_by_a_run_that_can_be_watched(
    console: Console, play: Play
) -> None:
    client = console.signed_in()
    form = {"form_key": console.form_key(client), "what": "sync"}
    asked = client.post("/w/studio/sync", data=form)
    assert asked.status_code == 303
    waiting = asked.headers["location"]
    assert "anna" in client.get(waiting).text
    with answering(play):
        wait_for(lambda: client.get(waiting).status_code == 303, "the answer")
    shown = client.get(waiting, follow_redirects=True)
    assert "/runs/" in str(shown.url)
    assert "anna" in shown.text


def test_who_asks_while_a_run_is_under_way_joins_it_and_is_told(
    console: Console, play: Play
) -> None:
    client = console.signed_in()
    context = play.stage.context
    with context.transaction() as tx:
        run_id = runs.start(tx, "delta", now=context.now())
    play.later(minutes=1)
    form = {"form_key": console.form_key(client), "what": "sync"}
    where = client.post("/w/studio/sync", data=form).headers["location"]
    assert "answers it, or is let end first" in client.get(where).text
    with context.transaction() as tx:
        (joined,) = triggers.take(tx, run_id, is_reading=True)
    assert where.endswith(f"/{joined.id}")
    page = client.get(where).text
    assert f"Run {run_id} was under way already and answers it too." in page
    shown = client.get(f"/w/studio/runs/{run_id}").text
    assert "<b>a look at what changed</b> · at the request of <b>anna</b>" in shown
    with context.transaction() as tx:
        runs.close_lost(tx, now=context.now())
        triggers.give_back(tx)
    with answering(play):
        wait_for(lambda: client.get(where).status_code == 303, "the answer")


def test_two_who_ask_for_the_same_share_one_request_that_names_both(
    console: Console, play: Play
) -> None:
    guest = console.client()
    code = console.desk.access.issue_code()
    guest.post("/sign-in", data={"code": code})
    places = []
    for client in (console.signed_in(), guest):
        form = {"form_key": console.form_key(client), "what": "sync"}
        answer = client.post("/w/studio/sync", data=form)
        places.append(answer.headers["location"])
    first, second = places
    assert first == second
    assert "<b>anna, operator</b>" in guest.get(first).text
    with answering(play):
        wait_for(lambda: guest.get(first).status_code == 303, "the answer")
    shown = guest.get(first, follow_redirects=True).text
    assert "<b>anna, operator</b>" in shown


def test_why_a_plan_is_refused_is_told_by_boards_and_with_the_way_out_of_here(
    console: Console, play: Play
) -> None:
    client = console.signed_in()
    form = {"form_key": console.form_key(client), "run_id": "1"}
    where = client.post("/w/studio/undo", data=form).headers["location"]
    with answering(play):
        wait_for(lambda: client.get(where).status_code == 303, "the answer")
    page = client.get(where, follow_redirects=True).text
    named = re.findall(r'class="where">([^<]+)</span>', page)
    titles = {
        source.title["en"] for source in play.stage.context.schema.sources.values()
    }
    assert set(named) & titles
    assert not set(named) & set(play.stage.context.schema.sources)
    assert "rayline sync --force" not in page
    assert 'name="force"' in page


def test_a_plan_that_was_read_is_applied_and_no_other(
    console: Console, play: Play
) -> None:
    play.later(minutes=10)
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    client = console.signed_in()
    key = console.form_key(client)
    mark = play.mark()
    asked = client.post("/w/studio/sync", data={"form_key": key, "what": "plan"})
    with answering(play):
        where = asked.headers["location"]
        wait_for(lambda: client.get(where).status_code == 303, "the plan")
        assert play.writes(mark) == []
        page = client.get(where, follow_redirects=True).text
        match = re.search(r'name="checksum" value="([0-9a-f]{16})"', page)
        assert match is not None
        form = {"form_key": key, "checksum": match[1], "mode": "full"}
        applied = client.post("/w/studio/apply", data=form).headers["location"]
        wait_for(lambda: client.get(applied).status_code == 303, "the run")
    assert play.writes(mark) != []
    shown = client.get(applied, follow_redirects=True).text
    assert '<span class="tag done">' in shown


def test_a_run_is_taken_back_by_the_plan_that_was_looked_at(
    console: Console, play: Play
) -> None:
    def post(action: str, **form: str) -> str:
        answer = client.post(f"/w/studio/{action}", data={"form_key": key, **form})
        where = answer.headers["location"]
        wait_for(lambda: client.get(where).status_code == 303, "the run")
        return client.get(where, follow_redirects=True).text

    def checksum(page: str) -> str:
        match = re.search(r'name="checksum" value="([0-9a-f]{16})"', page)
        assert match is not None
        return match[1]

    play.later(minutes=10)
    move = {"issue": "ACME-5", "status": "In Progress"}
    play.stage.jira.control("transition", move)
    client = console.signed_in()
    key = console.form_key(client)
    with answering(play):
        done = post("sync", what="sync")
        number = re.search(
            r'action="/w/studio/undo">.*?name="run_id" value="(\d+)"', done, re.DOTALL
        )
        assert number is not None
        play.later(minutes=10)
        mark = play.mark()
        looked = post("undo", run_id=number[1])
        assert play.writes(mark) == []
        assert "<del>" in looked
        post("apply", checksum=checksum(looked), mode="undo", undoes=number[1])
        assert play.writes(mark) != []
    home = client.get("/w/studio").text
    assert f"undo {number[1]}" in home
    client.post("/w/studio/resume", data={"form_key": key})


def test_a_client_that_is_not_there_is_refused_at_once_with_the_nearest(
    console: Console,
) -> None:
    client = console.signed_in()
    form = {"form_key": console.form_key(client), "scope": "Acme Bnak"}
    answer = client.post("/w/studio/sync", data=form)
    assert answer.status_code == 404
    assert "Acme Bank" in answer.text


def test_a_problem_sleeps_until_it_is_woken(console: Console, play: Play) -> None:
    client = console.signed_in()
    key = console.form_key(client)
    with play.stage.store.reading("studio") as tx:
        problem = next(iter(problems.load(tx)))
    name = problems.name_of(problem)
    form = {"form_key": key, "problem": name, "days": "7"}
    assert client.post("/w/studio/snooze", data=form).status_code == 303
    assert "Asleep" in client.get("/w/studio/problems").text
    with play.stage.store.transaction("studio") as tx:
        later = play.stage.context.now() + timedelta(days=8)
        assert problems.SNOOZES.load(tx)[name] < later
    client.post("/w/studio/snooze", data={**form, "days": "0"})
    assert "Asleep" not in client.get("/w/studio/problems").text
    wrong = client.post("/w/studio/snooze", data={**form, "problem": "unknown"})
    assert wrong.status_code == 404


def test_a_workspace_is_paused_by_name_and_goes_on(
    console: Console, play: Play
) -> None:
    client = console.signed_in()
    form = {"form_key": console.form_key(client), "hours": "1"}
    assert client.post("/w/studio/pause", data=form).status_code == 303
    now = play.stage.context.now()
    with play.stage.store.reading("studio") as tx:
        standing = pauses.current(tx, now=now)
    assert standing is not None
    assert (standing.by, standing.until) == ("anna", now + timedelta(hours=1))
    assert "paused by anna" in client.get("/").text
    client.post("/w/studio/resume", data=form)
    assert "paused by anna" not in client.get("/").text
    for wrong in ("-1", "many", "99999999999"):
        answer = client.post("/w/studio/pause", data={**form, "hours": wrong})
        assert answer.status_code == 422


def test_private_rows_say_nothing_of_themselves(console: Console, play: Play) -> None:
    secret = "Carla: a hopeless case"
    play.stage.scribe.add("feedback", name=secret) if "feedback" in (
        play.stage.bindings()
    ) else pytest.skip("this stage has no private boards")
    play.later(minutes=10)
    play.sync(Mode.FULL)
    client = console.signed_in()
    with play.stage.store.reading("studio") as tx:
        newest = runs.recent(tx, 1)[0].id
    for page in (*PAGES, f"/runs/{newest}"):
        assert secret not in client.get(f"/w/studio{page}").text


@pytest.mark.parametrize(
    ("left", "says"), [(30, "in 30 days"), (1, "in 1 day"), (-1, "it has expired")]
)
def test_what_comes_next_names_maintenance_and_how_long_tokens_are_good(
    play: Play, left: int, says: str
) -> None:
    context = play.stage.context
    settings = context.settings
    zone = ZoneInfo(settings.time_zone)
    last_day = context.now().astimezone(zone).date() + timedelta(days=left)
    window = Maintenance(start=time(3), end=time(4), reason="the backup")
    jira = settings.jira.model_copy(update={"token_expires": last_day})
    told = settings.model_copy(update={"jira": jira, "maintenance": (window,)})
    stage = renew(play.stage, context=renew(context, settings=told))
    with served(renew(play, stage=stage)) as console:
        page = console.signed_in().get("/w/studio").text
    assert says in page
    assert "the Jira token expires" in page
    assert "the Notion token" not in page
    assert "next maintenance" in page
    assert "the backup" in page


def test_settings_show_no_secret(console: Console, play: Play) -> None:
    page = console.signed_in().get("/w/studio/settings").text
    settings = play.stage.context.settings
    for side in (settings.notion, settings.jira):
        assert side.token.get_secret_value() not in page
    assert settings.notion.base_url in page


def test_titles_of_people_are_shown_and_not_obeyed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with small_play(tmp_path_factory.mktemp("markup")) as play:
        hostile = "<script>alert(1)</script>\"'><img src=x>"
        play.edit("clients", play.page("clients", 0), name=hostile)
        play.sync()
        with served(play) as console:
            client = console.signed_in()
            for page in PAGES:
                shown = client.get(f"/w/studio{page}").text
                assert "<script>alert" not in shown
                assert "<img src=x" not in shown
            assert "&lt;script&gt;alert" in client.get("/w/studio/clients").text


def test_where_the_state_is_gone_it_is_said_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with small_play(tmp_path_factory.mktemp("gone")) as play, served(play) as console:
        client = console.signed_in()
        assert client.get("/readyz").status_code == 200
        with play.stage.store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE runs RENAME TO away"))
        for path in ("/", "/w/studio/runs", "/readyz"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "away" not in answer.text.replace("or away", "")
        assert client.get("/healthz").status_code == 200
        with play.stage.store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO runs"))
        assert client.get("/").status_code == 200


def test_a_browser_that_leaves_in_the_middle_harms_nobody(console: Console) -> None:
    where = urlsplit(console.address)
    for request in (
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\ntok",
        b"\x16\x03\x01\x02\x00",
    ):
        with socket.create_connection((where.hostname, where.port)) as sock:
            sock.sendall(request)
    assert console.client().get("/healthz").text == "ok\n"


def test_an_address_that_is_taken_is_told_in_plain_words(console: Console) -> None:
    port = urlsplit(console.address).port
    with (
        pytest.raises(ConfigError, match="another process listens there"),
        serve_console(console.desk, f"127.0.0.1:{port}"),
    ):
        pass


def test_it_does_not_open_itself_to_others_with_nobody_to_sign_in(play: Play) -> None:
    desk = Desk(dict, ConsoleSettings(), Access({}))
    with (
        pytest.raises(ConfigError, match="nobody may sign in"),
        serve_console(desk, "0.0.0.0:0"),
    ):
        pass


@pytest.mark.parametrize(
    ("headers", "proxies", "status"),
    [
        ([("x-user", "anna")], ("127.0.0.1",), 200),
        ([("x-user", "anna")], ("10.0.0.1",), 303),
        ([("x-user", "nobody")], ("127.0.0.1",), 303),
        ([("x-user", "vera"), ("x-user", "anna")], ("127.0.0.1",), 303),
        ([], ("127.0.0.1",), 303),
    ],
)
def test_a_proxy_says_who_comes_if_it_is_trusted(
    play: Play, headers: list[tuple[str, str]], proxies: tuple[str, ...], status: int
) -> None:
    settings = ConsoleSettings(people=PEOPLE, user_header="X-User", proxies=proxies)
    with served(play, settings) as console:
        assert console.client(headers=headers).get("/").status_code == status


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("https://www.notion.so/Acme-" + "a1" * 16, "boards:" + "a1" * 16),
        ("https://app.notion.com/p/Acme-" + "a1" * 16, "boards:" + "a1" * 16),
        ("https://jira.example/browse/ACME-1", "https://jira.example/browse/ACME-1"),
        ("https://evil.example/" + "a1" * 16, "https://evil.example/" + "a1" * 16),
        ("", ""),
    ],
)
def test_a_link_to_a_page_leads_to_where_pages_are_looked_at(
    url: str, leads: str
) -> None:
    desk = Desk(
        dict, ConsoleSettings(), Access({}), page_url=lambda page: f"boards:{page}"
    )
    assert desk.link(url) == leads


@pytest.mark.parametrize(
    ("chosen", "asked", "cyrillic"),
    [("", "ru", False), ("", "en", False), ("ru", "en", True), ("en", "ru", False)],
)
def test_the_overview_speaks_one_language_whatever_the_browser_asks_for(
    console: Console, chosen: str, asked: str, *, cyrillic: bool
) -> None:
    client = console.signed_in()
    if chosen:
        client.cookies.set("rayline_language", chosen)
    page = client.get("/", headers={"accept-language": asked}).text
    main = page.partition("<main")[2]
    assert bool(re.search("[А-я]", main)) is cyrillic
    english = ("Overview", "Last run", "Data age")
    assert [one in main for one in english] == [not cyrillic] * len(english)
