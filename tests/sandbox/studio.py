"""A studio's workspace built through the Notion API alone: what the boards' tests look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec

from rayline_sandbox.wire import Handler, Request

Json = dict[str, Any]

TODAY = date(2026, 11, 20)
STAGES = (
    ("Идея", "gray", "To-do"),
    ("Проработка", "brown", "To-do"),
    ("Предложение", "yellow", "In progress"),
    ("Согласовано", "orange", "In progress"),
    ("В работе", "blue", "In progress"),
    ("Эволюция", "purple", "In progress"),
    ("Готово", "green", "Complete"),
    ("Проиграно", "red", "Complete"),
)
CLIENTS = (
    ("🏗️", "СтройИнвест"),
    ("🦷", "Клиника «Улыбка»"),
    ("🚚", "Логистика Север"),
    ("🍞", "Хлебозавод № 4"),
    ("🏦", "Банк «Рассвет»"),
    ("🎓", "Школа Горизонт"),
    ("🌿", "ЭкоМаркет"),
    ("✈️", "Авиасервис"),
    ("📚", "Издательство «Слово»"),
    ("⚙️", "МеталлПрофиль"),
    ("🛋️", "Дом и мебель"),
    ("🎭", "Театр на Неве"),
)
WORKS = (
    "Личный кабинет клиента: согласование смет и закрывающих документов",
    "Редизайн сайта",
    "Мобильное приложение",
    "Интеграция с 1С",
    "Лендинг для весенней кампании",
    "Портал дилеров",
    "Система записи к врачу",
    "Аналитика продаж и витрина данных",
    "Чат-бот поддержки",
    "Переезд в облако",
)
LEVELS = (("Низкий", "green"), ("Средний", "yellow"), ("Высокий", "red"))


@dataclass(slots=True)
class Studio:
    """Calls of a connection in process, and the ids of what was made."""

    handler: Handler
    token: str
    root: str
    databases: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return a decoded answer; AssertionError with the API's message when it refuses."""
        headers = {
            "authorization": f"Bearer {self.token}",
            "notion-version": "2026-03-11",
            "content-type": "application/json",
        }
        payload = b"" if body is None else msgspec.json.encode(body)
        response = self.handler(Request(method, path, (), headers, payload))
        answer: Json = msgspec.json.decode(response.body)
        assert response.status < 400, (
            f"{method} {path}: {response.status} {answer.get('message')} {body}"
        )
        return answer

    def database(self, name: str, *, title: str, icon: str, properties: Json) -> None:
        """Create a database below the root."""
        made = self.call(
            "POST",
            "/v1/databases",
            {
                "parent": {"type": "page_id", "page_id": self.root},
                "title": text(title),
                "icon": emoji(icon),
                "initial_data_source": {"properties": properties},
            },
        )
        self.databases[name], self.sources[name] = (
            made["id"],
            made["data_sources"][0]["id"],
        )

    def row(
        self,
        name: str,
        properties: Json,
        *,
        icon: str = "",
        children: list[Json] | None = None,
    ) -> str:
        """Create a row and return its page id."""
        made = self.call(
            "POST",
            "/v1/pages",
            {
                "parent": {
                    "type": "data_source_id",
                    "data_source_id": self.sources[name],
                },
                "properties": properties,
                **({"icon": emoji(icon)} if icon else {}),
                **({"children": children} if children else {}),
            },
        )
        self.rows.setdefault(name, []).append(made["id"])
        return str(made["id"])

    def view(self, name: str, kind: str, *, title: str, **body: Any) -> str:
        """Create a view and remember its id as `database.kind`."""
        made = self.call(
            "POST",
            "/v1/views",
            {
                "data_source_id": self.sources[name],
                "name": title,
                "type": kind,
                "database_id": self.databases[name],
                **body,
            },
        )
        self.views.setdefault(f"{name}.{kind}", made["id"])
        return str(made["id"])

    def ids(self, name: str) -> dict[str, str]:
        """Return property ids by name."""
        source = self.call("GET", f"/v1/data_sources/{self.sources[name]}")
        return {title: schema["id"] for title, schema in source["properties"].items()}


def text(content: str) -> list[Json]:
    """Return rich text."""
    return [{"type": "text", "text": {"content": content}}]


def emoji(sign: str) -> Json:
    """Return an icon."""
    return {"type": "emoji", "emoji": sign}


