"""The claims behind the records, as a list."""
