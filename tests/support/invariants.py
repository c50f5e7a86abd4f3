"""What must hold whatever goes wrong, checked on the emulators' state and their log of requests, not through the worker.

Each check takes a rig (a stage, or `play.stage`) and returns the violations as sentences; none means that it holds.
`log` is what `rig.notion.entries(since)` gives. Ids of rows that the worker made differ from run to run, so that
pictures name such a row by its Worker key.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import combinations
from typing import Any, NamedTuple

from rayline_demo.board import Card, rows
from rayline_demo.rig import Rig
from rayline_sandbox.notion.journal import LogEntry
from rayline_sandbox.notion.store import Block, Page
from rayline_sandbox.notion.workspace import dumped_page
from worker.cycle.report import Report
from worker.mapping.schema import KEY_PROPERTY, Owner, Rows
from worker.state import bases, journal

Log = Iterable[LogEntry]
Picture = Mapping[str, str]
"""What stands, in words, by place: rows, cells, sections, and what is remembered."""
PERSONS_ACTS = frozenset({"edit", "append", "edit_block", "comment"})
"""Acts of people by which a row holds something of theirs."""
_COMPUTED = frozenset(
    {"created_time", "created_by", "last_edited_time", "last_edited_by", "unique_id"}
)
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_KEPT = {
    "bases": "page_id || ' ' || field, value",
    "intents": "ref, status || ' ' || page_id",
    "creations": "page_id, ref",
    "memory": "kind || ' ' || key, body",
    "history": "ref || ' ' || field || ' ' || start, coalesce(until, '') || value",
    "pages": "source || ' ' || page_id, missing > 0",
    "issues": "id, body",
    "worklogs": "id, body",
}
"""What a state holds of the workspace, by table: key and value. Of times only the days of the memory are compared."""
_NOT_COMPARED = ("§", "#readable")
"""What keys of the state hold that differs rightly: digests of sections, which name rows by their ids; that a project
could not be read for a while."""


class Cell(NamedTuple):
    """One cell of one row."""

    source: str
    page_id: str
    field: str


def _every_row(rig: Rig) -> Iterator[tuple[str, Card]]:
    for source in rig.bindings():
        for card in rows(rig, source):
            yield source, card


def find_doubled(rig: Rig) -> list[str]:
    """I1: return the Worker keys that two pages of ours carried at one time, thrown away or not."""
    pages = rig.notion.store.pages
    made = defaultdict(list)
    for source, card in _every_row(rig):
        key = card.values.get(KEY_PROPERTY)
        if key and card.created_by == rig.notion.bot_id:
            made[source, key].append(pages[card.page_id])
    return [
        f"I1 {source}/{key} stands twice: {one.id} beside {other.id}"
        for (source, key), twins in made.items()
        for one, other in combinations(twins, 2)
        if _stood_together(one, other)
    ]


def _stood_together(one: Page, other: Page) -> bool:
    first, second = sorted((one, other), key=lambda page: page.created)
    return not first.in_trash or first.edited > second.created


def people_cells(rig: Rig, *typed: Cell) -> dict[Cell, Any]:
    """Return what people typed, by cell: every human field that holds something, shared and seed fields that the worker
    never wrote, and those named, which were typed over a value of the worker's."""
    with rig.store.reading(rig.context.name) as tx:
        written, attempted = bases.load(tx)
    chosen = set(typed)
    cells = {}
    for source, card in _every_row(rig):
        properties = rig.context.schema.sources[source].properties
        for name, value in card.values.items():
            cell = Cell(source, card.page_id, name)
            known = (card.page_id, name) in written or (card.page_id, name) in attempted
            owner = properties[name].owner
            is_theirs = owner is Owner.HUMAN or cell in chosen
            if not is_theirs and (owner is Owner.WORKER or known):
                continue
            if value not in (None, "", (), [], False):
                cells[cell] = value
    return cells


def find_changed(rig: Rig, typed: Mapping[Cell, Any]) -> list[str]:
    """I2: return the cells of people (`people_cells`) that hold something else now."""
    standing = {
        Cell(source, card.page_id, name): value
        for source, card in _every_row(rig)
        for name, value in card.values.items()
    }
    return [
        f"I2 {cell.source}/{cell.page_id} {cell.field}: {value!r} became {standing.get(cell)!r}"
        for cell, value in typed.items()
        if standing.get(cell) != value
    ]


def find_archived(rig: Rig, log: Log) -> list[str]:
    """I3: return what the worker threw away although people made it, or wrote into it before."""
    store, bot = rig.notion.store, rig.notion.bot_id
    touched = {
        entry.page_id
        for entry in log
        if entry.actor != bot and entry.kind in PERSONS_ACTS
    }
    found = []
    for record in (*store.pages.values(), *store.blocks.values()):
        is_theirs = record.created_by != bot or record.id in touched
        if record.in_trash and record.edited_by == bot and is_theirs:
            found.append(f"I3 {type(record).__name__} {record.id} was thrown away")
    return found


