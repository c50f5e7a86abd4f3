"""What a look-up makes of a creation in doubt: which pages are it, and what is done when nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from board_rig import SCHEMA, SETTLE, WORKSPACE, Board
from msgspec.structs import replace
from structlog.testing import capture_logs

from rayline_sandbox.wire import HandlerTransport, Request, Response
from tests.support.english import english
from worker.domain.values import Ref, Value
from worker.errors import Code, Severity
from worker.mapping.schema import (
    KEY_PROPERTY,
    BoundFilter,
    Option,
    Owner,
    Property,
    Rows,
    Schema,
    Source,
)
from worker.notion.workspace import create_workspace
from worker.plan.natural import ref_of
from worker.ports.notion import Notion
from worker.site import Site
from worker.state import bases, journal
from worker.state.transitions import Status
from worker.world.world import CLIENT_PAGES, client_page
from worker.write.places import TITLE
from worker.write.settle import Settled, settle

RISK, OTHER = Ref("risks", "risk:late:c1"), Ref("risks", "risk:late:c2")
ANNA: Mapping[str, Value] = MappingProxyType({"name": "Anna"})
BROUGHT = ref_of("people", ANNA)
TEAM = Source(
    "people",
    Rows.PEOPLE,
    {"en": "people"},
    "🧑",
    {
        prop.name: prop
        for prop in (
            Property("name", "title", Owner.HUMAN, {"en": "name"}),
            Property(
                "role",
                "select",
                Owner.HUMAN,
                {"en": "role"},
                options=(Option("staff", {"en": "staff"}),),
            ),
            Property("load", "number", Owner.WORKER, {"en": "load"}),
        )
    },
)
FULL = Schema({**SCHEMA.sources, "people": TEAM})
Answers = Callable[[Request, Response], Response]


@dataclass(slots=True)
class Desk:
    """A board with people's own table beside it, and claims that a dead run left in the journal."""

    board: Board
    schema: Schema = FULL
    bindings: dict[str, Any] = field(init=False)
    start: datetime = field(init=False)

    def __post_init__(self) -> None:
        root = self.board.sandbox.root_page_id
        team = create_workspace(
            self.board.notion,
            Schema({"people": TEAM}),
            parent_page_id=root,
            locale="en",
        )
        self.bindings = {**self.board.bindings, **team}
        self.start = self.board.clock.now()

    def wait_until(self, seconds: float) -> None:
        """Let the clock show so many seconds after the start, which is a full minute."""
        self.board.clock.advance(
            self.start + timedelta(seconds=seconds) - self.board.clock.now()
        )

    def claim(
        self, ref: Ref, wanted: Mapping[str, Value] = ANNA, *, sent: float = 0
    ) -> None:
        """Leave a claim whose request left so many seconds after the start."""
        with self.board.store.transaction(WORKSPACE) as tx:
            journal.intend(
                tx, ref, wanted, claim="first", now=self.start + timedelta(seconds=sent)
            )

    def add(self, source: str, **cells: dict[str, Any]) -> str:
        """Let a person add a row."""
        place = self.bindings[source].data_source_id
        return str(
            self.board.person("create", data_source_id=place, properties=cells)["id"]
        )

    def keyed(self, key: str) -> str:
        """Have a risk stand that carries a key."""
        labels = SCHEMA.sources["risks"].properties
        return self.add("risks", **{labels[KEY_PROPERTY].label["en"]: _text(key)})

    def page_below(self, page_id: str, title: str) -> str:
        """Have a page of some title stand below another."""
        cells = {"title": _title(title)}
        made = self.board.person("create", page_id=page_id, properties=cells)
        return str(made["id"])

    def place(self, ref: Ref, page_id: str) -> None:
        """Have the journal know where a page of ours stands."""
        self.claim(ref)
        with self.board.store.transaction(WORKSPACE) as tx:
            now = self.board.clock.now()
            journal.finish(tx, ref, page_id, claim="first", now=now)

    def settle(self, notion: Notion | None = None) -> Settled:
        """Settle once every claim so far is old enough."""
        self.board.clock.advance(timedelta(days=1))
        return self.settle_now(notion)

    def settle_now(self, notion: Notion | None = None) -> Settled:
        """Settle on the spot."""
        site = self.board.site(settle_after=SETTLE)
        full = Site(
            site.name, site.settings, self.schema, site.words, site.store, site.now
        )
        return settle(notion or self.board.notion, full, self.bindings)

    def status(self, ref: Ref) -> tuple[Status, str]:
        """Return how far a creation has come, and its page."""
        with self.board.store.reading(WORKSPACE) as tx:
            intent = journal.find(tx, ref)
        assert intent is not None
        return intent.status, intent.page_id

    def answering(self, change: Answers) -> Notion:
        """Return a gateway to a Notion that answers otherwise."""
        handle = self.board.sandbox.handle
        return self.board.connect(
            HandlerTransport(lambda request: change(request, handle(request)))
        )

    def showing(self, **shown: Mapping[str, Any]) -> Notion:
        """Return a gateway to a Notion that shows something else of records, by id."""

        def change(request: Request, response: Response) -> Response:
            body = json.loads(response.body)
            for raw in body.get("results", ()):
                raw.update(shown.get(raw["id"], {}))
            return _with_body(response, body)

        return self.answering(change)


