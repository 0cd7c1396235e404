"""Where the database is, how it is spoken to there, and whether it is away."""
