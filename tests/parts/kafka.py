"""A real Apache Kafka on this machine, one node in KRaft mode, for stories and benchmarks to use and hurt."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

from app.embedded.child import last_words, start_child, stop_child
from app.embedded.ports import free_ports
from tests.parts.kafka_jars import NEWEST, kafka_jars

_PATIENCE = 60.0  # seconds for a start; about three where nothing else runs

# message.max.bytes stays Kafka's own 1 MiB, as in production; a topic asks for more with max.message.bytes.
# Everybody may do everything, but for what a story forbids (`tests.parts.rights`).
# The session is short because a killed broker may not register again before its old session has ended.
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={folder}/records
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
replica.fetch.max.bytes=16777216
broker.heartbeat.interval.ms=250
broker.session.timeout.ms=2000
log.cleaner.backoff.ms=100
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


class KafkaBroker:
    """One broker on one folder and one port, which it keeps over any number of restarts."""

    def __init__(self, folder: Path, heap: str, temporary: bool, pom: Path) -> None:
        self.folder = folder
        self._pom = pom
        self.port, controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._properties = folder / "server.properties"
        self._properties.write_text(_PROPERTIES.format(port=self.port, controller=controller, folder=folder))
        self._log = folder / "broker.log"
        self._heap = heap
        self._temporary = temporary
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, folder: Path | None = None, *, heap: str = "512m", pom: Path = NEWEST) -> Self:
        """A broker that answers. Without `folder`, in a new temporary one that `stop` removes.

        Ask `missing_kafka` first. Raises RuntimeError if the broker does not come up.
        """
        chosen = folder or Path(tempfile.mkdtemp(prefix="bottombox-kafka-"))
        chosen.mkdir(parents=True, exist_ok=True)
        broker = cls(chosen, heap, folder is None, pom)
        try:
            broker._format()
            broker._launch()
        except BaseException:
            broker.stop()
            raise
        return broker

    @property
    def pid(self) -> int:
        return self._running().pid

    def stop(self) -> None:
        """End cleanly, within 20 s or by force; a temporary folder goes too. Calling it twice is fine."""
        if self._process is not None:
            self.resume()
            stop_child(self._process, signal.SIGTERM)
            self._process = None
        if self._temporary:
            shutil.rmtree(self.folder)
            self._temporary = False

    def kill(self) -> None:
        """The power cut: SIGKILL, no farewell."""
        if self._process is not None:
            stop_child(self._process)
            self._process = None

    def restart(self) -> None:
        """Start again on the same folder and port, after `kill` or instead of running on."""
        if self._process is not None:
            self.resume()
            stop_child(self._process, signal.SIGTERM)
            self._process = None
        self._launch()

    def pause(self) -> None:
        """Stop answering without closing a connection (SIGSTOP)."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process

    def _format(self) -> None:
        """Write the name of the cluster into the folder, unless it has one."""
        if (self.folder / "records" / "meta.properties").exists():
            return
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        formatting = self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", self._properties)
        if formatting.wait() != 0:
            raise RuntimeError(f"Kafka could not make its folder: {last_words(self._log)}")

    def _launch(self) -> None:
        process = self._process = self._java("kafka.Kafka", self._properties)
        deadline = time.monotonic() + _PATIENCE
        while not _answers(self.port):
            if process.poll() is not None:
                raise RuntimeError(f"Kafka ended at once: {last_words(self._log)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not answer within {_PATIENCE:.0f} s: {last_words(self._log)}")
            time.sleep(0.05)

    def _java(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        machine = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", f"-Xmx{self._heap}"]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        java = shutil.which("java") or "java"
        return start_child(
            [java, *machine, quiet, "-cp", f"{kafka_jars(self._pom)}/*", program, *arguments],
            log=self._log,
            ending=signal.SIGKILL,
        )


def _answers(port: int) -> bool:
    """Whether the broker lists itself as alive: one Metadata request, version 1, for no topic.

    An open port is not enough, it opens before the broker may serve (Kafka protocol guide, Metadata API).
    """
    body = struct.pack(">hhihi", 3, 1, 1, -1, 0)  # api key, version, correlation, no client id, no topics
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as broker:
            broker.sendall(struct.pack(">i", len(body)) + body)
            answer = broker.makefile("rb").read(12)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] == 1  # size, correlation, number of brokers
