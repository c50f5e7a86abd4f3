"""How events of both sides are delivered: in the background, to this machine alone, bounded, and all told in a log."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from jira_rig import Site
from notion_rig import Rig

from rayline_sandbox.webhooks import (
    Event,
    Lane,
    Log,
    Manner,
    Policy,
    check_target,
    encode,
    read_manner,
)
from tests.support.receiver import listening
from tests.support.waiting import wait_for

TWICE = Policy((0.0,), lambda status: True)


def lane(url: str, name: str = "one", **more: Any) -> Lane:
    def dress(event: Event, attempt: int) -> tuple[dict[str, str], bytes]:
        return {}, encode({**event.body, "attempt": attempt})

    return Lane(name, url, dress=dress, policy=TWICE, log=Log(), **more)


def event(number: int, subject: str = "") -> Event:
    return Event(str(number), "it", {"number": number}, subject)


@pytest.fixture
def nobody() -> Iterator[str]:
    """Yield an address at which nobody answers: it accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/"


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:80/",
        "http://example.com/",
        "https://127.0.0.1/",
        "http://127.0.0.1.example.com/",
        "http://user@10.0.0.1/",
        "http://127.0.0.1@10.0.0.1/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/",
        "http://[::1/",
        "127.0.0.1:80",
        "",
        None,
        7,
        ["http://127.0.0.1/"],
    ],
)
def test_nobody_but_this_machine_is_sent_to(url: object) -> None:
    with pytest.raises(ValueError):
        check_target(url)
    for act in (Rig().sandbox.control, Site().jira.control):
        with pytest.raises(ValueError):
            act("subscribe", {"url": url})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8787/hooks", "http://localhost/", "http://[::1]:80/x"]
)
def test_this_machine_is_sent_to(url: str) -> None:
    assert check_target(url) == url


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": -1},
        {"window": "soon"},
        {"scale": True},
        {"scale": float("nan")},
        {"copies": 0},
        {"copies": 1.5},
        {"most": -3},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read_manner(wrong, Manner())


def test_a_receiver_that_does_not_answer_keeps_no_request_and_no_other_waiting(
    nobody: str,
) -> None:
    rig, site = Rig(), Site()
    site.jira.control("add_project", {"key": "WEB", "name": "Web"})
    with listening() as receiver:
        for url in (nobody, receiver.url):
            site.jira.control("subscribe", {"url": url})
            rig.sandbox.control("subscribe", {"url": url, "token": "t", "window": 0})
        for number in range(5):
            fields = {"summary": str(number)}
            site.jira.control("create", {"project": "WEB", "fields": fields})
            rig.page(str(number))
        assert len(receiver.wait(5, "webhookEvent")) == 5
        assert len(receiver.wait(5, "type")) >= 5
    assert site.jira.control("deliveries", {})["waiting"] >= 5
    rig.sandbox.close()
    site.jira.close()


def test_a_receiver_that_is_gone_costs_nothing_and_is_told_of_in_the_log() -> None:
    with listening() as receiver:
        url = receiver.url
    site = Site()
    site.jira.control("add_project", {"key": "WEB", "name": "Web"})
    site.jira.control("subscribe", {"url": url, "scale": 0})
    made = site.jira.control("create", {"project": "WEB", "fields": {"summary": "x"}})
    assert made["key"] == "WEB-1"
    wait_for(lambda: site.jira.control("deliveries", {})["waiting"] == 0, "the end")
    entries = site.jira.control("deliveries", {})["entries"]
    assert [(one["attempt"], one["status"]) for one in entries] == [
        (number, 0) for number in range(1, 7)
    ]
    assert site.jira.control("deliveries", {"since": 5})["entries"] == entries[5:]


def test_what_does_not_fit_is_dropped_and_counted(nobody: str) -> None:
    site = Site()
    site.jira.control("add_project", {"key": "WEB", "name": "Web"})
    site.jira.control("subscribe", {"url": nobody, "most": 3})
    for number in range(10):
        fields = {"summary": str(number)}
        site.jira.control("create", {"project": "WEB", "fields": fields})
    told = site.jira.control("deliveries", {})
    assert (told["waiting"], told["dropped"]) == (3, 7)
    site.jira.close()


def test_events_of_one_subject_are_one_while_they_wait() -> None:
    with listening() as receiver:
        gathered = lane(receiver.url, manner=Manner(window=0.3))
        for number in range(50):
            gathered.put(event(number, "page"))
        gathered.put(event(99, "another"))
        wait_for(lambda: gathered.waiting() == 0, "the end")
    bodies = [one.body["number"] for one in receiver.deliveries]
    assert 99 in bodies
    assert bodies[-2:] in ([49, 99], [99, 49])


def test_each_event_may_come_more_than_once_and_in_no_order() -> None:
    with listening() as receiver:
        restless = lane(receiver.url, manner=Manner(0.5, copies=2, shuffle=True))
        for number in range(30):
            restless.put(event(number, str(number)))
        wait_for(lambda: restless.waiting() == 0, "the end")
    came = [one.body["number"] for one in receiver.deliveries]
    assert sorted(came) == sorted([*range(30), *range(30)])
    assert came != sorted(came)


def test_an_event_that_was_not_taken_lets_others_pass_and_is_given_up_at_last() -> None:
    with listening(lambda number: 500 if number in (1, 3) else 200) as receiver:
        sent = lane(receiver.url)
        sent.put(event(1))
        wait_for(lambda: sent.waiting() == 0, "the first")
        sent.put(event(2))
        wait_for(lambda: sent.waiting() == 0, "the second")
    came = [(one.body["number"], one.body["attempt"]) for one in receiver.deliveries]
    assert came == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_a_lane_has_a_thread_only_while_something_waits() -> None:
    def is_at_work() -> bool:
        return any(one.name == "webhook-quiet" for one in threading.enumerate())

    with listening() as receiver:
        quiet = lane(receiver.url, "quiet")
        assert not is_at_work()
        for _ in range(2):
            quiet.put(event(1))
            wait_for(lambda: not is_at_work(), "the end of the thread")
    assert len(receiver.deliveries) == 2


def test_nothing_is_sent_after_the_end(nobody: str) -> None:
    ended = lane(nobody)
    ended.put(event(1))
    ended.close()
    ended.put(event(2))
    assert ended.waiting() <= 1


def test_nobody_is_listened_to_until_somebody_subscribes() -> None:
    before = set(threading.enumerate())
    rig, site = Rig(), Site()
    rig.page()
    assert (rig.sandbox.events.watch, rig.sandbox.store.on_touch) == (None, None)
    assert site.jira.webhooks.by_id == {}
    assert set(threading.enumerate()) <= before


def test_an_end_of_the_sandbox_ends_its_lanes(nobody: str) -> None:
    rig = Rig()
    rig.sandbox.control("subscribe", {"url": nobody, "token": "t"})
    rig.page()
    rig.sandbox.close()
    assert rig.sandbox.control("deliveries", {})["waiting"] == 0
