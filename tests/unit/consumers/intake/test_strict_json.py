"""JSON is read as its text says, or refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.intake.reason import DeadLetterReason, InvalidRecord
from consumers.intake.strict_json import MAX_BYTES, read_object

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "not UTF-8": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "truncated": b'{"a":1',
    "a scalar": b"5",
    "a text": b'"{}"',
    "null": b"null",
    "an array": b'[{"a":1}]',
    "two documents": b"{}{}",
    "a trailing comma": b'{"a":1,}',
    "a comment": b'{"a":1/* one */}',
    "a single quote": b"{'a':1}",
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "an exponent beyond floats": b'{"a":[1e400]}',
    "5,000 digits": b'{"a":' + b"9" * 5000 + b"}",
    "a leading zero": b'{"a":01}',
    "a lone high surrogate": b'{"a":"\\ud800"}',
    "a lone low surrogate": b'{"a":"\\udc00"}',
    "an encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "a raw control character": b'{"a":"\x01"}',
    "a repeated member": b'{"rating":5,"rating":1}',
    "a repeated member with spaces": b'{"rating" : 5, "rating" : 1}',
    "a repeated member, escaped": b'{"rating":5,"r\\u0061ting":1}',
    "a repeated member deep inside": b'{"a":[{"b":{"c":1,"c":1}}]}',
    "a repeated member hidden by escaped marks": b'{"a":"\\u0022\\u0022","b":1,"b":2}',
    "a repeated member after an escaped mark": b'{"a":"x\\"y\\\\","b":1,"b":2}',
    "a member repeated but for NUL": b'{"a":1,"a\\u0000":2}',
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_strict_json_is_malformed(value: bytes) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_object(value)
    assert caught.value.reason is DeadLetterReason.MALFORMED


def test_32_levels_are_read_and_33_are_too_deep() -> None:
    read_object(nested(32))
    for value in (nested(33), nested(40), b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", b"[" * 100_000):
        with pytest.raises(InvalidRecord) as caught:
            read_object(value)
        assert caught.value.reason is DeadLetterReason.TOO_DEEP


def test_brackets_in_a_text_and_many_shallow_objects_are_not_depth() -> None:
    assert read_object(json.dumps({"a": "[{" * 100, "b": [{}] * 100}).encode())[0]["a"] == "[{" * 100


def test_one_mebibyte_is_read_and_one_byte_more_is_too_large() -> None:
    value = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(read_object(value)[0]["a"]) == MAX_BYTES - 8
    with pytest.raises(InvalidRecord) as caught:
        read_object(value + b" ")
    assert caught.value.reason is DeadLetterReason.TOO_LARGE


def test_nul_is_taken_out_of_texts_and_names_and_told() -> None:
    assert read_object(b'{"a\\u0000":["x\\u0000y"]}') == ({"a": ["xy"]}, True)
    assert read_object(b'{"a":"\\\\u0000"}') == ({"a": "\\u0000"}, False)


def test_a_refusal_never_quotes_the_value() -> None:
    for value in (b'{"a":"secret","a":"secret"}', b'{"secret', b'{"a":"secret\\ud800"}'):
        with pytest.raises(InvalidRecord) as caught:
            read_object(value)
        assert "secret" not in str(caught.value)


@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.booleans(), st.sampled_from([None, 2]))
def test_whatever_a_serialiser_writes_is_read_back(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_object(text) == (value, False)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.booleans(), VALUES)
def test_a_repeated_member_is_found_whatever_stands_around_it(
    value: dict[str, Any], ascii_only: bool, twin: Any
) -> None:
    name = json.dumps(next(iter(value)), ensure_ascii=ascii_only)
    text = json.dumps({"outer": [value]}, ensure_ascii=ascii_only)
    repeated = text[:-3] + f", {name}: {json.dumps(twin)}" + text[-3:]
    with pytest.raises(InvalidRecord) as caught:
        read_object(repeated.encode())
    assert caught.value.reason is DeadLetterReason.MALFORMED
