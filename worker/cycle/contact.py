"""The first words with both services, before somebody who waits for an answer: side by side, and within seconds.

A service that is not there is tried again as often as the seconds allow, and no longer: whoever looks is told so at once,
where a run has minutes.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from worker.codecs.records import User
from worker.cycle.context import Context
from worker.ports.tracker import ServerInfo

SECONDS = 8.0
"""How long the services are waited for, all waits between attempts among them."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who each service says we are: `result()` returns it, or raises the API error that came instead."""

    notion: Future[User]
    jira: Future[ServerInfo]


def make_contact(context: Context) -> Contact:
    """Return what both services answered, or failed with; what is asked after it has the time of a run."""
    context.limit(SECONDS)
    with ThreadPoolExecutor(2, thread_name_prefix="contact") as pool:
        contact = Contact(
            pool.submit(context.notion.me), pool.submit(context.jira.server_info)
        )
    context.begin()
    return contact
