"""All worklogs of some issues, however old: what the feeds tell of no more, since they are read from a bound on.

They come with the issues, by the hundred, at most twenty of each; only issues with more are asked for one by one. The
feed from an early bound would bring everybody's: a project of 1,000 issues, half of them with time, costs 5 requests so
and 13 by the feed of a site of 12 such projects, and its share falls with the size of the site. Data Center answers the
same requests and clips nothing, so that there none is asked for alone (docs/facts/jira-api.md 1.1, 2.4).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from worker.domain.entities import Worklog
from worker.errors import Incomplete, Missing
from worker.jira.lookup import find_by_keys
from worker.jira.records import PageReader, make_worklogs
from worker.jira.session import JiraSession
from worker.ports.tracker import IssueWorklogs, Unread

MOST_PAGES = 1_000


class _Inline(msgspec.Struct, frozen=True):
    """Worklogs as an issue carries them, still raw; whole only when `total` came."""

    worklogs: tuple[msgspec.Raw, ...] = ()
    total: int | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether none was left out."""
        return self.total is None or len(self.worklogs) >= self.total


class _Fields(msgspec.Struct, frozen=True):
    worklog: _Inline | None = None


class _LoggedIssue(msgspec.Struct, frozen=True):
    id: str
    key: str = ""
    fields: _Fields = _Fields()


_PAGE = msgspec.json.Decoder(_Inline)


def read_worklogs_of(session: JiraSession, ids: Sequence[str]) -> IssueWorklogs:
    """Return the worklogs of each issue; issues that are gone or cannot be read are absent.

    Raises `Incomplete` when the pages of an issue do not end.
    """
    rows, problems = find_by_keys(session, ids, PageReader(_LoggedIssue), ("worklog",))
    by_issue: dict[str, tuple[Worklog, ...]] = {}
    unread: list[Unread] = []
    for identity, row in rows.items():
        inline = row.fields.worklog or _Inline()
        raws: Sequence[msgspec.Raw] | None = inline.worklogs
        if not inline.is_whole:
            raws = _read_all(session, identity)
        if raws is None:
            continue

        good, bad = make_worklogs(raws)
        by_issue[identity] = good
        unread += bad
    return IssueWorklogs(by_issue, tuple(unread), problems)


def _read_all(session: JiraSession, issue: str) -> Sequence[msgspec.Raw] | None:
    """Return all worklogs of one issue, None when it is gone meanwhile."""
    raws: list[msgspec.Raw] = []
    for _ in range(MOST_PAGES):
        try:
            page = session.ask(
                "GET",
                f"issue/{issue}/worklog",
                _PAGE.decode,
                params={"startAt": len(raws)},
            )
        except Missing:
            return None
        raws += page.worklogs
        if page.total is None or len(raws) >= page.total:
            return raws
        if not page.worklogs:
            raise Incomplete(
                "worklog", f"{len(raws)} of {page.total} entries of issue {issue}"
            )
    raise Incomplete("worklog", f"no end after {MOST_PAGES} pages")
