"""Every way a run can go wrong, as values.

Errors carry fields; they become prose in one place (`worker.cli.prose`). Two kinds live here:

* `Problem`: one thing a person should know of (a bad record, a missing property). Collected, never raised.
* exceptions: what stops a call, a change or a run. The five API errors are the only ones that leave a gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from worker.domain.messages import ENGLISH, NOTHING, Text, render, shorten
from worker.domain.words import Words


class Severity(StrEnum):
    """How bad a `Problem` is: `error` stops what needs the thing, `warning` and `info` do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Code(StrEnum):
    """What kind of thing is wrong: stable, for filters of logs and JSON; each has its way out in docs/problems.md."""

    # Configuration and the command line.
    CONFIG = "config"
    """A setting is missing, unknown or not usable."""
    PROVISIONAL_CALENDAR = "provisional-calendar"
    """The days that a country moves in a year are not known yet; plans and capacity of that year are provisional."""
    STATE = "state"
    """The database of the state cannot be opened, or nothing is kept in it yet."""
    LOST_MEMORY = "lost-memory"
    """The state is new although rows of the worker stand; rows that a person may have trashed are not made."""
    DOUBTFUL_CELL = "doubtful-cell"
    """The state is older than a cell; nobody can tell whether a person typed what stands there."""
    MAPPING = "mapping"
    """The mapping of a data source is not usable."""
    BAD_MAPPING = "bad-mapping"
    """The mapping of Jira is not usable."""
    BAD_PLAYBOOK = "bad-playbook"
    """A playbook is not usable."""
    UNKNOWN_ROLE = "unknown-role"
    """A playbook names a role that nobody can have."""
    SCOPE = "scope"
    """The command names a client that is not there, or several."""
    COMMAND_LINE = "command-line"
    """A command was called in a way that it does not know."""
    RUN = "run"
    """The command names a run that is not there."""
    EXPLAIN = "explain"
    """The command names a row that is not there, or several."""
    BAD_STORY = "bad-story"
    """A storyline of the demo cannot be read."""

    # Access to the services.
    DENIED = "denied"
    """A service refused the credentials, or the connection lacks a capability."""
    MISSING = "missing"
    """A service does not show what was asked for: it is gone, or not shared."""
    REJECTED = "rejected"
    """A service understood a request and refused it."""
    TRANSIENT = "transient"
    """A service is not available now."""
    UNKNOWN = "unknown"
    """A service did not say whether it did what was asked."""
    UNREACHABLE = "unreachable"
    """Something stands between this program and a service, and waiting does not mend it."""
    POSTPONED = "postponed"
    """A service asks to wait longer than a run may."""
    SERVER_CLOCK = "server-clock"
    """The clock of one service is wrong; this machine's agrees with the other's."""
    TOKEN_EXPIRES = "token-expires"
    """A token ends soon, or has ended, by the day that the configuration says."""

    # The boards of the workspace.
    NO_ROOT_PAGE = "no-root-page"
    """A root page is in the trash, or not shared with the connection."""
    NO_BOARDS = "no-boards"
    """None of the expected databases is on the root page."""
    SEVERAL_BOARDS = "several-boards"
    """Several databases under the root page have the title of one; none is taken."""
    SCHEMA_SOURCE = "schema-source"
    """A database is not under the root page; the rules that need it are off."""
    SCHEMA_PRIVATE = "schema-private"
    """A private database has no root page; the rules that need it are off."""
    SCHEMA_MISSING = "schema-missing"
    """A property is not there."""
    SCHEMA_DELETED = "schema-deleted"
    """A property that was bound before was deleted."""
    SCHEMA_RETYPED = "schema-retyped"
    """A property has another type, or its relation leads elsewhere."""
    SCHEMA_OPTION = "schema-option"
    """A property lacks options that the rules use."""
    SCHEMA_UNREADABLE = "schema-unreadable"
    """The definition of a property cannot be read; it counts as it was read last."""
    UNUSED_BOARD = "unused-board"
    """A board of the agency's looks as if it played a part for which Rayline keeps a board of its own."""
    FREE_PLAN = "free-plan"
    """The workspace's plan is Notion's free one, under which several people may make few blocks."""
    MISSING_VIEW = "missing-view"
    """A board lacks views that are made with it."""
    OTHER_INSTALLATION = "other-installation"
    """Another installation keeps the boards; nothing is written into them."""
    OWNER_LINE = "owner-line"
    """The line that names this installation was gone, and was put back."""

    # Reading Notion.
    BOARD_UNSEEN = "board-unseen"
    """A board is in the trash or not shared any more; it counts as it was read last, nothing is written to it."""
    INCOMPLETE_READ = "incomplete-read"
    """A service did not show everything; nothing is archived or dropped for it."""
    NEVER_READ = "never-read"
    """A board was never read in full yet, so that nobody knows what stands in it; nothing is written."""
    UNREADABLE_PAGE = "unreadable-page"
    """A row of Notion cannot be read at all; it counts as it was read last."""
    UNREADABLE_FIELD = "unreadable-field"
    """A cell of Notion cannot be read."""
    UNREADABLE_KEY = "unreadable-key"
    """No row is made while one that stands cannot be read: it may be the same."""
    ROW_LEFT_BOARD = "row-left-board"
    """Somebody moved a row of the worker out of its data source."""

    # Reading Jira.
    BAD_ISSUE = "bad-issue"
    """An issue cannot be read and is left out."""
    FUTURE_WORKLOG = "future-worklog"
    """A work log is dated in days to come; it is no activity yet."""
    BAD_FIELD = "bad-field"
    """The definition of a Jira field cannot be read; no issue is read by it."""
    BAD_WORKLOG = "bad-worklog"
    """A work log cannot be read; its time is left out."""
    BAD_HISTORY = "bad-history"
    """The history of an issue cannot be read; the one read before counts."""
    BAD_PROJECT = "bad-project"
    """A Jira project cannot be read; it is left as it was, or out."""
    BAD_STATUS = "bad-status"
    """A Jira status cannot be read; changes to it count as of no category."""
    CYCLIC_PARENTS = "cyclic-parents"
    """Issues are each other's parents; each is counted once."""

    # Cards and their Jira work.
    BAD_LINK = "bad-link"
    """The Jira field of a card is no project, epic, filter, JQL or address."""
    UNRESOLVED_LINK = "unresolved-link"
    """What the Jira field of a card names could not be found, or is an address of another Jira."""
    OPEN_PROJECTS = "open-projects"
    """No list says which projects may be read: all that the account sees may."""
    UNKNOWN_PROJECT = "unknown-project"
    """The list of projects names one that Jira does not show."""
    UNLISTED_PROJECT = "unlisted-project"
    """What a card links lies, wholly or in part, in projects that the configuration does not list."""
    NOT_VISIBLE = "not-visible"
    """Issues of a card are not visible any more; its figures stand as they were."""
    UNMATCHED_CARD = "unmatched-card"
    """A card names no Jira work."""
    UNMATCHED_PROJECT = "unmatched-project"
    """No card names a Jira project."""
    NO_CLIENTS = "no-clients"
    """There are no clients yet: nothing is planned, and no Jira project is missed."""
    CARD_WITHOUT_CLIENT = "card-without-client"
    """A card names no client."""

    # What stands in rows.
    NO_TITLE = "no-title"
    """A row has no name."""
    DUPLICATE_KEY = "duplicate-key"
    """A row carries the Rayline key of another row; it was not changed."""
    DUPLICATE_ACCOUNT = "duplicate-account"
    """Several people have the same Jira account."""
    REVERSED_DATES = "reversed-dates"
    """A range of dates ends before it starts."""
    NEGATIVE_AMOUNT = "negative-amount"
    """An amount is below zero and counts as unknown."""
    OUT_OF_RANGE = "out-of-range"
    """A value lies outside what the field can mean and counts as unknown."""
    DANGLING_RELATION = "dangling-relation"
    """A relation leads to rows that cannot be read."""
    SEVERAL_ROWS = "several-rows"
    """A relation leads to several rows where one is meant."""
    CLIENT_WITHOUT_UNIT = "client-without-unit"
    """A client that is an account has no unit."""
    TWO_AMS = "two-ams"
    """A unit has several account managers."""
    UNIT_WITHOUT_PEOPLE = "unit-without-people"
    """Nobody is in a unit."""
    BROKEN_TRIANGLE = "broken-triangle"
    """A unit has no AM, TL or PM, or more than one AM."""
    TWO_UNITS = "two-units"
    """A person stands in several units and says no shares; the hours count in one of them."""
    NO_CAPACITY = "no-capacity"
    """A person has no hours a week; load and utilization stay empty."""
    NO_JIRA_ACCOUNT = "no-jira-account"
    """A person has no Jira account, or a name or e-mail in its place, so the work cannot be seen."""
    UNKNOWN_ACCOUNT = "unknown-account"
    """Work in Jira is of an account that is nobody's in People."""
    NO_BIRTH_YEAR = "no-birth-year"
    """A birthday has no year; its day is kept."""
    BAD_TIME_OFF = "bad-time-off"
    """A line of a person's time off is no range of days."""
    BAD_WEEK = "bad-week"
    """A person's weekly pattern is no row of hours, or does not come to the hours a week."""
    BAD_ALLOCATION = "bad-allocation"
    """The shares of a person's hours cannot be read, name no unit, or come to more than all."""
    IDEA_WITHOUT_CLIENT = "idea-without-client"
    """An accepted idea names no client, so it cannot become a card."""
    REQUEST_WITHOUT_CLIENT = "request-without-client"
    """A task from outside names no client and goes to the head of accounts."""
    INCOMPLETE_FEEDBACK = "incomplete-feedback"
    """Feedback lacks its client or date and counts nowhere."""
    INCOMPLETE_ROW = "incomplete-row"
    """A row lacks a cell without which nothing can be done with it."""
    GOAL_WITHOUT_MEASURE = "goal-without-measure"
    """A goal says not what is counted, or how much of it is the goal."""
    GOAL_WITHOUT_PERIOD = "goal-without-period"
    """A goal has no period."""

    # Money and plans.
    INCOMPLETE_REVENUE = "incomplete-revenue"
    """A money entry lacks client, month, amount or kind and is left out."""
    OTHER_CURRENCY = "other-currency"
    """A money entry is in another currency than the workspace and is left out."""
    INCOMPLETE_TERM = "incomplete-term"
    """A dated term does not say whose, what, from when or how much; it counts nowhere."""
    OVERLAPPING_TERMS = "overlapping-terms"
    """Two terms of one row say different things from the same day; the one made first counts."""
    OTHER_TERM = "other-term"
    """A cell does not say what its dated terms say; the terms count."""
    EARLY_CLOSE = "early-close"
    """A ledger row is of a month that is not closed yet; the month is counted as it stands."""
    WRITE_OFF_TOO_LARGE = "write-off-too-large"
    """More is written off than was earned and not billed; what is beyond it counts nowhere."""
    NO_RATE = "no-rate"
    """Hours of a person have no rate and are left out of the accrued revenue."""
    INCOMPLETE_COST = "incomplete-cost"
    """A cost rate is nobody's or no amount, and counts nowhere."""
    DUPLICATE_COST = "duplicate-cost"
    """Two rows give a person a cost rate from the same day; the one made last counts."""
    NO_COST_RATE = "no-cost-rate"
    """Hours of a person have no cost rate; the margins of their months are not known."""
    BAD_PIN = "bad-pin"
    """A plan is pinned, but its target is no amount of zero or more."""
    PIN_CONFLICT = "pin-conflict"
    """The pins of a plan and of its parts cannot all hold."""
    UNPINNED_TARGET = "unpinned-target"
    """A target was typed but is not pinned; nothing is planned by it."""
    BAD_SCENARIO = "bad-scenario"
    """A row of a scenario cannot be asked: it names nothing, two things, a day that is past, or lacks its value."""
    WAITING_TASK = "waiting-task"
    """A task waits: its client has as many new ones in this sprint, or its person today, as are allowed."""

    # Plans that are refused.
    OTHER_PLAN = "other-plan"
    """The plan is not the one that was reviewed."""
    TOO_DESTRUCTIVE = "too-destructive"
    """The plan would archive or empty a larger share of rows than is allowed."""
    SOURCE_EMPTY = "source-empty"
    """A data source lost all its rows since the last cycle."""
    TOO_MANY_CHANGES = "too-many-changes"
    """The plan would change more pages than is allowed."""
    INCOMPLETE_ARCHIVE = "incomplete-archive"
    """The plan would archive rows after an incomplete read."""
    MAPPING_CHANGED = "mapping-changed"
    """The plan would archive or empty rows in the first run after the mapping changed."""

    # Writing to Notion.
    WRITE_DENIED = "write-denied"
    """Notion does not let the connection write."""
    PAGE_GONE = "page-gone"
    """The page to write is gone, or not shared with the connection."""
    WRITE_REJECTED = "write-rejected"
    """Notion refused the content of a change."""
    WRITE_FAILED = "write-failed"
    """A change could not be sent."""
    WRITE_UNKNOWN = "write-unknown"
    """Notion did not say whether a change was made."""
    APPLY_FAILED = "apply-failed"
    """A change failed for another reason, which the message names."""
    VALUE_UNWRITABLE = "value-unwritable"
    """A value has no place in the workspace, such as a missing option."""
    VALUE_CUT = "value-cut"
    """A value is longer than Notion takes and was written in part."""
    FIELD_REFUSED = "field-refused"
    """A row was written without a field that Notion refused."""
    UNBOUND_KEY = "unbound-key"
    """Rows cannot be made without the Rayline key property."""
    UNSETTLED_CREATION = "unsettled-creation"
    """It is not known whether a row was made, and it could not be looked up."""
    CREATION_IN_DOUBT = "creation-in-doubt"
    """Notion did not say whether a row was made."""
    SURPLUS_ROW = "surplus-row"
    """A row was made a second time, since the run had been paused."""
    PLACE_CLOSED = "place-closed"
    """A page that is no row (Home, a page for a client) may not be written to; what would stand on it is left out."""
    PICTURE_NOT_DRAWN = "picture-not-drawn"
    """A picture could not be drawn; its words stand in its place."""
    TAKEN_OVER = "taken-over"
    """Another process took the workspace over from a run that gave no sign of life."""
    ENDED_EARLY = "ended-early"
    """A run was ended before all was written."""
    SECOND_ROUND = "second-round"
    """What follows from new rows could not be written in the same cycle."""
    MATCH = "match"
    """What somebody decided on a counterpart cannot be written: it is not clear, or the cell was filled meanwhile."""
    UNSEEN_PEOPLE = "unseen-people"
    """A service does not show who has accounts there, so that nobody is proposed."""
    IMPORT_FILE = "import-file"
    """A table that is brought in cannot be read."""
    IMPORT_LINE = "import-line"
    """A line of a table that is brought in cannot be made a row."""
    IMPORT_UNREAD = "import-unread"
    """What stands on a board is not known in full, so that nothing is brought in."""
    NOT_UNDONE = "not-undone"
    """Something that a run wrote stays when the run is taken back."""
    REQUEST_BUDGET = "request-budget"
    """The schedule asks Notion for nearly as much as is allowed, or for more."""
    RULE_OFF = "rule-off"
    """Parts of the method say nothing, for want of a board, a column, an input or a setting."""

    # Faults of this program.
    RULE_FAILED = "rule-failed"
    """A rule failed; the other rules went on."""
    PAGE_FAILED = "page-failed"
    """A page could not be put into words; the other pages went on."""
    RULE_CLASH = "rule-clash"
    """Two rules state different values of one field, which is left alone."""
    UNKNOWN_SOURCE = "unknown-source"
    """A rule speaks of a data source that the schema does not have."""
    MISSING_ROW = "missing-row"
    """A rule speaks of a row that is not there."""
    UNSTATABLE_FIELD = "unstatable-field"
    """A rule speaks of a field that is not there, or not the rules' to state."""


