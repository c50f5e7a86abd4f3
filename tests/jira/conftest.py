"""No test of this folder asks a real Jira: what has no scripted answer is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses


@pytest.fixture(autouse=True)
def scripted_sites() -> Iterator[None]:
    """Let `responses` answer instead of connections, but for those to a socket of the test's own."""
    with responses.mock:
        responses.add_passthru("http://127.0.0.1")
        yield
