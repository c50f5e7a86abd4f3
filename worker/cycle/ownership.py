"""Whose the boards are: one line on the root page names the installation that keeps them, and when it was last seen.

Two installations on one page would each take the other's rows for nobody's and make all of them again. Notion keeps the
blocks of a page in the order in which they were added, so that of two that add their line at the same moment both see
which came first. The line is read before a cycle writes, never in one that writes nothing.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from worker.cycle.context import Context, CycleRequest
from worker.cycle.remembering import add_authors
from worker.domain.messages import literal, message, tell
from worker.domain.text import clean_line
from worker.errors import (
    Code,
    ConfigError,
    Denied,
    Missing,
    Problem,
    Severity,
    Transient,
    Unknown,
)
from worker.ports.notion import BlockWriter, Json
from worker.state.settings import Setting

log = structlog.get_logger("worker.cycle")
INSTALLATION = Setting("installation", str, str)
"""Who this state is; whoever restores or moves it stays the same."""
OWN_LINE = Setting("owner_mark", str, str)
"""The block in which this installation stands, empty before it ever wrote."""
UNTOUCHED = Setting("boards_untouched", bool, bool)
"""Whether no installation ever had a line on the page before ours, and we wrote nothing below it yet."""
SILENCE = timedelta(days=30)
"""An installation that wrote nothing for so long may be followed by another without a word."""
RENEWAL = timedelta(days=1)
"""How far from now a line may be, in either direction, before a cycle that writes anyway renews it."""
MOMENT = 1.0
"""Seconds after which a line that was added is read again."""
NAME = 80
_LINE = re.compile(r"rayline-owner:([0-9a-f]{16})(?:\s+(\S+))?(?:\s+(.*))?", re.DOTALL)
_SENTENCE = message("Rayline keeps the boards of this page; please leave this line.")


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A line: the block it stands in and its kind, who is named, when it was last seen (None: cannot be read)."""

    block_id: str
    kind: str
    installation: str
    seen: datetime | None
    name: str

    def is_silent(self, now: datetime) -> bool:
        """Tell whether its installation wrote nothing for so long that it counts as gone."""
        return self.seen is not None and now - self.seen > SILENCE


def look_first(context: Context, order: CycleRequest) -> None:
    """Raise `ConfigError` at the first contact of a state with a page that another installation keeps."""
    with context.reading() as tx:
        is_known = bool(OWN_LINE.load(tx))
    if is_known or order.dry_run:
        return
    marks = _read_marks(context.notion, _root(context))
    with context.reading() as tx:
        own = INSTALLATION.load(tx)
    if marks and marks[0].installation != own:
        _refuse_unless_silent(context, marks[0])


def claim_boards(
    context: Context, notion: BlockWriter, *, take_over: bool = False
) -> tuple[Problem, ...]:
    """Make sure that the boards are this installation's, and return what is to be told of its line.

    Nobody's are taken, and those of an installation that is silent for long; raises `ConfigError` when another keeps
    them, unless they are to be taken over.
    """
    own = _own_id(context)
    root = _root(context)
    marks = _read_marks(notion, root)
    notes: tuple[Problem, ...] = ()
    is_bare = not marks
    if is_bare:
        notes = _tell_missing(context)
        try:
            marks = _add_line(context, notion, own)
        except Denied:
            return ()  # who may add no line may add no row
    first = marks[0]
    if first.installation != own:
        if not (take_over or first.is_silent(context.now())):
            _withdraw(notion, marks, own)
            raise ConfigError([_kept_by_another(context, first)])
        log.warning("boards.taken_over", workspace=context.name, holder=first.name)
        first = _take_line(context, notion, first, own)
    elif first.seen is None or abs(context.now() - first.seen) >= RENEWAL:
        with suppress(Denied):
            _write_line(context, notion, first, own)
    _withdraw(notion, marks[1:], own)
    with context.transaction() as tx:
        before = OWN_LINE.load(tx)
        if before != first.block_id:
            OWN_LINE.save(tx, first.block_id)
        if is_bare and not before:
            UNTOUCHED.save(tx, value=True)
    return notes


def begin_writing(context: Context) -> bool:
    """Tell whether nobody, and no earlier state of ours, has written on these boards; true once, as writing begins."""
    with context.transaction() as tx:
        is_untouched = UNTOUCHED.load(tx)
        if is_untouched:
            UNTOUCHED.save(tx, value=False)
    return is_untouched


def _root(context: Context) -> str:
    return context.settings.notion.root_page_id


def _own_id(context: Context) -> str:
    """Return who this installation is; kept before anything is written under that name."""
    with context.transaction() as tx:
        own = INSTALLATION.load(tx)
        if not own:
            own = secrets.token_hex(8)
            INSTALLATION.save(tx, own)
    return own


def _read_marks(notion: BlockWriter, root: str) -> list[Mark]:
    return list(_marks_in(notion.children(root)))


