"""Property values of the API as typed cells which tables, cards and page headers print alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rayline_sandbox.boards.reader import Reader, Unreadable, page_title, plain
from rayline_sandbox.boards.texts import (
    Icon,
    Run,
    date_text,
    file_url,
    hue,
    icon_of,
    initials,
    runs,
    safe_href,
    tag_class,
)
from rayline_sandbox.boards.words import CURRENCIES, Words

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chip:
    """One tag, person, relation or file inside a cell."""

    text: str
    css: str = ""
    href: str = ""
    icon: Icon = field(default_factory=Icon)
    initials: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A printable property value: `kind` chooses the drawing, `share` is the bar's filling between 0 and 1."""

    name: str
    kind: str
    text: str = ""
    chips: tuple[Chip, ...] = ()
    runs: tuple[Run, ...] = ()
    share: float | None = None
    href: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to print; an unticked box is something."""
        return self.kind != "checkbox" and not (
            self.text or self.chips or any(run.text for run in self.runs)
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A property's value: its `content` as the API gave it, its type's `config` from the schema."""

    name: str
    content: Any
    config: Json


@dataclass(slots=True)
class Draughtsman:
    """Turns values into cells in one language; asks the reader for the titles of related pages."""

    reader: Reader
    words: Words
    _titles: dict[str, tuple[str, Icon]] = field(default_factory=dict)

    def title(self, page_id: str) -> tuple[str, Icon]:
        """Return title and icon of a page; a page that cannot be read has a title of dashes."""
        if page_id not in self._titles:
            self._titles[page_id] = self._look_up(page_id)
        return self._titles[page_id]

    def learn(self, pages: list[Json]) -> None:
        """Remember the titles of pages already read."""
        for page in pages:
            self._titles[page["id"]] = (
                page_title(page) or self.words["untitled"],
                icon_of(page.get("icon")),
            )

    def _look_up(self, page_id: str) -> tuple[str, Icon]:
        try:
            page = self.reader.page(page_id)
        except Unreadable:
            return "———", Icon()
        return page_title(page) or self.words["untitled"], icon_of(page.get("icon"))

    def runs(self, rich_text: list[Json] | None) -> tuple[Run, ...]:
        """Return rich text as runs."""
        return tuple(
            runs(rich_text, self.words, lambda page_id: self.title(page_id)[0])
        )

    def cell(self, name: str, value: Json | None, schema: Json | None = None) -> Cell:
        """Return the cell of a property value; an unknown type prints empty."""
        kind = (value or {}).get("type", "")
        draw = DRAWERS.get(kind)
        if draw is None or value is None:
            return Cell(name, kind or "unknown")
        return draw(self, Value(name, value.get(kind), (schema or {}).get(kind) or {}))


def _draw_text(pen: Draughtsman, value: Value) -> Cell:
    return Cell(value.name, "text", plain(value.content), runs=pen.runs(value.content))


def _draw_title(pen: Draughtsman, value: Value) -> Cell:
    return Cell(value.name, "title", plain(value.content) or pen.words["untitled"])


def _draw_number(pen: Draughtsman, value: Value) -> Cell:
    exact = _decimal(value.content)
    if exact is None:
        return Cell(value.name, "number")
    style = value.config.get("format", "number")
    if style == "percent":
        share = float(min(max(exact, Decimal(0)), Decimal(1)))
        return Cell(value.name, "percent", pen.words.percent(exact), share=share)
    if style in CURRENCIES:
        return Cell(value.name, "number", pen.words.money(exact, CURRENCIES[style]))
    return Cell(value.name, "number", pen.words.number(exact))


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def _draw_option(pen: Draughtsman, value: Value) -> Cell:
    return _tagged(value.name, "tags", [value.content] if value.content else [])


def _draw_status(pen: Draughtsman, value: Value) -> Cell:
    return _tagged(value.name, "status", [value.content] if value.content else [])


def _draw_options(pen: Draughtsman, value: Value) -> Cell:
    return _tagged(value.name, "tags", value.content or [])


def _tagged(name: str, kind: str, options: list[Json]) -> Cell:
    chips = tuple(
        Chip(option.get("name", ""), tag_class(option.get("color")))
        for option in options
    )
    return Cell(name, kind, _joined(chips), chips=chips)


def _joined(chips: tuple[Chip, ...]) -> str:
    return ", ".join(chip.text for chip in chips)


def _draw_date(pen: Draughtsman, value: Value) -> Cell:
    return Cell(value.name, "date", date_text(value.content, pen.words))


