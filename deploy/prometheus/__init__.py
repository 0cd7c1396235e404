"""Rules and routing for Prometheus and Alertmanager, and a Prometheus of one's own to try them with."""
