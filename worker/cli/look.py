"""`check`, `status`, `runs`, `explain`: looking without writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import typer
from msgspec.structs import replace
from rapidfuzz import process
from rich.console import Group, RenderableType
from rich.text import Text

from worker.cli import exits, prose, show
from worker.cli.reader import names_in, names_kept, reader_of
from worker.cli.reasons import find_fate, find_reasons
from worker.cli.rows import Rows
from worker.cli.session import (
    ConfigOption,
    EachOption,
    JsonOption,
    Session,
    WorkspaceOption,
    context_of,
    session,
)
from worker.cli.several import Told, over_workspaces
from worker.cycle.contact import make_contact
from worker.cycle.context import Context, CycleRequest, Mode, PlannedCycle
from worker.cycle.foresight import (
    Demand,
    find_block_limit,
    find_gaps,
    find_missing_rights,
    find_missing_views,
    find_unused_boards,
    read_demand,
)
from worker.cycle.planning import plan_cycle, recall
from worker.cycle.put_off import PutOff
from worker.cycle.report import problem_data
from worker.cycle.silence import NO_PRIVATE_PAGE, Ground, find_silent_parts
from worker.daemon.job_log import JobLog
from worker.daemon.maintenance import Window, next_window, pause_of
from worker.daemon.standing import read_standing
from worker.domain.messages import ENGLISH, message, render, tell
from worker.domain.values import Ref, Unset
from worker.domain.words import Words
from worker.errors import (
    ApiError,
    Code,
    ConfigError,
    Denied,
    Missing,
    Postponed,
    Problem,
    Rejected,
    RenderedProblem,
    Severity,
    Transient,
    Unknown,
    Unreachable,
    in_words,
)
from worker.mapping.labels import label_fields
from worker.mapping.schema import Schema
from worker.plan.facts import Fact
from worker.plan.plan import WITHHELD, encode, withheld_data
from worker.plan.reading import Reader
from worker.read.lookup import LOOKUP
from worker.read.schema import read_schema, recall_schema
from worker.state import bindings as registry
from worker.state import pauses, problems, runs
from worker.world.listing import find_problems


def check(
    config: ConfigOption = None,
    workspace: EachOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every problem of the configuration, the access and the boards, and how to mend each."""
    with session(config, as_json=as_json) as opened:

        def look(name: str) -> Told:
            with context_of(opened, name) as context:
                return _checked(context, opened.words)

        over_workspaces(opened, workspace, look, headed=True)


def _labelled(
    problems: Iterable[RenderedProblem], context: Context, words: Words
) -> list[RenderedProblem]:
    return label_fields(problems, context.schema, words.locale)


def _checked(context: Context, words: Words) -> Told:
    looked = _check(context, words)
    everything = set(looked.problems)
    # What could not be looked at has cost nothing that says how much a look costs.
    demand = read_demand(context) if looked.is_whole else None
    if looked.is_whole:
        everything |= set(_trial(lambda: _beside(context), words).problems)
    narrow = demand.problem() if demand else None
    if narrow is not None:
        everything.add(in_words(narrow, words))
    severities = list(Severity)
    all_problems = sorted(
        _without_repeats(everything),
        key=lambda problem: (severities.index(problem.severity), problem),
    )
    data: dict[str, Any] = {
        "workspace": context.name,
        "problems": [problem_data(problem) for problem in all_problems],
    }
    if demand is not None:
        data["requests"] = {"expected": demand.expected, "allowed": demand.allowed}
    view = Group(
        _problems_view(all_problems, context, words),
        Text(_say_demand(demand, words) if demand else ""),
    )
    return Told(view, data, exits.code_of_problems(everything))


def _without_repeats(problems: Iterable[RenderedProblem]) -> list[RenderedProblem]:
    """Leave out that there is no private page where it is told what is silent for want of it."""
    whole = list(problems)
    place = render(NO_PRIVATE_PAGE.where, ENGLISH)
    if not any(one.code == Code.RULE_OFF and one.where == place for one in whole):
        return whole
    return [one for one in whole if one.code != Code.SCHEMA_PRIVATE]


