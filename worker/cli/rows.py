"""The data of a status or a run as rows for a person: names in place of keys, in the language of the console, instants
on the workspace's clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from worker.cli.prose import say_process
from worker.cycle.context import Context
from worker.daemon.standing import JOBS, say_trigger
from worker.domain.messages import message
from worker.domain.words import Words

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")
"""How the data of a run or a status says an instant."""
NOTHING = "—"
LABELS = {
    "workspace": message("workspace"),
    "last_run": message("last run"),
    "last_success": message("last success"),
    "next": message("next"),
    "paused": message("paused"),
    "maintenance": message("next maintenance"),
    "put_off": message("put off"),
    "at_work": message("at work"),
    "waiting": message("waiting"),
    "unsettled": message("unsettled"),
    "by": message("by"),
    "since": message("since"),
    "until": message("until"),
    "reason": message("reason"),
    "run_id": message("run"),
    "trigger": message("asked by"),
    "status": message("status"),
    "started": message("started"),
    "ended": message("ended"),
    "seconds": message("duration"),
    "requests": message("requests"),
    "changes": message("changes"),
    "answers": message("answers"),
    "kept": message("kept"),
    "conflicts": message("conflicts"),
    "refused": message("refused"),
    "checksum": message("plan"),
    "mode": message("read"),
    "stopped": message("stopped"),
    "error": message("error"),
    "notion": "Notion",
    "jira": "Jira",
    "create": message("created"),
    "update": message("changed"),
    "archive": message("archived"),
    "sections": message("sections"),
    **JOBS,
}
NAMES: Mapping[str, Mapping[str, str]] = {
    "status": {
        "running": message("at work"),
        "done": message("done"),
        "failed": message("failed"),
        "refused": message("refused"),
    },
    "mode": {"delta": message("what changed"), "full": message("everything")},
    "waiting": {"all": message("all clients")},
}
"""What the values under a key are called."""


class Rows:
    """What says the data of one workspace: in these words, in its zone."""

    def __init__(self, context: Context, words: Words) -> None:
        self.words = words
        self._zone = ZoneInfo(context.settings.time_zone)
        self._today = context.now().astimezone(self._zone).date()

    def of(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return data as rows: what is called how, and how it stands."""
        return [(self.label(key), self.cell(key, part)) for key, part in data.items()]

    def label(self, key: str) -> str:
        """Return how a key is called."""
        return self.words.say(LABELS[key]) if key in LABELS else key

    def cell(self, key: str, value: object) -> str:
        """Return what stands under a key, a part of it on each line."""
        match value:
            case dict() if key in ("changes", "requests"):
                return self._brief(value)
            case dict():
                return "\n".join(self._lines(value))
            case None | [] | "":
                return NOTHING
            case list():
                return ", ".join(self.cell(key, part) for part in value)
            case bool():
                return self.words.say("yes") if value else self.words.say("no")
            case int() | float() if key == "seconds":
                return self.duration(float(value))
            case str() if key == "at_work":
                return say_process(value, self.words)
            case str() if INSTANT.fullmatch(value):
                return self.moment(datetime.fromisoformat(value))
        return self._named(key, str(value))

    def moment(self, at: datetime) -> str:
        """Return an instant on the workspace's clock: `today 14:05`, or with its day."""
        local = at.astimezone(self._zone)
        time = f"{local:%H:%M}"
        match local.date() - self._today:
            case timedelta(days=-1):
                return self.words.say("yesterday {time}", time=time)
            case timedelta(days=0):
                return self.words.say("today {time}", time=time)
            case timedelta(days=1):
                return self.words.say("tomorrow {time}", time=time)
        return f"{self.words.date(local.date())}, {time}"

    def duration(self, seconds: float) -> str:
        """Return how long something took: `7.9 s`, `3 min 20 s`, `1 h 5 min`."""
        if seconds < 60:
            return self.words.say("{seconds} s", seconds=self.words.number(seconds))
        minutes, rest = divmod(round(seconds), 60)
        if minutes < 60:
            return self.words.say(
                "{minutes} min {seconds} s", minutes=minutes, seconds=rest
            )
        hours, rest = divmod(minutes, 60)
        return self.words.say("{hours} h {minutes} min", hours=hours, minutes=rest)

    def _lines(self, data: Mapping[str, Any]) -> Iterable[str]:
        """Yield the parts that say something; in what workspace they are is said above them."""
        for key, part in data.items():
            if key not in ("workspace", "problems") and part not in (
                None,
                [],
                "",
                False,
            ):
                yield f"{self.label(key)}: {self.cell(key, part)}"

    def _brief(self, counts: Mapping[str, Any]) -> str:
        parts = (f"{self.label(key)} {number}" for key, number in counts.items())
        return ", ".join(parts) or NOTHING

    def _named(self, key: str, value: str) -> str:
        if key == "trigger":
            return say_trigger(value, self.words)
        name = NAMES.get(key, {}).get(value)
        return self.words.say(name) if name else value
