"""The published `atlassian-python-api`, method by method, over real sockets against both deployments.

`READS` says what an answer must hold; `WRITES` says at which address the site shows afterwards what was written. In
arguments `$ada` is a person, `$me` the account, and `$file`, `$comment` and `$link` are records made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from importlib.metadata import version
from io import BytesIO
from typing import Any

import pytest
from atlassian import Jira
from atlassian.errors import ApiError
from clients import Client, Desk, Stage, documented, person, untold
from requests import HTTPError

from tests.support.waiting import LONG

AGILE = "/rest/agile/1.0"
CLIENT_SIDE = frozenset(
    {
        *("close", "delete", "get", "get_agile_resource_url", "log_curl_debug"),
        *("patch", "post", "put", "raise_for_status", "request", "resource_url"),
        *("url_joiner", "response", "download_attachments_from_issue"),
        *("download_issue_attachments", "get_all_attachment_contents"),
        *("set_agile_board_property", "set_issue_status_by_transition_name"),
        *("add_attachment", "is_user_in_application"),
    }
)
"""What sends what it is given, keeps files, or sends what no service takes: a property without a value, a transition by
name."""
APPS = frozenset(
    {
        *(
            name
            for name in dir(Jira)
            if name.startswith("tempo_") or "plugin" in name or "dvcs" in name
        ),
        "user_disable_throw_rest_endpoint",
        "user_update_or_create_property_through_rest_point",
    }
)
"""What talks to apps beside Jira."""
UPKEEP = "clusters, support files, indexing"
INTERNAL = "routes no documentation names"
SCHEMES = "workflow and priority schemes, indexing"

NEW = {"project": {"key": "WEB"}, "summary": "N", "issuetype": {"name": "Task"}}
ENDS = {"inwardIssue": {"key": "WEB-2"}, "outwardIssue": {"key": "WEB-3"}}
GROUP = "jira-software-users"
Read = tuple[tuple[Any, ...], str]
Write = tuple[tuple[Any, ...], str, str]

READS: Mapping[str, Read] = {
    "approximate_issue_count": (("project = WEB",), "5"),
    "bulk_issue": ((["WEB-2", "WEB-3"],), "Search of goods"),
    "component": (("10000",), "api"),
    "enhanced_jql": (("project = APP",), "Push messages"),
    "enhanced_jql_get_list_of_tickets": (("project = APP",), "Push messages"),
    "epic_issues": (("WEB-1",), "Product page"),
    "get_agile_board": ((1,), "WEB board"),
    "get_agile_board_by_filter_id": ((10000,), "WEB board"),
    "get_agile_board_configuration": ((1,), "In Progress"),
    "get_agile_board_properties": ((1,), "keys"),
    "get_all_agile_boards": ((), "APP flow"),
    "get_all_assignable_users_for_project": (("WEB",), "Ada Lovelace"),
    "get_all_custom_fields": ((), "Story Points"),
    "get_all_fields": ((), "'summary'"),
    "get_all_global_project_roles": ((), "Developers"),
    "get_all_issues_for_sprint_in_board": ((1, 2), "WEB-10"),
    "get_all_notification_schemes": ((), "Default Notification Scheme"),
    "get_all_permissions": ((), "EDIT_ISSUES"),
    "get_all_permissionschemes": ((), "Default Permission Scheme"),
    "get_all_priorities": ((), "Highest"),
    "get_all_project_categories": ((), "[]"),
    "get_all_project_issues": (("APP",), "Push messages"),
    "get_all_project_types": ((), "software"),
    "get_all_projects": ((), "Mobile app"),
    "get_all_projects_associated_with_board": ((1,), "Web site"),
    "get_all_resolutions": ((), "Won't Do"),
    "get_all_sprint": ((1,), "Sprint 3"),
    "get_all_sprints_from_board": ((1,), "Sprint 3"),
    "get_all_statuses": ((), "In Review"),
    "get_all_system_avatars": ((), "system"),
    "get_all_users_from_group": ((GROUP,), "Grace Hopper"),
    "get_all_versions_from_board": ((1,), "2.0"),
    "get_assignable_users_for_issue": (("WEB-2",), "Ada Lovelace"),
    "get_attachment": (("$file",), "plan.txt"),
    "get_attachment_content": (("$file",), "One"),
    "get_attachment_meta": ((), "uploadLimit"),
    "get_attachments_ids_from_issue": (("WEB-2",), "[]"),
    "get_autocomplete_data": ((), "visibleFieldNames"),
    "get_autocomplete_suggestion": (("status", "D"), "Done"),
    "get_changelogs_bulk": ((["WEB-2"],), "In Progress"),
    "get_comment_properties_keys": (("$comment",), "keys"),
    "get_component_related_issues": (("10000",), "'issueCount': 1"),
    "get_configurations_of_jira": ((), "timeTrackingConfiguration"),
    "get_custom_field_option": (("10019",), "Impediment"),
    "get_custom_fields": ((), "'name': 'Status'"),
    "get_dashboard": (("10000",), "System dashboard"),
    "get_dashboards": ((), "System dashboard"),
    "get_deleted_worklogs": (("0",), "'values': []"),
    "get_epics": ((1,), "Catalogue"),
    "get_filter": (("10000",), "project = WEB"),
    "get_filter_share_permissions": (("10000",), "[]"),
    "get_groups": ((), GROUP),
    "get_issue": (("WEB-2",), "Product page"),
    "get_issue_labels": (("WEB-2",), "['front', 'seo']"),
    "get_issue_changelog": (("WEB-2",), "In Progress"),
    "get_issue_link": (("$link",), "WEB-3"),
    "get_issue_link_type": (("10000",), "is blocked by"),
    "get_issue_link_types": ((), "Duplicate"),
    "get_issue_link_types_names": ((), "Duplicate"),
    "get_issue_property_keys": (("WEB-2",), "keys"),
    "get_issue_remote_links": (("WEB-2",), "[]"),
    "get_issue_remotelinks": (("WEB-2",), "[]"),
    "get_issue_status": (("WEB-2",), "Done"),
    "get_issue_status_changelog": (("WEB-2",), "In Progress"),
    "get_issue_status_id": (("WEB-2",), "10001"),
    "get_issue_transitions": (("WEB-2",), "In Review"),
    "get_issue_transitions_full": (("WEB-2",), "In Review"),
    "get_issue_tree_recursive": (("WEB-3",), "WEB-4"),
    "get_issue_types": ((), "Sub-task"),
    "get_issues_for_backlog": ((1,), "'total': 0"),
    "get_issues_for_board": ((1, "key = WEB-2"), "Product page"),
    "get_issues_for_epic": ((1, "WEB-1"), "Product page"),
    "get_issues_without_epic": ((1,), "Cart loses goods"),
    "get_notification_scheme": (("10000",), "Default"),
    "get_notification_scheme_for_project": (("WEB",), "Default"),
    "get_notification_schemes": ((), "Default"),
    "get_permissions": (("EDIT_ISSUES",), "'havePermission': True"),
    "get_permissionscheme": (("0",), "Default"),
    "get_priority_by_id": (("1",), "Highest"),
    "get_project": (("WEB",), "Ada Lovelace"),
    "get_project_actors_for_role_project": (("WEB", "10001"), "Ada Lovelace"),
    "get_project_components": (("WEB",), "api"),
    "get_project_issuekey_all": (("WEB",), "WEB-10"),
    "get_project_issuekey_last": (("WEB",), "WEB-10"),
    "get_project_issues_count": (("WEB",), "5"),
    "get_project_notification_scheme": (("WEB",), "Default"),
    "get_project_permission_scheme": (("WEB",), "Default"),
    "get_project_roles": (("WEB",), "Developers"),
    "get_project_validated_key": (("NEW",), "'errors': {}"),
    "get_project_versions": (("WEB",), "2.0"),
    "get_project_versions_paginated": (("WEB",), "2.0"),
    "get_resolution_by_id": (("10000",), "Done"),
    "get_security_level_for_project": (("WEB",), "levels"),
    "get_server_info": ((), "serverTitle"),
    "get_sprint": ((2,), "Sprint 2"),
    "get_sprint_issues": ((2, 0, 50), "WEB-10"),
    "get_status_for_project": (("WEB",), "In Review"),
    "get_status_id_from_name": (("Done",), "10001"),
    "get_transition_id_to_status_name": (("WEB-10", "Done"), "41"),
    "get_updated_worklogs": (("0",), "worklogId"),
    "get_user_groups": (("$ada",), GROUP),
    "get_users_with_browse_permission_to_a_project": (("ada", None, "WEB"), "Ada"),
    "get_version": (("10000",), "1.0"),
    "get_worklogs": ((["10000"],), "7200"),
    "is_active_user": (("ada",), "True"),
    "issue": (("WEB-2",), "Product page"),
    "issue_createmeta": (("WEB",), "summary"),
    "issue_createmeta_fieldtypes": (("WEB", "10002"), "summary"),
    "issue_createmeta_issuetypes": (("WEB",), "Bug"),
    "issue_deleted": (("WEB-99",), "True"),
    "issue_editmeta": (("WEB-2",), "summary"),
    "issue_exists": (("WEB-2",), "True"),
    "issue_field_value": (("WEB-2", "summary"), "Product page"),
    "issue_fields": (("WEB-2",), "Product page"),
    "issue_get_comment": (("WEB-2", "$comment"), "Said"),
    "issue_get_comments": (("WEB-2",), "comments"),
    "issue_get_watchers": (("WEB-2",), "'watchCount': 0"),
    "issue_get_worklog": (("WEB-2",), "7200"),
    "issues_get_comments_by_id": (("$comment",), "Said"),
    "jql": (("project = APP",), "Push messages"),
    "jql_get_list_of_tickets": (("project = APP",), "Push messages"),
    "match_jql": (([10000], ["project = WEB"]), "[10000]"),
    "myself": ((), "Rayline Service"),
    "project": (("WEB",), "Ada Lovelace"),
    "projects": ((), "Mobile app"),
    "project_leaders": ((), "object"),
    "scrap_regex_from_issue": (("WEB-2", "x"), "[]"),
    "users_get_all": ((), "Grace Hopper"),
}
FORBIDDEN_CALLS: Mapping[str, tuple[Any, ...]] = {
    "add_field": ("1", "1", "1"),
    "add_user_to_group": ("ada", GROUP),
    "create_group": ("crew",),
    "create_custom_field": ("F", "float"),
    "create_issue_link_type": ("A", "b", "c"),
    "create_issue_link_type_by_json": ({"name": "A", "inward": "b", "outward": "c"},),
    "create_issue_type": ("Idea",),
    "create_issuetype_scheme": ("S", "", "10000", ["10000"]),
    "create_permission_scheme": ("S", "", {}),
    "create_project_from_raw_json": ({"key": "NEW", "name": "New"},),
    "delete_issue_link_type": ("10000",),
    "delete_project": ("WEB",),
    "get_advanced_settings": (),
    "get_all_application_roles": (),
    "get_all_screens": (),
    "get_all_time_tracking_providers": (),
    "get_all_workflows": (),
    "get_application_role": ("jira-software",),
    "get_audit_records": (),
    "get_issue_security_schemes": (),
    "get_property": (),
    "get_selected_time_tracking_provider": (),
    "get_time_tracking_settings": (),
    "get_workflows_paginated": (),
    "remove_group": (GROUP,),
    "remove_user_from_group": ("ada", GROUP),
    "set_property": ("jira.title", "J"),
    "update_issue_link_type": ("10000", {"name": "A"}),
    "user_remove": ("ada",),
}
WRITES: Mapping[str, Write] = {
    "add_attachment_object": (("WEB-2", "$content"), "issue/WEB-2", "plan.txt"),
    "add_filter_share_permission": (
        ("10000", "global"),
        "filter/10000/permission",
        "global",
    ),
    "add_issues_to_backlog": ((["WEB-10"],), f"{AGILE}/board/1/backlog", "WEB-10"),
    "add_issues_to_sprint": ((3, ["WEB-10"]), f"{AGILE}/sprint/3/issue", "WEB-10"),
    "add_version": (("WEB", "10000", "9.0"), "project/WEB/versions", "9.0"),
    "assign_issue": (("WEB-10", "$ada"), "issue/WEB-10", "Ada Lovelace"),
    "bulk_update_issue_field": (
        (["WEB-2"], {"summary": "Sum"}),
        "issue/WEB-2",
        "'Sum'",
    ),
    "create_agile_board": (("B", "scrum", 10000), f"{AGILE}/board", "'B'"),
    "create_component": (
        ({"name": "ui", "project": "WEB"},),
        "project/WEB/components",
        "'ui'",
    ),
    "create_filter": (("Fil", "project = WEB"), "filter/10002", "Fil"),
    "create_issue": ((NEW,), "issue/WEB-11", "'N'"),
    "create_issue_link": (
        ({"type": {"name": "Blocks"}, **ENDS},),
        "issue/WEB-2",
        "WEB-3",
    ),
    "create_issues": (([{"fields": NEW}],), "issue/WEB-11", "'N'"),
    "create_or_update_issue_remote_links": (
        ("WEB-2", "https://a.invalid", "Anew"),
        "issue/WEB-2/remotelink",
        "Anew",
    ),
    "create_sprint": (("Sprint 9", 1), f"{AGILE}/sprint/4", "Sprint 9"),
    "delete_agile_board": ((2,), f"{AGILE}/board", "'total': 1"),
    "delete_component": (("10000",), "project/WEB/components", "[]"),
    "delete_filter": (("$filter",), "filter/favourite", "[]"),
    "delete_issue": (("WEB-3",), f"{AGILE}/sprint/2/issue", "'total': 1"),
    "delete_sprint": ((3,), f"{AGILE}/board/1/sprint", "'total': 2"),
    "delete_version": (("10001",), "project/WEB/versions", "1.0"),
    "edit_filter": (("10000", "New name"), "filter/10000", "New name"),
    "edit_issue": (("WEB-2", {"labels": [{"add": "x"}]}), "issue/WEB-2", "'x'"),
    "issue_add_comment": (("WEB-2", "Shipped"), "issue/WEB-2/comment", "Shipped"),
    "issue_add_json_worklog": (
        ("WEB-10", {"timeSpentSeconds": 3600}),
        "issue/WEB-10/worklog",
        "3600",
    ),
    "issue_add_watcher": (("WEB-2", "$ada"), "issue/WEB-2/watchers", "Ada"),
    "issue_create": ((NEW,), "issue/WEB-11", "'N'"),
    "issue_create_or_update": ((NEW,), "issue/WEB-11", "'N'"),
    "issue_edit_comment": (
        ("WEB-2", "$comment", "Else"),
        "issue/WEB-2/comment",
        "Else",
    ),
    "issue_field_value_append": (("WEB-2", "labels", "zebra"), "issue/WEB-2", "zebra"),
    "issue_pin_comment": (("WEB-2", "$comment"), "issue/WEB-2/pinned-comments", "Said"),
    "issue_unpin_comment": (("WEB-2", "$comment"), "issue/WEB-2/pinned-comments", "[]"),
    "issue_transition": (("WEB-10", "Done"), "issue/WEB-10", "'name': 'Done'"),
    "issue_update": (("WEB-2", {"summary": "Sum"}), "issue/WEB-2", "'Sum'"),
    "issue_worklog": (
        ("WEB-10", "2026-11-20T10:00:00.000+0000", 3600),
        "issue/WEB-10/worklog",
        "3600",
    ),
    "label_issue": (("WEB-2", ["zebra"]), "issue/WEB-2", "zebra"),
    "move_issues_to_backlog": ((["WEB-10"],), f"{AGILE}/board/1/backlog", "WEB-10"),
    "move_version": (("10000", None, "Last"), "project/WEB/versions", "1.0"),
    "remove_attachment": (("$file",), "issue/WEB-2", "'attachment': []"),
    "remove_issue_link": (("$link",), "issue/WEB-2", "'issuelinks': []"),
    "set_issue_property": (
        ("WEB-2", "p", {"a": 1}),
        "issue/WEB-2/properties/p",
        "'a': 1",
    ),
    "set_comment_property": (
        ("$comment", "p", {"a": 1}),
        "comment/10000/properties/p",
        "'a': 1",
    ),
    "set_issue_status": (("WEB-10", "Done"), "issue/WEB-10", "'name': 'Done'"),
    "set_issue_status_by_transition_id": (
        ("WEB-10", "41"),
        "issue/WEB-10",
        "'name': 'Done'",
    ),
    "unlabel_issue": (("WEB-2", ["seo"]), "issue/WEB-2", "['front']"),
    "update_component": (
        ({"description": "zebra"}, "10000"),
        "component/10000",
        "zebra",
    ),
    "update_filter": (("10000", "project = APP"), "filter/10000", "project = APP"),
    "update_issue": (("WEB-2", {"fields": {"summary": "Sum"}}), "issue/WEB-2", "'Sum'"),
    "update_issue_field": (("WEB-2", {"summary": "Sum"}), "issue/WEB-2", "'Sum'"),
    "update_partially_sprint": ((3, {"name": "Sum"}), f"{AGILE}/sprint/3", "Sum"),
    "update_project": (("WEB", {"name": "Sum"}), "project/WEB", "Sum"),
    "update_version": (("10000", "Sum"), "version/10000", "Sum"),
}


def told(desk: Desk, value: Any) -> Any:
    """Return an argument with the person or the record in place of its name."""
    if value in ("$ada", "$me"):
        return person(desk, "ada" if value == "$ada" else "rayline")
    if value == "$content":
        content = BytesIO(b"One")
        content.name = "plan.txt"
        return content
    if value == "$file":
        content = told(desk, "$content")
        return desk.client.add_attachment_object("WEB-2", content)[0]["id"]
    if value == "$comment":
        made = desk.site.act("comment", issue="WEB-2", body="Said")
        return int(made["id"])
    if value == "$filter":
        return desk.site.act("add_filter", name="X", jql="project = WEB")["id"]
    if value == "$link":
        desk.site.ask("POST", "issueLink", {"type": {"name": "Blocks"}, **ENDS})
        shown = desk.site.ask("GET", "issue/WEB-2")
        return shown["fields"]["issuelinks"][0]["id"]
    return value


def call(desk: Desk, method: str, arguments: tuple[Any, ...]) -> Any:
    given = [told(desk, each) for each in arguments]
    return getattr(desk.client, method)(*given)


def reading(method: str, row: Read) -> Callable[[Desk], object]:
    return lambda desk: row[1] in repr(call(desk, method, row[0]))


def writing(method: str, row: Write) -> Callable[[Desk], object]:
    def claim(desk: Desk) -> object:
        call(desk, method, row[0])
        return row[2] in repr(desk.site.ask("GET", row[1]))

    return claim


def forbidding(method: str, arguments: tuple[Any, ...]) -> Callable[[Desk], object]:
    def claim(desk: Desk) -> object:
        with pytest.raises(HTTPError, match="permission"):
            call(desk, method, arguments)
        return True

    return claim


def _board_property(desk: Desk) -> object:
    desk.site.ask("PUT", f"{AGILE}/board/1/properties/p", "value")
    told = desk.client.get_agile_board_property(1, "p")
    desk.client.delete_agile_board_property(1, "p")
    return (
        told["value"] == "value"
        and not desk.client.get_agile_board_properties(1)["keys"]
    )


def _issue_property(desk: Desk) -> object:
    desk.client.set_issue_property("WEB-2", "p", {"a": 1})
    told = desk.client.get_issue_property("WEB-2", "p")
    desk.client.delete_issue_property("WEB-2", "p")
    return told["value"] == {"a": 1} and desk.client.get_issue_property_keys(
        "WEB-2"
    ) == {"keys": []}


def _comment_property(desk: Desk) -> object:
    comment = told(desk, "$comment")
    desk.client.set_comment_property(comment, "p", {"a": 1})
    value = desk.client.get_comment_property(comment, "p")["value"]
    desk.client.delete_comment_property(comment, "p")
    left = desk.client.get_comment_properties_keys(comment)
    return value == {"value": {"a": 1}} and left == {"keys": []}


def _remote_link(desk: Desk) -> object:
    made = desk.client.create_or_update_issue_remote_links(
        "WEB-2", "https://a.invalid", "A"
    )
    number = made["id"]
    desk.client.update_issue_remote_link_by_id(
        "WEB-2", number, "https://b.invalid", "B"
    )
    told = desk.client.get_issue_remote_link_by_id("WEB-2", number)
    desk.client.delete_issue_remote_link_by_id("WEB-2", number)
    left = desk.client.get_issue_remote_links("WEB-2")
    return told["object"]["title"] == "B" and left == []


def _user(desk: Desk) -> object:
    name = desk.pick("account_id", "username")
    told = desk.client.user(**{name: person(desk)})
    return told["displayName"] == "Ada Lovelace"


def _find_user(desk: Desk) -> object:
    name = desk.pick("query", "username")
    (ada,) = desk.client.user_find_by_user_string(**{name: "ada"})
    return ada["displayName"] == "Ada Lovelace"


def _user_property(desk: Desk) -> object:
    who = {desk.pick("account_id", "username"): person(desk, "rayline")}
    desk.client.user_set_property(**who, key_property="p", value_property={"a": 1})
    value = desk.client.user_property(**who, key_property="p")["value"]
    keys = desk.client.user_properties(**who)["keys"]
    desk.client.user_delete_property(**who, key_property="p")
    left = desk.client.user_properties(**who)["keys"]
    return value == {"a": 1} and len(keys) == 1 and left == []


def _unwatch(desk: Desk) -> object:
    desk.client.issue_add_watcher("WEB-2", person(desk))
    name = desk.pick("account_id", "user")
    desk.client.issue_delete_watcher("WEB-2", **{name: person(desk)})
    return desk.client.issue_get_watchers("WEB-2")["watchCount"] == 0


def _rank(desk: Desk) -> object:
    desk.client.update_rank(["WEB-10"], "WEB-2", desk.pick(10019, 10100))
    asked = "key in (WEB-2, WEB-10) order by rank"
    return desk.site.keys(asked) == ["WEB-10", "WEB-2"]


def _share(desk: Desk) -> object:
    desk.client.add_filter_share_permission("10000", "global")
    (one_of_them,) = desk.client.get_filter_share_permissions("10000")
    desk.client.delete_filter_share_permission("10000", one_of_them["id"])
    return desk.client.get_filter_share_permissions("10000") == []


def _without_scheme(desk: Desk) -> object:
    with pytest.raises(ApiError, match="not visible"):
        desk.client.get_project_issue_security_scheme("WEB")
    return True


CLAIMS: dict[str, Callable[[Desk], object]] = {
    **{name: reading(name, row) for name, row in READS.items()},
    **{name: writing(name, row) for name, row in WRITES.items()},
    **{name: forbidding(name, row) for name, row in FORBIDDEN_CALLS.items()},
    "delete_agile_board_property": _board_property,
    "get_agile_board_property": _board_property,
    "delete_issue_property": _issue_property,
    "get_issue_property": _issue_property,
    "delete_comment_property": _comment_property,
    "get_comment_property": _comment_property,
    "delete_issue_remote_link_by_id": _remote_link,
    "get_issue_remote_link_by_id": _remote_link,
    "update_issue_remote_link_by_id": _remote_link,
    "user": _user,
    "user_find_by_user_string": _find_user,
    **dict.fromkeys(
        (
            *("user_properties", "user_property"),
            *("user_set_property", "user_delete_property"),
        ),
        _user_property,
    ),
    "issue_delete_watcher": _unwatch,
    "update_rank": _rank,
    "delete_filter_share_permission": _share,
}
CLAIMS["get_project_issue_security_scheme"] = _without_scheme
SITE_ADMINISTRATION = "site administration beyond projects, groups and link types"
MISSING: dict[str, str] = {
    **dict.fromkeys(
        (
            *(
                name
                for name in dir(Jira)
                if "cluster" in name or "reindex" in name or "support_zip" in name
            ),
            *("index_checker", "request_current_index_from_node"),
            *("set_node_to_offline", "health_check"),
        ),
        UPKEEP,
    ),
    **dict.fromkeys(
        (
            *("csv", "excel", "export_html", "flag_issue", "rename_sprint"),
            *("get_agile_board_refined_velocity", "set_agile_board_refined_velocity"),
            *("get_attachment_expand_human", "get_attachment_expand_raw"),
            *("dark_feature_management", "user_deactivate", "user_disable"),
            *("user_get_websudo", "invalidate_websudo"),
            *("create_project_from_shared_template", "get_custom_field_options"),
        ),
        INTERNAL,
    ),
    **dict.fromkeys(
        (
            *("get_all_priority_schemes", "get_priority_scheme_of_project"),
            *("create_priority_scheme", "assign_priority_scheme_for_project"),
            *("add_issue_type_scheme", "assign_project_notification_scheme"),
            *("assign_project_permission_scheme", "set_permissionscheme_grant"),
            *("update_permissionscheme", "get_workflow_transition_rule_configurations"),
        ),
        SCHEMES,
    ),
    **dict.fromkeys(
        (
            *("add_custom_field_option", "get_custom_field_option_context"),
            *("add_group_into_project_role", "add_project_actor_in_role"),
            *("add_user_into_project_role", "delete_project_actors"),
            *("add_user_to_application", "update_application_roles"),
            *("archive_project", "issue_archive", "issue_restore"),
            *("get_all_available_screen_fields", "get_all_screen_fields"),
            *("get_screen_tab_fields", "get_screen_tabs", "post_audit_record"),
            *("get_issue_security_scheme", "update_project_category_for_project"),
            *("duplicated_account_checks_count", "duplicated_account_checks_detail"),
            *("duplicated_account_checks_flush", "user_create", "user_update"),
            *("user_update_email", "user_update_username", "update_component_lead"),
        ),
        SITE_ADMINISTRATION,
    ),
}
ONLY = {
    **dict.fromkeys(
        (
            *("approximate_issue_count", "enhanced_jql", "get_changelogs_bulk"),
            *("enhanced_jql_get_list_of_tickets", "match_jql", "get_custom_fields"),
            *("get_user_groups", "issue_createmeta", "users_get_all"),
            *(
                "issues_get_comments_by_id",
                "get_workflow_transition_rule_configurations",
            ),
        ),
        "cloud",
    ),
    **dict.fromkeys(
        (
            *("is_active_user", "issue_pin_comment", "issue_unpin_comment"),
            *("project_leaders", "update_component_lead", "get_all_priority_schemes"),
            *("get_priority_scheme_of_project", "issue_archive", "issue_restore"),
            *("duplicated_account_checks_count", "duplicated_account_checks_detail"),
            *("duplicated_account_checks_flush", "user_deactivate", "user_disable"),
            *("user_update", "user_update_email", "user_update_username"),
            *(name for name in dir(Jira) if "cluster" in name or "reindex" in name),
        ),
        "datacenter",
    ),
}
PACKAGE = Client(
    "atlassian-python-api", Jira, CLAIMS, MISSING, CLIENT_SIDE | APPS, ONLY
)
FACES = ("cloud", "datacenter")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def desk_on(stage: Stage, face: str) -> Desk:
    """Return the client beside a new small site."""
    site = stage.play(face)
    if face == "cloud":
        client = Jira(
            stage.url,
            username=site.jira.email,
            password=site.jira.token,
            cloud=True,
            timeout=int(LONG),
        )
        return Desk(client, site, True)
    client = Jira(stage.url, token=site.jira.token, timeout=int(LONG))
    return Desk(client, site, False)


@pytest.mark.parametrize(
    ("face", "method"), [(face, name) for face in FACES for name in PACKAGE.tried(face)]
)
def test_a_method_of_the_package_works(stage: Stage, face: str, method: str) -> None:
    desk = desk_on(stage, face)
    with closing(desk.client):
        assert PACKAGE.claims[method](desk)


def test_every_method_of_the_package_is_tried_or_named() -> None:
    assert PACKAGE.methods() == PACKAGE.claims.keys() | PACKAGE.missing.keys()
    assert PACKAGE.claims.keys().isdisjoint(PACKAGE.missing)
    assert untold(PACKAGE.missing.values()) == []


@pytest.mark.parametrize("face", FACES)
def test_the_documentation_tells_the_share_that_works(
    face: str, capsys: pytest.CaptureFixture[str]
) -> None:
    share = PACKAGE.share(face)
    name = PACKAGE.name
    with capsys.disabled():
        print(f"\n{name} {version(name)} on {face}: {share} methods")  # noqa: T201
    assert documented(f"`{name}` {share} on {face}")
