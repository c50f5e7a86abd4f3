"""Histories of Cloud: one issue's changelog by offset, many issues' by cursor. Data Center has neither.

Source: docs/facts/jira-api.md 1.3.
"""

from __future__ import annotations

from itertools import groupby

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Change, Json
from rayline_sandbox.jira.render import Renderer, offset_page
from rayline_sandbox.jira.routes import CLOUD, Route
from rayline_sandbox.jira.site import Call, Site, strings, whole
from rayline_sandbox.jira.walks import BadToken

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
    link = f"{renderer.rest}/issue/{issue.key}/changelog?maxResults={size}&startAt="
    page["values"] = [renderer.change(change) for change in page["values"]]
    following = {} if page["isLast"] else {"nextPage": f"{link}{start + size}"}
    return {"self": f"{link}{start}", **following, **page}


def changelog_list(site: Site, call: Call) -> Json:
    """Answer chosen entries of one issue's history."""
    issue = site.issue(call.parameters["issue"])
    wanted = {
        whole(each, "changelogIds", 0)
        for each in strings(call.object().get("changelogIds"), "changelogIds")
    }
    renderer = Renderer(site, call)
    found = [renderer.change(change) for change in issue.history if change.id in wanted]
    return {
        "startAt": 0,
        "maxResults": len(found),
        "total": len(found),
        "histories": found,
    }


def bulk_changelogs(site: Site, call: Call) -> Json:
    """Answer histories of up to 1000 issues, oldest first across all: one issue's may span pages.

    Source: docs/facts/jira-api.md 1.1.
    """
    asked = call.object()
    refs = strings(asked.get("issueIdsOrKeys"), "issueIdsOrKeys")
    fields = strings(asked.get("fieldIds"), "fieldIds")
    size = whole(asked.get("maxResults"), "maxResults", 1000)
    if (
        not 1 <= len(refs) <= BULK_ISSUES
        or len(fields) > BULK_FIELDS
        or not 1 <= size <= BULK_PAGE
    ):
        raise Refusal(
            400,
            f"At most {BULK_ISSUES} issues, {BULK_FIELDS} fields and {BULK_PAGE} results are allowed.",
        )
    bound = f"changelog\0{','.join(refs)}\0{','.join(fields)}"
    number, offset, ids = _place(
        site, asked.get("nextPageToken"), bound, refs=refs, fields=fields
    )
    page: Json = {
        "issueChangeLogs": _grouped(site, call, list(ids[offset : offset + size]), refs)
    }
    if offset + size < len(ids):
        page["nextPageToken"] = site.walks.token(number, offset + size)
    return page


def _place(
    site: Site, token: object, bound: str, *, refs: list[str], fields: list[str]
) -> tuple[int, int, list[int]]:
    if token:
        try:
            number, offset, ids = site.walks.open(str(token), bound, site.now())
        except BadToken:
            raise Refusal(
                400, "The provided next page token is invalid or expired."
            ) from None
        return number, offset, list(ids)
    entries = sorted(
        (change.at, change.id)
        for _, change in _entries(site, refs)
        if _touches(change, fields)
    )
    found = [identity for _, identity in entries]
    return site.walks.freeze(bound, found, site.now()), 0, found


def _entries(site: Site, refs: list[str]) -> list[tuple[int, Change]]:
    issues = {
        issue.id: issue
        for ref in refs
        if (issue := site.store.find_issue(ref)) is not None
    }
    return [(issue.id, change) for issue in issues.values() for change in issue.history]


def _touches(change: Change, fields: list[str]) -> bool:
    return not fields or any(
        item.field_id in fields or item.field in fields for item in change.items
    )


def _grouped(site: Site, call: Call, ids: list[int], refs: list[str]) -> list[Json]:
    by_id = {change.id: (issue, change) for issue, change in _entries(site, refs)}
    renderer = Renderer(site, call)
    found = [by_id[each] for each in ids if each in by_id]
    found.sort(key=lambda pair: pair[0])
    return [
        {
            "issueId": str(issue),
            "changeHistories": [
                {**renderer.change(change), "created": change.at} for _, change in group
            ],
        }
        for issue, group in groupby(found, key=lambda pair: pair[0])
    ]


ROUTES = (
    Route("GET", "issue/{issue}/changelog", get_changelog, CLOUD),
    Route("POST", "issue/{issue}/changelog/list", changelog_list, CLOUD),
    Route("POST", "changelog/bulkfetch", bulk_changelogs, CLOUD),
)
