"""Where a token comes from, and from which length on it is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from worker.http.secrets import mask
from worker.http.token import secret_from


@pytest.mark.parametrize(
    ("given", "in_file", "expected"),
    [
        ("given", None, "given"),
        ("given", "other", "given"),
        ("", "from a file", "from a file"),
        ("", "  padded\n", "padded"),
        ("", None, ""),
    ],
)
def test_a_token_is_the_one_given_else_what_its_file_holds(
    tmp_path: Path, given: str, in_file: str | None, expected: str
) -> None:
    file = None if in_file is None else tmp_path / "token"
    if file is not None and in_file is not None:
        file.write_text(in_file, "utf-8")
    assert secret_from(SecretStr(given), file).get_secret_value() == expected


def test_a_token_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        secret_from(SecretStr(""), tmp_path / "nowhere")


@pytest.mark.parametrize(("secret", "hidden"), [("pw1", False), ("pw12", True)])
def test_a_secret_of_four_characters_is_hidden_and_a_shorter_one_is_a_word(
    secret: str, *, hidden: bool
) -> None:
    shown = mask(f"a {secret} b", [secret])
    assert shown == ("a [secret] b" if hidden else f"a {secret} b")
