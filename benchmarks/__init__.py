"""Measurements that the README quotes: `make bench` runs them."""
