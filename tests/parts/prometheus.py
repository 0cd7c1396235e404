"""Prometheus's own programs that judge rules and routing, where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.parts.requirements import require

PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}
_PATIENCE = 240.0  # seconds


def missing_program(name: str) -> str | None:
    """One sentence why there is none here, or None."""
    return None if shutil.which(name) else f"{name} is not installed here (the system's package `{PACKAGES[name]}`)"


def run_program(name: str, *arguments: str, folder: Path, told: str | None = None) -> str:
    """What it printed; fails with that if it ended with anything but success. `told`: what it reads on standard input."""
    require("prometheus", missing_program(name))
    done = subprocess.run(
        [name, *arguments], cwd=folder, input=told, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
