"""An Alertmanager with the routing that is shipped, and somebody who is woken by it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml
from msgspec import Struct

from app.embedded.child import start_child, stop_child
from app.embedded.ports import free_ports
from deploy.prometheus.server import wait_until_ready
from tests.parts.deployment import PROMETHEUS, read_yaml

_NAMES = ("prometheus-alertmanager", "alertmanager")


def alertmanager_program() -> str | None:
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


def missing_alertmanager() -> str | None:
    """One sentence why there is none here, or None."""
    sentence = "Alertmanager is not installed here (the system's package `prometheus-alertmanager`)"
    return None if alertmanager_program() else sentence


class Notification(Struct, frozen=True):
    """`receiver` is the last part of the address it was sent to: on-call, tickets."""

    receiver: str
    status: str
    alert: str
    labels: dict[str, str]


class Woken:
    """Listens for what Alertmanager sends, and takes note."""

    def __init__(self) -> None:
        self.heard: list[Notification] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver = self.path.strip("/")
                for each in told["alerts"]:
                    heard.append(Notification(receiver, each["status"], each["labels"]["alertname"], each["labels"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Its requests are in `heard`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def firing(self) -> set[tuple[str, str]]:
        """(receiver, alert) of all that was told so far."""
        return {(each.receiver, each.alert) for each in self.heard if each.status == "firing"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class AlertmanagerServer:
    """One in a temporary folder, with the shipped example: other receivers, and less patience."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(cls, receiver: str, *, group_wait: str = "3s", group_interval: str = "2s") -> Self:
        folder, (port,) = Path(tempfile.mkdtemp(prefix="bottombox-alertmanager-")), free_ports(1)
        config = read_yaml(PROMETHEUS / "alertmanager.example.yaml")
        config["route"] |= {"group_wait": group_wait, "group_interval": group_interval}
        for each in config["receivers"]:
            for webhook in each["webhook_configs"]:
                webhook["url"] = f"{receiver}/{each['name']}"
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        command = [str(alertmanager_program()), f"--config.file={folder / 'alertmanager.yml'}", "--log.level=warn"]
        command += [f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
        process = start_child(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], log=folder / "log", ending=signal.SIGKILL
        )
        server = cls(folder, port, process)
        wait_until_ready(f"{server.url}/-/ready", process, folder / "log")
        return server

    async def alerts(self, *, inhibited: bool) -> set[str]:
        """The names of those that it tells of, or of those that it keeps back because another one says it all."""
        async with httpx.AsyncClient() as client:
            alerts = (await client.get(f"{self.url}/api/v2/alerts")).json()
        return {each["labels"]["alertname"] for each in alerts if bool(each["status"]["inhibitedBy"]) is inhibited}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_child(self._process, signal.SIGTERM)
        shutil.rmtree(self._folder)
