"""How operands of JQL conditions are read, and the functions that may stand for them.

A function Jira has and this table lacks is refused (400); one no Jira has is `UnknownName`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from rayline_sandbox.jira.jql import Call, Clause, Empty, JqlSyntax, Literal, Many
from rayline_sandbox.jira.jql_dates import DATE_FUNCTIONS, Calendar, read_date
from rayline_sandbox.jira.jql_values import UnknownName, projects_named
from rayline_sandbox.jira.model import Issue, User
from rayline_sandbox.jira.store import Store

Test = Callable[[Issue], bool]
Key = str | int


@dataclass(frozen=True, slots=True)
class Sight:
    """Who asks, when, and over which records."""

    store: Store
    me: User
    calendar: Calendar


Answer = Callable[[Sight, tuple[str, ...]], set[Key]]


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """A field bound to one sight; `clause` compiles a condition on it."""

    name: str
    clause: Callable[[Clause], Test]
    sort: Callable[[Issue], object] | None = None
    pool: Callable[[Clause], Collection[int] | None] | None = None


EQUALITY = frozenset({"=", "!=", "in", "not in", "is", "is not"})
ORDERED = EQUALITY | {">", ">=", "<", "<="}
TEXT = frozenset({"~", "!~", "is", "is not"})
_AS_EMPTY = {"=": "is", "!=": "is not", "is": "is", "is not": "is not"}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_FUNCTIONS_ELSEWHERE = frozenset(
    {
        "membersof",
        "issuehistory",
        "linkedissues",
        "votedissues",
        "watchedissues",
        "updatedby",
        "currentlogin",
        "lastlogin",
        "componentsleadbyuser",
        "projectsleadbyuser",
        "projectswhereuserhaspermission",
        "childissuesof",
        "projectswhereuserhasrole",
        "earliestunreleasedversion",
        "latestreleasedversion",
        "standardissuetypes",
        "subtaskissuetypes",
        "parentepic",
        "childissues",
        "linkedissue",
        "cascadeoption",
        "approved",
        "approver",
    }
)


class Operands:
    """Reads the operands of conditions for one sight."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.store = sight.store

    def allow(self, clause: Clause, operators: frozenset[str]) -> None:
        """Refuse an operator the field does not take."""
        empty = isinstance(clause.operand, Empty)
        meant = (
            _AS_EMPTY.get(clause.operator, clause.operator)
            if empty
            else clause.operator
        )
        if not operators.issuperset((clause.operator, meant)):
            raise JqlSyntax(
                f"The operator '{clause.operator}' is not supported by the "
                f"'{clause.field}' field."
            )
        if empty and meant not in _AS_EMPTY.values():
            raise JqlSyntax(
                f"The operator '{clause.operator}' does not support the empty value."
            )

    def values(self, clause: Clause) -> tuple[Literal | Call, ...]:
        """Return the operand as a flat tuple, empty for EMPTY."""
        match clause.operand:
            case Many(items):
                return tuple(item for item in items if not isinstance(item, Empty))
            case Empty():
                return ()
            case _:
                return (clause.operand,)

    def refuse(self, call: Call, field: str) -> Exception:
        """Return the error for a function that does not fit."""
        name = call.name.casefold()
        if name in _FUNCTIONS_ELSEWHERE:
            return JqlSyntax(
                f"The function '{call.name}()' is not known to this sandbox."
            )
        if name in _FUNCTIONS or name in DATE_FUNCTIONS:
            return JqlSyntax(
                f"The function '{call.name}' is not supported by the field '{field}'."
            )
        arguments = ", ".join(call.arguments)
        return UnknownName(f"Unable to find JQL function '{call.name}({arguments})'.")

    def resolve(
        self,
        clause: Clause,
        named: Callable[[Store, str], Iterable[Key]],
        *,
        warning: bool = False,
    ) -> frozenset[Key]:
        """Return the identities the operand names."""
        identities: set[Key] = set()
        for value in self.values(clause):
            if isinstance(value, Call):
                identities.update(self._called(value, clause.field))
                continue
            these = set(named(self.store, value.text))
            if not these:
                raise UnknownName(
                    f"The value '{value.text}' does not exist for the field "
                    f"'{clause.field}'.",
                    warning=warning,
                )
            identities |= these
        return frozenset(identities)

    def _called(self, call: Call, field: str) -> set[Key]:
        function = _FUNCTIONS.get(call.name.casefold())
        if function is None:
            raise self.refuse(call, field)
        fields, most, answer = function
        if field.casefold().strip() not in fields:
            raise self.refuse(call, field)
        if len(call.arguments) > most:
            raise JqlSyntax(
                f"Function '{call.name}' expected '{most}' arguments but received "
                f"'{len(call.arguments)}'."
            )
        return answer(self.sight, call.arguments)

    def date(self, operand: Literal | Call, field: str) -> int:
        """Return the instant an operand means."""
        if isinstance(operand, Call) and operand.name.casefold() not in DATE_FUNCTIONS:
            raise self.refuse(operand, field)
        return read_date(operand, field, self.sight.calendar)


def comparison(
    operator: str,
    wanted: list[float] | list[int],
    value: Callable[[Issue], float | None],
) -> Test:
    """Return the test of an ordered value; an empty value matches nothing."""

    def test(issue: Issue) -> bool:
        found = value(issue)
        return found is not None and compare(operator, wanted, found)

    return test


def compare(operator: str, wanted: list[float] | list[int], value: float) -> bool:
    """Tell whether a value stands in a relation to the wanted ones."""
    match operator:
        case "in":
            return value in wanted
        case "not in":
            return value not in wanted
        case _:
            return COMPARE[operator](value, wanted[0])


def _in_state(*states: str) -> Answer:
    return lambda sight, _: {
        sprint.id for sprint in sight.store.sprints.values() if sprint.state in states
    }


def _released(released: bool) -> Answer:
    def answer(sight: Sight, arguments: tuple[str, ...]) -> set[Key]:
        projects = {each for text in arguments for each in _project(sight, text)}
        return {
            version.id
            for version in sight.store.versions.values()
            if version.released == released
            and (not arguments or version.project in projects)
        }

    return answer


def _project(sight: Sight, text: str) -> set[int]:
    project_ids = projects_named(sight.store, text)
    if not project_ids:
        raise UnknownName(
            f"Could not resolve the project '{text}' provided to a function."
        )
    return project_ids


_PEOPLE = frozenset({"assignee", "reporter", "creator", "worklogauthor"})
_SPRINTS = frozenset(
    {"sprint", "customfield_10020", "customfield_10101", "cf[10020]", "cf[10101]"}
)
_VERSIONS = frozenset({"fixversion"})
_MANY = 1000
_FUNCTIONS: dict[str, tuple[frozenset[str], int, Answer]] = {
    "currentuser": (_PEOPLE, 0, lambda sight, _: {sight.me.account}),
    "opensprints": (_SPRINTS, 0, _in_state("active")),
    "closedsprints": (_SPRINTS, 0, _in_state("closed")),
    "futuresprints": (_SPRINTS, 0, _in_state("future")),
    "releasedversions": (_VERSIONS, _MANY, _released(True)),
    "unreleasedversions": (_VERSIONS, _MANY, _released(False)),
}
