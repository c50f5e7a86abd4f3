"""What stands on a page, as values: blocks the worker writes, comparable, with one digest and one Markdown form.

Text is inline Markdown of three marks only: `**bold**`, `[text](address)` and a backslash before what is meant
literally; `plain` makes any text safe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from worker.domain import charts
from worker.domain.charts import Chart
from worker.domain.values import Ref
from worker.domain.words import Words

NAME = "Rayline"
OPENING, CLOSING = f"⚙ {NAME} ▾", f"⚙ {NAME} ▴"
"""How the two lines begin that a section lies between: they tell it in any language."""
ROW = "row:"
"""What the address of a reference begins with."""


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """A paragraph."""

    text: str


class Heading(msgspec.Struct, frozen=True, tag=True):
    """A heading of level 1, 2 or 3."""

    text: str
    level: int = 2


class Bullet(msgspec.Struct, frozen=True, tag=True):
    """A list item, with bullets below it."""

    text: str
    children: tuple[Bullet, ...] = ()


class ToDo(msgspec.Struct, frozen=True, tag=True):
    """A line with a check box."""

    text: str
    checked: bool = False


class Quote(msgspec.Struct, frozen=True, tag=True):
    """A quotation."""

    text: str


class Callout(msgspec.Struct, frozen=True, tag=True):
    """A boxed line with an emoji; `color` is Notion's name (`gray_background`, ...)."""

    text: str
    icon: str = "💡"
    color: str = "gray_background"


class Mark(msgspec.Struct, frozen=True, tag=True):
    """The thin grey line at which a section of the worker begins or ends."""

    text: str


class Divider(msgspec.Struct, frozen=True, tag=True):
    """A horizontal line."""


class Table(msgspec.Struct, frozen=True, tag=True):
    """A table; every row is as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Picture(msgspec.Struct, frozen=True, tag=True):
    """A chart, drawn when it is written.

    A picture with an `edition` is that edition: it is drawn again when the edition changes, not when a figure in it
    has moved a little since. Without one it is what it shows.
    """

    chart: Chart
    caption: str = ""
    edition: str = ""


Block = (
    Paragraph
    | Heading
    | Bullet
    | ToDo
    | Quote
    | Callout
    | Mark
    | Divider
    | Table
    | Picture
)


class Run(msgspec.Struct, frozen=True):
    """A piece of text of one look; `url` when it is a link."""

    text: str
    bold: bool = False
    url: str = ""


_MARKS = re.compile(
    r"\\(?P<literal>[\\*\[\]()])|(?P<bold>\*\*)|\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<url>[^()\s]+)\)"
)
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
"""Spaces at which a line may break."""
_SPECIAL = re.compile(r"([\\*\[\]])")


def plain(text: str) -> str:
    """Return text that is shown as it is, whatever signs it holds; spaces that hold a figure together stay."""
    return _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", text).strip(" "))


def bold(text: str) -> str:
    """Return plain text in bold."""
    return f"**{plain(text)}**"


def link(text: str, url: str) -> str:
    """Return plain text that leads to an address, just the text when there is none that Markdown can carry."""
    return (
        f"[{plain(text)}]({url})"
        if url and not re.search(r"[()\s]", url)
        else plain(text)
    )


def reference(text: str, ref: Ref) -> str:
    """Return plain text that leads to a row of the worker, which may not have an address yet (`resolve`)."""
    return link(text, f"{ROW}{ref}")


def resolve(
    blocks: Iterable[Block], address: Callable[[Ref], str]
) -> tuple[Block, ...]:
    """Return blocks whose references are links; those to a row without an address are just text."""

    def link(run: Run) -> Run:
        if not run.url.startswith(ROW):
            return run
        return Run(run.text, run.bold, address(Ref.parse(run.url.removeprefix(ROW))))

    def linked(text: str) -> str:
        return inline(link(run) for run in runs(text)) if ROW in text else text

    return tuple(_each(block, linked) for block in blocks)


def references(blocks: Iterable[Block]) -> frozenset[Ref]:
    """Return the rows that blocks refer to."""
    names: set[str] = set()

    def note(text: str) -> str:
        urls = (run.url for run in runs(text)) if ROW in text else ()
        names.update(url for url in urls if url.startswith(ROW))
        return text

    for block in blocks:
        _each(block, note)
    return frozenset(Ref.parse(name.removeprefix(ROW)) for name in names)


def lead(
    blocks: Iterable[Block], pattern: re.Pattern[str], address: Callable[[str], str]
) -> tuple[Block, ...]:
    """Return blocks in which what the pattern finds leads to its address, if it has one; what leads somewhere already is left
    alone."""

    def parts(run: Run) -> Iterator[Run]:
        at = 0
        for found in pattern.finditer(run.text):
            yield Run(run.text[at : found.start()], run.bold)
            yield Run(found[0], run.bold, address(found[0]))
            at = found.end()
        yield Run(run.text[at:], run.bold)

    def led(text: str) -> str:
        if pattern.search(text) is None:
            return text
        pieces: list[Run] = []
        for run in runs(text):
            pieces += [run] if run.url else parts(run)
        return inline(piece for piece in pieces if piece.text)

    return tuple(_each(block, led) for block in blocks)


def _each(block: Block, change: Callable[[str], str]) -> Block:
    """Return a block with every text in it changed."""
    match block:
        case Divider() | Picture():
            return block
        case Table(header, rows):
            return Table(
                header, tuple(tuple(change(cell) for cell in row) for row in rows)
            )
        case Bullet():
            return _each_bullet(block, change)
        case _:
            return msgspec.structs.replace(block, text=change(block.text))


def _each_bullet(bullet: Bullet, change: Callable[[str], str]) -> Bullet:
    return Bullet(
        change(bullet.text),
        tuple(_each_bullet(child, change) for child in bullet.children),
    )


def runs(text: str) -> tuple[Run, ...]:
    """Return inline Markdown as pieces; neighbours of one look are one piece."""
    pieces: list[Run] = []
    for run in _runs(text):
        if pieces and (pieces[-1].bold, pieces[-1].url) == (run.bold, run.url):
            pieces[-1] = Run(pieces[-1].text + run.text, run.bold, run.url)
        elif run.text:
            pieces.append(run)
    return tuple(pieces)


def _runs(text: str) -> Iterator[Run]:
    is_bold = False
    at = 0
    for mark in _MARKS.finditer(text):
        yield Run(text[at : mark.start()], is_bold)
        at = mark.end()
        if mark["bold"]:
            is_bold = not is_bold
        elif mark["url"]:
            yield Run(re.sub(r"\\(.)", r"\1", mark["label"]), is_bold, mark["url"])
        else:
            yield Run(mark["literal"], is_bold)
    yield Run(text[at:], is_bold)


def inline(pieces: Iterable[Run]) -> str:
    """Return pieces as inline Markdown; `runs` gives them back."""
    return "".join(_inline(run) for run in pieces)


def _inline(run: Run) -> str:
    text = _SPECIAL.sub(r"\\\1", run.text)
    linked = f"[{text}]({run.url})" if run.url else text
    return f"**{linked}**" if run.bold else linked


def shown(text: str) -> str:
    """Return what a reader sees of inline Markdown."""
    return "".join(run.text for run in runs(text))


def mark(blocks: Iterable[Block], words: Words) -> tuple[Block, ...]:
    """Return blocks between the two marks of the worker's section."""
    opening = words.say("keeps this section up to date; notes go above or below it")
    closing = words.say("end of the section")
    return (Mark(f"{OPENING} {opening}"), *blocks, Mark(f"{CLOSING} {closing}"))


