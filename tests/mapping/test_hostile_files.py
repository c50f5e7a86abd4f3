"""Mapping files that no person writes are named and refused in a sentence, whichever file it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.english import english
from worker.errors import ConfigError
from worker.mapping.jira import load_jira_mapping
from worker.mapping.load import load_schema
from worker.mapping.playbooks import load_playbooks

DEEP = 5000
READERS: dict[str, Callable[[Path], object]] = {
    "workspace/services.toml": load_schema,
    "jira.toml": load_jira_mapping,
    "playbooks.toml": load_playbooks,
}
HOSTILE = {
    "lists in lists": f"a = {'[' * DEEP}{']' * DEEP}".encode(),
    "tables in tables": f"a = {'{b = ' * DEEP}1{'}' * DEEP}".encode(),
    "a dotted key": f"{'a.' * DEEP}b = 1".encode(),
    "a whole number": f"a = {'9' * DEEP}".encode(),
    "a hexadecimal number": f"a = 0x{'f' * DEEP}".encode(),
    "a byte that is no text": b"a = '\xff'",
    "no end": b"a = [",
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_mapping_that_no_person_writes_is_refused_in_a_sentence(
    tmp_path: Path, name: str, kind: str
) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(HOSTILE[kind])
    with pytest.raises(ConfigError) as caught:
        READERS[name](tmp_path)
    (problem,) = caught.value.problems
    assert english(problem.where).endswith(file.name)
    assert len(english(problem.message)) < 200
