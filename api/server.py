"""Workers: the processes of the server, each with the application."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress

from flask import Flask
from sqlalchemy.exc import DBAPIError

from api import served
from api.queries.overview import summary

# Names the process of the server; it may be gone before a worker looks for its parent.
SERVER = "INCIDENTS_SERVER"
# Seconds between two looks at the parent, and for what is under way once it is gone.
_LOOK_EVERY = 1.0
# Seconds that a thread runs while another waits for the interpreter, a fifth of the usual: a short
# request among costly ones waits that long each time it comes back from the database.
_SWITCH_INTERVAL = 0.001
_GRACE = 5.0


def start() -> Flask:
    """Return the application of a worker, which ends soon after the server that started it.

    A server that is killed cannot stop its workers. They would go on to answer at its port, beside
    the next one.
    """
    parent = int(os.environ.get(SERVER, os.getppid()))
    # Until it serves, a worker has the handler of the server that it was forked from, which would
    # set down that it is to stop where nobody looks.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    app = served()
    if os.getppid() != parent:
        os._exit(1)  # nothing is under way yet
    threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    threading.Thread(target=_warm, args=(app,), name="warm", daemon=True).start()
    return app


def _warm(app: Flask) -> None:
    """Work out what the first visitor would wait for; a database that is away is no fault."""
    with app.app_context(), suppress(DBAPIError):
        summary.warm()


def _end_with(parent: int) -> None:
    """End this process soon after PARENT."""
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)
