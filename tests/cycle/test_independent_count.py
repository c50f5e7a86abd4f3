"""Every figure that cards show of Jira equals a count made apart from the worker: on Cloud and Data Center, in any zone."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

import pytest

from tests.support.counted_firm import (
    Firm,
    add_cards,
    branches,
    conditions,
    odd_spellings,
    open_firm,
    whole_projects,
)
from tests.support.own_changes import Changes
from tests.support.own_count import hours_of
from worker.cycle.context import Mode

PLACES = (
    ("Europe/Moscow", True),
    ("America/New_York", False),
    ("Asia/Vladivostok", True),
    ("Australia/Adelaide", False),
    ("America/New_York", True),
)
CHANGES = 2
"""Looks at what changed, between two full passes."""


def firm_of(folder: Path, zone: str, *, cloud: bool) -> Firm:
    """Return a firm with a card for every form of a link."""
    firm = open_firm(folder, zone=zone, cloud=cloud)
    firm.site.build(amount=10)
    add_cards(firm, branches, conditions, whole_projects, odd_spellings)
    return firm


def check(firm: Firm) -> None:
    """Compare all cards with the count, and what everybody logged by week.

    Four full weeks lie before the one of 17 and 18 November 2026: 19 October to 15 November.
    """
    site = firm.read()
    desk = firm.desk()
    assert firm.differences(site) == []
    for row in firm.shown("people").values():
        name = row.values["jira_account"]
        first, last = date(2026, 10, 19), date(2026, 11, 15)
        hours = hours_of(name, site.items.values(), first, last, desk=desk)
        share = hours / row.values["effective"]
        percent = share.quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert (name, row.values["utilization"]) == (name, percent)


@pytest.mark.parametrize(("zone", "cloud"), PLACES)
def test_every_figure_of_cards_of_every_form_of_a_link_equals_an_independent_count(
    tmp_path: Path, zone: str, cloud: bool
) -> None:
    firm = firm_of(tmp_path, zone, cloud=cloud)
    assert len(firm.cards) >= 30
    firm.sync(Mode.FULL)
    check(firm)

    for day in range(CHANGES):
        changes = Changes(firm.site, firm.read(), Random(day))
        for change in changes.each():
            change()
        firm.later()
        firm.sync(Mode.DELTA)
        check(firm)

    changes = Changes(firm.site, firm.read(), Random(CHANGES))
    changes.delete()
    firm.site.act("rename_project", key="WEB", new_key="SITE")
    firm.later()
    firm.sync(Mode.FULL)
    check(firm)

    firm.move_to("Asia/Kolkata")
    firm.sync(Mode.DELTA)
    check(firm)
    assert firm.sync(Mode.FULL).plan.changes == ()


@pytest.mark.parametrize("cloud", [True, False])
def test_what_was_hidden_and_is_shown_again_counts_as_if_it_never_was(
    tmp_path: Path, cloud: bool
) -> None:
    firm = firm_of(tmp_path, "America/New_York", cloud=cloud)
    firm.sync(Mode.FULL)
    for key in ("API", "OPS", "ACME"):
        firm.site.act("hide_project", key=key)
    firm.site.act("archive_project", key="SUBT")
    for mode in (Mode.DELTA, Mode.FULL):
        firm.later()
        firm.sync(mode)
    for key in ("API", "OPS", "ACME"):
        firm.site.act("show_project", key=key)
    firm.site.act("restore_project", key="SUBT")
    firm.later()
    firm.sync(Mode.FULL)
    check(firm)


FORMS = (branches, conditions, whole_projects, odd_spellings)


@pytest.mark.parametrize("seed", range(6))
def test_any_few_cards_show_after_changes_and_a_full_pass_what_an_independent_count_gives(
    tmp_path: Path, seed: int
) -> None:
    """Few cards link little: what leaves a condition or a branch is in no project that is read besides."""
    chance = Random(seed)
    zone, cloud = chance.choice(PLACES)
    firm = open_firm(tmp_path, zone=zone, cloud=cloud, seed=seed)
    firm.site.build(amount=6)
    links = [link for form in FORMS for link in form(firm)]
    for cell, work in chance.sample(links, 3):
        firm.add_card(cell, work)
    firm.sync(Mode.FULL)
    assert firm.differences(firm.read()) == []

    for _ in range(2):
        changes = Changes(firm.site, firm.read(), chance)
        for change in chance.sample(changes.each(), 4):
            change()
        firm.later()
        firm.sync(Mode.DELTA)
    Changes(firm.site, firm.read(), chance).delete()
    firm.later()
    firm.sync(Mode.FULL)
    assert firm.differences(firm.read()) == []