def _marks_in(blocks: Iterable[Json]) -> Iterator[Mark]:
    """Yield the lines among blocks in the order of the page, whatever kind of block people made of them."""
    for block in blocks:
        if block.get("in_trash") or block.get("archived"):
            continue
        line = _LINE.search(_text_of(block))
        if line:
            name = clean_line(line[3] or "").strip()[:NAME]
            yield Mark(block["id"], block["type"], line[1], _instant(line[2]), name)


def _text_of(block: Json) -> str:
    payload = block.get(block["type"])
    runs = payload.get("rich_text") if isinstance(payload, dict) else None
    if not isinstance(runs, list):
        return ""
    texts = [run.get("plain_text") for run in runs if isinstance(run, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def _instant(text: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _payload(context: Context, own: str) -> Json:
    """Return what the line says: a sentence for people, and what programs read."""
    seen = context.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M+00:00")
    name = f"{context.name}@{socket.gethostname()}"[:NAME]
    sentence = context.words.say(_SENTENCE)
    code = f"rayline-owner:{own} {seen} {name}"
    return {
        "rich_text": [
            _run(f"{sentence} ", {"color": "gray"}),
            _run(code, {"color": "gray", "code": True}),
        ]
    }


def _run(text: str, annotations: Json) -> Json:
    return {"type": "text", "text": {"content": text}, "annotations": annotations}


def _add_line(context: Context, notion: BlockWriter, own: str) -> list[Mark]:
    """Add our line to the page, and return the lines that stand there after a moment."""
    root = _root(context)
    block = {
        "object": "block",
        "type": "paragraph",
        "paragraph": _payload(context, own),
    }
    try:
        added = notion.append_children(root, [block])
    except Unknown:
        log.info("boards.line_unknown", workspace=context.name)
    else:
        _learn_who_we_are(context, added)
    context.pause(MOMENT)
    marks = _read_marks(notion, root)
    if not marks:
        raise Transient(
            "notion",
            f"GET /v1/blocks/{root}/children",
            "the line that names this installation is not shown yet",
        )
    return marks


def _learn_who_we_are(context: Context, added: Iterable[Json]) -> None:
    """Remember whom Notion names as the one who made our blocks: a row of that author is ours, from the first on."""
    makers = (block.get("created_by") for block in added)
    ids = (maker.get("id") for maker in makers if isinstance(maker, dict))
    with context.transaction() as tx:
        add_authors(tx, frozenset(one for one in ids if isinstance(one, str)))


def _take_line(context: Context, notion: BlockWriter, first: Mark, own: str) -> Mark:
    """Write ourselves into the first line, and make sure after a moment that nobody else did so as well."""
    _write_line(context, notion, first, own)
    context.pause(MOMENT)
    standing = next(iter(_read_marks(notion, _root(context))), first)
    if standing.installation != own:
        raise ConfigError([_kept_by_another(context, standing)])
    return standing


def _write_line(context: Context, notion: BlockWriter, mark: Mark, own: str) -> None:
    notion.update_block(mark.block_id, {mark.kind: _payload(context, own)})


def _withdraw(notion: BlockWriter, marks: Iterable[Mark], own: str) -> None:
    """Take further lines of ours away; those of others are theirs to take."""
    for mark in marks:
        if mark.installation == own:
            with suppress(Missing):
                notion.delete_block(mark.block_id)


def _tell_missing(context: Context) -> tuple[Problem, ...]:
    """Return what is told when our line stood on the page before and does no more."""
    with context.reading() as tx:
        if not OWN_LINE.load(tx):
            return ()
    problem = Problem(
        code=Code.OWNER_LINE,
        where=tell("Notion page {page}", page=_root(context)),
        message=tell(
            "the line that names this installation was gone, and was put back"
        ),
        hint=tell("leave it there: it keeps a second installation from these boards"),
        severity=Severity.INFO,
    )
    return (problem,)


def _refuse_unless_silent(context: Context, mark: Mark) -> None:
    if not mark.is_silent(context.now()):
        raise ConfigError([_kept_by_another(context, mark)])


def _kept_by_another(context: Context, mark: Mark) -> Problem:
    seen = f"{mark.seen:%Y-%m-%d %H:%M} UTC" if mark.seen else "?"
    return Problem(
        code=Code.OTHER_INSTALLATION,
        where=tell("Notion page {page}", page=_root(context)),
        field="notion.root_page_id",
        message=tell(
            "another installation keeps these boards: {name} ({installation}), last seen {seen}; nothing more is written",
            name=mark.name or "?",
            installation=mark.installation,
            seen=literal(seen),
        ),
        hint=tell(
            "leave them to it and give this one a page of its own; if its state was lost, restore a copy of it; if it is "
            "gone for good, take its place with `rayline init --take-over`"
        ),
        severity=Severity.ERROR,
    )
