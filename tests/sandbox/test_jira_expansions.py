"""What an issue is asked to show besides its fields, and who may read a remark or booked time."""

from __future__ import annotations

from typing import Any

import pytest
from jira_rig import Site, small_site
from jira_specs import problems


@pytest.fixture(params=["cloud", "datacenter"])
def site(request: pytest.FixtureRequest) -> Site:
    return small_site(request.param)


def expanded(site: Site, issue: str, expand: str, **query: Any) -> dict[str, Any]:
    shown: dict[str, Any] = site.ask("GET", f"issue/{issue}", expand=expand, **query)
    return shown


def written(site: Site, text: str) -> Any:
    if site.root.endswith("2"):
        return text
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": text}]}
    return {"type": "doc", "version": 1, "content": [paragraph]}


# Expansions -----------------------------------------------------------------


def test_rendered_fields_hold_texts_as_pages_show_them(site: Site) -> None:
    body = written(site, "Fish & chips < 5")
    site.ask("PUT", "issue/WEB-2", {"fields": {"description": body}})
    site.ask("POST", "issue/WEB-2/comment", {"body": written(site, "So it is")})
    shown = expanded(site, "WEB-2", "renderedFields")
    rendered = shown["renderedFields"]
    assert set(rendered) == set(shown["fields"])
    assert rendered["description"] == "<p>Fish &amp; chips &lt; 5</p>"
    assert rendered["summary"] is None
    assert rendered["created"] == "02/Sep/26 12:00 PM"
    assert rendered["comment"]["comments"][0]["body"] == "<p>So it is</p>"
    assert rendered["timetracking"]["originalEstimate"] == "4h"
    assert rendered["worklog"]["worklogs"][1]["comment"] == "<p>Help</p>"
    assert rendered["worklog"]["worklogs"][0]["started"] == "02/Nov/26 10:00 AM"


def test_only_the_fields_asked_for_are_rendered(site: Site) -> None:
    shown = expanded(site, "APP-1", "renderedFields", fields="description,duedate")
    rendered = shown["renderedFields"]
    assert rendered == {
        "description": "<p>Ask the store about quotas</p>",
        "duedate": None,
    }
    due = expanded(site, "WEB-3", "renderedFields", fields="duedate")
    assert due["renderedFields"] == {"duedate": "25/Nov/26"}


def test_transitions_of_an_issue_are_those_of_its_own_route(site: Site) -> None:
    shown = expanded(site, "WEB-10", "transitions")
    own = site.ask("GET", "issue/WEB-10/transitions")["transitions"]
    assert shown["transitions"] == own != []


def test_edit_metadata_tell_what_an_edit_may_set(site: Site) -> None:
    fields = expanded(site, "WEB-10", "editmeta")["editmeta"]["fields"]
    assert fields["summary"]["required"] is True
    assert fields["labels"]["operations"] == ["add", "set", "remove"]
    versions = [each["name"] for each in fields["fixVersions"]["allowedValues"]]
    assert versions == ["1.0", "2.0"]
    priorities = [each["name"] for each in fields["priority"]["allowedValues"]]
    assert priorities == ["Highest", "High", "Medium", "Low", "Lowest"]
    assert not {"created", "status", "statusCategory", "project"} & set(fields)


def test_every_field_of_the_edit_metadata_can_be_set(site: Site) -> None:
    fields = site.ask("GET", "issue/WEB-10/editmeta")["fields"]
    issue = site.ask("GET", "issue/WEB-3")["fields"]
    settable = [name for name in fields if "set" in fields[name]["operations"]]
    assert {"summary", "assignee", "duedate", "labels"} <= set(settable)
    for name in settable:
        printed = str(issue[name]).startswith("['com.atlassian")
        if name != "issuetype" and issue[name] is not None and not printed:
            site.ask("PUT", "issue/WEB-3", {"fields": {name: issue[name]}})


def test_operations_lead_to_the_pages_that_carry_them_out(site: Site) -> None:
    groups = expanded(site, "WEB-10", "operations")["operations"]["linkGroups"]
    links = [
        link["label"]
        for bar in groups
        for group in bar["groups"]
        for link in group["links"]
    ]
    assert {"Edit", "Comment", "Assign", "To Do", "Done"} <= set(links)


