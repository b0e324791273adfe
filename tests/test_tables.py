"""The tables: models and migrations agree, and the database refuses what the schema refuses."""

import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from api.config import database_url
from api.database.base import Base
from api.database.schema_version import newest_revision
from api.management.command_base import MIGRATIONS
from schemas.counts import COUNT_FIELDS
from tests import builders

# SQLAlchemy says so of indexes on expressions, which are compared as the database wrote them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipped unsupported reflection"),
    pytest.mark.filterwarnings("ignore:autogenerate skipping"),
]

# Tables that are no model's: the mark of Alembic, and what the full-text index keeps.
BESIDES = re.compile(r"alembic_version|sqlite_.*|search.*")


def run(app, *words):
    result = app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 0, result.output


@pytest.fixture
def connect():
    """Yield a function that connects to the database of an application."""
    engines = []

    def open_(app):
        engines.append(create_engine(database_url(app.config["DATABASE_URL"], None)))
        return engines[-1]

    yield open_
    for engine in engines:
        engine.dispose()


# Models and migrations


def catalogue(engine):
    """Describe the tables of a database as the database itself does, by name."""
    if engine.dialect.name == "postgresql":
        return _postgresql(engine)
    return _sqlite(engine)


def _postgresql(engine):
    questions = {
        "columns": "SELECT table_name, column_name, data_type, character_maximum_length,"
        " is_nullable, column_default, collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public'",
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes"
        " WHERE schemaname = 'public'",
        "sequences": "SELECT sequencename, sequencename, data_type::text FROM pg_sequences",
    }
    with engine.connect() as connection:
        return {
            name: sorted(
                tuple(row)
                for row in connection.execute(text(question))
                if not BESIDES.fullmatch(row[0])
            )
            for name, question in questions.items()
        }


def _sqlite(engine):
    inspector = inspect(engine)
    tables = [name for name in inspector.get_table_names() if not BESIDES.fullmatch(name)]
    with engine.connect() as connection:
        indexes = connection.execute(
            text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index'")
        ).all()
        kinds = connection.execute(text("PRAGMA table_list")).all()
    return {
        "columns": sorted(
            (table, column["name"], str(column["type"]), column["nullable"], column["default"])
            for table in tables
            for column in inspector.get_columns(table)
        ),
        "keys": [
            (
                table,
                inspector.get_pk_constraint(table)["constrained_columns"],
                sorted(map(str, inspector.get_foreign_keys(table))),
                sorted(map(str, inspector.get_unique_constraints(table))),
                sorted(map(str, inspector.get_check_constraints(table))),
            )
            for table in sorted(tables)
        ],
        "indexes": sorted(
            (table, name, _levelled(sql))
            for table, name, sql in indexes
            if sql and not BESIDES.fullmatch(table)
        ),
        "without row ids": sorted(
            kind[1] for kind in kinds if kind[4] and not BESIDES.fullmatch(kind[1])
        ),
    }


def _levelled(sql):
    """Write the statement of an index without quotes and blanks, which differ by who wrote it."""
    return re.sub(r'["\s]', "", sql).lower()


def test_the_migrations_make_the_tables_of_the_models(make_app, connect):
    """Both make a database; the databases' own words for what they hold are compared."""
    migrated, modelled = make_app(), make_app()
    run(modelled, "db", "downgrade", "base")
    engine = connect(modelled)
    Base.metadata.create_all(engine)
    ours, theirs = catalogue(connect(migrated)), catalogue(engine)
    for part in theirs:
        assert ours[part] == theirs[part], part


