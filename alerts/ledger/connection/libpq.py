"""The words that may stand behind the `?` of the database's address, as libpq knows them, and which we can honour."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from alerts.errors import Misconfigured

FREE = {
    "host", "port", "user", "password", "dbname", "passfile", "connect_timeout", "application_name",
    "fallback_application_name", "options", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword",
}  # fmt: skip
HONOURED: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "target_session_attrs": ("any", "read-write", "primary"),
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer"),
    "load_balance_hosts": ("disable",),
    "client_encoding": ("auto", "utf8", "UTF8", "utf-8", "UTF-8"),
    "sslcompression": ("0",),
    "sslcertmode": ("allow",),
    "sslsni": ("1",),
    "ssl": ("true",),  # what JDBC writes; libpq takes it for sslmode=require
}
"""The values that can be honoured, of the words that have fixed ones."""

NOT_HONOURED: Mapping[str, tuple[str, ...]] = {
    "target_session_attrs": ("read-only", "standby", "prefer-standby"),  # the ledger is written to
    "channel_binding": ("require",),  # the driver cannot bind channels
    "gssencmode": ("require",),
    "load_balance_hosts": ("random",),
    "sslcertmode": ("disable", "require"),
    "sslcompression": ("1",),
    "sslsni": ("0",),
}
"""libpq's other values of these."""

NOT_HERE = {
    "hostaddr", "service", "servicefile", "require_auth", "requirepeer", "requiressl", "replication", "krbsrvname",
    "gsslib", "gssdelegation", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout", "sslcrldir", "sslkeylogfile", "min_protocol_version", "max_protocol_version",
    "scram_client_key", "scram_server_key", "oauth_issuer", "oauth_client_id", "oauth_client_secret", "oauth_scope",
}  # fmt: skip
"""Words of libpq that we cannot honour, whatever they say."""


def check_word(word: str, value: str) -> None:
    """Raises Misconfigured. A word or value that is not libpq's is never repeated: a password may have spilt into it."""
    if word in NOT_HERE:
        raise Misconfigured(f"{word} cannot be honoured; leave it out of the database URL")
    if word not in FREE | HONOURED.keys():
        near = difflib.get_close_matches(word, sorted(FREE | HONOURED.keys()), n=1)
        remedy = f"did you mean {near[0]}?" if near else "remove it, or write ? and & of a password as %3F and %26"
        raise Misconfigured(f"a word behind the ? of the database URL is none of PostgreSQL's; {remedy}")
    allowed = HONOURED.get(word)
    if not value or allowed is None or value in allowed:
        return
    known = value in NOT_HONOURED.get(word, ())
    problem = f"{word}={value} cannot be honoured" if known else f"{word} has a value that is none of PostgreSQL's"
    raise Misconfigured(f"{problem}; write {' or '.join(allowed)}")
