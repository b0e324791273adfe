"""Proofs that the service survives: each a program that prints what it saw and fails if it lost."""
