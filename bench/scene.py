"""What the benches share: sizes, a folder on a real disk, and one full region."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.child import Child, region
from bench.rows import Tenant, fill


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. Counts are of one round and one peer."""

    rounds: int = 7
    projects: int = 100
    servers: int = 1000
    """Servers of each project: `projects` times as many in all."""
    tenants: int = 5
    gets: int = 500
    clients: int = 16
    many_gets: int = 2000
    lists: int = 10
    creates: int = 10
    operations: int = 100
    starts: int = 5
    drivers: tuple[str, ...] = ("simulated", "libvirt")
    pairs: int = 5


SMALL = Sizes(
    rounds=2,
    projects=3,
    servers=20,
    tenants=2,
    gets=10,
    clients=4,
    many_gets=20,
    lists=2,
    creates=1,
    operations=3,
    starts=1,
    drivers=("simulated",),
    pairs=1,
)
"""Just enough to see that a bench runs."""


@dataclass(frozen=True, slots=True)
class FullRegion:
    """A running region with many servers of many projects."""

    child: Child
    state: Path
    tenants: list[Tenant]


@dataclass(slots=True)
class Scene:
    """One run of benches. `folder` goes with it; `say` shows progress."""

    folder: Path
    sizes: Sizes
    say: Callable[[str], None]
    _full: FullRegion | None = None

    def full_region(self) -> FullRegion:
        """Return the full region, filled and started when it is first asked for."""
        if self._full is None:
            sizes, state = self.sizes, self.folder / "full"
            self.say(f"filling a region with {sizes.projects * sizes.servers:,} servers")
            with region(state):
                pass
            tenants = fill(state, sizes.projects, sizes.servers, sizes.tenants)
            self._full = FullRegion(region(state).__enter__(), state, tenants)
        return self._full

    def close_region(self) -> None:
        """Stop the full region, if it runs."""
        if self._full is not None:
            self._full.child.__exit__(None, None, None)
            self._full = None


@contextmanager
def scene(sizes: Sizes, say: Callable[[str], None]) -> Iterator[Scene]:
    """Open a scene in a folder of its own and remove all of it at the end."""
    with tempfile.TemporaryDirectory(prefix="hanok-bench-") as folder:
        opened = Scene(Path(folder), sizes, say)
        try:
            yield opened
        finally:
            opened.close_region()
