"""Records around issues, from compact JSON: people, statuses, projects, boards, sprints, filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rayline_sandbox.jira.instants import to_instant
from rayline_sandbox.jira.model import (
    Board,
    Component,
    Filter,
    Json,
    Kind,
    Named,
    Project,
    Sprint,
    Status,
    User,
    Version,
)
from rayline_sandbox.jira.site import Site

_DONE_NAMES = ("done", "closed", "resolved", "released", "готово", "закрыт", "выполнен")
_NEW_NAMES = (
    "to do",
    "open",
    "backlog",
    "new",
    "reopened",
    "сделать",
    "открыт",
    "к выполнению",
)


def guess_category(name: str) -> str:
    """Return the likely category of a status that was given by name only."""
    plain = name.casefold()
    if any(word in plain for word in _DONE_NAMES):
        return "done"
    if plain.startswith(_NEW_NAMES):
        return "new"
    return "indeterminate"


def _name_of(ref: Any) -> str:
    """Return the name of a record, given by that or whole."""
    if isinstance(ref, Mapping):
        ref = ref["name"]
    return str(ref)


class SiteRecords:
    """Creates and finds the records issues refer to."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.store = site.store
        self._versions: dict[tuple[int, str], int] = {}
        self._components: dict[tuple[int, str], int] = {}
        self._sprints: dict[str, int] = {}
        self._statuses: dict[tuple[int, str], Status] = {}
        self._kinds: dict[str, str] = {}

    # People ---------------------------------------------------------------

    def user(self, raw: Json) -> User:
        """Load a user."""
        name = str(
            raw.get("name")
            or raw.get("displayName")
            or raw.get("login")
            or raw.get("id")
        )
        return self.store.find_user(
            raw.get("id") or raw.get("email") or name
        ) or self.store.add_user(
            name,
            str(raw.get("email") or ""),
            account=raw.get("id"),
            name=raw.get("login"),
            zone=str(raw.get("timeZone") or "Etc/UTC"),
            active=bool(raw.get("active", True)),
            kind=str(raw.get("accountType") or "atlassian"),
        )

    def person(self, ref: Any) -> str | None:
        """Return the account of a person, adding one nobody listed; None for nobody."""
        if ref is None or ref == "":
            return None
        if isinstance(ref, str):
            email = ref if "@" in ref else ""
            named = self.store.find_user(ref) or self.user(
                {"name": ref, "email": email}
            )
            return named.account
        if isinstance(ref, Mapping):
            names = [ref.get(key) for key in ("id", "email", "login", "name")]
            known = self.store.find_user(next(filter(None, names), None))
            return (known or self.user(dict(ref))).account
        raise TypeError(f"not a person: {ref!r}")

    # Enumerations ---------------------------------------------------------

    def status(self, raw: Json) -> Status:
        """Load a status; the same id or, without one, the same name is the same status.

        Issues of another site bring its numbers along: an id that already means something else is given a free one.
        """
        name = str(raw["name"])
        project = (
            self.store.find_project(raw["project"]) if raw.get("project") else None
        )
        identity = None
        known = None
        if raw.get("id") is not None:
            identity = str(raw["id"])
            known = self.store.statuses.get(identity)
        if known is not None and known.name.casefold() != name.casefold():
            known = self.store.status_named(name)
            identity = None
        if known is None and identity is None and project is None:
            known = self.store.status_named(name)
        if known is not None:
            return known
        status = Status(
            identity or self._free_status(),
            name,
            str(raw.get("category") or guess_category(name)),
            project.id if project else None,
        )
        self.store.statuses[status.id] = status
        return status

    def _free_status(self) -> str:
        identity = str(self.store.counters.take("status", 10003))
        if identity not in self.store.statuses:
            return identity
        return self._free_status()

    def status_for(self, ref: Any, project: Project) -> Status:
        """Return a status of a project by name, id or record, adding it to the site and the project."""
        name = _name_of(self._first(project) if ref in (None, "") else ref)
        status = self._statuses.get((project.id, name))
        if status is None:
            status = (
                self.status(dict(ref))
                if isinstance(ref, Mapping)
                else self.store.status_named(name, project.statuses)
                or self.status({"name": name})
            )
            self._statuses[project.id, name] = status
            if status.id not in project.statuses:
                project.statuses.append(status.id)
        return status

    def _first(self, project: Project) -> str:
        return project.statuses[0]

    def kind_for(self, ref: Any) -> str:
        """Return an issue type's id by name, adding it; `{name, level}` states the level."""
        raw = ref if isinstance(ref, Mapping) else {"name": ref or "Task"}
        name = str(raw["name"])
        kind_id = self._kinds.get(name)
        if kind_id is None:
            kind = self.store.kind_named(name)
            if kind is None:
                level = int(raw.get("level", 0))
                identity = self.store.counters.take("kind", 10005)
                kind = Kind(str(identity), name, level)
                self.store.kinds[kind.id] = kind
            kind_id = kind.id
            self._kinds[name] = kind_id
        return kind_id

    def priority_for(self, name: Any) -> str | None:
        """Return a priority's id by name, adding it."""
        if name is None:
            return None
        return self._named(self.store.priorities, str(name))

    def resolution_for(self, name: Any) -> str | None:
        """Return a resolution's id by name, adding it."""
        if name is None:
            return None
        return self._named(self.store.resolutions, str(name))

    def _named(self, table: dict[str, Named], name: str) -> str:
        for entry in table.values():
            if entry.name == name:
                return entry.id
        highest = max(map(int, table))
        identity = str(highest + 1)
        table[identity] = Named(identity, name)
        return identity

    # Projects -------------------------------------------------------------

    def project(self, raw: Json) -> Project:
        """Load a project with its versions, components and board."""
        known = self.store.find_project(raw["key"])
        if known is not None:
            return known
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("project")
        )
        project = self.store.add_project(
            Project(
                identity,
                str(raw["key"]),
                str(raw.get("name") or raw["key"]),
                self.person(raw.get("lead")) or self.site.me.account,
                simplified=raw.get("style") == "next-gen",
                category=raw.get("category"),
                state=str(raw.get("state") or "live"),
                hidden=bool(raw.get("hidden")),
                description=str(raw.get("description") or ""),
            )
        )
        if raw.get("statuses"):
            project.statuses = []
            for ref in raw["statuses"]:
                self.status_for(ref, project)
        for version in raw.get("versions") or ():
            self.version(project.id, version)
        for name in raw.get("components") or ():
            self.component_for(project.id, name)
        if raw.get("board"):
            self.board({"project": project.key, "type": raw["board"]})
        return project

    def project_for(self, ref: Any) -> Project:
        """Return a project by key, id or record, adding it."""
        if isinstance(ref, Mapping):
            return self.project(dict(ref))
        known = self.store.find_project(ref)
        if known is not None:
            return known
        return self.project({"key": str(ref)})

    def version(self, project: int, raw: Json) -> Version:
        """Load a version."""
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("version")
        )
        self.store.counters.reserve("version", identity)
        version = Version(
            identity,
            project,
            str(raw["name"]),
            str(raw.get("description") or ""),
            bool(raw.get("released")),
            bool(raw.get("archived")),
            raw.get("startDate"),
            raw.get("releaseDate"),
        )
        self.store.versions[identity] = version
        self._versions[project, version.name] = identity
        return version

    def version_for(self, project: int, ref: Any) -> int:
        """Return a version's id by name or record, adding it."""
        name = _name_of(ref)
        known = self._versions.get((project, name))
        if known:
            return known
        for version in self.store.versions.values():
            if version.project == project and version.name == name:
                return version.id
        raw = dict(ref) if isinstance(ref, Mapping) else {"name": name}
        return self.version(project, raw).id

    def component_for(self, project: int, ref: Any) -> int:
        """Return a component's id by name or record, adding it."""
        name = _name_of(ref)
        identity = self._components.get((project, name))
        if identity is None:
            identity = self.store.counters.take("component")
            self._components[project, name] = identity
            self.store.components[identity] = Component(identity, project, name)
        return identity

    # Boards ---------------------------------------------------------------

    def board(self, raw: Json) -> Board:
        """Load a board; without columns it gets one per category of the project's statuses."""
        project = self.project_for(raw["project"])
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("board", 1)
        )
        self.store.counters.next["board"] = max(
            self.store.counters.next.get("board", 1), identity + 1
        )
        name = str(raw.get("name") or f"{project.key} board")
        saved = self.filter(
            {
                "name": f"Filter for {name}",
                "jql": raw.get("jql") or f"project = {project.key} ORDER BY Rank ASC",
            }
        )
        columns = [
            (str(column), tuple(self.status_for(ref, project).id for ref in refs))
            for column, refs in dict(raw.get("columns") or {}).items()
        ]
        default = (
            self.store.fields.estimate
            if project.simplified
            else self.store.fields.points
        )
        board = Board(
            identity,
            name,
            str(raw.get("type") or "scrum"),
            project.id,
            columns,
            raw.get("estimation", default),
            saved.id,
            str(raw.get("sub_filter") or ""),
        )
        self.store.boards[identity] = board
        return board

    def sprint(self, raw: Json) -> Sprint:
        """Load a sprint; a project without a board gets one."""
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("sprint", 1)
        )
        self.store.counters.next["sprint"] = max(
            self.store.counters.next.get("sprint", 1), identity + 1
        )
        instants = {
            name: to_instant(raw.get(name) or raw.get(f"{name}Date"))
            for name in ("start", "end", "complete", "created")
        }
        sprint = Sprint(
            identity,
            str(raw["name"]),
            str(raw.get("state") or "future"),
            self._board_of(raw),
            **instants,
            goal=str(raw.get("goal") or ""),
        )
        self.store.sprints[identity] = sprint
        self._sprints[sprint.name] = identity
        return sprint

    def _board_of(self, raw: Json) -> int | None:
        boards = self.store.boards.values()
        ref = raw.get("board")
        if ref is not None:
            for board in boards:
                if ref in (board.id, board.name):
                    return board.id
            return int(ref)

        if raw.get("project") is None:
            return None
        project = self.project_for(raw["project"])
        for board in boards:
            if board.project == project.id and board.kind == "scrum":
                return board.id
        return self.board({"project": project.key}).id

    def sprint_for(self, ref: Any) -> int:
        """Return a sprint's id by id, name or record, adding a record."""
        if isinstance(ref, Mapping):
            known = (
                self.store.sprints.get(int(ref["id"]))
                if ref.get("id") is not None
                else None
            )
            return (known or self.sprint(dict(ref))).id
        if isinstance(ref, int) and ref in self.store.sprints:
            return ref
        name = str(ref)
        if name in self._sprints:
            return self._sprints[name]
        for sprint in self.store.sprints.values():
            if sprint.name == name:
                return sprint.id
        raise KeyError(f"sprint {ref}")

    def filter(self, raw: Json) -> Filter:
        """Load a saved search."""
        identity = (
            int(raw["id"])
            if raw.get("id") is not None
            else self.store.counters.take("filter")
        )
        self.store.counters.reserve("filter", identity)
        saved = Filter(
            identity,
            str(raw["name"]),
            str(raw["jql"]),
            self.site.me.account,
            str(raw.get("description") or ""),
        )
        self.store.filters[identity] = saved
        return saved
