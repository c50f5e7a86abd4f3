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
HTML_CODES = (("quot", 34), ("amp", 38), ("apos", 39), ("lt", 60), ("gt", 62))
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
        text = _mask_coded(_spelled(known).sub(MASK, text), _coded(known))
    return _PATTERNS.sub(MASK, text)


def _mask_coded(text: str, cores: re.Pattern[str] | None) -> str:
    """Mask base64 from its beginning to its end where a secret is in it."""
    parts = []
    at = 0
    for found in cores.finditer(text) if cores else ():
        parts += [text[at : found.start()].rstrip(BASE64), MASK]
        at = found.end()
    return "".join(parts) + text[at:]


@lru_cache(maxsize=32)
def _spelled(secrets: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches secrets however their characters are written, the longest first."""
    longest_first = sorted(secrets, key=len, reverse=True)
    return re.compile("|".join(map(_spelling, longest_first)))


def _spelling(text: str) -> str:
    parts = "".join(map(_written_part, re.findall(r"\\+|[^\\]", text)))
    by_bytes = text.encode("utf-8", "surrogatepass").hex()
    return f"{parts}|(?i:{by_bytes})"


def _written_part(part: str) -> str:
    """Return what matches a character, or backslashes in a row: one by one they would be tried in every way."""
    if part[0] != "\\":
        return _written(part)
    count = len(part)
    return f"(?:{_SLASH}{{{count},{8 * count}}}|{_written(part[0])}{{{count}}})"


@lru_cache(maxsize=1024)
def _written(character: str) -> str:
    """Return what matches one character, as it is or by number, written so once or several times over.

    JSON and Python escape with backslashes, an address by bytes, HTML by name or number; a form has `+` for a space,
    and a reader of bytes may take them for characters.
    """
    code = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    ways = [
        "[ +]" if character == " " else re.escape(character),
        f"{_SLASHES}U(?i:{code:08x})",
        f"{_SLASHES}x(?i:{code:02x})",
    ]

    halves = character.encode("utf-16-be", "surrogatepass").hex(" ", 2)
    units = [f"{_SLASHES}u(?i:{half})" for half in halves.split()]
    ways.append("".join(units))

    by_bytes = [f"{byte:02x}" for byte in raw]
    escaped = [f"{_SLASHES}x(?i:{byte})" for byte in by_bytes]
    ways.append("".join(escaped))
    addressed = [f"%(?:25)*(?i:{byte})" for byte in by_bytes]
    ways.append("".join(addressed))

    entities = [f"{_SHARP}0*{code}", f"{_SHARP}[xX]0*(?i:{code:x})"]
    for name, one in HTML_CODES:
        if one == code:
            entities.append(name)
    for entity in entities:
        ways.append(f"{_AND}(?:amp;)*{entity}{_END}")

    if not character.isascii():
        ways.append(re.escape(raw.decode("latin-1")))
    is_quoted = not character.isalnum() and character != "\\"
    quoted = f"(?:{_SLASHES})?" if is_quoted else ""
    return f"{quoted}(?:{'|'.join(dict.fromkeys(ways))})"


@lru_cache(maxsize=32)
def _coded(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what matches base64 from where secrets begin in it; None when all are too short for that."""
    cores = sorted({core for secret in secrets for core in _base64_cores(secret)})
    return (
        re.compile(f"(?:{'|'.join(cores)})[{re.escape(BASE64)}]*=*") if cores else None
    )


def _base64_cores(secret: str) -> Iterator[str]:
    """Yield what matches the middle of a secret in base64, whatever stands before and behind it.

    Three bytes become four characters: by its place the secret begins with one of three cuts; the characters shared
    with a neighbour are left out. What is too short to be told from a word is not looked for.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    for shift in range(3):
        coded = b64encode(b"\0" * shift + raw).decode().rstrip("=")
        first = (shift * 8 + 5) // 6
        core = coded[first : (shift + len(raw)) * 8 // 6]
        if len(core) > SHORTEST:
            yield "".join(map(_written_in_base64, core))


def _written_in_base64(character: str) -> str:
    match character:
        case "+":
            return f"(?:{_written('+')}|-)"
        case "/":
            return f"(?:{_written('/')}|_)"
    return character
