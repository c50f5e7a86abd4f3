"""Nothing in people's words is obeyed by a terminal: escapes, turns of direction and markup are shown as they are."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from rich.console import RenderableType
from typer.testing import CliRunner

from tests.support.stages import Play, rayline, small_play, write_config
from tests.support.worlds import world
from worker.cli import app, prose, show
from worker.cycle.report import Report
from worker.domain.document import Paragraph
from worker.domain.messages import literal
from worker.domain.text import visible
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import (
    Code,
    ConfigError,
    Denied,
    Problem,
    Rejected,
    RenderedProblem,
    Severity,
    Transient,
)
from worker.mapping.load import load_schema
from worker.plan.facts import Fact, Input, Why
from worker.plan.plan import Change, FieldChange, Kept, Kind, Plan
from worker.plan.reading import Reader
from worker.state import problems, runs
from worker.state.store import Store

HOSTILE = (
    "X\x1b[2J\x1b[31mall is well\x9b\x00\u202e\u2066\u2028\x7f[/red] [red]:smile: \x07"
)
SHOWN = visible(HOSTILE)
OWN_COMMANDS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WORDS = Words()
WHY = Why(HOSTILE, (Input(HOSTILE, HOSTILE, HOSTILE),), HOSTILE, HOSTILE)
FAULT = Problem(
    code=Code.CONFIG,
    where=literal(HOSTILE),
    field=HOSTILE,
    message=literal(HOSTILE),
    hint=literal(HOSTILE),
    url=HOSTILE,
)
PROBLEM = RenderedProblem(
    code=HOSTILE,
    where=HOSTILE,
    field=HOSTILE,
    message=HOSTILE,
    hint=HOSTILE,
    url=HOSTILE,
    severity=Severity.ERROR,
)
REF = Ref("risks", HOSTILE)
PLAN = Plan(
    HOSTILE,
    (
        Change(
            Kind.UPDATE,
            REF,
            HOSTILE,
            HOSTILE,
            (FieldChange("name", HOSTILE, (HOSTILE, REF.key), WHY, drift=True),),
        ),
        Change(Kind.SECTION, REF, HOSTILE, "", blocks=(Paragraph(HOSTILE),)),
        Change(Kind.ARCHIVE, REF, HOSTILE, HOSTILE, why=WHY),
    ),
    (Kept(REF, HOSTILE, "name", HOSTILE, HOSTILE, conflict=True),),
    (PROBLEM,),
)


class Terminal(io.StringIO):
    """An output that says it is a terminal, or not."""

    def __init__(self, *, watched: bool) -> None:
        super().__init__()
        self._watched = watched

    def isatty(self) -> bool:
        """Tell whether a person watches."""
        return self._watched


def views() -> Iterator[RenderableType]:
    """Yield all that this program shows, made of hostile words."""
    schema = load_schema(None, currency="EUR")
    reader = Reader(schema, WORDS, ZoneInfo("UTC"), str)
    report = Report(1, HOSTILE, 1.0, {"notion": 1, "jira": 2}, PLAN, (PROBLEM,))
    yield show.plan_view(PLAN, reader)
    yield show.digest_view(PLAN, world(), reader)
    yield show.report_view(report, WORDS, schema)
    yield show.problems_view([PROBLEM], WORDS)
    yield show.table_view(HOSTILE, (HOSTILE, "b"), [(HOSTILE, 1)])
    fact = Fact(Ref("risks", "r"), "name", HOSTILE, WHY)
    yield show.why_view([fact], reader, title=HOSTILE)
    yield HOSTILE
    for error in (
        ConfigError([FAULT]),
        Denied("notion", HOSTILE, HOSTILE),
        Rejected("jira", HOSTILE, HOSTILE, field=HOSTILE),
        Transient("jira", HOSTILE, HOSTILE),
    ):
        yield prose.explain(error, WORDS)


@pytest.mark.parametrize("watched", [True, False])
def test_every_view_shows_hostile_words_as_they_are(
    monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "4000")
    for view in views():
        out = Terminal(watched=watched)
        monkeypatch.setattr("sys.stdout", out)
        show.console().print(view)
        said = OWN_COMMANDS.sub("", out.getvalue()) if watched else out.getvalue()
        assert visible(said, kept="\n") == said
        joined = said.replace("\n", "").replace(" ", "")
        assert r"X\x1b[2J\x1b[31mallis" in joined
        assert "[red]:smile:" in joined or len(joined) < 400


def test_columns_of_a_table_stay_columns_beside_hostile_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Terminal(watched=False)
    monkeypatch.setattr("sys.stdout", out)
    rows = [("a\x1b[2J", "one"), ("b", "two")]
    show.console().print(show.table_view("t", ("name", "number"), rows))
    lines = out.getvalue().splitlines()
    assert lines[-2].index("one") == lines[-1].index("two") == lines[-3].index("number")


def test_plain_lines_and_json_are_as_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(watched=True), Terminal(watched=True)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    show.say(f"{HOSTILE}\ud800")
    show.print_json({HOSTILE: [HOSTILE, "\ud800 \U0001ffff"]})
    assert visible(err.getvalue(), kept="\n") == err.getvalue()
    assert visible(out.getvalue(), kept="\n") == out.getvalue()
    assert json.loads(out.getvalue()) == {HOSTILE: [HOSTILE, "\ud800 \U0001ffff"]}
    assert out.getvalue().count("\n") == 1


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Yield a stage whose names are hostile and whose state holds what an earlier version has stored of them."""
    with small_play(tmp_path_factory.mktemp("output")) as found:
        for index in range(3):
            piece = {"type": "text", "text": {"content": HOSTILE}}
            raw = {**piece, "plain_text": HOSTILE, "annotations": {}, "href": None}
            for source in ("clients", "projects", "people"):
                page = found.page(source, index)
                found.garble(source, page, "name", [raw])
        found.stage.jira.control(
            "edit",
            {"issue": "ACME-5", "fields": {"summary": HOSTILE.replace("\n", "")}},
        )
        write_config(found)
        yield found


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check",),
    ("plan",),
    ("plan", HOSTILE.replace("\x00", "")),
    ("sync",),
    ("status",),
    ("runs",),
    ("runs", "1"),
    ("runs", "99"),
    ("explain", "all is well"),
    ("explain", HOSTILE.replace("\x00", "")),
    ("trigger", HOSTILE.replace("\x00", "")),
)


