"""Exports: the whole result of a query, complete before its first byte is sent.

A small one is made in memory. A larger one becomes a file, so that memory stays flat. All slots of
a worker but one may be making files; sent to readers, however slow, are EXPORT_READERS of them at a
time, by threads that the server has to spare. The files of public answers are shared between
workers while the dataset version stands (`files.FileCache`).
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from flask import Flask, current_app
from sqlalchemy import select

from api.core.compression import compressed
from api.core.errors import ApiError
from api.core.media_formats import Batches, Format
from api.database.engines import db
from api.database.readers import Reader
from api.exports.file_cache import CompleteFile, FileCache, room
from api.exports.open_files import OpenFiles
from api.models import Change, Dataset
from api.models.feed import dataset_version
from schemas import record_fields

# Part of the name of every cached file: raise it when a format writes other bytes.
REVISION = 1
# Larger answers become files. One of this size is handed to the server in one piece, which then
# sends it without holding a thread, however slow the reader.
IN_MEMORY = 1_000_000
_BLOCK = 256 * 1024
_RETRY_AFTER = 10

_STATE = select(
    Dataset.version, select(Change.at).where(Change.seq == Dataset.version).scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to export: records in batches (read within a snapshot), in a format.

    `key` says in full which records, for all who ask the same; None keeps the export private.
    `client` is whom it counts for while it is on its way. With `gzip` the bytes are compressed:
    another file, with a length and a digest of its own.
    """

    what: str
    format: Format
    batches: Callable[[], Iterable[Sequence[bytes]]]
    key: str | None
    fields: Sequence[str] | None = None
    client: str = ""
    gzip: bool = False

    def chunks(self, batches: Batches) -> Iterator[bytes]:
        """Yield the bytes of BATCHES, compressed where that was asked for."""
        chunks = self.format.chunks(batches, self.fields)
        return compressed(chunks) if self.gzip else chunks


@dataclass(slots=True)
class Export:
    """A complete export: its bytes, and what proves them. Whoever gets it closes it."""

    file: BinaryIO
    length: int
    records: int
    digest: bytes
    dataset_version: int
    release: Callable[[], None] | None = field(default=None, repr=False)
    gzip: bool = False

    @property
    def long(self) -> bool:
        """Whether sending it holds a place for long answers."""
        return self.release is not None

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from START up to STOP; raises OSError should the file break off."""
        self.file.seek(start)
        while start < stop:
            block = self.file.read(min(_BLOCK, stop - start))
            if not block:
                raise OSError("the export ends before its length")
            start += len(block)
            yield block

    def close(self) -> None:
        """Close the file and release its slot for long answers."""
        if self.release is not None:
            self.release()
            self.release = None
        self.file.close()


def in_memory(request: ExportRequest, documents: Sequence[bytes], version: int) -> Export:
    """Make an export of the few DOCUMENTS of a page, instead of all that REQUEST means."""
    body = b"".join(request.chunks([documents]))
    digest = sha256(body).digest()
    return Export(BytesIO(body), len(body), len(documents), digest, version, gzip=request.gzip)


def save(
    reader: Reader, request: ExportRequest, file: BinaryIO, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Write an export straight into FILE; return its records and its dataset version.

    PROGRESS is called with the number of records written since it was called last.
    """
    with reader.snapshot():
        version, _ = reader.run(_STATE)[0]
        batches = _BatchCounter(request.batches())
        exported = 0
        for chunk in request.chunks(batches):
            file.write(chunk)
            progress(batches.records - exported)
            exported = batches.records
    return exported, version


