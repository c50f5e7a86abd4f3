"""Whether a lock closes over itself: everything that is asked for, wherever it is installed, has its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

Environment = dict[str, str]
Needs = Callable[[str], list[Requirement] | None]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux": ("linux", "posix", "x86_64"),
    "Darwin": ("darwin", "posix", "arm64"),
    "Windows": ("win32", "nt", "AMD64"),
}


def environments() -> dict[str, Environment]:
    """Return what markers are compared with, for each Python on each system."""
    return {
        f"{system}-{python}": {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": os_name,
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": platform,
        }
        for system, (platform, os_name, machine) in SYSTEMS.items()
        for python in PYTHONS
    }


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int

    def holds(self, environment: Environment) -> bool:
        """Tell whether the line is meant for an environment."""
        return self.marker is None or self.marker.evaluate({"extra": "", **environment})


def pins_of(text: str) -> list[Pin]:
    """Return the lines of a lock; raises `ValueError` for one that pins nothing."""
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*$", "", text)).splitlines()
    return [_pin(line) for line in lines if line.strip()]


def _pin(line: str) -> Pin:
    asked, *hashes = re.split(r"\s+--hash=", line.strip())
    wanted = Requirement(asked)
    exact = re.fullmatch(r"==([^*,]+)", str(wanted.specifier))
    if exact is None or not all(
        re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes
    ):
        raise ValueError(f"is no exact version with its hashes: {line.strip()[:80]}")
    name = canonicalize_name(wanted.name)
    return Pin(name, Version(exact[1]), wanted.marker, len(hashes))


def roots_of(project: Path, extras: Iterable[str]) -> list[Requirement]:
    """Return what a pyproject asks for itself: its dependencies, those of some extras."""
    table = tomllib.loads(project.read_text("utf-8"))["project"]
    asked = [*table["dependencies"]]
    for extra in extras:
        asked += table["optional-dependencies"][extra]
    return [Requirement(one) for one in asked]


def needs_of_installed(name: str) -> list[Requirement] | None:
    """Return what an installed distribution asks for; None when it is not installed."""
    try:
        return [Requirement(one) for one in distribution(name).requires or ()]
    except PackageNotFoundError:
        return None


def gaps(
    pins: Iterable[Pin],
    roots: Iterable[Requirement],
    environment: Environment,
    needs: Needs = needs_of_installed,
) -> list[str]:
    """Return what an installation in an environment would miss, a sentence each."""
    held: dict[str, list[Pin]] = {}
    for pin in pins:
        if pin.holds(environment):
            held.setdefault(pin.name, []).append(pin)
    found = [
        f"{name} has {len(several)} lines"
        for name, several in held.items()
        if len(several) > 1
    ]

    waiting = [("the project", one, "") for one in roots]
    seen: set[tuple[str, str]] = set()
    while waiting:
        asker, wanted, extra = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate(
            {**environment, "extra": extra}
        ):
            continue
        name = canonicalize_name(wanted.name)
        found += _misfits(asker, wanted, held.get(name, []))
        for part in {"", *wanted.extras} if name in held else ():
            if (name, part) not in seen:
                seen.add((name, part))
                waiting += [(name, one, part) for one in needs(name) or ()]
    return found


def _misfits(asker: str, wanted: Requirement, pins: Iterable[Pin]) -> Iterator[str]:
    asked = f"{wanted.name}{wanted.specifier} for {asker}"
    if not pins:
        yield f"{asked} has no line"
    for pin in pins:
        if not wanted.specifier.contains(pin.version, prereleases=True):
            yield f"{asked} is pinned at {pin.version}"
