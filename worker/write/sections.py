"""The worker's own section of a page, brought up to date in place: only blocks that differ are touched.

The page's blocks are read once, when there is something to write. Old and new blocks are matched by what they show;
what is left over is changed in place, appended or removed. Nothing of people outside the two marks is ever touched;
blocks of ours that once landed behind the closing one are removed (`strays`). An append is not safe to repeat: when its
outcome is unknown, the page is left alone until it must have happened, and then read.

A page made for others' eyes shows no marks. There each block stands for itself: ours are those that we made and nobody
changed; what people wrote, into one of them or between them, stays. The first, a callout, keeps its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from functools import partial
from hashlib import blake2b
from typing import TypeVar

import msgspec

from worker.codecs.blocks import (
    encode_block,
    encode_update,
    fit,
    kind_of,
    look_of,
    nested_look,
    picture_name,
    read_nested,
    seen,
)
from worker.codecs.pages import address
from worker.domain import charts, document
from worker.domain.charts import Chart
from worker.domain.document import Block, Mark, Paragraph, Picture, plain
from worker.domain.messages import literal, tell
from worker.domain.values import Ref
from worker.errors import Code, Problem, Rejected, Unknown
from worker.plan.diff import SECTION
from worker.plan.plan import Change
from worker.ports.notion import START, Json
from worker.state import bases
from worker.state.settings import Setting
from worker.state.store import Tx
from worker.write.context import Result, WriteContext
from worker.write.marks import Ends, Span, find_sections
from worker.write.strays import Stretch, find_strays, is_alone, is_by
from worker.write.uploads import NotDrawn

BLOCKS, DOUBT = "§blocks", "§doubt"
_KEPT = (BLOCKS, DOUBT)
MOST, MOST_NESTED, MOST_BYTES = 100, 1_000, 450_000
"""What one request may hold: first-level blocks, blocks of all levels, and bytes with room for what is around them."""
MARKERS = 2
Answer = TypeVar("Answer")
NESTING = ("table", "bulleted_list_item")
PAGES = ("child_page", "child_database")


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of a block of ours: the digest of what it was meant to be and of what Notion showed."""

    meant: str
    shown: str


@dataclass(slots=True)
class SectionWriter:
    """One section being written: the page, what is remembered, picture ids by digest, and the blocks as they stand.

    `standing` holds the ids of the page's blocks: those read, and those put there since. `first` is where a section that
    is not there yet is put: at the end of a row's page, which is people's, and before the list of boards on a place.
    A page that is known to hold no section (`is_bare`) is not read.
    """

    target: WriteContext
    page_id: str
    known: dict[str, Known]
    uploads: dict[str, str] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    placed: dict[str, Known] = field(default_factory=dict)
    standing: set[str] = field(default_factory=set)
    first: str = ""
    is_bare: bool = False

    def is_new(self, raw: Json) -> bool:
        """Tell whether an answered block was not on the page before."""
        return "id" in raw and str(raw["id"]) not in self.standing

    def recall_places(self, section: Sequence[Json]) -> None:
        """Know the blocks of a section by their ids that were remembered by their places, as it came with its row."""
        for place, raw in enumerate(section):
            known = self.known.pop(str(place), None)
            if known is not None:
                self.known[str(raw["id"])] = known

    def place(self, block_id: str, raw: Json, block: Block) -> None:
        """Remember a block as it stands now."""
        self.placed[block_id] = Known(document.digest((block,)), fingerprint(seen(raw)))


