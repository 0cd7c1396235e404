"""Settings: what is set is used, what is misspelt is named, and no value is ever repeated in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.document import BadDocument
from alerts.errors import Misconfigured
from app.settings import read_settings


def test_without_any_setting_the_defaults_hold() -> None:
    settings = read_settings({"PATH": "/bin", "HOME": "/nowhere"})
    assert settings.topics == ("survey.responses",)
    assert settings.dead_letter_topic == "survey.responses.dead"
    assert (settings.http_port, settings.metrics_port, settings.rate_limit) == (8000, 9464, 100)


def test_topics_are_a_list() -> None:
    assert read_settings({"BOTTOMBOX_SURVEY_TOPICS": "one, two,"}).topics == ("one", "two")


def test_any_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://ann:pw@db/ledger\n")
    settings = read_settings({"BOTTOMBOX_DATABASE_URL_FILE": str(secret), "BOTTOMBOX_SECRET_TYPEFORM": "s"})
    assert settings.database_url.get_secret_value() == "postgresql://ann:pw@db/ledger"
    assert settings.secrets["TYPEFORM"].get_secret_value() == "s"


def test_the_address_of_the_database_is_read_anew_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://ann:first@db/ledger\n")
    settings = read_settings({"BOTTOMBOX_DATABASE_URL_FILE": str(file)})
    file.write_text("postgresql://ann:second@db/ledger\n")
    assert settings.database_url_now() == "postgresql://ann:second@db/ledger"
    for unreadable in (file.unlink, file.touch, file.unlink, file.mkdir):
        unreadable()
        assert settings.database_url_now() == "postgresql://ann:first@db/ledger"


def test_a_secret_of_a_source_can_stand_in_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s")
    assert "TYPEFORM" in read_settings({"BOTTOMBOX_SECRET_TYPEFORM_FILE": str(file)}).secrets


def test_a_policy_file_is_a_setting_of_its_own_and_not_a_secret_in_a_file() -> None:
    assert read_settings({"BOTTOMBOX_POLICY_FILE": "/etc/policy.yaml"}).policy_file == Path("/etc/policy.yaml")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"BOTTOMBOX_DATABASE_URI": "x"},
            "BOTTOMBOX_DATABASE_URI is not a setting; did you mean BOTTOMBOX_DATABASE_URL?",
        ),
        ({"BOTTOMBOX_ZZZZZZ": "x"}, "BOTTOMBOX_ZZZZZZ is not a setting; remove it"),
        ({"BOTTOMBOX_HTTP_PORT": "hunter2"}, "BOTTOMBOX_HTTP_PORT: input should be a valid integer"),
        (
            {"BOTTOMBOX_OIDC_ISSUER": "x"},
            "BOTTOMBOX_OIDC_ISSUER is a setting of something that is not there yet; remove it",
        ),
        ({"BOTTOMBOX_CONSOLE": "true"}, "BOTTOMBOX_CONSOLE is a setting of something that is not there yet"),
        (
            {"BOTTOMBOX_OIDC_CLIENT_SECRET_FILE": "/x"},
            "BOTTOMBOX_OIDC_CLIENT_SECRET_FILE is a setting of something that",
        ),
        (
            {"BOTTOMBOX_TRUSTED_PROXIES": "10.0.0.1, hunter2"},
            "BOTTOMBOX_TRUSTED_PROXIES: these must be addresses or networks",
        ),
        ({"BOTTOMBOX_SECRETS": "x"}, "BOTTOMBOX_SECRETS is not a setting"),
        ({"BOTTOMBOX_SECRET_KEY_FILE": "/nowhere/at/all"}, "names a file that cannot be read"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read_settings(environment)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_setting_and_its_file_together_are_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k")
    with pytest.raises(Misconfigured, match="is set twice"):
        read_settings({"BOTTOMBOX_SECRET_KEY": "k", "BOTTOMBOX_SECRET_KEY_FILE": str(file)})


def test_every_mistake_has_its_own_line_of_the_report() -> None:
    with pytest.raises(BadDocument) as caught:
        read_settings({"BOTTOMBOX_HTTP_PORT": "x; BOTTOMBOX_Y", "BOTTOMBOX_ZZZZZZ": "x", "BOTTOMBOX_DESTINATIONS": "x"})
    told = [(each.file, each.problem.split()[0], each.remedy) for each in caught.value.problems]
    assert told == [
        ("environment", "BOTTOMBOX_DESTINATIONS", "remove it"),
        ("environment", "BOTTOMBOX_ZZZZZZ", "remove it"),
        ("environment", "BOTTOMBOX_HTTP_PORT:", "correct the value"),
    ]


def test_an_empty_setting_of_what_is_not_there_yet_is_unset_as_any_other() -> None:
    read_settings({"BOTTOMBOX_OIDC_ISSUER": ""})


def test_trusted_proxies_are_a_list_and_none_unless_somebody_says_so() -> None:
    assert read_settings({}).proxies == ()
    given = {"BOTTOMBOX_TRUSTED_PROXIES": "10.0.0.7, 10.1.0.0/16,::1"}
    assert read_settings(given).proxies == ("10.0.0.7", "10.1.0.0/16", "::1")


@pytest.mark.parametrize(
    "name", ["REQUIRE", "FAILPOINT", "TEST_DATA", "API_SERVICE_HOST", "API_PORT_8000_TCP", "API_PORT"]
)
def test_names_that_are_no_settings_are_left_alone(name: str) -> None:
    read_settings({f"BOTTOMBOX_{name}": "tcp://10.0.0.1:8000"})
