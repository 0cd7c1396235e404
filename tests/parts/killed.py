"""A program that is killed at a chosen place of its own code, by SIGKILL: no goodbye, and no second thought."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.parts.service import ROOT

# Python reads a module of this name before the program begins.
_SITE = """
import importlib, os, signal

module, name = os.environ["BOTTOMBOX_TEST_KILLED_AT"].split(":")
setattr(importlib.import_module(module), name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
"""


def killed_at(place: str, folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that is killed where it would call `place`: "package.module:function"."""
    (folder / "sitecustomize.py").write_text(_SITE)
    return {**env, "BOTTOMBOX_TEST_KILLED_AT": place, "PYTHONPATH": f"{folder}:{ROOT}"}
