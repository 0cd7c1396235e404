"""`make watch`: the demo and a Prometheus that watches it, with an address for each question of the dashboards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from app.embedded.ports import free_ports
from deploy.prometheus.server import PrometheusServer, missing_prometheus

DASHBOARDS = Path(__file__).parent / "grafana" / "dashboards"
SHOWN = "5m"


def main(arguments: list[str]) -> int:
    """`arguments` are the demo's; so is the exit code, but 1 where there is no Prometheus."""
    missing = missing_prometheus()
    if missing is not None:
        click.echo(f"{missing}; `make demo` runs without one.", err=True)
        return 1
    (port,) = free_ports(1)
    with PrometheusServer.start([f"http://127.0.0.1:{port}"]) as prometheus:
        for line in introduction(prometheus.url):
            click.echo(line)
        here = {"BOTTOMBOX_HTTP_HOST": "127.0.0.1", "BOTTOMBOX_HTTP_PORT": str(port)}
        command = [sys.executable, "-m", "app", "demo", *arguments]
        with subprocess.Popen(command, env={**os.environ, **here}) as demo:  # noqa: S603 - our own program
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells the demo too, and we end after it
            signal.signal(signal.SIGTERM, lambda number, frame: demo.terminate())
            return demo.wait()


def introduction(prometheus: str) -> Iterator[str]:
    yield f"Prometheus reads the demo every second: {prometheus}, its alerts: {prometheus}/alerts"
    for path in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        asked = [panel for panel in board["panels"] if any("expr" in target for target in panel.get("targets", ()))]
        if not asked:
            yield f"\n{board['title']}: asks PostgreSQL, and needs Grafana"
            continue
        yield f"\n{board['title']}"
        for panel in asked:
            yield f"  {panel['title']}\n    {prometheus}/graph?{question(panel)}"
    yield ""


def question(panel: dict[str, Any]) -> str:
    """What a panel asks, as Prometheus's own page reads it: one graph or table below the other."""
    told: dict[str, str] = {}
    for place, target in enumerate(panel["targets"]):
        expression = target["expr"].replace("$__rate_interval", "1m").replace("$__range", SHOWN)
        told[f"g{place}.expr"] = expression
        told[f"g{place}.tab"] = "1" if target.get("instant") else "0"
        told[f"g{place}.range_input"] = SHOWN
    return urlencode(told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
