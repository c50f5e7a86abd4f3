"""How the page of the method calls its rules: what a rule finds is kept, what it breaks is left out.

A rule is a pure function of the world and of what earlier rules found; it returns its own findings alone. `Run` adds
them up. A rule that raises adds nothing: those after it get the value that stands for "unknown" beside its call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Concatenate, Generic, ParamSpec, TypeVar

import msgspec
from msgspec.structs import replace

from worker.domain.messages import literal, tell
from worker.errors import Code, Problem, Severity
from worker.method.measures import Condition, Signal
from worker.plan.facts import Fact
from worker.world.memory import Baseline, Ledger, Memory, Occurrence, SeenCells, Track
from worker.world.world import World

Given = ParamSpec("Given")
Value = TypeVar("Value")


class Findings(msgspec.Struct, Generic[Value], frozen=True, gc=False):
    """What one rule found.

    `value` is for the rules and pages after it. What `tracks`, `occurrences` and the rest hold is to be remembered, by key;
    what a rule leaves out stays as it was, but for the tracks that are `forgotten`.
    """

    value: Value
    facts: tuple[Fact, ...] = ()
    conditions: tuple[Condition, ...] = ()
    signals: tuple[Signal, ...] = ()
    problems: tuple[Problem, ...] = ()
    tracks: Mapping[str, Track] = msgspec.field(default_factory=dict)
    forgotten: tuple[str, ...] = ()
    occurrences: Mapping[str, Occurrence] = msgspec.field(default_factory=dict)
    baselines: Mapping[str, Baseline] = msgspec.field(default_factory=dict)
    cells: Mapping[str, SeenCells] = msgspec.field(default_factory=dict)
    ledgers: Mapping[str, Ledger] = msgspec.field(default_factory=dict)


class Run:
    """One evaluation under way: calls rules and adds up what they found."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: list[Fact] = []
        self.conditions: list[Condition] = []
        self.signals: list[Signal] = []
        self.problems: list[Problem] = []
        self.failed: list[str] = []
        self._tracks = dict(world.memory.tracks)
        self.occurrences = dict(world.memory.occurrences)
        self._baselines = dict(world.memory.baselines)
        self._cells = dict(world.memory.cells)
        self._ledgers = dict(world.memory.ledgers)

    def __call__(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        """Call a rule and return its value, or `unknown` when it raises; then none of its findings count."""
        return self._try(partial(rule, self.world, *given, **named), rule, unknown)

    def private(
        self,
        rule: Callable[Concatenate[World, Given], Findings[Value]],
        unknown: Value,
        /,
        *given: Given.args,
        **named: Given.kwargs,
    ) -> Value:
        """Call a rule that reads private rows: what it stumbles over is not quoted."""
        call = partial(rule, self.world, *given, **named)
        return self._try(call, rule, unknown, quotes=False)

    def _try(
        self,
        call: Callable[[], Findings[Value]],
        rule: Callable[..., object],
        unknown: Value,
        *,
        quotes: bool = True,
    ) -> Value:
        try:
            findings = call()
        except Exception as error:  # noqa: BLE001 - one broken rule must not silence the others
            kind = type(error).__name__
            self._fail(rule, f"{kind}: {error}" if quotes else kind)
            return unknown
        self._add(findings)
        return findings.value

    def _fail(self, rule: Callable[..., object], error: str) -> None:
        self.failed.append(rule.__name__)
        self.problems.append(_failure(rule, error))

    def _add(self, findings: Findings[Value]) -> None:
        sources = self.world.sources
        self.facts += (fact for fact in findings.facts if fact.ref.source in sources)
        self.conditions += findings.conditions
        self.signals += findings.signals
        self.problems += findings.problems
        self._tracks.update(findings.tracks)
        for name in findings.forgotten:
            self._tracks.pop(name, None)
        self.occurrences.update(findings.occurrences)
        self._baselines.update(findings.baselines)
        self._cells.update(findings.cells)
        self._ledgers.update(findings.ledgers)

    def memory(self) -> Memory:
        """Return what is to be remembered of this run."""
        return replace(
            self.world.memory,
            tracks=self._tracks,
            occurrences=self.occurrences,
            baselines=self._baselines,
            cells=self._cells,
            ledgers=self._ledgers,
            first_run=False,
        )


def _failure(rule: Callable[..., object], error: str) -> Problem:
    place = f"{rule.__module__.replace('.', '/')}.py"
    return Problem(
        code=Code.RULE_FAILED,
        where=literal(place),
        message=tell("the rule failed: {error}", error=f"{rule.__name__}: {error}"),
        hint=tell("report this; the other rules went on"),
        severity=Severity.ERROR,
    )
