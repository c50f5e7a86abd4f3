"""The day's and the week's page of a unit reach its chat: the page's own words, short enough, once a date."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from tests.support.receivers import Receiver, receiving
from tests.support.stages import Play, small_play
from tests.support.watched import alerts_to
from worker.alerts.pages import write_text
from worker.alerts.watch import Watch
from worker.alerts.wording import LONGEST
from worker.daemon.job_log import JobLog
from worker.domain.document import Bullet, Callout, Heading, Paragraph, Table, ToDo
from worker.domain.messages import ENGLISH
from worker.domain.periods import local_day


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("pages")) as play:
        play.sync()
        yield play


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def test_a_units_page_is_sent_once_it_is_written_and_once_a_date(
    play: Play, chat: Receiver
) -> None:
    told = play.with_settings(
        time_zone="UTC",
        alerts=alerts_to(f"* = {chat.target}", f"Nobody = {chat.target}"),
    )
    context = told.stage.context
    today = local_day(context.now(), ZoneInfo("UTC"))
    watch = Watch(lambda: {context.name: context})

    watch.look()
    assert chat.titles == []

    JobLog(context.store, context.name).mark_date("daily", today)
    for _ in range(3):
        watch.look()
        play.later(minutes=1)
    Watch(lambda: {context.name: context}).look()
    assert len(chat.titles) == 1
    assert chat.titles[0].startswith("Daily ")
    assert "Moved in Jira since" in chat.texts[0]
    assert "http" in chat.texts[0].splitlines()[-1]
    assert len(chat.texts[0]) <= LONGEST
    assert "**" not in chat.texts[0]


def test_a_page_becomes_plain_text_with_its_address_at_the_end() -> None:
    blocks = (
        Heading("Moved"),
        Paragraph("**Acme** has [a card](https://notion.example/1)"),
        Bullet("one", (Bullet("two"),)),
        ToDo("do it"),
        ToDo("did it", checked=True),
        Callout("beware", "⚠️"),
        Table(("who", "what"), (("Anna", "leads"),)),
    )
    assert write_text(blocks, "https://notion.example/9", ENGLISH).splitlines() == [
        "",
        "Moved",
        "Acme has a card",
        "• one",
        "  • two",
        "☐ do it",
        "☑ did it",
        "⚠️ beware",
        "who · what",
        "Anna · leads",
        "https://notion.example/9",
    ]


@pytest.mark.parametrize("count", [1, 30, 60, 1_000])
def test_a_long_page_is_cut_between_lines_and_says_so(count: int) -> None:
    line = "x" * 99
    blocks = [Paragraph(line)] * count
    text = write_text(blocks, "https://notion.example/9", ENGLISH)
    assert len(text) <= LONGEST
    assert ("the rest is on the page" in text) is (count > 33)
    assert set(text.splitlines()[:-2]) <= {line}
