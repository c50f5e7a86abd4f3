"""Whatever a command imports: loaded once, before the processes of the tests are forked."""

from __future__ import annotations

import holidays

from worker.cli.commands import known_commands

for _entry in known_commands().values():
    _entry.load()
# The modules of 250 countries, which the first calendar of a process loads, all of them whichever it asks for.
holidays.list_supported_countries()
