"""Reading TOML files that people wrote: whatever is wrong with one becomes a sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from worker.domain.messages import ENGLISH, Text, literal, message, render, tell

DEEPEST = 32
"""How many tables and lists may stand in one another: ours need six, and what walks them has an end too."""
_LARGEST = 2**63
"""TOML promises whole numbers of 64 bits."""
_LONG_NUMBER = re.compile(r"[0-9](?:_?[0-9]){1000,}")


TWICE = message("something is written twice")
UNENDED = message("a bracket or a quotation mark is not closed")
SENTENCES = {
    "Invalid value": message("a value is missing or wrong; text wants quotation marks"),
    "Expected '='": message("a key wants = and a value after it"),
    "Expected ']": UNENDED,
    "Expected \"'": UNENDED,
    "Unclosed": UNENDED,
    "Unterminated string": UNENDED,
    "Expected newline": message("only one setting may stand in a line"),
    "Cannot": TWICE,
    "Duplicate": TWICE,
    "Invalid initial character": message("a key or a table begins with a wrong sign"),
    "Invalid statement": message("a key or a table begins with a wrong sign"),
    "Invalid date": message("there is no such day or time"),
    "Unescaped": message("a backslash in text is written twice"),
    "Escaped": message("a sign in text is written wrongly"),
    "Invalid hex": message("a sign in text is written wrongly"),
    "Illegal character": message("a sign stands where none may stand"),
    "Found invalid": message("a sign stands where none may stand"),
}
"""What the library's words begin with, and what that means to who wrote the file."""
_PLACE = re.compile(
    r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL
)


class BadToml(Exception):
    """A file is no TOML, or no TOML a person would write; `reason` says why and where."""

    def __init__(self, reason: Text) -> None:
        super().__init__(render(reason, ENGLISH))
        self.reason = reason


def read_toml(
    path: Path, *, parse_float: Callable[[str], Any] = float
) -> dict[str, Any]:
    """Return the tables of a file; raises `OSError` when it cannot be read and `BadToml` when it makes no sense."""
    text = _decode(path.read_bytes())
    try:
        data = tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise BadToml(_say_fault(error)) from None
    except RecursionError:
        raise _too_deep("") from None
    except ValueError:
        # Python reads no number of thousands of digits, and does not say where it stands.
        raise BadToml(_long_number(text)) from None

    check_size(data)
    return data


def check_size(data: Mapping[str, Any]) -> None:
    """Raise `BadToml`, naming the key, when values stand too deep in one another or a number is beyond 64 bits."""
    waiting: list[tuple[str, int, Any]] = [("", 0, data)]
    while waiting:
        key, depth, value = waiting.pop()
        if depth > DEEPEST:
            raise _too_deep(key)
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise BadToml(tell("the number at {key} is beyond 64 bits", key=key))
        waiting += ((name, depth + 1, inner) for name, inner in _inside(key, value))


def _say_fault(error: tomllib.TOMLDecodeError) -> Text:
    """Return what is wrong with a file's text and where; what the table does not know in the library's own words."""
    placed = _PLACE.match(str(error))
    words, line, column = placed.groups() if placed else (str(error), None, None)
    known = (one for begin, one in SENTENCES.items() if words.startswith(begin))
    sentence = next(known, "")
    reason = tell(sentence) if sentence else literal(words)
    if line is None:
        return tell("is not valid TOML at its end: {reason}", reason=reason)
    return tell(
        "is not valid TOML in line {line}, sign {column}: {reason}",
        line=line,
        column=column,
        reason=reason,
    )


def _inside(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping():
            named: Iterator[tuple[Any, Any]] = iter(value.items())
        case list():
            named = iter(enumerate(value))
        case _:
            return
    for name, inner in named:
        yield (f"{key}.{name}" if key else str(name)), inner


def _decode(raw: bytes) -> str:
    """Return a file's text; some editors put a mark before it."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(raw[: error.start].split(b"\n"))
        raise BadToml(
            tell("is not valid TOML: line {line} is not UTF-8", line=line)
        ) from None


def _too_deep(key: str) -> BadToml:
    if not key:
        return BadToml(
            tell("holds tables or lists more than {depth} deep", depth=DEEPEST)
        )
    first = ".".join(key.split(".")[:3])
    return BadToml(
        tell(
            "holds tables or lists more than {depth} deep, under {key}",
            depth=DEEPEST,
            key=first,
        )
    )


def _long_number(text: str) -> Text:
    found = _LONG_NUMBER.search(text)
    line = len(text[: found.start()].split("\n")) if found else 1
    return tell("the number in line {line} is beyond 64 bits", line=line)
