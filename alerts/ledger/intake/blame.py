"""Says whether a failed write was about what we wanted to write, or about the database that should have taken it."""

from __future__ import annotations

_OF_DATA = ("22", "23", "54")
"""SQLSTATE classes: data exception, constraint, program limit (PostgreSQL manual, appendix A)."""


def is_about_the_data(error: Exception) -> bool:
    """Whether another row may well go through. A missing table or right is not: it would refuse every one."""
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return state is None or str(state).startswith(_OF_DATA)
