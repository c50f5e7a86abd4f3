"""The safeguards of the writing taken away by name, one by one and in pairs, each with the tests that must notice.

`make mutants ARGS="--breakages"` tries them all; tests/test_mutants.py looks that each still fits the code.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SQLITE = "not postgresql"


class Edit(NamedTuple):
    """A text that stands once in a file, and what to put in its place."""

    file: str
    old: str
    new: str


class Breakage(NamedTuple):
    """A safeguard gone: what is changed, and pytest's arguments of the tests that must fail."""

    name: str
    edits: tuple[Edit, ...]
    guard: tuple[str, ...]


def break_source(breakage: Breakage, root: Path) -> dict[str, str]:
    """Return the changed files by name; raises `ValueError` for an edit that does not fit."""
    texts: dict[str, str] = {}
    for edit in breakage.edits:
        text = texts.get(edit.file) or (root / edit.file).read_text("utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(f"{breakage.name}: {edit.file} has not once: {edit.old!r}")
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


_SETTLE_TIME = Edit(
    "worker/write/settle.py",
    "before = now - timedelta(seconds=site.settings.notion.settle)",
    "before = now",
)
_FENCE = Edit(
    "worker/state/leases.py",
    '''for a good part of the lease's time."""
''',
    '''for a good part of the lease's time."""
        return
''',
)
_CLAIM_AT_SENDING = Edit(
    "worker/write/creations.py",
    "return target.notion.guarded(lambda: _leave(target, ref))",
    "return target.notion",
)
_CLAIM = """    if (ended := creations.claim(target, change.ref, wanted)) is not None:
        return ended
"""
_ANSWERED = (
    "    answered = read_answer(target, part_of(change, sent), page, everything=True)\n"
)

_APPLY = "tests/write/test_apply.py"
_EDITS = "tests/write/test_edits.py"
_PAUSED = "tests/write/test_paused.py"

BREAKAGES = (
    Breakage(
        "the settle time is removed",
        (_SETTLE_TIME,),
        (f"{_APPLY}::test_a_creation_that_commits_late_is_not_made_twice",),
    ),
    Breakage(
        "the settle time counts from the claim",
        (
            Edit(
                "worker/state/journal.py",
                "return _take(tx, ref, Step.SEND, claim, sent_at=to_micros(now))",
                "return _take(tx, ref, Step.SEND, claim)",
            ),
        ),
        (
            f"{_PAUSED}::test_a_claim_whose_request_left_late_is_not_looked_up_before_its_time",
        ),
    ),
    Breakage(
        "the intent is noted after the call",
        (
            Edit("worker/write/changes.py", _CLAIM, ""),
            Edit("worker/write/changes.py", _ANSWERED, _CLAIM + _ANSWERED),
            _CLAIM_AT_SENDING,
        ),
        ("tests/write/test_traces.py", "-k", "through_faults"),
    ),
    Breakage(
        "the base of a new row is what was sent",
        (
            Edit(
                "worker/write/changes.py",
                "wanted=wanted, cells=answered, body=body",
                "wanted=wanted, cells=wanted, body=body",
            ),
        ),
        (f"{_EDITS}::test_the_base_of_a_cell_of_ours_is_what_the_answer_shows",),
    ),
    Breakage(
        "the base of an update is what was sent",
        (
            Edit(
                "worker/write/updates.py",
                "bases.record(tx, page_id, answered)",
                "bases.record(tx, page_id, wanted)",
            ),
        ),
        (f"{_EDITS}::test_the_base_of_a_cell_of_ours_is_what_the_answer_shows",),
    ),
    Breakage(
        "a census that is not whole counts",
        (
            Edit(
                "worker/read/tracker.py",
                "    if not census.complete:\n",
                "    if False:\n",
            ),
        ),
        ("tests/read/test_broken_reads.py",),
    ),
    Breakage(
        "rows are archived after a read that is not whole",
        (
            Edit(
                "worker/plan/limits.py",
                "        if source in incomplete:\n",
                "        if False:\n",
            ),
        ),
        ("tests/plan/test_limits.py",),
    ),
    Breakage(
        "a row is archived without the journal's proof",
        (
            Edit(
                "worker/plan/diff.py",
                "        copy.page_id in made\n        and copy.ref",
                "        copy.ref",
            ),
        ),
        (f"{_PAUSED}::test_a_surplus_row_that_the_journal_does_not_prove_ours_stays",),
    ),
    Breakage(
        "a creation is sent again",
        (
            Edit(
                "worker/notion/gateway.py",
                """            safe=False,
            body=body | ({"children\"""",
                """            safe=True,
            body=body | ({"children\"""",
            ),
        ),
        ("tests/notion/test_gateway_writing.py", "-k", "unknown_is_not_sent_again"),
    ),
    Breakage(
        "the fence is asked only before the wait",
        (
            Edit(
                "worker/notion/gateway.py",
                "        gateway._checks = (*self._checks, check)\n",
                "        check()\n        gateway._checks = self._checks\n",
            ),
        ),
        (f"{_PAUSED}::test_a_wait_in_which_another_took_over_ends_without_a_request",),
    ),
    Breakage(
        "a shared cell is not read again before it is written",
        (Edit("worker/write/edits.py", "    if not theirs:\n", "    if True:\n"),),
        (f"{_EDITS}::test_what_a_person_types_while_a_request_has_to_wait_stands",),
    ),
    Breakage(
        "memory is saved at the end",
        (
            Edit(
                "worker/write/turns.py",
                "    if ref in target.pending.turns:\n        now =",
                "    if False:\n        now =",
            ),
        ),
        ("tests/write/test_turns.py",),
    ),
    Breakage(
        "a step not taken stays remembered",
        (
            Edit(
                "worker/write/turns.py",
                "    if ref in target.pending.turns:\n        turn =",
                "    if False:\n        turn =",
            ),
        ),
        ("tests/write/test_turns.py",),
    ),
    Breakage(
        "neither the lease nor the claim is asked when a request leaves",
        (_FENCE, _CLAIM_AT_SENDING),
        (f"{_PAUSED}::test_a_wait_in_which_another_took_over_ends_without_a_request",),
    ),
    Breakage(
        "neither the settle time nor the row as it was read is regarded",
        (
            _SETTLE_TIME,
            Edit(
                "worker/state/journal.py",
                'step, "", unmoved, page_id=page_id)',
                'step, "", page_id=page_id)',
            ),
        ),
        (f"{_APPLY}::test_a_creation_that_commits_late_is_not_made_twice",),
    ),
)
