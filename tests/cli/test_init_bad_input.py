"""What goes wrong when somebody connects: each is a sentence with the next step, and finding it out changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rayline_sandbox.wire import Response
from tests.support.evening import Evening, evening
from tests.support.network import serving
from worker.cli import app
from worker.cli.interview import verifying
from worker.cli.interview.objections import Objection
from worker.cli.interview.places import settings_of
from worker.cli.interview.questions import BY_KEY, KEYS, Seen
from worker.cli.interview.verifying import Verdict, verify
from worker.cycle.contact import SECONDS
from worker.domain.messages import ENGLISH, render
from worker.jira import site
from worker.locales import load_words

RUSSIAN = load_words("ru", "RUB")
TODAY = date(2026, 11, 18)
FILE = Path("rayline.toml")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Evening]:
    with evening("ACME", "HR") as both:
        for name, value in both.environment(tmp_path).items():
            if name.startswith("RAYLINE"):
                monkeypatch.setenv(name, value)
        yield both


def given(services: Evening, key: str, **changed: str) -> Verdict:
    """Answer one question as `init` does, when those before it were answered well."""
    answers = services.answers(**changed)
    before = {one: answers[one] for one in KEYS[: KEYS.index(key)] if answers[one]}
    answer = BY_KEY[key].read(answers[key], Seen(TODAY))
    complete = {**before, key: answer}
    settings = settings_of({}, FILE, name="studio", answers=complete)
    return verify(key, settings.workspaces["studio"], complete, Seen(TODAY))


def objects(services: Evening, key: str, **changed: str) -> Objection:
    with pytest.raises(Objection) as raised:
        given(services, key, **changed)
    objection = raised.value
    for words in (ENGLISH, RUSSIAN):
        assert render(objection.reason, words)
    assert not re.search(
        "[a-z]{4,} [a-z]{4,} [a-z]{3,}", render(objection.hint, RUSSIAN)
    )
    return objection


def said(thing: Objection | Verdict) -> str:
    if isinstance(thing, Objection):
        return f"{render(thing.reason, ENGLISH)} ({render(thing.hint, ENGLISH)})"
    return " ".join(render(note, ENGLISH) for note in thing.notes)


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "token", "reason"),
    [
        ("notion_token", "", "is missing"),
        ("notion_token", "ntn_nobodys", "Notion does not know this token"),
        ("notion_token", "ATATT3xFfGF0", "is a token of Atlassian, not of Notion"),
        ("notion_token", "v02%3Auser_token", "is a cookie of a browser"),
        ("notion_token", "https://www.notion.so/x", "is an address, not a token"),
        ("notion_token", "anna@example.com", "is an e-mail address, not a token"),
        ("notion_token", "1f2e3d4c-5b6a-7988-9706-a5b4c3d2e1f0", "is an id"),
        ("notion_token", "ключ", "is not a token"),
        ("notion_token", "two words", "is not a token"),
        ("jira_token", "ntn_12345", "is a token of Notion, not of Jira"),
        ("jira_token", "secret_12345", "is a token of Notion, not of Jira"),
        ("jira_token", "ATCTT3xFfGN0", "is a key for administering"),
        ("jira_token", "https://id.atlassian.com", "is an address, not a token"),
        ("jira_token", "ATATT3xWrong", "Jira does not know this account by this token"),
    ],
)
def test_a_token_of_the_wrong_kind_is_told_by_what_it_is(
    services: Evening, key: str, token: str, reason: str
) -> None:
    objection = objects(services, key, **{key: token})
    assert reason in said(objection)
    assert objection.hint or reason == "is missing"
    if len(token) > 3:
        assert token not in said(objection), "a secret is not repeated"


def test_a_wrong_pair_of_e_mail_and_token_is_asked_again_as_a_pair(
    services: Evening,
) -> None:
    objection = objects(services, "jira_token", email="other@example.com")
    assert objection.again == ("email", "jira_token")


def test_a_token_that_has_ended_is_not_taken(services: Evening) -> None:
    objection = objects(services, "jira_token_expires", jira_token_expires="2020-01-31")
    assert "is over" in said(objection)
    assert "jira_token" in objection.again
    assert "is no day" in said(
        objects(services, "jira_token_expires", jira_token_expires="soon")
    )


def test_a_token_with_scopes_is_led_to_the_gateway(
    services: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a token gets a 401 from its own site; behind the gateway it is good (docs/facts/jira-api.md 4)."""
    base = services.where["jira"]["base_url"]
    rule = {"kind": "401", "times": 0, "match": {"path_regex": "^/rest/api/3/"}}
    services.jira.control("faults", {"rules": [rule]})
    monkeypatch.setattr(site.find_gateway, "__kwdefaults__", {"gateway": base})
    verdict = given(services, "jira_token")
    assert re.fullmatch(rf"{base}/ex/jira/[\w-]+", verdict.answers["base_url"])
    assert "The token has scopes" in said(verdict)


