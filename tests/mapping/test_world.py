"""A world is built from whatever the workspace holds: good records typed, bad ones set aside by name."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from boards_rig import NOW, Workspace, make

from tests.support.effort import count_calls
from tests.support.english import english
from worker import config
from worker.codecs.notion import encode
from worker.codecs.records import read_page
from worker.domain.entities import Issue, JiraProject, LoggedTime, Row, Stage
from worker.domain.messages import literal
from worker.domain.periods import WorkCalendar
from worker.domain.values import Ref, Span, Value
from worker.domain.words import Words
from worker.errors import Code, Problem, Severity
from worker.mapping.load import load_schema
from worker.world.entities import parse_span
from worker.world.links import Link, LinkKind, LinkNote, ResolvedLink
from worker.world.memory import Memory
from worker.world.normalize import Seen, build_world, card_links
from worker.world.world import World

SCHEMA = load_schema()
THEN = datetime(2026, 10, 1, tzinfo=UTC)


class Board:
    """Rows written through the API, read back raw."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.pages: dict[str, list[dict[str, Any]]] = {
            name: [] for name in SCHEMA.sources
        }

    def add(self, source: str, name: str = "", **values: Value) -> Ref:
        """Create a row and return its ref."""
        binding, properties = (
            self.workspace.bindings[source],
            SCHEMA.sources[source].properties,
        )
        every: dict[str, Value] = {
            SCHEMA.sources[source].title_property.name: name,
            **values,
        }
        body = {
            binding.properties[key]: encode(
                properties[key], value, binding, lambda ref: ref.key
            )
            for key, value in every.items()
        }
        page = self.workspace.notion.create_page(binding.data_source_id, body)
        self.pages[source].append(msgspec.to_builtins(page))
        return Ref(source, page.id)

    def raw(self, source: str, ref: Ref) -> dict[str, Any]:
        """Return a row's raw page, to be spoilt."""
        return next(page for page in self.pages[source] if page["id"] == ref.key)

    def cell(self, source: str, ref: Ref, name: str) -> dict[str, Any]:
        """Return a row's raw property, to be spoilt."""
        properties: dict[str, dict[str, Any]] = self.raw(source, ref)["properties"]
        wanted = self.workspace.bindings[source].properties[name]
        return next(raw for raw in properties.values() if raw["id"] == wanted)

    def world(self, **given: Any) -> World:
        """Return the world of all that was added."""
        parts: dict[str, Any] = {
            "workspace": "studio",
            "now": NOW,
            "settings": config.Workspace(
                jira=config.JiraSettings(base_url="https://jira.example.com")
            ),
            "words": Words(),
            "schema": SCHEMA,
            "bindings": self.workspace.bindings,
            "memory": Memory(),
            "calendar": WorkCalendar(),
        }
        pages = {name: tuple(map(read_page, rows)) for name, rows in self.pages.items()}
        read = {
            name: given.pop(name) for name in Seen.__struct_fields__ if name in given
        }
        seen = Seen(**({"pages": pages} | read))
        return build_world(seen=seen, **(parts | given))


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """Return a workspace of the shipped schema."""
    return make(SCHEMA)


@pytest.fixture
def board(workspace: Workspace) -> Board:
    """Return a board that remembers only its own rows."""
    return Board(workspace)


def found(world: World, code: str) -> list[Problem]:
    """Return the problems of a code."""
    return [problem for problem in world.problems if problem.code == code]


def issue(number: int, project: str = "ACME") -> Issue:
    """Return an issue."""
    return Issue(
        str(number),
        f"{project}-{number}",
        project,
        "Task",
        0,
        "Open",
        "new",
        THEN,
        THEN,
    )


