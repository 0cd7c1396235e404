"""Who may ask, what they were answered, and who saw what."""
