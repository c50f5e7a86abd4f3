"""Which column of a board carries which property of a part, and which of its labels mean which option.

Structure first: the title, where a relation leads, the only one of a rare type; then names; then what options and sample
values say. Columns that the worker alone writes are never looked for among those of people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from worker.domain.messages import Text, message, tell
from worker.mapping.boards import Board, Column, Label
from worker.mapping.likeness import likeness
from worker.mapping.pairing import (
    MARGIN,
    NOBODY,
    SURE,
    WORTH_ASKING,
    Pair,
    Settled,
    Verdict,
    settle,
)
from worker.mapping.schema import Owner, Property, Source
from worker.mapping.synonyms import PartWords, Synonyms

CARRIERS: Mapping[str, frozenset[str]] = {
    "select": frozenset({"select", "status"}),
    "status": frozenset({"status", "select"}),
    "rich_text": frozenset({"rich_text", "url"}),
    "url": frozenset({"url", "rich_text"}),
    "email": frozenset({"email", "rich_text"}),
}
"""Types of theirs that a property of people's can be read from, where it is more than its own."""
TELLING = frozenset(
    {
        "rich_text",
        "number",
        "select",
        "status",
        "date",
        "people",
        "relation",
        "url",
        "email",
    }
)
"""Types of columns of which a part has something to say."""
RARE = frozenset({"email", "people", "url"})
"""Types of which a board has few: the only one on both sides is the same."""
JIRA = re.compile(
    r"https?://\S+/(?:browse|projects|issues)/\S+|[A-Z][A-Z0-9_]+(?:-\d+)?"
)
BY_PLACE = 0.92
BY_TYPE = 0.88
BY_VALUES = 0.95
DOUBTFUL = 0.7
"""What structure alone is worth where the name says something else."""
OTHER_TYPE = 0.03
"""What a type that is not the property's own takes away."""
NAMED = message("its name")
PLACED = message("where the relation leads, and there is no other")
SOLE = message("the only column of this type")
LABELLED = message("its options")
VALUED = message("its values are keys of Jira")
TITLED = message("the title")


class LabelChoice(msgspec.Struct, frozen=True, gc=False):
    """What one label of a choice means: an option's key, or none that is known."""

    label: str
    verdict: Verdict
    key: str = ""


class ColumnProposal(msgspec.Struct, frozen=True, gc=False):
    """Which column carries a property: the choices by likelihood, and for the likeliest what its labels mean."""

    name: str
    verdict: Verdict
    choices: tuple[Pair, ...] = ()
    labels: tuple[LabelChoice, ...] = ()

    @property
    def column(self) -> str:
        """Return the id of the likeliest column."""
        return self.choices[0].theirs if self.choices else ""


class Look(msgspec.Struct, frozen=True, gc=False):
    """A part held against a board: `parts` says which boards play the others, `reserved` which column parts the rows."""

    source: Source
    board: Board
    synonyms: Synonyms
    parts: Mapping[str, str]
    reserved: str = ""

    @property
    def words(self) -> PartWords:
        """Return what the part is called."""
        return self.synonyms.get(self.source.name, PartWords())

    def wanted(self) -> list[Property]:
        """Return the properties that people fill, which their columns may carry already."""
        return [
            prop
            for prop in self.source.properties.values()
            if prop.type not in ("title", "formula") and prop.owner is not Owner.WORKER
        ]

    def offered(self) -> list[Column]:
        """Return the columns that may carry one."""
        return [
            column
            for column in self.board.columns
            if column.type != "title" and column.id != self.reserved
        ]

    def telling(self) -> list[Column]:
        """Return those of them that tell something of the part."""
        return [column for column in self.offered() if column.type in TELLING]


def propose_columns(look: Look) -> tuple[ColumnProposal, ...]:
    """Return a proposal for each property that people fill, the title first."""
    settled = settle(weigh(look))
    proposals = [_title(look)]
    proposals += [
        _proposal(look, prop, settled.get(prop.name, NOBODY)) for prop in look.wanted()
    ]
    carried = {one.name: one.column for one in proposals if one.verdict is Verdict.SURE}
    return (*proposals, *_mirrors(look, carried))


def _title(look: Look) -> ColumnProposal:
    prop = look.source.title_property
    titles = [column for column in look.board.columns if column.type == "title"]
    pairs = tuple(Pair(prop.name, one.id, 1.0, tell(TITLED)) for one in titles)
    return ColumnProposal(prop.name, Verdict.SURE if pairs else Verdict.NONE, pairs)


def _proposal(look: Look, prop: Property, settled: Settled) -> ColumnProposal:
    labels: tuple[LabelChoice, ...] = ()
    if settled.choices and prop.options:
        column = look.board.column(settled.choices[0].theirs)
        labels = tuple(read_labels(look.words, prop, column.labels if column else ()))
    return ColumnProposal(prop.name, settled.verdict, settled.choices, labels)


