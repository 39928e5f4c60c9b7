"""A libvirtd of a test's own, to be killed and stopped without harm to anybody else's.

It runs in a mount namespace where libvirt's folders are copies below one folder; its socket is
seen from outside. Run as a program, this module is that namespace's first process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from hanok.drivers.libvirt.daemon import connect_failure

PLACES = {
    "run": "/run/libvirt",
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "log": "/var/log/libvirt",
    "cache": "/var/cache/libvirt",
}
COPIED = ("etc", "cache")


class PrivateLibvirtd:
    """Starts, kills, stops and continues a libvirtd whose folders lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"qemu+unix:///system?socket={folder}/run/libvirt-sock"
        for name, place in PLACES.items():
            if name in COPIED:
                shutil.copytree(place, folder / name, dirs_exist_ok=True)
            else:
                (folder / name).mkdir(mode=0o755, exist_ok=True)
        (folder / "lib" / "qemu").mkdir(mode=0o751, exist_ok=True)
        (folder / "log" / "qemu").mkdir(exist_ok=True)
        self._run_inside("virtlogd")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run_inside("libvirtd")
        end = time.monotonic() + 30
        while (failure := connect_failure(self.uri, 10)) is not None:
            assert time.monotonic() < end, failure
            time.sleep(0.05)

    def ensure(self) -> None:
        """Start it if it does not run."""
        if not (self.folder / "libvirtd.pid").exists():
            self.start()

    def kill(self) -> None:
        """Kill it as a crash would, and wait until it is gone."""
        self._signal("libvirtd", signal.SIGKILL)

    def pause(self) -> None:
        os.kill(self._pid("libvirtd"), signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid("libvirtd"), signal.SIGCONT)

    def end(self) -> None:
        """End both daemons; domains must be gone."""
        for name in ("libvirtd", "virtlogd"):
            if (self.folder / f"{name}.pid").exists():
                self._signal(name, signal.SIGKILL)

    def _run_inside(self, name: str) -> None:
        inside = [sys.executable, __file__, str(self.folder), name]
        subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *inside],
            check=True,
            timeout=30,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def _pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())

    def _signal(self, name: str, number: signal.Signals) -> None:
        handle = os.pidfd_open(self._pid(name))
        try:
            signal.pidfd_send_signal(handle, number)
            assert select.select([handle], [], [], 10)[0]
        finally:
            os.close(handle)
            (self.folder / f"{name}.pid").unlink()


def become(folder: Path, name: str) -> None:
    """Put the folders into place and start the daemon, which leaves for the background."""
    for source, place in PLACES.items():
        Path(place).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(folder / source), place], check=True, timeout=10)
    pid_file = str(folder / f"{name}.pid")
    subprocess.run([name, "-d", "-p", pid_file], check=True, timeout=20)


if __name__ == "__main__":
    become(Path(sys.argv[1]), sys.argv[2])
