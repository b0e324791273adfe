"""Metrics for Prometheus: what is measured, and how the workers' figures come together.

With several workers each writes its figures to files of a shared folder that
PROMETHEUS_MULTIPROC_DIR names before this module is imported (`flask --app api serve` sees to
that); the scrape adds them up. Without the folder the figures are this process's own.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_REQUESTS = Histogram(
    "http_request_duration_seconds",
    "Time from the request's arrival to the start of its answer.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
_WRITERS = Gauge(
    "write_transactions",
    "Writes that wait for their turn or are at work.",
    multiprocess_mode="livesum",
)
_HELP = {
    "dataset_version": "Number of the last public change.",
    "incidents_published": "Incidents that are published.",
    "database_bytes": "Size of the database.",
    "erasure_log_writable": "Whether erasures can be noted: 1, or 0 while they are refused.",
}
_children: dict[tuple[str, str, str], Histogram] = {}


def observe(method: str, route: str, status: str, seconds: float) -> None:
    """Count one request."""
    key = (method, route, status)
    child = _children.get(key)
    if child is None:
        child = _children[key] = _REQUESTS.labels(*key)
    child.observe(seconds)


def count_writers(change: int) -> None:
    """Count a write that begins (1) or ends (-1)."""
    _WRITERS.inc(change)


_PREFIX = "incidents-metrics-"
_OWNER = re.compile(rf"{_PREFIX}(\d+)-|[a-z_]+_(\d+)\.db")


def new_folder() -> str:
    """Return a new folder for the workers of this process; remove those of servers now gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's
            # Workers outlive a server that was killed, by a moment.
            names = (folder.name, *(file.name for file in folder.iterdir()))
            if not any(map(_alive, names)):
                shutil.rmtree(folder, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")


def _alive(name: str) -> bool:
    """Whether the process is there whose file or folder has this NAME."""
    match = _OWNER.match(name)
    if match is None:
        return False
    try:
        os.kill(int(match[1] or match[2]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _remove_dead_workers(shared: str) -> None:
    """Remove the gauges of workers that were killed: nothing of theirs is under way."""
    for file in Path(shared).glob("gauge_live*.db"):
        if not _alive(file.name):
            file.unlink(missing_ok=True)


def exposition(**gauges: float) -> bytes:
    """Return all figures in Prometheus' text format; GAUGES are those known only when asked."""
    registry = REGISTRY
    if shared := os.environ.get(FOLDER):
        _remove_dead_workers(shared)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    measured = CollectorRegistry()
    measured.register(_Measured(gauges))
    return generate_latest(registry) + generate_latest(measured)


class _Measured(Collector):
    """Gauges that are known only when asked: no worker keeps them, so that none is added up."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, value in self._values.items():
            yield GaugeMetricFamily(name, _HELP[name], value)