def write_section(target: WriteContext, change: Change) -> Result:
    """Make the section of a page hold the change's blocks; raises the API errors."""
    page_id = change.page_id or target.page_of(change.ref)
    if not page_id:
        return Result.SETTLED  # its row was not created; the section comes with the row
    with target.store.reading(target.workspace) as tx:
        written = bases.of_page(tx, page_id)
    digest = document.digest(change.blocks)
    if not change.page_id and written.get(SECTION) == digest:
        return Result.DONE  # it came with the row
    doubt = written.get(DOUBT)
    if isinstance(doubt, datetime) and target.now() - doubt < target.settle_after:
        return Result.UNKNOWN
    with target.store.transaction(target.workspace) as tx:
        bases.attempt(tx, page_id, {SECTION: digest})
        bases.record(
            tx, page_id, {DOUBT: target.now()}
        )  # stays when the process dies in the middle
    is_row = change.ref.source in target.schema.sources
    writer = SectionWriter(
        target,
        page_id,
        _unpack(written.get(BLOCKS)),
        first="" if is_row else START,
        is_bare=target.is_first and is_row and written.keys().isdisjoint(_KEPT),
    )
    blocks = tuple(fit(document.resolve(change.blocks, partial(address_of, target))))
    try:
        undrawn = _write(writer, blocks)
    except Unknown:
        return Result.UNKNOWN
    except Exception:
        with target.store.transaction(target.workspace) as tx:
            bases.record(tx, page_id, {DOUBT: None})
        raise
    with target.store.transaction(target.workspace) as tx:
        bases.record(
            tx, page_id, {SECTION: digest, BLOCKS: pack(writer.placed), DOUBT: None}
        )
        save_pictures(tx, writer)
        if (
            undrawn
        ):  # written, but not what it was meant to be: the next cycle tries again
            bases.attempt(tx, page_id, {SECTION: digest})
    for fault in undrawn:
        is_private = target.schema.is_private(change.ref.source)
        target.warn(tell_undrawn(change, fault, private=is_private))
    return Result.DONE


def _write(writer: SectionWriter, blocks: tuple[Block, ...]) -> tuple[NotDrawn, ...]:
    """Write a section and return the pictures that cannot be drawn, in whose places their words stand.

    Pictures are drawn before anything is written.
    """
    undrawn: list[NotDrawn] = []
    while True:
        try:
            _rewrite(writer, blocks)
        except NotDrawn as fault:
            undrawn.append(fault)
            blocks = tuple(without(block, fault.chart) for block in blocks)
        else:
            return tuple(undrawn)


def without(block: Block, chart: Chart) -> Block:
    """Return a block, or the words of a picture that shows this chart."""
    if isinstance(block, Picture) and block.chart == chart:
        return Paragraph(block.caption or plain(chart.title))
    return block


def tell_undrawn(change: Change, fault: NotDrawn, *, private: bool) -> Problem:
    title = fault.chart.title
    if private:
        title = "…"
    return Problem(
        code=Code.PICTURE_NOT_DRAWN,
        where=literal(change.ref),
        message=tell(
            "the picture “{title}” could not be drawn: {error}",
            title=title,
            error=fault.reason,
        ),
        hint=tell("its words stand in its place; the next run tries again"),
    )


def address_of(target: WriteContext, ref: Ref) -> str:
    """Return where a row can be opened, by its id alone: a title in it would change (docs/facts/notion-api.md 3.13)."""
    page_id = target.page_of(ref)
    if page_id:
        return address(page_id)
    return ""


def _rewrite(writer: SectionWriter, blocks: tuple[Block, ...]) -> None:
    page = () if writer.is_bare else writer.target.notion.children(writer.page_id)
    writer.standing |= {str(raw["id"]) for raw in page}
    wanted = _Wanted(writer, blocks)
    if not isinstance(blocks[0], Mark):
        _rewrite_unmarked(wanted, page)
        return

    spans = _find_spans(wanted, page)
    if spans:
        _rewrite_between(wanted, page, spans)
        return
    left = [raw for raw in page if str(raw["id"]) in writer.known]
    _rewrite_anew(wanted, left)


def _rewrite_between(
    wanted: _Wanted, page: Sequence[Json], spans: Sequence[Span]
) -> None:
    """Bring the section between the first marks up to date, and remove what of ours stands elsewhere."""
    writer = wanted.writer
    (start, end), *surplus = spans
    writer.recall_places(page[start : end + 1])
    steps = tuple(_match(wanted, page[start : end + 1]))
    strays = _find_strays(wanted, page, spans)
    _carry_out(writer, steps)
    for opening, closing in surplus:
        _drop_own(writer, page[opening : closing + 1], author=_author(page[start]))
    for block_id in strays:
        writer.target.notion.delete_block(block_id)


