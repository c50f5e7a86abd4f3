"""Keys of Jira lead to Jira on the agency's own pages, and on none for a client's eyes; risks put off say so."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.outcomes import written
from tests.support.worlds import (
    SOURCES,
    TODAY,
    at,
    card,
    client,
    issue,
    row,
    unit,
    world,
)
from worker.domain.document import (
    Bullet,
    Paragraph,
    Table,
    bold,
    lead,
    link,
    markdown,
    plain,
)
from worker.domain.entities import Move
from worker.world.world import HOME, Place, World

KEY = re.compile(r"\bACME-[1-9][0-9]*\b")
SITE = "https://jira.test"


def _led(text: str) -> str:
    (block,) = lead([Paragraph(text)], KEY, lambda key: f"{SITE}/browse/{key}")
    assert isinstance(block, Paragraph)
    return block.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ACME-7 waits", "[ACME-7](https://jira.test/browse/ACME-7) waits"),
        (
            bold("ACME-7 waits"),
            "**[ACME-7](https://jira.test/browse/ACME-7)**** waits**",
        ),
        (link("ACME-7", "https://notion.test/x"), "[ACME-7](https://notion.test/x)"),
        ("MACME-7, ACME-07 and ACME-", "MACME-7, ACME-07 and ACME-"),
        (
            plain("a * b [c] ACME-1"),
            r"a \* b \[c\] [ACME-1](https://jira.test/browse/ACME-1)",
        ),
    ],
)
def test_a_key_leads_to_its_issue_unless_its_words_lead_elsewhere(
    text: str, shown: str
) -> None:
    assert _led(text) == shown


def test_keys_in_bullets_below_and_in_cells_lead_too() -> None:
    blocks = (Bullet("x", (Bullet("ACME-1"),)), Table(("a",), (("ACME-2",),)))
    text = markdown(lead(blocks, KEY, lambda key: f"{SITE}/browse/{key}"))
    assert text.count(f"{SITE}/browse/ACME-") == 2


def _agency(**fields: Any) -> World:
    moved = issue(
        7,
        summary="Basket",
        category="done",
        moves=(Move(at(date(2026, 11, 17)), "new", "done"),),
    )
    asked = client(status_page=True)
    named = card(name="Card ACME-7")
    seen = world(
        unit(),
        asked,
        named,
        work={"p1": [moved]},
        sources=SOURCES | {"meetings"},
        issues={moved.id: moved},
        **fields,
    )
    return replace(seen, jira_url=SITE, places={HOME: Place("root", "Home")})


def test_the_daily_leads_to_jira_and_a_clients_page_does_not() -> None:
    sections = {
        section.ref.key: markdown(section.blocks)
        for section in written(_agency()).sections
    }
    address = f"{SITE}/browse/ACME-7"
    assert address in sections[f"meeting:daily:u1:{TODAY}"]
    assert "Card ACME-7" in sections["status:c1"]
    assert address not in sections["status:c1"]


@pytest.mark.parametrize(
    ("status", "until", "said"),
    [
        ("snoozed", date(2026, 12, 24), "put off until Dec 24, 2026"),
        ("snoozed", None, "put off"),
        ("closed", date(2026, 12, 24), None),
        ("open", TODAY, None),
    ],
)
def test_a_risk_that_is_put_off_says_so_on_its_clients_page(
    status: str, until: date | None, said: str | None
) -> None:
    mine = client()
    risk = row(
        "risks",
        "r1",
        worker=False,
        title="Sleeper",
        client=(mine.ref,),
        status=status,
        snooze_until=until,
    )
    sections = {
        section.ref.key: markdown(section.blocks)
        for section in written(_agency(rows={"risks": (risk,)})).sections
    }
    page = sections["c1"]
    assert ("put off" in page) == (said is not None)
    if said is not None:
        line = next(line for line in page.splitlines() if "Sleeper" in line)
        assert line.endswith(said)
