"""The command line: where errors become prose and exit codes."""

from __future__ import annotations

from worker.cli import cycles, demo, init, look
from worker.cli.entry import app, main

__all__ = ["app", "cycles", "demo", "init", "look", "main"]
