"""The locks hold all that is asked for on every system and Python they are meant for, and nothing that can change."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.setup.locks import (
    Pin,
    environments,
    gaps,
    needs_of_installed,
    pins_of,
    roots_of,
)

ROOT = Path(__file__).parents[2]
LOCKS = {
    "requirements.lock": ("build",),
    "requirements-fleet.lock": ("build", "fleet", "alerts"),
    "requirements-dev.lock": ("build", "dev"),
}
ENVIRONMENTS = environments()


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("place", ENVIRONMENTS)
def test_everything_asked_for_has_its_line(name: str, place: str) -> None:
    roots = roots_of(ROOT / "pyproject.toml", LOCKS[name])
    assert gaps(pins_of(text_of(name)), roots, ENVIRONMENTS[place]) == []


def test_what_is_asked_for_was_read_from_the_very_versions_of_the_lock() -> None:
    pins = pins_of(text_of("requirements-dev.lock"))
    unread = [pin for pin in pins if needs_of_installed(pin.name) is None]
    read = [pin for pin in pins if pin not in unread]
    for_here = [pin for pin in read if pin.marker is None or pin.marker.evaluate()]
    installed = {pin.name: Version(version(pin.name)) for pin in for_here}
    assert [pin for pin in for_here if installed[pin.name] != pin.version] == []
    assert all(pin.marker for pin in unread), "only what is not for this machine misses"
    assert len(unread) < 4


@pytest.mark.parametrize("name", [*LOCKS, "requirements-installer.lock"])
def test_every_line_has_its_hashes_and_no_index_is_named(name: str) -> None:
    text = text_of(name)
    assert [pin.name for pin in pins_of(text) if not pin.hashes] == []
    assert re.findall(r"^-.*|.*://.*", text, re.MULTILINE) == []


def test_what_several_locks_hold_they_hold_alike() -> None:
    product, fleet, dev = (set(map(str, pins_of(text_of(name)))) for name in LOCKS)
    assert product <= fleet <= dev


def without(text: str, name: str) -> str:
    """Return a lock without the lines of one distribution."""
    found = re.sub(rf"(?m)^{name}==(?:.*\\\n)*.*\n", "", text)
    assert found != text
    return found


@pytest.mark.parametrize(
    ("name", "asked", "places"),
    [
        ("colorama", "colorama", {"Windows"}),
        ("tzdata", "tzdata", {"Windows"}),
        ("psycopg-binary", "psycopg-binary", {"Linux", "Darwin", "Windows"}),
        ("uvloop", "uvloop", {"Linux", "Darwin"}),
        ("h11", "h11", {"Linux", "Darwin", "Windows"}),
    ],
)
def test_a_line_that_misses_is_seen_where_it_is_needed(
    name: str, asked: str, places: set[str]
) -> None:
    pins = pins_of(without(text_of("requirements-dev.lock"), name))
    roots = roots_of(ROOT / "pyproject.toml", ("build", "dev"))
    for place, environment in ENVIRONMENTS.items():
        found = gaps(pins, roots, environment)
        assert any(asked in one for one in found) == (place.partition("-")[0] in places)
        assert all("has no line" in one for one in found)


@pytest.mark.parametrize(
    ("name", "pinned"),
    [("notion-client", "2.0.0"), ("httpcore", "0.1"), ("hatchling", "1.0")],
)
def test_a_version_that_nobody_asked_for_is_seen(name: str, pinned: str) -> None:
    text = text_of("requirements-dev.lock")
    wrong = re.sub(rf"(?m)^{name}==\S+", f"{name}=={pinned}", text)
    roots = roots_of(ROOT / "pyproject.toml", ("build", "dev"))
    found = gaps(pins_of(wrong), roots, ENVIRONMENTS["Linux-3.11"])
    assert any(name in one and f"is pinned at {pinned}" in one for one in found)


WORLD = {
    "outer": [
        Requirement("inner[toml]>=1.0"),
        Requirement("old; python_version<'3.12'"),
    ],
    "inner": [
        Requirement("leaf>=2; extra == 'toml'"),
        Requirement("never; extra == 'other'"),
    ],
}


def line(name: str, pinned: str, marker: str = "") -> str:
    return f"{name}=={pinned}{marker and f' ; {marker}'} --hash=sha256:{'0' * 64}\n"


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ([line("leaf", "2"), line("old", "1")], []),
        ([line("leaf", "2"), line("old", "1", "python_version < '3.12'")], []),
        ([line("leaf", "2")], ["old for outer has no line"]),
        ([line("old", "1")], ["leaf>=2 for inner has no line"]),
        ([line("leaf", "1"), line("old", "1")], ["leaf>=2 for inner is pinned at 1"]),
        (
            [line("leaf", "2", "sys_platform == 'win32'"), line("old", "1")],
            ["leaf>=2 for inner has no line"],
        ),
        (
            [line("leaf", "2"), line("leaf", "3"), line("old", "1")],
            ["leaf has 2 lines"],
        ),
    ],
)
def test_what_an_extra_asks_for_counts_and_what_another_place_needs_does_not(
    lines: list[str], missing: list[str]
) -> None:
    text = line("outer", "1.0") + line("inner", "1.5") + "".join(lines)
    found = gaps(
        pins_of(text),
        [Requirement("outer")],
        ENVIRONMENTS["Linux-3.11"],
        lambda name: WORLD.get(name, []),
    )
    assert found == missing


@pytest.mark.parametrize(
    "text",
    [
        "outer>=1.0 --hash=sha256:" + "0" * 64,
        "outer==1.*",
        "outer",
        "outer==1 --hash=md5:0",
    ],
)
def test_a_line_that_pins_nothing_is_no_line_of_a_lock(text: str) -> None:
    with pytest.raises(ValueError, match="exact version"):
        pins_of(text)


def test_a_line_for_another_system_does_not_count_here() -> None:
    (pin,) = pins_of(line("one", "1", "sys_platform == 'win32'"))
    assert isinstance(pin, Pin)
    assert [place for place, one in ENVIRONMENTS.items() if pin.holds(one)] == [
        place for place in ENVIRONMENTS if place.startswith("Windows")
    ]
