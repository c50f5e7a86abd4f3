"""Which answers help, on the agenda of a quarterly meeting; the arithmetic is `worker.method.hindsight`'s."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from worker.domain.document import Block, Bullet, bold, plain
from worker.domain.messages import message
from worker.method.hindsight.intervals import Share
from worker.method.hindsight.scoring import ENOUGH
from worker.method.hindsight.worth import Worth, find_useless
from worker.pages.calibration import tell_early, tell_share
from worker.pages.view import NONE, View

GROUPS = {"account": message("accounts"), "newbiz": message("newbiz")}


def write_worths(view: View) -> Iterator[Block]:
    """Yield what the answers of the whole firm were worth; nothing before the first one is over."""
    worths = view.measures.worths
    if not worths:
        return
    yield view.heading("Which answers help", 3)
    yield view.paragraph(
        "How often a card moved or a risk was gone within the time of a task, "
        "beside like cases without a task: in the whole firm."
    )
    rows = []
    for worth in _rank(worths):
        row = _row(view, worth)
        rows.append(row)
    header = (
        message("Playbook"),
        message("Clients"),
        message("With a task"),
        message("Without a task"),
    )
    yield view.table(header, rows)
    yield from _useless(view, worths)


def _rank(worths: Iterable[Worth]) -> list[Worth]:
    """Return what can be told first, the most helpful one first; the rest as it was given."""

    def place(worth: Worth) -> tuple[bool, Decimal]:
        early = worth.answered.tries < ENOUGH
        if early:
            return early, Decimal(0)
        return early, -worth.answered.value

    return sorted(worths, key=place)


def _row(view: View, worth: Worth) -> tuple[str, ...]:
    group = NONE
    if worth.group in GROUPS:
        group = view.say(GROUPS[worth.group])
    title = plain(worth.title)
    with_task = _share(view, worth.answered)
    without = _share(view, worth.without)
    return title, group, with_task, without


def _share(view: View, share: Share) -> str:
    if not share.tries:
        return NONE
    if share.tries < ENOUGH:
        return tell_early(view, share.tries)
    return tell_share(view, share)


def _useless(view: View, worths: Iterable[Worth]) -> Iterator[Block]:
    """Name the playbooks that never helped."""
    for worth in find_useless(worths):
        tries = worth.answered.tries
        text = view.say(
            "“{playbook}” helped in none of {n} cases: change it or switch it off "
            "(section {section} of playbooks.toml).",
            playbook=bold(worth.title),
            n=tries,
            section=f"playbooks.{worth.playbook}",
        )
        yield Bullet(text)
