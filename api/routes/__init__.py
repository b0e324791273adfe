"""The routes: one file a resource; a view loads, acts, answers."""

from flask import Flask

from api.http import rate_limits, write_retries
from api.http.openapi import operation_of
from api.routes import (
    changes,
    claims,
    codebook,
    curation,
    erasures,
    explorer,
    guide,
    imports,
    incidents,
    index_and_health,
    ogc,
    openapi_and_docs,
    overview,
    places,
    references,
    releases,
    search,
    sources,
    stats,
    versions,
)


def init_app(app: Flask) -> None:
    """Register every resource."""
    modules = (
        index_and_health,
        openapi_and_docs,
        codebook,
        explorer,
        guide,
        incidents,
        overview,
        ogc,
        search,
        sources,
        curation,
        versions,
        changes,
        claims,
        places,
        stats,
        erasures,
        releases,
        imports,
    )
    for module in modules:
        app.register_blueprint(module.blueprint)
    for blueprint in references.blueprints:
        app.register_blueprint(blueprint)
    operations = {name: operation_of(view) for name, view in app.view_functions.items()}
    rate_limits.limit_reads(app, (name for name, it in operations.items() if it and it.costly))
    write_retries.init_app(app)