def test_several_expansions_come_together_and_none_unasked(site: Site) -> None:
    asked = {"renderedFields", "transitions", "operations", "editmeta", "changelog"}
    shown = expanded(site, "WEB-2", ",".join(asked))
    assert asked <= set(shown)
    plain = site.ask("GET", "issue/WEB-2")
    assert not (asked - {"renderedFields"}) & set(plain)
    assert plain.get("renderedFields") is None


def test_searches_expand_their_issues_too() -> None:
    cloud = small_site()
    asked = {
        "jql": "key = APP-1",
        "fields": ["description"],
        "expand": "renderedFields,transitions",
    }
    (found,) = cloud.ask("POST", "search/jql", asked)["issues"]
    assert found["renderedFields"]["description"] == "<p>Ask the store about quotas</p>"
    assert len(found["transitions"]) == 4
    bulk = {"issueIdsOrKeys": ["APP-1"], "expand": ["editmeta"]}
    (fetched,) = cloud.ask("POST", "issue/bulkfetch", bulk)["issues"]
    assert "summary" in fetched["editmeta"]["fields"]
    listed = cloud.ask("GET", "/rest/agile/1.0/board/2/issue", expand="operations")
    assert all("operations" in issue for issue in listed["issues"])


@pytest.mark.parametrize(
    ("path", "expand"),
    [
        ("issue/WEB-2", "versionedRepresentations"),
        ("issue/WEB-2", "names,versionedRepresentations"),
        ("issue/WEB-2/comment", "properties"),
        ("issue/WEB-2/worklog", "properties"),
        ("project/WEB/version", "operations"),
        ("/rest/agile/1.0/board", "permissions"),
        ("/rest/agile/1.0/board/1/issue", "versionedRepresentations"),
    ],
)
def test_what_is_not_expanded_is_refused(site: Site, path: str, expand: str) -> None:
    status, message = site.refused("GET", path, expand=expand)
    assert (status, expand.split(",")[-1] in message) == (400, True)


def test_unknown_expansions_are_ignored_as_the_service_ignores_them(site: Site) -> None:
    assert expanded(site, "WEB-2", "nosuch")["key"] == "WEB-2"


def test_comments_are_rendered_when_asked(site: Site) -> None:
    made = site.ask("POST", "issue/WEB-2/comment", {"body": written(site, "A < B")})
    path = f"issue/WEB-2/comment/{made['id']}"
    page = site.ask("GET", "issue/WEB-2/comment", expand="renderedBody")
    assert page["comments"][0]["renderedBody"] == "<p>A &lt; B</p>"
    one = site.ask("GET", path, expand="renderedBody")
    assert one["renderedBody"] == "<p>A &lt; B</p>"
    assert "renderedBody" not in site.ask("GET", path)


