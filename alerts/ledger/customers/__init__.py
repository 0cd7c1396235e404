"""One customer's row, and how to find it."""
