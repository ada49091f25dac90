"""Questions over HTTP: Pilosa's own API in values, and the packets behind every count (API.md)."""
