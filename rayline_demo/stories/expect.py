"""What a storyline's author worked out by hand, compared with what stands: every difference is one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from rayline_demo.stories.editor import (
    PICTURE,
    Standing,
    StoryEditor,
    Unnamed,
    listed,
    spaced,
)
from rayline_demo.stories.expected import (
    After,
    CountCheck,
    Matcher,
    PageCheck,
    ProblemCheck,
    RowCheck,
)
from rayline_demo.stories.play import Lived
from rayline_demo.stories.script import in_locale
from worker.errors import RenderedProblem
from worker.mapping.schema import KEY_PROPERTY

INDENT = "\n      "
MOST_SHOWN = 10


def compare(editor: StoryEditor, after: After, lived: Lived) -> list[str]:
    """Return how the boards after a day differ from what was expected; empty when they do not."""
    differences: list[str] = []
    for row in after.rows:
        differences += _named(row.label, _compare_row(editor, row))
    for page in after.pages:
        differences += _named(page.row, _compare_page(editor, page))
    for count in after.counts:
        differences += _named("counts", _compare_count(editor, count))
    for problem in after.problems:
        differences += _named("problems", _compare_problems(editor, problem, lived))

    if after.writes not in (None, lived.writes):
        differences.append(
            f"the worker wrote {lived.writes} times, expected {after.writes}"
        )
    return [f"after {lived.day}: {line}" for line in differences]


def _named(label: str, differences: Iterable[str]) -> Iterator[str]:
    """Yield differences; what a check names and is not there is one."""
    try:
        yield from differences
    except Unnamed as error:
        yield f"{label}: {error}"


# Rows


def _compare_row(editor: StoryEditor, check: RowCheck) -> Iterator[str]:
    label = check.label
    source, rows = _find(editor, check)
    if check.absent:
        if rows:
            yield _difference(label, "absent", _shown(rows[0]))
        return

    count = len(rows)
    if count != 1:
        near = _near_misses(editor, source, check.row)
        yield _difference(label, "one row", f"{count}{near}")
        return

    values = rows[0].values
    for name, expected in check.fields.items():
        editor.prop(source, name)
        value = values.get(name)
        fits = _fits(editor, source, name, value=value, expected=expected)
        if not fits:
            wanted = _told(editor, expected)
            yield _difference(f"{label}: {name}", wanted, _readable(editor, value))


def _find(editor: StoryEditor, check: RowCheck) -> tuple[str, list[Standing]]:
    """Return the source a check is about, and its rows that are meant."""
    if not check.row:
        return check.source, _matching(editor, check.source, check.where)
    return _find_row(editor, check.row)


def _find_row(editor: StoryEditor, row: str) -> tuple[str, list[Standing]]:
    source, name = editor.split(row)
    if ":" in name:
        return source, editor.keyed(source, name)
    page_id = editor.alias(name)
    rows = editor.rows(source)
    return source, [one for one in rows if one.page_id == page_id]


def _matching(
    editor: StoryEditor, source: str, where: Mapping[str, Any]
) -> list[Standing]:
    rows = editor.rows(source)
    return [row for row in rows if _holds(editor, source, row, where)]


def _near_misses(editor: StoryEditor, source: str, row: str) -> str:
    """Return the keys of the same kind that do stand; nothing when no key was asked for."""
    if not row:
        return ""
    _, name = editor.split(row)
    kind, _, _ = name.partition(":")

    names = []
    for standing in editor.rows(source):
        key = standing.values.get(KEY_PROPERTY) or ""
        named = _with_aliases(editor, key)
        if named and named.startswith(kind):
            names.append(named)

    listing = ", ".join(sorted(names))
    return f"; there are {listing or 'none'}"


def _with_aliases(editor: StoryEditor, text: str) -> str:
    for alias, page in editor.pages.items():
        text = text.replace(page, f"@{alias}")
    return text


def _compare_count(editor: StoryEditor, check: CountCheck) -> Iterator[str]:
    rows = _matching(editor, check.source, check.where)
    count = len(rows)
    if count == check.count:
        return

    label = f"{check.source} where {check.where}"
    found = str(count)
    for row in rows[:MOST_SHOWN]:
        found += INDENT + _shown(row)
    yield _difference(label, f"{check.count} rows", found)


# Pages


def _compare_page(editor: StoryEditor, check: PageCheck) -> Iterator[str]:
    label = check.row
    _, rows = _find_row(editor, check.row)
    count = len(rows)
    if count != 1:
        yield _difference(label, "one row", count)
        return

    page_id = rows[0].page_id
    lines = editor.lines(page_id)
    missing = _missing_line(lines, _texts(editor, check.lines))
    if missing:
        yield f"{label}: {missing}"
        return

    for banned in _texts(editor, check.lacks):
        for line in lines:
            if banned in line:
                yield f"{label}: unwanted {line!r}"

    pictures = lines.count(PICTURE)
    if check.pictures not in (None, pictures):
        yield _difference(label, f"{check.pictures} pictures", pictures)


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
    editor: StoryEditor, source: str, row: Standing, where: Mapping[str, Any]
) -> bool:
    for name, expected in where.items():
        value = row.values.get(name)
        fits = _fits(editor, source, name, value=value, expected=expected)
        if not fits:
            return False
    return True


def _fits(
    editor: StoryEditor, source: str, name: str, *, value: Any, expected: Any
) -> bool:
    """Tell whether a value is the expected one, or passes a matcher."""
    expected = in_locale(expected, editor.locale)
    matcher = _matcher(expected)
    if matcher is None:
        exact = editor.wanted(source, name, expected)
        return bool(value == exact)

    if matcher.near is not None and not _is_near(value, matcher):
        return False
    told = str(value)
    if any(banned in told for banned in _texts(editor, matcher.lacks)):
        return False
    return all(wanted in told for wanted in _texts(editor, matcher.contains))


def _matcher(expected: Any) -> Matcher | None:
    """Return the matcher a table is, None for a value."""
    if not isinstance(expected, dict):
        return None
    if expected.keys() - set(Matcher.__struct_fields__):
        return None
    return msgspec.convert(expected, Matcher)


def _is_near(value: Any, matcher: Matcher) -> bool:
    if value is None or matcher.near is None:
        return False
    distance = abs(value - matcher.near)
    return bool(distance <= matcher.by)


def _texts(editor: StoryEditor, given: Any) -> list[str]:
    """Return texts in the storyline's locale, one or a list."""
    texts = in_locale(given, editor.locale)
    return [spaced(str(text)) for text in listed(texts)]


