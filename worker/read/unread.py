"""Records of Jira that cannot be read: told in every cycle until they are read, for most are asked for only once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from worker.domain.messages import Text, message, tell
from worker.errors import Code, Problem
from worker.ports.tracker import Unread


class _Words(NamedTuple):
    """How one kind of record is spoken of: its code, a pattern for where it is, and the way out."""

    code: Code
    where: str
    hint: Text


_WORDS = {
    "worklog": _Words(
        Code.BAD_WORKLOG,
        message("time log {name} of {issue}"),
        tell("mend the time log in Jira; until then its time is left out"),
    ),
    "history": _Words(
        Code.BAD_HISTORY,
        message("history of {issue}"),
        tell(
            "ask an administrator of Jira to mend the entry; until then the issue keeps the history "
            "read before, or none"
        ),
    ),
    "project": _Words(
        Code.BAD_PROJECT,
        message("Jira project {name}"),
        tell("mend the project in Jira; until then it is left as it was, or out"),
    ),
    "status": _Words(
        Code.BAD_STATUS,
        message("Jira status {name}"),
        tell(
            "mend the status in Jira; until then changes to it count as of no category"
        ),
    ),
}


UNTOLD = tell("the change to its present status is missing in it")
"""Said of a history that was read without it."""


def still_unread(
    before: Iterable[Unread],
    fresh: Iterable[Unread],
    *,
    kinds: Collection[str],
    read: Callable[[Unread], bool],
) -> list[Unread]:
    """Return what cannot be read after a read of some `kinds`: what is `fresh`, and what was not `read` again."""
    kept = [one for one in before if one.kind not in kinds or not read(one)]
    return sorted({*kept, *fresh})


def problems_of(unread: Iterable[Unread], keys: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each; `keys` are those of issues by id."""
    for record in unread:
        words = _WORDS[record.kind]
        yield Problem(
            code=words.code,
            where=tell(
                words.where,
                name=record.name or "?",
                issue=keys.get(record.issue) or "?",
            ),
            field=record.field,
            message=tell("cannot be read: {error}", error=record.said or UNTOLD),
            hint=words.hint,
        )
