"""Raw pages and issues to one `World`: decoded, typed, linked, and every bad record set aside with its problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from worker import config
from worker.codecs.pages import (
    address,
    addressed,
    decode_page,
    index_pages,
    place,
    properties_by_id,
)
from worker.codecs.records import Page
from worker.domain.entities import (
    Card,
    CardWork,
    Issue,
    JiraProject,
    LoggedTime,
    Person,
    Row,
)
from worker.domain.messages import Text, literal, tell
from worker.domain.periods import WorkCalendar, local_day
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.errors import Code, Problem
from worker.mapping.schema import KEY_PROPERTY, Binding, Bindings, Schema, Source
from worker.world import entities
from worker.world.allocations import allocate
from worker.world.attach import attach, cycle_problems, find_cycles, index_issues
from worker.world.calendar import provisional_problems, work_calendar
from worker.world.links import Link, LinkKind, ResolvedLink, parse_link
from worker.world.match import (
    CARDS,
    no_clients,
    project_problems,
    unmatched_cards,
    unmatched_projects,
)
from worker.world.memory import Memory
from worker.world.terms import Dating
from worker.world.world import HOME, Place, World

Pages = Mapping[str, Sequence[Page]]
Entity = TypeVar("Entity")
YEARS_BACK, YEARS_AHEAD = 3, 3


class Rowset(msgspec.Struct, frozen=True, gc=False):
    """The decoded living rows of all bound sources, with what could not be read."""

    rows: Mapping[str, tuple[Row, ...]] = msgspec.field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def refs(self) -> frozenset[Ref]:
        """Return the refs of all rows."""
        return frozenset(row.ref for found in self.rows.values() for row in found)


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What was read of both systems: raw pages by source, issues, worklogs, links by the card's page id, projects, and
    since when issues are not visible any more, by id; `site_url` is where people see Jira, if not where it is asked."""

    pages: Pages = msgspec.field(default_factory=dict)
    issues: Sequence[Issue] = ()
    worklogs: Sequence[LoggedTime] = ()
    links: Mapping[str, ResolvedLink] = msgspec.field(default_factory=dict)
    jira_projects: Sequence[JiraProject] = ()
    hidden: Mapping[str, datetime] = msgspec.field(default_factory=dict)
    site_url: str = ""


