"""What keeps a backup from being made or put back."""

from click import ClickException


class BackupError(ClickException):
    """It cannot be done; the message says why, and what would help."""
