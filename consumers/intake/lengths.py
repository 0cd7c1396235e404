"""How long texts may be. What stands in an index is counted in bytes, as the database counts it."""

from __future__ import annotations

import unicodedata

MAX_ID = 1024
"""Bytes of UTF-8 in an identifier. Two of them share an index entry, and PostgreSQL's hold 2,704 bytes."""

MAX_TEXT = 512
"""Characters in any other text but a comment; the rest is cut."""

MAX_COMMENT = 20_000


def is_short(identifier: str) -> bool:
    """Whether it fits an index, also with its accents composed, or in small letters, either of which may be longer."""
    if identifier.isascii():
        return len(identifier) <= MAX_ID
    if len(identifier) > MAX_ID:
        return False
    spellings = (identifier, unicodedata.normalize("NFC", identifier), identifier.lower())
    return all(len(each.encode()) <= MAX_ID for each in spellings)
