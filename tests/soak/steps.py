"""The steps of a world's life: drawn from a seed, and each carried out from a number of its own.

A step does not depend on the others' drawing, so that any of them can be left out: that is how a failing seed is shrunk.
What is to befall a cycle are steps before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

import msgspec

from tests.soak.people import Desk, Hands, act, act_in_jira
from tests.soak.process import Place, Stroke
from tests.soak.world import LEASE, World
from worker.cycle.context import Mode


class Step(msgspec.Struct, frozen=True):
    """One step: what kind it is, and the number its details are drawn from."""

    kind: str
    salt: int


Deed = Callable[[World, Random], None]
SETTLE = 180


def _act(world: World, random: Random, *, when: str) -> None:
    who = world.ground.person
    done = act(Hands(world.witness, who, random))
    if done:
        world.story.tell("act", f"{done} {when}")


def do_mend(world: World, _random: Random) -> None:
    """Let what went wrong end, cycles run until nothing is written, and the next morning come."""
    come_to_rest(world)
    world.next_morning()


def do_person(world: World, random: Random) -> None:
    """Let a person do something."""
    _act(world, random, when="between runs")


def do_jira(world: World, random: Random) -> None:
    """Let something happen in Jira."""
    done = act_in_jira(Desk(world.witness, random))
    if done:
        world.story.tell("jira", done)


def do_minutes(world: World, random: Random) -> None:
    """Let minutes pass."""
    world.clock.advance(timedelta(minutes=random.randrange(1, 90)))


def do_days(world: World, random: Random) -> None:
    """Let days pass."""
    days = random.choices((1, 2, 5, 12, 30), (10, 4, 4, 2, 1))[0]
    world.clock.advance(timedelta(days=days))


def do_cycle(world: World, random: Random) -> None:
    """Run a cycle, and clear away what was to befall it."""
    mode = Mode.FULL if random.random() < 0.3 else Mode.DELTA
    strokes, world.armed = world.armed, []
    world.cycle(0, mode, strokes)
    world.rival = None
    calm(world)


def do_other_cycle(world: World, random: Random) -> None:
    """Have a second process run a cycle."""
    mode = Mode.FULL if random.random() < 0.3 else Mode.DELTA
    world.cycle(1, mode, [])


def _moment(world: World, random: Random, act: Callable[[], None]) -> None:
    """Arm something for a place of the next cycle, more often near what is written than not."""
    if random.random() < 0.6:
        place = random.choice((Place.WIRE, Place.ANSWER))
        world.armed.append(Stroke(place, random.randrange(1, 12), act, writes=True))
        return
    place = random.choice(tuple(Place))
    far = random.choice((6, 25, 80))
    world.armed.append(Stroke(place, random.randrange(1, far), act))


def do_crash(world: World, random: Random) -> None:
    """Have the next cycle's process die."""
    is_local = random.random() < 0.7
    _moment(world, random, world.crash(0, is_local=is_local))


def do_end(world: World, random: Random) -> None:
    """Have the next cycle's process be asked to end."""

    def stop() -> None:
        world.story.tell("asked to end")
        world.processes[0].context.stop.set()

    _moment(world, random, stop)


def do_meanwhile(world: World, random: Random) -> None:
    """Have a person do something during the next cycle; now and then, type into the very cell that is being written."""
    salt = random.random()
    _moment(world, random, lambda: _act(world, Random(salt), when="during a run"))
    if random.random() < 0.2:
        world.rival = Hands(world.witness, world.ground.person, Random(salt))


def do_pause(world: World, random: Random) -> None:
    """Have the next cycle's process be paused, while another one works and people type."""
    seconds = random.choice((5, 60, LEASE + 20, LEASE + SETTLE + 60))
    other = 1 if random.random() < 0.8 else None
    salt = random.random()
    acts = random.randrange(2)
    if world.is_compared:
        acts = 0

    def then() -> None:
        for number in range(acts):
            _act(world, Random(f"{salt} {number}"), when="during a pause")

    _moment(world, random, world.pause(0, seconds, other, then))