def picture(rig: Rig) -> Picture:
    """Return what stands in Notion and in the state, so that two runs of one story can be compared."""
    name = _namer(rig)
    shown = {**_board_picture(rig), **_state_picture(rig)}
    named = {name(place): name(words) for place, words in shown.items()}
    return {place: _in_order(words) for place, words in named.items()}


RELATED = "related: "
"""Before the rows that a relation names: in which order tells nothing."""


REMEMBERED = '{"refs":['
"""Before the rows that a remembered relation names."""


def _in_order(words: str) -> str:
    if words.startswith(RELATED):
        return RELATED + " ".join(sorted(words.removeprefix(RELATED).split()))
    if words.startswith(REMEMBERED):
        return json.dumps({"refs": sorted(json.loads(words)["refs"])})
    return words


def differences(calm: Picture, standing: Picture) -> list[str]:
    """I4: return where a picture differs from that of an undisturbed run."""
    return [
        f"I4 {place}: {standing.get(place, 'missing')} instead of {calm.get(place, 'nothing')}"
        for place in sorted(calm.keys() | standing.keys())
        if calm.get(place) != standing.get(place)
    ]


def find_differences(rig: Rig, calm: Picture) -> list[str]:
    """I4: return where the rig differs from the picture of an undisturbed run."""
    return differences(calm, picture(rig))


def _namer(rig: Rig) -> Callable[[str], str]:
    """Return what puts Worker keys where ids of the worker's rows stand, and numbers where those of people's pages do: two
    lives in which people do the same draw other ids for it. What else the worker made has no name."""
    peoples = {
        page.id.replace("-", ""): f"people-{number}"
        for number, page in enumerate(_peoples_pages(rig))
    }
    names = dict(peoples)

    def say(match: re.Match[str]) -> str:
        return names.get(match[0].replace("-", ""), "<id>")

    def say_theirs(match: re.Match[str]) -> str:
        return peoples.get(match[0].replace("-", ""), match[0])

    for source, card in _every_row(rig):
        if card.created_by == rig.notion.bot_id:
            key = _ID.sub(
                say_theirs, str(card.values.get(KEY_PROPERTY) or card.page_id)
            )
            state = "trashed " if card.in_trash else ""
            names[card.page_id.replace("-", "")] = f"{state}{source}/{key}"
    return lambda text: _ID.sub(say, text)


def _peoples_pages(rig: Rig) -> list[Page]:
    """Return the pages that people made, in the order in which they did."""
    bot = rig.notion.bot_id
    pages = [page for page in rig.notion.store.pages.values() if page.created_by != bot]
    return sorted(pages, key=lambda page: page.created)


def _board_picture(rig: Rig) -> dict[str, str]:
    store = rig.notion.store
    shown: dict[str, str] = {}
    for source, card in _every_row(rig):
        page = dumped_page(store, store.pages[card.page_id])
        for name, prop in page["properties"].items():
            if prop["type"] not in _COMPUTED:
                place = f"{source} {card.page_id} {name}"
                value = prop[prop["type"]]
                if prop["type"] == "relation":
                    shown[place] = RELATED + " ".join(one["id"] for one in value)
                else:
                    shown[place] = repr(_plain(value))
        shown[f"{source} {card.page_id} body"] = "\n".join(_body(rig, card.page_id))
        shown[f"{source} {card.page_id} trash"] = str(card.in_trash)
    return shown


def _plain(value: Any) -> Any:
    """Return a value without what Notion adds to it: rich text as text, options by name."""
    match value:
        case list():
            return [_plain(part) for part in value]
        case {"plain_text": str(text)}:
            return text
        case {"name": str(name)}:
            return name
    return value


def _body(rig: Rig, container: str, depth: int = 0) -> Iterator[str]:
    store = rig.notion.store
    for one in store.body_of(container):
        block = store.blocks.get(one)
        if isinstance(block, Block):
            text = block.payload.get("rich_text") or ()
            words = "".join(part.get("plain_text", "") for part in text)
            yield f"{'  ' * depth}{block.type} {words}"
            yield from _body(rig, block.id, depth + 1)