def _with_body(response: Response, body: Any) -> Response:
    return Response(response.status, response.headers, json.dumps(body).encode())


def _title(text: str) -> dict[str, Any]:
    return {"title": [{"text": {"content": text}}]}


def _text(text: str) -> dict[str, Any]:
    return {"rich_text": [{"text": {"content": text}}]}


def _told(settled: Settled) -> str:
    """Return the one problem's sentence, when nothing else came of the look-up."""
    (problem,) = settled.problems
    assert settled == Settled(problems=(problem,))
    return english(problem.message)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Board(tmp_path))


# --- when


def test_only_claims_whose_settle_time_is_over_are_looked_up(desk: Desk) -> None:
    desk.claim(OTHER, sent=0.000001)
    desk.claim(RISK)
    desk.wait_until(SETTLE.total_seconds())
    assert desk.settle_now() == Settled(reopened=(RISK,), waiting=(OTHER,))
    assert desk.status(OTHER) == (Status.INTENDED, "")
    assert desk.status(RISK) == (Status.FAILED, "")


def test_what_came_of_each_claim_is_logged_in_words(desk: Desk) -> None:
    desk.claim(RISK)
    desk.claim(OTHER)
    desk.claim(BROUGHT)
    page_id = desk.keyed(RISK.key)
    del desk.bindings["people"]
    with capture_logs() as logged:
        settled = desk.settle()
    assert (settled.adopted, settled.reopened) == ((RISK,), (OTHER,))
    assert desk.status(RISK) == (Status.DONE, page_id)
    outcomes = {entry["ref"]: entry["outcome"] for entry in logged}
    (problem,) = settled.problems
    assert outcomes == {
        str(RISK): "adopted",
        str(OTHER): "reopened",
        str(BROUGHT): english(problem.message),
    }


# --- rows by their key


def test_a_row_found_by_its_key_is_known_as_what_we_made(desk: Desk) -> None:
    wanted = {"name": "Late", "note": "call"}
    desk.claim(RISK, wanted)
    page_id = desk.keyed(RISK.key)
    assert desk.settle() == Settled(adopted=(RISK,))
    with desk.board.store.reading(WORKSPACE) as tx:
        written = bases.of_page(tx, page_id)
        attempted = bases.attempts_of(tx, page_id)
        assert journal.created_pages(tx) == {page_id}
    assert written["name"] == "Late", "what is ours alone was sent for certain"
    assert attempted == {"note": "call"}, "what is people's may have been typed over"


