"""Issues that a complete read does not show any more: deleted, moved on, or still there and not visible.

Jira leaves all of them out of a search without a word, and answers 404 to the id of an issue that is gone as to one that
may not be seen (docs/facts/jira-api.md 2.3). What tells them apart is the project: one that is out of view hides its
issues, unless Jira says that it lies in the trash; in one that is in view a single issue that does not answer to its id
counts as deleted, many at once do not. An issue that answers to its id where it always stood is archived, or the index
is late. A security level that takes away single issues looks like a deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.config import Limits
from worker.domain.entities import Issue
from worker.ports.tracker import Tracker
from worker.world.listing import Listing

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Lost:
    """Issues that are linked and were not shown; `fixed` are the ids of those that a project or an epic links, which
    they leave only by moving; `known` is how many issues of each project were known, `hidden` the ids of those that were
    not visible before."""

    issues: Sequence[Issue]
    fixed: Collection[str]
    known: Mapping[str, int]
    hidden: Collection[str] = ()


def find_hidden(
    jira: Tracker, listing: Listing, lost: Lost, limits: Limits
) -> set[str]:
    """Return the ids of lost issues that are there and not visible any more; the projects must have been read just now.

    Raises the API errors.
    """
    # What was taken off the list is meant to go.
    issues = [issue for issue in lost.issues if listing.allows(issue.project)]
    if not issues:
        return set()

    away = {issue.project for issue in issues if not listing.shows(issue.project)}
    away -= jira.trashed_projects(away) if away else set()
    hidden = {issue.id for issue in issues if issue.project in away}

    rest = [issue for issue in issues if listing.shows(issue.project)]
    hidden |= {issue.id for issue in rest if issue.id in lost.hidden}
    fresh = [issue for issue in rest if issue.id not in lost.hidden]
    answered = _ask(jira, fresh)
    hidden |= set(_in_place(fresh, answered, lost.fixed))
    silent = [issue for issue in fresh if issue.id not in answered]
    return hidden | set(_at_once(silent, lost.known, limits))


def _ask(jira: Tracker, issues: Sequence[Issue]) -> dict[str, Issue]:
    """Return those that answer to their id; after a hundred that do not, no more are asked."""
    answered: dict[str, Issue] = {}
    for start in range(0, len(issues), AT_ONCE):
        end = start + AT_ONCE
        asked = [issue.id for issue in issues[start:end]]
        found = jira.by_keys(asked)
        answered |= found
        if not found and len(asked) == AT_ONCE:
            break
    return answered


def _in_place(
    issues: Sequence[Issue], answered: Mapping[str, Issue], fixed: Collection[str]
) -> Iterator[str]:
    """Yield what stands where it stood: it did not leave the link by itself."""
    for before in issues:
        now = answered.get(before.id)
        if now is None or before.id not in fixed:
            continue
        if (now.project, now.parent) == (before.project, before.parent):
            yield before.id


def _at_once(
    silent: Sequence[Issue], known: Mapping[str, int], limits: Limits
) -> Iterator[str]:
    """Yield what is more of a project than people delete between two reads."""
    counts = Counter(issue.project for issue in silent)
    for issue in silent:
        count = counts[issue.project]
        most = limits.destructive_share * known.get(issue.project, 0)
        if count >= limits.floor and count > most:
            yield issue.id
