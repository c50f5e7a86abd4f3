"""Every condition the method finds by itself: what it is called, how it is counted, which playbooks answer it.

One table for risks and tasks. The test of a condition stands in its chapter, under the same name, and gives a
`Sighting`; the words come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.messages import message
from worker.domain.values import Ref
from worker.domain.words import Words
from worker.method.measures import Condition, Signal


class ConditionType(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One condition the worker looks for.

    With a `kind` it is a risk, of that title and formula; each of `playbooks` makes a task for it, which closes with
    `ended`. Places in `title` and `ended` are the subject's names. One that is `of_cards` is looked at card by card, and
    its playbooks wait for its risk; one that `needs_work` is unknown while the card's Jira work cannot be read.
    """

    signal: str
    kind: str = ""
    title: str = ""
    formula: str = ""
    playbooks: tuple[str, ...] = ()
    ended: str = ""
    of_cards: bool = False
    needs_work: bool = False


class Subject(msgspec.Struct, frozen=True, gc=False):
    """The row a condition is about; `names` fill the title and the playbook's text."""

    ref: Ref
    names: Mapping[str, str]
    client: Ref | None = None
    unit: Ref | None = None
    card: Ref | None = None


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """What one condition of one subject looks like today; the fields are those of `Condition`."""

    holds: bool | None
    probability: int = 3
    evidence: str = ""
    threshold: str = ""
    impact: int | None = None
    stake: Decimal | None = None
    horizon: date | None = None
    inputs: tuple[tuple[str, str, str], ...] = ()


Look = tuple[str, Subject, Sighting]
"""One condition, by its signal, of one subject today."""

NO = Sighting(holds=False)
UNKNOWN = Sighting(holds=None)


def state_condition(
    signal: str, subject: Subject, seen: Sighting, *, words: Words
) -> Condition:
    """Return the condition for the risk map; one that does not hold has no words."""
    row = CONDITIONS[signal]
    condition = Condition(
        signal,
        row.kind,
        subject.ref,
        seen.holds,
        probability=seen.probability,
        impact=seen.impact,
        stake=seen.stake,
        client=subject.client,
        unit=subject.unit,
        card=subject.card,
        horizon=seen.horizon,
    )
    if not seen.holds:
        return condition
    # A name nobody has, as of a document without a client, is a dash in the title.
    names = {place: name or "-" for place, name in subject.names.items()}
    return replace(
        condition,
        title=words.say(row.title, **names),
        evidence=seen.evidence,
        inputs=seen.inputs,
        formula=words.say(row.formula) if row.formula else "",
        threshold=seen.threshold,
    )


def state_signals(
    signal: str, subject: Subject, seen: Sighting, *, words: Words, strength: int = 0
) -> tuple[Signal, ...]:
    """Return what every playbook of a condition is to know, in their order."""
    return tuple(
        state_signal(playbook, subject, seen, words=words, strength=strength)
        for playbook in CONDITIONS[signal].playbooks
    )


def state_signal(
    playbook: str, subject: Subject, seen: Sighting, *, words: Words, strength: int = 0
) -> Signal:
    """Return what one playbook is to know of its condition; raise KeyError when no condition names it."""
    return Signal(
        playbook,
        subject.ref,
        subject.client,
        subject.card,
        seen.holds,
        reason=seen.evidence,
        ended=words.say(ANSWERED[playbook].ended, **subject.names),
        strength=strength,
        values=subject.names,
        unit=subject.unit,
    )


def state_looks(
    looks: Iterable[Look], *, words: Words, by_probability: bool = False
) -> tuple[tuple[Condition, ...], tuple[Signal, ...]]:
    """Return the conditions of what was looked at and the signals of their playbooks, in order.

    With `by_probability` the likelier a condition bites, the stronger its signals.
    """
    conditions: list[Condition] = []
    signals: list[Signal] = []
    for signal, subject, seen in looks:
        strength = seen.probability if by_probability else 0
        conditions.append(state_condition(signal, subject, seen, words=words))
        signals += state_signals(signal, subject, seen, words=words, strength=strength)
    return tuple(conditions), tuple(signals)


