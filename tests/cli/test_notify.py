"""`rayline notify`: each target is tried, what came of it is said without its address, and the exit code tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.receivers import Receiver, receiving
from tests.support.stages import one_object, rayline

CONFIG = """
state = "sqlite:///{folder}/state.db"
[workspaces.studio]
locale = "{locale}"
[workspaces.studio.notion]
token_file = "token"
root_page_id = "00000000-0000-0000-0000-000000000000"
[workspaces.studio.jira]
base_url = "https://studio.example"
email = "rayline@studio.example"
token_file = "token"
{alerts}
"""
ALERTS = '[workspaces.studio.alerts]\ntargets_file = "targets"\n'


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def write(
    folder: Path, *targets: str, locale: str = "en", alerts: str = ALERTS
) -> None:
    files = {
        "targets": "\n".join(targets),
        "token": "token-0123456789",
        "rayline.toml": CONFIG.format(folder=folder, locale=locale, alerts=alerts),
    }
    for name, text in files.items():
        path = folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)


def test_each_target_gets_one_message_and_is_named_without_its_address(
    tmp_path: Path, chat: Receiver
) -> None:
    write(tmp_path, chat.target, f"Content = {chat.target}")
    ended = rayline("notify", "--test", home=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "json-1: arrived" in ended.stdout
    assert "json-2: arrived" in ended.stdout
    assert "secret" not in ended.stdout + ended.stderr
    assert chat.titles == ["🔔 Rayline · studio: a test"] * 2


def test_a_target_that_may_take_it_later_ends_with_75(
    tmp_path: Path, chat: Receiver
) -> None:
    with receiving() as other:
        other.status = 503
        write(tmp_path, chat.target, other.target)
        ended = rayline("notify", "--test", "--json", home=tmp_path)
    assert ended.returncode == 75
    first, second = one_object(ended.stdout)["targets"]
    assert first == {"target": "json-1", "arrived": True, "reason": None}
    assert not second["arrived"]
    assert "503" in second["reason"]
    assert "secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "target", ["slack://no-slack-secret", "nonsense://x/y-secret", "tgram://secret"]
)
def test_an_address_that_is_none_ends_with_2(tmp_path: Path, target: str) -> None:
    write(tmp_path, target)
    ended = rayline("notify", "--test", home=tmp_path)
    assert ended.returncode == 2
    assert "Apprise does not know such an address" in ended.stdout
    assert "secret" not in ended.stdout + ended.stderr


def test_nobody_at_the_port_ends_with_75(tmp_path: Path) -> None:
    with receiving() as gone:
        target = gone.target
    write(tmp_path, target)
    ended = rayline("notify", "--test", home=tmp_path)
    assert ended.returncode == 75
    assert "json-1: did not arrive: " in ended.stdout
    assert "secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("alerts", ["", "[workspaces.studio.alerts]\n"])
def test_without_a_target_the_way_out_is_named(tmp_path: Path, alerts: str) -> None:
    write(tmp_path, alerts=alerts)
    ended = rayline("notify", "--test", home=tmp_path)
    assert ended.returncode == 2
    assert "targets_file" in ended.stderr
    assert ended.stdout == ""


def test_without_a_test_nothing_is_sent_and_who_is_told_is_said(
    tmp_path: Path, chat: Receiver
) -> None:
    write(tmp_path, chat.target, f"* = {chat.target}")
    ended = rayline("notify", home=tmp_path)
    assert ended.returncode == 0
    assert "json-1: alerts" in ended.stdout
    assert "json-2: pages of *" in ended.stdout
    assert chat.paths == []


def test_it_speaks_the_language_of_the_workspace(
    tmp_path: Path, chat: Receiver
) -> None:
    write(tmp_path, chat.target, locale="ru")
    ended = rayline("notify", "--test", home=tmp_path)
    assert "json-1: доставлено" in ended.stdout
    assert "проверка" in chat.titles[0]
