"""`rayline import`: shown first, made once, found again after a doubtful answer, and taken back like every run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rayline_demo.board import living
from tests.support.stages import Play, one_object, rayline, small_play, write_config
from worker.app.build import open_store
from worker.plan.natural import is_brought_in
from worker.state import journal

REVENUE = {
    "en": "Client;Month;Amount;Kind;Entry;Colour\n"
    "Acme Bank;2026-09;1 200,50;act;A-1;red\n"
    "beta travel;30.09.2026;(300);Act;A-2;\n"
    "Gamma Pitch;1.10.2026;€ 99;payment;;\n",
    "ru": "Заказчик;Дата;Сумма;Вид;Номер документа;Цвет\n"
    "Acme Bank;2026-09;1\u2009200,50;Акт;А-1;красный\n"
    "beta travel;30.09.2026;(300);акт;А-2;\n"
    "Gamma Pitch;1.10.2026;99;Оплата;;\n",
}
ENCODINGS = {"en": "utf-8-sig", "ru": "cp1251"}
SAID = {"en": "Nothing was written.", "ru": "Ничего не записано."}


@pytest.fixture
def locale() -> str:
    return "en"


@pytest.fixture
def play(locale: str, tmp_path: Path) -> Iterator[Play]:
    with small_play(tmp_path, locale=locale) as found:
        write_config(found)
        text = REVENUE[locale].replace("\u2009", "\u00a0")
        (tmp_path / "money.csv").write_bytes(text.encode(ENCODINGS[locale]))
        yield found


def bring(play: Play, *words: str) -> subprocess.CompletedProcess[str]:
    return rayline("import", *words, home=play.folder)


def told(play: Play, *words: str, code: int = 0) -> Mapping[str, Any]:
    done = bring(play, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return one_object(done.stdout)


def entries(play: Play, source: str = "revenue") -> list[tuple[str, Any]]:
    return sorted(
        (str(row.values["name"]), row.values.get("amount"))
        for row in living(play.stage, source)
    )


def strike(play: Play, kind: str) -> None:
    """Have Notion's next creation of a row end so."""
    match = {"method": "POST", "path_regex": "/v1/pages$"}
    play.stage.notion.control("faults", {"rules": [{"match": match, "kind": kind}]})


@pytest.mark.parametrize("locale", sorted(REVENUE))
def test_a_table_is_shown_then_made_once_and_can_be_taken_back(
    play: Play, locale: str
) -> None:
    before = entries(play)
    mark = play.mark()
    shown = told(play, "revenue", "money.csv")
    assert (shown["rows"], shown["standing"], shown["written"]) == (3, 0, False)
    assert shown["encoding"] == ENCODINGS[locale]
    assert shown["sums"] == {"EUR": "999.5"}
    assert len(shown["left_out"]) == 1
    seen = bring(play, "revenue", "money.csv")
    assert SAID[locale] in seen.stdout
    assert play.writes(mark) == []

    made = told(play, "revenue", "money.csv", "--apply")
    assert (made["changes"]["create"], made["written"]) == (3, True)
    assert len(entries(play)) == len(before) + 3
    assert Decimal(-300) in [amount for _, amount in entries(play)]

    again = told(play, "revenue", "money.csv", "--apply")
    assert (again["rows"], again["standing"]) == (0, 3)
    assert len(entries(play)) == len(before) + 3

    number = str(made["run_id"])
    plan = one_object(rayline("undo", number, "--json", home=play.folder).stdout)
    undone = rayline(
        *("undo", number, "--force", "--apply", plan["checksum"]), home=play.folder
    )
    assert undone.returncode == 0, undone.stderr
    assert entries(play) == before
    assert told(play, "revenue", "money.csv", "--apply")["changes"]["create"] == 3


@pytest.mark.parametrize("kind", ["503_committed", "503_saved", "reset_after", "504"])
def test_a_doubtful_answer_makes_nothing_twice(play: Play, kind: str) -> None:
    before = {row.page_id for row in living(play.stage, "revenue")}
    # The journal's clock is the machine's own, so that Notion's has to agree with it.
    play.later(seconds=(datetime.now(UTC) - play.stage.clock.now()).total_seconds())
    strike(play, kind)
    bring(play, "revenue", "money.csv", "--apply")
    bring(play, "revenue", "money.csv", "--apply")
    assert len(living(play.stage, "revenue")) <= len(before) + 3

    config = play.folder / "rayline.toml"
    text = config.read_text("utf-8")
    config.write_text(text.replace("window = 1.0", "window = 1.0\nsettle = 0"), "utf-8")
    last = told(play, "revenue", "money.csv", "--apply")
    assert last["faults"] == []
    assert told(play, "revenue", "money.csv")["standing"] == 3
    made = {row.page_id for row in living(play.stage, "revenue")} - before
    with open_store(f"sqlite:///{play.folder / 'cli.db'}").reading("studio") as tx:
        ours = journal.canonical_pages(tx)
        assert journal.unsettled(tx) == ()
    assert len(made) == 3
    assert made == {page for ref, page in ours.items() if is_brought_in(ref)}


def test_people_and_contacts_are_known_by_what_they_are_called(play: Play) -> None:
    folder = play.folder
    (folder / "team.csv").write_text(
        "Name,Role,Contract hours a week\nAm Person,am,40\nNew Person,Developer,32\n",
        "utf-8",
    )
    (folder / "contacts.csv").write_text(
        "Имя\tПочта\tКлиент\nCarla C.\tC@ACME.example\tAcme Bank\nOther\t\tAcme Bank\n",
        "utf-16",
    )
    people = told(play, "people", "team.csv", "--apply")
    assert (people["rows"], people["standing"]) == (1, 1)
    contacts = told(play, "contacts", "contacts.csv", "--apply")
    assert (contacts["rows"], contacts["standing"]) == (1, 1)
    assert contacts["encoding"] == "utf-16"


def test_what_cannot_be_read_names_line_column_and_the_way_out(play: Play) -> None:
    (play.folder / "bad.csv").write_text(
        'Client,Month,Amount\nAcme Bnak,2026-13-01,ten\n,05/06/2026,"1,234"\n', "utf-8"
    )
    mark = play.mark()
    shown = told(play, "revenue", "bad.csv", "--apply", code=2)
    found = [(one["where"][-1], one["field"]) for one in shown["faults"]]
    assert found == [
        (line, name) for line in "23" for name in ("Client", "Month", "Amount")
    ]
    assert all(one["message"] and one["hint"] for one in shown["faults"])
    assert "Acme Bank" in shown["faults"][0]["hint"]
    assert play.writes(mark) == []


@pytest.mark.parametrize("body", [b"", b"\x98\xff\x00\x01", b"a;b\n1;2\n", b'"open\n'])
def test_a_file_that_is_no_such_table_is_refused(play: Play, body: bytes) -> None:
    (play.folder / "odd.csv").write_bytes(body)
    done = bring(play, "revenue", "odd.csv")
    assert done.returncode == 2
    assert "odd.csv" in done.stderr
    assert "Traceback" not in done.stderr
