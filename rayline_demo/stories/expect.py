"""What a storyline's author worked out by hand, compared with what stands: every difference is one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rayline_demo.stories.editor import Standing, StoryEditor, Unnamed, listed, spaced
from rayline_demo.stories.play import Lived
from rayline_demo.stories.script import Table, in_locale
from worker.errors import Problem
from worker.mapping.schema import KEY_PROPERTY

MATCHERS = frozenset({"contains", "lacks", "near", "by"})


def compare(typist: StoryEditor, after: Table, lived: Lived) -> list[str]:
    """Return how the boards after a day differ from what was expected; empty when they do not."""
    found: list[str] = []
    for check, tables in (
        (_row, "rows"),
        (_page, "pages"),
        (_count, "counts"),
        (_problem, "problems"),
    ):
        for table in after.get(tables, ()):
            try:
                found += check(typist, table, lived)
            except Unnamed as error:
                found.append(f"{table.get('row') or tables}: {error}")
    if "writes" in after and lived.writes != after["writes"]:
        found.append(
            f"the worker wrote {lived.writes} times, expected {after['writes']}"
        )
    return [f"after {lived.day}: {line}" for line in found]


def _row(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`row` (or `source` with `where`), and `absent = true` or `fields`."""
    label = str(table.get("row") or f"{table['source']} where {dict(table['where'])}")
    source, rows = _find(typist, table)
    if table.get("absent"):
        if rows:
            yield f"{label}: expected absent, found {_shown(rows[0])}"
        return
    if len(rows) != 1:
        yield f"{label}: expected one row, found {len(rows)}" + _near_misses(
            typist, source, table
        )
        return
    for name, expected in table.get("fields", {}).items():
        typist.prop(source, name)
        value = rows[0].values.get(name)
        if not _fits(typist, source, name, value=value, expected=expected):
            yield f"{label}: {name}: expected {_told(typist, expected)}, found {_readable(typist, value)}"


def _page(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`row`, and of the text of its page: `lines` that stand there in this order, `lacks`, `pictures`."""
    rows = _find(typist, table)[1]
    if len(rows) != 1:
        yield f"{table['row']}: expected one row, found {len(rows)}"
        return
    lines = typist.lines(rows[0].page_id)
    place = 0
    for wanted in map(spaced, in_locale(table.get("lines", []), typist.locale)):
        if wanted not in lines[place:]:
            yield (
                f"{table['row']}: no line {wanted!r} after line {place} of\n      "
                + "\n      ".join(lines)
            )
            return
        place = lines.index(wanted, place) + 1
    for banned in map(spaced, in_locale(table.get("lacks", []), typist.locale)):
        yield from (
            f"{table['row']}: unwanted {line!r}" for line in lines if banned in line
        )
    if table.get("pictures", lines.count("(picture)")) != lines.count("(picture)"):
        yield f"{table['row']}: expected {table['pictures']} pictures, found {lines.count('(picture)')}"


def _find(typist: StoryEditor, table: Table) -> tuple[str, list[Standing]]:
    if "row" not in table:
        return table["source"], [
            row
            for row in typist.rows(table["source"])
            if _holds(typist, table["source"], row, table["where"])
        ]
    source, _, name = table["row"].partition("/")
    if source not in typist.schema.sources:
        raise Unnamed(f"{table['row']!r} should begin with a data source and a slash")
    field, wanted = (
        (KEY_PROPERTY, typist.key(name)) if ":" in name else ("", typist.alias(name))
    )
    return source, [
        row
        for row in typist.rows(source)
        if (row.values.get(field) if field else row.page_id) == wanted
    ]


def _near_misses(typist: StoryEditor, source: str, table: Table) -> str:
    keys = [
        _named(typist, row.values.get(KEY_PROPERTY) or "")
        for row in typist.rows(source)
    ]
    wanted = table.get("row", "").partition("/")[2].partition(":")[0]
    found = [key for key in keys if key and key.startswith(wanted)]
    return f"; there are {', '.join(sorted(found)) or 'none'}" if "row" in table else ""


def _named(typist: StoryEditor, text: str) -> str:
    for alias, page in typist.pages.items():
        text = text.replace(page, f"@{alias}")
    return text


def _holds(
    typist: StoryEditor, source: str, row: Standing, where: Mapping[str, Any]
) -> bool:
    return all(
        _fits(typist, source, name, value=row.values.get(name), expected=expected)
        for name, expected in where.items()
    )


def _fits(
    typist: StoryEditor, source: str, name: str, *, value: Any, expected: Any
) -> bool:
    expected = in_locale(expected, typist.locale)
    if not (isinstance(expected, dict) and expected.keys() <= MATCHERS):
        return bool(value == typist.wanted(source, name, expected))
    texts = [
        spaced(str(one))
        for one in listed(in_locale(expected.get("contains", []), typist.locale))
    ]
    banned = [
        spaced(str(one))
        for one in listed(in_locale(expected.get("lacks", []), typist.locale))
    ]
    close = "near" not in expected or (
        value is not None
        and abs(value - Decimal(expected["near"]))
        <= Decimal(expected.get("by", "0.01"))
    )
    return (
        close
        and all(text in str(value) for text in texts)
        and not any(text in str(value) for text in banned)
    )


def _count(typist: StoryEditor, table: Table, _: Lived) -> Iterator[str]:
    """`source`, `where?`, `count`."""
    source, where = table["source"], table.get("where", {})
    rows = [row for row in typist.rows(source) if _holds(typist, source, row, where)]
    if len(rows) != table["count"]:
        shown = "".join(f"\n      {_shown(row)}" for row in rows[:10])
        yield f"{source} where {dict(where)}: expected {table['count']} rows, found {len(rows)}{shown}"


def _problem(typist: StoryEditor, table: Table, lived: Lived) -> Iterator[str]:
    """`code`, `where?`, `field?`, `contains?`, and `count` (1 by default)."""
    problems = lived.report.plan.problems if lived.report else ()
    found = [problem for problem in problems if _is_meant(typist, table, problem)]
    if len(found) != table.get("count", 1):
        others = sorted({problem.code for problem in problems})
        yield (
            f"problem {table['code']}: expected {table.get('count', 1)}, found {len(found)}"
            f"{''.join(f' [{one.where}: {one.message}]' for one in found)}; codes of that day: {', '.join(others)}"
        )


def _is_meant(typist: StoryEditor, table: Table, problem: Problem) -> bool:
    given = {
        name: spaced(str(in_locale(table[name], typist.locale)))
        for name in ("where", "field", "contains")
        if name in table
    }
    return (
        problem.code == table["code"]
        and given.get("field", problem.field) == problem.field
        and given.get("where", "") in spaced(problem.where)
        and given.get("contains", "") in spaced(problem.message)
    )


def _shown(row: Standing) -> str:
    title = row.values.get("name") or row.page_id
    return f"{title!r} ({row.values.get('status') or row.values.get('health') or ''})"


def _told(typist: StoryEditor, expected: Any) -> str:
    return repr(in_locale(expected, typist.locale)).replace("datetime.date", "")


def _readable(typist: StoryEditor, value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(typist.name_of(one) for one in value)}]"
    return str(value) if isinstance(value, Decimal) else repr(value)
