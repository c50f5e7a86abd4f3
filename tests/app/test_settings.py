"""Configuration: one file, the environment over it, secrets from files, and everything wrong said at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support.certificates import Authority
from tests.support.english import english
from worker.app.build import open_store, secrets_of
from worker.app.settings import Settings, choose, find_file, load_settings
from worker.errors import ConfigError, Problem, StateFault

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
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Begin in an empty folder without our variables; files are new, and their owner's alone."""
    for name in list(os.environ):
        if name.startswith("RAYLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    usual = os.umask(0o077)
    yield
    os.umask(usual)


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
        assert "studio, lab" in english(caught.value.problems[0].hint)
    assert choose(load_settings(written(tmp_path, WHOLE)), None)[0] == "studio"


def test_the_environment_wins_over_the_file_key_by_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN", "ntn_from_environment"
    )
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__THRESHOLDS__STALLED_DAYS", "21")
    studio = load_settings(written(tmp_path, WHOLE)).workspaces["studio"]
    assert studio.notion.token.get_secret_value() == "ntn_from_environment"
    assert studio.notion.root_page_id == "page-1"
    assert studio.thresholds.stalled_days == 21


def test_the_environment_alone_is_a_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("ntn_from_file\n")
    for name, value in {
        "NOTION__TOKEN_FILE": str(tmp_path / "secret"),
        "NOTION__ROOT_PAGE_ID": "page",
        "JIRA__BASE_URL": "https://a.example",
        "JIRA__EMAIL": "a@a.example",
        "JIRA__TOKEN": "jira-token",
    }.items():
        monkeypatch.setenv(f"RAYLINE_WORKSPACES__STUDIO__{name}", value)
    assert (
        load_settings().workspaces["studio"].notion.token.get_secret_value()
        == "ntn_from_file"
    )


def test_secrets_come_from_files_of_their_own(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("ntn_kept_apart\n")
    text = WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"')
    assert load_settings(written(tmp_path, text)).workspaces[
        "studio"
    ].notion.token.get_secret_value() == ("ntn_kept_apart")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), ("", "is empty")]
)
def test_a_secret_file_that_holds_none_is_named(
    tmp_path: Path, content: str | None, said: str
) -> None:
    secret = tmp_path / "token"
    if content is not None:
        secret.write_text(content)
    found = refused(
        written(
            tmp_path, WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"')
        )
    )
    assert found[0].field == "workspaces.studio.notion.token_file"
    assert said in english(found[0].message)


def test_a_token_beside_its_file_is_one_too_many(tmp_path: Path) -> None:
    found = refused(
        written(
            tmp_path,
            WHOLE.replace(
                'token = "ntn_first"', 'token = "ntn_first"\ntoken_file = "x"'
            ),
        )
    )
    assert [(one.field, english(one.hint)) for one in found] == [
        ("workspaces.studio.notion.token", "keep one of the two")
    ]


def test_everything_wrong_is_said_at_once_with_file_and_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYLINE_TOKENS", "x")
    path = written(
        tmp_path,
        WHOLE.replace("Europe/Belgrade", "Europe/Bielgrad")
        .replace("https://studio.atlassian.net", "http://studio.example")
        .replace('email = "bot@studio.example"\n', "")
        + ('[workspaces.studio.calendar]\ncountry = "XX"\n'),
        mode=0o644,
    )
    found = {(english(one.where), one.field) for one in refused(path)}
    key = "workspaces.studio"
    assert found == {
        (str(path), f"{key}.time_zone"),
        (str(path), f"{key}.jira.base_url"),
        (str(path), f"{key}.jira.email"),
        (str(path), f"{key}.calendar.country"),
        ("environment variable RAYLINE_TOKENS", ""),
        (str(path), f"{key}.notion.token, {key}.jira.token"),
    }


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        ("[console]", "lisen", "did you mean listen?"),
        ("[console.people.anna]", "rol", "did you mean role?"),
        ("[console.people.anna]", "zzz", "known here: role, token, token_file"),
        ("[alerts]", "quiet_form", "did you mean quiet_from?"),
        ("[workspaces.studio.alerts]", "stael", "did you mean stale?"),
        ("[[workspaces.studio.maintenance]]", "ends", "did you mean end?"),
        ("[workspaces.studio.webhooks]", "jira_secret", "did you mean jira_secret_fi"),
    ],
)
def test_every_table_knows_what_was_meant_by_a_key(
    tmp_path: Path, table: str, key: str, hint: str
) -> None:
    problems = refused(written(tmp_path, f"{WHOLE}{table}\n{key} = 'x'\n"))
    told = [english(one.hint) for one in problems if one.field.endswith(f".{key}")]
    assert len(told) == 1
    assert told[0].startswith(hint)


