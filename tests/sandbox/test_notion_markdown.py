"""Enhanced markdown: what is read from it, what is written, and that both are one dialect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notion_rig import Rig

from rayline_sandbox.notion.markdown import blocks_from_markdown, markdown_from_blocks
from rayline_sandbox.notion.markdown_text import (
    markdown_from_rich_text,
    plain_text,
    rich_text_from_markdown,
)

WHOLE = """\
# First
## Second {color="blue"}
### Third {toggle="true"}
	hidden
A **bold *both*** ~~gone~~ `code` [link](https://example.com) word
second paragraph
- a
	- b
		1. one
		2. two
- [ ] open
	- [x] done
> said<br>twice
```python
def f():
	return "x"
```
---
<table header-row="true">
<tr>
<td>a</td>
<td>b</td>
</tr>
<tr>
<td>1</td>
<td>**2**</td>
</tr>
</table>
<details>
<summary>Sum</summary>
	inside
	- item
</details>
<callout icon="💡" color="gray_bg">
	Watch out
	child
</callout>
![caption](https://example.com/a.png)
$$
x^2
$$
<table_of_contents/>
<columns>
	<column>
		left
	</column>
	<column>
		right
	</column>
</columns>"""


def kinds(text: str) -> list[str]:
    """Return the types of the top blocks."""
    return [block["type"] for block in blocks_from_markdown(text)]


def only(text: str) -> dict[str, Any]:
    """Return the one block of a text."""
    (block,) = blocks_from_markdown(text)
    return block


def test_a_text_with_every_kind_of_block_comes_back_as_it_was() -> None:
    assert markdown_from_blocks(blocks_from_markdown(WHOLE)) == WHOLE


def test_what_was_recorded_for_a_heading_and_a_paragraph_is_written() -> None:
    blocks = blocks_from_markdown("## New Section\n\nHello from markdown.")
    assert markdown_from_blocks(blocks) == "## New Section\nHello from markdown."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# h", "heading_1"),
        ("###### h", "heading_4"),
        ("* b", "bulleted_list_item"),
        ("+ b", "bulleted_list_item"),
        ("3) n", "numbered_list_item"),
        ("- [X] t", "to_do"),
        ("***", "divider"),
        ("#no heading", "paragraph"),
        ("1\\. no list", "paragraph"),
        ("<empty-block/>", "paragraph"),
        ("$$x$$", "equation"),
        ("~~~\nx\n~~~", "code"),
        ('<video src="https://example.com/v.mp4">v</video>', "video"),
        ("<unclosed>", "paragraph"),
    ],
)
def test_a_line_is_read_as_its_block(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


def test_a_pipe_table_has_a_header_row_and_rows_of_one_width() -> None:
    table = only("| a | b |\n|---|:-:|\n| 1 \\| one |\n")["table"]
    assert table["has_column_header"] is True
    assert table["table_width"] == 2
    cells = [
        [plain_text(cell) for cell in row["table_row"]["cells"]]
        for row in table["children"]
    ]
    assert cells == [["a", "b"], ["1 | one", ""]]


def test_pipes_without_a_rule_are_text() -> None:
    assert kinds("| just | text |") == ["paragraph"]


def test_two_spaces_nest_as_a_tab_does() -> None:
    assert blocks_from_markdown("- a\n  - b\n    - c") == blocks_from_markdown(
        "- a\n\t- b\n\t\t- c"
    )


def test_an_unclosed_fence_takes_the_rest_as_code() -> None:
    assert plain_text(only("```\na\n# b")["code"]["rich_text"]) == "a\n# b"


def test_code_with_a_fence_inside_gets_a_longer_fence() -> None:
    code = {
        "type": "code",
        "code": {
            "rich_text": [{"text": {"content": "```\nx\n```"}}],
            "language": "markdown",
        },
    }
    assert (
        plain_text(only(markdown_from_blocks([code]))["code"]["rich_text"])
        == "```\nx\n```"
    )


def test_text_longer_than_a_run_is_cut_into_runs() -> None:
    runs = only("x" * 4500)["paragraph"]["rich_text"]
    assert [len(run["text"]["content"]) for run in runs] == [2000, 2000, 500]


def test_references_to_child_pages_make_no_new_blocks() -> None:
    text = '<page url="https://app.notion.com/p/393abc1eedcd8142936bcca8ae692cc4">Kid</page>\nafter'
    assert kinds(text) == ["paragraph"]


def test_money_is_not_mathematics() -> None:
    assert [
        item["type"] for item in rich_text_from_markdown("costs $5 and $10, $x^2$")
    ] == ["text", "equation"]


LINES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp", "Zs"))
    | st.just(" "),
    min_size=1,
)


@given(LINES.map(str.strip).filter(bool))
def test_any_single_line_survives_as_a_paragraph(text: str) -> None:
    block = {
        "type": "paragraph",
        "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]},
    }
    read = only(markdown_from_blocks([block]))
    assert read["type"] == "paragraph"
    assert plain_text(read["paragraph"]["rich_text"]) == text


WORDS = st.text("abcXYZ 日я", min_size=1, max_size=8)
STYLES = st.sets(st.sampled_from(("bold", "italic", "strikethrough", "underline")))


@given(st.lists(st.tuples(WORDS, STYLES), max_size=5))
def test_styled_runs_between_spaces_keep_their_words(
    runs: list[tuple[str, set[str]]],
) -> None:
    items = [
        {
            "type": "text",
            "text": {"content": part},
            "annotations": dict.fromkeys(on, True),
        }
        for text, style in runs
        for part, on in ((text, style), (" ", set[str]()))
    ]
    written = markdown_from_rich_text(items)
    assert (
        plain_text(rich_text_from_markdown(f"|{written}|")) == f"|{plain_text(items)}|"
    )


def _textual(kind: str, content: str, children: list[dict[str, Any]]) -> dict[str, Any]:
    items = [{"type": "text", "text": {"content": content}}] if content else []
    extra = {"checked": True} if kind == "to_do" else {}
    return {
        "type": kind,
        kind: {
            "rich_text": items,
            **extra,
            **({"children": children} if children else {}),
        },
    }


PARENT_KINDS = st.sampled_from(
    (
        "paragraph",
        "bulleted_list_item",
        "numbered_list_item",
        "to_do",
        "quote",
        "toggle",
        "callout",
    )
)
TREES = st.recursive(
    st.builds(
        _textual,
        st.sampled_from(("paragraph", "heading_2", "bulleted_list_item")),
        LINES.map(str.strip),
        st.just([]),
    )
    | st.just({"type": "divider", "divider": {}}),
    lambda inner: st.builds(
        _textual, PARENT_KINDS, LINES.map(str.strip), st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(TREES, max_size=4))
def test_any_tree_of_blocks_reads_back_as_what_was_written(
    blocks: list[dict[str, Any]],
) -> None:
    written = markdown_from_blocks(blocks)
    assert markdown_from_blocks(blocks_from_markdown(written)) == written


@pytest.fixture
def rig() -> Rig:
    return Rig()


def edit(rig: Rig, page: str, kind: str, **given: Any) -> str:
    """Change a page's markdown and return it as answered."""
    return str(
        rig.ok("PATCH", f"pages/{page}/markdown", {"type": kind, kind: given})[
            "markdown"
        ]
    )


def body_ids(rig: Rig, page: str) -> list[str]:
    return [
        block["id"] for block in rig.ok("GET", f"blocks/{page}/children")["results"]
    ]


def test_a_whole_text_goes_through_the_api_and_comes_back(rig: Rig) -> None:
    page = rig.page()["id"]
    assert edit(rig, page, "replace_content", new_str=WHOLE) == WHOLE
    assert rig.ok("GET", f"pages/{page}/markdown")["markdown"] == WHOLE


def test_a_page_made_from_markdown_may_be_long_and_deep(rig: Rig) -> None:
    text = "\n".join(
        [
            *(f"line {number}" for number in range(150)),
            "- a",
            "\t- b",
            "\t\t- c",
            "\t\t\t- d",
        ]
    )
    page = rig.ok(
        "POST",
        "pages",
        {"parent": {"page_id": rig.root}, "properties": {}, "markdown": text},
    )["id"]
    assert rig.ok("GET", f"pages/{page}/markdown")["markdown"] == text


def test_blocks_whose_text_stays_keep_their_ids(rig: Rig) -> None:
    page = rig.page()["id"]
    edit(rig, page, "replace_content", new_str="# Title\nold\nlast")
    title, _, last = body_ids(rig, page)
    edit(
        rig,
        page,
        "update_content",
        content_updates=[{"old_str": "old", "new_str": "new\nnewer"}],
    )
    assert body_ids(rig, page)[0::3] == [title, last]
    assert (
        rig.ok("GET", f"pages/{page}/markdown")["markdown"]
        == "# Title\nnew\nnewer\nlast"
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"content": "x"}, "one\ntwo\nx"),
        ({"content": "x", "position": {"type": "start"}}, "x\none\ntwo"),
        ({"content": "x", "position": {"type": "end"}}, "one\ntwo\nx"),
        ({"content": "x", "after": "one"}, "one\nx\ntwo"),
    ],
)
def test_content_is_inserted_where_asked(
    rig: Rig, given: dict[str, Any], wanted: str
) -> None:
    page = rig.page()["id"]
    edit(rig, page, "replace_content", new_str="one\ntwo")
    assert edit(rig, page, "insert_content", **given) == wanted


