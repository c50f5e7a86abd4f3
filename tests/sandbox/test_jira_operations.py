"""Operations on single values, transitions with more than a status, moves between projects, and changes of type."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site

RELEASE, PART = [{"name": "1.0"}], [{"name": "api"}]


@pytest.fixture
def site() -> Site:
    return small_site()


def fields_of(site: Site, key: str) -> dict[str, Any]:
    fields: dict[str, Any] = site.ask("GET", f"issue/{key}")["fields"]
    return fields


def names(site: Site, key: str, field: str) -> list[str]:
    return [each["name"] for each in fields_of(site, key)[field]]


def items_of(site: Site, key: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (item["field"], item["fromString"], item["toString"])
        for entry in site.ask("GET", f"issue/{key}/changelog")["values"]
        for item in entry["items"]
    ]


# Operations -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "label", "value"),
    [
        ("fixVersions", "Fix Version", "1.0"),
        ("versions", "Version", "2.0"),
        ("components", "Component", "api"),
    ],
)
def test_versions_and_components_are_added_and_removed_by_name_or_id(
    site: Site, field: str, label: str, value: str
) -> None:
    def operate(*operations: dict[str, Any]) -> list[str]:
        site.ask("PUT", "issue/WEB-10", {"update": {field: list(operations)}})
        return names(site, "WEB-10", field)

    assert operate({"add": {"name": value}}) == [value]
    identity = fields_of(site, "WEB-10")[field][0]["id"]
    assert operate({"add": {"name": value}}, {"add": {"id": identity}}) == [value]
    assert operate({"remove": {"name": value}}) == []
    assert operate(
        {"set": [{"id": identity}, {"name": value}]}, {"add": {"id": identity}}
    ) == [value]
    assert operate({"remove": {"id": identity}}) == []
    assert items_of(site, "WEB-10") == [(label, None, value), (label, value, None)] * 2


def test_setting_the_same_value_twice_sets_it_once(site: Site) -> None:
    site.ask(
        "PUT",
        "issue/WEB-10",
        {
            "fields": {
                "fixVersions": RELEASE * 2,
                "components": PART * 2,
                "customfield_10020": [3, 3],
            }
        },
    )
    assert (
        names(site, "WEB-10", "fixVersions"),
        names(site, "WEB-10", "components"),
    ) == (["1.0"], ["api"])
    assert names(site, "WEB-10", "customfield_10020") == ["Sprint 3"]


@pytest.mark.parametrize(
    "update",
    [
        {"fixVersions": [{"add": {"name": "9.9"}}]},
        {"fixVersions": [{"remove": {"name": "9.9"}}]},
        {"summary": [{"add": "x"}]},
        {"summary": [{"edit": "x"}]},
        {"status": [{"set": "Done"}]},
        {"nosuchfield": [{"set": 1}]},
        {"comment": [{"remove": {"id": "1"}}]},
        {"comment": [{"add": {"body": ""}}]},
        {"comment": [{"add": "text"}]},
        {"worklog": [{"add": {"timeSpent": "soon"}}]},
        {"worklog": [{"add": {}}]},
        {"labels": ["x"]},
        {"labels": [{"add": "a", "remove": "b"}]},
        [],
        "x",
    ],
)
def test_an_operation_that_cannot_be_carried_out_is_refused_and_leaves_everything(
    site: Site, update: Any
) -> None:
    before = fields_of(site, "WEB-10")
    done = site.ask("GET", "issue/WEB-10/transitions")["transitions"][3]["id"]
    good = {"labels": [{"add": "new"}], "comment": [{"add": {"body": "hello"}}]}
    asked = {**good, **update} if isinstance(update, dict) else update
    assert site.refused("PUT", "issue/WEB-10", {"update": asked})[0] == 400
    assert (
        site.refused(
            "POST",
            "issue/WEB-10/transitions",
            {"transition": {"id": done}, "update": asked},
        )[0]
        == 400
    )
    assert fields_of(site, "WEB-10") == before
    made = {"project": {"key": "WEB"}, "issuetype": {"name": "Bug"}, "summary": "New"}
    assert site.refused("POST", "issue", {"fields": made, "update": asked})[0] == 400
    assert site.keys("project = WEB and key > WEB-10") == []


def test_a_field_is_not_both_set_and_operated_on(site: Site) -> None:
    asked = {"fields": {"labels": ["a"]}, "update": {"labels": [{"add": "b"}]}}
    assert site.refused("PUT", "issue/WEB-10", asked)[0] == 400


EXTRAS: dict[str, Any] = {
    "labels": [{"add": "new"}],
    "comment": [{"add": {"body": "Over to you"}}],
    "worklog": [
        {"add": {"timeSpent": "30m", "started": "2026-11-20T10:00:00.000+0000"}}
    ],
}


def test_a_transition_carries_out_its_update_block(site: Site) -> None:
    done = site.ask("GET", "issue/WEB-10/transitions")["transitions"][3]["id"]
    site.ask(
        "POST",
        "issue/WEB-10/transitions",
        {"transition": {"id": done}, "update": EXTRAS},
    )
    fields = fields_of(site, "WEB-10")
    assert (fields["status"]["name"], fields["labels"], fields["timespent"]) == (
        "Done",
        ["seo", "new"],
        1800,
    )
    assert fields["comment"]["total"] == 1


def test_an_edit_and_a_creation_carry_out_theirs(site: Site) -> None:
    site.ask("PUT", "issue/WEB-10", {"update": EXTRAS})
    made = {"project": {"key": "WEB"}, "issuetype": {"name": "Bug"}, "summary": "New"}
    key = site.ask("POST", "issue", {"fields": made, "update": EXTRAS})["key"]
    for each, labels in (("WEB-10", ["seo", "new"]), (key, ["new"])):
        fields = fields_of(site, each)
        assert (fields["labels"], fields["timespent"], fields["comment"]["total"]) == (
            labels,
            1800,
            1,
        )


def test_one_transition_can_be_asked_for(site: Site) -> None:
    (only,) = site.ask("GET", "issue/WEB-10/transitions", transitionId="21")[
        "transitions"
    ]
    assert (only["id"], only["to"]["name"]) == ("21", "In Progress")
    assert (
        site.ask("GET", "issue/WEB-10/transitions", transitionId="99")["transitions"]
        == []
    )


def test_an_edit_answers_the_issue_when_asked_to(site: Site) -> None:
    asked = {"fields": {"summary": "New name"}}
    answer = site.ask("PUT", "issue/WEB-10", asked, returnIssue="true", expand="names")
    assert (answer["key"], answer["fields"]["summary"], answer["names"]["summary"]) == (
        "WEB-10",
        "New name",
        "Summary",
    )
    assert site.raw("PUT", "issue/WEB-10", asked).status == 204


# Fields off the screen ------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "field", "name", "other"),
    [
        ("WEB-10", "customfield_10024", "Story Points", "customfield_10016"),
        ("APP-2", "customfield_10016", "Story point estimate", "customfield_10024"),
    ],
)
def test_points_are_written_to_the_field_the_project_has(
    site: Site, key: str, field: str, name: str, other: str
) -> None:
    site.ask("PUT", f"issue/{key}", {"fields": {field: 3}})
    assert site.refused("PUT", f"issue/{key}", {"fields": {other: 5}})[0] == 400
    assert (fields_of(site, key)[field], fields_of(site, key)[other]) == (3.0, None)
    assert items_of(site, key) == [(name, None, "3")]


@pytest.mark.parametrize(
    "extra",
    [{"status": "Done"}, {"status": {"name": "Done"}}, {"created": 5}, {"due": None}],
)
def test_an_issue_is_not_created_with_fields_off_the_screen(
    site: Site, extra: dict[str, Any]
) -> None:
    made = {"project": {"key": "WEB"}, "issuetype": {"name": "Bug"}, "summary": "New"}
    assert site.refused("POST", "issue", {"fields": {**made, **extra}})[0] == 400


# Types and moves ------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("APP-1", {"issuetype": {"name": "Sub-task"}}),
        ("WEB-3", {"issuetype": {"name": "Epic"}}),
        ("WEB-3", {"issuetype": {"name": "Epic"}, "parent": None}),
        ("WEB-1", {"issuetype": {"name": "Story"}}),
        ("WEB-4", {"issuetype": {"name": "Bug"}}),
        ("WEB-4", {"parent": None}),
    ],
)
def test_a_type_that_does_not_suit_the_family_is_refused(
    site: Site, key: str, fields: dict[str, Any]
) -> None:
    before = fields_of(site, key)
    assert site.refused("PUT", f"issue/{key}", {"fields": fields})[0] == 400
    assert fields_of(site, key) == before


def test_a_type_changes_with_its_parent(site: Site) -> None:
    site.ask(
        "PUT",
        "issue/WEB-10",
        {"fields": {"parent": {"key": "WEB-3"}, "issuetype": {"name": "Sub-task"}}},
    )
    assert [child["key"] for child in fields_of(site, "WEB-3")["subtasks"]] == [
        "WEB-4",
        "WEB-10",
    ]
    site.ask(
        "PUT",
        "issue/WEB-10",
        {"fields": {"issuetype": {"name": "Bug"}, "parent": None}},
    )
    assert fields_of(site, "WEB-10")["parent"] is None


def test_a_move_tells_what_was_left_behind(site: Site) -> None:
    site.ask("PUT", "issue/WEB-2", {"fields": {"versions": [{"name": "2.0"}]}})
    told = len(items_of(site, "WEB-2"))
    assert site.act("move", issue="WEB-2", project="APP") == {"key": "APP-3"}
    assert set(items_of(site, "APP-3")[told:]) == {
        ("project", "Web site", "Mobile app"),
        ("Key", "WEB-2", "APP-3"),
        ("Fix Version", "1.0", None),
        ("Version", "2.0", None),
        ("Component", "api", None),
    }
    assert all(
        fields_of(site, "APP-3")[field] == []
        for field in ("fixVersions", "versions", "components")
    )


def move(site: Site, target: str, key: str) -> dict[str, Any]:
    return {"targetToSourcesMapping": {target: {"issueIdsOrKeys": [key]}}}


def test_a_bulk_move_gives_the_type_it_names(site: Site) -> None:
    site.ask("POST", "bulk/issues/move", move(site, "APP,10001", "WEB-10"))
    assert fields_of(site, "APP-3")["issuetype"]["name"] == "Story"
    assert ("issuetype", "Bug", "Story") in items_of(site, "APP-3")
    site.ask("POST", "bulk/issues/move", move(site, "APP,10003,APP-1", "APP-3"))
    assert (
        fields_of(site, "APP-3")["parent"]["key"],
        fields_of(site, "APP-3")["project"]["key"],
    ) == ("APP-1", "APP")


@pytest.mark.parametrize(
    "target",
    [
        "APP",
        "APP,",
        "APP,99999",
        "NO,10001",
        "APP,10003",
        "APP,10001,WEB-3",
        "APP,10001,NO-1",
        "APP,10001,,x",
        "",
    ],
)
def test_a_bulk_move_to_what_is_no_target_is_refused(site: Site, target: str) -> None:
    assert site.refused("POST", "bulk/issues/move", move(site, target, "WEB-10"))[
        0
    ] in (400, 404)
    assert fields_of(site, "WEB-10")["issuetype"]["name"] == "Bug"
