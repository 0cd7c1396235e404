"""The routes of callbacks: reading them, taking one, working on it, and what leads do."""
