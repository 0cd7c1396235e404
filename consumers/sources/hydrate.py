"""Where the answer lies that a thin notice only tells of: the `hydrate:` block of a source file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from alerts.document import Section
from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.sources.expression import ExpressionError, check_expression, compiled
from consumers.sources.webhook import PLACEHOLDER, HeaderName, SecretName

_LITERAL = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?(?=[/?]|$)")
_LONGEST = 500  # characters of one value


class HydrateAuth(Section):
    """`prefix` stands before the secret in `header`: `prefix: "Bearer "`."""

    header: HeaderName = "authorization"
    prefix: str = ""
    secret: SecretName


class Hydrate(Section):
    """`url` is asked for the answer, which then stands in the event as member `as`, beside those of the notice.

    Scheme, host and port are literal: what a sender writes decides over path and query only.
    """

    url: str = Field(max_length=2000)
    auth: HydrateAuth | None = None
    as_: str = Field(alias="as", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        _check_url(self.url)
        return self

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def is_plain(self) -> bool:
        """Whether it goes over plain http, which only hosts named in HYDRATE_HOSTS may."""
        return self.url.startswith("http:")

    def address(self, notice: dict[str, Any]) -> str:
        """The URL for this notice. Raises InvalidRecord (`hydrate_failed`) when a placeholder finds nothing usable."""
        return PLACEHOLDER.sub(lambda found: _encoded(found[1], notice), self.url)


def plain_hosts(sources: Iterable[tuple[str, Hydrate | None]], allowed: frozenset[str]) -> list[str]:
    """A sentence for each source, by name, that would be asked in clear, and not within our own house."""
    return [
        f"{name}.yaml: hydrate.url goes to {hydrate.host} over plain http; write https, or name the host in "
        "BOTTOMBOX_HYDRATE_HOSTS"
        for name, hydrate in sources
        if hydrate is not None and hydrate.is_plain and hydrate.host not in allowed
    ]


def _check_url(url: str) -> None:
    literal = _LITERAL.match(url)
    if literal is None:
        raise ValueError("scheme, host and port must be literal and in lower case; write https://host/path/{id}")
    if literal[3] is not None and not 1 <= int(literal[3]) <= 65535:
        raise ValueError("there is no such port; write 1 to 65535, or none")
    rest = url[literal.end() :]
    plain = PLACEHOLDER.sub("", rest)
    if "{" in plain or "}" in plain or not plain.isascii() or re.search(r"[\s#\\\x00-\x1f]", plain):
        raise ValueError("path and query are ASCII without blanks, `#` and stray braces; correct the url")
    for expression in PLACEHOLDER.findall(rest):
        check_expression(expression)


def _encoded(expression: str, notice: dict[str, Any]) -> str:
    try:
        found = compiled(expression).search(notice)
    except ExpressionError:
        found = None
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise _unusable()
    text = str(found).strip()
    if not text or len(text) > _LONGEST or text in (".", ".."):
        raise _unusable()
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise _unusable() from None


def _unusable() -> InvalidRecord:
    return InvalidRecord(DeadLetterReason.HYDRATE_FAILED, "hydrate.url", "the notice lacks what its address needs")
