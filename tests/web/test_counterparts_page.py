"""Counterparts in the console: proposals with their reasons, accepted by a form, written by a run, declined and proposed
again; what is not sure stays open where everybody sees it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.console import Console, answering, served
from tests.support.stages import PITCH, Play, small_play
from tests.support.waiting import wait_for

DEVELOPER = 3
PAGE = "/w/studio/problems/counterparts"
OPTION = re.compile(r'<option value="([^"]+)"( selected)?>([^<]+)</option>')


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A firm whose developer has no account yet, and whose pitch holds a key in its name."""
    with small_play(tmp_path) as found:
        found.edit("projects", found.page("projects", PITCH), name="Gamma idea (OTHER)")
        found.edit("people", found.page("people", DEVELOPER), jira_account="")
        found.sync()
        yield found


@pytest.fixture
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


@pytest.fixture
def client(console: Console) -> httpx.Client:
    return console.signed_in()


def options(client: httpx.Client) -> dict[str, tuple[str, bool]]:
    """Return what may be chosen, by name: the choice itself, and whether it is chosen before anybody did."""
    shown = OPTION.findall(client.get(PAGE).text)
    return {
        html.unescape(name): (html.unescape(choice), bool(chosen))
        for choice, chosen, name in shown
    }


def post(console: Console, client: httpx.Client, what: str, **form: object) -> str:
    key = console.form_key(client)
    answer = client.post(f"{PAGE}/{what}", data={"form_key": key, **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def answered(play: Play, client: httpx.Client, waiting: str) -> str:
    """Let a request be answered and return the page of its run."""
    with answering(play):
        wait_for(lambda: client.get(waiting).status_code == 303, "the run")
    return client.get(waiting, follow_redirects=True).text


def test_what_is_chosen_is_written_by_a_run_into_the_column_of_people(
    console: Console, play: Play, client: httpx.Client
) -> None:
    page = client.get(PAGE).text
    assert "Gamma idea (OTHER)" in page
    assert "its name holds the key OTHER (100 of 100)" in page
    assert "looked who is known" in page
    assert "developer@studio.example" not in page

    mark = play.mark()
    looked = post(console, client, "look")
    assert "a look who is known to Jira and Notion" in client.get(looked).text
    answered(play, client, looked)
    assert play.writes(mark) == []

    offered = options(client)
    name = next(name for name in offered if "developer@studio.example" in name)
    account, is_chosen = offered[name]
    work, _ = next(
        chosen for chosen in offered.values() if chosen[0].endswith(" OTHER")
    )
    assert is_chosen

    asked = post(console, client, "accept", choice=["", account, work])
    assert "accepted counterparts" in client.get(asked).text
    assert play.writes(mark) == []
    shown = answered(play, client, asked)
    assert '<span class="tag done">' in shown
    assert play.row("projects", PITCH).values["jira"] == "OTHER"
    assert play.row("people", DEVELOPER).values["jira_account"] == "acc-developer"
    assert name not in options(client)


def test_what_is_declined_is_proposed_no_more_until_somebody_wants_it(
    console: Console, play: Play, client: httpx.Client
) -> None:
    choice = next(one for one, _ in options(client).values() if one.endswith(" OTHER"))
    mark = play.mark()
    post(console, client, "decline", name=choice)
    assert choice not in [one for one, _ in options(client).values()]
    # The gap itself stays where everybody sees it.
    assert "Gamma idea (OTHER)" in client.get(PAGE).text
    post(console, client, "again")
    assert choice in [one for one, _ in options(client).values()]
    assert play.writes(mark) == []


def test_nothing_that_was_not_proposed_is_accepted_or_declined(
    console: Console, play: Play, client: httpx.Client
) -> None:
    pitch = play.page("projects", PITCH)
    forged = f"projects/{pitch} budget 1000000"
    key = console.form_key(client)
    for what, field in (("accept", "choice"), ("decline", "name")):
        answer = client.post(f"{PAGE}/{what}", data={"form_key": key, field: forged})
        assert answer.status_code == 404
    assert post(console, client, "accept", choice=[""]) == PAGE
    with answering(play) as runner:
        runner.answer_triggers()
    assert play.row("projects", PITCH).values["jira"] == ""


@pytest.mark.parametrize("what", ["accept", "decline", "again", "look"])
def test_viewers_and_forged_forms_decide_nothing(
    console: Console, client: httpx.Client, what: str
) -> None:
    viewer = console.signed_in("vera")
    page = viewer.get(PAGE).text
    assert "Gamma idea (OTHER)" in page
    assert f"{PAGE}/" not in page
    choice = next(one for one, _ in options(client).values() if one.endswith(" OTHER"))
    form = {"choice": choice, "name": choice}
    for visitor, key in (
        (viewer, console.form_key(viewer)),
        (client, ""),
        (client, "0" * 64),
        (client, console.form_key(console.signed_in())),
    ):
        answer = visitor.post(f"{PAGE}/{what}", data={**form, "form_key": key})
        assert answer.status_code == 403
    assert console.client().post(f"{PAGE}/{what}", data=form).status_code == 303
    assert choice in [one for one, _ in options(client).values()]


def test_it_speaks_russian(client: httpx.Client) -> None:
    client.cookies.set("rayline_language", "ru")
    page = client.get(PAGE).text
    assert "Принять выбранное" in page
    assert "ключ OTHER" in page
    assert re.search("its name holds|of 100|leave it open", page) is None


def test_what_somebody_filled_in_meanwhile_stays(
    console: Console, play: Play, client: httpx.Client
) -> None:
    choice = next(one for one, _ in options(client).values() if one.endswith(" OTHER"))
    asked = post(console, client, "accept", choice=[choice])
    play.edit("projects", play.page("projects", PITCH), jira="BETA-3")
    shown = answered(play, client, asked)
    assert "somebody has filled it in meanwhile" in shown
    assert play.row("projects", PITCH).values["jira"] == "BETA-3"
