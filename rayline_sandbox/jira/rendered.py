"""Values as Jira's own pages show them: HTML of rich text and printed instants, for `renderedFields` and `renderedBody`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from html import escape
from typing import Any

from rayline_sandbox.jira.instants import from_millis
from rayline_sandbox.jira.render import Renderer

_MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_HEADING = re.compile(r"h([1-6])\. (.*)")
_LISTS = {"* ": "ul", "# ": "ol"}
_MARKS = {"strong": "b", "em": "em", "code": "tt", "strike": "del", "underline": "ins"}
_TAGS = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "codeBlock": "pre",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
}


class PageRenderer(Renderer):
    """Writes instants and rich text as pages show them, everything else as ever."""

    def stamp(self, millis: int | None) -> str | None:
        """Return an instant in the account's zone, by the usual format of a site."""
        if millis is None:
            return None
        local = from_millis(millis).astimezone(self.site.zone)
        hour = local.hour % 12 or 12
        half = "AM" if local.hour < 12 else "PM"
        return f"{print_day(local)} {hour}:{local.minute:02d} {half}"

    def rich(self, value: Any) -> Any:
        """Return rich text as HTML."""
        return to_html(value)


def print_day(day: date | datetime) -> str:
    """Return a day by the usual format of a site."""
    return f"{day.day:02d}/{_MONTHS[day.month - 1]}/{day.year % 100:02d}"


def to_html(value: Any) -> str | None:
    """Return the HTML of a stored text or document."""
    if value is None:
        return None
    if isinstance(value, str):
        blocks = re.split(r"\n[ \t]*\n", value.strip("\n"))
        return "\n\n".join(_wiki_block(block) for block in blocks if block)
    return _inside(value)


def _wiki_block(block: str) -> str:
    lines = block.split("\n")
    heading = _HEADING.fullmatch(block)
    if heading:
        return f"<h{heading[1]}>{escape(heading[2])}</h{heading[1]}>"
    for sign, tag in _LISTS.items():
        if all(line.startswith(sign) for line in lines):
            items = [f"<li>{escape(line[len(sign) :])}</li>" for line in lines]
            return "\n".join([f"<{tag}>", *items, f"</{tag}>"])
    return "<p>" + "<br/>\n".join(map(escape, lines)) + "</p>"


def _node(node: Mapping[str, Any]) -> str:
    kind = node.get("type")
    if kind == "text":
        return _text(node)
    if kind == "hardBreak":
        return "<br/>\n"
    if kind == "rule":
        return "<hr/>"
    if kind == "heading":
        level = node.get("attrs", {}).get("level", 1)
        return f"<h{level}>{_inside(node)}</h{level}>"
    tag = _TAGS.get(str(kind))
    if tag is None:
        return _inside(node)
    return f"<{tag}>{_inside(node)}</{tag}>"


def _text(node: Mapping[str, Any]) -> str:
    text = escape(str(node.get("text", "")))
    for mark in node.get("marks", ()):
        tag = _MARKS.get(mark["type"])
        if tag:
            text = f"<{tag}>{text}</{tag}>"
        if mark["type"] == "link":
            link = escape(str(mark.get("attrs", {}).get("href", "")))
            text = f'<a href="{link}">{text}</a>'
    return text


def _inside(node: Mapping[str, Any]) -> str:
    return "".join(_node(child) for child in node.get("content", ()))