def test_unknown_keys_are_errors_with_a_suggestion_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__LIMITS__FLOR", "3")
    text = (
        WHOLE.replace("time_zone", "timezone")
        + "[workspaces.studio.thresholds]\nstaled_days = 3\n"
    )
    found = {one.field: one for one in refused(written(tmp_path, text))}
    assert (
        english(found["workspaces.studio.timezone"].hint) == "did you mean time_zone?"
    )
    assert (
        english(found["workspaces.studio.thresholds.staled_days"].hint)
        == "did you mean stalled_days?"
    )
    assert "RAYLINE_WORKSPACES__STUDIO__LIMITS__FLOR" in english(
        found["workspaces.studio.limits.flor"].where
    )


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('locale = "fr"', "locale"),
        ('currency = "roubles"', "currency"),
        ("schedule = { delta = 0 }", "schedule.delta"),
        ("thresholds = { sprint_weeks = 9 }", "thresholds.sprint_weeks"),
        ('mappings = "nowhere"', "mappings"),
    ],
)
def test_values_that_make_no_sense_are_named(
    tmp_path: Path, line: str, field: str
) -> None:
    text = (
        WHOLE.replace('locale = "ru"', line, 1)
        if line.startswith("locale")
        else WHOLE.replace('locale = "ru"', f'locale = "ru"\n{line}', 1)
    )
    assert f"workspaces.studio.{field}" in {
        one.field for one in refused(written(tmp_path, text))
    }


@pytest.mark.parametrize("country", ["DE-BY", "US-CA", "DE", ""])
def test_a_country_a_region_or_none_has_a_calendar(
    tmp_path: Path, country: str
) -> None:
    text = f'{WHOLE}[workspaces.studio.calendar]\ncountry = "{country}"\n'
    settings = load_settings(written(tmp_path, text))
    assert settings.workspaces["studio"].calendar.country == country


def test_a_region_that_is_unknown_is_named_with_those_there_are(tmp_path: Path) -> None:
    text = f'{WHOLE}[workspaces.studio.calendar]\ncountry = "DE-XX"\n'
    (problem,) = refused(written(tmp_path, text))
    assert problem.field == "workspaces.studio.calendar.country"
    assert "“DE-XX”" in english(problem.message)
    assert "BW, BY" in english(problem.hint)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_secrets_that_others_can_read_is_refused(
    tmp_path: Path, mode: int
) -> None:
    found = refused(written(tmp_path, WHOLE, mode=mode))
    assert f"{mode:04o}" in english(found[0].message)
    assert "chmod 600" in english(found[0].hint)


def test_a_password_in_the_address_of_the_state_counts_as_a_secret(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "token"
    secret.write_text("ntn_kept_apart")
    text = WHOLE.replace('token = "ntn_first"', f'token_file = "{secret}"').replace(
        'token = "jira-first"', f'token_file = "{secret}"'
    )
    assert list(load_settings(written(tmp_path, text, mode=0o644)).workspaces) == [
        "studio"
    ]
    state = 'state = "postgresql+psycopg://rayline:hunter22@db/rayline"\n'
    assert [
        one.field for one in refused(written(tmp_path, state + text, mode=0o644))
    ] == ["state"]
    settings = load_settings(written(tmp_path, state + text))
    assert "hunter22" in secrets_of(settings)
    assert "hunter22" not in repr(settings)


def test_secrets_never_show(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, WHOLE + SECOND))
    shown = (
        repr(settings)
        + str(settings)
        + settings.model_dump_json()
        + repr(settings.model_dump())
    )
    for secret in ("ntn_first", "jira-first", "ntn_second", "pat-second"):
        assert secret not in shown
        assert secret in secrets_of(settings)


