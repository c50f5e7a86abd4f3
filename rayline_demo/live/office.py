"""The people of a living demo at their desks: they look at boards through the API and type as people do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any
from urllib.parse import unquote

from rayline_demo.acts import HumanEdits
from rayline_demo.agency.model import Agency, Staff
from rayline_demo.agency.names import Pair
from rayline_demo.agency.populate import Cast, Scribe
from rayline_demo.board import Card, plain
from rayline_demo.developers import Developers
from rayline_demo.rig import Rig
from rayline_sandbox.boards.reader import Reader
from worker.codecs.notion import encode
from worker.domain.messages import Text
from worker.domain.values import Ref, Value
from worker.locales import load_words
from worker.mapping.schema import KEY_PROPERTY

MOST_ROWS = 2_000
LENGTH = 48

Place = tuple[str, str]
"""A row: the source and its page."""
Undo = Callable[[], Text | None]
"""Takes an act back and returns what is told of it, None when somebody else has gone on from there."""


@dataclass(frozen=True, slots=True)
class Done:
    """What somebody did, as it is told, and how it is taken back later; without `undo` it stays."""

    told: Text
    undo: Undo | None = None


@dataclass(slots=True)
class Office:
    """Everybody of the agency and what they need: the boards, the teams in Jira, and what they typed so far."""

    rig: Rig
    agency: Agency
    cast: Cast
    scribe: Scribe
    developers: Developers
    deeds: HumanEdits = field(default_factory=HumanEdits)
    names: Mapping[str, str] = field(init=False)
    summaries: dict[str, str] = field(init=False, default_factory=dict)
    parts: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.names = {one.jira: one.name for one in self.agency.staff}
        for issue in self.agency.jira["issues"]:
            key = issue["key"]
            self.summaries[key] = issue["summary"]
            if issue["type"] == "Sub-task":
                self.parts.add(key)

    def today(self) -> date:
        """Return the day it is on the boards."""
        return self.rig.clock.now().date()

    def say(self, pair: Pair) -> str:
        """Return what people of this agency write, in their language."""
        english, russian = pair
        if self.agency.locale == "ru":
            return russian
        return english

    # Who

    def account_manager(self, client: str = "") -> Staff:
        """Return who looks after a client, by its page; the first of them where nobody else does."""
        clients = self.cast.pages["clients"]
        if client not in clients:
            return self._manager_of(None)

        place = clients.index(client)
        unit = self.agency.clients[place].unit
        return self._manager_of(unit)

    def in_charge(self, row: Card) -> Staff:
        """Return who works on a row: whom it is given to, else who manages its client or unit."""
        people = self.cast.pages["people"]
        for name in ("assignee", "owner"):
            for page in row.values.get(name) or ():
                if page in people:
                    place = people.index(page)
                    return self.agency.staff[place]
        for page in row.values.get("client") or ():
            return self.account_manager(page)
        units = self.cast.pages["units"]
        for page in row.values.get("unit") or ():
            if page in units:
                unit = units.index(page)
                return self._manager_of(unit)
        return self._manager_of(None)

    def _manager_of(self, unit: int | None) -> Staff:
        staff = self.agency.staff
        managers = [person for person in staff if person.role == "am"]
        for manager in managers:
            if manager.unit == unit:
                return manager

        # Nobody manages this unit: the first manager does, else the first of all.
        if managers:
            return managers[0]
        return staff[0]

    def _user(self, person: Staff) -> str:
        """Return a person's user in Notion."""
        place = self.agency.staff.index(person)
        users = self.cast.users
        if place < len(users):
            return users[place]
        return users[0]

    # What is seen

    def rows(self, source: str) -> tuple[Card, ...]:
        """Return the rows of a board as a browser shows them, the oldest first."""
        binding = self.scribe.bindings[source]
        names = {}
        for name, property_id in binding.properties.items():
            names[unquote(property_id)] = name
        notion = self.rig.notion
        found = Reader(notion.handle, notion.token).query(
            binding.data_source_id, limit=MOST_ROWS
        )
        return tuple(_card(page, names) for page in found.pages)

    def keyed(self, source: str) -> list[Card]:
        """Return the rows of a board that the worker made."""
        rows = self.rows(source)
        return [row for row in rows if row.values[KEY_PROPERTY]]

    def option(self, source: str, card: Card, name: str) -> str:
        """Return the key of the option in a cell, empty when there is none."""
        options = self.scribe.bindings[source].options[name]
        shown = card.values[name]
        for key, (_, label) in options.items():
            if label == shown:
                return key
        return ""

    def label(self, source: str, name: str, key: str) -> str:
        """Return what the boards call an option."""
        options = self.scribe.bindings[source].options[name]
        _, label = options[key]
        return label

    # What is done

    def type(
        self,
        person: Staff,
        source: str,
        page_id: str,
        values: Mapping[str, Value],
        *,
        stays: bool = True,
    ) -> None:
        """Type into cells of a row, `None` to empty them; what `stays` must be found there again."""
        properties = self.scribe.schema.sources[source].properties
        binding = self.scribe.bindings[source]
        self.control(
            person,
            "edit",
            page_id=page_id,
            properties={
                binding.properties[name]: encode(
                    properties[name], value, binding, lambda ref: ref.key
                )
                for name, value in values.items()
            },
        )
        for name, value in values.items():
            self.deeds.forget(source, page_id, name)
            if stays:
                self.deeds.expect(
                    source, page_id, name, self._shown(source, name, value)
                )

    def type_for_a_while(
        self,
        person: Staff,
        place: Place,
        typed: Mapping[str, Value],
        before: Mapping[str, Value],
        *,
        back: Text,
    ) -> Undo:
        """Type into cells of a row; return how what stood `before` is typed again, which is told as `back`.

        That need not be found there again: who types what the rules wanted hands a shared cell back to them. Where
        somebody else has typed since, nothing is taken back.
        """
        source, page_id = place
        self.type(person, source, page_id, typed)
        shown = {name: self._shown(source, name, typed[name]) for name in before}

        def undo() -> Text | None:
            if not self._stands(place, shown):
                return None
            self.type(person, source, page_id, before, stays=False)
            return back

        return undo

    def _stands(self, place: Place, shown: Mapping[str, object]) -> bool:
        """Tell whether cells of a row still show what was typed there."""
        source, page_id = place
        for card in self.rows(source):
            if card.page_id == page_id:
                cells = (card.values[name] == value for name, value in shown.items())
                return all(cells)
        return False

    def control(self, person: Staff, action: str, **payload: Any) -> dict[str, Any]:
        """Do what somebody does in Notion beyond cells."""
        user = self._user(person)
        signed = {**payload, "user": user}
        return self.rig.notion.control(action, signed)

    def jira(self, action: str, **payload: Any) -> dict[str, Any]:
        """Do what somebody does in Jira."""
        return self.rig.jira.control(action, payload)

    def _shown(self, source: str, name: str, value: Value) -> object:
        """Return a value as the checks of the boards read it."""
        match value:
            case date():
                return value.isoformat()
            case tuple():
                return tuple(
                    item.key if isinstance(item, Ref) else item for item in value
                )
            case str() if name in self.scribe.bindings[source].options:
                return self.label(source, name, value)
            case None if self._is_text(source, name):
                return ""
        return value

    def _is_text(self, source: str, name: str) -> bool:
        properties = self.scribe.schema.sources[source].properties
        kind = properties[name].type
        return kind in ("rich_text", "title")


def _card(page: Mapping[str, Any], names: Mapping[str, str]) -> Card:
    values = {
        names[unquote(prop["id"])]: plain(prop)
        for prop in page["properties"].values()
        if unquote(prop["id"]) in names
    }
    page_id = page["id"]
    author = page["created_by"]["id"]
    return Card(page_id, in_trash=False, created_by=author, values=values)


def shorten(text: str) -> str:
    """Return a title as a line has room for it."""
    if len(text) <= LENGTH:
        return text

    beginning = text[: LENGTH - 1].rstrip()
    return f"{beginning}…"


def day_in_words(day: date) -> dict[str, str]:
    """Return a day as each language writes it."""
    return {locale: load_words(locale, "").date(day) for locale in ("en", "ru")}


def named(who: Staff, row: Card) -> dict[str, str]:
    """Return how who did something and the row are called in a line."""
    title = row.values["name"]
    row_name = shorten(title)
    return {"who": who.name, "row": row_name}


Deed = Callable[[Office, Random], Done | None]
"""What somebody may do in a minute; None when there is no occasion for it."""
