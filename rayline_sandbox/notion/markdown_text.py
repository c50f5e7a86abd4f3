"""Rich text to and from Notion's enhanced markdown: the inline half of the dialect.

Source: developers.notion.com/guides/data-apis/enhanced-markdown. CommonMark inlines are read by markdown-it; on top of
them stand `<br>`, `<span color|underline>`, mentions as tags and `$equations$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from rayline_sandbox.notion.richtext import page_url
from rayline_sandbox.notion.store import dashed

RichText = dict[str, Any]

TEXT_LIMIT = 2000
"""Characters in one text run (docs/facts/notion-api.md 2.9)."""

_SPECIAL = re.compile(r"[\\*~`$\[\]<>{}|^]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|!$")
_EQUATION = re.compile(r"\$(?!\s)((?:[^$\\\n]|\\.)+?)(?<!\s)\$(?!\d)")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_TAG = re.compile(r"<(/?)([\w-]+)([^>]*?)(/?)>")
_MARKS = (("bold", "**"), ("strikethrough", "~~"), ("italic", "*"))
_OPENING = {"strong_open": "bold", "em_open": "italic", "s_open": "strikethrough"}
_CLOSING = {"strong_close": "bold", "em_close": "italic", "s_close": "strikethrough"}
_MENTION_KINDS = ("mention-user", "mention-page", "mention-database", "mention-date")


def _equation_rule(state: StateInline, silent: bool) -> bool:
    match = _EQUATION.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("equation", "", 0).content = match[1]
    state.pos = match.end()
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("strikethrough")
    parser.inline.ruler.before("escape", "equation", _equation_rule)
    return parser


_PARSER = _parser()


@dataclass(frozen=True, slots=True)
class Style:
    """What holds for the text being read: annotations in force, a link, a mention under way."""

    on: frozenset[str] = frozenset()
    color: str = "default"
    link: str | None = None

    def with_mark(self, mark: str) -> Style:
        """Return the style with one annotation more."""
        return replace(self, on=self.on | {mark})

    def annotations(self) -> dict[str, Any]:
        """Return the annotations that differ from the default."""
        flags: dict[str, Any] = dict.fromkeys(sorted(self.on), True)
        if self.color == "default":
            return flags
        return {**flags, "color": self.color}


def attributes(text: str) -> dict[str, str]:
    """Return `name="value"` pairs of a tag or of a `{...}` suffix."""
    return {
        name: value.replace("&quot;", '"') for name, value in _ATTRIBUTE.findall(text)
    }


def color_from_markdown(color: str) -> str:
    """Return the API's colour for the dialect's (`blue_bg` is `blue_background`)."""
    if color.endswith("_bg"):
        return f"{color.removesuffix('_bg')}_background"
    return color


def color_to_markdown(color: str) -> str:
    """Return the dialect's colour for the API's."""
    return color.replace("_background", "_bg")


def rich_text_from_markdown(text: str) -> list[RichText]:
    """Return rich text items, as API input, for one line of enhanced markdown."""
    tokens = _PARSER.parseInline(text)[0].children or []
    return _merge(list(_read(tokens)))


def plain_items(text: str) -> list[RichText]:
    """Return unstyled rich text for `text`, cut into runs within the API's limit."""
    return [
        {"type": "text", "text": {"content": text[at : at + TEXT_LIMIT]}}
        for at in range(0, len(text), TEXT_LIMIT)
    ]


def _read(tokens: Sequence[Token]) -> Iterator[RichText]:
    styles = [Style()]
    skip_to = ""
    for token in tokens:
        if skip_to:
            if token.type == "html_inline" and token.content == skip_to:
                skip_to = ""
        elif token.type == "html_inline":
            yield from _read_tag(token.content, styles)
            skip_to = _end_of_mention(token.content)
        else:
            yield from _read_token(token, styles)


def _read_token(token: Token, styles: list[Style]) -> Iterator[RichText]:
    style = styles[-1]
    match token.type:
        case kind if kind in _OPENING:
            styles.append(style.with_mark(_OPENING[kind]))
        case "link_open":
            href = str(token.attrs["href"])
            styles.append(replace(style, link=href))
        case kind if kind in _CLOSING or kind == "link_close":
            styles.pop()
        case "code_inline":
            yield from _texts(token.content, style.with_mark("code"))
        case "equation":
            yield {
                "type": "equation",
                "equation": {"expression": token.content},
                **_annotated(style),
            }
        case "image":
            source = str(token.attrs["src"])
            linked = replace(style, link=source)
            yield from _texts(token.content or source, linked)
        case "softbreak" | "hardbreak":
            yield from _texts("\n", style)
        case _:
            yield from _texts(token.content, style)


