"""Conversations: job, VLAN ids in order, Community ID of the first IP header. `Flow(q)`, named queries, `/flows/`."""
