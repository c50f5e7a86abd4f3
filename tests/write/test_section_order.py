"""Sections of any length stand as they are wanted, in order, whatever the service answers and whoever writes beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from alembic import command
from board_rig import SETTLE, WORKSPACE, Board
from hypothesis import given, settings
from hypothesis import strategies as st
from section_rig import (
    VERSIONS,
    Crash,
    MortalNotion,
    Version,
    converge,
    forget,
    mark,
    note,
    open_board,
    plan_section,
    requests,
    write,
)

from worker.codecs.blocks import (
    fit,
    kind_of,
    look_of,
    nested_look,
    read_nested,
    seen,
    text_of,
)
from worker.domain.document import (
    CLOSING,
    OPENING,
    Block,
    Bullet,
    Divider,
    Heading,
    Paragraph,
    Quote,
    Table,
    ToDo,
)
from worker.domain.values import Ref
from worker.ports.notion import Json, Notion
from worker.state import bases
from worker.state.migrate import configure

PEOPLE = ("paragraph", "to_do", "bulleted_list_item", "callout", "divider")

Line = tuple[str, str, str]


@pytest.fixture(params=VERSIONS)
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    return open_board(tmp_path, request.param)


@pytest.fixture
def newest(tmp_path: Path) -> Board:
    return open_board(tmp_path, VERSIONS[-1])


def lines(name: str, count: int) -> tuple[Block, ...]:
    """Return paragraphs that say their number."""
    return tuple(Paragraph(f"{name} {number}") for number in range(count))


def meant(blocks: Sequence[Block]) -> list[Line]:
    """Return what a reader should see: kind, text and what stands below."""
    return [(kind_of(one), look_of(one), nested_look(one)) for one in fit(blocks)]


def read(board: Board, page_id: str) -> tuple[list[Line], list[str], list[str]]:
    """Return what the page's only section shows, and the ids of what stands before and behind it."""
    page = board.notion.children(page_id)
    (start,) = (at for at, raw in enumerate(page) if _is_marker(raw, OPENING))
    (end,) = (at for at, raw in enumerate(page) if _is_marker(raw, CLOSING))
    shown = [
        (str(raw["type"]), seen(raw), _below(board, raw))
        for raw in page[start + 1 : end]
    ]
    before, behind = page[:start], page[end + 1 :]
    return shown, [raw["id"] for raw in before], [raw["id"] for raw in behind]


def _is_marker(raw: Json, sign: str) -> bool:
    payload = raw.get("paragraph") or {}
    return payload.get("color") == "gray" and text_of(raw).startswith(sign)


def _below(board: Board, raw: Json) -> str:
    if not raw["has_children"]:
        return ""
    return read_nested(raw["type"], board.notion.children(raw["id"]))


def writes_since(board: Board, since: int) -> list[str]:
    """Return the worker's changes of blocks after an entry of the log."""
    return [
        line for line in requests(board, since) if line.startswith(("PATCH", "DELETE"))
    ]


# --- any document, any edit, people anywhere outside

KINDS: Mapping[str, Callable[[str], Block]] = {
    "paragraph": lambda text: Paragraph(text),
    "heading": lambda text: Heading(text, 3),
    "todo": lambda text: ToDo(text, len(text) % 2 == 0),
    "bullet": lambda text: Bullet(text),
    "tree": lambda text: Bullet(text, (Bullet(f"{text} below"), Bullet("same"))),
    "table": lambda text: Table(("n", "of"), ((text, "1"), ("same", text))),
    "divider": lambda text: Divider(),
}
SIZES = st.one_of(st.integers(1, 3), st.integers(90, 130))
STRETCHES = st.tuples(st.sampled_from(sorted(KINDS)), SIZES, st.integers(0, 40))
DOCUMENTS = st.lists(STRETCHES, max_size=5)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "cut", "turn"]),
        st.integers(0, 350),
        st.integers(1, 120),
        STRETCHES,
    ),
    max_size=3,
)


