"""What is measured of live captures: where packets begin to drop, and how soon a captured packet is in the answers."""