def _mirrors(look: Look, carried: Mapping[str, str]) -> Iterator[ColumnProposal]:
    """Yield the worker's relations that stand there as the other side of one that people have.

    Which one of another board it is, only that board's proposal knows; here is what leads to a part of ours and back.
    """
    for prop in look.source.properties.values():
        if prop.owner is not Owner.WORKER or prop.type != "relation" or not prop.mirror:
            continue
        backs = [
            column
            for column in look.offered()
            if column.mirror
            and column.target == look.parts.get(prop.target)
            and column.id not in carried.values()
        ]
        if len(backs) == 1:
            pair = Pair(prop.name, backs[0].id, BY_PLACE, tell(PLACED))
            yield ColumnProposal(prop.name, Verdict.SURE, (pair,))


def weigh(look: Look) -> list[Pair]:
    """Return every property with every column that could carry it."""
    return [
        pair
        for prop in look.wanted()
        for column in look.offered()
        if (pair := _weigh(look, prop, column)) is not None
    ]


def _weigh(look: Look, prop: Property, column: Column) -> Pair | None:
    carriers = {prop.type}
    if prop.owner is Owner.HUMAN:
        carriers |= CARRIERS.get(prop.type, frozenset())
    if column.type not in carriers:
        return None
    score, reason = _likelihood(look, prop, column)
    if column.type != prop.type:
        score -= OTHER_TYPE
    return Pair(prop.name, column.id, score, tell(reason))


def _likelihood(look: Look, prop: Property, column: Column) -> tuple[float, str]:
    name = likeness(column.name, look.words.of_column(prop))
    if prop.type == "relation":
        return _by_place(look, prop, column, name)
    if prop.options:
        return _by_options(look, prop, column, name)
    if prop.name == "jira" and _are_keys(column.samples):
        return BY_VALUES, VALUED
    if column.type == prop.type and prop.type in RARE and _is_sole(look, prop, column):
        return max(name, BY_TYPE), SOLE
    return name, NAMED


def _by_place(
    look: Look, prop: Property, column: Column, name: float
) -> tuple[float, str]:
    """Return what it says that a relation leads to the board of the right part, or to another."""
    if not column.target or column.target != look.parts.get(prop.target):
        return 0.0, PLACED
    named = DOUBTFUL - 0.1 + (1 - DOUBTFUL + 0.1) * name
    target = look.synonyms.get(prop.target, PartWords())
    is_natural = likeness(prop.label["en"], (prop.target, *target.names)) >= SURE
    is_plain = likeness(column.name, (*target.names, prop.target)) >= WORTH_ASKING
    if is_natural and _is_sole(look, prop, column):
        alone = BY_PLACE if is_plain or name >= WORTH_ASKING else DOUBTFUL
        return max(alone, named), PLACED
    return (named, NAMED) if name else (0.0, NAMED)


def _is_sole(look: Look, prop: Property, column: Column) -> bool:
    ours = [(one.type, one.target) for one in look.wanted()]
    theirs = [(other.type, other.target) for other in look.offered()]
    is_ours = ours.count((prop.type, prop.target)) == 1
    return is_ours and theirs.count((column.type, column.target)) == 1


def _by_options(
    look: Look, prop: Property, column: Column, name: float
) -> tuple[float, str]:
    """Return what name and labels say together: a name whose labels are other ones is doubtful."""
    choices = read_labels(look.words, prop, column.labels)
    known = [one for one in choices if one.verdict is Verdict.SURE]
    share = len(known) / len(column.labels) if column.labels else 0.0
    kinds = len({one.key for one in known})
    if kinds >= 2 and share >= SURE:
        return max(name, 0.8 + 0.15 * share * min(kinds / 3, 1)), LABELLED
    if not column.labels or share >= 0.5:
        return max(name, 0.4 * name + 0.6 * share), NAMED
    return 0.4 * name + 0.4 * max(share, 0.5 * name), NAMED


def _are_keys(samples: Iterable[str]) -> bool:
    texts = [text.strip() for text in samples]
    keys = [text for text in texts if JIRA.fullmatch(text)]
    return len(texts) > 1 and len(keys) == len(texts)


def read_labels(
    words: PartWords, prop: Property, labels: Iterable[Label]
) -> list[LabelChoice]:
    """Return what each label means, by name; several may mean one option."""
    return [_read_label(words, prop, label.name) for label in labels]


def _read_label(words: PartWords, prop: Property, label: str) -> LabelChoice:
    scores = [
        (likeness(label, words.of_option(prop, option)), option.key)
        for option in prop.options
    ]
    (best, key), *others = sorted(scores, reverse=True) or [(0.0, "")]
    second = others[0][0] if others else 0.0
    if best >= SURE and best - second >= MARGIN:
        return LabelChoice(label, Verdict.SURE, key)
    if best >= WORTH_ASKING:
        return LabelChoice(label, Verdict.ASK, key)
    # A stage that is not understood hides the row; other labels that are not known are left alone.
    return LabelChoice(label, Verdict.ASK if prop.type == "status" else Verdict.NONE)


def explain(pair: Pair, column: Column) -> Text:
    """Return a choice for a person."""
    return tell(
        "“{column}”: {reason}, {score} of 100",
        column=column.name,
        reason=pair.reason,
        score=str(round(pair.score * 100)),
    )
