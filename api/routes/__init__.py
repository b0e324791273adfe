"""The routes: one file a resource; a view loads, acts, answers."""
