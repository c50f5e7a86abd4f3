"""Jira as the rest of the program sees it: issues, histories and worklogs, in bulk; nothing is ever written.

An idle cycle costs three requests: one JQL and the two worklog feeds. Fields, statuses and the site are asked for once
an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Generic, TypeVar

import msgspec
from requests.adapters import BaseAdapter

from worker.config import JiraSettings
from worker.domain.entities import Account, Issue, JiraProject, Move
from worker.domain.messages import literal, tell
from worker.domain.text import clean_line
from worker.errors import Code, Denied, Missing, Problem, Rejected
from worker.http.budget import SharedBudget
from worker.http.clocks import Clocks
from worker.http.deadline import Deadline
from worker.http.page_sizes import PageSizes
from worker.http.retry import Policy
from worker.http.secrets import redact
from worker.jira.errors import API
from worker.jira.feeds import read_worklog_feed
from worker.jira.histories import (
    chunks,
    read_cloud_histories,
    read_server_histories,
    statuses_in,
    to_moves,
)
from worker.jira.lookup import find_by_keys
from worker.jira.paging import (
    OFFSET_PAGE,
    Made,
    Walk,
    as_read,
    by_id,
    epoch_ms,
    since_bound,
    walk_offsets,
    walk_tokens,
)
from worker.jira.records import IssueId, Page, PageReader, RecordReader, read_moment
from worker.jira.search import search_cloud, search_server
from worker.jira.session import JiraSession
from worker.jira.worklogs import read_worklogs_of
from worker.mapping.jira import (
    ABOVE,
    JiraMapping,
    RawStatus,
    SiteReading,
    epic_of,
    load_jira_mapping,
    make_issue,
    read_site,
    status_category,
)
from worker.ports.tracker import (
    IssueBatch,
    IssueIds,
    IssueWorklogs,
    MoveBatch,
    ProjectBatch,
    ServerInfo,
    Unread,
    WorklogBatch,
)
from worker.world.links import is_gateway

T = TypeVar("T")
PAGE_SIZE = 100
CENSUS_SIZE = 5_000
USERS_SIZE = 200
USERS_PAGES = 25
"""So many pages of users are read at most: an agency has hundreds of them, a help desk's customers are no staff."""
PERSON = "atlassian"
KEYS = "projectKeys"
"""What is asked for besides of projects: the keys they had before."""
QUERIES_AT_ONCE = 50
PROJECTS_AT_ONCE = 50
KEPT_SECONDS = 3_600.0
STALE_SECONDS = 300.0


class _Project(msgspec.Struct, frozen=True):
    id: str
    key: str
    name: str = ""
    projectKeys: tuple[str, ...] | None = None  # noqa: N815 - Jira's own name


class _ProjectPage(msgspec.Struct, frozen=True):
    values: tuple[msgspec.Raw, ...]
    isLast: bool = False  # noqa: N815 - Jira's own name


class _User(msgspec.Struct, frozen=True):
    """Somebody: `accountId` on Cloud, `name` on Data Center; the e-mail is told as its owner allows."""

    displayName: str = ""  # noqa: N815 - Jira's own name
    emailAddress: str | None = None  # noqa: N815 - Jira's own name
    accountId: str = ""  # noqa: N815 - Jira's own name
    name: str = ""
    active: bool = True
    accountType: str = PERSON  # noqa: N815 - Jira's own name


class _Parsed(msgspec.Struct, frozen=True):
    errors: tuple[str, ...] | None = None


class _ParsedList(msgspec.Struct, frozen=True):
    queries: tuple[msgspec.Raw, ...]


class _Filter(msgspec.Struct, frozen=True):
    jql: str


class _BoardFilter(msgspec.Struct, frozen=True):
    id: str


class _Board(msgspec.Struct, frozen=True):
    filter: _BoardFilter


class _Schema(msgspec.Struct, frozen=True):
    custom: str = ""


class _Field(msgspec.Struct, frozen=True):
    id: str
    name: str = ""
    schema: _Schema | None = None


class _Account(msgspec.Struct, frozen=True):
    """The reading account: `accountId` on Cloud, `name` on Data Center; `displayName` is what people call it."""

    accountId: str | None = None  # noqa: N815 - Jira's own name
    name: str | None = None
    displayName: str | None = None  # noqa: N815
    timeZone: str | None = None  # noqa: N815