@pytest.mark.parametrize(
    ("wiki", "html"),
    [
        ("One\nTwo", "<p>One<br/>\nTwo</p>"),
        ("One\n\nTwo", "<p>One</p>\n\n<p>Two</p>"),
        ("h2. Terms", "<h2>Terms</h2>"),
        ("* a\n* b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("# a\n# b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("", ""),
    ],
)
def test_wiki_text_is_rendered_block_by_block(wiki: str, html: str) -> None:
    site = small_site("datacenter")
    site.ask("PUT", "issue/WEB-2", {"fields": {"description": wiki}})
    rendered = expanded(site, "WEB-2", "renderedFields")["renderedFields"]
    assert rendered["description"] == html


# Visibility -----------------------------------------------------------------

DEVELOPERS = {"type": "role", "value": "Developers"}
MEMBERS = {"type": "group", "value": "jira-software-users"}
OTHERS = {"type": "group", "value": "jira-administrators"}


@pytest.mark.parametrize("wanted", [DEVELOPERS, MEMBERS])
def test_a_comment_keeps_who_may_read_it(site: Site, wanted: dict[str, str]) -> None:
    asked = {"body": written(site, "Quietly"), "visibility": wanted}
    made = site.ask("POST", "issue/WEB-2/comment", asked)
    assert made["visibility"].items() >= wanted.items()
    kept = site.ask("GET", f"issue/WEB-2/comment/{made['id']}")
    assert kept["visibility"] == made["visibility"]
    assert ("identifier" in made["visibility"]) is site.root.endswith("3")


@pytest.mark.parametrize("wanted", [DEVELOPERS, MEMBERS])
def test_booked_time_keeps_who_may_read_it(site: Site, wanted: dict[str, str]) -> None:
    asked = {"timeSpent": "1h", "visibility": wanted}
    made = site.ask("POST", "issue/WEB-10/worklog", asked)
    assert made["visibility"].items() >= wanted.items()
    path = f"issue/WEB-10/worklog/{made['id']}"
    changed = site.ask("PUT", path, {"timeSpent": "2h", "visibility": DEVELOPERS})
    assert changed["visibility"].items() >= DEVELOPERS.items()
    (listed,) = site.ask("GET", "issue/WEB-10/worklog")["worklogs"]
    assert listed["visibility"] == changed["visibility"]


@pytest.mark.parametrize(
    ("wanted", "gist"),
    [
        ({"type": "role", "value": "Pirates"}, "Pirates"),
        ({"type": "group", "value": "pirates"}, "pirates"),
        ({"type": "group", "value": "jira-administrators"}, "not a member"),
        ({"type": "planet", "value": "Mars"}, "visibility"),
        ({"type": "role"}, "visibility"),
        ("Developers", "visibility"),
    ],
)
def test_a_visibility_that_cannot_be_kept_is_refused(
    site: Site, wanted: Any, gist: str
) -> None:
    for path, rest in (
        ("issue/WEB-10/comment", {"body": written(site, "Quietly")}),
        ("issue/WEB-10/worklog", {"timeSpent": "1h"}),
    ):
        status, message = site.refused("POST", path, {**rest, "visibility": wanted})
        assert (status, gist in message) == (400, True)
        assert site.ask("GET", path)["total"] == 0


def test_a_visibility_in_an_update_is_kept_or_refused(site: Site) -> None:
    remark = {"body": written(site, "Quietly"), "visibility": DEVELOPERS}
    site.ask("PUT", "issue/WEB-10", {"update": {"comment": [{"add": remark}]}})
    (comment,) = site.ask("GET", "issue/WEB-10/comment")["comments"]
    assert comment["visibility"].items() >= DEVELOPERS.items()
    strange = {**remark, "visibility": {"type": "role", "value": "Pirates"}}
    body = {"update": {"comment": [{"add": strange}]}}
    assert site.refused("PUT", "issue/WEB-10", body)[0] == 400
    booked = {"timeSpent": "1h", "visibility": OTHERS}
    body = {"update": {"worklog": [{"add": booked}]}}
    assert site.refused("PUT", "issue/WEB-10", body)[0] == 400
    assert site.ask("GET", "issue/WEB-10/worklog")["total"] == 0


def test_a_remark_for_others_is_not_seen_anywhere(site: Site) -> None:
    asked = {"issue": "WEB-2", "author": "ada", "body": "Among us"}
    made = site.act("comment", **asked, visibility=OTHERS)
    site.act("comment", **asked)
    page = site.ask("GET", "issue/WEB-2/comment")
    assert (page["total"], len(page["comments"])) == (1, 1)
    assert site.refused("GET", f"issue/WEB-2/comment/{made['id']}")[0] == 404
    inline = site.ask("GET", "issue/WEB-2", fields="comment")["fields"]["comment"]
    assert (inline["total"], len(inline["comments"])) == (1, 1)


def test_booked_time_of_others_is_not_seen_anywhere(site: Site) -> None:
    booked = {"author": "ada", "started": "2026-11-20T10:00:00Z", "seconds": 60}
    made = site.act("worklog", issue="WEB-10", **booked, visibility=OTHERS)
    assert site.ask("GET", "issue/WEB-10/worklog")["total"] == 0
    assert site.refused("GET", f"issue/WEB-10/worklog/{made['id']}")[0] == 404


@pytest.mark.shared
def test_answers_agree_with_the_official_document() -> None:
    site = small_site()
    asked = {"body": written(site, "Quietly"), "visibility": DEVELOPERS}
    site.ask("POST", "issue/WEB-2/comment", asked)
    expand = "renderedFields,transitions,operations,editmeta,names,schema,changelog"
    body = expanded(site, "WEB-2", expand)
    path = "/rest/api/3/issue/{issueIdOrKey}"
    assert problems("jira-cloud-v3", path, "get", 200, body=body) == []
    body = site.ask("GET", "issue/WEB-2/comment", expand="renderedBody")
    assert problems("jira-cloud-v3", f"{path}/comment", "get", 200, body=body) == []
