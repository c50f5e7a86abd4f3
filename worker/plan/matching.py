"""What people decided on counterparts, as changes of the cells in which they would have typed it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from worker.domain.entities import Account, Row
from worker.domain.messages import Text, literal, tell
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem, Severity
from worker.mapping.schema import Property, Schema
from worker.mapping.spreadsheet import Unclear
from worker.plan.facts import Input, Why
from worker.plan.plan import Change, FieldChange, Kind
from worker.world.links import LinkKind, parse_link
from worker.world.proposals import Directory, Gap
from worker.world.world import World

RULE = "match"
UNUSABLE = frozenset({LinkKind.NONE, LinkKind.BAD, LinkKind.FOREIGN})


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What an empty cell is to hold; a row or a user is named by its ref or id."""

    ref: Ref
    field: str
    value: str


def read_decision(gap: Gap, typed: str, world: World, directory: Directory) -> Decision:
    """Return what somebody typed for a gap, who may name a person or a client as people do; raises `Unclear`."""
    match gap.field:
        case "jira":
            value = _link(typed, world)
        case "client":
            clients = world.clients.items()
            value = _one(typed, ((str(ref), one.name) for ref, one in clients))
        case "jira_account":
            value = _somebody(typed, directory.accounts)
        case _:
            value = _somebody(typed, directory.members)
    return Decision(gap.ref, gap.field, value)


def _link(typed: str, world: World) -> str:
    kinds = {link.kind for link in parse_link(typed, world.jira_url).each()}
    if kinds & UNUSABLE:
        raise Unclear(
            tell("“{text}” names no Jira work", text=typed),
            tell("give a project key, an epic key, a filter, a JQL or an address"),
        )
    return typed


def _somebody(typed: str, known: Sequence[Account]) -> str:
    """Return the id of an account; where nobody may be seen, what was typed is one."""
    if not known:
        return typed
    names = [(one.id, one.name) for one in known]
    mails = [(one.id, one.email) for one in known if one.email]
    return _one(typed, [*names, *mails])


def _one(typed: str, names: Iterable[tuple[str, str]]) -> str:
    wanted = _folded(typed)
    meant = {
        value for value, name in names if wanted in (_folded(name), _folded(value))
    }
    if len(meant) == 1:
        return meant.pop()
    reason = tell("nobody is called “{text}” there", text=typed)
    if meant:
        reason = tell("several are called “{text}” there", text=typed)
    raise Unclear(reason, tell("give the exact name, the e-mail or the id"))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def plan_decisions(
    decisions: Iterable[Decision], rows: Mapping[str, Sequence[Row]], schema: Schema
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes that write decisions down, and the decisions that do not fit what stands by now."""
    standing = {row.ref: row for some in rows.values() for row in some}
    changes: dict[Ref, Change] = {}
    faults: list[Problem] = []
    for decision in decisions:
        row = standing.get(decision.ref)
        if row is None or decision.field not in row.fields:
            faults.append(_stale(decision, row, tell("the row cannot be read now")))
            continue
        before = row.fields[decision.field]
        if before not in (None, "", ()):
            reason = tell("somebody has filled it in meanwhile")
            faults.append(_stale(decision, row, reason))
            continue
        prop = schema.sources[decision.ref.source].properties[decision.field]
        why = Why(RULE, (Input("decision", decision.value),))
        cell = FieldChange(prop.name, before, _value(prop, decision.value), why)
        known = changes.get(row.ref)
        fields = known.fields if known else ()
        changes[row.ref] = Change(
            Kind.UPDATE, row.ref, row.page_id, row.title, (*fields, cell)
        )
    return tuple(changes[ref] for ref in sorted(changes)), tuple(faults)


def _value(prop: Property, value: str) -> Value:
    match prop.type:
        case "relation":
            return (Ref.parse(value),)
        case "people":
            return (value,)
    return value


def _stale(decision: Decision, row: Row | None, reason: Text) -> Problem:
    title = row.title if row else str(decision.ref)
    return Problem(
        code=Code.MATCH,
        where=literal(title),
        field=decision.field,
        message=tell("this is not written: {reason}", reason=reason),
        hint=tell("look at `rayline match` again"),
        severity=Severity.ERROR,
    )
