"""Stories of the front door: HTTP in, the ledger behind it, no Kafka."""
