"""Pick kernel modules, with all they depend on, out of an unpacked Debian kernel."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable
from pathlib import Path

from hanok.guest.image_cache import BuildFailed


class ModuleMissing(BuildFailed):
    """The kernel has no such module, neither as a file nor built in."""


class KernelModules:
    """The modules below `folder` (lib/modules/<release>), by name with `_` for `-`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {_name(path): path for path in folder.glob("kernel/**/*.ko*")}
        built_in = (folder / "modules.builtin").read_text("ascii").split()
        self._built_in = {_name(Path(line)) for line in built_in}

    def closure(self, names: Iterable[str]) -> list[str]:
        """Return `names` and what they need, each after what it needs, built-in ones left out."""
        order: list[str] = []
        for name in names:
            self._visit(name, order)
        return order

    def read(self, name: str) -> bytes:
        """Return the module's ELF file, decompressed."""
        path = self._files[name]
        content = path.read_bytes()
        if path.suffix == ".ko":
            return content
        if path.suffix == ".xz":
            return lzma.decompress(content)
        raise ModuleMissing(f"{path.name} is compressed in a way unknown here.")

    def install(self, names: Iterable[str], target: Path) -> None:
        """Copy modules into `target` (lib/modules/<release>) with the modules.dep of modprobe."""
        lines = []
        for name in self.closure(names):
            path = Path("kernel", f"{name}.ko")
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(self.read(name))
            # modprobe loads from the last to the first.
            needed = reversed(self.closure([name])[:-1])
            lines.append(" ".join([f"{path}:", *(f"kernel/{other}.ko" for other in needed)]))
        (target / "modules.dep").write_text("\n".join(lines) + "\n", "ascii")

    def _visit(self, name: str, order: list[str]) -> None:
        if name in order or (name in self._built_in and name not in self._files):
            return
        if name not in self._files:
            raise ModuleMissing(f"{self._folder.name} has no module {name}.")
        for needed in _depends(self.read(name)):
            self._visit(needed, order)
        order.append(name)


def _name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")


def _depends(module: bytes) -> list[str]:
    """The modules named in a module's own description (the field `depends` of .modinfo)."""
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    names = found.group(1).decode("ascii") if found else ""
    return [name.replace("-", "_") for name in names.split(",") if name]