class _Site(msgspec.Struct, frozen=True):
    baseUrl: str = ""  # noqa: N815 - Jira's own name


class _ServerInfo(msgspec.Struct, frozen=True):
    serverTime: Any = None  # noqa: N815 - Jira's own name
    deploymentType: str | None = None  # noqa: N815


_PROJECTS = RecordReader(_Project, "project", names=("key", "id", "name"))
_USERS = RecordReader(_User, "user", names=("accountId", "name"))
_PROJECT_PAGE = msgspec.json.Decoder(_ProjectPage)
_PARSED = msgspec.json.Decoder(_ParsedList)
_SITE = msgspec.json.Decoder(_Site)
_FILTER = msgspec.json.Decoder(_Filter)
_BOARD = msgspec.json.Decoder(_Board)
_VERDICTS = RecordReader(_Parsed, "verdict")
_FIELDS = RecordReader(_Field, "field", names=("name", "id"))
_STATUSES = RecordReader(RawStatus, "status", names=("name", "id"))


@dataclass(slots=True)
class Kept(Generic[T]):
    """A value asked for once and kept for an hour of `monotonic` time."""

    ask: Callable[[], T]
    monotonic: Callable[[], float]
    _value: tuple[T, float] | None = None

    def get(self, oldest: float = KEPT_SECONDS) -> T:
        """Return the value, asked for again once it is `oldest` seconds old."""
        if self._value is None or self.age() >= oldest:
            self._value = (self.ask(), self.monotonic())
        return self._value[0]

    def age(self) -> float:
        """Return for how many seconds the value has been kept."""
        return self.monotonic() - self._value[1] if self._value else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How this site's issues are read: the mapping bound to its fields, and a decoder for their pages."""

    site: SiteReading
    pages: PageReader
    unread: tuple[Unread, ...] = ()


