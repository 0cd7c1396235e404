"""The compose file names only what there is. No engine runs it where it is developed, so this is what can be known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import click
import pytest

from app.cli import program
from app.settings import PREFIX, read_settings
from tests.parts.deployment import DEPLOY, ROOT, read_yaml

COMPOSE = read_yaml(DEPLOY / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
# Of the Compose Specification, what this file may use; a misspelt key is none of them.
KEYS: dict[str, set[str]] = {
    "": {"name", "services", "volumes"},
    "service": {
        *("build", "image", "command", "entrypoint", "environment", "volumes", "ports", "depends_on", "restart"),
        *("healthcheck", "stop_grace_period", "read_only", "cap_drop", "security_opt"),
    },
    "build": {"context", "dockerfile"},
    "healthcheck": {"test", "interval", "timeout", "retries"},
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):\?[^}]+\}")
# What the images of others read, by the beginnings of the names (of Kafka's the whole rule: KAFKA_ and the property).
THEIRS = {
    "kafka": ("KAFKA_", "CLUSTER_ID"),
    "postgres": ("POSTGRES_",),
    "reports": ("PGPASSWORD", "READER_PASSWORD"),
    "grafana": ("GF_", "READER_PASSWORD"),
}


def test_only_known_keys_are_used() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == KEYS[""]
    for name, service in SERVICES.items():
        assert set(service) <= KEYS["service"], name
        assert set(service.get("build", ())) <= KEYS["build"], name
        assert set(service.get("healthcheck", ())) <= KEYS["healthcheck"], name
        assert service.get("restart", "no") in {"no", "unless-stopped"}, name


def test_every_service_waits_for_services_that_there_are_and_can_tell() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert set(wait) == {"condition"}, name
            assert wait["condition"] in CONDITIONS, name
            assert wait["condition"] != "service_healthy" or "healthcheck" in SERVICES[other], name
            assert wait["condition"] != "service_completed_successfully" or "restart" not in SERVICES[other], name


def test_every_image_has_a_version() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].rpartition(":")
        assert image, name
        assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-\w+)?", tag) or (name in OURS and tag == "local"), name


def mounts() -> Iterator[tuple[str, str, str]]:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, target, *_ = volume.split(":")
            yield name, source, target


def test_every_volume_is_there() -> None:
    named = set()
    for name, source, target in mounts():
        assert PurePosixPath(target).is_absolute(), name
        if source.startswith("."):
            assert (DEPLOY / source).exists(), f"{name}: {source}"
        else:
            named.add(source)
    assert named == set(COMPOSE["volumes"])
    build = next(iter(OURS.values()))["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == ROOT / "Dockerfile"


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_settings_and_our_commands_are_commands(name: str) -> None:
    service = OURS[name]
    environment = {key: VARIABLE.sub("a-secret", value) for key, value in service["environment"].items()}
    assert all(key.startswith(PREFIX) for key in environment)
    settings = read_settings(environment)
    assert settings.kafka_bootstrap_servers.partition(":")[0] in SERVICES
    assert "@postgres:" in settings.database_url.get_secret_value()
    command: click.Command = program
    for word in service["command"]:
        assert isinstance(command, click.Group)
        command = command.commands[word]


def test_other_images_get_only_what_they_read() -> None:
    for name in SERVICES.keys() - OURS.keys():
        for key in SERVICES[name].get("environment", {}):
            assert key.startswith(THEIRS[name]), f"{name}: {key}"


def test_every_secret_comes_from_the_file_that_is_to_be_filled_in() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    asked = set(VARIABLE.findall(text))
    assert asked == set(re.findall(r"^(\w+)=$", (DEPLOY / "compose.env.example").read_text(), re.MULTILINE))
    assert "$" not in re.sub(r"\$\$", "", VARIABLE.sub("", text)), "a variable that stops nobody when it is empty"
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_what_watches_finds_what_it_is_told_to_watch() -> None:
    prometheus = read_yaml(DEPLOY / "prometheus" / "prometheus.yml")
    ((discovered,),) = [job["dns_sd_configs"] for job in prometheus["scrape_configs"]]
    assert set(discovered["names"]) == {name for name, service in OURS.items() if "restart" in service}
    assert discovered["port"] == read_settings({}).metrics_port
    hosts = [each["targets"][0] for each in prometheus["alerting"]["alertmanagers"][0]["static_configs"]]
    hosts += [
        each["url"].removeprefix("http://")
        for each in read_yaml(DEPLOY / "grafana/provisioning/datasources/bottombox.yaml")["datasources"]
    ]
    assert {host.partition(":")[0] for host in hosts} == {"alertmanager", "prometheus", "postgres"} <= set(SERVICES)
    (provider,) = read_yaml(DEPLOY / "grafana/provisioning/dashboards/bottombox.yaml")["providers"]
    assert ("grafana", "./grafana/dashboards", provider["options"]["path"]) in set(mounts())
    files = {PurePosixPath(target).name for name, _, target in mounts() if name == "prometheus"}
    assert set(prometheus["rule_files"]) <= files