# -- Notion's pages ----------------------------------------------------------------------------------------------------


def test_a_page_that_is_not_shared_is_told_with_how_to_share_it(
    services: Evening,
) -> None:
    root = services.where["notion"]["root_page_id"]
    services.notion.control("unshare", {"id": root})
    objection = objects(services, "root_page_id")
    assert "does not show this page" in said(objection)
    assert "Connections" in said(objection)


def test_a_database_in_place_of_a_page_is_told_as_such(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    with NotionOf(services) as notion:
        made = notion.create_database(
            {
                "parent": {"type": "page_id", "page_id": root},
                "title": [{"type": "text", "text": {"content": "Accounts"}}],
                "initial_data_source": {"properties": {"Name": {"title": {}}}},
            }
        )
    for identity in (made.id, made.data_sources[0].id):
        address = f"https://www.notion.so/acme/{identity.replace('-', '')}?v={'f' * 32}"
        objection = objects(services, "root_page_id", root_page_id=address)
        assert "is a database, not a page" in said(objection)


class NotionOf(ExitStack):
    """The gateway that verification opens."""

    def __init__(self, services: Evening) -> None:
        super().__init__()
        answers = {key: services.answers()[key] for key in ("locale", "notion_token")}
        self.settings = settings_of({}, FILE, name="studio", answers=answers)

    def __enter__(self) -> Any:
        super().__enter__()
        notion = self.settings.workspaces["studio"].notion
        return self.enter_context(verifying._notion(notion))


def test_a_page_in_the_trash_is_told_by_its_name(services: Evening) -> None:
    page = services.notion.add_private_root()
    services.notion.control("trash", {"id": page})
    objection = objects(services, "root_page_id", root_page_id=page)
    assert "in the trash" in said(objection)


@pytest.mark.parametrize("right", ["update", "insert"])
def test_a_right_that_is_missing_is_told_before_anything_is_written(
    services: Evening, right: str
) -> None:
    services.notion.control("set_capabilities", {right: False})
    objection = objects(services, "root_page_id")
    assert f"may not {right} content" in said(objection)
    assert "Capabilities" in said(objection)


def test_people_who_cannot_be_seen_are_a_note(services: Evening) -> None:
    services.notion.control("set_capabilities", {"users": "none"})
    assert "does not see people" in said(given(services, "root_page_id"))


def test_trying_out_changes_nothing(services: Evening) -> None:
    before = services.notion.control("dump", {})
    for key in ("notion_token", "root_page_id", "base_url", "email", "jira_token"):
        given(services, key)
    after = services.notion.control("dump", {})
    assert {**after, "now": ""} == {**before, "now": ""}


def test_a_private_page_must_be_another_one(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    objection = objects(
        services, "private_root_page_id", private_root_page_id=root.replace("-", "")
    )
    assert "is the page of" in said(objection)


def test_names_with_emoji_are_said_as_they_are(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    title = [{"type": "text", "text": {"content": "🚀 Häuser & Söhne"}}]
    with NotionOf(services) as notion:
        notion.update_page(root, {"title": title})
    assert "“🚀 Häuser & Söhne”" in said(given(services, "root_page_id"))


# -- Jira --------------------------------------------------------------------------------------------------------------


LOGIN = b"<!DOCTYPE html><title>Log in - Jira</title><form action='/login.jsp'>"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(200, {"content-type": "text/html"}, LOGIN), "a login page answered"),
        (Response(302, {"location": "https://sso.example.com/login"}), "a login page"),
        (Response(404, {"content-type": "text/plain"}, b"no"), "is not Jira"),
    ],
)
def test_who_else_answers_at_the_address_is_told_at_once(
    services: Evening, answer: Response, reason: str
) -> None:
    with serving(lambda _: answer) as server:
        objection = objects(services, "base_url", base_url=server.url(scheme="http"))
    assert reason in said(objection)
    assert objection.hint
    assert len(server.asked) == 1


