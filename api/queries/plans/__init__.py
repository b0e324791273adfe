"""Plans: filters, an order and an access path."""
