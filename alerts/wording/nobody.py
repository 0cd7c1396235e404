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
    "void default string text object true false "
    # people and forms
    "unknown anonymous anon anonymized anonymised anonymoususer guest guestuser visitor nobody noname noid nouser notset "
    "notavailable notapplicable notprovided notspecified notgiven notknown notfound notassigned notauthenticated "
    "unassigned unspecified unidentified unregistered unavailable withheld invalid tbd tba test tester testing testuser "
    "dummy sample example placeholder xxx xxxx xxxxx "
    # what was struck out
    "redacted filtered masked removed deleted hidden "
    # the name of the field instead of its value
    "id userid customerid clientid contactid distinctid respondentid accountid externalid email phone "
    # the same in other languages
    "unbekannt anonym keine keiner inconnu anonyme aucun desconocido anónimo ninguno sconosciuto anonimo nessuno "
    "desconhecido anônimo nenhum onbekend anoniem geen неизвестно"
)
_NO_MAILBOX = _words(
    "undefined null none nil nan na unknown anonymous anon notset notavailable notapplicable notprovided noemail nomail "
    "noaddress nobody noreply noreplies donotreply dontreply doesnotreply unbekannt inconnu desconocido sconosciuto"
)
_NO_DOMAIN = frozenset({"example", "domain", "email", "mail", "nomail", "noemail", "noreply"})

_IGNORED = re.compile(r"[\s_.\-/\\]+")
_WRAPPED = re.compile(r"""["'`<({\[](.*)["'`>)}\]]""", re.DOTALL)
_ZERO = re.compile(r"[+-]?[0.,]*|-1")
_UUID = re.compile(r"(?:urn:uuid:)?\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?")
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
# no digits, zeros have nothing else, a placeholder has other signs, and one digit alone fills no UUID.
_PLAINLY_SOMEBODY = re.compile(
    r"(?=[a-z._-]*[0-9])(?=[0-9._-]*[a-z])[a-z0-9._-]+|[0-9]{0,15}[1-9][0-9]{0,15}", re.I | re.A
)


def names_nobody(text: str) -> bool:
    """Whether this is no identity: `undefined`, `n/a`, `[object Object]`, `{{customer_id}}`, `0`, the nil UUID, in any case.

    `text`: without outer blanks and invisible marks. Empty names nobody.
    """
    return _PLAINLY_SOMEBODY.fullmatch(text) is None and stands_for_nobody(text.casefold())


def stands_for_nobody(text: str) -> bool:
    """As `names_nobody`, by every rule there is. `text`: in small letters too."""
    return (
        _is_only_signs(text)
        or bool(_ZERO.fullmatch(text))
        or _is_word_for_nobody(text)
        or (bool(_UUID.fullmatch(text)) and len(set(re.sub("[^0-9a-f]", "", text.removeprefix("urn:uuid:")))) == 1)
        or any(kind.fullmatch(text) for kind in (_A_SHEETS_ERROR, _AN_OBJECT, _PLACEHOLDER))
        or _PLACEHOLDER.search(text) is not None
        or (bool(_BARE_PLACEHOLDER.fullmatch(text)) and not _UUID.fullmatch(text))
    )


def is_no_mailbox(local: str, domain: str) -> bool:
    """An address behind which nobody is, or everybody: `null@...`, `noreply@...`, `test@test.com`."""
    word, label = _IGNORED.sub("", local.casefold()), domain.partition(".")[0]
    invented = word in _NOBODY and (label == word or label in _NO_DOMAIN or label in _NOBODY)
    return word in _NO_MAILBOX or invented or bool(_ZERO.fullmatch(word))


def _is_word_for_nobody(text: str) -> bool:
    """Also in brackets or quotation marks, and several of them: `<null>`, `"none"`, `undefined undefined`."""
    while wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1].strip()
    return _IGNORED.sub("", text) in _NOBODY or (bool(text) and all(word in _NOBODY for word in text.split()))


def _is_only_signs(text: str) -> bool:
    """Nothing but `-`, `?`, `...`, `{}`; letters and digits of any script, and emoji, are more than signs."""
    return all(sign.isascii() and not sign.isalnum() for sign in text) or set(text) <= set("—–−…·•?/ ")
