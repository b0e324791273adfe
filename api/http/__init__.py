"""HTTP: problems, bodies, conditional requests, idempotency, keys, answers."""
