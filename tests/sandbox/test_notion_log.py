"""What the sandbox keeps of the requests it answered can be read while it answers others."""

from __future__ import annotations

from notion_rig import Rig


class Meanwhile(int):
    """A number of the log; whenever it is compared, another request is answered."""

    rig: Rig

    def __lt__(self, other: int) -> bool:
        self.rig.ok("GET", "users/me")
        return int(self) < other


def test_a_request_that_comes_while_the_log_is_read_disturbs_nobody() -> None:
    rig = Rig()
    for _ in range(3):
        rig.ok("GET", "users/me")
    since = Meanwhile(1)
    since.rig = rig
    seen = [entry.seq for entry in rig.sandbox.entries(since)]
    assert seen == [2, 3]
    assert [entry.seq for entry in rig.sandbox.entries()] == [1, 2, 3, 4, 5, 6]
