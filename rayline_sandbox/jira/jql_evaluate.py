"""JQL as meaning: a tree becomes a test over issues, a sort and a small set of candidates from the indexes.

Three outcomes that Jira keeps apart (docs/facts/jira-api.md 1.1): text it cannot parse or an operator a field lacks
(`JqlSyntax`, 400 everywhere); a name it does not know (collected in `Plan.unknown`: 200 with zero issues on Cloud,
400 on Data Center); and an unknown user, which `jql/parse` calls a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from rayline_sandbox.jira.jql import (
    Clause,
    Condition,
    Empty,
    JqlSyntax,
    Literal,
    Logic,
    Many,
    Negation,
    Order,
    Query,
    parse,
)
from rayline_sandbox.jira.jql_fields import compile_clause, meaning_of
from rayline_sandbox.jira.jql_operands import FieldMeaning, Sight
from rayline_sandbox.jira.jql_values import UnknownName
from rayline_sandbox.jira.model import Filter, Issue
from rayline_sandbox.jira.store import Store

Test = Callable[[Issue], bool]
_FILTER_DEPTH = 8


@dataclass(slots=True)
class Plan:
    """A compiled query: the test, where to look, how to sort, and which names were not known."""

    test: Test
    candidates: Collection[int] | None
    order: tuple[Order, ...]
    bounded: bool
    unknown: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def compile_query(query: Query, sight: Sight) -> Plan:
    """Return the plan of a query as the calling account sees the site."""
    plan = Plan(lambda _: True, None, query.order, query.where is not None)
    compiler = _Compiler(sight, plan)
    if query.where is not None:
        plan.test = compiler.test(query.where)
        plan.candidates = compiler.candidates(query.where)
    for order in query.order:
        compiler.check_order(order)
    return plan


def find(plan: Plan, sight: Sight) -> list[int]:
    """Return the ids of the issues the index shows, in the plan's order; names not known find nothing."""
    if plan.unknown or plan.warnings:
        return []
    store = sight.store
    pool: Iterable[int] = (
        store.visible() if plan.candidates is None else plan.candidates
    )
    issues = [
        issue
        for issue in _shown(store, pool)
        if store.indexes(issue) and plan.test(issue)
    ]
    return [issue.id for issue in _sorted(issues, plan.order, sight)]


def _shown(store: Store, pool: Iterable[int]) -> Iterable[Issue]:
    if not store.stale:
        return (store.issues[identity] for identity in pool if identity in store.issues)
    every = dict.fromkeys([*pool, *store.stale])
    return (issue for issue in map(store.shown, every) if issue is not None)


def _sorted(issues: list[Issue], order: tuple[Order, ...], sight: Sight) -> list[Issue]:
    if not order:
        return sorted(issues, key=lambda issue: -issue.id)
    for each in reversed(order):
        value = meaning_of(each.field, sight).sort
        assert value is not None
        key = _nulls_last(value)
        issues = sorted(issues, key=key, reverse=bool(each.descending))
    return issues


def _nulls_last(
    value: Callable[[Issue], object],
) -> Callable[[Issue], tuple[bool, object]]:
    def key(issue: Issue) -> tuple[bool, object]:
        found = value(issue)
        if found is None:
            return True, 0
        return False, found

    return key


class _Compiler:
    def __init__(self, sight: Sight, plan: Plan, depth: int = 0) -> None:
        self._sight = sight
        self._plan = plan
        self._depth = depth

    def test(self, condition: Condition) -> Test:
        match condition:
            case Negation(part):
                inner = self.test(part)
                return lambda issue: not inner(issue)
            case Logic("and", parts):
                tests = [self.test(part) for part in parts]
                return lambda issue: all(test(issue) for test in tests)
            case Logic(_, parts):
                tests = [self.test(part) for part in parts]
                return lambda issue: any(test(issue) for test in tests)
            case Clause():
                return self._clause(condition)

    def _clause(self, clause: Clause) -> Test:
        if clause.field.casefold() in ("filter", "savedfilter", "searchrequest"):
            return self._filter(clause)
        try:
            return compile_clause(clause, self._sight)
        except UnknownName as error:
            plan = self._plan
            told = plan.warnings if error.warning else plan.unknown
            told.append(str(error))
            return lambda _: False

    def _saved(self, text: str) -> Filter | None:
        for saved in self._sight.store.filters.values():
            if text == str(saved.id) or text.casefold() == saved.name.casefold():
                return saved
        return None

    def _filter(self, clause: Clause) -> Test:
        if clause.operator not in ("=", "!=") or not isinstance(
            clause.operand, Literal
        ):
            raise JqlSyntax(
                f"The operator '{clause.operator}' is not supported by the 'filter' "
                "field."
            )
        text = clause.operand.text
        saved = self._saved(text)
        if saved is None:
            self._plan.unknown.append(
                f"The value '{text}' does not exist for the field 'filter'."
            )
            return lambda _: False
        if self._depth >= _FILTER_DEPTH:
            raise JqlSyntax(f"The filter '{saved.name}' refers to itself.")
        where = parse(saved.jql).where
        if where is None:
            return lambda _: clause.operator == "="
        nested = _Compiler(self._sight, self._plan, self._depth + 1)
        inner = nested.test(where)
        if clause.operator == "=":
            return inner
        return lambda issue: not inner(issue)

    def candidates(self, condition: Condition) -> Collection[int] | None:
        match condition:
            case Logic("and", parts):
                found = [
                    pool for pool in map(self.candidates, parts) if pool is not None
                ]
                return min(found, key=len) if found else None
            case Clause():
                try:
                    return pool_of(condition, self._sight)
                except UnknownName:
                    return None
            case _:
                return None

    def check_order(self, order: Order) -> None:
        try:
            meaning = meaning_of(order.field, self._sight)
        except UnknownName as error:
            self._plan.unknown.append(str(error))
            return
        if meaning.sort is None:
            raise JqlSyntax(f"Not able to sort using field '{order.field}'.")


def pool_of(clause: Clause, sight: Sight) -> Collection[int] | None:
    """Return ids that hold every issue a clause can match, where an index knows them."""
    meaning: FieldMeaning = meaning_of(clause.field, sight)
    if meaning.pool is None or (
        isinstance(clause.operand, Many) and Empty() in clause.operand.items
    ):
        return None
    return meaning.pool(clause)
