"""One change carried out: intend, call, read back, done. Every step is committed before the next one begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from worker.apply.bench import Bench, Result
from worker.apply.sections import write_section
from worker.domain.values import Ref, Value
from worker.errors import ApiError, Denied, Missing, Rejected, Unknown
from worker.mapping.codecs import encode
from worker.mapping.notion import Page
from worker.mapping.pages import decode_page, properties_by_id, truncated
from worker.mapping.schema import KEY_PROPERTY, Owner
from worker.ports import Json
from worker.state import bases, journal
from worker.state.journal import Status
from worker.sync.plan import Change, Kind


def perform(bench: Bench, change: Change) -> Result:
    """Carry out one change; raises the API errors, and `ValueError` for a value that cannot be written."""
    return _PERFORM[change.kind](bench, change)


def _create(bench: Bench, change: Change) -> Result:
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
    with bench.store.transaction(bench.workspace) as tx:
        if not journal.intend(tx, change.ref, wanted, now=bench.now()):
            standing = journal.find(tx, change.ref)
            return (
                Result.SETTLED
                if standing and standing.status is Status.DONE
                else Result.UNKNOWN
            )
    try:
        page = bench.notion.create_page(binding.data_source_id, properties)
    except Unknown as unknown:
        return _doubt(bench, change.ref, unknown, wanted)
    except ApiError:
        with bench.store.transaction(bench.workspace) as tx:
            journal.fail(tx, change.ref)
        raise
    cells = _answered(bench, change, page, everything=True)
    with bench.store.transaction(bench.workspace) as tx:
        journal.finish(tx, change.ref, page.id, now=bench.now())
        bases.record(tx, page.id, cells)
    bench.pages.add(change.ref, page.id)
    return Result.DONE


def _doubt(
    bench: Bench, ref: Ref, unknown: Unknown, wanted: Mapping[str, Value]
) -> Result:
    """Record an unknown outcome; a saved-but-503 answer names the page, and that is as good as done."""
    with bench.store.transaction(bench.workspace) as tx:
        if not unknown.committed_id:
            journal.doubt(tx, ref, now=bench.now())
            return Result.UNKNOWN
        journal.finish(tx, ref, unknown.committed_id, now=bench.now())
        bases.attempt(tx, unknown.committed_id, wanted)
    bench.pages.add(ref, unknown.committed_id)
    return Result.DONE


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


def _archive(bench: Bench, change: Change) -> Result:
    result = Result.DONE
    try:
        bench.notion.archive_page(change.page_id)
    except Missing:
        result = Result.SETTLED
    with bench.store.transaction(bench.workspace) as tx:
        bases.forget(tx, [change.page_id])
    return result


_PERFORM: Mapping[Kind, Callable[[Bench, Change], Result]] = {
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
