"""Stories with real parts."""
