"""`hanok up` as a process: what it says, how it ends, what it refuses."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import HANOK, Running, clean_environment, start, stop


def refused(*options: str) -> str:
    """What a start that must fail says; it ends with 1 and says one line."""
    done = subprocess.run(
        [HANOK, "up", "--driver", "simulated", *options],
        capture_output=True,
        text=True,
        timeout=30,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_it_says_ready_once_and_answers_then(region: Running) -> None:
    ready = [line for line in region.said if line.startswith("hanok: ready ")]
    assert ready == [f"hanok: ready {region.url}"]
    assert httpx.get(f"{region.url}/v2.0", trust_env=False).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds_and_starts_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state"
    running = start(state)
    credentials = (state / "credentials.json").read_text()
    began = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(5) == 0
    assert time.monotonic() - began < 5
    stop(running)
    again = start(state)
    try:
        assert (state / "credentials.json").read_text() == credentials
        assert not any("credentials are in" in line for line in again.said)
    finally:
        assert stop(again) == 0


def test_a_second_process_on_the_directory_is_refused(region: Running) -> None:
    said = refused("--state", str(region.state), "--port", "0")
    assert f"Another hanok works on {region.state}" in said


def test_a_port_that_is_taken_is_named(region: Running, tmp_path: Path) -> None:
    port = region.url.rpartition(":")[2]
    said = refused("--state", str(tmp_path / "state"), "--port", port)
    assert said == (f"hanok: Cannot listen on 127.0.0.1 port {port}: Address already in use.\n")
    assert not (tmp_path / "state").exists()


def test_settings_that_cannot_work_are_named(tmp_path: Path) -> None:
    said = refused("--state", str(tmp_path / "state"), "--tls-cert", "cert.pem")
    assert "both a certificate and its key" in said
