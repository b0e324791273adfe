"""Clients that are generated from the API's description, compiled and run: see README.md."""
