"""From a Kafka record to the ledger: reading, setting aside, taking in, and sending again."""
