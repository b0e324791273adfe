"""The server's log: granian's own lines on the terminal, without one that would alarm.

`server_log.json` is granian's logging with this filter. The process of the server imports this
module and nothing else of the application.
"""

import logging

# Spare threads are for clients that send or read slowly (`api/http/concurrency.py`): they wait.
MANY_THREADS = "Configuration allows spawning up to "


class ExpectedWarnings(logging.Filter):
    """Leaves out the warning of many threads, which are intended."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show RECORD."""
        return not str(record.msg).startswith(MANY_THREADS)
