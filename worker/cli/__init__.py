"""The command line: where errors become prose and exit codes."""

from __future__ import annotations

from worker.cli.main import app, main

__all__ = ["app", "main"]
