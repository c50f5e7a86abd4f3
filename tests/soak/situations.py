"""The catalogue of named situations: what a soak must have reached sometimes, or it has proven less than it says.

Each is a name, the kind of event it is known by, and a pattern that what the event is about must match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tests.soak.story import Event

ENOUGH = 2_000
"""Seeds from which on every situation must have been reached."""


class Situation(NamedTuple):
    """A situation and how it is recognised."""

    name: str
    kind: str
    pattern: str = ""


SITUATIONS = tuple(
    Situation(*row)
    for row in (
        # Processes
        ("a process died before a request waited for its turn", "crash", "turn"),
        ("a process died as a request left", "crash", "wire"),
        ("a process died when a request was done, unknowing", "crash", "answer"),
        ("a process died before it noted something", "crash", "begin"),
        ("a process died when it had noted something", "crash", "commit"),
        ("a process died during the first run of a workspace", "crash", "first run"),
        ("the lease of a dead process was taken at once", "lease", "of a dead"),
        ("a lease that had lapsed was taken", "lease", "that lapsed"),
        ("a process that nobody can tell dead kept others out", "lease", "held"),
        ("a run was refused, as another had the workspace", "ended", "^Busy"),
        ("a run was asked to end", "asked to end"),
        ("a run ended before all was written, as it was asked to", "cycle", "stopped"),
        ("a run was ended before it wrote, as it was asked to", "ended", "^Stopped"),
        ("a run was paused within its lease", "pause", "within"),
        ("a run was paused beyond its lease", "pause", "beyond"),
        ("a run was paused as a request left", "pause", "wire"),
        ("a run lost its workspace to another", "cycle", "taken over"),
        ("the fence refused a request", "log", "^lease.lost"),
        ("two processes took turns", "step", "other_cycle"),
        # Creations
        ("settling found the row that was perhaps made", "log", "^settled  adopted"),
        ("settling found that nothing was made", "log", "^settled  reopened"),
        ("a creation was in doubt", "doubt", "creation"),
        (
            "a creation was left to who was settling it",
            "log",
            "create settled|create unknown",
        ),
        ("a row was made twice, as nothing could hold it back", "gap"),
        ("a surplus row was put away", "archived"),
        ("a key that stands twice was told", "problem", "duplicate-key"),
        (
            "a creation was saved but 503, named by its id",
            "fault",
            "503_committed at POST /v1/pages$",
        ),
        (
            "a creation was saved but 503, not named",
            "fault",
            "503_saved at POST /v1/pages$",
        ),
        ("a creation's answer did not come", "fault", "hang_after at POST /v1/pages$"),
        (
            "a creation's connection broke afterwards",
            "fault",
            "reset_after at POST /v1/pages$",
        ),
        ("a creation was committed late", "fault", "late_commit"),
        (
            "a creation's answer named no row",
            "fault",
            "(empty_object|null|cut_json|truncate) at POST /v1/pages$",
        ),
        (
            "a change was saved but 503",
            "fault",
            "503_(committed|saved) at PATCH /v1/pages",
        ),
        (
            "a section's change was saved but 503",
            "fault",
            "503_(committed|saved) at .* /v1/blocks",
        ),
        ("a section's part was perhaps written", "log", "section unknown"),
        # People
        ("a person typed during a run", "act", "edit_\\w+ (during|while)"),
        (
            "a person typed between the reading and the writing of a cell",
            "race",
            "^typed",
        ),
        ("a person's value stood against ours", "kept"),
        ("a person copied a row", "act", "^duplicate"),
        ("a person threw a row away during a run", "act", "^trash_row during"),
        ("a row that a person threw away was not made again", "rest", "stays away"),
        ("a person took a row out of the trash", "act", "^restore"),
        ("a person deleted a row for good", "act", "^delete_forever"),
        ("a person wrote into a section", "act", "^edit_block"),
        ("a person wrote below a section", "act", "^append"),
        ("a person typed over a value of ours", "act", "^edit_workers"),
        ("a person asked for a look, and was answered", "log", "^sync_now.answered"),
        ("a person renamed a column", "act", "^rename_property"),
        ("a column of another type was told", "problem", "schema-retyped"),
        ("a row was gone when it was to be written", "log", "(update|section) settled"),
        ("the owner's line was gone, and put back", "problem", "owner-line"),
        # Services
        ("a short wait was asked for", "fault", "429 "),
        ("a wait was asked for that no run has", "ended", "^Postponed"),
        ("a service was away for a whole run", "ended", "^Transient"),
        ("a connection was shut out", "fault", "429_blocked"),
        ("credentials were refused", "ended", "^Denied"),
        ("a list came by halves", "problem", "incomplete-read"),
        ("queries trailed what was written", "lag"),
        ("the clock was wrong by both services", "ended", "^WrongClock"),
        ("one service's clock was wrong", "problem", "server-clock"),
        ("a board was taken from the connection in the middle of a run", "unshared"),
        (
            "a plan was refused, as a board was empty of a sudden",
            "refused",
            "source-empty",
        ),
        ("an issue was deleted", "jira", "delete_issue"),
        ("an issue moved to another project", "jira", "move_issue"),
        # State
        ("an old copy of the state was put back", "state", "old copy"),
        ("cells were in doubt after an old copy", "problem", "doubtful-cell"),
        ("the state was lost", "state", "lost"),
        ("rows were held back after a loss", "problem", "lost-memory"),
        ("what was held back was forced", "forced"),
    )
)


def reached(events: Iterable[Event]) -> frozenset[str]:
    """Return the names of the situations that events tell of."""
    told: dict[str, set[str]] = {}
    for event in events:
        told.setdefault(event.kind, set()).add(event.about)
    return frozenset(
        situation.name
        for situation in SITUATIONS
        if any(
            re.search(situation.pattern, about)
            for about in told.get(situation.kind, ())
        )
    )
