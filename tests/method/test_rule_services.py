"""White spots, revolutions, loyalty and the right to hunt (docs/method.md 5.2, 5.3, 5.4)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.effort import count_calls
from tests.support.outcomes import facts_of
from tests.support.worlds import SOURCES, TODAY, card, client, person, unit, world
from worker.domain.entities import Card, Service, Stage
from worker.domain.values import Ref, Unset, Value
from worker.method.clients.rays import measure_rays
from worker.method.growth.evolution import plan_revolutions
from worker.method.growth.hunting import measure_loyalty, measure_portfolios
from worker.method.growth.services import find_white_spots
from worker.method.measures import PersonLoad
from worker.method.outlook import Loyalty, Revolution, ServiceMap, Spot
from worker.world.world import World

PRICES = {"portal": 900, "app": 1100, "shop": 600, "audit": None}
SERVICES = {
    Ref("services", key): Service(
        Ref("services", key),
        key.title(),
        "one_off" if key == "shop" else "endless",
        None if value is None else Decimal(value),
    )
    for key, value in PRICES.items()
}


def service(key: str) -> Ref:
    """Return a service's ref."""
    return Ref("services", key)


def buys(key: str, *services: str, **fields: Any) -> Any:
    """Return a client whose row names services."""
    return client(key, services=tuple(map(service, services)), **fields)


def mapped(*things: object) -> ServiceMap:
    """Return the map of a world."""
    found = find_white_spots(world(*things, services=SERVICES)).value
    assert found is not None
    return found


def spots(found: ServiceMap, key: str) -> list[tuple[str, int]]:
    """Return a client's white spots as (service, similar clients)."""
    return [
        (spot.service.key, spot.similar)
        for spot in found.white_spots[Ref("clients", key)]
    ]


@pytest.mark.parametrize(
    ("stage", "spot"),
    [
        (Stage.IDEA, Spot.IDEA),
        (Stage.SHAPING, Spot.IDEA),
        (Stage.PROPOSAL, Spot.IDEA),
        (Stage.AGREED, Spot.DOING),
        (Stage.IN_PROGRESS, Spot.DOING),
        (Stage.EVOLUTION, Spot.DOING),
        (Stage.DONE, Spot.DONE),
        (Stage.LOST, Spot.NOT_APPLICABLE),
    ],
)
def test_a_card_says_what_stands_at_client_and_service(
    stage: Stage, spot: Spot
) -> None:
    row = mapped(client(), card(stage=stage, service=service("shop"))).matrix[
        Ref("clients", "c1")
    ]
    assert row == dict.fromkeys(SERVICES, Spot.BLANK) | {service("shop"): spot}


def test_the_strongest_of_several_cards_stands_and_the_row_fills_the_rest() -> None:
    shop = service("shop")
    stages = (Stage.LOST, Stage.DONE, Stage.IDEA)
    cards = [
        card(f"p{number}", stage, service=shop) for number, stage in enumerate(stages)
    ]
    found = mapped(
        buys("c1", "app", unfit=(service("audit"), shop)),
        *cards,
        card("p9", service=None),
    )
    assert found.matrix[Ref("clients", "c1")] == {
        service("portal"): Spot.BLANK,
        service("app"): Spot.DOING,
        shop: Spot.DONE,
        service("audit"): Spot.NOT_APPLICABLE,
    }


def test_white_spots_are_what_clients_with_a_common_service_buy() -> None:
    # c1 has the portal. c2 and c3 share it: both buy the app, c2 the shop too. c4 shares nothing.
    found = mapped(
        buys("c1", "portal"),
        buys("c2", "portal", "app", "shop"),
        buys("c3", "portal", "app"),
        buys("c4", "audit"),
    )
    assert spots(found, "c1") == [("app", 2), ("shop", 1)]
    assert spots(found, "c2") == []
    assert spots(found, "c3") == [("shop", 1)]
    assert spots(found, "c4") == []


def test_equals_rank_by_monthly_value_then_name() -> None:
    found = mapped(buys("c1", "portal"), buys("c2", "portal", "app", "shop", "audit"))
    assert spots(found, "c1") == [("app", 1), ("shop", 1), ("audit", 1)]


def test_a_client_without_services_is_like_all_of_its_group() -> None:
    found = mapped(
        buys("c1"),
        buys("c2", "app"),
        buys("c3", "app", "shop"),
        buys("c4", "portal", group="newbiz"),
    )
    assert spots(found, "c1") == [("app", 2), ("shop", 1)]


