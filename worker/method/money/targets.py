"""What each unit and the firm are to bring in a quarter, its months and week parts (docs/method.md 2.2).

What nobody pinned comes from the policy: what contracts and dated budgets promise, summed upwards, or a growth over the
last quarter, by working days. It is a baseline: frozen on the first working day of the quarter (or by the first run
after it), and what the policy comes to since is only told. Then people's pins are kept, and so are the targets of weeks
that are over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from worker.domain.entities import FIRM, OUTSIDE, Client, holder_of
from worker.domain.money import round_money, split
from worker.domain.periods import Period, month_of
from worker.domain.values import Ref
from worker.method.formulas.cascade import (
    Cascade,
    Conflict,
    Given,
    cascade,
    parts_of,
    phase,
    tree_of,
    weeks_of,
)
from worker.method.formulas.hysteresis import Tracks, follow
from worker.method.formulas.phasing import passed_share
from worker.method.measures import CardMeasure
from worker.method.money.contracts import Cards, promised, promised_cards
from worker.world.rows import PlanRow, plan_key
from worker.world.world import World

ZERO = Decimal(0)
A_DAY = timedelta(days=1)

Amounts = Mapping[str, Decimal]
"""Money by period code."""


class Expected(msgspec.Struct, frozen=True, gc=False):
    """What the policy expects of every week part of a quarter, and what of it as far as yesterday."""

    whole: Amounts
    behind: Amounts

    def total(self) -> Decimal:
        """Return what the quarter comes to."""
        amount = ZERO
        for part in self.whole.values():
            amount += part
        return amount


class Targets(msgspec.Struct, frozen=True, gc=False):
    """The targets of a unit or of the firm, and what of every week part is `planned` as far as yesterday.

    `shared` are the periods of the firm's pins that were shared out to the unit; `now` is what the policy comes to,
    where that is no longer the baseline.
    """

    plan: Cascade
    planned: Amounts
    shared: frozenset[str] = frozenset()
    now: Decimal | None = None


class Setting(msgspec.Struct, frozen=True, gc=False):
    """What the targets of one quarter are made from; `tracks` remember what was expected and stated.

    `before` is what the last quarter brought, by unit and `OUTSIDE`, where that is known.
    """

    world: World
    quarter: Period
    pins: Mapping[Ref, Amounts]
    before: Mapping[Ref, Decimal]
    cards: Mapping[Ref, CardMeasure]
    rows: Mapping[str, PlanRow]
    tracks: Tracks

    def pins_of(self, unit: Ref) -> Amounts:
        """Return what people pinned of a unit, by period code."""
        return self.pins.get(unit, {})

    def weeks(self) -> tuple[Period, ...]:
        """Return the week parts of the quarter."""
        return weeks_of(self.quarter)

    def cascade(self, total: Decimal | None, given: Given) -> Cascade:
        """Return the cascade of the quarter."""
        calendar = self.world.calendar
        return cascade(total, self.quarter, calendar, given=given)

    def is_over(self, period: Period) -> bool:
        """Tell whether a period has ended."""
        return period.end < self.world.today


def set_targets(setting: Setting) -> dict[Ref, Targets]:
    """Return the targets of every unit, of the clients outside, and of the firm, the firm's last."""
    now = _expect(setting)
    frozen: dict[Ref, Expected | None] = {}
    targets: dict[Ref, Targets] = {}
    for unit, expected in now.items():
        baseline = _freeze(unit, expected, setting)
        frozen[unit] = baseline
        pins = setting.pins_of(unit)
        targets[unit] = _set(unit, baseline, pins, setting=setting)

    for unit, shared in _share_firm(targets, setting).items():
        pins = {**shared, **setting.pins_of(unit)}
        own = _set(unit, frozen[unit], pins, setting=setting)
        targets[unit] = replace(own, shared=frozenset(shared))

    now[FIRM] = _sum_expected(now)
    frozen[FIRM] = _sum_expected(frozen)
    targets[FIRM] = _sum_up(targets, setting)
    for unit, own in targets.items():
        total = _total(now[unit])
        if total != _total(frozen[unit]):
            targets[unit] = replace(own, now=total)
    return targets