def test_an_empty_jira_is_no_fault_but_is_told(tmp_path: Path) -> None:
    with evening() as services:
        verdict = given(services, "jira_token")
    assert verdict.seen.projects == ()
    assert "sees no project yet" in said(verdict)
    assert not BY_KEY["projects"].applies({}, verdict.seen), "there is nothing to ask"


def test_three_hundred_projects_are_counted_and_not_recited(tmp_path: Path) -> None:
    with evening(*(f"P{number:03}X" for number in range(300))) as services:
        verdict = given(services, "jira_token")
    assert len(verdict.seen.projects) == 300
    assert "of 300" in said(verdict)
    assert len(said(verdict)) < 400
    read = BY_KEY["projects"].read
    assert read("p001x p299x", verdict.seen) == "P001X, P299X"
    with pytest.raises(Objection, match="P300X"):
        read("P300X", verdict.seen)


@pytest.mark.parametrize(
    ("deployment", "kind"), [("cloud", "Cloud"), ("datacenter", "Data Center")]
)
def test_the_kind_of_jira_is_found_out_and_not_asked(
    deployment: str, kind: str
) -> None:
    with evening("ACME", deployment=deployment) as services:
        verdict = given(services, "base_url")
        assert verdict.answers["deployment"] == deployment
        assert kind in said(verdict)
        wants_email = BY_KEY["email"].applies(verdict.answers, Seen(TODAY))
        assert wants_email == (deployment == "cloud")
        email = "" if deployment == "datacenter" else services.where["jira"]["email"]
        answers = services.answers(email=email)
        if deployment == "datacenter":
            answers.pop("email")
        complete = {**answers, "deployment": deployment}
        settings = settings_of({}, FILE, name="studio", answers=complete)
        signed = verify(
            "jira_token", settings.workspaces["studio"], complete, Seen(TODAY)
        )
    assert signed.seen.projects == ("ACME",)


def test_days_that_are_counted_in_another_zone_are_told(services: Evening) -> None:
    answers = services.answers(time_zone="Asia/Tokyo")
    settings = settings_of({}, FILE, name="studio", answers=answers)
    workspace = settings.workspaces["studio"]
    for zone, differs in (("Europe/Berlin", True), ("Asia/Seoul", False)):
        verdict = verify("time_zone", workspace, answers, Seen(TODAY, zone=zone))
        assert bool(verdict.notes) == differs, zone


# -- every one of them, as a whole run ---------------------------------------------------------------------------------


def leave(_services: Evening) -> None:
    """Change nothing beforehand."""


