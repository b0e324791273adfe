"""What keeps a backup from being made or put back."""


class BackupError(Exception):
    """It cannot be done; the message says why, and what would help."""
