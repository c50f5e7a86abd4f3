"""The development of a unit's product by role, as its meetings look at it (docs/method.md 5.5, 5.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from worker.domain.values import Ref
from worker.method.measures import BacklogItem

CLOSED = frozenset({"accepted", "rejected"})
READY = frozenset({"validated", "for_group", "presented"})


class Development(msgspec.Struct, frozen=True, gc=False):
    """TL's validated features, PM's strategic hypotheses and how many operational ones, AM's ideas, HoA's feedback
    items; each list best first. `accepted` became cards."""

    features: tuple[BacklogItem, ...] = ()
    hypotheses: tuple[BacklogItem, ...] = ()
    operational: int = 0
    ideas: tuple[BacklogItem, ...] = ()
    feedback: tuple[BacklogItem, ...] = ()
    accepted: tuple[BacklogItem, ...] = ()


def development_of(unit: Ref | None, items: Iterable[BacklogItem]) -> Development:
    """Return what a unit's inboxes hold; None for what belongs to no unit."""
    mine = [item for item in items if item.unit == unit]
    own = sorted(mine, key=worth)
    by_kind: dict[str | None, list[BacklogItem]] = defaultdict(list)
    for item in own:
        if item.status not in CLOSED:
            by_kind[item.kind].append(item)

    features = [item for item in by_kind["feature"] if item.status in READY]
    guesses = by_kind["hypothesis"]
    strategic = [item for item in guesses if item.strategic]
    accepted = [item for item in own if item.status == "accepted"]
    return Development(
        tuple(features),
        tuple(strategic),
        len(guesses) - len(strategic),
        tuple(by_kind["idea"]),
        tuple(by_kind["feedback"]),
        tuple(accepted),
    )


def worth(item: BacklogItem) -> tuple[float, float, str]:
    """Order ideas: the greatest impact first, then the least effort; without either, last."""
    return (
        -float(item.impact or 0),
        float(item.effort) if item.effort is not None else float("inf"),
        str(item.ref),
    )
