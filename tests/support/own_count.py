"""A count of Jira's work that owes the worker nothing: read over HTTP as any client would, and added up anew.

What is counted how is taken from docs/method.md 1.1 and docs/facts/definitions.md; nothing of `worker` is imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import requests

from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.requests_adapter import HandlerAdapter

Raw = Mapping[str, Any]
PAGE = 50
REJECTED = frozenset({"Won't Do", "Duplicate", "Cannot Reproduce", "Отклонено"})
"""The resolutions of the sites counted here that mean not done."""
BLOCKED = frozenset({"blocked", "on hold", "заблокировано"})
FIELDS = (
    "project",
    "issuetype",
    "status",
    "created",
    "updated",
    "resolution",
    "resolutiondate",
    "duedate",
    "parent",
    "labels",
    "components",
    "fixVersions",
    "timeoriginalestimate",
    "timespent",
)


@dataclass(frozen=True, slots=True)
class Log:
    """Time logged: who, when the work was done, and how many seconds."""

    id: str
    author: str
    started: datetime
    seconds: int


@dataclass(frozen=True, slots=True)
class Item:
    """An issue as Jira shows it, its project and parent by id; `level` is 1 and more for epics and what is above them, -1 for sub-tasks."""

    id: str
    key: str
    project: str
    kind: str
    level: int
    status: str
    category: str
    created: datetime
    updated: datetime
    resolution: str
    resolved: datetime | None
    due: date | None
    parent: str
    labels: frozenset[str]
    components: frozenset[str]
    versions: frozenset[str]
    estimate: int
    points: Decimal
    spent: int
    flagged: bool
    logs: tuple[Log, ...]

    @property
    def is_done(self) -> bool:
        """Tell whether its status is one of those at the end."""
        return self.category == "done"


class Site:
    """A Jira read to the end: every issue the account may see, by id."""

    def __init__(self, jira: JiraSandbox, *, cloud: bool) -> None:
        self._session = requests.Session()
        self._session.mount("http://", HandlerAdapter(jira.handle))
        if cloud:
            self._session.auth = (jira.email, jira.token)
        else:
            self._session.headers["authorization"] = f"Bearer {jira.token}"
        self._cloud = cloud
        self._names = self._custom_fields()
        raws = list(self._raw_issues())
        ids = {str(raw["key"]): str(raw["id"]) for raw in raws}
        items = [self._item(raw, ids) for raw in raws]
        self.items = {item.id: item for item in items}
        self.below: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            self.below[item.parent].append(item)

    def at(self, key: str) -> Item:
        """Return an issue by its key, or by one it had before."""
        raw = self._ask("GET", f"issue/{key}", {"fields": "summary"})
        return self.items[str(raw["id"])]

    def work(self, *keys: str) -> list[Item]:
        """Return the issues of some projects, by the keys they have or had, or of all."""
        ids = {str(self._ask("GET", f"project/{key}", {})["id"]) for key in keys}
        return [item for item in self.items.values() if not ids or item.project in ids]

    def branch(self, key: str) -> list[Item]:
        """Return an issue with all below it, in whatever projects."""
        top = self.at(key)
        branch = {top.id: top}
        waiting = [top.id]
        while waiting:
            for child in self.below[waiting.pop()]:
                if child.id not in branch:
                    branch[child.id] = child
                    waiting.append(child.id)
        return list(branch.values())

    def statuses_of(self, item: Item) -> set[str]:
        """Return the statuses an item may have, by name."""
        kinds = self._ask("GET", f"project/{item.project}/statuses", {})
        return {str(each["name"]) for kind in kinds for each in kind["statuses"]}

    def _ask(self, method: str, path: str, query: Raw) -> Any:
        version = 3 if self._cloud else 2
        address = f"http://jira.invalid/rest/api/{version}/{path}"
        if method == "GET":
            answer = self._session.get(address, params=query)
        else:
            answer = self._session.post(address, json=query)
        answer.raise_for_status()
        return answer.json()

    def _custom_fields(self) -> dict[str, list[str]]:
        """Return the ids of custom fields by their names in Jira."""
        names: dict[str, list[str]] = defaultdict(list)
        for one in self._ask("GET", "field", {}):
            names[str(one["name"])].append(str(one["id"]))
        return names

    def _projects(self) -> Iterator[str]:
        if not self._cloud:
            for project in self._ask("GET", "project", {}):
                yield str(project["key"])
            return
        start = 0
        while True:
            page = self._ask("GET", "project/search", {"startAt": start})
            for project in page["values"]:
                yield str(project["key"])
            start += len(page["values"])
            if page["isLast"]:
                return

    def _raw_issues(self) -> Iterator[Raw]:
        customs = [name for names in self._names.values() for name in names]
        fields = [*FIELDS, *(name for name in customs if name.startswith("custom"))]
        for key in self._projects():
            jql = f'project = "{key}" ORDER BY created ASC, key ASC'
            asked = {"jql": jql, "fields": fields, "maxResults": PAGE}
            pages = self._tokens(asked) if self._cloud else self._offsets(asked)
            yield from pages

    def _tokens(self, asked: Raw) -> Iterator[Raw]:
        page = self._ask("POST", "search/jql", asked)
        yield from page["issues"]
        while page.get("nextPageToken"):
            more = {**asked, "nextPageToken": page["nextPageToken"]}
            page = self._ask("POST", "search/jql", more)
            yield from page["issues"]

    def _offsets(self, asked: Raw) -> Iterator[Raw]:
        start = 0
        while True:
            page = self._ask("POST", "search", {**asked, "startAt": start})
            yield from page["issues"]
            start += len(page["issues"])
            if start >= page["total"]:
                return

    def _logs(self, raw: Raw) -> Iterator[Log]:
        start = 0
        while True:
            page = self._ask("GET", f"issue/{raw['id']}/worklog", {"startAt": start})
            for log in page["worklogs"]:
                author = log["author"]
                yield Log(
                    str(log["id"]),
                    str(author["accountId"] if self._cloud else author["name"]),
                    datetime.fromisoformat(log["started"]),
                    int(log["timeSpentSeconds"]),
                )
            start += len(page["worklogs"])
            if start >= page["total"]:
                return

    def _custom(self, fields: Raw, *names: str) -> Any:
        for name in names:
            for identity in self._names.get(name, ()):
                if fields.get(identity) not in (None, [], ""):
                    return fields[identity]
        return None

    def _item(self, raw: Raw, ids: Mapping[str, str]) -> Item:
        fields = raw["fields"]
        kind = fields["issuetype"]
        level = -1 if kind["subtask"] else int(kind["name"] == "Epic")
        resolved = fields.get("resolutiondate")
        due = fields.get("duedate")
        points = self._custom(fields, "Story Points", "Story point estimate") or 0
        status = fields["status"]
        return Item(
            id=str(raw["id"]),
            key=str(raw["key"]),
            project=str(fields["project"]["id"]),
            kind=str(kind["name"]),
            level=int(kind.get("hierarchyLevel", level)),
            status=str(status["name"]),
            category=str(status["statusCategory"]["key"]),
            created=datetime.fromisoformat(fields["created"]),
            updated=datetime.fromisoformat(fields["updated"]),
            resolution=str((fields.get("resolution") or {}).get("name", "")),
            resolved=datetime.fromisoformat(resolved) if resolved else None,
            due=date.fromisoformat(due) if due else None,
            parent=self._parent(fields, ids),
            labels=frozenset(fields.get("labels") or ()),
            components=_ids(fields.get("components")),
            versions=_ids(fields.get("fixVersions")),
            estimate=max(fields.get("timeoriginalestimate") or 0, 0),
            points=max(Decimal(str(points)), Decimal(0)),
            spent=max(fields.get("timespent") or 0, 0),
            flagged=bool(self._custom(fields, "Flagged")),
            logs=tuple(self._logs(raw)),
        )

    def _parent(self, fields: Raw, ids: Mapping[str, str]) -> str:
        """Return the id of what an issue hangs below; on Data Center epics stand in a field of their own, by key."""
        parent = fields.get("parent")
        if parent:
            return str(parent["id"])
        epic = None if self._cloud else self._custom(fields, "Epic Link")
        return ids.get(str(epic), "")


def _ids(records: Iterable[Raw] | None) -> frozenset[str]:
    return frozenset(str(record["id"]) for record in records or ())


@dataclass(frozen=True, slots=True)
class Desk:
    """Where and when a card is counted: the zone and the moment, and what an hour of whom costs."""

    zone: tzinfo
    now: datetime
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """Return the day it is in the zone."""
        return self.day(self.now)

    def day(self, moment: datetime) -> date:
        """Return the day of an instant in the zone."""
        return moment.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the instant a day begins at in the zone."""
        return datetime.combine(day, time(), self.zone)


