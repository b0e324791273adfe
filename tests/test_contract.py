"""The running service against its own description: schemathesis finds nothing.

`schemathesis.toml` says which checks are on and why. Here is a short run with a fixed seed;
`make fuzz` is the long one, on both engines, with every phase for every operation.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
LONG = os.environ.get("FUZZ_EXAMPLES", "")
SEED = os.environ.get("FUZZ_SEED", "")
SECONDS = os.environ.get("FUZZ_SECONDS", "")
# Bytes that a worker may have grown by in the second half of a long run, when what it keeps is
# there: statements, pages of the database, the heap's own gaps.
GROWTH = 30_000_000

# A body's boundaries are tried by POST alone; PUT and PATCH load it by the same schema.
BOUNDARIES = ("--phases", "coverage", "--exclude-method", "PUT", "--exclude-method", "PATCH")
RUNS = {
    "boundaries": BOUNDARIES,
    "examples": ("--phases", "examples,fuzzing,stateful", "--max-examples", "4"),
    "public": ("--phases", "examples,fuzzing", "--max-examples", "2"),
}


def schemathesis(address, *options, headers):
    """Run schemathesis on the service at ADDRESS; fail with what it finds."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
        *("run", f"{address}/openapi.json", "--no-color", "--continue-on-failure", *options),
    ]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{done.stdout[-20_000:]}\n{done.stderr[-2_000:]}", pytrace=False)
    if LONG:  # the number of cases
        sys.stdout.write(done.stdout.rpartition("= SUMMARY =")[2])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "who", "run"),
    [
        ("sqlite", "editor", "examples"),
        ("postgresql", "editor", "boundaries"),
        ("sqlite", "public", "public"),
    ],
    indirect=["database"],
)
@pytest.mark.skipif(bool(LONG), reason="the long run is asked for")
def test_the_service_keeps_to_its_description(seeded, live_server, editor, who, run):
    headers = editor if who == "editor" else {}
    schemathesis(live_server, *RUNS[run], headers=headers)


@pytest.mark.parametrize("who", ["public", "contributor", "editor", "admin"])
@pytest.mark.skipif(not LONG, reason="make fuzz")
def test_the_service_keeps_to_its_description_at_length(seeded, live_server, request, who):
    headers = {} if who == "public" else request.getfixturevalue(who)
    options = ["--max-examples", LONG, *(["--max-time", SECONDS] if SECONDS else [])]
    sizes = [servers.resident(live_server)]
    for half in (0, 1):
        schemathesis(
            live_server, *options, "--seed", f"{2 * int(SEED or 0) + half}", headers=headers
        )
        sizes.append(servers.resident(live_server))
    text = ", ".join(f"{size / 1e6:.0f} MB" for size in sizes)
    sys.stdout.write(f"memory of the worker at first, after half and all of it: {text}\n")
    assert sizes[2] - sizes[1] < GROWTH
