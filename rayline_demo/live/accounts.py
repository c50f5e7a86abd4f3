"""What account managers do in Notion in a minute: tasks, dates, risks, plans, calls, texts, comments, "Sync now"."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from rayline_demo.agency.model import Staff
from rayline_demo.agency.names import Pair
from rayline_demo.board import Card
from rayline_demo.live.office import Deed, Done, Office, day_in_words, named
from worker.domain.messages import Text, tell
from worker.mapping.schema import KEY_PROPERTY

MARKS = tuple(map(Decimal, range(1, 6)))
RESPONSES = ("avoid", "reduce", "transfer", "accept")
NEXT_STAGE = {"idea": "shaping", "shaping": "proposal", "proposal": "agreed"}
WAITING = ("new", "this_sprint")
OPEN = (*WAITING, "doing", "waiting", "open")
PERCENT = (85, 120)
"""A week is pinned to so much of its target, at least and at most."""
OUTCOMES: tuple[Pair, ...] = (
    ("Called: they want it before the holidays", "Звонок: хотят успеть до праздников"),
    ("Agreed by mail, the act follows", "Согласовано письмом, акт пришлют"),
    ("They think about it until Monday", "Думают до понедельника"),
    ("Met for coffee, a second order is likely", "Встретились, вероятен второй заказ"),
)
NOTES: tuple[Pair, ...] = (
    ("Asked for the access again.", "Ещё раз попросили доступы."),
    ("The client likes the second variant.", "Клиенту нравится второй вариант."),
    ("Their director returns next week.", "Их директор вернётся на той неделе."),
)


def finish_task(office: Office, random: Random) -> Done | None:
    """A task is done; what came of it stands in its note."""
    task = _pick(office, random, "tasks")
    if task is None:
        return None
    who = office.in_charge(task)
    names = named(who, task)
    outcome = random.choice(OUTCOMES)
    note = office.say(outcome)
    before = office.option("tasks", task, "status")
    place = ("tasks", task.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"status": "done", "note": note},
        {"status": before},
        back=tell("{who} takes up “{row}” again", **names),
    )
    key = task.values[KEY_PROPERTY]
    client = task.values["client"]
    if "contact_client" in key and client:
        _write_contact(office, who, client[0])
    told = tell("{who} has done “{row}”: {note}", note=note, **names)
    return Done(told, undo)


def take_task(office: Office, random: Random) -> Done | None:
    """Somebody begins a task."""
    task = _pick(office, random, "tasks", WAITING)
    if task is None:
        return None
    who = office.in_charge(task)
    names = named(who, task)
    before = office.option("tasks", task, "status")
    place = ("tasks", task.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"status": "doing"},
        {"status": before},
        back=tell("{who} puts “{row}” back", **names),
    )
    told = tell("{who} begins “{row}”", **names)
    return Done(told, undo)


def postpone_task(office: Office, random: Random) -> Done | None:
    """A task gets another day."""
    task = _pick(office, random, "tasks")
    if task is None or not task.values["due"]:
        return None
    return _move_date(office, random, "tasks", task)


def move_due(office: Office, random: Random) -> Done | None:
    """A project gets another day."""
    cards = [
        card
        for card in office.rows("projects")
        if card.values["due"]
        and office.option("projects", card, "stage") == "in_progress"
    ]
    if not cards:
        return None
    card = random.choice(cards)
    return _move_date(office, random, "projects", card)


def _move_date(office: Office, random: Random, source: str, row: Card) -> Done:
    due = row.values["due"]
    before = date.fromisoformat(due[:10])
    days = random.randint(2, 9)
    after = before + timedelta(days=days)
    who = office.in_charge(row)
    names = named(who, row)
    place = (source, row.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"due": after},
        {"due": before},
        back=tell(
            "{who} moves “{row}” back to {day}", day=day_in_words(before), **names
        ),
    )
    return Done(
        tell("{who} moves “{row}” to {day}", day=day_in_words(after), **names), undo
    )


def move_card(office: Office, random: Random) -> Done | None:
    """A card goes on to its next stage."""
    cards = [
        card
        for card in office.rows("projects")
        if office.option("projects", card, "stage") in NEXT_STAGE
    ]
    if not cards:
        return None
    card = random.choice(cards)
    before = office.option("projects", card, "stage")
    after = NEXT_STAGE[before]
    who = office.in_charge(card)
    names = named(who, card)
    place = ("projects", card.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"stage": after},
        {"stage": before},
        back=_moved(office, before, names),
    )
    told = _moved(office, after, names)
    return Done(told, undo)


def _moved(office: Office, stage: str, names: dict[str, str]) -> Text:
    label = office.label("projects", "stage", stage)
    return tell("{who} moves “{row}” to “{stage}”", stage=label, **names)


def answer_risk(office: Office, random: Random) -> Done | None:
    """Somebody says what is to be done about a risk."""
    risk = _pick(office, random, "risks")
    if risk is None:
        return None
    present = office.option("risks", risk, "response")
    others = [response for response in RESPONSES if response != present]
    answer = random.choice(others)
    who = office.in_charge(risk)
    office.type(who, "risks", risk.page_id, {"response": answer})
    label = office.label("risks", "response", answer)
    told = tell(
        "{who} answers the risk “{row}”: {answer}", answer=label, **named(who, risk)
    )
    return Done(told)


def weigh_risk(office: Office, random: Random) -> Done | None:
    """Somebody holds a risk for likelier, or less likely."""
    risk = _pick(office, random, "risks")
    if risk is None or risk.values["probability"] is None:
        return None
    before = risk.values["probability"]
    others = [mark for mark in MARKS if mark != before]
    mark = random.choice(others)
    who = office.in_charge(risk)
    names = named(who, risk)
    place = ("risks", risk.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"probability": mark},
        {"probability": before},
        back=tell("{who} leaves the probability of “{row}” to the rules", **names),
    )
    return Done(
        tell("{who} holds “{row}” for {mark} of 5 likely", mark=mark, **names), undo
    )


def pin_plan(office: Office, random: Random) -> Done | None:
    """A unit promises a week's revenue."""
    today = office.today().isoformat()
    weeks = [
        plan
        for plan in office.rows("plans")
        if plan.values["unit"]
        and plan.values["target"]
        and not plan.values["pinned"]
        and office.option("plans", plan, "grain") == "week"
        and (plan.values["period"] or "") > today
    ]
    if not weeks:
        return None
    plan = random.choice(weeks)
    before = plan.values["target"]
    percent = random.randint(*PERCENT)
    target = (before * percent / 100).quantize(Decimal(1))
    who = office.in_charge(plan)
    names = named(who, plan)
    place = ("plans", plan.page_id)
    undo = office.type_for_a_while(
        who,
        place,
        {"target": target, "pinned": True},
        {"target": before, "pinned": False},
        back=tell("{who} unpins the plan “{row}”", **names),
    )
    # A no-break space between the thousands is read in both languages.
    amount = f"{target:,}".replace(",", "\u00a0")
    return Done(
        tell("{who} pins the plan “{row}” to {target}", target=amount, **names), undo
    )


