"""Releases: the public data set as it stands, frozen into files that are served unchanged.

A release has the records as NDJSON, which is the whole of it, as CSV, and their claims as CSV, each
compressed beside, the records as Parquet where that is installed, and what describes them
(`release_package`). Its files change in one case only: what is erased goes from releases too. The
release then has a new revision, and the digests of both stay on record.
"""

import csv
import hashlib
import io
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock, temp_folders
from api.core.compression import compressed
from api.core.errors import ApiError, not_found
from api.core.ids import new_id
from api.database import advisory_locks
from api.database.engines import db
from api.database.transactions import transaction
from api.exports import release_package
from api.exports.formats import csv as sheets
from api.exports.formats import parquet
from api.exports.release_package import CLAIM_COLUMNS, Edition
from api.models import Dataset, Erasure, Incident, Release, ReleaseRevision, Version
from schemas import erasure as erasing
from schemas import record_fields, record_state
from schemas.record_fields import complete

INCIDENTS, SHEET, CLAIMS = "incidents.ndjson", "incidents.csv", "claims.csv"
COLUMNS = "incidents.parquet"  # where the extra is installed
MEDIA_TYPES = {
    INCIDENTS: "application/x-ndjson; charset=utf-8",
    SHEET: "text/csv; charset=utf-8; header=present",
    CLAIMS: "text/csv; charset=utf-8; header=present",
    COLUMNS: parquet.INCIDENTS.media_type,
    **release_package.MEDIA_TYPES,
}
PACKED = ".gz"  # beside each of them
_BATCH = 500
_BLOCK = 256 * 1024
_MAX_ATTEMPTS = 3  # at a release, while others erase
Made = tuple[Path, list[dict[str, Any]]]  # a folder, and what describes its files
_LAST_ERASURE = select(func.max(Erasure.pk))
_DOCUMENTS = (
    select(Version.document)
    .join(Incident, Incident.document_pk == Version.pk)
    .where(Incident.status == literal_column("'published'"))
    .order_by(Incident.sort_date.desc(), Incident.id.desc())
)


def folder() -> Path:
    """Return the folder that holds the files of releases."""
    return Path(current_app.config["RELEASE_FOLDER"])


def create(name: str, *, title: str | None, doi: str | None) -> dict[str, Any]:
    """Freeze the published data set as it stands now, in one snapshot, as release NAME.

    Writers go on while its files are written. Raises ApiError: the name is taken, there is no room
    for the files, or erasures came in between each time.
    """
    for _ in range(_MAX_ATTEMPTS):
        with _frozen(name, title, doi) as frozen, transaction() as session:
            # An erasure that sees no release of this name has to be seen here, and the other way.
            advisory_locks.hold(session.connection(), "erasures")
            _check_name(session, name)
            if session.scalar(_LAST_ERASURE) != frozen.last_erasure:
                continue
            _place(frozen.made, _path(name, 1))
            edition = frozen.edition
            session.execute(
                insert(Release).values(
                    name=name,
                    dataset_version=edition.dataset_version,
                    codebook_version=edition.codebook_version,
                    created_at=edition.created_at,
                    title=edition.title,
                    doi=doi,
                )
            )
            _add_revision(session, name, 1, frozen.files)
            return describe(session, name)
    raise ApiError("conflict", "Something was erased meanwhile, several times; try again.")


def _check_name(session: Session, name: str) -> None:
    if session.get(Release, name) is not None:
        raise ApiError("id-taken", f"There is a release {name} already; releases never change.")


@dataclass(frozen=True, slots=True)
class _Frozen:
    """The files of a data set, the folder that they were made in, and where it stood."""

    made: Path
    files: list[dict[str, Any]]
    edition: Edition
    last_erasure: int | None


