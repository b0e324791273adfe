"""What every room may use: ids, the clock, errors, permissions, metrics, the log."""
