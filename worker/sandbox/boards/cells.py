"""Property values of the API as typed cells which tables, cards and page headers print alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.sandbox.boards.reader import Reader, Unreadable, page_title, plain
from worker.sandbox.boards.texts import (
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
from worker.sandbox.boards.words import CURRENCIES, Words

Json = dict[str, Any]

RELATIONS_SHOWN = 25


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
        return self.kind != "checkbox" and not (self.text or self.chips or any(run.text for run in self.runs))


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
            self._titles[page["id"]] = (page_title(page) or self.words["untitled"], icon_of(page.get("icon")))

    def _look_up(self, page_id: str) -> tuple[str, Icon]:
        try:
            page = self.reader.page(page_id)
        except Unreadable:
            return "———", Icon()
        return page_title(page) or self.words["untitled"], icon_of(page.get("icon"))

    def runs(self, rich_text: list[Json] | None) -> tuple[Run, ...]:
        """Return rich text as runs."""
        return tuple(runs(rich_text, self.words, lambda page_id: self.title(page_id)[0]))

    def cell(self, name: str, value: Json | None, schema: Json | None = None) -> Cell:
        """Return the cell of a property value; an unknown type prints empty."""
        kind = (value or {}).get("type", "")
        draw = DRAWERS.get(kind)
        if draw is None or value is None:
            return Cell(name, kind or "unknown")
        return draw(self, name, value.get(kind), (schema or {}).get(kind) or {})


def _draw_text(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "text", plain(value), runs=pen.runs(value))


def _draw_title(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "title", plain(value) or pen.words["untitled"])


def _draw_number(pen: Draughtsman, name: str, value: Any, schema: Json) -> Cell:
    exact = _decimal(value)
    if exact is None:
        return Cell(name, "number")
    style = schema.get("format", "number")
    if style == "percent":
        return Cell(name, "percent", pen.words.percent(exact), share=float(min(max(exact, Decimal(0)), Decimal(1))))
    if style in CURRENCIES:
        return Cell(name, "number", pen.words.money(exact, CURRENCIES[style]))
    return Cell(name, "number", pen.words.number(exact))


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None


def _draw_option(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "tags", (value or {}).get("name", ""), chips=_tags([value] if value else []))


def _draw_status(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "status", (value or {}).get("name", ""), chips=_tags([value] if value else []))


def _draw_options(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "tags", ", ".join(option.get("name", "") for option in value or ()), chips=_tags(value or []))


def _tags(options: list[Json]) -> tuple[Chip, ...]:
    return tuple(Chip(option.get("name", ""), tag_class(option.get("color"))) for option in options)


def _draw_date(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "date", date_text(value, pen.words))


def _draw_moment(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "date", moment_text(value, pen.words))


def moment_text(value: Any, words: Words) -> str:
    """Return an API timestamp as people write it."""
    try:
        return words.moment(datetime.fromisoformat(value)) if value else ""
    except (TypeError, ValueError):
        return str(value)


def _draw_people(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    chips = tuple(_person(pen, user) for user in value or ())
    return Cell(name, "people", ", ".join(chip.text for chip in chips), chips=chips)


def _draw_person(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return _draw_people(pen, name, [value] if value else [], {})


def _person(pen: Draughtsman, user: Json) -> Chip:
    named = user.get("name") or pen.reader.users().get(user.get("id", ""), {}).get("name") or "?"
    return Chip(named, f"hue-{hue(named)}", initials=initials(named))


def _draw_relation(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    ids = [item["id"] for item in value or ()][:RELATIONS_SHOWN]
    chips = tuple(Chip(pen.title(page_id)[0], href=f"/p/{page_id}", icon=pen.title(page_id)[1]) for page_id in ids)
    return Cell(name, "relation", ", ".join(chip.text for chip in chips), chips=chips)


def _draw_checkbox(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    return Cell(name, "checkbox", pen.words["yes"] if value else "", share=1.0 if value else 0.0)


def _draw_link(prefix: str) -> Callable[[Draughtsman, str, Any, Json], Cell]:
    def draw(_: Draughtsman, name: str, value: Any, __: Json) -> Cell:
        return Cell(name, "link", value or "", href=safe_href(f"{prefix}{value}") if value else "")
    return draw


def _draw_files(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    chips = tuple(Chip(file.get("name") or pen.words["file"], href=file_url(file)) for file in value or ())
    return Cell(name, "files", ", ".join(chip.text for chip in chips), chips=chips)


def _draw_unique_id(_: Draughtsman, name: str, value: Any, __: Json) -> Cell:
    parts = [str(part) for part in ((value or {}).get("prefix"), (value or {}).get("number")) if part is not None]
    return Cell(name, "text", "-".join(parts))


def _draw_formula(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    match value:
        case {"type": "string", "string": str(text)}:
            return Cell(name, "text", text)
        case {"type": "boolean", "boolean": answer}:
            return _draw_checkbox(pen, name, answer, {})
        case {"type": "number" | "date" as kind}:
            return DRAWERS[kind](pen, name, value.get(kind), {})
        case _:
            return Cell(name, "text")


def _draw_rollup(pen: Draughtsman, name: str, value: Any, _: Json) -> Cell:
    match value:
        case {"type": "array", "array": list(items)}:
            return _merged(name, [pen.cell(name, item) for item in items])
        case {"type": "number" | "date" as kind}:
            return DRAWERS[kind](pen, name, value.get(kind), {})
        case _:
            return Cell(name, "text")


def _merged(name: str, cells: list[Cell]) -> Cell:
    filled = [cell for cell in cells if not cell.empty]
    if not filled:
        return Cell(name, "text")
    chips = tuple(chip for cell in filled for chip in cell.chips)
    return Cell(name, filled[0].kind if chips else "text", ", ".join(cell.text for cell in filled), chips=chips)


DRAWERS: Mapping[str, Callable[[Draughtsman, str, Any, Json], Cell]] = {
    "title": _draw_title, "rich_text": _draw_text, "number": _draw_number, "select": _draw_option,
    "status": _draw_status, "multi_select": _draw_options, "date": _draw_date, "people": _draw_people,
    "relation": _draw_relation, "checkbox": _draw_checkbox, "url": _draw_link(""), "email": _draw_link("mailto:"),
    "phone_number": _draw_link("tel:"), "files": _draw_files, "unique_id": _draw_unique_id,
    "created_time": _draw_moment, "last_edited_time": _draw_moment, "created_by": _draw_person,
    "last_edited_by": _draw_person, "formula": _draw_formula, "rollup": _draw_rollup,
}
