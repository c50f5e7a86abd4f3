"""Ranking: issues and epics put before or after others."""

from __future__ import annotations

from collections.abc import Sequence

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Issue, Json
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site, strings, whole

MOVE_LIMIT = 50
_STEP = 1024


def issues_asked(site: Site, call: Call) -> list[Issue]:
    """Return the issues a call names, 50 at most; refused when one of them is not there."""
    refs = strings(call.object().get("issues"), "issues")
    if len(refs) > MOVE_LIMIT:
        raise Refusal(
            400, f"At most {MOVE_LIMIT} issues can be moved at once, not {len(refs)}."
        )
    return [site.issue(ref) for ref in refs]


def rank_issues(site: Site, call: Call) -> Outcome:
    """Put issues before or after one, in the order they are named."""
    issues = issues_asked(site, call)
    if not issues:
        raise Refusal(
            400, errors={"issues": "At least one issue must be given to be ranked."}
        )
    if not place_issues(site, call, issues):
        raise _no_place("rankBeforeIssue", "rankAfterIssue")
    return Outcome(204)


def rank_epic(site: Site, call: Call) -> Outcome:
    """Put an epic before or after another."""
    asked = call.object()
    epic = _epic(site, call.parameters["epic"])
    places = {name: asked[name] for name in _EPIC_SIDES if asked.get(name)}
    if len(places) != 1:
        raise _no_place(*_EPIC_SIDES)
    ((side, ref),) = places.items()
    _put(site, [epic], _epic(site, ref), before=side == _EPIC_SIDES[0])
    return Outcome(204)


def _epic(site: Site, ref: object) -> Issue:
    issue = site.issue(ref)
    if site.store.kinds[issue.kind].level < 1:
        raise Refusal(
            404, "Epic could not be found, or you do not have permission to view it."
        )
    return issue


def place_issues(site: Site, call: Call, issues: Sequence[Issue]) -> bool:
    """Rank issues as a body says, and tell whether it says so."""
    asked = call.object()
    _check_field(site, asked)
    places = {name: asked[name] for name in _SIDES if asked.get(name)}
    if not places:
        return False
    if len(places) > 1:
        raise _no_place(*_SIDES)
    ((side, ref),) = places.items()
    _put(site, issues, site.issue(ref), before=side == _SIDES[0])
    return True


_SIDES = ("rankBeforeIssue", "rankAfterIssue")
_EPIC_SIDES = ("rankBeforeEpic", "rankAfterEpic")


def _no_place(*names: str) -> Refusal:
    return Refusal(400, f"Exactly one of {' and '.join(names)} must be given.")


def _check_field(site: Site, asked: Json) -> None:
    """Refuse another rank field than the one there is."""
    own = site.store.fields.rank.rpartition("_")[2]
    wanted = whole(asked.get("rankCustomFieldId"), "rankCustomFieldId", int(own))
    if wanted != int(own):
        raise Refusal(
            400,
            errors={
                "rankCustomFieldId": "This is not the number of the rank field of this site."
            },
        )


def _put(site: Site, moved: Sequence[Issue], anchor: Issue, *, before: bool) -> None:
    """Give issues their places beside another; the ranks of all are dealt anew, in steps."""
    numbers = {issue.id for issue in moved}
    if anchor.id in numbers:
        raise Refusal(
            400, "An issue cannot be ranked before or after itself; name another one."
        )
    known = sorted(site.store.issues.values(), key=lambda issue: (issue.rank, issue.id))
    rest = [issue for issue in known if issue.id not in numbers]
    place = rest.index(anchor) + (0 if before else 1)
    for number, issue in enumerate([*rest[:place], *moved, *rest[place:]], 1):
        issue.rank = number * _STEP
    site.store.top_rank = len(known) * _STEP


ROUTES = table(
    {"PUT issue/rank": rank_issues, "PUT epic/{epic}/rank": rank_epic}, root="agile"
)
