"""The settings of a workspace as values: what may be set, its unit and its default.

This module only says what a configuration is; `worker.app` loads it. Every model refuses unknown keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, time
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Annotated, Literal, LiteralString

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """A frozen settings table; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _take_nothing_for_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuse what the library would turn into something that nobody wrote: true into 1, 25 into 25 seconds past
        midnight."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and kind is not bool:
            raise _refuse("switch_as_value")
        if isinstance(value, int | float) and kind is time:
            raise _refuse("time_type")
        return value


def _refuse(kind: LiteralString, **values: object) -> PydanticCustomError:
    """Return what a validator raises; who loads a configuration has the sentence for each kind."""
    return PydanticCustomError(kind, kind, values)


# The upper ends only keep dates and sleeps within what the machine can count, and tell a slip of the finger.
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Some = Annotated[int, Field(ge=1, le=1_000_000)]
Year = Annotated[int, Field(ge=1900, le=9999)]
Days = Annotated[int, Field(ge=1, le=3660)]
Weeks = Annotated[int, Field(ge=1, le=520)]
Months = Annotated[int, Field(ge=1, le=120)]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Ratio = Annotated[Decimal, Field(ge=0, le=10)]
Points = Annotated[Decimal, Field(ge=0, le=100)]
Grade = Annotated[Decimal, Field(ge=1, le=5)]
Amount = Annotated[Decimal, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=366 * 86_400, allow_inf_nan=False)]
Timeout = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class Band(Model):
    """Two anchors of a colour: at or above `green` is green, at or above `amber` amber, else red."""

    green: Points
    amber: Points

    @model_validator(mode="after")
    def _stand_in_order(self) -> Band:
        if self.amber > self.green:
            raise _refuse("above", low="amber", high="green")
        return self


def _up_to(most: int) -> Callable[[Band], Band]:
    def check(band: Band) -> Band:
        if band.green > most:
            raise _refuse("band_too_high", most=most)
        return band

    return check


ShareBand = Annotated[Band, AfterValidator(_up_to(1))]
RatioBand = Annotated[Band, AfterValidator(_up_to(10))]


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in known:
            raise _refuse("unknown_name", known=", ".join(known))
        return name

    return check


BonusRole = Literal["am", "pm", "tl"]
BONUS_SHARES: dict[BonusRole, Decimal] = {
    "am": Decimal("0.4"),
    "pm": Decimal("0.3"),
    "tl": Decimal("0.3"),
}


ANCHORS: dict[str, tuple[Decimal, Decimal]] = {
    "overdue": (Decimal("0.3"), Decimal(0)),
    "reopened": (Decimal("0.2"), Decimal(0)),
    "defects": (Decimal("0.4"), Decimal("0.1")),
    "defect_age": (Decimal(60), Decimal(7)),
    "pace": (Decimal("0.5"), Decimal(1)),
    "burn_ahead": (Decimal("0.3"), Decimal(0)),
    "realisation": (Decimal("0.5"), Decimal(1)),
    "horizon_weeks": (Decimal(0), Decimal(13)),
    "contact_days": (Decimal(30), Decimal(7)),
    "feedback": (Decimal(2), Decimal(5)),
    "requests_late": (Decimal(3), Decimal(0)),
    "load": (Decimal("1.5"), Decimal("1.1")),
}
WEIGHTS: dict[str, Decimal] = {
    "delivery": Decimal(3),
    "quality": Decimal(2),
    "money": Decimal(2),
    "ray": Decimal(2),
    "relations": Decimal(2),
    "team": Decimal(1),
    "risks": Decimal(1),
}
UTILIZATION_TARGETS: dict[str, Decimal] = {
    "developer": Decimal("0.8"),
    "designer": Decimal("0.75"),
    "qa": Decimal("0.75"),
    "analyst": Decimal("0.7"),
    "tl": Decimal("0.6"),
    "pm": Decimal("0.5"),
}
"""The share of effective capacity that billable hours should come to, by role (docs/facts/definitions.md 2)."""

