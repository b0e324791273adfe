"""Commands: thin doors to the verbs. `flask --app api --help` lists them."""

from flask import Flask
from flask_migrate import Migrate

from api.database.engines import db
from api.management.command_base import MIGRATIONS
from api.management.commands import backups, docs, documents, exports, imports, keys, server

COMMANDS = (
    keys.key_commands,
    imports.seed,
    imports.import_file,
    imports.import_commands,
    server.setup,
    server.compact,
    exports.release_commands,
    server.serve,
    documents.article_commands,
    documents.document_commands,
    documents.search_commands,
    docs.docs,
    exports.export,
    backups.backup,
    backups.restore,
    backups.verify,
)


def init_app(app: Flask) -> None:
    """Register the commands and the migrations of APP."""
    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True)
    for command in COMMANDS:
        app.cli.add_command(command)
