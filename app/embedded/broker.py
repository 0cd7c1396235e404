"""A broker for the demo, where there is no Java: librdkafka's mock cluster, out of the confluent-kafka wheel.

It speaks the Kafka protocol over TCP, so the same consumer and producer run against it as against the real
one. It is for the demo only. It lives in our memory and in our process, keeps 5 MiB and 100,000 records per
partition (older ones go without a word), serves groups of one member, and forgets everything at the end. A
fetch that finds nothing is not woken by a new record but waits out its `fetch_max_wait_ms`: give consumers a
small one. When the one member of a group leaves, the next waits about 9 s to join (librdkafka 2.16).
Source of these limits: librdkafka, `src/rdkafka_mock.c` and `src/rdkafka_mock_handlers.c`.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from alerts.errors import Misconfigured, Unavailable

_PRODUCER = 0  # RD_KAFKA_PRODUCER; the mock cluster lives inside a client handle of either kind
_CONF_OK = 0
_ERROR_LENGTH = 512


class EmbeddedBroker:
    """One broker with a fixed list of topics, on a free port of 127.0.0.1."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._handle = _client(library)
        self._cluster: int | None = library.rd_kafka_mock_cluster_new(self._handle, 1)
        if not self._cluster:
            library.rd_kafka_destroy(self._handle)
            raise Unavailable("the embedded broker did not start")
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap: str = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    @classmethod
    def start(cls, topics: Mapping[str, int]) -> Self:
        """A ready broker with these topics and partition counts. Raises Misconfigured without the wheel."""
        broker = cls(_library())
        for topic, partitions in topics.items():
            broker._create(topic, partitions)
        return broker

    def stop(self) -> None:
        """Close every connection and forget every record. Calling it twice is fine."""
        if self._cluster is not None:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _create(self, topic: str, partitions: int) -> None:
        if self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1) != 0:
            self.stop()
            raise Misconfigured(f"the embedded broker cannot make the topic {topic!r}")


def _client(library: ctypes.CDLL) -> int:
    """A client handle, silent: it is never used as a client."""
    error = ctypes.create_string_buffer(_ERROR_LENGTH)
    conf = library.rd_kafka_conf_new()
    quiet = library.rd_kafka_conf_set(conf, b"log_level", b"0", error, _ERROR_LENGTH) == _CONF_OK
    handle: int | None = library.rd_kafka_new(_PRODUCER, conf, error, _ERROR_LENGTH) if quiet else None
    if not handle:
        library.rd_kafka_conf_destroy(conf)
        raise Unavailable(f"the embedded broker did not start: {error.value.decode(errors='replace')}")
    return handle


def _library() -> ctypes.CDLL:
    """librdkafka with the signatures of the few functions we call (`src/rdkafka.h`, `src/rdkafka_mock.h`)."""
    library = ctypes.CDLL(str(_library_file()))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, ctypes.c_size_t]),
        "rd_kafka_conf_destroy": (None, [pointer]),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _library_file() -> Path:
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("the embedded broker is not installed here; install confluent-kafka (`bottombox[demo]`)")
    package = Path(spec.submodule_search_locations[0])
    folders = (package.with_name("confluent_kafka.libs"), package / ".dylibs")  # Linux, macOS
    found = [file for folder in folders for file in folder.glob("librdkafka*")]
    if not found:
        raise Misconfigured("this build of confluent-kafka holds no librdkafka; install its wheel")
    return found[0]
