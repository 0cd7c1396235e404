"""Looks at a running process from outside, a few hundred times a second: which of its threads holds the interpreter, and in
which function. Whoever waits is not seen; one that works in C is, in the function that called it."""

from __future__ import annotations

import re
import signal
import subprocess
import sysconfig
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
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
        looking = _Looking([*command, "--format", "raw", "--output", str(file)])
        try:
            looking.has_begun()
            yield stacks
        finally:
            looking.stop()
        stacks.update(read_stacks(file.read_text()))


class _Looking:
    """A py-spy that runs. What it says is heard all the time, or it would wait for somebody to listen."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._said: list[str] = []
        self._begun = threading.Event()
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    def has_begun(self) -> None:
        """Returns once it looks. Raises RuntimeError when it has ended instead."""
        self._begun.wait(PATIENCE)
        if not any(BEGINS in line for line in self._said):
            raise RuntimeError(f"py-spy: {''.join(self._said).strip()}")

    def stop(self) -> None:
        """Returns once it has written down what it saw. Raises RuntimeError when it could not."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._hearing.join()
        if self._process.returncode:
            raise RuntimeError(f"py-spy: {''.join(self._said).strip()}")

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            for line in said:
                self._said.append(line)
                if BEGINS in line:
                    self._begun.set()
        self._begun.set()


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