def test_rows_become_typed_and_linked(board: Board) -> None:
    anna = board.add(
        "people",
        "Анна",
        role="am",
        capacity=Decimal(40),
        time_off="2026-12-01..2026-12-14",
    )
    unit = board.add("units", "Север", am=(anna,), bonus_rate=Decimal("0.05"))
    client = board.add(
        "clients", "Acme", group="account", unit=(unit,), monthly_fee=Decimal("1000.5")
    )
    card = board.add(
        "projects",
        "Site",
        client=(client,),
        stage="in_progress",
        due=date(2026, 12, 24),
        jira="ACME",
        start=date(2026, 9, 1),
        probability=Decimal("0.9"),
    )
    board.add(
        "revenue",
        "Act",
        client=(client,),
        month=date(2026, 11, 1),
        amount=Decimal(7),
        kind="act",
    )
    world = board.world()
    assert world.people[anna].time_off == (Span(date(2026, 12, 1), date(2026, 12, 14)),)
    assert world.units[unit].am == (anna,)
    assert (world.clients[client].unit, world.clients[client].monthly_fee) == (
        unit,
        Decimal("1000.5"),
    )
    assert (world.cards[card].client, world.cards[card].stage) == (
        client,
        Stage.IN_PROGRESS,
    )
    assert (world.cards[card].due, world.cards[card].jira) == (
        date(2026, 12, 24),
        "ACME",
    )
    assert world.revenue[0].amount == Decimal(7)
    assert world.today == date(2026, 11, 21)
    assert world.problems == ()
    assert world.sources == frozenset(SCHEMA.part(private=False).sources)


def test_today_is_the_workspaces_day() -> None:
    settings = config.Workspace(time_zone="Asia/Vladivostok")
    late = datetime(2026, 11, 21, 20, tzinfo=UTC)
    assert build_world(
        workspace="w",
        now=late,
        settings=settings,
        words=Words(),
        schema=SCHEMA,
        bindings={},
        seen=Seen(),
        memory=Memory(),
    ).today == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("source", "values", "code", "field"),
    [
        ("projects", {"stage": "idea"}, "card-without-client", "client"),
        (
            "projects",
            {"start": date(2026, 12, 2), "due": date(2026, 12, 1)},
            "reversed-dates",
            "start",
        ),
        ("projects", {"budget": Decimal(-1)}, "negative-amount", "budget"),
        ("projects", {"probability": Decimal(90)}, "out-of-range", "probability"),
        ("projects", {"jira": "спросить у Пети"}, "bad-link", "jira"),
        (
            "clients",
            {"monthly_fee": Decimal("-0.01")},
            "negative-amount",
            "monthly_fee",
        ),
        (
            "clients",
            {"since": date(2026, 1, 2), "contract_end": date(2026, 1, 1)},
            "reversed-dates",
            "since",
        ),
        (
            "documents",
            {"signed": date(2026, 1, 2), "expires": date(2026, 1, 1)},
            "reversed-dates",
            "signed",
        ),
        ("people", {"rate": Decimal(-5)}, "negative-amount", "rate"),
        ("people", {"time_off": "завтра"}, "bad-time-off", "time_off"),
        ("people", {"time_off": "2026-12-14..2026-12-01"}, "bad-time-off", "time_off"),
        ("units", {}, "unit-without-people", "members"),
        (
            "revenue",
            {"amount": Decimal(5), "kind": "act"},
            "incomplete-revenue",
            "client",
        ),
        ("clients", {"group": "account"}, "client-without-unit", "unit"),
        (
            "goals",
            {
                "target": Decimal(5),
                "period": Span(date(2026, 10, 1), date(2026, 12, 31)),
            },
            "goal-without-measure",
            "measure",
        ),
        (
            "goals",
            {"measure": "NPS", "period": date(2026, 10, 1)},
            "goal-without-measure",
            "target",
        ),
        (
            "goals",
            {"measure": "NPS", "target": Decimal(5)},
            "goal-without-period",
            "period",
        ),
        (
            "goals",
            {"measure": "NPS", "target": Decimal(5), "period": date(9999, 12, 31)},
            "out-of-range",
            "period",
        ),
        (
            "goals",
            {"measure": "NPS", "target": Decimal(-5), "period": date(2026, 10, 1)},
            "negative-amount",
            "target",
        ),
        (
            "revenue",
            {"month": date(2026, 1, 1), "amount": Decimal(-5), "kind": "payment"},
            "negative-amount",
            "amount",
        ),
    ],
)
def test_a_bad_field_is_named_with_its_page_and_left_empty(
    board: Board, source: str, values: dict[str, Value], code: str, field: str
) -> None:
    ref = board.add(source, "Спорная строка", **values)
    good = board.add("services", "Support")
    world = board.world()
    problem = next(iter(found(world, code)))
    assert problem.field == field
    assert "Спорная строка" in english(problem.where)
    assert problem.message
    assert problem.hint
    if code != "bad-link":
        assert problem.url == board.raw(source, ref)["url"]
    entities: dict[Ref, object] = {
        **world.cards,
        **world.clients,
        **world.documents,
        **world.people,
    }
    if ref in entities and field not in ("jira", "time_off"):
        assert getattr(entities[ref], field) is None
    assert good in world.services


