"""Stories of the whole program."""
