"""`python -m benchmarks.sampled ROLE ...`: the program as `bottombox` runs it, with a thread that looks a hundred times a
second at what its main thread is doing. The stacks go to the file that SAMPLES names, one a line: `count frame;frame;...`
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from app.__main__ import main

EVERY = 0.01  # seconds
SWITCH = 0.0001  # seconds; with Python's own 5 ms mostly those would be seen who let others run by themselves
ROOT = Path(__file__).parents[1]


class Sampler:
    """Looks at one thread until it is stopped."""

    def __init__(self, thread: int) -> None:
        self.stacks: Counter[str] = Counter()
        self._watched = thread
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(EVERY):
            self.stacks[";".join(frames_of(sys._current_frames().get(self._watched)))] += 1


def frames_of(frame: FrameType | None) -> list[str]:
    """`package.module:function` of each, the outermost first."""
    names = []
    while frame is not None:
        code = frame.f_code
        names.append(f"{_module(code.co_filename)}:{code.co_qualname}")
        frame = frame.f_back
    return names[::-1]


def _module(file: str) -> str:
    """How a file is imported, more or less: what comes after the folder of packages, without its ending."""
    path = Path(file)
    if path.is_relative_to(ROOT):
        parts = path.relative_to(ROOT).parts
        parts = parts[parts.index("site-packages") + 1 :] if "site-packages" in parts else parts
    else:
        parts = path.parts
        after = "site-packages" if "site-packages" in parts else f"python{sys.version_info[0]}.{sys.version_info[1]}"
        parts = parts[parts.index(after) + 1 :] if after in parts else parts[-1:]
    return ".".join(parts).removesuffix(".py").removesuffix(".__init__")


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH)
    sampler = Sampler(threading.get_ident())
    sampler.start()
    try:
        main()
    finally:
        sampler.stop()
        Path(os.environ["SAMPLES"]).write_text("".join(f"{count} {stack}\n" for stack, count in sampler.stacks.items()))
