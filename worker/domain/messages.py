"""Sentences told where nobody knows the language yet: values that keep their pattern, until they are rendered.

Sentences kept in tables are marked where they stand, so that every one of them reaches the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from worker.domain.entities import FIRM, OUTSIDE, Stage
from worker.domain.values import Ref
from worker.domain.words import Words

ENGLISH = Words()
"""The voice of what no workspace reads: exceptions and logs."""


def message(text: str) -> str:
    """Return `text` itself: a mark for the extraction of sentences that are translated later."""
    return text


class Labels(msgspec.Struct, frozen=True, gc=False):
    """How the schema calls something, by locale; English is always there."""

    by_locale: tuple[tuple[str, str], ...]


class Text(msgspec.Struct, frozen=True, gc=False):
    """A sentence as a value: an English pattern and what fills its `{name}` places. `render` alone makes it words.

    Without values the pattern is the sentence as it stands; an empty pattern says nothing.
    """

    pattern: str
    values: tuple[tuple[str, str | Text | Labels], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether it says anything."""
        return bool(self.pattern)


NOTHING = Text("")
_AS_IT_IS = "{literal}"
"""Only a place, hence no sentence of any catalogue."""


def tell(pattern: str, **values: object) -> Text:
    """Return a sentence with what fills its `{name}` places; a value may be a text itself, or labels by locale."""
    return Text(
        pattern, tuple((name, _as_value(value)) for name, value in values.items())
    )


def listed(*names: Mapping[str, str] | Text) -> Text:
    """Return names, as the schema gives them by locale or as texts, one after another."""
    places = {f"name{number}": name for number, name in enumerate(names)}
    pattern = ", ".join(f"{{{place}}}" for place in places)
    return tell(pattern, **places)


def literal(words: str | Path | Ref) -> Text:
    """Return words that are the same in every language: a name, a file, a row, what somebody else said."""
    said = str(words)
    return tell(_AS_IT_IS, literal=said) if said else NOTHING


def _as_value(value: object) -> str | Text | Labels:
    if isinstance(value, Text | Labels):
        return value
    if isinstance(value, Mapping) and "en" in value:
        return Labels(tuple(sorted(value.items())))
    return str(value)


QUOTED = frozenset({"value", "text", "option", "first", "last", "start", "end", "year"})
"""Under these names a sentence quotes what stands in a cell."""


def withhold(text: Text) -> Text:
    """Return a sentence that does not quote the cell it is about, for rows that are private."""
    kept = [(name, "…" if name in QUOTED else value) for name, value in text.values]
    return Text(text.pattern, tuple(kept))


def shorten(text: Text, most: int) -> Text:
    """Return a sentence whose values have at most so many characters, so that what it says of a long one is left."""
    if text.pattern == _AS_IT_IS:
        return text
    kept: list[tuple[str, str | Text | Labels]] = []
    for name, value in text.values:
        short = value
        if isinstance(value, Text):
            short = shorten(value, most)
        elif isinstance(value, str) and len(value) > most:
            short = f"{value[: most - 1]}…"
        kept.append((name, short))
    return Text(text.pattern, tuple(kept))


def render(text: Text, words: Words) -> str:
    """Return a text in the language of `words`."""
    if not text:
        return ""
    values = {name: _in_words(value, words) for name, value in text.values}
    return words.say(text.pattern, **values)


def _in_words(value: str | Text | Labels, words: Words) -> str:
    match value:
        case Text():
            return render(value, words)
        case Labels():
            labels = dict(value.by_locale)
            return labels.get(words.locale, labels["en"])
    return value


STAGES = {
    Stage.IDEA: message("idea"),
    Stage.SHAPING: message("shaping"),
    Stage.PROPOSAL: message("proposal"),
    Stage.AGREED: message("agreed"),
    Stage.IN_PROGRESS: message("in progress"),
    Stage.EVOLUTION: message("evolution"),
    Stage.DONE: message("done"),
    Stage.LOST: message("lost"),
}


BESIDE_UNITS = {FIRM: message("Whole firm"), OUTSIDE: message("Outside of units")}
"""What has plans and is no unit."""


def stage_label(stage: Stage | None, words: Words) -> str:
    """Return the stage as people call it."""
    return words.say(STAGES[stage]) if stage else words.say("no stage")
