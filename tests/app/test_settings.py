"""Configuration: one file, the environment over it, secrets from files, and everything wrong said at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.app.build import secrets_of
from worker.app.settings import Settings, choose, find_file, load_settings
from worker.errors import ConfigError, Problem

ROOT = Path(__file__).parents[2]
WHOLE = """
[workspaces.studio]
locale = "ru"
time_zone = "Europe/Belgrade"
[workspaces.studio.notion]
token = "ntn_first"
root_page_id = "page-1"
[workspaces.studio.jira]
base_url = "https://studio.atlassian.net"
email = "bot@studio.example"
token = "jira-first"
"""
SECOND = """
[workspaces.lab]
currency = "EUR"
[workspaces.lab.notion]
token = "ntn_second"
root_page_id = "page-2"
[workspaces.lab.jira]
deployment = "datacenter"
base_url = "https://jira.lab.example"
token = "pat-second"
"""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("RAYLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str, *, mode: int = 0o600) -> Path:
    path = tmp_path / "rayline.toml"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def refused(path: Path | None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return caught.value.problems


def test_one_file_holds_several_workspaces(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WHOLE + SECOND))
    assert list(settings.workspaces) == ["studio", "lab"]
    assert settings.workspaces["studio"].locale == "ru"
    assert settings.workspaces["lab"].jira.deployment == "datacenter"
    assert choose(settings, "lab")[1].currency == "EUR"


def test_which_workspace_must_be_clear(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WHOLE + SECOND))
    for name in (None, "attic"):
        with pytest.raises(ConfigError, match="workspace") as caught:
            choose(settings, name)
        assert "studio, lab" in caught.value.problems[0].hint
    assert choose(load_settings(written(tmp_path, WHOLE)), None)[0] == "studio"


def test_the_environment_wins_over_the_file_key_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN", "ntn_from_environment")
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__THRESHOLDS__STALLED_DAYS", "21")
    studio = load_settings(written(tmp_path, WHOLE)).workspaces["studio"]
    assert studio.notion.token.get_secret_value() == "ntn_from_environment"
    assert studio.notion.root_page_id == "page-1"
    assert studio.thresholds.stalled_days == 21


def test_the_environment_alone_is_a_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("ntn_from_file\n")
    for name, value in {"NOTION__TOKEN_FILE": str(tmp_path / "secret"), "NOTION__ROOT_PAGE_ID": "page",
                        "JIRA__BASE_URL": "https://a.example", "JIRA__EMAIL": "a@a.example",
                        "JIRA__TOKEN": "jira-token"}.items():
        monkeypatch.setenv(f"RAYLINE_WORKSPACES__STUDIO__{name}", value)
    assert load_settings().workspaces["studio"].notion.token.get_secret_value() == "ntn_from_file"


def test_secrets_come_from_files_of_their_own(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("ntn_kept_apart\n")
    text = WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"')
    assert load_settings(written(tmp_path, text)).workspaces["studio"].notion.token.get_secret_value() == (
        "ntn_kept_apart")


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), ("", "is empty")])
def test_a_secret_file_that_holds_none_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    secret = tmp_path / "token"
    if content is not None:
        secret.write_text(content)
    found = refused(written(tmp_path, WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"')))
    assert found[0].field == "workspaces.studio.notion.token_file"
    assert said in found[0].message


def test_a_token_beside_its_file_is_one_too_many(tmp_path: Path) -> None:
    found = refused(written(tmp_path, WHOLE.replace('token = "ntn_first"', 'token = "ntn_first"\ntoken_file = "x"')))
    assert [(one.field, one.hint) for one in found] == [("workspaces.studio.notion.token", "keep one of the two")]


def test_everything_wrong_is_said_at_once_with_file_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYLINE_TOKENS", "x")
    path = written(tmp_path, WHOLE.replace("Europe/Belgrade", "Europe/Bielgrad").replace(
        "https://studio.atlassian.net", "http://studio.example").replace('email = "bot@studio.example"\n', "") + (
        '[workspaces.studio.calendar]\ncountry = "XX"\n'), mode=0o644)
    found = {(one.where, one.field) for one in refused(path)}
    key = "workspaces.studio"
    assert found == {
        (str(path), f"{key}.time_zone"), (str(path), f"{key}.jira.base_url"), (str(path), f"{key}.jira.email"),
        (str(path), f"{key}.calendar.country"), ("environment variable RAYLINE_TOKENS", ""),
        (str(path), f"{key}.notion.token, {key}.jira.token")}


def test_unknown_keys_are_errors_with_a_suggestion_wherever_they_stand(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__LIMITS__FLOR", "3")
    text = WHOLE.replace("time_zone", "timezone") + "[workspaces.studio.thresholds]\nstaled_days = 3\n"
    found = {one.field: one for one in refused(written(tmp_path, text))}
    assert found["workspaces.studio.timezone"].hint == "did you mean time_zone?"
    assert found["workspaces.studio.thresholds.staled_days"].hint == "did you mean stalled_days?"
    assert "RAYLINE_WORKSPACES__STUDIO__LIMITS__FLOR" in found["workspaces.studio.limits.flor"].where


@pytest.mark.parametrize(("line", "field"), [
    ('locale = "fr"', "locale"), ('currency = "roubles"', "currency"), ("schedule = { delta = 0 }", "schedule.delta"),
    ("thresholds = { sprint_weeks = 9 }", "thresholds.sprint_weeks"), ('mappings = "nowhere"', "mappings")])
def test_values_that_make_no_sense_are_named(tmp_path: Path, line: str, field: str) -> None:
    text = WHOLE.replace('locale = "ru"', line, 1) if line.startswith("locale") else WHOLE.replace(
        'locale = "ru"', f'locale = "ru"\n{line}', 1)
    assert f"workspaces.studio.{field}" in {one.field for one in refused(written(tmp_path, text))}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_secrets_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    found = refused(written(tmp_path, WHOLE, mode=mode))
    assert f"{mode:04o}" in found[0].message
    assert "chmod 600" in found[0].hint


def test_a_password_in_the_address_of_the_state_counts_as_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("ntn_kept_apart")
    text = WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"').replace(
        'token = "jira-first"', f'token_file = "{secret}"')
    assert list(load_settings(written(tmp_path, text, mode=0o644)).workspaces) == ["studio"]
    state = 'state = "postgresql+psycopg://rayline:hunter22@db/rayline"\n'
    assert [one.field for one in refused(written(tmp_path, state + text, mode=0o644))] == ["state"]
    settings = load_settings(written(tmp_path, state + text))
    assert "hunter22" in secrets_of(settings)
    assert "hunter22" not in repr(settings)


def test_secrets_never_show(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WHOLE + SECOND))
    shown = repr(settings) + str(settings) + settings.model_dump_json() + repr(settings.model_dump())
    for secret in ("ntn_first", "jira-first", "ntn_second", "pat-second"):
        assert secret not in shown
        assert secret in secrets_of(settings)


def test_a_wrong_value_is_not_repeated_in_the_complaint(tmp_path: Path) -> None:
    text = WHOLE.replace('token = "ntn_first"', 'token = ["ntn_first"]')
    assert "ntn_first" not in str(ConfigError(refused(written(tmp_path, text))))


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in refused(tmp_path / "nowhere.toml")[0].message
    assert "not valid TOML" in refused(written(tmp_path, "[workspaces"))[0].message


def test_the_file_is_the_one_given_then_the_one_named_then_the_one_here(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_file(None) is None
    written(tmp_path, WHOLE)
    assert find_file(None) == Path("rayline.toml")
    monkeypatch.setenv("RAYLINE_CONFIG", "/etc/rayline.toml")
    assert find_file(None) == Path("/etc/rayline.toml")
    assert find_file(tmp_path / "own.toml") == tmp_path / "own.toml"


def test_the_example_loads_once_its_secrets_are_there(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for name in ("notion-token", "jira-token"):
        (tmp_path / "secrets" / name).write_text("secret-value")
    settings = load_settings(ROOT / "config.example.toml")
    assert settings.workspaces["studio"].schedule.daily.hour == 8
    assert set(Settings.model_fields) == {"state", "workspaces"}


def test_loopback_may_be_plain_http_and_nothing_else(tmp_path: Path) -> None:
    text = WHOLE.replace("https://studio.atlassian.net", "http://127.0.0.1:8080")
    assert load_settings(written(tmp_path, text)).workspaces["studio"].jira.base_url == "http://127.0.0.1:8080"
    found = refused(written(tmp_path, WHOLE.replace("https://studio.atlassian.net", "studio.atlassian.net")))
    assert "not a web address" in found[0].message
