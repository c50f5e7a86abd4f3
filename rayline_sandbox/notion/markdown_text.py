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

    def annotations(self) -> dict[str, Any]:
        """Return the annotations that differ from the default."""
        flags: dict[str, Any] = dict.fromkeys(sorted(self.on), True)
        return flags if self.color == "default" else {**flags, "color": self.color}


def attributes(text: str) -> dict[str, str]:
    """Return `name="value"` pairs of a tag or of a `{...}` suffix."""
    return {
        name: value.replace("&quot;", '"') for name, value in _ATTRIBUTE.findall(text)
    }


def color_from_markdown(color: str) -> str:
    """Return the API's colour for the dialect's (`blue_bg` is `blue_background`)."""
    return f"{color.removesuffix('_bg')}_background" if color.endswith("_bg") else color


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
            skip_to = (
                ""
                if token.type == "html_inline" and token.content == skip_to
                else skip_to
            )
        elif token.type == "html_inline":
            yield from _read_tag(token.content, styles)
            skip_to = _end_of_mention(token.content)
        else:
            yield from _read_token(token, styles)


def _read_token(token: Token, styles: list[Style]) -> Iterator[RichText]:
    match token.type:
        case kind if kind in _OPENING:
            styles.append(replace(styles[-1], on=styles[-1].on | {_OPENING[kind]}))
        case "link_open":
            styles.append(replace(styles[-1], link=str(token.attrs["href"])))
        case kind if kind in _CLOSING or kind == "link_close":
            styles.pop()
        case "code_inline":
            yield from _texts(
                token.content, replace(styles[-1], on=styles[-1].on | {"code"})
            )
        case "equation":
            yield {
                "type": "equation",
                "equation": {"expression": token.content},
                **_annotated(styles[-1]),
            }
        case "image":
            source = str(token.attrs["src"])
            yield from _texts(token.content or source, replace(styles[-1], link=source))
        case "softbreak" | "hardbreak":
            yield from _texts("\n", styles[-1])
        case _:
            yield from _texts(token.content, styles[-1])


def _read_tag(html: str, styles: list[Style]) -> Iterator[RichText]:
    match = _TAG.fullmatch(html)
    closing, name, rest = (match[1], match[2], match[3]) if match else ("", "", "")
    if name == "br":
        yield from _texts("\n", styles[-1])
    elif name in ("span", "u") and closing:
        del styles[max(1, len(styles) - 1) :]
    elif name in ("span", "u"):
        styles.append(_span(styles[-1], attributes(rest), name))
    elif name in _MENTION_KINDS:
        yield {
            "type": "mention",
            "mention": _mention(name, attributes(rest)),
            **_annotated(styles[-1]),
        }
    else:
        yield from _texts(html, styles[-1])


def _span(style: Style, given: dict[str, str], name: str) -> Style:
    underlined = (
        style.on | {"underline"}
        if name == "u" or given.get("underline") == "true"
        else style.on
    )
    return replace(
        style, on=underlined, color=color_from_markdown(given.get("color", style.color))
    )


def _end_of_mention(html: str) -> str:
    match = _TAG.fullmatch(html)
    open_mention = (
        match is not None
        and match[2] in _MENTION_KINDS
        and not match[1]
        and not match[4]
    )
    return f"</{match[2]}>" if match is not None and open_mention else ""


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
    found = digits[-1]
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


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
            joined = merged[-1]["text"]["content"] + item["text"]["content"]
            merged[-1] = {**item, "text": {**item["text"], "content": joined}}
        else:
            merged.append(item)
    return [piece for item in merged for piece in _within_limit(item)]


def _within_limit(item: RichText) -> list[RichText]:
    if item["type"] != "text":
        return [item]
    content = item["text"]["content"]
    return [
        {**item, "text": {**item["text"], "content": content[at : at + TEXT_LIMIT]}}
        for at in range(0, len(content), TEXT_LIMIT)
    ]


# Writing.


def plain_text(items: Sequence[RichText]) -> str:
    """Return the bare text of rich text items, answered or as input."""
    return "".join(_content(item) for item in items)


def _content(item: RichText) -> str:
    match item.get("type") or next(
        (kind for kind in ("text", "equation", "mention") if kind in item), "text"
    ):
        case "text":
            return str(item.get("text", {}).get("content", item.get("plain_text", "")))
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
        if not own or item.get("type", "text") != "text" or content == content.strip():
            yield item, own
            continue
        before = own[: _common(marks[at - 1], own)]
        after = own[: _common(own, marks[at + 1])]
        for part, part_marks in zip(_edges(content), (before, own, after), strict=True):
            if part:
                yield (
                    {**item, "type": "text", "text": {**item["text"], "content": part}},
                    part_marks,
                )


def _edges(content: str) -> tuple[str, str, str]:
    core = content.strip()
    lead = content[: len(content) - len(content.lstrip())]
    return lead, core, content[len(lead) + len(core) :]


def escape(text: str) -> str:
    """Return `text` with the dialect's special characters escaped and line breaks as `<br>`."""
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text).replace("\n", "<br>")


def _written(item: RichText) -> str:
    given = item.get("annotations") or {}
    kind = item.get("type", "text")
    body = (
        _body(item, code=bool(given.get("code")))
        if kind != "mention"
        else _mention_tag(item)
    )
    href = (item.get("text") or {}).get("link") if kind == "text" else None
    linked = f"[{body}]({href['url']})" if href else body
    return _spanned(linked, given)


def _body(item: RichText, *, code: bool) -> str:
    content = _content(item)
    if item.get("type") == "equation":
        return f"${content}$"
    return _code_span(content) if code else escape(content)


def _code_span(content: str) -> str:
    fence = "`" * (max((len(run) for run in re.findall(r"`+", content)), default=0) + 1)
    pad = " " if content.startswith("`") or content.endswith("`") else ""
    return f"{fence}{pad}{content}{pad}{fence}"


def _spanned(text: str, given: dict[str, Any]) -> str:
    color = given.get("color") or "default"
    pairs = [f'color="{color_to_markdown(color)}"'] if color != "default" else []
    pairs += ['underline="true"'] if given.get("underline") else []
    return f"<span {' '.join(pairs)}>{text}</span>" if pairs else text


def _mention_tag(item: RichText) -> str:
    mention = item["mention"]
    kind = mention.get("type") or next(iter(mention))
    if kind == "date":
        date = mention["date"]
        end = f' end="{date["end"]}"' if date.get("end") else ""
        return f'<mention-date start="{date["start"]}"{end}/>'
    target = (mention.get(kind) or {}).get("id", "")
    scheme = "user://" if kind == "user" else "https://app.notion.com/p/"
    address = target if kind == "user" else str(target).replace("-", "")
    tag = f"mention-{kind.replace('_', '-')}"
    return f'<{tag} url="{scheme}{address}">{escape(_content(item))}</{tag}>'
