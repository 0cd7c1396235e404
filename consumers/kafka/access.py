"""Where the brokers are, and how we prove who we are."""

from __future__ import annotations

from typing import Any

from aiokafka.helpers import create_ssl_context
from msgspec import Struct


class KafkaAccess(Struct, frozen=True, kw_only=True):
    """Where the brokers are and how we prove who we are. Field names follow the settings `KAFKA_*`."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    fetch_max_wait_ms: int = 500

    def client(self) -> dict[str, Any]:
        """Keyword arguments that every aiokafka client takes."""
        kwargs: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": "bottombox",
            "security_protocol": self.security_protocol,
        }
        if "SSL" in self.security_protocol:
            kwargs["ssl_context"] = create_ssl_context(
                cafile=self.ssl_cafile, certfile=self.ssl_certfile, keyfile=self.ssl_keyfile
            )
        if "SASL" in self.security_protocol:
            kwargs["sasl_mechanism"] = self.sasl_mechanism or "PLAIN"
            kwargs["sasl_plain_username"] = self.sasl_username
            kwargs["sasl_plain_password"] = self.sasl_password
        return kwargs