def test_alembic_finds_nothing_to_do(app, connect):
    with connect(app).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                # Indexes are compared above, in the database's words: Alembic cannot read all.
                "include_object": lambda _, name, type_, *__: (
                    type_ != "index" and not (type_ == "table" and BESIDES.fullmatch(name))
                ),
            },
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.slow
def test_up_down_and_up_again_make_the_same_tables(make_app, connect):
    app = make_app()
    engine = connect(app)
    before = catalogue(engine)
    run(app, "db", "downgrade", "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    run(app, "db", "upgrade")
    assert catalogue(engine) == before
    run(app, "seed")
    assert app.test_client().get("/api/v1/incidents").json["total"] >= 8


def test_the_migrations_are_one_line():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [newest_revision()]


# What the database refuses


@pytest.fixture
def refused(app, client, editor, connect):
    """Make two records; return a function that holds that a statement on them is refused."""
    claim = {"field": "arrests", "low": 1, "high": 2}
    sources = [{"article": {"title": "A", "url": "https://a.example"}, "claims": [claim]}]
    for city in ("Kyiv", "Lviv"):
        body = builders.incident(city=city, sources=sources, police_measures=["cordon"])
        assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    other = {"title": "B", "url": "https://b.example"}
    client.post("/api/v1/articles", json=other, headers=editor)
    engine = connect(app)

    def refuse(statement):
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            with pytest.raises(IntegrityError):
                connection.execute(text(statement))

    return refuse


BAD_COLUMNS = [
    "status = 'deleted'",
    "status = NULL",
    "version = 0",
    "id = NULL",
    "title = NULL",
    "country = NULL",
    "earliest = '2020-01-02', latest = '2020-01-01'",
    "latitude = NULL",
    "longitude = NULL",
    "latitude = 91",
    "latitude = -91",
    "longitude = 181",
    "longitude = -181",
    "city = NULL, latitude = NULL, longitude = NULL",
    "episode = 'no-such-wave'",
    "author_pk = 999999",
    "merged_into_pk = 999999",
    "injuries = 1, injuries_low = 1, injuries_high = 1, injuries_police_low = 2",
    *(
        f"{name}{bounds}"
        for name in COUNT_FIELDS
        for bounds in (" = -1", "_low = -1", "_high = -1")
    ),
    *(
        f"{name}_low = {low}, {name} = {best}, {name}_high = {high}"
        for name in COUNT_FIELDS[:4]
        for low, best, high in (
            (2, 1, "NULL"),
            ("NULL", 2, 1),
            (2, "NULL", 1),
            (1, 3, 2),
            (3, 3, 2),
        )
    ),
]


@pytest.mark.parametrize("columns", BAD_COLUMNS)
def test_a_bad_incident_is_refused_by_the_database(refused, columns):
    refused(f"UPDATE incidents SET {columns} WHERE city = 'Kyiv'")


STATEMENTS = {
    "an id twice": "UPDATE incidents SET id = '0000000000'",
    "a version twice": "UPDATE versions SET incident_pk = (SELECT min(pk) FROM incidents)",
    "an unknown community": "UPDATE incident_communities SET community = 'martian'",
    "a community's bounds crossed": "UPDATE incident_communities SET participants_low = 2,"
    " participants_high = 1",
    "fewer than no participants": "UPDATE incident_communities SET participants = -1",
    "a claim of an unknown community": "UPDATE claims SET community = 'martian'",
    "a claim's bounds crossed": "UPDATE claims SET low = 3",
    "an unknown article": "UPDATE sources SET article_pk = 999999",
    "an article that is cited": "DELETE FROM articles WHERE title = 'A'",
    "an article without a name": "UPDATE articles SET title = NULL, url = NULL",
    "an address twice": "UPDATE articles SET address_sha256 = 'x'",
    "an article's id twice": "UPDATE articles SET id = 'x'",
    "a community that took part": "DELETE FROM communities WHERE id = 'armenian'",
    "a second counter": "INSERT INTO dataset (pk, version, published) VALUES (2, 0, 0)",
    "a number of the feed twice": "INSERT INTO changes SELECT * FROM changes",
    "another role": "UPDATE api_keys SET role = 'owner'",
    "a key's prefix twice": "UPDATE api_keys SET prefix = 'x'",
    "a pair the wrong way round": "INSERT INTO distinct_pairs (first_pk, second_pk, at)"
    " SELECT max(pk), min(pk), '2020' FROM incidents",
    "a pair of one": "INSERT INTO distinct_pairs (first_pk, second_pk, at)"
    " SELECT min(pk), min(pk), '2020' FROM incidents",
    "an incident that has versions": "DELETE FROM incidents",
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_what_the_verbs_never_do_is_refused_by_the_database(refused, case):
    refused(STATEMENTS[case])
