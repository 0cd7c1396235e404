"""When a place is open and when a customer may be phoned: zones, holidays, weeks, windows."""
