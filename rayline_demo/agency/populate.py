"""Putting the sample agency into the two sandboxes, as its people would have: rows typed in Notion, work done in Jira.

The databases themselves must exist already, made through the public API; rows are added by people, not by the worker's
connection, so that they are people's in every way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from rayline_demo.agency.model import Agency, Staff
from rayline_demo.agency.plans import type_plans
from rayline_sandbox.jira import JiraSandbox
from rayline_sandbox.notion import NotionSandbox
from rayline_sandbox.wire import Clock
from worker.codecs.notion import encode
from worker.domain.values import Ref, Value
from worker.mapping.schema import Bindings, Schema

EARLIER = {"shaping": "idea", "proposal": "shaping", "agreed": "proposal"}
LATELY = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is where: page ids in the order of the agency's tuples, by source."""

    pages: Mapping[str, tuple[str, ...]]
    users: tuple[str, ...]


@dataclass(slots=True)
class Scribe:
    """Types rows into the Notion sandbox as a person would."""

    notion: NotionSandbox
    schema: Schema
    bindings: Bindings
    user: str = ""

    def add(self, source: str, /, **values: Value) -> str:
        """Add a row with logical `values` and return its page id."""
        properties = self.raw(source, values)
        page = self.notion.control(
            "create",
            {
                "data_source_id": self.bindings[source].data_source_id,
                "properties": properties,
                "user": self.user,
            },
        )
        return str(page["id"])

    def edit(self, source: str, page_id: str, /, values: Mapping[str, Value]) -> None:
        """Change fields of a row."""
        self.notion.control(
            "edit",
            {
                "page_id": page_id,
                "properties": self.raw(source, values),
                "user": self.user,
            },
        )

    def raw(self, source: str, values: Mapping[str, Value]) -> dict[str, Any]:
        """Return raw property values by property id."""
        binding = self.bindings[source]
        properties = self.schema.sources[source].properties
        return {
            binding.properties[name]: encode(
                properties[name], value, binding, lambda ref: ref.key
            )
            for name, value in values.items()
            if value is not None and name in binding.properties
        }


def populate(
    agency: Agency,
    notion: NotionSandbox,
    jira: JiraSandbox,
    *,
    schema: Schema,
    bindings: Bindings,
) -> Cast:
    """Fill both sandboxes and return where everybody stands."""
    jira.control("load", agency.jira)
    scribe = Scribe(notion, schema, bindings)
    users = tuple(
        str(
            notion.control("add_user", {"name": person.name, "email": person.email})[
                "id"
            ]
        )
        for person in agency.staff
    )
    scribe.user = users[0]
    pages: dict[str, tuple[str, ...]] = {}
    units = pages["units"] = tuple(
        scribe.add("units", name=name, bonus_rate=Decimal("0.05"))
        for name in agency.units
    )
    people = pages["people"] = tuple(
        scribe.add("people", **_person(person, user, units))
        for person, user in zip(agency.staff, users, strict=True)
    )
    for index, unit in enumerate(units):
        scribe.edit(
            "units",
            unit,
            {
                field: _refs(
                    "people",
                    (
                        page
                        for page, person in zip(people, agency.staff, strict=True)
                        if person.unit == index and (role in ("", person.role))
                    ),
                )
                for field, role in (
                    ("am", "am"),
                    ("tls", "tl"),
                    ("pms", "pm"),
                    ("members", ""),
                )
            },
        )
    services = pages["services"] = tuple(
        scribe.add(
            "services",
            name=name,
            kind=kind,
            monthly_value=Decimal(value),
            lead_weeks=Decimal(lead),
        )
        for name, kind, value, lead in agency.services
    )
    clients = pages["clients"] = tuple(_add_clients(agency, scribe, units, services))
    pages["projects"] = tuple(
        scribe.add(
            "projects",
            name=card.name,
            client=_single_ref("clients", clients[card.client]),
            stage=EARLIER[card.stage] if card.moved else card.stage,
            service=_single_ref("services", services[card.service]),
            engagement=card.engagement,
            budget=card.budget,
            start=card.start,
            due=card.due,
            probability=card.probability,
            expected_start=card.expected_start,
            jira=card.jira or None,
        )
        for card in agency.cards
    )
    pages["contacts"] = tuple(
        scribe.add(
            "contacts",
            name=contact.name,
            organisation=contact.organisation,
            side=contact.side,
            role=contact.role,
            client=None
            if contact.client is None
            else _single_ref("clients", clients[contact.client]),
            birthday=contact.birthday,
            email=contact.email,
            last_contact=contact.last_contact,
            offers=contact.offers or None,
        )
        for contact in agency.contacts
    )
    pages["documents"] = tuple(
        scribe.add(
            "documents",
            name=paper.name,
            client=_single_ref("clients", clients[paper.client]),
            kind=paper.kind,
            signed=paper.signed,
            expires=paper.expires,
        )
        for paper in agency.documents
    )
    pages["revenue"] = tuple(
        scribe.add(
            "revenue",
            name=f"{agency.clients[fact.client].name} · {fact.month:%Y-%m}",
            month=fact.month,
            client=_single_ref("clients", clients[fact.client]),
            amount=fact.amount,
            kind=fact.kind,
        )
        for fact in agency.revenue
    )
    pages |= type_plans(agency, scribe, pages)
    return Cast(pages, users)


def pass_time(
    agency: Agency, cast: Cast, scribe: Scribe, clock: Clock, *, span: timedelta
) -> None:
    """Let time pass since the boards were filled; in the last days of it people move some cards to their stage."""
    clock.advance(span - LATELY)
    for page, card in zip(cast.pages["projects"], agency.cards, strict=True):
        if card.moved:
            scribe.edit("projects", page, {"stage": card.stage})
    clock.advance(LATELY)


def _person(person: Staff, user: str, units: tuple[str, ...]) -> dict[str, Value]:
    return {
        "name": person.name,
        "role": person.role,
        "notion_user": (user,),
        "jira_account": person.jira,
        "capacity": Decimal(person.capacity),
        "rate": Decimal(person.rate),
        "start": person.start,
        "unit": None
        if person.unit is None
        else _single_ref("units", units[person.unit]),
        "birthday": person.birthday,
        "time_off": person.time_off or None,
    }


def _add_clients(
    agency: Agency, scribe: Scribe, units: tuple[str, ...], services: tuple[str, ...]
) -> list[str]:
    return [
        scribe.add(
            "clients",
            name=client.name,
            group=client.group,
            engagement=client.engagement,
            unit=None
            if client.unit is None
            else _single_ref("units", units[client.unit]),
            contract_end=client.contract_end,
            monthly_fee=client.fee,
            since=client.since,
            source=client.source,
            rate_indexed=client.rate_indexed,
            services=_refs(
                "services",
                {
                    services[card.service]
                    for card in agency.cards
                    if card.client == index
                },
            ),
            last_partner_contact=client.last_partner_contact,
            last_contact=client.last_contact,
        )
        for index, client in enumerate(agency.clients)
    ]


def _single_ref(source: str, page_id: str) -> tuple[Ref, ...]:
    return (Ref(source, page_id),)


def _refs(source: str, page_ids: Any) -> tuple[Ref, ...]:
    return tuple(sorted(Ref(source, page_id) for page_id in page_ids))