@contextmanager
def _frozen(name: str, title: str | None, doi: str | None) -> Iterator[_Frozen]:
    """Write the files of the published data set of one snapshot to a folder of their own."""
    _check_name(db.session(), name)
    db.session.rollback()
    isolation = {"isolation_level": "REPEATABLE READ"} if _is_postgresql() else {}
    with db.engine.connect().execution_options(**isolation) as connection:
        version = connection.scalar(select(Dataset.version)) or 0
        erasure = connection.scalar(_LAST_ERASURE)
        rows = connection.execute(_DOCUMENTS.execution_options(yield_per=_BATCH))
        edition = Edition(
            name=name,
            title=title or f"Diaspora incidents, release {name}",
            doi=doi,
            dataset_version=version,
            codebook_version=record_fields.VERSION,
            created_at=clock.now(),
            revision=1,
            url=_address(name),
        )
        with _made(edition, (row[0] for row in rows)) as (folder_, files):
            connection.rollback()  # whoever cleans up need not wait for this snapshot
            yield _Frozen(folder_, files, edition, erasure)


def _is_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def _add_revision(
    session: Session, name: str, number: int, files: Sequence[Mapping[str, Any]]
) -> None:
    session.execute(
        insert(ReleaseRevision).values(
            name=name, revision=number, created_at=clock.now(), files=files
        )
    )


def set_doi(session: Session, name: str, doi: str | None) -> dict[str, Any]:
    """Note the DOI that a release was given."""
    describe(session, name)
    session.execute(update(Release).where(Release.name == name).values(doi=doi))
    return describe(session, name)


def names(session: Session) -> list[str]:
    """List the names of all releases, the newest first."""
    order = (Release.created_at.desc(), Release.name)
    return list(session.scalars(select(Release.name).order_by(*order)))


def describe(session: Session, name: str) -> dict[str, Any]:
    """Lay out a release: its place in the feed, its files, its revisions, how to cite it."""
    # No name holds a NUL, and PostgreSQL cannot be asked for one.
    release = None if "\x00" in name else session.get(Release, name, populate_existing=True)
    if release is None:
        raise not_found(f"There is no release {name[:40]!r}; see {documents.PREFIX}/releases.")
    statement = select(ReleaseRevision).where(ReleaseRevision.name == name)
    revisions = session.scalars(statement.order_by(ReleaseRevision.revision)).all()
    path = f"{documents.PREFIX}/releases/{name}"
    current = revisions[-1]
    return {
        "name": name,
        "url": path,
        "title": release.title,
        "doi": release.doi,
        "dataset_version": release.dataset_version,
        "codebook_version": release.codebook_version,
        "created_at": release.created_at,
        "revision": current.revision,
        "citation": _citation(release, current.revision),
        "files": [{**file, "url": f"{path}/{file['name']}"} for file in current.files],
        "revisions": [
            {"revision": row.revision, "created_at": row.created_at, "files": row.files}
            for row in revisions
        ],
    }


def _edition(session: Session, name: str) -> Edition:
    """Return a release at the revision that stands."""
    described = describe(session, name)
    members = {member: described[member] for member in Edition.__slots__ if member != "url"}
    return Edition(**members, url=_address(name))


def _next(edition: Edition) -> Edition:
    return replace(edition, revision=edition.revision + 1)


def _address(name: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}{documents.PREFIX}/releases/{name}"


def _citation(release: Release, revision: int) -> str:
    edition = f"release {release.name}" + (f", revision {revision}" if revision > 1 else "")
    where = f" https://doi.org/{release.doi}" if release.doi else ""
    return (
        f"{release.title} ({edition}, dataset version {release.dataset_version}, "
        f"codebook {release.codebook_version}). {release.created_at[:10]}. CC BY 4.0.{where}"
    )


@dataclass(frozen=True, slots=True)
class File:
    """A file of a release, and what proves it."""

    path: Path
    length: int
    records: int
    digest: bytes
    dataset_version: int
    revision: int
    gzip: bool


def file(session: Session, name: str, file_name: str, *, gzip: bool = False) -> File:
    """Find a file of a release as it is served now; with GZIP its compressed form, if it has one.

    Raises ApiError: not found.
    """
    release = describe(session, name)
    entries = {entry["name"]: entry for entry in release["files"]}
    if file_name not in entries:
        has = ", ".join(entries)
        raise not_found(f"Release {name} has no file {file_name[:40]!r}; it has {has}.")
    packed = entries.get(file_name + PACKED) if gzip else None
    entry = packed or entries[file_name]
    return File(
        _path(name, release["revision"]) / entry["name"],
        entry["bytes"],
        entry["records"],
        bytes.fromhex(entry["sha256"]),
        release["dataset_version"],
        release["revision"],
        packed is not None,
    )


