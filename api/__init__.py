"""The application: a REST API for incidents that involve diaspora communities abroad."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application; CONFIG overrides the settings of the environment. Writes nothing."""
    from api import management as cli

    app = served(config)
    cli.init_app(app)
    return app


def served(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application without its commands: a server needs none of what they import."""
    from api import config as settings
    from api import routes
    from api.database import engines as db
    from api.exports import exporter as exports
    from api.http import access_log as logs
    from api.http import authentication as keys
    from api.http import concurrency as slots
    from api.http import failover as outages
    from api.http import middleware as headers
    from api.http import problems
    from api.http import rate_limits as limits
    from api.http.flask_app import Api
    from api.queries.overview import summary as overviews

    app = Api(__name__, instance_relative_config=True, static_folder=None)
    app.config.from_mapping(settings.load(Path(app.instance_path), config))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it redirects to an address made from the Host header
    db.init_app(app)
    exports.init_app(app)
    overviews.init_app(app)
    logs.init_app(app)
    slots.init_app(app)
    headers.init_app(app)
    limits.init_app(app)
    keys.init_app(app)
    problems.init_app(app)
    routes.init_app(app)
    outages.init_app(app)
    return app
