"""Notices of the server: granian's own lines on the terminal, without one that would alarm.

`notices.json` is granian's logging with this filter. The process of the server imports this module
and nothing else of the application.
"""

import logging

# Threads to spare are for clients that send or read slowly (`api/http/concurrency.py`): they wait.
MANY_THREADS = "Configuration allows spawning up to "


class Expected(logging.Filter):
    """Keeps back the warning of many threads, which are meant."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to show RECORD."""
        return not str(record.msg).startswith(MANY_THREADS)
