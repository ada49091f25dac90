"""How long questions of analysis take: the product over HTTP beside DuckDB over a table of its own, and tshark."""
