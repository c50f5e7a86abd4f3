"""The three streams of the process: some may be closed from the start, and who reads may leave."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from worker.cli import exits
from worker.cli.voice import voice


def open_missing() -> None:
    """Open what is closed of stdin, stdout and stderr on nothing: a database must not get one of their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


@contextmanager
def ending_quietly() -> Iterator[None]:
    """Let a command run; Ctrl-C, and who stops reading its output, end it without a traceback."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still to be flushed goes nowhere, or the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(exits.UNREAD) from None
    except KeyboardInterrupt:
        typer.echo(voice().say("Interrupted."), err=True)
        raise typer.Exit(exits.INTERRUPTED) from None
