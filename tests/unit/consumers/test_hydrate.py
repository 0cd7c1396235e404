"""Where an answer is fetched from is written in the file, and no sender can lead us elsewhere."""

from __future__ import annotations

import pytest

from alerts.document import BadDocument
from consumers.fetching.addresses import is_public
from consumers.intake.reason import DeadLetterReason, InvalidRecord, Unrated
from consumers.sources.catalogue import load_catalogue
from consumers.sources.hydrate import Hydrate, plain_hosts
from consumers.sources.source import read_source


def hydrate(url: str, more: str = "as: answer", event_id: str = "id") -> Hydrate:
    text = f'name: acme\nhydrate: {{url: "{url}", {more}}}\nmap: {{event_id: {event_id}, rating: answer.r, answered_at: at}}\n'
    found = read_source(text, file="acme.yaml").hydrate
    assert found is not None
    return found


@pytest.mark.parametrize(
    "url",
    [
        "https://{host}/x",
        "{scheme}://host/x",
        "https://host:{port}/x",
        "https://host{x}/y",
        "https://user@host/x",
        "https://user:word@host/x",
        "https://HOST/x",
        "https://host:0/x",
        "https://host:70000/x",
        "ftp://host/x",
        "//host/x",
        "https://host/x#part",
        "https://host/x y",
        "https://host/{id",
        "https://host/{id ==}",
        "https://host/{nothing_of_the_kind(id)}",
        "https://[::1]/x",
        "https://host\\\\@evil/x",
    ],
)
def test_scheme_host_and_port_are_literal(url: str) -> None:
    with pytest.raises(BadDocument) as caught:
        hydrate(url)
    assert "hydrate" in str(caught.value)


def test_what_a_notice_says_stays_one_piece_of_path_or_query() -> None:
    found = hydrate("https://api.acme.example:8443/v3/{survey.id}/responses?of={id}")
    notice = {"survey": {"id": "../../../x?y#z"}, "id": "a&b=c é"}
    there = "https://api.acme.example:8443/v3/..%2F..%2F..%2Fx%3Fy%23z/responses?of=a%26b%3Dc%20%C3%A9"
    assert found.address(notice) == there
    assert found.address({"survey": {"id": 7}, "id": 8}) == "https://api.acme.example:8443/v3/7/responses?of=8"


@pytest.mark.parametrize("value", [None, "", " ", True, 1.5, [], {}, ".", "..", "x" * 501])
def test_a_notice_that_lacks_what_the_address_needs_is_not_asked_for(value: object) -> None:
    with pytest.raises(InvalidRecord) as caught:
        hydrate("https://api.acme.example/{id}").address({"id": value})
    assert caught.value.reason is DeadLetterReason.HYDRATE_FAILED


def test_the_id_of_a_notice_is_in_the_notice() -> None:
    with pytest.raises(BadDocument, match="read map"):
        hydrate("https://api.acme.example/{id}", event_id="answer.id")


def test_nothing_is_fetched_for_a_notice_that_says_already_that_nobody_rated() -> None:
    source = load_catalogue().get("zendesk-users")
    assert source is not None
    rated = {"type": "zen:event-type:ticket.csat_received", "id": "ev-1", "event": {"current": "bad"}}
    assert source.notice_id(rated) == "ev-1"
    with pytest.raises(Unrated):
        source.notice_id({**rated, "event": {"current": "offered"}})
    thin = read_source(
        "name: acme\nunrated: pass_over\nhydrate: {url: 'https://api.acme.example/{id}', as: answer}\n"
        "map: {event_id: id, rating: answer.score, answered_at: answer.at}\n",
        file="acme.yaml",
    )
    assert thin.notice_id({"id": "n-1"}) == "n-1", "only the answer could say so"


def test_plain_http_is_for_hosts_of_the_house() -> None:
    named = [("acme", hydrate("http://files.internal:8080/{id}")), ("other", hydrate("https://api.acme.example/{id}"))]
    assert plain_hosts(named, frozenset({"files.internal"})) == []
    (sentence,) = plain_hosts(named, frozenset())
    assert sentence.startswith("acme.yaml: hydrate.url")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "2001:db8::1", "198.18.0.1", "localhost", "",
    ],
)  # fmt: skip
def test_no_address_within_the_house_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14"])
def test_other_addresses_are(address: str) -> None:
    assert is_public(address)