def test_a_range_is_replaced_from_its_first_to_its_last_words(rig: Rig) -> None:
    page = rig.page()["id"]
    edit(
        rig,
        page,
        "replace_content",
        new_str="keep\nfrom here\nmiddle\nto there\nkeep too",
    )
    changed = edit(
        rig,
        page,
        "replace_content_range",
        content_range="from...there",
        content="short",
    )
    assert changed == "keep\nshort\nkeep too"


@pytest.mark.parametrize(
    "update",
    [
        {"old_str": "absent", "new_str": "x"},
        {"old_str": "twice", "new_str": "x"},
        {"old_str": "", "new_str": "x"},
        {"old_str": "twice"},
    ],
)
def test_an_update_that_is_not_clear_changes_nothing(
    rig: Rig, update: dict[str, Any]
) -> None:
    page = rig.page()["id"]
    edit(rig, page, "replace_content", new_str="twice\ntwice")
    body = {"type": "update_content", "update_content": {"content_updates": [update]}}
    assert rig.refused("PATCH", f"pages/{page}/markdown", body) == (
        400,
        "validation_error",
    )
    assert rig.ok("GET", f"pages/{page}/markdown")["markdown"] == "twice\ntwice"


def test_all_matches_are_replaced_when_asked(rig: Rig) -> None:
    page = rig.page()["id"]
    edit(rig, page, "replace_content", new_str="twice\ntwice")
    update = {"old_str": "twice", "new_str": "once", "replace_all_matches": True}
    assert edit(rig, page, "update_content", content_updates=[update]) == "once\nonce"


