"""Plans, runs and reasons as text on a terminal."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from worker.cli.prose import error_data, explain, line
from worker.cycle.report import Report
from worker.domain.messages import message
from worker.domain.text import visible, visible_json
from worker.domain.words import Words
from worker.errors import RaylineError, RenderedProblem, Severity
from worker.mapping.labels import label_fields
from worker.mapping.schema import Schema
from worker.plan.digest import FIRM, Entry, Part, digest
from worker.plan.facts import Fact, Input, Why
from worker.plan.plan import Kind, Plan
from worker.plan.reading import BoardDiff, FieldDiff, KeptValue, PageDiff, Reader
from worker.world.world import World

SIGNS = {
    Kind.CREATE: ("+", "green"),
    Kind.UPDATE: ("~", "yellow"),
    Kind.SECTION: ("§", "cyan"),
    Kind.ARCHIVE: ("-", "red"),
}
AWAY = {
    False: message("goes into the trash, from which people can restore it"),
    True: message("is archived: it leaves its board, and nothing of it is lost"),
}
"""What becomes of a row that is taken away, and of one that has had its time."""
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
SEVERITIES = {
    Severity.ERROR: message("error"),
    Severity.WARNING: message("warning"),
    Severity.INFO: message("note"),
}
WIDTH = 72
WIDE = 160
KEPT = (message("row"), message("field"), message("people's"), message("Rayline's"))
PRIVATE = message("(private: open the row in Notion)")


def plan_view(plan: Plan, reader: Reader) -> RenderableType:
    """Return a plan grouped by data source, each change with its fields, before, after and rule."""
    words = reader.words
    diff = reader.read_plan(plan)
    return Group(
        *(_board(board, words) for board in diff.boards),
        kept_view(diff.kept, words),
        problems_view(_readable(plan.problems, reader), words),
        Text(summary(plan, words), style="bold"),
    )


def digest_view(plan: Plan, world: World, reader: Reader) -> RenderableType:
    """Return a plan client by client: what would appear and why, without what is no news."""
    words = reader.words
    diff = reader.read_plan(plan)
    hint = words.say("Every field of every row: rayline plan --all.")
    return Group(
        *(_client(part, words) for part in digest(plan, world, reader)),
        kept_view(diff.kept, words),
        problems_view(_readable(plan.problems, reader), words),
        Text(summary(plan, words), style="bold"),
        Text(hint if plan.changes else ""),
    )


def _readable(
    problems: Iterable[RenderedProblem], reader: Reader
) -> list[RenderedProblem]:
    """Return problems with what people call the rows and fields they are about."""
    return label_fields(problems, reader.schema, reader.words.locale, reader.names)


def _client(part: Part, words: Words) -> RenderableType:
    title = part.client or words.say(FIRM)
    tree = Tree(Text(title, style="bold"))
    for entry in part.entries:
        sign, colour = SIGNS[entry.kind]
        line = f"{sign} {entry.board}: {brief(entry.title)}"
        branch = tree.add(Text(line, style=colour))
        for text in _entry_lines(entry, words):
            branch.add(Text(text))
    for board, number in part.more.items():
        rest = words.count("{n} more row", "{n} more rows", number)
        tree.add(Text(f"… {board}: {rest}"))
    return tree


def _entry_lines(entry: Entry, words: Words) -> Iterator[str]:
    """Yield what is told of one row below its title."""
    if entry.kind is Kind.ARCHIVE:
        yield words.say(AWAY[bool(entry.why)])
    cells = list(entry.told)
    if entry.more and entry.kind is Kind.UPDATE:
        rest = words.count("{n} more cell", "{n} more cells", entry.more)
        cells.append(rest)
    if cells:
        yield " · ".join(cells)
    if entry.why:
        yield brief(entry.why, WIDE)
    if entry.has_section:
        yield words.say("its page is written")


def _board(board: BoardDiff, words: Words) -> RenderableType:
    tree = Tree(Text(f"{board.title} ({len(board.pages)})", style="bold"))
    for page in board.pages:
        sign, colour = SIGNS[page.kind]
        branch = tree.add(Text(f"{sign} {page.title or page.key}", style=colour))
        if page.kind is Kind.ARCHIVE:
            branch.add(Text(_taken_away(page, words)))
        for field in page.fields:
            branch.add(Text(_field(page, field, words)))
    return tree


def _taken_away(page: PageDiff, words: Words) -> str:
    """Return what becomes of a row that is taken away, with the reason where its time is over."""
    fate = words.say(AWAY[bool(page.why)])
    return f"{fate}: {page.why}" if page.why else fate


def _field(page: PageDiff, field: FieldDiff, words: Words) -> str:
    if page.private:
        return f"{field.label}: {words.say(PRIVATE)}"
    drift = words.say("  (somebody had changed it)") if field.drift else ""
    before = "" if page.kind is Kind.CREATE else f"{brief(field.before)} → "
    return f"{field.label}: {before}{brief(field.after)}  [{field.rule}]{drift}"


def summary(plan: Plan, words: Words) -> str:
    """Return a plan in one line."""
    return words.say(
        "Plan {checksum}: {create} to create, {update} to update, {sections} sections, "
        "{archive} to archive; {kept} kept as people set them, {problems} problems.",
        checksum=plan.checksum(),
        **plan.counts(),
        kept=len(plan.kept),
        problems=len(plan.problems),
    )


def kept_view(values: Iterable[KeptValue], words: Words) -> RenderableType:
    """Return the values of people that stand."""
    rows = [
        (
            f"{value.title} · {value.ref}",
            value.label,
            words.say(PRIVATE) if value.private else brief(value.people),
            words.say(PRIVATE) if value.private else brief(value.worker),
            words.say("conflict") if value.conflict else "",
        )
        for value in values
    ]
    if not rows:
        return Text("")
    headings = (
        words.say("row"),
        words.say("field"),
        words.say("people's"),
        words.say("Rayline's"),
        "",
    )
    return table_view(words.say("Kept as people set them"), headings, rows)


def problems_view(problems: Iterable[RenderedProblem], words: Words) -> RenderableType:
    """Return problems as lines, the worst first."""
    order = list(COLOURS)
    lines = [
        Text(
            f"{words.say(SEVERITIES[problem.severity])}: {line(problem)}",
            style=COLOURS[problem.severity],
        )
        for problem in sorted(
            problems, key=lambda one: (order.index(one.severity), one)
        )
    ]
    return Group(*lines)


def count_view(problems: Iterable[RenderedProblem], words: Words) -> RenderableType:
    """Return how many problems of each severity there are, in one line."""
    counts = Counter(problem.severity for problem in problems)
    sentence = words.say(
        "Errors: {errors}, warnings: {warnings}, notes: {notes}.",
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        notes=counts[Severity.INFO],
    )
    return Text(sentence, style="bold")


def report_view(report: Report, words: Words, schema: Schema) -> RenderableType:
    """Return how a cycle went."""
    head = words.say(
        "Run {run} of {workspace}: {create} created, {update} updated, {sections} sections, "
        "{archive} archived in {seconds} s ({notion} Notion and {jira} Jira requests).",
        run=report.run_id,
        workspace=report.workspace,
        seconds=words.number(report.seconds),
        **report.applied.counts(),
        notion=report.requests["notion"],
        jira=report.requests["jira"],
    )
    refused = [
        Text(words.say("Refused: {reason}", reason=line(reason)), style="red")
        for reason in report.refused
    ]
    names = {change.ref: change.title for change in report.plan.changes}
    problems = label_fields(report.problems(), schema, words.locale, names)
    return Group(Text(head, style="bold"), *refused, problems_view(problems, words))


def why_view(facts: Iterable[Fact], reader: Reader, *, title: str) -> RenderableType:
    """Return why fields have their values: rule, formula, inputs with links, threshold."""
    words = reader.words
    tree = Tree(Text(title, style="bold"))
    for fact in facts:
        known = reader.schema.sources[fact.ref.source].properties[fact.field]
        label = known.label[words.locale]
        if reader.schema.is_private(fact.ref.source):
            tree.add(Text(f"{label}: {words.say(PRIVATE)}  [{fact.why.rule}]"))
            continue
        value = brief(reader.say_value(fact.value, known))
        branch = tree.add(Text(f"{label} = {value}", style="green"))
        _add_reason(branch, fact.why, reader.say_inputs(fact.why, fact.ref), words)
    return tree


def _add_reason(branch: Tree, why: Why, inputs: Iterable[Input], words: Words) -> None:
    for pattern, text in (
        (message("rule: {text}"), why.rule),
        (message("formula: {text}"), why.formula),
        (message("threshold: {text}"), why.threshold),
    ):
        if text:
            branch.add(Text(words.say(pattern, text=text)))
    for item in inputs:
        link = f"  {item.url}" if item.url else ""
        branch.add(Text(f"{item.name}: {item.value}{link}"))


def fate_view(
    fate: str, why: Why, inputs: Iterable[Input], words: Words
) -> RenderableType:
    """Return what becomes of a row that has had its time, and why."""
    tree = Tree(Text(words.say(fate), style="bold"))
    _add_reason(tree, why, inputs, words)
    return tree


def table_view(
    title: str, headings: Iterable[str], rows: Iterable[Iterable[Any]]
) -> RenderableType:
    """Return a plain table."""
    table = Table(title=title, title_justify="left", box=None)
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    return table


def brief(text: str, width: int = WIDTH) -> str:
    """Return a value on one line, and no more of it than a line holds."""
    line = text.replace("\n", " ⏎ ")
    if len(line) <= width:
        return line
    return f"{line[: width - 1]}…"


class SafeConsole(Console):
    """A console that shows what is hidden in people's words and obeys nothing in them: no escape sequence, no turn of
    direction, no markup of its own. Everything this program says on a terminal goes through it."""

    def __init__(self, *, stderr: bool, width: int | None = None) -> None:
        super().__init__(
            stderr=stderr,
            width=width,
            highlight=False,
            soft_wrap=True,
            markup=False,
            emoji=False,
        )

    def on_broken_pipe(self) -> None:
        """Leave it to whoever ends the command, as everywhere else."""
        raise BrokenPipeError

    def render_str(self, text: str, **options: Any) -> Text:
        """Return people's words as text, escapes written out before they are measured."""
        return super().render_str(visible(text, kept="\n\t"), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what a view consists of; only this console's own colours and movements stay commands."""
        for segment in super().render(renderable, options):
            yield (
                segment
                if segment.control
                else Segment(visible(segment.text, kept="\n\t"), segment.style)
            )


def console(*, stderr: bool = False) -> SafeConsole:
    """Return a console on stdout or stderr; wide when the output is not a terminal, so that lines stay whole."""
    made = SafeConsole(stderr=stderr)
    return made if made.is_terminal else SafeConsole(stderr=stderr, width=200)


def say(text: str) -> None:
    """Say a line on stderr."""
    sys.stderr.write(visible(text, kept="\n\t") + "\n")
    sys.stderr.flush()


def print_json(data: Any) -> None:
    """Print one JSON object on stdout, on one line, with no character in it that a terminal would obey."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    sys.stdout.write(visible_json(text) + "\n")
    sys.stdout.flush()


def say_error(error: RaylineError, words: Words, *, as_json: bool) -> None:
    """Say an error on stderr, and as one object on stdout too where that is what a program reads."""
    if as_json:
        print_json(error_data(error, words))
    console(stderr=True).print(explain(error, words), style="red")
