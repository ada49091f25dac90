"""Who there is, what they may do, and what they did: roles, API tokens, sign-in, the audit log. It knows nothing of packets."""