def build(stretches: Sequence[tuple[str, int, int]]) -> tuple[Block, ...]:
    """Return the blocks of some stretches; what nests is slow to make and comes in fewer."""
    blocks: list[Block] = []
    for kind, size, start in stretches:
        count = min(size, 3) if kind in ("table", "tree") else size
        made = (KINDS[kind](f"{kind} {start + number}") for number in range(count))
        blocks += made
    return tuple(blocks[:350])


def change(
    blocks: tuple[Block, ...], edits: Sequence[tuple[str, int, int, Any]]
) -> tuple[Block, ...]:
    """Return blocks after some edits: stretches put in, cut out, or turned round."""
    for name, at, size, stretch in edits:
        head, body, tail = blocks[:at], blocks[at : at + size], blocks[at + size :]
        middle = {
            "insert": (*build([stretch]), *body),
            "cut": (),
            "turn": tuple(reversed(body)),
        }[name]
        blocks = (*head, *middle, *tail)
    return blocks[:350]


def people_write(board: Board, page_id: str, kinds: Sequence[str]) -> list[str]:
    """Let a person write blocks at the end of the page."""
    payload = {"rich_text": [{"text": {"content": "mine"}}]}
    children = [
        {"type": kind, kind: {} if kind == "divider" else payload} for kind in kinds
    ]
    if not children:
        return []
    made = board.person("append", block_id=page_id, children=children)
    return [str(one) for one in made["block_ids"]]


NOTES = st.lists(st.sampled_from(PEOPLE), max_size=3)


@given(st.sampled_from(VERSIONS), DOCUMENTS, st.lists(EDITS, max_size=2), NOTES, NOTES)
@settings(max_examples=15)
def test_a_section_reads_as_wanted_after_any_edit_and_people_keep_what_they_wrote(
    version: Version,
    first: list[tuple[str, int, int]],
    edits: list[list[tuple[str, int, int, Any]]],
    above: list[str],
    below: list[str],
) -> None:
    with TemporaryDirectory() as folder:
        board = open_board(Path(folder), version)
        client = board.client("Neptune")
        before = people_write(board, client.key, above)
        behind: list[str] = []
        blocks = build(first)
        for edit in ([], *edits):
            blocks = change(blocks, edit)
            write(board, client, blocks)
            assert read(board, client.key) == (meant(blocks), before, behind)
            assert plan_section(board, client, blocks, [])[0].changes == ()
            behind += people_write(board, client.key, below)
        forget(board)
        since = mark(board)
        write(board, client, blocks)
        assert writes_since(board, since) == []
        board.store.close()


# --- what one request may hold


@pytest.mark.parametrize("count", [0, 1, 97, 98, 99, 100, 101, 198, 199, 200, 301])
def test_a_new_section_of_any_length_arrives_in_order(board: Board, count: int) -> None:
    client = board.client("Neptune")
    above = note(board, client.key, "above")
    write(board, client, lines("line", count))
    assert read(board, client.key) == (meant(lines("line", count)), [above], [])


@pytest.mark.parametrize("count", [99, 100, 101, 201])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_many_new_blocks_go_where_they_belong_before_peoples_notes(
    board: Board, at: int, count: int
) -> None:
    client = board.client("Neptune")
    old = lines("old", 3)
    write(board, client, old)
    behind = [note(board, client.key, text) for text in ("one", "two")]
    wanted = (*old[:at], *lines("new", count), *old[at:])
    write(board, client, wanted)
    assert read(board, client.key) == (meant(wanted), [], behind)


def test_many_new_blocks_at_several_places_go_each_where_it_belongs(
    board: Board,
) -> None:
    client = board.client("Neptune")
    old = lines("old", 4)
    write(board, client, old)
    behind = [note(board, client.key, "mine")]
    wanted = (
        *lines("first", 110),
        old[0],
        *lines("second", 105),
        Paragraph("instead of the second"),
        old[2],
        *lines("third", 120),
        old[3],
    )
    write(board, client, wanted)
    assert read(board, client.key) == (meant(wanted), [], behind)


