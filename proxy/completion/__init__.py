"""What may come next in a query that is being typed: names, operators, values that are there."""