class JiraGateway:
    """`worker.ports.tracker.Tracker` over HTTP. One per workspace, reused for its connections and what it learnt of the site.

    `adapter` replaces the network; `sleep` and `monotonic` must tell the same time; `deadline` is the run's, `sizes` what
    is known of how large a page may be. Nothing is asked before the first call.
    """

    def __init__(
        self,
        settings: JiraSettings,
        *,
        mapping: JiraMapping | None = None,
        adapter: BaseAdapter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        deadline: Deadline | None = None,
        sizes: PageSizes | None = None,
    ) -> None:
        self._settings = settings
        self._mapping = mapping if mapping is not None else load_jira_mapping()
        self._session = JiraSession(
            settings,
            adapter=adapter,
            monotonic=monotonic,
            policy=Policy(
                sleep=sleep,
                random=random or Random(0),
                deadline=deadline or Deadline(monotonic=monotonic),
            ),
            sizes=sizes or PageSizes(),
        )
        self._cloud = self._session.cloud
        self._reading = Kept(self._learn_fields, monotonic)
        self._categories = Kept(self._learn_categories, monotonic)
        self._site = Kept(self._learn_site, monotonic)
        self._address = Kept(self._learn_address, monotonic)
        self._ids = PageReader(IssueId)
        self._monotonic = monotonic
        self._epics: dict[str, str] = {}
        self._epics_sought: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"JiraGateway({self._settings.base_url}, {self._settings.deployment})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def overseen(self, budget: SharedBudget, clocks: Clocks) -> JiraGateway:
        """Have the pauses of other processes regarded, and `clocks` hear what time it is there."""
        self._session.oversee(budget, clocks)
        return self

    def requests(self) -> int:
        """Return how many HTTP requests were sent since this gateway was made."""
        return self._session.tally.sent

    def answers(self) -> Mapping[str, int]:
        """Return how often each HTTP status was answered since this gateway was made; `none`: no answer came."""
        return self._session.tally.answers()

    # The site

    def server_info(self) -> ServerInfo:
        """Return the site's clock and the reading account; `Denied` when the credentials are wrong."""
        info = self._site.get()
        return msgspec.structs.replace(
            info, now=info.now + timedelta(seconds=self._site.age())
        )

    def address(self) -> str:
        """Return the address at which people see the site: behind Atlassian's gateway it is asked for.

        Source: docs/facts/jira-api.md 4.
        """
        return self._address.get()

    def projects(self) -> ProjectBatch:
        """Return the projects the account can see."""
        projects, unread = self._first(
            self._cloud_projects
            if self._cloud
            else lambda: self._session.ask(
                "GET", "project", _PROJECTS.read_list, params={"expand": KEYS}
            )
        )
        return ProjectBatch(tuple(map(_project, projects)), tuple(unread))

    def accounts(self) -> tuple[Account, ...]:
        """Return the people who have accounts, as far as they may be seen; `Denied` where nobody may be.

        Takes the right to browse users; e-mail addresses come as their owners allow. Source: docs/facts/jira-api.md 5.
        """
        path = "users/search"
        asked: dict[str, str] = {}
        if not self._cloud:
            # A point stands for everybody: Data Center wants something to look for.
            path, asked = "user/search", {"username": "."}
        seen: dict[str, _User] = {}
        for page in range(USERS_PAGES):
            place = {"startAt": page * USERS_SIZE, "maxResults": USERS_SIZE}
            users, _ = self._session.ask(
                "GET", path, _USERS.read_list, params={**asked, **place}
            )
            known = len(seen)
            seen |= {user.accountId or user.name: user for user in users}
            if len(seen) == known:
                break
        return tuple(
            Account(
                name, clean_line(one.displayName), clean_line(one.emailAddress or "")
            )
            for name, one in sorted(seen.items())
            if name and one.active and one.accountType == PERSON
        )

    def trashed_projects(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys of those projects of which Jira says that they are deleted: only Cloud does, of its trash.

        Source: docs/facts/jira-api.md 2.3.
        """
        deleted: set[str] = set()
        for some in chunks(sorted(keys) if self._cloud else (), PROJECTS_AT_ONCE):
            page = self._session.ask(
                "GET",
                "project/search",
                _PROJECT_PAGE.decode,
                params={"status": "deleted", "keys": list(some)},
            )
            projects, _ = _PROJECTS.read(page.values)
            deleted |= {project.key for project in projects}
        return frozenset(deleted)

    def validate(self, queries: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with each JQL (absent when nothing is): unknown names do not fail searches on Cloud."""
        return self._parse(list(queries)) if self._cloud else self._try_out(queries)

    def filter_jql(self, filter_id: str) -> str:
        """Return the JQL of a saved filter; raises `Missing`."""
        if not filter_id.isdigit():
            raise Rejected(API, "GET filter", "a filter's id is a number")
        return self._session.ask("GET", f"filter/{filter_id}", _FILTER.decode).jql

    def board_jql(self, board_id: str) -> str:
        """Return the JQL of a board's filter; raises `Missing`."""
        if not board_id.isdigit():
            raise Rejected(API, "GET board", "a board's id is a number")
        path = f"/rest/agile/1.0/board/{board_id}/configuration"
        board = self._session.ask("GET", path, _BOARD.decode)
        return self.filter_jql(board.filter.id)

    # Issues

    def below(self, keys: Sequence[str]) -> str:
        """Return the JQL of what hangs directly below some issues, asking nobody but for the site's fields."""
        listed = ", ".join(keys)
        conditions = [f"parent in ({listed})"]
        customs = self._reading.get().site.customs
        for part in ABOVE:
            for field in customs.get(part, ()):
                number = field.removeprefix("customfield_")
                conditions.append(f"cf[{number}] in ({listed})")
        return " OR ".join(conditions)

    def issues(self, jql: str, *, since: datetime | None = None) -> IssueBatch:
        """Return the issues of a bounded JQL, those updated at or after `since` when given.

        Issues that cannot be read are `problems`; they do not make the batch incomplete.
        """
        reading = self._reading.get()
        above: dict[str, str] = {}
        walk = self._walk(
            jql,
            reading.pages,
            since=since,
            fields=reading.site.names,
            size=PAGE_SIZE,
            make=lambda page: self._make(page, reading.site, above),
        )
        return IssueBatch(
            self._below_epics(walk.rows, above),
            not walk.reason,
            walk.reason,
            (*map(_field_problem, reading.unread), *walk.problems),
        )

    def ids(self, jql: str) -> IssueIds:
        """Return only the ids of a JQL (the census)."""
        walk = self._walk(
            jql,
            self._ids,
            since=None,
            fields=("id",) if self._cloud else ("updated",),
            size=CENSUS_SIZE,
        )
        reason = walk.reason or ("unreadable ids" if walk.problems else "")
        return IssueIds(frozenset(row.id for row in walk.rows), not reason, reason)

    def by_keys(self, keys: Iterable[str]) -> Mapping[str, Issue]:
        """Return issues, without their texts, by the keys or ids asked for; a moved issue answers to its old key.

        Unknown ones are absent.
        """
        reading = self._reading.get()
        site = reading.site
        rows, _ = find_by_keys(
            self._session, list(keys), reading.pages, site.place_names
        )
        above: dict[str, str] = {}
        page = Page(tuple(rows.values()), (), len(rows))
        raw_issues, _ = self._make(page, site, above)
        issues = self._below_epics(raw_issues, above)
        made = {issue.id: issue for issue in self._with_levels(issues)}
        return {key: made[row.id] for key, row in rows.items() if row.id in made}

    def _with_levels(self, issues: Sequence[Issue]) -> Iterator[Issue]:
        """Yield issues with their levels: where a kind does not tell an epic, its name does, which is not asked for."""
        fields = self._reading.get().site.customs.get("epic_name", ())
        ids = [issue.id for issue in issues if issue.level == 0]
        named: frozenset[str] = frozenset()
        if ids and fields and not self._cloud:
            numbers = [field.removeprefix("customfield_") for field in fields]
            has_name = " OR ".join(f"cf[{one}] is not EMPTY" for one in numbers)
            listed = ", ".join(ids)
            named = self.ids(f"id in ({listed}) AND ({has_name})").ids
        for issue in issues:
            level = max(issue.level, 1) if issue.id in named else issue.level
            yield msgspec.structs.replace(issue, level=level)

    def moves(self, ids: Sequence[str]) -> MoveBatch:
        """Return each issue's changes of status category, oldest first, read in bulk.

        An issue whose history cannot be read is absent and named. Raises `Incomplete` for a clipped history.
        """
        read = read_cloud_histories if self._cloud else read_server_histories
        histories = read(self._session, list(dict.fromkeys(ids)))
        categories, strange = self._categories_of(
            {
                status
                for entries in histories.entries.values()
                for status in statuses_in(entries)
            }
        )
        moves: dict[str, tuple[Move, ...]] = {}
        unread = [*strange, *histories.unread]
        for identity, entries in histories.entries.items():
            try:
                moves[identity] = to_moves(entries, categories)
            except (ValueError, OverflowError) as error:
                unread.append(
                    Unread(
                        "history",
                        issue=identity,
                        field="created",
                        said=redact(str(error)),
                    )
                )
        return MoveBatch(moves, tuple(unread))

    def worklogs(self, since: int, *, now: int | None = None) -> WorklogBatch:
        """Return the worklogs changed and deleted since an epoch-ms bound, site-wide; a bound told that lies ahead of
        `now` is not believed."""
        return read_worklog_feed(self._session, since, now=now)

    def worklogs_of(self, ids: Sequence[str]) -> IssueWorklogs:
        """Return all worklogs of some issues, however old, read in bulk.

        Raises `Incomplete` when those of one issue do not end.
        """
        return read_worklogs_of(self._session, ids)

    # Walking

    def _walk(
        self,
        jql: str,
        pages: PageReader,
        *,
        since: datetime | None,
        fields: Sequence[str],
        size: int,
        make: Callable[[Page], Made] = as_read,
    ) -> Walk:
        bound = epoch_ms(since) if since else None
        sizes = self._session.sizes
        name = "jira.census" if pages is self._ids else "jira.search"

        def ask_cloud(token: str | None) -> Page:
            page: Page
            page, _ = sizes.ask(
                name,
                size,
                lambda most, heavy_attempts: search_cloud(
                    self._session.for_heavy(heavy_attempts),
                    frozen,
                    pages.read,
                    token=token,
                    size=most,
                    fields=fields,
                ),
            )
            return page

        def ask_server(low: int | None, start: int) -> Page:
            page: Page
            page, _ = sizes.ask(
                name,
                OFFSET_PAGE,
                lambda most, heavy_attempts: search_server(
                    self._session.for_heavy(heavy_attempts),
                    since_bound(jql, low),
                    pages.read,
                    start=start,
                    size=most,
                    fields=fields,
                ),
            )
            return page

        # Frozen for the whole walk: page tokens are bound to the exact text.
        frozen = since_bound(jql, bound)
        if self._cloud:
            return walk_tokens(ask_cloud, make)
        return walk_offsets(ask_server, bound, make)

    def _make(self, page: Page, site: SiteReading, above: dict[str, str]) -> Made:
        """Return the issues of a page, and what could not be read; notes in `above` the keys of their epics, by id."""
        issues: list[Issue] = []
        problems = list(page.problems)
        for raw in page.rows:
            if not self._cloud:
                self._epics[raw.key] = raw.id
                above[raw.id] = epic_of(raw, site)
            try:
                issue = make_issue(raw, site)
            except (OverflowError, ValueError) as error:
                problems.append(_bad_issue(raw.key, error))
                continue
            issues.append(issue)
        return issues, problems

    def _below_epics(
        self, issues: Iterable[Issue], above: Mapping[str, str]
    ) -> tuple[Issue, ...]:
        """Return the issues, each once and below its epic, by the keys of these."""
        made: dict[str, Issue] = by_id(issues)
        named = {name: key for name, key in above.items() if key and name in made}
        epics = self._epic_ids(named.values())
        for name, key in named.items():
            if key in epics:
                parent = epics[key]
                made[name] = msgspec.structs.replace(made[name], parent=parent)
        return tuple(made.values())

    def _epic_ids(self, keys: Iterable[str]) -> Mapping[str, str]:
        """Return the ids of the epics named by key; found ones are remembered, others sought again after an hour."""
        now = self._monotonic()
        unknown: set[str] = set()
        for key in keys:
            last = self._epics_sought.get(key, -KEPT_SECONDS)
            if key not in self._epics and now - last >= KEPT_SECONDS:
                unknown.add(key)
        if unknown:
            self._epics_sought.update(dict.fromkeys(unknown, now))
            rows, _ = find_by_keys(
                self._session, sorted(unknown), self._ids, ("updated",)
            )
            self._epics.update((key, row.id) for key, row in rows.items())
        return self._epics

    # What is learnt once

    def _first(self, ask: Callable[[], T]) -> T:
        """Return what is asked first of a site; of a refusal it is looked for whether this is the Jira that was meant."""
        try:
            return ask()
        except (Denied, Missing, Rejected) as error:
            refusal = error
        raise self._session.diagnose(refusal)

    def _learn_site(self) -> ServerInfo:
        # `serverInfo` answers anybody: only `myself` proves the credentials (docs/facts/jira-api.md 4).
        me = self._first(lambda: self._session.ask("GET", "myself", _read_account))
        info = self._session.ask("GET", "serverInfo", _read_server)
        deployment = "cloud" if info.deploymentType == "Cloud" else "datacenter"
        return ServerInfo(
            read_moment(info.serverTime),
            me.accountId or me.name or "",
            me.timeZone or "UTC",
            deployment,
            me.displayName or "",
        )

    def _learn_address(self) -> str:
        own = self._session.base_url
        if not is_gateway(own):
            return own
        try:
            shown = self._session.ask("GET", "serverInfo", _SITE.decode).baseUrl
        except (Denied, Missing, Rejected):
            # Where people look is no reason to read nothing; wrong credentials show at the first question of substance.
            return own
        is_web = shown.startswith(("https://", "http://")) and "@" not in shown
        return shown.rstrip("/") if is_web else own

    def _learn_fields(self) -> Reading:
        fields, unread = self._first(
            lambda: self._session.ask("GET", "field", _FIELDS.read_list)
        )
        described = [msgspec.to_builtins(each) for each in fields]
        site = read_site(self._mapping, described, cloud=self._cloud)
        return Reading(
            site,
            PageReader(site.issue_type, browse=f"{self.address()}/browse/"),
            tuple(unread),
        )

    def _learn_categories(self) -> tuple[Mapping[str, str], Sequence[Unread]]:
        site = self._reading.get().site
        statuses, unread = self._session.ask("GET", "status", _STATUSES.read_list)
        return {status.id: status_category(status, site) for status in statuses}, unread

    def _categories_of(
        self, statuses: set[str]
    ) -> tuple[Mapping[str, str], Sequence[Unread]]:
        known = self._categories.get()
        return (
            known
            if statuses <= known[0].keys()
            else self._categories.get(STALE_SECONDS)
        )

    def _cloud_projects(self) -> tuple[Iterable[_Project], list[Unread]]:
        projects_by_id: dict[str, _Project] = {}
        unread: list[Unread] = []
        start = 0
        before: tuple[bytes, ...] = ()
        while True:
            page = self._session.ask(
                "GET",
                "project/search",
                _PROJECT_PAGE.decode,
                params={
                    "startAt": start,
                    "maxResults": PAGE_SIZE,
                    "status": "live",
                    "orderBy": "key",
                    "expand": KEYS,
                },
            )
            projects, bad = _PROJECTS.read(page.values)
            values = tuple(map(bytes, page.values))
            if values == before:  # a server that knows no `startAt`
                return projects_by_id.values(), unread
            before = values
            projects_by_id.update((each.id, each) for each in projects)
            unread += bad
            start += len(values)
            if page.isLast or not values:
                return projects_by_id.values(), unread

    # Validation

    def _parse(self, queries: Sequence[str]) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        for chunk in chunks(queries, QUERIES_AT_ONCE):
            wrong |= self._parse_some(chunk)
        return wrong

    def _parse_some(self, queries: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with some JQL; one for which Jira refuses the whole question is found by halving."""
        try:
            verdicts = self._session.ask(
                "POST",
                "jql/parse",
                lambda content: _read_verdicts(content, len(queries)),
                params={"validation": "strict"},
                body={"queries": list(queries)},
            )
        except Rejected as error:
            if len(queries) == 1:
                return {queries[0]: error.detail}
            half = len(queries) // 2
            return {
                **self._parse_some(queries[:half]),
                **self._parse_some(queries[half:]),
            }
        return {
            query: said for query, said in zip(queries, verdicts, strict=True) if said
        }

    def _try_out(self, queries: Sequence[str]) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        for query in queries:
            try:
                search_server(
                    self._session, query, self._ids.read, size=0, fields=("updated",)
                )
            except Rejected as error:
                wrong[query] = error.detail
        return wrong


def _account(user: _User) -> Account:
    return Account(
        user.accountId or user.name,
        clean_line(user.displayName),
        clean_line(user.emailAddress or ""),
    )


def _project(raw: _Project) -> JiraProject:
    former = tuple(key for key in raw.projectKeys or () if key != raw.key)
    return JiraProject(raw.id, raw.key, clean_line(raw.name), former)


def _bad_issue(key: str, error: Exception) -> Problem:
    return Problem(
        code=Code.BAD_ISSUE,
        where=literal(key),
        message=tell("cannot be read: {error}", error=error),
    )


def _field_problem(unread: Unread) -> Problem:
    return Problem(
        code=Code.BAD_FIELD,
        where=tell("Jira field {name}", name=unread.name or "?"),
        field=unread.field,
        message=tell("cannot be read: {error}", error=unread.said),
        hint=tell("mend the field in Jira; until then no issue is read by it"),
    )


def _read_verdicts(content: bytes, count: int) -> Sequence[str]:
    """Return what `jql/parse` says of each of `count` queries, empty when nothing; raises ValueError for fewer."""
    answers = _PARSED.decode(content).queries
    if len(answers) != count:
        raise ValueError(f"{len(answers)} answers to {count} queries")
    return [_said_of(raw) for raw in answers]


def _said_of(raw: msgspec.Raw) -> str:
    good, bad = _VERDICTS.read([raw])
    if bad:
        return f"Jira's answer cannot be read: {bad[0].said}"
    return redact("; ".join(good[0].errors or ()))


def _read_account(content: bytes) -> _Account:
    """Return the account of an answer; raises ValueError when it names none."""
    account = msgspec.json.decode(content, type=_Account)
    if not (account.accountId or account.name):
        raise ValueError("no account in the answer")
    return account


def _read_server(content: bytes) -> _ServerInfo:
    """Return the server of an answer; raises ValueError when it tells no time."""
    info = msgspec.json.decode(content, type=_ServerInfo)
    try:
        read_moment(info.serverTime)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    return info
