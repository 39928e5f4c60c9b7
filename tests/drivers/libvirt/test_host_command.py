from __future__ import annotations

import sys
import time

import pytest

from hanok.drivers.libvirt.host_command import run
from hanok.model.errors import HostError, HostUnreachable


def python(lines: str) -> list[str]:
    return [sys.executable, "-c", lines]


def test_it_returns_what_was_written() -> None:
    echo = python("import sys; print(sys.stdin.read() * 2, end='')")
    assert run(echo, "It failed.", stdin="text") == "texttext"


def test_a_failure_tells_the_operator_all_and_the_tenant_little() -> None:
    with pytest.raises(HostError) as caught:
        run(python("import sys; sys.exit('disk /srv/x is full')"), "It failed.", stdin="line")
    assert caught.value.message == "It failed."
    assert not caught.value.permanent
    assert "exit 1: disk /srv/x is full; given 'line'" in caught.value.detail


def test_it_ends_at_the_deadline() -> None:
    before = time.monotonic()
    with pytest.raises(HostUnreachable, match=r"took over 0\.2 s"):
        run(python("import time; time.sleep(30)"), "It failed.", timeout=0.2)
    assert time.monotonic() - before < 5


def test_a_program_that_is_not_there_is_permanent() -> None:
    with pytest.raises(HostError, match="is not installed") as caught:
        run(["hanok-no-such-program"], "It failed.")
    assert caught.value.permanent