def digest(blocks: Sequence[Block]) -> str:
    """Return a digest of some blocks: equal for equal content, pictures by their edition or else what they show."""
    content = [
        (block.edition, block.caption)
        if isinstance(block, Picture) and block.edition
        else block
        for block in blocks
    ]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]


def to_data(blocks: Sequence[Block]) -> list[Any]:
    """Return blocks as plain JSON data; `from_data` gives them back."""
    data: list[Any] = msgspec.to_builtins(blocks)
    return data


def from_data(data: Any) -> tuple[Block, ...]:
    """Return the blocks written by `to_data`; raises `ValueError` for anything else."""
    return msgspec.convert(data, type=tuple[Block, ...])


def markdown(blocks: Iterable[Block]) -> str:
    """Return blocks as Markdown, for people who look at a plan."""
    return "\n\n".join(part for part in (_markdown(block) for block in blocks) if part)


def _markdown(block: Block) -> str:
    match block:
        case Paragraph(text) | Mark(text):
            return text
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Bullet():
            return "\n".join(_bullets(block, ""))
        case ToDo(text, checked):
            return f"- [{'x' if checked else ' '}] {text}"
        case Quote(text):
            return f"> {text}"
        case Callout(text, icon):
            return f"> {icon} {text}"
        case Divider():
            return "---"
        case Table(header, rows):
            lines = [header, tuple("---" for _ in header), *rows]
            return "\n".join(
                f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |"
                for line in lines
            )
        case Picture(chart, caption):
            return f"![{caption or chart.title}](rayline-{charts.digest(chart)}.png)"


def _bullets(bullet: Bullet, indent: str) -> Iterator[str]:
    yield f"{indent}- {bullet.text}"
    for child in bullet.children:
        yield from _bullets(child, indent + "  ")
