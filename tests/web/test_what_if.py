"""The console's what-if form: what it answers, what it says of bad input, and that it asks nobody and writes nothing."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from rayline_demo.board import living
from tests.support.console import TOKENS, Console, served
from tests.support.stages import PITCH, Play, small_play
from worker.domain.document import Callout, Table, runs
from worker.domain.entities import Scenario
from worker.domain.values import Ref
from worker.locales import load_words
from worker.method.whatif.asking import answer_scenarios
from worker.pages.scenario import write_scenario
from worker.pages.view import look as look_at
from worker.web.question_form import MOST, read_amount

HERE = "/w/studio/what-if"
LEFT = date(2026, 10, 1)
FAULT = re.compile(r'<p class="fault" id="([a-z]+\d+)-fault">(.*?)</p>')
NOTICE = re.compile(r'<p class="notice">(.*?)</p>')


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("question"), private=True) as play:
        play.stage.scribe.add("people", name="Gone Person", role="qa", end=LEFT)
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


def look(console: Console, language: str = "en", **fields: str) -> str:
    """Return what an operator sees under the address of a question, entities read."""
    client = console.signed_in()
    client.cookies.set("rayline_language", language)
    answer = client.get(HERE, params=fields)
    assert answer.status_code == 200, answer.headers
    return html.unescape(answer.text)


def faults_in(page: str) -> dict[str, str]:
    """Return what is told beside fields, by their names."""
    return dict(FAULT.findall(page))


def gone_person(play: Play) -> str:
    """Return the key of who left."""
    (gone,) = (
        card for card in living(play.stage, "people") if card.values["end"] is not None
    )
    return gone.page_id


def lost(play: Play, number: int = 1) -> dict[str, str]:
    """Return the fields of the question: what if the first client is lost?"""
    return {f"what{number}": "lose_client", f"client{number}": play.page("clients", 0)}


def plain(text: str) -> str:
    """Return what is read of a line of a page."""
    return "".join(run.text for run in runs(text))


def cells_in(page: str) -> list[str]:
    """Return the cells of all tables of a console's page."""
    cells = re.findall(r"<t[dh](?: scope=\"(?:row|col)\")?>(.*?)</t[dh]>", page)
    return [re.sub("<.*?>", "", cell) for cell in cells]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_answers_as_the_page_of_a_row_does(
    console: Console, play: Play, language: str
) -> None:
    page = look(console, language, **lost(play))
    drawn = play.draw()
    row = Scenario(
        Ref("scenarios", "row"),
        "Without the bank",
        what="lose_client",
        subjects=(Ref("clients", play.page("clients", 0)),),
    )
    asked = replace(
        drawn.world, scenarios={row.ref: row}, words=load_words(language, "EUR")
    )
    outcome = answer_scenarios(asked, drawn.outcome, play.stage.context.playbooks)
    blocks = write_scenario(look_at(asked, outcome), outcome.measures.answers[row.ref])
    callout, *others = blocks
    assert isinstance(callout, Callout)
    assert NOTICE.findall(page) == [plain(callout.text)]
    cells = []
    for block in others:
        if isinstance(block, Table):
            cells += [plain(cell) for cell in block.header]
            cells += [plain(cell) for line in block.rows for cell in line]
    assert cells
    assert cells_in(page) == cells


def test_several_changes_are_one_question(console: Console, play: Play) -> None:
    """A fee of 600,000 becomes 700,000 from December on: 100,000 more; a developer brings 40 hours beside 40."""
    page = look(
        console,
        what1="fee",
        client1=play.page("clients", 0),
        value1="700000",
        date1="2026-12-01",
        what2="add_person",
        unit2=play.page("units", 0),
        role2="developer",
        date2="2026-12-07",
    )
    assert faults_in(page) == {}
    (sentence,) = NOTICE.findall(page)
    assert "forecast of Q4 2026: +€100,000; " in sentence
    assert "developer in the week of Dec 7, 2026: 40 → 80" in sentence
    assert "one more developer" in page
    assert "Load by week and role" in page


