"""The application: a REST API for incidents that involve diaspora communities abroad."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application; CONFIG overrides the settings of the environment. Writes nothing."""
    from api import management

    app = served(config)
    management.init_app(app)
    return app


def served(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application without its commands: a server needs none of what they import."""
    from api import config as settings
    from api import routes
    from api.core import metrics
    from api.database import engines
    from api.exports import exporter
    from api.http import (
        access_log,
        authentication,
        concurrency,
        failover,
        middleware,
        problems,
        rate_limits,
    )
    from api.http.flask_app import Api

    app = Api(__name__, instance_relative_config=True, static_folder=None)
    app.config.from_mapping(settings.load(Path(app.instance_path), config))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it redirects to an address made from the Host header
    engines.init_app(app, count_writers=metrics.count_writers)
    exporter.init_app(app)
    access_log.init_app(app)
    concurrency.init_app(app)
    middleware.init_app(app)
    rate_limits.init_app(app)
    authentication.init_app(app)
    problems.init_app(app)
    routes.init_app(app)
    failover.init_app(app)
    return app
