"""Every command: one JSON object when asked, exit codes as published, nothing written by looking."""

from __future__ import annotations

import json
import logging
import re
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from tests.support.stages import ACME, BETA, Play, small_play, write_config
from worker.cli import app
from worker.cli.commands import known_commands
from worker.state import leases
from worker.state.store import Store

SYNC_KEYS = {
    "run_id",
    "workspace",
    "seconds",
    "requests",
    "changes",
    "kept",
    "conflicts",
    "problems",
    "refused",
}
COMMANDS = sorted(known_commands())


@pytest.fixture(autouse=True)
def _signals_and_logs() -> Iterator[None]:
    """Put back what a command changes of its process."""
    handlers = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)
    }
    root, level = logging.getLogger().handlers[:], logging.getLogger("worker").level
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    logging.getLogger().handlers[:] = root
    logging.getLogger("worker").setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("cli")) as found:
        write_config(found)
        yield found


def run(play: Play, *words: str, config: str = "rayline.toml") -> Result:
    return CliRunner().invoke(
        app, [*words, "-c", str(play.folder / config)], env={"RAYLINE_LOG": "ERROR"}
    )


def data_of(result: Result) -> Mapping[str, Any]:
    assert result.stdout.count("\n") == 1
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def synced(play: Play) -> Play:
    """Return the stage after everything was looked at and then written, by the commands themselves."""
    mark = play.mark()
    for words in (("check",), ("plan",), ("plan", "Acme Bank"), ("status",), ("runs",)):
        result = run(play, *words, "--json")
        assert result.exit_code == 0, result.stderr
        assert data_of(result)
    assert play.writes(mark) == []
    pending = run(play, "plan", "--exit-code", "--json")
    assert pending.exit_code == 3
    result = run(play, "sync", "--json", "--checksum", data_of(pending)["checksum"])
    assert result.exit_code == 0, result.stderr
    assert data_of(result).keys() == SYNC_KEYS
    assert data_of(result)["changes"].keys() == {
        "create",
        "update",
        "archive",
        "sections",
    }
    assert data_of(result)["requests"].keys() == {"notion", "jira"}
    play.later(minutes=10)
    return play


def test_looking_writes_nothing_and_the_reviewed_plan_is_what_is_applied(
    synced: Play,
) -> None:
    result = run(synced, "plan", "--exit-code", "--json")
    assert (result.exit_code, data_of(result)["changes"]) == (0, [])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_speaks_json(name: str) -> None:
    assert (
        "--json"
        in CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
    )


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("rayline ")


def test_text_for_people_is_no_json(synced: Play) -> None:
    for words in (
        ("check",),
        ("plan",),
        ("status",),
        ("runs",),
        ("runs", "1"),
        ("sync",),
    ):
        result = run(synced, *words)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.strip()
        assert not result.stdout.startswith("{")


def test_a_plan_says_what_and_why(synced: Play) -> None:
    synced.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    shown = run(synced, "plan").stdout
    assert "Acme portal" in shown
    assert synced.label("projects", "progress").removeprefix("⚙ ") in shown
    assert synced.label("projects", "progress") in run(synced, "plan", "--all").stdout
    assert "→" in shown
    run(synced, "sync")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--only", "rules=risk"), "did you mean"),
        (("--only", "risks"), "rules=risks,progress"),
        (("--only", "rules="), "rules=risks,progress"),
        (("--client", "Acme Bnak"), "Acme Bank"),
        (("Acme Bank", "--client", "Beta Travel"), "Acme Bank"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "sync"])
def test_a_narrowing_that_means_nothing_is_refused_with_what_was_meant(
    synced: Play, command: str, words: tuple[str, ...], hint: str
) -> None:
    mark = synced.mark()
    told = run(synced, command, *words)
    assert told.exit_code == 2
    assert hint in told.stderr
    assert synced.writes(mark) == []


def test_a_careful_start_writes_some_rules_of_one_client_and_the_rest_comes_later(
    tmp_path: Path,
) -> None:
    with small_play(tmp_path) as fresh:
        write_config(fresh)
        narrow = ("--only", "rules=risks,tasks", "--client", "Acme Bank", "--json")
        seen = data_of(run(fresh, "plan", *narrow))
        rules = {f["why"]["rule"] for one in seen["changes"] for f in one["fields"]}
        sources = {one["ref"].partition("/")[0] for one in seen["changes"]}
        assert rules == {"riskmap", "tasks"}
        assert sources == {"risks", "tasks"}
        done = data_of(run(fresh, "sync", *narrow))
        assert done["changes"]["create"] == len(seen["changes"])

        # What was left out is not taken for made: the whole sync makes each row once, and then nothing is left.
        rest = data_of(run(fresh, "plan", "--json"))
        made = {one["ref"] for one in seen["changes"]}
        coming = {one["ref"] for one in rest["changes"] if one["kind"] == "create"}
        assert not made & coming
        assert any(ref.startswith("tasks/") for ref in coming)
        assert data_of(run(fresh, "sync", "--json"))["refused"] is None
        assert data_of(run(fresh, "plan", "--json"))["changes"] == []


