"""Every link in the documents leads somewhere, and `make docs` makes a site of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.documents import DOCUMENTS, ROOT, anchors, links
from tests.support.waiting import LONG

HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
STARTS = {"index"}
"""Pages to which no other leads."""


def fault(target: str, page: Path) -> str:
    """Return what is wrong with where a link of a page leads, empty when nothing is."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        is_formed = parts.scheme == "https" and HOST.fullmatch(parts.netloc)
        return "" if is_formed else f"{target}: no address of the web"
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not file.is_relative_to(ROOT) or not file.exists():
        return f"{target}: not there"
    if parts.fragment and unquote(parts.fragment) not in anchors(file):
        return f"{target}: no such heading"
    return ""


@pytest.mark.parametrize(
    "page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    found = list(links(page.read_text("utf-8")))
    faults = [(one.line, fault(one.text, page)) for one in found]
    assert [one for one in faults if one[1]] == []


@pytest.mark.parametrize(
    "target",
    [
        "docs/no-such.md",
        "docs/money.md#no-such-heading",
        "#no-such-heading",
        "docs/images/no-such.png",
        "http://example.com",
        "https://nowhere",
        "file:///etc/passwd",
        "../elsewhere.md",
        "docs/mapping.md#",
    ],
)
def test_a_link_that_leads_nowhere_is_found(target: str) -> None:
    is_empty = target.endswith("#")
    assert bool(fault(target, ROOT / "README.md")) is not is_empty


def test_headings_are_named_as_hosts_of_code_name_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`, c\n\n## Twice\n\n## Twice\n\n### Метод: ещё раз\n", "utf-8"
    )
    assert anchors(page) == {"a-b-c", "twice", "twice-1", "метод-ещё-раз"}


def test_every_page_is_found_from_the_first_one() -> None:
    folder = ROOT / "docs"
    listed = re.findall(
        r"^[\w./-]+$", (folder / "index.md").read_text("utf-8"), re.MULTILINE
    )
    pages = {
        str(page.relative_to(folder).with_suffix("")) for page in folder.rglob("*.md")
    }
    assert pages - STARTS == set(listed)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_no_other_host(
    tmp_path: Path,
) -> None:
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert (done.returncode, done.stderr) == (0, "")
    site = tmp_path / "site"
    assert {"index.html", "faq.html", "method.ru.html", "search.html"} <= {
        page.name for page in site.iterdir()
    }
    loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"https?:")
    foreign = [
        page.name
        for page in site.rglob("*.html")
        if loaded.search(page.read_text("utf-8"))
    ]
    assert foreign == []
