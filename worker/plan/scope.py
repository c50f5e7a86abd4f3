"""Narrowing a cycle to one client: its row, its cards and the rows of ours that belong to either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process, utils

from worker.domain.messages import tell
from worker.domain.values import Ref
from worker.errors import Code, ConfigError, Problem, Severity
from worker.plan.facts import Fact
from worker.world.world import World

MOST = 8
"""More names than this are a list nobody reads."""


def find_scope(world: World, text: str) -> Ref:
    """Return the client meant by its name, page id or ref; raises `ConfigError` when none or several fit."""
    return find_client({ref: one.name for ref, one in world.clients.items()}, text)


def find_client(names: Mapping[Ref, str], text: str) -> Ref:
    """Return the client meant by its name, page id or ref; raises `ConfigError` when none or several fit, with the
    names that come nearest."""
    wanted = text.casefold().replace("-", "")
    exact = [
        ref
        for ref, name in names.items()
        if wanted
        in (name.casefold().replace("-", ""), ref.key.replace("-", ""), str(ref))
    ]
    matches = exact or [
        ref for ref, name in names.items() if text.casefold() in name.casefold()
    ]
    if len(matches) == 1:
        return matches[0]
    raise ConfigError([_unclear(names, matches, text)])


def _unclear(names: Mapping[Ref, str], matches: list[Ref], text: str) -> Problem:
    meant = sorted(names[ref] for ref in matches) or _nearest(text, names.values())
    return Problem(
        code=Code.SCOPE,
        where=tell("command line"),
        field="SCOPE",
        message=tell(
            "{number} clients are called {text}", number=len(matches), text=repr(text)
        ),
        hint=tell("say one of: {names}", names=", ".join(meant[:MOST])),
        severity=Severity.ERROR,
    )


def _nearest(text: str, names: Iterable[str]) -> list[str]:
    """Return the names, the most alike first."""
    ranked = process.extract(
        text, sorted(names), scorer=fuzz.WRatio, processor=utils.default_process
    )
    return [name for name, _, _ in ranked]


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
