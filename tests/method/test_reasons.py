"""Every field is explained by its own figures: over the whole sample agency, and its sums worked out again from them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.support.agency import first_morning
from worker.domain.values import Ref, Unset
from worker.mapping import playbooks
from worker.method.sprint import task_reasons
from worker.plan.facts import Fact, Why

SAME_FIGURES = {
    frozenset({"projects.p50", "projects.p85"}): "two shares of the same simulated runs"
}
"""Fields of different formulas that rest on the very same figures, and why."""


def facts() -> Iterator[Fact]:
    yield from first_morning("en").outcome.facts


def place_of(fact: Fact) -> str:
    return f"{fact.ref.source}.{fact.field}"


def test_every_field_has_a_formula_and_figures() -> None:
    bare = {
        place_of(fact)
        for fact in facts()
        if not fact.why.formula or not fact.why.inputs
    }
    assert bare == set()


def test_fields_of_different_formulas_show_different_figures() -> None:
    by_row: dict[tuple[Ref, str], list[Fact]] = defaultdict(list)
    for fact in facts():
        if fact.value not in (None, (), "", Decimal(0)):
            by_row[fact.ref, fact.why.rule].append(fact)
    alike = set()
    for row in by_row.values():
        for number, fact in enumerate(row):
            for other in row[number + 1 :]:
                pair = frozenset({place_of(fact), place_of(other)})
                is_same = fact.why.inputs == other.why.inputs
                if is_same and fact.why.formula != other.why.formula:
                    alike.add(pair)
    assert alike - set(SAME_FIGURES) == set()


def number_of(text: str) -> Decimal:
    """Return the first figure of a shown value: money, a share in percent, a count."""
    figure = re.search(r"-?[\d,]+(\.\d+)?", text.replace("€", ""))
    assert figure is not None, text
    value = Decimal(figure[0].replace(",", ""))
    return value / 100 if text.endswith("%") else value


ROWS = frozenset({"client", "unit", "Jira link"})


def figures(why: Why) -> dict[str, Decimal]:
    """Return the figures of a reason by name; the rows it is about and their period are none."""
    shown = {}
    for one in why.inputs:
        if one.name in ROWS or one.name.startswith("period"):
            continue
        if re.search(r"\d", one.value):
            shown[one.name] = number_of(one.value)
    return shown


def ratio_of(above: str, below: str) -> Callable[[Why], Decimal | None]:
    def worked_out(why: Why) -> Decimal | None:
        shown = figures(why)
        return shown[above] / shown[below] if shown[below] else None

    return worked_out


def summed(why: Why) -> Decimal:
    return sum(figures(why).values(), Decimal(0))


def recognised(why: Why) -> Decimal:
    """Return the sum of the years; what acts bill stands beside it."""
    shown = figures(why)
    return summed(why) - shown["billed by acts"]


def counted(why: Why) -> Decimal:
    return Decimal(len(why.inputs) - 1)


def least(why: Why) -> Decimal | None:
    return min(figures(why).values(), default=None)


def weighted_mean(why: Why) -> Decimal:
    """Return sum(score x weight) / sum(weight) of lines such as `96.27 x 3`."""
    pairs = [tuple(map(Decimal, one.value.split(" × "))) for one in why.inputs[1:]]
    weight = sum((each for _, each in pairs), Decimal(0))
    return sum((score * each for score, each in pairs), Decimal(0)) / weight


def weights_with_data(why: Why) -> Decimal:
    known = [one for one in why.inputs[1:] if "no data" not in one.value]
    whole = sum((number_of(one.value) for one in why.inputs[1:]), Decimal(0))
    return sum((number_of(one.value) for one in known), Decimal(0)) / whole


def recent_share(why: Why) -> Decimal | None:
    _, own, whole = why.inputs
    return number_of(own.value) / number_of(whole.value)


def hours_summed(why: Why) -> Decimal:
    return sum((number_of(one.value) for one in why.inputs), Decimal(0))


def clients_summed(why: Why) -> Decimal:
    amounts = [number_of(one.value) for one in why.inputs[2:]]
    return sum(amounts, Decimal(0))


def shortage(why: Why, *, over: str) -> Decimal:
    """Return (target - fact) / days."""
    shown = figures(why)
    return (shown["target"] - shown["actual"]) / shown[over]


def growth(why: Why) -> Decimal:
    """Return (added - rejected) / known before."""
    shown = figures(why)
    grown = shown["work added"] - shown["work rejected"]
    return grown / shown["work known before"]


def days_since(why: Why) -> Decimal:
    shown = {one.name: date.fromisoformat(one.value) for one in why.inputs[1:]}
    return Decimal((shown["today"] - shown["since"]).days)


def product(why: Why) -> Decimal:
    first, second = (number_of(one.value) for one in why.inputs)
    return first * second


def product_of_last(why: Why) -> Decimal:
    return product(replace(why, inputs=why.inputs[-2:]))


def expected_worth(why: Why) -> Decimal:
    """Return max(recognised, finished + monthly x months ahead)."""
    shown = figures(why)
    months = shown["months of secured work"] + shown.get("months after it", 0)
    grown = shown["finished months"] + shown["monthly value"] * months
    return max(grown, shown["recognised to date, the least it can be"])


TO_FOUR = Decimal("0.0001")
WORKED_OUT: dict[str, tuple[Callable[[Why], Decimal | None], Decimal]] = {
    "clients.revenue_month": (summed, Decimal(0)),
    "clients.revenue_quarter": (summed, Decimal(0)),
    "clients.plan": (summed, Decimal(0)),
    "clients.pace": (ratio_of("revenue of the quarter", "planned to date"), TO_FOUR),
    "clients.revenue_share": (recent_share, Decimal("0.001")),
    "clients.ltv": (recognised, Decimal(0)),
    "clients.ltv_low": (expected_worth, Decimal(1)),
    "clients.ltv_high": (expected_worth, Decimal(1)),
    "clients.months_active": (summed, Decimal(0)),
    "clients.months_silent": (summed, Decimal(0)),
    "clients.score": (weighted_mean, Decimal("0.1")),
    "clients.coverage": (weights_with_data, TO_FOUR),
    "clients.progress": (ratio_of("finished issues", "issues"), TO_FOUR),
    "clients.on_time": (least, TO_FOUR),
    "clients.open_risks": (counted, Decimal(0)),
    "clients.active_projects": (counted, Decimal(0)),
    "clients.ideas": (counted, Decimal(0)),
    "projects.progress": (ratio_of("work done", "all work"), TO_FOUR),
    "projects.scope_change": (growth, TO_FOUR),
    "projects.spi": (
        ratio_of("earned schedule, working days", "actual time, working days"),
        Decimal("0.01"),
    ),
    "projects.overdue": (summed, Decimal(0)),
    "projects.blocked": (summed, Decimal(0)),
    "projects.wip": (summed, Decimal(0)),
    "projects.days_in_stage": (days_since, Decimal(0)),
    "people.utilization": (
        ratio_of("logged hours", "effective hours"),
        Decimal("0.011"),
    ),
    "people.load_4": (ratio_of("planned, h", "effective hours"), Decimal("0.011")),
    "units.load": (ratio_of("planned, h", "effective hours"), Decimal("0.011")),
    "units.utilization": (
        ratio_of("logged hours", "effective hours"),
        Decimal("0.011"),
    ),
    "plans.load": (hours_summed, Decimal("0.1")),
    "plans.utilization": (ratio_of("load, h", "effective hours"), Decimal("0.011")),
    "plans.fact": (clients_summed, Decimal(0)),
    "plans.per_day": (
        lambda why: shortage(why, over="working days left"),
        Decimal("0.01"),
    ),
    "plans.pace": (ratio_of("actual", "planned to date"), TO_FOUR),
    "projects.burn": (ratio_of("worth at standard rates", "budget"), TO_FOUR),
    "clients.realisation": (
        ratio_of("recognised in the last finished month", "worth at standard rates"),
        TO_FOUR,
    ),
    **dict.fromkeys(
        (
            "ledger.recognised",
            "ledger.earned",
            "ledger.billed",
            "ledger.paid",
            "ledger.hours",
        ),
        (summed, Decimal(0)),
    ),
    "bonuses.pool": (product_of_last, Decimal("0.01")),
    "risks.score": (product, Decimal(0)),
    "risks.exposure": (product, Decimal("0.01")),
    "units.revenue_month": (summed, Decimal(0)),
    "units.revenue_quarter": (summed, Decimal(0)),
    "units.pace": (ratio_of("actual", "planned to date"), TO_FOUR),
}
"""How each figure is worked out from what is printed beside it, and how far it may be off by rounding."""


@pytest.mark.parametrize("place", WORKED_OUT)
def test_a_figure_is_what_its_printed_figures_come_to(place: str) -> None:
    work_out, rounding = WORKED_OUT[place]
    stated = [
        fact
        for fact in facts()
        if place_of(fact) == place and isinstance(fact.value, Decimal)
    ]
    assert stated, "the sample agency has no such figure"
    off = [
        (fact.ref.key, fact.value, worth)
        for fact in stated
        if isinstance(fact.value, Decimal)
        and (
            (worth := work_out(fact.why)) is None or abs(worth - fact.value) > rounding
        )
    ]
    assert off == []


def test_money_is_not_explained_by_health() -> None:
    factors = {"delivery", "quality", "money", "ray", "relations", "team", "risks"}
    for fact in facts():
        if place_of(fact).startswith("clients.revenue_"):
            assert factors.isdisjoint(one.name for one in fact.why.inputs)


def test_both_languages_explain_with_as_many_figures() -> None:
    def shape(locale: str) -> set[tuple[str, int]]:
        drawn = first_morning(locale).outcome.facts
        kept = (fact for fact in drawn if not isinstance(fact.value, Unset))
        return {(place_of(fact), len(fact.why.inputs)) for fact in kept}

    assert shape("ru") == shape("en")


NAMES = ("Jira", "SPI(t)")
"""Names that Russian texts write as English ones do."""


def english_in(text: str) -> str | None:
    """Return a word of English in a Russian text, or a number written with a point; keys of Jira and names are none."""
    for name in NAMES:
        text = text.replace(name, "")
    found = re.search(r"\b[a-z]{2,}\b|\d\.\d", text)
    return found[0] if found else None


@pytest.mark.parametrize("part", ["threshold", "formula"])
def test_reasons_are_said_in_russian(part: str) -> None:
    said = {getattr(fact.why, part) for fact in first_morning("ru").outcome.facts}
    assert {text for text in said if english_in(text)} == set()


def test_inputs_are_named_in_russian() -> None:
    names = {
        one.name
        for fact in first_morning("ru").outcome.facts
        for one in fact.why.inputs
    }
    assert {name for name in names if english_in(name)} == set()


def test_every_place_of_a_playbook_has_a_name() -> None:
    assert set(task_reasons.PLACES) == playbooks.PLACES
