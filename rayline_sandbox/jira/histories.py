"""Histories of Cloud: one issue's changelog by offset, many issues' by cursor. Data Center has neither.

Source: docs/facts/jira-api.md 1.3.
"""

from __future__ import annotations

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Change, Issue, Json
from rayline_sandbox.jira.render import Renderer, linked_page, offset_page
from rayline_sandbox.jira.routes import CLOUD, table
from rayline_sandbox.jira.site import Call, Site, strings, whole

PAGE_LIMIT = 100
BULK_ISSUES = 1000
BULK_FIELDS = 10
BULK_PAGE = 10_000


def get_changelog(site: Site, call: Call) -> Json:
    """Answer one issue's history, oldest first, at most 100 entries a page."""
    issue = site.issue(call.parameters["issue"])
    start, size = call.page(PAGE_LIMIT, PAGE_LIMIT)
    renderer = Renderer(site, call)
    page = offset_page(list(issue.history), start, size)
    page["values"] = [renderer.change(change) for change in page["values"]]
    link = f"{renderer.rest}/issue/{issue.key}/changelog?maxResults={size}&startAt="
    return linked_page(page, link)


def changelog_list(site: Site, call: Call) -> Json:
    """Answer chosen entries of one issue's history."""
    issue = site.issue(call.parameters["issue"])
    refs = strings(call.object().get("changelogIds"), "changelogIds")
    wanted = {whole(ref, "changelogIds", 0) for ref in refs}
    renderer = Renderer(site, call)
    chosen = [
        renderer.change(change) for change in issue.history if change.id in wanted
    ]
    return {
        "startAt": 0,
        "maxResults": len(chosen),
        "total": len(chosen),
        "histories": chosen,
    }


def bulk_changelogs(site: Site, call: Call) -> Json:
    """Answer histories of up to 1000 issues, oldest first across all: one issue's may span pages.

    Source: docs/facts/jira-api.md 1.1.
    """
    asked = call.object()
    refs = strings(asked.get("issueIdsOrKeys"), "issueIdsOrKeys")
    fields = strings(asked.get("fieldIds"), "fieldIds")
    size = whole(asked.get("maxResults"), "maxResults", 1000)
    fits = (
        1 <= len(refs) <= BULK_ISSUES
        and len(fields) <= BULK_FIELDS
        and 1 <= size <= BULK_PAGE
    )
    if not fits:
        raise Refusal(
            400,
            f"At most {BULK_ISSUES} issues, {BULK_FIELDS} fields and {BULK_PAGE} "
            "results are allowed.",
        )
    bound = "\0".join(["changelog", ",".join(refs), ",".join(fields)])
    token = asked.get("nextPageToken")
    number, offset, ids = _place(site, token, bound, refs=refs, fields=fields)

    end = offset + size
    shown = ids[offset:end]
    page: Json = {"issueChangeLogs": _grouped(site, call, shown, refs)}
    if end < len(ids):
        page["nextPageToken"] = site.walks.token(number, end)
    return page


def _place(
    site: Site, token: object, bound: str, *, refs: list[str], fields: list[str]
) -> tuple[int, int, list[int]]:
    if token:
        number, offset, ids = site.open_walk(str(token), bound)
        return number, offset, list(ids)

    entries = [
        (change.at, change.id)
        for issue in _issues(site, refs)
        for change in issue.history
        if _touches(change, fields)
    ]
    entries.sort()
    found = [identity for _, identity in entries]
    number = site.walks.freeze(bound, found, site.now())
    return number, 0, found


def _issues(site: Site, refs: list[str]) -> list[Issue]:
    """Return the issues that are named and can be seen, each once, the oldest first."""
    by_id = {}
    for ref in refs:
        issue = site.store.find_issue(ref)
        if issue is not None:
            by_id[issue.id] = issue
    return [by_id[identity] for identity in sorted(by_id)]


def _touches(change: Change, fields: list[str]) -> bool:
    if not fields:
        return True
    return any(item.field_id in fields or item.field in fields for item in change.items)


def _grouped(site: Site, call: Call, ids: list[int], refs: list[str]) -> list[Json]:
    """Return the entries of some ids by issue, in the order of the ids."""
    by_id: dict[int, tuple[Issue, Change]] = {}
    for issue in _issues(site, refs):
        for change in issue.history:
            by_id[change.id] = (issue, change)

    renderer = Renderer(site, call)
    histories: dict[int, list[Json]] = {}
    for identity in ids:
        if identity not in by_id:
            continue
        issue, change = by_id[identity]
        shown = {**renderer.change(change), "created": change.at}
        histories.setdefault(issue.id, []).append(shown)
    return [
        {"issueId": str(issue_id), "changeHistories": histories[issue_id]}
        for issue_id in sorted(histories)
    ]


ROUTES = table(
    {
        "GET issue/{issue}/changelog": get_changelog,
        "POST issue/{issue}/changelog/list": changelog_list,
        "POST changelog/bulkfetch": bulk_changelogs,
    },
    on=CLOUD,
)
