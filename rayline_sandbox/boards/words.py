"""The words, dates and numbers of the boards in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_skeleton, get_day_names, get_month_names
from babel.numbers import format_currency, format_decimal, format_percent
from babel.plural import PluralRule

LOCALES = ("en", "ru")

TEXT: Mapping[str, Mapping[str, str]] = {
    "en": {
        "untitled": "Untitled",
        "search": "Filter rows",
        "no_group": "No {name}",
        "empty_database": "No rows yet",
        "empty_view": "No rows match this view",
        "empty_page": "This page is empty",
        "today": "Today",
        "without_dates": "Without dates",
        "outside": "Outside the shown months",
        "properties": "Properties",
        "backlinks": "Mentioned in",
        "pages": "Pages",
        "group_by": "Group by",
        "nothing": "Nothing",
        "clipped": "The first {count} rows are shown.",
        "show_more": "Show more",
        "incomplete": "The query stops at 10,000 rows: this view is not complete.",
        "not_found": "Not found",
        "not_found_text": "This page does not exist or is not shared with the connection.",
        "trashed": "This page is in the trash.",
        "archived": "This page is archived.",
        "unsupported": "A block of type “{name}” is not shown here.",
        "default_view": "Table",
        "failed": "The sandbox answered {status}: {message}",
        "toggle_language": "Русский",
        "other_language": "ru",
        "yes": "Yes",
        "no": "No",
        "more": "+{count}",
        "previous": "Previous",
        "next": "Next",
        "undated_events": "Without a date",
        "live": "Live",
        "sandbox": "Rayline sandbox",
        "file": "File",
        "hidden_groups": "Empty groups",
        "table_of_contents": "Contents",
        "unshown_view": "Views of type “{name}” are drawn as a table here.",
        "refused_query": "The view's filter or sort was refused: {message}",
        "back_to_today": "This month",
        "empty_month": "Nothing in this month. The nearest:",
        "comments": "Comments",
        "tracker": "Jira of the sandbox",
        "status": "Status",
        "kind": "Type",
        "assignee": "Assignee",
        "due": "Due",
        "estimated": "Estimate",
        "logged": "Logged",
        "parts": "Sub-tasks",
        "changes": "Latest changes",
        "no_issue": "Jira shows nothing with the key {name}.",
    },
    "ru": {
        "untitled": "Без названия",
        "search": "Фильтр строк",
        "no_group": "Нет: {name}",
        "empty_database": "Строк пока нет",
        "empty_view": "Под условия вида не подходит ни одна строка",
        "empty_page": "Страница пуста",
        "today": "Сегодня",
        "without_dates": "Без дат",
        "outside": "Вне показанных месяцев",
        "properties": "Свойства",
        "backlinks": "Упоминается в",
        "pages": "Страницы",
        "group_by": "Группировка",
        "nothing": "Нет",
        "clipped": "Показаны первые {count} строк.",
        "show_more": "Показать ещё",
        "incomplete": "Запрос обрывается на 10 000 строк: вид неполон.",
        "not_found": "Не найдено",
        "not_found_text": "Такой страницы нет, или она не открыта для подключения.",
        "trashed": "Страница в корзине.",
        "archived": "Страница в архиве.",
        "unsupported": "Блок типа «{name}» здесь не показывается.",
        "default_view": "Таблица",
        "failed": "Песочница ответила {status}: {message}",
        "toggle_language": "English",
        "other_language": "en",
        "yes": "Да",
        "no": "Нет",
        "more": "+{count}",
        "previous": "Назад",
        "next": "Вперёд",
        "undated_events": "Без даты",
        "live": "Обновляется",
        "sandbox": "Песочница Rayline",
        "file": "Файл",
        "hidden_groups": "Пустые группы",
        "table_of_contents": "Содержание",
        "unshown_view": "Виды типа «{name}» показаны здесь таблицей.",
        "refused_query": "Фильтр или сортировка вида отклонены: {message}",
        "back_to_today": "Этот месяц",
        "empty_month": "В этом месяце ничего нет. Ближайшее:",
        "comments": "Комментарии",
        "tracker": "Jira песочницы",
        "status": "Статус",
        "kind": "Тип",
        "assignee": "Исполнитель",
        "due": "Срок",
        "estimated": "Оценка",
        "logged": "Затрачено",
        "parts": "Подзадачи",
        "changes": "Последние изменения",
        "no_issue": "В Jira нет ничего с ключом {name}.",
    },
}

ROWS: Mapping[str, Mapping[str, str]] = {
    "en": {"one": "{count} row", "other": "{count} rows"},
    "ru": {
        "one": "{count} строка",
        "few": "{count} строки",
        "many": "{count} строк",
        "other": "{count} строки",
    },
}
PLURAL = {
    "en": PluralRule({"one": "i = 1 and v = 0"}),
    "ru": PluralRule(
        {
            "one": "v = 0 and i % 10 = 1 and i % 100 != 11",
            "few": "v = 0 and i % 10 = 2..4 and i % 100 != 12..14",
            "many": "v = 0 and i % 10 = 0 or v = 0 and i % 10 = 5..9 or v = 0 and i % 100 = 11..14",
        }
    ),
}
CURRENCIES: Mapping[str, str] = {
    "ruble": "RUB",
    "dollar": "USD",
    "euro": "EUR",
    "pound": "GBP",
    "yen": "JPY",
    "yuan": "CNY",
    "tenge": "KZT",
    "canadian_dollar": "CAD",
    "australian_dollar": "AUD",
    "franc": "CHF",
    "rupee": "INR",
    "won": "KRW",
    "lira": "TRY",
    "zloty": "PLN",
    "real": "BRL",
    "hong_kong_dollar": "HKD",
    "singapore_dollar": "SGD",
}


@dataclass(frozen=True, slots=True)
class Words:
    """One language: its texts, and its way to write dates and numbers."""

    locale: str

    def __getitem__(self, key: str) -> str:
        return TEXT[self.locale][key]

    def say(self, key: str, **values: object) -> str:
        """Return a text with its places filled."""
        return TEXT[self.locale][key].format(**values)

    def rows(self, count: int) -> str:
        """Return a counted noun: `3 строки`."""
        return ROWS[self.locale][PLURAL[self.locale](count)].format(
            count=self.number(count)
        )

    def number(self, value: float | Decimal) -> str:
        """Return a plain number, at most two decimals, thousands grouped."""
        return str(format_decimal(_exact(value), format="#,##0.##", locale=self.locale))

    def percent(self, value: float | Decimal) -> str:
        """Return a share (0.45) in percent."""
        return str(
            format_percent(
                _exact(value),
                format="#,##0.#%" if self.locale == "en" else "#,##0.# %",
                locale=self.locale,
            )
        )

    def money(self, value: float | Decimal, currency: str) -> str:
        """Return an amount with its currency, without empty cents."""
        exact = _exact(value)
        pattern = "¤#,##0" if exact == exact.to_integral_value() else "¤#,##0.00"
        if self.locale == "ru":
            pattern = pattern.removeprefix("¤") + " ¤"
        text = format_currency(
            exact, currency, format=pattern, locale=self.locale, currency_digits=False
        )
        return str(text).replace("RUB", "₽")

    def day(self, value: date) -> str:
        """Return a date with its year: `Nov 5, 2026`."""
        return str(format_date(value, "medium", locale=self.locale))

    def short_day(self, value: date) -> str:
        """Return a date without its year."""
        return str(format_skeleton("MMMd", value, locale=self.locale))

    def moment(self, value: datetime) -> str:
        """Return a date with its time, in the zone the value carries."""
        return f"{self.day(value)}, {value:%H:%M}"

    def month(self, value: date) -> str:
        """Return a month with its year, as a heading."""
        return (
            str(format_skeleton("yMMMM", value, locale=self.locale))
            .removesuffix("г.")
            .strip()
            .capitalize()
        )

    def month_name(self, number: int) -> str:
        """Return a short stand-alone month name."""
        names = get_month_names(
            "abbreviated", context="stand-alone", locale=self.locale
        )
        return str(names[number]).rstrip(".").capitalize()

    def weekdays(self) -> list[str]:
        """Return short weekday names, Monday first."""
        names = get_day_names("abbreviated", context="stand-alone", locale=self.locale)
        return [str(names[number]).capitalize() for number in range(7)]


def _exact(value: float | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def speak(locale: str) -> Words:
    """Return the words of `locale`, English for one we do not have."""
    language = locale[:2].lower()
    return Words(language if language in LOCALES else "en")