CHANCES: dict[str, Decimal] = {"proposal": Decimal("0.5"), "agreed": Decimal(1)}
"""How probable the work of a card is in each of the stages that count as sought."""


class Thresholds(Model):
    """Every number a rule compares with; shares are 0..1, spans in the unit of their name."""

    estimate_share: Share = Decimal("0.8")
    throughput_weeks: Weeks = 12
    scope_weeks: Weeks = 4
    scope_minimum: Some = 10
    forecast_draws: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    forecast_minimum: Some = 10
    burst_items: Some = 10
    burst_times: Some = 5
    health_coverage: Share = Decimal("0.6")
    health: Band = Band(green=Decimal(75), amber=Decimal(50))
    health_weights: dict[Annotated[str, AfterValidator(_one_of(WEIGHTS))], Amount] = (
        Field(default_factory=lambda: dict(WEIGHTS))
    )
    veto_days: Days = 30
    veto_risk: Annotated[int, Field(ge=1, le=26)] = 20
    on_time: ShareBand = Band(green=Decimal("0.8"), amber=Decimal("0.5"))
    spi: RatioBand = Band(green=Decimal("0.95"), amber=Decimal("0.85"))
    spi_muted_share: Share = Decimal("0.15")
    pace: RatioBand = Band(green=Decimal("0.95"), amber=Decimal("0.75"))
    pace_muted_share: Share = Decimal("0.15")
    carry_over: Literal["spread", "next_week", "none"] = "spread"
    close_days: Annotated[int, Field(ge=0, le=60)] = 10
    carry_days: Annotated[int, Field(ge=0, le=31)] = 5
    pace_days: Days = 20
    stalled_days: Days = 14
    ageing_days: Days = 5
    no_contact_days: Days = 14
    ray_lead_weeks: Annotated[int, Field(ge=0, le=520)] = 8
    ray_chance: Share = Decimal("0.4")
    ray_ideas: Count = 2
    graduation_people: Some = 3
    graduation_hours: Annotated[Decimal, Field(gt=0, le=168)] = Decimal(8)
    graduation_weeks: Weeks = 2
    graduation_window: Weeks = 4
    graduation_months: Months = 3
    silent_months: Months = 3
    revolution_months: Months = 18
    daily_days: Annotated[int, Field(ge=0, le=3660)] = 30
    white_spots: Count = 3
    effect_weeks: Weeks = 8
    loyalty_months: Months = 12
    am_accounts: Some = 2
    am_load: Annotated[Decimal, Field(gt=0, le=10)] = Decimal(1)
    next_step_days: Days = 14
    tasks_per_client: Count = 5
    tasks_per_person: Count = 5
    carries_to_hoa: Some = 3
    risk_gone_days: Days = 2
    sprint_weeks: Annotated[int, Field(ge=1, le=4)] = 2
    default_rate: Amount | None = None
    producing_roles: tuple[str, ...] = ("tl", "developer", "designer", "qa", "analyst")
    utilization_weeks: Annotated[int, Field(ge=1, le=12)] = 4
    utilization_targets: dict[str, Share] = Field(
        default_factory=lambda: dict(UTILIZATION_TARGETS)
    )
    overload: Ratio = Decimal("1.1")
    underload: Ratio = Decimal("0.7")
    load_weeks: Annotated[int, Field(ge=1, le=8)] = 2
    hiring_lead_weeks: Annotated[int, Field(ge=0, le=26)] = 6
    logs_share: Share = Decimal("0.8")
    ripple_share: Share = Decimal("0.5")
    ripple_days: Count = 3
    ripple_weeks: Annotated[int, Field(ge=1, le=26)] = 8
    subtask_estimates: Literal["replace", "add"] = "replace"
    undated_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    service_lead_weeks: Annotated[Decimal, Field(ge=0, le=520)] = Decimal(8)
    stage_probability: dict[Annotated[str, AfterValidator(_one_of(CHANCES))], Share] = (
        Field(default_factory=lambda: dict(CHANCES))
    )
    next_quarter_days: Annotated[int, Field(ge=0, le=92)] = 10
    overdue_share: Share = Decimal("0.2")
    moved_days: Days = 14
    feedback_low: Grade = Decimal(2)
    feedback_entries: Annotated[int, Field(ge=2, le=1000)] = 3
    feedback_days: Days = 90
    concentration_share: Share = Decimal("0.25")
    units_share: Share = Decimal("0.8")
    mix_drift: Share = Decimal("0.1")
    win_months: Months = 12
    over_servicing: Ratio = Decimal("0.2")
    budget_warning: Share = Decimal("0.75")
    rollover_months: Annotated[int, Field(ge=0, le=120)] = 1
    unbilled_days: Annotated[int, Field(ge=0, le=3660)] = 5
    unbilled_months: Months = 12
    late_days: Annotated[int, Field(ge=0, le=3660)] = 30
    left_months: Months = 3
    ltv_months: Months = 12
    trend_weeks: Weeks = 4
    trend_points: Points = Decimal(5)
    revenue_basis: Literal["recognised", "billed", "paid"] = "recognised"
    bonus_base: Literal["paid", "invoiced", "recognised"] = "recognised"
    bonus_shares: dict[BonusRole, Amount] = Field(
        default_factory=lambda: dict(BONUS_SHARES)
    )
    scope_growth: Ratio = Decimal("0.2")
    burn_ahead: Share = Decimal("0.15")
    carrier_share: Share = Decimal("0.6")
    carrier_hours: Amount = Decimal(40)
    carrier_items: Count = 5
    quality_growth: Ratio = Decimal("0.5")
    quality_weeks: Weeks = 4
    quality_items: Count = 5
    stale_days: Days = 3
    no_partner_days: Days = 60
    contract_days: Days = 60
    rate_days: Days = 365
    blocked_statuses: tuple[str, ...] = (
        "blocked",
        "on hold",
        "impediment",
        "заблокировано",
        "заблокирована",
        "заблокирован",
        "на паузе",
        "блокер",
    )
    defect_types: tuple[str, ...] = ("bug", "defect", "баг", "ошибка", "дефект")
    health_anchors: dict[
        Annotated[str, AfterValidator(_one_of(ANCHORS))], tuple[Amount, Amount]
    ] = Field(default_factory=lambda: dict(ANCHORS))
    """Anchors (worst, best) of the linear health factors: worst scores 0, best 100 (docs/facts/definitions.md 12)."""

    @field_validator("health_anchors")
    @classmethod
    def _keep_usual_anchors(
        cls, given: dict[str, tuple[Decimal, Decimal]]
    ) -> dict[str, tuple[Decimal, Decimal]]:
        """Keep the anchors a configuration does not name; two that are the same would have no line between them."""
        flat = [name for name, (worst, best) in given.items() if worst == best]
        if flat:
            raise _refuse("same_anchors", names=", ".join(flat))
        return {**ANCHORS, **given}

    @field_validator("utilization_targets")
    @classmethod
    def _keep_usual_targets(cls, given: dict[str, Decimal]) -> dict[str, Decimal]:
        """Keep the targets of the roles that a configuration does not name."""
        return {**UTILIZATION_TARGETS, **given}

    @field_validator("health_weights")
    @classmethod
    def _weigh_something(cls, given: dict[str, Decimal]) -> dict[str, Decimal]:
        if given and not any(given.values()):
            raise _refuse("no_weight")
        return given

    @model_validator(mode="after")
    def _fit_together(self) -> Thresholds:
        for low, high in (
            ("underload", "overload"),
            ("graduation_weeks", "graduation_window"),
        ):
            if getattr(self, low) > getattr(self, high):
                raise _refuse("above", low=low, high=high)
        return self


