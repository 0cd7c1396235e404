"""One callback's row: how it is stored, in which order it is claimed, and what time does to it."""
