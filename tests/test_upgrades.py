"""Upgrades of a database that holds data: after a backup, or not at all; never of a newer one."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from api import create_app
from api.database.engines import db
from api.database.schema_version import newest_revision
from tests.test_migrations import rows

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def run(app, *words):
    return app.test_cli_runner().invoke(args=words)


def stands(app):
    return rows(app, {"alembic_version": "version_num"})["alembic_version"][0][0]


def backups(app):
    path = Path(make_url(app.config["DATABASE_URL"]).database)
    return sorted(path.parent.glob(f"{path.stem}.before-upgrade-*"))


def downgraded(app):
    """Return an APP with a key and tables that are not current."""
    assert run(app, "keys", "create", "one", "--role", "editor").exit_code == 0
    result = run(app, "db", "downgrade", "0005")
    assert result.exit_code == 0, result.output
    return app


def test_an_upgrade_that_may_not_be_automatic_is_refused_with_what_to_do(make_app):
    app = downgraded(make_app(AUTO_MIGRATE=False))
    for command in ("setup", "serve"):
        result = run(app, command)
        assert result.exit_code == 1
        assert "stands at migration 0005" in result.output
        assert "flask --app api db upgrade" in result.output
    assert stands(app) == "0005"
    assert run(app, "db", "upgrade").exit_code == 0
    assert run(app, "setup").exit_code == 0


@pytest.mark.slow
@SQLITE
def test_what_the_database_held_is_beside_it_after_an_upgrade(make_app):
    app = downgraded(make_app())
    result = run(app, "setup")
    assert result.exit_code == 0, result.output
    (backup,) = backups(app)
    assert str(backup) in result.output
    assert backup.stat().st_mode & 0o077 == 0  # it holds drafts
    with closing(sqlite3.connect(backup)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
        assert kept.execute("SELECT name FROM api_keys WHERE name = 'one'").fetchall()
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stands(app) == newest_revision()
    run(app, "setup")
    assert backups(app) == [backup]


@SQLITE
def test_without_data_there_is_nothing_to_keep(make_app):
    app = make_app(AUTO_MIGRATE=False)
    with closing(sqlite3.connect(make_url(app.config["DATABASE_URL"]).database)) as database:
        database.execute("DELETE FROM api_keys")
        database.commit()
    assert run(app, "db", "downgrade", "0005").exit_code == 0
    assert run(app, "setup").exit_code == 0
    assert backups(app) == []


def test_a_database_of_a_newer_version_is_left_alone(make_app):
    app = make_app()
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for command in ("setup", "serve"):
        result = run(app, command)
        assert result.exit_code == 1
        assert "9999, which this code does not know: a newer version wrote it" in result.output
    assert stands(app) == "9999"


def test_a_service_without_tables_is_not_started(tmp_path):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite'}"})
    result = run(app, "serve")
    assert result.exit_code == 1
    assert "flask --app api setup" in result.output
    assert not (tmp_path / "new.sqlite").exists()


def test_a_service_is_started_while_its_database_is_away(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda *words: started.append(words))
    app = create_app({"DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none"})
    assert run(app, "serve").exit_code == 0
    assert started
