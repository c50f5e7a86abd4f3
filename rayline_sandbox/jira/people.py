"""What people and circumstances do to the site: the actions of the control channel.

Payloads (issues by key or id, people by any identity, `user` defaults to the service account):
* `load` (see `load`), `load_jsonl {lines}`, `problems {}`
* `create {project, fields, user?}` -> `{id, key}`; `edit {issue, fields, user?}`; `transition {issue, status, user?}`;
  `delete {issue, subtasks?}`; `move {issue, project, user?}` -> `{key}`; `comment {issue, author?, body, visibility?}` -> `{id}`
* `conceal`, `reveal` `{issue}` (a security level above the calling account's); `archive_issue`, `restore_issue` `{issue}`
* `worklog {issue, author, started, seconds, comment?, restricted?, visibility?}` -> `{id}`; `delete_worklog {id}`
* `add_user {name, email, ...}` -> `{id}`; `deactivate_user {user}`; `rename_user {user, name}`
* `add_project {key, name, board?, ...}` -> `{id, board}`; `archive_project`, `restore_project`, `delete_project`,
  `hide_project`, `show_project` `{key}`; `rename_project {key, new_key?, name?}`
* `add_status {name, category, project?}` -> `{id}`; `add_version {project, name, ...}` -> `{id}`;
  `edit_version {id, ...}`; `add_board {project, name?, type?, columns?, jql?, sub_filter?}`, `add_sprint` -> `{id}`;
  `edit_sprint {id, ...}`;
  `add_filter {name, jql}` -> `{id}`
* `faults {rules}`, `clear_faults {}`, `set_lag {seconds}`, `set_limit {rate}`, `set_time_zone {zone}`,
  `set_self_base {url}`, `set_administrator {administers}`, `advance {seconds}`, `log {since?}`, `counts {}`, `dump {}`
* `subscribe`, `unsubscribe`, `subscriptions`, `deliveries`: see `webhooks`
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rayline_sandbox.arguments import (
    check_end,
    count_of,
    objects_of,
    seconds_of,
    text_of,
    texts_of,
)
from rayline_sandbox.faults import FaultPlan
from rayline_sandbox.jira.audiences import read_audience
from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.instants import to_instant
from rayline_sandbox.jira.limits import Limiter
from rayline_sandbox.jira.load import Loader
from rayline_sandbox.jira.model import Issue, Json, Project
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.operations import Booking, Remark, remark_body
from rayline_sandbox.jira.raw_issues import load_lines
from rayline_sandbox.jira.setters import rich
from rayline_sandbox.jira.site import Site
from rayline_sandbox.jira.site_records import SiteRecords
from rayline_sandbox.jira.undo import remember
from rayline_sandbox.jira.webhooks import Webhooks

Action = Callable[[Json], Json]


class People:
    """The control channel of one site."""

    def __init__(
        self,
        site: Site,
        *,
        faults: FaultPlan,
        limiter: Limiter,
        log: deque[Json],
        requests: Counter[str],
        webhooks: Webhooks,
    ) -> None:
        self.site = site
        self.store = site.store
        self.changes = Changes(site)
        self.records = SiteRecords(site)
        self.problems: list[str] = []
        self._faults = faults
        self._limiter = limiter
        self._log = log
        self._requests = requests
        self._actions: dict[str, Action] = {
            **self._issue_actions(),
            **self._site_actions(),
            **self._test_actions(),
            **webhooks.actions(),
        }

    def act(self, action: str, payload: Json) -> Json:
        """Do one action; raises `ValueError` for one that does not exist or cannot be done."""
        if action not in self._actions:
            raise ValueError(f"unknown action: {action}")
        undo = remember(self.store)
        try:
            return self._actions[action](payload)
        except Refusal as refusal:
            undo()
            messages = list(refusal.messages)
            raise ValueError(
                f"{action}: {refusal.status} {messages} {refusal.errors}"
            ) from refusal
        except Exception:
            undo()
            raise

    def _issue_actions(self) -> dict[str, Action]:
        return {
            "create": self._create,
            "edit": self._edit,
            "transition": self._transition,
            "delete": self._delete,
            "move": self._move,
            "comment": self._comment,
            "worklog": self._worklog,
            "delete_worklog": self._delete_worklog,
        }

    def _site_actions(self) -> dict[str, Action]:
        return {
            "load": self._load,
            "load_jsonl": self._load_lines,
            "problems": lambda _: {"problems": self.problems},
            "conceal": self._adding(self.store.concealed),
            "reveal": self._removing(self.store.concealed),
            "archive_issue": self._adding(self.store.archived),
            "restore_issue": self._removing(self.store.archived),
            "add_user": lambda p: {"id": self.records.user(p).account},
            "deactivate_user": self._deactivate,
            "rename_user": self._rename_user,
            "add_project": self._add_project,
            "archive_project": self._state("archived"),
            "restore_project": self._state("live"),
            "delete_project": self._state("deleted"),
            "hide_project": self._hidden(True),
            "show_project": self._hidden(False),
            "rename_project": self._rename_project,
            "add_status": lambda p: {"id": self.records.status(p).id},
            "add_version": self._add_version,
            "edit_version": self._edit_version,
            "add_board": lambda p: {"id": self.records.board(p).id},
            "add_sprint": lambda p: {"id": self.records.sprint(p).id},
            "edit_sprint": self._edit_sprint,
            "add_filter": lambda p: {"id": str(self.records.filter(p).id)},
        }

    def _test_actions(self) -> dict[str, Action]:
        return {
            "faults": self._set_faults,
            "clear_faults": self._clear_faults,
            "set_lag": self._set_lag,
            "set_limit": self._set_limit,
            "set_time_zone": self._set_time_zone,
            "set_self_base": self._set_base,
            "set_administrator": self._set_administrator,
            "advance": self._advance,
            "log": self._read_log,
            "counts": self._counts,
            "dump": self._dump,
        }

    # Issues ---------------------------------------------------------------

    def _issue(self, payload: Json) -> Issue:
        text = str(payload["issue"])
        number = as_identity(text)
        if number is None:
            number = self.store.keys.get(text.upper())
        if number not in self.store.issues:
            raise ValueError(f"no issue {text}")
        return self.store.issues[number]

    def _who(self, payload: Json, name: str = "user") -> str:
        return self.records.person(payload.get(name)) or self.site.me.account

    def _create(self, payload: Json) -> Json:
        fields = {
            "project": {"key": str(payload["project"])},
            **payload.get("fields", {}),
        }
        issue = self.changes.create(fields, self._who(payload))
        return {"id": str(issue.id), "key": issue.key}

    def _edit(self, payload: Json) -> Json:
        self.changes.edit(
            self._issue(payload), dict(payload["fields"]), self._who(payload)
        )
        return {}

    def _transition(self, payload: Json) -> Json:
        issue = self._issue(payload)
        self.changes.transition(
            issue,
            self.changes.status_of(issue, str(payload["status"])),
            self._who(payload),
            resolution=self.records.resolution_for(payload.get("resolution")),
        )
        return {}

    def _delete(self, payload: Json) -> Json:
        self.changes.delete(
            self._issue(payload), subtasks=bool(payload.get("subtasks"))
        )
        return {}

    def _move(self, payload: Json) -> Json:
        issue = self._issue(payload)
        project = self._project(payload["project"])
        self.changes.move(issue, project, self._who(payload))
        return {"key": issue.key}

    def _comment(self, payload: Json) -> Json:
        remark = Remark(
            remark_body(payload.get("body")), read_audience(payload.get("visibility"))
        )
        comment = self.changes.remark(
            self._issue(payload), self._who(payload, "author"), remark
        )
        return {"id": str(comment.id)}

    def _worklog(self, payload: Json) -> Json:
        booking = Booking(
            to_instant(payload.get("started")),
            int(payload["seconds"]),
            rich(payload.get("comment"), "comment"),
            read_audience(payload.get("visibility")),
        )
        entry = self.changes.book(
            self._issue(payload),
            self._who(payload, "author"),
            booking,
            restricted=bool(payload.get("restricted")),
        )
        return {"id": str(entry.id)}

    def _delete_worklog(self, payload: Json) -> Json:
        entry = self.store.worklogs.get(int(payload["id"]))
        if entry is None:
            raise ValueError(f"no worklog {payload['id']}")
        self.changes.unbook(entry, self._who(payload))
        return {}

    # Site -----------------------------------------------------------------

    def _load(self, payload: Json) -> Json:
        report = Loader(self.site).load(payload)
        self.problems.extend(report["problems"])
        return report

    def _load_lines(self, payload: Json) -> Json:
        report = load_lines(self.site, texts_of(payload, "lines"))
        self.problems.extend(report["problems"])
        return report

    def _deactivate(self, payload: Json) -> Json:
        self.site.user(payload["user"]).active = False
        return {}

    def _rename_user(self, payload: Json) -> Json:
        user = self.site.user(payload["user"])
        name = str(payload["name"])
        self.store.rename_user(user, name)
        return {}

    def _adding(self, marked: set[int]) -> Action:
        def act(payload: Json) -> Json:
            identity = self._any_issue(payload)
            marked.add(identity)
            return {}

        return act

    def _removing(self, marked: set[int]) -> Action:
        def act(payload: Json) -> Json:
            identity = self._any_issue(payload)
            marked.discard(identity)
            return {}

        return act

    def _any_issue(self, payload: Json) -> int:
        """Return the id of an issue, seen or not."""
        key = str(payload["issue"])
        try:
            return self.store.keys[key.upper()]
        except KeyError:
            raise ValueError(f"no issue {key}") from None

    def _project(self, ref: Any) -> Project:
        found = self.store.find_project(ref)
        if found is None:
            raise ValueError(f"no project {ref}")
        return found

    def _add_project(self, payload: Json) -> Json:
        project = self.records.project({"board": "scrum", **payload})
        boards = [
            board.id
            for board in self.store.boards.values()
            if board.project == project.id
        ]
        return {"id": str(project.id), "board": boards[0] if boards else None}

    def _state(self, state: str) -> Action:
        def act(payload: Json) -> Json:
            self._project(payload["key"]).state = state
            return {}

        return act

    def _hidden(self, hidden: bool) -> Action:
        def act(payload: Json) -> Json:
            self._project(payload["key"]).hidden = hidden
            return {}

        return act

    def _rename_project(self, payload: Json) -> Json:
        self.store.rename_project(
            self._project(payload["key"]),
            key=text_of(payload, "new_key"),
            name=text_of(payload, "name"),
        )
        return {}

    def _add_version(self, payload: Json) -> Json:
        return {
            "id": str(
                self.records.version(self._project(payload["project"]).id, payload).id
            )
        }

    def _edit_version(self, payload: Json) -> Json:
        version = self.store.versions[int(payload["id"])]
        for name, attribute in (
            ("name", "name"),
            ("released", "released"),
            ("archived", "archived"),
            ("startDate", "start"),
            ("releaseDate", "release"),
        ):
            if name in payload:
                setattr(version, attribute, payload[name])
        return {}

    def _edit_sprint(self, payload: Json) -> Json:
        sprint = self.store.sprints[int(payload["id"])]
        for name, attribute in (
            ("startDate", "start"),
            ("endDate", "end"),
            ("completeDate", "complete"),
        ):
            if name in payload:
                setattr(sprint, attribute, to_instant(payload[name]))
        for name in ("name", "goal", "state"):
            if name in payload:
                setattr(sprint, name, str(payload[name]))
        return {}

    # Circumstances --------------------------------------------------------

    def _set_faults(self, payload: Json) -> Json:
        rules = objects_of({"rules": [], **payload}, "rules")
        return {"rules": self._faults.add(rules)}

    def _clear_faults(self, _: Json) -> Json:
        self._faults.clear()
        return {}

    def _set_lag(self, payload: Json) -> Json:
        self.store.lag = int(seconds_of(payload, "seconds") * 1000)
        return {}

    def _set_limit(self, payload: Json) -> Json:
        self._limiter.rate = count_of(payload, "rate")
        return {}

    def _set_time_zone(self, payload: Json) -> Json:
        self.site.zone = ZoneInfo(payload["zone"])
        self.site.me.zone = str(payload["zone"])
        return {}

    def _set_base(self, payload: Json) -> Json:
        address = str(payload.get("url") or "")
        self.site.self_base = address.rstrip("/")
        return {}

    def _set_administrator(self, payload: Json) -> Json:
        self.site.administers = bool(payload.get("administers", True))
        return {}

    def _advance(self, payload: Json) -> Json:
        seconds = seconds_of(payload, "seconds")
        check_end(self.site.clock.now(), seconds)
        now = self.site.clock.advance(timedelta(seconds=seconds))
        return {"now": now.isoformat()}

    def _read_log(self, payload: Json) -> Json:
        since = int(payload.get("since") or 0)
        entries = list(self._log)
        return {"entries": entries[since:]}

    def _counts(self, _: Json) -> Json:
        store = self.store
        return {
            "requests": dict(self._requests),
            "total": sum(self._requests.values()),
            "issues": len(store.issues),
            "projects": len(store.projects),
            "users": len(store.users),
            "worklogs": len(store.worklogs),
            "sprints": len(store.sprints),
            "boards": len(store.boards),
        }

    def _dump(self, _: Json) -> Json:
        store = self.store
        return {
            "projects": [asdict(p) for p in store.projects.values()],
            "users": [asdict(u) for u in store.users.values()],
            "sprints": [asdict(s) for s in store.sprints.values()],
            "boards": [asdict(b) for b in store.boards.values()],
            "versions": [asdict(v) for v in store.versions.values()],
            "worklogs": [asdict(w) for w in store.worklogs.values()],
            "issues": [self._dumped(issue) for issue in store.issues.values()],
        }

    def _dumped(self, issue: Issue) -> Json:
        flat = {
            name: getattr(issue, name)
            for name in Issue.__slots__
            if name not in ("history", "links")
        }
        return {
            **flat,
            "status_name": self.store.statuses[issue.status].name,
            "history": [
                {
                    "id": change.id,
                    "at": change.at,
                    "author": change.author,
                    "items": [i._asdict() for i in change.items],
                }
                for change in issue.history
            ],
        }
