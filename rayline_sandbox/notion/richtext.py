"""Rich text: request items in, complete response items out, and plain text for filters and titles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rayline_sandbox.notion.dates import read_date
from rayline_sandbox.notion.errors import MISSING, an_object, should_be, too_long
from rayline_sandbox.notion.store import SITE, Store, plain_id
from rayline_sandbox.notion.users import user_value

PLAIN = {
    "bold": False,
    "italic": False,
    "strikethrough": False,
    "underline": False,
    "code": False,
    "color": "default",
}
FLAGS = tuple(key for key in PLAIN if key != "color")
TEXT_LIMIT, ITEMS_LIMIT, LINK_LIMIT, EQUATION_LIMIT = 2000, 100, 2000, 1000
HUES = (
    "default",
    "gray",
    "brown",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
)
TEXT_COLORS = (*HUES, *(f"{hue}_background" for hue in HUES))
RichText = list[dict[str, Any]]


def plain_rich_text(text: str) -> RichText:
    """Return a text without formatting as response items (one per 2,000 characters)."""
    return [
        _item("text", {"content": part, "link": None}, {}, part, None)
        for start in range(0, len(text), TEXT_LIMIT)
        if (part := text[start : start + TEXT_LIMIT])
    ]


def plain(items: Iterable[dict[str, Any]]) -> str:
    """Return the plain text of response items."""
    return "".join(str(item.get("plain_text", "")) for item in items)


def parse_rich_text(store: Store, items: Any, path: str) -> RichText:
    """Return response items for request items, or raise the 400 that names the place."""
    if not isinstance(items, list):
        raise should_be(path, "an array", items)
    if len(items) > ITEMS_LIMIT:
        raise too_long(path, ITEMS_LIMIT, len(items))
    parsed = [
        _parse_item(store, item, f"{path}[{index}]") for index, item in enumerate(items)
    ]
    return [item for item in parsed if item["type"] != "text" or item["plain_text"]]


def _parse_item(store: Store, item: Any, path: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise should_be(path, "an object", item)
    kind = item.get("type") or next(
        (key for key in ("text", "mention", "equation") if key in item), "text"
    )
    parser = {
        "text": _parse_text,
        "mention": _parse_mention,
        "equation": _parse_equation,
    }.get(str(kind))
    if parser is None or not isinstance(item.get(kind), dict):
        raise should_be(f"{path}.{kind if parser else 'text'}", "defined", MISSING)
    annotations = an_object(item.get("annotations"), f"{path}.annotations")
    color = annotations.get("color") or "default"
    if color not in TEXT_COLORS:
        raise should_be(f"{path}.annotations.color", "a known color", color)
    wrong = next(
        (key for key in FLAGS if not isinstance(annotations.get(key), bool | None)),
        None,
    )
    if wrong is not None:
        raise should_be(f"{path}.annotations.{wrong}", "a boolean", annotations[wrong])
    value, text, href = parser(store, item[kind], f"{path}.{kind}")
    return _item(kind, value, annotations, text, href)


def _item(
    kind: str,
    value: dict[str, Any],
    annotations: dict[str, Any],
    text: str,
    href: str | None,
) -> dict[str, Any]:
    known = {
        key: value
        for key, value in annotations.items()
        if key in PLAIN and value is not None
    }
    return {
        "type": kind,
        kind: value,
        "annotations": {**PLAIN, **known},
        "plain_text": text,
        "href": href,
    }


def _parse_text(
    _: Store, value: dict[str, Any], path: str
) -> tuple[dict[str, Any], str, str | None]:
    content = value.get("content", MISSING)
    link = value.get("link")
    if not isinstance(content, str):
        raise should_be(f"{path}.content", "a string", content)
    # Notion counts as JavaScript does: a character beyond the basic plane is two.
    length = len(content.encode("utf-16-le", "surrogatepass")) // 2
    if length > TEXT_LIMIT:
        raise too_long(f"{path}.content", TEXT_LIMIT, length)
    url = an_object(link, f"{path}.link").get("url")
    if not isinstance(url, str | None):
        raise should_be(f"{path}.link.url", "a string", url)
    if url and len(url) > LINK_LIMIT:
        raise too_long(f"{path}.link.url", LINK_LIMIT, len(url))
    return {"content": content, "link": {"url": url} if url else None}, content, url


def _parse_equation(
    _: Store, value: dict[str, Any], path: str
) -> tuple[dict[str, Any], str, str | None]:
    expression = value.get("expression", MISSING)
    if not isinstance(expression, str):
        raise should_be(f"{path}.expression", "a string", expression)
    if len(expression) > EQUATION_LIMIT:
        raise too_long(f"{path}.expression", EQUATION_LIMIT, len(expression))
    return {"expression": expression}, expression, None


def _parse_mention(
    store: Store, value: dict[str, Any], path: str
) -> tuple[dict[str, Any], str, str | None]:
    kind = next(
        (
            key
            for key in (
                "user",
                "page",
                "database",
                "date",
                "template_mention",
                "custom_emoji",
            )
            if key in value
        ),
        None,
    )
    if kind is None:
        raise should_be(f"{path}.user", "defined", MISSING)
    inner = an_object(value[kind], f"{path}.{kind}")
    if kind == "date":
        return _mention_of_date(inner, f"{path}.date")
    if kind == "template_mention":
        return {"type": kind, kind: inner}, "", None
    if not isinstance(inner.get("id"), str) or not inner["id"]:
        raise should_be(f"{path}.{kind}.id", "defined", inner.get("id", MISSING))
    if kind == "custom_emoji":
        return {"type": kind, kind: inner}, f":{inner.get('name', '')}:", None
    return _mention_of(store, kind, plain_id(inner["id"]))


def _mention_of_date(
    inner: dict[str, Any], path: str
) -> tuple[dict[str, Any], str, str | None]:
    date = read_date(inner, path) or {}
    text = str(date["start"]) + (f" → {date['end']}" if date["end"] else "")
    return {"type": "date", "date": date}, text, None


def _mention_of(
    store: Store, kind: str, target: str
) -> tuple[dict[str, Any], str, str | None]:
    if kind == "user":
        user = store.users.get(target)
        return (
            {"type": kind, kind: user_value(store, target)},
            f"@{user.name if user else 'Unknown'}",
            None,
        )
    return (
        {"type": kind, kind: {"id": target}},
        title_of(store, target) or "Untitled",
        page_url(target, site=store.site),
    )


def title_of(store: Store, record_id: str) -> str:
    """Return the plain title of a page, database or data source; empty when it has none."""
    if page := store.pages.get(record_id):
        return plain(page.values.get("title", ()))
    titled = store.databases.get(record_id) or store.data_sources.get(record_id)
    return plain(titled.title) if titled else ""


def page_url(record_id: str, title: str = "", *, site: str = SITE) -> str:
    """Return the address in the form used since mid-2026 (docs/facts/notion-api.md 3.13), at a site of its own too."""
    words = re.findall(r"[0-9A-Za-z_]+", title)
    slug = "-".join(words)
    digits = record_id.replace("-", "")
    named = f"{slug}-{digits}" if slug else digits
    return f"{site}/p/{named}"