@pytest.mark.parametrize("way", ["title", "page", "plain", "address", "ref"])
def test_a_row_is_explained_whatever_it_is_called_by(synced: Play, way: str) -> None:
    page = synced.page("projects", ACME)
    called = {
        "title": "Acme portal",
        "page": page,
        "plain": page.replace("-", ""),
        "ref": f"projects/{page}",
        "address": f"https://app.notion.com/p/Acme-portal-{page.replace('-', '')}",
    }[way]
    result = run(synced, "explain", called, "--json")
    assert result.exit_code == 0, result.stderr
    found = data_of(result)
    assert (found["ref"], found["title"]) == (f"projects/{page}", "Acme portal")
    assert {"progress", "health"} <= {fact["field"] for fact in found["facts"]}


def test_one_field_is_explained_with_rule_and_inputs(synced: Play) -> None:
    found = data_of(run(synced, "explain", "Acme portal#progress", "--json"))["facts"]
    assert [fact["field"] for fact in found] == ["progress"]
    assert found[0]["rule"]
    assert found[0]["inputs"] or found[0]["formula"]
    assert "rule:" in run(synced, "explain", "Acme portal#progress").stdout


def test_one_field_of_a_data_source_is_explained_for_every_row(synced: Play) -> None:
    found = data_of(run(synced, "explain", "clients#revenue_month", "--json"))
    titles = [fact["title"] for fact in found["facts"]]
    assert (found["ref"], len(set(titles))) == ("clients", len(titles))
    assert len(titles) > 1
    for fact in found["facts"]:
        assert fact["ref"].startswith("clients/")
        assert fact["field"] == "revenue_month"
        assert fact["formula"] == "sum of the client's money in the period"
        names = [one["name"] for one in fact["inputs"]]
        assert names[:2] == ["client", "period"]
        assert "delivery" not in names
    shown = run(synced, "explain", "clients#revenue_month").stdout
    assert all(title in shown for title in titles)


@pytest.mark.parametrize(
    "called",
    [
        "horizon",
        "HORIZON",
        "Work secured until",
        "⚙ Работа есть до",
        "Ray horizon",
        "Горизонт луча",
    ],
)
def test_a_field_is_meant_by_its_name_or_by_how_its_column_is_or_was_headed(
    synced: Play, called: str
) -> None:
    found = data_of(run(synced, "explain", f"clients#{called}", "--json"))["facts"]
    assert {fact["field"] for fact in found} == {"horizon"}


@pytest.mark.parametrize("row", ["clients", "Acme portal"])
def test_a_field_that_is_not_there_is_refused_with_the_nearest_ones(
    synced: Play, row: str
) -> None:
    result = run(synced, "explain", f"{row}#helth", "--json")
    assert result.exit_code == 2
    (told,) = data_of(result)["problems"]
    assert "“helth”" in told["message"]
    assert "health" in told["hint"]
    assert run(synced, "explain", f"{row}#∅").exit_code == 2


def test_an_unclear_name_lists_what_it_may_mean(synced: Play) -> None:
    result = run(synced, "explain", "acme", "--json")
    assert result.exit_code == 2
    assert "Acme portal" in data_of(result)["problems"][0]["hint"]
    assert run(synced, "explain", "nobody at all").exit_code == 2


def test_one_run_is_shown_with_its_plan(synced: Play) -> None:
    first = data_of(run(synced, "runs", "--json"))["runs"][-1]["run_id"]
    found = data_of(run(synced, "runs", str(first), "--json"))
    assert found["run_id"] == first
    created = [
        change for change in found["plan"]["changes"] if change["kind"] == "create"
    ]
    assert len(created) == found["changes"]["create"]
    assert run(synced, "runs", "9999").exit_code == 2


def test_a_request_nobody_answers_waits_and_says_so(synced: Play) -> None:
    asked = data_of(run(synced, "trigger", "--json"))
    assert asked == {
        "trigger": asked["trigger"],
        "joined": False,
        "checksum": None,
        "state": "waiting",
        "run_id": None,
        "status": None,
        "error": None,
    }
    assert run(synced, "trigger", "--wait", "0.3", "--json").exit_code == 75
    assert data_of(run(synced, "status", "--json"))["waiting"] == ["all"]


