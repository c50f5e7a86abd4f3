"""The values of cells in the Notion emulator: dates, places, verifications."""

from __future__ import annotations

from typing import Any

import pytest
from notion_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def written(rig: Rig, kind: str, value: Any) -> Any:
    """Return a value as it comes back from a column of that type."""
    _, source = rig.database({"X": {kind: {}}})
    page = rig.row(source, "row", X={kind: value})["id"]
    return rig.ok("GET", f"pages/{page}")["properties"]["X"][kind]


def refused(rig: Rig, kind: str, value: Any) -> tuple[int, str]:
    """Return the refusal of a value in a column of that type."""
    _, source = rig.database({"X": {kind: {}}})
    return rig.refused(
        "POST",
        "pages",
        {"parent": {"data_source_id": source}, "properties": {"X": {kind: value}}},
    )


DATES: list[tuple[dict[str, Any], tuple[str, str | None]]] = [
    (
        {"start": "2026-06-24T17:33:21.134864", "time_zone": "Europe/London"},
        ("2026-06-24T17:33:00.000+01:00", None),
    ),
    (
        {"start": "2026-01-01T10:00:00", "time_zone": "America/New_York"},
        ("2026-01-01T10:00:00.000-05:00", None),
    ),
    ({"start": "2026-01-01T10:00:59.999Z"}, ("2026-01-01T10:00:00.000+00:00", None)),
    (
        {"start": "2026-01-01T10:00", "end": "2026-01-01T13:00:30+02:00"},
        ("2026-01-01T10:00:00.000+00:00", "2026-01-01T13:00:00.000+02:00"),
    ),
    (
        {"start": "2026-01-01", "end": "2026-01-02", "time_zone": "Europe/London"},
        ("2026-01-01", "2026-01-02"),
    ),
]


@pytest.mark.parametrize(("given", "shown"), DATES, ids=lambda one: str(one)[:60])
def test_a_date_is_cut_to_the_minute_and_carries_its_offset_not_a_zone(
    rig: Rig, given: dict[str, Any], shown: tuple[str, str | None]
) -> None:
    assert written(rig, "date", given) == {
        "start": shown[0],
        "end": shown[1],
        "time_zone": None,
    }


BAD_DATES: list[Any] = [
    {"start": "2026-W01-1"},
    {"start": "20260101"},
    {"start": "2026-01-01T10"},
    {"start": "2026-02-30"},
    {"start": 5},
    {"start": "2026-01-01", "time_zone": "Nonsense"},
    {"start": "2026-01-01T10:00:00", "time_zone": "Europe"},
    {"start": "2026-01-01", "time_zone": ""},
    {"start": "2026-01-01", "time_zone": 3},
    {"end": "2026-01-01"},
]


@pytest.mark.parametrize("value", BAD_DATES, ids=str)
def test_a_date_in_another_notation_or_an_unknown_zone_is_refused(
    rig: Rig, value: Any
) -> None:
    assert refused(rig, "date", value) == (400, "validation_error")


def test_a_place_comes_back_with_all_of_its_parts(rig: Rig) -> None:
    assert written(rig, "place", {"lat": 55.75, "lon": 37, "name": "Moscow"}) == {
        "lat": 55.75,
        "lon": 37,
        "name": "Moscow",
        "address": None,
        "aws_place_id": None,
        "google_place_id": None,
    }
    assert written(rig, "place", None) is None


def test_a_verification_names_who_verified(rig: Rig) -> None:
    day = {"start": "2026-07-04", "end": None, "time_zone": None}
    assert written(
        rig, "verification", {"state": "verified", "date": {"start": "2026-07-04"}}
    ) == {
        "state": "verified",
        "verified_by": {"object": "user", "id": rig.ok("GET", "users/me")["id"]},
        "date": day,
    }
    assert written(rig, "verification", {"state": "unverified"}) == {
        "state": "unverified",
        "verified_by": None,
        "date": None,
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("place", "moon"),
        ("place", {}),
        ("place", {"lat": 1}),
        ("place", {"lat": "1", "lon": 2}),
        ("place", {"lat": True, "lon": 2}),
        ("place", {"lat": 1, "lon": 2, "name": 3}),
        ("verification", "yes"),
        ("verification", {}),
        ("verification", {"state": "expired"}),
        ("verification", {"state": ["verified"]}),
        ("verification", {"state": "verified", "date": "today"}),
    ],
    ids=str,
)
def test_a_place_or_verification_of_another_form_is_refused(
    rig: Rig, kind: str, value: Any
) -> None:
    assert refused(rig, kind, value) == (400, "validation_error")


def test_the_property_endpoint_gives_a_text_with_more_mentions_than_a_page_shows(
    rig: Rig,
) -> None:
    _, source = rig.database({"Text": {"rich_text": {}}})
    mentions = [
        {
            "type": "mention",
            "mention": {"type": "user", "user": {"id": rig.sandbox.owner_id}},
        }
    ] * 30
    page = rig.row(source, "row", Text={"rich_text": mentions})
    assert len(page["properties"]["Text"]["rich_text"]) == 25
    full = rig.ok(
        "GET", f"pages/{page['id']}/properties/{page['properties']['Text']['id']}"
    )
    assert len(full["results"]) == 30
