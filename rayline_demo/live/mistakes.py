"""What people get wrong now and then, so that problems show; the same person mends it some minutes later."""

from __future__ import annotations

from random import Random

from rayline_demo.agency.names import Pair
from rayline_demo.live.office import Deed, Done, Office, named
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
    names = named(who, card)
    place = ("projects", card.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"jira": wrong},
        {"jira": right},
        back=tell("{who} corrects the link of “{row}”", **names),
    )
    told = tell("{who} links “{row}” to {link}", link=wrong, **names)
    return Done(told, undo)


def mistype_days(office: Office, random: Random) -> Done | None:
    """Somebody's days off are no dates."""
    people = [row for row in office.rows("people") if not row.values["time_off"]]
    if not people:
        return None
    person = random.choice(people)
    staff = {one.name: one for one in office.agency.staff}
    name = person.values["name"]
    who = staff.get(name) or office.account_manager()
    days = random.choice(WRONG_DAYS)
    text = office.say(days)
    place = ("people", person.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"time_off": text},
        {"time_off": None},
        back=tell("{who} clears the days off", who=who.name),
    )
    return Done(
        tell("{who} writes “{text}” as days off", who=who.name, text=text), undo
    )


def trash_task(office: Office, random: Random) -> Done | None:
    """A task of the worker's goes to the trash by mistake."""
    tasks = office.keyed("tasks")
    if not tasks:
        return None
    task = random.choice(tasks)
    who = office.in_charge(task)
    names = named(who, task)
    page_id = task.page_id
    key = task.values[KEY_PROPERTY]
    office.control(who, "trash", id=page_id)
    aside = office.deeds.throw_away("tasks", page_id, key)

    def undo() -> Text:
        office.control(who, "restore", id=page_id)
        office.deeds.bring_back("tasks", key, aside)
        return tell("{who} brings “{row}” back from the trash", **names)

    told = tell("{who} throws “{row}” away", **names)
    return Done(told, undo)


def copy_risk(office: Office, random: Random) -> Done | None:
    """Somebody copies a row, and its key with it."""
    risks = office.keyed("risks")
    if not risks:
        return None
    risk = random.choice(risks)
    who = office.in_charge(risk)
    names = named(who, risk)
    copy = office.control(who, "duplicate", page_id=risk.page_id)
    copy_id = copy["id"]
    office.deeds.copies.append(copy_id)

    def undo() -> Text:
        office.control(who, "trash", id=copy_id)
        office.deeds.copies.remove(copy_id)
        return tell("{who} throws the copy of “{row}” away", **names)

    told = tell("{who} duplicates the risk “{row}”", **names)
    return Done(told, undo)


SLIPS: tuple[Deed, ...] = (mistype_link, mistype_days, copy_risk, trash_task)
"""What goes wrong, in the order in which it does."""
