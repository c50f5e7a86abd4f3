"""What people and Jira do in a simulated world: acts by name, each drawn from a random source of its own.

An act that finds nothing to be done to does nothing; what it did is told as an event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import unquote

from rayline_sandbox.notion.store import Page, Property
from tests.soak.ground import PROJECTS
from tests.soak.witness import Column, Witness
from worker.mapping.schema import KEY_PROPERTY, Owner, Rows

Value = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hands:
    """What an act works with: the witness who notes it, who acts, and what is drawn from."""

    witness: Witness
    who: str
    random: Random

    def pages(self, *, rows: Rows | None = None, gone: bool = False) -> list[Page]:
        """Return the rows of the boards, of people's or the worker's boards; `gone` the thrown away ones.

        The worker's go by their keys: in which order they were made is its business, and tells nothing.
        """
        witness = self.witness
        found: list[Page] = []
        for name, binding in witness.bindings.items():
            if rows in (None, witness.schema.sources[name].rows):
                source = witness.notion.store.data_sources[binding.data_source_id]
                pages = [witness.notion.store.pages[one] for one in source.rows]
                found += sorted(pages, key=witness.key_of)
        return [page for page in found if (page.in_trash or page.is_archived) == gone]

    def pick(self, items: list[Any]) -> Any:
        """Return one of the items; raises ValueError when there is none."""
        if not items:
            raise ValueError("nothing is there to be done to")
        return self.random.choice(items)

    def cells(self, page: Page, owners: frozenset[Owner]) -> list[tuple[Column, str]]:
        """Return the cells of a page that have these owners, with their properties' ids."""
        source = page.parent.id
        return [
            (column, property_id)
            for (place, property_id), column in self.witness.columns.items()
            if place == source
            and column.owner in owners
            and column.field != KEY_PROPERTY
            and column.type in VALUES
            and property_id in self.properties(page)
        ]

    def properties(self, page: Page) -> Mapping[str, Property]:
        """Return the columns of a page's board by id."""
        return self.witness.notion.store.data_sources[page.parent.id].properties

    def do(self, action: str, **payload: Any) -> None:
        """Do it."""
        self.witness.person(action, payload, self.who)


def _option(hands: Hands, prop: Property) -> str:
    return str(hands.pick(prop.config.get("options") or [])["name"])


def _text(hands: Hands, _prop: Property) -> list[Value]:
    return [{"text": {"content": f"typed {hands.random.randrange(10_000)}"}}]


def _number(hands: Hands, _prop: Property) -> float:
    return round(hands.random.uniform(0.001, 9), 3)


def _date(hands: Hands, _prop: Property) -> Value:
    day = hands.witness.clock.now() + timedelta(days=hands.random.randrange(-40, 90))
    return {"start": day.date().isoformat()}


VALUES: Mapping[str, Callable[[Hands, Property], Any]] = {
    "title": _text,
    "rich_text": _text,
    "number": _number,
    "select": lambda hands, prop: {"name": _option(hands, prop)},
    "status": lambda hands, prop: {"name": _option(hands, prop)},
    "date": _date,
    "checkbox": lambda hands, _prop: hands.random.random() < 0.5,
}
EMPTY: Mapping[str, Any] = {
    "rich_text": [],
    "number": None,
    "select": None,
    "date": None,
    "checkbox": False,
}
PEOPLES = frozenset({Owner.HUMAN, Owner.SEED, Owner.SHARED})


def _type(hands: Hands, page: Page, owners: frozenset[Owner]) -> None:
    _type_into(hands, page, *hands.pick(hands.cells(page, owners)))


def _type_into(hands: Hands, page: Page, column: Column, property_id: str) -> None:
    prop = hands.properties(page)[property_id]
    if prop.type not in VALUES:
        raise ValueError("nothing can be typed there")
    value = VALUES[prop.type](hands, prop)
    if hands.random.random() < 0.15 and prop.type in EMPTY:
        value = EMPTY[prop.type]
    hands.do("edit", page_id=page.id, properties={prop.name: {prop.type: value}})
    hands.witness.story.tell("typed", f"{column.owner} {column.type}")


def edit_own(hands: Hands) -> None:
    """Type into a row of people's."""
    page = hands.pick(hands.pages(rows=Rows.PEOPLE))
    _type(hands, page, frozenset({Owner.HUMAN}))


