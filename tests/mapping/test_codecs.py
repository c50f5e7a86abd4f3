"""Values survive the way to Notion and back, and nothing Notion can say breaks the reading."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from boards_rig import COLORS, EVERY_TYPE, Workspace, make
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.english import english
from worker.codecs.notion import (
    PIECE,
    PROPERTY_TYPES,
    TEXT,
    Unencodable,
    Unreadable,
    canonicalize,
    decode,
    encode,
    loss,
)
from worker.codecs.pages import complete, decode_page, truncated
from worker.domain.messages import NOTHING
from worker.domain.values import Ref, Span, Value
from worker.mapping.load import TypeName
from worker.mapping.schema import Binding, Owner, Property, Schema

PROPS = EVERY_TYPE.properties
BOUND = Binding(
    "things",
    "",
    "",
    {},
    {"choice": {"red": ("id-red", "Red")}, "choices": {"red": ("id-red", "Red")}},
)


@pytest.fixture(scope="module")
def board() -> Workspace:
    """Return a workspace with one source of every type."""
    return make(Schema({"things": EVERY_TYPE}))


@pytest.fixture(scope="module")
def rows(board: Workspace) -> list[str]:
    """Return the page ids of three rows."""
    source = board.bindings["things"].data_source_id
    return [board.notion.create_page(source, {}).id for _ in range(3)]


texts = st.text(st.characters(exclude_categories=()), max_size=80)
days = st.dates(date(1850, 1, 1), date(9998, 12, 31))
moments = st.datetimes(
    datetime(1901, 1, 1),  # noqa: DTZ001
    datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, None, datetime.fromisoformat("2026-01-01T00:00+03:00").tzinfo]
    ),
)
numbers = st.decimals(allow_nan=False, allow_infinity=False)
keys = st.sampled_from(COLORS)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": texts,
    "text": texts | st.text(min_size=1).map(lambda text: text * 3000),
    "number": numbers,
    "choice": keys,
    "choices": st.lists(keys).map(tuple),
    "state": keys,
    "day": days | moments | st.builds(Span, days, days),
    "flag": st.booleans(),
    "site": texts,
    "mail": texts,
    "phone": texts,
}


def write_and_read(
    board: Workspace, page_id: str, name: str, value: Value
) -> Value | Unreadable:
    """Return what the value came back as."""
    binding = board.bindings["things"]
    body = {
        binding.properties[name]: encode(
            PROPS[name], value, binding, lambda ref: ref.key
        )
    }
    answer = board.notion.update_page(page_id, body)
    raw = next(
        one
        for one in answer.properties.values()
        if one["id"] == binding.properties[name]
    )
    return decode(PROPS[name], raw, binding, {})


@pytest.mark.parametrize("name", sorted(VALUES))
def test_what_is_written_comes_back_in_canonical_form(
    board: Workspace, rows: list[str], name: str
) -> None:
    @settings(max_examples=60)
    @given(VALUES[name])
    def round_trip(value: Value) -> None:
        canonical = canonicalize(PROPS[name], value)
        assert write_and_read(board, rows[0], name, value) == canonical
        assert canonicalize(PROPS[name], canonical) == canonical

    round_trip()


def test_relations_and_people_come_back_whatever_the_order(
    board: Workspace, rows: list[str]
) -> None:
    users = tuple(board.sandbox.store.users)
    assert write_and_read(board, rows[0], "who", users) == canonicalize(
        PROPS["who"], tuple(reversed(users))
    )
    refs = tuple(Ref("things", page_id) for page_id in rows)
    assert write_and_read(board, rows[0], "others", refs) == canonicalize(
        PROPS["others"], refs[::-1] + refs
    )


@pytest.mark.parametrize("name", sorted(set(PROPS) - {"flag", "state"}))
def test_nothing_empties_the_field_and_comes_back_as_nothing(
    board: Workspace, rows: list[str], name: str
) -> None:
    assert write_and_read(board, rows[1], name, None) is None


def test_an_empty_checkbox_is_false() -> None:
    assert canonicalize(PROPS["flag"], None) is False
    assert encode(PROPS["flag"], None, BOUND, lambda ref: None) == {"checkbox": False}


def test_long_texts_are_cut_into_pieces_notion_takes_without_cutting_an_emoji() -> None:
    body = encode(PROPS["text"], "a" + "😀" * 3000, BOUND, lambda ref: None)
    pieces = [item["text"]["content"] for item in body["rich_text"]]
    assert "".join(pieces) == "a" + "😀" * 3000
    assert all(len(piece.encode("utf-16-le")) // 2 <= PIECE for piece in pieces)


def test_a_text_beyond_all_limits_is_cut_and_said() -> None:
    text = "б" * (TEXT + 5)
    assert len(encode(PROPS["text"], text, BOUND, lambda ref: None)["rich_text"]) == 100
    assert canonicalize(PROPS["text"], text) == "б" * TEXT
    told = english(loss(PROPS["text"], text))
    assert f"has {TEXT + 5} characters, of which Notion takes {TEXT}" in told
    assert loss(PROPS["text"], "short\x00") == NOTHING


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("site", "https://example.com/" + "x" * 2000, "longer than 2000 characters"),
        (
            "others",
            tuple(Ref("things", str(number)) for number in range(101)),
            "lists 101, of which a request to Notion takes 100",
        ),
        ("number", Decimal("1e400"), "too large"),
        ("day", date(1066, 10, 14), "before 1900"),
        ("day", Span(date(1066, 10, 14), date(2026, 1, 1)), "before 1900"),
    ],
)
def test_what_notion_cannot_hold_is_said(name: str, value: Value, says: str) -> None:
    assert says in english(loss(PROPS[name], value))


def test_numbers_are_read_exactly() -> None:
    raw = {"type": "number", "number": 0.1}
    assert decode(PROPS["number"], raw, BOUND, {}) == Decimal("0.1")
    assert decode(
        PROPS["number"], {"type": "number", "number": 12345678901234567890}, BOUND, {}
    ) == Decimal("12345678901234567890")


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "id-red", "name": "renamed by people"},
        {"id": "other", "name": "RED"},
        {"id": "other", "name": "red (рус)"},
    ],
)
def test_options_are_known_by_id_then_by_label_of_any_locale(
    raw: dict[str, str],
) -> None:
    assert (
        decode(PROPS["choice"], {"type": "select", "select": raw}, BOUND, {}) == "red"
    )


def test_an_unknown_option_is_unreadable_and_named() -> None:
    raw = {"id": "x", "name": "Turquoise"}
    found = decode(PROPS["choice"], {"type": "select", "select": raw}, BOUND, {})
    assert isinstance(found, Unreadable)
    assert "Turquoise" in english(found.message)
    assert isinstance(
        decode(
            PROPS["choices"], {"type": "multi_select", "multi_select": [raw]}, BOUND, {}
        ),
        Unreadable,
    )


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"start": "2026-11-21", "end": None}, date(2026, 11, 21)),
        (
            {"start": "2026-11-21T10:00:00.000+03:00", "end": None},
            datetime(2026, 11, 21, 7, tzinfo=UTC),
        ),
        (
            {"start": "2026-11-21T10:00:00", "end": None, "time_zone": "Europe/Moscow"},
            datetime(2026, 11, 21, 7, tzinfo=UTC),
        ),
        (
            {"start": "2026-11-21", "end": "2026-11-23"},
            Span(date(2026, 11, 21), date(2026, 11, 23)),
        ),
        (
            {"start": "2026-11-21T23:00:00+03:00", "end": "2026-11-22T01:00:00+03:00"},
            Span(date(2026, 11, 21), date(2026, 11, 22)),
        ),
    ],
)
def test_dates_of_all_forms_are_read(raw: dict[str, Any], value: Value) -> None:
    assert decode(PROPS["day"], {"type": "date", "date": raw}, BOUND, {}) == value


@pytest.mark.parametrize(
    "raw",
    [
        {"start": "51502-01-01", "end": None},
        {"start": "+051502-01-01T00:00:00Z", "end": None},
        {"start": None},
        {"start": "yesterday"},
        {"start": "0001-01-01"},
        {"start": "2026-02-30"},
        {},
        [],
        "2026-01-01",
        7,
        {"start": "2026-11-23", "end": "2026-11-21"},
        {"start": "2026-11-21T10:00:00", "time_zone": "Mars/Olympus"},
        {"start": "2026-11-21T10:00:00", "time_zone": "Europe"},
        {"start": "9999-12-31T23:59:59-11:00"},
        {"start": "9999-12-31T23:59:00.000+00:00"},
        {"start": "9999-06-01T10:00:00", "end": "9999-12-31T23:59:00-11:00"},
    ],
)
def test_garbage_dates_are_unreadable(raw: Any) -> None:
    assert isinstance(
        decode(PROPS["day"], {"type": "date", "date": raw}, BOUND, {}), Unreadable
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "start", "end", "plain_text", "type", "time_zone"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=400)
@given(st.sampled_from(sorted(PROPS)), json_values, st.booleans())
def test_no_shape_of_answer_raises(name: str, value: Any, wrapped: bool) -> None:
    raw = {"type": PROPS[name].type, PROPS[name].type: value} if wrapped else value
    decode(PROPS[name], raw, BOUND, {})


def test_a_retyped_property_is_unreadable() -> None:
    found = decode(PROPS["number"], {"type": "rich_text", "rich_text": []}, BOUND, {})
    assert isinstance(found, Unreadable)
    assert english(found.message) == "should be a number but is rich_text"


def test_an_option_that_is_not_bound_is_not_written() -> None:
    with pytest.raises(Unencodable, match="green"):
        encode(PROPS["choice"], "green", BOUND, lambda ref: None)


def test_a_row_without_a_page_is_not_written() -> None:
    with pytest.raises(Unencodable, match="things/nowhere"):
        encode(PROPS["others"], (Ref("things", "nowhere"),), BOUND, lambda ref: None)


def test_every_type_a_mapping_may_name_can_be_read_written_and_compared() -> None:
    assert set(PROPERTY_TYPES) == set(get_args(TypeName))


@pytest.mark.parametrize("raw", [{"type": "number", "number": 7}, None, 7], ids=repr)
def test_what_notion_computes_is_neither_taken_for_a_value_nor_written(
    raw: Any,
) -> None:
    computed = Property("share", "formula", Owner.WORKER, {})
    assert decode(computed, {"type": "formula", "formula": raw}, BOUND, {}) is None
    assert canonicalize(computed, Decimal(7)) is None
    assert loss(computed, Decimal(7)) == NOTHING
    with pytest.raises(Unencodable, match="share"):
        encode(computed, Decimal(7), BOUND, lambda ref: None)


def test_relations_to_worker_rows_are_read_as_their_keys() -> None:
    raw = {"type": "relation", "relation": [{"id": "p1"}, {"id": "p2"}]}
    found = decode(PROPS["others"], raw, BOUND, {"p2": Ref("things", "plan:firm")})
    assert found == (Ref("things", "p1"), Ref("things", "plan:firm"))


def test_a_long_relation_is_seen_as_cut_and_read_whole(board: Workspace) -> None:
    binding = board.bindings["things"]
    ids = [board.notion.create_page(binding.data_source_id, {}).id for _ in range(30)]
    refs = tuple(Ref("things", one) for one in ids)
    body = encode(PROPS["others"], refs, binding, lambda ref: ref.key)
    page = board.notion.update_page(ids[0], {binding.properties["others"]: body})
    cut = truncated(page, EVERY_TYPE, binding)
    assert cut == ((ids[0], binding.properties["others"]),)
    whole = complete(page, cut[0][1], board.notion.property_items(*cut[0]))
    row, problems = decode_page(whole, EVERY_TYPE, binding, {})
    assert row.fields["others"] == tuple(sorted(refs))
    assert not problems
    assert truncated(whole, EVERY_TYPE, binding) == ()


def test_a_bad_field_leaves_the_rest_of_the_row_and_names_itself(
    board: Workspace, rows: list[str]
) -> None:
    binding = board.bindings["things"]
    page = board.notion.page(rows[2])
    page.properties["Number"]["number"] = "many"
    del page.properties["Day"]
    page = replace(page, created_time="51502-01-01")
    row, problems = decode_page(page, EVERY_TYPE, binding, {})
    assert {problem.field for problem in problems} == {"number", "day"}
    assert {problem.url for problem in problems} == {page.url}
    assert set(row.fields) == set(PROPS) - {"number", "day"}
    assert row.edited - datetime(2026, 11, 21, 9, 30, tzinfo=UTC) == timedelta()


WELL_FORMED: dict[str, tuple[Any, Value]] = {
    "title": ([{"plain_text": "a"}, {"plain_text": "b"}], "ab"),
    "rich_text": ([{"plain_text": "a"}], "a"),
    "number": (1.5, Decimal("1.5")),
    "select": ({"id": "id-red", "name": "Red"}, "red"),
    "status": ({"id": "?", "name": "green"}, "green"),
    "multi_select": ([{"id": "id-red", "name": "Red"}], ("red",)),
    "date": ({"start": "2026-11-21", "end": None}, date(2026, 11, 21)),
    "people": ([{"object": "user", "id": "u1"}], ("u1",)),
    "relation": ([{"id": "p1"}], (Ref("things", "p1"),)),
    "checkbox": (True, True),
    "url": ("https://a.example", "https://a.example"),
    "email": ("a@b.example", "a@b.example"),
    "phone_number": ("+7 1", "+7 1"),
}
LISTS = ("title", "rich_text", "multi_select", "people", "relation")
EMPTY: dict[str, tuple[Any, Value]] = {
    **dict.fromkeys(WELL_FORMED, (None, None)),
    **{kind: ([], None) for kind in LISTS},
    "checkbox": (False, False),
}
BY_TYPE = {prop.type: prop for prop in PROPS.values()}
ODD: tuple[Any, ...] = (
    {},
    "",
    0,
    7,
    -1.5,
    True,
    False,
    "text",
    [],
    [[]],
    [None],
    [7],
    ["text"],
    [{}],
    [{"id": None, "plain_text": None, "name": None}],
    {"id": 7, "name": None, "start": 7},
    {"start": "2026-11-21", "end": ""},
    {"start": "2026-11-21", "end": {}},
    {"start": "2026-11-21T10:00:00", "time_zone": ""},
    {"start": "2026-11-21T10:00:00", "time_zone": 3},
)
MEANT: dict[str, tuple[Any, ...]] = {
    **{kind: ([],) for kind in LISTS},
    "number": (0, 7, -1.5),
    "checkbox": (True, False),
    **dict.fromkeys(("url", "email", "phone_number"), ("", "text")),
}
"""What of the odd values is a value of the type all the same."""


@pytest.mark.parametrize("kind", sorted(WELL_FORMED))
def test_each_type_is_read_well_formed_and_empty(kind: str) -> None:
    assert set(WELL_FORMED) == set(BY_TYPE)
    for raw, value in (WELL_FORMED[kind], EMPTY[kind]):
        assert decode(BY_TYPE[kind], {"type": kind, kind: raw}, BOUND, {}) == value


@pytest.mark.parametrize("raw", ODD, ids=repr)
@pytest.mark.parametrize("kind", sorted(WELL_FORMED))
def test_what_is_malformed_is_never_read_as_empty_or_guessed(
    kind: str, raw: Any
) -> None:
    if any(raw == one and type(raw) is type(one) for one in MEANT.get(kind, ())):
        return
    found = decode(BY_TYPE[kind], {"type": kind, kind: raw}, BOUND, {})
    assert isinstance(found, Unreadable)


@pytest.mark.parametrize("kind", sorted(WELL_FORMED))
def test_a_cell_without_its_value_is_unreadable(kind: str) -> None:
    without: tuple[Any, ...] = (
        None,
        [],
        "x",
        7,
        {},
        {"type": kind},
        {"type": 7, kind: None},
    )
    for raw in without:
        assert isinstance(decode(BY_TYPE[kind], raw, BOUND, {}), Unreadable)


@pytest.mark.parametrize(
    ("name", "fits", "too_much"),
    [
        ("site", "x" * 2_000, "x" * 2_001),
        ("mail", "x" * 200, "x" * 201),
        ("phone", "1" * 200, "1" * 201),
        ("text", "x" * TEXT, "x" * (TEXT + 1)),
        ("name", "x" * TEXT, "x" * (TEXT + 1)),
        (
            "who",
            tuple(f"{one:03}" for one in range(100)),
            tuple(f"{one:03}" for one in range(101)),
        ),
        ("day", date(1900, 1, 1), date(1899, 12, 31)),
        (
            "day",
            datetime(9998, 12, 31, 23, 59, tzinfo=UTC),
            datetime(9999, 1, 1, tzinfo=UTC),
        ),
        (
            "day",
            Span(date(1900, 1, 1), date(1900, 1, 2)),
            Span(date(1899, 12, 31), date(1900, 1, 2)),
        ),
        ("number", Decimal("1e308"), Decimal("1e309")),
    ],
)
def test_what_just_fits_is_kept_whole_and_what_does_not_is_said_to_be_lost(
    name: str, fits: Value, too_much: Value
) -> None:
    assert loss(PROPS[name], fits) == NOTHING
    assert canonicalize(PROPS[name], fits) == fits
    assert loss(PROPS[name], too_much)
    assert canonicalize(PROPS[name], too_much) != too_much


@pytest.mark.parametrize(
    ("start", "readable"), [("1900-01-01", True), ("1899-12-31", False)]
)
def test_the_first_year_that_is_read(start: str, readable: bool) -> None:
    raw = {"type": "date", "date": {"start": start, "end": None}}
    found = decode(PROPS["day"], raw, BOUND, {})
    assert isinstance(found, date) is readable
