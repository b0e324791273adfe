"""The routes: one file a resource; a view loads, acts, answers."""

from flask import Flask

from api.http import write_retries as races
from api.routes import (
    changes,
    claims,
    codebook,
    curation,
    erasures,
    explorer,
    guide,
    incidents,
    ogc,
    overview,
    places,
    references,
    releases,
    search,
    sources,
    stats,
    versions,
)
from api.routes import index_and_health as service
from api.routes import openapi_and_docs as documentation


def init_app(app: Flask) -> None:
    """Register every resource."""
    modules = (
        service,
        documentation,
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
    )
    for module in modules:
        app.register_blueprint(module.blueprint)
    for blueprint in references.blueprints:
        app.register_blueprint(blueprint)
    races.init_app(app)
