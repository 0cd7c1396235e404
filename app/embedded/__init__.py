"""The database and the broker that come inside Python wheels, so the demo needs nothing installed."""