def call_client(office: Office, random: Random) -> Done | None:
    """Somebody talks to a client and writes the day down."""
    clients = office.rows("clients")
    client = random.choice(clients)
    page_id = client.page_id
    who = office.account_manager(page_id)
    _write_contact(office, who, page_id)
    names = named(who, client)
    told = tell("{who} talks to {row}", **names)
    return Done(told)


def _write_contact(office: Office, who: Staff, client: str) -> None:
    """Write down that a client was spoken to."""
    today = office.today()
    office.type(who, "clients", client, {"last_contact": today})


def ask_for_a_look(office: Office, random: Random) -> Done | None:
    """Somebody ticks "Sync now": the worker takes the tick back when it has looked."""
    clients = office.rows("clients")
    client = random.choice(clients)
    if client.values["sync_now"]:
        return None
    page_id = client.page_id
    who = office.account_manager(page_id)
    office.type(who, "clients", page_id, {"sync_now": True}, stays=False)
    names = named(who, client)
    told = tell("{who} ticks “Sync now” at {row}", **names)
    return Done(told)


def write_comment(office: Office, random: Random) -> Done | None:
    """Somebody comments a card."""
    cards = office.rows("projects")
    card = random.choice(cards)
    who = office.in_charge(card)
    note = random.choice(NOTES)
    text = office.say(note)
    names = named(who, card)
    made = office.control(who, "comment", page_id=card.page_id, text=text)
    comment_id = made["id"]

    def undo() -> Text:
        office.control(who, "delete_comment", id=comment_id)
        return tell("{who} deletes a comment at “{row}”", **names)

    told = tell("{who} comments “{row}”: {text}", text=text, **names)
    return Done(told, undo)


def write_text(office: Office, random: Random) -> Done | None:
    """Somebody writes on a client's page, beside what the worker keeps there."""
    clients = office.rows("clients")
    client = random.choice(clients)
    page_id = client.page_id
    who = office.account_manager(page_id)
    note = random.choice(NOTES)
    text = office.say(note)
    names = named(who, client)
    block = {
        "type": "paragraph",
        "paragraph": {"rich_text": [{"type": "text", "text": {"content": text}}]},
    }
    made = office.control(who, "append", block_id=page_id, children=[block])

    def undo() -> Text:
        for block_id in made["block_ids"]:
            office.control(who, "trash", id=block_id)
        return tell("{who} clears a note from the page of {row}", **names)

    told = tell("{who} writes on the page of {row}: {text}", text=text, **names)
    return Done(told, undo)


DEEDS: tuple[tuple[int, Deed], ...] = (
    (4, finish_task),
    (3, take_task),
    (1, postpone_task),
    (2, move_due),
    (2, move_card),
    (2, answer_risk),
    (1, weigh_risk),
    (1, pin_plan),
    (3, call_client),
    (1, ask_for_a_look),
    (1, write_comment),
    (1, write_text),
)
"""What is done in Notion: how often beside the others, and how."""


def _pick(
    office: Office, random: Random, source: str, stands: tuple[str, ...] = OPEN
) -> Card | None:
    """Return a row of the worker's in one of some statuses."""
    rows = [
        row
        for row in office.keyed(source)
        if office.option(source, row, "status") in stands
    ]
    if not rows:
        return None
    return random.choice(rows)
