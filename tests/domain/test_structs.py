"""Structs that threads use for the first time at once, in a process of its own: a fault there ends it by a signal."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from worker.domain.structs import make_ready

RACE = """
import sys, threading
import msgspec
from worker.domain.structs import make_ready

sys.setswitchinterval(1e-6)
for _ in range(150):
    kind = list[int]
    for depth in range(10):
        fields = [(f"f{number}", kind, msgspec.field(default=None)) for number in range(12)]
        kind = msgspec.defstruct(f"S{depth}", fields)
    make_ready()
    start = threading.Barrier(4)

    def use():
        start.wait()
        msgspec.convert({"f0": {"f1": {"f2": {}}}}, kind)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("whole")
"""


def test_threads_that_use_a_struct_for_the_first_time_at_once_find_it_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


def test_a_struct_that_cannot_be_decoded_hinders_no_other() -> None:
    class Odd(msgspec.Struct):
        choice: msgspec.Struct | dict[str, int] | list[int] | tuple[str, ...]

    class Plain(msgspec.Struct):
        number: int

    make_ready()
    assert msgspec.json.decode(b'{"number": 1}', type=Plain) == Plain(1)
    assert Odd([1]).choice == [1]
