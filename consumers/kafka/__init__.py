"""How to reach Kafka, how we send, and the topics."""
