"""What the sample agency's people mean to do and what they hear: backlog, goals, feedback, tasks from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from rayline_demo.agency.model import Agency
from rayline_demo.agency.names import Pair
from rayline_demo.agency.speech import Speech
from worker.domain.periods import quarter_of
from worker.domain.values import Ref, Span, Value


class Idea(NamedTuple):
    """One item of the backlog; `author` is a role in the client's unit."""

    text: Pair
    client: int
    kind: str
    status: str
    author: str
    horizon: str | None = None
    impact: int | None = None
    effort: int | None = None


IDEAS: tuple[Idea, ...] = (
    Idea(
        ("Self-service terminals", "Терминалы самообслуживания"),
        0,
        "idea",
        "for_group",
        "am",
        impact=4,
        effort=4,
    ),
    Idea(
        ("Sign in by face", "Вход по лицу"),
        0,
        "feature",
        "validated",
        "tl",
        impact=4,
        effort=2,
    ),
    Idea(
        ("Second mobile app: couriers", "Второе приложение: курьеры"),
        1,
        "idea",
        "new",
        "am",
        impact=3,
        effort=5,
    ),
    Idea(
        ("Families return for miles", "Семьи возвращаются за милями"),
        1,
        "hypothesis",
        "new",
        "pm",
        "strategic",
        5,
    ),
    Idea(
        ("Personal offers by ML", "Персональные предложения"),
        2,
        "hypothesis",
        "validated",
        "pm",
        "strategic",
        4,
        5,
    ),
    Idea(
        ("Shorter checkout", "Короткое оформление заказа"),
        2,
        "feature",
        "validated",
        "tl",
        impact=5,
        effort=2,
    ),
    Idea(
        ("Design system", "Дизайн-система"),
        3,
        "feature",
        "new",
        "tl",
        impact=3,
        effort=5,
    ),
    Idea(
        ("Reminders cut missed visits", "Напоминания снижают неявки"),
        3,
        "hypothesis",
        "new",
        "pm",
        "operational",
        3,
    ),
    Idea(
        ("Analytics audit", "Аудит аналитики"),
        5,
        "idea",
        "presented",
        "am",
        impact=3,
        effort=2,
    ),
    Idea(
        ("Voice assistant", "Голосовой помощник"),
        6,
        "idea",
        "rejected",
        "am",
        impact=2,
        effort=5,
    ),
    Idea(
        ("Loyalty programme", "Программа лояльности"),
        6,
        "idea",
        "accepted",
        "am",
        impact=4,
        effort=3,
    ),
    Idea(
        ("Partner portal", "Портал партнёров"),
        7,
        "feature",
        "for_group",
        "tl",
        impact=4,
        effort=4,
    ),
    Idea(
        ("Promo for the season", "Сезонная промокампания"),
        8,
        "idea",
        "new",
        "head_newbiz",
        impact=2,
        effort=1,
    ),
)


class Word(NamedTuple):
    """What a client said, `ago` days ago, about a role in its unit (empty: about the team)."""

    client: int
    role: str
    ago: int
    score: int
    text: Pair


WORDS: tuple[Word, ...] = (
    Word(0, "tl", 70, 5, ("Always has an answer", "Всегда знает ответ")),
    Word(0, "", 30, 5, ("A strong team", "Сильная команда")),
    Word(3, "", 80, 3, ("Slow at first", "Раскачивались")),
    Word(3, "", 45, 4, ("Better", "Лучше")),
    Word(3, "", 9, 5, ("Great release", "Отличный релиз")),
    Word(4, "pm", 60, 4, ("Clear reports", "Понятные отчёты")),
    Word(4, "pm", 5, 2, ("Twice forgot to call back", "Дважды не перезвонил")),
    Word(6, "", 85, 5, ("Love the speed", "Радует скорость")),
    Word(6, "", 50, 4, ("Fewer demos", "Меньше демо")),
    Word(
        6, "", 6, 3, ("Nobody tells us what happens", "Не рассказывают, что происходит")
    ),
)


class Aim(NamedTuple):
    """One goal of a unit for the running quarter; without a measure nobody can tell whether it is reached."""

    text: Pair
    unit: int
    owner: str
    measure: Pair | None
    target: int | None
    rollup: str
    current: int | None