def edit_shared(hands: Hands) -> None:
    """Type into what both may write, of any row."""
    pages = [
        page
        for page in hands.pages()
        if hands.cells(page, frozenset({Owner.SHARED, Owner.SEED}))
    ]
    _type(hands, hands.pick(pages), frozenset({Owner.SHARED, Owner.SEED}))


def edit_row(hands: Hands) -> None:
    """Type into a row of the worker's, in any cell that is people's."""
    _type(hands, hands.pick(hands.pages(rows=Rows.WORKER)), PEOPLES)


def edit_workers(hands: Hands) -> None:
    """Type over a value of the worker's."""
    page = hands.pick(hands.pages())
    _type(hands, page, frozenset({Owner.WORKER}))


def duplicate(hands: Hands) -> None:
    """Copy a row."""
    hands.do("duplicate", page_id=hands.pick(hands.pages()).id)


def trash_row(hands: Hands) -> None:
    """Throw a row of the worker's away."""
    hands.do("trash", id=hands.pick(hands.pages(rows=Rows.WORKER)).id)


def trash_own(hands: Hands) -> None:
    """Throw a card or a client away."""
    page = hands.pick(hands.pages(rows=Rows.PEOPLE))
    hands.do("trash", id=page.id)


def restore(hands: Hands) -> None:
    """Take a row out of the trash."""
    hands.do("restore", id=hands.pick(hands.pages(gone=True)).id)


def archive(hands: Hands) -> None:
    """Archive a row."""
    hands.do("archive", id=hands.pick(hands.pages(rows=Rows.WORKER)).id)


def delete_forever(hands: Hands) -> None:
    """Delete a row for good."""
    hands.do("delete_forever", id=hands.pick(hands.pages(rows=Rows.WORKER)).id)


def append(hands: Hands) -> None:
    """Write below what stands on a page."""
    page = hands.pick(hands.pages())
    hands.do("append", block_id=page.id, children=[_paragraph(hands)])


def _paragraph(hands: Hands) -> Value:
    text = _text(hands, Property("", "", ""))
    return {"type": "paragraph", "paragraph": {"rich_text": text}}


def edit_block(hands: Hands) -> None:
    """Write into a block, of the worker's or of people's."""
    store = hands.witness.notion.store
    blocks = [
        block
        for block in store.blocks.values()
        if not store.trashed(block)
        and "rich_text" in block.payload
        and "rayline-owner" not in str(block.payload)
    ]
    block = hands.pick(sorted(blocks, key=lambda one: str(one.payload)))
    hands.do("edit_block", block_id=block.id, text=f"by hand {hands.random.random()}")


def comment(hands: Hands) -> None:
    """Comment a row."""
    hands.do("comment", page_id=hands.pick(hands.pages()).id, text="what about this?")


def _column(hands: Hands) -> tuple[str, Property]:
    name = hands.pick(sorted(hands.witness.bindings))
    target = hands.witness.bindings[name].data_source_id
    properties = hands.witness.notion.store.data_sources[target].properties
    return target, hands.pick([properties[key] for key in sorted(properties)])


def rename_property(hands: Hands) -> None:
    """Give a column another name."""
    target, prop = _column(hands)
    name = f"{prop.name} {hands.random.randrange(100)}"
    hands.do("rename_property", data_source_id=target, property=prop.name, name=name)


def retype_property(hands: Hands) -> None:
    """Make a text of a number, or a number of a text."""
    target, prop = _column(hands)
    other = {"number": "rich_text", "rich_text": "number"}.get(prop.type)
    if other is None:
        raise ValueError("only texts and numbers are made of each other")
    hands.do("retype_property", data_source_id=target, property=prop.name, type=other)


def rename_option(hands: Hands) -> None:
    """Give an option another name."""
    target, prop = _column(hands)
    option = hands.pick(prop.config.get("options") or [])["name"]
    hands.do(
        "rename_option",
        data_source_id=target,
        property=prop.name,
        option=option,
        name=f"{option} {hands.random.randrange(100)}",
    )


def add_task(hands: Hands) -> None:
    """Add a task of one's own."""
    target = hands.witness.bindings["tasks"].data_source_id
    title = {"title": _text(hands, Property("", "", ""))}
    hands.do("create", data_source_id=target, properties={"title": title})


def tick(hands: Hands) -> None:
    """Ask for a look at a client."""
    binding = hands.witness.bindings["clients"]
    source = hands.witness.notion.store.data_sources[binding.data_source_id]
    page = hands.pick([one for one in hands.pages() if one.id in source.rows])
    box = {binding.properties["sync_now"]: {"checkbox": True}}
    hands.do("edit", page_id=page.id, properties=box)


