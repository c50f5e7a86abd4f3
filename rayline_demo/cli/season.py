"""`demo --days` and `demo --story`: lived days told to people, or as one JSON object with the checks."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from threading import Event
from typing import Any

from rayline_demo import activity
from rayline_demo.activity import ActivityReport
from rayline_demo.days import SEASON_WANTED, SeasonOrder, first_day, live_days
from rayline_demo.rig import make_empty
from rayline_demo.stories.judge import judge_days, judge_end
from rayline_demo.stories.play import Lived, Play, open_play
from rayline_demo.stories.script import find_stories, load_story
from worker.app.build import Progress
from worker.cli import exits, show
from worker.cli.usage import misuse
from worker.cycle.report import problem_data
from worker.domain.messages import tell
from worker.domain.validation import DAY
from worker.errors import Stopped

STORY_WANTED = {
    "third_writes": 0,
    "duplicates": 0,
    "human_edits_lost": 0,
    "as_worked_out": True,
}
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SeasonChoice:
    """What the options ask for: so many `days` from `start` (a day, or empty: this quarter's first), or one story."""

    locale: str
    days: int
    story: str
    seed: int
    start: str


def run(choice: SeasonChoice, stop: Event, progress: Progress, *, as_json: bool) -> int:
    """Live what was chosen and return the exit code."""
    if choice.story:
        return run_story(
            choice.story, choice.locale, as_json=as_json, stop=stop, progress=progress
        )
    season = live_days(
        SeasonOrder(
            choice.locale,
            choice.days,
            _first(choice.start),
            choice.seed,
            stop,
            progress,
            show.say,
        )
    )
    if as_json:
        show.print_json(season)
    else:
        _show_season(season)
    return exits.OK if season["checks"] == SEASON_WANTED else exits.BUG


def _first(start: str) -> date:
    try:
        return date.fromisoformat(start) if start else first_day(datetime.now(UTC))
    except ValueError:
        raise misuse("--start", tell(DAY)) from None


def _show_season(season: dict[str, Any]) -> None:
    console = show.console()
    summary = season["summary"]
    console.print(
        f"{season['days']} working days, {summary['from']} to {summary['until']}, "
        f"{sum(summary['cycles'].values())} cycles in {season['seconds']} s",
        style="bold",
    )
    for title, name in (
        ("People did", "people"),
        ("In Jira", "jira"),
        ("The worker wrote", "worker"),
    ):
        console.print(
            f"{title}: "
            + ", ".join(f"{count} {what}" for what, count in summary[name].items())
        )
    dates = summary["safe_dates"]
    console.print(
        f"P85 dates: {dates['kept']} of {dates['told']} kept, {dates['share']:.0%} "
        f"(interval {dates['low']:.0%} to {dates['high']:.0%})"
    )
    rows = [
        (
            name,
            str(thread["opened"]),
            str(thread["closed"]),
            "\n".join(
                f"{day} {what}: {title}"
                for day, what, title in thread["events"][-EXAMPLES:]
            ),
        )
        for name, thread in season["stories"].items()
    ]
    console.print(
        show.table_view(
            "What the worker did, story by story",
            ("story", "opened", "closed", "the last of it"),
            rows,
        )
    )
    console.print_json(json.dumps(season["checks"]))


def find_story(name: str) -> Path:
    """Return the folder of a storyline by name or the beginning of it."""
    shipped = find_stories()
    matching = [
        path
        for path in shipped
        if path.name.startswith(name) or path.name.endswith(name)
    ]

    if len(matching) != 1:
        names = [path.name for path in matching or shipped]
        near = names if matching else get_close_matches(name, names, n=3, cutoff=0)
        reason = tell(
            "“{name}” names {number} storylines", name=name, number=len(matching)
        )
        raise misuse(
            "--story", reason, tell("did you mean {name}?", name=", ".join(near))
        )
    return matching[0]


def run_story(
    name: str, locale: str, *, as_json: bool, stop: Event, progress: Progress
) -> int:
    """Live one storyline, saying what happened each day, and compare with what was worked out by hand."""
    story = load_story(find_story(name))
    with tempfile.TemporaryDirectory(prefix="rayline-story-") as folder:
        play = open_play(
            story, make_empty(locale, Path(folder)), Path(folder), stop=stop
        )
        try:
            days, differences, chronicle = _live(
                play, progress=progress, as_json=as_json
            )
            ending = judge_end(play)
        finally:
            play.rig.close()
    differences += ending.differences
    checks = {
        name: value for name, value in ending.checks.items() if name in STORY_WANTED
    }
    checks["as_worked_out"] = not differences
    if as_json:
        show.print_json(
            {
                "story": story.name,
                "title": story.title[locale],
                "days": days,
                "stories": chronicle.data(),
                "differences": differences,
                "checks": checks,
            }
        )
    else:
        show.console().print_json(json.dumps(checks))
    for line in differences:
        show.say(line)
    return exits.OK if checks == STORY_WANTED else exits.BUG


def _live(
    play: Play, *, progress: Progress, as_json: bool
) -> tuple[list[dict[str, Any]], list[str], ActivityReport]:
    days: list[dict[str, Any]] = []
    differences: list[str] = []
    chronicle = ActivityReport()
    if not as_json:
        show.console().print(play.story.title[play.editor.locale], style="bold")
    for number, judged in enumerate(judge_days(play)):
        lived = judged.lived
        if play.rig.context.stop.is_set():
            raise Stopped(f"ended after {lived.day}")
        progress(str(lived.day), number, len(play.days))
        if lived.report is not None:
            chronicle.note(lived.day, lived.report)
        differences += judged.differences
        days.append(_day_data(lived))
        if not as_json:
            _tell(lived, since=days[-2]["problems"] if len(days) > 1 else [])
    return days, differences, chronicle


def _day_data(lived: Lived) -> dict[str, Any]:
    report = lived.report
    return {
        "date": str(lived.day),
        "people": list(lived.told),
        "worker": activity.tell(report) if report else [],
        "writes": lived.writes,
        "problems": [problem_data(one) for one in report.plan.problems]
        if report
        else [],
    }


def _tell(lived: Lived, *, since: list[dict[str, str]]) -> None:
    console = show.console()
    written = activity.tell(lived.report) if lived.report else []
    known = {
        (problem["code"], problem["where"], problem["message"]) for problem in since
    }
    fresh = [
        problem
        for problem in (_day_data(lived)["problems"])
        if (problem["code"], problem["where"], problem["message"]) not in known
        and problem["severity"] != "info"
    ]
    if not (lived.told or written or fresh):
        return
    console.print(f"{lived.day:%a} {lived.day}", style="bold")
    for mark, lines in (("people", lived.told), ("worker", written)):
        for line in lines:
            console.print(f"  {mark}  {line}")
    for problem in fresh:
        console.print(f"  listed  {problem['where']}: {problem['message']}")