TYPES = (
    # delivery
    ConditionType(
        signal="deadline.p_on_time",
        kind="deadline",
        title=message("{card}: unlikely to be on time"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="deadline.spi",
        kind="deadline",
        title=message("{card}: behind schedule"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="deadline.overdue",
        kind="deadline",
        title=message("{card}: overdue"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="deadline.no_due",
        kind="deadline",
        title=message("{card}: no due date"),
        playbooks=("ask_due_date",),
        ended=message("closed automatically: there is a date now"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="deadline.stalled",
        kind="deadline",
        title=message("{card}: work has stopped"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="deadline.ageing",
        kind="deadline",
        title=message("{card}: an issue is in work for too long"),
        formula=message(
            "days the oldest issue is in work > days that 85% of the finished ones took"
        ),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="scope.growth",
        kind="deadline",
        title=message("{card}: the scope grows"),
        formula=message("work added in the last weeks / work known before"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="money.burn",
        kind="money",
        title=message("{card}: the budget burns ahead of progress"),
        formula=message("hours spent × rates / budget − work done / all work"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="team.bus_factor",
        kind="team",
        title=message("{card}: one person carries most of the work"),
        formula=message("hours of one person / all hours of the last weeks"),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="quality.falling",
        kind="other",
        title=message("{card}: quality is falling"),
        formula=message(
            "reopened or defect share of the last weeks / the same of the weeks before"
        ),
        of_cards=True,
        needs_work=True,
    ),
    ConditionType(
        signal="data.stale",
        kind="other",
        title=message("{card}: Jira data is stale"),
        formula=message("days without a reading of the card's Jira work"),
        of_cards=True,
    ),
    # money
    ConditionType(
        signal="money.concentration",
        kind="money",
        title=message("{client}: too large a part of the revenue"),
        formula=message(
            "client's revenue / firm's revenue in each of three finished months"
        ),
        playbooks=("spread_revenue",),
        ended=message("closed automatically: the numbers are back in their bounds"),
    ),
    ConditionType(
        signal="money.mix",
        kind="money",
        title=message("The mix of units and newbiz has drifted"),
        formula=message("revenue of accounts in units / revenue of the firm"),
        playbooks=("restore_mix",),
        ended=message("closed automatically: the numbers are back in their bounds"),
    ),
    ConditionType(
        signal="money.pace",
        kind="money",
        title=message("{unit}: revenue is behind its plan"),
        formula=message("actual / planned to date"),
        playbooks=("catch_up",),
        ended=message("closed automatically: the numbers are back in their bounds"),
    ),
    ConditionType(
        signal="money.pipeline_short",
        kind="money",
        title=message("The pipeline of newbiz cannot feed its target"),
        formula=message(
            "recognised + committed + weighted pipeline of newbiz, against its target of the quarter"
        ),
        playbooks=("feed_pipeline",),
        ended=message("closed automatically: the pipeline can feed the target"),
    ),
    ConditionType(
        signal="money.over_servicing",
        kind="money",
        title=message("{name}: more work than the fee pays for"),
        formula=message(
            "hours × rates, against the fee of their month or the budget × progress"
        ),
        playbooks=("limit_service",),
        ended=message("closed automatically: the hours fit into the fee"),
    ),
    ConditionType(
        signal="money.hours_spent",
        playbooks=("spend_hours",),
        ended=message("closed automatically: there are hours again"),
    ),
    ConditionType(
        signal="money.budget_spent",
        playbooks=("spend_budget",),
        ended=message(
            "closed automatically: there is budget again, or the work is done"
        ),
    ),
    ConditionType(
        signal="money.unbilled",
        kind="money",
        title=message("{client}: work without an act"),
        formula=message(
            "earned in finished months, less acts: they settle the oldest first"
        ),
        playbooks=("bill_work",),
        ended=message("closed automatically: everything is billed"),
    ),
    ConditionType(
        signal="money.late_payment",
        kind="money",
        title=message("{client}: pays late"),
        formula=message("acts or invoices without a payment, the oldest settled first"),
        playbooks=("chase_payment",),
        ended=message("closed automatically: it was paid"),
    ),
    # capacity
    ConditionType(
        signal="team.missing_logs",
        kind="team",
        title=message("{unit}: time logs are missing"),
        formula=message("logged hours / hours at work, last full weeks"),
        playbooks=("missing_logs",),
        ended=message("closed automatically: the time is logged"),
    ),
    ConditionType(
        signal="team.overload",
        kind="team",
        title=message("{unit}: too much work for the role “{role}”"),
        formula=message("load / effective hours, by role and week"),
        playbooks=("ask_person", "find_person"),
        ended=message("closed automatically: there are hands enough"),
    ),
    ConditionType(
        signal="team.underload",
        kind="team",
        title=message("{unit}: too little work"),
        formula=message("load / effective hours of the next weeks"),
        playbooks=("bring_work", "use_time"),
        ended=message("closed automatically: there is work enough"),
    ),
    ConditionType(
        signal="team.triangle",
        kind="team",
        title=message("{unit}: the triangle is incomplete"),
        formula=message("exactly one AM, at least one TL and one PM"),
        playbooks=("mend_triangle",),
        ended=message("closed automatically: the triangle is complete again"),
    ),
    ConditionType(
        signal="deadline.ripple",
        kind="deadline",
        title=message("{card}: people it needs are taken up elsewhere"),
        formula=message(
            "the end of the card, moved past the working days taken from whoever it depends on"
        ),
        playbooks=("answer_ripple",),
        ended=message("closed automatically: the date is safe again"),
    ),
    # clients
    ConditionType(
        signal="relations.no_contact",
        kind="other",
        title=message("{client}: no contact"),
        formula=message("days since the last contact with anybody there"),
        playbooks=("contact_client",),
        ended=message("closed automatically: there was contact"),
    ),
    ConditionType(
        signal="relations.no_partner_contact",
        kind="other",
        title=message("{client}: no contact of the agency partner"),
        formula=message("days since the last contact of the agency partner"),
        playbooks=("contact_partner",),
        ended=message("closed automatically: the agency partner was in contact"),
    ),
    ConditionType(
        signal="money.contract_ends",
        kind="money",
        title=message("{client}: the contract ends"),
        formula=message("days until the contract ends"),
        playbooks=("contract_end",),
        ended=message("closed automatically: the contract does not end soon"),
    ),
    ConditionType(
        signal="money.rate_not_indexed",
        kind="money",
        title=message("{client}: the rate is not indexed"),
        formula=message(
            "days since the last indexation, or since the start of the relation"
        ),
        playbooks=("index_rate",),
        ended=message("closed automatically: the rates were indexed"),
    ),
    ConditionType(
        signal="documents.ends",
        kind="other",
        title=message("{client}: “{name}” ends"),
        formula=message("days until the document ends"),
        playbooks=("document_end",),
        ended=message("closed automatically: the document does not end soon"),
    ),
    ConditionType(
        signal="relations.feedback",
        kind="other",
        title=message("{client}: negative feedback"),
        formula=message(
            "the last mark of the client about the team or a member is low, or the last ones fall"
        ),
    ),
    ConditionType(
        signal="relations.left",
        kind="other",
        title=message("{client} has left"),
        formula=message("all cards over, contract over, no money"),
    ),
    ConditionType(
        signal="ray.breaks",
        kind="money",
        title=message("{client}: the ray breaks"),
        formula=message(
            "secured work ends within the lead time and nothing at proposal or later starts by then"
        ),
        playbooks=("ray_break", "move_idea"),
        ended=message("closed automatically: there is work ahead again"),
    ),
    # growth
    ConditionType(
        signal="relations.silent",
        kind="other",
        title=message("{client}: no work for months"),
        formula=message("the last work on the client's cards"),
        playbooks=("silent_account",),
        ended=message("closed automatically: there is work again"),
    ),
    ConditionType(
        signal="newbiz.graduates",
        playbooks=("graduate_newbiz", "graduate_hoa"),
        ended=message("closed automatically: one or two people suffice again"),
    ),
    # sprint
    ConditionType(
        signal="card.no_next_step",
        playbooks=("next_step",),
        ended=message("closed automatically: the card stands at “{stage}” since {day}"),
    ),
    ConditionType(
        signal="risk.high",
        playbooks=("answer_risk",),
        ended=message("closed automatically: there is no high risk any more"),
    ),
    ConditionType(
        signal="care.birthday",
        playbooks=("birthday",),
        ended=message("closed automatically: the birthday has passed"),
    ),
    ConditionType(
        signal="care.newcomer",
        playbooks=("meet_newcomer",),
        ended=message("closed automatically: the first weeks are over"),
    ),
)

CONDITIONS: Mapping[str, ConditionType] = {row.signal: row for row in TYPES}
ANSWERED: Mapping[str, ConditionType] = {
    playbook: row for row in TYPES for playbook in row.playbooks
}
"""The condition each playbook answers."""
