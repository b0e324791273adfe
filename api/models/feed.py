"""The dataset version: the number of the last public change, as a caller sees it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.database.engines import db, reader
from api.database.readers import Reader
from api.models.changes import Dataset

DATASET_VERSION = select(Dataset.version)


def dataset_version(session: Session) -> int:
    """Return the dataset version, the last sequence number given, as SESSION sees it."""
    return session.scalar(DATASET_VERSION) or 0


def version_seen_by(reader: Reader) -> int:
    """Return the dataset version that READER sees."""
    version: int = reader.run(DATASET_VERSION)[0][0]
    return version


def current_version() -> int:
    """Return the dataset version that the request's reader sees now."""
    return version_seen_by(reader())


def version_after_write() -> int:
    """Return the dataset version after the write that this request committed."""
    version: int | None = db.session.info.pop("dataset_version", None)
    return current_version() if version is None else version
