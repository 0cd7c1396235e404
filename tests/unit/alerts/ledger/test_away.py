"""A database that is away or says no is told from a statement of ours that it refuses."""

from __future__ import annotations

import socket
import ssl

import asyncpg
import pytest
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from alerts.errors import Unavailable
from alerts.ledger.connection.away import NeedsMending, is_lost, is_stale, why_away, why_no_schema, why_shut
from alerts.ledger.database import reachable


def said(code: str, message: str = "words of the server", **more: str) -> asyncpg.PostgresError:
    """What the driver makes of a server's refusal."""
    error = asyncpg.PostgresError.new({"C": code, "M": message, "S": "ERROR", **more})
    assert isinstance(error, asyncpg.PostgresError)
    return error


def wrapped(error: Exception) -> exc.DBAPIError:
    """The same as SQLAlchemy tells it."""
    dbapi = AsyncAdapt_asyncpg_dbapi(asyncpg)  # type: ignore[no-untyped-call]
    kind = next(found for kind in type(error).__mro__ if (found := dbapi._asyncpg_error_translate.get(kind)))
    inner = kind(str(error), error)
    inner.__cause__ = error
    return exc.DBAPIError("SELECT", {}, inner)


PASSING = (
    "08006", "25006", "25P03", "26000", "28000", "28P01", "3D000", "40001", "40P01", "42501", "42P05", "53100",
    "53300", "55P03", "57014", "57P01", "57P03", "57P04", "57P05", "58030", "72000", "XX000", "XX001",
)  # fmt: skip
REFUSED = (
    "0A000", "21000", "22003", "22021", "22P05", "23502", "23505", "23514", "25P02", "40002", "42601", "42804",
    "54000", "54001", "55000", "P0001",
)  # fmt: skip


@pytest.mark.parametrize("code", PASSING)
def test_a_database_that_says_no_is_away(code: str) -> None:
    assert why_away(said(code))
    assert why_away(wrapped(said(code))) == why_away(said(code))


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_of_our_own_statement_is_not(code: str) -> None:
    assert why_away(said(code)) is None
    assert why_away(wrapped(said(code))) is None


def test_a_cached_plan_after_a_migration_is_told_from_what_the_server_cannot_do() -> None:
    plan = said("0A000", "cached plan must not change result type", R="RevalidateCachedQuery")
    assert is_stale(plan)
    assert is_stale(wrapped(plan))
    assert why_away(wrapped(plan)) == why_away(plan) != None  # noqa: E711
    assert not is_stale(said("0A000"))


@pytest.mark.parametrize("code", ["25006", "26000", "42P05"])
def test_what_is_true_of_all_sessions_lets_go_of_all(code: str) -> None:
    assert is_stale(said(code))
    assert is_stale(wrapped(said(code)))


def test_a_value_that_the_driver_cannot_send_is_our_own_fault() -> None:
    assert why_away(asyncpg.DataError("invalid input for query argument")) is None
    assert not is_lost(asyncpg.DataError("invalid input for query argument"))
    assert is_lost(asyncpg.InterfaceError("connection is closed"))
    assert why_away(asyncpg.InterfaceError("connection is closed"))


async def test_a_ledger_without_tables_says_what_to_run() -> None:
    for code, more in (("42P01", ""), ("42883", "function ledger_now() does not exist"), ("42703", "")):
        with pytest.raises(Unavailable, match="run `bottombox migrate`"):
            async with reachable():
                raise wrapped(said(code, more))
    assert why_no_schema(said("42883", "operator does not exist: text = integer")) is None


async def test_what_is_no_matter_of_the_database_goes_through_untouched() -> None:
    for error in (wrapped(said("23505")), ValueError("ours"), said("42601")):
        with pytest.raises(type(error)) as caught:
            async with reachable():
                raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("error", "words", "kind"),
    [
        (said("28P01"), "refuses the user or the password", NeedsMending),
        (said("3D000"), "no such database", NeedsMending),
        (said("42501"), "the user may not connect", NeedsMending),
        (said("55000"), "takes no connections now", Unavailable),
        (said("53300"), "no connection left", Unavailable),
        (said("57P03"), "starting or stopping", Unavailable),
        (said("P0001"), "lets nobody in", Unavailable),
        (said("08P01", "unsupported startup parameter: search_path"), "the pooler in front", NeedsMending),
        (said("08P01", "query_wait_timeout"), "the pooler in front", Unavailable),
        (said("08P01"), "the connection was lost", Unavailable),
        (ConnectionRefusedError(), "nobody listens", Unavailable),
        (FileNotFoundError(), "nobody listens", Unavailable),
        (TimeoutError(), "does not answer in time", Unavailable),
        (ConnectionResetError(), "the connection was lost", Unavailable),
        (socket.gaierror(), "its name is not known", Unavailable),
        (ssl.SSLCertVerificationError("hostname mismatch"), "its certificate is not trusted", NeedsMending),
        (ConnectionError('server at "h:1" rejected SSL upgrade'), "does not agree on TLS", NeedsMending),
        (asyncpg.TargetServerAttributeNotMatched("none"), "no server of its address takes writes", Unavailable),
        (asyncpg.ClientConfigurationError("of h:1"), "its address cannot be used", NeedsMending),
    ],
)
def test_a_server_that_lets_nobody_in_is_away_whatever_it_says(
    error: Exception, words: str, kind: type[Unavailable]
) -> None:
    told = why_shut(error)
    assert type(told) is kind
    assert words in str(told)
    assert "words of the server" not in str(told)
    assert "h:1" not in str(told)