def block(kind: str, content: str, **extra: Any) -> Json:
    """Return a block with text."""
    return {"type": kind, kind: {"rich_text": text(content), **extra}}


def options(*pairs: tuple[str, str]) -> Json:
    """Return select options with colours."""
    return {"options": [{"name": name, "color": color} for name, color in pairs]}


def build_studio(
    handler: Handler, *, token: str, root: str, users: tuple[str, ...] = ()
) -> Studio:
    """Return a filled workspace: 12 clients, 35 projects, tasks and risks, with views of every type."""
    studio = Studio(handler, token, root)
    _make_clients(studio)
    _make_projects(studio, users)
    _make_tasks(studio, users)
    _make_risks(studio)
    _make_views(studio)
    _write_home(studio)
    return studio


def _make_clients(studio: Studio) -> None:
    studio.database(
        "clients",
        title="Клиенты",
        icon="🤝",
        properties={
            "Клиент": {"title": {}},
            "Группа": {"select": options(("Аккаунт", "blue"), ("Ньюбиз", "orange"))},
            "Здоровье": {
                "select": options(
                    ("Зелёный", "green"), ("Жёлтый", "yellow"), ("Красный", "red")
                )
            },
            "Абонентская плата": {"number": {"format": "ruble"}},
            "Прогресс": {"number": {"format": "percent"}},
            "Договор до": {"date": {}},
            "Партнёр": {"checkbox": {}},
            "Сайт": {"url": {}},
            "Почему": {"rich_text": {}},
        },
    )
    health = ("Зелёный", "Жёлтый", "Красный")
    for number, (icon, name) in enumerate(CLIENTS):
        studio.row(
            "clients",
            {
                "Клиент": {"title": text(name)},
                "Здоровье": {"select": {"name": health[number % 3]}},
                "Группа": {
                    "select": {"name": "Ньюбиз" if number % 3 == 0 else "Аккаунт"}
                },
                "Абонентская плата": {"number": 180000 + 45500 * number},
                "Прогресс": {"number": round(0.07 * (number + 1), 2)},
                "Партнёр": {"checkbox": number % 2 == 0},
                "Договор до": {
                    "date": {"start": (TODAY + timedelta(days=20 * number)).isoformat()}
                },
                "Сайт": {"url": f"https://example.com/{number}"},
                "Почему": {
                    "rich_text": text(
                        "P(в срок) 62 %, просрочено 2 задачи, контакт 9 дней назад"
                    )
                },
            },
            icon=icon,
        )


def _make_projects(studio: Studio, users: tuple[str, ...]) -> None:
    studio.database(
        "projects",
        title="Проекты",
        icon="🚀",
        properties={
            "Проект": {"title": {}},
            "Стадия": {
                "status": {
                    "options": [
                        {"name": name, "color": color, "group": group}
                        for name, color, group in STAGES
                    ]
                }
            },
            "Клиент": {
                "relation": {
                    "data_source_id": studio.sources["clients"],
                    "type": "single_property",
                    "single_property": {},
                }
            },
            "Начало": {"date": {}},
            "Срок": {"date": {}},
            "Прогресс": {"number": {"format": "percent"}},
            "Бюджет": {"number": {"format": "ruble"}},
            "Услуги": {
                "multi_select": options(
                    ("Дизайн", "pink"),
                    ("Разработка", "blue"),
                    ("Аналитика", "purple"),
                    ("Поддержка", "brown"),
                )
            },
            "Менеджер": {"people": {}},
        },
    )
    services = ("Дизайн", "Разработка", "Аналитика", "Поддержка")
    for number in range(35):
        start = TODAY + timedelta(days=(number * 37) % 300 - 190)
        stage = STAGES[(number * 5) % 8 if number % 4 else 4][0]
        dated = number % 9 != 4
        studio.row(
            "projects",
            {
                "Проект": {
                    "title": text(
                        f"{WORKS[number % 10]}{' 2.0' if number >= 10 else ''}"
                    )
                },
                "Стадия": {"status": {"name": stage}},
                "Клиент": {"relation": [{"id": studio.rows["clients"][number % 12]}]},
                "Начало": {"date": {"start": start.isoformat()} if dated else None},
                "Срок": {
                    "date": {
                        "start": (start + timedelta(days=40 + number * 3)).isoformat()
                    }
                    if dated
                    else None
                },
                "Прогресс": {"number": round((number * 13 % 101) / 100, 2)},
                "Бюджет": {"number": 350000 + number * 81250.5},
                "Услуги": {
                    "multi_select": [
                        {"name": services[number % 4]},
                        {"name": services[(number + 1) % 4]},
                    ]
                },
                "Менеджер": {
                    "people": [{"id": users[number % len(users)]}] if users else []
                },
            },
            children=_body() if number == 0 else None,
        )


