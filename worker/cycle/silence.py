"""What each part of the method cannot speak without, and what is missing: a board, a column, what people or Jira tell, a
setting. Pure.

Who waits for a figure that never comes learns here what would bring it; docs/method.md says how each is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from worker.domain.messages import Text, literal, message, tell
from worker.errors import Code, Problem, Severity
from worker.mapping.playbooks import FILE, Playbooks
from worker.mapping.schema import Bindings, Property, Schema
from worker.method.clients.health import NAMES as FACTORS
from worker.method.conditions import ANSWERED
from worker.world.world import World

EMPTY = (None, "", (), False)


class Part(msgspec.Struct, frozen=True, gc=False):
    """A part of the method under the name that people read. Nobody gets what it `gives` while one of its `needs` is missing.

    `gives` are columns (`source.field`) and signals of conditions. A need is a board, a column that somebody has filled
    in, or a key of `ELSEWHERE`; of several parted by `|` one suffices.
    """

    name: str
    gives: tuple[str, ...]
    needs: tuple[str, ...]


PARTS = (
    Part(
        message("progress of projects"),
        ("projects.progress", "projects.done_total"),
        ("projects.jira", "jira.issues"),
    ),
    Part(
        message("forecast of projects"),
        ("projects.p50", "projects.p85"),
        ("projects.jira", "jira.history"),
    ),
    Part(
        message("on-time chance"),
        ("projects.on_time", "deadline.p_on_time"),
        ("projects.jira", "jira.history", "projects.due|jira.due"),
    ),
    Part(
        message("schedule index SPI(t)"),
        ("projects.spi", "deadline.spi"),
        ("projects.jira", "projects.due|jira.due"),
    ),
    Part(
        message("hours of projects"),
        ("projects.hours",),
        ("projects.jira", "jira.worklogs|jira.spent"),
    ),
    Part(
        message("budget used"),
        ("projects.burn", "money.burn"),
        ("projects.budget", "jira.worklogs", "people.rate|thresholds.default_rate"),
    ),
    Part(
        message("realisation and over-servicing"),
        ("clients.realisation", "money.over_servicing"),
        ("jira.worklogs", "people.rate|thresholds.default_rate"),
    ),
    Part(message("retainer hours"), ("clients.hours_used",), ("clients.hours_frame",)),
    Part(message("targets of plans"), ("plans.target",), ("plans", "targets.policy")),
    Part(message("unbilled work"), ("money.unbilled",), ("revenue.amount",)),
    Part(message("late payments"), ("money.late_payment",), ("revenue.amount",)),
    Part(
        message("bonus fund"),
        ("bonuses.pool",),
        ("bonuses", "units", "units.bonus_rate"),
    ),
    Part(message("margins"), ("margins.margin",), ("margins", "costs.cost_rate")),
    Part(message("closing of months"), ("ledger.recognised",), ("ledger",)),
    Part(message("dated prices"), ("terms.value",), ("terms",)),
    Part(message("pipeline of newbiz"), ("money.pipeline_short",), ("clients.group",)),
    Part(
        message("available hours"),
        ("people.effective", "people.ahead", "units.capacity"),
        ("people.capacity",),
    ),
    Part(
        message("utilization"),
        ("people.utilization", "units.utilization"),
        ("people.capacity", "people.jira_account", "jira.worklogs"),
    ),
    Part(
        message("load"),
        ("people.load_4", "people.load_8", "team.overload"),
        ("people.capacity", "people.jira_account", "jira.estimates"),
    ),
    Part(
        message("staff requests"),
        ("requests.name",),
        ("requests", "people.capacity", "people.jira_account", "jira.estimates"),
    ),
    Part(
        message("the triangle of units"),
        ("units.triangle", "team.triangle"),
        ("units",),
    ),
    Part(
        message("room for new clients"),
        ("units.portfolio", "units.may_hunt"),
        ("units.am",),
    ),
    Part(
        message("gap before next work"),
        ("clients.ray_gap",),
        ("projects.expected_start",),
    ),
    Part(
        message("contracts that end"),
        ("money.contract_ends",),
        ("clients.contract_end",),
    ),
    Part(message("documents that end"), ("documents.ends",), ("documents.expires",)),
    Part(
        message("rates not indexed"),
        ("money.rate_not_indexed",),
        ("clients.rate_indexed|clients.since",),
    ),
    Part(
        message("feedback"),
        ("feedback.trend", "relations.feedback"),
        ("feedback.score",),
    ),
    Part(
        message("birthdays of contacts"),
        ("contacts.next_birthday",),
        ("contacts.birthday",),
    ),
    Part(
        message("white space"),
        ("clients.white_spots", "services.white_spots"),
        ("services", "clients.services|projects.service"),
    ),
    Part(message("development backlog"), ("backlog.age_weeks",), ("backlog",)),
    Part(message("goals"), ("goals.health",), ("goals",)),
    Part(message("pace of goals"), ("goals.pace",), ("goals.target", "goals.current")),
    Part(message("the risk map"), ("risks.score",), ("risks",)),
    Part(message("tasks of account managers"), ("tasks.name",), ("tasks",)),
    Part(message("agendas and Monday snapshots"), ("meetings.name",), ("meetings",)),
)


class Lack(msgspec.Struct, frozen=True, gc=False):
    """Something that is missing: where, what is the matter, and what would end it."""

    where: Text
    message: Text
    hint: Text


class Ground(msgspec.Struct, frozen=True, gc=False):
    """What parts of the method stand on: what was read, and how the boards carry it."""

    world: World
    schema: Schema
    bindings: Bindings
    has_private_page: bool = True

    def works(self) -> bool:
        """Tell whether any card has Jira work."""
        return any(work.issues for work in self.world.work.values())


def find_silent_parts(ground: Ground, playbooks: Playbooks) -> Iterator[Problem]:
    """Yield what is missing with the parts of the method that say nothing for it; nothing before there is a client."""
    if not ground.world.clients:
        return
    silent: dict[Lack, list[str]] = {}
    for part in PARTS:
        # The first lack is the next step; what else is missing shows once it is taken.
        lack = next(_lacks(part, ground), None)
        if lack is not None:
            silent.setdefault(lack, []).append(part.name)
    for lack, names in silent.items():
        reason = tell(
            "{reason}; so nothing is told of: {parts}",
            reason=lack.message,
            parts=_joined(names),
        )
        yield _off(lack.where, reason, lack.hint)
    yield from _unweighed(ground.world)
    yield from _unanswered(playbooks)


def _off(where: Text, reason: Text, way_out: Text) -> Problem:
    return Problem(
        code=Code.RULE_OFF,
        where=where,
        message=reason,
        hint=way_out,
        severity=Severity.INFO,
    )


def _joined(names: Iterable[str]) -> Text:
    places = {f"part{number}": tell(name) for number, name in enumerate(names)}
    pattern = ", ".join(f"{{{place}}}" for place in places)
    return tell(pattern, **places)


def _lacks(part: Part, ground: Ground) -> Iterator[Lack]:
    """Yield what a part lacks, each once."""
    for need in part.needs:
        reasons = [_lack(one, ground) for one in need.split("|")]
        # Of what may stand in for each other the first is what people are asked for.
        if all(reasons) and reasons[0] is not None:
            yield reasons[0]
    columns = [name.split(".") for name in part.gives if _is_column(name, ground)]
    hidden = [names for names in columns if _is_left_out(*names, ground=ground)]
    if columns and hidden == columns:
        yield _left_out(*columns[0], ground=ground)


def _lack(need: str, ground: Ground) -> Lack | None:
    """Return what is missing of a need, None where it is there."""
    if need in ELSEWHERE:
        is_there, lack = ELSEWHERE[need]
        return None if is_there(ground) else lack
    source, _, field = need.partition(".")
    if source not in ground.bindings:
        return _no_board(source, ground)
    if not field:
        return None
    if _is_left_out(source, field, ground=ground):
        return _left_out(source, field, ground=ground)
    if field not in ground.bindings[source].properties:
        return _no_column(source, field, ground)
    return (
        None
        if _is_filled(source, field, ground.world)
        else _not_filled(source, field, ground)
    )


def _is_filled(source: str, field: str, world: World) -> bool:
    rows = world.rows.get(source, ())
    return any(row.fields.get(field) not in EMPTY for row in rows)


def _is_column(name: str, ground: Ground) -> bool:
    source, _, field = name.partition(".")
    known = ground.schema.sources.get(source)
    return known is not None and field in known.properties


def _is_left_out(source: str, field: str, *, ground: Ground) -> bool:
    return _property(source, field, ground).left_out


def _property(source: str, field: str, ground: Ground) -> Property:
    return ground.schema.sources[source].properties[field]


# -- what is missing -----------------------------------------------------------------------------------------------


def _board(source: str, ground: Ground) -> Text:
    return tell("{source}", source=ground.schema.sources[source].title)


def _place(source: str, field: str, ground: Ground) -> Text:
    return tell(
        "{board}: {column}",
        board=ground.schema.sources[source].title,
        column=_property(source, field, ground).label,
    )


def _no_board(source: str, ground: Ground) -> Lack:
    if ground.schema.sources[source].private and not ground.has_private_page:
        return NO_PRIVATE_PAGE
    reason = tell("there is no such board")
    return Lack(_board(source, ground), reason, tell("`rayline init` makes it"))


def _no_column(source: str, field: str, ground: Ground) -> Lack:
    place = _place(source, field, ground)
    return Lack(place, tell("there is no such column"), tell("`rayline init` makes it"))


def _left_out(source: str, field: str, *, ground: Ground) -> Lack:
    return Lack(
        _place(source, field, ground),
        tell("the column is left out by overlay.toml"),
        tell(
            "take “{field}” out of the line `without` of [{source}], then `rayline init` makes the column",
            field=field,
            source=source,
        ),
    )


def _not_filled(source: str, field: str, ground: Ground) -> Lack:
    if not ground.world.rows.get(source):
        reason = tell("the board has no rows")
        return Lack(_board(source, ground), reason, tell("add rows to it"))
    place = _place(source, field, ground)
    return Lack(place, tell("nobody has filled it in"), tell("fill it in"))


NO_PRIVATE_PAGE = Lack(
    literal("notion.private_root_page_id"),
    tell("there is no private root page"),
    tell("set it to a page that few people see, then `rayline init` makes the boards"),
)


def _jira(what: str, way: str) -> Lack:
    return Lack(literal("Jira"), tell(what), tell(way))


Presence = Callable[[Ground], bool]
SHOWN = message("let the account of Rayline see them in Jira, or have them entered")
ELSEWHERE: Mapping[str, tuple[Presence, Lack]] = {
    "jira.issues": (
        Ground.works,
        _jira(
            message("no card leads to an issue"),
            message(
                "put a project key, an epic key, a filter or a JQL into its Jira field"
            ),
        ),
    ),
    "jira.history": (
        lambda ground: any(issue.done for issue in ground.world.issues.values()),
        _jira(
            message("no issue was ever finished"),
            message("nothing: it comes with the work"),
        ),
    ),
    "jira.due": (
        lambda ground: any(issue.due for issue in ground.world.issues.values()),
        _jira(message("no issue has a due date"), SHOWN),
    ),
    "jira.worklogs": (
        lambda ground: bool(ground.world.worklogs),
        _jira(message("there are no time logs"), SHOWN),
    ),
    "jira.spent": (
        lambda ground: any(issue.spent for issue in ground.world.issues.values()),
        _jira(message("no issue has time spent"), SHOWN),
    ),
    "jira.estimates": (
        lambda ground: any(issue.estimate for issue in ground.world.issues.values()),
        _jira(message("no issue has an estimate in hours"), SHOWN),
    ),
    "thresholds.default_rate": (
        lambda ground: ground.world.thresholds.default_rate is not None,
        Lack(literal("thresholds.default_rate"), tell("it is not set"), tell("set it")),
    ),
    "targets.policy": (
        lambda ground: ground.world.targets.policy != "none",
        Lack(
            literal("targets.policy"),
            tell("targets are switched off in the configuration"),
            tell(
                "set it to “contracts” or “growth”, or type targets into the plans yourself"
            ),
        ),
    ),
}
"""What parts need that is no column: whether it is there, and what to say where it is not."""


# -- what people switched off ------------------------------------------------------------------------------------------


def _unweighed(world: World) -> Iterator[Problem]:
    """Yield the factors that do not count in the health of clients."""
    weights = world.thresholds.health_weights
    for name, label in FACTORS.items():
        if not weights.get(name):
            yield _off(
                literal(f"thresholds.health_weights.{name}"),
                tell(
                    "the factor “{factor}” does not count in the health of clients",
                    factor=tell(label),
                ),
                tell("give it a weight above zero in the configuration"),
            )


def _unanswered(playbooks: Playbooks) -> Iterator[Problem]:
    """Yield the playbooks whose sections are not in the file, so that no task is made by them."""
    refused = {problem.field.rpartition(".")[2] for problem in playbooks.problems}
    missing = sorted(ANSWERED.keys() - playbooks.tasks.keys() - refused)
    if missing:
        yield _off(
            literal(FILE),
            tell(
                "no tasks are made by playbooks that are not in it: {names}",
                names=", ".join(missing),
            ),
            tell("write their sections again as they stand in the file of Rayline"),
        )