def test_a_wrong_value_is_not_repeated_in_the_complaint(tmp_path: Path) -> None:
    text = WHOLE.replace('token = "ntn_first"', 'token = ["ntn_first"]')
    assert "ntn_first" not in str(ConfigError(refused(written(tmp_path, text))))


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in english(refused(tmp_path / "nowhere.toml")[0].message)
    assert "not valid TOML" in english(
        refused(written(tmp_path, "[workspaces"))[0].message
    )


def test_the_file_is_the_one_given_then_the_one_named_then_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    settings = load_settings(
        written(tmp_path, (ROOT / "config.example.toml").read_text("utf-8"), mode=0o644)
    )
    assert settings.workspaces["studio"].schedule.daily.hour == 8
    assert set(Settings.model_fields) == {"state", "workspaces", "console", "alerts"}


def test_loopback_may_be_plain_http_and_nothing_else(tmp_path: Path) -> None:
    text = WHOLE.replace("https://studio.atlassian.net", "http://127.0.0.1:8080")
    assert (
        load_settings(written(tmp_path, text)).workspaces["studio"].jira.base_url
        == "http://127.0.0.1:8080"
    )
    found = refused(
        written(
            tmp_path,
            WHOLE.replace("https://studio.atlassian.net", "studio.atlassian.net"),
        )
    )
    assert "not a web address" in english(found[0].message)


def keys(found: list[Problem]) -> set[str]:
    return {one.field.removeprefix("workspaces.studio.") for one in found}


def with_lines(*lines: str) -> str:
    return WHOLE.replace('locale = "ru"', "\n".join(['locale = "ru"', *lines]), 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("thresholds = { throughput_weeks = 0 }", "must be 1 or more"),
        ("thresholds = { forecast_draws = -5 }", "must be 100 or more"),
        ("thresholds = { stalled_days = 99999999999 }", "must be 3660 or less"),
        ("thresholds = { overdue_share = 7 }", "must be 1 or less"),
        (
            "thresholds = { pace = { green = 0.5, amber = 0.75 } }",
            "amber must not be above green",
        ),
        ("thresholds = { on_time = { green = 80, amber = 50 } }", "must be 1 or less"),
        ("thresholds = { underload = 2 }", "underload must not be above overload"),
        (
            "thresholds = { health_weights = { luck = 1 } }",
            "is not a setting; known here: delivery",
        ),
        ("thresholds = { health_weights = { delivery = 0 } }", "more than 0"),
        (
            "thresholds = { health_anchors = { luck = [0, 1] } }",
            "is not a setting; known here: overdue",
        ),
        ("thresholds = { health_anchors = { pace = [1, 1] } }", "must differ: pace"),
        (
            "thresholds = { stage_probability = { done = 1 } }",
            "is not a setting; known here: proposal, agreed",
        ),
        ("thresholds = { stage_probability = { agreed = 1.5 } }", "must be 1 or less"),
        ("limits = { changes = -1 }", "must be 1 or more"),
        ("limits = { floor = -3 }", "must be 0 or more"),
        ("limits = { destructive_share = 7 }", "must be 1 or less"),
        ("targets = { growth = -2 }", "must be -1 or more"),
        ("schedule = { full = inf }", "must be"),
        ("notion.requests = 0", "must be 1 or more"),
        ("notion.requests = -1", "must be 1 or more"),
        ("notion.window = 0", "must be more than 0"),
        ("notion.timeout = -1", "must be more than 0"),
        ("notion.settle = -1", "must be 0 or more"),
        ("jira.timeout = nan", "must be"),
    ],
)
def test_every_number_has_bounds_and_every_table_its_keys(
    tmp_path: Path, line: str, said: str
) -> None:
    for side in ("notion", "jira"):
        if line.startswith(side):
            text = WHOLE.replace(
                f"[workspaces.studio.{side}]",
                f"[workspaces.studio.{side}]\n{line.removeprefix(side + '.')}",
            )
            break
    else:
        text = with_lines(line)
    found = refused(written(tmp_path, text))
    assert [said in english(one.message) for one in found] == [True], found
    assert english(found[0].where) == str(tmp_path / "rayline.toml")


