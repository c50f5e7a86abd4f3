"""The pages of the day and of the week for chat or mail: the page's own text, without markup, cut to what a chat takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from worker.alerts.ledger import Change, Ledger, Level, Note
from worker.alerts.wording import LONGEST
from worker.app.targets import Target
from worker.codecs.pages import address
from worker.cycle.context import Context
from worker.cycle.planning import recall
from worker.daemon.job_log import JobLog
from worker.domain.document import (
    Block,
    Bullet,
    Callout,
    Divider,
    Heading,
    Picture,
    Table,
    ToDo,
    shown,
)
from worker.domain.periods import local_day, monday_of
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.pages.view import View, look
from worker.plan.facts import Fact
from worker.state import journal

MEETINGS = "meetings"


class Sheet(msgspec.Struct, frozen=True, gc=False):
    """One page to send: whose it is, what it is called, its text, and its address (empty when it has none yet)."""

    unit: str
    title: str
    body: str
    url: str = ""


def find_due(context: Context, ledger: Ledger, kinds: Iterable[str]) -> dict[str, date]:
    """Return the kinds of pages that are written for their local date and were not sent for it, with that date."""
    zone = ZoneInfo(context.settings.time_zone)
    today = local_day(context.now(), zone)
    jobs = JobLog(context.store, context.name)
    due = {}
    for kind in kinds:
        is_written = jobs.last_date(kind) == today
        sent_for = ledger.pages.get(kind)
        if is_written and sent_for != today.isoformat():
            due[kind] = today
    return due


def read_sheets(context: Context, kind: str, today: date) -> tuple[Sheet, ...]:
    """Return the pages of a kind, one for each unit, worked out from what was read last; asks the state alone."""
    if context.schema.is_private(MEETINGS):
        return ()
    drawn = recall(context)
    view = look(drawn.world, drawn.outcome)
    with context.reading() as tx:
        pages = journal.canonical_pages(tx)
    names = _names(drawn.outcome.facts)
    sections = {section.ref: section for section in drawn.outcome.sections}
    day = monday_of(today) if kind == "monday" else today
    sheets = []
    for unit in view.world.units:
        ref = Ref(MEETINGS, f"meeting:{kind}:{unit.key}:{day.isoformat()}")
        section = sections.get(ref)
        if section is None:
            continue
        url = _address(view, ref, pages)
        name = view.unit_name(unit)
        body = write_text(section.blocks, url, view.words)
        sheet = Sheet(name, names.get(ref, name), body, url)
        sheets.append(sheet)
    return tuple(sheets)


def _names(facts: Iterable[Fact]) -> dict[Ref, str]:
    """Return what pages are called."""
    names = {}
    for fact in facts:
        if fact.ref.source == MEETINGS and fact.field == "name":
            names[fact.ref] = str(fact.value)
    return names


def _address(view: View, ref: Ref, pages: Mapping[Ref, str]) -> str:
    """Return where a page is: as it was read, or by its id where it was made just now; empty where neither is known."""
    row = view.rows.get(ref)
    if row is not None and row.url:
        return row.url
    page_id = pages.get(ref, "")
    return address(page_id) if page_id else ""


def write_notes(
    sheets: Iterable[Sheet], targets: Sequence[Target], context: Context
) -> Iterator[Note]:
    """Yield a note for each page that somebody wants."""
    now = context.now()
    for sheet in sheets:
        left = []
        for target in targets:
            if target.gets(sheet.unit):
                left.append(target.name)
        if left:
            yield Note(
                number=0,
                change=Change.PAGE,
                level=Level.INFO,
                what=sheet.title,
                at=now,
                url=sheet.url,
                body=sheet.body,
                left=tuple(left),
                due=now,
            )


def write_text(blocks: Iterable[Block], url: str, words: Words) -> str:
    """Return blocks as plain text that a chat takes whole, with the page's address at its end."""
    lines = list(_lines(blocks))
    room = LONGEST - len(url) - 100
    kept = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if len(kept) < len(lines):
        kept.append(words.say("… the rest is on the page"))
    if url:
        kept.append(url)
    return "\n".join(kept)


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Heading(text):
                yield ""
                yield shown(text)
            case Bullet():
                yield from _bullets(block, "")
            case ToDo(text, checked):
                yield f"{'☑' if checked else '☐'} {shown(text)}"
            case Callout(text, icon):
                yield f"{icon} {shown(text)}"
            case Table(header, rows):
                for cells in (header, *rows):
                    yield " · ".join(shown(cell) for cell in cells)
            case Picture() | Divider():
                continue
            case _:
                yield shown(block.text)


def _bullets(bullet: Bullet, indent: str) -> Iterator[str]:
    yield f"{indent}• {shown(bullet.text)}"
    for child in bullet.children:
        yield from _bullets(child, f"{indent}  ")
