"""Tells a database that is away, or says no, from a statement of ours that it refuses; and says why in words."""

from __future__ import annotations

import socket
import ssl

import asyncpg
from sqlalchemy import exc

from alerts.errors import Unavailable

OF_DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)


class NeedsMending(Unavailable):
    """The database answers, and says no until a person mends its address or the server. We wait all the same."""


WORDS = {
    "08": "the connection was lost",
    "25006": "the server takes no writes; it may be a standby",
    "25P03": "a transaction rested too long and was ended",
    "25P04": "a transaction took too long and was ended",
    "28": "it refuses the user or the password",
    "3D000": "it has no such database",
    "40000": "the transaction was rolled back",
    "40001": "another transaction was in the way",
    "40003": "nobody knows whether the transaction was kept",
    "40P01": "another transaction was in the way",
    "42501": "the user may not do this; grant it the rights",
    "53": "the server has no room left",
    "53300": "the server has no connection left",
    "55P03": "a lock was not to be had in time",
    "57": "the server ended the session",
    "57014": "a statement took too long",
    "57P03": "the server is starting or stopping",
    "57P05": "the session rested too long and was ended",
    "58": "the server has trouble with its disk",
    "72": "a snapshot became too old",
    "F0": "the server's own files need mending",
    "XX": "the server has trouble of its own",
}
"""SQLSTATE classes and codes after which the same work may succeed later (PostgreSQL manual, appendix A). A code goes
before its class."""

NO_SCHEMA = "the schema is not there; run `bottombox migrate`"
OLD_SCHEMA = "the schema is older than this program; run `bottombox migrate`"
SCHEMA_WORDS = {"42P01": NO_SCHEMA, "3F000": NO_SCHEMA, "42703": OLD_SCHEMA}

STALE = {
    "25006": WORDS["25006"],
    "26000": "a statement that was prepared is gone; a pooler may have come between",
    "42P05": "a statement was prepared by somebody else; a pooler may have come between",
}
"""Said of one statement, but true of all sessions like this one."""

AFTER_A_MIGRATION = "what was prepared does not fit any more, as after a migration"

AT_THE_DOOR = {
    "55000": "it takes no connections now",
    "42501": "the user may not connect",
    "42704": "it does not know a setting in `options`",
    "22023": "it does not take a setting in `options`",
}
"""What else a server may say to whoever wants to connect; said to a statement, these mean something else."""

NO_TRUST = "its certificate is not trusted"
NO_TLS = "it does not agree on TLS"
POOLER_OPTIONS = "the pooler in front of it does not take a setting in `options`"
POOLER_MODE = "the pooler in front of it must work by transaction or by session, not by statement"

POOLER_WORDS = {
    "unsupported startup parameter": POOLER_OPTIONS,
    "statement pooling": POOLER_MODE,
    "query_wait_timeout": "the pooler in front of it has no connection left",
    "no more connections allowed": "the pooler in front of it has no connection left",
    "server_login_retry": "the pooler in front of it cannot log in to it",
    "no such database": WORDS["3D000"],
    "no such user": WORDS["28"],
    "auth failed": WORDS["28"],
}
"""PgBouncer says everything with one code, 08P01; these parts of its messages are its own fixed words."""

NEEDS_A_PERSON = (
    *("28", "3D000", "42501", "42704", "22023", "F0"),
    *(WORDS["28"], WORDS["3D000"], NO_TRUST, NO_TLS, POOLER_OPTIONS, POOLER_MODE),
)
"""Codes and words after which waiting alone does not help."""


def why_away(error: BaseException) -> str | None:
    """Why the same work may succeed later, in words that name no host, user or value; None when it would not."""
    driver = of_driver(error)
    if isinstance(driver, exc.TimeoutError):
        return "every connection of ours is in use"
    if isinstance(driver, OUTDATED):
        return AFTER_A_MIGRATION
    if isinstance(driver, asyncpg.PostgresError):
        found = _pooler_words(driver) or _by_code(driver)
        if found is not None:
            return found
    if is_lost(driver) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated):
        return WORDS["08"]
    return _by_network(driver) if isinstance(driver, OSError) else None


def why_no_schema(error: BaseException) -> str | None:
    """What is wrong with the schema, when a statement found no table, column or clock of the ledger."""
    driver = of_driver(error)
    code = str(getattr(driver, "sqlstate", None) or "")
    if code == "42883" and "ledger_now" in str(driver):
        return NO_SCHEMA
    return SCHEMA_WORDS.get(code)


def why_shut(error: BaseException) -> Unavailable:
    """What a server that let nobody in is told as, whatever it said: nothing of our work was even asked."""
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return Unavailable("the database is away: no server of its address takes writes")
    if isinstance(error, asyncpg.ClientConfigurationError):
        return NeedsMending("the database is away: its address cannot be used as it stands")
    code = str(getattr(error, "sqlstate", None) or "")
    words = AT_THE_DOOR.get(code) or why_away(error) or "it lets nobody in"
    needs_person = code.startswith(NEEDS_A_PERSON) or words in NEEDS_A_PERSON
    return (NeedsMending if needs_person else Unavailable)(f"the database is away: {words}")


def is_stale(error: BaseException) -> bool:
    """Whether the session, not the statement, is at fault: all sessions like it must be opened anew."""
    driver = of_driver(error)
    return isinstance(driver, OUTDATED) or getattr(driver, "sqlstate", None) in STALE


def is_lost(error: BaseException) -> bool:
    """Whether the driver itself gave up on this connection. A ValueError is about what it was given."""
    driver = of_driver(error)
    return isinstance(driver, OF_DRIVER) and not isinstance(driver, ValueError)


def of_driver(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's two layers."""
    inner = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
    cause = inner.__cause__
    return cause if isinstance(cause, (asyncpg.PostgresError, *OF_DRIVER)) else inner


def _by_code(error: asyncpg.PostgresError) -> str | None:
    code = str(error.sqlstate or "")
    return STALE.get(code) or WORDS.get(code) or WORDS.get(code[:2])


def _pooler_words(error: asyncpg.PostgresError) -> str | None:
    if error.sqlstate != "08P01":
        return None
    return next((words for part, words in POOLER_WORDS.items() if part in str(error)), None)


def _by_network(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return NO_TRUST
    if isinstance(error, ssl.SSLError) or "rejected SSL upgrade" in str(error):  # the driver's own words
        return NO_TLS
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return "nobody listens at its address"
    return "the connection was lost"
