"""Tokens, people and the audit log over HTTP."""
