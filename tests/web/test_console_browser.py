"""The console in a real browser: sign in, read a diff, ask for a run and watch it end; nothing complains, nothing keeps
anybody out who uses keyboard or screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browser import ARGUMENTS, CHROMIUM, NEEDS_CHROMIUM
from tests.support.console import TOKENS, Console, answering, served
from tests.support.stages import Play, small_play
from tests.support.waiting import LONG
from worker.state import runs, triggers
from worker.web.server import sign_in_link

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
)
pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
PAGES = (
    "/runs",
    "/runs/1",
    "/problems",
    "/problems/counterparts",
    "/clients",
    "/risks",
    "/plan",
    "/load",
    "/settings",
    "/calendars",
    "/what-if",
)
QUESTION = "/what-if?what1=add_person&unit1=&value1=400&date1=2020-01-01&what2=pin"
ALL = (
    "/",
    "/w/studio",
    *(f"/w/studio{page}" for page in PAGES),
    f"/w/studio{QUESTION}",
)
MOST_TABS = 80
FIRST_UNFOLDED = "[...document.querySelectorAll('main details')].slice(0, 4).forEach(part => part.open = true)"


@dataclass(slots=True)
class Tab:
    """One tab and what it complained of and called."""

    page: Page
    console: Console
    complaints: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Open a page, and on it the first of what is folded."""
        self.page.goto(self.console.address + path)
        self.page.evaluate(FIRST_UNFOLDED)

    def barriers(self) -> list[str]:
        """Return what seriously keeps people out of the page that is shown."""
        return [
            f"{fault['id']}: {fault['nodes'][0]['html']}"
            for fault in Axe().run(self.page).response["violations"]
            if fault["impact"] in ("serious", "critical")
        ]

    def go_to(self, control: Locator) -> None:
        """Reach a control by the Tab key alone."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if control.evaluate("part => part === document.activeElement"):
                return
        raise AssertionError("not reached by Tab")

    def sign_in(self) -> None:
        self.page.goto(sign_in_link(self.console.desk, self.console.address))
        self.page.locator("button.main").click()
        playwright.expect(self.page.locator("h1")).to_be_visible()

    def prefer(self, name: str, value: str) -> None:
        self.page.locator("details.menu summary").click()
        self.page.locator(f"button[name={name}][value={value}]").click()
        self.page.wait_for_load_state()


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("browser")) as play:
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def open_tab(browser: Browser, console: Console, **options: object) -> Tab:
    context = browser.new_context(viewport={"width": 1360, "height": 900}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(LONG * 1000)
    tab = Tab(context.new_page(), console)
    tab.page.on(
        "console",
        lambda line: (
            tab.complaints.append(line.text)
            if line.type in ("error", "warning")
            else None
        ),
    )
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.on("request", lambda request: tab.called.add(request.url.split("/")[2]))
    return tab


@pytest.fixture
def tab(browser: Browser, console: Console) -> Iterator[Tab]:
    tab = open_tab(browser, console)
    yield tab
    tab.page.context.close()


def test_one_signs_in_reads_a_diff_asks_for_a_run_and_watches_it_end(
    tab: Tab, play: Play
) -> None:
    tab.sign_in()
    playwright.expect(tab.page.locator("article.card h2")).to_have_text("studio")
    tab.page.get_by_role("link", name="studio").first.click()
    tab.page.get_by_role("link", name="Runs", exact=True).click()
    tab.page.get_by_role("link", name="1", exact=True).click()
    named = tab.page.locator("summary .name", has_text="Acme portal")
    change = tab.page.locator("details.page", has=named).first
    change.locator("summary").first.click()
    playwright.expect(change.locator("ins").first).to_be_visible()
    playwright.expect(change.locator(".rule").first).to_be_visible()

    tab.page.get_by_role("link", name="studio", exact=True).click()
    tab.page.get_by_role("button", name="Sync now").click()
    playwright.expect(tab.page.locator("h1")).to_contain_text("Request")
    with answering(play):
        tab.page.wait_for_url("**/runs/*")
    playwright.expect(tab.page.locator(".head .tag")).to_have_text("done")

    for name in ("Clients", "Risk map", "Plan", "Load"):
        tab.page.get_by_role("link", name=name, exact=True).click()
        playwright.expect(tab.page.locator("main h1")).to_be_visible()
    assert tab.complaints == []
    assert tab.called == {tab.console.address.removeprefix("http://")}


def test_nothing_serious_keeps_anybody_out_in_any_colours_or_language(tab: Tab) -> None:
    tab.sign_in()
    for theme, language in (("light", "en"), ("dark", "ru")):
        tab.prefer("theme", theme)
        tab.prefer("language", language)
        for path in ALL:
            tab.open(path)
            root = tab.page.locator("html")
            assert root.get_attribute("data-theme") == theme
            assert root.get_attribute("lang") == language
            assert tab.barriers() == [], path
    assert tab.complaints == []


def test_nothing_serious_keeps_anybody_out_of_doors_requests_plans_and_faults(
    tab: Tab, play: Play
) -> None:
    for path in ("/sign-in", "/sign-in?code=spent", "/nowhere"):
        tab.open(path)
        assert tab.barriers() == [], path
    tab.sign_in()
    tab.open("/w/studio/problems")
    tab.page.get_by_role("button", name="Snooze a week").first.click()
    playwright.expect(tab.page.get_by_role("heading", name="Asleep")).to_be_visible()
    assert tab.barriers() == []
    tab.page.get_by_role("button", name="Wake").click()

    tab.open("/w/studio")
    tab.page.get_by_role("button", name="Pause").click()
    playwright.expect(tab.page.get_by_text("paused by operator")).to_be_visible()
    assert tab.barriers() == []
    tab.page.get_by_role("button", name="Let it go on").click()

    tab.open("/w/studio/runs/1")
    tab.page.get_by_role("button", name="See what would take it back").click()
    playwright.expect(tab.page.locator("h1")).to_contain_text("Request")
    assert tab.barriers() == []
    with answering(play):
        tab.page.wait_for_url("**/runs/*")
    playwright.expect(tab.page.get_by_role("heading", name="Refused")).to_be_visible()
    for theme in ("dark", "light"):
        tab.prefer("theme", theme)
        assert tab.barriers() == [], theme
    for path in ("/w/studio/runs/999", "/w/studio/nowhere"):
        tab.open(path)
        assert tab.barriers() == [], path


def test_a_run_is_watched_step_by_step_and_goes_on_when_the_browser_is_closed(
    tab: Tab, browser: Browser, play: Play
) -> None:
    context = play.stage.context
    tab.sign_in()
    tab.open("/w/studio")
    tab.page.get_by_role("button", name="Sync now").click()
    playwright.expect(tab.page.locator(".live")).to_contain_text("waits for the daemon")
    with context.transaction() as tx:
        run_id = runs.start(tx, "delta", now=context.now())
        triggers.take(tx, run_id)
    for phase, done, shown in (
        ("jira", 3, "reading Jira · 3 / 10"),
        ("apply", 7, "writing · 7 / 10"),
    ):
        with context.transaction() as tx:
            runs.save_progress(tx, run_id, runs.Progress(phase, done, 10))
        playwright.expect(tab.page.locator(".live")).to_contain_text(shown)
    waiting = tab.page.url.removeprefix(tab.console.address)
    tab.page.close()

    with context.transaction() as tx:
        runs.close_lost(tx, now=context.now())
        triggers.give_back(tx)
    other = open_tab(browser, tab.console)
    other.sign_in()
    other.open(waiting)
    with answering(play):
        other.page.wait_for_url("**/runs/*")
    playwright.expect(other.page.locator(".head .tag")).to_have_text("done")
    other.page.context.close()


def test_nothing_but_a_scrolling_box_is_wider_than_the_window(tab: Tab) -> None:
    tab.sign_in()
    for width in (1360, 800, 390):
        tab.page.set_viewport_size({"width": width, "height": 900})
        for path in ALL:
            tab.open(path)
            wide = tab.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width)


def test_on_a_phone_words_have_room_and_the_places_take_little(tab: Tab) -> None:
    tab.sign_in()
    tab.prefer("language", "ru")
    tab.page.set_viewport_size({"width": 390, "height": 844})
    for path in ALL:
        tab.open(path)
        head = tab.page.locator("header.top").bounding_box()
        assert head is not None
        assert head["height"] <= 120, path
        for words in tab.page.locator(".problems li > div").all():
            box = words.bounding_box()
            assert box is not None
            assert box["width"] >= 240, path


def test_everything_works_without_scripts(
    browser: Browser, console: Console, play: Play
) -> None:
    tab = open_tab(browser, console, java_script_enabled=False)
    tab.open("/sign-in")
    tab.page.fill("#token", TOKENS["anna"])
    tab.page.locator("button.main").click()
    tab.open("/w/studio")
    tab.page.get_by_role("button", name="Sync now").click()
    with answering(play):
        tab.page.wait_for_url("**/runs/*")
    playwright.expect(tab.page.locator(".head .tag")).to_have_text("done")
    tab.page.context.close()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_question_is_asked_corrected_and_found_again(
    browser: Browser, console: Console, *, has_scripts: bool
) -> None:
    tab = open_tab(browser, console, java_script_enabled=has_scripts)
    page = tab.page
    tab.open("/sign-in")
    page.fill("#token", TOKENS["anna"])
    page.keyboard.press("Enter")
    playwright.expect(page.locator("article.card")).to_be_visible()
    tab.open("/w/studio/what-if")
    page.get_by_label("What changes").select_option("Change a client's fee")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Client", exact=True).select_option("Acme Bank")
    page.get_by_label("New monthly fee").fill("much")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#value1-fault")).to_contain_text(
        "This is no amount"
    )
    asked = page.url

    page.get_by_label("New monthly fee").fill("700 000")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#answer .notice")).to_be_visible()
    assert page.url.endswith("value1=700000#answer")
    page.get_by_label("Another change").select_option("Lose a client")
    page.get_by_role("button", name="Add", exact=True).click()
    playwright.expect(page.locator(".change")).to_have_count(2)
    page.get_by_role("button", name="Take away: Change a client's fee").click()
    playwright.expect(page.locator(".change legend")).to_have_text("1. Lose a client")
    page.go_back()
    page.go_back()
    playwright.expect(page.get_by_label("New monthly fee")).to_have_value("700000")
    page.go_back()
    assert page.url == asked
    assert tab.complaints == []
    page.context.close()


def test_the_content_is_reached_by_keys_alone(tab: Tab) -> None:
    tab.open("/sign-in")
    tab.page.keyboard.type(TOKENS["anna"])
    tab.page.keyboard.press("Enter")
    playwright.expect(tab.page.locator("article.card")).to_be_visible()
    tab.page.keyboard.press("Tab")
    playwright.expect(tab.page.locator(".skip")).to_be_focused()
    tab.page.keyboard.press("Enter")
    playwright.expect(tab.page.locator("#content")).to_be_focused()


def test_a_run_is_asked_for_and_a_diff_unfolded_by_keys_alone(
    tab: Tab, play: Play
) -> None:
    tab.open("/sign-in")
    tab.page.keyboard.type(TOKENS["anna"])
    tab.page.keyboard.press("Enter")
    playwright.expect(tab.page.locator("article.card")).to_be_visible()
    for control, heading in (
        (tab.page.locator("article.card h2 a"), "studio"),
        (tab.page.get_by_role("link", name="Runs", exact=True), "Runs"),
        (tab.page.get_by_role("link", name="1", exact=True), "Run 1"),
    ):
        tab.go_to(control)
        tab.page.keyboard.press("Enter")
        playwright.expect(tab.page.locator("h1")).to_have_text(heading)
    change = tab.page.locator("details.page", has=tab.page.locator("table.diff")).first
    tab.go_to(change.locator("summary").first)
    tab.page.keyboard.press("Enter")
    playwright.expect(change.locator("ins").first).to_be_visible()

    tab.page.goto(f"{tab.console.address}/w/studio")
    tab.go_to(tab.page.get_by_role("button", name="Sync now"))
    tab.page.keyboard.press("Enter")
    playwright.expect(tab.page.locator("h1")).to_contain_text("Request")
    with answering(play):
        tab.page.wait_for_url("**/runs/*")
    playwright.expect(tab.page.locator(".head .tag")).to_have_text("done")