def test_two_account_managers_are_reported_and_kept(board: Board) -> None:
    people = (board.add("people", "Anna"), board.add("people", "Boris"))
    unit = board.add("units", "North", am=people)
    world = board.world()
    assert [problem.code for problem in world.problems] == ["two-ams", "no-clients"]
    assert set(world.units[unit].am) == set(people)


def test_a_relation_to_a_row_that_is_gone_is_nothing(board: Board) -> None:
    client = board.add("clients", "Acme")
    card = board.add("projects", "Site", client=(client,), stage="done")
    board.pages["clients"].clear()
    world = board.world()
    assert world.cards[card].client is None
    assert [problem.code for problem in world.problems] == ["dangling-relation"]


def test_two_clients_on_one_card_are_none(board: Board) -> None:
    clients = (board.add("clients", "Acme"), board.add("clients", "Acme"))
    card = board.add("projects", "Site", client=clients, stage="done")
    world = board.world()
    assert world.cards[card].client is None
    assert [problem.code for problem in world.problems] == ["several-rows"], (
        "duplicate titles are fine"
    )


def test_an_unreadable_field_does_not_take_the_row_along(board: Board) -> None:
    card = board.add("projects", "Site", stage="done")
    board.cell("projects", card, "due")["date"] = {"start": "51502-01-01", "end": None}
    board.cell("projects", card, "stage")["status"] = {
        "id": "new",
        "name": "На паузе",
        "color": "red",
    }
    world = board.world()
    assert (world.cards[card].due, world.cards[card].stage) == (None, None)
    assert sorted(problem.field for problem in found(world, "unreadable-field")) == [
        "due",
        "stage",
    ]


@pytest.mark.parametrize("number", [1e308, -1e308, 1e30, 1e-30, -1e16])
def test_a_number_that_is_no_amount_is_named_and_left_empty(
    board: Board, number: float
) -> None:
    client = board.add(
        "clients", "Acme", monthly_fee=Decimal(7), since=date(2026, 1, 1)
    )
    plan = board.add(
        "plans", "Plan", target=Decimal(7), fact=Decimal(7), worker_key="plan:u:2026-Q4"
    )
    for source, ref, name in (
        ("clients", client, "monthly_fee"),
        ("plans", plan, "target"),
        ("plans", plan, "fact"),
    ):
        board.cell(source, ref, name)["number"] = number
    world = board.world()
    assert (world.clients[client].monthly_fee, world.clients[client].since) == (
        None,
        date(2026, 1, 1),
    )
    told = found(world, "out-of-range")
    assert [(english(problem.where), problem.field) for problem in told] == [
        ("Clients: Acme", "monthly_fee"),
        ("Plans: Plan", "target"),
    ]
    assert f"{number:.6g}".split("e")[0] in english(told[0].message)
    fields = world.rows["plans"][0].fields
    assert "target" not in fields, "no rule reads it from the row either"
    assert fields["fact"] == Decimal(repr(number)), (
        "what is Rayline's is simply written anew"
    )


def test_deleted_users_and_unknown_shapes_do_not_stop_a_world(board: Board) -> None:
    person = board.add("people", "Anna")
    board.cell("people", person, "notion_user")["people"] = [
        {"object": "user", "id": "gone"}
    ]
    board.pages["people"].append({"id": "odd", "properties": {"?": None}})
    world = board.world()
    assert world.people[person].notion_user == "gone"
    assert Ref("people", "odd") in world.people


def test_rows_in_the_trash_are_not_there(board: Board) -> None:
    client = board.add("clients", "Acme")
    board.raw("clients", client)["in_trash"] = True
    assert board.world().clients == {}


def rows_of(world: World, source: str) -> list[tuple[Ref, str]]:
    """Return ref and title of a source's rows."""
    rows: tuple[Row, ...] = world.rows[source]
    return [(row.ref, row.title) for row in rows]