def test_one_wrong_type_hides_no_other_problem(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
stat = "x"
[workspaces.studio]
time_zone = "Mars/Base"
[workspaces.studio.calendar]
country = "ZZ"
days_off = ["yesterday"]
[workspaces.studio.notion]
token = ["wrong"]
requests = "many"
[workspaces.studio.jira]
base_url = "ftp://x"
deployment = "data center"
token_file = "/nonexistent"
[workspaces.studio.thresholds]
stalled_dayz = 3
pace = { green = "x" }
[workspaces.lab]
notion = 5
""",
    )
    found = refused(path)
    assert keys(found) == {
        "stat",
        "time_zone",
        "calendar.country",
        "calendar.days_off.0",
        "notion.token",
        "notion.requests",
        "notion.root_page_id",
        "jira.base_url",
        "jira.deployment",
        "jira.token_file",
        "thresholds.stalled_dayz",
        "thresholds.pace.green",
        "thresholds.pace.amber",
        "workspaces.lab.notion",
        "workspaces.lab.jira.base_url",
        "workspaces.lab.jira.email",
        "workspaces.lab.jira.token",
    }
    assert len(found) == len({one.field for one in found})
    assert {english(one.where) for one in found} == {str(path)}, (
        "what misses in a table of the file is no variable's fault"
    )


def test_a_variable_that_is_wrong_is_named_and_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__CALENDAR__DAYS_OFF", "tomorrow")
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__TIME_ZONE", "Mars/Base")
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__JIRA__TOKEN", "jira-first")
    found = refused(written(tmp_path, WHOLE.replace('token = "jira-first"', "")))
    assert {english(one.where) for one in found} == {
        "environment variable RAYLINE_WORKSPACES__STUDIO__CALENDAR__DAYS_OFF",
        "environment variable RAYLINE_WORKSPACES__STUDIO__TIME_ZONE",
    }


IN_QUERY = (
    "postgresql+psycopg://u@127.0.0.1:1/db?connect_timeout=1&password=hunter%2022"
)


def test_a_password_in_the_query_of_the_state_is_a_secret_too(tmp_path: Path) -> None:
    state = f'state = "{IN_QUERY}"\n'
    assert "state" in refused(written(tmp_path, state + WHOLE, mode=0o644))[0].field
    assert {"hunter%2022", "hunter 22"} <= set(
        secrets_of(load_settings(written(tmp_path, state + WHOLE)))
    )


@pytest.mark.parametrize(
    "url",
    [
        IN_QUERY,
        "postgresql+psycopg://u:hunter%2022@127.0.0.1:notaport/db",
        "foo://u:hunter22@x:1/db",
        "postgresql+psycopg://u:hunter22@127.0.0.1:1/db?sslpassword=hunter23&connect_timeout=1",
        "hunter",
    ],
)
def test_a_state_that_cannot_be_opened_is_a_sentence_without_the_password(
    url: str,
) -> None:
    told = "cannot be opened|does not answer"
    with pytest.raises((ConfigError, StateFault), match=told) as caught:
        open_store(url)
    assert "hunter" not in str(caught.value).replace("'hunter'", "") or url == "hunter"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:hunter22@127.0.0.1:notaport/db",
        "hunter22",
        "postgresql+psycopg://u:half@hunter22@db/db",
    ],
)
def test_what_is_no_database_url_is_said_with_all_else_and_not_shown(
    tmp_path: Path, url: str
) -> None:
    found = refused(
        written(tmp_path, f'state = "{url}"\n' + with_lines("limits = { floor = -3 }"))
    )
    assert keys(found) == {"state", "limits.floor"}
    assert "hunter22" not in str(ConfigError(found))


@pytest.mark.parametrize(
    "content",
    [b"ntn_\xff\xfe", b"ntn_one\nntn_two", "ntn_ключ".encode(), b"ntn_a\x07b"],
)
def test_what_cannot_be_a_token_is_refused_without_showing_it(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    found = refused(
        written(tmp_path, WHOLE.replace('token = "ntn_first"', 'token_file = "token"'))
    )
    assert keys(found) == {"notion.token_file"}
    assert "does not hold a token" in english(found[0].message)
    assert "ntn_" not in str(ConfigError(found))


def test_a_token_or_an_address_that_cannot_be_sent_is_refused_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYLINE_WORKSPACES__STUDIO__JIRA__TOKEN", "jira-first\n")
    found = refused(
        written(
            tmp_path, WHOLE.replace("ntn_first", "ntn_ключ").replace("bot@", "бот@")
        )
    )
    assert keys(found) == {"notion.token", "jira.token", "jira.email"}
    assert "RAYLINE_WORKSPACES__STUDIO__JIRA__TOKEN" in english(
        next(one for one in found if "jira.token" in one.field).where
    )
    assert not {"ntn_ключ", "jira-first"} & set(str(ConfigError(found)).split())


@pytest.mark.parametrize("url", ["http://[", "https://a.example:port"])
def test_an_address_that_cannot_be_taken_apart_is_a_problem_like_others(
    tmp_path: Path, url: str
) -> None:
    found = refused(
        written(tmp_path, WHOLE.replace("https://studio.atlassian.net", url))
    )
    assert [english(one.message) for one in found] == ["is not a web address"]


def test_a_workspace_is_found_by_its_name_whatever_the_capitals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = WHOLE.replace("workspaces.studio", "workspaces.Studio").replace(
        'token = "ntn_first"\n', ""
    )
    hint = english(refused(written(tmp_path, text))[0].hint)
    assert hint == "set RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN or token_file"
    monkeypatch.setenv(
        "RAYLINE_WORKSPACES__STUDIO__NOTION__TOKEN", "ntn_from_environment"
    )
    settings = load_settings(written(tmp_path, text))
    assert list(settings.workspaces) == ["Studio"]
    assert (
        choose(settings, "studio")[1].notion.token.get_secret_value()
        == "ntn_from_environment"
    )


def test_names_that_differ_in_capitals_only_are_refused(tmp_path: Path) -> None:
    other = WHOLE.replace("workspaces.studio", "workspaces.Studio")
    text = WHOLE + other.replace("page-1", "page-3")
    found = refused(written(tmp_path, text))
    assert [(one.field, english(one.message)) for one in found] == [
        ("workspaces.Studio", "differs from workspaces.studio in capitals only")
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("page-1", "page-1"),
        ("0f0e0d0c-0b0a-4908-8706-050403020100", "0F0E0D0C0B0A49088706050403020100"),
    ],
)
@pytest.mark.parametrize("key", ["root_page_id", "private_root_page_id"])
def test_a_page_that_two_workspaces_name_is_refused_however_it_is_written(
    tmp_path: Path, first: str, second: str, key: str
) -> None:
    mine = WHOLE.replace("page-1", first)
    other = SECOND.replace(
        'root_page_id = "page-2"',
        f'{key} = "{second}"'
        + ("" if key == "root_page_id" else '\nroot_page_id = "page-2"'),
    )
    found = refused(written(tmp_path, mine + other))
    assert [(one.field, english(one.message)) for one in found] == [
        (
            f"workspaces.lab.notion.{key}",
            "is the page of workspaces.studio.notion.root_page_id as well",
        )
    ]


def test_no_hint_names_a_variable_that_cannot_be_set(tmp_path: Path) -> None:
    text = WHOLE.replace("workspaces.studio", "workspaces.my-studio").replace(
        'token = "ntn_first"\n', ""
    )
    assert [english(one.hint) for one in refused(written(tmp_path, text))] == [
        "set token_file"
    ]


def test_paths_in_a_file_count_from_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("ntn_kept_apart")
    (tmp_path / "mappings").mkdir()
    path = written(
        tmp_path,
        with_lines('mappings = "mappings"').replace(
            'token = "ntn_first"', 'token_file = "token"'
        ),
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    studio = load_settings(path).workspaces["studio"]
    assert studio.notion.token.get_secret_value() == "ntn_kept_apart"
    assert studio.mappings == tmp_path / "mappings"


CANARY = "hunter22"


@pytest.mark.parametrize(
    "url",
    [
        f"https://bot:{CANARY}@studio.atlassian.net",
        f"https://{CANARY}@studio.atlassian.net",
        f"https://:{CANARY}@studio.atlassian.net/jira",
        f"https://bot:pa/{CANARY}@studio.atlassian.net",
        f"bot:{CANARY}@studio.atlassian.net",
        f"https://studio.atlassian.net?token={CANARY}",
        f"https://studio.atlassian.net/jira?a=1&sig={CANARY}",
        f"https://studio.atlassian.net#{CANARY}",
        f"https://studio.atlassian.net\\\\{CANARY}",
        f"https://studio.atlassian.net/ {CANARY}",
    ],
)
@pytest.mark.parametrize("side", ["notion", "jira"])
@pytest.mark.parametrize("place", ["file", "environment"])
def test_an_address_that_holds_a_secret_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, side: str, place: str
) -> None:
    text = WHOLE.replace('base_url = "https://studio.atlassian.net"\n', "")
    if place == "environment":
        variable = f"RAYLINE_WORKSPACES__STUDIO__{side.upper()}__BASE_URL"
        monkeypatch.setenv(variable, url.replace("\\\\", "\\"))
    else:
        table = f"[workspaces.studio.{side}]\n"
        text = text.replace(table, f'{table}base_url = "{url}"\n')
    found = [
        one for one in refused(written(tmp_path, text)) if "missing" not in str(one)
    ]
    assert keys(found) == {f"{side}.base_url"}
    assert all(one.hint for one in found)
    assert CANARY not in str(found) + str(ConfigError(found))


@pytest.mark.parametrize(
    "url",
    [
        "https://studio.atlassian.net/",
        "https://jira.studio.example:8443/jira",
        "https://джира.студия.рф",
        "http://[::1]:8080",
    ],
)
def test_an_address_of_host_and_path_is_taken(tmp_path: Path, url: str) -> None:
    text = WHOLE.replace("https://studio.atlassian.net", url)
    jira = load_settings(written(tmp_path, text)).workspaces["studio"].jira
    assert jira.base_url == url


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o640, 0o660, 0o601])
def test_a_secret_file_that_others_can_read_is_refused(
    tmp_path: Path, mode: int
) -> None:
    secret = tmp_path / "my token"
    secret.write_text("ntn_kept_apart")
    secret.chmod(mode)
    text = WHOLE.replace('token = "ntn_first"', 'token_file = "my token"')
    (found,) = refused(written(tmp_path, text))
    assert found.field == "workspaces.studio.notion.token_file"
    assert f"{mode:04o}" in english(found.message)
    assert english(found.hint) == f"run: chmod 600 '{secret}'"
    assert "ntn_kept_apart" not in str(found)

    secret.chmod(0o600)
    assert load_settings(written(tmp_path, text)).workspaces


def test_a_secret_through_a_pipe_or_of_a_closed_mount_is_taken(tmp_path: Path) -> None:
    for mode in (0o400, 0o600, 0o700):
        secret = tmp_path / f"token-{mode:o}"
        secret.write_text("ntn_kept_apart")
        secret.chmod(mode)
        text = WHOLE.replace('token = "ntn_first"', f'token_file = "{secret.name}"')
        assert load_settings(written(tmp_path, text)).workspaces
    read, write = os.pipe()
    os.write(write, b"ntn_piped")
    os.close(write)
    text = WHOLE.replace('token = "ntn_first"', f'token_file = "/dev/fd/{read}"')
    notion = load_settings(written(tmp_path, text)).workspaces["studio"].notion
    os.close(read)
    assert notion.token.get_secret_value() == "ntn_piped"


DEEP = 5000
HOSTILE = {
    "lists in lists": f"a = {'[' * DEEP}{']' * DEEP}",
    "tables in tables": f"a = {'{b = ' * DEEP}1{'}' * DEEP}",
    "a dotted key": f"{'a.' * DEEP}b = 1",
    "a header": f"[{'a.' * DEEP}b]",
    "forty levels": f"a = {'[' * 40}{']' * 40}",
    "a whole number": f"a = {'9' * DEEP}",
    "a number with dashes": f"a = {'9_9' * DEEP}",
    "a number below zero": f"a = -{'9' * DEEP}",
    "a hexadecimal number": f"a = 0x{'f' * DEEP}",
    "a number beyond 64 bits": f"a = {2**63}",
    "a number of the state": f"state = {'9' * DEEP}",
    "a wrong date": "a = 2026-02-31",
    "no UTF-8": "a = \udcff",
    "a NUL": "a = \x00",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("table", ["", "[workspaces.studio.thresholds]\n"])
def test_a_file_that_no_person_writes_is_refused_in_a_sentence(
    tmp_path: Path, name: str, table: str
) -> None:
    path = written(tmp_path, "")
    text = f"# first\n{WHOLE if table else ''}{table}{HOSTILE[name]}\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    (found,) = refused(path)
    assert english(found.where) == str(path)
    assert len(english(found.message)) < 200


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a whole number", "line 2"),
        ("a number beyond 64 bits", "at a is"),
        ("forty levels", "under a.0.0"),
        ("no UTF-8", "line 2"),
    ],
)
def test_the_place_of_what_no_person_writes_is_named(
    tmp_path: Path, name: str, said: str
) -> None:
    path = written(tmp_path, "")
    text = f"# first\n{HOSTILE[name]}\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert said in english(refused(path)[0].message)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WORKSPACES", f"{'[' * DEEP}{']' * DEEP}"),
        ("WORKSPACES__STUDIO__THRESHOLDS", f"{'[' * DEEP}{']' * DEEP}"),
        ("WORKSPACES__STUDIO__THRESHOLDS", f'{{"stalled_days": {"9" * DEEP}}}'),
        ("WORKSPACES__STUDIO__THRESHOLDS", f'{{"a": {"[" * 40}{"]" * 40}}}'),
        ("WORKSPACES__STUDIO__THRESHOLDS__STALLED_DAYS", "9" * DEEP),
        (f"WORKSPACES__{'A__' * 400}B", "1"),
    ],
)
def test_a_variable_that_no_person_sets_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"RAYLINE_{variable}", value)
    found = refused(written(tmp_path, WHOLE))
    assert all("environment" in english(one.where) for one in found)
    assert all(len(english(one.message)) < 200 for one in found)


def test_a_mark_before_the_text_is_no_part_of_it(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert list(load_settings(path).workspaces) == ["studio"]


@pytest.mark.parametrize("line", ["", 'state = "sqlite:///state/rayline.db"\n'])
@pytest.mark.parametrize(
    "spelled", ["rayline.toml", "./rayline.toml", "../conf/rayline.toml"]
)
def test_the_state_counts_from_the_file_wherever_it_is_read_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, spelled: str
) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    wanted = f"sqlite:///{folder / 'state/rayline.db'}"
    monkeypatch.chdir(folder)
    path = written(folder, line + WHOLE)
    near = load_settings(Path(spelled)).state.get_secret_value()
    assert str(Path(near.removeprefix("sqlite:///")).resolve()) == wanted.removeprefix(
        "sqlite:///"
    )
    monkeypatch.chdir("/")
    assert load_settings(path).state.get_secret_value() == wanted


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("sqlite:///x.db", "{folder}/x.db"),
        ("sqlite+pysqlite:///a b/х.db", "{folder}/a b/х.db"),
        ("sqlite:////var/x.db", "/var/x.db"),
        ("sqlite:///x.db?timeout=5", "{folder}/x.db"),
        ("postgresql+psycopg://u@h/state/x", "state/x"),
    ],
)
@pytest.mark.parametrize("place", ["file", "environment"])
@pytest.mark.parametrize("name", ["conf", "what?", "50% & more", "студия"])
def test_only_a_relative_path_of_the_state_is_completed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    meant: str,
    place: str,
    name: str,
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    if place == "environment":
        monkeypatch.setenv("RAYLINE_STATE", url)
    line = f'state = "{url}"\n' if place == "file" else ""
    path = written(folder, line + WHOLE)
    monkeypatch.chdir("/")
    found = make_url(load_settings(path).state.get_secret_value())
    assert found.database == meant.format(folder=folder)
    assert found.query == make_url(url).query


def problems_with(path: Path) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return caught.value.problems


def with_setting(tmp_path: Path, line: str, side: str = "jira") -> Path:
    table = f"[workspaces.studio.{side}]\n"
    return written(tmp_path, WHOLE.replace(table, f"{table}{line}\n"))


@pytest.mark.parametrize("side", ["notion", "jira"])
def test_the_way_to_a_service_is_set_for_each_side_from_the_files_folder(
    tmp_path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "authority.pem").write_text(Authority().pem)
    (tmp_path / "proxy").write_text("http://rayline:p%40ss-word@proxy.example:3128\n")
    lines = 'ca_file = "authority.pem"\nproxy_file = "proxy"\ntrust_env = true'
    settings = load_settings(with_setting(tmp_path, lines, side))
    found = getattr(settings.workspaces["studio"], side)
    assert found.ca_file == tmp_path / "authority.pem"
    assert found.proxy.get_secret_value() == (
        "http://rayline:p%40ss-word@proxy.example:3128"
    )
    assert found.trust_env
    assert {"p%40ss-word", "p@ss-word"} <= set(secrets_of(settings))
    assert "ss-word" not in repr(settings)
    other = "jira" if side == "notion" else "notion"
    assert getattr(settings.workspaces["studio"], other).ca_file is None


NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("side", ["notion", "jira"])
@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "cannot be read"),
        (b"", "holds no certificates"),
        (b"\x30\x82\xff", "holds no certificates"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "holds no certificates"),
        (NO_CERTIFICATE.encode(), "holds no certificates"),
    ],
    ids=["missing", "empty", "DER", "a key", "damaged"],
)
def test_a_file_of_certificates_that_cannot_be_used_is_named_with_its_setting(
    tmp_path: Path, side: str, content: bytes | None, part: str
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    (found,) = problems_with(with_setting(tmp_path, 'ca_file = "ca.pem"', side))
    assert found.field == f"workspaces.studio.{side}.ca_file"
    assert part in english(found.message)
    assert "ca.pem" in english(found.message)


@pytest.mark.parametrize(
    "address",
    [
        "proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://",
        "http://proxy.example:99999",
        "http://a canary@proxy.example",
        "http://rayline:can#ary@proxy.example",
        "http://rayline:canary@proxy.example/path",
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_an_address_that_is_no_proxys_is_refused_without_showing_it(
    tmp_path: Path, address: str, in_file: bool
) -> None:
    line = f'proxy = "{address}"'
    if in_file:
        (tmp_path / "proxy").write_text(address)
        line = 'proxy_file = "proxy"'
    (found,) = problems_with(with_setting(tmp_path, line))
    assert found.field == f"workspaces.studio.jira.{line.partition(' ')[0]}"
    said = english(found.message) + english(found.hint)
    assert "address of a proxy" in said
    assert "can" not in said.replace("cannot", "").replace("%", "")


def test_a_proxy_stands_in_one_place_and_its_file_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "proxy"
    file.write_text("http://proxy.example:3128")
    lines = 'proxy = "http://other.example:1"\nproxy_file = "proxy"'
    (both,) = problems_with(with_setting(tmp_path, lines))
    assert english(both.message) == "is set beside proxy_file"
    file.chmod(0o644)
    (open_one,) = problems_with(with_setting(tmp_path, 'proxy_file = "proxy"'))
    assert "can be read by others" in english(open_one.message)


def test_a_password_of_a_proxy_in_an_open_file_is_told(tmp_path: Path) -> None:
    line = 'proxy = "http://rayline:canary@proxy.example:3128"'
    path = with_setting(tmp_path, line)
    path.chmod(0o644)
    (found,) = problems_with(path)
    assert "workspaces.studio.jira.proxy" in found.field


def test_a_proxy_of_the_environment_counts_when_trusted_and_must_be_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "socks5://proxy.example:1080")
    load_settings(with_setting(tmp_path, "trust_env = false"))
    (found,) = problems_with(with_setting(tmp_path, "trust_env = true"))
    assert found.field == "workspaces.studio.jira.trust_env"
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    load_settings(with_setting(tmp_path, "trust_env = true"))
