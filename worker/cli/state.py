"""The state itself: whether it is sound, a copy of it, and a copy put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from worker.app.build import utc_now
from worker.cli import exits, prose, show
from worker.cli.session import ConfigOption, JsonOption, configured, session
from worker.cycle.report import problem_data
from worker.domain.messages import Text, literal, message, tell
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity, StateFault, in_words
from worker.state.checking import check_state
from worker.state.copies import Copied, InUse, NotSound, back_up, restore


class Action(StrEnum):
    """What is asked of the state."""

    CHECK = "check"


def state(
    action: Annotated[
        Action,
        typer.Argument(
            metavar=message("ACTION"),
            help=message("`check` looks whether all that is kept is sound."),
        ),
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the state: its file, its tables, what each row holds, what runs left behind; says what to do."""
    del action
    with session(config, as_json=as_json, create=False) as opened:
        problems = [
            in_words(problem, opened.words) for problem in check_state(opened.store)
        ]
        is_sound = not any(problem.severity is Severity.ERROR for problem in problems)
        lines = [prose.line(problem) for problem in problems]
        if is_sound:
            place = opened.store.place
            lines.append(opened.words.say("The state is sound: {place}", place=place))
        view = "\n".join(lines)
        opened.say(
            view,
            lambda: {
                "state": opened.store.place,
                "sound": is_sound,
                "problems": [problem_data(problem) for problem in problems],
            },
        )
        if not is_sound:
            raise typer.Exit(exits.USAGE)


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar=message("FILE"),
            help=message("Where to write it (beside the state if left out)."),
        ),
    ] = None,
    config: ConfigOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help=message("Replace a file that is there."))
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a consistent copy of the state into a file while everybody works, and look it through."""
    with session(config, as_json=as_json, create=False) as opened:
        path = file or _name_copy(opened.store.file, utc_now())
        with _in_sentences(path, opened.words):
            made = back_up(opened.store, path, replace=replace)
        opened.say(
            opened.words.say(
                "Copied the state ({rows} rows, {size} bytes) to {path}",
                rows=sum(made.rows.values()),
                size=made.size,
                path=str(made.path),
            ),
            lambda: _data(made),
        )


def restore_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar=message("FILE"), help=message("A copy that `rayline backup` made.")
        ),
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a copy in the place of the state; the one that stood there is kept aside."""
    with configured(config, as_json=as_json) as (settings, words):
        with _in_sentences(file, words):
            url = settings.state.get_secret_value()
            made = restore(url, file, now=utc_now())
        lines = [
            words.say(
                "Put {file} back as the state ({rows} rows).",
                file=str(file),
                rows=sum(made.rows.values()),
            )
        ]
        if made.aside:
            aside = str(made.aside)
            lines.append(
                words.say("The one that stood there is now {aside}", aside=aside)
            )
        if as_json:
            show.print_json(_data(made))
        else:
            show.console().print("\n".join(lines))


def _name_copy(state_file: Path | None, now: datetime) -> Path:
    stamp = f"{now:%Y%m%d-%H%M%S}"
    if state_file is None:
        return Path(f"rayline-{stamp}.backup.db")
    return state_file.with_name(f"{state_file.stem}-{stamp}.backup.db")


@contextmanager
def _in_sentences(path: Path, words: Words) -> Iterator[None]:
    """Raise what keeps a copy from being made or put back as errors that are told."""
    try:
        yield
    except NotSound as unsound:
        raise ConfigError(list(unsound.problems)) from None
    except InUse as used:
        raise StateFault(
            str(path),
            tell(
                "the state is in use by {holder}",
                holder=prose.say_process(used.holder, words),
            ),
            way_out=tell("end the daemon and every other command first"),
            passes=True,
        ) from None
    except FileExistsError:
        raise _told(
            path, tell("this file is there already: name another, or add --replace")
        ) from None
    except FileNotFoundError:
        raise _told(path, tell("there is no such file or folder")) from None


def _told(path: Path, fault: Text) -> ConfigError:
    problem = Problem(
        code=Code.STATE,
        where=literal(str(path)),
        message=fault,
        severity=Severity.ERROR,
    )
    return ConfigError([problem])


def _data(made: Copied) -> dict[str, object]:
    return {
        "file": str(made.path),
        "size": made.size,
        "rows": dict(made.rows),
        "aside": str(made.aside) if made.aside else None,
    }
