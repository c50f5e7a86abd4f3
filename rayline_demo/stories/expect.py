"""What a storyline's author worked out by hand, compared with what stands: every difference is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from rayline_demo.stories.editor import (
    PICTURE,
    Standing,
    StoryEditor,
    Unnamed,
    listed,
    spaced,
)
from rayline_demo.stories.play import Lived
from rayline_demo.stories.script import Table, in_locale
from worker.errors import RenderedProblem
from worker.mapping.schema import KEY_PROPERTY

MATCHERS = frozenset({"contains", "lacks", "near", "by"})
INDENT = "\n      "
MOST_SHOWN = 10


def compare(typist: StoryEditor, after: Table, lived: Lived) -> list[str]:
    """Return how the boards after a day differ from what was expected; empty when they do not."""
    found: list[str] = []
    for tables, check in CHECKS.items():
        for table in after.get(tables, ()):
            try:
                found += check(typist, table, lived)
            except Unnamed as error:
                label = table.get("row") or tables
                found.append(f"{label}: {error}")

    written = lived.writes
    writes = after.get("writes", written)
    if written != writes:
        found.append(f"the worker wrote {written} times, expected {writes}")
    return [f"after {lived.day}: {line}" for line in found]


# Rows


def _row(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`row` (or `source` with `where`), and `absent = true` or `fields`."""
    label = _label(table)
    source, rows = _find(typist, table)
    count = len(rows)

    if table.get("absent"):
        if rows:
            first = _shown(rows[0])
            yield _difference(label, "absent", first)
        return
    if count != 1:
        near = _near_misses(typist, source, table)
        yield _difference(label, "one row", f"{count}{near}")
        return

    values = rows[0].values
    fields = table.get("fields", {})
    for name, expected in fields.items():
        typist.prop(source, name)
        value = values.get(name)
        fits = _fits(typist, source, name, value=value, expected=expected)
        if fits:
            continue
        yield _difference(
            f"{label}: {name}", _told(typist, expected), _readable(typist, value)
        )


def _label(table: Table) -> str:
    if table.get("row"):
        return str(table["row"])
    source = table["source"]
    where = dict(table["where"])
    return f"{source} where {where}"


def _find(typist: StoryEditor, table: Table) -> tuple[str, list[Standing]]:
    """Return the source a check is about, and its rows that are meant."""
    if "row" not in table:
        source = table["source"]
        where = table["where"]
        return source, _matching(typist, source, where)

    source, name = typist.split(table["row"])
    if ":" in name:
        return source, typist.keyed(source, name)
    page_id = typist.alias(name)
    rows = typist.rows(source)
    return source, [row for row in rows if row.page_id == page_id]


def _matching(
    typist: StoryEditor, source: str, where: Mapping[str, Any]
) -> list[Standing]:
    rows = typist.rows(source)
    return [row for row in rows if _holds(typist, source, row, where)]


def _near_misses(typist: StoryEditor, source: str, table: Table) -> str:
    """Return the keys of the same kind that do stand; nothing when no key was asked for."""
    if "row" not in table:
        return ""
    _, name = typist.split(table["row"])
    kind, _, _ = name.partition(":")

    found = []
    for row in typist.rows(source):
        key = row.values.get(KEY_PROPERTY) or ""
        named = _named(typist, key)
        if named and named.startswith(kind):
            found.append(named)

    listing = ", ".join(sorted(found))
    return f"; there are {listing or 'none'}"


def _named(typist: StoryEditor, text: str) -> str:
    for alias, page in typist.pages.items():
        text = text.replace(page, f"@{alias}")
    return text


