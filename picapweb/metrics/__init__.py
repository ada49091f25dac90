"""/metrics: what Prometheus scrapes."""
