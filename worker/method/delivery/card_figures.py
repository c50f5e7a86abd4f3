"""The figures behind every field of a card (docs/method.md 1.1): those that the field's own formula names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from worker.domain.entities import Card, CardWork, Issue
from worker.domain.messages import message, stage_label
from worker.domain.words import Words
from worker.method.delivery.completion import new_a_week
from worker.method.figures import show_day, show_money, show_number, show_text
from worker.method.formulas.flow import ACTIVE, DONE, HOUR
from worker.method.measures import CardMeasure
from worker.plan.facts import Input
from worker.world.world import World

MOST_ITEMS = 20
"""Items that a reason names; of more it names the first and says how many there are."""

NAMED: Mapping[str, str] = {
    "progress": "work_done all_work rejected",
    "done_total": "measured_by work_done all_work finished items",
    "scope_change": "work_added work_gone work_before",
    "p50": "open finished_a_week history bursts coming lenders",
    "p85": "open finished_a_week history bursts coming lenders",
    "on_time": "open finished_a_week history bursts coming lenders due",
    "spi": "earned_days actual_days",
    "burn": "hours worth budget",
    "hours": "time_spent logged",
    "overdue": "overdue",
    "blocked": "blocked",
    "wip": "in_progress",
    "last_activity": "changed logs",
    "health": "stage due chance spi late open",
    "why": "chance p85 spi late open new rejected bursts",
    "due": "jira_due due_last",
}
"""The figures of each field, in the order in which its formula names them."""

MEASURES = {"estimate": message("by estimate"), "count": message("by count")}
LINKS = {
    "project": message("project"),
    "epic": message("epic"),
    "issue": message("issue"),
    "filter": message("filter"),
    "board": message("board"),
    "jql": message("query"),
}
KIND = re.compile(rf"(?:^|(?<=, ))(?:{'|'.join(LINKS)})(?= )")
"""What each link of a card is, as it is told after it was resolved."""

Figures = Mapping[str, Input]
"""What is known of one card, by the names above."""


def choose(field: str, figures: Figures) -> tuple[Input, ...]:
    """Return the figures of a field, as far as they are known."""
    names = ("link", *NAMED.get(field, "").split())
    return tuple(figures[name] for name in names if name in figures)


def list_figures(card: Card, measure: CardMeasure, world: World) -> Figures:
    """Return all figures of a card."""
    work = world.work.get(card.ref)
    say = world.words.say
    stage = Input(say("stage"), stage_label(card.stage, world.words))
    if work is None or not work.link:
        link = Input(say("Jira link"), card.jira or "-", card.url)
        return {"link": link, "stage": stage}
    return {
        "link": Input(say("Jira link"), _told(work, world.words), card.url),
        "stage": stage,
        **_scope(measure, world.words),
        **_speed(measure, world.words),
        **_other_paces(measure, world),
        **_effort(card, work, measure, world=world),
        **_items(work, measure, world),
        **_state(measure, world.words),
    }


def _told(work: CardWork, words: Words) -> str:
    """Return what a card's link was read as, with what is to be known of it."""
    link = KIND.sub(lambda kind: words.say(LINKS[kind[0]]), work.link)
    if work.others is None:
        return link
    return words.say(
        "{link}, an ordinary issue with its sub-tasks; its project has {count} more",
        link=link,
        count=work.others,
    )


def _scope(measure: CardMeasure, words: Words) -> Figures:
    say = words.say
    added = measure.work_added
    gone = measure.work_gone
    before = measure.work_total - added + gone
    figures = {
        "measured_by": Input(say("measured by"), say(MEASURES[measure.by])),
        "work_done": show_number(say("work done"), measure.work_done, words),
        "all_work": show_number(say("all work"), measure.work_total, words),
        "finished": show_text(say("finished issues"), measure.done),
        "items": show_text(say("issues"), measure.total),
        "work_added": show_number(say("work added"), added, words),
        "work_gone": show_number(say("work rejected"), gone, words),
        "work_before": show_number(say("work known before"), before, words),
        "new": show_text(say("new issues"), measure.new_items),
    }
    if measure.rejected:
        figures["rejected"] = show_text(say("rejected issues"), measure.rejected)
    return figures


