"""A phone number: how people write it, whether it may be dialled, and where it rings."""
