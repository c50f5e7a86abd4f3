"""Tokens, as the configuration gives them or names their file."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr


def secret_from(token: SecretStr, file: Path | None) -> SecretStr:
    """Return the token, read from its file when only a file is named; OSError when that cannot be read."""
    if token.get_secret_value() or file is None:
        return token
    written = file.read_text(encoding="utf-8")
    return SecretStr(written.strip())