def _total(expected: Expected | None) -> Decimal:
    if expected is None:
        return ZERO
    return expected.total()


def _sum_expected(by_unit: Mapping[Ref, Expected | None]) -> Expected | None:
    """Return what is expected of all together."""
    whole: dict[str, Decimal] = defaultdict(Decimal)
    behind: dict[str, Decimal] = defaultdict(Decimal)
    for expected in by_unit.values():
        if expected is None:
            continue
        for code, amount in expected.whole.items():
            whole[code] += amount
            behind[code] += expected.behind[code]
    if not whole:
        return None
    return Expected(whole, behind)


# -- what is expected ---------------------------------------------------------------------------------------------------


def _expect(setting: Setting) -> dict[Ref, Expected | None]:
    """Return what the policy comes to today, by unit and for the clients outside."""
    world = setting.world
    policy = world.targets.policy
    cards = promised_cards(world, setting.cards)
    members = _members(setting)
    expected: dict[Ref, Expected | None] = {}
    for unit in (*world.units, OUTSIDE):
        expected[unit] = None
        if policy == "contracts":
            expected[unit] = _expect_contracts(members[unit], cards, setting)
        if policy == "growth":
            expected[unit] = _expect_growth(unit, setting)
    return expected


def _members(setting: Setting) -> Mapping[Ref, list[Client]]:
    """Return the clients by unit."""
    units = setting.world.units
    members: dict[Ref, list[Client]] = defaultdict(list)
    for client in setting.world.clients.values():
        members[holder_of(client.unit, units)].append(client)
    return members


def _expect_contracts(
    clients: Iterable[Client], cards: Cards, setting: Setting
) -> Expected | None:
    """Return what contracts and dated budgets promise; None of clients without any."""
    promising = []
    for client in clients:
        has_cards = client.ref in cards
        if has_cards or client.monthly_fee is not None:
            promising.append(client)
    if not promising:
        return None

    world = setting.world
    yesterday = world.today - A_DAY
    whole: dict[str, Decimal] = {}
    to_date: dict[str, Decimal] = {}
    for week in setting.weeks():
        amount = _sum_promises(promising, cards, week, world=world)
        whole[week.code] = amount
        if yesterday in week:
            amount = _sum_promises(promising, cards, week, world=world, until=yesterday)
        to_date[week.code] = amount if week.start <= yesterday else ZERO
    return Expected(whole, to_date)


def _sum_promises(
    clients: Sequence[Client],
    cards: Cards,
    week: Period,
    *,
    world: World,
    until: date | None = None,
) -> Decimal:
    amount = ZERO
    for client in clients:
        own = cards.get(client.ref, ())
        amount += promised(client, own, week, world=world, until=until)
    return amount


def _expect_growth(unit: Ref, setting: Setting) -> Expected | None:
    """Return a growth over what the quarter before brought, by working days; None where that is not known."""
    amount = setting.before.get(unit)
    if amount is None:
        return None

    world = setting.world
    grown = amount * (1 + world.targets.growth)
    target = round_money(max(ZERO, grown), world.minor_unit)
    whole = phase(
        target, setting.quarter, calendar=world.calendar, minor=world.minor_unit
    )
    return Expected(whole, _behind(whole, setting))


def _behind(
    whole: Amounts, setting: Setting, *, expected: Expected | None = None
) -> dict[str, Decimal]:
    """Return what of every week part's amount lies behind us: as expected where that is the amount, else by its days."""
    world = setting.world
    behind = {}
    for week in setting.weeks():
        code = week.code
        amount = whole.get(code, ZERO)
        if expected is not None and expected.whole.get(code) == amount:
            behind[code] = expected.behind[code]
            continue
        passed = passed_share(week, world.today, world.calendar)
        behind[code] = round_money(amount * passed, world.minor_unit)
    return behind


# -- the baseline -------------------------------------------------------------------------------------------------------


