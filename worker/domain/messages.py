"""Sentences kept in tables or told where nobody knows the language yet: marked where they stand, so that every one of
them reaches the catalogues."""

from __future__ import annotations

from collections.abc import Mapping

from worker.domain.entities import Stage
from worker.domain.words import Words
from worker.errors import Problem, RenderedProblem


def message(text: str) -> str:
    """Return `text` itself: a mark for the extraction of sentences that are translated later."""
    return text


class Told(str):
    """A sentence in English that still knows its pattern and its values, so that it can be told in another language."""

    pattern: str
    values: Mapping[str, object]


def tell(pattern: str, **values: object) -> str:
    """Return a sentence with its `{name}` places filled, for `retell`; a value may be told itself, or be labels by
    locale."""
    sentence = Told(
        pattern.format(**{name: _in_english(value) for name, value in values.items()})
    )
    sentence.pattern = pattern
    sentence.values = values
    return sentence


QUOTED = frozenset({"value", "text", "option", "first", "last", "start", "end", "year"})
"""Under these names a sentence quotes what stands in a cell."""


def withhold(text: str) -> str:
    """Return a sentence that does not quote the cell it is about, for rows that are private."""
    if not isinstance(text, Told):
        return text
    kept = {
        name: "…" if name in QUOTED else value for name, value in text.values.items()
    }
    return tell(text.pattern, **kept)


def _in_english(value: object) -> object:
    return value["en"] if isinstance(value, Mapping) and "en" in value else value


def retell(text: str, words: Words) -> str:
    """Return a sentence that was told or marked, in the language of `words`; any other text as it is."""
    if isinstance(text, Told):
        return words.say(
            text.pattern,
            **{name: _in_words(value, words) for name, value in text.values.items()},
        )
    return words.say(text) if text else ""


def _in_words(value: object, words: Words) -> object:
    if isinstance(value, Mapping) and "en" in value:
        return value.get(words.locale, value["en"])
    return retell(value, words) if isinstance(value, Told) else value


def in_words(problem: Problem, words: Words) -> RenderedProblem:
    """Return a problem with its sentences in the language of `words`."""
    return RenderedProblem(
        code=problem.code.value,
        where=retell(problem.where, words),
        field=problem.field,
        message=retell(problem.message, words),
        hint=retell(problem.hint, words),
        url=problem.url,
        severity=problem.severity,
    )


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


def stage_label(stage: Stage | None, words: Words) -> str:
    """Return the stage as people call it."""
    return words.say(STAGES[stage]) if stage else words.say("no stage")