@pytest.mark.parametrize(
    "blocks",
    [
        tuple(
            Table(("n",), tuple((f"{table}.{row}",) for row in range(99)))
            for table in range(21)
        ),
        tuple(
            Bullet(f"{top}", tuple(Bullet(f"{top}.{low}") for low in range(30)))
            for top in range(70)
        ),
        tuple(Paragraph(f"{number} " + "é" * 30_000) for number in range(40)),
    ],
    ids=["tables", "lists", "long texts"],
)
def test_what_nests_or_weighs_much_is_parted_by_what_a_request_may_hold(
    board: Board, blocks: tuple[Block, ...]
) -> None:
    client = board.client("Neptune")
    assert not write(board, client, blocks).failures
    assert read(board, client.key) == (meant(blocks), [], [])


def test_a_marker_below_which_people_wrote_is_kept_with_what_they_wrote(
    board: Board,
) -> None:
    client = board.client("Neptune")
    write(board, client, lines("old", 2))
    page = board.notion.children(client.key)
    mine = [note(board, raw["id"], "mine") for raw in (page[0], page[-1])]
    forget(board)
    write(board, client, lines("new", 3), locale="ru")
    now = board.notion.children(client.key)
    assert [now[0]["id"], now[-1]["id"]] == [page[0]["id"], page[-1]["id"]]
    assert [board.notion.children(now[at]["id"])[0]["id"] for at in (0, -1)] == mine
    assert read(board, client.key)[0] == meant(lines("new", 3))


# --- answers


Answer = Sequence[Json]


class Port:
    """The real port, for one change in what it does; `guarded` keeps the change."""

    def __init__(self, inner: Notion) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def guarded(self, check: Callable[[], None]) -> Port:
        """Return the same port, guarded."""
        self._inner = self._inner.guarded(check)
        return self


class Answering(Port):
    """The real port, whose answers to appends are changed before they are seen; the page as it stood is given too."""

    def __init__(
        self, inner: Notion, change: Callable[[Answer, Answer], Answer]
    ) -> None:
        super().__init__(inner)
        self._change = change

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Append and answer otherwise."""
        before = self._inner.children(block_id)
        made = self._inner.append_children(block_id, children, after=after)
        return tuple(self._change(made, before))


ANSWERS: Mapping[str, Callable[[Answer, Answer], Answer]] = {
    "fewer than were sent": lambda made, _: made[:-1],
    "none": lambda made, _: (),
    "in another order": lambda made, _: made[::-1],
    "without ids": lambda made, _: [{"type": one["type"]} for one in made],
    "of other kinds": lambda made, _: [{**one, "type": "quote"} for one in made],
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_not_what_was_sent_is_of_unknown_outcome_and_read_again(
    board: Board, name: str
) -> None:
    client = board.client("Neptune")
    blocks = (Heading("Head"), *lines("line", 120))
    plan, known = plan_section(board, client, blocks, [])
    odd = cast(Notion, Answering(board.notion, ANSWERS[name]))
    done = board.apply(plan, odd, known=known, settle_after=SETTLE)
    assert done.unknown == (client,)
    board.clock.advance(SETTLE + timedelta(seconds=1))
    converge(board, client, blocks)
    assert read(board, client.key) == (meant(blocks), [], [])


def test_an_answer_that_begins_with_what_stood_before_does_not_move_an_anchor(
    board: Board,
) -> None:
    client = board.client("Neptune")
    old = lines("old", 2)
    write(board, client, old)
    behind = [note(board, client.key, "mine")]
    wanted = (old[0], *lines("new", 230), old[1])
    plan, known = plan_section(board, client, wanted, [])
    odd = Answering(board.notion, lambda made, before: (*before, *made))
    assert not board.apply(plan, cast(Notion, odd), known=known).unknown
    assert read(board, client.key) == (meant(wanted), [], behind)


class Busy(Port):
    """The real port on a page at whose end a person writes before each append."""

    def __init__(self, board: Board) -> None:
        super().__init__(board.notion)
        self._board = board
        self.notes: list[str] = []

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Let the person write, then append."""
        self.notes.append(note(self._board, block_id, "meanwhile"))
        return self._inner.append_children(block_id, children, after=after)


