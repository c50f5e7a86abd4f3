"""Checks of a demo, made from what the sandboxes hold: if the worker cheated, these would tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rayline_demo.acts import HumanEdits, is_work
from rayline_demo.board import Card, living, rows
from rayline_demo.rig import Rig
from worker.cycle.ownership import OWN_LINE
from worker.cycle.report import Report
from worker.mapping.schema import KEY_PROPERTY
from worker.plan.plan import Kind

ROUNDING = Decimal("0.0001")
WANTED = {
    "third_writes": 0,
    "duplicates": 0,
    "human_edits_lost": 0,
    "cascade_exact": True,
    "progress_true": True,
}


def checks(stage: Rig, deeds: HumanEdits, *, third_writes: int) -> dict[str, Any]:
    """Return the checks of a pass: all are fine when they equal `WANTED`."""
    return {
        "third_writes": third_writes,
        "duplicates": duplicates(stage),
        "human_edits_lost": len(lost(stage, deeds)),
        "cascade_exact": is_cascade_exact(living(stage, "plans")),
        "progress_true": is_progress_true(stage),
    }


def writes(stage: Rig, since: int) -> int:
    """Return how many writes the worker's connection made after an entry of the sandbox's log."""
    return sum(
        entry.write and entry.actor == stage.notion.bot_id
        for entry in stage.notion.entries(since)
    )


def idle_writes(stage: Rig, since: int, report: Report) -> int:
    """Return the writes after an entry but for the day's share of old dailies, which the first full run of a day archives
    whatever else there is to do, and the line of the installation, which a run that writes renews once a day."""
    tidied = sum(
        change.kind is Kind.ARCHIVE and change.why is not None
        for change in report.plan.changes
    )
    with stage.context.reading() as tx:
        line = OWN_LINE.load(tx)
    renewed = sum(
        entry.write and entry.path == f"/v1/blocks/{line}"
        for entry in stage.notion.entries(since)
    )
    return writes(stage, since) - tidied - min(tidied, renewed)


def last_entry(stage: Rig) -> int:
    """Return the number of the log's newest entry."""
    return max((entry.seq for entry in stage.notion.entries(0)), default=0)


def duplicates(stage: Rig) -> int:
    """Return how many rows too many the worker made for its keys."""
    count = 0
    for name in stage.bindings():
        if KEY_PROPERTY in stage.context.schema.sources[name].properties:
            made = Counter(
                card.values["worker_key"]
                for card in rows(stage, name)
                if card.created_by == stage.notion.bot_id and card.values["worker_key"]
            )
            count += sum(number - 1 for number in made.values())
    return count


def lost(stage: Rig, deeds: HumanEdits) -> list[str]:
    """Return what people did that no longer stands: their values, their copies, and rows they had thrown away."""
    sources = sorted(
        {
            "risks",
            *(expected.source for expected in deeds.expected),
            *(source for source, _ in deeds.trashed),
        }
    )
    standing = {
        (source, card.page_id): card
        for source in sources
        for card in living(stage, source)
    }
    gone = [
        f"{expected.act}: {expected.field}"
        for expected in deeds.expected
        if (card := standing.get((expected.source, expected.page_id))) is None
        or card.values[expected.field] != expected.value
    ]
    gone += [
        f"copy {copy} is gone"
        for copy in deeds.copies
        if ("risks", copy) not in standing
    ]
    keys = {
        (source, card.values.get("worker_key"))
        for (source, _), card in standing.items()
    }
    return gone + [f"{key} came back" for key in deeds.trashed if key in keys]


def is_cascade_exact(plans: tuple[Card, ...]) -> bool:
    """Tell whether every plan's target is the sum of its parts' targets, to the cent, and there are parts at all."""
    parts: dict[str, list[Decimal]] = {}
    for plan in plans:
        for parent in plan.values["parent"]:
            parts.setdefault(parent, []).append(plan.values["target"] or Decimal(0))
    targets = {plan.page_id: plan.values["target"] for plan in plans}
    return bool(parts) and all(
        sum(found, Decimal(0)) == (targets.get(parent) or 0)
        for parent, found in parts.items()
    )


def is_progress_true(stage: Rig) -> bool:
    """Tell whether every card linked to a whole Jira project shows what an independent count of that project gives."""
    counted = _count(stage)
    linked = [
        (card, project)
        for card in living(stage, "projects")
        if (project := str(card.values["jira"])) in counted
    ]
    return bool(linked) and all(
        card.values["progress"] is not None
        and abs(card.values["progress"] - counted[project]) <= ROUNDING
        for card, project in linked
    )


def _count(stage: Rig) -> Mapping[str, Decimal]:
    """Return the share done of each Jira project: by estimate when four fifths carry one, else by count."""
    work: dict[str, list[Mapping[str, Any]]] = {}
    for issue in stage.jira.control("dump", {})["issues"]:
        if is_work(stage, issue):
            work.setdefault(issue["key"].rpartition("-")[0], []).append(issue)
    return {project: _share_done(issues) for project, issues in work.items()}


def _share_done(issues: list[Mapping[str, Any]]) -> Decimal:
    counted = _without_levels(issues)
    estimated = sum(bool(issue["estimate"]) for issue in counted)
    if 5 * estimated < 4 * len(counted):
        done = sum(issue["status_name"] == "Done" for issue in issues)
        return Decimal(done) / len(issues)
    whole = sum(issue["estimate"] or 0 for issue in counted)
    finished = [issue for issue in counted if issue["status_name"] == "Done"]
    done = sum(issue["estimate"] or 0 for issue in finished)
    return Decimal(done) / whole


def _without_levels(issues: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the issues with either a story or its sub-tasks: these where all have an estimate or the story has none."""
    stories = {issue["id"]: issue for issue in issues}
    families: dict[str, list[Mapping[str, Any]]] = {}
    for issue in issues:
        if issue["parent"] in stories:
            families.setdefault(issue["parent"], []).append(issue)
    left_out: set[str] = set()
    for story, parts in families.items():
        estimated = sum(bool(part["estimate"]) for part in parts)
        is_own = bool(stories[story]["estimate"])
        if estimated == len(parts) or (estimated and not is_own):
            left_out.add(story)
        else:
            left_out.update(part["id"] for part in parts)
    return [issue for issue in issues if issue["id"] not in left_out]
