"""Action plans, signals and known problems: how they are stored, found and counted."""