def _rewrite_unmarked(wanted: _Wanted, page: Sequence[Json]) -> None:
    """Bring a page without marks up to date, block by block, whatever people wrote between ours."""
    writer = wanted.writer
    own = _find_own(writer, page)
    cover = kind_of(wanted.blocks[0])
    if not own or own[0].get("type") != cover:
        _rewrite_anew(wanted, own)
        return
    steps = tuple(_match_unmarked(wanted, own))
    _carry_out(writer, steps)


def _carry_out(writer: SectionWriter, steps: Sequence[_Step]) -> None:
    blocks: list[Block] = []
    for step in steps:
        blocks += step.writes
    upload_pictures(writer, blocks)
    for step in steps:
        step.carry_out(writer)


def _find_own(writer: SectionWriter, page: Sequence[Json]) -> list[Json]:
    """Return the blocks that are remembered or that we made, but for those that somebody changed since: they are theirs."""
    own = []
    me: object = None
    for raw in page:
        author = _author(raw)
        if raw.get("type") in PAGES or not is_by(raw, author):
            continue
        is_known = str(raw["id"]) in writer.known
        if not is_known and me is None:
            me = writer.target.notion.me().id
        if is_known or author == me:
            own.append(raw)
    return own


def _rewrite_anew(wanted: _Wanted, own: Iterable[Json]) -> None:
    """Write a section whose ends are not there, and remove what is left of the old one."""
    writer = wanted.writer
    upload_pictures(writer, wanted.blocks)
    _start(writer, wanted.blocks)
    for raw in own:
        _remove_own(writer, raw)


def _remove_own(writer: SectionWriter, raw: Json) -> None:
    """Remove a block, unless somebody changed it or wrote something below it."""
    notion = writer.target.notion
    author = _author(raw)
    if is_by(raw, author) and is_alone(notion, raw, author):
        block_id = str(raw["id"])
        notion.delete_block(block_id)


def _start(writer: SectionWriter, blocks: Sequence[Block]) -> None:
    """Append a new section; both marks come in one request, so that it is never without its end."""
    opening: tuple[Block, ...] = ()
    closing: tuple[Block, ...] = ()
    inner = blocks
    if isinstance(blocks[0], Mark):
        opening = (blocks[0],)
        closing = (blocks[-1],)
        inner = blocks[1:-1]

    first, *others = list(parts_of(writer, inner)) or [()]
    made = _append(writer, (*opening, *first, *closing), after=writer.first)
    last = len(made) - len(closing) - 1
    after = made[last]
    for part in others:
        made = _append(writer, part, after=after)
        after = made[-1]