@contextmanager
def revising(erasure: Mapping[str, Any]) -> Iterator[Callable[[Session], int]]:
    """Write every release that shows what an ERASURE takes anew, without it.

    ERASURE is {resource, id, fields}. Yields what puts the files in place, in the transaction of
    the erasure, and returns the number of releases that have a new revision. The files before stay
    until that is committed: `tidy` removes them.
    """
    session, made = db.session(), {}
    with ExitStack() as stack:
        for name in names(session):
            edition = _edition(session, name)
            revision = edition.revision
            if (lines := _revised(name, revision, erasure)) is not None:
                made[name, revision] = stack.enter_context(_made(_next(edition), lines))
        session.rollback()
        yield lambda session: _put_in_place(session, erasure, made)


def revise(session: Session, erasure: Mapping[str, Any]) -> int:
    """Do at once what `revising` does in two steps; the transaction waits for the files."""
    return _put_in_place(session, erasure, {})


def _put_in_place(
    session: Session, erasure: Mapping[str, Any], made: Mapping[tuple[str, int], Made]
) -> int:
    """Put in place what was MADE by release and revision; what came since is made here."""
    revised = 0
    for name in names(session):
        edition = _edition(session, name)
        revision = edition.revision
        with ExitStack() as stack:
            files = made.get((name, revision))
            if files is None and (lines := _revised(name, revision, erasure)) is not None:
                files = stack.enter_context(_made(_next(edition), lines))
            if files is None:
                continue
            _place(files[0], _path(name, revision + 1))
            _add_revision(session, name, revision + 1, files[1])
            revised += 1
    return revised


def _revised(name: str, revision: int, erasure: Mapping[str, Any]) -> Iterator[str] | None:
    """Return the lines of a release without what ERASURE takes; None where it shows none of it."""
    source = _path(name, revision) / INCIDENTS
    is_of_records = erasure["resource"] in ("incident", "article")
    only_notes = set(erasure["fields"] or [""]) <= set(erasing.NOTES)
    if not is_of_records or only_notes or not source.exists() or not _shows(source, erasure["id"]):
        return None
    return _without(source, erasure)


def tidy(session: Session) -> None:
    """Remove the files of revisions before the one that stands, and what was left half made."""
    for name in names(session):
        current = describe(session, name)["revision"]
        for path in (folder() / name).glob("r[0-9]*"):
            if int(path.name[1:]) < current:
                shutil.rmtree(path, ignore_errors=True)
    temp_folders.remove_stale(folder().glob("*/.*"))


def take_up(session: Session) -> list[str]:
    """Take up what the folder holds of each release, after a backup was put back.

    A release that was revised after the backup stands at its newest revision. Returns the names
    of those whose files are not there.
    """
    absent = []
    for name in names(session):
        edition = _edition(session, name)
        current = edition.revision
        newest = max((int(path.name[1:]) for path in (folder() / name).glob("r*")), default=0)
        if newest > current:
            lines = _lines(_path(name, newest) / INCIDENTS)
            with _made(replace(edition, revision=newest), lines) as (made, files):
                _place(made, _path(name, newest))
            _add_revision(session, name, newest, files)
        elif newest < current:
            absent.append(name)
    return absent


def faults(session: Session) -> Iterator[str]:
    """Find releases whose files are not as they were frozen."""
    for name in names(session):
        release = describe(session, name)
        for entry in release["files"]:
            path = _path(name, release["revision"]) / entry["name"]
            if not path.is_file():
                yield f"release {name}: {entry['name']} is not in {path.parent}"
            elif _digest(path) != entry["sha256"]:
                yield f"release {name}: {entry['name']} is not what its digest says"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")


def _shows(path: Path, id_: str) -> bool:
    with path.open(encoding="utf-8") as lines:
        return any(id_ in line for line in lines)


def _without(path: Path, erasure: Mapping[str, Any]) -> Iterator[str]:
    """Read the documents of a release, and erase what is to go from those that show it."""
    for line in _lines(path):
        text = line
        if erasure["id"] in text:
            document = _erased(orjson.loads(text), erasure)
            if document is None:
                continue
            text = documents.dump(document)
        yield text


