"""Which of an agency's own boards plays which part of ours: proposed, with a score and a reason, never decided.

The parts hang together by their relations, so they are guessed a few times over, each time with what the others were
guessed to be. What was `chosen` by a person holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from worker.domain.messages import Text, message, tell
from worker.mapping.boards import Board, Column, Filter
from worker.mapping.columns import ColumnProposal, Look, propose_columns, weigh
from worker.mapping.likeness import likeness
from worker.mapping.pairing import NOBODY, WORTH_ASKING, Pair, Settled, Verdict, settle
from worker.mapping.schema import Schema
from worker.mapping.synonyms import Synonyms

ROUNDS = 3
BY_NAME = 0.6
"""How much of a part's likelihood its title says; the columns say the rest."""
BY_STRUCTURE = 0.6
"""What columns alone can come to, whatever the title: never enough to be sure."""
CLEAR = 0.75
"""The share of its columns by which a board is recognised in spite of its title."""
BACKWARD = 0.15
"""What it takes away that a board is empty, read-only or lies in an archive."""
SURE_PART = 0.62
MERGED = 0.85
"""How like a part's name a label must be to part the rows of a board."""
MOSTLY = 0.6
EXPLAINED = 0.6
ALIKE = message("title {title} of 100, columns {columns} of 100")
FILTERED = message("the rows where “{column}” is {labels}")
TWICE = message("there is another board of this name")
COMPUTED = message(
    "its rows are of several kinds by the formula “{column}”, which no new row can be told apart by: make it a select"
)
NO_BOARD = ""
"""What is chosen for a part that no board plays."""


class PartProposal(msgspec.Struct, frozen=True, gc=False):
    """Which board plays a part: choices by likelihood; `only` says which rows, where a board plays several."""

    part: str
    verdict: Verdict
    choices: tuple[Pair, ...] = ()
    only: Mapping[str, Filter] = {}
    columns: tuple[ColumnProposal, ...] = ()

    @property
    def board(self) -> str:
        """Return the id of the likeliest board."""
        return self.choices[0].theirs if self.choices else NO_BOARD

    @property
    def filter(self) -> Filter | None:
        """Return which rows of the likeliest board are meant; None for all."""
        return self.only.get(self.board)


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """What is proposed for a workspace: its parts in the order of the schema, and the boards that play none."""

    parts: Mapping[str, PartProposal]
    unused: tuple[Board, ...] = ()


Filters = Mapping[tuple[str, str], Filter]
"""Which rows, by part and board."""


def propose(
    boards: Sequence[Board],
    schema: Schema,
    synonyms: Synonyms,
    chosen: Mapping[str, str] | None = None,
) -> Proposal:
    """Return which board plays which part, and which column carries which property.

    `chosen` gives the board's id by part as a person said it, empty for none.
    """
    held = chosen or {}
    known = [name for name in synonyms if name in schema.sources]
    filters = _merged(boards, schema, synonyms)
    computed = _computed(boards, schema, synonyms)
    guess: dict[str, str] = dict(held)
    settled: dict[str, Settled] = {}
    for _ in range(ROUNDS):
        pairs = _weigh_all(boards, schema, synonyms, guess, filters)
        settled = _settle(pairs, boards, filters, held)
        settled |= _in_doubt(settled, computed, held)
        guess = {
            part: became.choices[0].theirs
            for part, became in settled.items()
            if became.choices
        }
    by_id = {board.id: board for board in boards}
    parts = {}
    for name in known:
        proposal = _part(name, settled.get(name, NOBODY), filters)
        board = by_id.get(proposal.board)
        if board is not None:
            reserved = proposal.filter.column if proposal.filter else ""
            look = Look(schema.sources[name], board, synonyms, guess, reserved)
            proposal = msgspec.structs.replace(proposal, columns=propose_columns(look))
        parts[name] = proposal
    used = {pair.theirs for proposal in parts.values() for pair in proposal.choices}
    unused = tuple(board for board in boards if board.id not in used)
    return Proposal(parts, unused)


def _part(name: str, settled: Settled, filters: Filters) -> PartProposal:
    only = {
        pair.theirs: filters[name, pair.theirs]
        for pair in settled.choices
        if (name, pair.theirs) in filters
    }
    return PartProposal(name, settled.verdict, settled.choices, only)


