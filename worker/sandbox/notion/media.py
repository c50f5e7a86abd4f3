"""Files in values, blocks, icons and covers: external addresses, uploads, and the fresh address shown on each read."""

from __future__ import annotations

from typing import Any

from worker.sandbox.notion.errors import MISSING, should_be, too_long
from worker.sandbox.notion.files import hosted_file, resolve_upload
from worker.sandbox.notion.store import Store, plain_id

URL_LIMIT = 2000
ICONS = ("emoji", "external", "custom_emoji", "file_upload", "file", "icon")
COVERS = ("external", "file_upload", "file")


def parse_file(store: Store, given: Any, path: str) -> dict[str, Any]:
    """Return a stored file with its name: `external`, `file` (echoed back) or `file_upload`."""
    if not isinstance(given, dict):
        raise should_be(path, "an object", given)
    if isinstance(given.get("file_upload"), dict):
        upload = resolve_upload(store, str(given["file_upload"].get("id")))
        return {"name": given.get("name") or upload.filename or "file", **_uploaded(upload.id)}
    kind = next((key for key in ("external", "file") if isinstance(given.get(key), dict)), None)
    if kind is None:
        raise should_be(f"{path}.external", "defined", MISSING)
    url = given[kind].get("url")
    if not isinstance(url, str):
        raise should_be(f"{path}.{kind}.url", "a string", url)
    if len(url) > URL_LIMIT:
        raise too_long(f"{path}.{kind}.url", URL_LIMIT, len(url))
    return {"name": given.get("name") or url.rsplit("/", 1)[-1] or url, "type": kind, kind: given[kind]}


def _uploaded(upload_id: str) -> dict[str, Any]:
    return {"type": "file_upload", "file_upload": {"id": plain_id(upload_id)}}


def show_file(store: Store, kept: dict[str, Any]) -> dict[str, Any]:
    """Return a stored file, icon, cover or media payload as answers show it: uploads as hosted files."""
    if kept.get("type") != "file_upload":
        return kept
    rest = {key: value for key, value in kept.items() if key not in ("type", "file_upload")}
    return rest | {"type": "file", "file": hosted_file(store, kept["file_upload"]["id"])}


def shown_or_none(store: Store, kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored icon or cover as answers show it."""
    return show_file(store, kept) if kept else None


def read_icon(store: Store, given: Any) -> dict[str, Any] | None:
    """Return a checked icon in stored form."""
    return _look(store, given, ICONS, "body.icon.emoji")


def read_cover(store: Store, given: Any) -> dict[str, Any] | None:
    """Return a checked cover in stored form."""
    return _look(store, given, COVERS, "body.cover.external")


def _look(store: Store, given: Any, kinds: tuple[str, ...], expected: str) -> dict[str, Any] | None:
    if given is None:
        return None
    kind = next((one for one in kinds if isinstance(given, dict) and one in given), None)
    if kind is None:
        raise should_be(expected, "defined", MISSING)
    if kind == "file_upload":
        return _uploaded(resolve_upload(store, str(given[kind].get("id"))).id)
    return {"type": kind, kind: given[kind]}
