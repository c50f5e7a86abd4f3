"""The container image, without an engine: what its file promises, and the steps of its build run in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.deploy.containerfile import Stage, read_stages
from tests.support.waiting import LONG

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Containerfile"
IGNORED = ROOT / ".dockerignore"


@pytest.fixture(scope="module")
def stages() -> tuple[Stage, Stage]:
    build, final = read_stages(FILE)
    return build, final


def is_left_out(name: str) -> bool:
    """Tell whether a path of the checkout is kept from the build."""
    out = False
    for line in IGNORED.read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        first = name.split("/", 1)[0]
        if any(fnmatch(part, pattern) for part in (name, first)):
            out = not line.startswith("!")
    return out


def test_the_base_is_one_release_and_slim(stages: tuple[Stage, Stage]) -> None:
    for stage in stages:
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", stage.base)


def test_nothing_runs_as_root_or_behind_a_shell(stages: tuple[Stage, Stage]) -> None:
    final = stages[1]
    (user,) = final.of("USER")
    number, group = user.rest.split(":")
    assert int(number) > 0
    assert int(group) > 0
    for name in ("ENTRYPOINT", "CMD"):
        (started,) = final.of(name)
        assert started.is_exec


def test_the_final_image_takes_nothing_but_what_was_built(
    stages: tuple[Stage, Stage],
) -> None:
    build, final = stages
    (copied,) = final.of("COPY")
    assert copied.words[0] == f"--from={build.name}"
    for stage in stages:
        assert not stage.of("ADD")


def test_what_the_build_copies_is_there_and_nothing_of_ones_own_is(
    stages: tuple[Stage, Stage],
) -> None:
    for copied in stages[0].of("COPY"):
        for name in copied.words[:-1]:
            assert (ROOT / name).exists()
            assert not is_left_out(name)
    for name in ("rayline.toml", "secrets/token", "state/rayline.db", ".git/config"):
        assert is_left_out(name)


def test_the_steps_of_the_build_give_a_program_that_works_alone(
    stages: tuple[Stage, Stage], tmp_path: Path
) -> None:
    places = {"/src": tmp_path / "src", "/opt/rayline": tmp_path / "rayline"}
    places["/src"].mkdir()
    environment = dict(os.environ)

    def placed(text: str) -> str:
        for inside, outside in places.items():
            text = text.replace(inside, str(outside))
        return text

    for step in stages[0].instructions:
        match step.name:
            case "ENV":
                pairs = (pair.partition("=") for pair in step.words)
                given = {name: placed(value) for name, _, value in pairs}
                # What was fetched for this very environment need not be fetched again.
                given.pop("UV_NO_CACHE", None)
                given.pop("PIP_NO_CACHE_DIR", None)
                environment |= given
            case "COPY":
                for name in step.words[:-1]:
                    copy(name, places["/src"] / step.words[-1])
            case "RUN":
                run(placed(step.rest), cwd=places["/src"], env=environment)

    shutil.rmtree(places["/src"])
    program = places["/opt/rayline"] / "bin" / "rayline"
    alone = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    shown = subprocess.run(
        [program, "check", "--json"],
        cwd=tmp_path,
        env=alone,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert shown.returncode == 2
    assert "no rayline.toml here" in shown.stdout + shown.stderr

    # A fleet, a state in PostgreSQL, alerts, charts and the console: what docs/operations.md promises of the image.
    python = program.with_name("python")
    extras = "import procrastinate, psycopg, apprise, vl_convert, uvicorn"
    subprocess.run([python, "-c", extras], env=alone, check=True, timeout=LONG)


def test_compose_mounts_the_folder_of_the_configuration(
    stages: tuple[Stage, Stage],
) -> None:
    composed = yaml.safe_load((FILE.with_name("compose.yaml")).read_text("utf-8"))
    worker = composed["services"]["worker"]
    environment = [one.rest for one in stages[1].of("ENV")]
    configuration, _ = worker["volumes"]
    _, inside, rights = configuration.split(":")
    assert rights == "ro"
    # The folder, not the file: mappings, tokens and what replaces a file reach the worker.
    assert f"RAYLINE_CONFIG={inside}/rayline.toml" in " ".join(environment)
    assert set(worker["secrets"]) <= set(composed["secrets"])
    assert not [name for name in worker["environment"] if name.endswith("_TOKEN")]


def test_compose_keeps_what_is_written_on_a_volume_of_the_image(
    stages: tuple[Stage, Stage],
) -> None:
    composed = yaml.safe_load((FILE.with_name("compose.yaml")).read_text("utf-8"))
    _, kept = composed["services"]["worker"]["volumes"]
    name, inside = kept.split(":")
    assert name in composed["volumes"]
    # Docker gives a new volume the owner and the rights of the image's folder: the worker's, and nobody else's.
    (volume,) = stages[1].of("VOLUME")
    assert volume.rest == inside
    told = FILE.with_name("compose.yaml").read_text("utf-8")
    assert f'notion_token_file = "{inside}/' in told


def copy(name: str, target: Path) -> None:
    source = ROOT / name
    if source.is_dir():
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=left_out)
    else:
        shutil.copy(source, target)


def run(command: str, *, cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stderr
