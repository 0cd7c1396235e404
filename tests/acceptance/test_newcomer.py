"""A newcomer follows docs/sources.md, chapter "A source in ten minutes", to the letter, and somebody can be called."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from tests.parts.requirements import require
from tests.parts.service import ROOT, Service
from tests.parts.town import Town, eventually

PAGE = ROOT / "docs" / "sources.md"
_FILE = r"^\*\*`(?P<path>[^`]+)`\*\*(?P<more>, below)?\n\n```\w+\n(?P<text>.*?)^```$"
_COMMANDS = r"^```console\n(?P<session>.*?)^```$"
_STEP = re.compile(f"{_FILE}|{_COMMANDS}", re.DOTALL | re.MULTILINE)


class WrittenFile(Struct, frozen=True):
    """A file of the chapter, or what goes to its end."""

    path: str
    text: str
    is_more: bool


class ShownCommand(Struct, frozen=True):
    """What the chapter types, and what it says comes of it; nothing where that differs from reader to reader."""

    line: str
    output: str


def chapter() -> str:
    return PAGE.read_text(encoding="utf-8").partition("## A source in ten minutes\n")[2].partition("\n## ")[0]


def steps() -> Iterator[WrittenFile | ShownCommand]:
    """The chapter's files and commands in their order."""
    for found in _STEP.finditer(chapter()):
        if found["path"] is not None:
            yield WrittenFile(found["path"], found["text"], found["more"] is not None)
        else:
            for shown in found["session"].removeprefix("$ ").split("\n$ "):
                line, _, output = shown.replace("\\\n", "").partition("\n")
                yield ShownCommand(line, output.strip())


class Newcomer:
    """A shell in a folder of its own, which keeps what was set in it. `http` is where the program listens."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.http = ""
        program = folder / "bin" / "bottombox"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m app "$@"\n')
        program.chmod(0o755)
        self.env = {**env, "PATH": f"{program.parent}:{env['PATH']}", "PYTHONPATH": str(ROOT)}

    def write(self, file: WrittenFile) -> None:
        path = self.folder / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if file.is_more else "") + file.text)

    def type(self, line: str) -> str:
        """What stands on standard output; fails as the command does."""
        typed = line.replace("http://localhost:8000", self.http)
        kept = self.folder / "kept"
        done = subprocess.run(
            ["bash", "-eauo", "pipefail", "-c", f'{typed}\nenv -0 > "{kept}"'],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        self.env = dict(each.split("=", 1) for each in kept.read_text().split("\0") if each)
        return done.stdout.strip()


async def test_the_pages_own_files_and_commands_make_a_callback_of_a_pressed_face(town: Town, tmp_path: Path) -> None:
    for program in ("curl", "openssl", "bash"):
        require("curl", None if shutil.which(program) else f"there is no `{program}` here to follow the page with")
    newcomer = Newcomer(tmp_path, town.env)
    todo = list(steps())
    with ExitStack() as running:
        for step in todo[:-1]:
            if isinstance(step, WrittenFile):
                newcomer.write(step)
            elif step.line == "bottombox run":
                newcomer.http = running.enter_context(Service.start("run", newcomer.env)).http
            else:
                output = await asyncio.to_thread(newcomer.type, step.line)
                assert not step.output or output == step.output, step.line
        last = todo[-1]
        assert isinstance(last, ShownCommand)

        async def asked() -> str:
            return await asyncio.to_thread(newcomer.type, last.line)

        [callback] = json.loads(await eventually(asked, lambda told: "kiosk" in told))["items"]
    assert (callback["source"], callback["state"]) == ("kiosk", "waiting")
    assert [alert["rating"] for alert in callback["alerts"]] == [2]
    assert "Vera" not in json.dumps(callback)
    [answer] = await town.rows("SELECT source, comment, answered_at::text, attributes::text FROM responses")
    assert answer == {
        "source": "kiosk",
        "comment": "Two tills open, twenty people waiting.",
        "answered_at": "2026-07-01 17:04:31+00",
        "attributes": '{"shop": "Leeds"}',
    }


def test_no_block_of_the_chapter_is_passed_over() -> None:
    written = [each for each in steps() if isinstance(each, WrittenFile)]
    assert len(written) + chapter().count("```console\n") == chapter().count("\n```") // 2
