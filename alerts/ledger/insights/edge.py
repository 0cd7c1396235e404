"""Up to where the sums go, and which pieces of a question are read from them."""

from __future__ import annotations

from typing import Any

from alerts.insights.pieces import Pieces

EDGE = """
WITH edge(low, top) AS MATERIALIZED (
    SELECT coalesce((SELECT through FROM answer_sums_progress), 0), CAST(9223372036854775807 AS bigint))
"""
"""How a statement begins that reads sums: responses up to `low` are in them; of those behind it all are wanted."""


def bound(found: Pieces) -> dict[str, Any]:
    """The values of `:whole_starts`, `:whole_ends`, `:part_starts` and `:part_ends`."""
    return {
        "whole_starts": [start for start, _ in found.whole],
        "whole_ends": [end for _, end in found.whole],
        "part_starts": [start for start, _ in found.parts],
        "part_ends": [end for _, end in found.parts],
    }
