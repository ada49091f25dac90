"""The benchmark command: that it measures what its rows say, and replaces its own sections only."""
