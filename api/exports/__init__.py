"""Exports: query results made whole as files, and frozen editions."""
