"""The limit: a bare Flask route that returns bytes from memory, on the same server."""

import os
from pathlib import Path

from flask import Flask, Response

FOLDER = Path(os.environ["BODIES"])


def create_app() -> Flask:
    """Make the application: one route for each file of the folder."""
    app = Flask(__name__)
    bodies = {path.name: path.read_bytes() for path in FOLDER.iterdir()}

    @app.get("/<name>")
    def body(name: str) -> Response:
        return Response(bodies[name], content_type="application/json")

    return app
