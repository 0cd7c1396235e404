"""Top floor: the front door and the switchboard."""
