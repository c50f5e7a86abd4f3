"""Whatever a command imports: loaded once, before the processes of the tests are forked."""

from __future__ import annotations

from worker.cli.commands import known_commands

for _entry in known_commands().values():
    _entry.load()
