"""The table of commands; each imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from hanok import __version__

app = App(
    name="hanok",
    version=__version__,
    help="A whole cloud region in one process.",
    help_format="plaintext",  # reading Markdown takes longer than all else
)


def _option(name: str, text: str) -> Parameter:
    return Parameter(name=f"--{name}", help=text, negative=())


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `hanok up` can be told; None leaves a setting at what it is without."""

    driver: Annotated[
        str | None, _option("driver", "simulated, libvirt, or auto: libvirt where it can work.")
    ] = None
    listen: Annotated[
        str | None, _option("listen", "The address to serve on; 127.0.0.1 unless said otherwise.")
    ] = None
    port: Annotated[
        int | None, _option("port", "The port; 8774 unless said otherwise, 0 for any free one.")
    ] = None
    state: Annotated[Path | None, _option("state", "The directory that holds everything.")] = None
    regions: Annotated[
        tuple[str, ...] | None,
        _option("region", "A region's name; can be repeated. KR1 unless said otherwise."),
    ] = None
    database: Annotated[
        str | None, _option("database", "postgresql://… instead of the embedded SQLite.")
    ] = None
    public_url: Annotated[
        str | None,
        _option("public-url", "How clients reach it, when not at the address it listens on."),
    ] = None
    tls_cert: Annotated[Path | None, _option("tls-cert", "A certificate file, to serve HTTPS.")] = (
        None
    )
    tls_key: Annotated[Path | None, _option("tls-key", "The certificate's key file.")] = None


_DEFAULTS = UpOptions()


@app.command
def up(*, options: UpOptions = _DEFAULTS, config: Path | None = None) -> int:
    """Run the region(s) until SIGTERM or Ctrl-C.

    Parameters
    ----------
    config
        A TOML file with any of these settings, and more.
    """
    from hanok.cli.up import up as serve

    return serve(asdict(options), config)


@app.command
def openrc(
    *,
    reset: Annotated[bool, Parameter(negative=())] = False,
    state: Path | None = None,
    database: str | None = None,
    config: Path | None = None,
) -> int:
    """Show where the credentials are, or set new passwords.

    Parameters
    ----------
    reset
        Set new passwords of the member and the administrator, also while the region runs.
    state
        The directory that holds everything.
    database
        postgresql://… when identity's store is there.
    config
        A TOML file with these settings.
    """
    from hanok.cli import openrc as command

    options = {"state": state, "database": database}
    return command.reset(options, config) if reset else command.show(options, config)


for _name, _help in (
    ("project", "Projects: who owns servers."),
    ("user", "Users, and their roles in projects."),
    ("flavor", "Flavors: the sizes of servers."),
    ("image", "Images: what servers boot from."),
):
    app.command(f"hanok.cli.operator:{_name}", name=_name, help=_help)


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    result = app(arguments, result_action="return_value")
    return result if isinstance(result, int) else 0
