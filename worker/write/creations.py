"""One row created: claimed, sent, recorded, with the claim checked again when the request leaves.

The request may leave long after the claim: the connection's budget, a Retry-After of a quarter of an hour, a process
that was paused. So the claim is looked at right before each attempt, and its time set anew: settling counts from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.codecs.pages import address
from worker.codecs.records import Page
from worker.domain.messages import literal, tell
from worker.domain.values import Ref, Value
from worker.errors import Busy, Code, Problem, Unknown
from worker.mapping.schema import BoundFilter
from worker.plan.plan import Change
from worker.ports.notion import Json, PlanWriter
from worker.state import bases, journal
from worker.state.store import Tx
from worker.state.transitions import Status
from worker.write import turns
from worker.write.bodies import Body
from worker.write.context import Result, WriteContext

Wanted = Mapping[str, Value]


def claim(target: WriteContext, ref: Ref, wanted: Wanted) -> Result | None:
    """Claim a creation; return how the change ended when it is done already, or in doubt, or in other hands."""
    with target.store.transaction(target.workspace) as tx:
        if journal.intend(tx, ref, wanted, claim=target.claim, now=target.now()):
            turns.take(target, tx, ref)
            return None
        return _standing(tx, ref)


def _standing(tx: Tx, ref: Ref) -> Result:
    """Return what a creation is to a run that does not make it now: done by somebody, or not known."""
    intent = journal.find(tx, ref)
    done = intent is not None and intent.status is Status.DONE
    if done:
        return Result.SETTLED
    return Result.UNKNOWN


def send(
    target: WriteContext, ref: Ref, properties: Json, body: Body | None = None
) -> Page:
    """Make a claimed row and return it as answered; the claim stands, for another try or for `give_back`.

    Raises `Unknown` when the row may have been made, also when the answer does not name it; after any other error
    nothing was made.
    """
    binding = target.bindings[ref.source]
    return claimed(target, ref).create_page(
        binding.data_source_id,
        {**properties, **_kind(binding.only)},
        children=body.children() if body else (),
    )


def claimed(target: WriteContext, ref: Ref) -> PlanWriter:
    """Return the port by which a claimed row or page is made: the claim is looked at right before the request leaves."""
    return target.notion.guarded(lambda: _leave(target, ref))


def _kind(only: BoundFilter | None) -> Json:
    """Return what makes a new row one of its part, where a board plays several."""
    if only is None or not only.options:
        return {}
    return {only.property_id: {only.type: {"id": only.options[0]}}}


def give_back(target: WriteContext, ref: Ref) -> None:
    """Record that a claimed row was certainly not made, and what was remembered with it as not taken."""
    with target.store.unguarded().transaction(target.workspace) as tx:
        if journal.fail(tx, ref, claim=target.claim):
            turns.take_back(target, tx, ref)


def _leave(target: WriteContext, ref: Ref) -> None:
    with target.store.transaction(target.workspace) as tx:
        if not journal.send(tx, ref, claim=target.claim, now=target.now()):
            raise Busy(target.workspace, "another run")


def doubt(
    target: WriteContext,
    change: Change,
    unknown: Unknown,
    *,
    wanted: Wanted,
    body: Body | None = None,
) -> Result | Problem:
    """Record an unknown outcome; a saved-but-503 answer names the page, and that is as good as done, but for what
    stands on the page."""
    if unknown.committed_id:
        return finish(target, change, unknown.committed_id, wanted=wanted, body=body)
    with target.store.unguarded().transaction(target.workspace) as tx:
        journal.doubt(tx, change.ref, claim=target.claim, now=target.now())
        return _standing(tx, change.ref)


def finish(
    target: WriteContext,
    change: Change,
    page_id: str,
    *,
    wanted: Wanted,
    cells: Wanted | None = None,
    body: Body | None = None,
) -> Result | Problem:
    """Record that the row was made, with `cells` as the bases of its fields (None: only what was wanted is known), and
    the section that went with it.

    Once the lease is lost the row may be in the next run's hands: only the proof that we made it is recorded, and what
    it was to hold. Returns a problem when another row stands for the key already.
    """

    def prove(note: Callable[[Tx], None], *, guarded: bool) -> str:
        store = target.store.unguarded()
        if guarded:
            store = target.store
        with store.transaction(target.workspace) as tx:
            standing = journal.finish(
                tx, change.ref, page_id, claim=target.claim, now=target.now()
            )
            note(tx)
        return standing

    def record(tx: Tx) -> None:
        if cells is not None:
            bases.record(tx, page_id, cells)
        else:
            bases.note_made(
                tx,
                change.ref,
                page_id,
                wanted=wanted,
                schema=target.schema,
                bindings=target.bindings,
            )
        if body is not None:
            note = body.record
            if cells is None:
                note = body.doubt
            note(tx, page_id)

    def attempt(tx: Tx) -> None:
        bases.attempt(tx, page_id, wanted)

    try:
        standing = prove(record, guarded=True)
    except Busy:
        standing = prove(attempt, guarded=False)
    if standing != page_id:
        return _surplus(change, page_id, standing)
    target.pages.add(change.ref, page_id)
    return Result.DONE


def _surplus(change: Change, page_id: str, standing: str) -> Problem:
    page = standing or tell("the one another run is making")
    return Problem(
        code=Code.SURPLUS_ROW,
        where=literal(change.ref),
        message=tell(
            "“{title}” was made a second time, since this run had been paused: {surplus} beside {page}",
            title=change.title,
            surplus=page_id,
            page=page,
        ),
        hint=tell(
            "the next run puts the second row into the trash, unless somebody has written in it"
        ),
        url=address(page_id),
    )
