"""Imports: many records from one file or request."""
