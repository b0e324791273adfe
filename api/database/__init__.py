"""The database: engines, sessions and what differs between the two of them."""
