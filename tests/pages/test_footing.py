"""Every table adds up as it is read: what is shown of the parts is what is shown of the whole, and a share is one number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rayline_demo.stage import Staging, set_stage
from tests.pages.test_pages import agency, pages, said, table
from tests.support.firms import firms
from tests.support.outcomes import written
from tests.support.worlds import (
    SOURCES,
    at,
    card,
    client,
    issue,
    person,
    ref,
    row,
    unit,
)
from worker.cycle.context import CycleRequest, Mode
from worker.cycle.planning import plan_cycle
from worker.domain.document import Block, Bullet, Heading, Table
from worker.domain.entities import Stage
from worker.domain.money import CENT, foot, round_money
from worker.domain.periods import quarter_of
from worker.method.money.revenue import measure_revenue
from worker.world.world import World

AMOUNT = re.compile(r"([−+-]?)€(-?[\d,]+(?:\.\d+)?)")
MONDAY = date(2026, 11, 16)

Sections = Mapping[str, Sequence[Block]]


def amount(cell: str) -> Decimal | None:
    """Return the money of a cell; None where there is none."""
    found = AMOUNT.search(cell.replace("\xa0", " "))
    if found is None:
        return None
    number = Decimal(found[2].replace(",", ""))
    return -number if found[1] in ("−", "-") else number


def percent(cell: str) -> Decimal | None:
    """Return the percent of a cell."""
    found = re.search(r"(-?[\d.,]+)\s?%", cell)
    return Decimal(found[1].replace(",", ".")) if found else None


def column(rows: Iterable[Sequence[str]], index: int) -> list[Decimal]:
    """Return the money of a column, where there is some."""
    return [number for line in rows if (number := amount(line[index])) is not None]


def headed(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Yield what stands under each heading."""
    title, below = "", list[Block]()
    for block in blocks:
        if isinstance(block, Heading):
            yield title, below
            title, below = block.text, []
        else:
            below.append(block)
    yield title, below


def tables(blocks: Sequence[Block], title: str) -> Iterator[Table]:
    """Yield the tables under headings that begin with a title."""
    for heading, below in headed(blocks):
        if heading.startswith(title):
            yield from (one for one in below if isinstance(one, Table))


def adds_up(table: Table, *columns: int) -> None:
    """Assert that the last row of a table is the sum of the others, column by column."""
    *parts, whole = table.rows
    for index in columns:
        total = amount(whole[index])
        if total is None:
            assert column(parts, index) == []
        else:
            assert sum(column(parts, index), Decimal(0)) == total, (index, table)


def check_cut(blocks: Sequence[Block]) -> None:
    """Assert that a Monday cut adds up."""
    (week, *_) = table(tuple(blocks), "Plan and actual").rows
    plan, fact, variance = (amount(cell) for cell in week[1:4])
    if plan is not None and fact is not None:
        assert variance == fact - plan
    for one in tables(blocks, "By unit"):
        adds_up(one, 1, 2, 3)
        assert [amount(cell) for cell in one.rows[-1][1:4]] == [plan, fact, variance]
    for title, below in headed(blocks):
        if title != "What made the difference":
            continue
        bullets = [amount(one.text) for one in below if isinstance(one, Bullet)]
        made = [number for number in bullets if number is not None]
        assert len(made) == len(bullets)
        if variance is not None:
            assert sum(made) == variance
        models = said(tuple(below)).partition("By model:")[2]
        if models:
            by_model = [amount(part) for part in models.split(", ") if "€" in part]
            assert sum(number for number in by_model if number) == sum(made)
    for one in tables(blocks, "Forecast"):
        check_forecast(one)
    short = re.search(r"are short of \**(€[\d,]+)", said(tuple(blocks)))
    for one in tables(blocks, "Shortfall carried over"):
        assert short is not None
        assert sum(column(one.rows, 2)) == amount(short[1])
        for line in one.rows:
            target, carried, together = (amount(cell) or 0 for cell in line[1:4])
            assert target + carried == together


def check_forecast(forecast: Table) -> None:
    """Assert that the parts of each forecast come to it."""
    for line in forecast.rows:
        *parts, whole = (amount(cell) for cell in line[2:6])
        assert sum(part for part in parts if part is not None) == whole