class QuarterTargets(Model):
    """Where quarter targets come from when people pinned none: `growth` (a share over last quarter's fact),
    `contracts` (what monthly fees and dated budgets are to earn) or `none`."""

    policy: Literal["growth", "contracts", "none"] = "contracts"
    growth: Annotated[Decimal, Field(ge=-1, le=10)] = Decimal("0.1")


class Holidays(Model):
    """The production calendar: a country's holidays (`RU`) or a region's (`DE-BY`), with the company's own days off and
    working weekends. `decreed` are years whose moved days stand among these."""

    country: str = "RU"
    days_off: tuple[date, ...] = ()
    days_on: tuple[date, ...] = ()
    decreed: tuple[Year, ...] = ()


class Schedule(Model):
    """When the daemon runs cycles: `delta` and `full` beats in seconds, outside of working hours and on days off `quiet`
    in place of `delta`; `nightly` (everything is read), `daily` and `monday` by local wall clock;
    no run takes longer than `run_limit` seconds, and one that gives no sign of life for `lease` is taken over."""

    delta: Seconds = 300
    full: Seconds = 6 * 3600
    quiet: Seconds = 1800
    work_from: time = time(7, 0)
    work_to: time = time(21, 0)
    nightly: time = time(3, 30)
    daily: time = time(8, 30)
    monday: time = time(8, 0)
    run_limit: Seconds = 3600
    lease: Seconds = 180


