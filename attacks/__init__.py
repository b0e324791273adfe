"""What one bad client can do to the others, played from outside against a real server."""
