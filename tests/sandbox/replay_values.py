"""Values of recorded answers: what the API cannot set is set in the emulator, then answers are compared by value.

Ids are mapped, instants and the addresses of files are left out; everything else is equal, the order of lists too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from replay import ID_KEY, Cassette, IdMap
from replay_seed import COLUMN, presupposed

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.files import uploads
from rayline_sandbox.notion.richtext import parse_rich_text
from rayline_sandbox.notion.store import Record

Json = dict[str, Any]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
INTEGRATION = re.compile(r'your integration \\"(.+?)\\"')
FORMER_PAGES = ("https://www.notion.so/", "https://app.notion.com/p/")
UNCOMPARED = {"request_id", "max_file_upload_size_in_bytes"}
"""The recordings are of a free workspace, the emulator is a paid one."""
FILE_PATHS = re.compile(r"\.(file|external)\.url$|avatar_url$")


# What a recording presupposes.


def name_people(sandbox: NotionSandbox, cassette: Cassette, ids: IdMap) -> None:
    """Give the workspace, its bot and its people the names of the recording."""
    store = sandbox.store
    for user in presupposed(cassette).users.values():
        is_bot = user.get("type") == "bot"
        actual = sandbox.bot_id if is_bot else sandbox.owner_id
        if not is_bot and actual in ids.uuids.values():
            actual = store.add_user(user["name"]).id
        ids.pair(user["id"], actual)
        known = store.users[actual]
        known.name = user.get("name") or known.name
        known.avatar_url = user.get("avatar_url")
        known.email = (user.get("person") or {}).get("email", known.email)
        store.workspace_name = (user.get("bot") or {}).get(
            "workspace_name", store.workspace_name
        )
    everything = "".join(json.dumps(one.answer) for one in cassette.exchanges)
    named = INTEGRATION.search(everything)
    shown = re.search(r'"type": "integration", "resolved_name": "(.+?)"', everything)
    found = named or shown
    store.integration = found[1] if found else store.integration
    for _, _, workspace in COLUMN.findall(everything):
        ids.pair(workspace, store.workspace_id)


def set_the_rest(sandbox: NotionSandbox, cassette: Cassette, ids: IdMap) -> None:
    """Set what the API cannot: instants, authors, numbers, what is in the trash, and the sizes of files."""
    wanted = presupposed(cassette)
    store = sandbox.store
    for recorded in wanted.pages.values():
        page = store.pages[ids.translate(recorded["id"])]
        _set_record(sandbox, page, recorded, ids)
        for value in recorded["properties"].values():
            if value["type"] == "unique_id":
                page.values[unquote(ids.segment(value["id"]))] = value["unique_id"][
                    "number"
                ]
    for recorded in wanted.data_sources.values():
        source = store.data_sources[ids.translate(recorded["id"])]
        _set_record(sandbox, source, recorded, ids)
        source.in_trash = recorded["in_trash"]
        source.description = parse_rich_text(store, recorded["description"], "")
    _set_uploads(sandbox, list(wanted.uploads.values()), ids)


def _set_record(
    sandbox: NotionSandbox, record: Record, recorded: Json, ids: IdMap
) -> None:
    record.created = datetime.fromisoformat(recorded["created_time"])
    record.edited = datetime.fromisoformat(recorded["last_edited_time"])
    record.created_by = _author(sandbox, recorded["created_by"]["id"], ids)
    record.edited_by = _author(sandbox, recorded["last_edited_by"]["id"], ids)


def _author(sandbox: NotionSandbox, recorded: str, ids: IdMap) -> str:
    """Return the member a recorded id stands for; one that the recording never shows whole is one more."""
    if not ids.knows(recorded):
        ids.pair(recorded, sandbox.store.add_user("Somebody").id)
    return ids.translate(recorded)


def _set_uploads(sandbox: NotionSandbox, recorded: list[Json], ids: IdMap) -> None:
    """Set sizes, ages and order; what the recording does not show is older than all it shows."""
    kept = uploads(sandbox.store)
    for one in reversed(recorded):
        upload = kept.pop(ids.translate(one["id"]))
        kept[upload.id] = upload
        is_expired = one["status"] == "expired"
        upload.attached = one["expiry_time"] is None and not is_expired
        upload.complete = one["content_length"] is not None
        upload.parts = {1: b"x" * (one["content_length"] or 0)}
        age = timedelta(hours=2 if is_expired else 0)
        upload.created = sandbox.store.now() - age


# Comparison.


def differing(recorded: Any, actual: Any, ids: IdMap, path: str = "") -> Iterator[str]:
    """Yield where an answer's values are not those recorded."""
    key = path.rpartition(".")[2]
    if isinstance(recorded, dict) and isinstance(actual, dict):
        for name in sorted((recorded.keys() | actual.keys()) - UNCOMPARED):
            if name in recorded and name in actual:
                yield from differing(
                    recorded[name], actual[name], ids, f"{path}.{name}"
                )
            else:
                yield f"{path}.{name}: only one has it"
    elif isinstance(recorded, list) and isinstance(actual, list):
        if len(recorded) != len(actual):
            yield f"{path}: {len(recorded)} recorded, {len(actual)} answered"
        for index, (left, right) in enumerate(zip(recorded, actual, strict=False)):
            yield from differing(left, right, ids, f"{path}[{index}]")
    elif isinstance(recorded, str) and isinstance(actual, str):
        is_instant = INSTANT.fullmatch(recorded) and INSTANT.fullmatch(actual)
        if not is_instant and not FILE_PATHS.search(path):
            wanted = translated(recorded, key, ids)
            yield from _unequal(wanted, actual, path)
    else:
        yield from _unequal(recorded, actual, path)


def _unequal(wanted: Any, actual: Any, path: str) -> Iterator[str]:
    is_flag = isinstance(wanted, bool) is isinstance(actual, bool)
    if wanted != actual or not is_flag:
        yield f"{path}: {wanted!r} recorded, {actual!r} answered"


def translated(text: str, key: str, ids: IdMap) -> str:
    """Return a recorded text with the emulator's ids, a page's address in the form used since July 2026."""
    if ID_KEY.search(key):
        return ids.segment(text)
    if text.startswith("https://"):
        place, slash, name = text.replace(*FORMER_PAGES).rpartition("/")
        return ids.translate(place) + slash + ids.segment(name)
    return COLUMN.sub(
        lambda found: (
            "{{notion:block_property:"
            f"{ids.segment(found[1])}:{ids.translate(found[2])}:{ids.translate(found[3])}"
            "}}"
        ),
        ids.translate(text),
    )
