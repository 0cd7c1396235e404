"""The dashboards of Grafana, as code; what Grafana reads is in `dashboards/`."""
