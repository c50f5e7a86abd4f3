"""Trying answers out on Notion and Jira before anything is written: within seconds, and changing nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from worker.cli.interview.objections import Objection, objection_to
from worker.cli.interview.questions import EMAIL_HINT, SHOWN, Answers, Seen
from worker.codecs.records import Page
from worker.config import JiraSettings, NotionSettings, Workspace
from worker.cycle.contact import SECONDS
from worker.domain.messages import Text, literal, tell
from worker.errors import ApiError, Denied, Missing, Rejected, Unreachable
from worker.http.deadline import Deadline
from worker.jira.gateway import JiraGateway
from worker.jira.site import GATEWAY, ask_kind, find_gateway
from worker.notion.gateway import NotionGateway
from worker.ports.tracker import ServerInfo

SOON = timedelta(days=14)
CREDENTIALS = ("email", "jira_token")


class Verdict(msgspec.Struct, frozen=True):
    """What became known by an answer: sentences about it, answers that follow from it, and what was seen."""

    seen: Seen
    notes: tuple[Text, ...] = ()
    answers: Mapping[str, str] = {}


def verify(key: str, workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    """Return what trying an answer out tells; raises `Objection` when it cannot be what is meant."""
    trial = TRIALS.get(key)
    if trial is None or not (answers.get(key) or key == "email"):
        return Verdict(seen)
    try:
        return trial(workspace, answers, seen)
    except ApiError as error:
        again = CREDENTIALS if key == "jira_token" else ()
        raise objection_to(error, again=again) from None


# -- Notion ------------------------------------------------------------------------------------------------------------

SHARE = tell(
    "open the page in Notion, then … > Connections, and add the connection of this token"
)
RIGHTS: Mapping[str, Text] = {
    "update": tell("the connection may not update content there"),
    "insert": tell("the connection may not insert content there"),
}
ALLOW = tell(
    "in Notion, in the settings of the connection under Capabilities, tick read, update and insert content"
)


@contextmanager
def _notion(settings: NotionSettings) -> Iterator[NotionGateway]:
    gateway = NotionGateway(settings, deadline=Deadline(SECONDS))
    try:
        yield gateway
    finally:
        gateway.close()


def _try_notion_token(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    with _notion(workspace.notion) as notion:
        try:
            holder = notion.holder()
        except Denied:
            raise Objection(
                tell("Notion does not know this token"),
                tell(
                    "copy it again from the settings of the connection: it begins with ntn_; a token of a person or of "
                    "another workspace may have ended"
                ),
            ) from None
    name = holder.name or holder.id
    known = tell(
        "Notion: the connection “{name}” of the workspace “{text}”.",
        name=name,
        text=holder.workspace or "?",
    )
    notes = [known, _plan(holder.is_free, workspace.notion.requests)]
    if holder.is_person:
        notes.append(
            tell(
                "This token acts as a person and ends within a year: a connection of its own does not."
            )
        )
    return Verdict(replace(seen, connection=name), tuple(notes))


def _plan(is_free: bool, requests: int) -> Text:
    if is_free:
        return tell(
            "The plan is the free one: {requests} requests a minute, and few blocks once several people share the workspace.",
            requests=requests,
        )
    return tell(
        "{requests} requests a minute are sent at most; the Business and Enterprise plans allow 600 (requests in the "
        "configuration).",
        requests=requests,
    )


def _try_root_page(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    verdict = _try_page(workspace.notion, workspace.notion.root_page_id, seen)
    count = _count_boards(workspace.notion)
    if not count:
        return verdict
    own = tell(
        "The connection sees {count} databases: those of your own can play Rayline's parts, “rayline adopt” proposes "
        "which after this, and writes nothing before you agree.",
        count=count,
    )
    return replace(verdict, notes=(*verdict.notes, own))


def _count_boards(settings: NotionSettings) -> int:
    """Return how many databases the connection sees; 0 where that is not known in time."""
    with _notion(settings) as notion, suppress(ApiError):
        return len(notion.search("", kind="data_source"))
    return 0


def _try_private_page(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    return _try_page(workspace.notion, workspace.notion.private_root_page_id, seen)


def _try_page(settings: NotionSettings, page_id: str, seen: Seen) -> Verdict:
    with _notion(settings) as notion:
        page = _find_page(notion, page_id)
        title = _title(page)
        if page.is_gone:
            raise Objection(
                tell("the page “{text}” is in the trash", text=title),
                tell("restore it, or name another page"),
            )
        lacking = notion.lacking(page_id)
    for right, reason in RIGHTS.items():
        if right in lacking:
            raise Objection(reason, ALLOW)
    notes = [tell("The page “{text}” is there, and may be written to.", text=title)]
    if "users" in lacking:
        notes.append(
            tell(
                "The connection does not see people, so that nobody is recognised by e-mail: allow it to read user "
                "information with e-mail addresses."
            )
        )
    return Verdict(seen, tuple(notes))


def _find_page(notion: NotionGateway, page_id: str) -> Page:
    try:
        return notion.page(page_id)
    except (Missing, Rejected):
        is_database = _is_database(notion, page_id)
    if is_database:
        raise Objection(
            tell("is a database, not a page"),
            tell("name the page that will hold the boards: an empty one will do"),
        )
    raise Objection(tell("Notion does not show this page to the connection"), SHARE)


def _is_database(notion: NotionGateway, page_id: str) -> bool:
    looks: tuple[Callable[[str], object], ...] = (notion.database, notion.data_source)
    for look in looks:
        try:
            look(page_id)
        except (Missing, Rejected):
            continue
        return True
    return False


def _title(page: Page) -> str:
    cells = (cell for cell in page.properties.values() if isinstance(cell, dict))
    pieces: list[Any] = next((cell["title"] for cell in cells if "title" in cell), [])
    words = "".join(str(piece.get("plain_text", "")) for piece in pieces)
    return words.strip() or "?"


# -- Jira --------------------------------------------------------------------------------------------------------------

KINDS: Mapping[str, Text] = {
    "cloud": tell("Jira Cloud answers at this address."),
    "datacenter": tell("Jira Data Center answers at this address."),
}


def _try_address(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    if workspace.jira.base_url.startswith(f"{GATEWAY}/"):
        return Verdict(seen, answers={"deployment": "cloud"})
    anybody = workspace.jira.model_copy(update={"deployment": "datacenter"})
    kind = ask_kind(anybody, deadline=Deadline(SECONDS))
    if not kind:
        return Verdict(seen, answers={"deployment": ""})
    return Verdict(seen, (KINDS[kind],), {"deployment": kind})


def _try_email(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    """Where a site tells nobody of which kind it is, the e-mail does: only Cloud wants one."""
    email = answers.get("email", "")
    if answers.get("deployment") == "cloud" and not email:
        raise Objection(tell("Jira Cloud wants the e-mail of the account"), EMAIL_HINT)
    kind = answers.get("deployment") or ("cloud" if email else "datacenter")
    return Verdict(seen, answers={"deployment": kind})


def _try_jira_token(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    deadline = Deadline(SECONDS)
    settings = workspace.jira
    try:
        site = _sign_in(settings, deadline)
    except Denied as refusal:
        settings = _with_scopes(settings, deadline, refusal)
        site = _sign_in(settings, deadline)
    projects = _list_projects(settings, deadline)
    notes = [tell("Jira knows the account “{name}”.", name=site.name or site.account)]
    if settings.base_url != workspace.jira.base_url:
        notes.append(
            tell(
                "The token has scopes; it is good at {address}.",
                address=settings.base_url,
            )
        )
    notes.append(_tell_projects(projects))
    return Verdict(
        replace(seen, zone=site.time_zone, projects=projects),
        tuple(notes),
        {"base_url": settings.base_url, "deployment": site.deployment},
    )


def _sign_in(settings: JiraSettings, deadline: Deadline) -> ServerInfo:
    jira = JiraGateway(settings, deadline=deadline)
    try:
        return jira.server_info()
    finally:
        jira.close()


def _with_scopes(
    settings: JiraSettings, deadline: Deadline, refusal: Denied
) -> JiraSettings:
    """Return the settings for a token with scopes, which its own site refuses; raises `Objection` when it is none."""
    address = ""
    if settings.deployment == "cloud":
        address = find_gateway(settings, deadline=deadline)
    behind = settings.model_copy(update={"base_url": address})
    try:
        known = bool(address) and bool(_sign_in(behind, deadline))
    except (Denied, Missing, Rejected, Unreachable):
        known = False
    if known:
        return behind
    raise Objection(
        tell(
            "Jira does not know this account by this token: {reason}",
            reason=literal(refusal.detail),
        ),
        tell(
            "the e-mail must be that of the account which made the token, and the token must not have ended"
        ),
        again=CREDENTIALS,
    )


def _list_projects(settings: JiraSettings, deadline: Deadline) -> tuple[str, ...]:
    jira = JiraGateway(settings, deadline=deadline)
    try:
        batch = jira.projects()
    finally:
        jira.close()
    return tuple(sorted(project.key for project in batch.projects))


def _tell_projects(keys: tuple[str, ...]) -> Text:
    if not keys:
        return tell(
            "The account sees no project yet: give it the right to browse those that matter, or make one; until then "
            "there is no progress to show."
        )
    shown = ", ".join(keys[:SHOWN])
    if len(keys) <= SHOWN:
        return tell("Projects it sees: {keys}.", keys=shown)
    return tell(
        "Projects it sees, of {number}: {keys} and others.",
        number=len(keys),
        keys=shown,
    )


def _try_zone(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    zone = workspace.time_zone
    if not seen.zone or _same_time(zone, seen.zone, seen.today.year):
        return Verdict(seen)
    return Verdict(
        seen,
        (
            tell(
                "The Jira account counts its days in {theirs}, the boards in {ours}: if that is not meant, set the zone "
                "in the profile of the account, or run rayline init --change time_zone.",
                theirs=seen.zone,
                ours=zone,
            ),
        ),
    )


def _same_time(mine: str, theirs: str, year: int) -> bool:
    """Tell whether two zones show the same time in winter and in summer of a year."""
    days = [datetime(year, month, 1, tzinfo=UTC) for month in (1, 7)]
    try:
        zones = ZoneInfo(mine), ZoneInfo(theirs)
    except (ValueError, OSError):
        return False
    return all(
        day.astimezone(zones[0]).utcoffset() == day.astimezone(zones[1]).utcoffset()
        for day in days
    )


def _try_day(workspace: Workspace, answers: Answers, seen: Seen) -> Verdict:
    day = date.fromisoformat(answers["jira_token_expires"])
    if day - seen.today > SOON:
        return Verdict(seen)
    return Verdict(
        seen, (tell("The Jira token ends soon: make one that lasts a year."),)
    )


Trial = Callable[[Workspace, Answers, Seen], Verdict]
TRIALS: Mapping[str, Trial] = {
    "notion_token": _try_notion_token,
    "root_page_id": _try_root_page,
    "private_root_page_id": _try_private_page,
    "base_url": _try_address,
    "email": _try_email,
    "jira_token": _try_jira_token,
    "jira_token_expires": _try_day,
    "time_zone": _try_zone,
}
