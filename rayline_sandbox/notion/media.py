"""Files in values, blocks, icons and covers: external addresses, uploads, and the fresh address shown on each read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from rayline_sandbox.notion.errors import MISSING, should_be, too_long
from rayline_sandbox.notion.files import hosted_file, resolve_upload
from rayline_sandbox.notion.store import Store, plain_id

URL_LIMIT = 2000
ICONS = ("emoji", "external", "custom_emoji", "file_upload", "file", "icon")
COVERS = ("external", "file_upload", "file")
ICON_COLORS = (
    "gray",
    "lightgray",
    "brown",
    "yellow",
    "orange",
    "green",
    "blue",
    "purple",
    "pink",
    "red",
)

BUILT_IN = re.compile(
    r"https://(?:[\w-]+\.)*notion\.(?:so|com)/icons/"
    r"(?P<name>[^/?]+)_(?P<color>[a-z]+)\.svg(?:\?.*)?"
)


def parse_file(store: Store, given: Any, path: str) -> dict[str, Any]:
    """Return a stored file with its name: `external`, `file` (echoed back) or `file_upload`."""
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    name = given.get("name")
    if not isinstance(name, str | None):
        raise should_be(f"{path}.name", "a string", name)
    if isinstance(given.get("file_upload"), dict):
        upload = resolve_upload(store, str(given["file_upload"].get("id")))
        shown = _with_ending(name, upload.filename or "file")
        return {"name": shown, **_uploaded(upload.id)}
    kind = next(
        (key for key in ("external", "file") if isinstance(given.get(key), dict)), None
    )
    if kind is None:
        raise should_be(f"{path}.external", "defined", MISSING)
    address = LOOKS[kind](store, given[kind], f"{path}.{kind}")
    return {
        "name": name or address["url"].rsplit("/", 1)[-1] or address["url"],
        "type": kind,
        kind: address,
    }


def _with_ending(name: str | None, filename: str) -> str:
    """Return the name an upload is given, with the ending of its file when it has none (recorded)."""
    if not name:
        return filename
    if PurePath(name).suffix:
        return name
    return name + PurePath(filename).suffix


def _uploaded(upload_id: str) -> dict[str, Any]:
    return {"type": "file_upload", "file_upload": {"id": plain_id(upload_id)}}


def show_file(store: Store, kept: dict[str, Any]) -> dict[str, Any]:
    """Return a stored file, icon, cover or media payload as answers show it: uploads as hosted files."""
    if kept.get("type") != "file_upload":
        return kept
    rest = {
        key: value for key, value in kept.items() if key not in ("type", "file_upload")
    }
    return rest | {
        "type": "file",
        "file": hosted_file(store, kept["file_upload"]["id"]),
    }


def shown_or_none(store: Store, kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored icon or cover as answers show it."""
    return show_file(store, kept) if kept else None


def read_icon(
    store: Store, given: Any, path: str = "body.icon"
) -> dict[str, Any] | None:
    """Return a checked icon in stored form."""
    return _as_built_in(_look(store, given, ICONS, path))


def _as_built_in(icon: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an icon; one that is external at the address of a built-in one is that one (recorded)."""
    if icon is None or icon["type"] != "external":
        return icon
    found = BUILT_IN.fullmatch(icon["external"]["url"])
    if found is None or found["color"] not in ICON_COLORS:
        return icon
    return {"type": "icon", "icon": found.groupdict()}


def read_cover(
    store: Store, given: Any, path: str = "body.cover"
) -> dict[str, Any] | None:
    """Return a checked cover in stored form."""
    return _look(store, given, COVERS, path)


def _look(
    store: Store, given: Any, kinds: tuple[str, ...], path: str
) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise should_be(path, "an object or `null`", given)
    kind = given.get("type", next((one for one in kinds if one in given), None))
    if kind not in kinds or kind not in given:
        raise should_be(
            f"{path}.{kind if kind in kinds else kinds[0]}", "defined", MISSING
        )
    return {"type": kind, kind: LOOKS[kind](store, given[kind], f"{path}.{kind}")}


def _text(given: Any, path: str) -> str:
    if not isinstance(given, str) or not given:
        raise should_be(path, "a non-empty string", given)
    return given


def _object(given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    return given


def _emoji(_: Store, given: Any, path: str) -> str:
    return _text(given, path)


def _upload(store: Store, given: Any, path: str) -> dict[str, Any]:
    return {
        "id": resolve_upload(
            store, _text(_object(given, path).get("id", MISSING), f"{path}.id")
        ).id
    }


def _custom_emoji(_: Store, given: Any, path: str) -> dict[str, Any]:
    kept = _kept(_object(given, path), ("id", "name", "url"), path)
    return kept | {"id": plain_id(_text(given.get("id", MISSING), f"{path}.id"))}


def _built_in(_: Store, given: Any, path: str) -> dict[str, Any]:
    name = _text(_object(given, path).get("name", MISSING), f"{path}.name")
    color = given.get("color", "gray")
    if color not in ICON_COLORS:
        raise should_be(
            f"{path}.color",
            "one of " + ", ".join(f'`"{one}"`' for one in ICON_COLORS),
            color,
        )
    return {"name": name, "color": color}


def _addressed(*keys: str) -> Callable[[Store, Any, str], dict[str, Any]]:
    def read(_: Store, given: Any, path: str) -> dict[str, Any]:
        url = _text(_object(given, path).get("url", MISSING), f"{path}.url")
        if len(url) > URL_LIMIT:
            raise too_long(f"{path}.url", URL_LIMIT, len(url))
        return _kept(given, keys, path)

    return read


def _kept(given: dict[str, Any], keys: tuple[str, ...], path: str) -> dict[str, Any]:
    return {
        key: _text(given[key], f"{path}.{key}")
        for key in keys
        if given.get(key) is not None
    }


LOOKS: dict[str, Callable[[Store, Any, str], Any]] = {
    "emoji": _emoji,
    "external": _addressed("url"),
    "file": _addressed("url", "expiry_time"),
    "file_upload": _upload,
    "custom_emoji": _custom_emoji,
    "icon": _built_in,
}
