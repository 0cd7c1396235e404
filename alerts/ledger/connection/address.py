"""Reads the database's address as PostgreSQL's own clients do, and refuses in one sentence what cannot be honoured."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from alerts.errors import Misconfigured
from alerts.ledger.connection.libpq import check_word

SCHEME = re.compile(r"(postgres|postgresql)(\+\w+)?://", re.IGNORECASE)
"""What other tools write behind a `+` is a driver's name; which one is used is ours to choose."""

CONNECT_SECONDS = 5.0
LONGEST_CONNECT_SECONDS = 60

FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
OF_TLS = ("sslmode", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version", "sslpassword", *FILES)
"""What the driver reads by itself, with libpq's meaning."""

OPTION = re.compile(r"(?:-c\s*|--)([A-Za-z_][\w.-]*)=((?:\\.|[^\s\\])*)(?:\s+|$)", re.DOTALL)
"""One switch of `options` (PostgreSQL manual, `postgres -c`); a backslash keeps a blank."""

HostAndPort = tuple[str | None, int | None]
"""Host (or folder of a socket) and port; None is what the driver takes by itself, as libpq would."""


class DatabaseAddress(Struct, frozen=True):
    """Where the database is, and how it is to be spoken to. `connect_seconds` is for one place."""

    places: tuple[HostAndPort, ...]
    user: str | None
    password: str | None
    name: str | None
    needs_writable: bool
    connect_seconds: float
    tls: dict[str, str]
    settings: dict[str, str]
    passfile: str | None

    def __repr__(self) -> str:
        """No log and no error is to hold any of it."""
        return "Address(...)"


def read_address(url: str) -> DatabaseAddress:
    """Raises Misconfigured with `problem; remedy`."""
    url = url.strip()  # a file or a template ends with a line break
    scheme = SCHEME.match(url)
    if scheme is None:
        raise Misconfigured("the database URL cannot be read; write postgresql://user:password@host:port/name")
    rest, _, query = url[scheme.end() :].partition("?")
    authority, _, name = rest.partition("/")
    login, _, hosts = authority.rpartition("@")
    if "@" in login + name or "#" in url:
        raise _run_together()
    user, _, password = login.partition(":")
    parts = {"user": user, "password": password, "host": hosts, "dbname": name}
    words = {word: _text(part) for word, part in parts.items() if part} | _read_words(query)
    return DatabaseAddress(
        places=_read_places(words.get("host", ""), words.get("port", "")),
        user=words.get("user"),
        password=words.get("password"),
        name=words.get("dbname"),
        needs_writable=_needs_writable(words),
        connect_seconds=_read_seconds(words.get("connect_timeout")),
        tls=_read_tls(words),
        settings=_read_settings(words),
        passfile=words.get("passfile"),
    )


def require_files(address: DatabaseAddress) -> None:
    """Raises Misconfigured when a file that the address names cannot be read."""
    if address.tls.get("sslmode", "").startswith("verify") and not _has_root(address):
        raise Misconfigured(
            "sslmode has nothing to verify by; name a file with sslrootcert, or write sslrootcert=system"
        )
    named = {word: address.tls.get(word) for word in FILES} | {"passfile": address.passfile}
    for word, path in named.items():
        if path is None or (word == "sslrootcert" and path == "system"):
            continue
        try:
            with Path(path).open("rb"):
                pass
        except OSError:
            raise Misconfigured(f"{word} names a file that cannot be read; correct the path") from None


def _has_root(address: DatabaseAddress) -> bool:
    """Where libpq looks too."""
    usual = Path("~/.postgresql/root.crt").expanduser()
    return "sslrootcert" in address.tls or "PGSSLROOTCERT" in os.environ or usual.is_file()


def _run_together() -> Misconfigured:
    return Misconfigured(
        "user, password, host and port of the database URL cannot be told apart; "
        "write the signs @ : / ? # & % of a password as %40 %3A %2F %3F %23 %26 %25"
    )


def _text(part: str) -> str:
    """Percent signs undone, as libpq does it: a plus sign stays one."""
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", part):
        raise Misconfigured("a percent sign in the database URL begins no character; write it as %25")
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise Misconfigured("the database URL holds bytes that are not UTF-8; write them in UTF-8") from None


def _read_words(query: str) -> dict[str, str]:
    words: dict[str, str] = {}
    for pair in query.split("&") if query else []:
        word, _, value = (_text(part) for part in pair.partition("="))
        check_word(word, value)
        if word in words:
            raise Misconfigured(f"{word} stands twice in the database URL; keep one, with commas between several hosts")
        words[word] = value
    return {word: value for word, value in words.items() if value}


def _read_places(hosts: str, ports: str) -> tuple[HostAndPort, ...]:
    places = [_read_place(each) for each in hosts.split(",")] if hosts else [(None, None)]
    given = [_port(each) for each in ports.split(",")] if ports else [None]
    if len(given) not in (1, len(places)):
        raise Misconfigured("port does not fit the hosts; write one port for all, or one for each")
    given = given * len(places) if len(given) == 1 else given
    return tuple((host, port or other) for (host, port), other in zip(places, given, strict=True))


def _read_place(written: str) -> HostAndPort:
    """`host`, `host:port`, `[::1]:port`, or the folder of a socket."""
    if written.startswith("/"):
        return written, None
    if re.fullmatch(r"[0-9A-Fa-f.]*(:[0-9A-Fa-f.]*){2,}", written):
        raise Misconfigured("an IPv6 host needs brackets; write [::1]:5432")
    found = re.fullmatch(r"(?:\[([^\[\]\s]+)\]|([^:\[\]\s]+))(?::(\w*))?", written)
    if found is None:
        raise _run_together()
    return found[1] or found[2], _port(found[3]) if found[3] else None


def _port(written: str) -> int:
    if not (written.isascii() and written.isdecimal() and 0 < int(written) < 65536):
        raise Misconfigured("a port of the database URL is none; write a number from 1 to 65535")
    return int(written)


def _needs_writable(words: Mapping[str, str]) -> bool:
    """Of several hosts the one that takes writes is ours, unless the address says `any`."""
    several = "," in words.get("host", "")
    return words.get("target_session_attrs", "read-write" if several else "any") != "any"


def _read_seconds(written: str | None) -> float:
    """libpq's 0, to wait for ever, is what we never do."""
    if written is None:
        return CONNECT_SECONDS
    if not (written.isascii() and written.isdecimal() and 0 < int(written) <= LONGEST_CONNECT_SECONDS):
        raise Misconfigured(f"connect_timeout cannot be honoured; write 1 to {LONGEST_CONNECT_SECONDS} seconds")
    return float(written)


def _read_tls(words: Mapping[str, str]) -> dict[str, str]:
    tls = {word: words[word] for word in OF_TLS if word in words}
    if "ssl" in words:
        tls.setdefault("sslmode", "require")
    if tls.get("sslrootcert") == "system" and tls.setdefault("sslmode", "verify-full") != "verify-full":
        raise Misconfigured("sslrootcert=system cannot go with a weaker sslmode; write sslmode=verify-full")
    if tls.get("sslnegotiation") == "direct" and tls.get("sslmode") not in ("require", "verify-ca", "verify-full"):
        raise Misconfigured("sslnegotiation=direct needs TLS; write sslmode=require, verify-ca or verify-full")
    return tls


def _read_settings(words: Mapping[str, str]) -> dict[str, str]:
    """What the session is to be set to: libpq's `options` and `application_name`."""
    options, settings = words.get("options", "").strip(), {}
    while options:
        found = OPTION.match(options)
        if found is None:
            raise Misconfigured("options cannot be honoured; write -c name=value, with %20 for the blank")
        name = found[1].replace("-", "_").lower()
        if name == "timezone":
            raise Misconfigured("options cannot set the time zone, as the ledger keeps UTC; leave it out")
        settings[name] = re.sub(r"\\(.)", r"\1", found[2])
        options = options[found.end() :]
    named = words.get("application_name") or words.get("fallback_application_name")
    return settings | ({"application_name": named} if named else {})
