"""Asking for a cycle: what the command line, the console, the API and webhooks share.

Only the state is asked: a client is known by the snapshot of the last read. The daemon answers (`worker.daemon`).
"""

from __future__ import annotations

from msgspec.structs import replace

from worker.domain.values import Ref
from worker.plan.scope import find_client
from worker.read.schema import recall_schema
from worker.site import Site
from worker.state import runs, snapshots, triggers
from worker.state.runs import Run
from worker.state.store import Tx
from worker.state.triggers import Asked, Asker, Order, Trigger
from worker.world.normalize import read_pages

CLIENTS = "clients"


def ask_cycle(site: Site, order: Order, asker: Asker) -> Asked:
    """Ask for a cycle, or join a request that waits for the same.

    Raises `ConfigError` when the client is not there by the last read, with the nearest names, and `QueueFull`. Whoever
    asks again and again for what waits already costs a look, no write.
    """
    with site.reading() as tx:
        waiting = triggers.find_same(tx, order, asker)
        if waiting:
            return waiting
        exact = replace(order, scope=_scope(tx, site, order.scope))
        waiting = triggers.find_same(tx, exact, asker)
    if waiting:
        return waiting
    with site.transaction() as tx:
        return triggers.ask(tx, exact, asker, now=site.now())


def find_trigger(site: Site, number: int) -> tuple[Trigger, Run | None] | None:
    """Return a request with the run that answers it, as far as there is one; None when nobody asked."""
    with site.reading() as tx:
        trigger = triggers.get(tx, number)
        run = runs.get(tx, trigger.run_id) if trigger and trigger.run_id else None
    return (trigger, run) if trigger else None


def read_clients(site: Site) -> dict[Ref, str]:
    """Return the clients that the last read showed, by name."""
    with site.reading() as tx:
        return _clients(tx, site)


def _scope(tx: Tx, site: Site, scope: str) -> str:
    """Return a client as it is called, or by its page where several are called so; before the first read any goes."""
    names = _clients(tx, site) if scope else {}
    if not names:
        return scope
    client = find_client(names, scope)
    name = names[client]
    is_only_one = list(names.values()).count(name) == 1
    return name if name and is_only_one else client.key


def _clients(tx: Tx, site: Site) -> dict[Ref, str]:
    pages = snapshots.load_pages(tx, CLIENTS)
    rowset = read_pages(site.schema, recall_schema(tx).whole(), pages)
    return {row.ref: row.title for row in rowset.rows.get(CLIENTS, ())}
