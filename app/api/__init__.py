"""The front door: REST over the ledger, one router per noun."""
