"""Engines: the database that takes writes, its standbys, and the readers and session on them.

Two ways lead to the database. `transactions.transaction()` is the edge of every write: one BEGIN
(IMMEDIATE on SQLite, so that writers queue instead of failing half way), one commit. `reader()`
runs prepared selects on connections of its own, in one statement each, hence in one snapshot.

Where DATABASE_READ_URL names standbys, what is read without a key is read there, by either way.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from flask import Flask, current_app, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from api.database import sqlite
from api.database.base import Base
from api.database.readers import MAX_CONNECTION_AGE, Reader
from api.database.timeouts import Timeouts


class ReplicaSession(Session):
    """A session that reads on a standby what its request may read there."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        """Return the standbys' engine for what is read without a key, where there are some."""
        standby_engine = current_app.extensions["standbys"]
        if standby_engine is not None and kwargs.get("bind") is None and reads_anonymously():
            return standby_engine
        return super().get_bind(*args, **kwargs)

    def close(self) -> None:
        """End what is open; a server that went away meanwhile has ended it by itself.

        That happens after a request is answered, and an error there would take the answer back.
        """
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise


db = SQLAlchemy(model_class=Base, session_options={"class_": ReplicaSession})


def init_app(
    app: Flask,
    *,
    count_writers: Callable[[int], None],
    write_turn: Callable[[float], AbstractContextManager[bool]],
) -> None:
    """Bind the engines to APP.

    COUNT_WRITERS is called with 1 and -1 as writes begin and end; within WRITE_TURN, which waits
    so many seconds and says whether the turn came, a write has its transaction.
    """
    timeouts = Timeouts(app.config["LOCK_TIMEOUT"], app.config["STATEMENT_TIMEOUT"])
    url, options = _engine(app.config["DATABASE_URL"], timeouts)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    app.extensions["standbys"] = None
    app.extensions["write_turn"] = write_turn
    app.extensions["count_writers"] = count_writers
    with app.app_context():
        app.extensions["reader"] = Reader(with_listeners(db.engine), timeouts)
    read_url = app.config["DATABASE_READ_URL"]
    if read_url:
        app.extensions["standbys"] = connect_to(read_url, timeouts, standby=True)
        app.extensions["standby_reader"] = Reader(app.extensions["standbys"], timeouts)


def _engine(url: str, timeouts: Timeouts, *, standby: bool = False) -> tuple[str, dict[str, Any]]:
    """Return the address and the options of the engine for URL."""
    options: dict[str, Any] = {"hide_parameters": True}  # what people write is not for logs
    if url.startswith("sqlite"):
        options["connect_args"] = {"check_same_thread": False, "timeout": timeouts.lock}
        return url, options
    from api.database import postgresql  # with its driver, which SQLite does without

    opener = postgresql.opener(url, timeouts, standby=standby)
    # Connections are made anew now and then, to find a standby that came back.
    options |= {"creator": opener, "pool_pre_ping": True, "pool_recycle": MAX_CONNECTION_AGE}
    return "postgresql+psycopg://", options


def connect_to(url: str, timeouts: Timeouts, *, standby: bool = False) -> Engine:
    """Return an engine for URL beside the one of the application."""
    address, options = _engine(url, timeouts, standby=standby)
    return with_listeners(create_engine(address, **options))


def with_listeners(engine: Engine) -> Engine:
    """Return ENGINE, whose connections to SQLite are set up as they open and as they begin."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", sqlite.prepare)
        event.listen(engine, "begin", sqlite.begin)
    return engine


def reads_anonymously() -> bool:
    """Whether this is a request that reads, and carries no key."""
    return (
        has_request_context()
        and request.method in ("GET", "HEAD")
        and "Authorization" not in request.headers
    )


def standbys() -> Engine | None:
    """Return the engine of the standbys, where there are some."""
    standby_engine: Engine | None = current_app.extensions["standbys"]
    return standby_engine


def reader() -> Reader:
    """Return the application's reader: on the standbys for what is read without a key."""
    extensions = current_app.extensions
    on_standbys = extensions["standbys"] is not None and reads_anonymously()
    chosen: Reader = extensions["standby_reader" if on_standbys else "reader"]
    return chosen


def primary() -> Reader:
    """Return the reader on the database that takes writes, whoever asks."""
    primary_reader: Reader = current_app.extensions["reader"]
    return primary_reader
