"""The targets of a configuration: read from a file, each with a name that is no secret; every secret of them is masked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from worker.app.build import secrets_of
from worker.app.settings import Settings, load_settings
from worker.app.targets import secrets_in, targets_of
from worker.config import Alerts
from worker.errors import ConfigError
from worker.http.secrets import mask

CONFIG = """
[workspaces.studio.notion]
token = "ntn_0123456789"
root_page_id = "00000000-0000-0000-0000-000000000000"
[workspaces.studio.jira]
base_url = "https://studio.example"
email = "rayline@studio.example"
token = "jira-token-0123"
"""
LINES = """
# who sits in the office
slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ

mailto://anna:pass%20word@mail.example?to=anna@mail.example
slack://T2JJ3T3L2/A2BRTD4JD/TJiajkdnlazkcOXrIdevi7FQ
Content = tgram://123456789:AAbbCCddEEff/-1001234
* = json://chat.example/hook?key=9f8e7d6c
"""


def load(
    folder: Path, alerts: str, *, at: str = "workspaces.studio.alerts"
) -> Settings:
    path = folder / "rayline.toml"
    path.write_text(f"{CONFIG}\n[{at}]\n{alerts}", "utf-8")
    path.chmod(0o600)
    return load_settings(path)


def targets_file(folder: Path, text: str = LINES, *, mode: int = 0o600) -> str:
    path = folder / "targets"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return 'targets_file = "targets"'


def alerts_of(settings: Settings) -> Alerts:
    found = settings.workspaces["studio"].alerts
    assert found is not None
    return found


def test_each_line_is_a_target_with_a_name_that_tells_nothing(tmp_path: Path) -> None:
    found = targets_of(alerts_of(load(tmp_path, targets_file(tmp_path))))
    assert [(one.name, one.unit) for one in found] == [
        ("slack-1", ""),
        ("mailto-1", ""),
        ("slack-2", ""),
        ("tgram-1", "Content"),
        ("json-1", "*"),
    ]
    assert found[3].url == "tgram://123456789:AAbbCCddEEff/-1001234"
    assert "AAbb" not in repr(found)


def test_one_table_serves_all_workspaces_without_their_own(tmp_path: Path) -> None:
    settings = load(tmp_path, targets_file(tmp_path), at="alerts")
    assert len(targets_of(alerts_of(settings))) == 5


@pytest.mark.parametrize(
    ("alerts", "key", "part"),
    [
        ('targets = "anna@mail.example"', "targets", "no target"),
        ('targets = "json://a.example\\nnonsense"', "targets", "no target"),
        ('heartbeat_url = "hc-ping.com/uuid"', "heartbeat_url", "not a web address"),
        ('console_url = "rayline"', "console_url", "not a web address"),
        ('targets_file = "nowhere"', "targets_file", "cannot be read"),
        ("quiet_from = 22:00:00", "", "belong together"),
        ("failures = 0", "failures", "1 or more"),
        ('cuts = ["hourly"]', "cuts.0", "must be one of"),
        ("fail = 3", "fail", "is not a setting"),
    ],
)
def test_what_is_wrong_is_told_by_its_key_without_the_secret(
    tmp_path: Path, alerts: str, key: str, part: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, alerts)
    told = str(caught.value)
    assert f"workspaces.studio.alerts{'.' if key else ''}{key}: " in told
    assert part in told
    assert "nonsense" not in told
    assert "uuid" not in told


def test_a_file_of_targets_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can be read by others"):
        load(tmp_path, targets_file(tmp_path, mode=0o644))


def test_targets_in_a_configuration_that_others_can_read_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rayline.toml"
    path.write_text('[alerts]\ntargets = "json://a.example/x"\n', "utf-8")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="holds secrets and can be read by others"):
        load_settings(path)


def test_a_console_that_is_reached_by_https_is_where_links_lead(tmp_path: Path) -> None:
    console = '[console]\nhttps = true\nhosts = ["rayline.example"]\n'
    settings = load(tmp_path, f"{targets_file(tmp_path)}\n{console}")
    assert alerts_of(settings).console_url == "https://rayline.example"


SECRETS = [
    "TIiajkdnlazkcOXrIdevi7FQ",
    "A1BRTD4JD",
    "pass%20word",
    "pass word",
    "AAbbCCddEEff",
    "123456789",
    "9f8e7d6c",
    "5f1c-ping",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_piece_of_an_address_that_may_be_a_secret_is_masked_in_logs(
    tmp_path: Path, secret: str
) -> None:
    heartbeat = 'heartbeat_url = "https://hc.example/5f1c-ping"'
    settings = load(tmp_path, f"{targets_file(tmp_path)}\n{heartbeat}")
    line = f"POST /services/{secret} failed, {secret!r}"
    assert secret not in mask(line, secrets_of(settings))


@pytest.mark.parametrize("host", ["mail.example", "chat.example", "hc.example"])
def test_the_name_of_a_host_is_no_secret(tmp_path: Path, host: str) -> None:
    heartbeat = 'heartbeat_url = "https://hc.example/5f1c-ping"'
    settings = load(tmp_path, f"{targets_file(tmp_path)}\n{heartbeat}")
    assert mask(f"{host} is away", secrets_of(settings)) == f"{host} is away"


def test_an_address_without_a_host_is_secret_from_its_beginning() -> None:
    assert "T1JJ3T3L2" in secrets_in("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdn")


def test_a_table_shows_its_secrets_to_nobody() -> None:
    alerts = Alerts(
        targets=SecretStr("json://a.example/hook-secret"),
        heartbeat_url=SecretStr("https://hc.example/ping-secret"),
    )
    assert "secret" not in repr(alerts)
    assert "secret" not in alerts.model_dump_json()
