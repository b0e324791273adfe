"""Queries: parameters, their values and what they load to."""
