"""The demo's commands, as the command line of the product takes them."""

from __future__ import annotations

from worker.cli.commands import Entry

COMMANDS = {
    "demo": Entry(
        "rayline_demo.cli.demo:demo",
        "Run everything on an embedded sandbox: a sample agency, its boards in a browser, and the worker at its job.",
    ),
    "sandbox": Entry(
        "rayline_demo.cli.demo:sandbox",
        "Serve only the two emulators on real sockets, and their boards; prints addresses and tokens.",
    ),
}
