"""What a spreadsheet saved as text holds: the bytes of a CSV file into cells, and cells into values.

What may be read in two ways is never guessed: days before months or after them, a comma before thousands or before
cents. A whole column may show which is meant; else whoever brings the file says so.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from worker.domain.messages import Text, tell
from worker.domain.text import clean

LARGEST = 20_000_000
"""Bytes of a file that are read."""
DELIMITERS = (";", "\t", ",")
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
LATIN, CYRILLIC = re.compile("[a-zA-Zß-ÿ]"), re.compile("[а-яёА-ЯЁ]")
FOREIGN = re.compile("[Ђ-ЏҐѓ-џґ]")
"""What cp1251 has besides Russian: in its place other tables of the same size have the letters of western Europe."""
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
MONTH = re.compile(r"(\d{4})-(\d{1,2})|(\d{1,2})[./](\d{4})")
DAY = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})")
AMOUNT = re.compile(r"\d+(?:[.,]\d+)*")
GAPS = re.compile(r"(?<=\d)[\s\u00a0\u2009\u202f'’](?=\d)")
SIGNS = {"₽": "RUB", "€": "EUR", "$": "USD", "£": "GBP", "₸": "KZT", "₴": "UAH", "руб": "RUB", "р": "RUB"}  # fmt: skip
UNIT = re.compile(r"[A-Z]{3}|[₽€$£₸₴]|руб|р", re.IGNORECASE)
TOO_SHORT = 50
"""Of two digits of a year the larger half is of the last century."""


class Dates(StrEnum):
    """Which of two numbers is the day."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class Decimals(StrEnum):
    """What stands before the cents."""

    COMMA = "comma"
    POINT = "point"


class Unclear(ValueError):
    """A cell or a file cannot be read; `reason` and `hint` say why and what to do."""

    def __init__(self, reason: Text, hint: Text) -> None:
        super().__init__(reason.pattern)
        self.reason = reason
        self.hint = hint


class Line(msgspec.Struct, frozen=True, gc=False):
    """One row of a file: the number of its last line, counted from 1, and its cells."""

    number: int
    cells: tuple[str, ...]


class Grid(msgspec.Struct, frozen=True, gc=False):
    """A file read: its headers, its rows without the empty ones, and how it was written."""

    headers: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str
    delimiter: str


