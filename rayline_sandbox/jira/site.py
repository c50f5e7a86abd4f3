"""What every handler works with: the site (records, clock, account) and the call (request, parameters, body)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from rayline_sandbox.jira.errors import Refusal, missing, missing_issue
from rayline_sandbox.jira.instants import to_millis
from rayline_sandbox.jira.jql_dates import Calendar
from rayline_sandbox.jira.jql_operands import Sight
from rayline_sandbox.jira.model import Issue, Json, Project, User
from rayline_sandbox.jira.numbers import as_whole
from rayline_sandbox.jira.store import Store
from rayline_sandbox.jira.walks import BadToken, Walks
from rayline_sandbox.wire import Clock, Request

Each = TypeVar("Each")


@dataclass(slots=True)
class Site:
    """One Jira site as one account sees it."""

    store: Store
    clock: Clock
    me: User
    zone: ZoneInfo
    cloud: bool
    walks: Walks
    cloud_id: str
    self_base: str = ""
    hours_per_day: float = 8.0
    days_per_week: float = 5.0
    administers: bool = False
    """Whether the account administers Jira; what only administrators may do is refused otherwise."""
    tasks: dict[str, list[int]] = field(default_factory=dict)
    webhooks: object = None
    """Who is told of changes (`webhooks.Webhooks`)."""

    def now(self) -> int:
        """Return the site's present instant in milliseconds."""
        return to_millis(self.clock.now())

    def sight(self) -> Sight:
        """Return who asks and when, for JQL."""
        calendar = Calendar(self.now(), self.zone)
        return Sight(self.store, self.me, calendar)

    def open_walk(self, token: str, bound: str) -> tuple[int, int, Sequence[int]]:
        """Return number, offset and ids of the walk a token of `bound` names; refused when there is none."""
        try:
            return self.walks.open(token, bound, self.now())
        except BadToken:
            raise Refusal(
                400, "The provided next page token is invalid or expired."
            ) from None

    def issue(self, ref: object) -> Issue:
        """Return a visible issue by id, key or former key; 404 otherwise."""
        found = self.store.find_issue(ref)
        if found is None:
            raise missing_issue()
        return found

    def project(self, ref: object) -> Project:
        """Return a visible project; archived ones can be read, hidden and deleted ones cannot."""
        found = self.store.find_project(ref)
        if found is None or found.hidden or found.state == "deleted":
            raise missing("project", ref)
        return found

    def need_administrator(self) -> None:
        """Refuse what only administrators may do when the account is none."""
        if not self.administers:
            raise Refusal(
                403,
                "You do not have permission to perform this operation: it needs the "
                "Administer Jira global permission.",
            )

    def user(self, ref: object) -> User:
        """Return a user by any of the identities; 400 otherwise."""
        found = self.store.find_user(ref)
        if found is None:
            raise Refusal(400, f"The user '{ref}' does not exist.")
        return found


@dataclass(slots=True)
class Call:
    """One routed request; `shapes` are the faults that change an answer instead of replacing it."""

    request: Request
    parameters: dict[str, str]
    version: int
    base: str
    shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def body(self) -> Any:
        """Return the decoded JSON body; an empty body is an empty object."""
        if not self.request.body:
            return {}
        try:
            return msgspec.json.decode(self.request.body)
        except (msgspec.DecodeError, RecursionError):
            raise Refusal(
                400,
                "There was an error parsing JSON. Check that your request body is "
                "valid.",
            ) from None

    def object(self) -> Json:
        """Return the body, which must be an object."""
        value = self.body()
        if not isinstance(value, dict):
            raise Refusal(
                400, "Can not deserialize the request body: an object was expected."
            )
        return value

    def text(self, name: str, default: str = "") -> str:
        """Return a query value."""
        return self.request.first(name) or default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a query value as a truth value."""
        value = self.request.first(name)
        if value is None:
            return default
        return value.casefold() == "true"

    def integer(self, name: str, default: int) -> int:
        """Return a query value as a whole number; 400 when it is none."""
        return whole(self.request.first(name), name, default)

    def page(self, usual: int, most: int, *, least: int = 1) -> tuple[int, int]:
        """Return where a page begins and how long it is: a longer one is cut, a place or length below sense is 400.

        A page of none could never be followed by a next one, so only answers that a total makes useful allow it.
        """
        start = self.integer("startAt", 0)
        size = self.integer("maxResults", usual)
        if start < 0 or size < least:
            raise Refusal(
                400,
                "startAt must not be negative and maxResults must be at least "
                f"{least}.",
            )
        return start, min(size, most)

    def ordered(
        self,
        items: Iterable[Each],
        keys: Mapping[str, Callable[[Each], Any]],
        usual: str,
    ) -> list[Each]:
        """Return items by the field `orderBy` names (`-` turns it round), those without a value last; 400 for none."""
        # A `+` in a query is a blank once decoded.
        wish = self.text("orderBy", usual).strip()
        name = wish
        if wish.startswith(("+", "-")):
            name = wish[1:]
        key = keys.get(name)
        if key is None:
            known = ", ".join(keys)
            raise Refusal(
                400, f"The value '{wish}' of 'orderBy' is not one of {known}."
            )

        ordered: list[Each] = []
        without: list[Each] = []
        for item in items:
            part = without if key(item) is None else ordered
            part.append(item)
        ordered.sort(key=key, reverse=wish.startswith("-"))
        return ordered + without

    def listed(self, name: str) -> tuple[str, ...]:
        """Return comma-separated and repeated query values as one tuple."""
        return tuple(
            part.strip()
            for value in self.request.every(name)
            for part in value.split(",")
            if part.strip()
        )


def honour(asked: Iterable[str], without: frozenset[str]) -> frozenset[str]:
    """Return the expansions asked for; 400 for those that exist in the service and not here."""
    expand = frozenset(asked)
    missed = sorted(expand & without)
    if missed:
        raise Refusal(400, f"The value '{missed[0]}' of 'expand' is not supported.")
    return expand


def whole(value: object, name: str, default: int) -> int:
    """Return a whole number given as number or text, the default for none; 400 for anything else."""
    if value is None or value == "":
        return default
    found = as_whole(str(value))
    if found is None:
        raise Refusal(400, f"The value '{value}' of '{name}' is not a whole number.")
    return found


def strings(value: object, name: str) -> list[str]:
    """Return a list of texts from a body; 400 for anything else."""
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Refusal(400, f"'{name}' must be a list.")
    return [str(each) for each in value]
