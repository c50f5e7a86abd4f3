"""A firm whose cards name Jira work in every way there is, with what each is to be counted over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as renew  # noqa: TID251 - a context is no struct
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from rayline_demo.agency.populate import Scribe
from rayline_demo.board import Card, living
from rayline_demo.rig import JIRA_URL, Empty, Rig, make_empty, open_rig
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter
from tests.support.own_count import Desk, Item, Site, count
from tests.support.own_site import NOW, PEOPLE, OwnSite
from worker.config import JiraSettings
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.report import Report
from worker.cycle.story import sync
from worker.domain.values import Ref
from worker.jira.gateway import JiraGateway
from worker.mapping.jira import load_jira_mapping

BUDGET = Decimal(90_000)
RATES = {"ann": Decimal(1000), "bob": Decimal(1500), "eve": Decimal(2200)}
Work = Callable[[Site], Iterable[Item] | None]
"""What a card is to be counted over; None when its link comes to nothing, and is told."""


@cache
def empty_workspace() -> Empty:
    """Return an empty workspace, made once a process."""
    with TemporaryDirectory(prefix="rayline-counted-") as name:
        return make_empty("en", Path(name))


@dataclass
class Firm:
    """A workspace on a Jira of its own, in one zone."""

    rig: Rig
    site: OwnSite
    zone: str
    cloud: bool
    cards: dict[str, Work] = field(default_factory=dict)
    """Page id -> what it is counted over."""
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def scribe(self) -> Scribe:
        """Return who types rows."""
        return Scribe(self.rig.notion, self.rig.context.schema, self.rig.bindings())

    def add_card(
        self, cell: str | list[dict[str, Any]], work: Work, **values: Any
    ) -> str:
        """Add a running card whose Jira cell holds a text, or runs of rich text."""
        name = cell if isinstance(cell, str) else "A card with words"
        page_id = self.scribe.add(
            "projects", name=name[:80], stage="in_progress", budget=BUDGET, **values
        )
        property_id = self.rig.bindings()["projects"].properties["jira"]
        runs = [{"text": {"content": cell}}] if isinstance(cell, str) else cell
        self.rig.notion.control(
            "edit",
            {"page_id": page_id, "properties": {property_id: {"rich_text": runs}}},
        )
        self.cards[page_id] = work
        self.cells[page_id] = name
        return page_id

    def sync(self, mode: Mode) -> Report:
        """Run a cycle that must go well."""
        report = sync(self.rig.context, CycleRequest(mode))
        assert report.refused == ()
        assert report.applied.failures == ()
        return report

    def later(self, **by: float) -> None:
        """Let time pass, ten minutes unless told otherwise."""
        self.rig.clock.advance(timedelta(**(by or {"minutes": 10})))

    def move_to(self, zone: str) -> None:
        """Change the zone of the workspace."""
        settings = self.rig.context.settings.model_copy(update={"time_zone": zone})
        context = renew(self.rig.context, settings=settings)
        self.rig = renew(self.rig, context=context)
        self.zone = zone

    def desk(self) -> Desk:
        """Return where and when it is counted."""
        return Desk(ZoneInfo(self.zone), self.rig.clock.now(), RATES)

    def read(self) -> Site:
        """Return what the account sees of Jira now."""
        return Site(self.site.jira, cloud=self.cloud)

    def shown(self, source: str) -> dict[str, Card]:
        """Return the rows of a board by page id."""
        return {card.page_id: card for card in living(self.rig, source)}

    def differences(self, site: Site) -> list[str]:
        """Return how what stands on cards differs from the count, none when all is equal."""
        desk = self.desk()
        shown = self.shown("projects")
        wrong = []
        for page_id, work in self.cards.items():
            members = work(site)
            stands = shown[page_id].values
            counted: Mapping[str, Any] = dict.fromkeys(FIGURES)
            if members is not None:
                unique = {item.id: item for item in members}
                counted = count(tuple(unique.values()), desk, budget=BUDGET)
            for name, value in counted.items():
                if _plain(name, stands[name]) != value:
                    cell = self.cells[page_id]
                    wrong.append(f"{cell}: {name} {stands[name]} for {value}")
        return wrong


FIGURES = (
    "progress",
    "done_total",
    "scope_change",
    "hours",
    "burn",
    "overdue",
    "blocked",
    "wip",
    "last_activity",
)


def _plain(name: str, value: Any) -> Any:
    """Return a cell as the count gives it: of work done and whole both amounts, and the unit."""
    if name != "done_total" or not value:
        return value or (None if name == "done_total" else value)
    amounts, _, basis = str(value).partition(" by ")
    done, _, whole = amounts.replace(",", "").partition(" / ")
    whole, _, unit = whole.partition(" ")
    assert basis == ("estimate" if unit else "count")
    return Decimal(done), Decimal(whole), unit.removeprefix("story ")


def open_firm(
    folder: Path, *, zone: str, cloud: bool, seed: int = 1, now: datetime = NOW
) -> Firm:
    """Return a firm of three people without any card, its Jira not yet filled; the account lives in another zone."""
    rig = open_rig(
        empty_workspace(),
        folder,
        start=now,
        settings={"time_zone": zone, "thresholds": {"forecast_draws": 100}},
    )
    jira = JiraSandbox(
        rig.clock,
        deployment="cloud" if cloud else "datacenter",
        time_zone="Pacific/Auckland",
    )
    settings = JiraSettings(
        base_url=JIRA_URL,
        deployment="cloud" if cloud else "datacenter",
        email=jira.email,
        token=SecretStr(jira.token),
    )
    context = renew(
        rig.context,
        settings=rig.context.settings.model_copy(update={"jira": settings}),
        jira=JiraGateway(
            settings,
            mapping=load_jira_mapping(),
            adapter=HandlerAdapter(jira.handle),
            sleep=lambda seconds: None,
            monotonic=lambda: rig.clock.now().timestamp(),
        ),
    )
    firm = Firm(
        renew(rig, jira=jira, context=context),
        OwnSite(jira, Random(seed), cloud),
        zone,
        cloud,
    )
    unit = firm.scribe.add("units", name="North")
    for name in PEOPLE:
        firm.scribe.add(
            "people",
            name=name.title(),
            role="developer",
            jira_account=name,
            capacity=Decimal(40),
            rate=RATES[name],
            start=date(2020, 1, 1),
            unit=(Ref("units", unit),),
        )
    return firm


def nothing(site: Site) -> None:
    """Return that a link comes to nothing."""


def projects(*keys: str) -> Work:
    """Return the work of projects."""
    return lambda site: site.work(*keys)


def branch(*keys: str) -> Work:
    """Return what some issues are with all below them."""
    return lambda site: [item for key in keys for item in site.branch(key)]


def where(test: Callable[[Item], bool], *keys: str) -> Work:
    """Return the work that passes a test, of some projects or all."""
    return lambda site: filter(test, site.work(*keys))


def both(*works: Work) -> Work:
    """Return the work of several links together."""
    return lambda site: [item for work in works for item in work(site) or ()]


def linked(words: str, address: str) -> list[dict[str, Any]]:
    """Return words with an address behind them."""
    return [{"text": {"content": words, "link": {"url": address}}}]


def is_web(item: Item) -> bool:
    """Tell whether an item bears a label."""
    return "web" in item.labels


def is_open_app(item: Item) -> bool:
    """Tell whether an item bears a label and is not done."""
    return "app" in item.labels and not item.is_done


def branches(firm: Firm) -> Iterator[tuple[str, Work]]:
    """Yield links of epics, of what is above them, of ordinary issues and sub-tasks."""
    at = JIRA_URL
    yield f"{at}/browse/WEB-1", branch("WEB-1")
    yield "web-2", branch("WEB-2")
    yield f"{at}/browse/ACME-8?focusedCommentId=10", branch("ACME-8")
    yield "SUBT-1", branch("SUBT-1")
    yield "SUBT-2", branch("SUBT-2")
    yield f"{at}/browse/WEB-3\n{at}/browse/BETA-2", branch("WEB-3", "BETA-2")
    yield "ACME-2 ACME-8, ACME-9;", branch("ACME-2", "ACME-8", "ACME-9")
    yield "ACME-5", branch("ACME-5")
    yield "INIT-2", branch("INIT-2")
    if firm.cloud:
        yield "INIT-1", branch("INIT-1")


def conditions(firm: Firm) -> Iterator[tuple[str, Work]]:
    """Yield links of filters, versions, components and JQL."""
    ids = firm.site.ids
    site = firm.read()
    at = JIRA_URL
    bugs = where(lambda item: item.kind == "Bug", "WEB", "API")
    yield f"filter={ids['filter bugs']}", bugs
    yield f"{at}/issues/?filter={ids['filter web']}", where(is_web)
    version = _id_of(site, "versions", "ACME")
    address = f"{at}/projects/ACME/versions/{version}"
    yield address, where(lambda item: version in item.versions)
    component = _id_of(site, "components", "ACME")
    address = f"{at}/browse/ACME/component/{component}"
    yield address, where(lambda item: component in item.components)
    yield "project = ACME AND labels = web", where(is_web, "ACME")
    query = quote("project = ACME AND labels = web")
    yield f"{at}/issues/?jql={query}", where(is_web, "ACME")
    yield "labels = app AND statusCategory != Done ORDER BY nofield", where(is_open_app)
    field = "parent" if firm.cloud else '"Epic Link"'
    yield f"{field} = WEB-1", lambda site: site.below[site.at("WEB-1").id]


def whole_projects(firm: Firm) -> Iterator[tuple[str, Work]]:
    """Yield links of whole projects, some with parts of others."""
    board = firm.site.ids["board API"]
    at = JIRA_URL
    yield "ACME", projects("ACME")
    yield " beta ", projects("BETA")
    yield "GAMMAX", projects("GAMMAX")
    yield "MOVE", projects("MOVE")
    yield "EMPT", projects("EMPT")
    yield f"{at}/browse/ACME", projects("ACME")
    yield f"{at}/jira/software/c/projects/SUBT/boards/7", projects("SUBT")
    yield f"{at}/jira/software/projects/BETA/boards/1/backlog", projects("BETA")
    yield f"{at}/secure/RapidBoard.jspa?rapidView={board}", projects("API")
    yield f"{at}/secure/RapidBoard.jspa?rapidView=1&projectKey=OPS", projects("OPS")
    api = both(lambda site: map(site.at, ("ACME-9", "BETA-9")), projects("API"))
    yield f"key in (ACME-9, BETA-9)\n{at}/browse/API", api
    yield "ACME-1, API", both(branch("ACME-1"), projects("API"))


def odd_spellings(firm: Firm) -> Iterator[tuple[str, Work]]:
    """Yield links as people paste them, and what is none or is not to be read."""
    at = JIRA_URL
    selected = f"{at}/jira/software/projects/BETA/boards/1?selectedIssue=BETA-2"
    yield selected, branch("BETA-2")
    yield f"{at}/browse/acme-2.", branch("ACME-2")
    yield "ACME-2;", branch("ACME-2")
    yield f"({at}/browse/ACME-2?jql=project%20%3D%20ACME)", branch("ACME-2")
    yield "OLDA", nothing
    yield "HIDE", nothing
    yield "https://other.example/browse/ACME", nothing
    yield "ask Bob about ACME", nothing


def add_cards(firm: Firm, *forms: Callable[[Firm], Iterable[tuple[str, Work]]]) -> None:
    """Add a card for every link of some forms."""
    for form in forms:
        for cell, work in form(firm):
            firm.add_card(cell, work)


def _id_of(site: Site, attribute: str, key: str) -> str:
    """Return the id of a version or component that issues of a project have."""
    ids: set[str] = set()
    for item in site.work(key):
        ids |= getattr(item, attribute)
    return min(ids)
