"""What a service takes of its machine: the memory of its workers, and space on the disk."""

import os
import threading
from contextlib import suppress
from pathlib import Path

from tests.servers import running


class Meter:
    """The most that a service at ADDRESS took while it was open, looked at five times a second."""

    def __init__(self, address: str, folder: Path) -> None:
        self.worker_bytes = 0
        self.disk_bytes = 0
        self._setting = f"PORT={address.rpartition(':')[2]}"
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            found = running(self._setting)
            workers = [number for number, parent in found.items() if parent in found]
            for number in workers:
                with suppress(OSError, ValueError):
                    self.worker_bytes = max(self.worker_bytes, _proportional_set_size(number))
            self.disk_bytes = max(self.disk_bytes, _space(self._folder, workers))
            if self._done.wait(0.2):
                return


def _proportional_set_size(process: int) -> int:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    return 0


def _space(folder: Path, processes: list[int]) -> int:
    """Return the bytes of a folder's files, and of those without a name that are still open."""
    found: dict[tuple[int, int], int] = {}
    opened = [path for number in processes for path in _listed(Path(f"/proc/{number}/fd"))]
    for path in [*_listed(folder), *opened]:
        with suppress(OSError):
            status = path.stat()
            if path.parent == folder or _is_unlinked(path):
                found[status.st_dev, status.st_ino] = 512 * status.st_blocks
    return sum(found.values())


def _is_unlinked(path: Path) -> bool:
    target = os.readlink(path)
    return target.startswith("/") and target.endswith(" (deleted)")


def _listed(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []
