"""The command line: `hanok up`, and what an operator needs besides."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    from hanok.cli.commands import run

    sys.exit(run(sys.argv[1:]))