def _problems_view(
    problems: list[RenderedProblem], context: Context, words: Words
) -> RenderableType:
    if not problems:
        return Text(words.say("Everything is in order."))
    return Group(
        show.problems_view(_labelled(problems, context, words), words),
        show.count_view(problems, words),
    )


def _say_demand(demand: Demand, words: Words) -> str:
    return words.say(
        "Requests to Notion by the present schedule: about {expected} an hour, {allowed} are allowed.",
        expected=demand.expected,
        allowed=demand.allowed,
    )


class Look(NamedTuple):
    """What steps found or died of, and whether they came to their end."""

    problems: list[RenderedProblem]
    is_whole: bool = True

    def then(self, other: Look) -> Look:
        """Return both."""
        problems = [*self.problems, *other.problems]
        return Look(problems, self.is_whole and other.is_whole)


def _check(context: Context, words: Words) -> Look:
    """Return what is wrong; what lies behind a service that does not answer is not looked at, all else is."""
    contact = make_contact(context)
    notion = _trial(contact.notion.result, words)
    jira = _trial(contact.jira.result, words)
    if notion.is_whole:
        notion = notion.then(_trial(lambda: _drift(context), words))
        notion = notion.then(_trial(lambda: _rights(context), words))
    looked = notion.then(jira)
    if looked.is_whole:
        looked = looked.then(_trial(lambda: _drawn(context), words))
        looked = looked.then(_trial(lambda: _listed(context, words), words))
    return looked


API_ERRORS: Mapping[type[ApiError], Code] = {
    Denied: Code.DENIED,
    Missing: Code.MISSING,
    Rejected: Code.REJECTED,
    Transient: Code.TRANSIENT,
    Unknown: Code.UNKNOWN,
    Unreachable: Code.UNREACHABLE,
    Postponed: Code.POSTPONED,
}
"""As what `check` names an error that a service's gateway raises."""


def _code_of(error: ApiError) -> Code:
    kinds = type(error).__mro__
    return next(API_ERRORS[kind] for kind in kinds if kind in API_ERRORS)


def _trial(step: Callable[[], Any], words: Words) -> Look:
    """Return the problems a step finds or dies of."""
    try:
        answer = step()
    except ConfigError as error:
        rendered = [in_words(problem, words) for problem in error.problems]
        return Look(rendered, is_whole=False)
    except ApiError as error:
        died = RenderedProblem(
            code=_code_of(error).value,
            where=error.api,
            message=prose.explain(error, words),
            severity=Severity.ERROR,
        )
        return Look([died], is_whole=False)
    if not isinstance(answer, tuple):
        return Look([])
    return Look([one for one in answer if isinstance(one, RenderedProblem)])


def _drawn(context: Context) -> tuple[RenderedProblem, ...]:
    drawn = plan_cycle(context, CycleRequest(Mode.FULL, "check"))
    with context.reading() as tx:
        unseen = recall_schema(tx).unseen
    views = find_missing_views(context.notion, context.schema, drawn.bindings)
    private = context.settings.notion.private_root_page_id
    # A board that is not shown now counts as it was read last: it is not missing, and not to be made again.
    standing = {**unseen, **drawn.bindings}
    ground = Ground(drawn.world, context.schema, standing, bool(private))
    silent = find_silent_parts(ground, context.playbooks)
    coming = [*find_gaps(drawn.world), *views, *silent]
    gaps = [in_words(problem, context.words) for problem in coming]
    return (*drawn.plan.problems, *drawn.refused, *gaps)


def _beside(context: Context) -> tuple[RenderedProblem, ...]:
    """Return what stands beside Rayline in the workspace, which no run looks at."""
    with context.reading() as tx:
        bindings = registry.load(tx)
    boards = find_unused_boards(context.notion, context.schema, bindings)
    coming = [*boards, *find_block_limit(context.notion)]
    return tuple(in_words(problem, context.words) for problem in coming)


def _rights(context: Context) -> tuple[RenderedProblem, ...]:
    missing = find_missing_rights(context.notion)
    return tuple(in_words(one, context.words) for one in missing)


def _listed(context: Context, words: Words) -> tuple[RenderedProblem, ...]:
    """Return what the read just made shows to be wrong with the list of projects."""
    with context.reading() as tx:
        listing = LOOKUP.load(tx).listing
    return tuple(in_words(one, words) for one in find_problems(listing))


