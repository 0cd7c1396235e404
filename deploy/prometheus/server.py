"""A Prometheus beside processes on this machine: for `make watch`, and for tests of rules and dashboards."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import yaml

from alerts.errors import Misconfigured, Unavailable
from app.embedded.child import last_words, start_child, stop_child
from app.embedded.ports import free_ports

RULES = Path(__file__).parent / "bottombox-rules.yaml"
_PATIENCE = 30.0  # seconds for a start; about one where nothing else runs


def missing_prometheus() -> str | None:
    """One sentence why none can be started here, or None."""
    return (
        None if shutil.which("prometheus") else "Prometheus is not installed here (the system's package `prometheus`)"
    )


class PrometheusServer:
    """One server in a temporary folder, which goes with it."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(
        cls, targets: Sequence[str], *, rules: Path = RULES, every: str = "1s", alertmanager: str | None = None
    ) -> Self:
        """Reads `targets` and judges `rules` so often. Addresses are as `http://127.0.0.1:9464`.

        Raises Misconfigured where there is none, Unavailable if it does not start.
        """
        program = shutil.which("prometheus")
        if program is None:
            raise Misconfigured(str(missing_prometheus()))
        folder, (port,) = Path(tempfile.mkdtemp(prefix="bottombox-prometheus-")), free_ports(1)
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_config(targets, rules, every, alertmanager)), encoding="utf-8")
        command = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--log.level=warn"]
        process = start_child(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], log=folder / "log", ending=signal.SIGKILL
        )
        server = cls(folder, port, process)
        try:
            wait_until_ready(f"{server.url}/-/ready", process, folder / "log")
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        stop_child(self._process, signal.SIGTERM)
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _config(targets: Sequence[str], rules: Path, every: str, alertmanager: str | None) -> dict[str, Any]:
    senders = [{"static_configs": [{"targets": [urlsplit(alertmanager).netloc]}]}] if alertmanager else []
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(rules.resolve())],
        "alerting": {"alertmanagers": senders},
        "scrape_configs": [
            {
                "job_name": "bottombox",
                "static_configs": [{"targets": [urlsplit(target).netloc for target in targets]}],
            }
        ],
    }


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers with success. Raises Unavailable if it ends before, or takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass  # not there yet
        if process.poll() is not None:
            raise Unavailable(f"what should answer at {address} ended at once: {last_words(log)}")
        if time.monotonic() > deadline:
            raise Unavailable(f"nothing answered at {address} within {_PATIENCE:.0f} s: {last_words(log)}")
        time.sleep(0.05)