def test_nothing_is_asked_or_written(console: Console, play: Play) -> None:
    asked = play.stage.notion.log[-1], play.stage.jira.log[-1]
    state = dump(play)
    assert NOTICE.findall(look(console, **lost(play)))
    assert (play.stage.notion.log[-1], play.stage.jira.log[-1]) == asked
    assert dump(play) == state


def dump(play: Play) -> list[str]:
    """Return all that the state holds."""
    database = play.stage.context.store.engine.url.database
    assert database is not None
    with sqlite3.connect(database) as state:
        return list(state.iterdump())


BAD = [
    (
        {"what1": "lose_client", "client1": ""},
        "client1",
        "It names nothing that changes → choose one client.",
    ),
    (
        {"what1": "lose_client", "client1": "nobody"},
        "client1",
        "It names something that is not there → choose one client.",
    ),
    (
        {"what1": "lose_client", "unit1": "{unit}"},
        "client1",
        "It names something else than what changes → choose one client.",
    ),
    (
        {"what1": "lose_client", "client1": "{client}", "person1": "{person}"},
        "client1",
        "It names 2 things where one is meant → choose one client.",
    ),
    (
        {"what1": "lose_client", "client1": "{client}", "date1": "2026-11-17"},
        "date1",
        "The date 2026-11-17 is past → choose today or a later day.",
    ),
    (
        {"what1": "lose_client", "client1": "{client}", "date1": "9999-12-31"},
        "date1",
        "Nothing can be told of a day so far ahead → choose one within 10 years.",
    ),
    (
        {"what1": "lose_client", "client1": "{client}", "date1": "soon"},
        "date1",
        "This is no day → enter it like 2027-01-31.",
    ),
    (
        {"what1": "lose_person", "person1": "{gone}"},
        "person1",
        "Gone Person has left already → choose somebody who works here.",
    ),
    (
        {"what1": "fee", "client1": "{client}"},
        "value1",
        "The amount is missing → enter the amount.",
    ),
    (
        {"what1": "fee", "client1": "{client}", "value1": "much"},
        "value1",
        "This is no amount → enter digits, such as 150000.",
    ),
    (
        {"what1": "fee", "client1": "{client}", "value1": "NaN"},
        "value1",
        "This is no amount → enter digits, such as 150000.",
    ),
    (
        {"what1": "add_person", "unit1": "{unit}", "role1": "king"},
        "role1",
        "The role is missing → choose the role of the new person.",
    ),
    (
        {"what1": "move_due", "project1": "{card}"},
        "date1",
        "The date is missing → enter the new date.",
    ),
    (
        {"what1": "miracle"},
        "what1",
        "It does not say what changes → choose what is to change.",
    ),
]


@pytest.mark.parametrize(
    ("fields", "place", "said"), BAD, ids=[said for *_, said in BAD]
)
def test_what_cannot_be_asked_is_told_beside_its_field_and_the_rest_goes_on(
    console: Console, play: Play, fields: dict[str, str], place: str, said: str
) -> None:
    known = {
        "unit": play.page("units", 0),
        "client": play.page("clients", 0),
        "person": play.page("people", 0),
        "gone": gone_person(play),
        "card": play.page("projects", PITCH),
    }
    typed = {name: text.format(**known) for name, text in fields.items()}
    page = look(console, **typed, **lost(play, 2))
    assert faults_in(page) == {place: said}
    assert f'id="{place}" name="{place}" aria-invalid="true"' in page
    assert NOTICE.findall(page)

    russian = faults_in(look(console, "ru", **typed))
    assert re.search("[а-я]", russian[place])
    assert not re.search("[a-z]{3}", russian[place].replace("Gone Person", ""))


def test_all_that_is_wrong_with_a_change_is_told_at_once(console: Console) -> None:
    page = look(console, what1="fee", client1="", value1="-5", date1="2026-01-01")
    assert faults_in(page).keys() == {"client1", "value1", "date1"}
    assert NOTICE.findall(page) == []