def test_child_pages_are_not_deleted_by_accident(rig: Rig) -> None:
    page = rig.page()["id"]
    child = rig.ok(
        "POST",
        "pages",
        {
            "parent": {"page_id": page},
            "properties": {"title": [{"text": {"content": "Kid [1]"}}]},
        },
    )["id"]
    body = {"type": "replace_content", "replace_content": {"new_str": "nothing"}}
    assert rig.refused("PATCH", f"pages/{page}/markdown", body) == (
        400,
        "validation_error",
    )
    assert body_ids(rig, page) == [child]
    edit(rig, page, "replace_content", new_str="nothing", allow_deleting_content=True)
    assert rig.ok("GET", f"pages/{child}")["in_trash"] is True


def test_a_child_page_that_is_named_stays_and_may_change_its_place(rig: Rig) -> None:
    page = rig.page()["id"]
    child = rig.ok("POST", "pages", {"parent": {"page_id": page}, "properties": {}})[
        "id"
    ]
    reference = edit(
        rig, page, "insert_content", content="before", position={"type": "start"}
    ).split("\n")[1]
    edit(rig, page, "replace_content", new_str=f"{reference}\nafter")
    assert body_ids(rig, page)[0] == child
    assert rig.ok("GET", f"pages/{child}")["in_trash"] is False


def test_blocks_without_words_are_told_by_id(rig: Rig) -> None:
    page = rig.page(children=[{"bookmark": {"url": "https://example.com"}}])["id"]
    answer = rig.ok("GET", f"pages/{page}/markdown")
    assert answer["unknown_block_ids"] == body_ids(rig, page)
    assert edit(rig, page, "insert_content", content="text").endswith("\ntext")
    assert body_ids(rig, page)[0] == answer["unknown_block_ids"][0]


def test_an_asynchronous_edit_is_told_in_two_steps(rig: Rig) -> None:
    page = rig.page()["id"]
    task = rig.ok(
        "PATCH",
        f"pages/{page}/markdown",
        {
            "allow_async": True,
            "type": "insert_content",
            "insert_content": {"content": "later"},
        },
    )
    assert (task["status"], task["poll_after_seconds"]) == ("queued", 2)
    done = rig.ok("GET", f"async_tasks/{task['id']}")
    assert (done["status"], done["result"]["markdown"]) == ("succeeded", "later")


def test_a_page_in_the_trash_keeps_its_words(rig: Rig) -> None:
    page = rig.page()["id"]
    rig.ok("PATCH", f"pages/{page}", {"in_trash": True})
    body = {"type": "insert_content", "insert_content": {"content": "x"}}
    assert rig.refused("PATCH", f"pages/{page}/markdown", body) == (
        400,
        "validation_error",
    )
