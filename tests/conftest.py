"""What a run survives, no test does: a rule or a page that failed anywhere in this process fails its test.

A run goes on without a rule or page that has a bug and tells it as a problem, and a test that looks elsewhere would
never see it. Only what is marked `fails_softly` is about that.

The chart engine is begun once for all cycles of a process, where a run begins and ends its own: starting it takes more
than the rest of a small cycle. What runs begin and end is tests/write/test_uploads.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

from worker import pages
from worker.method import run as rules
from worker.write import writer
from worker.write.uploads import Engines, open_engines

# By itself Hypothesis fails an example of over 200 ms, or inputs that are slow to make: on a busy machine any are. The
# same inputs on every machine, unless new ones are asked for (`make fuzz`): a change fails by what it changed.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("new_inputs", UNHURRIED)
settings.register_profile("same_inputs", UNHURRIED, derandomize=True, database=None)
settings.load_profile("same_inputs")

failures: list[Exception] = []


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what tests have counted, in the lines they gave under the name `told`."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == "told":
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "fails_softly: is about a rule or page that fails in a run"
    )
    for module in (rules, pages):
        _listen(module)


def _listen(module: Any) -> None:
    tell = module._failure

    def heard(where: Any, error: Any) -> Any:
        raised = sys.exc_info()[1]
        assert isinstance(raised, Exception)
        failures.append(raised)
        return tell(where, error)

    module._failure = heard


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    try:
        result = yield
        found = failures.copy()
    finally:
        failures.clear()
    if found and item.get_closest_marker("fails_softly") is None:
        raise ExceptionGroup("rules or pages failed in a run", found)
    return result


@pytest.fixture(scope="session", autouse=True)
def _one_chart_engine() -> Iterator[None]:
    """Have all cycles of this process draw in one process of the chart engine; a forked one has engines of its own."""
    process = os.getpid()
    kept = Engines()

    @contextmanager
    def open_kept() -> Iterator[Engines]:
        if os.getpid() == process:
            yield kept
            return
        with open_engines() as own:
            yield own

    with closing(kept), patch.object(writer, "open_engines", open_kept):
        yield
