"""An overlay as a file: one line a difference, each with a comment that says what it was. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from worker.mapping.overlay import Overlay, PartTable
from worker.mapping.schema import Property, Source

HEAD = """\
# What this agency calls things. Each line is one difference from Rayline's mapping files; take a line away, and theirs
# counts again. `without`: columns the board does not have and is not to get. Look it through: rayline mappings lint
"""
WIDTH = 60


def write_overlay(
    overlay: Overlay, sources: Mapping[str, Source], *, before: str = ""
) -> str:
    """Return the text of the file: what stood there `before`, and the parts after it."""
    pieces = [before.rstrip() or HEAD.rstrip()]
    pieces += [
        "\n".join(_part(name, part, sources[name])) for name, part in overlay.items()
    ]
    return "\n\n".join(pieces) + "\n"


def _part(name: str, part: PartTable, source: Source) -> Iterator[str]:
    yield f"[{name}]"
    yield _line("board", quoted(part.board), f"the id of “{part.title}”")
    if part.title:
        yield _line("title", quoted(part.title), source.title["en"])
    if part.only:
        labels = _listed(part.only.labels)
        only = f"{{column = {quoted(part.only.column)}, labels = {labels}}}"
        yield _line("only", only, "the rows that are meant")
    for key, column in part.columns.items():
        yield _line(f"columns.{key}", quoted(column), _name(source.properties[key]))
    for key, kind in part.types.items():
        yield _line(f"types.{key}", quoted(kind), source.properties[key].type)
    for key, labels_of in part.labels.items():
        for option, words in labels_of.items():
            yield _line(
                f"labels.{key}.{option}",
                _listed(words),
                _option(source.properties[key], option),
            )
    if part.without:
        yield f"without = {_listed(part.without)}"


def _line(key: str, value: str, comment: str) -> str:
    return f"{key} = {value}".ljust(WIDTH) + f"  # {comment}"


def _name(prop: Property) -> str:
    return prop.label["en"]


def _option(prop: Property, key: str) -> str:
    return next(option.label["en"] for option in prop.options if option.key == key)


def _listed(words: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, words))}]"


def quoted(text: str) -> str:
    """Return a TOML string: JSON's, but for one sign that JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