def test_worker_rows_are_named_by_their_key_and_peoples_by_page(board: Board) -> None:
    board.add("plans", "Q4", worker_key="plan:firm:2026-Q4")
    own = board.add("plans", "My own plan")
    assert sorted(rows_of(board.world(), "plans"), key=str) == sorted(
        [(Ref("plans", "plan:firm:2026-Q4"), "Q4"), (own, "My own plan")], key=str
    )


def test_a_relation_to_a_worker_row_is_its_key(board: Board) -> None:
    parent = board.add("plans", "Q4", worker_key="plan:firm:2026-Q4")
    board.add("plans", "October", worker_key="plan:firm:2026-10", parent=(parent,))
    october = next(row for row in board.world().rows["plans"] if row.title == "October")
    assert october.fields["parent"] == (Ref("plans", "plan:firm:2026-Q4"),)


def test_a_copied_row_is_reported_and_the_older_one_comes_first(board: Board) -> None:
    board.add("plans", "Original", worker_key="plan:firm:2026-Q4")
    copied = copy.deepcopy(board.pages["plans"][0]) | {
        "id": "copy",
        "url": "https://notion/copy",
        "created_time": "2099-01-01T00:00:00.000Z",
        "created_by": {"object": "user", "id": "person"},
    }
    board.pages["plans"].insert(0, copied)
    world = board.world()
    assert [row.page_id for row in world.rows["plans"]][1] == "copy"
    assert [problem.url for problem in found(world, "duplicate-key")] == [
        "https://notion/copy"
    ]


def test_a_trashed_row_that_lives_again_is_not_trashed(board: Board) -> None:
    board.add("tasks", "Call", worker_key="task:call:1")
    gone, back = Ref("tasks", "task:call:2"), Ref("tasks", "task:call:1")
    assert board.world(trashed=frozenset({gone, back})).trashed == {gone}


def test_one_jira_account_of_two_people_is_reported_at_both(board: Board) -> None:
    board.add("people", "Anna", jira_account="a1 ")
    board.add("people", "Boris", jira_account="a1")
    board.add("people", "Clara")
    assert {
        english(problem.where) for problem in found(board.world(), "duplicate-account")
    } == {"People: Anna", "People: Boris"}


def test_cards_and_projects_without_each_other_are_listed_with_the_likeliest(
    board: Board,
) -> None:
    client = board.add("clients", "Northwind")
    board.add("projects", "Online shop", client=(client,), stage="in_progress")
    linked = board.add(
        "projects", "App", client=(client,), stage="in_progress", jira="APP-1"
    )
    board.add("projects", "Old", client=(client,), stage="lost")
    projects = [
        JiraProject("1", "NWS", "Northwind online shop"),
        JiraProject("2", "APP", "App"),
        JiraProject("3", "ZZZ", "Внутренние задачи"),
    ]
    links = {linked.key: ResolvedLink(LinkKind.EPIC, "epic APP-1", epic="1")}
    world = board.world(jira_projects=projects, links=links, issues=[issue(1, "APP")])
    cards = found(world, "unmatched-card")
    assert [(english(problem.where), problem.severity) for problem in cards] == [
        ("Projects: Online shop", Severity.INFO)
    ]
    assert "likely: Northwind online shop (NWS)" in english(cards[0].message)
    assert [project.key for project in world.unmatched_projects] == ["NWS", "ZZZ"]
    shop, internal = found(world, "unmatched-project")
    assert "likely: Northwind: Online shop" in english(shop.message)
    assert "likely" not in english(internal.message)
    assert world.work[linked].issues == (issue(1, "APP"),)


def test_an_unresolved_link_is_said_and_nothing_attached(board: Board) -> None:
    client = board.add("clients", "Acme")
    card = board.add("projects", "Site", client=(client,), jira="GONE")
    world = board.world(
        links={
            card.key: ResolvedLink(
                LinkKind.PROJECT, project="GONE", problem=literal("no project GONE")
            )
        }
    )
    assert [
        english(problem.message) for problem in found(world, "unresolved-link")
    ] == ["no project GONE"]
    assert world.work == {}


