"""The manifests: held tight, whole in themselves, and starting commands that exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.commands import unknown_options
from worker.web.application import OWN_NAMES

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
CONTAINERFILE = FOLDER.with_name("Containerfile").read_text("utf-8")
Json = dict[str, Any]


def documents() -> list[Json]:
    found: list[Json] = []
    for file in sorted(FOLDER.glob("*.yaml")):
        found += yaml.safe_load_all(file.read_text(encoding="utf-8"))
    return found


def pods() -> Iterator[tuple[str, Json]]:
    """Yield the template of each pod with the name of what makes it."""
    for document in documents():
        spec = document["spec"]
        job = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in job:
            yield document["metadata"]["name"], job["template"]


PODS = list(pods())
NAMES = [name for name, _ in PODS]


@pytest.mark.parametrize("template", [pod for _, pod in PODS], ids=NAMES)
def test_a_pod_can_do_nothing_but_its_work(template: Json) -> None:
    pod = template["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        held = container["securityContext"]
        assert held["allowPrivilegeEscalation"] is False
        assert held["readOnlyRootFilesystem"] is True
        assert held["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("template", [pod for _, pod in PODS], ids=NAMES)
def test_a_pod_mounts_what_it_names_and_starts_what_there_is(template: Json) -> None:
    pod = template["spec"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in pod["containers"]:
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts == volumes
        command, *words = container["args"]
        assert unknown_options(command, words) == []


@pytest.mark.parametrize("template", [pod for _, pod in PODS], ids=NAMES)
def test_a_change_of_configuration_or_token_reaches_the_pod(template: Json) -> None:
    # What is mounted by subPath stays as it was; a folder inside of a mounted one cannot be made.
    for container in template["spec"]["containers"]:
        mounts = {one["name"]: one for one in container["volumeMounts"]}
        assert not [one for one in mounts.values() if "subPath" in one]
        places = [Path(one["mountPath"]) for one in mounts.values()]
        assert not [
            (inner, outer)
            for inner in places
            for outer in places
            if outer in inner.parents
        ]
        folder = mounts["configuration"]["mountPath"]
        assert f"{folder}/rayline.toml" in CONTAINERFILE
        assert mounts["mappings"]["mountPath"] != folder
        tokens = mounts["tokens"]["mountPath"]
        named = [one for one in container["env"] if one["name"].endswith("_FILE")]
        assert named
        assert all(one["value"].startswith(f"{tokens}/") for one in named)


def test_no_secret_stands_in_a_manifest() -> None:
    for _, template in PODS:
        for container in template["spec"]["containers"]:
            for variable in container["env"]:
                is_secret = variable["name"].endswith(("TOKEN", "STATE", "PASSWORD"))
                assert not (is_secret and "value" in variable)


def test_one_daemon_lets_go_before_the_next_starts() -> None:
    (daemon,) = (
        one
        for one in documents()
        if one["metadata"]["name"] == "rayline" and one["kind"] == "Deployment"
    )
    assert daemon["spec"]["replicas"] == 1
    assert daemon["spec"]["strategy"] == {"type": "Recreate"}
    labels = daemon["spec"]["template"]["metadata"]["labels"]
    assert daemon["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_console_is_asked_by_a_name_that_it_answers_to() -> None:
    (template,) = (pod for name, pod in PODS if name == "rayline-console")
    (container,) = template["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = container[probe]["httpGet"]
        assert asked["path"] == path
        assert asked["port"] in ports
        (host,) = asked["httpHeaders"]
        assert host == {"name": "Host", "value": OWN_NAMES[1]}
    assert f"0.0.0.0:{ports['http']}" in container["args"]
