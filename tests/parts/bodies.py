"""Values for Hypothesis that a JSON schema of our OpenAPI document allows, and values that it nearly allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["\0", "\u202e", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1", "x" * 3000]),
)
STRANGE = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
DAY = datetime(2026, 11, 24, tzinfo=UTC)
MOMENTS = st.integers(-86_400, 2 * 86_400).map(lambda seconds: (DAY + timedelta(seconds=seconds)).isoformat())


def values(schema: Schema, defined: Schema, known: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    """What `schema` allows. `known`: values that exist, by the member's name, so that some requests come to something."""
    if "$ref" in schema:
        return values(defined[schema["$ref"].rsplit("/", 1)[-1]], defined, known)
    if "anyOf" in schema:
        return st.one_of([values(each, defined, known) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "object":
            return _objects(schema, defined, known)
        case "array":
            return st.lists(values(schema["items"], defined, known), min_size=schema.get("minItems", 0), max_size=3)
        case "integer":
            return st.integers(schema.get("minimum", -5), schema.get("maximum", 10_000))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "string" if schema.get("format") == "date-time":
            return MOMENTS
        case "string" if "pattern" in schema and schema["pattern"] != r"\S":
            return st.from_regex(schema["pattern"], fullmatch=True)
        case "string":
            return st.text(min_size=schema.get("minLength", 0), max_size=40)
    return STRANGE


def _objects(schema: Schema, defined: Schema, known: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    members = {name: _member(name, each, defined, known) for name, each in schema.get("properties", {}).items()}
    needed = {name: members[name] for name in schema.get("required", ())}
    optional = {name: each for name, each in members.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


def _member(name: str, schema: Schema, defined: Schema, known: dict[str, list[str]]) -> st.SearchStrategy[Any]:
    allowed = values(schema, defined, known)
    given = [st.sampled_from(known[name])] * 3 if known.get(name) else []
    return st.one_of([*given, allowed])


@st.composite
def nearly(draw: st.DrawFn, allowed: st.SearchStrategy[Any]) -> Any:
    """Mostly what is allowed; now and then one member is strange, too many, or everything is."""
    value = draw(allowed)
    choice = draw(st.integers(0, 5))
    if choice == 0:
        return draw(STRANGE)
    if choice == 1 and isinstance(value, dict):
        name = draw(st.sampled_from(sorted(value)) | st.text(max_size=10)) if value else draw(st.text(max_size=10))
        return {**value, name: draw(STRANGE)}
    return value
