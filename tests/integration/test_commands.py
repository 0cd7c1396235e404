"""The commands, as their users type them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_faults import metric
from tests.parts.service import Service, bottombox, said
from tests.parts.town import Town, answer, eventually

EVERY = (
    "run", "api", "consume", "work", "demo", "migrate", "publish", "check", "ledger",
    "topics create", "topics check", "source test", "source show", "source report",
    "dead-letters list", "dead-letters show", "dead-letters redrive", "keys create", "keys list", "keys revoke",
    "backtest", "lint", "report",
)  # fmt: skip


@pytest.mark.parametrize("words", EVERY)
def test_every_command_has_help_with_an_example(words: str) -> None:
    from click.testing import CliRunner

    from app.cli import program

    result = CliRunner().invoke(program, [*words.split(), "--help"])
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert "--json" in result.output


def test_a_misspelt_setting_ends_a_command_with_one_sentence(town: Town) -> None:
    done = said("ledger", env={**town.env, "BOTTOMBOX_KAFKA_BOOTSTRAP_SERVER": "x"})
    assert done.returncode == 1
    assert done.stderr == (
        "bottombox: BOTTOMBOX_KAFKA_BOOTSTRAP_SERVER is not a setting; did you mean BOTTOMBOX_KAFKA_BOOTSTRAP_SERVERS?\n"
    )


def test_a_database_that_is_away_ends_a_command_with_one_sentence(town: Town) -> None:
    done = said("ledger", env={**town.env, "BOTTOMBOX_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    assert done.returncode == 1
    assert done.stderr.startswith("bottombox: the database is away")
    assert done.stderr.count("\n") == 1


def test_check_names_the_line_of_a_mistake_in_the_policy(town: Town, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: ours\nlease:\n  seconds: 60\n")
    done = said("check", "--json", env={**town.env, "BOTTOMBOX_POLICY_FILE": str(policy)})
    assert done.returncode == 1
    [problem] = json.loads(done.stdout)["problems"]
    assert (problem["file"], problem["line"], problem["remedy"]) == ("policy.yaml", 2, "did you mean 'leases'?")
    fine = bottombox("check", env=town.env)
    assert (fine["ok"], fine["problems"]) == (True, [])


def test_migrating_twice_is_safe(town: Town) -> None:
    for _ in range(2):
        assert bottombox("migrate", env=town.env) == {"migrated": True}


def test_a_key_is_shown_once_and_can_be_ended(town: Town) -> None:
    made = bottombox("keys", "create", "ann", "--scope", "callbacks:work", "--advisor", "ann", env=town.env)
    assert made["scopes"] == ["callbacks:work"]
    assert made["key"].startswith("bbx_")
    bottombox("keys", "revoke", made["id"], env=town.env)
    listed = said("keys", "list", "--json", env=town.env)
    assert made["key"] not in listed.stdout
    [item] = json.loads(listed.stdout)["items"]
    assert item["revoked_at"] is not None


async def test_a_dead_letter_goes_again_through_the_normal_way_and_its_reason_is_told(town: Town) -> None:
    unknown = json.dumps(answer("e1", 1)).encode()
    await town.send_raw([unknown], partition=0, headers=[("bottombox-source", b"not-there-yet")])
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 1)
        [letter] = bottombox("dead-letters", "list", env=town.env)["items"]
        assert letter["reason"] == "unknown_source"
        assert bottombox("dead-letters", "show", str(letter["id"]), env=town.env)["topic"] == town.topic
        assert bottombox("dead-letters", "redrive", str(letter["id"]), env=town.env) == {"redriven": 1}
        await eventually(town.accounted, lambda done: done == 2)  # still unknown: set aside anew, at its new address
    assert await town.value("SELECT count(*) FROM dead_letters WHERE redriven_at IS NOT NULL") == 1
    assert await town.value("SELECT count(*) FROM dead_letters") == 2
    accounts = bottombox("ledger", env=town.env)["items"]
    assert sum(each["outcomes"]["dead_lettered"] for each in accounts) == 2
    assert all(each["difference"] == 0 for each in accounts)
    assert "dead_lettered" in said("ledger", env=town.env).stdout


async def test_a_dead_letter_of_a_source_that_was_mended_becomes_a_callback(town: Town, tmp_path: Path) -> None:
    events = [{"ticket": ticket, "stars": 1, "at": "2026-11-23T09:00:00Z"} for ticket in ("t1", "t2")]
    values = [json.dumps(event).encode() for event in events]
    await town.send_raw(values, partition=0, headers=[("bottombox-source", b"helpdesk")])
    with Service.start("consume", town.env):
        await eventually(town.accounted, lambda done: done == 2)
    (tmp_path / "helpdesk.yaml").write_text(
        "name: helpdesk\nmap:\n  event_id: ticket\n  rating: stars\n  answered_at: at\n  interaction:\n    id: ticket\n"
    )
    env = {**town.env, "BOTTOMBOX_SOURCES_DIR": str(tmp_path)}
    redrive = ("dead-letters", "redrive", "--reason", "unknown_source", "--since", "2026-01-01T00:00:00Z")
    before = bottombox(*redrive, "--dry-run", env=town.env)
    assert (before["would_be_read"], before["would_not"], before["now"]) == (0, 2, {"unknown_source": 2})
    after = bottombox(*redrive, "--dry-run", env=env)
    assert (after["would_be_read"], after["now"]) == (2, {"read": 2})
    assert "2 of 2 would now be read" in said(*redrive, "--dry-run", env=env).stdout
    listed = bottombox("dead-letters", "list", "--pending", env=env)
    assert [(each["reason"], each["count"], each["pending"]) for each in listed["counts"]] == [("unknown_source", 2, 2)]
    told = said("dead-letters", "list", env=env).stdout
    assert told.index("first failed at") < told.index("redriven at"), "counts come first"
    assert bottombox("dead-letters", "redrive", "--until", "2026-01-01T00:00:00Z", env=env) == {"redriven": 0}
    assert bottombox(*redrive, "--limit", "1", env=env) == {"redriven": 1}
    await redrive_over_rest(env, {"reason": "unknown_source"})
    assert bottombox("dead-letters", "list", "--pending", env=env)["items"] == []
    with Service.start("consume", env):
        await eventually(town.accounted, lambda done: done == 4)
    assert await town.rows("SELECT DISTINCT source FROM callbacks") == [{"source": "helpdesk"}]


async def redrive_over_rest(env: Mapping[str, str], which: dict[str, str]) -> None:
    """The one that is left, rehearsed first."""
    key = bottombox("keys", "create", "root", "--scope", "admin", env=env)["key"]
    with Service.start("api", env) as api:
        async with httpx.AsyncClient(base_url=api.http, headers={"Authorization": f"Bearer {key}"}) as client:
            path = "/v1/dead-letters/redrive"
            rehearsed = (await client.post(path, json={**which, "dry_run": True}, timeout=60)).json()
            assert (rehearsed["would_be_read"], rehearsed["now"], rehearsed["left"]) == (1, {"read": 1}, 0)
            sent = (await client.post(path, json=which, timeout=60)).json()
            assert sent == {"redriven": 1, "gone": 0, "left": 0}


def test_the_examples_of_every_shipped_source_hold(town: Town) -> None:
    assert bottombox("source", "test", env=town.env)["ok"] is True


async def test_what_a_source_lacks_and_what_cannot_be_used_is_counted_and_listed(town: Town) -> None:
    good = answer("e1", 1)
    broken = answer("e2", 4, customer="c2")
    broken["data"]["customer"] |= {"country": "Atlantis", "phone": "none of your business", "segment": ""}
    await town.send([good, broken, broken], partition=0)
    with Service.start("consume", town.env) as consumer:
        await eventually(town.accounted, lambda done: done == 3)
        for field in ("customer.country", "customer.phone"):
            series = f'bottombox_fields_dropped_total{{field="{field}",source="cloudevents"}}'
            assert await metric(consumer, series) == [1.0], "the duplicate counts once"
    items = bottombox("source", "report", "cloudevents", env=town.env)["items"]
    found = {each.pop("field"): each for each in items}
    assert found["customer.country"] == {"source": "cloudevents", "answers": 2, "missing": 1, "dropped": 1}
    assert found["customer.segment"] == {"source": "cloudevents", "answers": 2, "missing": 2, "dropped": 0}
    assert found["customer.name"] == {"source": "cloudevents", "answers": 2, "missing": 0, "dropped": 0}
    assert bottombox("source", "report", "--since", "2100-01-01T00:00:00Z", env=town.env) == {"items": []}
    assert bottombox("source", "report", "typeform", env=town.env) == {"items": []}
    told = said("source", "report", env=town.env).stdout
    assert "cloudevents  customer.country" in told
    assert "50.0%" in told
    assert "customer.name" not in told
    nobody = said("source", "report", "nobody", env=town.env)
    assert (nobody.returncode, nobody.stderr.startswith("bottombox: there is no source of that name")) == (1, True)