def _speed(measure: CardMeasure, words: Words) -> Figures:
    say = words.say
    earned = measure.earned_days
    figures = {
        "open": show_text(say("open issues"), measure.open),
        "finished_a_week": show_number(
            say("finished a week"), measure.throughput, words
        ),
        "history": show_text(
            say("finished issues that tell of speed"), measure.history
        ),
        "earned_days": show_number(
            say("earned schedule, working days"), earned, words, digits=4
        ),
        "actual_days": show_text(say("actual time, working days"), measure.actual_days),
    }
    if measure.bursts:
        days = (f"{burst.items} ({burst.day})" for burst in measure.bursts)
        figures["bursts"] = Input(say("finished at once"), ", ".join(days))
    return figures


def _other_paces(measure: CardMeasure, world: World) -> Figures:
    """Return what a forecast rests on beside the card's own pace."""
    say = world.words.say
    figures = {}
    coming = new_a_week(measure.flow)
    if coming is not None:
        figures["coming"] = show_number(say("new a week"), coming, world.words)
    if measure.lenders:
        names = (world.cards[ref].name for ref in measure.lenders)
        figures["lenders"] = Input(say("pace of"), ", ".join(names))
    return figures


def _effort(
    card: Card, work: CardWork, measure: CardMeasure, *, world: World
) -> Figures:
    words = world.words
    say = words.say
    issues = (*work.issues, *work.rejected)
    spent = sum(max(issue.spent or 0, 0) for issue in issues)
    logged = sum(log.seconds for log in work.worklogs)
    return {
        "hours": show_number(say("hours spent"), measure.hours, words),
        "worth": show_money(say("worth at standard rates"), measure.worth, words),
        "budget": show_money(say("budget"), card.budget, words),
        "time_spent": show_number(say("time spent, h"), spent / HOUR, words),
        "logged": show_number(say("in time logs, h"), logged / HOUR, words),
        "logs": show_text(say("time logs"), len(work.worklogs)),
    }


def _items(work: CardWork, measure: CardMeasure, world: World) -> Figures:
    say = world.words.say
    today = world.today
    blocking = {name.casefold() for name in world.thresholds.blocked_statuses}
    late: list[Issue] = []
    blocked: list[Issue] = []
    active: list[Issue] = []
    last: list[Issue] = []
    for issue in work.issues:
        if issue.category == DONE:
            continue
        if issue.due is not None and issue.due < today:
            late.append(issue)
        if issue.due is not None and issue.due == measure.jira_due:
            last.append(issue)
        if issue.flagged or issue.status.casefold() in blocking:
            blocked.append(issue)
        if issue.category == ACTIVE:
            active.append(issue)
    changed = max(work.issues, key=_changed, default=None)
    return {
        "overdue": Input(say("overdue issues"), _keys(late)),
        "blocked": Input(say("blocked issues"), _keys(blocked)),
        "in_progress": Input(say("issues in progress"), _keys(active)),
        "due_last": Input(say("due last"), _keys(last)),
        "changed": Input(say("last changed issue"), changed.key if changed else "-"),
    }


def _changed(issue: Issue) -> tuple[datetime, str]:
    return issue.updated, issue.key


def _keys(issues: Iterable[Issue]) -> str:
    """Return how many items there are, and which."""
    keys = sorted(issue.key for issue in issues)
    named = ", ".join(keys[:MOST_ITEMS])
    if not keys:
        return "0"
    if len(keys) > MOST_ITEMS:
        named += ", …"
    return f"{len(keys)}: {named}"


def _state(measure: CardMeasure, words: Words) -> Figures:
    say = words.say
    end = None
    if measure.forecast is not None:
        end = measure.forecast.p85
    return {
        "due": show_day(say("due"), measure.due),
        "jira_due": show_day(say("due date in Jira"), measure.jira_due),
        "chance": show_number(say("On-time chance"), measure.on_time, words, digits=4),
        "p85": show_day("P85", end),
        "spi": show_number("SPI(t)", measure.spi_t, words, digits=2),
        "late": show_text(say("overdue issues"), measure.overdue),
    }
