"""One change carried out: intend, call, read back, done. Every step is committed before the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.apply import creations, surplus
from worker.apply.bench import Bench, Result
from worker.apply.sections import write_section
from worker.domain.values import Value
from worker.errors import Denied, Missing, Problem, Rejected, Unknown
from worker.mapping.codecs import encode
from worker.mapping.notion import Page
from worker.mapping.pages import decode_page, properties_by_id, truncated
from worker.mapping.schema import KEY_PROPERTY, Owner
from worker.ports import Json
from worker.state import bases, journal
from worker.sync.plan import Change, Kind


def perform(bench: Bench, change: Change) -> Result | Problem:
    """Carry out one change and return how it ended, a problem when it did not do what it should.

    Raises the API errors, `Busy` and `Stopped` as `Bench` says, and `ValueError` for a value that cannot be written."""
    return _PERFORM[change.kind](bench, change)


def _create(bench: Bench, change: Change) -> Result | Problem:
    binding = bench.bindings[change.ref.source]
    properties = _properties(bench, change) | {
        binding.properties[KEY_PROPERTY]: encode(
            bench.schema.sources[change.ref.source].properties[KEY_PROPERTY],
            change.ref.key,
            binding,
            bench.page_of,
        )
    }
    wanted = {item.field: item.after for item in change.fields}
    if (ended := creations.claim(bench, change.ref, wanted)) is not None:
        return ended
    try:
        page = creations.call(bench, change.ref, properties)
    except Unknown as unknown:
        return creations.doubt(bench, change, unknown, wanted=wanted)
    cells = _answered(bench, change, page, everything=True)
    return creations.finish(bench, change, page.id, wanted=wanted, cells=cells)


def _update(bench: Bench, change: Change) -> Result:
    page_id = change.page_id or bench.pages.by_ref.get(change.ref)
    if page_id is None:
        raise ValueError(f"{change.ref} has no page yet")
    properties = _properties(bench, change)
    wanted = {item.field: item.after for item in change.fields}
    with bench.store.transaction(bench.workspace) as tx:
        bases.attempt(tx, page_id, wanted)
    try:
        page = bench.notion.update_page(page_id, properties)
    except (
        Rejected,
        Missing,
        Denied,
    ):  # any other failure may have happened, so that the attempt stands as ours
        with bench.store.transaction(bench.workspace) as tx:
            bases.withdraw(tx, page_id, wanted)
        raise
    cells = _answered(bench, change, page, everything=False)
    with bench.store.transaction(bench.workspace) as tx:
        bases.record(tx, page_id, cells)
    return Result.DONE


def _archive(bench: Bench, change: Change) -> Result | Problem:
    """Put a surplus row into the trash, unless people have written in it since it was read: then it is theirs."""
    try:
        if surplus.is_written_in(bench, change):
            with bench.store.transaction(bench.workspace) as tx:
                journal.disown(tx, change.page_id)
            return surplus.tell_kept(change)
        bench.notion.archive_page(change.page_id)
        result = Result.DONE
    except Missing:
        result = Result.SETTLED
    with bench.store.transaction(bench.workspace) as tx:
        bases.forget(tx, [change.page_id])
    return result


_PERFORM: Mapping[Kind, Callable[[Bench, Change], Result | Problem]] = {
    Kind.CREATE: _create,
    Kind.UPDATE: _update,
    Kind.SECTION: write_section,
    Kind.ARCHIVE: _archive,
}


def _properties(bench: Bench, change: Change) -> Json:
    """Return the request's properties, by property id."""
    source, binding = (
        bench.schema.sources[change.ref.source],
        bench.bindings[change.ref.source],
    )
    return {
        binding.properties[item.field]: encode(
            source.properties[item.field], item.after, binding, bench.page_of
        )
        for item in change.fields
    }


def _answered(
    bench: Bench, change: Change, page: Page, *, everything: bool
) -> dict[str, Value]:
    """Return the bases an answer gives: the changed fields, or all of ours after a creation.

    What the answer does not show whole (over 25 references, unreadable) is taken as sent.
    """
    source, binding = (
        bench.schema.sources[change.ref.source],
        bench.bindings[change.ref.source],
    )
    sent = {item.field: item.after for item in change.fields}
    row, _ = decode_page(page, source, binding, bench.pages.index)
    cut = {property_id for _, property_id in truncated(page, source, binding)}
    present = properties_by_id(page).keys() - cut
    shown = {
        name: value
        for name, value in row.fields.items()
        if binding.properties[name] in present
    }
    names = sent.keys() | {
        name
        for name in shown
        if everything and _is_ours(source.properties[name].owner, name)
    }
    return {name: shown.get(name, sent.get(name)) for name in sorted(names)}


def _is_ours(owner: Owner, name: str) -> bool:
    return owner in (Owner.WORKER, Owner.SHARED) and name != KEY_PROPERTY
