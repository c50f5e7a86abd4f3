"""Somebody new at a real terminal, with an empty home: from nothing to the first applied run, in either language."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.support.evening import Evening, evening
from tests.support.waiting import LONG
from worker.cli.interview.questions import BY_KEY, KEYS
from worker.domain.words import Words
from worker.locales import load_words
from worker.mapping.load import load_schema

MOST_ANSWERS = 12
RAYLINE = [sys.executable, "-m", "worker"]
TYPED = {
    "locale": "{locale}",
    "notion_token": "{notion_token}",
    "root_page_id": "https://app.notion.com/acme/Home-{root}?pvs=4#{block}",
    "private_root_page_id": "",
    "base_url": "{base_url}/browse/ACME-1",
    "email": "{email}",
    "jira_token": "{jira_token}",
    "jira_token_expires": "",
    "time_zone": "",
    "country": "",
    "currency": "",
    "projects": "",
}
"""What a person pastes or types; an empty line takes what is proposed."""


def lines(services: Evening, locale: str) -> dict[str, str]:
    known = services.answers(locale=locale)
    root = known["root_page_id"].replace("-", "")
    return {
        key: text.format(**known, root=root, block="b" * 32)
        for key, text in TYPED.items()
    }


@contextmanager
def terminal(
    services: Evening, home: Path, *words: str, language: str
) -> Iterator[pexpect.spawn]:
    """Run a command at a terminal as wide as a person's."""
    environment = services.environment(
        home, RAYLINE_LANG=language, TERM="xterm-256color", COLUMNS="100"
    )
    child = pexpect.spawn(
        RAYLINE[0],
        [*RAYLINE[1:], *words],
        cwd=str(home),
        env=environment,
        encoding="utf-8",
        timeout=LONG,
        dimensions=(40, 100),
    )
    try:
        yield child
    finally:
        child.close(force=True)


def answer(
    child: pexpect.spawn, words: Words, typed: dict[str, str]
) -> tuple[int, str]:
    """Answer what is asked until nothing is; return how often that was, and all that stood on the screen."""
    asked = {re.escape(words.say(BY_KEY[key].words)): key for key in KEYS}
    patterns = [f"{text}[^\r\n]*: " for text in asked]
    count, screen = 0, ""
    while True:
        found = child.expect([*patterns, pexpect.EOF])
        screen += child.before
        if found == len(patterns):
            return count, screen
        key = list(asked.values())[found]
        screen += child.after
        if BY_KEY[key].is_secret:
            child.waitnoecho()
        child.sendline(typed[key])
        count += 1


def then(services: Evening, home: Path, *words: str) -> dict[str, Any]:
    """Run a command that answers with one object, as the next thing."""
    done = subprocess.run(
        [*RAYLINE, *words, "--json"],
        cwd=home,
        env=services.environment(home, RAYLINE_LOG="WARNING"),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def add_client(services: Evening, language: str) -> None:
    """Write the first client into its board, as a person does in Notion."""
    board = load_schema().sources["clients"]
    title = board.title[language]
    name = next(one for one in board.properties.values() if one.type == "title")
    sources = services.notion.control("dump", {})["data_sources"]
    (found,) = [
        identity
        for identity, source in sources.items()
        if f"'{title}'" in str(source["title"])
    ]
    cell = {"title": [{"text": {"content": "Northwind"}}]}
    services.notion.control(
        "create", {"data_source_id": found, "properties": {name.label[language]: cell}}
    )


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_newcomer_gets_from_nothing_to_the_first_applied_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    words = load_words(language, "RUB")
    began = datetime.now(UTC)
    with evening("ACME", "HR") as services:
        typed = lines(services, language)
        with terminal(services, tmp_path, "init", language=language) as child:
            count, screen = answer(child, words, typed)
            child.close()
            assert child.exitstatus == 0, screen
        ready = datetime.now(UTC)
        empty = then(services, tmp_path, "plan")
        add_client(services, language)
        applied = then(services, tmp_path, "sync")
        again = then(services, tmp_path, "plan")
    with capsys.disabled():
        sys.stdout.write(
            f"\nnewcomer ({language}): {count} answers; boards after {ready - began}, "
            f"first applied run after {datetime.now(UTC) - began}\n"
        )
    assert count <= MOST_ANSWERS
    for secret in ("notion_token", "jira_token"):
        assert typed[secret] not in screen, "secrets are not echoed"
        assert typed[secret] not in json.dumps([empty, applied, again])
    assert bool(re.search("[а-яё]", screen, re.IGNORECASE)) == (language == "ru")
    assert "rayline sync" in screen
    assert empty["changes"] == [], "nobody is nagged before there is a client"
    told = [(one["code"], one["severity"]) for one in empty["problems"]]
    # Without a private page five boards are off: that was an answer.
    assert sorted(told) == [("no-clients", "info"), ("schema-private", "info")]
    assert sum(applied["changes"].values()) > 0
    assert again["changes"] == []
