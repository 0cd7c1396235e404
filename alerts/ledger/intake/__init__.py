"""One batch, one transaction: what it was, whom it concerns, what it opened or joined, and the accounts."""
