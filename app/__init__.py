"""Top floor: the front door and the switchboard."""

__version__ = "0.1.0"
