"""Writing answers into a configuration: what stands there, comments too, stays; tokens go where the user keeps them."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table
from tomlkit.toml_document import TOMLDocument

from worker.cli.interview.places import PLACES, Way, value_of
from worker.cli.interview.questions import SECRETS, Answers
from worker.domain.messages import message

SYSTEMD_FOLDER = "/etc/rayline/secrets"
"""Where systemd takes credentials from, as deploy/systemd says."""


class Keeping(StrEnum):
    """Where tokens are kept: in files beside the configuration, in the environment, or as credentials of systemd."""

    FILE = "file"
    ENVIRONMENT = "environment"
    SYSTEMD = "systemd"


KEPT: Mapping[Keeping, str] = {
    Keeping.ENVIRONMENT: message(
        "The {side} token is written nowhere: set {variable} where rayline is started."
    ),
    Keeping.SYSTEMD: message(
        "The {side} token is written nowhere: put it into {file} (root, mode 600), from where systemd takes it as a "
        "credential."
    ),
}
"""What is to be done for a token that this program does not keep."""


def read_document(file: Path) -> TOMLDocument:
    """Return a configuration with its comments; empty when there is none. The file was found to be TOML before."""
    if not file.exists():
        return tomlkit.document()
    with suppress(TOMLKitError):
        return tomlkit.parse(file.read_text("utf-8-sig"))
    raise ValueError(f"{file} cannot be changed")


def write_answers(
    file: Path, document: TOMLDocument, *, name: str, answers: Answers, keeping: Keeping
) -> None:
    """Write the given answers of one workspace into a document and that into its file; others stay as they are.

    The file is new and whole, or the old one: it is readable by the owner alone when it is made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not document:
        # Two configurations side by side must not share a memory.
        document["state"] = f"sqlite:///state/{file.stem}.db"
    table = _table(_table(document, "workspaces"), name)
    for key, way in PLACES.items():
        if key in SECRETS:
            continue
        if key in answers:
            _set(table, way, value_of(key, answers[key]))
    for key, side in SECRETS.items():
        if answers.get(key):
            place = _keep(file, name, side, token=answers[key], keeping=keeping)
            _set(table, (side, "token"), None)
            _set(table, (side, "token_file"), place)
    _replace(file, tomlkit.dumps(document))


def _table(outer: Container | Table, name: str) -> Table:
    """Return a table in another, made when it is not there."""
    if name not in outer:
        is_super = name == "workspaces"
        outer[name] = tomlkit.table(is_super_table=is_super)
    found = outer[name]
    if not isinstance(found, Table):
        raise TypeError(f"{name} is no table")
    return found


def _set(table: Table, way: Way, value: object) -> None:
    """Put a value at a place, or take away what stands there."""
    first, *rest = way
    if rest:
        if value is None and first not in table:
            return
        _set(_table(table, first), tuple(rest), value)
    elif value is not None:
        table[first] = value
    elif first in table:
        table.remove(first)


def _keep(
    file: Path, name: str, side: str, *, token: str, keeping: Keeping
) -> str | None:
    """Keep a token, and return what the configuration says of its place (None: nothing)."""
    if keeping is Keeping.ENVIRONMENT:
        return None
    if keeping is Keeping.SYSTEMD:
        return system_file(name, side)
    folder = file.parent / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / ".gitignore").exists():
        _write_new(folder / ".gitignore", "*\n")
    path = _free(folder, f"{file.stem}{_part(name)}-{side}-token")
    _write_new(path, token)
    return f"secrets/{path.name}"


def system_file(name: str, side: str) -> str:
    """Return where a token of a workspace lies from which systemd makes a credential; each has a file of its own."""
    part = _part(name).removeprefix("-")
    own = f"{part}-" if part else ""
    return f"{SYSTEMD_FOLDER}/{own}{side}-token"


def _part(name: str) -> str:
    """Return what of a workspace's name a file can be called by; the first workspace's is left out."""
    plain = re.sub(r"[^\w-]+", "-", name).strip("-")
    return f"-{plain}" if plain and name != "studio" else ""


def _free(folder: Path, name: str) -> Path:
    """Return the first free name: a file that is there may be the only copy of somebody's token."""
    numbered = (folder / f"{name}-{number}" for number in itertools.count(2))
    paths = itertools.chain([folder / name], numbered)
    return next(path for path in paths if not path.exists())


def _write_new(path: Path, text: str) -> None:
    opened = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        file.write(text)


def _replace(file: Path, text: str) -> None:
    """Put a text in the place of a file at once; a mode that was given to it stays."""
    target = file.resolve()
    descriptor, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    if target.exists():
        os.chmod(made, target.stat().st_mode & 0o777)
    os.replace(made, target)
