"""The chart engine's own process: orders on stdin, pictures on stdout, one after another, until stdin ends.

An order is a line of JSON: `spec` and `options` of `vl_convert.vegalite_to_png`. An answer is a line of JSON, `size` in
bytes with the PNG behind it, or `error`, the kind of refusal. Run by path, it imports nothing of Rayline: what kills,
blocks or bloats the engine stays in here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import IO

import vl_convert

LONGEST = 120
"""Seconds after which the system ends a drawing, should nobody be left to do it."""


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    """Answer orders until there are no more."""
    for line in orders:
        if hasattr(signal, "alarm"):
            signal.alarm(LONGEST)
        picture, error = _draw(line)
        head = {"error": error} if error else {"size": len(picture)}
        answers.write(json.dumps(head).encode() + b"\n" + picture)
        answers.flush()
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def _draw(line: bytes) -> tuple[bytes, str]:
    try:
        order = json.loads(line)
        return vl_convert.vegalite_to_png(order["spec"], **order["options"]), ""
    except (ValueError, TypeError, KeyError) as error:
        return b"", type(error).__name__


def main() -> None:
    """Serve stdin and stdout; what the engine itself prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
