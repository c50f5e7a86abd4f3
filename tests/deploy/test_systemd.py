"""The units of systemd: what they leave open, what they start, and that the manager understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.commands import unknown_options
from tests.support.waiting import LONG

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
TIMERS = sorted(UNITS.glob("*.timer"))
MOST_EXPOSED = 2.0


def analyze(*words: str | Path) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_is_hardly_exposed(unit: Path) -> None:
    said = analyze("security", "--offline=yes", unit)
    overall = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert overall, said
    assert float(overall[1]) < MOST_EXPOSED


@pytest.mark.parametrize("unit", [*SERVICES, *TIMERS], ids=lambda unit: unit.name)
def test_systemd_understands_a_unit(unit: Path) -> None:
    said = analyze("verify", "--man=no", unit).splitlines()
    # Where it is installed is nowhere on this machine.
    strange = [line for line in said if "is not executable" not in line]
    assert strange == []


def test_a_timer_starts_a_service_that_is_there() -> None:
    for timer in TIMERS:
        assert timer.with_suffix(".service") in SERVICES


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_starts_a_command_with_options_that_it_knows(unit: Path) -> None:
    started = re.search(
        r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert started
    program, name, *words = started[1].split()
    assert Path(program).name == "rayline"
    assert unknown_options(name, words) == []
