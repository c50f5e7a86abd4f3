"""The settings of a workspace as values: what may be set, its unit and its default.

This module only says what a configuration is; `worker.app` loads it. Every model refuses unknown keys.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class Model(BaseModel):
    """A frozen settings table; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(Model):
    """Two anchors of a colour: at or above `green` is green, at or above `amber` amber, else red."""

    green: Decimal
    amber: Decimal


BonusRole = Literal["am", "pm", "tl"]
BONUS_SHARES: dict[BonusRole, Decimal] = {"am": Decimal("0.4"), "pm": Decimal("0.3"), "tl": Decimal("0.3")}


ANCHORS: dict[str, tuple[Decimal, Decimal]] = {
    "overdue": (Decimal("0.3"), Decimal(0)), "reopened": (Decimal("0.2"), Decimal(0)),
    "defects": (Decimal("0.4"), Decimal("0.1")), "defect_age": (Decimal(60), Decimal(7)),
    "pace": (Decimal("0.5"), Decimal(1)), "burn_ahead": (Decimal("0.3"), Decimal(0)),
    "horizon_weeks": (Decimal(0), Decimal(13)), "contact_days": (Decimal(30), Decimal(7)),
    "feedback": (Decimal(2), Decimal(5)), "requests_late": (Decimal(3), Decimal(0)),
    "load": (Decimal("1.5"), Decimal("1.1"))}


class Thresholds(Model):
    """Every number a rule compares with; shares are 0..1, spans in the unit of their name."""

    estimate_share: Decimal = Decimal("0.8")
    throughput_weeks: int = 12
    scope_weeks: int = 4
    forecast_draws: int = 10_000
    forecast_minimum: int = 10
    health_coverage: Decimal = Decimal("0.6")
    health: Band = Band(green=Decimal(75), amber=Decimal(50))
    health_weights: dict[str, Decimal] = Field(default_factory=lambda: {
        "delivery": Decimal(3), "quality": Decimal(2), "money": Decimal(2), "ray": Decimal(2),
        "relations": Decimal(2), "team": Decimal(1), "risks": Decimal(1)})
    on_time: Band = Band(green=Decimal("0.8"), amber=Decimal("0.5"))
    spi: Band = Band(green=Decimal("0.95"), amber=Decimal("0.85"))
    spi_muted_share: Decimal = Decimal("0.15")
    pace: Band = Band(green=Decimal("0.95"), amber=Decimal("0.75"))
    pace_muted_share: Decimal = Decimal("0.15")
    carry_over: Literal["spread", "next_week", "none"] = "spread"
    stalled_days: int = 14
    no_contact_days: int = 14
    ray_lead_weeks: int = 8
    ray_ideas: int = 2
    graduation_people: int = 3
    graduation_hours: Decimal = Decimal(8)
    graduation_weeks: int = 2
    graduation_window: int = 4
    graduation_months: int = 3
    silent_months: int = 3
    revolution_months: int = 18
    white_spots: int = 3
    loyalty_months: int = 12
    am_accounts: int = 2
    am_load: Decimal = Decimal(1)
    next_step_days: int = 14
    tasks_per_client: int = 5
    carries_to_hoa: int = 3
    risk_gone_days: int = 2
    sprint_weeks: Annotated[int, Field(ge=1, le=4)] = 2
    default_rate: Decimal | None = None
    producing_roles: tuple[str, ...] = ("tl", "developer", "designer", "qa", "analyst")
    utilization_weeks: Annotated[int, Field(ge=1, le=12)] = 4
    overload: Decimal = Decimal("1.1")
    underload: Decimal = Decimal("0.7")
    load_weeks: Annotated[int, Field(ge=1, le=8)] = 2
    hiring_lead_weeks: Annotated[int, Field(ge=0, le=26)] = 6
    logs_share: Decimal = Decimal("0.8")
    undated_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    service_lead_weeks: Decimal = Decimal(8)
    stage_probability: dict[str, Decimal] = Field(default_factory=lambda: {
        "proposal": Decimal("0.5"), "agreed": Decimal(1)})
    next_quarter_days: int = 10
    overdue_share: Decimal = Decimal("0.2")
    moved_days: int = 14
    feedback_low: Decimal = Decimal(2)
    feedback_entries: Annotated[int, Field(ge=2)] = 3
    feedback_days: int = 90
    concentration_share: Decimal = Decimal("0.25")
    units_share: Decimal = Decimal("0.8")
    mix_drift: Decimal = Decimal("0.1")
    unbilled_days: int = 5
    unbilled_months: int = 12
    late_days: int = 30
    left_months: int = 3
    ltv_months: int = 12
    trend_weeks: int = 4
    trend_points: Decimal = Decimal(5)
    bonus_base: Literal["paid", "invoiced", "recognised"] = "recognised"
    bonus_shares: dict[BonusRole, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=lambda: dict(BONUS_SHARES))
    scope_growth: Decimal = Decimal("0.2")
    burn_ahead: Decimal = Decimal("0.15")
    carrier_share: Decimal = Decimal("0.6")
    carrier_hours: Decimal = Decimal(40)
    carrier_items: int = 5
    quality_growth: Decimal = Decimal("0.5")
    quality_weeks: int = 4
    quality_items: int = 5
    stale_days: int = 3
    no_partner_days: int = 60
    contract_days: int = 60
    rate_days: int = 365
    blocked_statuses: tuple[str, ...] = (
        "blocked", "on hold", "impediment", "заблокировано", "заблокирована", "заблокирован", "на паузе", "блокер")
    defect_types: tuple[str, ...] = ("bug", "defect", "баг", "ошибка", "дефект")
    health_anchors: dict[str, tuple[Decimal, Decimal]] = Field(default_factory=lambda: dict(ANCHORS))
    """Anchors (worst, best) of the linear health factors: worst scores 0, best 100 (facts/definitions.md, health)."""

    @field_validator("health_anchors")
    @classmethod
    def _keep_usual_anchors(cls, given: dict[str, tuple[Decimal, Decimal]]) -> dict[str, tuple[Decimal, Decimal]]:
        """Keep the anchors a configuration does not name."""
        return {**ANCHORS, **given}