def test_check_says_that_the_next_plan_would_be_refused(synced: Play) -> None:
    write_config(
        synced, name="tight.toml", extra="[workspaces.studio.limits]\nchanges = 1\n"
    )
    for index in (ACME, BETA):
        synced.edit(
            "projects", synced.page("projects", index), progress=Decimal("0.01")
        )
    found = run(synced, "check", "--json", config="tight.toml")
    assert found.exit_code == 4
    assert "too-many-changes" in {
        problem["code"] for problem in data_of(found)["problems"]
    }
    assert run(synced, "sync").exit_code == 0
    assert run(synced, "check", config="tight.toml").exit_code == 0


def test_check_says_before_any_sync_that_the_connection_may_not_write(
    synced: Play,
) -> None:
    notion = synced.stage.notion
    notion.control("set_capabilities", {"update": False})
    try:
        told = run(synced, "check", "--json")
        shown = run(synced, "check")
    finally:
        notion.control("set_capabilities", {"update": True})
    assert (told.exit_code, shown.exit_code) == (2, 2)
    denied = [one for one in data_of(told)["problems"] if one["code"] == "denied"]
    assert [(one["severity"], one["message"]) for one in denied] == [
        ("error", "the connection may not update content")
    ]
    assert shown.stdout.startswith("error: notion.token: the connection may not update")
    assert run(synced, "check").exit_code == 0


def test_check_says_which_projects_may_be_read_and_what_to_write(synced: Play) -> None:
    told = data_of(run(synced, "check", "--json"))["problems"]
    (opened,) = [one for one in told if one["code"] == "open-projects"]
    assert opened["severity"] == "info"
    line = opened["hint"].rpartition("; all of today: ")[2]
    assert line.startswith('projects = ["ACME", "BETA"')

    write_config(synced, name="listed.toml", extra=line)
    told = data_of(run(synced, "check", "--json", config="listed.toml"))["problems"]
    codes = {one["code"] for one in told}
    assert codes.isdisjoint({"open-projects", "unknown-project", "unlisted-project"})

    write_config(synced, name="short.toml", extra='projects = ["ACME", "NOSUCH"]')
    told = data_of(run(synced, "check", "--json", config="short.toml"))["problems"]
    assert [one["message"] for one in told if one["code"] == "unknown-project"] == [
        "Jira shows the account no project NOSUCH"
    ]
    assert any("BETA" in o["message"] for o in told if o["code"] == "unlisted-project")


def test_another_plan_than_the_reviewed_one_is_refused_with_4(synced: Play) -> None:
    mark = synced.mark()
    result = run(synced, "sync", "--checksum", "0123", "--json")
    assert result.exit_code == 4
    assert [reason["code"] for reason in data_of(result)["refused"]] == ["other-plan"]
    assert synced.writes(mark) == []


def test_a_workspace_in_other_hands_ends_with_75(synced: Play) -> None:
    store = Store(f"sqlite:///{synced.folder / 'cli.db'}")
    with leases.hold(
        store, "studio", "somebody-else", ttl=timedelta(minutes=3), now=store.now
    ):
        result = run(synced, "sync", "--json")
    store.close()
    assert (result.exit_code, data_of(result)["error"]) == (75, "Busy")
    assert "somebody-else" in result.stderr


def test_what_could_not_be_written_ends_with_5_is_named_and_done_by_the_next(
    synced: Play,
) -> None:
    synced.stage.jira.control("transition", {"issue": "ACME-10", "status": "Done"})
    synced.stage.notion.control(
        "faults", {"rules": [{"kind": "401", "match": {"method": "PATCH", "nth": 2}}]}
    )
    result = run(synced, "sync", "--json")
    assert result.exit_code == 5
    assert sum(data_of(result)["changes"].values()) > 0
    assert "write-denied" in {
        problem["code"] for problem in data_of(result)["problems"]
    }
    assert run(synced, "sync", "--json").exit_code == 0


def test_a_connection_that_may_not_write_ends_with_2(synced: Play) -> None:
    synced.stage.jira.control("transition", {"issue": "ACME-15", "status": "Done"})
    synced.stage.notion.control("set_capabilities", {"update": False})
    mark = synced.mark()
    result = run(synced, "sync", "--json")
    synced.stage.notion.control("set_capabilities", {"update": True})
    assert result.exit_code == 2
    assert "write-denied" in {
        problem["code"] for problem in data_of(result)["problems"]
    }
    assert not [entry for entry in synced.writes(mark) if entry.outcome == "committed"]


