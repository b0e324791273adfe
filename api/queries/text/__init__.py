"""Full-text queries and their ranking."""
