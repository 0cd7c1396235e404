"""Becomes another program, which the kernel ends as soon as the program that started us is gone.

Run as a script by `app.embedded.child`, between fork and the real program: setting this up inside a forked
process with threads may deadlock, in a fresh interpreter it cannot.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(parent: str, ending: str, user: str, group: str, *command: str) -> None:
    """Take the account, tie our life to the parent's (Linux only), become `command`."""
    if int(user) != os.geteuid():
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    if sys.platform == "linux":  # after the change of account, which would clear it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(ending))
    if os.getppid() != int(parent):
        sys.exit("the program that started this one has already ended")
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec would hand that on
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 (no shell wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
