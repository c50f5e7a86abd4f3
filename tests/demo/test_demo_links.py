"""Where the links of a running demo lead: to pages of the sandbox's boards and its Jira that open, never out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from rayline_demo.cli.demo import open_desk
from rayline_demo.stage import write_configuration
from tests.support.stages import ACME, BETA, Play, one_object, rayline, small_play
from tests.support.waiting import LONG
from worker.web.server import serve_console, sign_in_link

HREF = re.compile(r'href="([^"#]+)')
OUT = ("notion.com", "notion.so", "atlassian.net")
LEAVES = ("/sign-out", "/metrics")
TURNS = re.compile(r"[?&](lang|month|group|rows)=")
"""Of a page only the same again, in another language, month or order: months never end."""


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("links"), private=True) as found:
        found.sync()
        stage = found.stage
        person = stage.cast.pages["people"][0]
        found.edit("people", person, time_off="from Monday on")
        found.edit("projects", found.page("projects", BETA), jira="ACME-99999")
        stage.notion.control("duplicate", {"page_id": found.keyed("risks")[0].page_id})
        stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
        found.sync()
        yield found


def links_of(page: httpx.Response) -> set[str]:
    """Return the addresses that a page links to, as a browser resolves them."""
    links = (urljoin(str(page.url), unescape(one)) for one in HREF.findall(page.text))
    return {one for one in links if one.startswith("http")}


def walk(client: httpx.Client, start: str) -> tuple[dict[str, int], dict[str, str]]:
    """Follow every link from a page on, pages of the same server onwards; return statuses, and who linked to what."""
    home = urlsplit(start).netloc
    statuses: dict[str, int] = {}
    linked_from = {start: ""}
    waiting = [start]
    while waiting:
        address = waiting.pop()
        page = client.get(address)
        statuses[address] = page.status_code
        if urlsplit(address).netloc != home:
            continue
        if "text/html" not in page.headers.get("content-type", ""):
            continue
        for link in sorted(links_of(page) - linked_from.keys()):
            linked_from[link] = address
            turns = urlsplit(link).path.startswith(LEAVES) or TURNS.search(link)
            if not turns:
                waiting.append(link)
    return statuses, linked_from


@pytest.mark.slow
def test_no_link_of_the_console_is_dead_or_leads_out_of_the_demo(play: Play) -> None:
    desk = open_desk(play.stage)
    with (
        serve_console(desk, "127.0.0.1:0") as console,
        httpx.Client(timeout=LONG, follow_redirects=True) as client,
    ):
        code = sign_in_link(desk, console, life=None).partition("code=")[2]
        client.post(f"{console}/sign-in", data={"code": code})
        statuses, linked_from = walk(client, f"{console}/")
    dead = {one: linked_from[one] for one in statuses if statuses[one] != 200}
    assert dead == {}
    assert [one for one in linked_from if any(host in one for host in OUT)] == []
    boards = play.stage.sockets.boards_url
    assert sum(one.startswith(f"{boards}/p/") for one in statuses) > 10
    assert {urlsplit(one).path for one in statuses} >= {"/", "/w/studio/problems"}


@pytest.mark.slow
def test_no_link_of_the_boards_is_dead(play: Play) -> None:
    with httpx.Client(timeout=LONG, follow_redirects=True) as client:
        start = f"{play.stage.sockets.boards_url}/"
        statuses, linked_from = walk(client, start)
    dead = {one: linked_from[one] for one in statuses if statuses[one] != 200}
    assert dead == {}
    assert len(statuses) > 50


def test_what_the_commands_tell_opens_on_the_boards(play: Play, tmp_path: Path) -> None:
    file = write_configuration(play.stage, tmp_path)
    checked = rayline("check", "-c", str(file), "--json", home=tmp_path)
    status = rayline("status", "-c", str(file), "--json", home=tmp_path)
    card = "Acme portal#progress"
    explained = rayline("explain", card, "-c", str(file), "--json", home=tmp_path)
    told = "\n".join((checked.stdout, status.stdout, explained.stdout))
    links = set(re.findall(r'https?://[^"\s]+', told))
    assert links
    assert [one for one in links if any(host in one for host in OUT)] == []
    with httpx.Client(timeout=LONG, follow_redirects=True) as client:
        assert {client.get(one).status_code for one in links} == {200}
    assert one_object(explained.stdout)["facts"]


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/browse/ACME-5", ["Task 5", "Done", "To Do → Done", "/browse/ACME-2"]),
        ("/browse/ACME-1", ["Epic 1", "To Do"]),
        ("/browse/acme-5", ["Task 5"]),
        ("/browse/ACME", ["Acme Bank", "/browse/ACME-32"]),
    ],
)
def test_the_jira_of_a_demo_shows_issues_and_projects(
    play: Play, path: str, seen: list[str]
) -> None:
    page = httpx.get(play.stage.sockets.jira_url + path, timeout=LONG)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert [one for one in seen if one not in page.text] == []


@pytest.mark.parametrize(
    "key", ["ACME-99999", "NOPE", "NOPE-1", "%3Cscript%3E", "..%2f..", "ACME-5/x"]
)
def test_what_jira_does_not_show_is_said_so(play: Play, key: str) -> None:
    address = f"{play.stage.sockets.jira_url}/browse/{key}"
    page = httpx.get(address, timeout=LONG)
    assert page.status_code == 404
    assert "<script" not in page.text


def test_a_page_of_notion_says_where_it_opens(play: Play) -> None:
    page_id = play.page("projects", ACME)
    address = play.stage.context.notion.page(page_id).url
    assert address is not None
    assert address.startswith(f"{play.stage.sockets.boards_url}/p/Acme-portal-")
    assert "Acme portal" in httpx.get(address, timeout=LONG).text


def test_databases_and_views_open_at_the_addresses_they_tell(play: Play) -> None:
    notion = play.stage.context.notion
    binding = play.stage.bindings()["projects"]
    database = notion.data_source(binding.data_source_id)
    assert database.url is not None
    page = httpx.get(database.url, timeout=LONG)
    assert page.status_code == 200
    assert "Acme portal" in page.text
    bare = play.page("projects", ACME).replace("-", "")
    boards = play.stage.sockets.boards_url
    for name in (bare, f"A-title-{bare}", f"Acme-portal-{bare}"):
        assert httpx.get(f"{boards}/p/{name}", timeout=LONG).status_code == 200
    for name in ("x", f"{bare}x", "-", "0" * 32, "Acme-" + "0" * 32):
        assert httpx.get(f"{boards}/p/{name}", timeout=LONG).status_code == 404
