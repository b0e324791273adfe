"""Statistics: sums and counts by group."""
