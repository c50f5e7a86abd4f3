"""Booked time: an issue's worklogs, and the site-wide feeds of changed and deleted ones.

Source: docs/facts/jira-api.md 2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from rayline_sandbox.jira.changes import Changes
from rayline_sandbox.jira.errors import Refusal, missing
from rayline_sandbox.jira.instants import EARLIEST, LATEST
from rayline_sandbox.jira.issue_view import is_seen, visible_worklogs
from rayline_sandbox.jira.model import Json, Worklog
from rayline_sandbox.jira.numbers import as_identity
from rayline_sandbox.jira.operations import read_booking
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site, honour, strings
from rayline_sandbox.jira.store import SortedPairs

FEED_PAGE = 1000
WITHHELD = 60_000
ISSUE_PAGE = 5000
_NOT_EXPANDED = frozenset({"properties"})


def get_worklogs(site: Site, call: Call) -> Json:
    """Answer an issue's worklogs, oldest first; `startedAfter` and `startedBefore` are milliseconds."""
    issue = site.issue(call.parameters["issue"])
    honour(call.listed("expand"), _NOT_EXPANDED)
    after = call.integer("startedAfter", EARLIEST)
    before = call.integer("startedBefore", LATEST + 1)
    entries = [
        entry
        for entry in visible_worklogs(site.store, issue)
        if after <= entry.started < before
    ]
    start, size = call.page(ISSUE_PAGE, ISSUE_PAGE)
    renderer = Renderer(site, call)
    shown = entries[start : start + size]
    return {
        "startAt": start,
        "maxResults": size if site.cloud else len(shown),
        "total": len(entries),
        "worklogs": [renderer.worklog(entry) for entry in shown],
    }


def _entry(site: Site, call: Call) -> Worklog:
    issue = site.issue(call.parameters["issue"])
    identity = call.parameters["id"]
    worklog = next(
        (
            each
            for each in visible_worklogs(site.store, issue)
            if str(each.id) == identity
        ),
        None,
    )
    if worklog is None:
        raise missing("worklog", identity)
    return worklog


def get_worklog(site: Site, call: Call) -> Json:
    """Answer one worklog."""
    honour(call.listed("expand"), _NOT_EXPANDED)
    return Renderer(site, call).worklog(_entry(site, call))


def add_worklog(site: Site, call: Call) -> Outcome:
    """Book time by the calling account."""
    asked = call.object()
    issue = site.issue(call.parameters["issue"])
    booking = read_booking(asked)
    entry = Changes(site).book(issue, site.me.account, booking)
    return Outcome(201, Renderer(site, call).worklog(entry))


def update_worklog(site: Site, call: Call) -> Json:
    """Change a worklog."""
    asked = call.object()
    entry = _entry(site, call)
    Changes(site).rebook(entry, site.me.account, read_booking(asked))
    return Renderer(site, call).worklog(entry)


def delete_worklog(site: Site, call: Call) -> Outcome:
    """Delete a worklog."""
    Changes(site).unbook(_entry(site, call), site.me.account)
    return Outcome(204)


# Feeds ----------------------------------------------------------------------


def updated_feed(site: Site, call: Call) -> Json:
    """Answer ids of changed worklogs since an instant; the last minute is withheld."""
    return _feed(site, call, "updated", site.store.changed_worklogs)


def deleted_feed(site: Site, call: Call) -> Json:
    """Answer ids of deleted worklogs since an instant; the last minute is withheld."""
    return _feed(site, call, "deleted", site.store.deleted_worklogs)


def _feed(site: Site, call: Call, name: str, pairs: SortedPairs) -> Json:
    since = call.integer("since", 0)
    latest = site.now() - WITHHELD
    ready = _ready(site, pairs.since(since), latest)
    page = list(islice(ready, FEED_PAGE))
    last = next(ready, None) is None
    until = since
    if page:
        until, _ = page[-1]
    link = f"{Renderer(site, call).rest}/worklog/{name}?since="
    feed: Json = {
        "values": [
            {"worklogId": identity, "updatedTime": at, "properties": []}
            for at, identity in page
        ],
        "since": since,
        "until": until,
        "self": f"{link}{since}",
        "lastPage": last,
    }
    if not last:
        feed["nextPage"] = f"{link}{until}"
    return feed if site.cloud else {**feed, "isLastPage": last}


def _ready(
    site: Site, pairs: Iterable[tuple[int, int]], latest: int
) -> Iterator[tuple[int, int]]:
    """Yield the pairs up to an instant whose worklogs may be seen."""
    for at, identity in pairs:
        if at > latest:
            return
        if _seen(site, identity):
            yield at, identity


def _seen(site: Site, identity: int) -> bool:
    entry = site.store.worklogs.get(identity)
    if entry is None:
        return True
    issue = site.store.issues[entry.issue]
    return is_seen(entry) and site.store.permits(issue)


def list_worklogs(site: Site, call: Call) -> list[Json]:
    """Answer worklogs by id, at most 1000; unseen and unknown ones are left out."""
    ids: Any = strings(call.object().get("ids"), "ids")
    if len(ids) > FEED_PAGE:
        raise Refusal(
            400, f"The number of worklog ids must not be greater than {FEED_PAGE}."
        )
    renderer = Renderer(site, call)
    found = (site.store.worklogs.get(as_identity(each) or 0) for each in ids)
    return [
        renderer.worklog(entry)
        for entry in found
        if entry is not None and _seen(site, entry.id)
    ]


ROUTES = table(
    {
        "GET issue/{issue}/worklog": get_worklogs,
        "POST issue/{issue}/worklog": add_worklog,
        "GET issue/{issue}/worklog/{id}": get_worklog,
        "PUT issue/{issue}/worklog/{id}": update_worklog,
        "DELETE issue/{issue}/worklog/{id}": delete_worklog,
        "GET worklog/updated": updated_feed,
        "GET worklog/deleted": deleted_feed,
        "POST worklog/list": list_worklogs,
    }
)
