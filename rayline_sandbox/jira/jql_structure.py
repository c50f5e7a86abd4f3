"""The tree of a query as `jql/parse` shows it."""

from __future__ import annotations

from rayline_sandbox.jira.jql import (
    Call,
    Clause,
    Condition,
    Empty,
    Literal,
    Logic,
    Many,
    Negation,
    Operand,
    Query,
)
from rayline_sandbox.jira.model import Json


def structure_of(query: Query) -> Json:
    """Return `where` and `orderBy` of a query."""
    structure: Json = {}
    if query.where is not None:
        structure["where"] = _condition(query.where)
    if query.order:
        structure["orderBy"] = {
            "fields": [_order(order.field, order.descending) for order in query.order]
        }
    return structure


def _order(name: str, descending: bool | None) -> Json:
    field = {"field": {"name": name}}
    if descending is None:
        return field
    return {**field, "direction": "desc" if descending else "asc"}


def _condition(condition: Condition) -> Json:
    match condition:
        case Negation(part):
            return {"operator": "not", "clauses": [_condition(part)]}
        case Logic(operator, parts):
            return {
                "operator": operator,
                "clauses": [_condition(part) for part in parts],
            }
        case Clause(name, operator, operand):
            return {
                "field": {"name": name},
                "operator": operator,
                "operand": _operand(operand),
            }


def _operand(operand: Operand) -> Json:
    match operand:
        case Literal(text, _):
            return {"value": text}
        case Call(name, arguments):
            return {"function": name, "arguments": list(arguments)}
        case Many(items):
            return {"values": [_operand(item) for item in items]}
        case Empty():
            return {"keyword": "empty"}
