"""One side of a benchmark in a process of its own: `python -m benchmarks.passes WHAT FOLDER` with addresses on stdin.

WHAT is `worker` (a first full pass and a second one), `evaluate_snapshot` (world, rules and diff alone, on the snapshot the worker
left) or `jira` (the jira package's own `search_issues` over the same issues). Prints one JSON line with CPU seconds and
peak memory in MB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from jira import JIRA
from pydantic import SecretStr

from benchmarks.agency import NOW, PROJECTS
from worker.app.build import Surroundings, build_context, open_store
from worker.config import JiraSettings, Limits, NotionSettings, Workspace
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.planning import gc_paused, plan_cycle
from worker.method import evaluate
from worker.plan.diff import Written, make_plan
from worker.read.tracker import recall_tracker
from worker.state import bindings as registry
from worker.state import memory, snapshots
from worker.world.normalize import Seen, build_world, card_links

TIMES = 5
"""How often the thinking alone is measured; the best counts, as a machine is only ever slower than it is."""
FIELDS = [
    "summary",
    "status",
    "issuetype",
    "project",
    "created",
    "updated",
    "resolutiondate",
    "resolution",
    "duedate",
    "parent",
    "assignee",
    "timeoriginalestimate",
    "timeestimate",
    "timespent",
    "labels",
]


def main() -> None:
    """Run one side and print its figures."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    where = json.loads(sys.stdin.readline())
    figures = SIDES[what](where, folder)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(figures) + "\n")


def _worker(where: dict[str, Any], folder: Path) -> dict[str, float]:
    context = _context(where, folder)
    first, drawn = _cpu(lambda: plan_cycle(context, CycleRequest(Mode.FULL)))
    changes = len(drawn.plan.changes)
    del drawn
    second, _ = _cpu(lambda: plan_cycle(context, CycleRequest(Mode.FULL)))
    requests = {"notion": context.notion.requests(), "jira": context.jira.requests()}
    return {
        "first_cpu": first,
        "full_cpu": second,
        "changes": changes,
        "requests": sum(requests.values()) / 2,
    }


def _rules(where: dict[str, Any], folder: Path) -> dict[str, float]:
    """Return the CPU seconds of world, rules and diff on a snapshot that is in memory already."""
    context = _context(where, folder)
    with context.store.reading(context.name) as tx:
        pages, issues, worklogs = (
            snapshots.load_pages(tx),
            snapshots.load_issues(tx),
            snapshots.load_worklogs(tx),
        )
        bindings, remembered = registry.load(tx), memory.load(tx)
    links = card_links(pages.get("projects", ()), context.schema, bindings)
    tracker = recall_tracker(context, links)

    def evaluate_snapshot() -> object:
        with gc_paused():
            return conclude()

    def conclude() -> object:
        world = build_world(
            workspace=context.name,
            now=context.now(),
            settings=context.settings,
            words=context.words,
            schema=context.schema,
            bindings=bindings,
            seen=Seen(pages, issues, worklogs, tracker.links, tracker.projects),
            memory=remembered,
        )
        outcome = evaluate(world, context.playbooks)
        return make_plan(world, outcome.facts, context.schema, bindings, Written())

    return {"rules_cpu": min(_cpu(evaluate_snapshot)[0] for _ in range(TIMES))}


def _context(where: dict[str, Any], folder: Path) -> Context:
    notion, jira = where["notion"], where["jira"]
    settings = Workspace(
        locale="en",
        currency="EUR",
        limits=Limits(changes=100_000),
        notion=NotionSettings(
            base_url=notion["base_url"],
            token=SecretStr(notion["token"]),
            root_page_id=notion["root_page_id"],
            requests=1_000_000,
            window=60.0,
        ),
        jira=JiraSettings(
            base_url=jira["base_url"],
            email=jira["email"],
            token=SecretStr(jira["token"]),
        ),
    )
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    return build_context(
        "bench", settings, store, Surroundings(lambda: NOW + timedelta(minutes=5))
    )


def _package(where: dict[str, Any], _folder: Path) -> dict[str, float]:
    jira = where["jira"]
    client = JIRA(jira["base_url"], basic_auth=(jira["email"], jira["token"]))
    jql = f"project in ({', '.join(f'P{number:03d}' for number in range(PROJECTS))})"
    seconds, issues = _cpu(
        lambda: client.search_issues(jql, maxResults=False, fields=",".join(FIELDS))
    )
    return {"full_cpu": seconds, "issues": len(issues)}


def _cpu(step: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = step()
    return time.process_time() - began, result


SIDES = {"worker": _worker, "rules": _rules, "jira": _package}

if __name__ == "__main__":
    main()