def _read_tag(html: str, styles: list[Style]) -> Iterator[RichText]:
    style = styles[-1]
    match = _TAG.fullmatch(html)
    if match is None:
        yield from _texts(html, style)
        return

    closing, name, rest = match[1], match[2], match[3]
    if name == "br":
        yield from _texts("\n", style)
    elif name in ("span", "u") and closing:
        # The style of the text itself is never closed.
        if len(styles) > 1:
            styles.pop()
    elif name in ("span", "u"):
        span = _span(style, attributes(rest), name)
        styles.append(span)
    elif name in _MENTION_KINDS:
        yield {
            "type": "mention",
            "mention": _mention(name, attributes(rest)),
            **_annotated(style),
        }
    else:
        yield from _texts(html, style)


def _span(style: Style, given: dict[str, str], name: str) -> Style:
    if name == "u" or given.get("underline") == "true":
        style = style.with_mark("underline")
    color = given.get("color", style.color)
    return replace(style, color=color_from_markdown(color))


def _end_of_mention(html: str) -> str:
    """Return the tag that ends a mention begun by this one; empty when it begins none or ends itself."""
    match = _TAG.fullmatch(html)
    if match is None or match[2] not in _MENTION_KINDS:
        return ""
    if match[1] or match[4]:
        return ""
    return f"</{match[2]}>"


def _mention(name: str, given: dict[str, str]) -> dict[str, Any]:
    kind = name.removeprefix("mention-").replace("-", "_")
    if kind == "date":
        start = given.get("start", "")
        clock = given.get("startTime")
        return {
            "type": "date",
            "date": {
                "start": f"{start}T{clock}" if clock else start,
                "end": given.get("end"),
            },
        }
    return {"type": kind, kind: {"id": id_in(given.get("url", ""))}}


def id_in(url: str) -> str:
    """Return the last 32 hexadecimal digits of `url`, dashed, or the URL's last part where there are none."""
    digits = re.findall(r"[0-9a-f]{32}", url.replace("-", ""))
    if not digits:
        return url.rsplit("/", 1)[-1]
    return dashed(digits[-1])


def _annotated(style: Style) -> dict[str, Any]:
    given = style.annotations()
    return {"annotations": given} if given else {}


def _texts(content: str, style: Style) -> Iterator[RichText]:
    if not content:
        return
    link = {"link": {"url": style.link}} if style.link else {}
    yield {"type": "text", "text": {"content": content, **link}, **_annotated(style)}


def _same_style(left: RichText, right: RichText) -> bool:
    return (
        left["type"] == right["type"] == "text"
        and left.get("annotations") == right.get("annotations")
        and left["text"].get("link") == right["text"].get("link")
    )


def _merge(items: list[RichText]) -> list[RichText]:
    merged: list[RichText] = []
    for item in items:
        if merged and _same_style(merged[-1], item):
            before = merged[-1]["text"]["content"]
            merged[-1] = _with_content(item, before + item["text"]["content"])
        else:
            merged.append(item)
    return [piece for item in merged for piece in _within_limit(item)]


def _with_content(item: RichText, content: str) -> RichText:
    return {**item, "text": {**item["text"], "content": content}}


def _within_limit(item: RichText) -> list[RichText]:
    if item["type"] != "text":
        return [item]
    content = item["text"]["content"]
    pieces = []
    for start in range(0, len(content), TEXT_LIMIT):
        end = start + TEXT_LIMIT
        pieces.append(_with_content(item, content[start:end]))
    return pieces


# Writing.


def plain_text(items: Sequence[RichText]) -> str:
    """Return the bare text of rich text items, answered or as input."""
    return "".join(_content(item) for item in items)


def _content(item: RichText) -> str:
    match item.get("type") or next(
        (kind for kind in ("text", "equation", "mention") if kind in item), "text"
    ):
        case "text":
            plain = item.get("plain_text", "")
            return str(item.get("text", {}).get("content", plain))
        case "equation":
            return str(item["equation"]["expression"])
        case _:
            return str(item.get("plain_text", ""))


