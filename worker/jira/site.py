"""What a Jira tells anybody, before there are credentials: of which kind it is, and which site of the cloud."""

from __future__ import annotations

import time
from random import Random

import msgspec

from worker.config import JiraSettings
from worker.errors import Denied, Missing, Rejected
from worker.http.deadline import Deadline
from worker.http.obstacles import judge_product
from worker.http.page_sizes import PageSizes
from worker.http.retry import Policy
from worker.http.route import find_route
from worker.jira.errors import API
from worker.jira.session import JiraSession

GATEWAY = "https://api.atlassian.com"
NOBODY: dict[str, str | None] = {"Authorization": None}


class _Kind(msgspec.Struct, frozen=True):
    deploymentType: str | None = None  # noqa: N815 - Jira's own name


class _Tenant(msgspec.Struct, frozen=True):
    cloudId: str = ""  # noqa: N815 - Jira's own name


_KIND = msgspec.json.Decoder(_Kind)
_TENANT = msgspec.json.Decoder(_Tenant)


def ask_kind(settings: JiraSettings, *, deadline: Deadline) -> str:
    """Return `cloud`, `datacenter`, or nothing where the site tells it to nobody; raises the API errors.

    Source: `serverInfo` answers anybody, on both kinds (docs/facts/jira-api.md 4).
    """
    session = _session(settings, deadline)
    try:
        info = session.ask(
            "GET", "/rest/api/2/serverInfo", _KIND.decode, headers=NOBODY
        )
    except Denied:
        return ""
    except (Missing, Rejected) as refusal:
        place = find_route(settings).place(API, settings.base_url)
        error = place.fails(refusal.request, judge_product(place))
    else:
        return "cloud" if info.deploymentType == "Cloud" else "datacenter"
    finally:
        session.close()
    raise error


def find_gateway(
    settings: JiraSettings, *, deadline: Deadline, gateway: str = GATEWAY
) -> str:
    """Return the address behind Atlassian's gateway at which alone tokens with scopes are good; empty: it has none.

    Source: docs/facts/jira-api.md 4.
    """
    session = _session(settings, deadline)
    try:
        tenant = session.ask(
            "GET", "/_edge/tenant_info", _TENANT.decode, headers=NOBODY
        )
    except (Denied, Missing, Rejected):
        return ""
    finally:
        session.close()
    return f"{gateway}/ex/jira/{tenant.cloudId}" if tenant.cloudId else ""


def _session(settings: JiraSettings, deadline: Deadline) -> JiraSession:
    policy = Policy(sleep=time.sleep, random=Random(0), deadline=deadline)
    return JiraSession(
        settings,
        adapter=None,
        monotonic=time.monotonic,
        policy=policy,
        sizes=PageSizes(),
    )
