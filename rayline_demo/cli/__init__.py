"""The demo's commands, as the command line of the product takes them."""

from __future__ import annotations

from worker.cli.commands import Entry
from worker.domain.messages import message

COMMANDS = {
    "demo": Entry(
        "rayline_demo.cli.demo:demo",
        message(
            "Run everything on an embedded sandbox: a sample agency, its boards in a browser, and Rayline at work."
        ),
    ),
    "sandbox": Entry(
        "rayline_demo.cli.demo:sandbox",
        message(
            "Serve only the two emulators on real sockets, and their boards; print addresses and tokens."
        ),
    ),
}
