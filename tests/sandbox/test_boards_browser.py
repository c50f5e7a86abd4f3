"""The boards in a real browser: they draw without a complaint, follow the workspace live, and call nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from studio import Studio, build_studio, text

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.server import Running, serve
from rayline_sandbox.wire import Clock
from tests.support.browser import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM
from tests.support.waiting import LONG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
)
pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]


@dataclass(slots=True)
class Stage:
    """A served studio and one open tab that remembers complaints and addresses called."""

    running: Running
    studio: Studio
    tab: Page
    complaints: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Open a page of the boards."""
        self.tab.goto(self.running.boards_url + path)

    def view(self, name: str) -> str:
        """Return the path of a view."""
        return f"/d/{self.studio.databases[name.partition('.')[0]]}?v={self.studio.views[name]}"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Running, Studio]]:
    clock = Clock(datetime(2026, 11, 20, 9, tzinfo=UTC))
    notion = NotionSandbox(clock, limit=None, empty=False)
    studio = build_studio(
        notion.handle,
        token=notion.token,
        root=notion.root_page_id,
        users=(notion.owner_id,),
    )
    with serve(notion, JiraSandbox(clock), locale="ru") as running:
        yield running, studio


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def stage(served: tuple[Running, Studio], browser: Browser) -> Iterator[Stage]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    staged = Stage(*served, context.new_page())
    staged.tab.on(
        "console",
        lambda line: (
            staged.complaints.append(line.text) if line.type != "info" else None
        ),
    )
    staged.tab.on("pageerror", lambda error: staged.complaints.append(str(error)))
    staged.tab.on(
        "request", lambda request: staged.called.add(request.url.split("/")[2])
    )
    yield staged
    context.close()


def test_every_view_and_page_draws_in_both_languages_without_a_complaint_or_a_foreign_call(
    stage: Stage,
) -> None:
    for path in (
        "/",
        *(stage.view(name) for name in stage.studio.views),
        f"/p/{stage.studio.rows['projects'][0]}",
    ):
        for language in ("ru", "en"):
            stage.open(f"{path}{'&' if '?' in path else '?'}lang={language}")
            assert stage.tab.locator("html").get_attribute("lang") == language
            assert stage.tab.locator("main h1").inner_text().strip()
    assert stage.complaints == []
    assert stage.called == {stage.running.boards_url.removeprefix("http://")}


def test_nothing_but_a_scrolling_box_is_wider_than_the_window(stage: Stage) -> None:
    for width in (1440, 800, 390):
        stage.tab.set_viewport_size({"width": width, "height": 900})
        for path in (
            "/",
            *(stage.view(name) for name in stage.studio.views),
            f"/p/{stage.studio.rows['projects'][0]}",
        ):
            stage.open(path)
            assert (
                stage.tab.evaluate("document.documentElement.scrollWidth") <= width
            ), (path, width)


def test_tools_of_a_board_stay_within_a_phone_whatever_it_is_grouped_by(
    stage: Stage,
) -> None:
    stage.tab.set_viewport_size({"width": 390, "height": 900})
    stage.open(stage.view("projects.board"))
    choices = stage.tab.locator(".tools .menu a")
    groups = [choice.get_attribute("href") for choice in choices.all()]
    assert len(groups) > 3
    for group in groups:
        assert group is not None
        stage.open(group)
        wide = stage.tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, group
        stage.tab.locator(".tools summary").click()
        box = stage.tab.locator(".tools .menu > div").bounding_box()
        assert box is not None
        assert box["x"] >= 0, group
        assert box["x"] + box["width"] <= 390, group


def test_typing_in_the_filter_leaves_only_matching_rows(stage: Stage) -> None:
    stage.open(stage.view("projects.board"))
    stage.tab.fill("#find", "портал ДИЛЕРОВ")
    shown = stage.tab.locator(".card:visible .name").all_inner_texts()
    assert sorted({name.strip() for name in shown}) == [
        "Портал дилеров",
        "Портал дилеров 2.0",
    ]
    stage.tab.fill("#find", "")
    assert stage.tab.locator(".card:visible").count() == 35


def test_a_change_made_through_the_api_appears_by_itself_and_is_marked(
    stage: Stage,
) -> None:
    stage.open(stage.view("tasks.board"))
    page = stage.studio.rows["tasks"][1]
    stage.tab.wait_for_function(
        "fetch('/_version?of=' + encodeURIComponent(location.pathname + location.search))"
    )
    column = stage.tab.locator(".column", has_text="Делаем").locator(
        f"[data-id='{page}']"
    )
    stage.tab.wait_for_timeout(200)
    stage.studio.call(
        "PATCH",
        f"/v1/pages/{page}",
        {
            "properties": {
                "Статус": {"status": {"name": "Делаем"}},
                "Задача": {"title": text("Переписано работником")},
            }
        },
    )
    playwright.expect(column).to_contain_text(
        "Переписано работником", timeout=LONG * 1000
    )
    assert "fresh" in (column.get_attribute("class") or "")


def test_the_language_toggle_changes_the_words_and_keeps_the_place(
    stage: Stage,
) -> None:
    stage.open(stage.view("projects.timeline"))
    stage.tab.get_by_role("link", name="English").click()
    stage.tab.wait_for_url("**lang=en**")
    assert "Group by" in stage.tab.locator(".tools").inner_text()
    assert stage.tab.get_by_role("tab", selected=True).inner_text() == "Лучи"
    stage.open("/")
    assert stage.tab.locator("html").get_attribute("lang") == "en"


def test_bars_stand_where_their_dates_are(stage: Stage) -> None:
    stage.open(stage.view("projects.timeline"))
    axis = stage.tab.locator(".axis").bounding_box()
    today = stage.tab.locator(".now").bounding_box()
    november = stage.tab.locator(".ticks span", has_text="Нояб").bounding_box()
    first = stage.studio.rows["projects"][0]
    bar = stage.tab.locator(f"[data-id='{first}'] .span").bounding_box()
    assert axis
    assert today
    assert november
    assert bar
    assert november["x"] < today["x"] < november["x"] + november["width"]
    assert 17 / 30 < (today["x"] - november["x"]) / november["width"] < 21 / 30
    assert axis["x"] <= bar["x"] < today["x"]
    assert bar["x"] + bar["width"] < today["x"], (
        "a project due in June ends before today's line"
    )


def test_dark_and_light_follow_the_system_and_stay_readable(
    stage: Stage, browser: Browser
) -> None:
    grounds: dict[str, str] = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        tab = context.new_page()
        tab.goto(stage.running.boards_url + stage.view("projects.board"))
        grounds[scheme] = tab.evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        assert _contrast(tab.locator(".card .name").first) > 7
        assert _contrast(tab.locator(".tag-blue").first) > 4.5
        context.close()
    assert grounds["light"] != grounds["dark"]


def _contrast(element: Locator) -> float:
    """Return the contrast ratio of an element's text against the first opaque ground behind it (WCAG 2)."""
    script = """element => {
      const parse = (text) => text.match(/[\\d.]+/g).map(Number);
      let box = element;
      while (box && (parse(getComputedStyle(box).backgroundColor)[3] ?? 1) < 1) box = box.parentElement;
      return [parse(getComputedStyle(element).color), parse(getComputedStyle(box).backgroundColor)];
    }"""
    ink, ground = (_luminance(color[:3]) for color in element.evaluate(script))
    return (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)


def _luminance(color: list[float]) -> float:
    red, green, blue = (
        (part / 255) / 12.92
        if part / 255 <= 0.03928
        else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