def test_what_does_not_count_of_a_link_is_said_beside_what_counts(board: Board) -> None:
    client = board.add("clients", "Acme")
    card = board.add("projects", "Site", client=(client,), jira="ACME, HR")
    notes = (LinkNote(Code.UNLISTED_PROJECT, literal("project HR may not be read")),)
    links = {
        card.key: ResolvedLink(
            LinkKind.PROJECT, "project ACME", project="ACME", notes=notes
        )
    }
    world = board.world(links=links, issues=[issue(1, "ACME")])
    (problem,) = found(world, "unlisted-project")
    assert english(problem.message) == "project HR may not be read"
    assert "`projects`" in english(problem.hint)
    assert world.work[card].issues == (issue(1, "ACME"),)
    assert world.work[card].as_of is None


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (("1",), "1 issue is not visible any more"),
        (("1", "2", "9"), "2 issues are not visible any more"),
    ],
)
def test_a_card_says_how_many_of_its_issues_are_not_visible_and_since_when(
    board: Board, hidden: tuple[str, ...], said: str
) -> None:
    client = board.add("clients", "Acme")
    card = board.add("projects", "Site", client=(client,), jira="ACME")
    other = board.add("projects", "App", client=(client,), jira="APP")
    since = datetime(2026, 11, 18, 9, 5, tzinfo=UTC)
    world = board.world(
        links={
            card.key: ResolvedLink(LinkKind.PROJECT, project="ACME"),
            other.key: ResolvedLink(LinkKind.PROJECT, project="APP"),
        },
        issues=[issue(1, "ACME"), issue(2, "ACME"), issue(3, "APP")],
        hidden=dict.fromkeys(hidden, since),
    )
    (problem,) = found(world, "not-visible")
    assert english(problem.where) == "Projects: Site"
    assert english(problem.message) == (
        f"{said}; the figures are those of Nov 18, 2026, 12:05"
    )
    assert world.work[card].as_of == since
    assert len(world.work[card].issues) == 2
    assert world.work[other].as_of is None


def test_links_of_problems_lead_to_where_people_see_jira(board: Board) -> None:
    board.add("clients", "Northwind")
    projects = [JiraProject("1", "NWS", "Northwind")]
    world = board.world(jira_projects=projects, site_url="https://studio.example")
    (problem,) = found(world, "unmatched-project")
    assert problem.url == "https://studio.example/browse/NWS"


def test_links_are_read_before_the_world(board: Board) -> None:
    typed, empty = (
        board.add("projects", "Site", jira="acme-7"),
        board.add("projects", "Idea"),
    )
    trashed = board.add("projects", "Gone", jira="ACME")
    board.raw("projects", trashed)["in_trash"] = True
    assert card_links(
        map(read_page, board.pages["projects"]), SCHEMA, board.workspace.bindings
    ) == {typed.key: Link(LinkKind.EPIC, "ACME-7"), empty.key: Link(LinkKind.NONE)}
    assert card_links(map(read_page, board.pages["projects"]), SCHEMA, {}) == {}


SITE = "https://jira.example.com"


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ([("Board", f"{SITE}/projects/ACME")], ["ACME"]),
        ([("our work", f"{SITE}/browse/ACME-7")], ["ACME-7"]),
        (
            [
                ("one", f"{SITE}/browse/ACME-7"),
                (", ", ""),
                ("two", f"{SITE}/browse/ACME-8"),
            ],
            ["ACME-7", "ACME-8"],
        ),
        ([("one", f"{SITE}/browse/ACME-7"), ("\nBETA", "")], ["ACME-7", "BETA"]),
        ([("ACME", "https://acme.example/")], ["ACME"]),
        ([("ACME-7", f"{SITE}/browse/ACME-7")], ["ACME-7"]),
        ([("mine", "https://other.example/browse/ACME-7")], ["other.example"]),
        (
            [("see ", ""), ("this", f"{SITE}/browse/ACME-7")],
            [f"see  {SITE}/browse/ACME-7"],
        ),
    ],
)
def test_the_address_behind_words_is_read(
    board: Board, pieces: list[tuple[str, str]], texts: list[str]
) -> None:
    card = board.add("projects", "Shop", jira="words")
    board.cell("projects", card, "jira")["rich_text"] = [
        {
            "type": "text",
            "text": {"content": words},
            "plain_text": words,
            "href": address or None,
        }
        for words, address in pieces
    ]
    links = card_links(
        map(read_page, board.pages["projects"]),
        SCHEMA,
        board.workspace.bindings,
        site_url=SITE,
    )
    assert [part.text for part in links[card.key].each()] == texts