Rule = Mapping[str, Any]
WRITING = {"method": "POST", "path_regex": "^/v1/pages$"}
CHANGING = {"method": "PATCH", "path_regex": "^/v1/pages/"}
BLOCKS = {"path_regex": "^/v1/blocks/"}
QUERY = {"path_regex": "/query$"}
ANY: Rule = {}
LISTS = {"path_regex": "(/query|/children)$"}
NOTION_FAULTS: tuple[Rule, ...] = tuple(
    {"kind": kind, "match": match}
    for kinds, matches in (
        (("429", "529", "500", "503", "504", "409"), (ANY, WRITING, CHANGING)),
        (("502", "502_html", "503_html", "504_html"), (ANY, WRITING, BLOCKS)),
        (("503_committed", "503_saved"), (WRITING, WRITING, CHANGING, BLOCKS)),
        (("hang_before", "hang_after"), (ANY, WRITING, WRITING, CHANGING, BLOCKS)),
        (("reset_before", "reset_after"), (ANY, WRITING, WRITING, CHANGING, BLOCKS)),
        (("502_after", "504_after", "empty_200"), (ANY, WRITING, CHANGING, BLOCKS)),
        (("truncate", "cut_json"), (ANY, WRITING, CHANGING, BLOCKS)),
        (("empty_object", "null"), (ANY, WRITING, CHANGING, QUERY)),
        (("wrong_type", "429_workspace", "429_endpoint"), (ANY, QUERY)),
        (("429_blocked", "401", "403", "skew"), (ANY,)),
        (("short_pages", "repeat_page", "incomplete"), (LISTS, QUERY)),
        (("lag",), (QUERY,)),
        (("late_commit",), (WRITING,)),
    )
    for kind in kinds
    for match in matches
)
JIRA_FAULTS: tuple[Rule, ...] = tuple(
    {"kind": kind}
    for kind in (
        *("429", "500", "502", "503", "504", "502_html", "503_html", "504_html"),
        *("reset_before", "hang_before", "truncate", "cut_json", "empty_200"),
        *("empty_object", "null", "wrong_type", "401", "403", "skew"),
        *("repeat_token", "empty_page_with_token", "short_pages", "warnings"),
    )
)


def do_fault(world: World, random: Random) -> None:
    """Have requests of the next cycle to Notion go wrong."""
    world.notion.control("faults", {"rules": [_rule(random, NOTION_FAULTS)]})


OF_ROWS = tuple(rule for rule in NOTION_FAULTS if rule["match"] is WRITING)


def do_row_fault(world: World, random: Random) -> None:
    """Have a morning come, on which there are rows to be made, and one of the first two go wrong."""
    world.next_morning()
    rule = _rule(random, OF_ROWS)
    match = {**WRITING, "nth": random.randrange(1, 3)}
    world.notion.control("faults", {"rules": [{**rule, "match": match}]})


def do_jira_fault(world: World, random: Random) -> None:
    """Have requests of the next cycle to Jira go wrong."""
    world.jira.control("faults", {"rules": [_rule(random, JIRA_FAULTS)]})


def _rule(random: Random, rules: tuple[Rule, ...]) -> dict[str, Any]:
    rule = random.choice(rules)
    # A cycle that is not the first makes few rows: what is to befall them must strike early.
    is_of_rows = rule.get("match") in (WRITING, CHANGING)
    far = random.choice((2, 4, 10) if is_of_rows else (3, 10, 40))
    return {
        **rule,
        "match": {**rule.get("match", {}), "nth": random.randrange(1, far)},
        "times": random.choice((1, 1, 1, 2, 8)),
        "retry_after": random.choice((1, 20, 300, 1200)),
        "seconds": random.choice((5, 60, 150)),
        "form": random.choice(("seconds", "seconds", "date", "none")),
    }


def do_lag(world: World, random: Random) -> None:
    """Have queries trail what was written."""
    seconds = random.choice((10, 60, 170))
    world.notion.control("set_lag", {"query": float(seconds)})
    world.story.tell("lag", seconds)


def do_skew(world: World, random: Random) -> None:
    """Have the clocks of both services, or of one, differ from the worker's."""
    ahead = random.choice((-86_400, -900, -200, 200, 900, 86_400))
    sides = random.choice(((world.notion, world.jira), (world.notion,), (world.jira,)))
    for side in sides:
        side.control("date", {"clock": "workspace", "ahead": ahead})
    world.story.tell("skew", f"{len(sides)} of two by {ahead}")


def do_unshare(world: World, random: Random) -> None:
    """Have a board be taken from the connection, in the middle of the next cycle, until the cycle has ended."""
    name = random.choice(sorted(world.ground.bindings))
    board = world.ground.bindings[name].database_id

    def take() -> None:
        world.notion.control("unshare", {"id": board})
        world.story.tell("unshared")

    _moment(world, random, take)