def _draw_moment(pen: Draughtsman, value: Value) -> Cell:
    return Cell(value.name, "date", moment_text(value.content, pen.words))


def moment_text(value: Any, words: Words) -> str:
    """Return an API timestamp as people write it."""
    try:
        return words.moment(datetime.fromisoformat(value)) if value else ""
    except (TypeError, ValueError):
        return str(value)


def _draw_people(pen: Draughtsman, value: Value) -> Cell:
    chips = tuple(_person(pen, user) for user in value.content or ())
    return Cell(value.name, "people", _joined(chips), chips=chips)


def _draw_person(pen: Draughtsman, value: Value) -> Cell:
    return _draw_people(
        pen, replace(value, content=[value.content] if value.content else [])
    )


def _person(pen: Draughtsman, user: Json) -> Chip:
    named = (
        user.get("name")
        or pen.reader.users().get(user.get("id", ""), {}).get("name")
        or "?"
    )
    return Chip(named, f"hue-{hue(named)}", initials=initials(named))


def _draw_relation(pen: Draughtsman, value: Value) -> Cell:
    ids = [item["id"] for item in value.content or ()]
    chips = tuple(
        Chip(pen.title(page_id)[0], href=f"/p/{page_id}", icon=pen.title(page_id)[1])
        for page_id in ids
    )
    return Cell(value.name, "relation", _joined(chips), chips=chips)


def _draw_checkbox(pen: Draughtsman, value: Value) -> Cell:
    return Cell(
        value.name,
        "checkbox",
        pen.words["yes"] if value.content else "",
        share=1.0 if value.content else 0.0,
    )


def _draw_link(prefix: str) -> Callable[[Draughtsman, Value], Cell]:
    def draw(_: Draughtsman, value: Value) -> Cell:
        text = str(value.content or "")
        return Cell(
            value.name, "link", text, href=safe_href(f"{prefix}{text}") if text else ""
        )

    return draw


def _draw_files(pen: Draughtsman, value: Value) -> Cell:
    chips = tuple(
        Chip(
            file.get("name") or pen.words["file"],
            href=file_url(file, pen.reader.origin),
        )
        for file in value.content or ()
    )
    return Cell(value.name, "files", _joined(chips), chips=chips)


def _draw_unique_id(pen: Draughtsman, value: Value) -> Cell:
    parts = ((value.content or {}).get(part) for part in ("prefix", "number"))
    return Cell(
        value.name, "text", "-".join(str(part) for part in parts if part is not None)
    )


def _draw_formula(pen: Draughtsman, value: Value) -> Cell:
    match value.content:
        case {"type": "string", "string": str(text)}:
            return Cell(value.name, "text", text)
        case {"type": "boolean", "boolean": answer}:
            return _draw_checkbox(pen, replace(value, content=answer))
        case {"type": "number" | "date" as kind, **rest}:
            return DRAWERS[kind](pen, Value(value.name, rest.get(kind), value.config))
        case _:
            return Cell(value.name, "text")


def _draw_rollup(pen: Draughtsman, value: Value) -> Cell:
    match value.content:
        case {"type": "array", "array": list(items)}:
            return _merged(value.name, [pen.cell(value.name, item) for item in items])
        case {"type": "number" | "date" as kind, **rest}:
            return DRAWERS[kind](pen, Value(value.name, rest.get(kind), value.config))
        case _:
            return Cell(value.name, "text")


def _merged(name: str, cells: list[Cell]) -> Cell:
    filled = [cell for cell in cells if not cell.empty]
    if not filled:
        return Cell(name, "text")
    chips = tuple(chip for cell in filled for chip in cell.chips)
    return Cell(
        name,
        filled[0].kind if chips else "text",
        ", ".join(cell.text for cell in filled),
        chips=chips,
    )


DRAWERS: Mapping[str, Callable[[Draughtsman, Value], Cell]] = {
    "title": _draw_title,
    "rich_text": _draw_text,
    "number": _draw_number,
    "select": _draw_option,
    "status": _draw_status,
    "multi_select": _draw_options,
    "date": _draw_date,
    "people": _draw_people,
    "relation": _draw_relation,
    "checkbox": _draw_checkbox,
    "url": _draw_link(""),
    "email": _draw_link("mailto:"),
    "phone_number": _draw_link("tel:"),
    "files": _draw_files,
    "unique_id": _draw_unique_id,
    "created_time": _draw_moment,
    "last_edited_time": _draw_moment,
    "created_by": _draw_person,
    "last_edited_by": _draw_person,
    "formula": _draw_formula,
    "rollup": _draw_rollup,
}