def build_world(
    *,
    workspace: str,
    now: datetime,
    settings: config.Workspace,
    words: Words,
    schema: Schema,
    bindings: Bindings,
    seen: Seen,
    memory: Memory,
    trashed: frozenset[Ref] = frozenset(),
    calendar: WorkCalendar | None = None,
) -> World:
    """Return the world as read. Problems name page or issue and field; nothing here raises for bad data.

    `trashed` are rows of ours known to be deleted (those that live again do not count); `calendar` saves computing it
    from the settings.
    """
    site_url = seen.site_url or settings.jira.base_url
    links = seen.links
    jira_projects = seen.jira_projects
    rowset = read_pages(schema, bindings, seen.pages)
    zone = ZoneInfo(settings.time_zone)
    read = _Typed(schema, rowset.rows, zone)
    clients = read.typed("clients", entities.read_client)
    cards = read.typed(CARDS, entities.read_card)
    units = read.typed("units", entities.read_unit)
    people, allocation_problems = allocate(
        read.typed("people", entities.read_person), rowset.rows.get("people", ()), units
    )
    revenue = read.typed("revenue", entities.read_revenue)
    costs = read.typed("costs", entities.read_cost)
    ordered = sorted(seen.issues, key=attrgetter("id"))
    forest = index_issues(ordered, seen.worklogs)
    work = attach(cards.values(), forest, links, seen.hidden)
    unmatched = unmatched_projects(jira_projects, links, work)
    today = local_day(now, zone)
    gone = trashed - rowset.refs()
    terms = read.typed("terms", entities.read_term)
    dating = Dating(
        [term for term in terms.values() if term is not None],
        memory.cells,
        trashed=gone,
        today=today,
    )
    clients = dating.date(clients, rowset.rows.get("clients", ()))
    cards = dating.date(cards, rowset.rows.get(CARDS, ()))
    people = dating.date(people, rowset.rows.get("people", ()))
    years = range(today.year - YEARS_BACK, today.year + YEARS_AHEAD + 1)
    calendar = calendar or work_calendar(settings.calendar, years)
    say_moment = partial(_say_moment, words, zone)
    missed = project_problems(unmatched, cards, clients, site_url)
    if "clients" in bindings and not (clients or cards):
        missed = [no_clients(schema.sources["clients"].title)]
    return World(
        workspace=workspace,
        now=now,
        today=today,
        thresholds=settings.thresholds,
        targets=settings.targets,
        words=words,
        zone=zone,
        calendar=calendar,
        sources=frozenset(bindings),
        rows=rowset.rows,
        clients=clients,
        people=people,
        cards=cards,
        units=units,
        contacts=read.typed("contacts", entities.read_contact),
        services=read.typed("services", entities.read_service),
        documents=read.typed("documents", entities.read_document),
        ideas=read.typed("backlog", entities.read_idea),
        feedback=read.typed("feedback", entities.read_feedback),
        goals=read.typed("goals", entities.read_goal),
        scenarios=read.typed("scenarios", entities.read_scenario),
        revenue=tuple(row for row in revenue.values() if row is not None),
        costs=tuple(row for row in costs.values() if row is not None),
        work=work,
        issues=forest.by_id,
        worklogs=tuple(seen.worklogs),
        jira_projects=tuple(jira_projects),
        unmatched_projects=unmatched,
        trashed=gone,
        terms=dating.terms,
        memory=memory,
        seeds=find_seeds(rowset.rows, schema),
        jira_url=site_url.rstrip("/"),
        places=_places(settings.notion.root_page_id, words),
        boards=_boards(schema, bindings, words.locale),
        problems=(
            *provisional_problems(calendar, today),
            *rowset.problems,
            *read.problems,
            *dating.terms.problems,
            *account_problems(people),
            *allocation_problems,
            *link_problems(cards.values(), links, say_moment),
            *hidden_problems(cards, work, seen.hidden, words, say_moment),
            *cycle_problems(find_cycles(forest), site_url),
            *unmatched_cards(cards, clients, jira_projects),
            *missed,
        ),
    )


def _places(root: str, words: Words) -> dict[Ref, Place]:
    """Return the pages that are no rows and hold a section."""
    return {HOME: Place(root, words.say("Home"), address(root))} if root else {}


def _boards(schema: Schema, bindings: Bindings, locale: str) -> dict[str, Place]:
    """Return the open boards by name: nothing leads to a private one."""
    boards = {}
    for name, binding in bindings.items():
        source = schema.sources[name]
        if not source.private:
            title = source.title[locale]
            url = address(binding.database_id)
            views = _views(source, binding, locale)
            boards[name] = Place(binding.database_id, title, url, views)
    return boards


def _views(source: Source, binding: Binding, locale: str) -> dict[str, Place]:
    """Return the views that are made with a board; one of which the id is not known leads to the board."""
    views: dict[str, Place] = {}
    if source.board:
        return views
    url = address(binding.database_id)
    for view in source.views:
        name = view.label["en"]
        view_id = binding.views.get(name, "")
        bare = view_id.replace("-", "")
        place = f"{url}?v={bare}" if bare else url
        views[name] = Place(view_id, view.label[locale], place)
    return views


def find_seeds(rows: Mapping[str, Iterable[Row]], schema: Schema) -> dict[Ref, Ref]:
    """Return the ref of every planted row that lives, by the ref of its Rayline key; of copies the original."""
    seeds: dict[Ref, Ref] = {}
    seeded = [source for source in schema.sources.values() if source.seeded]
    for source in seeded:
        for row in rows.get(source.name, ()):
            key = row.fields.get(KEY_PROPERTY)
            if isinstance(key, str) and source.is_seed(key.strip()):
                seeds.setdefault(Ref(source.name, key.strip()), row.ref)
    return seeds