def test_a_key_of_other_letters_is_another_row_whatever_a_filter_says(
    desk: Desk,
) -> None:
    def unfiltered(request: Request) -> Response:
        if request.path.endswith("/query"):
            body = json.loads(request.body)
            body.pop("filter", None)
            raw = json.dumps(body).encode()
            request = Request(request.method, request.path, (), request.headers, raw)
        return desk.board.sandbox.handle(request)

    notion = desk.board.connect(HandlerTransport(unfiltered))
    desk.keyed(RISK.key.upper())
    desk.claim(RISK)
    assert desk.settle(notion) == Settled(reopened=(RISK,))
    page_id = desk.keyed(OTHER.key)
    desk.claim(OTHER)
    assert desk.settle(notion) == Settled(adopted=(OTHER,))
    assert desk.status(OTHER) == (Status.DONE, page_id)


def test_a_row_in_the_trash_is_none(desk: Desk) -> None:
    page_id = desk.keyed(RISK.key)
    desk.claim(RISK)
    gone = desk.showing(**{page_id: {"in_trash": True}})
    assert desk.settle(gone) == Settled(reopened=(RISK,))


def test_several_rows_of_one_key_are_told_and_none_is_taken(desk: Desk) -> None:
    desk.claim(RISK)
    for _ in range(2):
        desk.keyed(RISK.key)
    settled = desk.settle()
    assert _told(settled) == "2 rows carry the key"
    (problem,) = settled.problems
    assert (problem.code, problem.severity, problem.field) == (
        Code.UNSETTLED_CREATION,
        Severity.ERROR,
        KEY_PROPERTY,
    )
    assert (english(problem.where), english(problem.hint)) == (
        str(RISK),
        "delete all but one of them",
    )
    assert desk.status(RISK) == (Status.INTENDED, "")


def test_rows_that_cannot_be_read_now_leave_the_claim_as_it_is(desk: Desk) -> None:
    desk.claim(RISK)
    desk.board.break_next("403", path="/query$")
    assert _told(desk.settle()).startswith("the row could not be looked up: ")
    assert desk.status(RISK) == (Status.INTENDED, "")
    assert desk.settle() == Settled(reopened=(RISK,))


def _without_board(desk: Desk) -> None:
    del desk.bindings["risks"]


def _without_key(desk: Desk) -> None:
    binding = desk.bindings["risks"]
    properties = dict(binding.properties)
    del properties[KEY_PROPERTY]
    desk.bindings["risks"] = replace(binding, properties=properties)


def _unknown_to_this_release(desk: Desk) -> None:
    sources = dict(FULL.sources)
    del sources["risks"]
    desk.schema = Schema(sources)


@pytest.mark.parametrize(
    "lose", [_without_board, _without_key, _unknown_to_this_release]
)
def test_a_row_whose_key_cannot_be_asked_for_stays_in_doubt(
    desk: Desk, lose: Callable[[Desk], None]
) -> None:
    desk.keyed(RISK.key)
    desk.claim(RISK)
    lose(desk)
    assert "key property is not bound" in _told(desk.settle())
    assert desk.status(RISK) == (Status.INTENDED, "")


def test_a_claim_that_somebody_moved_on_meanwhile_is_left_alone(desk: Desk) -> None:
    desk.claim(RISK)
    page_id = desk.keyed(RISK.key)

    def take_over(request: Request, response: Response) -> Response:
        with desk.board.store.transaction(WORKSPACE) as tx:
            now = desk.board.clock.now()
            journal.finish(tx, RISK, "of another run", claim="first", now=now)
        return response

    assert desk.settle(desk.answering(take_over)) == Settled()
    assert desk.status(RISK) == (Status.DONE, "of another run")
    with desk.board.store.reading(WORKSPACE) as tx:
        assert bases.of_page(tx, page_id) == {}
        assert bases.attempts_of(tx, page_id) == {}


