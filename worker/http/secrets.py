"""Keeping credentials out of everything that is shown, stored or logged.

A server may echo a secret in another spelling than ours: in JSON, in an address, in HTML, in one of them inside
another, as bytes, or in base64 with whatever it was joined to (`user:secret` of a Basic header). All of them are
masked, wherever they stand.
"""

from __future__ import annotations

import re
import string
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import ceil

from worker.domain.text import clean_line

DETAIL = 200
"""Longest piece of a server's words that leaves a gateway."""
MASK = "[secret]"
SHORTEST = 4
"""Characters below which a secret is a word that may stand anywhere."""
BITS_OF_BYTE = 8
BITS_OF_BASE64 = 6
"""What one character of base64 holds."""
ADDRESS_BASE64 = {"+": "-", "/": "_"}
"""What base64 for addresses has instead."""
BASE64 = string.ascii_letters + string.digits + "+/_-"
HTML_NAMES = {'"': "quot", "&": "amp", "'": "apos", "<": "lt", ">": "gt"}
_PERCENT = "%(?:25)*"
"""What an address writes before the number of a byte: `%`, or `%25` and so on once it is quoted again."""
_SLASH = rf"(?:\\|{_PERCENT}5[cC])"
_DOUBLED = 8
"""What one backslash becomes at the most: each time a text is quoted again doubles it."""
_SLASHES = f"{_SLASH}{{1,{_DOUBLED}}}+"
"""Backslashes before what they escape."""
_AND = f"(?:&|{_PERCENT}26)"
_SHARP = f"(?:#|{_PERCENT}23)"
_SEMICOLON = f"(?:;|{_PERCENT}3[bB])"
_CREDENTIALS = (
    # A token of Notion.
    r"\b(?:ntn_|secret_)[\w\-]{4,}",
    # A token of Atlassian.
    r"\bAT[AS]TT[\w\-=]+",
    # What stands in headers.
    r"\b(?i:basic|bearer)\s+[\w+/=.\-~]{8,}",
    r"(?i:set-cookie|cookie):[^\r\n]*",
)
_LOOKS_SECRET = re.compile("|".join(_CREDENTIALS))


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return at most 200 characters of `text` on one line, credentials masked."""
    masked = mask(text, secrets)
    line = clean_line(masked).strip()
    return line[:DETAIL]


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with every spelling of the secrets, and all that looks like a credential, masked."""
    known = tuple(secret for secret in secrets if len(secret) >= SHORTEST)
    if known:
        spelled = _spelled(known)
        text = spelled.sub(MASK, text)
        text = _mask_coded(text, _coded(known))
    return _LOOKS_SECRET.sub(MASK, text)


def _mask_coded(text: str, cores: re.Pattern[str] | None) -> str:
    """Mask base64 from its beginning to its end where a secret is in it."""
    if cores is None:
        return text
    parts = []
    at = 0
    for match in cores.finditer(text):
        before = text[at : match.start()]
        parts.append(before.rstrip(BASE64))
        parts.append(MASK)
        at = match.end()
    parts.append(text[at:])
    return "".join(parts)


