"""The routes: one file a resource; a view loads, acts, answers."""

from flask import Flask

from api.http import races
from api.routes import changes, codebook, documentation, incidents, references, service, versions


def init_app(app: Flask) -> None:
    """Register every resource."""
    for module in (service, documentation, codebook, incidents, versions, changes):
        app.register_blueprint(module.blueprint)
    for blueprint in references.blueprints:
        app.register_blueprint(blueprint)
    races.init_app(app)