def _settle(
    pairs: Iterable[Pair],
    boards: Sequence[Board],
    filters: Filters,
    held: Mapping[str, str],
) -> dict[str, Settled]:
    """Return what became of each part; what a person chose is out of the question for others."""
    taken = {board for part, board in held.items() if (part, board) not in filters}
    fixed: dict[str, Settled] = {}
    free = []
    for pair in pairs:
        if held.get(pair.ours) == pair.theirs:
            fixed[pair.ours] = Settled(Verdict.SURE, (pair,))
        elif pair.ours not in held and pair.theirs not in taken:
            free.append(pair)
    # Each part of a merged board stands for itself.
    apart = [
        msgspec.structs.replace(pair, theirs=_half(pair, filters)) for pair in free
    ]
    settled = {
        part: _whole(became) for part, became in settle(apart, sure=SURE_PART).items()
    }
    twice = _twice(boards)
    return {
        part: _with_namesakes(became, free, twice) for part, became in settled.items()
    } | fixed


def _half(pair: Pair, filters: Filters) -> str:
    return (
        f"{pair.theirs} {pair.ours}"
        if (pair.ours, pair.theirs) in filters
        else pair.theirs
    )


def _whole(settled: Settled) -> Settled:
    choices = tuple(
        msgspec.structs.replace(pair, theirs=pair.theirs.partition(" ")[0])
        for pair in settled.choices
    )
    return Settled(settled.verdict, choices)


def _twice(boards: Sequence[Board]) -> dict[str, list[str]]:
    """Return the boards of one name, those in use first."""
    named: dict[str, list[Board]] = {}
    in_use = sorted(
        boards, key=lambda one: (one.is_backward, -one.rows, -len(one.columns))
    )
    for board in in_use:
        named.setdefault(board.title.strip().casefold(), []).append(board)
    return {
        board.id: [namesake.id for namesake in several]
        for several in named.values()
        if len(several) > 1
        for board in several
    }


def _with_namesakes(
    settled: Settled, pairs: Iterable[Pair], twice: Mapping[str, list[str]]
) -> Settled:
    """Return a part asked about when its board has a namesake, both named."""
    if not settled.choices or settled.choices[0].theirs not in twice:
        return settled
    part = settled.choices[0].ours
    order = twice[settled.choices[0].theirs]
    same = {pair.theirs: pair for pair in pairs if pair.ours == part}
    several = tuple(
        msgspec.structs.replace(same[one], reason=tell(TWICE))
        for one in order
        if one in same
    )
    others = tuple(pair for pair in settled.choices if pair.theirs not in order)
    return Settled(Verdict.ASK, (*several, *others))


def _in_doubt(
    settled: Mapping[str, Settled],
    computed: Mapping[str, Column],
    held: Mapping[str, str],
) -> dict[str, Settled]:
    """Return the parts that are asked about because a formula alone says which rows of their board are meant."""
    asked = {}
    for part, became in settled.items():
        board = became.choices[0].theirs if became.choices else ""
        if part in held or board not in computed:
            continue
        reason = tell(COMPUTED, column=computed[board].name)
        first = msgspec.structs.replace(became.choices[0], reason=reason)
        asked[part] = Settled(Verdict.ASK, (first, *became.choices[1:]))
    return asked


# -- how likely --------------------------------------------------------------------------------------------------------


def _weigh_all(
    boards: Sequence[Board],
    schema: Schema,
    synonyms: Synonyms,
    guess: Mapping[str, str],
    filters: Filters,
) -> list[Pair]:
    parted = {board for _, board in filters}
    pairs = []
    for part, words in synonyms.items():
        source = schema.sources.get(part)
        if source is None or source.private:
            continue
        for board in boards:
            only = filters.get((part, board.id))
            if board.id in parted and only is None:
                continue
            reserved = only.column if only else ""
            look = Look(source, board, synonyms, guess, reserved)
            named = likeness(board.title, words.of_board(source))
            pairs.append(_weigh(look, named, only))
    return pairs


