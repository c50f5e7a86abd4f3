"""Keys of Jira issues in what pages say: each leads to its issue."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial

from worker.domain.document import Block, lead
from worker.world.world import World


def link_keys(world: World) -> Callable[[Sequence[Block]], tuple[Block, ...]]:
    """Return what makes keys of the issues that were read lead to Jira, where its address is known."""
    known = {issue.key for issue in world.issues.values()}
    projects = {issue.project for issue in world.issues.values()}
    if not (projects and world.jira_url):
        return tuple
    names = "|".join(re.escape(name) for name in sorted(projects))
    keys = re.compile(rf"\b(?:{names})-[1-9][0-9]*\b")
    return partial(lead, pattern=keys, address=partial(_address, world, known))


def _address(world: World, known: Collection[str], key: str) -> str:
    """Return where an issue is seen; nothing for one that is not there, or not shown."""
    if key not in known:
        return ""
    return f"{world.jira_url}/browse/{key}"
