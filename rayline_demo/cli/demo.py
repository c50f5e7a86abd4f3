"""`demo` and `sandbox`: the whole thing on one machine, without any account."""

from __future__ import annotations

import gzip
import json
import secrets
import shutil
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from rayline_demo.acts import live_a_little
from rayline_demo.checks import WANTED, checks, last_entry, lost, writes
from rayline_demo.cli import season
from rayline_demo.developers import hire
from rayline_demo.live.lines import CycleLines
from rayline_demo.live.office import Office
from rayline_demo.live.pace import played
from rayline_demo.live.script import Script
from rayline_demo.rig import SEED
from rayline_demo.stage import (
    BUDGET,
    WINDOW,
    Stage,
    Staging,
    set_stage,
    write_configuration,
)
from rayline_sandbox import server
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock
from worker.app import logs
from worker.cli import exits, show
from worker.cli.session import JsonOption, fail, log_level, progress
from worker.cli.signals import ending_in_time, stop_on_signals
from worker.cli.usage import misuse, require_known
from worker.cli.voice import SPOKEN, voice
from worker.config import ConsolePerson, ConsoleSettings
from worker.cycle.context import Context, CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.daemon.instance import hold_workspaces
from worker.daemon.service import open_runner, serve
from worker.domain.messages import Text, message, render, tell
from worker.domain.os_errors import say_os_error
from worker.domain.words import Words
from worker.errors import RaylineError, Stopped
from worker.web.access import Access
from worker.web.desk import Desk
from worker.web.server import serve_console, sign_in_link

QUIET = "WARNING"
"""Who looks at a demo wants its addresses on the screen, not a line for each of some hundred changes."""
VISITOR = "visitor"
"""Who signs in to a demo's console by token, and whose programs ask it."""
PACE = 60.0
"""Seconds from one act of people to the next."""
CYCLES = {
    "first": message("first"),
    "second": message("second"),
    "third": message("third"),
}
LocaleOption = Annotated[
    str,
    typer.Option(
        "--locale",
        metavar="en|ru",
        help=message("The language of the boards: en or ru."),
    ),
]


def demo(
    once: Annotated[
        bool, typer.Option("--once", help=message("Three checked runs, then end."))
    ] = False,
    locale: LocaleOption = "ru",
    as_json: JsonOption = False,
    days: Annotated[
        int,
        typer.Option(
            metavar=message("NUMBER"),
            min=0,
            max=400,
            help=message("Live so many working days, checked, then end."),
        ),
    ] = 0,
    story: Annotated[
        str,
        typer.Option(
            metavar=message("NAME"),
            help=message("Live one storyline by name or number."),
        ),
    ] = "",
    seed: Annotated[
        int,
        typer.Option(
            metavar=message("NUMBER"),
            help=message("Which agency and which luck (--days)."),
        ),
    ] = SEED,
    start: Annotated[
        str,
        typer.Option(
            metavar=message("DAY"),
            help=message("First day of --days (default: of this quarter)."),
        ),
    ] = "",
    pace: Annotated[
        float,
        typer.Option(
            metavar=message("SECONDS"),
            min=0,
            help=message("Seconds from one act of people to the next; 0: none."),
        ),
    ] = PACE,
) -> None:
    """Run everything on an embedded sandbox: a sample agency, its boards in a browser, and Rayline at work."""
    stop = stop_on_signals()
    words = _voice(locale)
    if days or story:
        logs.configure(level=log_level(QUIET))
        _live(
            season.SeasonChoice(locale, days, story, seed, start),
            stop,
            words,
            as_json=as_json,
        )
    ended = exits.BUSY if once else exits.OK
    with (
        tempfile.TemporaryDirectory(prefix="rayline-demo-") as folder,
        progress(words, enabled=not as_json) as advance,
        ending_in_time(stop, lambda: _part(folder, words), ended),
    ):
        logs.configure(level=log_level(QUIET))
        show.say(
            words.say(
                "A sample agency in a sandbox; its rate limit is real but its minute lasts {seconds} s "
                "({budget} requests each), so that pacing is at work without long waits.",
                seconds=f"{WINDOW:g}",
                budget=BUDGET,
            )
        )
        try:
            stage = set_stage(
                Staging(
                    locale,
                    Path(folder),
                    control=not once,
                    # Other terminals look at a running demo by the clock of the machine.
                    start=None if once else datetime.now(UTC),
                    stop=stop,
                    progress=advance,
                )
            )
        except Stopped:
            show.say(words.say("Ended."))
            raise typer.Exit from None
        except RaylineError as error:
            fail(error, as_json=as_json, words=words)
        logs.configure([stage.notion.token, stage.jira.token], level=log_level(QUIET))
        run = _Run(stage, words, as_json)
        try:
            code = _once(run) if once else _keep_running(run, Path(folder), stop, pace)
        except RaylineError as error:
            fail(error, as_json=as_json, words=words)
        finally:
            stage.close()
    raise typer.Exit(code)