def test_ideas_and_what_does_not_apply_are_no_white_spots() -> None:
    found = mapped(
        buys("c1", "portal", unfit=(service("shop"),)),
        card(stage=Stage.IDEA, service=service("app")),
        buys("c2", "portal", "app", "shop", "audit"),
    )
    assert spots(found, "c1") == [("audit", 1)]


def test_clients_and_services_show_their_white_spots() -> None:
    seen = world(
        buys("c1", "portal"),
        buys("c2", "portal", "app", "shop"),
        buys("c3", "portal", "app"),
        services=SERVICES,
    )
    outcome = find_white_spots(seen)
    assert facts_of(outcome, "clients", "c1") == {
        "white_spots": "App (2 similar clients); Shop (1 similar client)"
    }
    assert facts_of(outcome, "clients", "c2") == {"white_spots": None}
    assert facts_of(outcome, "services", "portal") == {
        "clients_served": 3,
        "white_spots": 0,
        "white_spots_at": None,
    }
    assert facts_of(outcome, "services", "shop") == {
        "clients_served": 1,
        "white_spots": 2,
        "white_spots_at": "C1, C3",
    }


@given(
    st.lists(
        st.lists(st.sampled_from(list(PRICES)), unique=True), min_size=1, max_size=8
    )
)
def test_counting_sets_at_once_agrees_with_looking_at_every_pair(
    bought: list[list[str]],
) -> None:
    found = mapped(
        *(buys(f"c{number}", *services) for number, services in enumerate(bought))
    )
    for number, own in enumerate(bought):
        others = [
            set(one)
            for place, one in enumerate(bought)
            if place != number and (not own or set(one) & set(own))
        ]
        wanted = {
            key: sum(key in one for one in others) for key in PRICES if key not in own
        }
        assert dict(spots(found, f"c{number}")) == {
            key: count for key, count in wanted.items() if count
        }


# Revolution


def revolutions(seen: World) -> tuple[Revolution, ...]:
    """Return the evolutions that count towards a revolution."""
    return plan_revolutions(seen).value


def evolving(key: str = "p1", **fields: Any) -> Card:
    """Return the evolution of a portal that began 18 months ago today."""
    usual = {
        "stage": Stage.EVOLUTION,
        "service": service("portal"),
        "start": date(2025, 5, 18),
    }
    return card(key, **{**usual, **fields})


KEY = "card:revolution:p1:1"


def test_eighteen_months_of_an_endless_service_plant_an_idea() -> None:
    outcome = plan_revolutions(world(client(), evolving(), services=SERVICES))
    assert facts_of(outcome, "projects", KEY) == {
        "name": "Redesign and refactoring of “Card p1”",
        "stage": "idea",
        "client": (Ref("clients", "c1"),),
        "service": (service("portal"),),
    }


@pytest.mark.parametrize(
    "made",
    [
        evolving(start=date(2025, 5, 19)),
        evolving(service=service("shop")),
        evolving(service=None),
        evolving(stage=Stage.DONE),
        evolving(start=None),
    ],
)
def test_nothing_is_planted_before_its_time_or_for_what_ends(made: Card) -> None:
    assert plan_revolutions(world(client(), made, services=SERVICES)).facts == ()


def test_the_same_revolution_is_asked_for_until_it_begins_and_then_counts_anew() -> (
    None
):
    page = Ref("projects", "p7")
    idea = card("p7", Stage.IDEA, jira=None, service=service("portal"))
    seeds = {Ref("projects", KEY): page}
    waiting = world(
        client(), evolving(start=date(2020, 1, 1)), idea, services=SERVICES, seeds=seeds
    )
    (found,) = revolutions(waiting)
    assert (found.number, found.page, found.since) == (1, page, date(2020, 1, 1))
    begun = replace(idea, stage=Stage.IN_PROGRESS, start=date(2025, 6, 1))
    (found,) = revolutions(replace(waiting, cards={**waiting.cards, page: begun}))
    assert (found.number, found.since, found.due) == (
        2,
        date(2025, 6, 1),
        date(2026, 12, 1),
    )
    assert found.seed == Ref("projects", "card:revolution:p1:2")


def test_a_revolution_that_outlives_its_origin_evolves_by_itself() -> None:
    begun = evolving("p7", start=date(2025, 1, 1))
    seen = world(
        client(),
        evolving(stage=Stage.DONE),
        begun,
        services=SERVICES,
        seeds={
            Ref("projects", KEY): begun.ref,
            Ref("projects", "card:backlog:b1"): Ref("projects", "p8"),
        },
    )
    assert [(one.card.key, one.number) for one in revolutions(seen)] == [("p7", 1)]


