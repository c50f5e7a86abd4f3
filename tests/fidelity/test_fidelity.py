"""Each exchange of the hand-written conversations is answered by the emulators with its status, shape and key values.

In an expected answer `<id>`, `<text>`, `<number>`, `<list>`, `<minute>` (an instant of Notion's pages), `<jira>` (an
instant of Jira's) and `<any>` stand for values of a kind; `<id as page>` also names one, and `<page>` is that value
again, in requests too (`<log as number>` without quotes). `@shape argument` stands for a shape of the file. An object
has exactly the keys written, unless it says `...`; `has_item` asks for one item of a list.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock, Handler, Request, Response

FOLDER = Path(__file__).parent
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REST = "..."
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KINDS: Mapping[str, str] = {
    "id": UUID,
    "minute": r"\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z",
    "jira": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}",
    "text": r"(?s).+",
}
TYPES: Mapping[str, type | tuple[type, ...]] = {"number": (int, float), "list": list}
SLOT = re.compile(r"<(?P<kind>\w+)(?: as (?P<name>\w+))?>")


@dataclass(slots=True)
class Scene:
    """One conversation under way: an emulator, its file, and what was named so far."""

    data: dict[str, Any]
    clock: Clock
    handle: Handler
    control: Any
    headers: dict[str, str]
    named: dict[str, str] = field(default_factory=dict)


def open_scene(data: dict[str, Any]) -> Scene:
    """Return a fresh emulator for a conversation."""
    clock = Clock(START)
    if data["api"] == "notion":
        notion = NotionSandbox(clock, limit=None)
        headers = {
            "authorization": f"Bearer {notion.token}",
            "notion-version": data["version"],
        }
        named = {"root": notion.root_page_id}
        return Scene(data, clock, notion.handle, notion.control, headers, named)

    jira = JiraSandbox(clock, deployment=data["deployment"])
    jira.control("load", data["load"])
    pair = base64.b64encode(f"{jira.email}:{jira.token}".encode()).decode()
    is_cloud = data["deployment"] == "cloud"
    login = f"Basic {pair}" if is_cloud else f"Bearer {jira.token}"
    return Scene(data, clock, jira.handle, jira.control, {"authorization": login})


def ask(scene: Scene, exchange: Mapping[str, Any]) -> Response:
    """Send the request of an exchange."""
    scene.clock.advance(timedelta(minutes=exchange.get("after_minutes", 0)))
    fault = exchange.get("fault")
    scene.control("faults", {"rules": [{"kind": fault}] if fault else []})

    method, address, *bodies = exchange["request"]
    parts = urlsplit(filled(scene, address))
    content = b"".join(encoded(scene, body) for body in bodies)
    headers = {
        "host": "emulator.test",
        "content-type": "application/json",
        **scene.headers,
        **exchange.get("headers", {}),
    }
    kept = {name: value for name, value in headers.items() if value}
    return scene.handle(
        Request(method, parts.path, tuple(parse_qsl(parts.query)), kept, content)
    )


def encoded(scene: Scene, body: Any) -> bytes:
    """Return a request's body; a plain text goes as it is."""
    if isinstance(body, str):
        return body.encode()
    return filled(scene, json.dumps(repeated(body))).encode()


def repeated(body: Any) -> Any:
    """Return a body in which `$times` stands for so many items."""
    if isinstance(body, dict) and "$times" in body:
        return [body["of"]] * body["$times"]
    if isinstance(body, dict):
        return {key: repeated(value) for key, value in body.items()}
    return body


def filled(scene: Scene, text: str) -> str:
    """Return a text with the values of what was named."""
    for name, value in scene.named.items():
        text = text.replace(f'"<{name} as number>"', value)
        text = text.replace(f"<{name}>", value)
    return text


def differences(scene: Scene, wanted: Any, found: Any, at: str = "") -> Iterator[str]:
    """Yield where an answer is not as expected."""
    if isinstance(wanted, str) and wanted.startswith("@"):
        yield from differences(scene, shape(scene, wanted), found, at)
    elif isinstance(wanted, str) and (slot := SLOT.fullmatch(wanted)):
        yield from _slot(scene, slot, found, at)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        yield from _object(scene, wanted, found, at)
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield f"{at}: {len(found)} items instead of {len(wanted)}"
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from differences(scene, one, other, f"{at}[{index}]")
    elif wanted != found or isinstance(wanted, bool) is not isinstance(found, bool):
        yield f"{at}: {found!r} instead of {wanted!r}"


