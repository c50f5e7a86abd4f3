"""Sentences kept in tables: marked where they stand, so that every one of them reaches the catalogues."""

from __future__ import annotations

from worker.domain.model import Stage
from worker.domain.words import Words


def message(text: str) -> str:
    """Return `text` itself: a mark for the extraction of sentences that are translated later."""
    return text


STAGES = {
    Stage.IDEA: message("idea"), Stage.SHAPING: message("shaping"), Stage.PROPOSAL: message("proposal"),
    Stage.AGREED: message("agreed"), Stage.IN_PROGRESS: message("in progress"), Stage.EVOLUTION: message("evolution"),
    Stage.DONE: message("done"), Stage.LOST: message("lost"),
}


def stage_label(stage: Stage | None, words: Words) -> str:
    """Return the stage as people call it."""
    return words.say(STAGES[stage]) if stage else words.say("no stage")
