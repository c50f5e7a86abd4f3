"""From a proposal to an overlay: what is to be asked, what was answered, and what would be added. Pure.

A question's key is where its answer stands: `parts clients`, `columns clients group`, `labels projects stage Doing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from worker.domain.messages import Text, listed, tell
from worker.mapping.adoption import PartProposal, Proposal
from worker.mapping.boards import Board
from worker.mapping.columns import ColumnProposal, LabelChoice, explain, read_labels
from worker.mapping.overlay import OnlyTable, Overlay, PartTable
from worker.mapping.pairing import Pair, Verdict
from worker.mapping.schema import KEY_PROPERTY, Owner, Property, Schema, Source
from worker.mapping.synonyms import PartWords, Synonyms

Key = tuple[str, ...]
Answers = Mapping[Key, str]
"""What was answered, by question; empty: none of them."""
NONE = ""


class Choice(msgspec.Struct, frozen=True, gc=False):
    """One answer: what it stands for, its name, and why it may be right."""

    value: str
    name: str
    reason: Text


class Question(msgspec.Struct, frozen=True, gc=False):
    """What is not sure: its answers by likelihood; none of them is an answer too."""

    key: Key
    text: Text
    choices: tuple[Choice, ...]


class Decided(msgspec.Struct, frozen=True, gc=False):
    """A proposal with its boards and what was answered to what it left open."""

    proposal: Proposal
    boards: Mapping[str, Board]
    answers: Answers

    def parts(self) -> Iterator[tuple[PartProposal, Board]]:
        """Yield the parts that a board plays."""
        for part in self.proposal.parts.values():
            if part.verdict is Verdict.SURE and part.board in self.boards:
                yield part, self.boards[part.board]

    def column(self, part: str, proposed: ColumnProposal) -> str:
        """Return the id of the column that carries a property, empty for none."""
        if proposed.verdict is Verdict.SURE:
            return proposed.column
        return self.answers.get(("columns", part, proposed.name), NONE)

    def option(self, part: str, name: str, label: LabelChoice) -> str:
        """Return the key a label means, empty for none."""
        if label.verdict is Verdict.SURE:
            return label.key
        return self.answers.get(("labels", part, name, label.label), NONE)


# -- asking ------------------------------------------------------------------------------------------------------------


def ask_parts(
    proposal: Proposal, boards: Mapping[str, Board], schema: Schema
) -> Iterator[Question]:
    """Yield the parts of which it is not sure which board plays them."""
    for part in proposal.parts.values():
        if part.verdict is not Verdict.ASK:
            continue
        choices = tuple(
            _board_choice(boards[pair.theirs], pair) for pair in part.choices
        )
        text = tell("Which board holds “{part}”?", part=schema.sources[part.part].title)
        yield Question(("parts", part.part), text, choices)


def _board_choice(board: Board, pair: Pair) -> Choice:
    place = " / ".join((*board.place, board.title))
    reason = tell("{reason}; rows seen: {rows}", reason=pair.reason, rows=board.rows)
    if board.in_archive:
        reason = tell("in an archive; {reason}", reason=reason)
    return Choice(board.id, place, reason)


def ask_columns(decided: Decided, schema: Schema) -> Iterator[Question]:
    """Yield the properties of which it is not sure which column carries them."""
    for part, board in decided.parts():
        source = schema.sources[part.part]
        for proposed in part.columns:
            if proposed.verdict is not Verdict.ASK:
                continue
            text = tell(
                "“{board}”: which column is “{property}”?",
                board=board.title,
                property=source.properties[proposed.name].label,
            )
            choices = tuple(_column_choices(board, proposed.choices))
            yield Question(("columns", part.part, proposed.name), text, choices)


def _column_choices(board: Board, pairs: Iterable[Pair]) -> Iterator[Choice]:
    for pair in pairs:
        column = board.column(pair.theirs)
        if column is not None:
            yield Choice(column.id, column.name, explain(pair, column))


def ask_labels(
    decided: Decided, schema: Schema, synonyms: Synonyms
) -> Iterator[Question]:
    """Yield the labels of which it is not sure what they mean, the likeliest option first."""
    for part, board in decided.parts():
        source = schema.sources[part.part]
        for proposed in part.columns:
            prop = source.properties[proposed.name]
            for label in _labels(decided, part.part, proposed, board, prop, synonyms):
                if label.verdict is Verdict.ASK:
                    yield _label_question(part.part, board, prop, label)


def _label_question(
    part: str, board: Board, prop: Property, label: LabelChoice
) -> Question:
    text = tell(
        "“{board}”: what does “{label}” mean in “{property}”?",
        board=board.title,
        label=label.label,
        property=prop.label,
    )
    options = sorted(prop.options, key=lambda option: option.key != label.key)
    choices = tuple(
        Choice(option.key, option.label["en"], listed(option.label))
        for option in options
    )
    return Question(("labels", part, prop.name, label.label), text, choices)


def _labels(
    decided: Decided,
    part: str,
    proposed: ColumnProposal,
    board: Board,
    prop: Property,
    synonyms: Synonyms,
) -> list[LabelChoice]:
    """Return what the labels of the column that was decided on mean."""
    column = board.column(decided.column(part, proposed))
    if column is None or not prop.options:
        return []
    return read_labels(synonyms.get(part, PartWords()), prop, column.labels)


# -- writing the overlay -----------------------------------------------------------------------------------------------


def to_overlay(
    decided: Decided, schema: Schema, synonyms: Synonyms, *, all_columns: bool = False
) -> Overlay:
    """Return the differences of every part that is played by an own board.

    Of Rayline's own columns only the first ones are added, unless `all_columns`; none whose name stands there already.
    """
    return {
        part.part: _table(decided, part, board, schema, synonyms, all_columns)
        for part, board in decided.parts()
    }


def _table(
    decided: Decided,
    part: PartProposal,
    board: Board,
    schema: Schema,
    synonyms: Synonyms,
    all_columns: bool,  # noqa: FBT001 - handed on
) -> PartTable:
    source = schema.sources[part.part]
    carried = {
        proposed.name: column
        for proposed in part.columns
        if (column := board.column(decided.column(part.part, proposed))) is not None
    }
    labels = {}
    for proposed in part.columns:
        prop = source.properties[proposed.name]
        means = _meanings(
            decided,
            part.part,
            proposed.name,
            _labels(decided, part.part, proposed, board, prop, synonyms),
        )
        if means:
            labels[proposed.name] = means
    first = {*synonyms[part.part].first, *_needed(source)}
    wanted = set(source.properties) if all_columns else first
    return PartTable(
        board=board.id,
        title=board.title,
        only=_only(part, board),
        columns={name: column.name for name, column in carried.items()},
        types={
            name: column.type
            for name, column in carried.items()
            if column.type != source.properties[name].type
        },
        labels=labels,
        without=tuple(
            name
            for name, prop in source.properties.items()
            if name not in carried and (name not in wanted or _is_taken(prop, board))
        ),
    )


def _meanings(
    decided: Decided, part: str, name: str, labels: Iterable[LabelChoice]
) -> dict[str, tuple[str, ...]]:
    means: dict[str, tuple[str, ...]] = {}
    for label in labels:
        key = decided.option(part, name, label)
        if key:
            means[key] = (*means.get(key, ()), label.label)
    return means


def _needed(source: Source) -> set[str]:
    return {KEY_PROPERTY} & source.properties.keys()


def _is_taken(prop: Property, board: Board) -> bool:
    """Tell whether a column of the name stands there that is not Rayline's own of an earlier time."""
    labels = {label.casefold() for label in prop.label.values()}
    same = [column for column in board.columns if column.name.casefold() in labels]
    return any(
        prop.owner is not Owner.WORKER or column.type != prop.type for column in same
    )


