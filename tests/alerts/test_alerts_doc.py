"""The table of alerts in docs/operations.md names every alert that exists and none that does not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from worker.alerts.ledger import Kind
from worker.alerts.wording import ADVICE
from worker.config import Alerts, Maintenance, Model
from worker.domain.messages import ENGLISH

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/operations.md").read_text("utf-8")
CHAPTER = TEXT.partition("\n## Alerts\n")[2].partition("\n## ")[0]
ROWS = re.findall(
    r"^\| `(\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", CHAPTER, re.MULTILINE
)
EXAMPLES = [
    tomllib.loads(one) for one in re.findall(r"```toml\n(.*?)```", CHAPTER, re.S)
]


def test_every_alert_has_its_row_and_its_words() -> None:
    assert [row[0] for row in ROWS] == [kind.value for kind in Kind]
    assert set(ADVICE) == set(Kind)
    assert all(ENGLISH.say(advice.name) for advice in ADVICE.values())


def settable(model: type[Model]) -> set[str]:
    return set(model.model_fields)


def test_the_examples_name_every_setting_and_are_taken() -> None:
    alerts, window = EXAMPLES
    given = dict(alerts["alerts"])
    Alerts.model_validate(given)
    named = {name.removesuffix("_file") for name in given}
    assert named == {name.removesuffix("_file") for name in settable(Alerts)}
    (rule,) = window["workspaces"]["studio"]["maintenance"]
    Maintenance.model_validate(rule)
    assert set(rule) == settable(Maintenance)


def test_the_defaults_that_the_example_shows_are_those_that_hold() -> None:
    given = Alerts.model_validate(EXAMPLES[0]["alerts"])
    usual = Alerts()
    aside = {
        "targets_file",
        "heartbeat_url_file",
        "quiet_from",
        "quiet_to",
        "console_url",
    }
    for name in settable(Alerts) - aside:
        assert getattr(given, name) == getattr(usual, name), name