def _drift(context: Context) -> tuple[RenderedProblem, ...]:
    return read_schema(context.notion, context, afresh=True).drift


def status(
    config: ConfigOption = None,
    workspace: EachOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the last and next runs, who is at work, what waits and which problems stand."""
    with session(config, as_json=as_json, create=False) as opened:

        def look(name: str) -> Told:
            with context_of(opened, name) as context:
                return _standing(context, opened.words)

        over_workspaces(opened, workspace, look)


def _standing(context: Context, words: Words) -> Told:
    data = _status(context)
    shown = {key: data[key] for key in data if key not in ("workspace", "problems")}
    if shown["put_off"]:
        reason = JobLog(context.store, context.name).put_off().say(words)
        shown["put_off"] = {**shown["put_off"], "reason": reason}
    with context.reading() as tx:
        standing = tuple(problems.load(tx))
    labelled = label_fields(standing, context.schema, words.locale, names_kept(context))
    title = words.say(
        "Workspace {workspace}, times of {zone}",
        workspace=context.name,
        zone=context.settings.time_zone,
    )
    view = Group(
        show.table_view(title, ("", ""), Rows(context, words).of(shown)),
        show.problems_view(labelled, words),
    )
    return Told(view, data)


def _status(context: Context) -> dict[str, Any]:
    standing = read_standing(context)
    with context.reading() as tx:
        pause = pauses.planned(tx, now=standing.now)
    pause = pause or pause_of(context.settings, standing.now, context.words)
    coming = next_window(context.settings, standing.now)
    put_off = JobLog(context.store, context.name).put_off()
    return {
        "workspace": context.name,
        "last_run": _run_data(standing.last) if standing.last else None,
        "last_success": {
            mode: at.isoformat() if at else None
            for mode, at in standing.success.items()
        },
        "next": {job: at.isoformat() for job, at in standing.next.items()},
        "paused": _pause_data(pause) if pause else None,
        "maintenance": _window_data(coming) if coming else None,
        "put_off": _put_off_data(put_off, now=standing.now),
        "at_work": standing.holder,
        "waiting": [trigger.order.scope or "all" for trigger in standing.waiting],
        "unsettled": [str(ref) for ref in standing.unsettled],
        "problems": [problem_data(problem) for problem in standing.problems],
    }


def _pause_data(pause: pauses.Pause) -> dict[str, Any]:
    return {
        "by": pause.by,
        "since": pause.since.isoformat(),
        "until": pause.until.isoformat() if pause.until else None,
        "reason": pause.reason or None,
    }


def _window_data(window: Window) -> dict[str, Any]:
    return {
        "since": window.start.isoformat(),
        "until": window.end.isoformat(),
        "reason": window.reason or None,
    }


def _put_off_data(put_off: PutOff, *, now: datetime) -> dict[str, str] | None:
    """Return until when nothing is tried on a schedule; None when it is."""
    if put_off.until <= now:
        return None
    return {"until": put_off.until.isoformat(), "reason": put_off.reason}


def runs_command(
    run_id: Annotated[
        int,
        typer.Argument(
            metavar=message("RUN"),
            help=message("One run (the latest are listed when left out)."),
        ),
    ] = 0,
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest runs, or show one with its plan."""
    with (
        session(config, as_json=as_json, create=False) as opened,
        context_of(opened, workspace) as context,
    ):
        if run_id:
            _show_run(opened, context, run_id)
            return
        with opened.store.reading(context.name) as tx:
            latest = runs.recent(tx)
        say = Rows(context, opened.words)
        rows = [
            (
                run.id,
                say.moment(run.started),
                say.cell("trigger", run.trigger),
                say.cell("status", run.status.value),
                sum((run.outcome.get("changes") or {}).values()),
                say.cell("requests", dict(run.requests)),
            )
            for run in latest
        ]
        title = opened.words.say(
            "Runs, times of {zone}", zone=context.settings.time_zone
        )
        keys = ("run_id", "started", "trigger", "status", "changes", "requests")
        headings = map(say.label, keys)
        opened.say(
            show.table_view(title, headings, rows),
            lambda: {"runs": [_run_data(run) for run in latest]},
        )


def _show_run(opened: Session, context: Context, run_id: int) -> None:
    with opened.store.reading(context.name) as tx:
        run = runs.get(tx, run_id)
        checksum = str(run.outcome.get("checksum", "")) if run else ""
        plan = runs.load_plan(tx, checksum) if checksum else None
    if run is None:
        raise ConfigError(
            [
                Problem(
                    code=Code.RUN,
                    where=tell("command line"),
                    message=tell("there is no run {run}", run=run_id),
                    hint=tell("list them with rayline runs"),
                    severity=Severity.ERROR,
                )
            ]
        )
    data = _run_data(run)
    shown = {key: data[key] for key in data if key != "problems"}
    words = opened.words
    title = words.say("Run {run}", run=run.id)
    head = show.table_view(title, ("", ""), Rows(context, words).of(shown))
    body = show.plan_view(plan, reader_of(context, words)) if plan else ""
    opened.say(
        Group(head, body),
        lambda: {
            **_run_data(run),
            "plan": withheld_data(plan, context.schema.is_private) if plan else None,
        },
    )


def _run_data(run: runs.Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "trigger": run.trigger,
        "status": run.status.value,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        **run.outcome,
    }


def explain(
    ref: Annotated[
        str,
        typer.Argument(
            metavar=message("ROW"),
            help=message(
                "A row: source/key, page id, address or title; #field for one. SOURCE#field for all rows."
            ),
        ),
    ],
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a row's fields have the values Rayline gives them: rule, inputs, formula, threshold."""
    with (
        session(config, as_json=as_json, create=False) as opened,
        context_of(opened, workspace) as context,
    ):
        wanted, _, called = ref.partition("#")
        drawn = recall(context)
        if called and wanted in context.schema.sources:
            name = find_field(drawn, wanted, called, schema=context.schema)
            _explain_all(opened, drawn, wanted, name, context=context)
            return
        row = find_row(drawn, wanted, context.schema)
        name = find_field(drawn, row.source, called, schema=context.schema)
        facts = find_reasons(context, drawn, lambda ref: ref == row, field=name)
        title = _title_of(drawn, row, context.schema)
        reader = reader_of(context, opened.words, names_in(drawn, context.schema))
        view = _view_of(facts, row, title, reader)
        data: dict[str, Any] = {
            "ref": str(row),
            "title": title,
            "facts": [_data_of(fact, context.schema) for fact in facts],
        }
        fate = find_fate(context, drawn, row)
        if fate is not None and not name:
            pattern, outdated = fate
            inputs = reader.say_inputs(outdated.why, row)
            shown = show.fate_view(pattern, outdated.why, inputs, opened.words)
            view = Group(view, shown)
            data["archive"] = opened.words.say(pattern)
        opened.say(view, lambda: data)


def _explain_all(
    opened: Session, drawn: PlannedCycle, source: str, name: str, *, context: Context
) -> None:
    """Explain one field of every row of a data source."""
    facts = find_reasons(context, drawn, lambda ref: ref.source == source, field=name)
    titles = {fact.ref: _title_of(drawn, fact.ref, context.schema) for fact in facts}
    reader = reader_of(context, opened.words, names_in(drawn, context.schema))
    views = [_view_of([fact], fact.ref, titles[fact.ref], reader) for fact in facts]
    opened.say(
        Group(*views),
        lambda: {
            "ref": source,
            "title": "",
            "facts": [
                {
                    "ref": str(fact.ref),
                    "title": titles[fact.ref],
                    **_data_of(fact, context.schema),
                }
                for fact in facts
            ],
        },
    )


def _view_of(facts: list[Fact], row: Ref, title: str, reader: Reader) -> RenderableType:
    return show.why_view(facts, reader, title=f"{title}  ({row})".strip())


def _data_of(fact: Fact, schema: Schema) -> dict[str, Any]:
    if schema.is_private(fact.ref.source):
        return _withheld(fact)
    return fact_data(fact)


def _title_of(drawn: PlannedCycle, ref: Ref, schema: Schema) -> str:
    """Return how a row is called; a private one has no title here."""
    if schema.is_private(ref.source):
        return ""
    rows = (row for found in drawn.world.rows.values() for row in found)
    return next((row.title for row in rows if row.ref == ref), str(ref))


def find_row(drawn: PlannedCycle, text: str, schema: Schema) -> Ref:
    """Return the row meant by a ref, page id, address or title; raises `ConfigError` when none or several fit.

    Private rows have no title here.
    """
    bare = text.rstrip("/").rpartition("/")[2].replace("-", "")[-32:]
    rows = [
        replace(row, title="") if schema.is_private(row.ref.source) else row
        for source_rows in drawn.world.rows.values()
        for row in source_rows
    ]
    stated = {fact.ref for fact in drawn.outcome.facts}
    refs = {ref for ref in stated if text in (str(ref), ref.key)}
    refs = refs or {row.ref for row in rows if bare == row.page_id.replace("-", "")}
    refs = refs or {
        row.ref
        for row in rows
        if row.ref in stated and text.casefold() == row.title.casefold()
    }
    refs = refs or {
        row.ref
        for row in rows
        if row.ref in stated and text.casefold() in row.title.casefold()
    }
    if len(refs) == 1:
        return refs.pop()
    meant = sorted(
        (row for row in rows if row.ref in refs),
        key=lambda row: (bool(row.key), row.title, row.ref),
    )
    # People's own rows come first: those of the worker are about them, and many.
    named = ", ".join(f"{row.title} ({row.ref})".strip() for row in meant[:8])
    raise ConfigError(
        [
            Problem(
                code=Code.EXPLAIN,
                where=tell("command line"),
                message=tell(
                    "{number} rows are called “{text}”", number=len(refs), text=text
                ),
                hint=tell("say one of: {names}", names=named)
                if named
                else tell("give a page id, an address or a title"),
                severity=Severity.ERROR,
            )
        ]
    )


def find_field(drawn: PlannedCycle, source: str, called: str, *, schema: Schema) -> str:
    """Return the field of a data source meant by its name or by how its column is headed, empty when none is asked for;
    raises `ConfigError` when there is none."""
    bare = _bare(called)
    if not bare:
        return ""

    meant = _field_names(drawn, source, schema)
    if bare in meant:
        return meant[bare]

    alike = process.extract(bare, list(meant), limit=5, score_cutoff=60)
    names = dict.fromkeys(meant[match] for match, *_ in alike)
    raise ConfigError(
        [
            Problem(
                code=Code.EXPLAIN,
                where=tell("command line"),
                message=tell(
                    "rows of {source} have no field “{text}”",
                    source=source,
                    text=called,
                ),
                hint=tell(
                    "say one of: {names}",
                    names=", ".join(names or dict.fromkeys(meant.values())),
                ),
                severity=Severity.ERROR,
            )
        ]
    )


def _bare(label: str) -> str:
    return label.removeprefix("⚙").strip().casefold()


def _field_names(drawn: PlannedCycle, source: str, schema: Schema) -> dict[str, str]:
    """Return the name of each field by that name and by how its column is or was headed, without sign and capitals."""
    properties = schema.sources[source].properties
    names = {
        _bare(label): name
        for name, known in properties.items()
        for label in known.names()
    }
    names |= {name: name for name in properties}
    names |= {
        fact.field: fact.field
        for fact in drawn.outcome.facts
        if fact.ref.source == source
    }
    return names


def _withheld(fact: Fact) -> dict[str, Any]:
    """Return that a private row's fact exists, and by which rule."""
    return {
        "field": fact.field,
        "value": WITHHELD,
        "rule": fact.why.rule,
        "formula": "",
        "threshold": "",
        "inputs": [],
    }


def fact_data(fact: Fact) -> dict[str, Any]:
    """Return a fact as JSON data."""
    why = fact.why
    return {
        "field": fact.field,
        "value": None if isinstance(fact.value, Unset) else encode(fact.value),
        "rule": why.rule,
        "formula": why.formula,
        "threshold": why.threshold,
        "inputs": [
            {"name": one.name, "value": one.value, "url": one.url} for one in why.inputs
        ],
    }