class QuarterTargets(Model):
    """Where quarter targets come from when people pinned none: `growth` (a share over last quarter's fact),
    `contracts` (sum of monthly fees) or `none`."""

    policy: Literal["growth", "contracts", "none"] = "contracts"
    growth: Decimal = Decimal("0.1")


class Holidays(Model):
    """The production calendar: a country's holidays with the company's own days off and working weekends."""

    country: str = "RU"
    days_off: tuple[date, ...] = ()
    days_on: tuple[date, ...] = ()


class Schedule(Model):
    """When the daemon runs cycles: `delta` and `full` beats in seconds, the calendar's jobs by local wall clock;
    no run takes longer than `run_limit` seconds."""

    delta: Annotated[float, Field(gt=0)] = 300
    full: Annotated[float, Field(gt=0)] = 6 * 3600
    daily: time = time(8, 30)
    monday: time = time(8, 0)
    run_limit: Annotated[float, Field(gt=0)] = 3600


class Limits(Model):
    """Guards before any write: `destructive_share` of a data source's managed rows, from `floor` rows on."""

    destructive_share: Decimal = Decimal("0.3")
    floor: int = 10
    changes: int = 2_000


class NotionSettings(Model):
    """How to reach Notion. Data sources marked private stand under `private_root_page_id` alone (empty: there are
    none), which only the people who may see them share. `requests` per `window` seconds is the plan's budget (180 or
    600 a minute)."""

    base_url: str = "https://api.notion.com"
    version: Literal["2025-09-03", "2026-03-11"] = "2026-03-11"
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    root_page_id: str = ""
    private_root_page_id: str = ""
    requests: int = 180
    window: float = 60.0
    width: Annotated[int, Field(ge=1, le=16)] = 4
    timeout: float = 65.0
    settle: float = 180.0


class JiraSettings(Model):
    """How to reach Jira: Cloud by `email` and API `token`, Data Center by a personal access `token` alone."""

    base_url: str = ""
    deployment: Literal["cloud", "datacenter"] = "cloud"
    email: str = ""
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    timeout: float = 65.0


class Workspace(Model):
    """One Notion workspace with its Jira site."""

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
    mappings: Path | None = None
