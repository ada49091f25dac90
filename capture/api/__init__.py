"""Jobs, interfaces and fields over HTTP (API.md)."""
