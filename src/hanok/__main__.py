"""`python -m hanok`."""

from __future__ import annotations

from hanok.cli import main

if __name__ == "__main__":
    main()
