"""The routes of what is done about what was learned: action plans, signals and known problems."""
