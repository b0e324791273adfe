"""Backups: taken, looked over and put back."""