def shape(scene: Scene, reference: str) -> Any:
    """Return a shape of the file with its argument."""
    name, _, argument = reference[1:].partition(" ")
    text = json.dumps(scene.data["shapes"][name])
    return json.loads(text.replace("{arg}", json.dumps(argument)[1:-1]))


def _slot(scene: Scene, slot: re.Match[str], found: Any, at: str) -> Iterator[str]:
    kind, name = slot["kind"], slot["name"]
    if kind in scene.named:
        is_as_wanted = found == scene.named[kind]
    elif kind in TYPES:
        is_as_wanted = isinstance(found, TYPES[kind]) and not isinstance(found, bool)
    elif kind in KINDS:
        is_as_wanted = isinstance(found, str) and bool(re.fullmatch(KINDS[kind], found))
    else:
        is_as_wanted = kind == "any"
    if not is_as_wanted:
        yield f"{at}: {found!r} instead of {slot[0]}"
    if name:
        scene.named[name] = str(found)


def _object(
    scene: Scene, wanted: Mapping[str, Any], found: Mapping[str, Any], at: str
) -> Iterator[str]:
    expected = wanted.keys() - {REST}
    yield from (f"{at}.{key} is missing" for key in sorted(expected - found.keys()))
    if REST not in wanted:
        yield from (
            f"{at}.{key} is too much" for key in sorted(found.keys() - expected)
        )
    for key in wanted:
        if key != REST and key in found:
            yield from differences(scene, wanted[key], found[key], f"{at}.{key}")


def compare(scene: Scene, exchange: Mapping[str, Any], response: Response) -> list[str]:
    """Return how a response differs from what an exchange expects."""
    if response.status != exchange["status"]:
        return [f"status {response.status}: {response.body[:300].decode()}"]
    found: Any = json.loads(response.body) if response.body else None
    absent = [
        f"no {name}"
        for name in exchange.get("has_headers", ())
        if name not in {key.lower() for key in response.headers}
    ]
    if "has_item" in exchange:
        wanted = exchange["has_item"]
        nearest = min(
            (list(differences(scene, wanted, item)) for item in found), key=len
        )
        return absent + nearest
    return absent + list(differences(scene, exchange["answer"], found))


@cache
def played(name: str) -> Mapping[str, list[str]]:
    """Return the differences of a whole conversation, by the name of the exchange."""
    data = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    scene = open_scene(data)
    return {
        exchange["name"]: compare(scene, exchange, ask(scene, exchange))
        for exchange in data["exchanges"]
    }


FILES = sorted(path.name for path in FOLDER.glob("*.json"))
EXCHANGES = [
    (file, exchange["name"])
    for file in FILES
    for exchange in json.loads((FOLDER / file).read_text(encoding="utf-8"))["exchanges"]
]


@pytest.mark.parametrize(("file", "name"), EXCHANGES)
def test_an_exchange_is_answered_as_the_real_service_answers_it(
    file: str, name: str
) -> None:
    assert played(file)[name] == []


def test_every_exchange_has_a_name_of_its_own() -> None:
    assert len(set(EXCHANGES)) == len(EXCHANGES) >= 40


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"...": True, "a": 1}, {"a": 2, "b": 2}),
        (["<id>"], ["no id"]),
        (["<id>"], []),
        ([1], [1, 1]),
        ("<minute>", "2026-11-21T12:00:30.000Z"),
        ("<jira>", "2026-11-21T12:00:30Z"),
        ("<number>", True),
        ("<text>", ""),
        (True, 1),
        (None, {}),
        ("@pair x", {"first": "x", "second": "y"}),
    ],
)
def test_what_differs_is_told(wanted: Any, found: Any) -> None:
    data = {
        "api": "notion",
        "version": "2026-03-11",
        "shapes": {"pair": {"first": "{arg}", "second": "{arg}"}},
    }
    assert list(differences(open_scene(data), wanted, found)) != []
