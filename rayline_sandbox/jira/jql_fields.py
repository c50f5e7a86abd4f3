"""What each JQL field holds, which operators it takes, how its operands are resolved and how it sorts.

A table of `FieldMeaning`s by name; a field Jira has and this table lacks is refused (400), never ignored; a name
no Jira field has is `UnknownName`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial

from rayline_sandbox.jira.audiences import is_within
from rayline_sandbox.jira.instants import parse_spent
from rayline_sandbox.jira.jql import Call, Clause, Empty, JqlSyntax, Literal, Many
from rayline_sandbox.jira.jql_operands import (
    COMPARE,
    EQUALITY,
    ORDERED,
    TEXT,
    FieldMeaning,
    Key,
    Operands,
    Sight,
    Test,
    compare,
    comparison,
)
from rayline_sandbox.jira.jql_text import read_text
from rayline_sandbox.jira.jql_values import (
    UnknownName,
    components_named,
    issues_named,
    kinds_named,
    priorities_named,
    projects_named,
    resolutions_named,
    sprints_named,
    statuses_in_category,
    statuses_named,
    users_named,
    versions_named,
)
from rayline_sandbox.jira.model import Issue
from rayline_sandbox.jira.store import Store

_ELSEWHERE = frozenset(
    {
        "affectedversion",
        "attachments",
        "category",
        "projecttype",
        "comment",
        "environment",
        "level",
        "originalestimate ",
        "votes",
        "voter",
        "watcher",
        "watchers",
        "lastviewed",
        "issuelink",
        "issuelinktype",
        "hierarchylevel",
        "approvals",
        "workratio",
        "request-type",
        "requesttype",
        "security",
        "development",
        "workloggedtext",
        "worklogcomment",
    }
)


def compile_clause(clause: Clause, sight: Sight) -> Test:
    """Return the test of one condition; EMPTY in a list is a condition of its own."""
    if isinstance(clause.operand, Many) and Empty() in clause.operand.items:
        return _with_empty(clause, clause.operand, sight)
    return meaning_of(clause.field, sight).clause(clause)


def _with_empty(clause: Clause, many: Many, sight: Sight) -> Test:
    positive = clause.operator == "in"
    operator = "is" if positive else "is not"
    parts = [replace(clause, operator=operator, operand=Empty())]
    rest = tuple(item for item in many.items if not isinstance(item, Empty))
    if rest:
        parts.append(replace(clause, operand=Many(rest)))
    tests = [compile_clause(part, sight) for part in parts]
    if positive:
        return lambda i: any(test(i) for test in tests)
    return lambda i: all(test(i) for test in tests)


def meaning_of(name: str, sight: Sight) -> FieldMeaning:
    """Return what a field name means here."""
    plain = name.casefold().strip()
    custom = re.fullmatch(r"cf\[(\d+)\]", plain)
    plain = f"customfield_{custom[1]}" if custom else plain
    makers = _makers(sight)
    if plain in makers:
        return makers[plain](plain)
    if plain in _ELSEWHERE:
        raise JqlSyntax(f"The field '{name}' is not known to this sandbox.")
    raise UnknownName(
        f"Field '{name}' does not exist or you do not have permission to view it."
    )


def _epic_names(store: Store, issue: Issue) -> tuple[str, ...]:
    if store.level_of(issue.id) == 1:
        return (issue.summary,)
    return ()


def _makers(sight: Sight) -> dict[str, Callable[[str], FieldMeaning]]:
    store = sight.store
    fields = sight.store.fields
    maker = _Maker(sight)
    table: dict[str, Callable[[str], FieldMeaning]] = {}

    def name(make: Callable[[str], FieldMeaning], *names: str) -> None:
        table.update(dict.fromkeys(names, make))

    name(maker.project, "project")
    name(maker.key, "key", "issuekey", "id", "issue")
    name(maker.parent, "parent")
    name(maker.epic, "epic link", fields.epic_link)
    if not store.cloud:
        name(maker.roadmap, "parent link", fields.parent_link)
    name(
        maker.choice(statuses_named, lambda i: (i.status,), _place(store.statuses)),
        "status",
    )
    name(
        maker.choice(
            statuses_in_category, lambda i: (store.statuses[i.status].category,)
        ),
        "statuscategory",
    )
    name(
        maker.choice(kinds_named, lambda i: (i.kind,), _place(store.kinds, "kind")),
        "issuetype",
        "type",
    )
    name(
        maker.choice(
            priorities_named,
            lambda i: _some(i.priority),
            _place(store.priorities, "priority"),
        ),
        "priority",
    )
    name(maker.resolution, "resolution")
    for who in ("assignee", "reporter", "creator"):
        name(maker.person(who), who)
    name(maker.choice(lambda _, text: {text}, lambda i: i.labels), "labels", "label")
    name(maker.choice(components_named, lambda i: i.components), "component")
    name(maker.choice(versions_named, lambda i: i.fix_versions), "fixversion")
    name(maker.choice(sprints_named, lambda i: i.sprints), "sprint", fields.sprint)
    name(
        maker.choice(_flags, lambda i: ("impediment",) if i.flagged else ()),
        "flagged",
        fields.flagged,
    )
    name(maker.instant(lambda i: i.created), "created", "createddate")
    name(
        replace_pool(maker.instant(lambda i: i.updated), maker.updated_pool),
        "updated",
        "updateddate",
    )
    name(maker.instant(lambda i: i.resolved), "resolved", "resolutiondate")
    name(maker.instant(lambda i: i.category_changed), "statuscategorychangeddate")
    name(maker.due, "due", "duedate")
    name(maker.text(lambda i: (i.summary,), lambda i: i.summary.casefold()), "summary")
    name(maker.text(lambda i: (i.description,)), "description")
    name(maker.text(partial(_epic_names, store)), "epic name", fields.epic_name)
    name(maker.text(lambda i: (i.summary, i.description, *_remarks(store, i))), "text")
    name(
        maker.duration(lambda i: i.estimate), "originalestimate", "timeoriginalestimate"
    )
    name(maker.duration(lambda i: i.remaining), "remainingestimate", "timeestimate")
    name(maker.duration(lambda i: i.spent), "timespent")
    name(
        maker.number(lambda i: _points(i, store, simplified=False)),
        "story points",
        fields.points,
    )
    name(
        maker.number(lambda i: _points(i, store, simplified=True)),
        "story point estimate",
        fields.estimate,
    )
    name(maker.worklog_date, "worklogdate")
    name(maker.worklog_author, "worklogauthor")
    name(maker.rank, "rank", fields.rank)
    return table


def replace_pool(
    make: Callable[[str], FieldMeaning],
    pool: Callable[[Clause], Collection[int] | None],
) -> Callable[[str], FieldMeaning]:
    """Return a maker whose fields also know where to look."""
    return lambda name: replace(make(name), pool=pool)


def _remarks(store: Store, issue: Issue) -> Iterable[object]:
    found = [store.comments[each] for each in issue.comments if each in store.comments]
    return [comment.body for comment in found if is_within(comment.audience)]


def _some(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _flags(_: Store, text: str) -> set[str]:
    if text.casefold() == "impediment":
        return {"impediment"}
    return set()


def _points(issue: Issue, store: Store, *, simplified: bool) -> float | None:
    return (
        issue.points if store.projects[issue.project].simplified == simplified else None
    )


def _place(
    table: Iterable[str], attribute: str = "status"
) -> Callable[[Issue], int | None]:
    order = {identity: place for place, identity in enumerate(table)}
    return lambda issue: order.get(getattr(issue, attribute))


def _day_number(day: str) -> int:
    """Return a plain date as a number that orders like it."""
    return int(day.replace("-", ""))


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found


def _key_number(issue: Issue) -> int:
    return int(issue.key.rpartition("-")[2])


class _Maker(Operands):
    """Builds field meanings for one sight."""

    # Kinds of field -------------------------------------------------------

    def choice(
        self,
        named: Callable[[Store, str], Iterable[Key]],
        values: Callable[[Issue], Iterable[Key]],
        sort: Callable[[Issue], object] | None = None,
        *,
        warning: bool = False,
    ) -> Callable[[str], FieldMeaning]:
        """Return a maker of fields that hold values of a closed set; `!=` leaves out empty ones, as Jira does."""

        def compile_(clause: Clause) -> Test:
            self.allow(clause, EQUALITY)
            negative = clause.operator in ("!=", "not in", "is not")
            if isinstance(clause.operand, Empty):
                return lambda i: bool(tuple(values(i))) == negative
            wanted = self.resolve(clause, named, warning=warning)

            def is_another(issue: Issue) -> bool:
                held = tuple(values(issue))
                return bool(held) and wanted.isdisjoint(held)

            if negative:
                return is_another
            return lambda i: not wanted.isdisjoint(values(i))

        return lambda name: FieldMeaning(name, compile_, sort)

    def person(self, who: str) -> Callable[[str], FieldMeaning]:
        """Return a maker of a field that holds one user."""
        users = self.store.users

        def name_of(issue: Issue) -> str | None:
            account = getattr(issue, who)
            if not account:
                return None
            return users[account].display.casefold()

        return self.choice(
            users_named, lambda i: _some(getattr(i, who)), name_of, warning=True
        )

    def instant(
        self, value: Callable[[Issue], int | None]
    ) -> Callable[[str], FieldMeaning]:
        """Return a maker of fields that hold an instant."""
        return lambda name: FieldMeaning(
            name, lambda clause: self._ordered(clause, value), value
        )

    def _ordered(self, clause: Clause, value: Callable[[Issue], float | None]) -> Test:
        self.allow(clause, ORDERED)
        if isinstance(clause.operand, Empty):
            empty = clause.operator in ("is", "=")
            return lambda i: (value(i) is None) == empty
        wanted = [self.date(each, clause.field) for each in self.values(clause)]
        return comparison(clause.operator, wanted, value)

    def due(self, name: str) -> FieldMeaning:
        """Return the due date, which is compared as a plain date."""
        calendar = self.sight.calendar

        def compile_(clause: Clause) -> Test:
            self.allow(clause, ORDERED)
            if isinstance(clause.operand, Empty):
                empty = clause.operator in ("is", "=")
                return lambda i: (i.due is None) == empty
            days = []
            for each in self.values(clause):
                day = calendar.day(self.date(each, clause.field))
                days.append(_day_number(day))
            return comparison(
                clause.operator, days, lambda i: _day_number(i.due) if i.due else None
            )

        return FieldMeaning(name, compile_, lambda i: i.due)

    def number(
        self, value: Callable[[Issue], float | None]
    ) -> Callable[[str], FieldMeaning]:
        """Return a maker of fields that hold a number."""
        return self._numeric(value, _finite)

    def duration(
        self, value: Callable[[Issue], int | None]
    ) -> Callable[[str], FieldMeaning]:
        """Return a maker of fields that hold seconds, asked for as `2h 30m` or minutes."""
        return self._numeric(value, parse_spent)

    def _numeric(
        self, value: Callable[[Issue], float | None], read: Callable[[str], float]
    ) -> Callable[[str], FieldMeaning]:
        def compile_(clause: Clause) -> Test:
            self.allow(clause, ORDERED)
            if isinstance(clause.operand, Empty):
                empty = clause.operator in ("is", "=")
                return lambda i: (value(i) is None) == empty
            return comparison(
                clause.operator,
                [
                    self._number(each, clause.field, read)
                    for each in self.values(clause)
                ],
                value,
            )

        return lambda name: FieldMeaning(name, compile_, value)

    def _number(
        self, operand: Literal | Call, field: str, read: Callable[[str], float]
    ) -> float:
        if isinstance(operand, Call):
            raise self.refuse(operand, field)
        try:
            return read(operand.text)
        except ValueError:
            raise JqlSyntax(
                f"The value '{operand.text}' for the field '{field}' is not a number."
            ) from None

    def text(
        self,
        values: Callable[[Issue], Iterable[object]],
        sort: Callable[[Issue], object] | None = None,
    ) -> Callable[[str], FieldMeaning]:
        """Return a maker of text fields."""

        def compile_(clause: Clause) -> Test:
            self.allow(clause, TEXT)
            if isinstance(clause.operand, Empty):
                empty = clause.operator in ("is", "=")
                return lambda i: (not any(values(i))) == empty
            (query,) = self.values(clause)
            if isinstance(query, Call):
                raise self.refuse(query, clause.field)
            has = clause.operator == "~"
            found = read_text(query.text, clause.field)
            return lambda i: any(map(found, values(i))) == has

        return lambda name: FieldMeaning(name, compile_, sort)

    # Single fields --------------------------------------------------------

    def project(self, name: str) -> FieldMeaning:
        """Return the project field, found by key, former key, name or id among those the account sees."""
        store = self.store
        inner = self.choice(
            projects_named,
            lambda i: (i.project,),
            lambda i: store.projects[i.project].key,
        )(name)

        def pool(clause: Clause) -> Collection[int] | None:
            if clause.operator not in ("=", "in") or isinstance(clause.operand, Empty):
                return None
            wanted = self.resolve(clause, projects_named)
            pools = [store.by_project[int(each)] for each in wanted]
            return (
                pools[0]
                if len(pools) == 1
                else [identity for each in pools for identity in each]
            )

        return replace(inner, pool=pool)

    def key(self, name: str) -> FieldMeaning:
        """Return the issue itself; `<` and `>` compare key numbers within one project, never text."""
        store = self.store
        inner = self.choice(
            issues_named,
            lambda i: (i.id,),
            lambda i: (store.projects[i.project].key, _key_number(i)),
        )

        def compile_(clause: Clause) -> Test:
            if clause.operator in (">", ">=", "<", "<="):
                return self._beyond(clause)
            return inner(name).clause(clause)

        sort = (lambda i: i.id) if name == "id" else inner(name).sort
        return FieldMeaning(name, compile_, sort, self._direct_pool)

    def _direct_pool(self, clause: Clause) -> Collection[int] | None:
        if clause.operator not in ("=", "in") or isinstance(clause.operand, Empty):
            return None
        return [int(each) for each in self.resolve(clause, issues_named)]

    def _beyond(self, clause: Clause) -> Test:
        self.allow(clause, ORDERED)
        (value,) = self.values(clause)
        if isinstance(value, Call):
            raise self.refuse(value, clause.field)
        match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)-([0-9]{1,18})", value.text)
        project = self.store.find_project(match[1]) if match else None
        if match is None or project is None:
            raise UnknownName(
                f"The issue key '{value.text}' for field '{clause.field}' is invalid."
            )
        holds = COMPARE[clause.operator]
        bound = int(match[2])
        identity = project.id
        return lambda i: i.project == identity and holds(_key_number(i), bound)

    def parent(self, name: str) -> FieldMeaning:
        """Return the parent: any level on Cloud, of sub-tasks only on Data Center."""
        cloud = self.store.cloud
        kinds = self.store.kinds
        return self._family(
            name, lambda i: i.parent if cloud or kinds[i.kind].level < 0 else None
        )

    def epic(self, name: str) -> FieldMeaning:
        """Return the epic of an ordinary issue."""
        kinds = self.store.kinds
        return self._family(
            name, lambda i: i.parent if kinds[i.kind].level == 0 else None
        )

    def roadmap(self, name: str) -> FieldMeaning:
        """Return what is above an epic."""
        kinds = self.store.kinds
        return self._family(
            name, lambda i: i.parent if kinds[i.kind].level > 0 else None
        )

    def _family(self, name: str, above: Callable[[Issue], int | None]) -> FieldMeaning:
        children = self.store.children
        inner = self.choice(
            issues_named, lambda i: () if above(i) is None else (above(i) or 0,)
        )(name)

        def pool(clause: Clause) -> Collection[int] | None:
            parents = self._direct_pool(clause)
            return (
                None
                if parents is None
                else [child for each in parents for child in children.get(each, ())]
            )

        return replace(inner, pool=pool)

    def updated_pool(self, clause: Clause) -> Collection[int] | None:
        """Return ids of issues changed since a lower bound."""
        if clause.operator not in (">", ">=") or not isinstance(
            clause.operand, Literal | Call
        ):
            return None
        bound = self.date(clause.operand, clause.field)
        return [identity for _, identity in self.store.updated.since(bound)]

    def resolution(self, name: str) -> FieldMeaning:
        """Return the resolution; the name `Unresolved` stands for none."""
        place = _place(self.store.resolutions, "resolution")
        strict = self.choice(resolutions_named, lambda i: _some(i.resolution), place)(
            name
        )
        loose = self.choice(
            resolutions_named, lambda i: (i.resolution or "unresolved",), place
        )(name)

        def compile_(clause: Clause) -> Test:
            positive = clause.operator in ("=", "in") and not isinstance(
                clause.operand, Empty
            )
            return (loose if positive else strict).clause(clause)

        return FieldMeaning(name, compile_, place)

    def worklog_date(self, name: str) -> FieldMeaning:
        """Return the days on which time was booked."""
        calendar = self.sight.calendar
        worklogs = self.store.worklogs

        def compile_(clause: Clause) -> Test:
            self.allow(clause, ORDERED - {"is", "is not"})
            wanted = [
                calendar.day(self.date(each, clause.field))
                for each in self.values(clause)
            ]
            days = [int(day.replace("-", "")) for day in wanted]

            def booked(issue: Issue) -> bool:
                return any(
                    compare(
                        clause.operator,
                        days,
                        int(calendar.day(worklogs[w].started).replace("-", "")),
                    )
                    for w in issue.worklogs
                    if w in worklogs
                )

            return booked

        return FieldMeaning(name, compile_)

    def worklog_author(self, name: str) -> FieldMeaning:
        """Return the people who booked time."""
        worklogs = self.store.worklogs
        return self.choice(
            users_named,
            lambda i: tuple(worklogs[w].author for w in i.worklogs if w in worklogs),
            warning=True,
        )(name)

    def rank(self, name: str) -> FieldMeaning:
        """Return the board order, which only sorts."""

        def compile_(clause: Clause) -> Test:
            raise JqlSyntax(
                f"The operator '{clause.operator}' is not supported by the 'rank' "
                "field."
            )

        return FieldMeaning(name, compile_, lambda i: (i.rank, i.id))