# --- rows that were brought in, which carry no key


def test_a_row_brought_in_is_known_by_what_it_says_and_stays_peoples(
    desk: Desk,
) -> None:
    desk.add("people", name=_title("Boris"))
    page_id = desk.add("people", name=_title("anna "))
    desk.claim(BROUGHT)
    assert desk.settle() == Settled(adopted=(BROUGHT,))
    assert desk.status(BROUGHT) == (Status.DONE, page_id)
    with desk.board.store.reading(WORKSPACE) as tx:
        assert bases.of_page(tx, page_id) == {}, "nobody saw what was answered"
        assert bases.attempts_of(tx, page_id) == ANNA


EDITED = (
    (600, 660, True),
    (600, 630, True),
    (540, 630, True),
    (539, 630, False),
    (599, 660, False),
)
"""Seconds at which a row was edited and a request left, and whether that row may be what the request made: Notion tells
minutes, and a minute is left for clocks that differ."""


@pytest.mark.parametrize(("edited", "sent", "counts"), EDITED)
def test_a_row_brought_in_is_looked_for_among_those_edited_since(
    desk: Desk, edited: float, sent: float, counts: bool
) -> None:
    desk.wait_until(edited)
    desk.add("people", name=_title("Anna"))
    desk.claim(BROUGHT, sent=sent)
    settled = desk.settle()
    assert (settled.adopted, settled.reopened) == (
        ((BROUGHT,), ()) if counts else ((), (BROUGHT,))
    )


def test_rows_that_are_gone_or_play_another_part_are_not_the_one_brought_in(
    desk: Desk,
) -> None:
    binding = desk.bindings["people"]
    option, _ = binding.options["role"]["staff"]
    only = BoundFilter(binding.properties["role"], "select", (option,))
    desk.bindings["people"] = replace(binding, only=only)
    staff = {"select": {"name": "staff"}}
    gone = desk.add("people", name=_title("Anna"), role=staff)
    desk.add("people", name=_title("Anna"))
    notion = desk.showing(**{gone: {"in_trash": True}})
    desk.claim(BROUGHT)
    assert desk.settle(notion) == Settled(reopened=(BROUGHT,))

    desk.claim(BROUGHT, sent=90_000)
    desk.wait_until(90_000)
    page_id = desk.add("people", name=_title("Anna"), role=staff)
    assert desk.settle(notion) == Settled(adopted=(BROUGHT,))
    assert desk.status(BROUGHT) == (Status.DONE, page_id)


def test_people_who_cannot_be_asked_for_leave_the_row_in_doubt(desk: Desk) -> None:
    desk.claim(BROUGHT)
    desk.board.break_next("403", path="/query$")
    assert "could not be looked up" in _told(desk.settle())
    assert desk.status(BROUGHT) == (Status.INTENDED, "")


def test_a_part_of_the_rows_proves_nothing(desk: Desk) -> None:
    desk.claim(BROUGHT)
    for name in ("Boris", "Vera"):
        desk.add("people", name=_title(name))

    def broken_off(request: Request, response: Response) -> Response:
        body = json.loads(response.body)
        rest = {"results": body["results"][:1], "has_more": True, "next_cursor": None}
        return _with_body(response, {**body, **rest})

    assert _told(desk.settle(desk.answering(broken_off))) == (
        "the row could not be looked up: more rows announced without a cursor"
    )
    assert desk.status(BROUGHT) == (Status.INTENDED, "")


