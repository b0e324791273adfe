"""The overview: numbers for a map and a timeline."""
