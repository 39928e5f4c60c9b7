"""`hanok up`: the region's one process, from the first start to a clean end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from hanok.app import App
from hanok.cli.credentials import first_credentials
from hanok.config import Config, ConfigError, load
from hanok.model.errors import HanokError
from hanok.telemetry import logs

STOP_SECONDS = 2
"""How long requests in hand may take after SIGTERM; the whole end takes at most 5 s."""


def say(line: str) -> None:
    """Show the operator a line, at once."""
    # One write for each line: two threads speak.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def up(options: Mapping[str, Any], file: Path | None) -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    try:
        config = load(options, file)
        _check_tls(config)
        listener = _listen(config)
        public_url = config.public_url or _url(config, listener)
        config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs.configure(config.state / "hanok.log")
        app = App(config, public_url, say)
        projects = first_credentials(app, public_url, say)
        app.start(projects)
    except (ConfigError, HanokError) as error:
        print(f"hanok: {error}", file=sys.stderr, flush=True)
        return 1
    _settle_memory()
    server = _Server(
        uvicorn.Config(
            app.asgi(),
            loop="uvloop",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_certfile=config.tls_cert,
            ssl_keyfile=config.tls_key,
        ),
        f"hanok: ready {_url(config, listener)}",
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listener]))
    app.stop()
    # Threads may hang in a host's call; nothing that they could still do is needed.
    sys.stdout.flush()
    os._exit(0)


def _settle_memory() -> None:
    """Let the garbage collector look at what requests leave behind, not at what start-up made.

    An answer with a thousand servers allocates some ten thousand objects that are all in use;
    at the default threshold they are searched for cycles again and again (40 % of such a list).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class _Server(uvicorn.Server):
    """Says the one line when it serves."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals for good; uvicorn's own would raise them before the stores close."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets=sockets)
        say(self._ready)


def _check_tls(config: Config) -> None:
    """Read the certificate and its key before anything else is done; raises ConfigError."""
    if config.tls_cert is None or config.tls_key is None:
        return
    for file in (config.tls_cert, config.tls_key):
        try:
            file.read_bytes()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error
    try:
        # With a password at hand, if a wrong one, OpenSSL does not ask for one at the terminal.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(config.tls_cert, config.tls_key, password=str)
    except ssl.SSLError as error:
        raise ConfigError(
            f"{config.tls_cert} and {config.tls_key} are not a certificate and its key, in PEM "
            f"and without a password ({error.reason or error})."
        ) from error


def _listen(config: Config) -> socket.socket:
    """Take the address before anything else is done; raises ConfigError."""
    family = socket.AF_INET6 if ":" in config.listen else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.listen, config.port))
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {config.listen} port {config.port}: {error.strerror}."
        ) from error
    listener.set_inheritable(False)
    return listener


def _url(config: Config, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    host = f"[{config.listen}]" if ":" in config.listen else config.listen
    return f"{config.scheme}://{host}:{port}"