def _freeze(unit: Ref, expected: Expected | None, setting: Setting) -> Expected | None:
    """Return the baseline: what was expected when the quarter began or was first looked at, else what is today."""
    world = setting.world
    if world.targets.policy == "none":
        return None
    whole = _remembered(unit, setting)
    if not whole:
        whole = _restored(unit, setting)
    if not whole:
        if expected is None:
            return None
        whole = dict(expected.whole)

    first = world.calendar.add(setting.quarter.start, 0)
    if first <= world.today:
        _remember(unit, whole, setting)
    behind = _behind(whole, setting, expected=expected)
    return Expected(whole, behind)


def _name(unit: Ref, week: Period, setting: Setting) -> str:
    """Return the name under which memory holds what was expected of a week part."""
    key = plan_key(unit, week)
    policy = setting.world.targets.policy
    return f"plans/{key}#expected.{policy}"


def _remembered(unit: Ref, setting: Setting) -> dict[str, Decimal]:
    amounts = {}
    for week in setting.weeks():
        name = _name(unit, week, setting)
        track = setting.tracks.get(name)
        if track is not None:
            amounts[week.code] = Decimal(track.value)
    return amounts


def _remember(unit: Ref, amounts: Amounts, setting: Setting) -> None:
    tracks = setting.tracks
    today = setting.world.today
    for week in setting.weeks():
        name = _name(unit, week, setting)
        amount = amounts.get(week.code, ZERO)
        tracks[name] = follow(tracks.get(name), str(amount), today)


def _restored(unit: Ref, setting: Setting) -> dict[str, Decimal]:
    """Return the baseline as the rows keep it after the state was lost; nothing where pins have changed it."""
    if not setting.world.memory.first_run:
        return {}
    if setting.pins_of(unit):
        return {}
    amounts = {}
    for week in setting.weeks():
        target = _stated(unit, week, setting)
        if target is None:
            return {}
        amounts[week.code] = target
    return amounts


def _stated(unit: Ref, week: Period, setting: Setting) -> Decimal | None:
    """Return the target a week part had when it was stated last: as remembered, or as its row keeps it."""
    world = setting.world
    key = plan_key(unit, week)
    track = setting.tracks.get(f"plans/{key}#target")
    if track is not None:
        return Decimal(track.value)

    if not world.memory.first_run:
        return None
    row = setting.rows.get(key)
    if row is None or row.pinned:
        return None
    if row.target is None or row.target < 0:
        return None
    return round_money(row.target, world.minor_unit)


# -- what is set --------------------------------------------------------------------------------------------------------


def _set(
    unit: Ref, expected: Expected | None, pins: Amounts, *, setting: Setting
) -> Targets:
    """Return the targets of a unit: the baseline with the pins and the past kept."""
    total = None
    usual: Amounts = {}
    if expected is not None:
        total = expected.total()
        usual = expected.whole
    given = Given(setting.world.minor_unit, pins, usual=usual)
    past = _past(unit, total, given, setting=setting)
    plan = setting.cascade(total, replace(given, past=past))

    known = {}
    for week in setting.weeks():
        target = plan.targets[week.code]
        known[week.code] = target or ZERO
    planned = _behind(known, setting, expected=expected)
    return Targets(plan, planned)


def _past(
    unit: Ref, total: Decimal | None, given: Given, *, setting: Setting
) -> dict[str, Decimal]:
    """Return the targets that the weeks which are over had.

    What was never stated is what they would have had by the pins of the quarter, of their month and of what is over,
    without those of later periods. A month that is over and pinned to something else since is phased anew: a person
    decided so.
    """
    past: dict[str, Decimal] = {}
    for month in parts_of(setting.quarter):
        had: dict[str, Decimal] = {}
        for week in parts_of(month):
            if not setting.is_over(week):
                continue
            if week.code in given.pins:
                continue
            target = _stated(unit, week, setting)
            if target is None and given.pins:
                before = _without_later_pins(given, month, setting)
                target = setting.cascade(total, before).targets[week.code]
            if target is not None:
                had[week.code] = target

        pin = given.pins.get(month.code)
        is_changed = pin is not None and pin != sum(had.values(), ZERO)
        if is_changed and setting.is_over(month):
            continue
        past |= had
    return past