def _state_picture(rig: Rig) -> dict[str, str]:
    shown: dict[str, str] = {}
    with rig.store.reading(rig.context.name) as tx:
        for table, columns in _KEPT.items():
            asked = f"SELECT {columns} FROM {table} WHERE workspace = '{tx.workspace}'"
            for key, value in tx.connection.exec_driver_sql(asked):
                if any(part in key for part in _NOT_COMPARED):
                    continue
                spoken = (
                    value.decode("utf-8", "backslashreplace")
                    if isinstance(value, bytes)
                    else value
                )
                shown[f"state {table} {key}"] = str(spoken)
    return shown


def find_writes(rig: Rig, log: Log) -> list[str]:
    """I5: return what the worker wrote, or tried to, where nothing was to be written."""
    return [
        f"I5 {entry.method} {entry.path} {entry.outcome} {entry.summary}"
        for entry in log
        if entry.write and entry.actor == rig.notion.bot_id
    ]


def find_early(
    rig: Rig, log: Log, jira_log: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """I6: return the requests made before a Retry-After had passed, which concerned them."""
    notion = [
        _Asked(entry.at, entry.method, entry.path, entry.outcome, entry.wait)
        for entry in log
        if entry.actor == rig.notion.bot_id and entry.outcome != "late_commit"
    ]
    jira = [
        _Asked(
            datetime.fromisoformat(entry["at"]),
            entry["method"],
            entry["path"],
            entry["fault"],
            entry["wait"],
        )
        for entry in jira_log
    ]
    return [*_early(notion), *_early(jira)]


class _Asked(NamedTuple):
    """One request in a log; `wait` is the Retry-After of its answer."""

    at: datetime
    method: str
    path: str
    outcome: str
    wait: str

    def part(self) -> str:
        """Return the part of a service that was asked, which may have a limit of its own."""
        return f"{self.method} {self.path.removeprefix('/v1/').partition('/')[0]}"


def _early(asked: list[_Asked]) -> Iterator[str]:
    over: dict[str, datetime] = {}
    for one in asked:
        waits = [over[part] for part in ("", one.part()) if part in over]
        if waits and one.at < max(waits):
            left = (max(waits) - one.at).total_seconds()
            yield f"I6 {one.method} {one.path} was sent {left:.0f} s too early"
        seconds = _seconds(one)
        if seconds:
            part = one.part() if "endpoint" in one.outcome else ""
            over[part] = one.at + timedelta(seconds=seconds)


def _seconds(asked: _Asked) -> float:
    """Return for how long an answer asked to wait; one that shut the connection out asks for nothing."""
    if not asked.wait or "blocked" in asked.outcome:
        return 0.0
    try:
        return float(asked.wait)
    except ValueError:
        until = parsedate_to_datetime(asked.wait)
    return (until - asked.at.replace(microsecond=0)).total_seconds()


def find_unjournalled(rig: Rig, method: str, path: str, body: bytes) -> list[str]:
    """I8: return what is wrong with a request to Notion that is about to leave: a row made or changed with nothing of it
    in the journal."""
    if method not in ("POST", "PATCH") or not path.startswith("/v1/pages"):
        return []
    asked = json.loads(body or b"{}")
    page_id = path.removeprefix("/v1/pages").strip("/")
    with rig.store.reading(rig.context.name) as tx:
        if not page_id:
            said = body.decode()
            open_refs = {str(intent.ref.key) for intent in journal.unsettled(tx)}
            known = any(json.dumps(key)[1:-1] in said for key in open_refs)
        elif asked.get("properties"):
            known = bool(bases.attempts_of(tx, page_id))
        else:
            known = True
    return [] if known else [f"I8 {method} {path} left before its note was kept"]


def find_untrue(rig: Rig, log: Log, report: Report) -> list[str]:
    """I10: return where a report counts what was not done, or leaves out rows that were made."""
    saved = [
        entry
        for entry in log
        if entry.actor == rig.notion.bot_id and entry.outcome.endswith("committed")
    ]
    made = sum(entry.kind == "pages.create" for entry in saved)
    changed = {entry.page_id for entry in saved if entry.kind == "pages.update"}
    counts = report.applied.counts()
    doubts = len(report.applied.unknown)
    found = []
    if not counts["create"] <= made <= counts["create"] + doubts:
        found.append(
            f"I10 {made} rows were made; told are {counts['create']} and {doubts} in doubt"
        )
    if counts["update"] + counts["archive"] > len(changed):
        found.append(f"I10 {len(changed)} pages were changed; told are {counts}")
    return found


def keyed_rows(rig: Rig) -> dict[str, str]:
    """Return the living rows of the worker's sources: page id to Worker key."""
    sources = rig.context.schema.sources
    return {
        card.page_id: str(card.values[KEY_PROPERTY])
        for source, card in _every_row(rig)
        if sources[source].rows is Rows.WORKER
        and not card.in_trash
        and card.values.get(KEY_PROPERTY)
    }