class Exports:
    """Makes exports, within the bounds of a worker and of the shared folder."""

    def __init__(self, files: FileCache, identity: str, threads: int, readers: int) -> None:
        self.files = files
        self.identity = identity
        # One slot always stays for short answers; a worker with only one makes one at a time.
        self._makers = threading.BoundedSemaphore(max(1, threads - 1))
        self._open = OpenFiles(readers, files.most_bytes)

    def make(self, reader: Reader, request: ExportRequest) -> Export:
        """Make an export, or take it from the cache.

        Raises ApiError: busy where every place is taken, storage-full where it cannot be written.
        """
        with reader.snapshot():
            version, at = reader.run(_STATE)[0]
            name = None if request.key is None else self._name(request, version, at)
            cached = None if name is None else self.files.find(name)
            if cached is not None:
                export = self.open_cached(cached, version, request.client)
            else:
                export = self._write(request, version, name)
            export.gzip = request.gzip
            return export

    def _name(self, request: ExportRequest, version: int, at: str | None) -> str:
        """Name the file by all that its bytes depend on.

        The time of the last change tells apart data sets that happen to have the same version.
        """
        parts = (
            REVISION,
            record_fields.NEWEST,
            self.identity,
            at,
            request.what,
            request.format.name,
            request.fields,
            request.key,
            request.gzip,
        )
        return f"{version}-{sha256(repr(parts).encode()).hexdigest()}"

    def open_cached(self, cached: CompleteFile, version: int, client: str) -> Export:
        """Return a complete file as an export to CLIENT, which takes a place for a long answer.

        Raises ApiError: busy.
        """
        try:
            release = self._open.acquire(client)
        except ApiError:
            cached.file.close()
            raise
        return self._sent(cached, version, client, release)

    def _sent(
        self, complete: CompleteFile, version: int, client: str, release: Callable[[], None]
    ) -> Export:
        """Return a complete file as an export, counted until it is closed."""
        remove = self._open.add(client, complete.file, complete.length)

        def end() -> None:
            remove()
            release()

        return Export(
            complete.file, complete.length, complete.records, complete.digest, version, end
        )

    @staticmethod
    def _taken(places: threading.BoundedSemaphore) -> Callable[[], None]:
        if places.acquire(blocking=False):
            return places.release
        raise ApiError(
            "busy",
            "As many large exports as this worker serves at a time are on their way. Try again "
            "in a moment, or ask for less by filters or `limit`.",
            retry_after=_RETRY_AFTER,
        )

    def _write(self, request: ExportRequest, version: int, name: str | None) -> Export:
        """Write the export: in memory, or in a file once it grows beyond that."""
        batches = _BatchCounter(request.batches())
        chunks = request.chunks(batches)
        memory = BytesIO()
        for chunk in chunks:
            memory.write(chunk)
            if memory.tell() > IN_MEMORY:
                release_maker = self._taken(self._makers)
                try:
                    release = self._open.acquire(request.client)
                    try:
                        whole = chain(_once(memory), chunks)
                        file = self._write_file(whole, batches, version, name, request.client)
                    except BaseException:
                        release()
                        raise
                finally:
                    release_maker()
                return self._sent(file, version, request.client, release)
        digest = sha256(memory.getbuffer()).digest()
        return Export(memory, memory.tell(), batches.records, digest, version)

    def _write_file(
        self,
        chunks: Iterable[bytes],
        batches: "_BatchCounter",
        version: int,
        name: str | None,
        client: str,
    ) -> CompleteFile:
        with room():
            self.files.remove_before(version)
            file = self.files.private() if name is None else self.files.begin(name)
        try:
            if name is not None and (cached := self.files.find(name)):
                self.files.give_up(name, file)  # another wrote it while we waited for the lock
                return cached
            with room():
                digest = self._fill(file, chunks, client)
                sealed = CompleteFile(file, file.tell(), batches.records, digest)
                if name is not None:
                    self.files.finish(name, sealed)
            return sealed
        except BaseException:
            self.files.give_up(name, file)
            raise

    def _fill(self, file: BinaryIO, chunks: Iterable[bytes], client: str) -> bytes:
        """Write CHUNKS into FILE and return their digest."""
        digest = sha256()
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
            if file.tell() > self.files.most_bytes:
                raise ApiError(
                    "storage-full",
                    f"An export may take {self.files.most_bytes:,} bytes here. Ask for less by "
                    "filters or `limit`.",
                )
            self._open.check(client, file.tell())
        file.flush()
        return digest.digest()


def _once(memory: BytesIO) -> Iterator[bytes]:
    """Yield what MEMORY holds, and let go of it."""
    yield memory.getvalue()
    memory.close()


class _BatchCounter:
    """Batches, and how many records they had when the last was taken."""

    def __init__(self, batches: Iterable[Sequence[bytes]]) -> None:
        self._batches = batches
        self.records = 0

    def __iter__(self) -> Iterator[Sequence[bytes]]:
        for batch in self._batches:
            self.records += len(batch)
            yield batch


def init_app(app: Flask) -> None:
    """Prepare the exports of APP; the folder is made when the first file is written."""
    config = app.config
    files = FileCache(Path(config["EXPORT_FOLDER"]), config["EXPORT_FILES"], config["EXPORT_BYTES"])
    app.extensions["exports"] = Exports(
        files, config["DATABASE_URL"], config["THREADS"], config["EXPORT_READERS"]
    )


def exports() -> Exports:
    """Return the application's exports."""
    exporter: Exports = current_app.extensions["exports"]
    return exporter


def tidy() -> None:
    """Remove the files of earlier versions, and what nobody finished."""
    exports().files.remove_before(dataset_version(db.session()))


def purge() -> None:
    """Remove every file, now and from exports under way; for after an erasure is committed."""
    exports().files.purge(dataset_version(db.session()))
