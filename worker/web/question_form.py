"""A what-if question as a form and its address have it: numbered fields, read into the rows of one scenario.

`what1=fee&client1=KEY&value1=150000&date1=2027-01-01` is one change; the next has fields numbered 2. The fields are the
columns of `scenarios`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from babel.numbers import NumberFormatError, parse_decimal

from worker.domain.entities import Scenario
from worker.domain.messages import tell
from worker.domain.values import Ref
from worker.method.capacity.staffing import ROLES
from worker.method.whatif.answers import Fault
from worker.method.whatif.questions import KINDS, Part

Pairs = Sequence[tuple[str, str]]
MOST = 12
"""So many changes one question may hold."""
LARGEST = Decimal(10) ** 15
SUBJECTS: Mapping[str, str] = {
    "client": "clients",
    "project": "projects",
    "person": "people",
    "unit": "units",
    "plan": "plans",
}
"""The data source that each field names a row of."""
COLUMNS: Mapping[str, str] = {source: name for name, source in SUBJECTS.items()}
_FIELD = re.compile(rf"(what|role|value|date|{'|'.join(SUBJECTS)})([1-9]\d?)")
_PLAIN = re.compile(r"-?\d+(\.\d+)?")


class Change(msgspec.Struct, frozen=True):
    """One change as it was typed: what stands in its fields, in their order; a field may be named twice."""

    pairs: tuple[tuple[str, str], ...]

    def text(self, field: str) -> str:
        """Return what stands in a field, empty where nothing does."""
        return next((text for name, text in self.pairs if name == field), "")

    @property
    def what(self) -> str:
        """Return what kind of change it is, as it was typed."""
        return self.text("what")

    @property
    def is_new(self) -> bool:
        """Tell whether nobody has filled it in yet."""
        return self.what in KINDS and len(self.pairs) == 1


class Question(msgspec.Struct, frozen=True):
    """The changes of a question; `left_out` are those beyond the most."""

    changes: tuple[Change, ...]
    left_out: int = 0


def read_question(pairs: Pairs) -> Question:
    """Return the question of an address; `add` a kind of change appends one, `drop` a number takes that away."""
    by_number: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for name, text in pairs:
        match = _FIELD.fullmatch(name)
        if match:
            by_number[int(match[2])].append((match[1], text.strip()))
    asked = dict(pairs)
    dropped = asked.get("drop")
    changes: list[Change] = []
    for number in sorted(by_number):
        if str(number) == dropped:
            continue
        fields = tuple(by_number[number])
        change = Change(fields)
        changes.append(change)
    if asked.get("add") in KINDS:
        new = Change((("what", asked["add"]),))
        changes.append(new)
    return Question(tuple(changes[:MOST]), max(0, len(changes) - MOST))


def write_pairs(question: Question, locale: str) -> Iterator[tuple[str, str]]:
    """Yield the shortest address of a question, which means the same in each language.

    What is empty is left out, but for what a change is about: that it is empty is a fault.
    """
    for number, change in enumerate(question.changes, 1):
        for name, text in dict.fromkeys(change.pairs):
            amount = read_amount(text, locale) if name == "value" else None
            if amount is not None:
                text = f"{amount:f}"
            if text or name in SUBJECTS:
                yield f"{name}{number}", text


def read_amount(text: str, locale: str) -> Decimal | None:
    """Return an amount as people of a language type it, or as an address has it; None for what is none."""
    bare = "".join(text.split())
    if _PLAIN.fullmatch(bare):
        amount = Decimal(bare)
    else:
        try:
            amount = parse_decimal(bare, locale=locale, strict=True)
        except NumberFormatError:
            return None
    is_sound = amount.is_finite() and abs(amount) < LARGEST
    return amount if is_sound else None


def read_day(text: str) -> date | None:
    """Return a day as browsers send it; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_row(
    change: Change, number: int, *, name: str, locale: str
) -> tuple[Scenario, tuple[Fault, ...]]:
    """Return the row of a scenario that a change is, and what of it cannot be read."""
    value = read_amount(change.text("value"), locale)
    day = read_day(change.text("date"))
    role = change.text("role")
    row = Scenario(
        Ref("scenarios", f"form-{number}"),
        name,
        what=change.what,
        subjects=tuple(_subjects(change)),
        role=role if role in ROLES else None,
        value=value,
        start=day,
    )
    faults = []
    if change.text("value") and value is None:
        hint = tell("enter digits, such as 150000")
        fault = Fault(row, tell("this is no amount"), hint, Part.VALUE)
        faults.append(fault)
    if change.text("date") and day is None:
        hint = tell("enter it like 2027-01-31")
        fault = Fault(row, tell("this is no day"), hint, Part.DATE)
        faults.append(fault)
    return row, tuple(faults)


def _subjects(change: Change) -> Iterator[Ref]:
    """Yield what a change names, each once."""
    for name, text in dict.fromkeys(change.pairs):
        if text and name in SUBJECTS:
            yield Ref(SUBJECTS[name], text)
