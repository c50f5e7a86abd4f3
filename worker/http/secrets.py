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

from worker.domain.text import clean_line

DETAIL = 200
"""Longest piece of a server's words that leaves a gateway."""
MASK = "[secret]"
SHORTEST = 4
"""Characters below which a secret is a word that may stand anywhere."""
BASE64 = string.ascii_letters + string.digits + "+/_-"
HTML_NAMES = {'"': "quot", "&": "amp", "'": "apos", "<": "lt", ">": "gt"}
_SLASH = r"(?:\\|%(?:25)*5[cC])"
_SLASHES = f"{_SLASH}{{1,8}}+"
"""Backslashes before what they escape: each time a text is quoted again doubles them."""
_AND, _SHARP, _END = "(?:&|%(?:25)*26)", "(?:#|%(?:25)*23)", "(?:;|%(?:25)*3[bB])"
_PATTERNS = re.compile(
    r"\b(?:ntn_|secret_)[\w\-]{4,}|\bAT[AS]TT[\w\-=]+"
    r"|\b(?i:basic|bearer)\s+[\w+/=.\-~]{8,}|(?i:set-cookie|cookie):[^\r\n]*"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return at most 200 characters of `text` on one line, credentials masked."""
    return clean_line(mask(text, secrets)).strip()[:DETAIL]


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with every spelling of the secrets, and all that looks like a credential, masked."""
    known = tuple(secret for secret in secrets if len(secret) >= SHORTEST)
    if known:
        plain = _spelled(known)
        text = plain.sub(MASK, text)
        text = _mask_coded(text, _coded(known))
    return _PATTERNS.sub(MASK, text)


def _mask_coded(text: str, cores: re.Pattern[str] | None) -> str:
    """Mask base64 from its beginning to its end where a secret is in it."""
    if cores is None:
        return text
    parts = []
    at = 0
    for found in cores.finditer(text):
        before = text[at : found.start()]
        parts.append(before.rstrip(BASE64))
        parts.append(MASK)
        at = found.end()
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
    raw = text.encode("utf-8", "surrogatepass")
    return f"{written}|(?i:{raw.hex()})"


def _written_part(part: str) -> str:
    """Return what matches a character, or backslashes in a row: one by one they would be tried in every way."""
    if part[0] != "\\":
        return _written(part)
    count = len(part)
    escaped = f"{_SLASH}{{{count},{8 * count}}}"
    otherwise = f"{_written(part[0])}{{{count}}}"
    return f"(?:{escaped}|{otherwise})"


@lru_cache(maxsize=1024)
def _written(character: str) -> str:
    """Return what matches one character, as it is (a form has `+` for a space) or escaped, once or several times over."""
    ways = ["[ +]" if character == " " else re.escape(character)]
    ways += _by_code(character)
    ways += _by_bytes(character)
    ways += _as_entity(character)
    either = "|".join(dict.fromkeys(ways))

    if character.isalnum() or character == "\\":
        return f"(?:{either})"
    return f"(?:{_SLASHES})?(?:{either})"


def _by_code(character: str) -> Iterator[str]:
    """Yield how JSON and Python escape a character by its number, whole or as UTF-16."""
    code = ord(character)
    yield f"{_SLASHES}U(?i:{code:08x})"
    yield f"{_SLASHES}x(?i:{code:02x})"

    raw = character.encode("utf-16-be", "surrogatepass")
    halves = raw.hex(" ", 2).split()
    units = [f"{_SLASHES}u(?i:{half})" for half in halves]
    yield "".join(units)


def _by_bytes(character: str) -> Iterator[str]:
    """Yield how Python and an address write a character's bytes, and what a reader of bytes takes them for."""
    raw = character.encode("utf-8", "surrogatepass")
    numbers = raw.hex(" ").split()
    quoted = [f"{_SLASHES}x(?i:{number})" for number in numbers]
    addressed = [f"%(?:25)*(?i:{number})" for number in numbers]
    yield "".join(quoted)
    yield "".join(addressed)
    if not character.isascii():
        mistaken = raw.decode("latin-1")
        yield re.escape(mistaken)


def _as_entity(character: str) -> Iterator[str]:
    """Yield how HTML writes a character, by number and by name."""
    code = ord(character)
    entities = [f"{_SHARP}0*{code}", f"{_SHARP}[xX]0*(?i:{code:x})"]
    name = HTML_NAMES.get(character)
    if name:
        entities.append(name)
    for entity in entities:
        yield f"{_AND}(?:amp;)*{entity}{_END}"


@lru_cache(maxsize=32)
def _coded(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what matches base64 from where secrets begin in it; None when all are too short for that."""
    cores = {core for secret in secrets for core in _base64_cores(secret)}
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
    raw = secret.encode("utf-8", "surrogatepass")
    for shift in range(3):
        shifted = b"\0" * shift + raw
        coded = b64encode(shifted).decode()
        first = (shift * 8 + 5) // 6
        last = len(shifted) * 8 // 6
        core = coded[first:last]
        if len(core) > SHORTEST:
            written = map(_written_in_base64, core)
            yield "".join(written)


def _written_in_base64(character: str) -> str:
    match character:
        case "+":
            return f"(?:{_written('+')}|-)"
        case "/":
            return f"(?:{_written('/')}|_)"
    return character
