"""No secret is shown, in whatever spelling a server or a library gives it back."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from worker.http.secrets import DETAIL, MASK, mask, redact
from worker.http.token import secret_from

SECRET = 'pat-"quoted"/слово+42'
PLAIN = "ATATxyz-canary_9f3b7c21"


@pytest.mark.parametrize(
    "text",
    [
        "token ntn_1234567890abcdef",
        "secret_abcdefgh12",
        "ATATT3xFfGF0=abcd",
        "Authorization: Basic dXNlcjpwYXNz",
        "authorization: bearer abcdefghij",
        "Cookie: session=abc; other=def",
        "set-cookie: atlassian.xsrf=1",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    masked = mask(text)
    assert MASK in masked
    assert text.split()[-1] not in masked


def coded(text: str) -> list[str]:
    """Return a text in base64, of both alphabets, with and without padding."""
    found = [way(text.encode()).decode() for way in (b64encode, urlsafe_b64encode)]
    return [*found, *(one.rstrip("=") for one in found)]


def spellings_within(secret: str) -> list[str]:
    """Return a secret in one spelling inside another, and by number."""
    address, text = quote(secret, safe=""), json.dumps(secret)
    return [
        f"https://x.example/login?to={quote(f'/?t={address}', safe='')}",
        quote(quote(address, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in secret.encode()),
        json.dumps(text),
        json.dumps({"body": json.dumps({"t": text})}),
        text.replace("/", "\\/"),
        re.sub(r"[^a-z0-9\\]", lambda found: f"\\u{ord(found[0]):04x}", secret)
        if secret.isascii()
        else ascii(secret),
        repr(repr(secret)),
        ascii(secret),
        repr({"header": secret.encode()}),
        secret.encode().decode("latin-1"),
        html.escape(secret, quote=False),
        html.escape(html.escape(secret)),
        "".join(f"&#{ord(character)};" for character in secret),
        "".join(f"&#x{ord(character):02X};" for character in secret),
        json.dumps({"error": html.escape(secret)}),
        secret.encode().hex(),
        secret.encode().hex().upper(),
        quote(text, safe=""),
        quote(html.escape(secret), safe=""),
        quote(b64encode(f"bot:{secret}".encode()).decode(), safe=""),
        json.dumps({"t": b64encode(secret.encode()).decode()}).replace("/", "\\/"),
    ]


def spellings(secret: str) -> list[str]:
    """Return a secret as servers and libraries write it."""
    address = quote(secret, safe="")
    joined = (
        secret,
        f"bot@studio.example:{secret}",
        f"a:{secret}",
        f":{secret}",
        f'{{"token":"{secret}","more":1}}',
        f"{secret}:x",
    )
    return [
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        repr({"t": secret}),
        html.escape(secret),
        f"https://x.example/?t={address}&more=1",
        re.sub("%..", lambda found: found[0].lower(), address),
        quote(secret),
        quote_plus(secret),
        urlencode({"token": secret}),
        *spellings_within(secret),
        *(f"echo: {one}" for text in joined for one in coded(text)),
    ]


def leaks(masked: str, secret: str) -> bool:
    """Tell whether a quarter of a secret or of its base64 can still be read."""
    size = max(4, len(secret) // 2)
    pieces = {secret[at : at + size] for at in range(len(secret) - size + 1)}
    for before in ("", "a", "ab"):
        code = b64encode(f"{before}{secret}".encode()).decode()
        pieces |= {code[at : at + 10] for at in range(2, len(code) - 12)}
    return any(piece in masked for piece in pieces)


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        PLAIN,
        "hunter2-and-more",
        "ключ-от-дома",
        "p\\\\\\\"a'ss & <word> 9Z",
        "??>>~~\U0001f642=/+=",
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(secret: str) -> None:
    for text in spellings(secret):
        masked = mask(f"refused ({text}) for bot", [secret])
        assert MASK in masked, text
        assert not leaks(masked, secret), text
        assert masked.startswith("refused (")
        assert masked.endswith("for bot")
        assert redact(text, [secret]) == mask(text, [secret]).strip()[:DETAIL]


@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=40), st.text())
def test_whatever_a_secret_is_made_of_its_base64_is_found(
    secret: str, user: str
) -> None:
    pair = f"{user}:{secret}".encode("utf-8", "replace")
    for way in (b64encode, urlsafe_b64encode):
        code = way(pair).decode()
        assert code not in mask(f"<{code}>", [secret])
        assert code.rstrip("=") not in mask(f"<{code.rstrip('=')}>", [secret])
    assert secret not in mask(secret, [secret]) or secret in MASK


def test_several_secrets_are_masked_and_one_in_another_whole() -> None:
    masked = mask(
        "a: longer-secret-1, b: secret-1, c: other", ["secret-1", "longer-secret-1"]
    )
    assert masked == f"a: {MASK}, b: {MASK}, c: other"


def test_plain_words_stay() -> None:
    for text in ("a basic plan for the bearer of news", "abc", "YWJj base64 of a word"):
        assert mask(text, ["abc", "", "zzzzzzzz"]) == text


def test_a_long_answer_without_a_secret_is_looked_through_once() -> None:
    endless = "A" * 2_000_000
    assert mask(endless, [SECRET, PLAIN]) == endless
    for piece in ("\\", "%25", "&amp;"):
        text = piece * (40_000 // len(piece))
        assert mask(text, [SECRET, PLAIN, "\\" * 9 + '//""']) == text


def test_a_servers_words_are_one_short_line_of_text() -> None:
    said = redact(f"no\x1b[2J\r\n\u202ebad\u2028{PLAIN}\x9b " + "x" * 500, [PLAIN])
    assert said.startswith(f"no[2J bad {MASK} xxx")
    assert len(said) == DETAIL


def test_a_token_that_is_given_wins_over_a_file_and_no_file_is_no_token(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token"
    file.write_text(" from-file\n", "utf-8")
    given_, nothing = SecretStr("given"), SecretStr("")
    assert secret_from(given_, file) is given_
    assert secret_from(given_, None) is given_
    assert secret_from(nothing, None) is nothing
    assert secret_from(nothing, file).get_secret_value() == "from-file"
    with pytest.raises(OSError, match="missing"):
        secret_from(nothing, tmp_path / "missing")
    assert secret_from(given_, tmp_path / "missing") is given_
