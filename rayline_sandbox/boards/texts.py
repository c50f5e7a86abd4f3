"""Rich text, icons and links of the API as values that a template can print without trusting them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from rayline_sandbox.boards.words import Words

Json = dict[str, Any]

COLORS = frozenset(
    {"gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red"}
)
STYLES = ("bold", "italic", "strikethrough", "underline", "code")
SCHEMES = frozenset({"http", "https", "mailto"})
VIEW = re.compile(r"[?&]v=([0-9a-f-]{32,36})(?![0-9a-f-])")
NOTION_HOSTS = frozenset({"www.notion.so", "notion.so", "app.notion.com"})
PAGE_ID = re.compile(r"([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one style: `css` class names, `href` empty when it is no link."""

    text: str
    css: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Icon:
    """An emoji or an image address; both empty when there is none."""

    emoji: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A parsed date value: `start` and `end` days, and the moments when they carry a time."""

    start: date
    end: date | None = None
    start_moment: datetime | None = None
    end_moment: datetime | None = None


def safe_href(url: object) -> str:
    """Return an address that may be followed: http(s) and mailto only, Notion pages as our own; else empty."""
    if not isinstance(url, str):
        return ""
    local = _local_page(url.strip())
    if local:
        return local
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme.lower() in SCHEMES else ""


def _local_page(url: str) -> str:
    path = url.partition("?")[0].partition("#")[0]
    page_id = PAGE_ID.search(path)
    if page_id is None:
        return ""
    view = VIEW.search(url)
    place = f"/p/{page_id.group(1)}"
    if view is not None:
        place += f"?v={view.group(1)}"
    if url.startswith("/"):
        return place
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return ""
    return place if host in NOTION_HOSTS else ""


def color_class(name: object) -> str:
    """Return the css classes of an API colour such as `red` or `red_background`."""
    text = name if isinstance(name, str) else ""
    base = text.removesuffix("_background")
    if base not in COLORS:
        return ""
    return f"bg-{base}" if text.endswith("_background") else f"ink-{base}"


def tag_class(color: object) -> str:
    """Return the css class of an option colour."""
    return f"tag-{color}" if color in COLORS else "tag-default"


def icon_of(value: Json | None) -> Icon:
    """Return the icon of a page, database or callout."""
    match value or {}:
        case {"type": "emoji", "emoji": str(emoji)}:
            return Icon(emoji=emoji)
        case {"type": "external" | "file" | "custom_emoji" as kind, **rest}:
            return Icon(image=_image(rest.get(kind)))
        case _:
            return Icon()


def _image(file: Json | None) -> str:
    url = (file or {}).get("url")
    return (
        url
        if isinstance(url, str) and urlsplit(url).scheme in ("http", "https")
        else ""
    )


def file_url(value: Json, origin: str = "") -> str:
    """Return the address of a file object (`file`, `external`), empty when it is not to be followed.

    A hosted file is asked for at `origin`: its own address names the host its writer happened to use.
    """
    kind = value.get("type") or ("external" if "external" in value else "file")
    url = safe_href((value.get(kind) or {}).get("url"))
    if kind != "file" or not origin or not url:
        return url
    parts = urlsplit(url)
    return f"{origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def runs(
    rich_text: list[Json] | None, words: Words, title_of: Callable[[str], str]
) -> list[Run]:
    """Return rich text as runs; `title_of` names mentioned pages."""
    return [_run(part, words, title_of) for part in rich_text or ()]


def _run(part: Json, words: Words, title_of: Callable[[str], str]) -> Run:
    annotations = part.get("annotations") or {}
    styles = [style for style in STYLES if annotations.get(style)]
    text = part.get("plain_text") or (part.get("text") or {}).get("content", "")
    href = safe_href(
        part.get("href") or ((part.get("text") or {}).get("link") or {}).get("url")
    )
    match part:
        case {"type": "equation"}:
            styles.append("equation")
        case {"type": "mention", "mention": mention}:
            styles.append("mention")
            text, href = _mention(mention, text, href, words=words, title_of=title_of)
    css = " ".join([*styles, color_class(annotations.get("color"))]).strip()
    return Run(text, css, href)


def _mention(
    mention: Json, text: str, href: str, *, words: Words, title_of: Callable[[str], str]
) -> tuple[str, str]:
    match mention:
        case {"type": "page", "page": {"id": str(page_id)}}:
            return title_of(page_id), f"/p/{page_id}"
        case {"type": "database", "database": {"id": str(database_id)}}:
            return text, f"/d/{database_id}"
        case {"type": "user", "user": user}:
            return f"@{user.get('name') or text.lstrip('@')}", ""
        case {"type": "date", "date": value}:
            return date_text(value, words) or text, ""
        case _:
            return text, href


def parse_day(value: Json | None) -> Day | None:
    """Return an API date value parsed; None when it is absent or no date of this world."""
    if not value:
        return None
    start = _instant(value.get("start"))
    if start is None:
        return None
    end = _instant(value.get("end"))
    return Day(
        _day(start),
        _day(end) if end is not None else None,
        start if isinstance(start, datetime) else None,
        end if isinstance(end, datetime) else None,
    )


def _instant(text: object) -> date | datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return (
            date.fromisoformat(text)
            if len(text) == len("2026-01-31")
            else datetime.fromisoformat(text)
        )
    except ValueError:
        return None


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def date_text(value: Json | None, words: Words) -> str:
    """Return a date value as people write it; what cannot be parsed stands as it came."""
    day = parse_day(value)
    if day is None:
        return str((value or {}).get("start") or "")
    start = words.moment(day.start_moment) if day.start_moment else words.day(day.start)
    if day.end is None:
        return start
    return f"{start} → {words.moment(day.end_moment) if day.end_moment else words.day(day.end)}"


def initials(name: str) -> str:
    """Return up to two initials of a person's name."""
    letters = [part[0] for part in name.split() if part[0].isalpha()]
    return "".join(letters[:2]).upper() or "?"


def hue(text: str) -> int:
    """Return one of ten stable colour numbers for a name."""
    return sum(ord(letter) * (place + 1) for place, letter in enumerate(text)) % 10
