"""All rules together: order, failure, reasons, languages, and the playbooks' file."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from msgspec.structs import replace

from tests.support.english import english
from tests.support.outcomes import facts_of, judge
from tests.support.rules import Call, breaking, calls_of
from tests.support.worlds import (
    PLAYBOOKS,
    SOURCES,
    TODAY,
    at,
    card,
    client,
    contact,
    steady,
    unit,
    world,
)
from worker import locales
from worker.domain.entities import Stage
from worker.domain.messages import render
from worker.errors import ConfigError, Severity
from worker.locales import load_words
from worker.mapping.playbooks import load_playbooks
from worker.method import evaluate
from worker.method.formulas.hysteresis import debounce
from worker.method.run import Findings, Run
from worker.world.memory import Memory, Track
from worker.world.world import World

ROOT = Path(__file__).parents[2]
GREY = frozenset({"grey"})


def busy() -> World:
    """Return a world in which every rule has something to say."""
    return world(
        client(last_contact=TODAY - timedelta(days=20)),
        unit(),
        card(due=TODAY + timedelta(days=3)),
        card("p2", Stage.IDEA, jira=None, edited=at(TODAY - timedelta(days=30))),
        contact("ivan", birthday=date(1980, 11, 20)),
        work={"p1": steady(20, 30)},
    )


CALLS = calls_of(busy())


@pytest.mark.fails_softly
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.rule)
def test_a_rule_that_fails_is_named_and_the_others_speak(call: Call) -> None:
    start = breaking(call.rule, ZeroDivisionError("division by zero"))
    outcome = evaluate(busy(), PLAYBOOKS, start=start)
    (problem,) = outcome.problems
    assert (problem.code, english(problem.where), problem.severity) == (
        "rule-failed",
        call.path.relative_to(ROOT).as_posix(),
        Severity.ERROR,
    )
    assert f"{call.rule}: ZeroDivisionError" in english(problem.message)
    assert outcome.measures.failed == (call.rule,)
    own = {fact.why.rule for fact in call.facts}
    spoken = {fact.why.rule for fact in outcome.facts}
    assert {"progress", "plans", "clients"} - own <= spoken
    assert not own & spoken


def test_a_run_calls_every_rule_once() -> None:
    rules = [call.rule for call in CALLS]
    assert len(rules) == len(set(rules)) > 30


def remembering(seen: World, *, then: str) -> Findings[str]:
    """Remember one track, forget another, and fail if told so."""
    if then == "fail":
        raise KeyError("what was read")
    track = Track("green", seen.today)
    return Findings(then, tracks={"new": track}, forgotten=("old",))


def remembered(**tracks: Track) -> Run:
    """Return a run in a world with these tracks in memory."""
    return Run(world(memory=Memory(tracks=tracks)))


def test_what_a_rule_says_nothing_of_is_kept_in_memory_and_what_it_forgets_is_not() -> (
    None
):
    kept, new = Track("red", TODAY), Track("green", TODAY)
    run = remembered(old=kept, other=kept)
    assert run(remembering, "", then="go on") == "go on"
    assert run.memory() == Memory(tracks={"other": kept, "new": new}, first_run=False)


@pytest.mark.fails_softly
@pytest.mark.parametrize("is_private", [True, False])
def test_a_rule_that_fails_changes_nothing_and_of_private_rows_nothing_is_quoted(
    *, is_private: bool
) -> None:
    kept = Track("red", TODAY)
    run = remembered(old=kept)
    call = run.private if is_private else run
    assert call(remembering, "unknown", then="fail") == "unknown"
    assert run.memory() == Memory(tracks={"old": kept}, first_run=False)
    (problem,) = run.problems
    assert "remembering: KeyError" in english(problem.message)
    assert ("what was read" in english(problem.message)) is not is_private
    assert run.failed == ["remembering"]


def test_no_field_is_claimed_by_two_rules() -> None:
    places = [(fact.ref, fact.field) for fact in judge(busy()).facts]
    assert len(places) == len(set(places))


def test_every_fact_has_a_reason() -> None:
    facts = judge(busy()).facts
    assert {fact.why.rule for fact in facts} >= {
        "progress",
        "plans",
        "riskmap",
        "clients",
        "tasks",
        "actions",
    }
    assert [fact for fact in facts if not (fact.why.formula or fact.why.inputs)] == []


def test_nothing_is_said_of_data_sources_that_do_not_exist() -> None:
    outcome = judge(replace(busy(), sources=SOURCES - {"risks", "plans"}))
    assert {fact.ref.source for fact in outcome.facts} == {
        "projects",
        "clients",
        "units",
        "tasks",
        "contacts",
    }


def test_the_first_run_is_over_after_it() -> None:
    assert judge(busy()).memory.first_run is False


def test_a_russian_workspace_reads_russian() -> None:
    outcome = judge(replace(busy(), words=load_words("ru", "RUB")))
    assert facts_of(outcome, "projects", "p1")["done_total"] == "20 / 50 по количеству"
    assert (
        facts_of(outcome, "risks", "risk:deadline.p_on_time:p1")["name"]
        == "Card p1: вряд ли успеет в срок"
    )
    assert (
        facts_of(outcome, "tasks", "task:next_step:p2")["name"]
        == "Сделать следующий шаг по карточке «Card p2»"
    )
    # The card is due in 3 days: 3 of 91 is the weakest factor.
    assert str(facts_of(outcome, "clients", "c1")["why"]).startswith("луч 3: ")


def test_every_sentence_has_its_russian_with_all_plurals() -> None:
    with (Path(locales.__file__).parent / "ru.po").open("rb") as file:
        known = {message.id: message for message in read_po(file, locale="ru")}
    modules = [
        path
        for package in ("worker", "rayline_demo")
        for path in (ROOT / package).rglob("*.py")
    ]
    keywords = {
        "say": None,
        "count": (1, 2),
        "message": None,
        "tell": None,
        "heading": None,
        "paragraph": None,
    }
    templates = (ROOT / "worker").rglob("templates/*.html")
    files = [
        *(("python", path) for path in modules),
        *(("jinja2", path) for path in templates),
    ]
    found = {
        message
        for method, path in files
        for _, message, _, _ in extract_from_file(method, path, keywords=keywords)
    }
    missing = [message for message in found if message not in known]
    assert len(found) > 100
    assert missing == []
    for message in found:
        text = known[message].string
        forms = (text,) if isinstance(text, str) else tuple(text or ())
        assert all(forms), message
        assert len(forms) == (3 if isinstance(message, tuple) else 1), message
    assert known.keys() - found - {""} == set()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1 открытый риск"),
        (3, "3 открытых риска"),
        (5, "5 открытых рисков"),
        (11, "11 открытых рисков"),
        (21, "21 открытый риск"),
    ],
)
def test_russian_counts_in_three_forms(number: int, text: str) -> None:
    assert (
        load_words("ru", "RUB").count("{n} open risk", "{n} open risks", number) == text
    )


def test_english_needs_no_catalogue() -> None:
    assert (
        load_words("en", "EUR").count("{n} open risk", "{n} open risks", 2)
        == "2 open risks"
    )


def test_bad_playbooks_are_refused_with_every_fault(tmp_path: Path) -> None:
    text = (ROOT / "mappings/playbooks.toml").read_text(encoding="utf-8")
    (tmp_path / "playbooks.toml").write_text(
        text.replace("strength = 10", 'strength = "high"').replace(
            'kind = "care"', 'kind = "cares"'
        ),
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_playbooks(tmp_path)
    told = [problem.field for problem in caught.value.problems]
    assert told[:2] == ["playbooks.next_step.strength", "playbooks.contact_client.kind"]
    assert len(told) == 1 + text.count('kind = "care"')


@pytest.mark.parametrize(
    ("text", "says", "russian"),
    [
        ("“{project}”", "unknown place {project}", "неизвестное место {project}"),
        ("{card", "is not a text with places", "не текст с местами"),
    ],
)
def test_a_text_with_a_wrong_place_is_refused(
    tmp_path: Path, text: str, says: str, russian: str
) -> None:
    shipped = (ROOT / "mappings/playbooks.toml").read_text(encoding="utf-8")
    (tmp_path / "playbooks.toml").write_text(
        shipped.replace("Take the next step on “{card}”", text), encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        load_playbooks(tmp_path)
    (problem,) = caught.value.problems
    assert problem.field == "playbooks.next_step.text.en"
    assert says in english(problem.message)
    assert russian in render(problem.message, load_words("ru", "RUB"))


def test_an_absent_or_broken_file_is_one_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_playbooks(tmp_path)
    (tmp_path / "playbooks.toml").write_text("[[[", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_playbooks(tmp_path)


@pytest.mark.parametrize(
    ("seen", "held"),
    [
        # Amber and red in turn are both at least amber: amber from the second day.
        ("green " + "amber red " * 10, "green green " + "amber " * 19),
        # Green and amber in turn: no two days are worse than green, and none agree on amber.
        ("green " + "amber green " * 5, "green " * 11),
        # Two red days are red at once; then green and amber are both better than red: amber.
        ("green red red green amber", "green green red red amber"),
        # The second day after a worse one is only amber: amber; red needs two days of its own.
        ("green red amber red red", "green green amber amber red"),
        # What was green and red in turn is green; the fifth day is amber after red: amber.
        ("green red green red amber amber", "green green green green amber amber"),
        # To and from grey nothing waits, and what was seen before grey does not count after it.
        ("green red grey red green green", "green green grey red red green"),
    ],
)
def test_a_colour_moves_as_far_as_two_days_in_a_row_agree(seen: str, held: str) -> None:
    track: Track | None = None
    shown = []
    for number, colour in enumerate(seen.split()):
        day = TODAY + timedelta(days=number)
        track = debounce(track, colour, day, instant=GREY)
        assert debounce(track, colour, day, instant=GREY) == track
        shown.append(track.value)
    assert shown == held.split()


def test_marks_of_a_risk_move_as_far_as_two_days_in_a_row_agree() -> None:
    """2, then 4 and 5 in turn: both are at least 4 on the third day; 3 after 4 agree with neither 2 nor 5."""
    track: Track | None = None
    shown = []
    for number, mark in enumerate("2454533"):
        day = TODAY + timedelta(days=number)
        track = debounce(track, mark, day, order="12345")
        shown.append(track.value)
    assert "".join(shown) == "2244443"


def test_what_later_runs_of_a_day_see_confirms_nothing() -> None:
    track = debounce(None, "green", TODAY)
    for colour in ("red", "amber", "red"):
        track = debounce(track, colour, TODAY + timedelta(days=1))
    assert (track.value, track.candidate) == ("green", "red")
