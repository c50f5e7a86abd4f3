"""One change carried out: intend, call, read back, done. Every step is committed before the next one begins.

A field that Notion refuses, or whose value cannot be written, is left out and told; the rest of its row is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.codecs.notion import encode
from worker.codecs.records import Page
from worker.errors import ApiError, Missing, Problem, RaylineError, Rejected, Unknown
from worker.mapping.schema import KEY_PROPERTY
from worker.plan.plan import Change, Kind
from worker.ports.notion import Json
from worker.state import journal
from worker.world.world import PLACES
from worker.write import creations, outdated, places, surplus
from worker.write.bodies import Body, compose
from worker.write.cells import encode_cells, note_refused, part_of, read_answer
from worker.write.context import Result, WriteContext
from worker.write.refusals import Cells, is_refusal, name_refused
from worker.write.sections import write_section
from worker.write.updates import update, write_cells


def perform(target: WriteContext, change: Change) -> Result | Problem:
    """Carry out one change and return how it ended, a problem when it did not do what it should.

    Raises the API errors, `Busy` and `Stopped` as `WriteContext` says, and `ValueError` for a row of which nothing can be
    written."""
    return _PERFORM[change.kind](target, change)


def _create(target: WriteContext, change: Change) -> Result | Problem:
    if change.ref.source == PLACES:
        return places.create(target, change)
    cells = encode_cells(target, change)
    wanted = {item.field: item.after for item in change.fields}
    body = compose(target, target.bodies.get(change.ref))
    if (ended := creations.claim(target, change.ref, wanted)) is not None:
        return ended
    refused: dict[str, ApiError] = {}
    try:
        page, sent, body = _send_new(target, change, cells, refused, body)
    except Unknown as unknown:
        return creations.doubt(target, change, unknown, wanted=wanted, body=body)
    except RaylineError:
        creations.give_back(target, change.ref)
        raise
    answered = read_answer(target, part_of(change, sent), page, everything=True)
    made = creations.finish(
        target, change, page.id, wanted=wanted, cells=answered, body=body
    )
    if made is not Result.DONE:
        return made
    if body is not None:
        body.tell()
    rest = {
        name: cell
        for name, cell in cells.items()
        if name not in sent and name not in refused
    }
    if rest:
        refused |= write_cells(target, change, page.id, rest)
    note_refused(target, change, page.id, refused)
    return Result.DONE


def _send_new(
    target: WriteContext,
    change: Change,
    cells: Cells,
    refused: dict[str, ApiError],
    body: Body | None,
) -> tuple[Page, frozenset[str], Body | None]:
    """Create the row and return it with the fields and the section it was made with; fields refused by name are added
    to `refused`.

    Where Notion does not say what it refuses, the row is made without its section, and if need be with its title alone;
    the rest is the caller's.
    """
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]
    key = _key_cell(target, change)
    left = dict(cells)
    while True:
        properties = {binding.properties[name]: cell for name, cell in left.items()}
        properties |= key
        try:
            page = creations.send(target, change.ref, properties, body)
        except ApiError as error:
            title = {
                name: cell
                for name, cell in left.items()
                if source.properties[name].type == "title"
            }
            culprit = name_refused(error, left, source=source, binding=binding)
            if body and not culprit and isinstance(error, Missing | Rejected):
                body.give_up()
                body = None
                continue
            if not is_refusal(error) or not (culprit or left != title):
                raise
            if culprit:
                refused[culprit] = error
                del left[culprit]
            else:
                left = title
            continue
        return page, frozenset(left), body


def _key_cell(target: WriteContext, change: Change) -> Json:
    """Return the cell by which a row of ours is known; a row that is brought in for people has none."""
    source = target.schema.sources[change.ref.source]
    binding = target.bindings[change.ref.source]
    if not source.has_key(change.ref.key):
        return {}
    prop = source.properties[KEY_PROPERTY]
    key = encode(prop, change.ref.key, binding, target.page_of)
    return {binding.properties[KEY_PROPERTY]: key}


def _archive(target: WriteContext, change: Change) -> Result | Problem:
    """Put a row of ours into the trash, unless people have written in it since it was read: then it is theirs. One that
    has had its time is archived (`worker.write.outdated`).

    What we wrote into it stays known: a page that is not found may only be out of reach, and one that is taken out of
    the trash again shows our values, not a person's.
    """
    if change.why is not None:
        return outdated.put_away(target, change)
    try:
        is_place = change.ref.source == PLACES
        is_written_in = places.is_written_in if is_place else surplus.is_written_in
        if is_written_in(target, change):
            if change.surplus:
                with target.store.transaction(target.workspace) as tx:
                    journal.disown(tx, change.page_id)
            return surplus.tell_kept(change)
        target.notion.archive_page(change.page_id)
    except Missing:
        return Result.SETTLED
    return Result.DONE


_PERFORM: Mapping[Kind, Callable[[WriteContext, Change], Result | Problem]] = {
    Kind.CREATE: _create,
    Kind.UPDATE: update,
    Kind.SECTION: write_section,
    Kind.ARCHIVE: _archive,
}
