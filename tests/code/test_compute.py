"""Children of the fork server: how they end, who may ask, and that none outlives what started it."""

import os
import signal
import sys
import threading
import time

import pytest

from lib import compute


def died(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(code):
    """As by `sys.exit`, which W&B puts something else in place of, that no child can be given."""
    sys.exit(code)


@pytest.mark.parametrize(
    ("target", "word", "code"),
    [(time.sleep, 0, 0), (leave, 3, 3), (died, signal.SIGSEGV, -11), (died, signal.SIGKILL, -9)],
)
def test_the_exit_code_of_a_child_is_what_subprocess_would_say(target, word, code):
    child = compute.Child(target, word)
    assert child.wait(30) == code
    assert child.returncode == code


def test_whoever_asks_gets_the_same_exit_code():
    """The library reads a child's status from a pipe, once: a second reader at that moment got 255."""
    for _ in range(20):
        child, codes = compute.Child(leave, 3), []
        readers = [threading.Thread(target=lambda: codes.append(child.wait(30))) for _ in range(8)]  # noqa: B023
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        assert codes == [3] * 8


def test_a_child_leads_a_group_and_is_killed_with_all_that_it_started():
    child = compute.Child(time.sleep, 60)
    assert child.poll() is None
    child.kill()
    assert child.wait(10) == -signal.SIGKILL
