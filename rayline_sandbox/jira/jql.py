"""JQL as text to a tree: a tokenizer and a recursive descent parser. Meaning is given in `jql_evaluate`.

Grammar: `[or-clause] [ORDER BY field [ASC|DESC] , ...]` with `OR < AND < NOT`, parentheses, and clauses
`field operator operand`; an operand is a value, a function call, a list of those, or EMPTY.
What the grammar lacks (`WAS`, `CHANGED`, history predicates) is a `JqlSyntax` error, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum


class JqlSyntax(Exception):
    """The text is not JQL this parser knows; Jira answers 400."""


class Token(Enum):
    """What a word of the text is."""

    WORD = "word"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One word of the text with its place (from 1)."""

    kind: Token
    value: str
    line: int
    column: int

    def says(self, *words: str) -> bool:
        """Tell whether this is one of some bare keywords."""
        return self.kind is Token.WORD and self.value.casefold() in words


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written; quoting decides how numbers and dates are read."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function with literal arguments."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """EMPTY or NULL."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list operand; EMPTY may be among its values."""

    items: tuple[Literal | Call | Empty, ...]


Operand = Literal | Call | Many | Empty


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition; the operator is in lower case with single blanks (`not in`, `is not`)."""

    field: str
    operator: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Logic:
    """Conditions joined by `and` or `or`."""

    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """A negated condition."""

    part: Condition


Condition = Clause | Logic | Negation


@dataclass(frozen=True, slots=True)
class Order:
    """One sort key; `descending` is None where not said."""

    field: str
    descending: bool | None


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; `where` is None for an unbounded one."""

    where: Condition | None
    order: tuple[Order, ...]


