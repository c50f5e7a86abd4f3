"""The command line: where errors become prose and exit codes."""

from __future__ import annotations

from rayline_demo.cli import demo
from worker.cli import cycles, init, look
from worker.cli.entry import app, main

__all__ = ["app", "cycles", "demo", "init", "look", "main"]
