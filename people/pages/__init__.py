"""Sign-in, account, people, audit log: pages that work without JavaScript."""
