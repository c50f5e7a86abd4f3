"""What one evaluation of the method gave."""

from __future__ import annotations

import msgspec

from worker.errors import Problem
from worker.method.measures import Measures
from worker.plan.facts import Fact, Outdated, PageFact
from worker.world.memory import Memory


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """All that one evaluation gave: facts, what was measured, problems, the memory to keep, page sections, and rows that
    have had their time, the oldest first."""

    facts: tuple[Fact, ...]
    measures: Measures
    memory: Memory
    problems: tuple[Problem, ...] = ()
    sections: tuple[PageFact, ...] = ()
    outdated: tuple[Outdated, ...] = ()
