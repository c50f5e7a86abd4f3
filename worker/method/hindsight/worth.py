"""What answers to signals were worth: cases with a task of a playbook beside like ones without (docs/facts/definitions.md 15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from worker.method.hindsight.intervals import Share

USELESS = 20
"""Tries after which a playbook that never helped is named."""


class Case(msgspec.Struct, frozen=True, gc=False):
    """A signal of a client of one kind (`group`, empty without a client), `answered` by a task of the playbook or left
    without; whether it `came_good` within the playbook's time."""

    playbook: str
    group: str
    answered: bool
    came_good: bool


class Worth(msgspec.Struct, frozen=True, gc=False):
    """How often cases of one playbook and one kind of client came good, with a task and without; `title` is the text of
    its tasks."""

    playbook: str
    title: str
    group: str
    answered: Share
    without: Share


def weigh_cases(cases: Iterable[Case], titles: Mapping[str, str]) -> tuple[Worth, ...]:
    """Return what every playbook of `titles` that was tried was worth, by kind of client; in the order of titles and groups."""
    with_task: dict[tuple[str, str], list[bool]] = defaultdict(list)
    without: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for case in cases:
        side = without
        if case.answered:
            side = with_task
        of_place = side[case.playbook, case.group]
        of_place.append(case.came_good)

    worths = []
    for (playbook, group), ends in with_task.items():
        if playbook not in titles:
            continue
        title = titles[playbook]
        answered = _count(ends)
        others = without[playbook, group]
        alone = _count(others)
        worth = Worth(playbook, title, group, answered, alone)
        worths.append(worth)
    worths.sort(key=lambda worth: (worth.title, worth.playbook, worth.group))
    return tuple(worths)


def _count(ends: Sequence[bool]) -> Share:
    return Share(sum(ends), len(ends))


def find_useless(worths: Iterable[Worth]) -> tuple[Worth, ...]:
    """Return the playbooks that were tried often enough and helped no kind of client, each as one of all kinds."""
    by_playbook: dict[str, list[Worth]] = defaultdict(list)
    for worth in worths:
        by_playbook[worth.playbook].append(worth)

    useless = []
    for name, own in by_playbook.items():
        answered = _together(worth.answered for worth in own)
        if answered.hits or answered.tries < USELESS:
            continue
        without = _together(worth.without for worth in own)
        title = own[0].title
        whole = Worth(name, title, "", answered, without)
        useless.append(whole)
    return tuple(useless)


def _together(shares: Iterable[Share]) -> Share:
    hits = 0
    tries = 0
    for share in shares:
        hits += share.hits
        tries += share.tries
    return Share(hits, tries)
