"""Which projects of Jira may be read: those that the configuration lists, or without a list all that the account sees.

A listed project is known by its id once it was seen: it stays listed when its key changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from worker.domain.entities import JiraProject
from worker.domain.messages import literal, tell
from worker.errors import Code, Problem, Severity
from worker.world.reach import find_mentions, find_reach

NOWHERE = 'created < "1970-01-01"'
"""A restriction that holds for no issue."""


class Within(StrEnum):
    """Where the issues of a query can lie, seen from the listed projects."""

    INSIDE = "inside"
    ACROSS = "across"
    """In listed ones, and in others."""
    OUTSIDE = "outside"
    UNCLEAR = "unclear"
    """What is written is no query."""


class Listing:
    """The listed projects among those that the account sees; `listed` is None without a list, `seen` are the ids and
    last keys of listed ones by the name under which they stand there."""

    def __init__(
        self,
        listed: Sequence[str] | None,
        seen: Mapping[str, tuple[str, str]],
        projects: Iterable[JiraProject],
    ) -> None:
        self.listed = listed
        self.visible = tuple(projects)
        self.seen: Mapping[str, tuple[str, str]] = {}
        if listed is not None:
            self.seen = {**seen, **self._found(listed, seen)}

    def _found(
        self, listed: Sequence[str], seen: Mapping[str, tuple[str, str]]
    ) -> dict[str, tuple[str, str]]:
        """Return the listed projects that the account sees, by the name under which they are listed."""
        keys = {project.id: project.key for project in self.visible}
        named = {key: one.id for one in self.visible for key in one.former}
        named |= {project.key: project.id for project in self.visible}
        identities = {}
        for name in listed:
            known, _ = seen.get(name, ("", ""))
            # Another project under the key of one that is gone was never listed.
            identity = known or named.get(name, name)
            if identity in keys:
                identities[name] = identity, keys[identity]
        return identities

    @cached_property
    def projects(self) -> tuple[JiraProject, ...]:
        """The projects that may be read."""
        if self.listed is None:
            return self.visible
        may = {self.seen[name][0] for name in self.listed if name in self.seen}
        return tuple(project for project in self.visible if project.id in may)

    @cached_property
    def _keys(self) -> frozenset[str]:
        keys = {key for project in self.projects for key in project.former}
        keys |= {project.key for project in self.projects}
        return frozenset(keys - self._others)

    @cached_property
    def _names(self) -> frozenset[str]:
        """Everything by which a query may name a listed project, in small letters."""
        names = {key.casefold() for key in self._keys}
        for project in self.projects:
            names |= {project.id, project.name.casefold()}
        return frozenset(names)

    def allows(self, key: str) -> bool:
        """Tell whether a project may be read, by a key of it; one that is listed and not seen yet may."""
        if self.listed is None or key in self._keys:
            return True
        lasting = {*self.listed, *(last for _, last in self.seen.values())}
        return key in lasting and key not in self._others

    @cached_property
    def _others(self) -> frozenset[str]:
        """The keys of the projects that are not listed: one may have been another's before."""
        listed = {project.id for project in self.projects}
        others = (one.key for one in self.visible if one.id not in listed)
        return frozenset(others)

    def shows(self, key: str) -> bool:
        """Tell whether the account sees a project, by a key that it has or had."""
        return any(key == one.key or key in one.former for one in self.visible)

    @property
    def bound(self) -> str:
        """The JQL that keeps a query within the listed projects, by id; empty without a list."""
        if self.listed is None:
            return ""
        ids = sorted((project.id for project in self.projects), key=_as_number)
        listed = ", ".join(ids)
        return f"project in ({listed})" if ids else ""

    @property
    def outside(self) -> str:
        """The JQL of all that lies beyond the listed projects; empty where it cannot be said."""
        return self.bound.replace("project in", "project not in")

    def bounded(self, jql: str) -> str:
        """Return a query that finds nothing outside of the listed projects."""
        if self.listed is None:
            return jql
        return f"{self.bound or NOWHERE} AND ({jql})"

    def place(self, condition: str) -> Within:
        """Tell where the issues of a query can lie."""
        if self.listed is None:
            return Within.INSIDE
        try:
            reach = find_reach(condition)
        except ValueError:
            return Within.UNCLEAR
        if not self.projects:
            return Within.OUTSIDE
        if reach is None:
            return Within.ACROSS
        within = {name for name in reach if name.casefold() in self._names}
        if not within:
            return Within.OUTSIDE
        return Within.INSIDE if within == reach else Within.ACROSS

    def mentions_others(self, condition: str) -> bool:
        """Tell whether a query names a project that is not listed, or can reach one: what Jira says of it may tell what is
        there."""
        if self.listed is None:
            return False
        if self.place(condition) is not Within.INSIDE:
            return True
        names = {name.casefold() for name in find_mentions(condition)}
        return not names.issubset(self._names)

    def unlisted(self, condition: str) -> tuple[str, ...]:
        """Return the projects that a query names as it names them, without the listed ones."""
        try:
            reach = find_reach(condition) or frozenset()
        except ValueError:
            return ()
        return tuple(
            sorted(name for name in reach if name.casefold() not in self._names)
        )

    def unseen(self, condition: str) -> set[str]:
        """Return the projects that a query names and the account does not see, as it names them."""
        known: set[str] = set()
        for project in self.visible:
            known |= {project.id, project.name.casefold(), project.key.casefold()}
            known |= {key.casefold() for key in project.former}
        names = self.unlisted(condition)
        return {name for name in names if name.casefold() not in known}

    def missing(self) -> tuple[str, ...]:
        """Return the names of the list under which the account sees nothing."""
        ids = {project.id for project in self.visible}
        seen = {name for name, (identity, _) in self.seen.items() if identity in ids}
        return tuple(name for name in self.listed or () if name not in seen)


def compose(
    projects: Sequence[str], conditions: Sequence[str], listing: Listing
) -> str:
    """Return one JQL over whole projects and, within what may be read, over conditions; empty for nothing."""
    parts = []
    if projects:
        listed = ", ".join(projects)
        parts.append(f"project in ({listed})")
    if conditions and listing.listed is not None:
        every = " OR ".join(conditions)
        bounded = listing.bounded(every)
        parts.append(f"({bounded})")
    else:
        parts += conditions
    return " OR ".join(parts)


def _as_number(identity: str) -> tuple[int, str]:
    return len(identity), identity


SETTING = "jira.projects"


def find_problems(listing: Listing) -> list[Problem]:
    """Return what is to be said to who runs Rayline of the list of projects."""
    where = literal(SETTING)
    if listing.listed is None:
        keys = ", ".join(f'"{project.key}"' for project in listing.visible)
        return [
            Problem(
                code=Code.OPEN_PROJECTS,
                where=where,
                message=tell(
                    "no list of projects is set: people who write into the boards can have all read that the account sees"
                ),
                hint=tell(
                    "write those that may be read under `jira`; all of today: {line}",
                    line=f"projects = [{keys}]",
                ),
                severity=Severity.INFO,
            )
        ]
    return [
        Problem(
            code=Code.UNKNOWN_PROJECT,
            where=where,
            message=tell("Jira shows the account no project {name}", name=name),
            hint=tell("correct the key, or give the account access"),
        )
        for name in listing.missing()
    ]
