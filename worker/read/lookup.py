"""What the cards' links came to in Jira, kept between cycles: what was looked up, matched, refused, and stood last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from worker.domain.entities import Above, Issue, JiraProject
from worker.domain.messages import NOTHING, Text, message, tell
from worker.errors import Code
from worker.jira.paging import condition_of
from worker.ports.tracker import Unread
from worker.read.unread import still_unread
from worker.state.settings import Setting
from worker.world.attach import EPIC_LEVEL
from worker.world.links import (
    SHOWN,
    Link,
    LinkKind,
    LinkNote,
    ResolvedLink,
    name_of,
    named,
    parts_of,
    shown_of,
    texts_of,
)
from worker.world.listing import Listing, Within

MISSING: Mapping[LinkKind, str] = {
    LinkKind.PROJECT: message(
        "Jira has no project {name}, or the account may not see it"
    ),
    LinkKind.EPIC: message(
        "Jira has no epic or issue {name}, or the account may not see it"
    ),
    LinkKind.FILTER: message(
        "Jira has no filter {name}, or the account may not see it"
    ),
    LinkKind.BOARD: message("Jira has no board {name}, or the account may not see it"),
    LinkKind.JQL: message("Jira has nothing for {name}, or the account may not see it"),
}
T = TypeVar("T")


class Standing(msgspec.Struct, frozen=True):
    """The link of a card when it last came to something, with its condition if it had one; `at` is when that was, None
    while it still does. Of several links `parts` are each."""

    link: Link
    condition: str = ""
    at: datetime | None = None
    parts: tuple[Standing, ...] = ()

    def each(self) -> tuple[Standing, ...]:
        """Return the links of a cell one by one."""
        return self.parts or (self,)


class LinkedEpic(NamedTuple):
    """What the key of an epic came to: the id of the issue, the key of its project, the issue's own key and level."""

    issue: str = ""
    project: str = ""
    key: str = ""
    level: int = EPIC_LEVEL

    @property
    def is_plain(self) -> bool:
        """Tell whether it is an ordinary issue, which has no branch."""
        return self.level < EPIC_LEVEL


NO_EPIC = LinkedEpic()