def _part(folder: str, words: Words) -> None:
    """Leave what is not done in time, and nothing of it behind."""
    shutil.rmtree(folder, ignore_errors=True)
    show.say(words.say("Ended."))


def _live(
    choice: season.SeasonChoice, stop: threading.Event, words: Words, *, as_json: bool
) -> None:
    with progress(words, enabled=not as_json) as advance:
        try:
            code = season.run(choice, stop, advance, as_json=as_json)
        except RaylineError as error:
            fail(error, as_json=as_json, words=words)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Run:
    """A stage that is set, and how what happens on it is told."""

    stage: Stage
    words: Words
    as_json: bool

    def say(self, line: str) -> None:
        """Say what happened at this moment; programs are told nothing of it."""
        if not self.as_json:
            now = datetime.now(UTC).astimezone()
            show.say(f"{now:%H:%M:%S}  {line}")


def _once(run: _Run) -> int:
    """Run three cycles with people at work before the second; return the exit code."""
    stage, words = run.stage, run.words
    reports = {"first": _cycle(stage, "first", words)}
    deeds = live_a_little(stage)
    for deed in deeds.told:
        line = words.say("people: {deed}", deed=deed)
        show.say(f"  {line}")
    reports["second"] = _cycle(stage, "second", words)
    before = last_entry(stage)
    reports["third"] = _cycle(stage, "third", words)
    results = checks(stage, deeds, third_writes=writes(stage, before))
    if run.as_json:
        show.print_json(
            {
                **{name: report.data() for name, report in reports.items()},
                "checks": results,
            }
        )
    else:
        show.console().print_json(json.dumps(results))
    for deed in lost(stage, deeds):
        show.say(words.say("Lost: {deed}", deed=deed))
    return exits.OK if results == WANTED else exits.BUG


def _cycle(stage: Stage, name: str, words: Words) -> Report:
    report = sync(stage.context, CycleRequest(Mode.FULL, name))
    show.say(
        words.say(
            "{name}: {create} created, {update} updated, {sections} sections, {archive} archived, {kept} kept, "
            "{problems} problems, {notion} Notion and {jira} Jira requests, {seconds} s",
            name=words.say(CYCLES[name]),
            **report.applied.counts(),
            kept=len(report.plan.kept),
            problems=len(report.plan.problems),
            notion=report.requests["notion"],
            jira=report.requests["jira"],
            seconds=words.number(report.seconds),
        )
    )
    return report


