"""What the rules want a field to be, with the reason."""

from __future__ import annotations

import msgspec

from worker.domain.document import Block
from worker.domain.values import Ref, Unset, Value


class Input(msgspec.Struct, frozen=True, gc=False):
    """One figure a rule used: its name, its value as shown, and where a person can open it."""

    name: str
    value: str
    url: str = ""


class Why(msgspec.Struct, frozen=True, gc=False):
    """The reason of a fact: the rule's name, its inputs, the formula in words, and the threshold that decided."""

    rule: str
    inputs: tuple[Input, ...] = ()
    formula: str = ""
    threshold: str = ""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """A rule's opinion on one field of one row. A ref that has no row yet asks for its creation."""

    ref: Ref
    field: str
    value: Value | Unset
    why: Why


class PageFact(msgspec.Struct, frozen=True, gc=False):
    """What the worker's own section of a page should hold. `settled`: written once, then it stays as it was."""

    ref: Ref
    blocks: tuple[Block, ...]
    why: Why
    settled: bool = False