def check_agenda(blocks: Sequence[Block]) -> None:
    """Assert that the look back, the finance part and the plan of an agenda add up."""
    for one in tables(blocks, "4. Finance"):
        check_forecast(one)
    plans = [
        one
        for title, below in headed(blocks)
        for one in below
        if isinstance(one, Table)
        and (title == "Plan and actual" or title.startswith("7. "))
    ]
    for one in plans:
        whole, *parts = one.rows
        for index in (1, 2):
            numbers = column(parts, index)
            total = amount(whole[index])
            if numbers and total is not None:
                assert sum(numbers) == total, one


def check_portfolio(sections: Sections, seen: World) -> None:
    """Assert that the tables of the portfolio add up, and that a client's share is one number wherever it is told."""
    blocks = tuple(sections["meeting:portfolio"])
    clients = table(blocks, "Clients")
    adds_up(clients, 2)
    *rows, whole = clients.rows
    assert len(rows) == len(seen.clients)
    told = re.search(r"Q\d 20\d\d: (−?€[\d,-]+)", said(blocks[:1]))
    if told is not None:
        assert amount(told[1]) == amount(whole[2])
    shares = {line[0].split("[")[-1].split("]")[0]: percent(line[3]) for line in rows}
    if percent(whole[3]) is not None:
        assert percent(whole[3]) == 100
        assert sum(share or 0 for share in shares.values()) == 100
        months = clients.header[3].removeprefix("Share, ")
        for own in seen.clients.values():
            share = percent_of(rows, own.name)
            check_share(sections[own.ref.key], share, months)
    for one in tables(blocks, "Account managers"):
        adds_up(one, 5)
        *managers, everyone = one.rows
        assert sum(int(line[1]) for line in managers) == int(everyone[1])
        assert amount(everyone[5]) == amount(whole[2])
    for one in tables(blocks, "Pipeline"):
        adds_up(one, *((1,) if len(one.header) == 2 else (2, 3)))


def percent_of(rows: Iterable[Sequence[str]], name: str) -> Decimal | None:
    """Return the share in the row of a client."""
    (line,) = [
        one for one in rows if re.search(rf"(^|[ \[]){re.escape(name)}($|\])", one[0])
    ]
    return percent(line[3])


def check_share(blocks: Sequence[Block], share: Decimal | None, months: str) -> None:
    """Assert that a client's page tells the same share, of the same months."""
    for one in tables(blocks, "Money"):
        own = [line for line in one.rows if line[0].startswith("Share")]
        if share is None:
            assert own == []
        else:
            ((name, cell),) = own
            assert name == f"Share of the firm's revenue, {months}"
            assert percent(cell) == share


def check(sections: Sections, seen: World) -> None:
    """Assert that all that is written adds up."""
    check_portfolio(sections, seen)
    for key, blocks in sections.items():
        if key.startswith("meeting:monday:"):
            check_cut(blocks)
        if key.startswith(("meeting:monthly:", "meeting:quarterly:")):
            check_agenda(blocks)


def written_of(seen: World) -> Sections:
    """Return the blocks of all sections by key."""
    return {key: section.blocks for key, section in pages(seen).items()}


def with_pages(seen: World, today: date) -> World:
    """Return a world with people and with a board of pages, on a day."""
    people = {one.ref: one for one in (person("am"), person("am2"), person("dev"))}
    first, second = seen.units.values()
    both = replace(second, am=(ref("people", "am"), ref("people", "am2")))
    return replace(
        seen,
        sources=SOURCES | {"meetings"},
        people=people,
        units={first.ref: first, both.ref: both},
        today=today,
        now=at(today),
    )


TARGETS = st.integers(0, 9_000_000).map(lambda cents: Decimal(cents) / 100)
CODES = ("2026-Q4", "2026-11", "2026-11-W46", "2026-12")


@st.composite
def pins(draw: st.DrawFn) -> dict[str, tuple[object, ...]]:
    """Return rows of plans that people pinned, of units and of the firm."""
    given_pins = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(["u1", "u2", "firm"]), st.sampled_from(CODES)),
            TARGETS,
            max_size=3,
        )
    )
    return {
        "plans": tuple(
            row("plans", f"plan:{of}:{code}", title=code, pinned=True, target=target)
            for (of, code), target in given_pins.items()
        )
    }