def test_what_a_person_writes_behind_a_section_meanwhile_is_not_taken_for_ours(
    board: Board,
) -> None:
    client = board.client("Neptune")
    old = lines("old", 2)
    write(board, client, old)
    wanted = (old[0], *lines("new", 230), old[1])
    plan, known = plan_section(board, client, wanted, [])
    busy = Busy(board)
    assert not board.apply(plan, cast(Notion, busy), known=known).unknown
    assert read(board, client.key) == (meant(wanted), [], busy.notes)
    write(board, client, (*wanted, Paragraph("more")))
    assert read(board, client.key)[2] == busy.notes


# --- a fault or an end at each append

FAULTS = ("reset_before", "hang_after", "reset_after", "503_committed", "late_commit")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_a_fault_at_any_append_leaves_a_long_section_whole_and_in_order(
    newest: Board, kind: str, nth: int
) -> None:
    board = newest
    client = board.client("Neptune")
    above = note(board, client.key, "above")
    old = lines("old", 210)
    wanted = (*lines("new", 120), *old[:5], *lines("more", 130), *old[5:90])
    behind: list[str] = []
    for blocks in (old, wanted):
        rule = {
            "kind": kind,
            "match": {"method": "PATCH", "path_regex": "/v1/blocks/.*/children"},
            "nth": nth,
            "seconds": 30,
        }
        board.sandbox.control("faults", {"rules": [rule]})
        converge(board, client, blocks)
        board.sandbox.control("faults", {"rules": []})
        assert read(board, client.key) == (meant(blocks), [above], behind)
        behind.append(note(board, client.key, "behind"))


@pytest.mark.parametrize("fatal", range(1, 13))
def test_a_process_that_dies_at_any_call_leaves_a_long_section_whole_and_in_order(
    newest: Board, fatal: int
) -> None:
    board = newest
    client = board.client("Neptune")
    old = lines("old", 250)
    wanted = (*old[:5], *lines("new", 220), *old[5:90])
    behind: list[str] = []
    for blocks in (old, wanted):
        plan, known = plan_section(board, client, blocks, [])
        mortal = cast(Notion, MortalNotion(board.notion, fatal))
        with contextlib.suppress(Crash):
            board.apply(plan, mortal, known=known, settle_after=SETTLE)
        board.clock.advance(SETTLE)
        board.reopen()
        converge(board, client, blocks)
        assert read(board, client.key) == (meant(blocks), [], behind)
        behind.append(note(board, client.key, "behind"))


# --- sections that were spoilt before


class Misplacing(Port):
    """The port as it was once used: of many new blocks at one place, all but the first hundred go to the page's end."""

    def __init__(self, inner: Notion) -> None:
        super().__init__(inner)
        self._last: str | None = None

    def append_children(
        self, block_id: str, children: Sequence[Json], *, after: str = ""
    ) -> tuple[Json, ...]:
        """Append after what the answer before ended with, if it was ours."""
        place = after
        if after and after == self._last:
            place = str(self._inner.children(block_id)[-1]["id"])
        made = self._inner.append_children(block_id, children, after=place)
        self._last = str(made[len(children) - 1]["id"])
        return made


OLD = lines("old", 3)


def spoil(board: Board, blocks: tuple[Block, ...]) -> tuple[Ref, list[str]]:
    """Return a client whose section has parts behind its end, and the ids of people's notes there."""
    client = board.client("Neptune")
    write(board, client, OLD)
    notes = [note(board, client.key, text) for text in ("one", "two")]
    plan, known = plan_section(board, client, blocks, [])
    board.apply(plan, cast(Notion, Misplacing(board.notion)), known=known)
    notes.append(note(board, client.key, "three"))
    shown, _, behind = read(board, client.key)
    assert shown != meant(blocks)
    assert len(behind) > len(notes)
    return client, notes


LONG: tuple[Block, ...] = (
    OLD[0],
    *lines("line", 180),
    Bullet("top", (Bullet("below"),)),
    Divider(),
    Table(("n", "of"), (("1", "2"),)),
    *lines("end", 20),
    OLD[1],
)
EDITED = (*LONG[:30], Paragraph("a new line"), *LONG[45:150], *LONG[152:])


