"""The address at which people see Jira: of Atlassian's gateway it is asked for, for links of people lead elsewhere."""

from __future__ import annotations

from worker.ports.tracker import Tracker
from worker.site import Site
from worker.state.settings import Setting
from worker.world.links import is_gateway

ADDRESS = Setting("jira.address", tuple[str, str], lambda: ("", ""))
"""The configured address, and that at which people see the site behind it."""


def recall_address(site: Site) -> str:
    """Return the address at which people see Jira as far as it is known, asking nobody."""
    configured = site.settings.jira.base_url
    with site.reading() as tx:
        asked, shown = ADDRESS.load(tx)
    if shown and asked == configured:
        return shown
    return configured


def read_address(jira: Tracker, site: Site, *, afresh: bool) -> str:
    """Return the address at which people see Jira, asked for once, and again `afresh`; raises the API errors."""
    configured = site.settings.jira.base_url
    known = recall_address(site)
    is_known = known != configured
    if not is_gateway(configured) or (is_known and not afresh):
        return known

    shown = jira.address()
    with site.transaction() as tx:
        ADDRESS.save(tx, (configured, shown))
    return shown