@settings(max_examples=60)
@given(
    firms(),
    pins(),
    st.sampled_from(
        [MONDAY, date(2026, 11, 27), date(2026, 12, 7), date(2026, 12, 30)]
    ),
)
def test_the_tables_of_any_firm_add_up(
    seen: World, pinned: dict[str, tuple[object, ...]], today: date
) -> None:
    seen = replace(with_pages(seen, today), rows=pinned)
    check(written_of(seen), seen)


@settings(max_examples=30)
@given(firms(), st.sampled_from([date(2027, 4, 5), date(2027, 5, 20)]))
def test_ledger_months_lifetime_and_portfolio_are_one_sum(
    seen: World, today: date
) -> None:
    """Closed months and open ones are the client's months; their sum is its LTV, the quarter's what the portfolio shows."""
    seen = with_pages(seen, today)
    money = measure_revenue(seen).value
    assert money is not None
    outcome = written(seen)
    worth = {fact.ref: fact.value for fact in outcome.facts if fact.field == "ltv"}
    quarter = quarter_of(today)
    in_quarter = Decimal(0)
    for ref_, months in money.history.items():
        ledger = money.closed[ref_]
        closed = sum(
            (part.recognised for month in ledger.months for part in month.parts),
            Decimal(0),
        )
        still_open = [one.amount for one in months if one.month > ledger.until]
        every = sum((one.amount for one in months), Decimal(0))
        assert closed + sum(still_open) == every == worth[ref_]
        in_quarter += sum(
            (one.amount for one in months if one.month in quarter), Decimal(0)
        )
    portfolio = [one for one in outcome.sections if one.ref.key == "meeting:portfolio"]
    told = re.search(r"Q\d 20\d\d: (−?€[\d,-]+)", said(portfolio[0].blocks[:1]))
    assert told is not None
    assert amount(told[1]) == round_money(in_quarter, Decimal(1))


@pytest.mark.slow
@pytest.mark.parametrize("day", [16, 27])
def test_the_tables_of_the_sample_agency_add_up(tmp_path: Path, day: int) -> None:
    start = datetime(2026, 11, day, 9, tzinfo=UTC)
    stage = set_stage(Staging("en", tmp_path, start=start))
    try:
        drawn = plan_cycle(stage.context, CycleRequest(Mode.FULL))
    finally:
        stage.close()
    sections = {one.ref.key: one.blocks for one in drawn.outcome.sections}
    assert len(drawn.world.clients) > 5
    assert "meeting:monday:firm:2026-11-16" in sections or day > 16
    check(sections, drawn.world)


def test_a_client_in_no_unit_has_its_line_in_the_firms_cut() -> None:
    # A week of 9-15 November: fees of 22,000 and 2,100: 5,238 (of 5,238.10) in North, 500 outside, 5,738 together.
    outside = client("c2", unit=None, engagement="retainer", monthly_fee=Decimal(2_100))
    cut = pages(agency(MONDAY, outside))["meeting:monday:firm:2026-11-16"].blocks
    rows = [line[:4] for line in table(cut, "By unit").rows]
    assert rows == [
        ("North", "€5,238", "€5,238", "€0"),
        ("Outside of units", "€500", "€500", "€0"),
        ("**Whole firm**", "€5,738", "€5,738", "€0"),
    ]


def test_a_pin_of_the_firm_that_no_unit_has_is_shown_as_its_own() -> None:
    pin = row(
        "plans", "plan:firm:2026-11-W46", title="W", pinned=True, target=Decimal(9_000)
    )
    seen = agency(MONDAY, rows={"plans": (pin,)})
    rows = table(pages(seen)["meeting:monday:firm:2026-11-16"].blocks, "By unit").rows
    assert [line[1] for line in rows] == ["€5,238", "€3,762", "€9,000"]
    assert [line[3] for line in rows] == ["€0", "−€3,762", "−€3,762"]


