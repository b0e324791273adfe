"""Logs: one JSON object a line, with the request's id; no secrets, queries or full addresses.

Successful anonymous reads are not logged one by one unless ACCESS_LOG is `all`: metrics count
them. Writes, whatever is done with a key, refusals of keys and faults of ours always are.
"""

import ipaddress
import logging
import sys
from typing import Any

import structlog
from flask import Flask

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = frozenset({"401", "403", "429"})
_log = structlog.stdlib.get_logger("api.requests")
_all = False


def init_app(app: Flask) -> None:
    """Write what APP and its libraries log as JSON lines on standard error."""
    global _all
    _all = app.config["ACCESS_LOG"] == "all"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    for name in ("api", "api.requests"):
        logger = logging.getLogger(name)
        logger.handlers = [handler] if name == "api" else []
        logger.setLevel(logging.INFO)
    logging.getLogger("api").propagate = False


def request(environ: dict[str, Any], method: str, route: str, status: str, seconds: float) -> None:
    """Write the line of one request, if it is worth one."""
    actor = environ.get("actor")
    plain = method in _READS and actor is None and status < "500"
    if plain and status not in _REFUSED and not _all:
        return
    _log.info(
        "request",
        request_id=environ["request_id"],
        method=method[:16],
        route=route,
        status=int(status),
        ms=round(seconds * 1000, 1),
        key=getattr(actor, "prefix", None),
        address=_network(environ.get("REMOTE_ADDR", "")),
    )


def _network(address: str) -> str:
    """Cut an address down to its network: enough to see abuse, too little to see a person."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
