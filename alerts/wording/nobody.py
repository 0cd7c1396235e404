"""Tells what stands where nobody is known: the words that programs and people leave in a field instead of an identity.

Whatever is taken for an identity by mistake makes one customer of many strangers: one call for all of them, and one
opt-out that silences them all.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Compared in small letters and without blanks, dots, dashes, slashes and underscores: "N/A" is "na".
_NOBODY = _words(
    # programs that had nothing, in many languages of programming and of spreadsheets
    "undefined null none nil nan na nonetype dbnull systemdbnull nullptr nothing optionalempty novalue missing empty blank "
    "void default string text object true false unset nodata noresult notfilled "
    # people and forms
    "unknown anonymous anon anonymized anonymised anonymoususer guest guestuser visitor nobody noname noid nouser notset "
    "notavailable notapplicable notprovided notspecified notgiven notknown notfound notassigned notauthenticated "
    "unassigned unspecified unidentified unregistered unavailable withheld invalid tbd tba test tester testing testuser "
    "dummy sample example placeholder xxx xxxx xxxxx asdf asdfasdf qwerty "
    # what a switchboard shows of callers who withhold their number
    "private privatenumber privatecaller restricted blocked nocallerid unknowncaller unknownnumber unknownname outofarea "
    "payphone coinphone walkin walkincustomer cashcustomer "
    # what was struck out
    "redacted filtered masked removed deleted hidden "
    # the name of the field instead of its value
    "id userid customerid clientid contactid distinctid respondentid accountid externalid uuid guid email phone "
    "user customer client contact respondent caller participant person "
    # the same in other languages
    "unbekannt anonym keine keiner inconnu anonyme aucun desconocido anónimo ninguno sconosciuto anonimo nessuno "
    "desconhecido anônimo nenhum onbekend anoniem geen неизвестно аноним невідомо nieznany neznámý ismeretlen "
    "necunoscut άγνωστο ukendt ukjent okänd tuntematon bilinmiyor nulo vazio ungültig leer sindatos sinnombre "
    "不明 匿名 なし 無し 未知 "
    "无 无名 알수없음 없음 익명 مجهول غيرمعروف אנונימי לאידוע ไม่ระบุ अज्ञात"
)
_NO_MAILBOX = _words(
    "undefined null none nil nan na unknown anonymous anon notset notavailable notapplicable notprovided noemail nomail "
    "noaddress nobody guest noone walkin noreply noreplies donotreply dontreply doesnotreply "
    "unbekannt inconnu desconocido sconosciuto"
)
_OF_PROGRAMS = _words("undefined null none nil nan nonetype (null) <null> <nil> <none> nullptr undefined-undefined")
_SHORTEST_NAME = 3  # letters: `abc@abc.com` was typed to get past a form, `smith@smith.com` was not
_NO_DOMAIN = frozenset({"example", "domain", "email", "mail", "nomail", "noemail", "noreply"})

_IGNORED = re.compile(r"[\s_.\-/\\]+")
_WRAPPED = re.compile(r"""["'`<({\[](.*)["'`>)}\]]""", re.DOTALL)
_ZERO = re.compile(r"[+-]?[0.,]*|-1")
_UUID = re.compile(r"(?:urn:uuid:)?\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?")
_IN_SQL_FILES = re.compile(r"\\n|\$null\$|\ufffd+")  # null as MySQL and SPSS write it, and signs lost on the way
_A_SHEETS_ERROR = re.compile(r"#(?:n/a|null|ref|value|name|num|div/0|error)[!?]?")
_AN_OBJECT = re.compile(r"\[object \w+\]|%!.?\(.*\)")  # JavaScript's and Go's way to print what cannot be printed

# What a template leaves when nobody filled it in; these signs stand nowhere else, so they may have company ("c-{{id}}").
_PLACEHOLDER = re.compile(
    r"\{\{.*\}\}|[$#%@]\{.*\}|\{%.*%\}|<%.*%>|%%.+%%|\*\|.+\|\*|\[\[.*\]\]|\{!.*\}|\[%.*%\]|##.+##|\(\(.+\)\)",
    re.DOTALL,
)
# And these only when they are all there is. In braces a letter comes first, so that a GUID stays one.
_BARE_PLACEHOLDER = re.compile(
    r"%[a-z][\w.]*%|\$[a-z][a-z_.]*|\$\([\w.]+\)|__[a-z_]+__|<[a-z][a-z_. -]*>|[{\[][a-z][\w.: -]*[}\]]"
)


# What nearly all identities look like: letters and digits together, or a number. No rule for nobody fits it: the words have
# no digits, zeros have nothing else, a placeholder has other signs, and a UUID of one digit begins with eight of it.
_PLAINLY_SOMEBODY = re.compile(
    r"(?!(.)\1{7})(?:(?=[a-z._-]*[0-9])(?=[0-9._-]*[a-z])[a-z0-9._-]+|[0-9]{0,15}[1-9][0-9]{0,15})", re.I | re.A
)


def is_plainly_somebody(text: str) -> bool:
    """By a look that most identities pass, as they stand: without blanks and with nothing to clean."""
    return _PLAINLY_SOMEBODY.fullmatch(text) is not None


def names_nobody(text: str) -> bool:
    """Whether this is no identity: `undefined`, `n/a`, `[object Object]`, `{{customer_id}}`, `0`, the nil UUID, in any case.

    `text`: without outer blanks and invisible marks. Empty names nobody.
    """
    return not is_plainly_somebody(text) and stands_for_nobody(text.casefold())


def stands_for_nobody(text: str) -> bool:
    """As `names_nobody`, by every rule there is. `text`: in small letters too."""
    return (
        _is_only_signs(text)
        or bool(_ZERO.fullmatch(text))
        or _is_word_for_nobody(text)
        or _is_no_ones_uuid(text)
        or any(kind.fullmatch(text) for kind in (_A_SHEETS_ERROR, _AN_OBJECT, _PLACEHOLDER, _IN_SQL_FILES))
        or _PLACEHOLDER.search(text) is not None
        or (bool(_BARE_PLACEHOLDER.fullmatch(text)) and not _UUID.fullmatch(text))
    )


def is_no_mailbox(local: str, domain: str) -> bool:
    """An address behind which nobody is, or everybody: `null@...`, `noreply@...`, `test@test.com`, `abc@abc.com`."""
    word, label = _IGNORED.sub("", local.casefold()), domain.partition(".")[0]
    typed = label == word and (len(word) <= _SHORTEST_NAME or word.isdigit())
    invented = word in _NOBODY and (label == word or label in _NO_DOMAIN or label in _NOBODY)
    return word in _NO_MAILBOX or typed or invented or bool(_ZERO.fullmatch(word))


def is_left_open(text: str) -> bool:
    """Whether a program had nothing to write here: `undefined`, `null`, `[object Object]`, `{{id}}`, the nil UUID.

    For what a machine gives and no person: there `0`, `-` and `test` may be meant.
    """
    if is_plainly_somebody(text):
        return False
    text = text.strip().casefold()
    left_open = (_AN_OBJECT, _PLACEHOLDER, _A_SHEETS_ERROR)
    return text in _OF_PROGRAMS or _is_no_ones_uuid(text) or any(kind.fullmatch(text) for kind in left_open)


def _is_no_ones_uuid(text: str) -> bool:
    """One digit only, but for version and variant."""
    if not _UUID.fullmatch(text):
        return False
    digits = re.sub("[^0-9a-f]", "", text.removeprefix("urn:uuid:"))
    return len(set(digits[:12] + digits[13:16] + digits[17:])) == 1


def _is_word_for_nobody(text: str) -> bool:
    """Also in brackets or quotation marks, and several of them: `<null>`, `"none"`, `undefined undefined`."""
    while wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1].strip()
    return _IGNORED.sub("", text) in _NOBODY or (
        bool(text) and all(_IGNORED.sub("", word) in _NOBODY for word in text.split())
    )


def _is_only_signs(text: str) -> bool:
    """Nothing but `-`, `?`, `...`, `{}`; letters and digits of any script, and emoji, are more than signs."""
    return all(sign.isascii() and not sign.isalnum() for sign in text) or set(text) <= set("—–−…·•?/ ")
