"""The mapping guide is true: what it shows is read, and the agency of its example gets that overlay."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.adoption.agencies import open_agency
from tests.adoption.measuring import SCHEMA, SYNONYMS
from worker.app.settings import check_settings
from worker.cli.adopting import read_answers
from worker.cli.mappings import schemas
from worker.mapping.adoption import propose
from worker.mapping.decisions import Decided, to_overlay
from worker.mapping.load import load_schema, mapping_files, read_overlay
from worker.mapping.overlay_text import write_overlay
from worker.toml import read_toml

GUIDE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text("utf-8")


def block(kind: str) -> str:
    """Return the example of a kind."""
    found = re.findall(rf"```toml {kind}\n(.*?)```", GUIDE, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_overlay_of_the_guide_is_read_and_fits(tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text(block("overlay"), "utf-8")
    schema = load_schema(tmp_path)
    assert schema.sources["projects"].title["en"] == "Pipeline"
    assert schema.sources["tasks"].only is not None


def test_the_agency_of_the_guide_gets_that_overlay(tmp_path: Path) -> None:
    agency = open_agency("agency")
    boards = {board.id: board for board in agency.survey()}
    proposal = propose(list(boards.values()), SCHEMA, SYNONYMS)
    overlay = to_overlay(Decided(proposal, boards, {}), SCHEMA, SYNONYMS)
    (tmp_path / "overlay.toml").write_text(
        write_overlay(overlay, SCHEMA.sources), "utf-8"
    )
    written, problems = read_overlay(tmp_path / "overlay.toml")
    assert problems == []
    assert written == overlay
    shown: dict[str, Any] = tomllib.loads(block("overlay"))
    for part, told in shown.items():
        made = written[part].model_dump()
        assert told["title"] == made["title"]
        assert set(told["columns"].items()) <= made["columns"].items()
        for name, options in told["labels"].items():
            for key, labels in options.items():
                assert labels == list(made["labels"][name][key])
    assert "revenue" not in written


def test_the_configuration_of_the_guide_is_one_the_program_accepts(
    tmp_path: Path,
) -> None:
    settings = check_settings(
        tomllib.loads(block("configuration")), tmp_path / "rayline.toml"
    )
    sites = {one.jira.base_url for one in settings.workspaces.values()}
    assert len(sites) == 2


def test_the_answers_of_the_guide_are_read(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(block("answers"), "utf-8")
    answers, consent = read_answers(tmp_path / "my.toml")
    assert consent is True
    assert answers["parts", "clients"] == "Accounts"
    assert answers["labels", "projects", "stage", "On ice"] == "lost"


@pytest.mark.parametrize("path", mapping_files("workspace").values(), ids=str)
def test_the_json_schema_accepts_every_shipped_file(path: Path) -> None:
    tables = json.loads(json.dumps(read_toml(path)))
    jsonschema.validate(tables, schemas()["workspace"])


def test_the_json_schema_accepts_the_overlay_of_the_guide_and_refuses_a_stranger() -> (
    None
):
    shape = schemas()["overlay"]
    jsonschema.validate(tomllib.loads(block("overlay")), shape)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"clients": {"colums": {}}}, shape)