class Lookup(msgspec.Struct, dict=True):
    """What links were resolved to, kept between cycles: epics by key, filter id -> JQL, board id -> its
    filter's JQL, condition -> ids it matched, the
    site's projects, and what could not be read and was not read since.

    `refused` holds what Jira does not accept, with its words (none for what does not exist), by `name_of`; `standing` each
    card's last good link; `read` is the moment of the last whole read; `quiet` the bound from which Jira, its names
    proven, had nothing to tell; `boughs` the keys by id of the issues below the epics under which there may be more that
    is not read with its project; `covered` names what was read in full, and whose changes are in the snapshot since.

    `listed` are the projects that may be read, None when all may, with the ids and keys of those `seen` by name, and `bound` the
    JQL that kept the last read within them; `beyond` says of epics, by id, how many issues below them lie elsewhere. `hidden`
    holds since when issues are not visible any more, by id; `unmatched` are conditions whose ids did not all come when they
    were asked for last.

    `around` are the ids of the projects of which issues are known, `aside` their neighbours that Jira was asked about, with
    their last change; `passed` is when the conditions whose answer may change while no issue does were asked last,
    `lacking` are ids they matched that cannot be read. `above` are issues by id that are parents and not read themselves.
    """

    epics: dict[str, LinkedEpic] = {}
    filters: dict[str, str] = {}
    matched: dict[str, list[str]] = {}
    projects: list[JiraProject] = []
    unread: list[Unread] = []
    refused: dict[str, str] = {}
    standing: dict[str, Standing] = {}
    read: datetime | None = None
    quiet: str = ""
    boards: dict[str, str] = {}
    boughs: dict[str, str] = {}
    covered: list[str] = []
    listed: tuple[str, ...] | None = None
    seen: dict[str, tuple[str, str]] = {}
    bound: str = ""
    beyond: dict[str, int] = {}
    hidden: dict[str, datetime] = {}
    unmatched: list[str] = []
    around: list[str] = []
    aside: dict[str, datetime] = {}
    passed: datetime | None = None
    lacking: list[str] = []
    above: dict[str, Above] = {}

    @cached_property
    def listing(self) -> Listing:
        """The projects that may be read, among those that the account sees."""
        return Listing(self.listed, self.seen, self.projects)

    def relist(
        self, listed: tuple[str, ...] | None, projects: Iterable[JiraProject]
    ) -> None:
        """Note which projects may be read and which the account sees."""
        self.listed = listed
        self.projects = list(projects)
        self.__dict__.pop("listing", None)
        named = set(listed or ())
        self.seen = _only(self.listing.seen, named)

    def project_keys(self) -> set[str]:
        """Return the keys of the site's projects."""
        return {project.key for project in self.projects}

    def project_ids(self) -> dict[str, str]:
        """Return the ids of the site's projects by key."""
        ids: dict[str, str] = {}
        for project in self.projects:
            ids[project.key] = project.id
        return ids

    def surround(self, keys: Iterable[str], *, afresh: bool = False) -> None:
        """Note of which projects issues are known, besides or `afresh`."""
        ids = self.project_ids()
        around: set[str] = set()
        if not afresh:
            around.update(self.around)
        for key in keys:
            if key in ids:
                around.add(ids[key])
        self.around = sorted(around)

    def unread_projects(self) -> set[str]:
        """Return the keys of projects that cannot be read."""
        names: set[str] = set()
        for unread in self.unread:
            if unread.kind == "project":
                names.add(unread.name)
        return names

    def condition_of(self, link: Link) -> str:
        """Return the condition of a link by JQL, filter or board, empty for any other."""
        match link.kind:
            case LinkKind.JQL:
                return condition_of(link.text)
            case LinkKind.FILTER if link.text in self.filters:
                return condition_of(self.filters[link.text])
            case LinkKind.BOARD if link.text in self.boards:
                return condition_of(self.boards[link.text])
        return ""

    def accepted(self, kind: LinkKind, texts: Iterable[str]) -> set[str]:
        """Return those of some links' texts that may be read and that Jira does not refuse."""
        allowed = {text for text in texts if self._allows(kind, text)}
        return {text for text in allowed if named(kind, text) not in self.refused}

    def _allows(self, kind: LinkKind, text: str) -> bool:
        """Tell whether what a link's text, or a condition, names may be read."""
        match kind:
            case LinkKind.PROJECT:
                return self.listing.allows(text)
            case LinkKind.EPIC:
                epic = self.epics.get(text)
                is_known = epic is None or self.listing.allows(epic.project)
                return is_known and self.may_ask(text)
            case LinkKind.JQL:
                return self.listing.place(text) in (Within.INSIDE, Within.ACROSS)
        return True

    def may_ask(self, key: str) -> bool:
        """Tell whether an issue may be asked for, by its key."""
        project, _, _ = key.rpartition("-")
        return self.listing.allows(project)

    def unseen_projects(self, link: Link) -> set[str]:
        """Return what a link calls projects that the account does not see: they may have got their keys since.

        Without a list only those that are linked themselves: all else is asked for as it stands.
        """
        match link.kind:
            case LinkKind.PROJECT:
                return {link.text} - self.project_keys()
            case LinkKind.EPIC if not self.may_ask(link.text):
                project, _, _ = link.text.rpartition("-")
                if self.listing.shows(project):
                    return set()
                return {project}
            case LinkKind.JQL | LinkKind.FILTER | LinkKind.BOARD:
                if self.listing.listed is not None:
                    return self.listing.unseen(self.condition_of(link))
        return set()

    def refuse(self, kind: LinkKind, texts: Iterable[str], reason: str = "") -> None:
        """Note that Jira does not accept some links, with its words."""
        for text in texts:
            name = named(kind, text)
            self.refused[name] = reason

    def note_unread(
        self,
        unread: Iterable[Unread],
        *,
        kinds: Collection[str],
        read: Callable[[Unread], bool] = lambda one: True,
    ) -> None:
        """Note what could not be read of some kinds; what was `read` again since is forgotten."""
        self.unread = still_unread(self.unread, unread, kinds=kinds, read=read)

    def follow(self, issues: Iterable[Issue]) -> None:
        """Take in where linked issues are now: they may have been moved."""
        by_id = {issue.id: issue for issue in issues}
        for key, epic in self.epics.items():
            issue = by_id.get(epic.issue)
            if issue is None:
                continue
            self.epics[key] = LinkedEpic(
                issue.id, issue.project, issue.key, issue.level
            )

    def keep(self, links: Collection[Link], standing: Mapping[str, Standing]) -> None:
        """Note each card's last good link; forget what no card names any more."""
        used = parts_of(links)
        conditions = {self.condition_of(link) for link in used}
        for held in standing.values():
            for last in held.each():
                used.add(last.link)
                conditions.add(last.condition)

        names = self._names(used, conditions)
        epics = texts_of(used, LinkKind.EPIC)
        filters = texts_of(used, LinkKind.FILTER)
        boards = texts_of(used, LinkKind.BOARD)
        self.standing = dict(standing)
        self.refused = _only(self.refused, names)
        self.epics = _only(self.epics, epics)
        self.filters = _only(self.filters, filters)
        self.boards = _only(self.boards, boards)
        self.matched = _only(self.matched, conditions)

    def _names(self, used: Iterable[Link], conditions: Iterable[str]) -> set[str]:
        """Return the names of links, with those of the conditions and the projects they came to."""
        names = {name_of(link) for link in used}
        for link in used:
            unseen = self.unseen_projects(link)
            names |= {named(LinkKind.PROJECT, project) for project in unseen}
        for condition in conditions:
            name = named(LinkKind.JQL, condition)
            names.add(name)
        for epic in self.epics.values():
            name = named(LinkKind.PROJECT, epic.project)
            names.add(name)
        return names

    def fault_of(self, link: Link) -> Text:
        """Return why a link comes to nothing, in Jira's words where it has any; empty when it comes to something."""
        match link.kind:
            case LinkKind.PROJECT:
                names = [name_of(link)]
                known = link.text in self.project_keys()
            case LinkKind.EPIC:
                epic = self.epics.get(link.text, NO_EPIC)
                names = [name_of(link), named(LinkKind.PROJECT, epic.project)]
                known = link.text in self.epics
            case LinkKind.JQL | LinkKind.FILTER | LinkKind.BOARD:
                condition = self.condition_of(link)
                names = [name_of(link), named(LinkKind.JQL, condition)]
                known = condition in self.matched
            case LinkKind.SEVERAL:
                read = [part for part in link.parts if not self.unlisted_of(part)]
                faults = [self.fault_of(part) for part in read]
                return next(filter(None, faults), NOTHING)
            case LinkKind.FOREIGN:
                return tell(
                    "the address is one of another Jira, {host}, which is not read",
                    host=link.text[:SHOWN],
                )
            case _:
                return NOTHING

        refusals = [self.refused[name] for name in names if name in self.refused]
        words = next(filter(None, refusals), "")
        condition = self.condition_of(link)
        if words and condition and self.listing.mentions_others(condition):
            return _refused_beyond(link)
        if words:
            return tell(
                "Jira does not accept {link}: {why}", link=shown_of(link), why=words
            )
        if known and not refusals:
            return NOTHING
        return tell(MISSING[link.kind], name=link.text[:SHOWN])

    def unlisted_of(self, link: Link) -> Text:
        """Return why nothing of a link may be read; empty where something may."""
        match link.kind:
            case LinkKind.PROJECT | LinkKind.EPIC if not self._allows(
                link.kind, link.text
            ):
                return self._unlisted_key(link)
            case LinkKind.JQL | LinkKind.FILTER | LinkKind.BOARD:
                condition = self.condition_of(link)
                place = Within.INSIDE
                if condition:
                    place = self.listing.place(condition)
                if place is Within.UNCLEAR:
                    return tell(
                        "the query cannot be read: its brackets or quotes do not close"
                    )
                if place is Within.OUTSIDE:
                    return tell(
                        "{link} asks for {projects}, and nothing of that may be read",
                        link=shown_of(link),
                        projects=self._unlisted_in(link, condition),
                    )
            case LinkKind.SEVERAL:
                faults = [
                    self.unlisted_of(part)
                    for part in link.parts
                    if part.kind is not LinkKind.BAD
                ]
                if all(faults):
                    return next(iter(faults), NOTHING)
        return NOTHING

    def _unlisted_key(self, link: Link) -> Text:
        if link.kind is LinkKind.EPIC and self.may_ask(link.text):
            return tell(
                "issue {key} lies in a project that is not listed by now", key=link.text
            )
        project = link.text
        if link.kind is LinkKind.EPIC:
            project, _, _ = link.text.rpartition("-")
        return tell(
            "project {project} is not one of those that may be read", project=project
        )

    def _unlisted_in(self, link: Link, condition: str) -> Text:
        """Return the projects that a query asks for in vain; what others wrote into a filter is not told on."""
        names = self.listing.unlisted(condition)
        if not names or link.kind is not LinkKind.JQL:
            return tell("projects that are not listed")
        listed = ", ".join(name[:SHOWN] for name in names)
        return tell("project {names}", names=listed)

    def _count_beyond(self, link: Link) -> int:
        """Return how many issues hang below a linked epic in projects that are not listed."""
        if link.kind is not LinkKind.EPIC:
            return 0
        epic = self.epics.get(link.text, NO_EPIC)
        return self.beyond.get(epic.issue, 0)

    def _notes_of(self, link: Link) -> Iterator[LinkNote]:
        """Yield what is to be said of the parts of a link that counts."""
        for part in link.each():
            unlisted = self.unlisted_of(part)
            fault = self.fault_of(part)
            condition = self.condition_of(part)
            if part.kind is LinkKind.BAD:
                typed = part.text[:SHOWN]
                yield LinkNote(Code.BAD_LINK, tell("cannot read “{text}”", text=typed))
            elif unlisted:
                yield LinkNote(Code.UNLISTED_PROJECT, unlisted)
            elif fault:
                yield LinkNote(Code.UNRESOLVED_LINK, fault)
            elif condition and self.listing.place(condition) is Within.ACROSS:
                excess = tell(
                    "{link} reaches beyond the listed projects, into {projects}: only issues of listed ones count",
                    link=shown_of(part),
                    projects=self._unlisted_in(part, condition),
                )
                yield LinkNote(Code.UNLISTED_PROJECT, excess)
            elif count := self._count_beyond(part):
                excess = tell(
                    "below {link} are issues of projects that are not listed, which do not count: {count}",
                    link=shown_of(part),
                    count=count,
                )
                yield LinkNote(Code.UNLISTED_PROJECT, excess)

    def resolved(self, links: Mapping[str, Link]) -> dict[str, ResolvedLink]:
        """Return what each card's link came to; where it came to nothing, what the last good one did, with its age."""
        by_card: dict[str, ResolvedLink] = {}
        for card, link in links.items():
            if link.kind is LinkKind.NONE:
                continue

            unlisted = self.unlisted_of(link)
            if unlisted:
                by_card[card] = ResolvedLink(
                    link.kind,
                    name_of(link),
                    problem=unlisted,
                    code=Code.UNLISTED_PROJECT,
                )
                continue

            fault = self.fault_of(link)
            if link.kind is not LinkKind.BAD and not fault:
                standing = self.stand(link)
                notes = tuple(self._notes_of(link))
                by_card[card] = replace(self._resolve(standing), notes=notes)
                continue
            stale = self._resolve_last(card)
            if stale is not None:
                by_card[card] = replace(stale, problem=fault)
            elif fault and self._is_partly_good(link):
                standing = self.stand(link)
                notes = tuple(self._notes_of(link))
                by_card[card] = replace(self._resolve(standing), notes=notes)
            elif fault:
                name = name_of(link)
                by_card[card] = ResolvedLink(link.kind, name, problem=fault)
        return by_card

    def _is_partly_good(self, link: Link) -> bool:
        """Tell whether some of several links come to something: a card without last figures has at least theirs."""
        parts = [part for part in link.parts if part.kind is not LinkKind.BAD]
        return any(
            not self.fault_of(one) and not self.unlisted_of(one) for one in parts
        )

    def _resolve_last(self, card: str) -> ResolvedLink | None:
        """Return what the last good link of a card came to, with its age; None when it never had one."""
        last = self.standing.get(card)
        if last is None:
            return None
        since = last.at or self.read
        if since is None:
            return None
        stale = self._resolve(last)
        return replace(stale, as_of=since)

    def stand(self, link: Link) -> Standing:
        """Return a link, with its condition if it has one, as it stands now."""
        condition = self.condition_of(link)
        parts = tuple(self.stand(part) for part in link.parts)
        return Standing(link, condition, parts=parts)

    def _resolve(self, standing: Standing) -> ResolvedLink:
        """Return what a link, by its condition if it has one, came to when it was last looked up."""
        link = standing.link
        condition = standing.condition
        name = name_of(link)
        if link.kind is not LinkKind.SEVERAL and self.unlisted_of(link):
            return ResolvedLink(link.kind, name)
        match link.kind:
            case LinkKind.PROJECT:
                return ResolvedLink(link.kind, name, project=link.text)
            case LinkKind.EPIC:
                epic = self.epics.get(link.text, NO_EPIC)
                if epic.is_plain:
                    name = f"issue {link.text}"
                return ResolvedLink(
                    link.kind, name, epic.project, epic.issue, plain=epic.is_plain
                )
            case LinkKind.JQL | LinkKind.FILTER | LinkKind.BOARD:
                matched = self.matched.get(condition, ())
                ids = frozenset(matched)
                return ResolvedLink(link.kind, name, ids=ids)
            case LinkKind.SEVERAL:
                parts = tuple(self._resolve(part) for part in standing.parts)
                names = [part.shown for part in parts if part.kind is not LinkKind.BAD]
                shown = ", ".join(names)
                return ResolvedLink(link.kind, shown, parts=parts)
        return ResolvedLink(link.kind, link.text)


LOOKUP = Setting("jira.lookup", Lookup, Lookup)
"""What links were resolved to by the last read."""


def _refused_beyond(link: Link) -> Text:
    """Return that a query was refused, without Jira's words: of a query that names more than may be read they may tell what
    is there."""
    if link.kind is LinkKind.JQL:
        return tell(
            "Jira does not accept {link}, which names what is not listed: keep it to listed projects (project = KEY AND ...)",
            link=shown_of(link),
        )
    return tell(
        "Jira does not accept the query of {link}, which reaches beyond the listed projects: mend it in Jira",
        link=shown_of(link),
    )


def _only(found: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    return {name: value for name, value in found.items() if name in names}