def test_wrong_credentials_are_told_for_both_sides_at_once_with_2(synced: Play) -> None:
    text = (synced.folder / "rayline.toml").read_text()
    (synced.folder / "wrong-token").write_text("ntn_wrong_token_value")
    (synced.folder / "wrong-token").chmod(0o600)
    wrong = text.replace(
        str(synced.folder / "notion-token"), str(synced.folder / "wrong-token")
    ).replace(str(synced.folder / "jira-token"), str(synced.folder / "wrong-token"))
    (synced.folder / "wrong.toml").write_text(wrong)
    result = run(synced, "check", "--json", config="wrong.toml")
    assert result.exit_code == 2
    assert [problem["where"] for problem in data_of(result)["problems"]] == [
        "jira",
        "notion",
    ]
    mark = synced.mark()
    assert run(synced, "sync", "--json", config="wrong.toml").exit_code == 2
    assert [entry for entry in synced.writes(mark) if entry.status == 200] == []


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "Nobody"),
        ("sync", "-w", "attic"),
        ("plan", "-w", "attic"),
        ("nothing",),
    ],
)
def test_wrong_usage_ends_with_2(synced: Play, words: tuple[str, ...]) -> None:
    assert run(synced, *words).exit_code == 2


def test_a_file_that_is_no_database_is_a_matter_of_configuration(synced: Play) -> None:
    (synced.folder / "broken.db").write_bytes(b"this is no database at all" * 100)
    text = (synced.folder / "rayline.toml").read_text().replace("cli.db", "broken.db")
    (synced.folder / "broken.toml").write_text(text)
    result = run(synced, "status", "--json", config="broken.toml")
    assert result.exit_code == 2
    told = data_of(result)["message"]
    assert "broken.db" in told
    assert "correct `state` in the configuration" in told


def test_check_says_what_to_do_about_a_deleted_property_and_nothing_of_a_renamed_one(
    synced: Play,
) -> None:
    notion, source = synced.stage.notion, synced.data_source("projects")
    notion.control(
        "rename_property",
        {
            "data_source_id": source,
            "property": synced.label("projects", "budget"),
            "name": "Money",
        },
    )
    notion.control(
        "delete_property",
        {"data_source_id": source, "property": synced.label("projects", "overdue")},
    )
    for _ in range(2):
        found = {
            problem["field"]: problem
            for problem in data_of(run(synced, "check", "--json"))["problems"]
            if problem["code"].startswith("schema-") and problem["where"] == "Projects"
        }
        assert found.keys() == {"overdue"}
        assert "restore it in Notion" in found["overdue"]["hint"]


def test_the_database_is_closed_to_others(synced: Play) -> None:
    path = synced.folder / "cli.db"
    assert path.stat().st_mode & 0o077 == 0
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_pause_is_seen_by_all_who_look_until_it_is_ended(synced: Play) -> None:
    paused = run(
        synced, "pause", "moving house", "--hours", "2", "--who", "Ann", "--json"
    )
    assert (paused.exit_code, data_of(paused)["by"]) == (0, "Ann")
    shown = data_of(run(synced, "status", "--json"))["paused"]
    assert (shown["by"], shown["reason"]) == ("Ann", "moving house")
    assert run(synced, "resume", "--json").exit_code == 0
    assert data_of(run(synced, "status", "--json"))["paused"] is None


def test_a_status_tells_moments_in_the_zone_of_the_workspace_to_the_minute(
    synced: Play,
) -> None:
    shown = run(synced, "status").stdout
    assert "+00:00" not in shown
    assert re.search(r"\d\d:\d\d(?!:)", shown)


def test_addresses_of_calendars_are_told_to_who_has_the_key(synced: Play) -> None:
    refused = run(synced, "feed")
    assert refused.exit_code == 2
    assert "console.feed_key_file" in refused.stderr

    plain = (synced.folder / "rayline.toml").read_text("utf-8")
    keyed = synced.folder / "keyed.toml"
    table = '[console]\nfeed_key = "a-key-that-is-long-enough-1"\n'
    keyed.write_text(f"{plain}\n{table}", "utf-8")
    keyed.chmod(0o600)
    calendars = data_of(run(synced, "feed", "--json", config="keyed.toml"))["calendars"]
    assert {one["of"] for one in calendars} == {"people", "units"}
    for one in calendars:
        assert re.fullmatch(
            r"http://127\.0\.0\.1:8787/feed/[0-9a-f]{48}\.ics", one["url"]
        )
        assert one["url"] in run(synced, "feed", config="keyed.toml").stdout
