"""What the validation library finds wrong with a value, as sentences in every language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic_core import ErrorDetails

from worker.domain.messages import Text, literal, message

TEXT = message("must be text in quotation marks")
WHOLE = message("must be a whole number")
NUMBER = message("must be a number")
SWITCH = message("must be true or false")
TABLE = message("must be a table of settings, not one value")
LIST = message("must be a list in square brackets")
DAY = message("must be a day, such as 2026-11-30")
TIME = message("must be a time of day, such as 08:30")

SENTENCES: Mapping[str, str] = {
    "missing": message("is missing"),
    "string_too_short": message("must not be empty"),
    "extra_forbidden": message("is not a setting"),
    "greater_than": message("must be more than {gt}"),
    "greater_than_equal": message("must be {ge} or more"),
    "less_than": message("must be less than {lt}"),
    "less_than_equal": message("must be {le} or less"),
    "finite_number": message("must be a finite number"),
    "literal_error": message("must be one of {expected}"),
    "too_long": message("must not hold more than {max_length} values"),
    "string_type": TEXT,
    "path_type": TEXT,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "decimal_type": NUMBER,
    "decimal_parsing": NUMBER,
    "bool_type": SWITCH,
    "bool_parsing": SWITCH,
    "dict_type": TABLE,
    "model_type": TABLE,
    "model_attributes_type": TABLE,
    "tuple_type": LIST,
    "list_type": LIST,
    "date_type": DAY,
    "date_parsing": DAY,
    "date_from_datetime_parsing": DAY,
    "date_from_datetime_inexact": DAY,
    "time_type": TIME,
    "time_parsing": TIME,
    # What `worker.config` refuses itself.
    "switch_as_value": message("must not be true or false"),
    "unknown_name": message("is not a setting; known here: {known}"),
    "above": message("{low} must not be above {high}"),
    "band_too_high": message("green and amber must be {most} or less"),
    "same_anchors": message("worst and best must differ: {names}"),
    "no_weight": message("at least one weight must be more than 0"),
    "no_address": message("must be HOST:PORT, such as 127.0.0.1:8787"),
}
PATTERNS: Mapping[str, str] = {
    "currency": message("must be three capital letters, such as EUR"),
    "projects": message(
        "must be the key or the number of a Jira project, such as SHOP"
    ),
    "token_sha256": message("must be a SHA-256: 64 digits 0–9 and a–f"),
}
"""What a text must look like, by the setting it is of."""
_QUOTED = re.compile(r"'([^']*)'")


def say_fault(item: ErrorDetails) -> Text:
    """Return what is wrong with a value; of what this table does not know, the library's own English words."""
    if item["type"] == "string_pattern_mismatch":
        known = _pattern_of(item)
    else:
        known = SENTENCES.get(item["type"], "")
    if not known:
        return literal(item["msg"].removeprefix("Value error, "))
    bounds = item.get("ctx", {}).items()
    return Text(known, tuple((name, _bound(value)) for name, value in bounds))


def _bound(value: object) -> str:
    """Return a bound as people write it: 5, not 5.0; names with commas, not with an English word between them."""
    text = str(value)
    names = _QUOTED.findall(text)
    return ", ".join(names) if names else text.removesuffix(".0")


def _pattern_of(item: ErrorDetails) -> str:
    names = [part for part in item["loc"] if part in PATTERNS]
    return PATTERNS[str(names[-1])] if names else ""