@dataclass(slots=True)
class _Typed:
    """Reads source after source into entities, keeping the problems; an absent source has none."""

    schema: Schema
    rows: Mapping[str, Sequence[Row]]
    zone: ZoneInfo
    problems: list[Problem] = field(default_factory=list)
    present: Mapping[str, frozenset[Ref]] = field(init=False)

    def __post_init__(self) -> None:
        self.present = {
            name: frozenset(row.ref for row in rows) for name, rows in self.rows.items()
        }

    def typed(
        self, name: str, read: Callable[[entities.Reader], Entity]
    ) -> dict[Ref, Entity]:
        """Return a source's entities by ref."""
        if name not in self.schema.sources:
            return {}
        by_ref, problems = entities.read_rows(
            self.rows.get(name, ()),
            self.schema.sources[name],
            read,
            zone=self.zone,
            present=self.present,
        )
        self.problems += problems
        return by_ref


def read_pages(schema: Schema, bindings: Bindings, pages: Pages) -> Rowset:
    """Return the decoded living rows of all bound sources; of rows with one key the oldest is first."""
    bound = [
        (source, bindings[name], pages.get(name, ()))
        for name, source in schema.sources.items()
        if name in bindings
    ]
    index: dict[str, Ref] = {}
    for source, binding, source_pages in bound:
        index |= index_pages(source_pages, source, binding)
    rows: dict[str, tuple[Row, ...]] = {}
    problems: list[Problem] = []
    for source, binding, source_pages in bound:
        living = sorted(
            (page for page in source_pages if not page.is_gone),
            key=lambda page: (page.created_time or "", page.id),
        )
        decoded = [decode_page(page, source, binding, index) for page in living]
        rows[source.name] = tuple(row for row, _ in decoded)
        problems += [problem for _, complaints in decoded for problem in complaints]
        problems += duplicate_problems(rows[source.name], source)
    return Rowset(rows, tuple(problems))


def duplicate_problems(rows: Iterable[Row], source: Source) -> list[Problem]:
    """Return a problem for each row whose Rayline key another row carries already."""
    seen: dict[str, Row] = {}
    problems = []
    for row in rows:
        if not row.key:
            continue
        first = seen.setdefault(row.key, row)
        if first is not row:
            problems.append(
                Problem(
                    code=Code.DUPLICATE_KEY,
                    where=place(row, source),
                    field="worker_key",
                    message=tell(
                        "the row carries the Rayline key of {first} too",
                        first=first.url or first.page_id,
                    ),
                    hint=tell(
                        "clear the Rayline key of the copy to keep it as your own row"
                    ),
                    url=row.url,
                )
            )
    return problems


def account_problems(people: Mapping[Ref, Person]) -> list[Problem]:
    """Return a problem for each person whose Jira account another person has too."""
    holders = [(person, person.jira) for person in people.values() if person.jira]
    owners = Counter(account for _, account in holders)
    return [
        Problem(
            code=Code.DUPLICATE_ACCOUNT,
            where=tell("People: {name}", name=person.name),
            field="jira_account",
            message=tell(
                "{count} people have the Jira account {account}",
                count=owners[account],
                account=account,
            ),
            hint=tell("leave it with its owner"),
            url=person.url,
        )
        for person, account in holders
        if owners[account] > 1
    ]


def link_problems(
    cards: Iterable[Card],
    links: Mapping[str, ResolvedLink],
    say_moment: Callable[[datetime], str],
) -> list[Problem]:
    """Return a problem for each card whose Jira field cannot be read or was not resolved."""
    problems = []
    for card in cards:
        resolved = links.get(card.ref.key, ResolvedLink(LinkKind.NONE))
        is_unread = resolved.kind is LinkKind.NONE or (
            resolved.as_of is not None and not resolved.problem
        )
        if is_unread and parse_link(card.jira).kind is LinkKind.BAD:
            typed = (card.jira or "").strip()[:60]
            code = Code.BAD_LINK
            fault = tell("cannot read “{text}”", text=typed)
        else:
            code = resolved.code
            fault = resolved.problem
        if fault:
            aged = _aged(fault, resolved.as_of, say_moment)
            problems.append(_link_problem(card, code, aged))
        for note in resolved.notes:
            problems.append(_link_problem(card, note.code, note.said))
    return problems