def unshare(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    services.notion.control("unshare", {"id": root})


def forbid_reading(services: Evening) -> None:
    services.notion.control("set_capabilities", {"read": False})


def add_databases(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    with NotionOf(services) as notion:
        for number in range(60):
            title = {"type": "text", "text": {"content": f"🚀 Board {number}"}}
            columns: dict[str, Any] = {"properties": {"Name": {"title": {}}}}
            parent = {"type": "page_id", "page_id": root}
            notion.create_database(
                {"parent": parent, "title": [title], "initial_data_source": columns}
            )


def name_with_emoji(services: Evening) -> None:
    root = services.where["notion"]["root_page_id"]
    title = {"type": "text", "text": {"content": "🚀 Häuser & Söhne"}}
    with NotionOf(services) as notion:
        notion.update_page(root, {"title": [title]})


def add_projects(services: Evening) -> None:
    for number in range(300):
        key = f"P{number:03}X"
        services.jira.control("add_project", {"key": key, "name": f"🚀 {key}"})


@dataclass(frozen=True, slots=True)
class Case:
    """What somebody types, or has before, and what is told of it: the sentence, the next step, and after how many
    requests to each service at the most. What is no fault `goes_on`."""

    said: str
    step: str
    answers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[Evening], None] = leave
    notion: int = 0
    jira: int = 0
    goes_on: bool = False


NO_PAGE = "choose Share, then Copy link, and paste that"


def good(said: str, step: str, **fields: Any) -> Case:
    """Return a case of answers that are all good, with what trying them out costs."""
    return Case(said, step, notion=6, jira=4, goes_on=True, **fields)


CASES = {
    "no page": Case("is missing", NO_PAGE, {"root_page_id": ""}, notion=1),
    "page of another site": Case(
        "is no address of Notion",
        NO_PAGE,
        {"root_page_id": "https://docs.google.com/document/d/1"},
        notion=1,
    ),
    "page address without a page": Case(
        "names no page",
        NO_PAGE,
        {"root_page_id": "https://www.notion.so/my-integrations"},
        notion=1,
    ),
    "page address that is none": Case(
        "is not a web address", NO_PAGE, {"root_page_id": "https://a b/c"}, notion=1
    ),
    "name in place of a page": Case(
        "neither an address nor the id", NO_PAGE, {"root_page_id": "Дом"}, notion=1
    ),
    "page that is not shared": Case(
        "does not show this page", "Connections", before=unshare, notion=4
    ),
    "connection that may not read": Case(
        "Notion refuses it", "allow this account", before=forbid_reading, notion=2
    ),
    "no Notion token": Case(
        "is missing", "it begins with ntn_", {"notion_token": ""}, notion=0
    ),
    "token of the other side": Case(
        "is a token of Atlassian, not of Notion",
        "it begins with ntn_",
        {"notion_token": "ATATT3xFfGF0"},
    ),
    "token nobody knows": Case(
        "Notion does not know this token",
        "copy it again",
        {"notion_token": "ntn_nobodys"},
        notion=1,
    ),
    "Notion's token for Jira": Case(
        "is a token of Notion, not of Jira",
        "id.atlassian.com",
        {"jira_token": "ntn_12345"},
        notion=6,
        jira=1,
    ),
    "token Jira does not know": Case(
        "Jira does not know this account",
        "the e-mail must be that of the account",
        {"jira_token": "ATATT3xWrong"},
        notion=6,
        jira=4,
    ),
    "no address of Jira": Case(
        "is missing", "your-site.atlassian.net", {"base_url": ""}, notion=6
    ),
    "name in place of an address": Case(
        "is not a web address",
        "your-site.atlassian.net",
        {"base_url": "our jira"},
        notion=6,
    ),
    "Jira Cloud without an e-mail": Case(
        "wants the e-mail", "signs in to Jira", {"email": ""}, notion=6, jira=1
    ),
    "e-mail that is none": Case(
        "is no e-mail address", "signs in to Jira", {"email": "anna"}, notion=6, jira=1
    ),
    "zone that is none": Case(
        "is no time zone", "Europe/Berlin", {"time_zone": "berln"}, notion=6, jira=4
    ),
    "zone of others": good(
        "counts its days in Europe/Moscow, the boards in Asia/Tokyo",
        "--change time_zone",
        answers={"time_zone": "Asia/Tokyo"},
    ),
    "Jira without projects": good("sees no project yet", "give it the right to browse"),
    "three hundred projects": Case(
        "Projects it sees, of 300",
        "--change time_zone",
        before=add_projects,
        notion=6,
        jira=9,
        goes_on=True,
    ),
    "sixty databases": good("sees 60 databases", "rayline adopt", before=add_databases),
    "names with emoji": good(
        "The page “🚀 Häuser & Söhne” is there",
        "may be written to",
        before=name_with_emoji,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_each_is_a_sentence_with_the_next_step_after_few_requests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: Case
) -> None:
    with evening() as services:
        go_home(monkeypatch, services, tmp_path)
        case.before(services)
        asked = len(services.notion.log), len(services.jira.log)
        # A currency that is none ends what would go on to make boards.
        given = services.answers(currency="none", projects="", **case.answers)
        done = answer_by_file(tmp_path, given)
        notion = len(services.notion.log) - asked[0]
        jira = len(services.jira.log) - asked[1]
    assert done.exit_code == 2
    said = " ".join(done.stderr.split())
    assert case.said in said
    assert case.step in said.partition(case.said)[2]
    assert ("is no currency" in said) == case.goes_on
    assert notion <= case.notion
    assert jira <= case.jira
    assert [path.name for path in tmp_path.iterdir()] == ["answers.toml"]


def test_a_login_page_in_place_of_jira_is_told_after_one_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = Response(200, {"content-type": "text/html"}, LOGIN)
    with evening() as services, serving(lambda _: page) as server:
        go_home(monkeypatch, services, tmp_path)
        given = services.answers(base_url=server.url(scheme="http"))
        done = answer_by_file(tmp_path, given)
    assert done.exit_code == 2
    said = " ".join(done.stderr.split())
    assert "a login page answered instead of Jira" in said
    assert "jira.base_url" in said
    assert len(server.asked) == 1


FORMS = (
    "{bare}",
    "{dashed}",
    "{upper}",
    "Home-{bare}?pvs=4",
    "https://app.notion.com/p/Home-{bare}",
    "https://app.notion.com/acme/Home-{bare}?pvs=4#{other}",
    "https://www.notion.so/acme/Home-{bare}?source=copy_link",
    "https://www.notion.so/acme/{other}?v={other}&p={bare}&pm=s",
    "https://notion.so/{dashed}",
    "https://acme.notion.site/Home-{bare}",
    "acme.notion.site/{bare}",
    "notion://www.notion.so/acme/Home-{bare}",
    "<https://www.notion.so/Home-{bare}>",
    "«https://www.notion.so/Home-{bare}».",
    "[Home](https://www.notion.so/Home-{bare})",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_page_is_known_by_every_form_of_its_address(form: str) -> None:
    dashed = "a6c8726f-6a1d-43c6-ab48-a2993e675ba2"
    bare = dashed.replace("-", "")
    text = form.format(bare=bare, dashed=dashed, upper=bare.upper(), other="f" * 32)
    assert BY_KEY["root_page_id"].read(text, Seen(TODAY)) == dashed


def test_an_init_that_broke_off_says_so_and_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with evening("ACME") as services:
        go_home(monkeypatch, services, tmp_path)
        given = services.answers()
        match = {"method": "POST", "path_regex": "/v1/databases$", "nth": 7}
        rule = {"kind": "403", "times": 0, "match": match}
        services.notion.control("faults", {"rules": [rule]})
        broken = answer_by_file(tmp_path, given)
        assert broken.exit_code == 2
        assert "Notion refused this connection" in broken.stderr
        assert "insert content" in broken.stderr

        services.notion.control("clear_faults", {})
        again = init()
        assert again.exit_code == 0, again.stderr
        assert "is ready" in again.stdout
        made = services.notion.control("dump", {})["databases"]
        titles = [str(one["title"]) for one in made.values()]
        assert len(set(titles)) == len(titles), "no board is made twice"


def go_home(patch: pytest.MonkeyPatch, services: Evening, home: Path) -> None:
    """Sit before an empty home, with nothing but the way to the services."""
    patch.chdir(home)
    for name, value in services.environment(home, RAYLINE_LANG="en").items():
        patch.setenv(name, value)


def answer_by_file(folder: Path, given: Mapping[str, str]) -> Result:
    """Run `init` with a file of answers."""
    lines = [f"{key} = {json.dumps(text)}\n" for key, text in given.items() if text]
    sheet = folder / "answers.toml"
    sheet.write_text("".join(lines), "utf-8")
    sheet.chmod(0o600)
    return init("--answers", sheet.name)


def init(*words: str) -> Result:
    return CliRunner().invoke(app, ["init", *words], prog_name="rayline")


# -- in time -----------------------------------------------------------------------------------------------------------


def test_no_trial_waits_longer_than_ten_seconds() -> None:
    assert SECONDS < 10


@pytest.mark.parametrize("side", ["notion", "jira"])
@pytest.mark.parametrize("fault", ["hang_before", "429", "503"])
def test_a_service_that_does_not_answer_ends_the_trial_by_its_deadline(
    services: Evening, monkeypatch: pytest.MonkeyPatch, side: str, fault: str
) -> None:
    monkeypatch.setattr(verifying, "SECONDS", 0.5)
    rule = {"kind": fault, "times": 0, "retry_after": 3600}
    getattr(services, side).control("faults", {"rules": [rule]})
    objection = objects(services, f"{side}_token")
    assert "does not answer as it should" in said(objection)
