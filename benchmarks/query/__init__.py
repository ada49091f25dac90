"""How long queries take: the product on both backends beside Pilosa asked directly, and how many it answers at once."""