def _body() -> list[Json]:
    lines = (
        ("Месяц", "План", "Факт"),
        ("Октябрь", "1 200 000 ₽", "1 140 000 ₽"),
        ("Ноябрь", "1 350 000 ₽", "810 000 ₽"),
    )
    rows = [
        {"type": "table_row", "table_row": {"cells": [text(word) for word in line]}}
        for line in lines
    ]
    table = {
        "type": "table",
        "table": {
            "table_width": 3,
            "has_column_header": True,
            "has_row_header": False,
            "children": rows,
        },
    }
    return [
        block("heading_1", "План на четвёртый квартал"),
        block(
            "paragraph",
            "Портал растёт 18 месяцев без редизайна: пора готовить революцию.",
        ),
        {
            "type": "callout",
            "callout": {
                "rich_text": text(
                    "P(в срок) упала до 48 %: не хватает одного разработчика."
                ),
                "icon": emoji("⚠️"),
                "color": "yellow_background",
            },
        },
        block("heading_2", "Что делаем"),
        block("bulleted_list_item", "Согласование смет"),
        block("bulleted_list_item", "Закрывающие документы"),
        block("numbered_list_item", "Аналитика"),
        block("numbered_list_item", "Вёрстка"),
        block("to_do", "Показать прототип директору", checked=True),
        block("to_do", "Собрать требования бухгалтерии", checked=False),
        block(
            "toggle",
            "Подробности",
            children=[block("paragraph", "Внутри переключателя")],
        ),
        block("quote", "Отношения не строятся отдельно от поставки."),
        table,
        block(
            "code",
            "SELECT client, sum(amount)\nFROM revenue GROUP BY 1",
            language="sql",
        ),
        {"type": "divider", "divider": {}},
        {
            "type": "paragraph",
            "paragraph": {
                "rich_text": [
                    {
                        "type": "text",
                        "text": {"content": "Жирный"},
                        "annotations": {"bold": True},
                    },
                    {
                        "type": "text",
                        "text": {
                            "content": ", ссылка",
                            "link": {"url": "https://example.com/x"},
                        },
                    },
                    {
                        "type": "text",
                        "text": {"content": " и <script>alert(1)</script>"},
                        "annotations": {"code": True},
                    },
                ]
            },
        },
    ]


def _make_tasks(studio: Studio, users: tuple[str, ...]) -> None:
    studio.database(
        "tasks",
        title="Спринт аккаунтов",
        icon="✅",
        properties={
            "Задача": {"title": {}},
            "Статус": {
                "status": {
                    "options": [
                        {"name": "Новая", "color": "gray", "group": "To-do"},
                        {"name": "В этом спринте", "color": "yellow", "group": "To-do"},
                        {"name": "Делаем", "color": "blue", "group": "In progress"},
                        {"name": "Ждём", "color": "orange", "group": "In progress"},
                        {"name": "Сделано", "color": "green", "group": "Complete"},
                    ]
                }
            },
            "Срок": {"date": {}},
            "Карточка": {
                "relation": {
                    "data_source_id": studio.sources["projects"],
                    "type": "single_property",
                    "single_property": {},
                }
            },
            "Исполнитель": {"people": {}},
            "Важная": {"checkbox": {}},
        },
    )
    statuses = ("Новая", "В этом спринте", "Делаем", "Сделано")
    for number in range(24):
        studio.row(
            "tasks",
            {
                "Задача": {
                    "title": text(f"Назначить встречу и показать смету № {number + 1}")
                },
                "Статус": {"status": {"name": statuses[number % 4]}},
                "Важная": {"checkbox": number % 5 == 0},
                "Срок": {
                    "date": {"start": (TODAY + timedelta(days=number - 9)).isoformat()}
                },
                "Карточка": {"relation": [{"id": studio.rows["projects"][number]}]},
                "Исполнитель": {
                    "people": [{"id": users[number % len(users)]}] if users else []
                },
            },
        )


