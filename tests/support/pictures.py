"""The tables of transitions as pictures for the docs: `python -m tests.support.pictures` writes them anew."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from worker.state.transitions import (
    INTENTS,
    LEASES,
    OF_CLAIMANT,
    OF_LOOK_UP,
    OF_WORLD,
    Grip,
    Status,
)

PAGE = Path(__file__).parents[2] / "docs/transitions.md"
_State = TypeVar("_State", bound=StrEnum)
_Event = TypeVar("_Event", bound=StrEnum)


def draw(table: Mapping[_State, Mapping[_Event, _State]], first: _State) -> str:
    """Return a table as a state diagram of Mermaid; events that lead from one state to the same other share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, events in table.items():
        for event, after in events.items():
            arrows.setdefault((state, after), []).append(_name(event))
    lines = [
        f"    {before} --> {after}: {', '.join(names)}"
        for (before, after), names in arrows.items()
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *lines])


def _name(event: StrEnum) -> str:
    """Return an event's name, marked by who brings it about."""
    if event in OF_WORLD:
        return f"({event})"
    marks = {OF_CLAIMANT: "own ", OF_LOOK_UP: "later "}
    mark = next((word for events, word in marks.items() if event in events), "")
    return f"{mark}{event}"


PICTURES = {"claims": draw(INTENTS, Status.ABSENT), "leases": draw(LEASES, Grip.FREE)}


def place_pictures(text: str) -> str:
    """Return the chapter with its pictures as they are drawn now."""
    for name, picture in PICTURES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}```mermaid\n{picture}\n```\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(place_pictures(PAGE.read_text("utf-8")), "utf-8")
