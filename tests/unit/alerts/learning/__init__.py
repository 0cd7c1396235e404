"""What is done about what was learned."""
