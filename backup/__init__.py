"""A copy of everything, taken while the server runs, and a server made of it again (docs/decisions/0038-backup.md)."""
