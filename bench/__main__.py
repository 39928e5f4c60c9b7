"""`python -m bench [NAME…]`: run benches, print their figures, keep them in bench/results/."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench import create_server, get_server, guest, list_servers, process, report, steps
from bench.figures import Findings
from bench.scene import SMALL, Scene, Sizes, scene


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench: what it says it measures, and whether it needs the full region."""

    run: Callable[[Scene], Findings]
    what: str
    full_region: bool = False
    default: bool = True


def _run_actions(scene: Scene) -> Findings:
    """Run the bench `actions`; it needs libvirt's binding, which the others do without."""
    if missing := process.left_out("libvirt"):
        raise RuntimeError(f"the bench actions cannot run here: {missing}")
    found: Findings = importlib.import_module("bench.actions").run(scene)
    return found


BENCHES = {
    "get": Bench(get_server.run, "GET of one server", full_region=True),
    "list": Bench(list_servers.run, "a list of 1,000 servers", full_region=True),
    "create": Bench(create_server.run, "POST to ACTIVE, simulated", full_region=True),
    "steps": Bench(steps.run, "five no-op steps on both databases"),
    "process": Bench(process.run, "idle memory, start to ready"),
    "guest": Bench(guest.run, "create to SSH beside bare QEMU (root, libvirt)", default=False),
    "actions": Bench(
        _run_actions, "stop, start, reboot, attach beside bare libvirt (the same)", default=False
    ),
}


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    lines = [f"  {name:10}{bench.what}" for name, bench in BENCHES.items()]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="\n".join(["benches (all but guest and actions, when none is named):", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHES])
    parser.add_argument("--small", action="store_true", help="tiny sizes: does it run at all?")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="where JSON goes")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    asked = _arguments(arguments)
    names = asked.names or [name for name, bench in BENCHES.items() if bench.default]
    console = Console(width=110 if not sys.stdout.isatty() else None)
    everything: list[Findings] = []
    with scene(SMALL if asked.small else Sizes(), lambda line: console.print(f"· {line}")) as open_:
        for name in names:
            bench = BENCHES[name]
            if not bench.full_region:
                open_.close_region()
            found = bench.run(open_)
            everything.append(found)
            report.show(found, console)
    console.print(f"all rounds are in {report.save(everything, asked.results)}")
    if asked.small:
        console.print("the sizes are tiny: figures and targets mean nothing")
        return 0
    missed = [one.name for found in everything for one in found.figures if one.reached is False]
    if missed:
        console.print(f"missed: {', '.join(missed)}")
    return 1 if missed and asked.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
