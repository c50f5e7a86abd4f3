"""A plan as people read a diff: by board and page, each field with before, after and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from worker.domain.messages import message
from worker.domain.values import Ref, Span, Unset, Value
from worker.domain.words import Words
from worker.mapping.schema import Property, Schema
from worker.plan.facts import Input, Why
from worker.plan.inputs import say_figure
from worker.plan.plan import Change, FieldChange, Kept, Kind, Plan
from worker.world.world import HOME

NONE = "—"
MOST_TEXT = 600
"""Signs of a value that are shown."""
KINDS = {
    Kind.CREATE: message("created"),
    Kind.UPDATE: message("updated"),
    Kind.SECTION: message("section"),
    Kind.ARCHIVE: message("archived"),
}


class FieldDiff(msgspec.Struct, frozen=True):
    """One field: what stood, what is to stand, and why. `before` is empty where the row is new."""

    label: str
    before: str
    after: str
    rule: str
    formula: str = ""
    threshold: str = ""
    inputs: tuple[Input, ...] = ()
    drift: bool = False


class PageDiff(msgspec.Struct, frozen=True):
    """One page: `body` is the section that is written into it, `why` says why it is taken away where its time is over.
    Of a `private` row only that it changes is told; its `key` names it, of rows without a title too."""

    kind: Kind
    title: str
    url: str
    fields: tuple[FieldDiff, ...] = ()
    body: str = ""
    private: bool = False
    key: str = ""
    why: str = ""


class BoardDiff(msgspec.Struct, frozen=True):
    """The pages of one board that change."""

    title: str
    pages: tuple[PageDiff, ...]


class KeptValue(msgspec.Struct, frozen=True):
    """A person's value that stands against the worker's."""

    title: str
    url: str
    label: str
    people: str
    worker: str
    conflict: bool
    ref: str
    private: bool = False


class PlanDiff(msgspec.Struct, frozen=True):
    """A whole plan for a reader."""

    checksum: str
    counts: dict[str, int]
    boards: tuple[BoardDiff, ...]
    kept: tuple[KeptValue, ...]


class Reader(msgspec.Struct, frozen=True):
    """Who reads: the schema names things, `words` and `zone` say values, `page_url` finds a page, `names` a row's title."""

    schema: Schema
    words: Words
    zone: ZoneInfo
    page_url: Callable[[str], str]
    names: Mapping[Ref, str] = msgspec.field(default_factory=dict)

    def read_plan(self, plan: Plan) -> PlanDiff:
        """Return a plan as its reader sees it; private rows say nothing of themselves."""
        boards: dict[str, list[PageDiff]] = {}
        for change in plan.changes:
            boards.setdefault(change.ref.source, []).append(self._page(change))
        titles = {change.ref: change.title for change in plan.changes}
        return PlanDiff(
            plan.checksum(),
            plan.counts(),
            tuple(
                BoardDiff(self.title_of(source), tuple(pages))
                for source, pages in boards.items()
            ),
            tuple(self._kept(kept, titles.get(kept.ref, "")) for kept in plan.kept),
        )

    def say_value(self, value: Value | Unset, of: Property | None = None) -> str:
        """Return a value as its property shows it."""
        match value:
            case None | "" | () | Unset():
                return NONE
            case bool():
                return self.words.say("yes") if value else self.words.say("no")
            case Decimal():
                return self._number(value, of)
            case datetime():
                local = value.astimezone(self.zone)
                return f"{self.words.date(local.date())}, {local:%H:%M}"
            case date():
                return self.words.date(value)
            case Span():
                return f"{self.words.date(value.start)} – {self.words.date(value.end)}"
            case tuple():
                return ", ".join(self._item(item, of) for item in value)
        return _cut(self._option(value, of))

    def _item(self, item: Ref | str, of: Property | None) -> str:
        if isinstance(item, Ref):
            return self.names.get(item) or item.key[:24]
        return self._option(item, of)

    def _number(self, value: Decimal, of: Property | None) -> str:
        match of.format if of else "":
            case "money":
                return self.words.money(value)
            case "percent":
                return self.words.share(value)
        return self.words.number(value, 2)

    def _option(self, text: str, of: Property | None) -> str:
        labels = {option.key: option.label for option in of.options} if of else {}
        label = labels.get(text)
        return label.get(self.words.locale, text) if label else text

    def title_of(self, source: str) -> str:
        """Return how a board is called."""
        known = self.schema.sources.get(source)
        if known is not None:
            return known.title[self.words.locale]
        return self.words.say("Pages") if source == HOME.source else source

    def _property(self, source: str, name: str) -> Property | None:
        known = self.schema.sources.get(source)
        return known.properties.get(name) if known else None

    def label_of(self, source: str, name: str) -> str:
        """Return how a column is headed."""
        known = self._property(source, name)
        return known.label[self.words.locale] if known else name

    def _url(self, page_id: str) -> str:
        return self.page_url(page_id) if page_id else ""

    def _page(self, change: Change) -> PageDiff:
        url = self._url(change.page_id)
        source = change.ref.source
        if self.schema.is_private(source):
            labels = (self.label_of(source, field.field) for field in change.fields)
            hidden = tuple(FieldDiff(label, "", "", "") for label in labels)
            key = change.ref.key
            return PageDiff(change.kind, "", url, hidden, private=True, key=key)
        is_new = change.kind is Kind.CREATE
        title = change.title or change.ref.key
        fields = (self._field(change, each, is_new=is_new) for each in change.fields)
        why = change.why.formula if change.why else ""
        return PageDiff(change.kind, title, url, tuple(fields), change.body, why=why)

    def say_inputs(self, why: Why, ref: Ref, title: str = "") -> tuple[Input, ...]:
        """Return the figures behind a value of a row as its reader says them; `title` is how the row is called."""
        called = title or self.names.get(ref, "")
        return tuple(
            replace(
                figure,
                value=say_figure(
                    figure.value,
                    ref,
                    title=called,
                    schema=self.schema,
                    words=self.words,
                    zone=self.zone,
                ),
            )
            for figure in why.inputs
        )

    def _field(self, row: Change, change: FieldChange, *, is_new: bool) -> FieldDiff:
        source = row.ref.source
        known = self._property(source, change.field)
        why: Why = change.why
        return FieldDiff(
            label=self.label_of(source, change.field),
            before="" if is_new else self.say_value(change.before, known),
            after=self.say_value(change.after, known),
            rule=why.rule,
            formula=why.formula,
            threshold=why.threshold,
            inputs=self.say_inputs(why, row.ref, row.title),
            drift=change.drift,
        )

    def _kept(self, kept: Kept, title: str) -> KeptValue:
        source = kept.ref.source
        label = self.label_of(source, kept.field)
        url = self._url(kept.page_id)
        board = self.title_of(source)
        if self.schema.is_private(source):
            return KeptValue(
                board, url, label, "", "", kept.conflict, str(kept.ref), private=True
            )
        known = self._property(source, kept.field)
        return KeptValue(
            title or self.names.get(kept.ref, "") or board,
            url,
            label,
            self.say_value(kept.current, known),
            self.say_value(kept.desired, known),
            kept.conflict,
            str(kept.ref),
        )


def conflicts(kept: Iterable[KeptValue]) -> tuple[KeptValue, ...]:
    """Return what people set while the source moved too."""
    return tuple(value for value in kept if value.conflict)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"
