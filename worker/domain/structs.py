"""Structs made ready for threads.

msgspec puts together what it knows of a struct when a type is first decoded or converted, and enters it before it is
whole. Another thread that uses the struct in that moment reads a null pointer, and the process dies (seen with 0.22 under
Python 3.11 as a segmentation fault in `convert`; docs/facts/reliability.md 2.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Lock

import msgspec

_lock = Lock()
_ready: set[type[msgspec.Struct]] = set()


def make_ready() -> None:
    """Have msgspec know every struct that is loaded, before threads use any; call it again once more are loaded."""
    with _lock:
        for kind in list(_below(msgspec.Struct)):
            if kind not in _ready:
                _ready.add(kind)
                # One that holds what cannot be decoded is never decoded.
                with suppress(TypeError, NameError):
                    msgspec.json.Decoder(kind)


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