@pytest.fixture
def _logs_put_back() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger("worker").level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger("worker").setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logs_put_back")
def test_no_command_lets_a_name_reach_the_terminal_as_a_command(play: Play) -> None:
    config = str(play.folder / "rayline.toml")
    for words in COMMANDS:
        for form in ((), ("--json",)):
            ended = CliRunner().invoke(
                app, [*words, *form, "-c", config], env={"RAYLINE_LOG": "DEBUG"}
            )
            _check(words, ended.exit_code, ended.stdout, ended.stderr)
        if words == ("sync",):
            _store_as_before(play)
    for name in ("status", "check"):
        process = rayline(name, home=play.folder, RAYLINE_LOG="DEBUG")
        _check((name,), process.returncode, process.stdout, process.stderr)


def _check(words: tuple[str, ...], code: int, *outputs: str) -> None:
    for said in outputs:
        assert visible(said, kept="\n\t") == said, words
        assert "Traceback" not in said
    assert code in (0, 2), (words, outputs)


def _store_as_before(play: Play) -> None:
    """Keep a plan and problems with raw names in the state, as versions that did not clean them have."""
    store = Store(f"sqlite:///{Path(play.folder) / 'cli.db'}")
    now = play.stage.clock.now()
    with store.transaction("studio") as tx:
        run = runs.recent(tx, 1)[0]
        runs.save_plan(tx, PLAN, run.id, now=now)
        problems.replace(tx, [PROBLEM], now=now)
        runs.finish(
            tx,
            run.id,
            runs.RunStatus.FAILED,
            outcome={"checksum": PLAN.checksum(), "error": HOSTILE},
            requests={},
            now=now,
        )
    store.close()


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_database_that_takes_no_row_shows_nobody_the_rows(
    play: Play, form: tuple[str, ...]
) -> None:
    state = play.folder / f"full{len(form)}.db"
    write_config(play, name="full.toml", state=state.name)
    store = Store(f"sqlite:///{state}")
    with store.transaction("studio") as tx:
        tx.connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON pages BEGIN "
            "SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    store.close()
    play.disown()
    ended = rayline("sync", "-c", "full.toml", *form, home=play.folder)
    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    assert "database or disk is full" in said
    assert not [
        one for one in ("Gamma", "Carla", "studio.example", "acc-") if one in said
    ]
