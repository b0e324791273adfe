"""Settings: a class of defaults, each with its reason; the environment overrides them."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click import ClickException


class ConfigError(ClickException, ValueError):
    """A setting that cannot be used, with what would be right; commands end with it, untraced."""


class Config:
    """The defaults. A setting's type is that of its default; names are the environment's."""

    # Where the records live: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`, with several
    # hosts by libpq's rules (`postgresql://USER@HOST1,HOST2/NAME`): the one that takes writes is
    # found. Empty means a SQLite file in Flask's instance folder.
    DATABASE_URL: str = ""
    # Standbys that answer anonymous reads, several hosts by libpq's rules. Empty: the same.
    DATABASE_READ_URL: str = ""
    # The address to listen on.
    HOST: str = "127.0.0.1"
    PORT: int = 8000
    # Worker processes, and threads in each that run the application.
    WORKERS: int = 2
    THREADS: int = 4
    # What links are built from: scheme, host and, below another site, a path, such as
    # `https://incidents.example` or `https://example.org/incidents-api`.
    # Empty: links are paths, right behind any proxy. Never taken from the Host header.
    PUBLIC_URL: str = ""
    # Whom the documentation names for questions and takedown requests: an address or a URL.
    CONTACT: str = ""
    # Migrate a database that holds data at start, after a backup; `false` refuses instead.
    AUTO_MIGRATE: bool = True
    # Seconds that a write waits for its turn before it is answered with 503.
    LOCK_TIMEOUT: float = 5.0
    # Seconds that one statement may take before it is answered with 503; 0 for any time. Holds
    # for reads, on PostgreSQL for writes too, and never for commands.
    STATEMENT_TIMEOUT: float = 20.0
    # Seconds for which a request is tried again while the database is away or switches over.
    FAILOVER_WAIT: float = 5.0
    # Largest body of one record, and of a bulk upload, in bytes.
    MAX_BODY: int = 1_000_000
    MAX_BULK_BODY: int = 64_000_000
    # A body has to come in within so many seconds, and one more for each so many bytes of it.
    BODY_SECONDS: float = 20.0
    BODY_RATE: int = 5_000
    # Drafts of one contributor that wait for an editor at a time; 0 for any number.
    QUOTA_DRAFTS: int = 5_000
    # `all` logs every request; otherwise writes, what is done with a key, and faults.
    ACCESS_LOG: str = "changes"
    # Whether callers are limited at all; each limit is that of a key, or of an address without one.
    RATELIMIT_ENABLED: bool = True
    # Writes.
    RATELIMIT_WRITES: str = "1200/minute"
    # Reads that cost: search and `q=`, statistics, exports.
    RATELIMIT_READS: str = "600/minute"
    # Keys that are not known, by address.
    RATELIMIT_KEYS: str = "60/minute"
    # Seconds of a worker's processor time that all requests may take in a minute; 0 for any.
    RATELIMIT_TIME: float = 20.0
    # Where limits are counted: `memory://` (each worker for itself) or `redis://HOST:PORT`.
    RATELIMIT_STORAGE: str = "memory://"
    # How many proxies in front are trusted to name the client by X-Forwarded-For.
    PROXIES: int = 0
    # Hours for which an Idempotency-Key is remembered.
    IDEMPOTENCY_HOURS: int = 24
    # Where exports that do not fit into memory are written, and kept to be sent again while the
    # data stands; workers share it. Empty means `exports` in Flask's instance folder.
    EXPORT_FOLDER: str = ""
    # Where the files of releases are kept for good. Empty means `releases` in the instance folder.
    RELEASE_FOLDER: str = ""
    # What was erased, without what it was: applied again when a backup is restored, so it has to
    # outlive the database. Empty means `erasures.ndjson` in the instance folder.
    ERASURE_LOG: str = ""
    # How many exports are kept, and how many bytes they and any single one may take.
    EXPORT_FILES: int = 100
    EXPORT_BYTES: int = 10_000_000_000
    # How many large exports one worker sends at a time; a slow reader holds one of them.
    EXPORT_READERS: int = 50


_PUBLIC_URL = re.compile(r"https?://[^\s/?#\"'<>@]+(?:/[A-Za-z0-9._~-]+)*")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def _convert(name: str, default: object, text: str) -> object:
    """Return TEXT as the type of DEFAULT. Raises ConfigError that says what would be right."""
    if isinstance(default, bool):
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ConfigError(f"{name} is {text!r}; it takes true or false.")
    if isinstance(default, int | float):
        try:
            number = type(default)(text)
        except ValueError:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise ConfigError(f"{name} is {text!r}; it takes {kind}, such as {default}.") from None
        if number < 0:
            raise ConfigError(f"{name} is {text!r}; it takes zero or more.")
        return number
    return text


def settings() -> dict[str, Any]:
    """Return every setting with its default."""
    return {name: value for name, value in vars(Config).items() if name.isupper()}


def load(
    instance: Path,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Return the settings: defaults, then ENVIRON, then OVERRIDES (which tests pass).

    INSTANCE is the folder of the SQLite file where no DATABASE_URL is given. Raises ConfigError
    for a value that does not fit its setting, and for an override that is no setting.
    """
    values = settings()
    for name, default in values.items():
        if name in environ:
            values[name] = _convert(name, default, environ[name].strip())
    values.update(overrides or {})
    values["DATABASE_URL"] = database_url(values["DATABASE_URL"], instance)
    if values["DATABASE_READ_URL"]:
        values["DATABASE_READ_URL"] = database_url(
            values["DATABASE_READ_URL"], instance, "DATABASE_READ_URL"
        )
    values["EXPORT_FOLDER"] = values["EXPORT_FOLDER"] or str(instance / "exports")
    values["RELEASE_FOLDER"] = values["RELEASE_FOLDER"] or str(instance / "releases")
    values["ERASURE_LOG"] = values["ERASURE_LOG"] or str(instance / "erasures.ndjson")
    values["PUBLIC_URL"] = values["PUBLIC_URL"].rstrip("/")
    if values["PUBLIC_URL"] and not _PUBLIC_URL.fullmatch(values["PUBLIC_URL"]):
        raise ConfigError(
            f"PUBLIC_URL is {values['PUBLIC_URL']!r}; it takes scheme, host and a path where there "
            "is one, such as https://incidents.example or https://example.org/incidents-api, or "
            "nothing."
        )
    return values


def database_url(text: str, instance: Path, name: str = "DATABASE_URL") -> str:
    """Return a database address with its driver; of an empty one, a file in INSTANCE."""
    if not text:
        return f"sqlite:///{instance / 'incidents.sqlite'}"
    scheme, _, rest = text.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        _check_libpq_url(name, f"postgresql://{rest}")
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest:
        return text
    raise ConfigError(
        f"{name} starts with {scheme!r}; it takes sqlite:///FILE or postgresql://USER@HOST/NAME."
    )


def _check_libpq_url(name: str, url: str) -> None:
    try:
        from psycopg import ProgrammingError  # a service on SQLite does without the driver
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise ConfigError(
            f"{name} names PostgreSQL, whose driver is not installed: "
            "pip install 'diaspora-incidents[postgresql]'."
        ) from None
    try:
        conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ConfigError(
            f"{name} cannot be read ({str(error).strip()}); it takes "
            "postgresql://USER@HOST:PORT,HOST:PORT/NAME, and libpq's parameters behind a ?."
        ) from None
