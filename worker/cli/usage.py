"""Commands that speak: their help, and what is wrong with a command line, in the language of the console."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperCommand

from worker.cli.voice import voice
from worker.domain.messages import NOTHING, Text, literal, message, render, tell
from worker.domain.validation import say_fault
from worker.domain.words import Words
from worker.errors import Code, ConfigError, Problem, Severity

# typer names it nowhere, but all that it says of a command line is one.
UsageError: Any = typer.BadParameter.__base__
HELP = message("Show this help and exit.")
OPTIONS = message("[OPTIONS]")
COMMAND = message("COMMAND")


def misuse(field: str, reason: Text, hint: Text = NOTHING) -> ConfigError:
    """Return the error of a command line that makes no sense: at which option or argument, why, and the way out."""
    problem = Problem(
        code=Code.COMMAND_LINE,
        where=tell("command line"),
        field=field,
        message=reason,
        hint=hint,
        severity=Severity.ERROR,
    )
    return ConfigError([problem])


def require_known(option: str, given: str, known: Sequence[str]) -> str:
    """Return what was given for an option; raises `ConfigError` when it is none of what is known."""
    if given in known:
        return given
    reason = tell("“{value}” is not known", value=given)
    raise misuse(option, reason, tell("known here: {names}", names=", ".join(known)))


class SpokenCommand(TyperCommand):
    """A command whose help and refusals are in the language of the console."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let the arguments be read; raises `ConfigError` for what is wrong with them."""
        ctx.allow_extra_args = True
        rest = parse(super().parse_args, self, ctx, args)
        if rest:
            reason = tell("is one argument too many")
            raise misuse(rest[0], reason, see_help(ctx))
        return rest

    def get_help(self, ctx: Any) -> str:
        """Return the help of the command."""
        return write_help(self, ctx, voice())


def parse(read: Any, command: Any, ctx: Any, args: list[str]) -> list[str]:
    """Return what `read` left of the arguments; raises `ConfigError` where it raised the library's own errors."""
    try:
        rest: list[str] = read(ctx, args)
    except UsageError as error:
        raise _in_our_words(error, command, ctx) from None
    return rest


def see_help(ctx: Any) -> Text:
    """Return where to read what a command takes."""
    return tell("see {command}", command=f"{ctx.command_path} --help")


def _in_our_words(error: Any, command: Any, ctx: Any) -> ConfigError:
    """Return what the library says of a command line. Its kinds of errors are private: they are known by name."""
    match type(error).__name__:
        case "NoSuchOption":
            return _unknown_option(error, command, ctx)
        case "MissingParameter":
            return misuse(_name_of(error.param), tell("is missing"), see_help(ctx))
        case "BadOptionUsage":
            return misuse(
                error.option_name,
                tell("takes no value")
                if _is_switch(command, error.option_name)
                else tell("wants a value after it"),
                see_help(ctx),
            )
        case "BadParameter" if error.param is not None:
            return misuse(_name_of(error.param), _fault_of(error), see_help(ctx))
    return misuse("", literal(error.format_message()), see_help(ctx))


def _unknown_option(error: Any, command: Any, ctx: Any) -> ConfigError:
    known = [name for param in command.get_params(ctx) for name in param.opts]
    near = get_close_matches(error.option_name, known, n=1, cutoff=0.75)
    hint = see_help(ctx)
    if near:
        hint = tell("did you mean {name}?", name=near[0])
    return misuse(error.option_name, tell("is no option of this command"), hint)


def _name_of(param: Any) -> str:
    """Return an option as it is typed, an argument as the help calls it."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return voice().say(param.metavar or param.name.upper())


def _is_switch(command: Any, option: str) -> bool:
    return any(
        param.is_flag
        for param in command.params
        if option in (*param.opts, *param.secondary_opts)
    )


def _fault_of(error: Any) -> Text:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return say_fault(cause.errors(include_url=False)[0])
    return literal(error.message)


def write_help(
    command: Any, ctx: Any, words: Words, rows: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the help of a command; `rows` are its commands, where it is a group of some."""
    params = [param for param in command.get_params(ctx) if not param.hidden]
    arguments = [each for each in params if each.param_type_name == "argument"]
    options = [each for each in params if each.param_type_name == "option"]
    places = [_place(argument, words) for argument in arguments]
    if rows:
        places = [words.say(COMMAND)]

    formatter = ctx.make_formatter()
    usage = words.say("Usage: {command}", command="")
    taken = " ".join([words.say(OPTIONS), *places])
    formatter.write_usage(ctx.command_path, taken, prefix=usage)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(words.say(command.help))

    for title, listed in (
        (message("Arguments"), [_record(each, words) for each in arguments]),
        (message("Options"), [_record(each, words) for each in options]),
        (message("Commands"), list(rows)),
    ):
        if listed:
            with formatter.section(words.say(title)):
                formatter.write_dl(listed)
    return str(formatter.getvalue()).rstrip("\n")


def _place(argument: Any, words: Words) -> str:
    name = words.say(argument.metavar or argument.name.upper())
    return name if argument.required else f"[{name}]"


def _record(param: Any, words: Words) -> tuple[str, str]:
    """Return how a parameter is typed, and what it does."""
    if param.param_type_name == "argument":
        return _place(param, words), _meaning(param, words)
    typed = ", ".join(sorted(param.opts, key=len))
    if param.secondary_opts:
        typed = " / ".join([typed, *param.secondary_opts])
    if not param.is_flag:
        typed += f" {words.say(param.metavar or param.name.upper())}"
    return typed, _meaning(param, words)


def _meaning(param: Any, words: Words) -> str:
    """Return what a parameter does, its bounds, and what it is when left out."""
    if param.name == "help":
        return words.say(HELP)
    parts = [words.say(param.help)]
    if param.required:
        parts.append(words.say("Required."))
    if _bounds(param):
        parts.append(render(_bounds(param), words))
    if param.param_type_name == "option" and not param.is_flag:
        parts += _usual(param, words)
    return " ".join(parts)


def _bounds(param: Any) -> Text:
    least, most = param.min, param.max
    if most is not None:
        return tell("From {least} to {most}.", least=least, most=most)
    return tell("{least} or more.", least=least) if least else NOTHING


def _usual(param: Any, words: Words) -> list[str]:
    """Return the default of an option; nothing and zero say themselves what they mean."""
    if not param.default:
        return []
    return [words.say("Default: {value}.", value=param.default)]
