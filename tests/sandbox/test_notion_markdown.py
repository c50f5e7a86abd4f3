"""Enhanced markdown: what is read from it, what is written, and that both are one dialect."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sandbox.notion.markdown import blocks_from_markdown, markdown_from_blocks
from worker.sandbox.notion.markdown_text import markdown_from_rich_text, plain_text, rich_text_from_markdown

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


@pytest.mark.parametrize(("text", "kind"), [
    ("# h", "heading_1"), ("###### h", "heading_4"), ("* b", "bulleted_list_item"), ("+ b", "bulleted_list_item"),
    ("3) n", "numbered_list_item"), ("- [X] t", "to_do"), ("***", "divider"), ("#no heading", "paragraph"),
    ("1\\. no list", "paragraph"), ("<empty-block/>", "paragraph"), ("$$x$$", "equation"), ("~~~\nx\n~~~", "code"),
    ('<video src="https://example.com/v.mp4">v</video>', "video"), ("<unclosed>", "paragraph")])
def test_a_line_is_read_as_its_block(text: str, kind: str) -> None:
    assert kinds(text) == [kind]


def test_a_pipe_table_has_a_header_row_and_rows_of_one_width() -> None:
    table = only("| a | b |\n|---|:-:|\n| 1 \\| one |\n")["table"]
    assert table["has_column_header"] is True
    assert table["table_width"] == 2
    cells = [[plain_text(cell) for cell in row["table_row"]["cells"]] for row in table["children"]]
    assert cells == [["a", "b"], ["1 | one", ""]]


def test_pipes_without_a_rule_are_text() -> None:
    assert kinds("| just | text |") == ["paragraph"]


def test_two_spaces_nest_as_a_tab_does() -> None:
    assert blocks_from_markdown("- a\n  - b\n    - c") == blocks_from_markdown("- a\n\t- b\n\t\t- c")


def test_an_unclosed_fence_takes_the_rest_as_code() -> None:
    assert plain_text(only("```\na\n# b")["code"]["rich_text"]) == "a\n# b"


def test_code_with_a_fence_inside_gets_a_longer_fence() -> None:
    code = {"type": "code", "code": {"rich_text": [{"text": {"content": "```\nx\n```"}}], "language": "markdown"}}
    assert plain_text(only(markdown_from_blocks([code]))["code"]["rich_text"]) == "```\nx\n```"


def test_text_longer_than_a_run_is_cut_into_runs() -> None:
    runs = only("x" * 4500)["paragraph"]["rich_text"]
    assert [len(run["text"]["content"]) for run in runs] == [2000, 2000, 500]


def test_references_to_child_pages_make_no_new_blocks() -> None:
    text = '<page url="https://app.notion.com/p/393abc1eedcd8142936bcca8ae692cc4">Kid</page>\nafter'
    assert kinds(text) == ["paragraph"]


def test_money_is_not_mathematics() -> None:
    assert [item["type"] for item in rich_text_from_markdown("costs $5 and $10, $x^2$")] == ["text", "equation"]


LINES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp", "Zs")) | st.just(" "), min_size=1)


@given(LINES.map(str.strip).filter(bool))
def test_any_single_line_survives_as_a_paragraph(text: str) -> None:
    block = {"type": "paragraph", "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]}}
    read = only(markdown_from_blocks([block]))
    assert read["type"] == "paragraph"
    assert plain_text(read["paragraph"]["rich_text"]) == text


WORDS = st.text("abcXYZ 日я", min_size=1, max_size=8)
STYLES = st.sets(st.sampled_from(("bold", "italic", "strikethrough", "underline")))


@given(st.lists(st.tuples(WORDS, STYLES), max_size=5))
def test_styled_runs_between_spaces_keep_their_words(runs: list[tuple[str, set[str]]]) -> None:
    items = [{"type": "text", "text": {"content": part}, "annotations": dict.fromkeys(on, True)}
             for text, style in runs for part, on in ((text, style), (" ", set[str]()))]
    written = markdown_from_rich_text(items)
    assert plain_text(rich_text_from_markdown(f"|{written}|")) == f"|{plain_text(items)}|"
