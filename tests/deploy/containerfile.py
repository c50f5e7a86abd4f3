"""A container file as its instructions, without an engine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its name in capitals, and the rest with continued lines joined."""

    name: str
    rest: str

    @property
    def words(self) -> list[str]:
        """Return the rest word by word, or the list of the exec form."""
        if self.rest.startswith("["):
            listed: list[str] = json.loads(self.rest)
            return listed
        return self.rest.split()

    @property
    def is_exec(self) -> bool:
        """Tell whether it starts a program itself, without a shell that would keep signals from it."""
        return self.rest.startswith("[")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a build: what it begins from, its name, and its instructions."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def of(self, name: str) -> list[Instruction]:
        """Return the stage's instructions of one name."""
        return [one for one in self.instructions if one.name == name]


def read_instructions(path: Path) -> list[Instruction]:
    """Return the instructions of a container file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(kept))
    instructions = []
    for line in joined.splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            instructions.append(Instruction(name.upper(), rest.strip()))
    return instructions


def read_stages(path: Path) -> list[Stage]:
    """Return the stages of a container file, with the defaults of its arguments in their bases."""
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for instruction in read_instructions(path):
        match instruction.name:
            case "ARG" if not stages:
                name, _, value = instruction.rest.partition("=")
                arguments[name] = value
            case "FROM":
                base, _, name = instruction.rest.partition(" AS ")
                for argument, value in arguments.items():
                    base = base.replace(f"${{{argument}}}", value)
                stages.append(Stage(base, name))
            case _:
                stages[-1].instructions.append(instruction)
    return stages
