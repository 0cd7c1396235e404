"""Takes out of a text what nobody can see, so that what looks alike is alike."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters and marks that show nothing, though Unicode does not call them format characters: the grapheme joiner, fillers
# of Hangul and Khmer, Mongolian and other variation selectors, the empty Braille pattern.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"


def visible(text: str) -> str:
    """Without direction marks, zero-width blanks and joiners, soft hyphens, byte order marks and the like."""
    return text if text.isascii() else _invisible().sub("", text)


@lru_cache(maxsize=1)
def _invisible() -> re.Pattern[str]:
    """Format characters (Cf) stand below U+20000 or among the tags; a look at all of Unicode would take a second."""
    looked_at = (*range(0x20000), *range(0xE0000, 0xE0100))
    marks = "".join(re.escape(mark) for mark in map(chr, looked_at) if unicodedata.category(mark) == "Cf")
    return re.compile(f"[{marks}{_FILLERS}]")
