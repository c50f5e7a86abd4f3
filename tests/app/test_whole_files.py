"""Whole files as their own schemas describe them, and with a part spoilt: each is taken, or refused in short sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.json_schemas import Drawing
from worker.app.settings import Settings, load_settings
from worker.cli.mappings import schemas
from worker.domain.messages import ENGLISH
from worker.errors import LONGEST, ConfigError, in_words
from worker.mapping.jira import load_jira_mapping
from worker.mapping.load import load_schema
from worker.mapping.playbooks import load_playbooks

CANARY = "ntn_canary0123456789abcdef"
SECRETS = ("token", "feed_key", "secret", "password")
NAMED: dict[str, Callable[[Random], Any]] = {
    name: lambda chance: chance.choice([CANARY, CANARY, 7, [CANARY], {"a": CANARY}])
    for name in SECRETS
}
STRANGE: tuple[Any, ...] = (
    True,
    7,
    -1,
    0.5,
    "",
    "x",
    "⚡" * 600,
    [],
    [[]],
    {},
    {"a": {}},
    [{"a": 1}],
)


@cache
def configuration() -> Mapping[str, Any]:
    """Return the JSON Schema of a configuration file."""
    return Settings.model_json_schema()


def in_toml(value: Any) -> Any:
    """Return what TOML can say of a value: it knows no null, no number beyond 64 bits, and no control characters in names."""
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if one is not None}
        return {name: in_toml(one) for name, one in kept.items() if name.isprintable()}
    if isinstance(value, list):
        return [in_toml(one) for one in value if one is not None]
    if isinstance(value, int) and abs(value) >= 2**63:
        return 2**63 - 1
    return value


def spoil(table: dict[str, Any], chance: Random) -> None:
    """Put something strange into a table or a table in it, under a name that is known there or that nobody knows."""
    inner = [one for one in table.values() if isinstance(one, dict)]
    if inner and chance.random() < 0.8:
        spoil(chance.choice(inner), chance)
        return
    table[chance.choice([*table, "unheard_of"])] = chance.choice(STRANGE)


def complaints(load: Callable[[], object]) -> list[str]:
    """Return what is said of a file, nothing when it is taken; only a `ConfigError` may be raised."""
    try:
        load()
    except ConfigError as error:
        told = [in_words(problem, ENGLISH) for problem in error.problems]
        return [text for one in told for text in (one.message, one.where, one.field)]
    return []


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_configuration_of_any_kind_is_taken_or_refused_without_its_secrets(
    tmp_path: Path, spoilt: bool
) -> None:
    file = tmp_path / "rayline.toml"
    file.touch(0o600)

    @settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
    @given(st.randoms(use_true_random=False))
    def is_taken_or_refused(chance: Random) -> None:
        table = in_toml(Drawing(configuration(), chance, NAMED).draw(configuration()))
        if spoilt:
            spoil(table, chance)
        file.write_text(tomlkit.dumps(table), encoding="utf-8")
        said = complaints(lambda: load_settings(file))
        assert not [one for one in said if CANARY in one]

    is_taken_or_refused()


FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "workspace/clients.toml": ("workspace", load_schema),
    "workspace/things.toml": ("workspace", load_schema),
    "overlay.toml": ("overlay", load_schema),
    "jira.toml": ("overlay", load_jira_mapping),
    "playbooks.toml": ("workspace", load_playbooks),
}
"""Files of a user's mappings; the last two are given what belongs into another."""


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_mapping_of_any_kind_is_taken_or_refused_in_short_sentences(
    tmp_path: Path, name: str
) -> None:
    kind, load = FILES[name]
    known = schemas()[kind]
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(st.randoms(use_true_random=False))
    def is_taken_or_refused(chance: Random) -> None:
        table = in_toml(Drawing(known, chance).draw(known))
        if chance.random() < 0.5:
            spoil(table, chance)
        file.write_text(tomlkit.dumps(table), encoding="utf-8")
        assert not [
            one for one in complaints(lambda: load(tmp_path)) if len(one) > LONGEST
        ]

    is_taken_or_refused()
