"""What must be true of the ledger at any moment, asked of the ledger itself: by the tests after every story, by `work` every
minute. A check is a query that finds what breaks it.
"""
