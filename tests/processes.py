"""Processes and folders that never outlive the tests, however these end."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

Process = subprocess.Popen[Any]

# The shell waits for the program, and stops it once the pipe from the tests is closed: by
# `stop`, or by the kernel when the tests are gone.
_KEEPER = """
exec 3<&0
"$@" </dev/null 3<&- & program=$!
{ cat <&3 >/dev/null; kill -s "$SIGNAL" $program 2>/dev/null; } &
exec 3<&-
wait $program
status=$?
[ -z "$FOLDER" ] || rm -rf "$FOLDER"
exit $status
"""


def start(
    command: list[str], *, stop_signal: str = "TERM", folder: Path | None = None, **options: Any
) -> Process:
    """Start COMMAND; OPTIONS are Popen's. `poll` tells of its end, `stop` makes one.

    FOLDER is removed after it.
    """
    own = {"SIGNAL": stop_signal, "FOLDER": str(folder or "")}
    environment = {**options.pop("env", os.environ), **own}
    return subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "sh", *command],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the tests, which then stop what they started
        **options,
    )


def stop(process: Process, timeout: float = 15) -> int:
    """Stop PROCESS with its signal, or after PATIENCE seconds by force; return its exit status."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def keep(folder: Path) -> Process:
    """Keep FOLDER until `stop`, or until the tests are gone."""
    # The shell would say on the terminal that its program was ended.
    return start(["sleep", "1000000"], folder=folder, stderr=subprocess.DEVNULL)