def remove_owner_line(hands: Hands) -> None:
    """Throw away the line that names the installation."""
    store = hands.witness.notion.store
    lines = [
        block.id
        for block in store.blocks.values()
        if "rayline-owner" in str(block.payload) and not block.in_trash
    ]
    hands.do("trash", id=hands.pick(lines))


def type_against(hands: Hands, page_id: str, asked: Collection[str]) -> bool:
    """Type into a cell of people's that a request is just about to change; tell whether it changes one."""
    page = hands.witness.notion.store.pages.get(page_id)
    if page is None or page.in_trash:
        return False
    names = {unquote(name) for name in asked}
    cells = [
        (column, property_id)
        for column, property_id in hands.cells(page, PEOPLES)
        if property_id in names
    ]
    if cells:
        _type_into(hands, page, *hands.pick(cells))
    return bool(cells)


Act = Callable[[Hands], None]
ACTS: tuple[tuple[int, Act], ...] = (
    (10, edit_own),
    (14, edit_shared),
    (8, edit_row),
    (4, edit_workers),
    (5, duplicate),
    (5, trash_row),
    (1, trash_own),
    (5, restore),
    (2, archive),
    (1, delete_forever),
    (5, append),
    (4, edit_block),
    (3, comment),
    (2, rename_property),
    (1, retype_property),
    (1, rename_option),
    (2, add_task),
    (3, tick),
    (1, remove_owner_line),
)


def act(hands: Hands) -> str:
    """Do one act and return its name; empty when there was nothing to be done to."""
    weights = [weight for weight, _ in ACTS]
    _, chosen = hands.random.choices(ACTS, weights)[0]
    try:
        chosen(hands)
    except ValueError:
        return ""
    return chosen.__name__


# Jira


@dataclass(frozen=True, slots=True)
class Desk:
    """What an act in Jira works with."""

    witness: Witness
    random: Random

    def issue(self) -> str:
        """Return the key of an issue; raises ValueError when there is none."""
        dump = self.witness.jira.control("dump", {})["issues"]
        keys = sorted(str(issue["key"]) for issue in dump)
        if not keys:
            raise ValueError("no issue is left")
        return self.random.choice(keys)

    def do(self, action: str, **payload: Any) -> None:
        """Do it."""
        self.witness.jira.control(action, payload)
        self.witness.story.sums["edits"] += 1


def transition(desk: Desk) -> None:
    """Move an issue."""
    status = desk.random.choice(("To Do", "In Progress", "Done"))
    desk.do("transition", issue=desk.issue(), status=status)


def log_work(desk: Desk) -> None:
    """Log work."""
    started = desk.witness.clock.now() - timedelta(hours=2)
    desk.do(
        "worklog",
        issue=desk.issue(),
        author="acc-developer",
        started=started.isoformat(),
        seconds=1800 * desk.random.randrange(1, 8),
    )


def create_issue(desk: Desk) -> None:
    """Create an issue."""
    fields = {"summary": "More work", "issuetype": {"name": "Task"}}
    desk.do("create", project=desk.random.choice(PROJECTS), fields=fields)


def delete_issue(desk: Desk) -> None:
    """Delete an issue."""
    desk.do("delete", issue=desk.issue(), subtasks=True)


def move_issue(desk: Desk) -> None:
    """Move an issue to the other project."""
    desk.do("move", issue=desk.issue(), project=desk.random.choice(PROJECTS))


def rename_issue(desk: Desk) -> None:
    """Give an issue another summary."""
    summary = f"Work renamed {desk.random.randrange(100)}"
    desk.do("edit", issue=desk.issue(), fields={"summary": summary})


JIRA_ACTS: tuple[tuple[int, Callable[[Desk], None]], ...] = (
    (12, transition),
    (6, log_work),
    (4, create_issue),
    (2, delete_issue),
    (2, move_issue),
    (1, rename_issue),
)


def act_in_jira(desk: Desk) -> str:
    """Do one act in Jira and return its name; empty when there was nothing to be done to."""
    weights = [weight for weight, _ in JIRA_ACTS]
    _, chosen = desk.random.choices(JIRA_ACTS, weights)[0]
    try:
        chosen(desk)
    except ValueError:
        return ""
    return chosen.__name__
