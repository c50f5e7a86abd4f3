"""Who votes for an issue."""

from __future__ import annotations

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Issue, Json
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site


def get_votes(site: Site, call: Call) -> Json:
    """Answer how many voted for an issue, and who."""
    issue = site.issue(call.parameters["issue"])
    renderer = Renderer(site, call)
    voters = [renderer.person(each) for each in site.store.votes.get(issue.id, ())]
    return {**renderer.votes(issue), "voters": voters}


def add_vote(site: Site, call: Call) -> Outcome:
    """Let the account vote for an issue that somebody else reported and that is open."""
    issue = _open_issue(site, call)
    site.store.votes.setdefault(issue.id, {})[site.me.account] = None
    return Outcome(204)


def remove_vote(site: Site, call: Call) -> Outcome:
    """Take the account's vote back."""
    issue = _open_issue(site, call)
    if site.me.account not in site.store.votes.get(issue.id, ()):
        raise Refusal(
            404, "You cannot take back a vote for an issue that you have not voted for."
        )
    del site.store.votes[issue.id][site.me.account]
    return Outcome(204)


def _open_issue(site: Site, call: Call) -> Issue:
    issue = site.issue(call.parameters["issue"])
    if issue.reporter == site.me.account:
        raise Refusal(
            404,
            "You cannot vote for an issue you have reported; others can vote for it.",
        )
    if issue.resolution is not None:
        raise Refusal(
            404, "You cannot vote for an issue that is resolved; reopen it before."
        )
    return issue


ROUTES = table(
    {
        "GET issue/{issue}/votes": get_votes,
        "POST issue/{issue}/votes": add_vote,
        "DELETE issue/{issue}/votes": remove_vote,
    }
)
