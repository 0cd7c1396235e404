"""The settings, read from the environment: `BOTTOMBOX_NAME`, or `BOTTOMBOX_NAME_FILE` for a file that holds the value."""

from __future__ import annotations

import difflib
import ipaddress
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from alerts.document import BadDocument, Problem
from consumers.kafka.access import KafkaAccess

logger = logging.getLogger(__name__)

PREFIX = "BOTTOMBOX_"
NOT_OURS = re.compile(r"REQUIRE|FAILPOINT|TEST_.*|(.*_)?SERVICE_(HOST|PORT.*)|(.*_)?PORT_\d+_(TCP|UDP|SCTP)(_.*)?")
"""Names with our prefix that are no settings: for tests, and the links that Kubernetes makes for its services."""

ENVIRONMENT = "environment"
"""Where the settings stand, as a mistake in them names it; it has no lines."""

SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://")
"""What Kubernetes puts into `..._PORT`, also where a service's name makes that look like a setting of ours."""

NOT_THERE_YET = frozenset(
    {"CONSOLE", "DESTINATIONS", "DESTINATIONS_DIR", "WEBHOOKS_INSECURE"}
    | {"OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_SCOPES_CLAIM"}
)
"""Settings of what is still to come. Who sets one expects it to do something, so it is refused."""

Port = Annotated[int, Field(ge=0, le=65535)]


def _networks(value: str) -> str:
    for each in _listed(value):
        try:
            ipaddress.ip_network(each)
        except ValueError:
            raise ValueError("these must be addresses or networks, like 10.0.0.7 or 10.1.0.0/16") from None
    return value


def _listed(value: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in value.split(",") if each.strip())


class Settings(BaseModel):
    """What an installation sets. docs/settings.md says what each is for; a test keeps both equal."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    database_url: SecretStr = SecretStr("postgresql://bottombox@127.0.0.1:5432/bottombox")
    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: str | None = None
    kafka_ssl_certfile: str | None = None
    kafka_ssl_keyfile: str | None = None
    survey_topics: Annotated[str, Field(pattern=r"[^, ]")] = "survey.responses"
    dead_letter_topic: str = "survey.responses.dead"
    events_topic: str = "bottombox.callbacks"
    consumer_group: str = "bottombox"
    topic_partitions: Annotated[int, Field(ge=1, le=10_000)] = 6
    topic_replication: Annotated[int, Field(ge=1, le=32)] = 1
    policy_file: Path | None = None
    sources_dir: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: Port = 8000
    metrics_port: Port = 9464
    metrics_protected: bool = False
    drain_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    rate_limit: Annotated[int, Field(ge=0)] = 100
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = ""
    public_url: str | None = None
    hydrate_hosts: str = ""
    secret_key: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    secrets: dict[str, SecretStr] = {}
    _database_url_file: Path | None = PrivateAttr(default=None)

    @property
    def topics(self) -> tuple[str, ...]:
        """The survey topics, the first of which takes what comes in over HTTP."""
        return _listed(self.survey_topics)

    @property
    def proxies(self) -> tuple[str, ...]:
        """Whose word counts on where a request came from: addresses and networks."""
        return _listed(self.trusted_proxies)

    def database_url_now(self) -> str:
        """As its file has it at this moment, if it came from one: the password may have been changed while we run.

        A file that cannot be read, as it is just being replaced, counts as unchanged.
        """
        known = self.database_url.get_secret_value()
        if self._database_url_file is None:
            return known
        try:
            return self._database_url_file.read_text(encoding="utf-8").strip() or known
        except (OSError, UnicodeDecodeError) as error:
            logger.info("the file with the database URL cannot be read just now (%s)", type(error).__name__)
            return known

    @property
    def house_hosts(self) -> frozenset[str]:
        """Hosts that answers may be fetched from though they are private, or speak plain http."""
        return frozenset(each.lower() for each in _listed(self.hydrate_hosts))

    @property
    def plain_secrets(self) -> dict[str, str]:
        """What BOTTOMBOX_SECRET_<NAME> holds, by NAME."""
        return {name: secret.get_secret_value() for name, secret in self.secrets.items()}

    @property
    def kafka(self) -> KafkaAccess:
        password = self.kafka_sasl_password
        return KafkaAccess(
            bootstrap_servers=self.kafka_bootstrap_servers,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            sasl_username=self.kafka_sasl_username,
            sasl_password=password.get_secret_value() if password else None,
            ssl_cafile=self.kafka_ssl_cafile,
            ssl_certfile=self.kafka_ssl_certfile,
            ssl_keyfile=self.kafka_ssl_keyfile,
        )


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadDocument, naming every setting that must be mended and never its value."""
    given = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    values: dict[str, str] = {}
    secrets: dict[str, str] = {}
    mistakes = []
    for name, value in sorted(given.items()):
        try:
            known, text = _read(name, value)
        except BadDocument as error:
            mistakes += error.problems
            continue
        if known is None:
            continue
        is_secret = known.startswith("secret_") and known != "secret_key"
        kept, short = (secrets, known.removeprefix("secret_").upper()) if is_secret else (values, known)
        if short in kept:
            mistakes.append(_mistake(known, "is set twice, by itself and by its _FILE", "keep one"))
        if is_secret or text != "":
            kept[short] = text
    try:
        settings = Settings.model_validate({**values, "secrets": secrets})
    except ValidationError as error:
        mistakes += [_explain(each["loc"], each["msg"]) for each in error.errors()]
    if mistakes:
        raise BadDocument(mistakes)
    if "DATABASE_URL_FILE" in given:
        settings._database_url_file = Path(given["DATABASE_URL_FILE"])
    return settings


def _read(name: str, value: str) -> tuple[str | None, str]:
    """(setting, its text); the setting is None when the name is not ours to judge, or says nothing."""
    if NOT_OURS.fullmatch(name) or (name.endswith("PORT") and SERVICE_LINK.match(value)):
        return None, value
    if _is_setting(name):
        return name.lower(), value
    if name.removesuffix("_FILE") in NOT_THERE_YET:
        if value == "":
            return None, value
        raise BadDocument([_mistake(name, "is a setting of something that is not there yet", "remove it")])
    if name.endswith("_FILE") and _is_setting(name.removesuffix("_FILE")):
        try:
            return name.removesuffix("_FILE").lower(), Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError, ValueError):
            raise BadDocument([_mistake(name, "names a file that cannot be read", "correct the path")]) from None
    near = difflib.get_close_matches(name, [known.upper() for known in Settings.model_fields], n=1)
    raise BadDocument([_mistake(name, "is not a setting", f"did you mean {PREFIX}{near[0]}?" if near else "remove it")])


def _is_setting(name: str) -> bool:
    is_known = name.lower() in Settings.model_fields and name != "SECRETS"
    return is_known or (re.fullmatch(r"SECRET_[A-Z0-9_]+", name) is not None and not name.endswith("_FILE"))


def _explain(where: tuple[int | str, ...], message: str) -> Problem:
    said = message.removeprefix("Value error, ")
    return _mistake(f"{where[0] if where else '?'}:", f"{said[:1].lower()}{said[1:]}", "correct the value")


def _mistake(name: str, problem: str, remedy: str) -> Problem:
    return Problem(file=ENVIRONMENT, line=0, problem=f"{PREFIX}{name.upper()} {problem}", remedy=remedy)
