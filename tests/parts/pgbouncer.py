"""PgBouncer in front of a story's server, as many installations have it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from app.embedded.child import last_words, start_child, stop_child
from app.embedded.ports import free_ports
from app.embedded.postgres import unprivileged
from tests.parts.postgres import PostgresServer

_PATIENCE = 20.0  # seconds


def missing_pgbouncer() -> str | None:
    """One sentence why there is none here, or None."""
    return None if _program() else "PgBouncer is not installed here (the system's package `pgbouncer`)"


def _program() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class PgBouncer:
    """`mode` is transaction, session or statement; `sessions` are the server's own for each database and user."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._port = port
        self._process = process

    @classmethod
    def start(cls, server: PostgresServer, *, mode: str = "transaction", sessions: int = 5, **more: str) -> Self:
        folder, account, port = Path(tempfile.mkdtemp(prefix="bottombox-pgbouncer-")), unprivileged(), free_ports(1)[0]
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(folder / "users"),
            "pool_mode": mode,
            "default_pool_size": str(sessions),
            "max_client_conn": "200",
            "server_login_retry": "1",
            **more,
        }
        login = urlsplit(server.url())
        (folder / "users").write_text(f'"{login.username}" "{login.password}"\n')
        lines = [f"* = host=127.0.0.1 port={login.port}", "[pgbouncer]", *(f"{a} = {b}" for a, b in settings.items())]
        (folder / "pgbouncer.ini").write_text("\n".join(["[databases]", *lines, ""]))
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.user, account.group)
        process = start_child(
            [str(_program()), folder / "pgbouncer.ini"],
            log=folder / "log",
            ending=signal.SIGINT,
            account=account,
        )
        bouncer = cls(folder, port, process)
        bouncer._wait()
        return bouncer

    def in_front_of(self, url: str) -> str:
        """The same address, by way of the pooler."""
        parts = urlsplit(url)
        return url.replace(f":{parts.port}/", f":{self._port}/")

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"PgBouncer did not start: {last_words(self._folder / 'log')}") from None
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_child(self._process, signal.SIGINT, signal.SIGTERM)
        shutil.rmtree(self._folder)
