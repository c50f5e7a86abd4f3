"""The console's table of the configuration: what it may hold, where secrets come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.english import english
from worker.app.build import secrets_of
from worker.app.settings import load_settings
from worker.errors import ConfigError

TOKEN = "a-token-that-is-long-enough"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "rayline.toml"
    file.write_text(text)
    file.chmod(0o600)
    return file


def faults(file: Path) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        load_settings(file)
    return {each.field: english(each.message) for each in refused.value.problems}


def test_a_token_comes_from_a_file_and_is_masked_in_logs(tmp_path: Path) -> None:
    secret = tmp_path / "anna"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o600)
    text = '[console.people.anna]\nrole = "operator"\ntoken_file = "anna"\n'
    settings = load_settings(written(tmp_path, text))
    assert settings.console is not None
    person = settings.console.people["anna"]
    assert person.token.get_secret_value() == TOKEN
    assert TOKEN in secrets_of(settings)
    assert TOKEN not in repr(settings)


def test_without_a_table_there_is_no_console(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")).console is None


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('listen = "8787"', "console.listen"),
        ('listen = "localhost:"', "console.listen"),
        ('listen = "localhost:99999"', "console.listen"),
        ('listen = ":8787"', "console.listen"),
        ("port = 5", "console.port"),
        ('user_header = "X-User"', "console.user_header"),
        ('[console.people.a]\nrole = "admin"', "console.people.a.role"),
        ('[console.people.a]\ntoken = "short"', "console.people.a.token"),
        (
            '[console.people.a]\ntoken = "два слова, и длинных"',
            "console.people.a.token",
        ),
        ('[console.people.a]\ntoken_file = "none"', "console.people.a.token_file"),
        ('[console.people.a]\ntoken_sha256 = "abc"', "console.people.a.token_sha256"),
        ('feed_key = "short"', "console.feed_key"),
        ('feed_key_file = "none"', "console.feed_key_file"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, text: str, field: str) -> None:
    assert field in faults(written(tmp_path, f"[console]\n{text}\n"))


def test_a_file_with_a_token_must_be_closed_to_others(tmp_path: Path) -> None:
    file = written(tmp_path, f'[console.people.a]\ntoken = "{TOKEN}"\n')
    file.chmod(0o644)
    assert "console.people.a.token" in faults(file)


def test_the_key_of_calendars_is_as_secret_as_a_token(tmp_path: Path) -> None:
    secret = tmp_path / "feed"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o600)
    file = written(tmp_path, '[console]\nfeed_key_file = "feed"\n')
    settings = load_settings(file)
    assert settings.console is not None
    assert settings.console.feed_key.get_secret_value() == TOKEN
    assert TOKEN in secrets_of(settings)
    assert TOKEN not in repr(settings)

    secret.chmod(0o644)
    assert "console.feed_key_file" in faults(file)
    inline = written(tmp_path, f'[console]\nfeed_key = "{TOKEN}"\n')
    inline.chmod(0o644)
    assert "console.feed_key" in faults(inline)
