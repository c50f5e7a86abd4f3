"""The figures behind a value as people read them: days and instants of the zone, options by their labels, rows by name.

A rule names its inputs as it knows them, and programs get them so; who reads a page or a terminal gets words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from worker.domain.values import Ref
from worker.domain.words import Words
from worker.mapping.schema import Schema, Source

MOMENT = re.compile(
    r"(?<![\w:-])(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?(?![\w:-])"
)
"""A day, or an instant, as ISO 8601 writes them."""
KEYS = re.compile(r"[a-z][a-z0-9_]*(?: [a-z][a-z0-9_]*)*")
"""What may be keys of options, several parted by spaces."""


def say_figure(
    text: str, ref: Ref, *, title: str, schema: Schema, words: Words, zone: ZoneInfo
) -> str:
    """Return a figure of a row's value in words; `title` is how the row is called, which its key stands for."""
    if text == ref.key and title:
        return title
    if KEYS.fullmatch(text):
        keys = text.split()
        labels = _labels(ref.source, schema, words.locale)
        is_known = labels.keys() >= set(keys)
        return ", ".join(labels[key] for key in keys) if is_known else text
    return MOMENT.sub(lambda match: _moment(match[0], words, zone), text)


def _labels(source: str, schema: Schema, locale: str) -> Mapping[str, str]:
    """Return the labels of option keys: those of the row's own board, then those of people, whose roles stand everywhere,
    then those that mean the same on all boards."""
    everywhere: defaultdict[str, set[str]] = defaultdict(set)
    for other in schema.sources.values():
        for key, label in _options(other, locale):
            everywhere[key].add(label)
    clear = {key: min(labels) for key, labels in everywhere.items() if len(labels) == 1}
    for name in ("people", source):
        if name in schema.sources:
            clear |= dict(_options(schema.sources[name], locale))
    return clear


def _options(source: Source, locale: str) -> Iterator[tuple[str, str]]:
    for prop in source.properties.values():
        for option in prop.options:
            yield option.key, option.label[locale]


def _moment(text: str, words: Words, zone: ZoneInfo) -> str:
    """Return a day or an instant in words; what only looks like one as it stands."""
    try:
        if "T" not in text:
            return words.date(date.fromisoformat(text))
        local = datetime.fromisoformat(text).astimezone(zone)
    except ValueError:
        return text
    return f"{words.date(local.date())}, {local:%H:%M}"