def _make_risks(studio: Studio) -> None:
    studio.database(
        "risks",
        title="Карта рисков",
        icon="🗺️",
        properties={
            "Риск": {"title": {}},
            "Уровень": {"select": options(*LEVELS)},
            "Балл": {"number": {"format": "number"}},
            "Проект": {
                "relation": {
                    "data_source_id": studio.sources["projects"],
                    "type": "single_property",
                    "single_property": {},
                }
            },
            "Сумма под риском": {"number": {"format": "ruble"}},
        },
    )
    texts = (
        "Срыв срока: P(в срок) 38 %",
        "Один человек несёт 72 % работ",
        "Бюджет тает быстрее прогресса",
        "Нет контакта 19 дней",
        "Луч рвётся через 5 недель",
    )
    for number in range(10):
        studio.row(
            "risks",
            {
                "Риск": {"title": text(texts[number % 5])},
                "Уровень": {"select": {"name": LEVELS[number % 3][0]}},
                "Балл": {"number": 3 + number * 2},
                "Сумма под риском": {"number": 90000 * (number + 1)},
                "Проект": {"relation": [{"id": studio.rows["projects"][number]}]},
            },
            icon="🔥" if number % 3 == 2 else "⚠️",
        )


def _make_views(studio: Studio) -> None:
    projects, tasks, risks = (
        studio.ids("projects"),
        studio.ids("tasks"),
        studio.ids("risks"),
    )

    def show(ids: dict[str, str], *names: str) -> list[Json]:
        return [{"property_id": ids[name], "visible": True} for name in names]

    manual = {"type": "manual"}
    studio.view(
        "projects",
        "board",
        title="По стадиям",
        configuration={
            "type": "board",
            "group_by": {
                "type": "status",
                "group_by": "option",
                "property_id": projects["Стадия"],
                "sort": manual,
            },
            "properties": show(
                projects, "Клиент", "Прогресс", "Срок", "Услуги", "Менеджер"
            ),
        },
    )
    studio.view(
        "projects",
        "timeline",
        title="Лучи",
        sorts=[{"property": "Клиент", "direction": "ascending"}],
        configuration={
            "type": "timeline",
            "date_property_id": projects["Начало"],
            "end_date_property_id": projects["Срок"],
            "properties": show(projects, "Стадия"),
        },
    )
    studio.view(
        "projects",
        "gallery",
        title="Галерея",
        configuration={
            "type": "gallery",
            "properties": show(projects, "Стадия", "Бюджет"),
        },
    )
    studio.view(
        "projects",
        "list",
        title="В работе",
        configuration={"type": "list", "properties": show(projects, "Стадия", "Срок")},
        filter={"property": "Стадия", "status": {"equals": "В работе"}},
        sorts=[{"property": "Бюджет", "direction": "descending"}],
    )
    studio.view(
        "tasks",
        "board",
        title="По статусам",
        configuration={
            "type": "board",
            "group_by": {
                "type": "status",
                "group_by": "option",
                "property_id": tasks["Статус"],
                "sort": manual,
            },
            "properties": show(tasks, "Карточка", "Срок", "Исполнитель", "Важная"),
        },
    )
    studio.view(
        "tasks",
        "calendar",
        title="Календарь",
        configuration={"type": "calendar", "date_property_id": tasks["Срок"]},
    )
    studio.view(
        "risks",
        "board",
        title="По уровню",
        configuration={
            "type": "board",
            "group_by": {
                "type": "select",
                "property_id": risks["Уровень"],
                "sort": manual,
            },
            "properties": show(risks, "Балл", "Сумма под риском", "Проект"),
        },
    )


def _write_home(studio: Studio) -> None:
    studio.call("PATCH", f"/v1/pages/{studio.root}", {"icon": emoji("🛰️")})
    studio.call(
        "POST",
        "/v1/pages",
        {
            "parent": {"type": "page_id", "page_id": studio.root},
            "icon": emoji("📅"),
            "properties": {"title": {"title": text("Понедельничный срез, 16 ноября")}},
            "children": [
                block("paragraph", "Факт недели 810 000 ₽ при плане 900 000 ₽.")
            ],
        },
    )
    studio.call(
        "POST",
        "/v1/pages",
        {
            "parent": {"type": "page_id", "page_id": studio.root},
            "properties": {"title": {"title": text("Пустая страница")}},
        },
    )
