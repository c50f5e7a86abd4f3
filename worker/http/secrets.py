"""Keeping credentials out of everything that is shown, stored or logged.

A server may echo a secret in another spelling than ours: in JSON, in an address, in HTML, or in base64 with whatever
it was joined to (`user:secret` of a Basic header). All of them are masked, wherever they stand.
"""

from __future__ import annotations

import html
import json
import re
import string
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

from worker.domain.text import clean_line

DETAIL = 200
"""Longest piece of a server's words that leaves a gateway."""
MASK = "[secret]"
SHORTEST = 4
"""Characters below which a secret is a word that may stand anywhere."""
BASE64 = string.ascii_letters + string.digits + "+/_-"
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
    parts, at = [], 0
    for found in cores.finditer(text) if cores else ():
        parts += [text[at : found.start()].rstrip(BASE64), MASK]
        at = found.end()
    return "".join(parts) + text[at:]


@lru_cache(maxsize=32)
def _spelled(secrets: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches secrets as they are or with some characters escaped, the longest first."""
    plain = {re.escape(one) for secret in secrets for one in _spellings(secret)}
    addressed = {_percent(secret) for secret in secrets}
    return re.compile("|".join(sorted(plain | addressed, key=len, reverse=True)))


@lru_cache(maxsize=32)
def _coded(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what matches base64 from where secrets begin in it; None when all are too short for that."""
    cores = sorted({core for secret in secrets for core in _base64_cores(secret)})
    return (
        re.compile(f"(?:{'|'.join(cores)})[{re.escape(BASE64)}]*=*") if cores else None
    )


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it may stand in a line: plain, inside JSON, Python's way, in HTML, in a form."""
    yield from (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        quote_plus(secret),
    )


def _percent(secret: str) -> str:
    """Return what matches a secret in an address, whichever characters are written by number and in whichever case."""
    return "".join(
        re.escape(character)
        if character.isalnum() and character.isascii()
        else f"(?:(?i:{re.escape(quote(character, safe=''))})|{re.escape(character)})"
        for character in secret
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
            yield re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")
