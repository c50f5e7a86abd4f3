"""What others need for the same data, each in a process of its own: `python -m benchmarks.peers WHO`, addresses on stdin.

`jira` and `ultimate-notion` are packages that read: all issues, all rows. `naive` is the sync that one writes first: it
asks for every issue and every row alone and writes every row, whether it differs or not. Prints one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import notion_client
import requests
from jira import JIRA

from worker.mapping.jira import FIELDS as SYSTEM_FIELDS

Where = dict[str, Any]
VERSION = "2026-03-11"
FIELDS = ["project", *SYSTEM_FIELDS]


class Took(msgspec.Struct, frozen=True):
    """What somebody else's way took: CPU in seconds beyond start-up, memory at its peak in MB, records and requests;
    `missing` says why nothing was measured."""

    cpu: float = 0.0
    peak: float = 0.0
    records: int = 0
    requests: int = 0
    missing: str = ""


class Counted(requests.Session):
    """A session that counts what it sends."""

    sent = 0

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request."""
        self.sent += 1
        return super().send(request, **options)


def main() -> None:
    """Let somebody else do it and print what it took."""
    where = json.loads(sys.stdin.readline())
    took = PEERS[sys.argv[1]](where)
    sys.stdout.buffer.write(msgspec.json.encode(took) + b"\n")


def _read_with_jira(where: Where) -> Took:
    """Read all issues as the package offers it: one search, issues as objects."""
    site = where["jira"]
    client = JIRA(site["base_url"], basic_auth=(site["email"], site["token"]))
    sent = 0

    def count(*_: Any, **__: Any) -> None:
        nonlocal sent
        sent += 1

    client._session.hooks["response"].append(
        count
    )  # the package has no other place for it
    began = time.process_time()
    issues = client.search_issues(
        "created >= 2000-01-01", maxResults=False, fields=",".join(FIELDS)
    )
    return _took(began, len(issues), sent)


def _read_with_ultimate_notion(where: Where) -> Took:
    """Read all rows of all boards as the package's objects."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["ULTIMATE_NOTION_CONFIG"] = f"{home}/config.toml"
        try:
            package = importlib.import_module("ultimate_notion")
        except ImportError as error:
            return Took(missing=f"not installed: {error.name}")
        sent = 0

        def count(_: Any) -> None:
            nonlocal sent
            sent += 1

        client = notion_client.Client(
            auth=where["notion"]["token"],
            base_url=where["notion"]["base_url"],
            notion_version=VERSION,
        )
        client.client.event_hooks["request"].append(count)
        session = package.Session(client=client)
        began = time.process_time()
        records = 0
        for source in where["sources"].values():
            records += len(session.get_ds(source).get_all_pages())
        return _took(began, records, sent)


def _sync_naively(where: Where) -> Took:
    """Ask for every issue and every row alone, and write every row."""
    session = Counted()
    began = time.process_time()
    records = 0
    for issue in _issues(session, where["jira"]):
        _ask(session, "GET", issue, auth=_login(where["jira"]))
        records += 1
    notion = where["notion"]
    headers = {"Authorization": f"Bearer {notion['token']}", "Notion-Version": VERSION}
    for source in where["sources"].values():
        for row in _rows(session, notion["base_url"], source, headers):
            page = f"{notion['base_url']}/v1/pages/{row}"
            known = _ask(session, "GET", page, headers=headers)
            title = _title_of(known["properties"])
            changed = {"properties": title}
            _ask(session, "PATCH", page, headers=headers, json=changed)
            records += 1
    return _took(began, records, session.sent)


def _issues(session: Counted, site: Where) -> Iterator[str]:
    """Yield the addresses of all issues."""
    token = ""
    while True:
        asked = {"jql": "created >= 2000-01-01", "maxResults": "100", "fields": "id"}
        if token:
            asked["nextPageToken"] = token
        search = f"{site['base_url']}/rest/api/3/search/jql"
        page = _ask(session, "GET", search, auth=_login(site), params=asked)
        for issue in page["issues"]:
            yield f"{site['base_url']}/rest/api/3/issue/{issue['id']}"
        token = page.get("nextPageToken", "")
        if not token:
            return


def _rows(
    session: Counted, base: str, source: str, headers: dict[str, str]
) -> Iterator[str]:
    """Yield the ids of a board's rows."""
    cursor = None
    while True:
        asked = {"page_size": 100}
        if cursor is not None:
            asked["start_cursor"] = cursor
        query = f"{base}/v1/data_sources/{source}/query"
        page = _ask(session, "POST", query, headers=headers, json=asked)
        for row in page["results"]:
            yield row["id"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _title_of(cells: dict[str, Any]) -> dict[str, Any]:
    """Return a row's title as it is written back."""
    for name, cell in cells.items():
        if cell["type"] == "title":
            pieces = [{"text": {"content": one["plain_text"]}} for one in cell["title"]]
            return {name: {"title": pieces}}
    return {}


def _login(site: Where) -> tuple[str, str]:
    return site["email"], site["token"]


def _ask(session: Counted, method: str, address: str, **options: Any) -> Any:
    answer = session.request(method, address, timeout=600, **options)
    answer.raise_for_status()
    return answer.json()


def _took(began: float, records: int, sent: int) -> Took:
    cpu = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / 1_000_000
    return Took(cpu, peak, records, sent)


PEERS: dict[str, Callable[[Where], Took]] = {
    "jira": _read_with_jira,
    "ultimate-notion": _read_with_ultimate_notion,
    "naive": _sync_naively,
}

if __name__ == "__main__":
    main()
