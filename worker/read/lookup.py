"""What the cards' links came to in Jira, kept between cycles: what was looked up, matched, refused, and stood last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from worker.domain.messages import NOTHING, Text, tell
from worker.jira.paging import condition_of
from worker.ports.tracker import Unread
from worker.state.settings import Setting
from worker.world.links import Link, LinkKind, ResolvedLink

T = TypeVar("T")
SHOWN = 120
"""How much of a link is told in a problem."""


class Standing(msgspec.Struct, frozen=True):
    """The link of a card when it last came to something, with its condition if it had one; `at` is when that was, None
    while it still does."""

    link: Link
    condition: str = ""
    at: datetime | None = None


class Lookup(msgspec.Struct):
    """What links were resolved to, kept between cycles: epic key -> (issue id, project key), filter id -> JQL,
    condition -> ids it matched, the site's projects as (id, key, name), and what could not be read and was not read
    since.

    `refused` holds what Jira does not accept, with its words (none for what does not exist), by `name_of`; `standing` each
    card's last good link; `read` is the moment of the last whole read; `quiet` the bound from which Jira, its names
    proven, had nothing to tell.
    """

    epics: dict[str, tuple[str, str]] = {}
    filters: dict[str, str] = {}
    matched: dict[str, list[str]] = {}
    projects: list[tuple[str, str, str]] = []
    scope: str = ""
    unread: list[Unread] = []
    refused: dict[str, str] = {}
    standing: dict[str, Standing] = {}
    read: datetime | None = None
    quiet: str = ""

    def project_keys(self) -> set[str]:
        """Return the keys of the site's projects."""
        return {key for _, key, _ in self.projects}

    def condition_of(self, link: Link) -> str:
        """Return the condition of a link by JQL or filter, empty for any other."""
        match link.kind:
            case LinkKind.JQL:
                return condition_of(link.text)
            case LinkKind.FILTER if link.text in self.filters:
                return condition_of(self.filters[link.text])
        return ""

    def accepted(self, kind: LinkKind, texts: Iterable[str]) -> set[str]:
        """Return those of some links' texts that Jira does not refuse."""
        return {text for text in texts if name_of(Link(kind, text)) not in self.refused}

    def refuse(self, kind: LinkKind, texts: Iterable[str], said: str = "") -> None:
        """Note that Jira does not accept some links, with its words."""
        for text in texts:
            self.refused[name_of(Link(kind, text))] = said

    def keep(self, links: Collection[Link], standing: Mapping[str, Standing]) -> None:
        """Note each card's last good link; forget what no card names any more."""
        used = set(links)
        conditions = {self.condition_of(link) for link in links}
        for last in standing.values():
            used.add(last.link)
            conditions.add(last.condition)

        named = set(used)
        for text in conditions:
            named.add(Link(LinkKind.JQL, text))
        for _, project in self.epics.values():
            named.add(Link(LinkKind.PROJECT, project))

        epics = texts_of(used, LinkKind.EPIC)
        filters = texts_of(used, LinkKind.FILTER)
        self.standing = dict(standing)
        names = {name_of(link) for link in named}
        self.refused = _only(self.refused, names)
        self.epics = _only(self.epics, epics)
        self.filters = _only(self.filters, filters)
        self.matched = _only(self.matched, conditions)

    def fault_of(self, link: Link) -> Text:
        """Return why a link comes to nothing, in Jira's words where it has any; empty when it comes to something."""
        match link.kind:
            case LinkKind.PROJECT:
                concerned = [link]
                known = link.text in self.project_keys()
            case LinkKind.EPIC:
                _, project = self.epics.get(link.text, ("", ""))
                concerned = [link, Link(LinkKind.PROJECT, project)]
                known = link.text in self.epics
            case LinkKind.JQL | LinkKind.FILTER:
                condition = self.condition_of(link)
                concerned = [link, Link(LinkKind.JQL, condition)]
                known = condition in self.matched
            case _:
                return NOTHING

        names = [name_of(one) for one in concerned]
        refusals = [self.refused[name] for name in names if name in self.refused]
        said = next(filter(None, refusals), "")
        if said:
            return tell(
                "Jira does not accept {link}: {why}", link=_shown(link), why=said
            )
        if known and not refusals:
            return NOTHING
        return tell(
            "Jira has no {kind} {name}, or the account may not see it",
            kind=link.kind.value,
            name=link.text[:SHOWN],
        )

    def resolved(self, links: Mapping[str, Link]) -> dict[str, ResolvedLink]:
        """Return what each card's link came to; where it came to nothing, what the last good one did, with its age."""
        found: dict[str, ResolvedLink] = {}
        for card, link in links.items():
            if link.kind is LinkKind.NONE:
                continue

            is_bad = link.kind is LinkKind.BAD
            fault = NOTHING if is_bad else self.fault_of(link)
            last = self.standing.get(card)
            since = None if last is None else last.at or self.read
            if not is_bad and not fault:
                found[card] = self._resolve(link, self.condition_of(link))
            elif last is not None and since is not None:
                stale = self._resolve(last.link, last.condition)
                found[card] = replace(stale, problem=fault, as_of=since)
            elif fault:
                found[card] = ResolvedLink(link.kind, name_of(link), problem=fault)
        return found

    def _resolve(self, link: Link, condition: str) -> ResolvedLink:
        """Return what a link, by its condition if it has one, came to when it was last looked up."""
        name = name_of(link)
        match link.kind:
            case LinkKind.PROJECT:
                return ResolvedLink(link.kind, name, project=link.text)
            case LinkKind.EPIC:
                issue, project = self.epics.get(link.text, ("", ""))
                return ResolvedLink(link.kind, name, project, issue)
            case LinkKind.JQL | LinkKind.FILTER:
                matched = self.matched.get(condition, ())
                return ResolvedLink(link.kind, name, ids=frozenset(matched))
        return ResolvedLink(link.kind, link.text)


LOOKUP = Setting("jira.lookup", Lookup, Lookup)
"""What links were resolved to by the last read."""


def name_of(link: Link) -> str:
    """Return the name under which a refusal of a link is kept."""
    return f"{link.kind.value} {link.text}"


def texts_of(links: Iterable[Link], kind: LinkKind) -> set[str]:
    """Return the texts of the links of one kind."""
    return {link.text for link in links if link.kind is kind}


def _shown(link: Link) -> str:
    text = link.text
    if len(text) > SHOWN:
        text = text[: SHOWN - 1] + "…"
    if link.kind is LinkKind.JQL:
        return repr(text)
    return f"{link.kind.value} {text}"


def _only(found: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: value for name, value in found.items() if name in names}
