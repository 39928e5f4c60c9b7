"""The command line: `hanok up`, and what an operator needs besides."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        # The table of commands takes a quarter of a second to read.
        from hanok import __version__

        print(__version__)
        return
    from hanok.cli.commands import run

    sys.exit(run(sys.argv[1:]))
