"""Pages and overviews: what is shown, and nothing that changes."""
