"""How the hours of people are shared over units, from the cell in which people say it: `North 60 %, South 40 %`.

A cell that cannot be taken as a whole counts as empty and is told, with what it should look like.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec.structs import replace

from worker.domain.entities import Person, Row, Unit
from worker.domain.messages import Text, tell
from worker.domain.values import Ref, text_of
from worker.errors import Code, Problem

PART = re.compile(
    r"\s*(?P<unit>[^,;%\n]+?)\s*[\s:=–—-]\s*(?P<share>\d{1,3}(?:[.,]\d{1,2})?)\s*%\s*(?:[,;\n]|$)"
)
WHOLE = Decimal(100)

Shares = tuple[tuple[Ref, Decimal], ...]


def allocate(
    people: Mapping[Ref, Person], rows: Iterable[Row], units: Mapping[Ref, Unit]
) -> tuple[dict[Ref, Person], list[Problem]]:
    """Return the people with their allocations, and a problem for each cell that cannot be read."""
    shared = dict(people)
    problems: list[Problem] = []
    by_name: dict[str, list[Ref]] = {}
    for unit in units.values():
        by_name.setdefault(_plain(unit.name), []).append(unit.ref)
    for row in rows:
        text = text_of(row.fields.get("allocation"))
        person = people.get(row.ref)
        if person is None or not text or not text.strip():
            continue
        outcome = _read(text, by_name)
        if isinstance(outcome, Text):
            problems.append(_problem(person, outcome))
        else:
            shared[row.ref] = replace(person, allocation=outcome)
    return shared, problems


def _read(text: str, by_name: Mapping[str, list[Ref]]) -> Shares | Text:
    """Return the shares a cell tells, the largest first, or what is wrong with it."""
    parts = parse_shares(text)
    if parts is None:
        return tell("cannot read “{text}”", text=text.strip()[:60])
    for name, _ in parts:
        same = by_name.get(_plain(name), ())
        if not same:
            return tell("there is no unit “{name}”", name=name)
        if len(same) > 1:
            return tell("{count} units are named “{name}”", count=len(same), name=name)
    shares: dict[Ref, Decimal] = defaultdict(Decimal)
    for name, share in parts:
        (unit,) = by_name[_plain(name)]
        shares[unit] += share
    total = sum((share for _, share in parts), Decimal(0))
    if total > WHOLE:
        return tell("the shares come to {total}%", total=f"{total.normalize():f}")
    some = [(unit, share / WHOLE) for unit, share in shares.items() if share]
    return tuple(sorted(some, key=lambda part: (-part[1], part[0])))


def parse_shares(text: str) -> list[tuple[str, Decimal]] | None:
    """Return the names and per cents in a cell, in order; None when any of it is something else."""
    parts = []
    at = 0
    text = text.strip().rstrip(",;")
    while at < len(text):
        part = PART.match(text, at)
        if part is None:
            return None
        share = part["share"].replace(",", ".")
        parts.append((part["unit"], Decimal(share)))
        at = part.end()
    return parts


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _problem(person: Person, fault: Text) -> Problem:
    return Problem(
        code=Code.BAD_ALLOCATION,
        where=tell("People: {name}", name=person.name),
        field="allocation",
        message=fault,
        hint=tell(
            "name units with shares of 100% at most: North 60%, South 40%; until then the unit's cell counts"
        ),
        url=person.url,
    )