class Limits(Model):
    """Guards before any write: `destructive_share` of a data source's managed rows, from `floor` rows on."""

    destructive_share: Share = Decimal("0.3")
    floor: Count = 10
    changes: Some = 2_000


class Connection(Model):
    """The way to a service, whichever it is: its address, a token, whom its certificate is checked by, and the proxy.

    `ca_file` holds certificates (PEM) trusted beside the usual ones; `proxy`, or the file `proxy_file`, is an address that
    may hold a name and a password. With `trust_env` the variables HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE,
    REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE count too, never a .netrc. `token_expires` is the last day of the token, as the
    one who made it wrote it down: no service tells it (docs/facts/jira-api.md 4).
    """

    base_url: str = ""
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    token_expires: date | None = None
    ca_file: Path | None = None
    proxy: SecretStr = SecretStr("")
    proxy_file: Path | None = None
    trust_env: bool = False
    timeout: Timeout = 65.0


NARROWEST, WIDEST = 4, 16
"""How many requests run at a time, whatever the budget; as many connections are kept."""
GRANTED, SPARE = 10.0, 1.25


class NotionSettings(Connection):
    """How to reach Notion. Data sources marked private stand under `private_root_page_id` alone (empty: there are
    none), which only the people who may see them share. `requests` per `window` seconds is the plan's budget (180 or
    600 a minute), `width` how many requests run at a time (None: as many as spend the budget)."""

    base_url: str = "https://api.notion.com"
    version: Literal["2025-09-03", "2026-03-11"] = "2026-03-11"
    root_page_id: str = ""
    private_root_page_id: str = ""
    requests: Annotated[int, Field(ge=1)] = 180
    window: Timeout = 60.0
    width: Annotated[int, Field(ge=1, le=WIDEST)] | None = None
    settle: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 180.0

    def side_by_side(self, latency: Callable[[], float]) -> int:
        """Return how many requests are to run at a time while an answer takes `latency` seconds.

        Little's law, with some to spare: a rate of requests times the time of each is how many are under way. Notion
        grants no more than `GRANTED` a second (docs/facts/notion-api.md 2.1).
        """
        if self.width is not None:
            return self.width
        rate = min(self.requests / self.window, GRANTED)
        return min(WIDEST, max(NARROWEST, ceil(rate * latency() * SPARE)))


ProjectName = Annotated[
    str,
    Field(pattern=r"^\s*([A-Za-z][A-Za-z0-9_]{1,79}|[0-9]{1,18})\s*$"),
    AfterValidator(lambda name: name.strip().upper()),
]
"""The key or the id of a Jira project."""


class JiraSettings(Connection):
    """How to reach Jira: Cloud by `email` and API `token`, Data Center by a personal access `token` alone.

    Only of `projects`, by key or id, is anything read; without that list of all that the account sees.
    """

    deployment: Literal["cloud", "datacenter"] = "cloud"
    email: str = ""
    projects: tuple[ProjectName, ...] | None = None