def read_grid(body: bytes, known: Callable[[str], bool], encoding: str = "") -> Grid:
    """Return the cells of a file; of several ways to read it, the one in which most headers are `known`.

    Raises `Unclear` for a file that is too large, is no text, or has no header that is known.
    """
    if len(body) > LARGEST:
        raise Unclear(
            tell("the file is larger than {size} MB", size=LARGEST // 10**6),
            tell("bring it in in several parts"),
        )
    grids = [
        grid
        for name, text in _texts(body, encoding)
        for delimiter in DELIMITERS
        if (grid := _split(text, name, delimiter)) is not None
    ]
    best = max(grids, key=lambda grid: sum(map(known, grid.headers)), default=None)
    if best is None or not any(map(known, best.headers)):
        raise Unclear(
            tell("no column of the first line is known"),
            tell(
                "the first line has to name the columns, as they are called on the board"
            ),
        )
    return best


def _texts(body: bytes, encoding: str) -> list[tuple[str, str]]:
    """Return what the bytes may say, the likeliest first; raises `Unclear` when they say nothing in the encoding that was asked for."""
    marked = [name for mark, name in MARKS if body.startswith(mark)]
    names: Sequence[str] = [encoding] if encoding else marked or _guesses(body)
    texts = []
    for name in names:
        with suppress(UnicodeDecodeError, LookupError):
            texts.append((name, body.decode(name)))
    if not texts:
        raise Unclear(
            tell("the file is no text that can be read"),
            tell("save it as CSV in UTF-8, or name its encoding by --encoding"),
        )
    return texts


def _guesses(body: bytes) -> list[str]:
    """Return the encodings to be tried of bytes without a mark, the surest first."""
    zero = body.find(b"\0")
    if zero >= 0:
        # No text of one byte a letter holds a zero; of two bytes the first letter of a plain word, or a line's end, does.
        return ["utf-16-le" if zero % 2 else "utf-16-be"]
    western = ["utf-8", "cp1252", "cp1251"]
    return ["utf-8", "cp1251", "cp1252"] if _is_russian(body) else western


def _is_russian(body: bytes) -> bool:
    """Tell whether bytes make sense in cp1251: no word of two alphabets, and no letters but Russian ones."""
    text = body.decode("cp1251", "replace")
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    return not any(
        FOREIGN.search(word) or (LATIN.search(word) and CYRILLIC.search(word))
        for word in words
    )


def _split(text: str, encoding: str, delimiter: str) -> Grid | None:
    """Return a text as cells, None when its quotes do not close."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = []
    try:
        for cells in reader:
            line = Line(reader.line_num, tuple(clean(cell).strip() for cell in cells))
            if any(line.cells):
                lines.append(line)
    except csv.Error:
        return None
    if not lines:
        return None
    return Grid(lines[0].cells, tuple(lines[1:]), encoding, delimiter)


# -- dates -------------------------------------------------------------------------------------------------------------


def order_of_dates(texts: Iterable[str]) -> Dates | None:
    """Return which of two numbers is the day in a column, None when nothing shows it; a point says the day comes first."""
    orders = set()
    for text in texts:
        match = DAY.fullmatch(text.strip())
        if match is None:
            continue
        first, mark, second = int(match[1]), match[2], int(match[3])
        if mark == "." or first > 12:
            orders.add(Dates.DAY_FIRST)
        elif second > 12:
            orders.add(Dates.MONTH_FIRST)
    return orders.pop() if len(orders) == 1 else None


def read_date(text: str, order: Dates | None) -> date:
    """Return the day that a cell says, of a month its first; raises `Unclear`."""
    if match := ISO.fullmatch(text):
        return _day(text, match[1], match[2], match[3])
    if match := MONTH.fullmatch(text):
        return _day(text, match[1] or match[4], match[2] or match[3], "1")
    match = DAY.fullmatch(text)
    if match is None:
        raise _no_date(text)
    if match[2] == ".":
        order = Dates.DAY_FIRST
    if order is None and match[1] != match[3]:
        raise Unclear(
            tell("“{text}” may be two days", text=text),
            tell(
                "say which number is the day: --dates dmy (31/12/2026) or --dates mdy (12/31/2026)"
            ),
        )
    year = match[4] if len(match[4]) == 4 else _century(match[4])
    if order is Dates.MONTH_FIRST:
        return _day(text, year, match[1], match[3])
    return _day(text, year, match[3], match[1])


def _century(year: str) -> str:
    return f"19{year}" if int(year) >= TOO_SHORT else f"20{year}"


def _day(text: str, year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise _no_date(text) from None


def _no_date(text: str) -> Unclear:
    return Unclear(
        tell("“{text}” is no date", text=text),
        tell("write it as 2026-12-31 or 31.12.2026"),
    )


# -- amounts -----------------------------------------------------------------------------------------------------------


def read_amount(text: str, decimals: Decimals | None) -> tuple[Decimal, str]:
    """Return the number that a cell says and its currency, empty where none stands beside it; raises `Unclear`."""
    bare = text.strip().replace("−", "-")
    is_below = bare.startswith(("-", "(")) or bare.endswith("-")
    units = UNIT.findall(bare)
    digits = GAPS.sub("", UNIT.sub("", bare).strip("-+() .\u00a0\u202f"))
    if not AMOUNT.fullmatch(digits) or len(units) > 1:
        raise Unclear(
            tell("“{text}” is no number", text=text),
            tell("write it as 1234.56 or 1 234,56"),
        )
    number = Decimal(_plain(digits, text, decimals))
    unit = units[0] if units else ""
    return -number if is_below else number, SIGNS.get(unit.lower(), unit.upper())


def _plain(digits: str, text: str, decimals: Decimals | None) -> str:
    """Return digits with a point before the cents and nothing else."""
    marks = re.findall("[.,]", digits)
    if not marks:
        return digits
    if (
        decimals is None
        and len(marks) == 1
        and re.search(r"^\d{1,3}[.,]\d{3}$", digits)
    ):
        raise Unclear(
            tell("“{text}” may be two numbers", text=text),
            tell(
                "say what stands before the cents: --decimals comma (1.234,56) or --decimals point (1,234.56)"
            ),
        )
    return _without_groups(digits, _mark(marks, decimals), text)


def _mark(marks: Sequence[str], decimals: Decimals | None) -> str:
    """Return what stands before the cents: what is said, else the last mark, unless it comes again."""
    if decimals is not None:
        return "," if decimals is Decimals.COMMA else "."
    return marks[-1] if marks.count(marks[-1]) == 1 else ""


def _without_groups(digits: str, mark: str, text: str) -> str:
    whole, cents = digits, ""
    if mark and mark in digits:
        whole, _, cents = digits.rpartition(mark)
    groups = re.split("[.,]", whole)
    is_grouped = all(len(group) == 3 for group in groups[1:]) and len(groups[0]) <= 3
    if len(groups) > 1 and not is_grouped:
        raise Unclear(
            tell("“{text}” is no number", text=text),
            tell("write it as 1234.56 or 1 234,56"),
        )
    return f"{''.join(groups)}.{cents}" if cents else "".join(groups)