_LEXEMES = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<double>"(?:\\.|[^"\\])*")
  | (?P<single>'(?:\\.|[^'\\])*')
  | (?P<custom>cf\[\d+\])
  | (?P<sign>!=|!~|>=|<=|&&|\|\||[=~<>(),!&|])
  | (?P<word>(?:\\.|[^\s"'=!~<>(),&|\[\]{}*/%+^$\#@?;\\])+)
""",
    re.VERBOSE | re.IGNORECASE,
)
_COMPARISONS = ("=", "!=", "~", "!~", ">", ">=", "<", "<=")
_RESERVED = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "is",
        "was",
        "changed",
        "empty",
        "null",
        "order",
        "by",
        "asc",
        "desc",
    }
)
_OPERATORS = "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
# What Jira says when something else comes, and when the query ends (docs/facts/jira-api.md 1.1).
_EXPECTED = {
    "field": (
        "Error in the JQL Query: Expecting a field name but got '{got}'. You must "
        "surround '{got}' in "
        "quotation marks to use it as a field name.",
        "Error in the JQL Query: Expecting a field name at the end of the query.",
    ),
    "operator": (
        f"Error in the JQL Query: Expecting operator but got '{{got}}'. {_OPERATORS}",
        "Error in the JQL Query: Expecting operator before the end of the query. "
        f"{_OPERATORS}",
    ),
    "operand": (
        "Error in JQL Query: Expecting either a value, list or function but got "
        "'{got}'. You must surround "
        "'{got}' in quotation marks to use it as a value.",
        "Error in JQL Query: Expecting either a value, list or function before the "
        "end of the query.",
    ),
}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_ORDER_LIMIT = 7
_DEPTH_LIMIT = 100


def parse(text: str) -> Query:
    """Return the tree of a query; raises `JqlSyntax`."""
    return _Parser(tuple(_lexemes(text))).query()


def _lexemes(text: str) -> list[Lexeme]:
    lexemes: list[Lexeme] = []
    place = 0
    while place < len(text):
        match = _LEXEMES.match(text, place)
        line = text.count("\n", 0, place) + 1
        column = place - text.rfind("\n", 0, place)
        if match is None:
            fault = _unreadable(text[place:])
            raise JqlSyntax(
                f"Error in the JQL Query: {fault} (line {line}, character {column})"
            )
        place = match.end()
        lexemes.extend(_lexeme(match, line, column))
    line = text.count("\n") + 1
    column = len(text) - text.rfind("\n")
    return [*lexemes, Lexeme(Token.END, "", line, column)]


def _unreadable(rest: str) -> str:
    """Return what Jira says of a text that begins with no word."""
    if rest[0] in "\"'":
        return f"The quoted string '{rest[1:]}' has not been completed."
    return (
        f"The character '{rest[0]}' is a reserved JQL character. You must enclose it "
        "in a string or use the "
        f"escape '\\u{ord(rest[0]):04x}' instead."
    )


def _lexeme(match: re.Match[str], line: int, column: int) -> list[Lexeme]:
    kind = match.lastgroup
    value = match[0]
    match kind:
        case "space":
            return []
        case "double" | "single":
            return [Lexeme(Token.TEXT, _unescape(value[1:-1]), line, column)]
        case "sign":
            return _sign(value, line, column)
        case _:
            return [Lexeme(Token.WORD, _unescape(value), line, column)]


def _sign(value: str, line: int, column: int) -> list[Lexeme]:
    words = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
    if value in words:
        return [Lexeme(Token.WORD, words[value], line, column)]
    return [Lexeme(Token.SIGN, value, line, column)]


def _unescape(text: str) -> str:
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _meant, text)


def _meant(escape: re.Match[str]) -> str:
    """Return the character an escape stands for."""
    sign = escape[1]
    if len(sign) > 1:
        number = int(sign[1:], 16)
        return chr(number)
    return _ESCAPES.get(sign, sign)


class _Parser:
    def __init__(self, lexemes: tuple[Lexeme, ...]) -> None:
        self._lexemes = lexemes
        self._place = 0
        self._depth = 0

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._place]

    def _take(self) -> Lexeme:
        lexeme = self._next
        self._place += 1
        return lexeme

    def _sign(self, value: str) -> bool:
        if self._next.kind is Token.SIGN and self._next.value == value:
            self._place += 1
            return True
        return False

    def _keyword(self, *words: str) -> bool:
        if self._next.says(*words):
            self._place += 1
            return True
        return False

    def _refuse(self, expected: str) -> JqlSyntax:
        """Return a refusal in Jira's words, for one of `_EXPECTED` or else anything expected."""
        lexeme = self._next
        but_got, before_end = _EXPECTED.get(
            expected,
            (
                f"Error in the JQL Query: Expecting {expected} but got '{{got}}'.",
                f"Error in the JQL Query: Expecting {expected} before the end of the "
                "query.",
            ),
        )
        if lexeme.kind is Token.END:
            return JqlSyntax(before_end)
        place = f"(line {lexeme.line}, character {lexeme.column})"
        return JqlSyntax(f"{but_got.format(got=lexeme.value)} {place}")

    def query(self) -> Query:
        started = self._next.kind is Token.END or self._next.says("order")
        where = None if started else self._either()
        order = self._order() if self._keyword("order") else ()
        if self._next.kind is not Token.END:
            raise self._refuse("either 'OR' or 'AND'")
        return Query(where, order)

    def _either(self) -> Condition:
        return self._joined("or")

    def _both(self) -> Condition:
        return self._joined("and")

    def _joined(self, word: str) -> Condition:
        read = self._both if word == "or" else self._negated
        parts = [read()]
        while self._keyword(word):
            parts.append(read())
        if len(parts) == 1:
            return parts[0]
        return Logic(word, tuple(parts))

    def _negated(self) -> Condition:
        if self._keyword("not"):
            with self._deeper():
                return Negation(self._negated())
        if self._sign("("):
            with self._deeper():
                inner = self._either()
            if not self._sign(")"):
                raise self._refuse("')'")
            return inner
        return self._clause()

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise JqlSyntax("The JQL query is nested too deeply.")
        yield
        self._depth -= 1

    def _name(self) -> str:
        lexeme = self._next
        plain = lexeme.kind is Token.TEXT or (
            lexeme.kind is Token.WORD and lexeme.value.casefold() not in _RESERVED
        )
        if not plain or not lexeme.value:
            raise self._refuse("field")
        return self._take().value

    def _clause(self) -> Condition:
        field = self._name()
        operator = self._operator()
        if operator in ("in", "not in"):
            return Clause(field, operator, self._list())
        if operator in ("is", "is not"):
            return Clause(field, operator, self._empty())
        return Clause(field, operator, self._single())

    def _operator(self) -> str:
        lexeme = self._next
        if lexeme.kind is Token.SIGN and lexeme.value in _COMPARISONS:
            return self._take().value
        if self._keyword("in"):
            return "in"
        if self._keyword("is"):
            return "is not" if self._keyword("not") else "is"
        if self._keyword("not"):
            if self._keyword("in"):
                return "not in"
            raise self._refuse("'IN'")
        if lexeme.says("was", "changed"):
            raise JqlSyntax(
                f"Error in the JQL Query: the history operator '{lexeme.value}' is "
                "not known to this "
                f"sandbox. (line {lexeme.line}, character {lexeme.column})"
            )
        raise self._refuse("operator")

    def _empty(self) -> Empty:
        if self._keyword("empty", "null"):
            return Empty()
        raise self._refuse("either 'EMPTY' or 'NULL'")

    def _list(self) -> Operand:
        if not self._sign("("):
            operand = self._single()
            if isinstance(operand, Call):
                return operand
            raise self._refuse("operand")
        items = [self._single()]
        while self._sign(","):
            items.append(self._single())
        if not self._sign(")"):
            raise self._refuse("')'")
        return Many(tuple(items))

    def _single(self) -> Literal | Call | Empty:
        if self._keyword("empty", "null"):
            return Empty()
        return self._value()

    def _value(self) -> Literal | Call:
        lexeme = self._next
        if lexeme.kind is Token.TEXT:
            return Literal(self._take().value, quoted=True)
        if lexeme.kind is not Token.WORD or lexeme.value.casefold() in _RESERVED:
            raise self._refuse("operand")
        self._take()
        if self._sign("("):
            return Call(lexeme.value, self._arguments())
        return Literal(lexeme.value, quoted=False)

    def _arguments(self) -> tuple[str, ...]:
        if self._sign(")"):
            return ()
        items = [self._argument()]
        while self._sign(","):
            items.append(self._argument())
        if not self._sign(")"):
            raise self._refuse("')'")
        return tuple(items)

    def _argument(self) -> str:
        if self._next.kind not in (Token.WORD, Token.TEXT):
            raise self._refuse("a function argument")
        return self._take().value

    def _order(self) -> tuple[Order, ...]:
        if not self._keyword("by"):
            raise self._refuse("'BY' after 'ORDER'")
        items = [self._key()]
        while self._sign(","):
            items.append(self._key())
        if len(items) > _ORDER_LIMIT:
            raise JqlSyntax(
                "The maximum number of fields allowed in the ORDER BY clause is "
                f"{_ORDER_LIMIT}."
            )
        return tuple(items)

    def _key(self) -> Order:
        field = self._name()
        if self._keyword("desc"):
            return Order(field, True)
        return Order(field, False if self._keyword("asc") else None)
