"""How a platform's webhook is known to be the platform's: the `webhook:` block of a source file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from alerts.document import Section
from consumers.sources.expression import Compiled, Expression, ExpressionError, compiled

PRESETS: dict[str, dict[str, Any]] = {
    "hmac": {"algorithm": "sha256", "encoding": "hex", "signed": "{body}"},
    "token": {"header": "authorization", "prefix": "Bearer "},
    "standard-webhooks": {
        "header": "webhook-signature",
        "id_header": "webhook-id",
        "timestamp_header": "webhook-timestamp",
        "signed": "{id}.{timestamp}.{body}",
        "encoding": "base64",
        "prefix": "v1,",
        "separator": " ",
        "key": "whsec",
    },
    "twilio": {
        "header": "x-twilio-signature",
        "signed": "{url}{sorted_form}",
        "algorithm": "sha1",
        "encoding": "base64",
        "body": "form",
    },
    "slack": {
        "header": "x-slack-signature",
        "timestamp_header": "x-slack-request-timestamp",
        "signed": "v0:{timestamp}:{body}",
        "prefix": "v0=",
        "handshake": {"when": "type == 'url_verification'", "answer": "challenge"},
    },
    "zendesk": {
        "header": "x-zendesk-webhook-signature",
        "timestamp_header": "x-zendesk-webhook-signature-timestamp",
        "signed": "{timestamp}{body}",
        "encoding": "base64",
    },
    "typeform": {"header": "typeform-signature", "encoding": "base64", "prefix": "sha256="},
    "surveymonkey": {
        "header": "sm-signature",
        "algorithm": "sha1",
        "encoding": "base64",
        "handshake": {"method": "get", "signed": False},  # HEAD, before it takes the address
    },
    "qualtrics": {
        "field": "HMAC",
        "signed": "{form.MSG}",
        "algorithm": "sha512",
        "body": "form",
        "json_fields": ["MSG"],
    },
    "chatwoot": {
        "header": "x-chatwoot-signature",
        "timestamp_header": "x-chatwoot-timestamp",
        "signed": "{timestamp}.{body}",
        "prefix": "sha256=",
    },
}
"""The lines that a scheme's name stands for; a line in the file goes before the one here."""

TWILIO_JSON = {"signed": "{url}", "body_sha256": "bodySHA256"}
"""Twilio signs a JSON body by its hash in the URL."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BODY = ("body", "sorted_form")
_KNOWN = frozenset({*_BODY, "timestamp", "id", "url"})


def _lower(name: str) -> str:
    return name.lower()


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"), AfterValidator(_lower)]
SecretName = Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,100}$")]
"""`ACME` is the setting BOTTOMBOX_SECRET_ACME."""


class Handshake(Section):
    """What a platform sends to see whether we are there: where `when` holds, `answer` goes back and nothing to Kafka.

    `method: get` is for a platform that asks by GET or HEAD before it posts anything. The parameters of the URL are the
    event then; without `when` every such request is one, and without `answer` its answer is empty.
    `signed: false` answers it whoever asks, for a platform that signs its deliveries and not this.
    """

    method: Literal["post", "get"] = "post"
    when: Expression | None = None
    answer: Expression | None = None
    signed: bool = True

    @model_validator(mode="after")
    def _is_told_from_a_delivery(self) -> Self:
        if self.method == "post" and (self.when is None or self.answer is None):
            raise ValueError("a handshake by POST has to be told from a delivery; write `when` and `answer`")
        return self

    def reply(self, event: dict[str, Any]) -> Any:
        """What to answer; None for what is no handshake, or does not fit."""
        if self.when is not None and not _asked(compiled(self.when), event):
            return None
        return "" if self.answer is None else _asked(compiled(self.answer), event)


class Webhook(Section):
    """`secrets` are names of settings; any of them may have signed. What is signed stands in `signed`, in the
    platform's own order, over {body} {timestamp} {id} {url} {sorted_form} {form.X}.

    `separator` stands between several signatures in one header; `key: whsec` says that the secret is base64 behind
    `whsec_`; `body_sha256` is the parameter of the URL that holds the body's SHA-256 where {url} stands for the body.
    """

    scheme: Literal[
        "hmac",
        "token",
        "standard-webhooks",
        "twilio",
        "slack",
        "zendesk",
        "typeform",
        "surveymonkey",
        "qualtrics",
        "chatwoot",
    ]
    secrets: tuple[SecretName, ...] = Field(min_length=1)
    header: HeaderName | None = None
    field: str | None = Field(default=None, min_length=1)
    id_header: HeaderName | None = None
    timestamp_header: HeaderName | None = None
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400)
    signed: str = "{body}"
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    separator: str = Field(default="", max_length=1)
    key: Literal["text", "whsec"] = "text"
    body_sha256: str | None = None
    handshake: Handshake | None = None
    body: Literal["json", "form"] = "json"
    json_fields: tuple[str, ...] = ()
    per_second: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="before")
    @classmethod
    def _with_its_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("scheme"), str):
            return given
        preset = dict(PRESETS.get(given["scheme"], {}))
        if given["scheme"] == "twilio" and given.get("body") == "json":
            preset |= TWILIO_JSON
        if "header" in given or "field" in given:  # the one instead of the other
            preset.pop("header", None)
            preset.pop("field", None)
        if given["scheme"] == "token" and ("header" in given or "field" in given):
            preset.pop("prefix")  # a place of one's own holds the bare token
        # What a validator has touched is no JSON any more to pydantic, and a list is no tuple.
        return {name: tuple(line) if isinstance(line, list) else line for name, line in {**preset, **given}.items()}

    @field_validator("signed")
    @classmethod
    def _has_known_placeholders(cls, template: str) -> str:
        unknown = [name for name in PLACEHOLDER.findall(template) if name not in _KNOWN and not _is_form(name)]
        if unknown or "{" in PLACEHOLDER.sub("", template) or "}" in PLACEHOLDER.sub("", template):
            raise ValueError(
                "there is a placeholder that is not known; use {body} {timestamp} {id} {url} {sorted_form} or {form.X}"
            )
        return template

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.header is None) == (self.field is None):
            raise ValueError("the signature stands in a header or in a field of a form; write `header` or `field`")
        if self.body != "form" and (self.field or self.json_fields or self.form_fields or "sorted_form" in self.names):
            raise ValueError("only a form has fields; write `body: form`")
        if self.scheme != "token":
            self._check_signed()
        return self

    def _check_signed(self) -> None:
        for name, header in (("timestamp", self.timestamp_header), ("id", self.id_header)):
            if name in self.names and header is None:
                raise ValueError(f"{{{name}}} is signed, and no header holds it; add `{name}_header`")
        covers_body = self.form_fields or any(name in self.names for name in _BODY)
        if not covers_body and not (self.body_sha256 and "url" in self.names):
            raise ValueError("the body is not signed, so anybody could change it; put {body} into `signed`")

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders of `signed`, in their order."""
        return tuple(PLACEHOLDER.findall(self.signed)) if self.scheme != "token" else ()

    @property
    def form_fields(self) -> tuple[str, ...]:
        """The fields of a form that are signed by name."""
        return tuple(name.removeprefix("form.") for name in self.names if _is_form(name))


def _is_form(name: str) -> bool:
    return name.startswith("form.") and len(name) > len("form.")


def _asked(expression: Compiled, event: dict[str, Any]) -> Any:
    try:
        return expression.search(event)
    except ExpressionError:
        return None
