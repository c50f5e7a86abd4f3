"""Projects that got another key: known by their id, and followed in what was read before, asking nobody.

Jira changes the keys of all issues with that of their project, but no issue counts as updated by it
(docs/facts/jira-api.md 2.2, 2.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from worker.domain.entities import Issue, JiraProject
from worker.read.lookup import LOOKUP, LinkedEpic, Lookup, Standing
from worker.state import snapshots
from worker.state.store import Tx
from worker.world.links import Link, LinkKind


def renamed_keys(
    before: Iterable[JiraProject], after: Iterable[JiraProject]
) -> dict[str, str]:
    """Return the new keys of projects by their old ones."""
    old = {project.id: project.key for project in before}
    renamed: dict[str, str] = {}
    for project in after:
        key = old.get(project.id)
        if key is not None and key != project.key:
            renamed[key] = project.key
    return renamed


def follow_renames(
    tx: Tx, lookup: Lookup, projects: list[JiraProject], keys: Mapping[str, str]
) -> None:
    """Give what is remembered of renamed projects their new keys, in one transaction with the list that tells them.

    Keys may have been swapped: followed twice, they would be back where they were.
    """
    stored = LOOKUP.load(tx)
    for known in (stored, lookup):
        _rename(known, keys)
        known.relist(known.listed, projects)
    LOOKUP.save(tx, stored)

    renamed: list[Issue] = []
    for issue in snapshots.load_issues(tx):
        if issue.project in keys:
            after = _renamed_issue(issue, keys)
            renamed.append(after)
    snapshots.save_issues(tx, renamed)


def _rename(lookup: Lookup, keys: Mapping[str, str]) -> None:
    for typed, epic in lookup.epics.items():
        if epic.project not in keys:
            continue
        project = keys[epic.project]
        key = _renamed_key(epic.key, keys)
        renamed = LinkedEpic(epic.issue, project, key, epic.level)
        lookup.epics[typed] = renamed

    for issue, key in lookup.boughs.items():
        lookup.boughs[issue] = _renamed_key(key, keys)

    for card, standing in lookup.standing.items():
        lookup.standing[card] = _renamed_standing(standing, keys)


def _renamed_issue(issue: Issue, keys: Mapping[str, str]) -> Issue:
    project = keys[issue.project]
    key = _renamed_key(issue.key, keys)
    return replace(issue, project=project, key=key)


def _renamed_key(key: str, keys: Mapping[str, str]) -> str:
    """Return the key of an issue as its project has it now."""
    project, _, number = key.rpartition("-")
    if project not in keys:
        return key
    return f"{keys[project]}-{number}"


def _renamed_standing(standing: Standing, keys: Mapping[str, str]) -> Standing:
    parts: list[Standing] = []
    for part in standing.parts:
        renamed = _renamed_standing(part, keys)
        parts.append(renamed)
    link = _renamed_link(standing.link, keys)
    return replace(standing, link=link, parts=tuple(parts))


def _renamed_link(link: Link, keys: Mapping[str, str]) -> Link:
    parts: list[Link] = []
    for part in link.parts:
        renamed = _renamed_link(part, keys)
        parts.append(renamed)
    text = link.text
    if link.kind is LinkKind.PROJECT:
        text = keys.get(text, text)
    return replace(link, text=text, parts=tuple(parts))