# Problems


def _compare_problems(
    editor: StoryEditor, check: ProblemCheck, lived: Lived
) -> Iterator[str]:
    report = lived.report
    problems = report.plan.problems if report else ()
    meant = [problem for problem in problems if _is_meant(editor, check, problem)]
    count = len(meant)
    if count == check.count:
        return

    details = "".join(_bracketed(problem) for problem in meant)
    codes = {problem.code for problem in problems}
    listing = ", ".join(sorted(codes))
    yield _difference(
        f"problem {check.code}",
        check.count,
        f"{count}{details}; codes of that day: {listing}",
    )


def _bracketed(problem: RenderedProblem) -> str:
    where = problem.where
    message = problem.message
    return f" [{where}: {message}]"


def _is_meant(
    editor: StoryEditor, check: ProblemCheck, problem: RenderedProblem
) -> bool:
    if problem.code != check.code:
        return False
    if check.field not in (None, problem.field):
        return False
    where = _text(editor, check.where)
    if where not in spaced(problem.where):
        return False
    part = _text(editor, check.contains)
    return part in spaced(problem.message)


def _text(editor: StoryEditor, given: Any) -> str:
    text = in_locale(given, editor.locale)
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


def _told(editor: StoryEditor, expected: Any) -> str:
    text = in_locale(expected, editor.locale)
    told = repr(text)
    # As the storyline's author writes a day.
    return told.replace("datetime.date", "")


def _readable(editor: StoryEditor, value: Any) -> str:
    if isinstance(value, tuple):
        names = [editor.name_of(one) for one in value]
        listing = ", ".join(names)
        return f"[{listing}]"
    if isinstance(value, Decimal):
        return str(value)
    return repr(value)
