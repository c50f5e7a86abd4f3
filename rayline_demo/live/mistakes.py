"""What people get wrong now and then, so that problems show; the same person mends it some minutes later."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from rayline_demo.agency.names import Pair
from rayline_demo.live.office import Done, Office, shorten
from worker.domain.messages import Text, tell
from worker.mapping.schema import KEY_PROPERTY

WRONG_DAYS: tuple[Pair, ...] = (
    ("from Monday on", "с понедельника"),
    ("31 February", "31 февраля"),
    ("2026-13-40", "2026-13-40"),
)
NOWHERE = 99_999
"""No project has so many issues."""


def mistype_link(office: Office, random: Random) -> Done | None:
    """A card is linked to an issue that does not exist."""
    cards = [
        card
        for card in office.rows("projects")
        if card.values["jira"] in office.developers.teams
    ]
    if not cards:
        return None
    card = random.choice(cards)
    right = card.values["jira"]
    wrong = f"{right}-{NOWHERE}"
    who = office.in_charge(card)
    names = {"who": who.name, "row": shorten(card.values["name"])}
    office.type(who, "projects", card.page_id, {"jira": wrong})

    def undo() -> Text:
        office.type(who, "projects", card.page_id, {"jira": right})
        return tell("{who} corrects the link of “{row}”", **names)

    return Done(tell("{who} links “{row}” to {link}", link=wrong, **names), undo)


def mistype_days(office: Office, random: Random) -> Done | None:
    """Somebody's days off are no dates."""
    people = [one for one in office.rows("people") if not one.values["time_off"]]
    if not people:
        return None
    person = random.choice(people)
    staff = {one.name: one for one in office.agency.staff}
    who = staff.get(person.values["name"]) or office.account_manager()
    text = office.say(random.choice(WRONG_DAYS))
    office.type(who, "people", person.page_id, {"time_off": text})

    def undo() -> Text:
        office.type(who, "people", person.page_id, {"time_off": None})
        return tell("{who} clears the days off", who=who.name)

    return Done(
        tell("{who} writes “{text}” as days off", who=who.name, text=text), undo
    )


def trash_task(office: Office, random: Random) -> Done | None:
    """A task of the worker's goes to the trash by mistake."""
    tasks = [task for task in office.rows("tasks") if task.values[KEY_PROPERTY]]
    if not tasks:
        return None
    task = random.choice(tasks)
    who = office.in_charge(task)
    names = {"who": who.name, "row": shorten(task.values["name"])}
    key = task.values[KEY_PROPERTY]
    office.control(who, "trash", id=task.page_id)
    aside = office.deeds.throw_away("tasks", task.page_id, key)

    def undo() -> Text:
        office.control(who, "restore", id=task.page_id)
        office.deeds.bring_back("tasks", key, aside)
        return tell("{who} brings “{row}” back from the trash", **names)

    return Done(tell("{who} throws “{row}” away", **names), undo)


def copy_risk(office: Office, random: Random) -> Done | None:
    """Somebody copies a row, and its key with it."""
    risks = [risk for risk in office.rows("risks") if risk.values[KEY_PROPERTY]]
    if not risks:
        return None
    risk = random.choice(risks)
    who = office.in_charge(risk)
    names = {"who": who.name, "row": shorten(risk.values["name"])}
    copy = office.control(who, "duplicate", page_id=risk.page_id)
    office.deeds.copies.append(copy["id"])

    def undo() -> Text:
        office.control(who, "trash", id=copy["id"])
        office.deeds.copies.remove(copy["id"])
        return tell("{who} throws the copy of “{row}” away", **names)

    return Done(tell("{who} duplicates the risk “{row}”", **names), undo)


Slip = Callable[[Office, Random], Done | None]

SLIPS: tuple[Slip, ...] = (mistype_link, mistype_days, copy_risk, trash_task)
"""What goes wrong, in the order in which it does."""
