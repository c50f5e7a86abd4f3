"""What `init` asks, in order: the words, what is proposed, and how an answer is read. Nothing here asks a service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies, list_currencies
from rapidfuzz import fuzz, process

from worker.cli.interview.addresses import (
    JIRA_HINT,
    PAGE_HINT,
    read_jira_address,
    read_page_id,
)
from worker.cli.interview.objections import Objection
from worker.domain.messages import Text, message, tell

Answers: TypeAlias = Mapping[str, str]
ALL = "all"
"""The answer that names all projects."""
EVERYTHING = ("все", "*")
SHOWN = 20
"""So many projects are listed before a question."""
USUAL_ZONE = "Europe/Moscow"


class Seen(msgspec.Struct, frozen=True):
    """What the services told while answers were verified, which was `today`."""

    today: date
    connection: str = ""
    zone: str = ""
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question: `read` makes an answer of what was typed, or raises `Objection`; `propose` is what an empty line
    means."""

    key: str
    words: str
    read: Callable[[str, Seen], str]
    propose: Callable[[Answers, Seen], str] = lambda answers, seen: ""
    applies: Callable[[Answers, Seen], bool] = lambda answers, seen: True
    is_secret: bool = False


# -- reading -----------------------------------------------------------------------------------------------------------

LANGUAGES = {
    "en": ("en", "english", "английский", "eng"),
    "ru": ("ru", "russian", "русский", "рус"),
}


def _read_locale(text: str, seen: Seen) -> str:
    typed = text.casefold()
    for locale, names in LANGUAGES.items():
        if typed in names:
            return locale
    raise Objection(tell("is no language of the boards"), tell("type en or ru"))


_COPY_NOTION = tell(
    "copy the token of the connection in Notion: Settings, Connections, your connection; it begins with ntn_"
)
_COPY_JIRA = tell(
    "make one for the account that reads: id.atlassian.com, Security, API tokens; on Data Center: Profile, Personal "
    "access tokens"
)
_KINDS = (
    (re.compile(r"https?://"), tell("is an address, not a token")),
    (re.compile(r"[^@\s]+@[^@\s]+\.\w+$"), tell("is an e-mail address, not a token")),
    (re.compile(r"v0\d:|v0\d%3A"), tell("is a cookie of a browser, not a token")),
    (
        re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$", re.IGNORECASE),
        tell("is an id, not a token"),
    ),
)
"""What people paste in place of a token, by how it begins."""
_NOTION_TOKEN = re.compile(r"ntn_|secret_")
_JIRA_TOKEN = re.compile(r"ATATT|ATCTT")
_ADMIN_KEY = re.compile(r"ATCTT")


def _read_token(text: str) -> str:
    if not text:
        raise Objection(tell("is missing"))
    for form, reason in _KINDS:
        if form.match(text):
            raise Objection(reason)
    if not all("!" <= sign <= "~" for sign in text):
        raise Objection(
            tell("is not a token: one line of printable ASCII without spaces")
        )
    return text


def _read_notion_token(text: str, seen: Seen) -> str:
    try:
        token = _read_token(text)
    except Objection as fault:
        raise Objection(fault.reason, _COPY_NOTION) from None
    if _JIRA_TOKEN.match(token):
        raise Objection(tell("is a token of Atlassian, not of Notion"), _COPY_NOTION)
    return token


def _read_jira_token(text: str, seen: Seen) -> str:
    try:
        token = _read_token(text)
    except Objection as fault:
        raise Objection(fault.reason, _COPY_JIRA) from None
    if _NOTION_TOKEN.match(token):
        raise Objection(tell("is a token of Notion, not of Jira"), _COPY_JIRA)
    if _ADMIN_KEY.match(token):
        reason = tell("is a key for administering an organisation, not an API token")
        raise Objection(reason, _COPY_JIRA)
    return token


def _read_page(text: str, seen: Seen) -> str:
    if not text:
        raise Objection(tell("is missing"), PAGE_HINT)
    return read_page_id(text)


def _read_private_page(text: str, seen: Seen) -> str:
    return read_page_id(text) if text else ""


def _read_address(text: str, seen: Seen) -> str:
    if not text:
        raise Objection(tell("is missing"), JIRA_HINT)
    return read_jira_address(text)


EMAIL_HINT = tell("the one with which the account signs in to Jira")


def _read_email(text: str, seen: Seen) -> str:
    if text and not re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", text):
        raise Objection(tell("is no e-mail address"), EMAIL_HINT)
    return text


def _read_day(text: str, seen: Seen) -> str:
    if not text:
        return ""
    day = _day_of(text)
    if day is None:
        raise Objection(tell("is no day"), tell("write it as 2027-03-31"))
    if day < seen.today:
        raise Objection(
            tell("is over: a token of that day is good no more"),
            tell("make a new token"),
            again=("jira_token", "jira_token_expires"),
        )
    return day.isoformat()


