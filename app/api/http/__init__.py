"""What stands around every endpoint: who asks, how much, what an error looks like, and what is answered again."""
