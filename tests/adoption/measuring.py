"""How good proposals are: right, wrong, asked and missed, counted apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.adoption.agencies import Agency
from worker.mapping.adoption import PartProposal, Proposal, propose
from worker.mapping.boards import Board
from worker.mapping.columns import ColumnProposal
from worker.mapping.load import load_schema
from worker.mapping.pairing import Verdict
from worker.mapping.synonyms import load_synonyms

SCHEMA = load_schema()
SYNONYMS = load_synonyms()


@dataclass(slots=True)
class Tally:
    """Counts of one workspace by kind (`part`, `column`, `label`) and verdict; `notes` name all that is not right."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, kind: str, verdict: str, note: str) -> None:
        """Count one answer."""
        self.counts[kind, verdict] += 1
        if verdict != "right":
            self.notes.append(f"{verdict} {kind} {note}")

    def share(self, *kinds: str) -> float:
        """Return the share of what was right."""
        right = sum(self.counts[kind, "right"] for kind in kinds)
        every = sum(
            number for (kind, _), number in self.counts.items() if kind in kinds
        )
        return right / every

    def number(self, verdict: str) -> int:
        """Return how many of all kinds had a verdict."""
        return sum(n for (_, one), n in self.counts.items() if one == verdict)

    def line(self) -> str:
        """Return the counts in one line."""
        verdicts = ("right", "wrong", "asked", "missed")
        kinds = ("part", "column", "label")
        return "; ".join(
            f"{kind}s "
            + " ".join(f"{one} {self.counts[kind, one]}" for one in verdicts)
            for kind in kinds
        )


def measure(agency: Agency) -> Tally:
    """Return how good the proposal for a workspace is; its columns are judged once its parts are answered rightly."""
    boards = agency.survey()
    tally = Tally()
    first = propose(boards, SCHEMA, SYNONYMS)
    _judge_parts(tally, agency, first)
    chosen = {part: agency.ids[told["board"]] for part, told in agency.expected.items()}
    rest = {part: "" for part in first.parts if part not in chosen}
    second = propose(boards, SCHEMA, SYNONYMS, {**chosen, **rest})
    by_id = {board.id: board for board in boards}
    for part, told in agency.expected.items():
        proposal = second.parts[part]
        board = by_id[chosen[part]]
        _judge_columns(tally, proposal, board, told.get("columns", {}))
        _judge_labels(tally, proposal, told.get("labels", {}))
    return tally


def _judge_parts(tally: Tally, agency: Agency, proposal: Proposal) -> None:
    for part, one in proposal.parts.items():
        told = agency.expected.get(part)
        board = agency.ids[told["board"]] if told else ""
        verdict = _verdict(one.verdict, one.board, board, asked=_is_asked(told))
        labels = one.filter.labels if one.filter else ()
        if verdict == "right" and told and list(labels) != told.get("only", []):
            verdict = "wrong"
        if verdict:
            tally.add("part", verdict, f"{part} {_told(agency, one)}")


def _is_asked(told: Mapping[str, object] | None) -> bool:
    return bool(told and told.get("asked"))


def _told(agency: Agency, one: PartProposal) -> str:
    names = {identity: name for name, identity in agency.ids.items()}
    return ", ".join(f"{names[pair.theirs]} {pair.score:.2f}" for pair in one.choices)


def _judge_columns(
    tally: Tally, proposal: PartProposal, board: Board, told: Mapping[str, str]
) -> None:
    ids = {column.name: column.id for column in board.columns}
    by_property = {one.name: one for one in proposal.columns}
    for name in sorted({*by_property, *told}):
        one = by_property.get(name) or ColumnProposal(name, Verdict.NONE)
        is_title = one.choices and one.column == "title"
        if is_title:
            continue
        wanted = ids[told[name]] if name in told else ""
        verdict = _verdict(one.verdict, one.column, wanted)
        if verdict:
            found = {column.id: column.name for column in board.columns}
            shown = [f"{found[p.theirs]} {p.score:.2f}" for p in one.choices]
            tally.add("column", verdict, f"{proposal.part}.{name} {shown}")


def _verdict(verdict: Verdict, found: str, wanted: str, *, asked: bool = False) -> str:
    """Return what a proposal is; nothing when nothing was wanted and nothing proposed."""
    if asked:
        right = verdict is Verdict.ASK and found == wanted
        return "right" if right else "wrong"
    if verdict is Verdict.NONE:
        return "missed" if wanted else ""
    if verdict is Verdict.ASK:
        return "asked"
    return "right" if found == wanted else "wrong"


def _judge_labels(
    tally: Tally, proposal: PartProposal, told: Mapping[str, Mapping[str, str]]
) -> None:
    for one in proposal.columns:
        for label, verdict, key in _labels(one):
            wanted = told.get(one.name, {}).get(label, "")
            answer = _verdict(verdict, key, wanted)
            if answer:
                tally.add("label", answer, f"{proposal.part}.{one.name} {label} {key}")


def _labels(one: ColumnProposal) -> Iterator[tuple[str, Verdict, str]]:
    for label in one.labels:
        yield label.label, label.verdict, label.key