def count(
    linked: Sequence[Item], desk: Desk, *, budget: Decimal | None = None
) -> dict[str, Any]:
    """Return the figures of a card over the issues it links, by field; `due` is there only when Jira proposes one.

    Epics and what is above them are no work, but the time logged on them was spent.
    """
    work = [item for item in linked if item.level < 1]
    logs = [log for item in linked for log in item.logs]
    seconds = _seconds(linked)
    ends = _ends_of_rejected(work)
    scope = [item for item in work if item.id not in ends]
    still_open = [item for item in scope if not item.is_done]
    figures: dict[str, Any] = {
        "progress": None,
        "done_total": None,
        "scope_change": _scope_change(work, ends, desk),
        "hours": _tenth(Decimal(seconds) / 3600),
        "burn": _burn(logs, seconds, desk, budget),
        "overdue": None,
        "blocked": None,
        "wip": None,
        "last_activity": _last_activity(work, logs, desk),
    }
    if scope:
        figures |= _progress(scope)
        figures["overdue"] = sum(
            item.due is not None and item.due < desk.today for item in still_open
        )
        figures["blocked"] = sum(
            item.flagged or item.status.casefold() in BLOCKED for item in still_open
        )
        figures["wip"] = sum(item.category == "indeterminate" for item in still_open)
    dates = [item.due for item in still_open if item.due is not None]
    if dates:
        figures["due"] = max(dates).isoformat()
    return figures