def _weigh(look: Look, named: float, only: Filter | None) -> Pair:
    board = look.board
    explained = _explained(look)
    score = BY_NAME * named + (1 - BY_NAME) * explained
    if explained >= CLEAR and len(look.telling()) > 2:
        score = max(score, BY_STRUCTURE)
    reason: Text = tell(
        ALIKE, title=str(round(named * 100)), columns=str(round(explained * 100))
    )
    if only is not None:
        score = max(score, WORTH_ASKING + 0.2)
        column = board.column(only.column)
        name = column.name if column else ""
        reason = tell(FILTERED, column=name, labels=", ".join(only.labels))
    if board.is_backward:
        score -= BACKWARD
    return Pair(look.source.name, board.id, score, reason)


def _explained(look: Look) -> float:
    """Return how much of a board the part explains: the share of its columns that carry one of its properties."""
    telling = look.telling()
    if not telling:
        return 0.0
    best: dict[str, float] = {}
    for pair in weigh(look):
        best[pair.theirs] = max(best.get(pair.theirs, 0.0), pair.score)
    backs = _backs(look)
    known = [
        max(best.get(column.id, 0.0), 1.0 if column.id in backs else 0.0)
        for column in telling
    ]
    return sum(one for one in known if one >= EXPLAINED) / len(telling)


def _backs(look: Look) -> set[str]:
    """Return the relations that come back from parts of ours: the other side of one that leads here."""
    targets = {
        look.parts.get(prop.target)
        for prop in look.source.properties.values()
        if prop.type == "relation"
    } - {None}
    return {
        column.id
        for column in look.offered()
        if column.type == "relation" and column.target in targets
    }


# -- merged boards -----------------------------------------------------------------------------------------------------


def _merged(
    boards: Sequence[Board], schema: Schema, synonyms: Synonyms
) -> dict[tuple[str, str], Filter]:
    """Return which rows of a board play which part, for boards whose rows are of several kinds."""
    filters: dict[tuple[str, str], Filter] = {}
    for board in boards:
        for column in board.columns:
            halves = _halves(column, schema, synonyms)
            if len(halves) > 1:
                filters |= {
                    (part, board.id): Filter(column.id, labels)
                    for part, labels in halves.items()
                }
                break
    return filters


def _computed(
    boards: Sequence[Board], schema: Schema, synonyms: Synonyms
) -> dict[str, Column]:
    """Return the formulas whose values name several parts, by board."""
    parting = {}
    for board in boards:
        for column in board.columns:
            parts = {
                _named_part(value, schema, synonyms)
                for value in column.samples
                if column.type == "formula"
            }
            if len(parts - {""}) > 1:
                parting[board.id] = column
    return parting


def _halves(
    column: Column, schema: Schema, synonyms: Synonyms
) -> dict[str, tuple[str, ...]]:
    """Return the labels of a choice that name a part, by part; none when most of them name something else."""
    if column.type not in ("select", "status"):
        return {}
    named: dict[str, list[str]] = {}
    for label in column.labels:
        part = _named_part(label.name, schema, synonyms)
        if part:
            named.setdefault(part, []).append(label.name)
    number = sum(map(len, named.values()))
    if number < MOSTLY * len(column.labels) or _is_option(column, schema, synonyms):
        return {}
    return {part: tuple(labels) for part, labels in named.items()}


def _named_part(label: str, schema: Schema, synonyms: Synonyms) -> str:
    scores = [
        (likeness(label, words.of_board(schema.sources[part])), part)
        for part, words in synonyms.items()
        if part in schema.sources
    ]
    score, part = max(scores, default=(0.0, ""))
    return part if score >= MERGED else ""


def _is_option(column: Column, schema: Schema, synonyms: Synonyms) -> bool:
    """Tell whether the labels are the options of a property: a contact's side is no part, though a label says Client."""
    wanted = len(column.labels)
    for part, words in synonyms.items():
        source = schema.sources.get(part)
        for prop in source.properties.values() if source else ():
            known = sum(
                any(
                    likeness(label.name, words.of_option(prop, option)) >= MERGED
                    for option in prop.options
                )
                for label in column.labels
            )
            if prop.options and known >= MOSTLY * wanted:
                return True
    return False
