"""White spots: what clients buy, and what clients like them buy and they do not (docs/method.md 5.3).

The best are for the AM's agenda; they never become cards or tasks by themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from worker.domain.entities import Client, Service, Stage
from worker.domain.values import Ref, Value
from worker.method.figures import name_row, show_text
from worker.method.outlook import ServiceMap, Spot, WhiteSpot
from worker.method.run import Findings
from worker.plan.facts import Fact, Input, Why
from worker.world.world import World

RULE = "services"
BOUGHT = (Spot.DOING, Spot.DONE)
STANDING = {
    Stage.IDEA: Spot.IDEA,
    Stage.SHAPING: Spot.IDEA,
    Stage.PROPOSAL: Spot.IDEA,
    Stage.AGREED: Spot.DOING,
    Stage.IN_PROGRESS: Spot.DOING,
    Stage.EVOLUTION: Spot.DOING,
    Stage.DONE: Spot.DONE,
    Stage.LOST: Spot.NOT_APPLICABLE,
}
"""What a card says of its service at its client; an offer the client refused is not made again by itself."""
RANK = (Spot.DOING, Spot.DONE, Spot.IDEA, Spot.NOT_APPLICABLE)

Matrix = dict[Ref, dict[Ref, Spot]]


def find_white_spots(world: World) -> Findings[ServiceMap | None]:
    """Return the map of clients and services with each side's facts."""
    matrix = _matrix(world)
    kin = _kin(matrix, world)
    spots = {}
    for ref, row in matrix.items():
        spots[ref] = _spots(row, kin.of(ref), world)
    facts = [
        fact
        for client in world.clients.values()
        for fact in _client_facts(client, spots[client.ref], world)
    ]
    facts += _service_facts(matrix, spots, world)
    return Findings(ServiceMap(matrix, spots), tuple(facts))


def _matrix(world: World) -> Matrix:
    """Return what stands at every client and service: the strongest of its cards, then what its row says."""
    matrix: Matrix = {
        ref: dict.fromkeys(world.services, Spot.BLANK) for ref in world.clients
    }
    for card in world.cards.values():
        row = matrix.get(card.client) if card.client else None
        if (
            row is not None
            and card.service is not None
            and card.service in row
            and card.stage
        ):
            _mark(row, card.service, STANDING[card.stage])
    for ref, client in world.clients.items():
        for service in client.services:
            if service in world.services:
                _mark(matrix[ref], service, Spot.DOING)
        for service in client.unfit:
            if matrix[ref].get(service) is Spot.BLANK:
                matrix[ref][service] = Spot.NOT_APPLICABLE
    return matrix


def _mark(row: dict[Ref, Spot], service: Ref, spot: Spot) -> None:
    if row[service] is Spot.BLANK or RANK.index(spot) < RANK.index(row[service]):
        row[service] = spot


class _Kin(msgspec.Struct, frozen=True, gc=False):
    """Clients by the set of services they bought (as bits) and segment, so that alike clients are counted once."""

    sets: Mapping[Ref, int]
    segments: Mapping[Ref, str | None]
    crowd: Counter[tuple[int, str | None]]

    def of(self, client: Ref) -> Counter[int]:
        """Return how many clients similar to one there are by what they bought.

        Similar is who shares a service; a client that bought nothing yet is like all of its group.
        """
        own = self.sets[client]
        segment = self.segments[client]
        counts = Counter[int]()
        for (bought, group), number in self.crowd.items():
            if bought & own or (not own and group == segment):
                counts[bought] += number
        counts[own] -= 1 if counts[own] else 0
        return counts


def _kin(matrix: Matrix, world: World) -> _Kin:
    bits = {service: 1 << place for place, service in enumerate(world.services)}
    sets = {
        ref: sum(bits[service] for service, spot in row.items() if spot in BOUGHT)
        for ref, row in matrix.items()
    }
    segments = {ref: world.clients[ref].group for ref in matrix}
    return _Kin(
        sets, segments, Counter((bought, segments[ref]) for ref, bought in sets.items())
    )


def _spots(
    row: Mapping[Ref, Spot], similar: Counter[int], world: World
) -> tuple[WhiteSpot, ...]:
    """Return the blank services that similar clients buy: most of them first, then the dearer, then by name."""
    spots = []
    for place, (ref, service) in enumerate(world.services.items()):
        count = sum(number for bought, number in similar.items() if bought & 1 << place)
        if row[ref] is Spot.BLANK and count:
            spots.append(WhiteSpot(ref, count, service.monthly_value))
    return tuple(
        sorted(
            spots,
            key=lambda spot: (
                -spot.similar,
                -(spot.value or Decimal(0)),
                world.services[spot.service].name,
            ),
        )
    )


def _client_facts(
    client: Client, spots: tuple[WhiteSpot, ...], world: World
) -> Iterator[Fact]:
    words = world.words
    best = spots[: world.thresholds.white_spots]
    listed = [
        words.count(
            "{service} ({n} similar client)",
            "{service} ({n} similar clients)",
            spot.similar,
            service=world.services[spot.service].name,
        )
        for spot in best
    ]
    why = Why(
        RULE,
        (
            name_row(words.say("client"), client),
            *(
                show_text(world.services[spot.service].name, spot.similar)
                for spot in spots
            ),
        ),
        words.say(
            "services that clients sharing a service buy and this one does not, most bought first"
        ),
        words.count("the best {n}", "the best {n}", world.thresholds.white_spots),
    )
    yield Fact(client.ref, "white_spots", "; ".join(listed) or None, why)


def _service_facts(
    matrix: Matrix, spots: Mapping[Ref, tuple[WhiteSpot, ...]], world: World
) -> Iterator[Fact]:
    served: dict[Ref, list[Client]] = defaultdict(list)
    for client, row in matrix.items():
        for ref, spot in row.items():
            if spot is Spot.DOING:
                served[ref].append(world.clients[client])

    wanted: dict[Ref, list[tuple[int, str]]] = defaultdict(list)
    for client, blanks in spots.items():
        name = world.clients[client].name
        for blank in blanks:
            lacking = (-blank.similar, name)
            wanted[blank.service].append(lacking)
    for ref, service in world.services.items():
        yield from _service(service, served[ref], sorted(wanted[ref]), world=world)


def _service(
    service: Service,
    served: list[Client],
    wanted: list[tuple[int, str]],
    *,
    world: World,
) -> Iterator[Fact]:
    say = world.words.say
    row = show_text(say("service"), service.name)
    best = wanted[: world.thresholds.white_spots]
    names = ", ".join(name for _, name in best)
    lacking = ", ".join(sorted(name for _, name in wanted))
    values: dict[str, tuple[Value, Iterable[Input], str]] = {
        "clients_served": (
            Decimal(len(served)),
            (name_row(say("client"), client) for client in served),
            say("clients with running or agreed work of the service, or that name it"),
        ),
        "white_spots": (
            Decimal(len(wanted)),
            (Input(say("clients without it"), lacking or "-"),),
            say("clients without the service whose like buy it"),
        ),
        "white_spots_at": (
            names or None,
            (show_text(name, -similar) for similar, name in best),
            say("those with the most clients like them"),
        ),
    }
    for name, (value, own, formula) in values.items():
        yield Fact(service.ref, name, value, Why(RULE, (row, *own), formula))
