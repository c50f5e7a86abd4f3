"""The picture of the rooms shows the rooms that exist, as the import contract orders them, and can be read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from tests.support.browser import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs/rooms.svg"
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = ElementTree.parse(PICTURE).getroot()
WIDTH = 900
SMALLEST = 12
"""Pixels of text at that width."""


class Box(NamedTuple):
    """A rectangle of the picture: its corners, and whose it is."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


def contracts() -> dict[str, dict[str, list[str]]]:
    """Return the import contracts by name."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {one["name"]: one for one in settings["tool"]["importlinter"]["contracts"]}


def box_of(node: Element, name: str, *, below: float = 0) -> Box:
    """Return the first rectangle of a node, moved down with its layer."""
    rect = node.find(f"{SVG}rect")
    assert rect is not None, name
    left = float(rect.get("x", "0"))
    top = below + float(rect.get("y", "0"))
    width, height = float(rect.get("width", "")), float(rect.get("height", ""))
    return Box(name, left, top, left + width, top + height)


def shift_of(layer: Element) -> float:
    moved = re.fullmatch(r"translate\(0 ([0-9.]+)\)", layer.get("transform", ""))
    assert moved, layer.attrib
    return float(moved[1])


LAYERS = [node for node in DRAWN.iter(f"{SVG}g") if node.get("data-layer")]
BANDS = [
    box_of(layer, layer.get("data-layer", ""), below=shift_of(layer))
    for layer in LAYERS
]


def rooms_of(layer: Element) -> list[Box]:
    """Return the boxes of the rooms that stand in a layer."""
    return [
        box_of(node, node.get("data-room", ""), below=shift_of(layer))
        for node in layer.findall(f"{SVG}g")
    ]


def modules_of(package: str) -> set[str]:
    """Return the packages and modules that stand directly in a package."""
    folder = ROOT / package
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return {f"{package}.{name}" for name in packages | modules}


def test_the_layers_are_those_of_the_import_contract_from_top_to_bottom() -> None:
    drawn = sorted(BANDS, key=lambda band: band.top)
    names = [sorted(band.name.split(" | ")) for band in drawn]
    layers = contracts()["Imports point downwards"]["layers"]
    assert names == [sorted(layer.split(" | ")) for layer in layers]


def test_every_room_has_its_box_and_none_is_drawn_that_does_not_exist() -> None:
    drawn = [node.get("data-room") for node in DRAWN.iter() if node.get("data-room")]
    beside = {"rayline_demo", "rayline_sandbox"}
    assert sorted(map(str, drawn)) == sorted(modules_of("worker") | beside)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda one: one.get("data-layer"))
def test_a_layer_holds_its_own_rooms_each_under_its_name(layer: Element) -> None:
    band = box_of(layer, "", below=shift_of(layer))
    rooms = rooms_of(layer)
    assert {one.name for one in rooms} == set(layer.get("data-layer", "").split(" | "))
    assert [one.name for one in rooms if not band.holds(one)] == []

    for node in layer.findall(f"{SVG}g"):
        title = node.findtext(f"{SVG}text", "").removesuffix(".py")
        assert f"worker.{title}" == node.get("data-room")


def test_boxes_stand_clear_of_each_other_on_the_paper() -> None:
    paper = Box("", 0, 0, WIDTH, float(DRAWN.get("height", "")))
    rooms = [box for layer in LAYERS for box in rooms_of(layer)]
    outside = [
        box_of(node, str(node.get("data-room") or node.get("data-outside")))
        for group in DRAWN.findall(f"{SVG}g")
        for node in group.iter(f"{SVG}g")
        if not group.get("data-layer") and node.find(f"{SVG}rect") is not None
    ]
    boxes = [*rooms, *outside]
    assert [one.name for one in boxes if not paper.holds(one)] == []
    for some in (boxes, BANDS):
        assert [
            (one.name, other.name)
            for one, other in combinations(some, 2)
            if one.overlaps(other)
        ] == []


def test_a_cycle_goes_from_reading_to_writing() -> None:
    steps = {
        node.findtext(f"{SVG}text"): node.get("data-step")
        for node in DRAWN.iter()
        if node.get("data-step")
    }
    cycle = ["read", "world", "method", "plan", "write"]
    assert [steps[str(number)] for number in range(1, len(steps) + 1)] == [
        f"worker.{name}" for name in cycle
    ]


def test_what_stands_outside_is_shown() -> None:
    shown = {
        node.get("data-outside") for node in DRAWN.iter() if node.get("data-outside")
    }
    assert shown == {"Jira", "Notion", "database"}


def test_the_picture_brings_its_own_paper_and_loads_nothing() -> None:
    first = DRAWN.find(f"{SVG}rect")
    assert first is not None
    assert first.get("class") == "paper"
    assert DRAWN.get("viewBox", "").startswith(f"0 0 {WIDTH} ")
    text = PICTURE.read_text("utf-8")
    assert re.findall(r"href|@import|url\((?!#)", text) == []


def test_no_text_is_smaller_than_can_be_read() -> None:
    style = DRAWN.findtext(f"{SVG}style", "")
    sizes = [float(size) for size in re.findall(r"([0-9.]+)px", style)]
    assert sizes
    assert min(sizes) >= SMALLEST


def texts_of_browser() -> Iterator[tuple[Box, Box | None]]:
    """Yield every text as a browser sets it, with the box it stands in, if any."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = chromium.new_page(viewport={"width": WIDTH, "height": WIDTH})
        tab.set_content(f"<body style='margin:0'>{PICTURE.read_text('utf-8')}</body>")
        found = tab.evaluate(
            """() => [...document.querySelectorAll('svg text')].map(text => {
                const edges = (node) => { const r = node.getBoundingClientRect();
                    return [r.left, r.top, r.right, r.bottom] }
                const box = text.parentElement.querySelector(':scope > rect')
                const inBox = box && !box.classList.contains('paper')
                return [text.textContent, edges(text), inBox ? edges(box) : null]
            })"""
        )
        chromium.close()
    for words, text, box in found:
        yield Box(words, *text), Box(words, *box) if box else None


@pytest.mark.browser
@NEEDS_CHROMIUM
def test_texts_stay_in_their_boxes_and_off_each_other() -> None:
    found = list(texts_of_browser())
    assert [one.name for one, box in found if box and not box.holds(one)] == []
    texts = [one for one, _ in found]
    assert [
        (one.name, other.name)
        for one, other in combinations(texts, 2)
        if one.overlaps(other)
    ] == []