class Webhooks(Model):
    """Where the secrets of those stand who may tell of changes; without a file nobody of that kind is heard. Notion's own
    token is written there by its handshake."""

    notion_token_file: Path | None = None
    jira_secret_file: Path | None = None
    button_secret_file: Path | None = None


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Maintenance(Model):
    """A window in which nothing runs on a schedule and nobody is alerted, by local wall clock: on `days` from `start` to
    `end`; one that ends before it starts ends on the next day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEKDAYS
    start: time
    end: time
    reason: str = ""

    @model_validator(mode="after")
    def _last_some_time(self) -> Maintenance:
        if self.start == self.end:
            raise ValueError("start and end must differ")
        return self


class Alerts(Model):
    """Who is told when a workspace is not well, and when.

    `targets` (or the file `targets_file`) has a line for each: an address of Apprise, or `UNIT = ADDRESS` for the pages
    of a unit (`* = ADDRESS`: of every one), which are named in `cuts`. `heartbeat_url` is pinged around each run. In
    seconds: `failing` for how long runs may fail (or `failures` in a row), `stale` and `absent` the age of what was read
    and of the last run, `steady` for how long it must be well to be told so, `gather` what is told in one message,
    `remind` how often what stays critical is told again. Between `quiet_from` and `quiet_to` (local) only what is
    critical is told, with `critical_in_quiet`. `console_url` is where links lead.
    """

    targets: SecretStr = SecretStr("")
    targets_file: Path | None = None
    heartbeat_url: SecretStr = SecretStr("")
    heartbeat_url_file: Path | None = None
    console_url: str = ""
    failures: Some = 3
    failing: Seconds = 900
    stale: Seconds = 3600
    absent: Seconds = 3600
    steady: Seconds = 300
    gather: Seconds = 60
    remind: Seconds = 86_400
    token_days: Days = 14
    quiet_from: time | None = None
    quiet_to: time | None = None
    critical_in_quiet: bool = True
    cuts: tuple[Literal["daily", "monday"], ...] = ("daily", "monday")

    @model_validator(mode="after")
    def _begin_and_end(self) -> Alerts:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet_from and quiet_to belong together")
        return self


class Workspace(Model):
    """One Notion workspace with its Jira site. Without `alerts` of its own those of the whole configuration count."""

    locale: Literal["en", "ru"] = "en"
    time_zone: str = "Europe/Moscow"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "RUB"
    calendar: Holidays = Holidays()
    notion: NotionSettings = NotionSettings()
    jira: JiraSettings = JiraSettings()
    targets: QuarterTargets = QuarterTargets()
    thresholds: Thresholds = Thresholds()
    schedule: Schedule = Schedule()
    limits: Limits = Limits()
    webhooks: Webhooks = Webhooks()
    alerts: Alerts | None = None
    maintenance: tuple[Maintenance, ...] = ()
    mappings: Path | None = None


class ConsolePerson(Model):
    """Who may sign in to the console: a `viewer` looks, an `operator` acts too. The token stands here, in a file of its
    own, or only as its SHA-256 (hexadecimal); who comes through a trusted proxy needs none."""

    role: Literal["viewer", "operator"] = "viewer"
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    token_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


def _listens(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 65_536):
        raise _refuse("no_address")
    return address


class ConsoleSettings(Model):
    """The console: where it listens, by which further names browsers may call it, and who may sign in.

    `https`: browsers reach it through a proxy that encrypts. `user_header` names the header in which a proxy that signs
    people in says who they are; it is believed from the addresses of `proxies` alone. `open_metrics`: /metrics asks for
    no token. Of `feed_key`, or of what stands in `feed_key_file`, the addresses of calendars come; without it there are
    none.
    """

    listen: Annotated[str, AfterValidator(_listens)] = "127.0.0.1:8787"
    hosts: tuple[str, ...] = ()
    https: bool = False
    open_metrics: bool = False
    user_header: str = ""
    proxies: tuple[str, ...] = ()
    people: dict[str, ConsolePerson] = Field(default_factory=dict)
    feed_key: SecretStr = SecretStr("")
    feed_key_file: Path | None = None