def do_copy(world: World, _random: Random) -> None:
    """Make a copy of the state."""
    world.keep_copy()


def do_put_back(world: World, _random: Random) -> None:
    """Put an old copy of the state back."""
    if world.put_back():
        world.story.tell("state", "an old copy was put back")


def do_lose(world: World, _random: Random) -> None:
    """Lose the state."""
    world.lose()
    world.story.tell("state", "lost")


def do_force(world: World, _random: Random) -> None:
    """Have a person say that what is held back is right: the next cycle goes past the limits."""
    world.forces = True
    world.story.tell("forced")


DEEDS: Mapping[str, tuple[int, Deed]] = {
    "person": (26, do_person),
    "jira": (12, do_jira),
    "minutes": (8, do_minutes),
    "days": (10, do_days),
    "cycle": (0, do_cycle),
    "mend": (0, do_mend),
    "other_cycle": (2, do_other_cycle),
    "crash": (12, do_crash),
    "end": (3, do_end),
    "meanwhile": (12, do_meanwhile),
    "pause": (8, do_pause),
    "fault": (14, do_fault),
    "row_fault": (8, do_row_fault),
    "jira_fault": (5, do_jira_fault),
    "lag": (4, do_lag),
    "skew": (2, do_skew),
    "unshare": (2, do_unshare),
    "copy": (3, do_copy),
    "put_back": (2, do_put_back),
    "lose": (1, do_lose),
    "force": (1, do_force),
}
"""The kinds of steps, and how often each is drawn."""


DISTURBING = frozenset(
    {"crash", "end", "pause", "fault", "jira_fault", "skew", "unshare"}
)
"""What goes wrong with a cycle, and leaves nothing behind once it is over. Not lists that trail: until when something
stood is remembered as it was seen (tests/cycle/test_old_views.py compares such lives)."""


def draw_steps(seed: int, cycles: int) -> tuple[Step, ...]:
    """Return the steps of a seed: so many cycles, and before each some of what there is."""
    random = Random(f"soak {seed}")
    kinds = [name for name in DEEDS if DEEDS[name][0]]
    steps: list[Step] = []
    for _ in range(cycles):
        steps += _draw(random, kinds, random.randrange(1, 6), "cycle")
    return tuple(steps)


def draw_comparable(seed: int, cycles: int) -> tuple[Step, ...]:
    """Return steps with which an undisturbed life can be compared: nobody acts during a run, and each run that went wrong
    is followed by others, before the day ends, that go well."""
    random = Random(f"comparable {seed}")
    steps: list[Step] = []
    for _ in range(cycles):
        steps += _draw(random, ["person", "jira"], random.randrange(1, 5))
        steps += _draw(random, sorted(DISTURBING), random.randrange(1, 4), "cycle")
        steps += _draw(random, [], 0, "mend")
    return tuple(steps)


def _draw(random: Random, kinds: list[str], count: int, *after: str) -> list[Step]:
    weights = [DEEDS[name][0] for name in kinds]
    drawn = random.choices(kinds, weights, k=count) if kinds else []
    return [Step(kind, random.getrandbits(32)) for kind in (*drawn, *after)]


def take(world: World, step: Step) -> None:
    """Carry out a step."""
    world.story.tell("step", step.kind)
    _, deed = DEEDS[step.kind]
    deed(world, Random(step.salt))


def calm(world: World) -> None:
    """Take away what makes cycles go wrong."""
    world.notion.control("clear_faults", {})
    world.jira.control("clear_faults", {})
    world.notion.control("set_lag", {"query": 0.0})
    for side in (world.notion, world.jira):
        side.control("date", {"clock": "workspace"})
    for binding in world.ground.bindings.values():
        world.notion.control("share", {"id": binding.database_id})
    world.armed = []
    world.forces = False


QUIET_CYCLES = 8
"""After so many undisturbed cycles nothing is written any more."""


def come_to_rest(world: World) -> bool:
    """Let faults end and cycles run until nothing is written, and tell whether that came (I5).

    The first looks at everything; what it left is seen by those that look at what changed.
    """
    calm(world)
    for number in range(QUIET_CYCLES):
        world.clock.advance(timedelta(minutes=10))
        before = world.writes()
        mode = Mode.DELTA if number % 4 else Mode.FULL
        report = world.cycle(0, mode, [])
        is_refused = report is not None and bool(report.refused)
        world.forces = is_refused
        if report is not None and not is_refused and world.writes() == before:
            world.forces = False
            return True
    world.story.accuse("I5 no quiet came")
    return False