def _without_later_pins(given: Given, month: Period, setting: Setting) -> Given:
    """Keep the pins of the quarter, of a month and of what is over."""
    pins = {}
    for period in tree_of(setting.quarter):
        pin = given.pins.get(period.code)
        is_kept = period in (setting.quarter, month) or setting.is_over(period)
        if pin is not None and is_kept:
            pins[period.code] = pin
    return replace(given, pins=pins)


# -- the firm -----------------------------------------------------------------------------------------------------------


def _share_firm(
    targets: Mapping[Ref, Targets], setting: Setting
) -> dict[Ref, dict[str, Decimal]]:
    """Return the parts of the firm's pins that units take by their target shares, by unit and period code.

    Units that are pinned there or have no share keep what they have.
    """
    shares = _target_shares(setting)
    shared: dict[Ref, dict[str, Decimal]] = defaultdict(dict)
    for code, pin in setting.pins_of(FIRM).items():
        takers = {}
        rest = pin
        for unit, own in targets.items():
            is_pinned = code in setting.pins_of(unit)
            if unit in shares and not is_pinned:
                takers[unit] = shares[unit]
            else:
                rest -= own.plan.targets[code] or ZERO
        if not takers:
            continue
        if rest < 0:
            continue

        weights = list(takers.values())
        parts = split(rest, weights, setting.world.minor_unit)
        for unit, part in zip(takers, parts, strict=True):
            shared[unit][code] = part
    return shared


def _target_shares(setting: Setting) -> dict[Ref, Decimal]:
    """Return the units' shares of the firm; where each has one, what they leave is for the clients outside."""
    units = setting.world.units
    shares = {}
    for unit in units.values():
        if unit.target_share is not None and unit.target_share > 0:
            shares[unit.ref] = unit.target_share

    left = 1 - sum(shares.values(), ZERO)
    if len(shares) == len(units) and left > 0:
        shares[OUTSIDE] = left
    return shares


def _sum_up(targets: Mapping[Ref, Targets], setting: Setting) -> Targets:
    """Sum the plans of units and of the clients outside, node by node.

    So the firm's month is what its units' months are, pins included; where a unit's pins exclude each other, what its
    weeks come to. A pin of the firm that its units do not come to is a conflict: the firm is then cascaded by itself.
    """
    sums = _sum_targets(targets, setting.quarter)
    planned: dict[str, Decimal] = defaultdict(Decimal)
    for own in targets.values():
        for code, amount in own.planned.items():
            planned[code] += amount

    pins = setting.pins_of(FIRM)
    is_summed = True
    apart = []
    for period in tree_of(setting.quarter):
        pin = pins.get(period.code)
        below = sums[period.code]
        if pin is None:
            continue
        if pin == below:
            continue
        is_summed = False
        if below is not None:
            conflict = Conflict(period, pin, below, is_firm=True)
            apart.append(conflict)
    if is_summed:
        return Targets(Cascade(sums), planned)

    expected = _as_expected(sums, planned, setting)
    own = _set(FIRM, expected, pins, setting=setting)
    conflicts = (*own.plan.conflicts, *apart)
    plan = replace(own.plan, conflicts=conflicts)
    return replace(own, plan=plan)


def _as_expected(
    sums: Mapping[str, Decimal | None], planned: Amounts, setting: Setting
) -> Expected | None:
    """Return the units' sums as what is expected of the firm; None where nothing is."""
    if sums[setting.quarter.code] is None:
        return None
    whole = {}
    for week in setting.weeks():
        target = sums[week.code]
        whole[week.code] = target or ZERO
    return Expected(whole, planned)


def _sum_targets(
    targets: Mapping[Ref, Targets], quarter: Period
) -> dict[str, Decimal | None]:
    """Return the sums of the week parts' targets that are known, by period code."""
    sums: dict[str, Decimal | None] = {}
    for period in tree_of(quarter):
        sums[period.code] = None
    for week in weeks_of(quarter):
        above = (week, month_of(week.start), quarter)
        for own in targets.values():
            target = own.plan.targets[week.code]
            if target is None:
                continue
            for period in above:
                known = sums[period.code] or ZERO
                sums[period.code] = known + target
    return sums
