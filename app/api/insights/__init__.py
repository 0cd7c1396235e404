"""What can be learned from the answers and the callbacks, over REST and as CSV."""
