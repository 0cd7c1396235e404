"""What the counts say, and how sure one may be of it: pure functions from counts to figures, each with its source.

Nothing here asks for the time or reads a table. Every figure carries the counts it was made from (docs/insights.md).
"""
