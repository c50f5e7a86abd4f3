"""`notify`: who is told when a workspace is not well, what waits to be told, and a test of each target."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from worker.alerts.books import load
from worker.alerts.ledger import Change, Ledger, Level, Note
from worker.alerts.sending import DEADLINE, NOT_INSTALLED, NOT_KNOWN, TOO_SLOW, send
from worker.alerts.side_by_side import call_all
from worker.alerts.wording import Message, Told, compose
from worker.app.targets import Target, targets_of
from worker.cli import exits
from worker.cli.session import ConfigOption, EachOption, JsonOption, context_of, session
from worker.cli.several import Told as Said
from worker.cli.several import over_workspaces
from worker.cycle.context import Context
from worker.domain.messages import Text, message, render, tell
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity

TestOption = Annotated[
    bool, typer.Option("--test", help=message("Send one test message to each target."))
]
MENDED_BY_A_PERSON = (NOT_INSTALLED, NOT_KNOWN)
"""What waiting does not mend."""


def notify(
    config: ConfigOption = None,
    workspace: EachOption = None,
    test: TestOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show who is told when a workspace is not well and what waits to be told, or try it."""
    with session(config, as_json=as_json) as opened:

        def step(name: str) -> Said:
            with context_of(opened, name) as context:
                targets = targets_of(context.settings.alerts)
                if not test:
                    return _shown(context, targets)
                return _tested(context, targets)

        over_workspaces(opened, workspace, step)


def _shown(context: Context, targets: Iterable[Target]) -> Said:
    """Return who is told, what waits, and what could not be told."""
    words = context.words
    ledger = load(context)
    lines = [_who(target, words) for target in targets]
    lines = lines or [
        words.say("nobody is told: {key} is not set", key="alerts.targets_file")
    ]
    if ledger.notes:
        lines.append(
            words.say("waiting to be told: {number}", number=len(ledger.notes))
        )
    if ledger.lost.count:
        lines.append(
            words.say(
                "given up: {number}; the last because: {reason}",
                number=ledger.lost.count,
                reason=ledger.lost.reason,
            )
        )
    head = words.say("Workspace {workspace}", workspace=context.name)
    return Said("\n  ".join([head, *lines]), _data(context.name, targets, ledger))


def _who(target: Target, words: Words) -> str:
    if not target.unit:
        return words.say("{target}: alerts", target=target.name)
    pattern = message("{target}: pages of {unit}")
    return words.say(pattern, target=target.name, unit=target.unit)


def _data(name: str, targets: Iterable[Target], ledger: Ledger) -> dict[str, Any]:
    return {
        "workspace": name,
        "targets": [
            {"target": target.name, "unit": target.unit or None} for target in targets
        ],
        "waiting": len(ledger.notes),
        "given_up": ledger.lost.count,
    }


def _tested(context: Context, targets: tuple[Target, ...]) -> Said:
    """Send each target a message, and return which of them took it; raises `ConfigError` where there is none."""
    if not targets:
        raise ConfigError([_nobody(context.name)])
    words = context.words
    sample = _sample(context)
    calls = {target.name: partial(send, target, sample) for target in targets}
    reasons = call_all(calls, seconds=DEADLINE, late=TOO_SLOW)
    lines = [_answer(name, reason, words) for name, reason in reasons.items()]
    data = [
        {"target": name, "arrived": not reason, "reason": render(reason, words) or None}
        for name, reason in reasons.items()
    ]
    head = words.say("Workspace {workspace}", workspace=context.name)
    return Said(
        "\n  ".join([head, *lines]),
        {"workspace": context.name, "targets": data},
        _code(reasons.values()),
    )


def _answer(name: str, reason: Text, words: Words) -> str:
    if not reason:
        return words.say("{target}: arrived", target=name)
    why = render(reason, words)
    return words.say("{target}: did not arrive: {reason}", target=name, reason=why)


def _code(reasons: Iterable[Text]) -> int:
    """Return the exit code: 2 when a person has to mend a target, 75 when it may take messages later."""
    failures = [reason for reason in reasons if reason]
    if any(reason in MENDED_BY_A_PERSON for reason in failures):
        return exits.USAGE
    return exits.BUSY if failures else exits.OK


def _sample(context: Context) -> Message:
    now = context.now()
    words = context.words
    note = Note(
        number=0,
        change=Change.TEST,
        level=Level.INFO,
        what=words.say("this is a test; alerts reach you here"),
        at=now,
        due=now,
    )
    zone = ZoneInfo(context.settings.time_zone)
    return compose([Told(context.name, note, words, zone)])[0]


def _nobody(name: str) -> Problem:
    return Problem(
        code=Code.CONFIG,
        where=tell("workspace {name}", name=name),
        field="alerts.targets_file",
        message=tell("names no target"),
        hint=tell(
            "write the addresses of Apprise, one a line, into a file and name it in targets_file"
        ),
        severity=Severity.ERROR,
    )
