"""The application: a REST API for incidents that involve diaspora communities abroad."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Blueprint, Flask


def create_app(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application; CONFIG overrides the settings of the environment. Writes nothing."""
    app = served(config)
    _add_commands(app)
    return app


def served(config: Mapping[str, Any] | None = None) -> "Flask":
    """Make the application without its commands: a server needs none of what they import."""
    from api import config as settings
    from api.core import metrics
    from api.database import engines
    from api.exports import exporter
    from api.http import (
        access_log,
        authentication,
        body_reading,
        concurrency,
        failover,
        middleware,
        problems,
        public_path,
        rate_limits,
    )
    from api.http.flask_app import Api

    app = Api(__name__, instance_relative_config=True, static_folder=None)
    app.config.from_mapping(settings.load(Path(app.instance_path), config))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # it redirects to an address made from the Host header
    engines.init_app(app, count_writers=metrics.count_writers, write_turn=concurrency.write_turn)
    exporter.init_app(app)
    access_log.init_app(app)
    concurrency.init_app(app)
    body_reading.init_app(app)
    middleware.init_app(app)
    rate_limits.init_app(app)
    authentication.init_app(app)
    problems.init_app(app)
    _add_resources(app)
    failover.init_app(app)
    public_path.init_app(app)
    return app


def _add_resources(app: "Flask") -> None:
    """Register every resource, and what follows from the description of its operations."""
    from api.http import rate_limits, write_retries
    from api.http.openapi import operation_of
    from api.routes import pages

    for blueprint in _blueprints():
        app.register_blueprint(blueprint)
    operations = {name: operation_of(view) for name, view in app.view_functions.items()}
    rate_limits.limit_reads(app, (name for name, it in operations.items() if it and it.costly))
    write_retries.init_app(app)
    pages.init_app(app)


def _blueprints() -> Iterator["Blueprint"]:
    """Yield the views of every resource."""
    from api.routes import (
        changes,
        claims,
        codebook,
        curation,
        desk,
        discovery,
        erasures,
        explorer,
        guide,
        imports,
        incidents,
        index_and_health,
        keys,
        ogc,
        openapi_and_docs,
        overview,
        places,
        record_pages,
        references,
        releases,
        search,
        sources,
        stats,
        versions,
        web_feeds,
    )

    modules = (
        index_and_health,
        openapi_and_docs,
        codebook,
        explorer,
        record_pages,
        guide,
        incidents,
        overview,
        ogc,
        search,
        sources,
        curation,
        desk,
        versions,
        changes,
        web_feeds,
        claims,
        places,
        stats,
        erasures,
        releases,
        imports,
        keys,
        discovery,
    )
    yield from (module.blueprint for module in modules)
    yield from references.blueprints


def _add_commands(app: "Flask") -> None:
    """Register the commands and the migrations."""
    from flask_migrate import Migrate

    from api.database.engines import db
    from api.management.command_base import MIGRATIONS
    from api.management.commands import (
        articles,
        backups,
        docs,
        documents,
        exports,
        imports,
        keys,
        server,
        setup,
    )

    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True)
    for command in (
        keys.key_commands,
        setup.seed,
        imports.import_file,
        imports.import_commands,
        setup.setup,
        server.compact,
        exports.release_commands,
        server.serve,
        articles.article_commands,
        documents.document_commands,
        documents.search_commands,
        docs.docs,
        exports.export,
        backups.backup,
        backups.restore,
        backups.copy,
        backups.verify,
    ):
        app.cli.add_command(command)
