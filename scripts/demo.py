"""The demo: a real guest from a token to SSH and back to nothing, through the HTTP API alone."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from scripts.demo_run import Demo
from scripts.demo_show import DemoError, Progress

PROGRAMS = ("virsh", "ip", "nft", "ssh", "qemu-system-x86_64", "dnsmasq")


def main(arguments: list[str]) -> int:
    """Run the demo; 0 when every proof held, 1 when not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument(
        "--dir",
        type=Path,
        default=Path("/var/tmp"),  # noqa: S108 - the folder in it is made by mkdtemp
        help="where its folder is made: %(default)s",
    )
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        return _as_root(arguments)
    progress = Progress(Console(highlight=False))
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        progress.say(f"These programs are missing: {', '.join(missing)}. Run make install.")
        return 1
    # SIGINT too: a shell that starts the demo in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="hanok-demo-", dir=options.dir))
    folder.chmod(0o711)  # QEMU's user passes through it to the disks
    demo = Demo(folder, progress)
    try:
        demo.run()
    except DemoError as error:
        progress.say(f"\nThe demo failed: {error}", "bold red")
        return _clean(demo, progress, 1)
    except KeyboardInterrupt:
        progress.say("\nInterrupted.", "bold red")
        return _clean(demo, progress, 130)
    except BaseException:
        _clean(demo, progress, 1)
        raise
    return 0


def _clean(demo: Demo, progress: Progress, code: int) -> int:
    """Remove everything, and let nothing interrupt that; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    left = demo.clean()
    if left:
        progress.say(f"It could not be removed: {left}", "bold red")
    else:
        progress.say("Everything that the demo made is removed.")
    return code


def _as_root(arguments: list[str]) -> int:
    """Run it with sudo and return its exit code: only root runs real guests."""
    if shutil.which("sudo") is None:
        print("The demo runs a real guest: run it as root.", file=sys.stderr)
        return 1
    print("The demo runs a real guest, so it goes on with sudo.", flush=True)
    # Ctrl-C reaches sudo as well, which lets the demo clean up before it ends.
    command = ["sudo", sys.executable, str(Path(__file__).resolve()), *arguments]
    with subprocess.Popen(command) as child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