# Loyalty and hunting


def test_loyalty_is_the_share_of_new_projects_by_referral_or_return() -> None:
    # In the last 12 months: c1 by referral (loyal), c1 again (a return), c2 by hunt, c3 unknown: 2 of 3 known.
    cards = [
        card("a", start=date(2025, 12, 1)),
        card("b", Stage.DONE, start=date(2026, 5, 1)),
        card("c", client=Ref("clients", "c2"), start=TODAY),
        card("d", client=Ref("clients", "c3"), start=date(2026, 1, 1)),
        card(
            "old",
            client=Ref("clients", "c2"),
            start=date(2025, 11, 18),
            stage=Stage.LOST,
        ),
        card("idea", Stage.IDEA, start=TODAY),
        card("future", start=TODAY + timedelta(days=1)),
        card("year", client=Ref("clients", "c4"), start=date(2025, 11, 18)),
        card("nobody", client=None, start=TODAY),
    ]
    seen = world(
        client(source="referral"),
        client("c2", source="hunt"),
        client("c3"),
        client("c4", source="return"),
        *cards,
    )
    found = measure_loyalty(seen).value
    assert found is not None
    assert found == Loyalty(date(2025, 11, 18), new=4, loyal=2, unknown=1)
    assert found.share == Decimal("0.6667")
    assert Loyalty(TODAY, 1, 0, 1).share is None


def loaded(load: str | None) -> dict[Ref, PersonLoad]:
    """Return the load of the AM."""
    am = Ref("people", "am")
    return {
        am: PersonLoad(
            am,
            None,
            None,
            None,
            None,
            None,
            0,
            0,
            (),
            next_4=None if load is None else Decimal(load),
        )
    }


@pytest.mark.parametrize(
    ("accounts", "load", "size", "leave"),
    [
        (0, None, "0 / 2", "up to 2"),
        (1, "0.99", "1 / 2", "up to 1"),
        (1, "1", "1 / 2", "none: the load is at its limit"),
        (2, None, "2 / 2", "none: the portfolio is full"),
        (3, "2", "3 / 2", "none: the portfolio is full"),
    ],
)
def test_an_am_hunts_while_the_portfolio_has_room(
    accounts: int, load: str | None, size: str, leave: str
) -> None:
    seen = world(
        unit(),
        person("am"),
        *(client(f"c{number}") for number in range(accounts)),
        client("new", group="newbiz"),
    )
    outcome = measure_portfolios(seen, loaded(load))
    assert facts_of(outcome, "units", "u1") == {"portfolio": size, "may_hunt": leave}


def portfolio(seen: World) -> dict[str, Value | Unset]:
    """Return what unit u1 says where nobody's load is known."""
    return facts_of(measure_portfolios(seen, {}), "units", "u1")


def test_one_am_of_two_units_has_one_portfolio_and_two_ams_are_both_shown() -> None:
    two = world(unit(), unit("u2"), client("c1"), client("c2", unit=Ref("units", "u2")))
    assert portfolio(two)["portfolio"] == "2 / 2"
    both = world(
        unit(am=(Ref("people", "a"), Ref("people", "b"))),
        unit("u2", am=(Ref("people", "b"),)),
        client("c2", unit=Ref("units", "u2")),
    )
    assert portfolio(both)["portfolio"] == "0 / 2 · 1 / 2"
    nobody = world(unit(am=()))
    assert portfolio(nobody) == {"portfolio": None, "may_hunt": None}


def _judge_agency(size: int) -> int:
    """Return how many steps it takes to judge an agency of so many cards."""
    keys = list(PRICES)
    clients = [
        buys(f"c{n}", *(key for place, key in enumerate(keys) if n >> place & 1))
        for n in range(size * 3 // 10)
    ]
    cards = [
        card(
            f"p{n}",
            list(Stage)[n % 8],
            client=Ref("clients", f"c{n % (size * 3 // 10)}"),
            service=service(keys[n % 4]),
            start=date(2024, 1, 1),
            due=TODAY + timedelta(days=n % 90),
            jira=None,
        )
        for n in range(size)
    ]
    seen = world(*clients, *cards, services=SERVICES, sources=SOURCES)

    def judge() -> None:
        measure_rays(seen, {})
        plan_revolutions(seen)
        find_white_spots(seen)
        measure_portfolios(seen, {})
        measure_loyalty(seen)

    return count_calls(judge)


def test_judging_an_agency_takes_steps_in_proportion_to_its_size() -> None:
    assert _judge_agency(1000) < 5 * _judge_agency(250)
