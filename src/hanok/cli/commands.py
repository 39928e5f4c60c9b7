"""The table of commands; each imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from hanok import __version__

app = App(name="hanok", version=__version__, help="A whole cloud region in one process.")


@app.command
def up(  # noqa: PLR0913 - one parameter for each option
    *,
    driver: str | None = None,
    listen: str | None = None,
    port: int | None = None,
    state: Path | None = None,
    region: Annotated[tuple[str, ...] | None, Parameter(negative=())] = None,
    database: str | None = None,
    public_url: str | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    config: Path | None = None,
) -> int:
    """Run the region(s) until SIGTERM or Ctrl-C.

    Parameters
    ----------
    driver
        simulated, libvirt, or auto: libvirt where it can work.
    listen
        The address to serve on; 127.0.0.1 unless said otherwise.
    port
        The port; 8774 unless said otherwise, 0 for any free one.
    state
        The directory that holds everything.
    region
        A region's name; can be repeated. KR1 unless said otherwise.
    database
        postgresql://… instead of the embedded SQLite.
    public_url
        How clients reach this process, when it is not the address it listens on.
    tls_cert
        A certificate file, to serve HTTPS.
    tls_key
        The certificate's key file.
    config
        A TOML file with any of these settings, and more.
    """
    from hanok.cli.up import up as serve

    options: dict[str, Any] = {
        "driver": driver,
        "listen": listen,
        "port": port,
        "state": state,
        "regions": region or None,
        "database": database,
        "public_url": public_url,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
    }
    return serve(options, config)


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