def _only(part: PartProposal, board: Board) -> OnlyTable | None:
    column = board.column(part.filter.column) if part.filter else None
    if part.filter is None or column is None:
        return None
    return OnlyTable(column=column.name, labels=part.filter.labels)


# -- what would be added -----------------------------------------------------------------------------------------------


class Additions(msgspec.Struct, frozen=True, gc=False):
    """What one board would get: columns by name, and options by the column's name."""

    board: Board
    columns: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = {}


def list_additions(
    schema: Schema, boards: Mapping[str, Board], locale: str
) -> list[Additions]:
    """Return what own boards would get of a schema in the agency's words; a board that plays two parts stands twice."""
    return [
        _additions(source, boards[source.board], locale)
        for source in schema.sources.values()
        if source.board in boards
    ]


def _additions(source: Source, board: Board, locale: str) -> Additions:
    names = {column.name.casefold(): column for column in board.columns}
    columns = []
    options = {}
    for prop in source.properties.values():
        if prop.left_out or prop.type == "title":
            continue
        column = next(
            (
                names[label.casefold()]
                for label in prop.label.values()
                if label.casefold() in names
            ),
            None,
        )
        if column is None:
            columns.append(prop.label[locale])
        elif prop.owner is not Owner.HUMAN and prop.options:
            options[column.name] = _missing_options(
                prop, {label.name.casefold() for label in column.labels}, locale
            )
    return Additions(
        board, tuple(columns), {key: new for key, new in options.items() if new}
    )


def _missing_options(prop: Property, present: set[str], locale: str) -> tuple[str, ...]:
    return tuple(
        option.label[locale]
        for option in prop.options
        if not present
        & {one.casefold() for one in (*option.label.values(), *option.also)}
    )


def with_choices(proposal: Proposal, answers: Answers) -> dict[str, str]:
    """Return which board plays which part: the sure ones, and what was answered; empty for none."""
    return {
        name: part.board
        if part.verdict is Verdict.SURE
        else answers.get(("parts", name), NONE)
        for name, part in proposal.parts.items()
    }
