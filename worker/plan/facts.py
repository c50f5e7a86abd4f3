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


class Outdated(msgspec.Struct, frozen=True, gc=False):
    """A rule's opinion that a row of ours has had its time and may be archived."""

    ref: Ref
    why: Why


class PageFact(msgspec.Struct, frozen=True, gc=False):
    """What the worker's own section of a page should hold. `settled`: written once, then it stays as it was.

    One with a `title` is a page that is no row and is made when it is not there; it is for people `outside`, and shows no
    marks. `former` is the row of an earlier release that goes on in its stead as long as it stands.
    """

    ref: Ref
    blocks: tuple[Block, ...]
    why: Why
    settled: bool = False
    title: str = ""
    former: Ref | None = None

    @property
    def outside(self) -> bool:
        """Tell whether it is made for people outside."""
        return bool(self.title)