def _erased(document: dict[str, Any], erasure: Mapping[str, Any]) -> dict[str, Any] | None:
    """Erase from one document; None where all of it goes."""
    if erasure["resource"] == "article":
        fields = erasure["fields"] or erasing.ARTICLE_ERASABLE
        for source in document["sources"]:
            if source["article"]["id"] == erasure["id"]:
                source["article"] = erasing.erased_article(source["article"], fields)
        return document
    if document["id"] != erasure["id"]:
        return document
    if erasure["fields"] is None:
        return None
    point = None
    if document["latitude"] is not None:
        point = (round(document["latitude"], 1), round(document["longitude"], 1))
    stored = record_state.state_of(complete(document))
    state = erasing.erased(stored, erasure["fields"], point)
    return documents.revise(document, state, documents.derive(state, {}))


def _path(name: str, revision: int) -> Path:
    return folder() / name / f"r{revision}"


@contextmanager
def _made(edition: Edition, lines: Iterable[str]) -> Iterator[Made]:
    """Write the files of an EDITION to a folder of their own, which is gone at the end.

    Yields it with what describes them, to be put in place by `_place`. Raises ApiError: no room.
    """
    making = folder() / edition.name / f".{new_id()}"
    try:
        with _room():
            making.mkdir(parents=True)
        with temp_folders.locked(making):
            with _room():
                files = [_file(making / INCIDENTS, _ndjson(lines))]
                records = files[0]["records"]
                sheet = sheets.write(_batches(making / INCIDENTS))
                files.append(_file(making / SHEET, sheet, records))
                files.append(_file(making / CLAIMS, _claims(making / INCIDENTS)))
                files += [_packed(making / file["name"], file["records"]) for file in files]
                if parquet.is_installed():
                    columns = parquet.INCIDENTS.chunks(_batches(making / INCIDENTS))
                    files.append(_file(making / COLUMNS, columns, records))
                for name, content in release_package.files(edition, list(files)):
                    files.append(_file(making / name, [content], 0))
                sums = release_package.checksums(files)
                files.append(_file(making / "SHA256SUMS", [sums], 0))
            yield making, files
    finally:
        shutil.rmtree(making, ignore_errors=True)
        with suppress(OSError):
            making.parent.rmdir()  # of a release that was not made


def _place(made: Path, target: Path) -> None:
    """Let a finished folder have its name, at once."""
    with _room():
        if target.exists():  # of an attempt that was never committed
            shutil.rmtree(target)
        made.rename(target)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApiError("storage-full", "There is no room to write the release.") from error


def _file(path: Path, chunks: Iterable[bytes], records: int | None = None) -> dict[str, Any]:
    """Write CHUNKS, each a record unless RECORDS says how many there are; describe the file."""
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as out:
        for chunk in chunks:
            digest.update(chunk)
            out.write(chunk)
            count += 1
    if path.name == CLAIMS:
        records = count - 1  # its first line names the columns
    return {
        "name": path.name,
        "records": count if records is None else records,
        "bytes": path.stat().st_size,
        "sha256": digest.hexdigest(),
    }


def _packed(path: Path, records: int) -> dict[str, Any]:
    """Write a file compressed beside it; describe that."""
    with path.open("rb") as plain:
        blocks = iter(partial(plain.read, _BLOCK), b"")
        return _file(path.with_name(path.name + PACKED), compressed(blocks), records)


def _ndjson(lines: Iterable[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode() + b"\n"


def _batches(path: Path) -> Iterator[Sequence[bytes]]:
    lines = _lines(path)
    while batch := [line.encode() for line in islice(lines, _BATCH)]:
        yield batch


def _claims(path: Path) -> Iterator[bytes]:
    """Yield the lines of the claims' table, one for each claim."""
    yield "\ufeff".encode() + _line(CLAIM_COLUMNS)
    for batch in _batches(path):
        for text in batch:
            document = documents.load(text)
            for source in document["sources"]:
                for claim in source["claims"]:
                    yield _line(
                        _cell(value)
                        for value in (
                            document["id"],
                            source["article"]["id"],
                            source["locator"],
                            *(claim[name] for name in CLAIM_COLUMNS[3:]),
                        )
                    )


def _cell(value: Any) -> Any:
    """Write a cell; text is guarded against being read as a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "'", "\t", "\r"):
        return f"'{value}"
    return value


def _line(cells: Iterable[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
