"""The rules of the method as they are: which ones a run calls, what each is named in reasons, and one that breaks."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import worker.method
from tests.support.outcomes import whole
from tests.support.worlds import PLAYBOOKS, world
from worker.method import evaluate
from worker.method.run import Findings, Run
from worker.plan.facts import Fact
from worker.world.world import World

Given = ParamSpec("Given")
Value = TypeVar("Value")
METHOD = Path(worker.method.__file__).parent


class WatchedRun(Run):
    """A run that shows each rule before it calls it; `watched` returns the one to call."""

    def watched(
        self, rule: Callable[Concatenate[World, Given], Findings[Value]]
    ) -> Callable[Concatenate[World, Given], Findings[Value]]:
        """Return the rule to call in place of this one: this one unless a subclass says."""
        return rule

    def __call__(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        return super().__call__(self.watched(rule), unknown, *given, **named)

    def private(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        return super().private(self.watched(rule), unknown, *given, **named)


def breaking(name: str, error: Exception) -> type[Run]:
    """Return a kind of run in which the rule of this name raises."""

    class Breaking(WatchedRun):
        def watched(
            self, rule: Callable[Concatenate[World, Given], Findings[Value]]
        ) -> Callable[Concatenate[World, Given], Findings[Value]]:
            return rule if rule.__name__ != name else _broken(rule, error)

    return Breaking


def _broken(
    rule: Callable[Concatenate[World, Given], Findings[Value]], error: Exception
) -> Callable[Concatenate[World, Given], Findings[Value]]:
    @wraps(rule)
    def broken(
        _: World, /, *_given: Given.args, **_named: Given.kwargs
    ) -> Findings[Value]:
        raise error

    return broken


class Call(NamedTuple):
    """One rule as a run called it: where it stands in the code, and the facts it stated."""

    rule: str
    path: Path
    facts: tuple[Fact, ...]


def calls_of(seen: World) -> tuple[Call, ...]:
    """Return the calls of all rules of the method in their order; one that raises is an error."""
    calls: list[Call] = []

    class Noting(WatchedRun):
        def watched(
            self, rule: Callable[Concatenate[World, Given], Findings[Value]]
        ) -> Callable[Concatenate[World, Given], Findings[Value]]:
            return _noted(rule, calls)

    whole(evaluate(seen, PLAYBOOKS, start=Noting))
    return tuple(calls)


def _noted(
    rule: Callable[Concatenate[World, Given], Findings[Value]], calls: list[Call]
) -> Callable[Concatenate[World, Given], Findings[Value]]:
    @wraps(rule)
    def noted(
        seen: World, /, *given: Given.args, **named: Given.kwargs
    ) -> Findings[Value]:
        found = rule(seen, *given, **named)
        path = Path(rule.__code__.co_filename)
        calls.append(Call(rule.__name__, path, found.facts))
        return found

    return noted


def reason_names() -> set[str]:
    """Return the names under which the rules give their reasons (`Why.rule`), as the code of the method holds them."""
    return {name for path in METHOD.rglob("*.py") for name in _named_in(path)}


def rule_names() -> set[str]:
    """Return the name of every rule that a run calls: as in its reasons, else its module's, where it gives none."""
    paths = {call.path for call in calls_of(world())}
    return {name for path in paths for name in _named_in(path) or {path.stem}}


def _named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    constants = dict(_constants(tree.body))
    reasons = (
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Why"
    )
    return set(_texts(reasons, constants))


def _constants(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, str(node.value.value)


def _texts(nodes: Iterable[ast.expr], constants: dict[str, str]) -> Iterator[str]:
    """Yield the texts that nodes stand for: a text, or a constant of the module; one that repeats another is none."""
    for node in nodes:
        if isinstance(node, ast.Constant):
            yield str(node.value)
        elif isinstance(node, ast.Name):
            yield constants[node.id]