@pytest.mark.parametrize("is_known", [True, False], ids=["remembered", "state lost"])
@pytest.mark.parametrize("wanted", [LONG, EDITED], ids=["as it was", "changed since"])
def test_parts_of_a_section_behind_its_end_are_put_right(
    board: Board, wanted: tuple[Block, ...], is_known: bool
) -> None:
    client, notes = spoil(board, LONG)
    if not is_known:
        forget(board)
    write(board, client, (*wanted, Paragraph("last")))
    assert read(board, client.key) == (meant((*wanted, Paragraph("last"))), [], notes)
    since = mark(board)
    forget(board)
    write(board, client, (*wanted, Paragraph("last")))
    assert writes_since(board, since) == []


@pytest.mark.parametrize("is_known", [True, False], ids=["remembered", "state lost"])
def test_a_part_behind_the_end_stays_where_a_person_changed_it_or_wrote_below(
    board: Board, is_known: bool
) -> None:
    client, notes = spoil(board, LONG)
    behind = [
        raw for raw in board.notion.children(client.key) if raw["id"] not in notes
    ]
    edited = next(raw for raw in behind if text_of(raw) == "end 7")
    answered = next(raw for raw in behind if text_of(raw) == "end 9")
    top = next(raw for raw in behind if text_of(raw) == "top")
    board.person("edit_block", block_id=edited["id"], text="end 7, but why?")
    below = [note(board, raw["id"], "mine") for raw in (answered, top)]
    if not is_known:
        forget(board)
    write(board, client, EDITED)
    shown, _, left = read(board, client.key)
    assert shown == meant(EDITED)
    assert set(left) == {*notes, edited["id"], answered["id"], top["id"]}
    kept = [board.notion.children(one["id"])[-1]["id"] for one in (answered, top)]
    assert kept == below


def test_on_a_page_that_a_person_copied_nothing_of_theirs_counts_as_ours(
    board: Board,
) -> None:
    client = board.client("Neptune")
    write(board, client, LONG)
    copied = board.person("duplicate", page_id=client.key)["id"]
    mine = [note(board, copied, f"line {number}") for number in (7, 8, 9)]
    write(board, Ref("clients", copied), (*LONG, Paragraph("more")))
    assert read(board, copied) == (meant((*LONG, Paragraph("more"))), [], mine)


def test_a_person_who_says_what_the_section_says_keeps_it(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, LONG)
    mine = [note(board, client.key, text) for text in ("line 7", "line 8", "end 1")]
    forget(board)
    write(board, client, EDITED)
    assert read(board, client.key) == (meant(EDITED), [], mine)


def test_what_an_older_version_spoilt_is_put_right_though_nothing_changed_since(
    board: Board,
) -> None:
    client, notes = spoil(board, LONG)
    assert plan_section(board, client, LONG, [])[0].changes == ()
    with board.store.engine.begin() as connection:
        config = configure()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    board.store.close()
    board.reopen()
    assert plan_section(board, client, LONG, [], settled=True)[0].changes == ()
    write(board, client, LONG)
    assert read(board, client.key) == (meant(LONG), [], notes)
    assert plan_section(board, client, LONG, [])[0].changes == ()


def test_what_else_the_connection_writes_behind_a_section_stays(board: Board) -> None:
    client = board.client("Neptune")
    write(board, client, LONG)
    page_id = client.key
    others: list[Json] = [
        {"type": "divider", "divider": {}},
        {"type": "quote", "quote": {"rich_text": [{"text": {"content": "a log"}}]}},
    ]
    made = [
        board.notion.append_children(page_id, [other])[0]["id"] for other in others[:1]
    ]
    made.append(note(board, page_id, "mine"))
    made.append(board.notion.append_children(page_id, others[1:])[0]["id"])
    for is_known in (True, False):
        if not is_known:
            forget(board)
        write(board, client, (*LONG, Paragraph(f"more, {is_known}")))
        assert read(board, client.key)[2] == made


def quotes(*texts: str) -> list[Json]:
    """Return quotations in request form."""
    return [
        {"type": "quote", "quote": {"rich_text": [{"text": {"content": text}}]}}
        for text in texts
    ]


