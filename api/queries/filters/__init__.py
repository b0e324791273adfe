"""Filters: from the words of a query to conditions on rows."""
