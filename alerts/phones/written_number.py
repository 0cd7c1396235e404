"""Reads digits and extension out of the many ways in which people and programs write a phone number."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

from msgspec import Struct

from alerts.wording.plain_text import visible

# What may stand before a number: the schemes of RFC 3966 and its relatives, and the words people put there.
_LABEL = re.compile(
    r"(?:sips?|tel|callto|sms|whatsapp|phone|fon|mobile?|mob|cell|handy|tel[eé]fono?|telefone|t[eé]l|tlf|ph|[mtp]"
    r"|home|work|office|main|direct|business|private?|privat|gesch[aä]ftlich|portable|celular|m[oó]vil|gsm|number|тел(?:ефон)?)"
    r"(?:[:.]+(?://)?|\s)\s*"
)
_URI = re.compile(r"(?:sips?|tel|callto|sms|whatsapp):")

_EXTENSION_WORD = (
    r"(?:e?xt(?:ensi[oó]n)?n?|x{1,3}|[pw]|int(?:ern[oe]?)?|anexo|доб(?:авочный)?|durchwahl|dw|app(?:arat)?|poste|ramal|toestel"
    r"|wewn?|klapka|linka|lokal|ankn(?:ytning)?|dahili|内線|內線|分机|分機|转|轉)\.?"
)
_NUMBER = r"(?P<number>\+*[0-9\s().\-/+]*[0-9][\s().\-/]*?)"
_WITH_EXTENSION = re.compile(
    _NUMBER + r"(?:[,;\s]*" + _EXTENSION_WORD + r"[\s:=.\-]*|\s*[#~;,]+\s*)(?P<extension>[0-9]{1,9})\s*\#?"
    r"|" + _NUMBER.replace("number", "dialled") + r"[\s\-]+(?P<keyed>[0-9]{1,6})\#"
)
_OF_A_MESSENGER = re.compile(r"\+?([0-9]{7,15})(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)")
_ESCAPED = re.compile(r"%[0-9a-f]{2}|&(?:#\d+|#x[0-9a-f]+|[a-z]+);")  # of a link, or of a page
_LEFT_OPEN = re.compile(r"(?:;ext|#)$")  # an extension that nobody gave, or the key that ends a number
_PLAIN = re.compile(r"[0-9\s().\-/+]*")
_NOTE = re.compile(r"\s*\([^()0-9]*\)$|\s+(?:home|work|office|mobile?|mob|cell|direct|main|handy|privat|ext\.?|x)$")
_FROM_A_SHEET = re.compile(r"(\+?[0-9]{7,15})\.0")  # a number that a spreadsheet took for a fraction
_BRACKETS = {"[": "(", "]": ")", "{": "(", "}": ")"}
_FEWEST_DIGITS = 3


class WrittenNumber(Struct, frozen=True):
    """The digits as they were written, trunk digits and all; `has_plus` says that they begin with a country code."""

    digits: str
    has_plus: bool
    extension: str | None = None


def read_written(raw: str) -> WrittenNumber | None:
    """None for what is no number: other words, two numbers, or nothing."""
    text, context = _parameters(_plain(raw))
    sheet = _FROM_A_SHEET.fullmatch(text)
    text = sheet.group(1) if sheet else text
    match = _WITH_EXTENSION.fullmatch(text)
    if match is None:
        return _digits(context + text, None)
    number, extension = match["number"] or match["dialled"], match["extension"] or match["keyed"]
    return _digits(context + number, extension)


def _digits(text: str, extension: str | None) -> WrittenNumber | None:
    text = text.strip()
    head = text.lstrip("( 0+")  # "+44", "(+44)", "00+44"
    before = text[: len(text) - len(head)]
    if not _PLAIN.fullmatch(text) or "+" in head:
        return None
    has_plus = "+" in before
    digits = "".join(re.findall("[0-9]", text.rpartition("+")[2]))
    return WrittenNumber(digits, has_plus, extension) if len(digits) >= _FEWEST_DIGITS else None


def _parameters(text: str) -> tuple[str, str]:
    """RFC 3966: the number with its extension, and the code before it that `;phone-context=+44-20` gives."""
    if "=" not in text:
        return text, ""
    number, *parameters = text.split(";")
    given = {name.strip(): value.strip() for name, _, value in (each.partition("=") for each in parameters)}
    context = given.get("phone-context", "")
    extension = f";{given['ext']}" if given.get("ext") else ""
    return number.strip() + extension, context if context.startswith("+") and "+" not in number else ""


def _plain(raw: str) -> str:
    """In small letters, with ASCII digits, one kind of blank, dash and bracket, and without what nobody sees."""
    text = unicodedata.normalize("NFKC", visible(raw)).casefold()
    text = "".join(_ascii(character) for character in text).strip(" '\"`=")
    if messenger := _OF_A_MESSENGER.fullmatch(text):
        return f"+{messenger[1]}"
    is_uri = _URI.match(text)
    text = _LEFT_OPEN.sub("", html.unescape(unquote(text)) if _ESCAPED.search(text) else text)
    text = _NOTE.sub("", _LABEL.sub("", text, count=1) if _LABEL.match(text) else text)
    return text.partition("@")[0].strip() if is_uri else text.strip()


def _ascii(character: str) -> str:
    if character.isascii():
        return " " if character.isspace() else _BRACKETS.get(character, character)
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "Pd" or character in "\u2212\u30fc\u2043\u02d7":
        return "-"
    if kind in {"Ps", "Pe"}:
        return "(" if kind == "Ps" else ")"
    if kind in {"Zs", "Zl", "Zp", "So"} or character in "\u00b7\u2027\u3002\u30fb":
        return "+" if character == "\u2795" else " "
    return {"\u2215": "/", "\u2044": "/", "\u223c": "~", "\u301c": "~"}.get(character, character)