def test_one_line_that_says_what_the_section_says_does_not_make_the_rest_ours(
    board: Board,
) -> None:
    client = board.client("Neptune")
    blocks = (*lines("line", 5), Quote("said"))
    write(board, client, blocks)
    written = board.notion.append_children(client.key, quotes("a", "said", "b"))
    forget(board)
    write(board, client, (*blocks, Paragraph("more")))
    assert read(board, client.key)[2] == [raw["id"] for raw in written]


def test_remembered_parts_are_put_right_among_more_of_other_writers_blocks(
    board: Board,
) -> None:
    client, notes = spoil(board, LONG)
    page = board.notion.children(client.key)
    last = next(raw["id"] for raw in reversed(page) if raw["id"] not in notes)
    others: list[str] = []
    for _ in range(2):
        made = board.notion.append_children(
            client.key, quotes(*("log" for _ in range(100))), after=last
        )
        others += [raw["id"] for raw in made[:100]]
    write(board, client, EDITED)
    shown, _, behind = read(board, client.key)
    assert shown == meant(EDITED)
    assert set(behind) == {*notes, *others}


def test_a_second_section_that_a_person_changed_stays_whole(board: Board) -> None:
    client = board.client("Neptune")
    blocks = lines("line", 5)
    board.break_next(
        "late_commit", method="PATCH", path="/v1/blocks/.*/children", seconds=1800
    )
    write(board, client, blocks)
    board.clock.advance(SETTLE)
    write(board, client, blocks)
    board.clock.advance(timedelta(minutes=40))
    page = board.notion.children(client.key)
    assert len(page) == 2 * (len(blocks) + 2)
    with board.store.reading(WORKSPACE) as tx:
        known = str(bases.of_page(tx, client.key)["§blocks"])
    second = [raw["id"] for raw in page if raw["id"] not in known]
    board.person("edit_block", block_id=second[3], text="mine")
    write(board, client, (*blocks, Paragraph("more")))
    left = [raw["id"] for raw in board.notion.children(client.key)]
    assert [one for one in left if one in second] == second
    assert len(left) == len(page) + 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Table(("n",), (("1",),)), Table(("n",), (("2",),))),
        (Bullet("top", (Bullet("a"),)), Bullet("top", (Bullet("b"),))),
        (Bullet("top", (Bullet("a"),)), Bullet("top")),
        (Bullet("top"), Bullet("top", (Bullet("a"),))),
    ],
)
def test_what_differs_below_a_block_only_is_written_without_the_state_too(
    board: Board, before: Block, after: Block
) -> None:
    client = board.client("Neptune")
    write(board, client, (Paragraph("head"), before, Paragraph("end")))
    forget(board)
    wanted = (Paragraph("head"), after, Paragraph("end"))
    write(board, client, wanted)
    assert read(board, client.key)[0] == meant(wanted)


def test_what_is_remembered_is_not_read_again(board: Board) -> None:
    client = board.client("Neptune")
    blocks = build([("table", 3, 0), ("tree", 3, 0), ("paragraph", 3, 0)])
    write(board, client, blocks)
    since = mark(board)
    write(board, client, (*blocks, Paragraph("more")))
    asked = [line for line in requests(board, since) if "children" in line]
    assert asked == ["GET children", "PATCH children"]


def test_blocks_out_of_order_between_the_markers_are_put_in_order(board: Board) -> None:
    client = board.client("Neptune")
    wanted = lines("line", 12)
    write(board, client, tuple(reversed(wanted)))
    with board.store.transaction(WORKSPACE) as tx:
        bases.forget(tx, [client.key])
    write(board, client, wanted)
    assert read(board, client.key)[0] == meant(wanted)


def test_a_process_that_dies_while_putting_right_goes_on_where_it_was(
    board: Board,
) -> None:
    client, notes = spoil(board, LONG)
    for fatal in range(3, 40, 6):
        plan, known = plan_section(board, client, EDITED, [])
        mortal = cast(Notion, MortalNotion(board.notion, fatal))
        with contextlib.suppress(Crash):
            board.apply(plan, mortal, known=known, settle_after=SETTLE)
        board.clock.advance(SETTLE)
        board.reopen()
    converge(board, client, EDITED)
    assert read(board, client.key) == (meant(EDITED), [], notes)
