"""Who watches an issue."""

from __future__ import annotations

from rayline_sandbox.jira.errors import Refusal
from rayline_sandbox.jira.model import Json, User
from rayline_sandbox.jira.render import Renderer
from rayline_sandbox.jira.routes import Outcome, table
from rayline_sandbox.jira.site import Call, Site


def get_watchers(site: Site, call: Call) -> Json:
    """Answer who watches an issue."""
    issue = site.issue(call.parameters["issue"])
    accounts = site.store.watchers.get(issue.id, ())
    renderer = Renderer(site, call)
    watchers = [renderer.person(account) for account in accounts]
    return {**renderer.watches(issue), "watchers": watchers}


def add_watcher(site: Site, call: Call) -> Outcome:
    """Let somebody watch an issue, the calling account unless another is named."""
    issue = site.issue(call.parameters["issue"])
    ref = call.body()
    user = site.me if ref in ({}, None) else _known(site, ref)
    site.store.watchers.setdefault(issue.id, {})[user.account] = None
    return Outcome(204)


def remove_watcher(site: Site, call: Call) -> Outcome:
    """Let somebody watch an issue no longer."""
    issue = site.issue(call.parameters["issue"])
    ref = call.request.first("accountId" if site.cloud else "username")
    user = _known(site, ref)
    site.store.watchers.get(issue.id, {}).pop(user.account, None)
    return Outcome(204)


def _known(site: Site, ref: object) -> User:
    user = site.store.find_user(ref)
    if user is None:
        raise Refusal(404, f"The user '{ref}' does not exist.")
    return user


ROUTES = table(
    {
        "GET issue/{issue}/watchers": get_watchers,
        "POST issue/{issue}/watchers": add_watcher,
        "DELETE issue/{issue}/watchers": remove_watcher,
    }
)
