"""A read that breaks off anywhere, by the end of the process or by Jira, loses nothing of what the next one tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from rayline_sandbox.wire import Request, Response, json_response
from tests.support.jira_site import FACES, LinkedSite, create
from worker.errors import Transient

QUERY = "project = ACME AND status != Done"


class Killed(BaseException):
    """The end of a process, which nothing catches."""


@dataclass
class BreakingSite(LinkedSite):
    """A Jira of which one read breaks off: with its request number `last`, counted from nought, or with its censuses."""

    last: int | None = None
    is_down: bool = False
    """Whether the ids of a query are not answered for."""
    is_short: bool = False
    """Whether they do not come to an end."""

    def handle(self, request: Request) -> Response:
        """Answer as the site does until it breaks off."""
        if self.last is not None:
            self.last -= 1
            if self.last < 0:
                raise Killed
        asked = repr((request.query, request.body))
        is_search = request.path.endswith(("/search", "/search/jql"))
        is_listing = "project/search" in request.path
        is_census = is_search and not is_listing and "issuetype" not in asked
        if self.is_down and is_census:
            return json_response(503, {})
        if self.is_short and is_census:
            return json_response(200, {"issues": [], "isLast": False})
        return super().handle(request)


@pytest.fixture(params=FACES)
def site(tmp_path: Path, request: pytest.FixtureRequest) -> BreakingSite:
    return BreakingSite(tmp_path, request.param)


def break_off(site: BreakingSite, requests: int) -> bool:
    """Read until some requests were answered; tell whether that came before the end."""
    site.last = requests
    try:
        site.read()
    except Killed:
        return True
    finally:
        site.last = None
    return False


@pytest.mark.parametrize("cell", [QUERY, "ACME", "status != Done AND key != BETA-1"])
def test_what_a_broken_read_saw_is_matched_by_the_next(
    site: BreakingSite, cell: str
) -> None:
    site.cells = {"web": cell, "shop": "BETA"}
    expected = {*site.work(site.read(), "web")}
    for requests in range(12):
        made = create(site, "ACME")
        expected.add(made)
        if not break_off(site, requests):
            break
        assert set(site.work(site.read(), "web")) == expected, requests
    assert requests > 3


def test_what_does_not_match_any_more_leaves_after_a_broken_read(
    site: BreakingSite,
) -> None:
    site.cells = {"web": QUERY, "whole": "ACME"}
    site.read()
    for number in range(1, 5):
        site.touch(f"ACME-{number}")
        assert break_off(site, number)
        left = [f"ACME-{one}" for one in range(number + 1, 5)]
        assert site.work(site.read(), "web") == left


def test_what_jira_did_not_match_for_a_while_is_matched_as_soon_as_it_does(
    site: BreakingSite,
) -> None:
    site.cells = {"web": QUERY, "shop": "BETA"}
    before = site.work(site.read(), "web")
    made = create(site, "ACME")
    site.is_down = True
    for _ in range(2):
        with pytest.raises(Transient):
            site.read()
    site.is_down = False
    assert site.work(site.read(), "web") == [*before, made]


def test_ids_that_did_not_come_to_an_end_are_asked_for_again(
    site: BreakingSite,
) -> None:
    site.cells = {"web": QUERY, "shop": "BETA"}
    before = site.work(site.read(), "web")
    made = create(site, "ACME")
    site.is_short = True
    for _ in range(2):
        read = site.read()
        assert "not all ids" in read.incomplete
        assert site.work(read, "web") == before
    site.is_short = False
    assert site.work(site.read(), "web") == [*before, made]
    assert site.asked() == 3


def test_a_filter_whose_ids_do_not_come_to_an_end_is_told_by_its_number(
    site: BreakingSite,
) -> None:
    site.cells = {"web": f"filter={site.filter}"}
    site.is_short = True
    assert site.read().incomplete == f"not all ids of filter {site.filter}"


def test_a_branch_that_grew_during_a_broken_read_is_read_to_its_end(
    site: BreakingSite,
) -> None:
    epic = create(site, "ACME", issuetype="Epic")
    site.cells = {"web": epic, "shop": QUERY.replace("ACME", "GAMMA")}
    site.read()
    story = create(site, "BETA", parent=epic)
    part = create(site, "BETA", parent=story, issuetype="Sub-task")
    site.later(30)
    create(site, "GAMMA")
    for requests in range(1, 12):
        if not break_off(site, requests):
            break
    assert {story, part} <= set(site.work(site.read(), "web"))
    site.jira.control("transition", {"issue": part, "status": "Done"})
    site.read()
    assert site.category(part) == "done"


def test_after_a_broken_read_an_idle_one_costs_what_it_always_does(
    site: BreakingSite,
) -> None:
    site.cells = {"web": QUERY, "shop": "BETA"}
    site.read()
    create(site, "ACME")
    assert break_off(site, 2)
    site.read()
    assert site.asked() == 3
