"""What people do in a Jira between two looks at it: each act is of one kind, on issues drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from tests.support.own_count import Item, Site
from tests.support.own_site import NEVER, OwnSite

EPICS = ("WEB-1", "WEB-2", "WEB-3", "ACME-1", "ACME-2")


@dataclass
class Changes:
    """Changes of a site as it is seen now."""

    site: OwnSite
    seen: Site
    chance: Random

    def _some(self, amount: int, pool: Iterable[Item] | None = None) -> Sequence[Item]:
        items = list(self._work() if pool is None else pool)
        return self.chance.sample(items, min(amount, len(items)))

    def _work(self) -> list[Item]:
        return [item for item in self.seen.work() if item.level < 1]

    def _stories(self, *keys: str) -> list[Item]:
        return [item for item in self.seen.work(*keys) if item.level == 0]

    def _edit(self, item: Item, **fields: object) -> None:
        self.site.act("edit", issue=item.id, fields=fields)

    def move_on(self) -> None:
        """Move items to other statuses, also back from the end; some are closed as not to be done."""
        for item in self._some(12):
            status = self.chance.choice(sorted(self.seen.statuses_of(item)))
            resolution = self.chance.choice((None, NEVER))
            self.site.act(
                "transition", issue=item.id, status=status, resolution=resolution
            )

    def estimate(self) -> None:
        """Give other estimates, or none."""
        for item in self._some(8):
            seconds = self.chance.randrange(20) * 900
            self._edit(item, timeoriginalestimate=seconds or None)
        for item in self._some(4, self._stories("BETA")):
            self._edit(item, story_points=self.chance.choice((None, 1, 2.5)))

    def plan(self) -> None:
        """Give due dates and flags, or take them away."""
        for item in self._some(8):
            self._edit(item, duedate=self.site.due(), flagged=not item.flagged)
        for item in self._some(3):
            self._edit(item, duedate=None)

    def log(self) -> None:
        """Log work, around midnights too."""
        for item in self._some(10):
            self.site.act("worklog", issue=item.id, **self.site.log())

    def unlog(self) -> None:
        """Take logs back."""
        logged = [item for item in self.seen.work() if item.logs]
        for item in self._some(5, logged):
            self.site.act("delete_worklog", id=item.logs[0].id)

    def create(self) -> None:
        """Make stories below epics, with sub-tasks."""
        for key in ("ACME", "WEB", "API", "OPS"):
            fields = {"summary": "New", "parent": {"key": self.chance.choice(EPICS)}}
            story = self.site.act("create", project=key, fields=fields)["key"]
            fields = {"summary": "New", "parent": {"key": story}}
            fields["issuetype"] = {"name": "Sub-task"}
            self.site.act("create", project=key, fields=fields)

    def label(self) -> None:
        """Label items, and take labels away."""
        for item in self._some(8):
            self._edit(item, labels=sorted({*item.labels, "web", "app"}))
        labelled = [item for item in self._work() if item.labels]
        for item in self._some(4, labelled):
            self._edit(item, labels=[])

    def release(self) -> None:
        """Take items out of their versions."""
        for item in self._some(3, self._stories("ACME")):
            self._edit(item, fixVersions=[])

    def rehome(self) -> None:
        """Move stories with their sub-tasks to other projects: ids stay, keys change."""
        for old, new in (("ACME", "MOVE"), ("API", "MOVE"), ("WEB", "OPS")):
            for item in self._some(2, self._stories(old)):
                self.site.act("move", issue=item.id, project=new)

    def reparent(self) -> None:
        """Hang stories below other epics, or below none."""
        hanging = [item for item in self._stories() if item.parent]
        for item in self._some(6, hanging):
            key = self.chance.choice((None, *EPICS))
            self._edit(item, parent=key and {"key": key})

    def delete(self) -> None:
        """Delete stories with their sub-tasks, in projects of which no single issue is linked."""
        for item in self._some(4, self._stories("API", "OPS", "WEB", "GAMMAX")):
            self.site.act("delete", issue=item.id, subtasks=True)

    def each(self) -> tuple[Callable[[], None], ...]:
        """Return every kind that a delta can see."""
        return (
            self.move_on,
            self.estimate,
            self.plan,
            self.log,
            self.unlog,
            self.create,
            self.label,
            self.release,
            self.rehome,
            self.reparent,
        )
