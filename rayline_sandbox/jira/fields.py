"""The fields of the site as `/field` lists them, and which custom field is which."""

from __future__ import annotations

from functools import lru_cache

from rayline_sandbox.jira.model import CustomFields, Field, Json
from rayline_sandbox.jira.store import Store

_GREENHOPPER = "com.pyxis.greenhopper.jira:"
_SYSTEM = (
    Field("summary", "Summary", "string"),
    Field("status", "Status", "status"),
    Field(
        "statuscategorychangedate",
        "Status Category Changed",
        "datetime",
        clauses=("statusCategoryChangedDate",),
    ),
    Field("issuetype", "Issue Type", "issuetype", clauses=("issuetype", "type")),
    Field("project", "Project", "project"),
    Field("priority", "Priority", "priority"),
    Field("resolution", "Resolution", "resolution"),
    Field(
        "resolutiondate", "Resolved", "datetime", clauses=("resolutiondate", "resolved")
    ),
    Field("created", "Created", "datetime", clauses=("created", "createdDate")),
    Field("updated", "Updated", "datetime", clauses=("updated", "updatedDate")),
    Field("duedate", "Due date", "date", clauses=("due", "duedate")),
    Field("assignee", "Assignee", "user"),
    Field("reporter", "Reporter", "user"),
    Field("creator", "Creator", "user"),
    Field("labels", "Labels", "array", "string"),
    Field("components", "Components", "array", "component", clauses=("component",)),
    Field("fixVersions", "Fix versions", "array", "version", clauses=("fixVersion",)),
    Field(
        "versions", "Affects versions", "array", "version", clauses=("affectedVersion",)
    ),
    Field("description", "Description", "string"),
    Field("parent", "Parent", "issuelink"),
    Field("subtasks", "Sub-tasks", "array", "issuelinks", clauses=("subtasks",)),
    Field("issuelinks", "Linked Issues", "array", "issuelinks", clauses=("issueLink",)),
    Field("timetracking", "Time tracking", "timetracking"),
    Field(
        "timeoriginalestimate",
        "Original estimate",
        "number",
        clauses=("originalEstimate",),
    ),
    Field(
        "timeestimate",
        "Remaining Estimate",
        "number",
        clauses=("remainingEstimate", "timeestimate"),
    ),
    Field("timespent", "Time Spent", "number"),
    Field("aggregatetimeoriginalestimate", "Σ Original Estimate", "number"),
    Field("aggregatetimeestimate", "Σ Remaining Estimate", "number"),
    Field("aggregatetimespent", "Σ Time Spent", "number"),
    Field("progress", "Progress", "progress"),
    Field("votes", "Votes", "votes"),
    Field("watches", "Watchers", "watches", clauses=("watchers",)),
    Field("attachment", "Attachment", "array", "attachment", clauses=("attachments",)),
    Field("comment", "Comment", "comments-page"),
    Field("worklog", "Log Work", "array", "worklog"),
)
_CLOUD_ONLY = frozenset({"statuscategorychangedate"})


@lru_cache(maxsize=4)
def _all_fields(customs: CustomFields, cloud: bool) -> tuple[Field, ...]:
    system = tuple(field for field in _SYSTEM if cloud or field.id not in _CLOUD_ONLY)
    category = (
        (Field("statusCategory", "Status Category", "statusCategory"),) if cloud else ()
    )
    return (*system, *category, *_custom_fields(customs))


def _custom_fields(customs: CustomFields) -> tuple[Field, ...]:
    return (
        Field(
            customs.points,
            "Story Points",
            "number",
            "",
            "com.atlassian.jira.plugin.system.customfieldtypes:float",
        ),
        Field(
            customs.estimate,
            "Story point estimate",
            "number",
            "",
            f"{_GREENHOPPER}jsw-story-points",
        ),
        Field(customs.sprint, "Sprint", "array", "json", f"{_GREENHOPPER}gh-sprint"),
        Field(customs.epic_link, "Epic Link", "any", "", f"{_GREENHOPPER}gh-epic-link"),
        Field(
            customs.epic_name, "Epic Name", "string", "", f"{_GREENHOPPER}gh-epic-label"
        ),
        Field(customs.rank, "Rank", "any", "", f"{_GREENHOPPER}gh-lexo-rank"),
        Field(
            customs.flagged,
            "Flagged",
            "array",
            "option",
            "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes",
        ),
    )


def fields_of(store: Store) -> tuple[Field, ...]:
    """Return the fields of this site; Parent Link on Data Center alone, and where there are levels above epics.

    Source: docs/facts/jira-api.md 2.5.
    """
    fields = _all_fields(store.fields, store.cloud)
    if store.cloud or all(kind.level <= 1 for kind in store.kinds.values()):
        return fields
    return (*fields, _parent_link(store.fields.parent_link))


def _parent_link(identity: str) -> Field:
    return Field(
        identity,
        "Parent Link",
        "any",
        "",
        "com.atlassian.jpo:jpo-custom-field-parent",
        clauses=("Parent Link",),
    )


def field_schema(identity: str, _name: str, kind: str, items: str, custom: str) -> Json:
    """Return the type record of a field."""
    if not kind:
        return {}
    inner = {"items": items} if items else {}
    if custom:
        return {
            "type": kind,
            **inner,
            "custom": custom,
            "customId": int(identity.rpartition("_")[2]),
        }
    return {"type": kind, **inner, "system": identity}