@pytest.mark.parametrize(
    ("line", "span"),
    [
        ("2026-12-01..2026-12-14", Span(date(2026, 12, 1), date(2026, 12, 14))),
        ("2026-12-01 – 2026-12-14", Span(date(2026, 12, 1), date(2026, 12, 14))),
        ("01.12.2026-14.12.2026", Span(date(2026, 12, 1), date(2026, 12, 14))),
        (" 2026-12-01 ", Span(date(2026, 12, 1), date(2026, 12, 1))),
        ("2026-12-01..2026-12-14..2026-12-20", None),
        ("2026-13-01", None),
        ("с 2026-12-01", None),
        ("", None),
    ],
)
def test_time_off_is_read_as_people_write_it(line: str, span: Span | None) -> None:
    assert parse_span(line) == span


def test_a_world_takes_steps_in_proportion_to_its_issues(board: Board) -> None:
    client = board.add("clients", "Acme")
    card = board.add(
        "projects", "Site", client=(client,), jira="P1", stage="in_progress"
    )
    clients = _copies(board.raw("clients", client), 30, "client")
    cards = _copies(board.raw("projects", card), 100, "card")
    board.pages |= {"clients": [*board.pages["clients"], *clients], "projects": cards}
    links = {
        page["id"]: ResolvedLink(LinkKind.PROJECT, project=f"P{number}")
        for number, page in enumerate(cards)
    }

    def count_for(size: int) -> int:
        issues = [issue(number, f"P{number % 100}") for number in range(size)]
        worklogs = [
            LoggedTime(str(number), "anna", THEN.date(), 60) for number in range(size)
        ]
        worlds: list[World] = []
        calls = count_calls(
            lambda: worlds.append(
                board.world(issues=issues, worklogs=worklogs, links=links)
            )
        )
        assert sum(len(work.issues) for work in worlds[0].work.values()) == size
        return calls

    assert count_for(20_000) < 5 * count_for(5_000)


def _copies(page: dict[str, Any], number: int, name: str) -> list[dict[str, Any]]:
    return [page | {"id": f"{name}-{one}"} for one in range(number)]


def test_ranges_and_instants_count_as_days_of_the_workspace(board: Board) -> None:
    client = board.add(
        "clients", "Acme", last_contact=datetime(2026, 11, 20, 22, tzinfo=UTC)
    )
    card = board.add(
        "projects",
        "Site",
        client=(client,),
        stage="done",
        start=Span(date(2026, 9, 1), date(2026, 9, 5)),
        due=Span(date(2026, 12, 1), date(2026, 12, 24)),
    )
    world = board.world()
    assert world.clients[client].last_contact == date(2026, 11, 21), (
        "it is already the 21st in Moscow"
    )
    assert (world.cards[card].start, world.cards[card].due) == (
        date(2026, 9, 1),
        date(2026, 12, 24),
    )
    cell = world.rows["clients"][0].fields["last_contact"]
    assert cell == datetime(2026, 11, 20, 22, tzinfo=UTC), (
        "the cell itself stays what people typed"
    )


def test_blank_lines_of_time_off_and_impossible_days(board: Board) -> None:
    person = board.add("people", "Anna", time_off="\n2026-12-01\n\n2026-02-31\n")
    world = board.world()
    assert world.people[person].time_off == (
        Span(date(2026, 12, 1), date(2026, 12, 1)),
    )
    assert "2026-02-31" in english(found(world, "bad-time-off")[0].message)


def test_a_row_without_a_name_is_kept_and_said(board: Board) -> None:
    service = board.add("services", "  ", kind="one_off")
    world = board.world()
    assert service in world.services
    assert [(problem.code, problem.severity) for problem in world.problems] == [
        ("no-title", Severity.INFO),
        ("no-clients", Severity.INFO),
    ]


def test_boards_without_clients_say_where_to_begin_and_miss_no_project(
    board: Board,
) -> None:
    projects = [JiraProject(f"{one}", f"P{one}X", "Any") for one in range(300)]
    (problem,) = board.world(jira_projects=projects).problems
    assert problem.code == "no-clients"
    assert "add a client there" in english(problem.hint)
    board.add("clients", "Northwind")
    world = board.world(jira_projects=projects)
    assert len(found(world, "unmatched-project")) == 300
    assert found(world, "no-clients") == []
