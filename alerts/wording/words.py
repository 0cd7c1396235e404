"""Finds words and phrases in what a customer wrote: as whole words, however they are spaced, capitalised or composed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from alerts.wording.plain_text import visible

BEGIN = 4
"""Signs: so many tell most words from each other, and few words have fewer."""

_APOSTROPHES = str.maketrans("’ʼ‘`´′＇", "'''''''")
_UP_TO_THREE_WORDS = r"(?:[^\s.!?;:,]+\s+){0,3}?"
# Thai, Lao, Myanmar, Khmer, kana, Chinese and Hangul: words stand there without blanks between them or their endings.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def mentions(text: str | None, phrases: Iterable[str], unless: Iterable[str] = ()) -> bool:
    """Whether any phrase stands in the text, outside all that is said in the phrases of `unless`.

    `call me` is said in "Please call\u00a0me", not in "I recall meeting", nor in "do not call me" if that is `unless`.
    In a phrase `rückruf*` is any word that begins so, and `*` alone stands for up to three words of the same sentence.
    """
    return any_stands_in(text, all_compiled(phrases), all_compiled(unless))


def any_stands_in(text: str | None, phrases: Phrases, unless: Phrases) -> bool:
    """As `mentions`, for who asks the same of many texts."""
    said = _read(text or "")
    found = [span for phrase in _possible(said, phrases) for span in phrase.spans(said.text)]
    if not found:
        return False
    spared = bytearray(len(said.text))
    for start, end in (span for phrase in _possible(said, unless) for span in phrase.spans(said.text)):
        spared[start:end] = b"\1" * (end - start)
    return any(spared.find(1, start, end) < 0 for start, end in found)


def has_a_word(phrase: str) -> bool:
    """Whether there is anything to find: `*` alone, or only what nobody sees, stands nowhere."""
    return _compiled(phrase).rarest != ""


def folded(text: str) -> str:
    """For comparing: upper and lower case alike, each letter written in one way, nothing invisible."""
    if text.isascii():
        return text.lower().translate(_APOSTROPHES)
    once = unicodedata.normalize("NFKC", visible(text)).casefold()
    return unicodedata.normalize("NFKC", once).translate(_APOSTROPHES)


class _Phrase(NamedTuple):
    """How a phrase must stand, and the longest of its words: where that is not, neither is the phrase."""

    rarest: str
    pattern: re.Pattern[str]

    def spans(self, said: str) -> Iterator[tuple[int, int]]:
        match = self.pattern.search(said)
        while match:
            start, end = match.span()
            if not _is_cut(said, start) and not _is_cut(said, end):
                yield start, end
            match = self.pattern.search(said, start + 1)


class _Said(NamedTuple):
    """A text as it is compared, and every piece of BEGIN signs in it with which a word may begin."""

    text: str
    pieces: frozenset[str]


@lru_cache(maxsize=64)
def _read(text: str) -> _Said:
    """Remembered while the conditions ask for it, one after the other."""
    said = folded(text)
    pieces = _ascii_begins(said) if said.isascii() else _pieces(said)
    return _Said(said, frozenset(pieces))


def _pieces(said: str) -> Iterator[str]:
    return (said[at : at + BEGIN] for at in range(len(said) - BEGIN + 1))


def _ascii_begins(said: str) -> Iterator[str]:
    """Where blanks and signs part all words, one of ours begins with one of them (see `_is_cut`)."""
    for word in said.split():
        if word.isalnum():
            yield word[:BEGIN]
        else:
            yield from _pieces(word)


class Phrases(NamedTuple):
    """By how the longest of their words begins; those of `short` have fewer signs than that."""

    by_begin: dict[str, list[_Phrase]]
    short: list[_Phrase]


def _possible(said: _Said, phrases: Phrases) -> list[_Phrase]:
    """Those of which a word is there; a text is searched for hundreds of phrases, nearly always in vain."""
    begun = [phrase for begin in phrases.by_begin.keys() & said.pieces for phrase in phrases.by_begin[begin]]
    return [phrase for phrase in (*begun, *phrases.short) if phrase.rarest in said.text]


def all_compiled(phrases: Iterable[str]) -> Phrases:
    """Without those that stand nowhere."""
    found = Phrases({}, [])
    for phrase in map(_compiled, phrases):
        if len(phrase.rarest) >= BEGIN:
            found.by_begin.setdefault(phrase.rarest[:BEGIN], []).append(phrase)
        elif phrase.rarest:
            found.short.append(phrase)
    return found


def _compiled(phrase: str) -> _Phrase:
    """Stars in a row are one."""
    words = ["*" if not word.strip("*") else word for word in folded(phrase).split()]
    once = [word for before, word in pairwise(["", *words]) if not before == word == "*"]
    pieces = [_UP_TO_THREE_WORDS if word == "*" else _word(word) + r"\s+" for word in once]
    rarest = max((word.rstrip("*") for word in once), key=len, default="")
    return _Phrase(rarest, re.compile("".join(pieces).removesuffix(r"\s+")))


def _word(word: str) -> str:
    return re.escape(word.rstrip("*")) + (r"[^\W_]*" if word.endswith("*") else "")


def _is_cut(said: str, at: int) -> bool:
    """Whether a word goes on across this place."""
    if at in (0, len(said)):
        return False
    before, after = said[at - 1], said[at]
    return _is_of_a_word(before) and _is_of_a_word(after) and not (_UNSPACED.match(before) or _UNSPACED.match(after))


def _is_of_a_word(sign: str) -> bool:
    return sign == "_" or unicodedata.category(sign)[0] in "LNM"
