"""What is done about what was learned: action plans, signals and known problems, as pure records and their changes."""
