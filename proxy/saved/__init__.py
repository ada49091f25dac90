"""What people keep of their questions: saved queries, tags and notes of packets, standing queries and their alerts."""
