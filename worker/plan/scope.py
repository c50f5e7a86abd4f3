"""Narrowing a cycle to one client: its row, its cards and the rows of ours that belong to either."""

from __future__ import annotations

from collections.abc import Iterable

from worker.domain.messages import tell
from worker.domain.values import Ref
from worker.errors import Code, ConfigError, Problem, Severity
from worker.plan.facts import Fact
from worker.world.world import World


def find_scope(world: World, text: str) -> Ref:
    """Return the client meant by its name, page id or ref; raises `ConfigError` when none or several fit."""
    wanted = text.casefold().replace("-", "")
    exact = [
        ref
        for ref, client in world.clients.items()
        if wanted
        in (client.name.casefold().replace("-", ""), ref.key.replace("-", ""), str(ref))
    ]
    matches = exact or [
        ref
        for ref, client in world.clients.items()
        if text.casefold() in client.name.casefold()
    ]
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(
        sorted(world.clients[ref].name for ref in matches or world.clients)
    )
    raise ConfigError(
        [
            Problem(
                code=Code.SCOPE,
                where=tell("command line"),
                field="SCOPE",
                message=tell(
                    "{number} clients are called {text}",
                    number=len(matches),
                    text=repr(text),
                ),
                hint=tell("say one of: {names}", names=names),
                severity=Severity.ERROR,
            )
        ]
    )


def in_scope(facts: Iterable[Fact], world: World, client: Ref) -> tuple[Fact, ...]:
    """Return the facts on a client, its cards, and worker rows related to them."""
    mine = {client} | {
        ref for ref, card in world.cards.items() if card.client == client
    }
    facts = tuple(facts)
    related = {
        fact.ref
        for fact in facts
        if isinstance(fact.value, tuple)
        and fact.field in ("client", "project")
        and any(item in mine for item in fact.value)
    }
    related |= {
        row.ref
        for rows in world.rows.values()
        for row in rows
        if row.key
        and any(
            item in mine
            for name in ("client", "project")
            for item in _refs(row.fields.get(name))
        )
    }
    return tuple(fact for fact in facts if fact.ref in mine | related)


def _refs(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
