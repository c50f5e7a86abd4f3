"""What counts as promised to a client: a date that a person gave on the card, never one that came from elsewhere.

The due date of a card is shared: the worker fills it from Jira where people left it empty, and anybody who may file an
issue can date one. So it matters whose value stands in the cell, not which cell it is.
"""

from __future__ import annotations

from datetime import date

from worker.domain.entities import Card
from worker.method.formulas.hysteresis import follow
from worker.world.memory import Track
from worker.world.world import World


def promise_of(card: Card, world: World, *, jira_due: date | None) -> date | None:
    """Return a card's due date if a person gave it, else None; `jira_due` is what the worker would put there.

    A person's date stays theirs when Jira comes to say the same, which memory tells; what the worker took over is
    nobody's promise, also after the state that knew of it was lost.
    """
    if card.due is None:
        return None
    remembered = world.memory.tracks.get(track_name(card))
    if remembered is not None and remembered.value == card.due.isoformat():
        return card.due
    if (card.ref, "due") in world.own_cells:
        return None
    # The worker counts the issues of every card it can follow, so it was here before.
    is_lost = world.memory.first_run and card.is_counted
    if is_lost and card.due == jira_due:
        return None
    return card.due


def track_name(card: Card) -> str:
    """Return the name under which memory holds what a person promised."""
    return f"{card.ref}#promise"


def follow_promise(
    before: Track | None, promise: date | None, today: date
) -> Track | None:
    """Return what is to be remembered of a promise; None when nobody promises any more."""
    return follow(before, promise.isoformat(), today) if promise else None
