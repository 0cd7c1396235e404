"""Fetches the jars of Apache Kafka once per machine, and keeps them outside the source tree."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

NEWEST = Path(__file__).with_name("kafka") / "pom.xml"
OLDEST = NEWEST.with_name("oldest.xml")
_OLDEST_JAVA = 17  # what the broker of Kafka 4 needs
_PATIENCE = 300  # seconds for the download; it takes about ten


@functools.cache
def missing_kafka(pom: Path = NEWEST) -> str | None:
    """One sentence why no broker can be started here, or None. Fetches the jars if there are none yet."""
    version = _java_version()
    if version is None:
        return "a Kafka broker needs Java, and there is none here"
    if version < _OLDEST_JAVA:
        return f"a Kafka broker needs Java {_OLDEST_JAVA}, and here is Java {version}"
    if not _jars(pom).exists() and shutil.which("mvn") is None:
        return "Kafka's jars are not cached here, and there is no Maven to fetch them"
    try:
        kafka_jars(pom)
    except (OSError, subprocess.SubprocessError) as error:
        return f"Kafka's jars could not be fetched with Maven ({type(error).__name__})"
    return None


def kafka_version(pom: Path) -> str:
    """What a pom names: `4.3.0`."""
    found = re.search(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([0-9.]+)<", pom.read_text(encoding="utf-8"))
    assert found is not None
    return found.group(1)


def kafka_jars(pom: Path = NEWEST) -> Path:
    """The folder that holds the jars that a pom names. Raises SubprocessError when Maven cannot fetch them."""
    jars = _jars(pom)
    if jars.exists():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=jars.parent) as folder:
        fetched = Path(folder) / "jars"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
        subprocess.run(["mvn", "-q", "-B", "-f", pom, *goal], check=True, capture_output=True, timeout=_PATIENCE)
        try:
            fetched.rename(jars)
        except OSError:
            if not jars.exists():  # otherwise another run was faster, and its jars are the same
                raise
    return jars


def _jars(pom: Path) -> Path:
    """Named by what the pom says, so another version gets another folder."""
    return cache_folder() / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"


def cache_folder() -> Path:
    """Where what was fetched or built for tests and benchmarks is kept."""
    if named := os.environ.get("BOTTOMBOX_TEST_CACHE"):
        return Path(named)
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named) / "bottombox-tests"
    home = os.environ.get("HOME")
    if home and os.access(home, os.W_OK):
        return Path(home) / ".cache" / "bottombox-tests"
    return Path(tempfile.gettempdir()) / f"bottombox-tests-{os.getuid()}"


def _java_version() -> int | None:
    """17 for `openjdk version "17.0.15"`; None without a working Java."""
    if shutil.which("java") is None:
        return None
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=60).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else None