def markdown_from_rich_text(items: Sequence[RichText]) -> str:
    """Return one line of enhanced markdown for rich text; line breaks become `<br>`."""
    out: list[str] = []
    open_marks: list[str] = []
    for item, marks in _outer_spaces_freed(items):
        kept = _common(open_marks, marks)
        out.extend(_symbol(mark) for mark in reversed(open_marks[kept:]))
        out.extend(_symbol(mark) for mark in marks[kept:])
        open_marks = marks
        out.append(_written(item))
    out.extend(_symbol(mark) for mark in reversed(open_marks))
    return "".join(out)


def _common(left: list[str], right: list[str]) -> int:
    pairs = zip(left, right, strict=False)
    return next(
        (at for at, (one, other) in enumerate(pairs) if one != other),
        min(len(left), len(right)),
    )


def _symbol(mark: str) -> str:
    return dict(_MARKS)[mark]


def _marks(item: RichText) -> list[str]:
    given = item.get("annotations") or {}
    return [name for name, _ in _MARKS if given.get(name)]


def _outer_spaces_freed(
    items: Sequence[RichText],
) -> Iterator[tuple[RichText, list[str]]]:
    """Yield items with their marks; CommonMark knows no emphasis that begins or ends with a space, so those go bare."""
    marks: list[list[str]] = [[], *(_marks(item) for item in items), []]
    for at, item in enumerate(items, 1):
        own = marks[at]
        content = _content(item)
        is_text = item.get("type", "text") == "text"
        if not own or not is_text or content == content.strip():
            yield item, own
            continue

        before = own[: _common(marks[at - 1], own)]
        after = own[: _common(own, marks[at + 1])]
        lead, core, tail = _edges(content)
        for part, part_marks in ((lead, before), (core, own), (tail, after)):
            if part:
                yield {"type": "text", **_with_content(item, part)}, part_marks


def _edges(content: str) -> tuple[str, str, str]:
    """Return the spaces before a text, the text between, and the spaces behind it."""
    core = content.strip()
    if not core:
        return content, "", ""
    lead, _, tail = content.partition(core)
    return lead, core, tail


def escape(text: str) -> str:
    """Return `text` with the dialect's special characters escaped and line breaks as `<br>`."""
    escaped = _SPECIAL.sub(lambda match: f"\\{match[0]}", text)
    return escaped.replace("\n", "<br>")


def _written(item: RichText) -> str:
    given = item.get("annotations") or {}
    kind = item.get("type", "text")
    if kind == "mention":
        return _spanned(_mention_tag(item), given)

    body = _body(item, code=bool(given.get("code")))
    if kind == "text":
        link = (item.get("text") or {}).get("link")
        if link:
            body = f"[{body}]({link['url']})"
    return _spanned(body, given)


def _body(item: RichText, *, code: bool) -> str:
    content = _content(item)
    if item.get("type") == "equation":
        return f"${content}$"
    return _code_span(content) if code else escape(content)


def _code_span(content: str) -> str:
    runs = re.findall(r"`+", content)
    longest = max(map(len, runs), default=0)
    fence = "`" * (longest + 1)
    if content.startswith("`") or content.endswith("`"):
        content = f" {content} "
    return f"{fence}{content}{fence}"


def _spanned(text: str, given: dict[str, Any]) -> str:
    color = given.get("color") or "default"
    pairs = []
    if color != "default":
        pairs.append(f'color="{color_to_markdown(color)}"')
    if given.get("underline"):
        pairs.append('underline="true"')
    if pairs:
        return f"<span {' '.join(pairs)}>{text}</span>"
    return text


def _mention_tag(item: RichText) -> str:
    mention = item["mention"]
    kind = mention.get("type") or next(iter(mention))
    if kind == "date":
        date = mention["date"]
        end = ""
        if date.get("end"):
            end = f' end="{date["end"]}"'
        return f'<mention-date start="{date["start"]}"{end}/>'

    target = (mention.get(kind) or {}).get("id", "")
    url = f"user://{target}"
    if kind != "user":
        url = page_url(str(target))
    words = kind.replace("_", "-")
    text = escape(_content(item))
    return f'<mention-{words} url="{url}">{text}</mention-{words}>'
