"""Narrowing a cycle: to one client, with its row, its cards and the rows of ours that belong to either; to some rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from rapidfuzz import fuzz, process, utils

from worker.domain.messages import Text, tell
from worker.domain.text import visible
from worker.domain.values import Ref
from worker.errors import Code, ConfigError, Problem, Severity
from worker.plan.facts import Fact
from worker.world.world import World

MOST = 8
"""More names than this are a list nobody reads."""


RULES: Mapping[str, str] = {
    "actions": "actions",
    "answers": "answers",
    "backlog": "backlog",
    "bonuses": "bonuses",
    "calibration": "calibration",
    "care": "care",
    "clients": "clients",
    "evolution": "evolution",
    "farewell": "farewell",
    "feedback": "feedback",
    "finance": "finance",
    "goals": "goals",
    "hiring": "hiring",
    "hours": "hours",
    "hunting": "hunting",
    "ledger": "ledger",
    "lifetime": "lifetime",
    "margins": "margins",
    "notes": "notes",
    "pages": "pages",
    "plans": "plans",
    "progress": "progress",
    "rays": "rays",
    "requests": "requests",
    "resources": "resources",
    "risks": "riskmap",
    "riskmap": "riskmap",
    "services": "services",
    "servicing": "servicing",
    "spells": "spells",
    "takings": "takings",
    "tasks": "tasks",
    "terms": "terms",
}
"""The rules that state facts, by what they may be called."""
ONLY = "rules="


def find_rules(text: str) -> tuple[str, ...]:
    """Return the rules named as `rules=risks,progress`, none for an empty text; raises `ConfigError` for anything else,
    with the nearest name."""
    if not text:
        return ()
    named = text.removeprefix(ONLY)
    names = [name.strip().casefold() for name in named.split(",") if name.strip()]
    unknown = [name for name in names if name not in RULES]
    if named == text or not names:
        hint = tell("name rules: {example}", example="rules=risks,progress")
        raise ConfigError([_bad_rules(text, tell("says no rules"), hint)])
    if unknown:
        near = get_close_matches(unknown[0], RULES, n=1, cutoff=0)[0]
        reason = tell("there is no rule “{name}”", name=unknown[0])
        hint = tell("did you mean {name}?", name=near)
        raise ConfigError([_bad_rules(text, reason, hint)])
    return tuple(sorted({RULES[name] for name in names}))


def _bad_rules(text: str, reason: Text, hint: Text) -> Problem:
    return Problem(
        code=Code.SCOPE,
        where=tell("command line"),
        field=f"--only {text}",
        message=reason,
        hint=hint,
        severity=Severity.ERROR,
    )


def of_rules(facts: Iterable[Fact], rules: Sequence[str]) -> tuple[Fact, ...]:
    """Return the facts that some rules state; no rules: all."""
    return tuple(fact for fact in facts if not rules or fact.why.rule in rules)


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
            "{number} clients are called “{text}”",
            number=len(matches),
            text=visible(text),
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