def _keep_running(run: _Run, folder: Path, stop: threading.Event, pace: float) -> int:
    stage, words = run.stage, run.words
    person = ConsolePerson(role="operator", token=SecretStr(secrets.token_hex(24)))
    settings = ConsoleSettings(
        feed_key=SecretStr(secrets.token_hex(24)), people={VISITOR: person}
    )
    desk = open_desk(stage, settings)
    lines = CycleLines(words, stage.context.schema)

    def tell_cycle(report: Report) -> None:
        for line in lines.of(report):
            run.say(line)

    def tell_act(act: Text) -> None:
        run.say(render(act, words))

    script = Script(_open_office(stage), SEED)
    with serve_console(desk, "127.0.0.1:0") as console:
        stage.subscribe(console)
        listening = {"listen": console.removeprefix("http://")}
        file = write_configuration(stage, folder, settings.model_copy(update=listening))
        link = sign_in_link(desk, console, life=None)
        token = person.token.get_secret_value()
        _tell_addresses(run, file, _Console(console, link, token))
        runner = open_runner(stage.context, tell_cycle)
        with (
            _one_daemon(stage.context) as check,
            played(script, seconds=pace, stop=stop, say=tell_act),
        ):
            serve([runner], stop, check)
    show.say(words.say("Ended."))
    return exits.OK


def _one_daemon(context: Context) -> AbstractContextManager[Callable[[], None]]:
    """Be the one daemon of the workspace: `rayline run` on the same file is refused."""
    silence = timedelta(seconds=context.settings.schedule.lease)
    return hold_workspaces(context.store, {context.name: silence}, owner=context.owner)


def _open_office(stage: Stage) -> Office:
    developers = hire(stage.agency, stage, Random(SEED))
    return Office(stage, stage.agency, stage.cast, stage.scribe, developers)


def open_desk(stage: Stage, settings: ConsoleSettings | None = None) -> Desk:
    """Return the console's desk: pages are looked at on the sandbox's boards."""
    boards = stage.sockets.boards_url
    contexts = {stage.context.name: stage.context}
    settings = settings or ConsoleSettings()
    return Desk(
        lambda: contexts,
        settings,
        Access(settings.people),
        page_url=lambda page_id: f"{boards}/p/{page_id.replace('-', '')}",
        boards_url=boards,
    )


@dataclass(frozen=True, slots=True)
class _Console:
    """Where a demo's console is, the link that signs in to it, and the token by which programs ask it."""

    url: str
    link: str
    token: str


def _tell_addresses(run: _Run, file: Path, console: _Console) -> None:
    described = run.stage.sockets.describe()
    words = run.words
    if run.as_json:
        more = {
            "console_url": console.url,
            "console_token": console.token,
            "sign_in_link": console.link,
            "config": str(file),
        }
        show.print_json({**described, **more})
    for name, address in (
        (words.say("Console"), console.link),
        (words.say("Boards"), described["boards_url"]),
        (words.say("Control API"), described["control_url"]),
        ("Notion", described["notion"]["base_url"]),
        ("Jira", described["jira"]["base_url"]),
    ):
        show.say(f"{name + ':':<16}{address}")
    show.say(
        words.say(
            "The daemon hears of changes at once, and looks every {seconds} seconds besides. Ctrl-C ends it.",
            seconds=f"{run.stage.context.settings.schedule.delta:g}",
        )
    )
    show.say(words.say("In another terminal:"))
    card = run.stage.agency.cards[0].name
    for command in ("status", f'explain "{card}#progress"', "trigger --wait 60"):
        show.say(f"  {_own_command()} {command} -c {file}")
    asked = f"{console.url}/api/v1/workspaces/{run.stage.context.name}/sync"
    show.say(
        f'  curl -d "{{}}" -H "Content-Type: application/json" -H "Authorization: Bearer {console.token}" {asked}'
    )


def _own_command() -> str:
    """Return how a shell finds this program: by its name, or where it is not on the way, by its path."""
    beside = Path(sys.executable).with_name("rayline")
    known = shutil.which("rayline")
    if known is not None and Path(known).resolve() == beside.resolve():
        return "rayline"
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)


