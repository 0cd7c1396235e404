"""A webhook is taken from who shares our secret, by each platform's own scheme, and from nobody else."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec import Struct, structs
from slack_sdk.signature import SignatureVerifier
from standardwebhooks.webhooks import Webhook as StandardWebhook
from twilio.request_validator import RequestValidator

from alerts.document import BadDocument
from consumers.sources.signatures import Refusal, Rejected, Verified, WebhookDelivery, key_of, verify
from consumers.sources.source import read_source
from consumers.sources.webhook import PRESETS, Webhook

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
URL = "https://alerts.example/v1/sources/acme/events"
BODY = json.dumps({"id": "é-1", "rating": 1}, ensure_ascii=False).encode()
FORM = urlencode({"From": "+442079460067", "Digits": "1", "Note": "né & so", "Blank": ""}).encode()
MAPPED = "name: acme\nmap: {event_id: id, rating: rating, answered_at: at}\n"
SECRET, OTHER = "a secret", "another secret"
WHSEC, OTHER_WHSEC = (f"whsec_{base64.b64encode(each.encode()).decode()}" for each in (SECRET, OTHER))


class Platform(Struct, frozen=True):
    """`sign` makes what the platform itself would send at a moment, with a secret."""

    lines: str
    sign: Callable[[str, datetime], WebhookDelivery]
    signed_headers: tuple[str, ...]
    has_time: bool = False


def _mac(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(secret.encode(), message, algorithm)


def _hex(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return _mac(secret, message, algorithm).hex().encode()


def _base64(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return base64.b64encode(_mac(secret, message, algorithm))


def _sent(body: bytes = BODY, url: str = URL, **headers: bytes | str) -> WebhookDelivery:
    pairs = ((name.replace("_", "-"), value) for name, value in headers.items())
    return WebhookDelivery(
        tuple((name, value.encode() if isinstance(value, str) else value) for name, value in pairs), url, body
    )


def _standard(secret: str, at: datetime) -> WebhookDelivery:
    whsec = WHSEC if secret == SECRET else OTHER_WHSEC
    signature = StandardWebhook(whsec).sign("msg_1", at, BODY.decode())
    return _sent(webhook_id="msg_1", webhook_timestamp=str(int(at.timestamp())), webhook_signature=signature)


def _twilio_form(secret: str, at: datetime) -> WebhookDelivery:
    fields = {"From": "+442079460067", "Digits": "1", "Note": "né & so", "Blank": ""}
    return _sent(FORM, x_twilio_signature=RequestValidator(secret).compute_signature(URL, fields))


def _twilio_json(secret: str, at: datetime) -> WebhookDelivery:
    url = f"{URL}?bodySHA256={RequestValidator(secret).compute_hash(BODY.decode())}"
    return _sent(url=url, x_twilio_signature=RequestValidator(secret).compute_signature(url, {}))


def _slack(secret: str, at: datetime) -> WebhookDelivery:
    stamp = str(int(at.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=BODY)
    return _sent(x_slack_signature=signature or "", x_slack_request_timestamp=stamp)


def _zendesk(secret: str, at: datetime) -> WebhookDelivery:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    signature = _base64(secret, stamp + BODY)
    return _sent(x_zendesk_webhook_signature=signature, x_zendesk_webhook_signature_timestamp=stamp)


def _chatwoot(secret: str, at: datetime) -> WebhookDelivery:
    stamp = str(int(at.timestamp())).encode()
    signature = b"sha256=" + _hex(secret, stamp + b"." + BODY)
    return _sent(x_chatwoot_signature=signature, x_chatwoot_timestamp=stamp)


def _qualtrics(secret: str, at: datetime) -> WebhookDelivery:
    message = json.dumps({"ResponseID": "R_1", "SurveyID": "SV_1"})
    return _sent(urlencode({"MSG": message, "HMAC": _hex(secret, message.encode(), "sha512").decode()}).encode())


def _acme(secret: str, at: datetime) -> WebhookDelivery:
    stamp = str(int(at.timestamp() * 1000)).encode()
    return _sent(x_acme_signature=b"sha256=" + _hex(secret, stamp + b"." + BODY), x_acme_id="evt-1", x_acme_time=stamp)


PLATFORMS: dict[str, Platform] = {
    "standard-webhooks": Platform(
        "scheme: standard-webhooks", _standard, ("webhook-signature", "webhook-timestamp", "webhook-id"), True
    ),
    "twilio, a form": Platform("scheme: twilio", _twilio_form, ("x-twilio-signature",)),
    "twilio, JSON": Platform("scheme: twilio, body: json", _twilio_json, ("x-twilio-signature",)),
    "slack": Platform("scheme: slack", _slack, ("x-slack-signature", "x-slack-request-timestamp"), True),
    "zendesk": Platform(
        "scheme: zendesk",
        _zendesk,
        ("x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"),
        True,
    ),
    "typeform": Platform(
        "scheme: typeform",
        lambda secret, at: _sent(typeform_signature=b"sha256=" + _base64(secret, BODY)),
        ("typeform-signature",),
    ),
    "surveymonkey": Platform(
        "scheme: surveymonkey", lambda secret, at: _sent(sm_signature=_base64(secret, BODY, "sha1")), ("sm-signature",)
    ),
    "qualtrics": Platform("scheme: qualtrics", _qualtrics, ()),
    "chatwoot": Platform("scheme: chatwoot", _chatwoot, ("x-chatwoot-signature", "x-chatwoot-timestamp"), True),
    "token": Platform("scheme: token", lambda secret, at: _sent(authorization=f"Bearer {secret}"), ("authorization",)),
    "token in its own header": Platform(
        "scheme: token, header: X-Token", lambda secret, at: _sent(x_token=secret), ("x-token",)
    ),
    "hmac": Platform(
        "scheme: hmac, header: X-Acme-Signature, id_header: x-acme-id, timestamp_header: x-acme-time, "
        'signed: "{timestamp}.{body}", prefix: "sha256="',
        _acme,
        ("x-acme-signature", "x-acme-time", "x-acme-id"),
        True,
    ),
}
WITH_TIME = [name for name, platform in PLATFORMS.items() if platform.has_time]
SIGNED_BODY = [name for name in PLATFORMS if not name.startswith("token")]


def webhook_of(lines: str) -> Webhook:
    text = f"{MAPPED}webhook: {{secrets: [ACME], {lines}}}\n"
    webhook = read_source(text, file="acme.yaml").webhook
    assert webhook is not None
    return webhook


def judge(
    name: str, delivery: WebhookDelivery, secrets: Sequence[str] = (SECRET,), now: datetime = NOW
) -> Verified | Rejected:
    webhook = webhook_of(PLATFORMS[name].lines)
    known = {SECRET: WHSEC, OTHER: OTHER_WHSEC} if webhook.key == "whsec" else {}
    return verify(webhook, delivery, [known.get(secret, secret) for secret in secrets], now)


def is_bad(verdict: Verified | Rejected) -> bool:
    return isinstance(verdict, Rejected) and verdict.reason is Refusal.BAD_SIGNATURE


def test_every_scheme_of_the_contract_has_a_story() -> None:
    told = {platform.lines.split(",")[0].removeprefix("scheme: ") for platform in PLATFORMS.values()}
    assert told == set(PRESETS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_a_platform_signs_is_taken(name: str) -> None:
    assert isinstance(judge(name, PLATFORMS[name].sign(SECRET, NOW)), Verified)


@pytest.mark.parametrize("name", PLATFORMS)
def test_while_secrets_change_either_of_them_may_have_signed(name: str) -> None:
    delivery = PLATFORMS[name].sign(OTHER, NOW)
    assert isinstance(judge(name, delivery, (SECRET, OTHER)), Verified)
    assert is_bad(judge(name, delivery, (SECRET,)))
    assert is_bad(judge(name, delivery, ())), "without a secret nobody is believed"


@pytest.mark.parametrize("name", SIGNED_BODY)
def test_no_byte_of_a_signed_body_can_be_another(name: str) -> None:
    delivery = PLATFORMS[name].sign(SECRET, NOW)
    for place in range(len(delivery.body)):
        changed = bytearray(delivery.body)
        changed[place] ^= 1
        if _says_the_same(bytes(changed), delivery.body, name):
            continue
        assert is_bad(judge(name, structs.replace(delivery, body=bytes(changed)))), place


def _says_the_same(changed: bytes, body: bytes, name: str) -> bool:
    """Forms spell one byte in several ways: `%2b` is `%2B`, and hexadecimal digits have no case."""
    return name in ("qualtrics", "twilio, a form") and changed.lower() == body.lower()


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_signed_header_is_there_once(name: str) -> None:
    delivery = PLATFORMS[name].sign(SECRET, NOW)
    for header in PLATFORMS[name].signed_headers:
        without = tuple(pair for pair in delivery.headers if pair[0] != header)
        assert len(without) == len(delivery.headers) - 1
        assert is_bad(judge(name, structs.replace(delivery, headers=without))), f"{header} is missing"
        twice = tuple(pair for pair in delivery.headers if pair[0] == header)
        assert is_bad(judge(name, structs.replace(delivery, headers=delivery.headers + twice))), f"{header} twice"


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_signature_in_another_encoding_is_none(name: str) -> None:
    delivery = PLATFORMS[name].sign(SECRET, NOW)
    for header in PLATFORMS[name].signed_headers[:1]:
        for spoil in (lambda text: base64.b64encode(text), lambda text: text[:-2], lambda text: text.replace(b"=", b"-"),
                      lambda text: b"x" + text, lambda text: text + b"\xff"):  # fmt: skip
            spoilt = [(each, spoil(value) if each == header else value) for each, value in delivery.headers]
            if spoilt != list(delivery.headers):
                assert is_bad(judge(name, structs.replace(delivery, headers=tuple(spoilt))))


def test_the_field_of_a_signature_is_there_and_in_its_encoding() -> None:
    delivery = PLATFORMS["qualtrics"].sign(SECRET, NOW)
    field, signature = delivery.body.rsplit(b"=", 1)
    assert field.endswith(b"&HMAC")
    encoded = base64.b64encode(bytes.fromhex(signature.decode())).replace(b"=", b"%3D").replace(b"+", b"%2B")
    without = [b"", b"&HMAC=", b"&HMAC=" + encoded, b"&HMAC=" + signature[:-2], b"&hmac=" + signature]
    for other in without:
        body = field.removesuffix(b"&HMAC") + other
        assert is_bad(judge("qualtrics", structs.replace(delivery, body=body))), other


@pytest.mark.parametrize("name", WITH_TIME)
def test_the_time_is_judged_after_the_signature(name: str) -> None:
    for off in (timedelta(seconds=301), -timedelta(seconds=301), timedelta(days=-9000)):
        rightly, wrongly = PLATFORMS[name].sign(SECRET, NOW + off), PLATFORMS[name].sign(OTHER, NOW + off)
        verdict = judge(name, rightly)
        assert isinstance(verdict, Rejected)
        assert verdict.reason is Refusal.EXPIRED
        assert "timestamp" in verdict.detail
        assert is_bad(judge(name, wrongly))
    assert isinstance(judge(name, PLATFORMS[name].sign(SECRET, NOW - timedelta(seconds=299))), Verified)


@pytest.mark.parametrize("stamp", [b"soon", b"-1", b"1e9", b"2026-11-24T12:00:00", b"9" * 15, "１７".encode()])
def test_a_time_that_cannot_be_read_is_not_now(stamp: bytes) -> None:
    signature = b"sha256=" + _hex(SECRET, stamp + b"." + BODY)
    verdict = judge("hmac", _sent(x_acme_signature=signature, x_acme_id="1", x_acme_time=stamp))
    assert isinstance(verdict, Rejected)
    assert verdict.reason is Refusal.EXPIRED


def test_a_field_that_is_signed_cannot_be_there_twice() -> None:
    for name, again in (("twilio, a form", b"&Digits=1"), ("qualtrics", b"&MSG=x"), ("qualtrics", b"&HMAC=00")):
        delivery = PLATFORMS[name].sign(SECRET, NOW)
        assert is_bad(judge(name, structs.replace(delivery, body=delivery.body + again)))


def test_twilios_worked_example_comes_out() -> None:
    """twilio.com/docs/usage/security, and the tests of Twilio's own libraries."""
    fields = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212"}
    body = urlencode({**fields, "Caller": "+14158675309"}).encode()
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    delivery = _sent(body, url, x_twilio_signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    for spelling in (url, url.replace(".com", ".com:443")):
        assert isinstance(
            verify(webhook_of("scheme: twilio"), structs.replace(delivery, url=spelling), ["12345"], NOW), Verified
        )
    assert is_bad(verify(webhook_of("scheme: twilio"), structs.replace(delivery, url=url + "3"), ["12345"], NOW))


def test_slacks_worked_example_comes_out() -> None:
    """api.slack.com/authentication/verifying-requests-from-slack"""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    delivery = _sent(body, x_slack_signature=signature, x_slack_request_timestamp="1531420618")
    then, secret = datetime.fromtimestamp(1531420618, UTC), "8f742231b10e8888abcd99yyyzzz85a5"
    assert isinstance(verify(webhook_of("scheme: slack, body: form"), delivery, [secret], then), Verified)


QUALTRICS_MSG = (
    '{"Status":"Complete","SurveyID":"SV_1AmkKSDmoZ4XlQx","ResponseID":"R_0B7IcnXszjEUHLP",'
    '"CompletedDate":"2019-06-25 07:58:25","BrandID":"sapdevelopment"}'
)
QUALTRICS_HMAC = (
    "c2c585a404c239aa3063b462cc33551d3ed3ed2de0899f58d456fc0ef7ebef6f"
    "3c3af44957989bd0592603e41edde9528f7d9ed09ee128bf719aa12f46e5c598"
)
WORKED_BODY = b'{"id": "e-1", "rating": 1}'
WORKED: dict[str, tuple[str, WebhookDelivery]] = {
    "qualtrics": (  # kyma-incubator/connector-tools, what a Qualtrics brand has sent
        "kyma4ever",
        _sent(urlencode({"MSG": QUALTRICS_MSG, "HMAC": QUALTRICS_HMAC}).encode()),
    ),
    # The others as the platforms' own pages say how to sign, by the command `openssl dgst -hmac`.
    "zendesk": (
        "zendesk secret",
        _sent(
            WORKED_BODY,
            x_zendesk_webhook_signature="0yCjGjGqYGVl/Mqh7Z+PHx8qy2JrGbfX+2CG08q9uzg=",
            x_zendesk_webhook_signature_timestamp="2026-11-24T12:00:00Z",
        ),
    ),
    "typeform": (
        "typeform secret",
        _sent(WORKED_BODY, typeform_signature="sha256=1b1SyGooMWA563SxTjl7OSN6BVL3ELn1EIW/u95YxY0="),
    ),
    "surveymonkey": ("client&secret", _sent(WORKED_BODY, sm_signature="y9xkrQL0CQHrwhwrrDKgf3JqfdA=")),
    "chatwoot": (
        "chatwoot secret",
        _sent(
            WORKED_BODY,
            x_chatwoot_signature="sha256=3a3b18f6b9080f56073318dae4fc9f2c0436781a7d4f431eb330e55c8c001bf1",
            x_chatwoot_timestamp="1795521600",
        ),
    ),
}


@pytest.mark.parametrize("name", WORKED)
def test_a_signature_that_was_made_elsewhere_is_taken(name: str) -> None:
    secret, delivery = WORKED[name]
    webhook = webhook_of(PLATFORMS[name].lines)
    assert isinstance(verify(webhook, delivery, [secret], NOW), Verified)
    assert is_bad(verify(webhook, delivery, [secret + "x"], NOW))


def test_every_scheme_was_tried_with_a_signature_that_we_did_not_make() -> None:
    made_by_a_public_signer = {"standard-webhooks", "twilio", "slack"}
    without_a_platform = {"token", "hmac"}
    assert made_by_a_public_signer | without_a_platform | set(WORKED) == set(PRESETS)


def test_a_json_body_for_twilio_is_the_one_that_the_url_names() -> None:
    delivery = PLATFORMS["twilio, JSON"].sign(SECRET, NOW)
    twice = f"{delivery.url}&bodySHA256={sha256(b'').hexdigest()}"
    signature = RequestValidator(SECRET).compute_signature(twice, {})
    assert is_bad(judge("twilio, JSON", _sent(url=twice, x_twilio_signature=signature)))
    bare = RequestValidator(SECRET).compute_signature(URL, {})
    assert is_bad(judge("twilio, JSON", _sent(x_twilio_signature=bare)))


def test_one_of_several_standard_signatures_is_enough() -> None:
    delivery = PLATFORMS["standard-webhooks"].sign(SECRET, NOW)
    headers = dict(delivery.headers)
    for others in (b"v1,AAAA %b", b"v1a,AAAA %b", b"%b v2,AAAA"):
        headers["webhook-signature"] = others % dict(delivery.headers)["webhook-signature"]
        assert judge("standard-webhooks", structs.replace(delivery, headers=tuple(headers.items()))) == Verified(
            b"msg_1"
        )


def test_a_secret_that_is_not_written_as_the_scheme_has_it_is_told() -> None:
    webhook = webhook_of("scheme: standard-webhooks")
    with pytest.raises(ValueError, match="base64"):
        key_of(webhook, "whsec_not base64!")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("scheme: hmac", "write `header` or `field`"),
        ("scheme: hmac, header: x, field: y, body: form", "write `header` or `field`"),
        ("scheme: hmac, field: y", "body: form"),
        ('scheme: hmac, header: x, signed: "{form.MSG}"', "body: form"),
        ('scheme: hmac, header: x, signed: "{body}{time}"', "placeholder that is not known"),
        ('scheme: hmac, header: x, signed: "{body}{"', "placeholder that is not known"),
        ('scheme: hmac, header: x, signed: "{url}"', "the body is not signed"),
        ('scheme: hmac, header: x, signed: "{timestamp}{body}"', "add `timestamp_header`"),
        ('scheme: hmac, header: x, signed: "{id}{body}"', "add `id_header`"),
        ("scheme: hmak, header: x", "webhook.scheme"),
        ("scheme: hmac, header: x, algorithm: md5", "webhook.algorithm"),
        ('scheme: hmac, header: "x y"', "webhook.header"),
        ('scheme: slack, handshake: {when: "type ==", answer: x}', "this is not JMESPath"),
        ("scheme: slack, handshake: {answer: x}", "write `when` and `answer`"),
        ("scheme: slack, handshake: {method: head}", "webhook.handshake.method"),
    ],
)  # fmt: skip
def test_a_file_that_could_not_keep_strangers_out_is_refused(lines: str, said: str) -> None:
    with pytest.raises(BadDocument) as caught:
        webhook_of(lines)
    assert said in str(caught.value)
    assert str(caught.value).startswith("acme.yaml:3: webhook")


def test_a_file_needs_a_secret_and_its_name_is_that_of_a_setting() -> None:
    for secrets in ("[]", "[acme]", '["A B"]'):
        text = f"{MAPPED}webhook: {{scheme: typeform, secrets: {secrets}}}\n"
        with pytest.raises(BadDocument, match=r"webhook\.secrets"):
            read_source(text, file="acme.yaml")


@pytest.mark.parametrize(
    ("event", "answer"),
    [({"type": "url_verification", "challenge": "c"}, "c"), ({"type": "event"}, None), ({"type": "url_verification"}, None)],
)  # fmt: skip
def test_a_handshake_is_told_from_a_delivery(event: dict[str, Any], answer: Any) -> None:
    handshake = webhook_of("scheme: slack").handshake
    assert handshake is not None
    assert handshake.reply(event) == answer