def hidden_problems(
    cards: Mapping[Ref, Card],
    work: Mapping[Ref, CardWork],
    hidden: Mapping[str, datetime],
    words: Words,
    say_moment: Callable[[datetime], str],
) -> list[Problem]:
    """Return a problem for each card some of whose issues are not visible any more."""
    problems = []
    for ref, attached in work.items() if hidden else ():
        issues = (*attached.issues, *attached.rejected)
        count = sum(issue.id in hidden for issue in issues)
        if count:
            issues_gone = words.count(
                "{n} issue is not visible any more",
                "{n} issues are not visible any more",
                count,
            )
            fault = _aged(literal(issues_gone), attached.as_of, say_moment)
            problems.append(_link_problem(cards[ref], Code.NOT_VISIBLE, fault))
    return problems


LINK_HINTS = {
    Code.UNLISTED_PROJECT: tell(
        "ask who runs Rayline to add its key to `projects` under `jira`"
    ),
    Code.NOT_VISIBLE: tell(
        "give the account the right to see them again; if they are meant to be gone, `rayline sync --force` drops them"
    ),
}
LINK_HINT = tell("enter keys of projects or issues, filters, JQL or Jira addresses")


def _say_moment(words: Words, zone: ZoneInfo, at: datetime) -> str:
    """Return an instant as people of the workspace read it."""
    day = words.date(local_day(at, zone))
    return f"{day}, {at.astimezone(zone):%H:%M}"


def _aged(
    fault: Text, as_of: datetime | None, say_moment: Callable[[datetime], str]
) -> Text:
    """Return a fault with the age of the figures that are kept in spite of it."""
    if as_of is None:
        return fault
    return tell(
        "{fault}; the figures are those of {moment}",
        fault=fault,
        moment=say_moment(as_of),
    )


def _link_problem(card: Card, code: Code, fault: Text) -> Problem:
    return Problem(
        code=code,
        where=tell("Projects: {name}", name=card.name),
        field="jira",
        message=fault,
        hint=LINK_HINTS.get(code, LINK_HINT),
        url=card.url,
    )


def card_links(
    pages: Iterable[Page], schema: Schema, bindings: Bindings, *, site_url: str = ""
) -> dict[str, Link]:
    """Return the link of every living card by page id, to be resolved before the world is built; `pages` of cards.

    `site_url` is the address of Jira: of other sites nothing is read.
    """
    source = schema.sources.get(CARDS)
    binding = bindings.get(CARDS)
    if source is None or binding is None or "jira" not in binding.properties:
        return {}
    only = Binding(
        CARDS,
        binding.database_id,
        binding.data_source_id,
        {"jira": binding.properties["jira"]},
    )
    pages = [page for page in pages if not page.is_gone]
    rows = [decode_page(page, source, only, {})[0] for page in pages]
    texts = {row.page_id: row.fields.get("jira") for row in rows}
    addresses = {
        page.id: _with_addresses(page, binding.properties["jira"], site_url)
        for page in pages
    }
    return {
        page_id: parse_link(
            addresses[page_id] or (text if isinstance(text, str) else None), site_url
        )
        for page_id, text in texts.items()
    }


def _with_addresses(page: Page, property_id: str, site_url: str) -> str:
    """Return the text of a cell with the addresses of Jira behind its words in place of them, empty without any."""
    cell = properties_by_id(page).get(property_id) or {}
    texts = []
    has_any = False
    for words, typed in addressed(cell):
        link = parse_link(typed, site_url)
        is_link = link.kind not in (LinkKind.BAD, LinkKind.NONE)
        has_any |= is_link
        texts.append(f" {typed} " if is_link else words)
    return "".join(texts) if has_any else ""
