"""Refusals as they stand in the state of a workspace."""

from __future__ import annotations

import pytest

from worker.plan.refusals import Refusal, Stray, pack, unpack

STORED = (
    (
        '{"value":"red","shape":"0f","title":"Site","said":"no such option"}',
        Refusal("red", "0f", "Site", "no such option"),
    ),
    (
        '{"value":["a"],"shape":"1e","title":"Site","said":"not in the data source",'
        '"strays":[{"ref":"people:a","title":"Ann"}]}',
        Refusal(
            ["a"], "1e", "Site", "not in the data source", (Stray("people:a", "Ann"),)
        ),
    ),
)


@pytest.mark.parametrize(("stored", "refusal"), STORED)
def test_a_refusal_stored_by_an_earlier_version_is_still_known(
    stored: str, refusal: Refusal
) -> None:
    assert unpack(stored) == refusal


@pytest.mark.parametrize("refusal", [refusal for _, refusal in STORED])
def test_a_refusal_comes_back_as_it_was_stored(refusal: Refusal) -> None:
    assert unpack(pack(refusal)) == refusal
