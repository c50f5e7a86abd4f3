"""Keeping credentials out of everything that is shown, stored or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import SecretStr

DETAIL = 200
"""Longest piece of a server's words that leaves a gateway."""
_PATTERNS = re.compile(
    r"ntn_\w+|secret_\w+|ATATT[\w\-=]+|ATSTT[\w\-=]+|(?:Basic|Bearer)\s+[\w+/=.\-~]+|(?:set-)?cookie:\s*[^\r\n]+",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return at most 200 characters of `text` on one line, credentials masked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _CONTROL.sub(" ", _PATTERNS.sub("***", text)).strip()[:DETAIL]


def secret_from(token: SecretStr, file: Path | None) -> SecretStr:
    """Return the token, read from its file when only a file is named; OSError when that cannot be read."""
    if token.get_secret_value() or file is None:
        return token
    return SecretStr(file.read_text(encoding="utf-8").strip())