def test_a_row_that_cannot_be_read_may_be_the_one_and_the_first_is_named(
    desk: Desk,
) -> None:
    desk.claim(BROUGHT)
    first, second = (desk.add("people", name=_title(name)) for name in ("A", "B"))
    notion = desk.showing(**{first: {"properties": 5}, second: {"url": 5}})
    assert _told(desk.settle(notion)) == (
        "the row could not be looked up: Expected `object`, got `int`"
    )
    assert desk.status(BROUGHT) == (Status.INTENDED, "")


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_row_brought_into_a_table_that_is_not_there_stays_in_doubt(
    desk: Desk, is_bound: bool
) -> None:
    desk.add("people", name=_title("Anna"))
    desk.claim(BROUGHT)
    if is_bound:
        desk.schema = SCHEMA
    else:
        del desk.bindings["people"]
    assert "not bound" in _told(desk.settle())
    assert desk.status(BROUGHT) == (Status.INTENDED, "")


# --- pages that are no rows

FOLDER = "Pages for clients"
STATUS = client_page("status", Ref("clients", "c1"))
MADE = (
    (600, 660, True),
    (640, 630, True),
    (690, 630, True),
    (600, 661, False),
    (599, 660, False),
    (540, 659, False),
)
"""Seconds at which a page was made and a request left, and whether that page may be what the request made."""


@pytest.mark.parametrize(("made", "sent", "counts"), MADE)
def test_a_page_is_looked_for_by_its_title_among_those_made_since(
    desk: Desk, made: float, sent: float, counts: bool
) -> None:
    root = desk.board.sandbox.root_page_id
    desk.wait_until(made)
    desk.page_below(root, "Another")
    page_id = desk.page_below(root, FOLDER)
    desk.claim(CLIENT_PAGES, {TITLE: FOLDER}, sent=sent)
    settled = desk.settle()
    if counts:
        assert settled == Settled(adopted=(CLIENT_PAGES,))
        assert desk.status(CLIENT_PAGES) == (Status.DONE, page_id)
    else:
        assert settled == Settled(reopened=(CLIENT_PAGES,))


def test_a_page_that_does_not_tell_when_it_was_made_counts(desk: Desk) -> None:
    page_id = desk.page_below(desk.board.sandbox.root_page_id, FOLDER)
    desk.claim(CLIENT_PAGES, {TITLE: FOLDER}, sent=600)
    timeless = desk.showing(**{page_id: {"created_time": None}})
    assert desk.settle(timeless) == Settled(adopted=(CLIENT_PAGES,))


def test_a_page_is_looked_for_where_it_was_to_stand(desk: Desk) -> None:
    root = desk.board.sandbox.root_page_id
    folder = desk.page_below(root, FOLDER)
    desk.place(CLIENT_PAGES, folder)
    title = "Status · Neptune"
    desk.page_below(root, title)
    desk.claim(STATUS, {TITLE: title})
    assert desk.settle() == Settled(reopened=(STATUS,))
    page_id = desk.page_below(folder, title)
    desk.claim(STATUS, {TITLE: title})
    assert desk.settle() == Settled(adopted=(STATUS,))
    assert desk.status(STATUS) == (Status.DONE, page_id)


def test_what_was_made_on_a_page_that_is_gone_went_with_it(desk: Desk) -> None:
    folder = desk.page_below(desk.board.sandbox.root_page_id, FOLDER)
    desk.place(CLIENT_PAGES, folder)
    desk.page_below(folder, "Status")
    desk.claim(STATUS, {TITLE: "Status"})
    desk.board.person("delete_forever", id=folder)
    assert desk.settle() == Settled(reopened=(STATUS,))


def test_a_page_that_cannot_be_read_now_leaves_the_claim_as_it_is(desk: Desk) -> None:
    page_id = desk.page_below(desk.board.sandbox.root_page_id, FOLDER)
    desk.claim(CLIENT_PAGES, {TITLE: FOLDER})
    desk.board.break_next("403", method="GET", path="/children")
    assert "could not be looked up" in _told(desk.settle())
    assert desk.status(CLIENT_PAGES) == (Status.INTENDED, "")
    assert desk.settle() == Settled(adopted=(CLIENT_PAGES,))
    assert desk.status(CLIENT_PAGES) == (Status.DONE, page_id)