@lru_cache(maxsize=32)
def _spelled(secrets: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches secrets however their characters are written, the longest first."""
    longest_first = sorted(secrets, key=len, reverse=True)
    spellings = map(_spelling, longest_first)
    return re.compile("|".join(spellings))


def _spelling(text: str) -> str:
    parts = re.findall(r"\\+|[^\\]", text)
    written = "".join(map(_written_part, parts))
    raw = _to_bytes(text)
    in_hex = _any_case(raw.hex())
    return f"{written}|{in_hex}"


def _to_bytes(text: str) -> bytes:
    """Return what text is on the wire; half a pair of UTF-16, which has no UTF-8, is written as if it had."""
    return text.encode("utf-8", "surrogatepass")


def _any_case(digits: str) -> str:
    """Return what matches a hexadecimal number in small and capital letters."""
    return f"(?i:{digits})"


def _written_part(part: str) -> str:
    """Return what matches a character, or backslashes in a row: one by one they would be tried in every way."""
    if part[0] != "\\":
        return _written(part)
    count = len(part)
    most = count * _DOUBLED
    escaped = f"{_SLASH}{{{count},{most}}}"
    otherwise = f"{_written(part[0])}{{{count}}}"
    return f"(?:{escaped}|{otherwise})"


@lru_cache(maxsize=1024)
def _written(character: str) -> str:
    """Return what matches one character, as it is (a form has `+` for a space) or escaped, once or several times over."""
    itself = "[ +]" if character == " " else re.escape(character)
    ways = [itself]
    ways += _by_code(character)
    ways += _by_bytes(character)
    ways += _as_entity(character)
    distinct = dict.fromkeys(ways)
    either = "|".join(distinct)

    # Before a letter or a digit a backslash is no mere quotation: it makes another character.
    if character.isalnum() or character == "\\":
        return f"(?:{either})"
    return f"(?:{_SLASHES})?(?:{either})"


def _by_code(character: str) -> Iterator[str]:
    """Yield how JSON and Python escape a character by its number, whole or as UTF-16."""
    code = ord(character)
    yield _escape("U", f"{code:08x}")
    yield _escape("x", f"{code:02x}")

    raw = character.encode("utf-16-be", "surrogatepass")
    units = ""
    for digits in raw.hex(" ", 2).split():
        units += _escape("u", digits)
    yield units


def _escape(letter: str, digits: str) -> str:
    """Return what matches a number behind a backslash and its letter, such as `\\x4f`."""
    return f"{_SLASHES}{letter}{_any_case(digits)}"


def _by_bytes(character: str) -> Iterator[str]:
    """Yield how Python and an address write a character's bytes, and what a reader of bytes takes them for."""
    raw = _to_bytes(character)
    in_python = ""
    in_address = ""
    for digits in raw.hex(" ").split():
        in_python += _escape("x", digits)
        in_address += _PERCENT + _any_case(digits)
    yield in_python
    yield in_address

    if not character.isascii():
        mistaken = raw.decode("latin-1")
        yield re.escape(mistaken)


def _as_entity(character: str) -> Iterator[str]:
    """Yield how HTML writes a character; text escaped again has `&amp;` for the ampersand."""
    for reference in _references(character):
        yield f"{_AND}(?:amp;)*{reference}{_SEMICOLON}"


def _references(character: str) -> Iterator[str]:
    """Yield the numbers and the name by which HTML refers to a character."""
    code = ord(character)
    in_hex = _any_case(f"{code:x}")
    yield f"{_SHARP}0*{code}"
    yield f"{_SHARP}[xX]0*{in_hex}"
    name = HTML_NAMES.get(character)
    if name:
        yield name


@lru_cache(maxsize=32)
def _coded(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what matches base64 from where secrets begin in it; None when all are too short for that."""
    cores: set[str] = set()
    for secret in secrets:
        cores.update(_base64_cores(secret))
    if not cores:
        return None
    either = "|".join(sorted(cores))
    rest = re.escape(BASE64)
    return re.compile(f"(?:{either})[{rest}]*=*")


def _base64_cores(secret: str) -> Iterator[str]:
    """Yield what matches the middle of a secret in base64, whatever stands before and behind it.

    Three bytes become four characters: by its place the secret begins with one of three cuts; the characters shared
    with a neighbour are left out. What is too short to be told from a word is not looked for.
    """
    raw = _to_bytes(secret)
    for shift in range(3):
        shifted = b"\0" * shift + raw
        coded = b64encode(shifted).decode()
        begin = shift * BITS_OF_BYTE
        end = len(shifted) * BITS_OF_BYTE
        first = ceil(begin / BITS_OF_BASE64)
        last = end // BITS_OF_BASE64
        core = coded[first:last]
        if len(core) > SHORTEST:
            written = map(_written_in_base64, core)
            yield "".join(written)


def _written_in_base64(character: str) -> str:
    in_address = ADDRESS_BASE64.get(character)
    if in_address is None:
        return character
    return f"(?:{_written(character)}|{in_address})"
