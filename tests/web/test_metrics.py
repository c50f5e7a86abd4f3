"""The figures for Prometheus: what they count, who may read them, and that dashboard and alerts ask for no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.console import PEOPLE, Console, served
from tests.support.stages import Play, small_play
from worker.config import ConsoleSettings
from worker.cycle.context import Mode
from worker.cycle.put_off import SLOWER
from worker.state import runs
from worker.state.runs import RunStatus
from worker.web.metrics import Metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAME = re.compile(r"\brayline_[a-z_]+")


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    with small_play(tmp_path_factory.mktemp("metrics")) as play:
        play.sync()
        yield play


@pytest.fixture(scope="module")
def console(play: Play) -> Iterator[Console]:
    with served(play) as console:
        yield console


def figures(console: Console) -> dict[str, dict[tuple[str, ...], float]]:
    """Return every figure by name and the values of its labels."""
    text = console.program("vera").get("/metrics").text
    values: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            values.setdefault(sample.name, {})[labels] = sample.value
    return values


def test_each_run_that_ends_is_counted_once(console: Console, play: Play) -> None:
    before = figures(console)
    play.later(minutes=10)
    play.stage.jira.control("transition", {"issue": "ACME-5", "status": "Done"})
    report = play.sync(Mode.FULL)
    assert figures(console) != before
    after = figures(console)
    key = ("done", "studio")
    assert after["rayline_runs_total"][key] == 1 + before.get(
        "rayline_runs_total", {}
    ).get(key, 0)
    requests = after["rayline_requests_total"]
    for api in ("notion", "jira"):
        answers = report.answers[api]
        assert sum(answers.values()) == report.requests[api]
        assert answers["200"] > 0
        assert {
            status: count
            for (name, status, _), count in requests.items()
            if name == api
        } == answers
    changes = after["rayline_changes_total"]
    assert changes["update", "studio"] == report.applied.counts()["update"] > 0
    assert after["rayline_cycle_seconds_count"]["full", "studio"] == 1


def test_refused_and_failed_runs_are_counted_apart(
    console: Console, play: Play
) -> None:
    before = figures(console)["rayline_refusals_total"]["studio",]
    now = play.stage.context.now()
    with play.stage.store.transaction("studio") as tx:
        for status in (RunStatus.REFUSED, RunStatus.FAILED):
            run_id = runs.start(tx, "manual", now=now)
            runs.finish(tx, run_id, status, outcome={}, requests={}, now=now)
    after = figures(console)
    assert after["rayline_refusals_total"]["studio",] == before + 1
    assert after["rayline_runs_total"]["failed", "studio"] == 1


def test_a_run_under_way_is_counted_when_it_has_ended(
    console: Console, play: Play
) -> None:
    before = figures(console)["rayline_runs_total"]["done", "studio"]
    now = play.stage.context.now()
    with play.stage.store.transaction("studio") as tx:
        run_id = runs.start(tx, "manual", now=now)
    assert figures(console)["rayline_runs_total"]["done", "studio"] == before
    with play.stage.store.transaction("studio") as tx:
        runs.finish(tx, run_id, RunStatus.DONE, outcome={}, requests={}, now=now)
    assert figures(console)["rayline_runs_total"]["done", "studio"] == before + 1


def test_the_age_of_data_grows_while_nothing_is_read(
    console: Console, play: Play
) -> None:
    age = figures(console)["rayline_data_age_seconds"]["full", "studio"]
    play.later(minutes=10)
    later = figures(console)["rayline_data_age_seconds"]["full", "studio"]
    assert later == pytest.approx(age + 600)


def test_figures_need_a_token_unless_they_are_open(
    console: Console, play: Play
) -> None:
    assert console.client().get("/metrics").status_code == 401
    settings = ConsoleSettings(people=PEOPLE, open_metrics=True)
    with served(play, settings) as opened:
        answer = opened.client().get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")


def expressions() -> dict[str, list[str]]:
    """Return the PromQL of the dashboard and of the alert rules, by file."""
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    panels = [
        target["expr"] for panel in dashboard["panels"] for target in panel["targets"]
    ]
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text("utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return {"dashboard": panels, "rules": alerts}


@pytest.mark.parametrize("file", ["dashboard", "rules"])
def test_dashboard_and_alerts_ask_for_figures_that_exist(
    console: Console, file: str
) -> None:
    known = {family.name for family in families(console)} | figures(console).keys()
    asked = {name for text in expressions()[file] for name in NAME.findall(text)}
    assert len(asked) > 5
    assert asked - known == set()


def test_every_panel_has_its_place_and_every_alert_its_way_out() -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["title"]
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text("utf-8"))
    told = (ROOT / "docs/operations.md").read_text("utf-8")
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert {"alert", "expr", "for", "labels", "annotations"} <= rule.keys()
            assert {"summary", "description"} <= rule["annotations"].keys()
            assert rule["alert"] in told


def test_every_figure_is_described_for_who_operates_it(console: Console) -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    described = re.findall(r"^\| `(rayline_[a-z_]+)` \|", text, re.MULTILINE)
    assert sorted(described) == sorted(family.name for family in families(console))


def families(console: Console) -> list[Metric]:
    """Return the figures that are exposed, as Prometheus reads them."""
    exposed = console.program("vera").get("/metrics").text
    own = list(text_string_to_metric_families(exposed))
    # The client's own note of when a counter began.
    return [family for family in own if not family.name.endswith("_created")]


BASE_UNITS = ("seconds", "bytes", "ratio")
FOREIGN_UNITS = re.compile(
    r"_(?:ms|milliseconds|minutes|hours|days|percent|kb|mb|kilobytes)(?:_|$)"
)


def test_figures_are_named_as_prometheus_wants_them(console: Console) -> None:
    for family in families(console):
        assert family.documentation.endswith(".")
        assert not FOREIGN_UNITS.search(family.name)
        assert family.type in ("counter", "gauge", "histogram")
        if family.type == "histogram":
            assert family.name.endswith(BASE_UNITS)
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")
            assert all(re.fullmatch("[a-z]+", label) for label in sample.labels)


def test_what_was_answered_is_told_apart(console: Console, play: Play) -> None:
    def counted(status: str) -> float:
        return figures(console)["rayline_requests_total"].get(
            ("notion", status, "studio"), 0
        )

    before = counted("503"), counted("unknown")
    play.later(minutes=10)
    rule = {"match": {"method": "GET"}, "kind": "503", "times": 2, "retry_after": 0}
    play.stage.notion.control("faults", {"rules": [rule]})
    report = play.sync()
    assert report.answers["notion"]["503"] == 2
    assert counted("503") == before[0] + 2

    now = play.stage.context.now()
    with play.stage.store.transaction("studio") as tx:
        run_id = runs.start(tx, "manual", now=now)
        sent = {"notion": 3}
        runs.finish(tx, run_id, RunStatus.FAILED, outcome={}, requests=sent, now=now)
    assert counted("unknown") == before[1] + 3


def test_a_workspace_that_is_served_no_more_stands_nowhere(play: Play) -> None:
    metrics = Metrics()
    served_now = metrics.expose({"studio": play.stage.context}).decode()
    assert 'rayline_data_age_seconds{mode="full",workspace="studio"}' in served_now
    left = metrics.expose({}).decode()
    for name in ("data_age_seconds", "queue_waiting", "run_active", "problems"):
        assert f"rayline_{name}{{" not in left


def test_runs_are_counted_from_zero_so_that_the_first_of_a_kind_is_an_increase(
    play: Play,
) -> None:
    text = Metrics().expose({"studio": play.stage.context}).decode()
    for status in ("done", "failed", "refused"):
        assert f'rayline_runs_total{{status="{status}",workspace="studio"}} 0.0' in text


def test_the_alert_on_failed_runs_hears_a_workspace_that_is_seldom_tried() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text("utf-8"))
    (alert,) = (
        rule
        for group in rules["groups"]
        for rule in group["rules"]
        if rule["alert"] == "RaylineRunsFail"
    )
    match = re.search(r"\[(\d+)([mh])\]\)\) >= (\d+)$", alert["expr"])
    assert match is not None
    span = int(match[1]) * {"m": 60, "h": 3600}[match[2]]
    assert span // SLOWER.total_seconds() >= int(match[3])
