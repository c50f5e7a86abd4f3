"""Charts are drawn in processes that end; what kills, blocks or confuses one is a fault of that picture alone."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import vl_convert

from tests.support.waiting import wait_for
from worker.charts import specify
from worker.domain.charts import Chart, LoadCell, LoadMap, PlanFact, PlanPoint
from worker.write import uploads
from worker.write.uploads import Engines, NotDrawn, open_engines, options

MONDAY = date(2026, 11, 16)
DEADLY = "New\x0bsite"
HANGS = (sys.executable, "-c", "import time; time.sleep(3600)")
BABBLES = (sys.executable, "-c", "print('{\"size\": 9}\\nno picture', flush=True)")
REFUSED = "the chart engine refused it (ValueError)"
ENDS = (sys.executable, "-c", "")


def chart(title: str = "Plan", amount: str = "5") -> PlanFact:
    """Return a chart of one day."""
    points = (PlanPoint(MONDAY, Decimal(amount)),)
    return PlanFact(title, points, MONDAY, "plan", "fact", "now", "EUR")


def outcome(engines: Engines, one: Chart) -> str:
    """Return `drawn`, or why a chart was not."""
    try:
        picture = engines.draw(one)
    except NotDrawn as fault:
        return str(fault)
    return "drawn" if picture.startswith(uploads.PNG) else "something else"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every picture drawn, whatever other tests have drawn before."""
    monkeypatch.setattr(uploads, "_remembered", uploads._Remembered())


@pytest.fixture
def engines() -> Iterator[Engines]:
    with open_engines() as found:
        yield found


def children() -> set[int]:
    """Return the process ids of our children, the dead that nobody waited for among them."""
    tasks = Path("/proc/self/task")
    if not tasks.exists():
        pytest.skip("this system does not list a process's children in /proc")
    found: set[int] = set()
    for task in tasks.iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            found |= {int(one) for one in (task / "children").read_text().split()}
    return found


def test_a_picture_is_the_one_the_engine_gives_in_this_process(
    engines: Engines,
) -> None:
    for one in (chart(), chart("План"), LoadMap("Load", (), (), ())):
        here = vl_convert.vegalite_to_png(specify(one), scale=2.0, **options(one))
        assert engines.draw(one) == here
    assert engines.draw(chart()) == engines.draw(chart())


def test_a_name_that_kills_the_engine_costs_only_its_own_picture(
    engines: Engines,
) -> None:
    with pytest.raises(NotDrawn, match="ended without a picture"):
        engines.draw(chart(DEADLY))
    assert engines.draw(chart()).startswith(uploads.PNG)


def test_an_engine_that_was_killed_is_replaced(engines: Engines) -> None:
    before = children()
    engines.draw(chart())
    (engine,) = children() - before
    os.kill(engine, signal.SIGKILL)
    assert engines.draw(chart("again")).startswith(uploads.PNG)
    assert engine not in children()


def test_an_engine_that_stands_still_is_ended_and_the_next_picture_drawn() -> None:
    before = children()
    engines = Engines()
    engines.draw(chart())
    (engine,) = children() - before
    os.kill(engine, signal.SIGSTOP)
    assert engines._engine is not None
    engines._engine._patience = 0.2
    with pytest.raises(NotDrawn, match="in time"):
        engines.draw(chart("never"))
    assert engine not in children()
    assert engines.draw(chart("next")).startswith(uploads.PNG)
    engines.close()


def test_an_engine_that_always_hangs_is_not_waited_for_again_and_again() -> None:
    engines, before = Engines(command=HANGS, patience=0.2), children()
    for number in range(20):
        with pytest.raises(NotDrawn, match="in time"):
            engines.draw(chart(str(number)))
    assert children() == before
    assert engines._hung == uploads.MOST_HUNG


@pytest.mark.parametrize("command", [BABBLES, ENDS, ("/does/not/exist",)])
def test_nonsense_for_an_answer_is_no_picture(command: tuple[str, ...]) -> None:
    engines, before = Engines(command=command), children()
    with pytest.raises(NotDrawn, match="ended without a picture"):
        engines.draw(chart())
    engines.close()
    assert children() == before


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN", "1e999"])
def test_a_figure_that_is_no_number_is_said(engines: Engines, amount: str) -> None:
    broken: tuple[Chart, ...] = (
        chart(amount=amount),
        LoadMap("x", ("A",), ("w",), (LoadCell("A", "w", Decimal(amount)),)),
    )
    for one in broken:
        assert outcome(engines, one) in ("drawn", "a figure in it is not a number")
    assert engines.draw(chart()).startswith(uploads.PNG)


def test_half_a_character_is_a_fault_of_its_picture(engines: Engines) -> None:
    with pytest.raises(NotDrawn):
        engines.draw(chart("half \ud83d"))
    assert engines.draw(chart()).startswith(uploads.PNG)


def test_pictures_asked_for_side_by_side_are_drawn_by_one_process_that_does_not_stay() -> (
    None
):
    before, titles = children(), [f"chart {number}" for number in range(6)]
    with open_engines() as engines, ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(engines.draw, map(chart, titles)))
        assert len(children() - before) == 1
    assert len(set(drawn)) == 6
    assert children() == before


def test_the_engine_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Data(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"day,amount\n1,2\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Data)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    for name, spec in (
        ("data", {"data": {"url": f"{address}/a.csv"}, "mark": "point"}),
        (
            "image",
            {
                "data": {"values": [{"url": f"{address}/a.png"}]},
                "mark": "image",
                "encoding": {"url": {"field": "url"}},
            },
        ),
    ):
        monkeypatch.setattr(uploads, "specify", lambda _, spec=spec: spec)
        with open_engines() as engines:
            assert outcome(engines, chart(name)) in ("drawn", REFUSED)
    server.shutdown()
    assert asked == []


PARENT = """
import sys, time
from datetime import date
from worker.write.uploads import Engines
from worker.domain.charts import LoadMap
engines = Engines()
engines.draw(LoadMap("x", (), (), ()))
print(engines._engine._process.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_engine_ends_with_the_process_it_works_for(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        engine = int(parent.stdout.readline())
        parent.send_signal(number)
    wait_for(lambda: not _lives(engine), "the end of the engine")


def _lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_engine_is_given_no_secret_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN", "ntn_secret")
    tell_all = (
        sys.executable,
        "-c",
        f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))",
    )
    with pytest.raises(NotDrawn):
        Engines(command=tell_all).draw(chart())
    seen = (tmp_path / "seen").read_text()
    assert "PATH" in seen
    assert "ntn_secret" not in seen


def test_the_command_line_does_without_the_engine_in_its_own_process() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, worker.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"vl_convert", "altair"} & set(found.stdout.split())


def test_an_order_is_one_line_whatever_its_words() -> None:
    order = uploads._order(chart("a\nb\u2028c"))
    assert b"\n" not in order
    assert json.loads(order)["options"]["allowed_base_urls"] == []