def sandbox(
    empty: Annotated[
        bool, typer.Option("--empty", help=message("An empty workspace."))
    ] = False,
    jira_data: Annotated[
        Path | None,
        typer.Option(
            metavar=message("FILE"),
            help=message("Real Jira issues as JSON lines (.gz too)."),
        ),
    ] = None,
    deployment: Annotated[
        str,
        typer.Option(
            metavar="cloud|datacenter", help=message("Which Jira: cloud or datacenter.")
        ),
    ] = "cloud",
    control: Annotated[
        bool, typer.Option("--control", help=message("Switch the control API on."))
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            metavar=message("NUMBER"),
            min=0,
            help=message("Notion requests a minute (0: no limit)."),
        ),
    ] = BUDGET,
    locale: LocaleOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Serve only the two emulators on real sockets, and their boards; print addresses and tokens."""
    stop = stop_on_signals()
    words = _voice(locale)
    require_known("--deployment", deployment, ("cloud", "datacenter"))
    with (
        tempfile.TemporaryDirectory(prefix="rayline-sandbox-") as folder,
        ending_in_time(stop, lambda: _part(folder, words), exits.OK),
    ):
        try:
            running, close = _open_sandbox(
                folder,
                empty=empty or jira_data is not None,
                deployment=deployment,
                control=control,
                limit=limit,
                locale=locale,
                stop=stop,
            )
        except Stopped:
            return
        try:
            if jira_data is not None:
                _load(running.jira, jira_data, words)
            _describe(running.describe(), words, as_json=as_json)
            stop.wait()
        finally:
            close()


def _open_sandbox(
    folder: str,
    *,
    empty: bool,
    deployment: str,
    control: bool,
    limit: int,
    locale: str,
    stop: threading.Event,
) -> tuple[server.Running, Any]:
    if not empty:
        stage = set_stage(Staging(locale, Path(folder), control=control, stop=stop))
        stage.notion.control("set_plan", {"limit": limit or None, "window": 60.0})
        return stage.sockets, stage.close
    clock = Clock(datetime.now(UTC), 1.0, time.monotonic)
    running = server.serve(
        NotionSandbox(clock, limit=limit or None),
        JiraSandbox(clock, deployment=deployment),
        control=control,
        locale=locale,
    )
    return running, running.stop


def _load(jira: Any, path: Path, words: Words) -> None:
    try:
        lines = _read_lines(path)
    except OSError as error:
        reason = tell(
            "{file} cannot be read: {error}", file=path, error=say_os_error(error)
        )
        raise misuse("--jira-data", reason) from None
    except (EOFError, zlib.error) as error:
        reason = tell("{file} cannot be unpacked: {error}", file=path, error=error)
        raise misuse("--jira-data", reason) from None
    count = jira.load_jsonl(lines)
    show.say(
        words.count(
            "{n} issue loaded from {file}",
            "{n} issues loaded from {file}",
            count,
            file=path.name,
        )
    )


def _read_lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.splitlines()


def _describe(data: dict[str, Any], words: Words, *, as_json: bool) -> None:
    if as_json:
        show.print_json(data)
    else:
        say = words.say
        show.console().print(
            show.table_view(
                say("Sandbox"),
                ("", ""),
                [
                    ("Notion", data["notion"]["base_url"]),
                    ("  " + say("token"), data["notion"]["token"]),
                    ("  " + say("root page"), data["notion"]["root_page_id"]),
                    ("Jira", data["jira"]["base_url"]),
                    ("  " + say("e-mail"), data["jira"]["email"]),
                    ("  " + say("token"), data["jira"]["token"]),
                    (say("Boards"), data["boards_url"]),
                    (
                        say("Control API"),
                        data["control_url"]
                        or say("off ({option})", option="--control"),
                    ),
                ],
            )
        )


def _voice(locale: str) -> Words:
    """Return the language of who sits at the machine: the boards of a demo may be in another."""
    require_known("--locale", locale, SPOKEN)
    return voice()