def _count(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`source`, `where?`, `count`."""
    source = table["source"]
    where = table.get("where", {})
    rows = _matching(typist, source, where)
    count = len(rows)
    wanted = table["count"]

    if count != wanted:
        first = rows[:MOST_SHOWN]
        shown = [_shown(row) for row in first]
        listing = INDENT.join(["", *shown])
        yield _difference(
            f"{source} where {dict(where)}", f"{wanted} rows", f"{count}{listing}"
        )


# Pages


def _page(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`row`, and of the text of its page: `lines` that stand there in this order, `lacks`, `pictures`."""
    label = table["row"]
    rows = _find(typist, table)[1]
    count = len(rows)
    if count != 1:
        yield _difference(label, "one row", count)
        return

    page_id = rows[0].page_id
    lines = typist.lines(page_id)
    wanted_lines = _texts(typist, table, "lines")
    missing = _missing_line(lines, wanted_lines)
    if missing:
        yield f"{label}: {missing}"
        return

    for banned in _texts(typist, table, "lacks"):
        for line in lines:
            if banned in line:
                yield f"{label}: unwanted {line!r}"

    pictures = lines.count(PICTURE)
    wanted = table.get("pictures", pictures)
    if pictures != wanted:
        yield _difference(label, f"{wanted} pictures", pictures)


def _missing_line(lines: list[str], wanted: list[str]) -> str:
    """Say which line does not follow those before it; empty when all stand in this order."""
    place = 0
    for line in wanted:
        if line not in lines[place:]:
            body = INDENT.join(lines)
            reason = f"no line {line!r} after line {place} of"
            return reason + INDENT + body
        place = lines.index(line, place) + 1
    return ""


# Values


def _holds(
    typist: StoryEditor, source: str, row: Standing, where: Mapping[str, Any]
) -> bool:
    for name, expected in where.items():
        fits = _fits(
            typist, source, name, value=row.values.get(name), expected=expected
        )
        if not fits:
            return False
    return True


def _fits(
    typist: StoryEditor, source: str, name: str, *, value: Any, expected: Any
) -> bool:
    """Tell whether a value is the expected one, or passes every matcher of a table of matchers."""
    expected = in_locale(expected, typist.locale)
    if not isinstance(expected, dict) or expected.keys() - MATCHERS:
        exact = typist.wanted(source, name, expected)
        return bool(value == exact)

    if "near" in expected and not _is_near(value, expected):
        return False
    told = str(value)
    wanted = _texts(typist, expected, "contains")
    banned = _texts(typist, expected, "lacks")
    missing = [text for text in wanted if text not in told]
    unwanted = [text for text in banned if text in told]
    return not missing and not unwanted


def _is_near(value: Any, expected: Table) -> bool:
    if value is None:
        return False
    wanted = Decimal(expected["near"])
    most = expected.get("by", "0.01")
    distance = abs(value - wanted)
    return bool(distance <= Decimal(most))


def _texts(typist: StoryEditor, table: Table, name: str) -> list[str]:
    """Return the texts under a name in the storyline's locale, one or a list; none when there is no such name."""
    given = table.get(name, [])
    texts = in_locale(given, typist.locale)
    return [spaced(str(text)) for text in listed(texts)]


# Problems


def _problem(typist: StoryEditor, table: Table, lived: Lived) -> Iterator[str]:
    """`code`, `where?`, `field?`, `contains?`, and `count` (1 by default)."""
    report = lived.report
    problems = report.plan.problems if report else ()
    found = [problem for problem in problems if _is_meant(typist, table, problem)]
    count = len(found)
    wanted = table.get("count", 1)
    if count == wanted:
        return

    code = table["code"]
    told = "".join(_bracketed(problem) for problem in found)
    codes = {problem.code for problem in problems}
    listing = ", ".join(sorted(codes))
    yield _difference(
        f"problem {code}", wanted, f"{count}{told}; codes of that day: {listing}"
    )


def _bracketed(problem: RenderedProblem) -> str:
    where = problem.where
    message = problem.message
    return f" [{where}: {message}]"


def _is_meant(typist: StoryEditor, table: Table, problem: RenderedProblem) -> bool:
    field = _text(typist, table, "field")
    where = _text(typist, table, "where")
    part = _text(typist, table, "contains")
    if problem.code != table["code"]:
        return False
    if "field" in table and problem.field != field:
        return False
    if where not in spaced(problem.where):
        return False
    return part in spaced(problem.message)


def _text(typist: StoryEditor, table: Table, name: str) -> str:
    given = table.get(name, "")
    text = in_locale(given, typist.locale)
    return spaced(str(text))


# Words


def _difference(place: str, wanted: object, found: object) -> str:
    return f"{place}: expected {wanted}, found {found}"


def _shown(row: Standing) -> str:
    values = row.values
    title = values.get("name") or row.page_id
    status = values.get("status")
    health = values.get("health")
    state = status or health or ""
    return f"{title!r} ({state})"


def _told(typist: StoryEditor, expected: Any) -> str:
    text = in_locale(expected, typist.locale)
    told = repr(text)
    # As the storyline's author writes a day.
    return told.replace("datetime.date", "")


def _readable(typist: StoryEditor, value: Any) -> str:
    if isinstance(value, tuple):
        names = [typist.name_of(one) for one in value]
        listing = ", ".join(names)
        return f"[{listing}]"
    if isinstance(value, Decimal):
        return str(value)
    return repr(value)


Check = Callable[[StoryEditor, Table, Lived], Iterable[str]]

CHECKS: dict[str, Check] = {
    "rows": _row,
    "pages": _page,
    "counts": _count,
    "problems": _problem,
}
"""What reads each kind of table of `expected.toml`."""