AIMS: tuple[Aim, ...] = (
    Aim(
        ("Improve the product every week", "Улучшать продукт каждую неделю"),
        0,
        "tl",
        ("improvements shipped", "выпущенные улучшения"),
        24,
        "sum",
        11,
    ),
    Aim(
        ("Loved by the client", "Клиент нас рекомендует"),
        1,
        "am",
        ("NPS", "NPS"),
        60,
        "latest",
        52,
    ),
    Aim(
        ("Know the users", "Знать пользователей"),
        3,
        "pm",
        ("interviews", "интервью"),
        12,
        "sum",
        None,
    ),
    Aim(
        ("Be closer to the client", "Стать ближе к клиенту"),
        2,
        "am",
        None,
        None,
        "sum",
        None,
    ),
)

# text, source, what is asked, client index
REQUESTS: tuple[tuple[Pair, str, str | None, int], ...] = (
    (("Sign the new NDA", "Подписать новый NDA"), "lawyer", None, 7),
    (
        ("Find out when the invoice is paid", "Узнать, когда оплатят счёт"),
        "finance",
        None,
        4,
    ),
    (
        ("Find a video studio for the press day", "Найти видеостудию на день прессы"),
        "concierge",
        "find_contractor",
        7,
    ),
    (
        ("Meeting with the new head of IT", "Встреча с новым ИТ-директором"),
        "concierge",
        "arrange_meeting",
        5,
    ),
)

OFFERS: tuple[Pair, ...] = (
    ("video, filming", "видеостудия, съёмка"),
    ("texts, copywriting", "тексты, копирайтинг"),
    ("call centre", "колл-центр"),
)
"""What the contractors offer, in the order of `names.CONTRACTORS`."""


class StoryEditor(Protocol):
    """Somebody who adds rows."""

    def add(self, source: str, /, **values: Value) -> str:
        """Add a row with logical `values` and return its page id."""
        ...


def type_plans(
    agency: Agency, scribe: StoryEditor, pages: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Add all of it and return the pages by source."""
    say = Speech(agency.locale)
    today = agency.today
    quarter = quarter_of(agency.today)
    return {
        "backlog": tuple(
            scribe.add(
                "backlog",
                name=say(idea.text),
                kind=idea.kind,
                status=idea.status,
                horizon=idea.horizon,
                client=_row(pages, "clients", idea.client),
                author=_who(agency, pages, idea.author, idea.client),
                impact=_number(idea.impact),
                effort=_number(idea.effort),
            )
            for idea in IDEAS
        ),
        "feedback": tuple(
            scribe.add(
                "feedback",
                name=f"{agency.clients[word.client].name} · {today - timedelta(days=word.ago):%d.%m}",
                date=today - timedelta(days=word.ago),
                client=_row(pages, "clients", word.client),
                text=say(word.text),
                person=_who(agency, pages, word.role, word.client),
                score=_number(word.score),
            )
            for word in WORDS
        ),
        "goals": tuple(
            scribe.add(
                "goals",
                name=say(aim.text),
                unit=_row(pages, "units", aim.unit),
                grain="quarter",
                status="doing",
                owner=_role(agency, pages, aim.owner, aim.unit),
                period=Span(quarter.start, quarter.end),
                measure=say(aim.measure) if aim.measure else None,
                target=_number(aim.target),
                rollup=aim.rollup,
                current=_number(aim.current),
            )
            for aim in AIMS
        ),
        "tasks": tuple(
            scribe.add(
                "tasks",
                name=say(text),
                source=source,
                request=asked,
                status="new",
                client=_row(pages, "clients", client),
            )
            for text, source, asked, client in REQUESTS
        ),
    }


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _row(
    pages: Mapping[str, tuple[str, ...]], source: str, index: int
) -> tuple[Ref, ...]:
    return (Ref(source, pages[source][index]),)


def _who(
    agency: Agency, pages: Mapping[str, tuple[str, ...]], role: str, client: int
) -> tuple[Ref, ...] | None:
    return _role(agency, pages, role, agency.clients[client].unit) if role else None


def _role(
    agency: Agency, pages: Mapping[str, tuple[str, ...]], role: str, unit: int | None
) -> tuple[Ref, ...] | None:
    holders = (
        page
        for page, person in zip(pages["people"], agency.staff, strict=True)
        if person.role == role and person.unit == unit
    )
    page = next(holders, None)
    return (Ref("people", page),) if page else None