def _day_of(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _read_zone(text: str, seen: Seen) -> str:
    zones = {zone.casefold(): zone for zone in available_timezones()}
    typed = text.casefold().replace(" ", "_")
    if typed in zones:
        return zones[typed]
    cities = {zone.rpartition("/")[2]: zones[zone] for zone in sorted(zones)}
    if typed in cities:
        return cities[typed]
    city = typed.rpartition("/")[2]
    near = process.extract(city, list(cities), scorer=fuzz.ratio, limit=2)
    named = ", ".join(sorted(cities[name] for name, score, _ in near if score >= 70))
    hint = tell("such as {zones}", zones=named or USUAL_ZONE)
    raise Objection(tell("“{name}” is no time zone", name=text), hint)


def _read_country(text: str, seen: Seen) -> str:
    return _countries().get(text.casefold(), text.upper())


@cache
def _countries() -> Mapping[str, str]:
    """Return the codes of countries by the names they have in our languages."""
    return {
        name.casefold(): code
        for locale in LANGUAGES
        for code, name in Locale(locale).territories.items()
        if len(code) == 2 and code.isalpha()
    }


def _read_currency(text: str, seen: Seen) -> str:
    code = text.upper()
    if code not in list_currencies():
        raise Objection(
            tell("is no currency"), tell("type three letters, such as EUR or RUB")
        )
    return code


def _read_projects(text: str, seen: Seen) -> str:
    if text.casefold() in (ALL, *EVERYTHING):
        return ", ".join(seen.projects)
    typed = {word.upper() for word in re.split(r"[\s,;]+", text) if word}
    if not typed:
        raise Objection(tell("names no project"), _KEYS_OR_ALL)
    unknown = sorted(typed - set(seen.projects))
    if not unknown:
        return ", ".join(sorted(typed))
    near = process.extractOne(unknown[0], seen.projects, score_cutoff=60)
    reason = tell("the account sees no project {keys}", keys=", ".join(unknown))
    raise Objection(reason, _did_you_mean(near[0]) if near else _KEYS_OR_ALL)


def _did_you_mean(name: str) -> Text:
    return tell("did you mean {name}?", name=name)


_KEYS_OR_ALL = tell("type keys of the list with commas, or {all}", all=ALL)


# -- proposing ---------------------------------------------------------------------------------------------------------


def _propose_zone(answers: Answers, seen: Seen) -> str:
    return seen.zone or USUAL_ZONE


def _propose_country(answers: Answers, seen: Seen) -> str:
    """Return the country of the time zone."""
    zone = answers.get("time_zone", "")
    country = get_global("zone_territories").get(zone, "")
    return str(country) if country != "001" else ""


def _propose_currency(answers: Answers, seen: Seen) -> str:
    """Return what is paid with in the country."""
    country = answers.get("country", "").partition("-")[0]
    known = get_territory_currencies(country) if country else []
    return str(known[0]) if known else "EUR"


def _propose_all(answers: Answers, seen: Seen) -> str:
    return ALL


# -- the table ---------------------------------------------------------------------------------------------------------


def _wants_email(answers: Answers, seen: Seen) -> bool:
    return answers.get("deployment") != "datacenter"


def _sees_projects(answers: Answers, seen: Seen) -> bool:
    return bool(seen.projects)


QUESTIONS: tuple[Question, ...] = (
    Question("locale", message("Language of the boards (en, ru)"), _read_locale),
    Question(
        "notion_token",
        message("Notion token (it is not shown)"),
        _read_notion_token,
        is_secret=True,
    ),
    Question(
        "root_page_id",
        message("Address of the Notion page that will hold the boards"),
        _read_page,
    ),
    Question(
        "private_root_page_id",
        message(
            "Address of a page that few people share, for feedback, bonuses and costs (empty: none)"
        ),
        _read_private_page,
    ),
    Question("base_url", message("Address of your Jira"), _read_address),
    Question(
        "email",
        message("E-mail of the Jira account (empty for Data Center)"),
        _read_email,
        applies=_wants_email,
    ),
    Question(
        "jira_token",
        message("Jira token (it is not shown)"),
        _read_jira_token,
        is_secret=True,
    ),
    Question(
        "jira_token_expires",
        message("Last day of the Jira token, such as 2027-03-31 (empty: not known)"),
        _read_day,
    ),
    Question("time_zone", message("Time zone"), _read_zone, _propose_zone),
    Question(
        "country",
        message("Country or region whose holidays count, such as DE or DE-BY"),
        _read_country,
        _propose_country,
    ),
    Question("currency", message("Currency"), _read_currency, _propose_currency),
    Question(
        "projects",
        message("Jira projects that may be read (keys with commas, or all)"),
        _read_projects,
        _propose_all,
        applies=_sees_projects,
    ),
)
KEYS = tuple(question.key for question in QUESTIONS)
BY_KEY: Mapping[str, Question] = {question.key: question for question in QUESTIONS}
SECRETS: Mapping[str, str] = {"notion_token": "notion", "jira_token": "jira"}
"""The questions whose answers are kept apart, and the side of each."""
NEED_JIRA = frozenset({"projects", "time_zone"})
"""The questions that are put, or judged, by what Jira tells."""
HANG_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "base_url": ("email", "jira_token", "jira_token_expires", "projects"),
    "email": ("jira_token", "jira_token_expires"),
    "jira_token": ("jira_token_expires",),
}
"""What is asked too when one answer is changed."""
