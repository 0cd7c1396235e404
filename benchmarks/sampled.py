"""Looks at a running process from outside, a few hundred times a second: which of its threads holds the interpreter, and in
which function. Whoever waits is not seen; one that works in C is, in the function that called it."""

from __future__ import annotations

import re
import signal
import subprocess
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PY_SPY = Path(sysconfig.get_path("scripts")) / "py-spy"
RATE = 200  # looks a second
BEGINS = "Sampling process"
PATIENCE = 30.0  # seconds for it to write down what it saw

Stacks = Counter[tuple[str, ...]]

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>.*)\)")


@contextmanager
def looked_at(pid: int) -> Iterator[Stacks]:
    """Filled when the block has ended. Raises RuntimeError with what py-spy says where it may not look at other processes."""
    stacks: Stacks = Counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        command = [str(PY_SPY), "record", "--pid", str(pid), "--rate", str(RATE), "--gil", "--nolineno"]
        looking = subprocess.Popen(
            [*command, "--format", "raw", "--output", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            _has_begun(looking)
            yield stacks
        finally:
            looking.send_signal(signal.SIGINT)
            said, _ = looking.communicate(timeout=PATIENCE)
        if looking.returncode:
            raise RuntimeError(f"py-spy: {said.strip()}")
        stacks.update(read_stacks(file.read_text()))


def _has_begun(looking: subprocess.Popen[str]) -> None:
    assert looking.stdout is not None
    said = ""
    for line in looking.stdout:
        said += line
        if BEGINS in line:
            return
    raise RuntimeError(f"py-spy: {said.strip()}")


def read_stacks(text: str) -> Stacks:
    """py-spy's raw format, a line for each stack, the outermost function first: `function (file);function (file) count`."""
    stacks: Stacks = Counter()
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        if frames:  # in a thread that ends there is nothing any more
            stacks[tuple(map(name_of, frames.split(";")))] += int(count)
    return stacks


def name_of(frame: str) -> str:
    """`package.module:function`, as a file is imported."""
    found = _FRAME.fullmatch(frame)
    if found is None:
        return frame
    module = found["file"].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{module}:{found['function']}"
