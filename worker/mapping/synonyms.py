"""Other words for parts, columns and options, by which an agency's own boards are recognised (mappings/synonyms.toml)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from worker.domain.messages import literal, tell
from worker.errors import Code, ConfigError, Problem, Severity
from worker.mapping.load import shipped_folder
from worker.mapping.schema import Option, Property, Source
from worker.toml import BadToml, read_toml

FILE = "synonyms.toml"
GEAR = "⚙"


class PartWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one part is called; `first` are the columns of Rayline's that are added to a board that plays it."""

    names: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = {}
    options: Mapping[str, Mapping[str, tuple[str, ...]]] = {}

    def of_board(self, source: Source) -> tuple[str, ...]:
        """Return all names of a board that plays the part."""
        return (*source.title.values(), *self.names)

    def of_column(self, prop: Property) -> tuple[str, ...]:
        """Return all names of a column."""
        own = (label.removeprefix(GEAR).strip() for label in prop.label.values())
        return (*own, *self.columns.get(prop.name, ()))

    def of_option(self, prop: Property, option: Option) -> tuple[str, ...]:
        """Return all names of an option."""
        words = self.options.get(prop.name, {}).get(option.key, ())
        return (*option.label.values(), *option.also, *words)


Synonyms = Mapping[str, PartWords]


def load_synonyms(path: Path | None = None) -> Synonyms:
    """Return the words of every part that an own board can play; raises `ConfigError` for a file that makes no sense."""
    file = path or shipped_folder() / FILE
    try:
        return msgspec.convert(read_toml(file), dict[str, PartWords])
    except BadToml as error:
        reason = error.reason
    except msgspec.ValidationError as error:
        reason = tell("makes no sense: {error}", error=str(error))
    problem = Problem(
        code=Code.MAPPING, where=literal(file), message=reason, severity=Severity.ERROR
    )
    raise ConfigError([problem])
