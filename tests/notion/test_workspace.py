"""A workspace is made through the public API alone, can be made again without harm, and is known whatever its names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.notion.store import Parent
from rayline_sandbox.wire import Clock, HandlerTransport, Request, Response
from tests.support.english import english
from worker.config import NotionSettings
from worker.errors import ConfigError, Problem
from worker.mapping.load import load_schema
from worker.mapping.schema import (
    Bindings,
    Labels,
    Option,
    Owner,
    Property,
    Schema,
    Source,
)
from worker.notion.gateway import NotionGateway
from worker.notion.shapes import database_body
from worker.notion.workspace import create_workspace, read_bindings

SCHEMA = load_schema()
SPECS = Path(__file__).parents[2] / ".." / "shared" / "specs" / "notion-json-schemas"
LOCALES = ("en", "ru")


def without_views(bindings: Bindings) -> Bindings:
    """Return bindings as they are read: the ids of views are known from the making alone."""
    return {name: replace(one, views={}) for name, one in bindings.items()}


def ids_of_views(bindings: Bindings) -> dict[str, set[str]]:
    """Return the ids of the views of each board, whatever they are called."""
    return {name: set(one.views.values()) for name, one in bindings.items()}


class Site:
    """A sandbox and a gateway to it; `sent` keeps the requests."""

    def __init__(self) -> None:
        self.sandbox = NotionSandbox(
            Clock(datetime(2026, 11, 21, 9, 30, tzinfo=UTC)), limit=None
        )
        self.private = self.sandbox.add_private_root()
        self.sent: list[Request] = []
        settings = NotionSettings(
            token=SecretStr(self.sandbox.token), requests=1_000_000
        )
        self.notion = NotionGateway(settings, transport=HandlerTransport(self._handle))

    def _handle(self, request: Request) -> Response:
        self.sent.append(request)
        return self.sandbox.handle(request)

    def create(self, locale: str = "en", **given: Any) -> Bindings:
        """Make the shipped workspace."""
        given = {"private_page_id": self.private, **given}
        return create_workspace(
            self.notion,
            SCHEMA,
            parent_page_id=self.sandbox.root_page_id,
            locale=locale,
            **given,
        )

    def read(
        self,
        known: Bindings | None = None,
        locale: str = "en",
        *,
        private: str | None = None,
    ) -> tuple[Bindings, tuple[Problem, ...]]:
        """Read the bindings."""
        return read_bindings(
            self.notion,
            SCHEMA,
            root_page_id=self.sandbox.root_page_id,
            locale=locale,
            known=known or {},
            private_root_page_id=self.private if private is None else private,
        )

    def writes(self) -> list[str]:
        """Return method and path of every writing request since the last call."""
        found = [
            f"{one.method} {one.path}"
            for one in self.sent
            if one.method in ("POST", "PATCH", "DELETE")
            and not one.path.endswith("/search")
        ]
        self.sent.clear()
        return found

    def bodies(self, method: str, ending: str) -> Iterator[dict[str, Any]]:
        """Yield the JSON bodies sent with a method to paths with that part."""
        for one in self.sent:
            if one.method == method and ending in one.path:
                yield json.loads(one.body)

    def get(self, path: str) -> dict[str, Any]:
        """Return what stands at a path, as it is sent."""
        headers = {
            "authorization": f"Bearer {self.sandbox.token}",
            "notion-version": "2025-09-03",
        }
        answer = self.sandbox.handle(Request("GET", f"/v1/{path}", headers=headers))
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def view(self, database_id: str, name: str) -> dict[str, Any]:
        """Return a view of a database by its name, as it is sent."""
        views = self.notion.views(database_id=database_id)
        return next(self.get(f"views/{one.id}") for one in views if one.name == name)

    def do(self, action: str, **payload: Any) -> dict[str, Any]:
        """Let a person act in the sandbox."""
        return self.sandbox.control(action, payload)


@pytest.fixture
def site() -> Site:
    """Return an empty site."""
    return Site()


@pytest.mark.parametrize("locale", LOCALES)
def test_everything_of_the_schema_is_made_under_its_labels(
    site: Site, locale: str
) -> None:
    bindings = site.create(locale)
    assert set(bindings) == set(SCHEMA.sources)
    for name, source in SCHEMA.sources.items():
        raw = site.notion.data_source(bindings[name].data_source_id)
        shown = {column.id: column for column in raw.properties}
        assert {
            prop.name: prop.label[locale] for prop in source.properties.values()
        } == {
            logical: shown[identity].name
            for logical, identity in bindings[name].properties.items()
        }
        assert len(shown) == len(source.properties), (
            "nothing else stands there, no nameless mirrors"
        )


def test_options_have_the_mappings_colours_groups_and_formats(site: Site) -> None:
    bindings = site.create()
    source = site.get(f"data_sources/{bindings['projects'].data_source_id}")
    columns = source["properties"]
    stage = columns["Stage"]["status"]
    names = {option["id"]: option["name"] for option in stage["options"]}
    assert {
        group["name"]: [names[one] for one in group["option_ids"]]
        for group in stage["groups"]
    } == {
        "To-do": ["Idea", "Shaping"],
        "In progress": ["Proposal", "Agreed", "In progress", "Evolution"],
        "Complete": ["Done", "Lost"],
    }
    assert {option["name"]: option["color"] for option in stage["options"]}[
        "Evolution"
    ] == "purple"
    assert columns["⚙ Progress"]["number"]["format"] == "percent"


def test_relations_lead_both_ways(site: Site) -> None:
    bindings = site.create()
    for name, source in SCHEMA.sources.items():
        columns = {
            one["id"]: one
            for one in site.get(f"data_sources/{bindings[name].data_source_id}")[
                "properties"
            ].values()
        }
        for prop in source.properties.values():
            if prop.type == "relation":
                relation = columns[bindings[name].properties[prop.name]]["relation"]
                assert (
                    relation["data_source_id"] == bindings[prop.target].data_source_id
                )
                mirror = relation.get("dual_property", {}).get("synced_property_id")
                assert mirror == (
                    bindings[prop.target].properties[prop.mirror]
                    if prop.mirror
                    else None
                )


@pytest.mark.parametrize("locale", LOCALES)
def test_views_stand_in_the_mappings_order_and_no_default_is_left(
    site: Site, locale: str
) -> None:
    bindings = site.create(locale)
    for name, source in SCHEMA.sources.items():
        views = site.notion.views(database_id=bindings[name].database_id)
        assert [(view.type, view.name) for view in views] == [
            (view.type, view.label[locale]) for view in source.views
        ]
        ids = {
            view.label["en"]: one.id
            for view, one in zip(source.views, views, strict=True)
        }
        assert bindings[name].views == ids


def test_views_are_known_by_id_after_the_schema_is_read_again(site: Site) -> None:
    bindings = site.create()
    again = site.create()
    assert again == bindings
    read, _ = read_bindings(
        site.notion,
        SCHEMA,
        root_page_id=site.sandbox.root_page_id,
        locale="en",
        known=bindings,
    )
    views = {name: binding.views for name, binding in read.items()}
    assert views == {name: bindings[name].views for name in read}


def test_a_board_is_grouped_by_its_property_and_shows_what_the_mapping_says(
    site: Site,
) -> None:
    bindings = site.create()
    properties = bindings["projects"].properties
    board, timeline = (
        site.view(bindings["projects"].database_id, name)["configuration"]
        for name in ("By stage", "Timeline")
    )
    assert board["group_by"]["property_id"] == properties["stage"]
    assert [one["property_id"] for one in board["properties"] if one["visible"]] == [
        properties[name]
        for name in ("name", "client", "health", "progress", "due", "on_time")
    ]
    assert (timeline["date_property_id"], timeline["end_date_property_id"]) == (
        properties["start"],
        properties["due"],
    )
    risks = site.view(bindings["risks"].database_id, "Risk map")
    assert risks["sorts"][0]["direction"] == "descending"


@pytest.mark.shared
def test_every_body_fits_the_published_schemas(site: Site) -> None:
    if not SPECS.is_dir():
        pytest.skip("the published schemas are not beside the repository")
    without_descriptions(site, site.create())
    site.create()
    checks = (
        ("POST", "/v1/databases", "CreateDatabaseParameters"),
        ("POST", "/v1/views", "CreateViewParameters"),
        ("PATCH", "/v1/data_sources/", "UpdateDataSourceParameters"),
        ("PATCH", "/v1/views/", "UpdateViewParameters"),
    )
    for method, path, name in checks:
        validator = jsonschema.Draft7Validator(
            json.loads((SPECS / f"{name}.json").read_text("utf-8"))
        )
        parts = {
            "UpdateDataSourceParameters": {"data_source_id": "x"},
            "UpdateViewParameters": {"view_id": "x"},
        }
        bodies = list(site.bodies(method, path))
        assert bodies
        for body in bodies:
            if "View" in name:  # of these the published schema tells nothing
                body.pop("sorts", None)
                body.pop("filter", None)
            assert [
                error.message
                for error in validator.iter_errors(body | parts.get(name, {}))
            ] == []


@pytest.mark.parametrize("again", LOCALES)
def test_making_it_again_in_any_locale_writes_nothing(site: Site, again: str) -> None:
    first = site.create("ru")
    site.writes()
    assert site.create(again) == first
    assert site.writes() == []


def test_a_new_formula_counts_with_columns_as_people_call_them(site: Site) -> None:
    bindings = site.create()
    plans = bindings["plans"]
    site.do(
        "delete_property",
        data_source_id=plans.data_source_id,
        property="Days since start",
    )
    site.notion.update_data_source(
        plans.data_source_id,
        {"properties": {plans.properties["period"]: {"name": 'When "it" is'}}},
    )
    again = site.create(known=bindings)
    assert "days_since_start" in again["plans"].properties
    columns = site.get(f"data_sources/{plans.data_source_id}")["properties"]
    assert "When" in columns["Days since start"]["formula"]["expression"]


@pytest.mark.parametrize("locale", LOCALES)
def test_technical_columns_stand_last_and_in_no_view(site: Site, locale: str) -> None:
    bindings = site.create(locale)
    for name, binding in bindings.items():
        source = SCHEMA.sources[name]
        columns = site.get(f"data_sources/{binding.data_source_id}")["properties"]
        by_id = {one: prop for prop, one in binding.properties.items()}
        order = [by_id[one["id"]] for one in columns.values() if one["id"] in by_id]
        technical = [one for one in order if source.properties[one].technical]
        assert order[len(order) - len(technical) :] == technical
        hidden = {binding.properties[one] for one in technical}
        for notion_view in site.notion.views(database_id=binding.database_id):
            shown = site.get(f"views/{notion_view.id}")["configuration"]["properties"]
            seen = {one["property_id"] for one in shown if one["visible"]}
            assert not seen & hidden
            assert hidden <= {one["property_id"] for one in shown}
    keys = {
        source.properties["worker_key"].label[locale]
        for source in SCHEMA.sources.values()
        if "worker_key" in source.properties
    }
    assert keys == {{"en": "⚙ Rayline key", "ru": "⚙ Ключ Rayline"}[locale]}


def test_a_table_gives_its_columns_the_room_they_need(site: Site) -> None:
    bindings = site.create()
    view = site.view(bindings["tasks"].database_id, "By due date")
    tasks = bindings["tasks"].properties
    shown = view["configuration"]["properties"]
    widths = {one["property_id"]: one["width"] for one in shown}
    assert widths[tasks["reason"]] > widths[tasks["client"]] > widths[tasks["due"]]
    wanted = next(
        one for one in SCHEMA.sources["tasks"].views if one.label["en"] == "By due date"
    )
    assert [one["property_id"] for one in shown if one["visible"]] == [
        tasks["name"],
        *(tasks[name] for name in wanted.show),
    ]


def rows_of(site: Site, bindings: Bindings, source: str, view: str) -> list[str]:
    """Return the titles of the rows that a view shows now, in order."""
    found = site.view(bindings[source].database_id, view)
    asked = site.sandbox.handle(
        Request(
            "POST",
            f"/v1/views/{found['id']}/queries",
            headers={
                "authorization": f"Bearer {site.sandbox.token}",
                "notion-version": "2025-09-03",
                "content-type": "application/json",
            },
            body=b"{}",
        )
    )
    ids = [one["id"] for one in json.loads(asked.body)["results"]]
    titles = []
    for one in ids:
        cells = site.get(f"pages/{one}")["properties"].values()
        title = next(cell for cell in cells if cell["type"] == "title")["title"]
        titles.append("".join(part["plain_text"] for part in title))
    return titles


def add_row(
    site: Site, bindings: Bindings, source: str, name: str, **cells: Any
) -> None:
    """Add a row: cells by logical name, options by key."""
    binding, known = bindings[source], SCHEMA.sources[source].properties
    properties: dict[str, Any] = {
        "title": {"title": [{"type": "text", "text": {"content": name}}]}
    }
    for key, value in cells.items():
        kind = known[key].type
        if known[key].options:
            value = {"name": binding.options[key][value][1]}
        properties[binding.properties[key]] = {kind: value}
    site.notion.create_page(binding.data_source_id, properties)


def day(start: str, end: str | None = None) -> dict[str, str | None]:
    """Return a date as it is written."""
    return {"start": start, "end": end}


@pytest.mark.parametrize("locale", LOCALES)
def test_views_show_what_their_names_promise(site: Site, locale: str) -> None:
    bindings = site.create(locale)

    def listed(source: str, view: str) -> list[str]:
        views = SCHEMA.sources[source].views
        named = next(one.label[locale] for one in views if one.label["en"] == view)
        return rows_of(site, bindings, source, named)

    # It is Saturday, 21 November 2026.
    for name, status, due in (
        ("monday", "new", "2026-11-16"),
        ("sunday", "doing", "2026-11-22"),
        ("next", "this_sprint", "2026-11-23"),
        ("over", "done", "2026-11-20"),
    ):
        add_row(site, bindings, "tasks", name, status=status, due=day(due))
    assert listed("tasks", "My tasks") == ["monday", "sunday", "next"]
    assert listed("tasks", "This sprint") == ["sunday", "next"]
    assert listed("tasks", "This week by day") == ["monday", "sunday"]

    for name, grain, start in (
        ("q3", "quarter", "2026-07-01"),
        ("q4", "quarter", "2026-10-01"),
        ("q1", "quarter", "2027-01-01"),
        ("october", "month", "2026-10-01"),
        ("november", "month", "2026-11-01"),
        ("december", "month", "2026-12-01"),
        ("week", "week", "2026-11-16"),
    ):
        add_row(site, bindings, "plans", name, grain=grain, period=day(start))
    assert listed("plans", "This month") == ["november"]
    assert listed("plans", "This quarter by unit") == ["q4"]

    for name, status, response, review in (
        ("unanswered", "open", None, "2026-12-30"),
        ("due", "watching", "reduce", "2026-11-18"),
        ("answered", "open", "accept", "2026-12-30"),
        ("closed", "closed", None, "2026-11-18"),
        ("snoozed", "snoozed", None, "2026-11-18"),
    ):
        cells = {"response": response} if response else {}
        add_row(
            site, bindings, "risks", name, status=status, review=day(review), **cells
        )
    assert set(listed("risks", "To answer this week")) == {"unanswered", "due"}

    for name, changed in (("old", "2026-11-13"), ("new", "2026-11-20")):
        add_row(site, bindings, "projects", name, last_activity=day(changed))
    assert listed("projects", "Changed lately") == ["new"]

    for kind in SCHEMA.sources["meetings"].properties["kind"].options:
        add_row(site, bindings, "meetings", kind.key, kind=kind.key)
    assert listed("meetings", "Dailies") == ["daily"]
    assert listed("meetings", "Monday snapshots") == ["monday_cut"]
    assert set(listed("meetings", "Agendas")) == {"quarterly", "monthly"}


def described(site: Site, bindings: Bindings) -> dict[tuple[str, str], str | None]:
    """Return the description of every column, by source and property."""
    found = {}
    for name, binding in bindings.items():
        columns = site.get(f"data_sources/{binding.data_source_id}")["properties"]
        by_id = {column["id"]: column["description"] for column in columns.values()}
        for prop, property_id in binding.properties.items():
            found[name, prop] = by_id[property_id]
    return found


@pytest.mark.parametrize("locale", LOCALES)
def test_every_column_has_the_description_of_the_mapping(
    site: Site, locale: str
) -> None:
    found = described(site, site.create(locale))
    for (name, prop), text in found.items():
        known = SCHEMA.sources[name].properties[prop]
        if known.type != "relation" or known.owner is not Owner.HUMAN:
            assert (text or "") == known.told(locale), (name, prop)


def without_descriptions(site: Site, bindings: Bindings) -> None:
    """Take all descriptions away, as in a workspace made before there were any."""
    for source in site.sandbox.store.data_sources.values():
        for column in source.properties.values():
            column.description = None
    assert set(described(site, bindings).values()) == {None}


def test_a_workspace_without_descriptions_gets_them_by_one_change_a_board(
    site: Site,
) -> None:
    bindings = site.create()
    before = {
        name: site.get(f"data_sources/{binding.data_source_id}")["properties"]
        for name, binding in bindings.items()
    }
    without_descriptions(site, bindings)
    clients = bindings["clients"]
    site.notion.update_data_source(
        clients.data_source_id,
        {
            "properties": {
                clients.properties["score"]: {"number": {}, "description": "Ask Ann"}
            }
        },
    )
    site.writes()
    assert site.create() == bindings
    writes = site.writes()
    assert writes == [one for one in writes if one.startswith("PATCH /v1/data_sources")]
    assert len(set(writes)) == len(writes)
    after = {
        name: site.get(f"data_sources/{binding.data_source_id}")["properties"]
        for name, binding in bindings.items()
    }
    assert after["clients"]["⚙ Health score, 0–100"].pop("description") == "Ask Ann"
    assert before["clients"]["⚙ Health score, 0–100"].pop("description") != "Ask Ann"
    for name in bindings:
        for label, column in before[name].items():
            known = next(
                one
                for one in SCHEMA.sources[name].properties.values()
                if one.label["en"] == label
            )
            if known.owner is Owner.HUMAN:
                assert after[name][label]["description"] is None
                column["description"] = None
            assert after[name][label] == column
    assert site.create() == bindings
    assert site.writes() == []


def renamed(schema: Schema) -> Schema:
    """Return a schema in which everything has a new name and remembers the old one."""

    def anew(labels: Labels) -> dict[str, str]:
        return {locale: f"{label} anew" for locale, label in labels.items()}

    def kept(labels: Labels) -> dict[str, tuple[str, ...]]:
        return {locale: (label,) for locale, label in labels.items()}

    def option(one: Option) -> Option:
        return replace(one, label=anew(one.label), formerly=kept(one.label))

    def prop(one: Property) -> Property:
        options = tuple(map(option, one.options))
        return replace(
            one, label=anew(one.label), formerly=kept(one.label), options=options
        )

    def source(one: Source) -> Source:
        views = tuple(
            replace(view, label=anew(view.label), formerly=kept(view.label))
            for view in one.views
        )
        properties = {name: prop(known) for name, known in one.properties.items()}
        return replace(
            one,
            title=anew(one.title),
            formerly=kept(one.title),
            properties=properties,
            views=views,
        )

    return Schema({name: source(one) for name, one in schema.sources.items()})


@pytest.mark.parametrize("again", LOCALES)
def test_what_was_renamed_in_the_mappings_is_the_same_in_a_workspace_that_stands(
    site: Site, again: str
) -> None:
    first = site.create("ru")
    site.writes()
    second = create_workspace(
        site.notion,
        renamed(SCHEMA),
        parent_page_id=site.sandbox.root_page_id,
        private_page_id=site.private,
        locale=again,
    )
    assert without_views(second) == without_views(first)
    assert ids_of_views(second) == ids_of_views(first)
    assert site.writes() == []


def test_an_interrupted_making_goes_on_where_it_stopped(site: Site) -> None:
    calls = 0

    def stop(_step: str, done: int, _total: int) -> None:
        nonlocal calls
        calls += 1
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        site.create(progress=stop)
    assert calls == 6
    bindings = site.create()
    assert site.read() == (without_views(bindings), ())
    blocks = (
        *site.notion.children(site.sandbox.root_page_id),
        *site.notion.children(site.private),
    )
    assert len([block for block in blocks if block["type"] == "child_database"]) == len(
        SCHEMA.sources
    )


class Cut(BaseException):
    """The process ends here."""


def columns_of(site: Site) -> list[tuple[str, list[str]]]:
    """Return the databases of a site by title, with the names of their columns."""
    sources = site.sandbox.control("dump", {})["data_sources"].values()
    return sorted(
        (
            str(source["title"]),
            sorted(column["name"] for column in source["properties"].values()),
        )
        for source in sources
    )


@pytest.mark.parametrize("answered", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("share", [0.3, 0.58, 0.66, 0.82])
def test_wherever_it_was_cut_off_going_on_makes_nothing_twice(
    share: float, *, answered: bool
) -> None:
    """Of a pair of relations whose mirror had no name of its own yet, a second one was made."""
    whole = Site()
    whole.create()
    last = [at for at, one in enumerate(whole.sent) if one.method != "GET"]
    stop = last[int(share * len(last))]
    site = Site()
    handle = site.sandbox.handle

    def cut(request: Request) -> Response:
        is_last = len(site.sent) == stop + 1
        if is_last and not answered:
            raise Cut
        response = handle(request)
        if is_last:
            raise Cut
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.sandbox, "handle", cut)
        with pytest.raises(Cut):
            site.create()
    bindings = site.create()
    assert columns_of(site) == columns_of(whole)
    assert site.read() == (without_views(bindings), ())
    site.writes()
    site.create()
    assert site.writes() == []


def test_a_mirror_that_a_person_named_gets_no_second_one(site: Site) -> None:
    bindings = site.create()
    clients = bindings["clients"]
    change = {clients.properties["projects"]: {"name": "Our work"}}
    site.notion.update_data_source(clients.data_source_id, {"properties": change})
    before = columns_of(site)
    site.create()
    assert columns_of(site) == before


def test_progress_tells_every_step_to_its_end(site: Site) -> None:
    heard: list[tuple[str, int, int]] = []
    site.create(progress=lambda *step: heard.append(step))
    assert {step for step, _, _ in heard} == {"databases", "relations", "views"}
    assert {(step, done) for step, done, total in heard if done == total} == {
        (step, len(SCHEMA.sources)) for step in ("databases", "relations", "views")
    }


def test_only_what_is_missing_is_added(site: Site) -> None:
    before = site.create()
    clients = before["clients"].data_source_id
    site.do("delete_property", data_source_id=clients, property="⚙ Health")
    site.do("delete_property", data_source_id=clients, property="Unit")
    site.do("trash", id=before["meetings"].database_id)
    site.writes()
    after = site.create(known=before)
    assert site.read(after) == (after, ())
    kept = {
        name: one
        for name, one in before["clients"].properties.items()
        if name not in ("health", "unit")
    }
    assert kept.items() <= after["clients"].properties.items()
    assert set(after["clients"].properties) == set(before["clients"].properties)
    assert after["meetings"].data_source_id != before["meetings"].data_source_id
    databases = [one for one in site.writes() if one == "POST /v1/databases"]
    assert len(databases) == 1


def test_a_missing_option_is_added_beside_those_that_stand(site: Site) -> None:
    bindings = site.create()
    clients = bindings["clients"]
    rest = [
        {"id": identity}
        for key, (identity, _) in clients.options["source"].items()
        if key != "hunt"
    ]
    site.notion.update_data_source(
        clients.data_source_id,
        {
            "properties": {
                clients.properties["source"]: {"select": {"options": [*rest]}}
            }
        },
    )
    assert [problem.code for problem in site.read(bindings)[1]] == ["schema-option"]
    again = site.create(known=bindings)
    assert set(again["clients"].options["source"]) == {
        "referral",
        "return",
        "inbound",
        "hunt",
    }
    assert {
        key: again["clients"].options["source"][key]
        for key in ("referral", "return", "inbound")
    } == {
        key: clients.options["source"][key] for key in ("referral", "return", "inbound")
    }


def test_a_persons_own_property_of_another_type_is_left_as_it_is(site: Site) -> None:
    made = site.notion.create_database(
        {
            "parent": {"type": "page_id", "page_id": site.sandbox.root_page_id},
            "title": [{"type": "text", "text": {"content": "Clients"}}],
            "initial_data_source": {
                "properties": {
                    "Company": {"title": {}},
                    "Monthly fee": {"rich_text": {}},
                    "Projects": {"rich_text": {}},
                }
            },
        }
    )
    bindings = site.create()
    assert bindings["clients"].database_id == made.id
    assert {"monthly_fee", "projects"}.isdisjoint(bindings["clients"].properties)
    assert bindings["clients"].properties["name"] == "title"
    _, problems = site.read(bindings)
    assert {(problem.code, problem.field) for problem in problems} == {
        ("schema-retyped", "monthly_fee"),
        ("schema-retyped", "projects"),
    }


def test_renames_by_people_do_not_matter(site: Site) -> None:
    bindings = site.create()
    clients = bindings["clients"]
    site.do(
        "rename_property",
        data_source_id=clients.data_source_id,
        property="Monthly fee",
        name="Fee, roubles",
    )
    site.do(
        "rename_property",
        data_source_id=clients.data_source_id,
        property="Projects",
        name="Our work",
    )
    site.do(
        "rename_option",
        data_source_id=clients.data_source_id,
        property="Group",
        option="Newbiz",
        name="Fresh",
    )
    site.do("rename_database", id=clients.database_id, title="Customers")
    found, problems = site.read(bindings)
    assert problems == ()
    assert found["clients"].properties == clients.properties
    assert found["clients"].options["group"]["newbiz"] == (
        clients.options["group"]["newbiz"][0],
        "Fresh",
    )
    site.writes()
    assert site.create(known=bindings)["clients"].properties == clients.properties
    assert site.writes() == []


def test_what_people_deleted_or_retyped_is_said_with_a_way_out(site: Site) -> None:
    bindings = site.create()
    site.do(
        "delete_property",
        data_source_id=bindings["tasks"].data_source_id,
        property="Note",
    )
    site.do(
        "retype_property",
        data_source_id=bindings["tasks"].data_source_id,
        property="Due",
        type="rich_text",
    )
    site.do("trash", id=bindings["backlog"].database_id)
    found, problems = site.read(bindings)
    assert {
        (problem.code, english(problem.where), problem.field) for problem in problems
    } == {
        ("schema-deleted", "Account sprint", "note"),
        ("schema-retyped", "Account sprint", "due"),
        ("schema-source", "Idea backlog", ""),
    }
    assert all(problem.hint for problem in problems)
    assert {"note", "due"}.isdisjoint(found["tasks"].properties)
    assert "backlog" not in found


def test_an_unshared_source_switches_off_the_relations_to_it(site: Site) -> None:
    bindings = site.create()
    site.do("unshare", id=bindings["services"].database_id)
    found, problems = site.read(bindings)
    assert "services" not in found
    assert {problem.code for problem in problems} <= {"schema-source", "schema-deleted"}
    assert "services" not in found["clients"].properties


def test_a_relation_to_another_database_is_not_ours(site: Site) -> None:
    bindings = site.create()
    site.notion.update_data_source(
        bindings["revenue"].data_source_id,
        {
            "properties": {
                bindings["revenue"].properties["client"]: {
                    "relation": {
                        "data_source_id": bindings["people"].data_source_id,
                        "type": "single_property",
                        "single_property": {},
                    }
                }
            }
        },
    )
    found, problems = site.read(bindings)
    assert [(problem.code, problem.field) for problem in problems] == [
        ("schema-retyped", "client")
    ]
    assert "client" not in found["revenue"].properties


def test_a_database_on_a_page_below_the_root_is_found_by_search(site: Site) -> None:
    page = site.do("create", page_id=site.sandbox.root_page_id)
    made = site.notion.create_database(
        database_body(SCHEMA.sources["people"], parent_page_id=page["id"], locale="en")
    )
    bindings = site.create()
    assert bindings["people"].database_id == made.id
    assert site.read() == (without_views(bindings), ())


def test_a_namesake_elsewhere_in_notion_is_not_taken(site: Site) -> None:
    site.create()
    page = site.do("create", page_id=site.sandbox.root_page_id)
    found, problems = read_bindings(
        site.notion, SCHEMA, root_page_id=page["id"], locale="en", known={}
    )
    assert found == {}
    assert {problem.code for problem in problems} == {"schema-source", "schema-private"}
    assert len(problems) == len(SCHEMA.sources)


def test_a_database_inside_a_toggle_counts_as_on_the_page(site: Site) -> None:
    bindings = site.create()
    toggle = site.do(
        "append",
        block_id=site.sandbox.root_page_id,
        children=[
            {
                "type": "toggle",
                "toggle": {
                    "rich_text": [{"type": "text", "text": {"content": "More"}}]
                },
            }
        ],
    )["block_ids"][0]
    store = site.sandbox.store
    database = store.database(bindings["plans"].database_id)
    store.detach(database)  # people drag databases into toggles; the API cannot
    database.parent = Parent("block_id", toggle)
    store.attach(toggle, [database.id])
    assert site.read() == (without_views(bindings), ())


PRIVATE = {name for name, source in SCHEMA.sources.items() if source.private}


def test_private_data_sources_stand_under_the_private_page_alone(site: Site) -> None:
    bindings = site.create()
    parents = {
        name: site.get(f"databases/{binding.database_id}")["parent"]["page_id"]
        for name, binding in bindings.items()
    }
    assert {"feedback", "bonuses", "reviews", "costs", "margins"} == PRIVATE
    assert {name for name, page in parents.items() if page == site.private} == PRIVATE
    assert {page for name, page in parents.items() if name not in PRIVATE} == {
        site.sandbox.root_page_id
    }
    assert set(site.read()[0]) == set(SCHEMA.sources)


def test_without_a_private_page_there_are_no_private_data_sources_and_it_is_said(
    site: Site,
) -> None:
    bindings = site.create(private_page_id="")
    assert set(bindings) == set(SCHEMA.sources) - PRIVATE
    found, problems = site.read(private="")
    assert found == without_views(bindings)
    assert {(one.code, english(one.where), one.severity.value) for one in problems} == {
        ("schema-private", name, "info")
        for name in ("Feedback", "Bonuses", "Feedback reviews", "Costs", "Margins")
    }


def test_a_private_data_source_that_stands_in_the_open_is_not_taken(site: Site) -> None:
    site.create(private_page_id="")
    site.notion.create_database(
        database_body(
            SCHEMA.sources["bonuses"],
            parent_page_id=site.sandbox.root_page_id,
            locale="en",
        )
    )
    found, problems = site.read()
    assert PRIVATE.isdisjoint(found)
    assert [one.code for one in problems] == ["schema-source"] * len(PRIVATE)


def test_what_was_private_is_let_go_when_the_private_page_is_not_set_any_more(
    site: Site,
) -> None:
    known = site.create()
    assert PRIVATE.isdisjoint(site.read(known, private="")[0])


def stand(site: Site, title: str) -> str:
    """Let a database of a person stand on the root page; return its id."""
    made = site.notion.create_database(
        {
            "parent": {"type": "page_id", "page_id": site.sandbox.root_page_id},
            "title": [{"type": "text", "text": {"content": title}}],
            "initial_data_source": {"properties": {"Name": {"title": {}}}},
        }
    )
    return str(made.id)


@pytest.mark.parametrize(
    ("locale", "titles"),
    [
        ("en", ("Projects", "projects ")),
        ("ru", ("Проекты", "Проекты", "Проекты")),
        ("ru", ("Projects", "Projects")),
    ],
)
def test_of_several_databases_of_one_title_none_is_taken_and_all_are_named(
    site: Site, locale: str, titles: tuple[str, ...]
) -> None:
    made = [stand(site, title) for title in titles]
    with pytest.raises(ConfigError) as caught:
        site.create(locale)
    bindings, problems = site.read({}, locale)
    assert "projects" not in bindings
    for found in (caught.value.problems, problems):
        (told,) = [one for one in found if one.code == "several-boards"]
        message = english(told.message)
        assert all(identity.replace("-", "") in message for identity in made)
    site.do("trash", id=made[0])
    for index, identity in enumerate(made[2:]):
        site.do("rename_database", id=identity, title=f"Other {index}")
    assert site.create(locale)["projects"].database_id == made[1]


def test_a_second_database_of_a_known_title_changes_nothing(site: Site) -> None:
    bindings = site.create()
    stand(site, "Projects")
    again, problems = site.read(bindings)
    assert again == bindings
    assert problems == ()
    assert site.create(known=bindings) == bindings