def test_a_new_change_is_empty_and_not_wrong_yet(console: Console) -> None:
    client = console.signed_in()
    answer = client.get(HERE, params={"add": "fee", "what1": "win", "date1": ""})
    assert answer.status_code == 303
    assert address_of(answer) == {"what1": "win", "what2": "fee"}
    assert faults_in(client.get(answer.headers["location"]).text) == {}


def test_the_address_is_the_question_and_no_longer_than_that(
    console: Console, play: Play
) -> None:
    client = console.signed_in()
    client.cookies.set("rayline_language", "ru")
    fee = {"what2": "fee", "client2": play.page("clients", 0)}
    form = {"what1": "win", "project1": "", **fee, "value2": "700 000,50", "date2": ""}
    answer = client.get(HERE, params={**form, "drop": "1"})
    assert address_of(answer) == {
        "what1": "fee",
        "client1": play.page("clients", 0),
        "value1": "700000.50",
    }
    answer = client.get(answer.headers["location"])
    assert answer.status_code == 200
    client.cookies.set("rayline_language", "en")
    english = client.get(answer.url)
    assert english.status_code == 200
    assert "Acme Bank</a>: monthly fee €700,001" in html.unescape(english.text)


def address_of(answer: httpx.Response) -> dict[str, str]:
    """Return the question that an answer leads to."""
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query, True))


def test_a_question_of_more_changes_than_fit_says_so(
    console: Console, play: Play
) -> None:
    many: dict[str, str] = {}
    for number in range(1, MOST + 3):
        many |= {f"what{number}": "win", f"project{number}": ""}
    page = look(console, **many)
    assert "2 changes are left out: a question holds 12 at most." in page
    assert f"what{MOST}" in page
    assert f"what{MOST + 1}" not in page.split("<main", 1)[1]


def test_people_are_chosen_by_name_and_those_who_left_are_not_listed(
    console: Console, play: Play
) -> None:
    page = look(console, what1="lose_person")
    assert ">Developer Person · developer</option>" in page
    assert "Gone Person" not in page
    page = look(console, what1="lose_person", person1=gone_person(play))
    assert " selected>Gone Person · QA engineer</option>" in page


def test_a_viewer_is_told_so_and_sees_no_link(console: Console, play: Play) -> None:
    client = console.signed_in("vera")
    answer = client.get(HERE, params=lost(play))
    assert answer.status_code == 403
    assert "your role is viewer" in answer.text
    assert HERE not in client.get("/w/studio").text
    assert HERE in console.signed_in().get("/w/studio").text


def test_signing_in_and_another_language_lead_back_to_the_question(
    console: Console, play: Play
) -> None:
    client = console.client()
    answer = client.get(HERE, params=lost(play))
    door = client.get(answer.headers["location"])
    (back,) = re.findall(r'name="back" value="(.*?)"', door.text)[-1:]
    form = {"token": TOKENS["anna"], "back": html.unescape(back)}
    answer = client.post("/sign-in", data=form)
    assert address_of(answer) == lost(play)
    page = client.get(answer.headers["location"])
    back = re.findall(r'name="back" value="(.*?)"', page.text)[0]
    form = {"language": "ru", "back": html.unescape(back)}
    assert address_of(client.post("/preferences", data=form)) == lost(play)


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("150000", "en", "150000"),
        ("150,000", "en", "150000"),
        ("150,000.5", "en", "150000.5"),
        ("150 000", "en", "150000"),
        ("150 000,5", "ru", "150000.5"),
        ("150000.5", "ru", "150000.5"),
        ("-5", "ru", "-5"),
        ("150000,50", "en", None),
        ("1e400", "en", None),
        ("Infinity", "en", None),
        ("1000000000000000", "en", None),
        ("", "en", None),
        ("12 apples", "en", None),
    ],
)
def test_an_amount_is_read_as_people_type_it(
    text: str, locale: str, amount: str | None
) -> None:
    expected = None if amount is None else Decimal(amount)
    assert read_amount(text, locale) == expected
