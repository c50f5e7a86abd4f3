"""Reading an answer's body within a time and a size, compressed or not.

Neither httpx nor requests has a total time-out: a server that drips bytes holds a call for ever
(docs/facts/reliability.md 1.4), and a small compressed body can unpack to any size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping

LIMIT = 64 * 1024 * 1024
"""Largest unpacked body accepted, in bytes."""
ACCEPT_ENCODING = "gzip"
_WBITS = 47
"""zlib's code for: gzip or zlib header, found by itself."""


class Slow(Exception):
    """The body did not end in time."""


class Garbled(Exception):
    """The body is too large, cut short or not what its headers say."""


class TooLarge(Garbled):
    """The body is larger than accepted."""


def read_body(
    chunks: Iterable[bytes],
    headers: Mapping[str, str],
    *,
    expired: Callable[[], bool],
    limit: int = LIMIT,
) -> bytes:
    """Return the unpacked body of an answer; `headers` must find names in any case."""
    decoder = _decoder(headers.get("content-encoding", "identity"))
    parts: list[bytes] = []
    size = received = 0
    for chunk in chunks:
        received += len(chunk)
        room = limit + 1 - size
        part = _unpack(decoder, chunk, room)
        parts.append(part)
        size += len(part)
        if expired():
            raise Slow("the answer did not end in time")
        if size > limit:
            raise TooLarge(f"the answer is larger than {limit} bytes")
    _check_end(decoder, received, headers.get("content-length", ""))
    return b"".join(parts)


def _decoder(encoding: str) -> zlib._Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(_WBITS)
        case other:
            raise Garbled(f"content-encoding {other[:20]!r} was not asked for")


def _unpack(decoder: zlib._Decompress | None, chunk: bytes, room: int) -> bytes:
    if decoder is None:
        return chunk
    try:
        return decoder.decompress(chunk, max(1, room))
    except zlib.error:
        raise Garbled("the compressed answer is damaged") from None


def _check_end(decoder: zlib._Decompress | None, received: int, announced: str) -> None:
    if announced.isdigit() and received != int(announced):
        raise Garbled(f"{received} of {announced} bytes arrived")
    # Where there is no body there is no end of one either, whatever the headers say.
    if decoder is None or not received:
        return
    if not decoder.eof:
        raise Garbled("the compressed answer is cut short")
