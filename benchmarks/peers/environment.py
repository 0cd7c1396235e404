"""Makes each peer's own environment once per machine, outside the source tree, and starts it there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tests.parts.kafka_jars import cache_folder

HERE = Path(__file__).parent
PATIENCE = 600  # seconds to fetch and build
MADE = "made"


class Peer(Struct, frozen=True):
    """`run`: what its folder's program is started with; `{env}` is its environment, `{here}` the folder of its files.

    `share`: of the answers that it is given, for a slow one.
    """

    name: str
    title: str
    run: tuple[str, ...]
    share: float = 1.0

    @property
    def files(self) -> Path:
        return HERE / self.name

    @property
    def is_java(self) -> bool:
        return (self.files / "pom.xml").exists()


_PYTHON = ("{env}/bin/python", "{here}/main.py")
PEERS = (
    Peer("tutorial", "one message at a time: aiokafka and SQLAlchemy's ORM", _PYTHON, share=0.05),
    Peer("faststream", "FastStream, batches of 2,000, SQLAlchemy Core", _PYTHON),
    Peer(
        "bytewax",
        "Bytewax, batches of 2,000, psycopg",
        ("{env}/bin/python", "-m", "bytewax.run", "main:flow", "-r", "{work}", "-s", "1", "-b", "0"),
    ),
    Peer("spring", "spring-kafka, batches of 2,000, JDBC", ("java", "-jar", "{env}/peer-1.jar")),
)


def environment_of(peer: Peer) -> Path:
    """Raises OSError and SubprocessError when it cannot be made here."""
    made = cache_folder() / f"peer-{peer.name}-{fingerprint(peer)}"
    if (made / MADE).exists():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(made, ignore_errors=True)
    _build(peer, made) if peer.is_java else _install(peer, made)
    (made / MADE).touch()
    return made


def fingerprint(peer: Peer) -> str:
    """By what it is made of, so that another version gets another folder; one in Python has the interpreter that we have."""
    if peer.is_java:
        made_of = [each.read_bytes() for each in sorted(peer.files.rglob("*")) if each.is_file()]
    else:
        made_of = [_requirements(peer).read_bytes(), f"{sys.base_prefix} {sys.version}".encode()]
    return hashlib.sha256(b"".join(made_of)).hexdigest()[:12]


def _requirements(peer: Peer) -> Path:
    return peer.files / "requirements.txt"


def _install(peer: Peer, made: Path) -> None:
    _do([sys.executable, "-m", "venv", str(made)])
    _do([str(made / "bin" / "pip"), "install", "--quiet", "--requirement", str(_requirements(peer))])


def _build(peer: Peer, made: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="building-") as folder:
        copy = Path(folder) / peer.name
        shutil.copytree(peer.files, copy)
        _do(["mvn", "-q", "-B", "-f", str(copy / "pom.xml"), "package"])
        made.mkdir()
        shutil.copy(copy / "target" / "peer-1.jar", made)


def _do(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)


def start(peer: Peer, made: Path, work: Path, given: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The peer's process. `work`: an empty folder of its own; what it says goes to a file there."""
    places = {"env": str(made), "here": str(peer.files), "work": str(work)}
    if peer.name == "bytewax":  # its recovery store is made beforehand
        _do([str(made / "bin" / "python"), "-m", "bytewax.recovery", str(work), "1"])
    with (work / "log").open("wb") as log:
        return subprocess.Popen(
            [part.format(**places) for part in peer.run],
            cwd=peer.files,
            env={"PATH": os.environ["PATH"], **given},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