def test_a_client_has_one_share_wherever_it_is_told() -> None:
    # August to October: C1 3 x 22,000 of 3 x 22,000 + 3 x 11,000; newbiz of this quarter alone has no part in it.
    half = client("c2", name="Half", engagement="retainer", monthly_fee=Decimal(11_000))
    late = client(
        "c3",
        name="Late",
        engagement="retainer",
        monthly_fee=Decimal(50_000),
        since=date(2026, 11, 2),
    )
    found = pages(agency(MONDAY, half, late))
    portfolio = found["meeting:portfolio"].blocks
    rows = table(portfolio, "Clients").rows
    assert sorted(line[3] for line in rows) == ["0%", "100%", "33.3%", "66.7%"]
    assert "The largest client, C1, brings 66.7% (alarm at 25%). 🔴" in said(portfolio)
    told = ("Share of the firm's revenue, August – October 2026", "66.7%")
    assert told in table(found["c1"].blocks, "Money").rows


def test_the_clients_of_several_account_managers_or_of_none_have_their_lines() -> None:
    both = unit("u2", name="South", am=(ref("people", "am"), ref("people", "am2")))
    fee = {"engagement": "retainer", "monthly_fee": Decimal(21_000)}
    more = (
        both,
        person("am2"),
        client("c2", unit=both.ref, since=date(2026, 11, 2), **fee),
        client("c3", unit=None, since=date(2026, 11, 2), **fee),
    )
    portfolio = pages(agency(MONDAY, *more))["meeting:portfolio"].blocks
    rows = table(portfolio, "Account managers").rows
    # Ten days of November: 22,000 + 10,476 (10,476.20) of C1, 10,000 of each of the others.
    assert [(line[0], line[1], line[5]) for line in rows] == [
        ("Am", "1", "€32,476"),
        ("Am2", "0", "€0"),
        ("Several account managers", "1", "€10,000"),
        ("Without an account manager", "1", "€10,000"),
        ("**Whole firm**", "3", "€52,476"),
    ]


def test_more_causes_than_are_named_are_summed() -> None:
    # Nine clients with a budget each that is finished last week, 1,000 to 9,000; six are named, 1,000 + 2,000 + 3,000 not.
    things: list[object] = []
    work = {}
    for number in range(1, 10):
        own = client(f"n{number}", name=f"N{number}", engagement="fixed_price")
        done = card(
            f"d{number}", Stage.DONE, client=own.ref, budget=Decimal(1000 * number)
        )
        things += [own, done]
        work[f"d{number}"] = [issue(number, done=date(2026, 11, 10))]
    cut = pages(agency(MONDAY, *things, work=work))["meeting:monday:firm:2026-11-16"]
    text = said(cut.blocks)
    assert "▲ N9: +€9,000" in text
    assert "3 more clients: +€6,000" in text
    check_cut(cut.blocks)


@given(st.lists(st.integers(-(10**9), 10**9), max_size=30))
def test_footed_amounts_come_to_their_rounded_sum_and_none_is_off_by_a_unit(
    cents: list[int],
) -> None:
    amounts = [Decimal(one) / 100 for one in cents]
    parts = foot(amounts, Decimal(1))
    assert sum(parts, Decimal(0)) == round_money(sum(amounts, Decimal(0)), Decimal(1))
    for exact, part in zip(amounts, parts, strict=True):
        assert abs(part - exact) < 1
        assert part == part.to_integral_value()


@pytest.mark.parametrize(
    ("amounts", "parts"),
    [
        (["0.5", "0.5"], ["1", "0"]),
        (["33.3", "33.3", "33.4"], ["33", "33", "34"]),
        (["-0.6", "-0.6", "1.2"], ["0", "-1", "1"]),
        ([], []),
    ],
)
def test_the_largest_remainder_is_rounded_up(
    amounts: list[str], parts: list[str]
) -> None:
    found = foot([Decimal(one) for one in amounts], Decimal(1))
    assert found == [Decimal(one) for one in parts]


def test_a_total_that_rounding_alone_does_not_meet_is_met() -> None:
    assert foot([Decimal("0.5")], Decimal(1), total=Decimal(3)) == [3]
    assert foot([Decimal("1.5"), CENT], Decimal(1), total=Decimal(-1)) == [0, -1]