class Problem(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing wrong, named so that a person can find and mend it.

    `where` names the file, page, issue or row; `field` the key or property, empty when it is the whole thing, and
    `column` what people call it; `message` is one plain sentence and `hint` the way out; `url` opens the place when
    there is one.
    """

    code: Code
    where: Text
    field: str = ""
    column: Text = NOTHING
    message: Text = NOTHING
    hint: Text = NOTHING
    url: str = ""
    severity: Severity = Severity.WARNING


LONGEST = 400
LONGEST_HINT = 1000
"""Characters of a problem's sentences; a way out may list what is known."""
LONGEST_VALUE = 200
"""Characters of a name or cell in them."""


class RenderedProblem(msgspec.Struct, frozen=True, order=True, gc=False, kw_only=True):
    """A problem in the words of one language: what is stored, sorted, shown, logged and sent.

    `code` is the value of a `Code`, or one that an earlier release stored and this one no longer knows.
    """

    code: str
    where: str
    field: str = ""
    message: str = ""
    hint: str = ""
    url: str = ""
    severity: Severity = Severity.WARNING


def in_words(problem: Problem, words: Words) -> RenderedProblem:
    """Return a problem in the language of `words`, each sentence cut: titles, names and keys may be of any length."""
    message = shorten(problem.message, LONGEST_VALUE)
    return RenderedProblem(
        code=problem.code.value,
        where=_cut(render(problem.where, words), LONGEST),
        field=_cut(problem.field, LONGEST),
        message=_cut(render(message, words), LONGEST),
        hint=_cut(render(problem.hint, words), LONGEST_HINT),
        url=problem.url,
        severity=problem.severity,
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


FAULTS = frozenset({Code.RULE_FAILED, Code.PAGE_FAILED})
"""Codes of problems that are faults of this program: the run went on without that rule or page."""

PASSING = frozenset({Code.TRANSIENT, Code.UNKNOWN, Code.POSTPONED})
"""Codes of problems that waiting may mend."""

REFUSALS = frozenset(
    {
        Code.OTHER_PLAN,
        Code.TOO_DESTRUCTIVE,
        Code.SOURCE_EMPTY,
        Code.TOO_MANY_CHANGES,
        Code.INCOMPLETE_ARCHIVE,
        Code.MAPPING_CHANGED,
        Code.NEVER_READ,
    }
)
"""Codes of problems for which a plan is refused as unsafe."""


class RaylineError(Exception):
    """The root of every error this program raises on purpose."""


class ConfigError(RaylineError):
    """Configuration, mappings or credentials cannot be used; holds every problem found, not just the first."""

    def __init__(self, problems: list[Problem]) -> None:
        found = (in_words(problem, ENGLISH) for problem in problems)
        super().__init__("; ".join(f"{p.where}: {p.field}: {p.message}" for p in found))
        self.problems = problems


class StateFault(RaylineError):
    """The database of the state cannot be used: where it is, what is wrong in one sentence, and the way out.

    `passes` when waiting may help. Nothing was lost by it, and nothing was written that is not in the journal.
    """

    def __init__(self, place: str, fault: Text, *, way_out: Text, passes: bool) -> None:
        shown, advice = render(fault, ENGLISH), render(way_out, ENGLISH)
        super().__init__(f"{place}: {shown} ({advice})")
        self.place = place
        self.fault = fault
        self.way_out = way_out
        self.passes = passes


class Busy(RaylineError):
    """Another process holds the workspace's lease."""

    def __init__(self, workspace: str, holder: str) -> None:
        super().__init__(f"workspace {workspace} is being synced by {holder}")
        self.workspace = workspace
        self.holder = holder


class AlreadyRunning(Busy):
    """A workspace has a daemon, `since` an instant (None: it has just ended); `is_loss` when it took over from us."""

    def __init__(
        self,
        workspace: str,
        holder: str,
        *,
        since: datetime | None,
        is_loss: bool = False,
    ) -> None:
        super().__init__(workspace, holder)
        self.since = since
        self.is_loss = is_loss


class QueueFull(RaylineError):
    """So many different requests wait in a workspace that no more are taken."""

    def __init__(self, workspace: str, waiting: int) -> None:
        super().__init__(f"{waiting} requests wait in workspace {workspace} already")
        self.workspace = workspace
        self.waiting = waiting


class Stopped(RaylineError):
    """The process was asked to end before anything was written."""


class ClockFault(StrEnum):
    """What is wrong with the machine's clock: the servers tell another time, it was set during the run, or all three
    clocks differ."""

    WRONG = "wrong"
    JUMPED = "jumped"
    UNCLEAR = "unclear"


class WrongClock(RaylineError):
    """The machine's clock cannot be right; `ahead` is by how much each server's clock is ahead of it."""

    def __init__(self, fault: ClockFault, ahead: Mapping[str, timedelta]) -> None:
        named = (
            f"{api} is {skew / timedelta(minutes=1):+.0f} minutes off"
            for api, skew in sorted(ahead.items())
        )
        super().__init__(
            f"the clock of this machine: {fault.value}; {', '.join(named)}"
        )
        self.fault = fault
        self.ahead = dict(ahead)


class ApiError(RaylineError):
    """An answer (or the lack of one) from Notion or Jira, translated once at the gateway's edge.

    `api` is `notion` or `jira`; `request` names method and path without query or secrets; `detail` holds at most 200
    redacted characters of what the server said.
    """

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(f"{api}: {request}: {detail}".rstrip(": "))
        self.api = api
        self.request = request
        self.detail = detail
        self.status = status
        self.request_id = request_id


class Transient(ApiError):
    """Did certainly not happen and may be tried again; `retry_after` in seconds when the server named it."""

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.retry_after = retry_after


class TooHeavy(Transient):
    """The server could not put the answer together in time, or it was too large: fewer rows a page may come through."""


class Postponed(Transient):
    """The service asks to wait `retry_after` seconds, longer than a run may: nothing more is asked of it in this one."""


class Unreachable(ApiError):
    """The service itself does not answer, and waiting does not mend it: a certificate, a proxy, a login page, an address.

    `fault` is one sentence, `way_out` what a person has to do.
    """

    def __init__(
        self,
        api: str,
        request: str,
        fault: Text,
        *,
        way_out: Text,
        status: int | None = None,
    ) -> None:
        super().__init__(api, request, render(fault, ENGLISH), status=status)
        self.fault = fault
        self.way_out = way_out


class Denied(ApiError):
    """Wrong or expired credentials, or a missing capability (401, 403)."""


class Missing(ApiError):
    """No such thing, or not shared with this connection (404, 410): the APIs do not tell the two apart."""


class Rejected(ApiError):
    """The server understood and refused the content (400, 409, 422); `field` names the property if known."""

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        field: str = "",
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.field = field


class Unknown(ApiError):
    """The outcome of an unsafe call is not known (time-out, 5xx, dropped connection): it may or may not have happened.

    `committed_id` is the id Notion reports in a saved-but-503 answer (docs/facts/notion-api.md 5.5), else empty.
    """

    def __init__(
        self,
        api: str,
        request: str,
        detail: str = "",
        *,
        status: int | None = None,
        request_id: str = "",
        committed_id: str = "",
    ) -> None:
        super().__init__(api, request, detail, status=status, request_id=request_id)
        self.committed_id = committed_id


class Incomplete(RaylineError):
    """A read did not see everything (truncated query, repeated token, clipped list): absence proves nothing."""

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"{scope}: {reason}")
        self.scope = scope
        self.reason = reason