def _ends_of_rejected(work: Iterable[Item]) -> dict[str, datetime | None]:
    """Return when items were closed as not to be done, by id; sub-tasks end with a parent on the same card."""
    rejected = {
        item.id: item for item in work if item.is_done and item.resolution in REJECTED
    }
    ends = {identity: item.resolved for identity, item in rejected.items()}
    for item in work:
        if item.level < 0 and item.id not in ends and item.parent in rejected:
            ends[item.id] = rejected[item.parent].resolved
    return ends


@dataclass(frozen=True, slots=True)
class _Scale:
    """What items weigh: by hours, points or one each, and whom another level of the same work weighs for."""

    unit: str
    silent: Collection[str]

    def sum(self, items: Iterable[Item]) -> Decimal:
        heard = [item for item in items if item.id not in self.silent]
        match self.unit:
            case "h":
                return Decimal(sum(item.estimate for item in heard)) / 3600
            case "points":
                return sum((item.points for item in heard), Decimal(0))
        return Decimal(len(heard))


def _carries(item: Item, unit: str) -> bool:
    return bool(item.estimate if unit == "h" else item.points)


def _silent(items: Sequence[Item], unit: str) -> set[str]:
    """Return who says nothing: a story beside sub-tasks that carry the estimate, sub-tasks beside one that does."""
    stories = {item.id: item for item in items if item.level >= 0}
    families: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.level < 0:
            families[item.parent].append(item)

    silent: set[str] = set()
    for parent, children in families.items():
        bare = [child.id for child in children if not _carries(child, unit)]
        story = stories.get(parent)
        if story is None:
            silent.update(bare if stories else ())
        elif not bare or (len(bare) < len(children) and not _carries(story, unit)):
            silent.add(parent)
        else:
            silent.update(child.id for child in children)
    return silent


def _scale(items: Sequence[Item]) -> _Scale:
    """Return hours or points where four fifths of the items that count carry them, else one each."""
    for unit in ("h", "points"):
        silent = _silent(items, unit)
        heard = [item for item in items if item.id not in silent]
        carrying = sum(_carries(item, unit) for item in heard)
        if carrying and carrying * 5 >= len(heard) * 4:
            return _Scale(unit, silent)
    return _Scale("", ())


def _progress(scope: Sequence[Item]) -> dict[str, Any]:
    scale = _scale(scope)
    whole = scale.sum(scope)
    done = scale.sum(item for item in scope if item.is_done)
    return {
        "progress": _share(done, whole),
        "done_total": (_tenth(done), _tenth(whole), scale.unit),
    }


def _scope_change(
    work: Sequence[Item], ends: Mapping[str, datetime | None], desk: Desk
) -> Decimal | None:
    """Return the growth in four weeks: what came less what was rejected, over what there was; None below ten items."""
    since = desk.midnight(desk.today - timedelta(weeks=4))
    scope = [item for item in work if item.id not in ends]
    came = [item for item in scope if item.created >= since]
    went = []
    for item in work:
        end = ends.get(item.id)
        if item.created < since and end is not None and end >= since:
            went.append(item)
    if len(scope) - len(came) + len(went) < 10:
        return None
    scale = _scale(scope)
    if scale.unit:
        silent = _silent([*scope, *went], scale.unit) - {item.id for item in scope}
        left = _Scale(scale.unit, silent | set(scale.silent))
    else:
        left = scale
    added, gone = scale.sum(came), left.sum(went)
    return _share(added - gone, scale.sum(scope) - added + gone)


def _seconds(work: Iterable[Item]) -> int:
    """Return the seconds spent: of every item the larger of what it says and what its logs say."""
    return sum(max(item.spent, sum(log.seconds for log in item.logs)) for item in work)


def _burn(
    logs: Sequence[Log], seconds: int, desk: Desk, budget: Decimal | None
) -> Decimal | None:
    known = sum(log.seconds for log in logs)
    if not budget or not known:
        return None
    cost = sum((desk.rates[log.author] * log.seconds for log in logs), Decimal(0))
    return _share(cost / 3600 * seconds / known, budget)


def _last_activity(work: Iterable[Item], logs: Iterable[Log], desk: Desk) -> str | None:
    moments = [item.updated for item in work]
    moments += [log.started for log in logs]
    days = [desk.day(moment) for moment in moments]
    past = [day for day in days if day <= desk.today]
    return max(past).isoformat() if past else None


def hours_of(
    author: str, work: Iterable[Item], first: date, last: date, *, desk: Desk
) -> Decimal:
    """Return the hours somebody logged on some work on the days of a span, both ends included."""
    seconds = 0
    for log in {log for item in work for log in item.logs}:
        if log.author == author and first <= desk.day(log.started) <= last:
            seconds += log.seconds
    return Decimal(seconds) / 3600


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    if not whole:
        return None
    return (part / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _tenth(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.1"))
