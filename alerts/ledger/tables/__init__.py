"""The tables, one file per noun. `migrations/` makes them; a test keeps both equal."""
