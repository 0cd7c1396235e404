"""What stands around the service in production: its watchers."""
