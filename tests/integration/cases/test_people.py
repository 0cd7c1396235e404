"""Who a customer is, what they speak, and what they wrote."""

from __future__ import annotations

import pytest

from tests.integration.api.front import good, problem
from tests.integration.cases.post import LONDON, Post, event

NOBODY = (
    "undefined",
    "null",
    "0",
    "[object Object]",
    "anonymous",
    "00000000-0000-0000-0000-000000000000",
    "N/A",
    " - ",
)


async def test_a_placeholder_for_an_id_makes_one_customer_of_nobody(post: Post) -> None:
    """case-ident-01"""
    known_by = [{"id": each, "email": f"person{number}@example.org"} for number, each in enumerate(NOBODY)]
    await post.say(*(event(customer=each) for each in known_by))
    assert await post.callbacks() == len(NOBODY)
    await post.say(event(customer={"id": "undefined"}))
    assert post.set_aside == ["no_handle"]


async def test_blanks_marks_and_composition_make_no_other_customer(post: Post) -> None:
    """case-ident-02"""
    ids = ("c-17é", "c-17é ", "\u00a0c-17é", "c-17é\u200b", "c-17e\u0301")
    await post.say(*(event(customer={"id": each}) for each in ids))
    assert await post.callbacks() == 1


@pytest.mark.parametrize("language", ["en_US", "English", "de_DE.UTF-8", "Klingonisch"])
async def test_a_customer_is_offered_to_whoever_speaks_the_language_and_nobody_waits_in_silence(
    post: Post, language: str
) -> None:
    """case-lang-01"""
    english = await post.front.key("callbacks:work", advisor="ann", languages=["English"])
    german = await post.front.key("callbacks:work", advisor="bob", languages=["de"])
    await post.say(event(customer={"id": "c", "phone": LONDON, "language": language}))
    is_german = language.startswith("de_DE")
    if language != "Klingonisch":
        assert await post.claim(english if is_german else german) is None
    assert await post.claim(german if is_german else english) is not None


@pytest.mark.parametrize(
    ("comment", "asked"),
    [
        ("I recall meeting the technician", False),
        ("Please call  me", True),
        ("Please call\u00a0me, or call\nme tomorrow", True),
        ("Rückruf erbeten", True),
        ("Kein Rückruf nötig, danke", False),
    ],
)
async def test_a_wish_to_be_called_is_found_as_words(post: Post, comment: str, asked: bool) -> None:
    """case-comment-01"""
    await post.say(event(comment=comment))
    callback = await post.the_callback()
    assert ("asked_for_a_call" in callback["reasons"]) is asked
    assert callback["priority"] == (1 if asked else 2)


async def test_a_customer_who_asked_not_to_be_called_waits_for_a_lead(post: Post) -> None:
    """case-comment-01; p2pu/learning-circles #593: people add a thank you"""
    await post.say(event("plain"), event("stop", comment="Do not call me again. Thank you \N{SLIGHTLY SMILING FACE}"))
    ann, lead = await post.front.advisor(), await post.front.lead()
    claimed = await post.claim(ann)
    assert claimed is not None
    assert claimed["alerts"][0]["event_id"] == "plain"
    assert await post.claim(ann) is None
    (held,) = good(await lead.get("/v1/callbacks?flag=asked_not_to_be_called"))["items"]
    assert (held["reasons"], held["priority"], held["callable_from"]) == (["rated_1"], 2, None)
    assert "a lead decides" in held["callable_reason"]
    url = f"/v1/callbacks/{held['id']}"
    problem(await ann.post(f"{url}/claim", json={}), 409, "not-claimable")
    problem(await ann.post(f"{url}/release", json={"reason": "it is urgent"}), 403, "insufficient-scope")
    released = good(await lead.post(f"{url}/release", json={"reason": "it is about their safety"}))
    assert "asked_not_to_be_called" in released["flags"]
    assert (await post.claim(ann) or {})["id"] == held["id"]


async def test_a_lead_confirms_that_a_customer_is_not_to_be_called(post: Post) -> None:
    """case-comment-01"""
    await post.say(event("stop", comment="rufen Sie mich bitte nicht an"))
    held, lead = await post.the_callback(), await post.front.lead()
    assert (await lead.put(f"/v1/customers/{held['customer']['ref']}/opt-out")).status_code == 204
    closed = await post.the_callback()
    assert (closed["state"], closed["closed_reason"]) == ("closed", "opted_out")


TEXTS = (
    "\u202eabc\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",  # right to left, and an override
    "e\u0301 \u00e9 \ufb01 \u212b",  # what normalising would change
    "\N{WOMAN}\u200d\N{PERSONAL COMPUTER} \N{FAMILY} \u0e19\u0e49\u0e33 \u200b\ufeff",
    "=cmd()|'<b>%s{{x}}\\ \"",
)


@pytest.mark.parametrize("text", TEXTS)
async def test_what_a_customer_wrote_is_shown_byte_for_byte(post: Post, text: str) -> None:
    """Kludex/starlette #2584: text that is not Latin meets something that thinks it is"""
    customer = {"id": text, "name": text, "phone": LONDON}
    contact = {"id": text, "queue": text, "agent": {"id": text, "team": text}, "reason": text}
    await post.say(event(text, source=f"/{text}", comment=text, customer=customer, interaction=contact))
    advisor = await post.front.key("callbacks:work", name="k-1", advisor=f"{text}-ann"[:60])
    claimed = await post.claim(advisor)
    assert claimed is not None
    (alert,) = claimed["alerts"]
    assert (alert["comment"], alert["event_id"], claimed["customer"]["name"]) == (text, text, text)
    assert (alert["interaction"]["queue"], alert["interaction"]["agent"]["team"]) == (text, text)
    assert claimed["lease"]["holder"] == f"{text}-ann"[:60]
    url = f"/v1/callbacks/{claimed['id']}"
    good(await advisor.post(f"{url}/notes", json={"note": text}))
    assert good(await advisor.get(url))["history"][-1]["text"] == text
    reader = await post.front.key("callbacks:read")
    for params in ({"queue": text}, {"advisor": text}, {"q": text}):
        assert (await reader.get("/v1/callbacks", params=params)).status_code in (200, 422)
    assert (await reader.get(f"/v1/callbacks/{text.replace('/', '')}")).status_code in (404, 422)


async def test_initials_hold_no_mark_that_turns_the_line_behind_them(post: Post) -> None:
    """glific/glific #4815 and its kind: invisible marks before a name"""
    await post.say(event(customer={"id": "c", "name": "\u202eAnn \u200bLee", "phone": LONDON}))
    assert (await post.the_callback())["customer"]["name"] == "A. L."
