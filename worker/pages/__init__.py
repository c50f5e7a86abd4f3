"""What the worker writes into pages: pure functions from a world and its measures to blocks.

Rows of pages live in `meetings`. A page about a day or a meeting is kept up to date until that day, then it stays as it
was; a failing page is a problem and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

import msgspec
from msgspec.structs import replace

from worker.domain.document import Block
from worker.domain.entities import FIRM, Client
from worker.domain.messages import literal, message, tell
from worker.domain.period_titles import period_name
from worker.domain.periods import (
    Grain,
    Period,
    monday_of,
    month_of,
    next_period,
    previous_period,
    quarter_of,
)
from worker.domain.values import Ref, Value
from worker.errors import Code, Problem, Severity
from worker.method.figures import show_day, show_text
from worker.method.outcome import Outcome
from worker.pages.agenda import write_agenda
from worker.pages.client import write_client
from worker.pages.daily import write_daily
from worker.pages.feedback import write_feedback
from worker.pages.home import write_home
from worker.pages.jira_links import link_keys
from worker.pages.monday import write_cut
from worker.pages.outdated import find_outdated
from worker.pages.portfolio import write_portfolio
from worker.pages.public import (
    PRESENTATION,
    STATUS,
    pages_for,
    public_view,
    write_presentation,
    write_status,
)
from worker.pages.scenario import sum_up, write_scenario
from worker.pages.view import View, look, meeting_ref
from worker.plan.facts import Fact, PageFact, Why
from worker.world.world import HOME, World, client_page

PREPARED = 3
"""Working days before a meeting on which its agenda appears."""


class Page(msgspec.Struct, frozen=True, gc=False):
    """One page to write: its row (None: the row is a person's) and how its blocks are made; one with a `title` is no row,
    is for the eyes of people outside, and leads to nothing of ours. `former` is its row of an earlier release."""

    ref: Ref
    write: Callable[[], tuple[Block, ...]]
    fields: tuple[tuple[str, Value], ...] = ()
    settled: bool = False
    title: str = ""
    former: Ref | None = None


def write_pages(world: World, outcome: Outcome) -> Outcome:
    """Return the outcome with the rows and sections of all pages due today."""
    view = look(world, outcome)
    facts = list(outcome.facts)
    sections = list(outcome.sections)
    problems = list(outcome.problems)
    with_links = link_keys(world)
    for page in _pages(view):
        if not _has_place(world, page):
            continue
        try:
            blocks = page.write()
        except Exception as error:  # noqa: BLE001 - one broken page must not silence the others
            problems.append(_failure(page, error))
            continue
        if blocks:
            why = Why(
                "pages",
                (
                    show_text(world.words.say("page"), page.ref.key),
                    show_day(world.words.say("today"), world.today),
                ),
                world.words.say("the page's section, from what was measured"),
            )
            facts += (Fact(page.ref, name, value, why) for name, value in page.fields)
            if not page.title:
                blocks = with_links(blocks)
            sections.append(
                PageFact(page.ref, blocks, why, page.settled, page.title, page.former)
            )
    return replace(
        outcome,
        facts=tuple(facts),
        sections=tuple(sections),
        problems=tuple(problems),
        outdated=find_outdated(world),
    )


def _has_place(world: World, page: Page) -> bool:
    """Tell whether a page stands somewhere, or can be made."""
    if page.title:
        return HOME in world.places
    return page.ref.source in world.sources or page.ref in world.places


def _failure(page: Page, error: Exception) -> Problem:
    return Problem(
        code=Code.PAGE_FAILED,
        where=literal(page.ref),
        message=tell(
            "the page could not be written: {error}",
            error=f"{type(error).__name__}: {error}",
        ),
        hint=tell("report this; the other pages went on"),
        severity=Severity.ERROR,
    )


def _pages(view: View) -> Iterator[Page]:
    if not (view.world.clients or view.world.cards):
        return  # a page about nobody helps nobody
    for client in view.world.clients.values():
        yield Page(client.ref, partial(write_client, view, client))
        yield from _public(view, client)
    yield Page(
        meeting_ref("portfolio"),
        partial(write_portfolio, view),
        _row(view, "portfolio", view.say("Portfolio")),
    )
    yield Page(HOME, partial(write_home, view))
    for ref, answer in view.measures.answers.items():
        yield Page(
            ref,
            partial(write_scenario, view, answer),
            (("outcome", sum_up(view, answer)),),
        )
    yield from _cuts(view)
    if view.world.calendar.is_working(view.today):
        yield from (_daily(view, unit) for unit in view.world.units)
    yield from _agendas(view)


def _row(
    view: View,
    kind: str,
    title: str,
    *,
    day: date | None = None,
    unit: Ref | None = None,
) -> tuple[tuple[str, Value], ...]:
    name = f"{title} · {view.unit_name(unit)}" if unit else title
    fields: dict[str, Value] = {"name": name, "kind": kind}
    if day is not None:
        fields["date"] = day
    if unit is not None and unit != FIRM:
        fields["unit"] = (unit,)
    return tuple(fields.items())


def _public(view: View, client: Client) -> Iterator[Page]:
    """Yield the pages for the client's eyes, where the client's row asks for them."""
    shown = public_view(view, client)
    titles = pages_for(view, client, shown)
    writers = {
        STATUS: partial(write_status, shown, view.words, view.today),
        PRESENTATION: partial(write_presentation, shown, view.words),
    }
    for kind, title in titles.items():
        yield Page(
            client_page(kind, client.ref),
            writers[kind],
            title=title,
            former=meeting_ref(kind, client.ref.key),
        )


def _cuts(view: View) -> Iterator[Page]:
    """Yield this week's Monday cuts, kept up to date on the first working day of the week only."""
    monday = monday_of(view.today)
    is_over = view.today > view.world.calendar.add(monday, 0)
    for unit in (*view.world.units, FIRM):
        yield Page(
            meeting_ref("monday", unit.key, monday.isoformat()),
            partial(write_cut, view, unit, monday),
            _row(
                view,
                "monday_cut",
                view.say("Monday snapshot {day}", day=view.date(monday)),
                day=monday,
                unit=unit,
            ),
            is_over,
        )


def _daily(view: View, unit: Ref) -> Page:
    title = view.say("Daily stand-up {day}", day=view.date(view.today))
    return Page(
        meeting_ref("daily", unit.key, view.today.isoformat()),
        partial(write_daily, view, unit),
        _row(view, "daily", title, day=view.today, unit=unit),
    )


def _agendas(view: View) -> Iterator[Page]:
    """Yield the agendas of the meetings that open the next month, and the next quarter when it begins then."""
    for period in _coming_periods(view):
        meeting = view.world.calendar.add(period.start, 0)
        prepared = view.world.calendar.add(meeting, -PREPARED)
        if prepared <= view.today <= meeting:
            yield from (
                _agenda(view, unit, period, meeting) for unit in view.world.units
            )
            if period.grain is Grain.QUARTER and view.measures.feedback is not None:
                yield _review(view, previous_period(period), meeting)


def _coming_periods(view: View) -> Iterator[Period]:
    """Yield the periods whose meeting may be near: quarterly meetings take the place of that month's."""
    month = month_of(view.today)
    for period in (month, next_period(month)):
        yield (
            quarter_of(period.start)
            if period.start == quarter_of(period.start).start
            else period
        )


def _review(view: View, past: Period, meeting: date) -> Page:
    """Return the private page on a quarter's feedback: a data source of its own, so that nothing else leads to it."""
    title = view.say("Feedback · {period}", period=period_name(past, view.words))
    return Page(
        Ref("reviews", f"review:{past.code}"),
        partial(write_feedback, view, past),
        (("name", title), ("date", meeting)),
    )


MEETINGS = {
    "quarterly": message("Quarterly meeting"),
    "monthly": message("Monthly meeting"),
}


def _agenda(view: View, unit: Ref, period: Period, meeting: date) -> Page:
    kind = "quarterly" if period.grain is Grain.QUARTER else "monthly"
    name = view.say(MEETINGS[kind])
    dates = period_name(period, view.words)
    title = f"{name} · {dates}"
    return Page(
        meeting_ref(kind, unit.key, period.code),
        partial(write_agenda, view, unit, period),
        _row(view, kind, title, day=meeting, unit=unit),
    )