def _find_strays(
    wanted: _Wanted, page: Sequence[Json], spans: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    """Return the ids of blocks of ours behind the section, where nothing of ours is written."""
    (start, end), *surplus = spans
    inside = {index for first, last in surplus for index in range(first, last + 1)}
    stretch = Stretch(
        tuple(
            None if index in inside else raw
            for index, raw in enumerate(page[end + 1 :], end + 1)
        ),
        _author(page[start]),
    )
    return find_strays(
        wanted.writer.target.notion,
        stretch,
        is_known=lambda raw: wanted.known_of(raw) is not None,
        is_wanted=lambda raw: wanted.alike(raw) is not None and _says_something(raw),
    )


def _says_something(raw: Json) -> bool:
    """Tell a block from a line that anybody could have drawn."""
    return bool(seen(raw) or raw.get("has_children"))


def _find_spans(wanted: _Wanted, page: Sequence[Json]) -> list[Span]:
    """Return where the sections stand, the one we remember first.

    A section that comes twice is an append whose outcome was unknown and which happened after all.
    """
    known = wanted.writer.known
    openings = wanted.ids_of(wanted.meant[0])
    closings = wanted.ids_of(wanted.meant[-1])
    ends = Ends(openings, closings)

    def is_strange(span: Span) -> bool:
        first, last = span
        return known.keys().isdisjoint((page[first]["id"], page[last]["id"]))

    spans = find_sections(page, ends)
    spans.sort(key=is_strange)
    return spans


def _author(raw: Json) -> object:
    return (raw.get("created_by") or {}).get("id")


def _drop_own(
    writer: SectionWriter, section: Sequence[Json], *, author: object
) -> None:
    """Remove a second section, if nobody but the worker has touched it."""
    if all(
        _author(raw) == author and (raw.get("last_edited_by") or {}).get("id") == author
        for raw in section
    ):
        for raw in section:
            writer.target.notion.delete_block(str(raw["id"]))


@dataclass(frozen=True, slots=True)
class _Keep:
    """A block that says already what it should."""

    raw: Json
    block: Block
    writes: tuple[Block, ...] = ()

    def carry_out(self, writer: SectionWriter) -> None:
        """Remember it."""
        writer.place(str(self.raw["id"]), self.raw, self.block)


@dataclass(frozen=True, slots=True)
class _Update:
    """A block changed in place."""

    raw: Json
    block: Block

    @property
    def writes(self) -> tuple[Block, ...]:
        """Return what is written."""
        return (self.block,)

    def carry_out(self, writer: SectionWriter) -> None:
        """Change it."""
        body = encode_update(self.block, writer.uploads)
        answer = _sent(
            writer,
            (self.block,),
            lambda: writer.target.notion.update_block(str(self.raw["id"]), body),
        )
        writer.place(str(self.raw["id"]), answer, self.block)


@dataclass(frozen=True, slots=True)
class _Insert:
    """A run of new blocks after an old one."""

    after: str
    writes: tuple[Block, ...]

    def carry_out(self, writer: SectionWriter) -> None:
        """Append them."""
        after = self.after
        for part in parts_of(writer, self.writes):
            after = _append(writer, part, after=after)[-1]


@dataclass(frozen=True, slots=True)
class _Delete:
    """A block that is not wanted any more."""

    raw: Json
    writes: tuple[Block, ...] = ()

    def carry_out(self, writer: SectionWriter) -> None:
        """Remove it."""
        writer.target.notion.delete_block(str(self.raw["id"]))


@dataclass(frozen=True, slots=True)
class _Drop:
    """A block that is not wanted any more, where nothing tells people that it is ours: what they made of it stays."""

    raw: Json
    writes: tuple[Block, ...] = ()

    def carry_out(self, writer: SectionWriter) -> None:
        """Remove it, unless somebody changed it."""
        _remove_own(writer, self.raw)


_Step = _Keep | _Update | _Insert | _Delete | _Drop


class _Wanted:
    """The blocks a section should hold, found by what they show: `meant` are their digests."""

    def __init__(self, writer: SectionWriter, blocks: Sequence[Block]) -> None:
        self.writer = writer
        self.blocks = blocks
        self.meant = [document.digest((block,)) for block in blocks]
        self._by_look: dict[tuple[str, str], list[tuple[Block, str]]] = {}
        for block, digest in zip(blocks, self.meant, strict=True):
            look = (kind_of(block), look_of(block))
            self._by_look.setdefault(look, []).append((block, digest))

    def known_of(self, raw: Json) -> str | None:
        """Return the digest of what a block was meant to be, if it still shows what it showed."""
        known = self.writer.known.get(str(raw["id"]))
        is_same = known is not None and known.shown == fingerprint(seen(raw))
        if known and is_same:
            return known.meant
        return None

    def alike(self, raw: Json) -> str | None:
        """Return the digest of a wanted block that shows the same; what stands below costs a read."""
        kind = str(raw.get("type"))
        below = ""
        alike = self._by_look.get((kind, seen(raw)), [])
        if alike and raw.get("has_children") and kind in NESTING:
            below = read_nested(
                kind, self.writer.target.notion.children(str(raw["id"]))
            )
        found = (digest for block, digest in alike if nested_look(block) == below)
        return next(found, None)

    def ids_of(self, meant: str) -> frozenset[str]:
        """Return the ids of the blocks that were last meant to be this one."""
        ids = set()
        for block_id, known in self.writer.known.items():
            if known.meant == meant:
                ids.add(block_id)
        return frozenset(ids)

    def key_of(self, raw: Json) -> str:
        """Return the digest of the block of ours that an old one is, or a key of its own."""
        return self.known_of(raw) or self.alike(raw) or f"old:{raw['id']}"


def _match(wanted: _Wanted, old: Sequence[Json]) -> Iterator[_Step]:
    """Yield the steps from old blocks to those wanted, in the page's order; the marks keep their places."""
    opening, *standing, closing = old
    after = str(opening["id"])
    part = slice(1, -1)
    yield from _match_body(wanted, standing, part, after=after, drop=_Delete)
    yield from _mark(wanted, opening, 0)
    yield from _mark(wanted, closing, -1)


def _match_unmarked(wanted: _Wanted, own: Sequence[Json]) -> Iterator[_Step]:
    """Yield the same for a page without marks, of which the first block keeps its place."""
    first, *standing = own
    yield from _mark(wanted, first, 0)
    after = str(first["id"])
    part = slice(1, None)
    yield from _match_body(wanted, standing, part, after=after, drop=_Drop)


def _match_body(
    wanted: _Wanted,
    standing: Sequence[Json],
    part: slice,
    *,
    after: str,
    drop: Callable[[Json], _Step],
) -> Iterator[_Step]:
    """Yield the steps to some of the wanted blocks; `after` is the block before them."""
    blocks = wanted.blocks[part]
    old_keys = [wanted.key_of(raw) for raw in standing]
    new_keys = wanted.meant[part]
    matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
    for name, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        gap = standing[old_start:old_end]
        fresh = blocks[new_start:new_end]
        if name == "equal":
            for raw, block in zip(gap, fresh, strict=True):
                yield _Keep(raw, block)
        else:
            yield from _fill(gap, fresh, after=after, drop=drop)
        if gap:
            after = str(gap[-1]["id"])


def _mark(wanted: _Wanted, raw: Json, place: int) -> Iterator[_Step]:
    """Yield how a mark comes to say what it should: it keeps its place, whatever people wrote below it.

    A box of an earlier release gives way to a line, which its kind cannot become, unless people wrote into it.
    """
    block = wanted.blocks[place]
    is_line = raw.get("type") == kind_of(block)
    is_same = wanted.key_of(raw) == wanted.meant[place]
    is_peoples = raw.get("has_children") and not is_line

    if is_same or is_peoples:
        yield _Keep(raw, block)
    elif is_line:
        yield _Update(raw, block)
    else:
        after = str(raw["id"])
        yield _Insert(after, (block,))
        yield _Delete(raw)


def _fill(
    old: Sequence[Json],
    new: Sequence[Block],
    *,
    after: str,
    drop: Callable[[Json], _Step],
) -> Iterator[_Step]:
    """Turn a gap's old blocks into its new ones: in place where the kinds meet, else by appending and removing.

    Insertions come before removals, since a block can only be placed after one that stands.
    """
    removals: list[_Step] = []
    matcher = SequenceMatcher(
        None,
        [_shape(raw) for raw in old],
        [_shape_of(block) for block in new],
        autojunk=False,
    )
    for name, i1, i2, j1, j2 in matcher.get_opcodes():
        gap = old[i1:i2]
        blocks = tuple(new[j1:j2])
        if name == "equal":
            yield from (
                _Update(raw, block) for raw, block in zip(gap, blocks, strict=True)
            )
        else:
            removals += map(drop, gap)
            if blocks:
                yield _Insert(after, blocks)
        after = str(gap[-1]["id"]) if gap else after
    yield from removals


def _shape(raw: Json) -> str:
    """Return a block's kind; one with children, or a colour that stays, can only be replaced, which no other shape equals."""
    kind = str(raw.get("type"))
    paragraph = raw.get("paragraph") or {}
    color = paragraph.get("color", "default")
    has_more = raw.get("has_children") or kind == "table"
    if has_more or color != "default":
        return f"{kind}:{raw['id']}"
    return kind


def _shape_of(block: Block) -> str:
    if nested_look(block):
        return f"{kind_of(block)}:new"
    return kind_of(block)


def parts_of(
    writer: SectionWriter, blocks: Sequence[Block]
) -> Iterator[tuple[Block, ...]]:
    """Yield blocks in as many as one request may hold, two markers beside them."""
    part: list[Block] = []
    nested = size = 0
    for block in blocks:
        child = encode_block(block, writer.uploads)
        below = _count(child)
        length = len(msgspec.json.encode(child))
        is_full = (
            len(part) == MOST - MARKERS
            or nested + below > MOST_NESTED - MARKERS
            or size + length > MOST_BYTES
        )
        if part and is_full:
            yield tuple(part)
            part = []
            nested = 0
            size = 0
        part.append(block)
        nested = nested + below
        size = size + length
    if part:
        yield tuple(part)


def _count(child: Json) -> int:
    """Return how many blocks a block in request form makes, itself included."""
    payload = child[child["type"]]
    return 1 + sum(_count(one) for one in payload.get("children", ()))


def _append(
    writer: SectionWriter, blocks: Sequence[Block], *, after: str
) -> tuple[str, ...]:
    """Append blocks in one request and return their ids, in order.

    Notion answers more than was sent: the siblings behind the new blocks follow them. An answer that does not begin
    with what was sent leaves the outcome unknown.
    """
    children = [encode_block(block, writer.uploads) for block in blocks]
    answer = _sent(
        writer,
        blocks,
        lambda: writer.target.notion.append_children(
            writer.page_id, children, after=after
        ),
    )
    fresh = [raw for raw in answer if writer.is_new(raw)]
    made = fresh[: len(blocks)]

    if [raw.get("type") for raw in made] != [kind_of(block) for block in blocks]:
        detail = f"the answer does not hold the {len(blocks)} blocks that were sent"
        raise Unknown("notion", "append", detail)

    ids = tuple(str(raw["id"]) for raw in made)
    for block_id, raw, block in zip(ids, made, blocks, strict=True):
        writer.place(block_id, raw, block)
    writer.standing.update(ids)
    return ids


def _sent(
    writer: SectionWriter, blocks: Sequence[Block], call: Callable[[], Answer]
) -> Answer:
    """Return a write's answer; when it was refused, forget the pictures in it: an upload may be gone by now."""
    try:
        return call()
    except Rejected:
        forget_pictures(writer.target, blocks)
        raise


def forget_pictures(target: WriteContext, blocks: Sequence[Block]) -> None:
    """Forget the uploads of the pictures among some blocks, so that they are made again."""
    with target.store.transaction(target.workspace) as tx:
        for chart in charts_of(blocks):
            _upload_of(charts.digest(chart)).save(tx, "")


def save_pictures(tx: Tx, writer: SectionWriter) -> None:
    """Remember the uploads of pictures that are shown somewhere now: those stay."""
    for picture in sorted(writer.fresh):
        _upload_of(picture).save(tx, writer.uploads[picture])


def _upload_of(picture: str) -> Setting[str]:
    """Return where the id of a picture's upload is kept, empty when there is none to use."""
    return Setting(f"picture:{picture}", str, str)


def upload_pictures(writer: SectionWriter, blocks: Sequence[Block]) -> None:
    """Upload the pictures among some blocks that were never uploaded before."""
    for chart in charts_of(blocks):
        name = charts.digest(chart)
        with writer.target.store.reading(writer.target.workspace) as tx:
            stored = _upload_of(name).load(tx)
        if name not in writer.uploads:
            writer.uploads[name] = stored or writer.target.notion.upload(
                picture_name(name), writer.target.draw(chart), content_type="image/png"
            )
            writer.fresh |= set() if stored else {name}


def charts_of(blocks: Sequence[Block]) -> tuple[Chart, ...]:
    return tuple(block.chart for block in blocks if isinstance(block, Picture))


def fingerprint(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def pack(placed: Mapping[str, Known]) -> tuple[str, ...]:
    return tuple(
        f"{block_id}={known.meant}={known.shown}" for block_id, known in placed.items()
    )


def _unpack(value: object) -> dict[str, Known]:
    entries = (
        [str(item).split("=") for item in value] if isinstance(value, tuple) else []
    )
    return {block_id: Known(meant, shown) for block_id, meant, shown in entries}
